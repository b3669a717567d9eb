//! What holds for a whole file: the version that wrote it, how deep reading has gone, and the
//! categories of columns of text.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};

use crate::Error;
use crate::pickle::Pickle;

/// Estimators in estimators, such as a search over a pipeline of a vote.
const MAX_DEPTH: usize = 24;

/// What holds for a whole file.
pub(super) struct Context<'a> {
    /// `_sklearn_version`, in full.
    pub(super) version_text: Option<&'a str>,
    /// Its major and minor number; what does not say counts as new.
    pub(super) version: (u32, u32),
    /// The file's format.
    pub(super) format: &'a str,
    depth: Cell<usize>,
    texts: RefCell<BTreeMap<usize, Texts>>,
}

/// The categories of a column of text, in the order of their codes.
#[derive(Default)]
struct Texts {
    code_of: HashMap<String, usize>,
    known: Vec<String>,
}

impl<'a> Context<'a> {
    pub(super) fn new(version_text: Option<&'a str>, format: &'a str) -> Self {
        let mut parts = version_text.unwrap_or_default().split('.').map(str::parse);
        let version = match (parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
            _ => (u32::MAX, 0),
        };
        Self {
            version_text,
            version,
            format,
            depth: Cell::new(0),
            texts: RefCell::default(),
        }
    }

    /// Whether the file was written by this version or a later one.
    pub(super) fn since(&self, major: u32, minor: u32) -> bool {
        self.version >= (major, minor)
    }

    /// Runs `read` one estimator deeper.
    pub(super) fn deeper<T>(&self, read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let depth = self.depth.get() + 1;
        if depth > MAX_DEPTH {
            return Err(Error::unsupported(
                format!("estimators nested more than {MAX_DEPTH} deep"),
                "a model so built is not taken",
            ));
        }
        self.depth.set(depth);
        let result = read();
        self.depth.set(depth - 1);
        result
    }

    /// The number that stands for the text in the model's input column; a new one where the text was
    /// not met before. The column is a column of text from then on.
    ///
    /// # Errors
    /// When the file names one long text in so many columns that copies would be too much.
    pub(super) fn code(
        &self,
        pickle: &Pickle<'_>,
        column: usize,
        text: &str,
    ) -> Result<f64, Error> {
        let mut texts = self.texts.borrow_mut();
        let texts = texts.entry(column).or_default();
        if let Some(&code) = texts.code_of.get(text) {
            return Ok(code as f64);
        }
        pickle
            .spend(text.len())
            .ok_or_else(|| Error::invalid("more text among the categories than the file holds"))?;
        let code = texts.known.len();
        texts.code_of.insert(text.to_owned(), code);
        texts.known.push(text.to_owned());
        Ok(code as f64)
    }

    /// The columns of text and their categories.
    pub(super) fn texts(&self) -> Vec<(usize, Vec<String>)> {
        let texts = self.texts.borrow();
        texts.iter().map(|(&c, t)| (c, t.known.clone())).collect()
    }
}
