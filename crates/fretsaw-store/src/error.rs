//! The crate's one error: a kind to act on and one line to show.
//!
//! The line says what failed, which store, and what to do. It never holds a password (no URL with
//! one gets past [`Url::parse`](crate::Url::parse)), never spans lines, and never shows SQL.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// What went wrong, for code that acts on it; the text for people is the error's `Display`.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The store's address is not one that can be read.
    InvalidUrl,
    /// The address is right and this build cannot serve it.
    Unsupported,
    /// A name, hash, alias or number that the store does not take.
    InvalidInput,
    /// No such model, version or alias; the line lists what exists.
    NotFound,
    /// The request contradicts what the store holds: a run recorded twice, an alias moved by
    /// another, a champion archived.
    Conflict,
    /// The path holds something else: a directory, a file that is not SQLite, another program's
    /// database.
    NotAStore,
    /// The database is damaged, or holds a value that this build cannot read.
    Corrupt,
    /// The database was made by a newer build.
    NewerSchema,
    /// The place cannot be opened or written.
    Unwritable,
    /// The disk (or the database's page limit) is full. Nothing of the request was kept.
    Full,
    /// Another process held the write lock for longer than the store waits.
    Busy,
    /// Any other failure of the database or the operating system.
    Database,
}

/// A failure of the store.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    path: Option<PathBuf>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error {
            kind,
            message: message.into(),
            path: None,
            source: None,
        }
    }

    pub(crate) fn at(mut self, path: &Path) -> Self {
        self.path.get_or_insert_with(|| path.to_path_buf());
        self
    }

    pub(crate) fn caused_by(
        mut self,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// What went wrong, for code that acts on it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The store's file, where the failure concerns one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(path) = &self.path {
            // Debug escapes what would break the line.
            write!(f, "store {path:?}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}

/// What a statement or a rule of ours can answer inside a transaction; [`Fault::at`] turns it into
/// the public error, so that the database's own error type stays out of the public interface.
pub(crate) enum Fault {
    Sql(rusqlite::Error),
    Told(Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Fault::Sql(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Told(error)
    }
}

impl Fault {
    /// The public error, naming the store's file.
    pub(crate) fn at(self, path: &Path) -> Error {
        let error = match self {
            Fault::Told(error) => return error.at(path),
            Fault::Sql(error) => error,
        };
        let (kind, message) = explain(&error);
        Error::new(kind, message).at(path).caused_by(error)
    }
}

fn explain(error: &rusqlite::Error) -> (ErrorKind, String) {
    use rusqlite::Error as Sql;
    match error {
        Sql::SqliteFailure(failure, text) => {
            let detail = text
                .clone()
                .unwrap_or_else(|| failure.to_string())
                .replace(['\n', '\r'], " ");
            explain_code(failure.code, detail)
        }
        Sql::FromSqlConversionFailure(..)
        | Sql::IntegralValueOutOfRange(..)
        | Sql::InvalidColumnType(..)
        | Sql::Utf8Error(..) => (
            ErrorKind::Corrupt,
            format!(
                "it holds a value that cannot be read ({error}); restore a backup, or move the \
                 file away to start a new one"
            )
            .replace(['\n', '\r'], " "),
        ),
        Sql::ToSqlConversionFailure(_) => (
            ErrorKind::InvalidInput,
            "a number is too large to store (the limit is 2^63 - 1)".to_string(),
        ),
        other => (
            ErrorKind::Database,
            format!("the database failed ({other})").replace(['\n', '\r'], " "),
        ),
    }
}

fn explain_code(code: ErrorCode, detail: String) -> (ErrorKind, String) {
    match code {
        ErrorCode::NotADatabase => (
            ErrorKind::NotAStore,
            "not an SQLite database; name another file, or move this one away".to_string(),
        ),
        ErrorCode::DatabaseCorrupt => (
            ErrorKind::Corrupt,
            format!(
                "damaged ({detail}); restore a backup, or move the file away to start a new one"
            ),
        ),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => (
            ErrorKind::Unwritable,
            format!(
                "cannot be opened for writing ({detail}); check the permissions of the file and \
                 its folder, or name another place"
            ),
        ),
        ErrorCode::DiskFull => (
            ErrorKind::Full,
            "the disk is full; nothing of this request was kept: free some space, or prune the \
             log, and try again"
                .to_string(),
        ),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => (
            ErrorKind::Busy,
            "another process is writing and did not finish in time; try again".to_string(),
        ),
        ErrorCode::TooBig => (
            ErrorKind::InvalidInput,
            "a value is too large to store (the limit is 1 GB)".to_string(),
        ),
        ErrorCode::ConstraintViolation => {
            (ErrorKind::Conflict, format!("a row was refused ({detail})"))
        }
        ErrorCode::SystemIoFailure => (
            ErrorKind::Database,
            format!(
                "reading or writing failed ({detail}); check that the disk has room and is sound"
            ),
        ),
        _ => (
            ErrorKind::Database,
            format!("the database failed ({detail})"),
        ),
    }
}
