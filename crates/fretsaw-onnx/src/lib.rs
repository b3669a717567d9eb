//! ONNX files: read, check, write; the IR lowered to them and lifted back.
//!
//! | from | to | by |
//! | --- | --- | --- |
//! | bytes | [`proto::ModelProto`] | [`read`], then [`load_external`] where tensors lie in other files |
//! | [`proto::ModelProto`] | the same, known to be a graph | [`check()`] |
//! | [`fretsaw_model::Model`] | [`proto::ModelProto`] | [`lower()`]; [`compact::lower`] for our own operator |
//! | [`proto::ModelProto`] | [`fretsaw_model::Model`] | [`lift()`] |
//! | [`proto::ModelProto`] | bytes | [`write()`] |
//!
//! What both ways hold to is what ONNX Runtime computes, not only what the specification says: where
//! they differ, the code says so.
//!
//! This crate opens no files and runs no models.
#![forbid(unsafe_code)]

mod check;
pub mod compact;
mod error;
mod external;
mod file;
mod graph;
mod lift;
mod lower;
mod metadata;
pub mod proto;
pub mod tensor;

pub use check::check;
pub use error::{Error, ErrorKind};
pub use external::load_external;
pub use file::{read, write};
pub use lift::lift;
pub use lower::{LowerOptions, Packed, lower, ml_opset_for, pack};
pub use metadata::{FEATURES, features_in};
pub use tensor::Tensor;
