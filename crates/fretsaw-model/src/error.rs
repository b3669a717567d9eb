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
    message: String,
}

impl Error {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Invalid,
            message: message.into(),
        }
    }

    pub(crate) fn rows(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Rows,
            message: message.into(),
        }
    }

    /// The same fault, told with the row it is in.
    pub(crate) fn in_row(self, row: usize) -> Self {
        Self {
            message: format!("row {row}: {}", self.message),
            ..self
        }
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
