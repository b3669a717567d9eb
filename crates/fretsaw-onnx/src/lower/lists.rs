//! The long lists of an ensemble's attributes while they grow: as numbers and texts, or in the form
//! that a file has them in.

use crate::graph::Attr;
use crate::proto::attribute_proto::AttributeType;
use crate::proto::wire::Wire;

/// Whole numbers.
pub(super) enum Ints {
    Plain(Vec<i64>),
    Packed(Wire),
}

impl Ints {
    pub(super) fn new(packed: bool) -> Self {
        if packed {
            Self::Packed(Wire::default())
        } else {
            Self::Plain(Vec::new())
        }
    }

    pub(super) fn push(&mut self, value: i64) {
        match self {
            Self::Plain(list) => list.push(value),
            Self::Packed(wire) => wire.int(value),
        }
    }
}

impl From<Ints> for Attr {
    fn from(list: Ints) -> Self {
        match list {
            Ints::Plain(list) => Self::Ints(list),
            Ints::Packed(wire) => Self::Wire(AttributeType::Ints, wire),
        }
    }
}

/// Texts.
pub(super) enum Texts {
    Plain(Vec<String>),
    Packed(Wire),
}

impl Texts {
    pub(super) fn new(packed: bool) -> Self {
        if packed {
            Self::Packed(Wire::default())
        } else {
            Self::Plain(Vec::new())
        }
    }

    pub(super) fn push(&mut self, text: &str) {
        match self {
            Self::Plain(list) => list.push(text.to_owned()),
            Self::Packed(wire) => wire.text(text),
        }
    }
}

impl From<Texts> for Attr {
    fn from(list: Texts) -> Self {
        match list {
            Texts::Plain(list) => Self::Texts(list),
            Texts::Packed(wire) => Self::Wire(AttributeType::Strings, wire),
        }
    }
}
