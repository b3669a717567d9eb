//! A field for attributes that are only to be written: their lists as they stand in a file.
//!
//! An ensemble has eight lists with an element a node. As numbers and texts of Rust they take ten
//! times the room that they take in the file.

use prost::DecodeError;
use prost::bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType, encode_varint};

/// Fields of an attribute in wire form, written as they are. No file that was read has any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wire(Vec<u8>);

impl Wire {
    /// Adds an element of `ints`.
    pub(crate) fn int(&mut self, value: i64) {
        const INTS: u8 = 8 << 3 | WireType::Varint as u8;
        self.0.push(INTS);
        encode_varint(value as u64, &mut self.0);
    }

    /// Adds an element of `strings`.
    pub(crate) fn text(&mut self, text: &str) {
        const STRINGS: u8 = 9 << 3 | WireType::LengthDelimited as u8;
        self.0.push(STRINGS);
        encode_varint(text.len() as u64, &mut self.0);
        self.0.extend(text.as_bytes());
    }

    // What `prost` asks of a field of its kind `oneof`.

    pub(super) fn encode(&self, buf: &mut impl BufMut) {
        buf.put_slice(&self.0);
    }

    pub(super) fn encoded_len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn merge(
        _: &mut Option<Self>,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        prost::encoding::skip_field(wire_type, tag, buf, ctx)
    }
}
