//! One opaque error: what is wrong with a file, a graph or a conversion, and where.

use std::fmt;

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes are no ONNX file, or end too early.
    Malformed,
    /// The file can be read but contradicts itself or the specification.
    Invalid,
    /// What the file (or the IR) says cannot be represented on the other side.
    Unsupported,
    /// A tensor's data lies in another file, which could not be had.
    External,
}

/// A fault: one line that says what, where and, where it helps, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

impl Error {
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Malformed, message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    pub(crate) fn external(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::External, message)
    }

    /// `what` cannot be represented; it stands at `place`.
    pub(crate) fn unsupported(what: impl fmt::Display, place: impl fmt::Display) -> Self {
        Self::new(
            ErrorKind::Unsupported,
            format!("{place}: {what} is not supported"),
        )
    }

    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            // Names in hostile files may hold line breaks; a message is one line.
            message: message.into().replace(['\n', '\r'], " "),
        }
    }

    /// The same fault, told with the place it is in.
    pub(crate) fn at(self, place: impl fmt::Display) -> Self {
        Self::new(self.kind, format!("{place}: {}", self.message))
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
