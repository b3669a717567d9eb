//! ONNX Runtime as a backend: found, loaded and asked at run time, and never needed.
//!
//! [`find`] knows where the library may lie, [`Runtime`] loads it, [`Provider`] tells where it can
//! run, [`OrtSession`] runs one model. Its errors are returned, so it is told to log nothing. It
//! runs what an ONNX file says; it does not know which framework the file came from.

mod find;
mod open;
mod provider;
mod runtime;

pub use find::{Candidate, Search, Source, find};
pub use open::{Options, OrtSession};
pub use provider::Provider;
pub use runtime::{Absent, OLDEST, Runtime};

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
