//! ONNX's protobuf messages, generated from `onnx-ml.proto` of ONNX 1.23 (see `gen/`).
//!
//! These are the plain messages: nothing in them is checked. [`check`](crate::check()) does that.
//! Fields that this version of ONNX does not know are dropped on reading.

// Generated: its names and layout are protobuf's.
#[allow(missing_docs, unreachable_pub, clippy::all)]
#[rustfmt::skip]
mod onnx;

pub(crate) mod read;
pub mod wire;

pub use onnx::*;
