//! The crate's one error: a kind to act on, the place in the file, and one line to show.

use std::borrow::Cow;
use std::fmt;

/// What is wrong with a model file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes are of no format that is known.
    UnknownFormat,
    /// The bytes break their own format: cut short, or damaged.
    Syntax,
    /// The format is kept, and the model in it contradicts itself.
    Invalid,
    /// The model is sound, and something in it cannot be represented.
    Unsupported {
        /// What it is, by the name that its framework gives it.
        what: String,
        /// Where in the model it is.
        r#where: String,
    },
}

/// A model file that cannot be imported: one line that says what, where, and what to do.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    offset: Option<usize>,
    /// From the innermost value outwards: errors learn their place while they travel up.
    path: Vec<Segment>,
    source: Option<fretsaw_model::Error>,
}

#[derive(Debug)]
enum Segment {
    Key(String),
    Index(usize),
}

impl Error {
    fn new(kind: ErrorKind, message: String) -> Self {
        Self(Box::new(Inner {
            kind,
            message,
            offset: None,
            path: Vec::new(),
            source: None,
        }))
    }

    pub(crate) fn unknown_format(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::UnknownFormat, message.into())
    }

    pub(crate) fn syntax(offset: usize, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Syntax, message.into()).at(offset)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message.into())
    }

    pub(crate) fn unsupported(what: impl Into<String>, place: impl Into<String>) -> Self {
        let (what, place) = (what.into(), place.into());
        let message = format!("cannot import {what} ({place})");
        Self::new(
            ErrorKind::Unsupported {
                what,
                r#where: place,
            },
            message,
        )
    }

    /// Adds the byte offset, unless a nearer place has set one.
    pub(crate) fn at(mut self, offset: usize) -> Self {
        self.0.offset.get_or_insert(offset);
        self
    }

    /// Adds the object key that the fault is under.
    pub(crate) fn under(mut self, key: &str) -> Self {
        self.0.path.push(Segment::Key(key.to_owned()));
        self
    }

    /// Adds the array index that the fault is under.
    pub(crate) fn item(mut self, index: usize) -> Self {
        self.0.path.push(Segment::Index(index));
        self
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The byte of the file (of its decompressed content, where it is compressed) that the fault
    /// was noticed at.
    pub fn offset(&self) -> Option<usize> {
        self.0.offset
    }

    /// The place in the document, such as `learner.gradient_booster.model.trees[3]`.
    pub fn path(&self) -> Option<String> {
        if self.0.path.is_empty() {
            return None;
        }
        let mut path = String::new();
        for segment in self.0.path.iter().rev() {
            match segment {
                Segment::Key(key) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(&shown(key));
                }
                Segment::Index(i) => path.push_str(&format!("[{i}]")),
            }
        }
        Some(path)
    }
}

/// Text from a file as it may stand in a message: one line, no control characters, not long.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    within(text, 80)
}

fn within(text: &str, longest: usize) -> Cow<'_, str> {
    if text.len() <= longest && !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut out: String = text
        .chars()
        .take(longest)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(longest).is_some() {
        out.push_str("...");
    }
    Cow::Owned(out)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = self.path() {
            write!(f, "{path}: ")?;
        }
        f.write_str(&self.0.message)?;
        match self.0.offset {
            Some(offset) => write!(f, " (byte {offset})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|e| e as _)
    }
}

impl From<fretsaw_model::Error> for Error {
    fn from(source: fretsaw_model::Error) -> Self {
        let mut error = Self::invalid(source.to_string());
        error.0.source = Some(source);
        error
    }
}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        // serde quotes what it found, however long that is.
        Self::invalid(within(&message.to_string(), 200))
    }
}
