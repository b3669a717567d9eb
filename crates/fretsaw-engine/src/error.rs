//! One opaque error: what the engine refuses, and why.

use std::fmt;

/// What kind of refusal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The engine cannot hold such a model.
    Unsupported,
    /// This processor lacks the instruction set that was asked for.
    Isa,
    /// No plan that this engine has saved, or a damaged one.
    Saved,
    /// The rows or the output do not fit the plan.
    Shape,
    /// A row holds a category that the model refuses.
    Row,
}

/// Why a plan could not be made or run: one line that says what, where and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    /// The row that is refused, where one is.
    row: Option<usize>,
    message: String,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            row: None,
            message: message.into(),
        }
    }

    /// A row that the model refuses, for the reason that the reference gives.
    pub(crate) fn row_refused(row: usize, why: &fretsaw_model::Error) -> Self {
        Self {
            row: Some(row),
            ..Self::new(ErrorKind::Row, why.message())
        }
    }

    pub(crate) fn shape(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Shape, message)
    }

    /// What kind of refusal it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The row that is refused, from 0, where one is.
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
