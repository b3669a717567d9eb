//! ONNX Runtime as a backend: found, loaded and asked at run time, and never needed.
//!
//! [`find`] knows where the library may lie, [`Runtime`] loads it, [`Provider`] tells where it can
//! run, [`OrtSession`] runs one model. Its errors are returned, so it is told to log nothing. It
//! runs what an ONNX file says; it does not know which framework the file came from.

mod find;
mod input;
mod open;
mod provider;
mod runtime;
mod signature;

use ::ort::ErrorCode;

pub use find::{Candidate, Search, Source, find};
pub use open::{Options, OrtSession};
pub use provider::Provider;
pub use runtime::{Absent, OLDEST, Runtime};

use crate::{Error, ErrorKind};

/// A message of ONNX Runtime or of the system's loader as one line of bounded length.
fn one_line(message: &str) -> String {
    const LONGEST: usize = 400;
    let mut line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
        line.push_str("...");
    }
    line
}

fn unsupported(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unsupported, what)
}

fn failed(e: ::ort::Error) -> Error {
    Error::new(
        kind(e.code()),
        format!("ONNX Runtime: {}", one_line(e.message())),
    )
}

/// As [`failed`]; what has no kind of its own while a model is opened is the model's fault.
fn unopened(e: ::ort::Error) -> Error {
    let kind = match kind(e.code()) {
        ErrorKind::Backend if e.code() != ErrorCode::ExecutionProviderFailure => ErrorKind::Model,
        kind => kind,
    };
    Error::new(
        kind,
        format!(
            "ONNX Runtime cannot open the model: {}",
            one_line(e.message())
        ),
    )
}

fn kind(code: ErrorCode) -> ErrorKind {
    match code {
        ErrorCode::InvalidProtobuf | ErrorCode::InvalidGraph | ErrorCode::NoModel => {
            ErrorKind::Model
        }
        ErrorCode::NotImplemented => ErrorKind::Unsupported,
        ErrorCode::NoSuchFile => ErrorKind::Io,
        _ => ErrorKind::Backend,
    }
}
