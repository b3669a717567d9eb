//! One error for the command line: a line on stderr, and an exit status.

use std::fmt;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    status: u8,
}

/// A command's result.
pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

impl Failure {
    /// The work failed: exit status 1.
    pub(crate) fn work(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: 1,
        }
    }

    /// The command line is wrong: exit status 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: 2,
        }
    }

    /// The exit status.
    pub(crate) fn status(&self) -> u8 {
        self.status
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A message may quote a hostile file: it stays one line, without control characters.
        for c in self.message.chars() {
            if c.is_control() {
                write!(f, " ")?
            } else {
                write!(f, "{c}")?
            }
        }
        Ok(())
    }
}

impl From<fretsaw::Error> for Failure {
    fn from(e: fretsaw::Error) -> Self {
        match e.kind() {
            fretsaw::ErrorKind::Config => Self::usage(e.to_string()),
            _ => Self::work(e.to_string()),
        }
    }
}

impl From<fretsaw_store::Error> for Failure {
    fn from(e: fretsaw_store::Error) -> Self {
        Self::work(e.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(e: std::io::Error) -> Self {
        Self::work(e.to_string())
    }
}
