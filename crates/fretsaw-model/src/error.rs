//! One opaque error: what is wrong with a model or with the rows given to it, and where.

use std::fmt;

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The parts of a model contradict each other.
    Invalid,
    /// The rows do not fit the model.
    Rows,
}

/// A fault in a model or in its input: one line that says what and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    /// The row that is at fault, where one is.
    row: Option<usize>,
    message: String,
}

impl Error {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Invalid,
            row: None,
            message: message.into(),
        }
    }

    pub(crate) fn rows(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Rows,
            row: None,
            message: message.into(),
        }
    }

    /// The same fault, told with the row it is in.
    pub(crate) fn in_row(self, row: usize) -> Self {
        Self {
            row: Some(row),
            ..self
        }
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The row that is at fault, from 0, where one is.
    pub fn row(&self) -> Option<usize> {
        self.row
    }

    /// What is wrong, without the row.
    pub fn message(&self) -> &str {
        &self.message
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

impl std::error::Error for Error {}
