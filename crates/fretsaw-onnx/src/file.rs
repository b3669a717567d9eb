//! Bytes to [`ModelProto`] and back. Whether the graph makes sense is asked elsewhere
//! ([`check`](crate::check())).

use prost::Message as _;
use prost::bytes::Bytes;

use crate::Error;
use crate::proto::{self, ModelProto};

/// Protobuf's own limit on a message: 2 GiB.
const MAX_BYTES: usize = i32::MAX as usize;

/// Reads an ONNX file. Tensor payloads share `bytes`; they are not copied.
///
/// Lengths inside the file are checked against what is left of it before anything is allocated,
/// and messages nest at most 100 deep.
///
/// # Errors
/// When the bytes are no protobuf message of this type, end too early, or hold no graph.
pub fn read(bytes: impl Into<Bytes>) -> Result<ModelProto, Error> {
    let bytes = bytes.into();
    let size = bytes.len();
    if size == 0 {
        return Err(Error::malformed("the ONNX file is empty"));
    }
    if size > MAX_BYTES {
        return Err(Error::malformed(format!(
            "the ONNX file has {size} bytes, more than the {MAX_BYTES} that protobuf allows; \
             keep large tensors as external data"
        )));
    }
    let model = proto::read::read(bytes)
        .map_err(|e| Error::malformed(format!("not an ONNX file of {size} bytes: {e}")))?;
    if model.graph.is_none() {
        return Err(Error::malformed(format!(
            "not an ONNX file: its {size} bytes hold no graph"
        )));
    }
    Ok(model)
}

/// Writes an ONNX file: the same model gives the same bytes, always.
///
/// # Errors
/// When the result would be over protobuf's 2 GiB.
pub fn write(model: &ModelProto) -> Result<Vec<u8>, Error> {
    check_size(model.encoded_len())?;
    Ok(model.encode_to_vec())
}

pub(crate) fn check_size(size: usize) -> Result<(), Error> {
    if size > MAX_BYTES {
        return Err(Error::invalid(format!(
            "the ONNX file would have {size} bytes, more than the {MAX_BYTES} that protobuf allows"
        )));
    }
    Ok(())
}
