//! A file that is only to be written, in little more memory than it takes on disk.
//!
//! The lists of its ensembles have been in wire form from the start, and each attribute is let go
//! when it has been written. It is the same message that [`write`](crate::write) writes, with
//! fields in another order, which protobuf leaves open.

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};

use crate::Error;
use crate::file::check_size;
use crate::proto::ModelProto;

/// A file that is only to be written: it takes a fraction of the memory of a [`ModelProto`].
#[derive(Debug)]
pub struct Packed(pub(super) ModelProto);

impl Packed {
    /// The file, the same bytes for the same model.
    ///
    /// # Errors
    /// As [`write`](crate::write).
    pub fn write(self) -> Result<Vec<u8>, Error> {
        // The fields' numbers in `ModelProto`, `GraphProto` and `NodeProto`.
        const GRAPH: u32 = 7;
        const NODE: u32 = 1;
        const ATTRIBUTE: u32 = 5;

        let mut model = self.0;
        let size = model.encoded_len();
        check_size(size)?;
        // Memory that is not written to yet costs nothing.
        let mut out = Vec::with_capacity(size);
        let mut graph = model.graph.take().unwrap_or_default();
        put(&model, &mut out)?;
        open(GRAPH, graph.encoded_len(), &mut out);
        for mut node in std::mem::take(&mut graph.node) {
            open(NODE, node.encoded_len(), &mut out);
            let attributes = std::mem::take(&mut node.attribute);
            put(&node, &mut out)?;
            for attribute in attributes {
                open(ATTRIBUTE, attribute.encoded_len(), &mut out);
                put(&attribute, &mut out)?;
            }
        }
        put(&graph, &mut out)?;
        Ok(out)
    }
}

/// What stands in front of a message of `len` bytes in the field `tag`.
fn open(tag: u32, len: usize, out: &mut Vec<u8>) {
    encode_key(tag, WireType::LengthDelimited, out);
    encode_varint(len as u64, out);
}

fn put(message: &impl Message, out: &mut Vec<u8>) -> Result<(), Error> {
    let full = |e| Error::invalid(format!("the ONNX file cannot be put together: {e}"));
    message.encode(out).map_err(full)
}
