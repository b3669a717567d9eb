//! One opaque error: what went wrong, where, and what to do, in one line.

use std::fmt;
use std::path::Path;

/// The library's result.
pub type Result<T> = std::result::Result<T, Error>;

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file could not be read or written.
    Io,
    /// A model file is broken or contradicts itself.
    Model,
    /// A model holds something that cannot be represented exactly; it is named.
    Unsupported,
    /// The data do not fit: columns, values, shapes.
    Data,
    /// A backend is absent, or failed.
    Backend,
    /// What was asked for contradicts itself.
    Config,
    /// The caller asked to stop.
    Interrupted,
}

/// What went wrong.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    /// The row that is at fault, where one is.
    row: Option<usize>,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of this kind. `message` is one line: what, where, what to do.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            row: None,
            message: message.into(),
            source: None,
        }
    }

    /// The data do not fit.
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, message)
    }

    /// `what` (such as `cannot read`) failed on the file at `path`.
    pub fn io(what: &str, path: &Path, source: std::io::Error) -> Self {
        let message = format!("{what} {}: {}", path.display(), describe(&source));
        Self {
            kind: ErrorKind::Io,
            row: None,
            message,
            source: Some(Box::new(source)),
        }
    }

    /// Keeps the error that caused this one.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Names the row that is at fault, from 0.
    #[must_use]
    pub fn in_row(mut self, row: Option<usize>) -> Self {
        self.row = row;
        self
    }

    /// The same fault in rows that stand behind `rows` others.
    #[must_use]
    pub fn after_rows(mut self, rows: usize) -> Self {
        self.row = self.row.map(|row| row + rows);
        self
    }

    /// Puts the file's name in front of the message.
    #[must_use]
    pub fn in_file(mut self, path: &Path) -> Self {
        self.message = format!("{}: {}", path.display(), self.message);
        self
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// The operating system's message without the number that Rust puts behind it.
fn describe(e: &std::io::Error) -> String {
    let text = e.to_string();
    match text.find(" (os error") {
        Some(at) => text[..at].to_lowercase(),
        None => text,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.row {
            write!(f, "row {row}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|s| &**s as _)
    }
}

impl From<fretsaw_model::Error> for Error {
    fn from(e: fretsaw_model::Error) -> Self {
        let kind = match e.kind() {
            fretsaw_model::ErrorKind::Rows => ErrorKind::Data,
            _ => ErrorKind::Model,
        };
        Self::new(kind, e.message()).in_row(e.row()).with_source(e)
    }
}
