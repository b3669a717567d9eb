//! Reading a model whose operators have long lists: an ensemble has eight, with an element a node.
//!
//! `prost` asks for each element anew which field of which message it belongs to. Here a list is read
//! as the run of elements that it is in the file. All that is no such list, and all that is wrong, is
//! left to `prost`: what comes out is the same.

use prost::bytes::{Buf, Bytes};
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost::{DecodeError, Message};

use super::{AttributeProto, GraphProto, ModelProto, NodeProto};

// The fields' numbers in `ModelProto`, `GraphProto` and `NodeProto`.
const GRAPH: u32 = 7;
const NODE: u32 = 1;
const ATTRIBUTE: u32 = 5;

// What stands in front of each element of the lists of `AttributeProto`.
const FLOATS: u8 = 7 << 3 | WireType::ThirtyTwoBit as u8;
const INTS: u8 = 8 << 3 | WireType::Varint as u8;
const STRINGS: u8 = 9 << 3 | WireType::LengthDelimited as u8;

/// Reads a model. What it shares with `bytes` is not copied.
pub(crate) fn read(bytes: Bytes) -> Result<ModelProto, DecodeError> {
    let mut model = ModelProto::default();
    merge(&mut model, bytes, GRAPH, |model, bytes| {
        let graph = model.graph.get_or_insert_with(GraphProto::default);
        merge(graph, bytes, NODE, |graph, bytes| {
            let mut node = NodeProto::default();
            merge(&mut node, bytes, ATTRIBUTE, |node, bytes| {
                node.attribute.push(attribute(bytes)?);
                Ok(())
            })?;
            graph.node.push(node);
            Ok(())
        })
    })?;
    Ok(model)
}

/// Reads the fields of `message`, but leaves the contents of those numbered `apart` to `read`.
fn merge<M: Message>(
    message: &mut M,
    mut bytes: Bytes,
    apart: u32,
    mut read: impl FnMut(&mut M, Bytes) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    while bytes.has_remaining() {
        let mut rest = bytes.clone();
        let (tag, wire_type) = decode_key(&mut rest)?;
        if tag == apart && wire_type == WireType::LengthDelimited {
            let mut within = rest.clone();
            let len = decode_varint(&mut within)?;
            let Some(len) = usize::try_from(len).ok().filter(|&n| n <= within.len()) else {
                // It ends too early, which is for `prost` to say.
                return message.merge(bytes);
            };
            bytes = within.split_off(len);
            read(message, within)?;
        } else {
            skip_field(wire_type, tag, &mut rest, DecodeContext::default())?;
            message.merge(bytes.split_to(bytes.len() - rest.len()))?;
        }
    }
    Ok(())
}

fn attribute(mut bytes: Bytes) -> Result<AttributeProto, DecodeError> {
    let mut attribute = AttributeProto::default();
    while let Some(&key) = bytes.first() {
        let n = match key {
            FLOATS => floats(&bytes, &mut attribute.floats),
            INTS => ints(&bytes, &mut attribute.ints),
            STRINGS => strings(&bytes, &mut attribute.strings),
            _ => 0,
        };
        bytes.advance(n);
        // One field of another kind, or an element that is not whole.
        if n == 0 {
            let mut rest = bytes.clone();
            let (tag, wire_type) = decode_key(&mut rest)?;
            skip_field(wire_type, tag, &mut rest, DecodeContext::default())?;
            attribute.merge(bytes.split_to(bytes.len() - rest.len()))?;
        }
    }
    Ok(attribute)
}

// Each reads as many elements as there are next to each other and whole, and gives the bytes that
// they take.

fn floats(bytes: &[u8], list: &mut Vec<f32>) -> usize {
    let (elements, _) = bytes.as_chunks::<5>();
    let run = elements.iter().take_while(|e| e[0] == FLOATS);
    let before = list.len();
    list.extend(run.map(|&[_, a, b, c, d]| f32::from_le_bytes([a, b, c, d])));
    5 * (list.len() - before)
}

fn ints(bytes: &[u8], list: &mut Vec<i64>) -> usize {
    let mut rest = bytes;
    while let [INTS, after @ ..] = rest {
        let Some((value, after)) = varint(after) else {
            break;
        };
        list.push(value as i64);
        rest = after;
    }
    bytes.len() - rest.len()
}

fn strings(bytes: &Bytes, list: &mut Vec<Bytes>) -> usize {
    let mut rest = &bytes[..];
    while let [STRINGS, after @ ..] = rest {
        let Some((len, after)) = varint(after) else {
            break;
        };
        let Some((text, after)) = usize::try_from(len)
            .ok()
            .and_then(|n| after.split_at_checked(n))
        else {
            break;
        };
        list.push(named(text).unwrap_or_else(|| bytes.slice_ref(text)));
        rest = after;
    }
    bytes.len() - rest.len()
}

/// The modes of nodes, of which there are as many as nodes, take no counting of who shares them.
fn named(text: &[u8]) -> Option<Bytes> {
    const MODES: [&[u8]; 7] = [
        b"LEAF",
        b"BRANCH_LT",
        b"BRANCH_LEQ",
        b"BRANCH_GT",
        b"BRANCH_GTE",
        b"BRANCH_EQ",
        b"BRANCH_NEQ",
    ];
    let mode = MODES.iter().find(|&&mode| mode == text)?;
    Some(Bytes::from_static(mode))
}

/// A number, and what is behind it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    match bytes {
        [a, rest @ ..] if *a < 0x80 => Some((u64::from(*a), rest)),
        [a, b, rest @ ..] if *b < 0x80 => Some((u64::from(a & 0x7f) | u64::from(*b) << 7, rest)),
        _ => {
            let mut rest = bytes;
            let value = decode_varint(&mut rest).ok()?;
            Some((value, rest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{attribute, value};
    use crate::proto::tensor_proto::DataType;
    use crate::tensor::from_f32s;

    fn file() -> Vec<u8> {
        let ints = vec![0_i64, 1, -1, 127, 128, 16_383, 16_384, i64::MAX, i64::MIN];
        let texts = ["LEAF", "BRANCH_LT", "", "other"]
            .map(String::from)
            .to_vec();
        let node = NodeProto {
            op_type: Some("TreeEnsembleRegressor".into()),
            output: vec!["y".into()],
            attribute: vec![
                attribute("ints", ints),
                attribute("floats", vec![1.5_f32, -0.0, f32::INFINITY]),
                attribute("texts", texts),
                attribute("one", 3_i64),
            ],
            ..NodeProto::default()
        };
        let graph = GraphProto {
            name: Some("g".into()),
            node: vec![node.clone(), node],
            input: vec![value("x", DataType::Float, &[None])],
            initializer: vec![from_f32s("w", &[2], [1.0, 2.0])],
            ..GraphProto::default()
        };
        let model = ModelProto {
            ir_version: Some(8),
            graph: Some(graph),
            ..ModelProto::default()
        };
        model.encode_to_vec()
    }

    /// What is read is what `prost` reads, and what it refuses is refused, whatever byte is another
    /// or where the file ends.
    #[test]
    fn as_prost_reads() {
        let file = file();
        let same = |bytes: &[u8]| {
            let bytes = Bytes::copy_from_slice(bytes);
            let (got, want) = (read(bytes.clone()), ModelProto::decode(bytes.clone()));
            // As bytes: NaN is not itself.
            let [got, want] = [got, want].map(|m| m.ok().map(|m| m.encode_to_vec()));
            assert_eq!(got, want, "{bytes:?}");
        };
        same(&file);
        for at in 0..file.len() {
            same(&file[..at]);
            for bit in 0..8 {
                let mut file = file.clone();
                file[at] ^= 1 << bit;
                same(&file);
            }
        }
    }
}
