//! Writes attributes, each in the smallest type that holds its values.
//!
//! Numbers are stored in the smallest of i8, u8, i16, f16, f32 and f64. Where a few of them do not
//! fit f16 or f32 they are *mixed*: a NaN stands in their place, and a second tensor, named with
//! `_wide` behind, holds them in order. No position is stored, so none can lie.

use super::bits::BitWriter;
use crate::proto::attribute_proto::AttributeType;
use crate::proto::tensor_proto::DataType;
use crate::proto::{AttributeProto, TensorProto};

/// Collects attributes.
#[derive(Default)]
pub(super) struct Writer(Vec<AttributeProto>);

impl Writer {
    pub(super) fn finish(self) -> Vec<AttributeProto> {
        self.0
    }

    pub(super) fn int(&mut self, name: &str, value: i64) {
        self.push(AttributeProto {
            i: Some(value),
            ..attribute(name, AttributeType::Int)
        });
    }

    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.push(AttributeProto {
            s: Some(value.into()),
            ..attribute(name, AttributeType::String)
        });
    }

    /// Bytes, or the bits in them.
    pub(super) fn bytes(&mut self, name: &str, bytes: Vec<u8>) {
        self.tensor(name, DataType::Uint8, bytes.len(), bytes);
    }

    pub(super) fn bits(&mut self, name: &str, bits: BitWriter) {
        self.bytes(name, bits.finish());
    }

    /// Whole numbers, in the smallest unsigned type that holds the largest.
    pub(super) fn uints(&mut self, name: &str, values: &[u32]) {
        let largest = values.iter().copied().max().unwrap_or(0);
        let (dtype, size) = match largest {
            0..=0xff => (DataType::Uint8, 1),
            0x100..=0xffff => (DataType::Uint16, 2),
            _ => (DataType::Uint32, 4),
        };
        let bytes = values
            .iter()
            .flat_map(|v| v.to_le_bytes().into_iter().take(size));
        self.tensor(name, dtype, values.len(), bytes.collect());
    }

    /// Numbers, to the bit.
    pub(super) fn numbers(&mut self, name: &str, values: &[f64]) {
        let dtype = smallest(values);
        let mut bytes = Vec::new();
        let mut wide = Vec::new();
        for &v in values {
            match dtype {
                DataType::Int8 => bytes.push(v as i8 as u8),
                DataType::Uint8 => bytes.push(v as u8),
                DataType::Int16 => bytes.extend((v as i16).to_le_bytes()),
                DataType::Float16 => {
                    let narrow = to_f16(v).unwrap_or_else(|| {
                        wide.push(v);
                        F16_NAN
                    });
                    bytes.extend(narrow.to_le_bytes());
                }
                DataType::Float if fits_f32(v) => bytes.extend((v as f32).to_le_bytes()),
                DataType::Float => {
                    bytes.extend(f32::NAN.to_le_bytes());
                    wide.push(v);
                }
                _ => bytes.extend(v.to_le_bytes()),
            }
        }
        self.tensor(name, dtype, values.len(), bytes);
        if wide.is_empty() {
            return;
        }
        let name = wide_name(name);
        if wide.iter().all(|&v| fits_f32(v)) {
            let bytes = wide.iter().flat_map(|&v| (v as f32).to_le_bytes());
            self.tensor(&name, DataType::Float, wide.len(), bytes.collect());
        } else {
            let bytes = wide.iter().flat_map(|v| v.to_le_bytes());
            self.tensor(&name, DataType::Double, wide.len(), bytes.collect());
        }
    }

    /// One code for all where they are alike, else one each.
    pub(super) fn codes(&mut self, name: &str, mut codes: Vec<u8>) {
        if codes.windows(2).all(|w| w[0] == w[1]) {
            codes.truncate(1);
        }
        self.bytes(name, codes);
    }

    pub(super) fn tensor(&mut self, name: &str, dtype: DataType, len: usize, bytes: Vec<u8>) {
        self.push(AttributeProto {
            t: Some(TensorProto {
                dims: vec![len as i64],
                data_type: Some(dtype.into()),
                raw_data: Some(bytes.into()),
                ..TensorProto::default()
            }),
            ..attribute(name, AttributeType::Tensor)
        });
    }

    fn push(&mut self, attribute: AttributeProto) {
        self.0.push(attribute);
    }
}

fn attribute(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto {
        name: Some(name.into()),
        r#type: Some(kind.into()),
        ..AttributeProto::default()
    }
}

/// The name of the tensor that holds what `name` has no room for.
pub(super) fn wide_name(name: &str) -> String {
    format!("{name}_wide")
}

const F16_NAN: u16 = 0x7e00;

/// The bits of the f16 that is `v`, if there is one; none for NaN, which is taken.
pub(super) fn to_f16(v: f64) -> Option<u16> {
    let sign = if v.is_sign_negative() { 0x8000 } else { 0 };
    let magnitude = v.abs();
    if magnitude == 0.0 {
        return Some(sign);
    }
    if magnitude == f64::INFINITY {
        return Some(sign | 0x7c00);
    }
    // Below 2^-14 the last place no longer gets smaller.
    let exponent = ((magnitude.to_bits() >> 52) as i32 - 1023).max(-14);
    if exponent > 15 {
        return None;
    }
    let last_places = magnitude * 2_f64.powi(10 - exponent);
    if last_places.trunc() != last_places {
        return None;
    }
    Some(sign + (((exponent + 14) as u16) << 10) + last_places as u16)
}

fn fits_f32(v: f64) -> bool {
    !v.is_nan() && f64::from(v as f32).to_bits() == v.to_bits()
}

/// The type that takes the fewest bytes, with what goes to the wide tensor.
fn smallest(values: &[f64]) -> DataType {
    // By bits, so that -0 is no whole number.
    let i8s = |v: &f64| f64::from(*v as i8).to_bits() == v.to_bits();
    let u8s = |v: &f64| f64::from(*v as u8).to_bits() == v.to_bits();
    let i16s = |v: &f64| f64::from(*v as i16).to_bits() == v.to_bits();
    if values.iter().all(i8s) {
        return DataType::Int8;
    }
    if values.iter().all(u8s) {
        return DataType::Uint8;
    }
    if values.iter().all(i16s) {
        return DataType::Int16;
    }
    let not_f16 = values.iter().filter(|&&v| to_f16(v).is_none()).count();
    let not_f32 = values.iter().filter(|&&v| !fits_f32(v)).count();
    let n = values.len();
    let wide = if not_f32 == 0 { 4 } else { 8 };
    [
        (2 * n + wide * not_f16, DataType::Float16),
        (4 * n + 8 * not_f32, DataType::Float),
        (8 * n, DataType::Double),
    ]
    .into_iter()
    .min_by_key(|(size, _)| *size)
    .map_or(DataType::Double, |(_, dtype)| dtype)
}
