//! The public library: load a model, run it, make its variants, verify and measure them, choose.
//!
//! This is the one place that knows the whole walk from a file to a choice; the command line and
//! every binding call it. It opens files and loads ONNX Runtime; it prints nothing, keeps no
//! global state but the loaded runtime, and knows nothing of the store.

pub mod data;
pub mod devices;
mod error;
pub mod load;
mod map;
pub mod measure;
pub mod metric;
pub mod onnx;
pub mod optimize;
pub mod proof;
pub mod report;
pub mod select;
pub mod session;
pub mod variant;

pub use error::{Error, ErrorKind, Result};
pub use fretsaw_engine as engine;
pub use fretsaw_model as model;
