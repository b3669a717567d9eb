//! The operator's attributes: written in the smallest type that holds their values, and read back
//! with every type and length checked. Not the readers of ONNX's own operators: this one takes only
//! what it would itself write.
//!
//! Numbers are stored in the first type of i8, i16, f16, f32 and f64 that is smallest. Where a few of
//! them do not fit f16 or f32 they are *mixed*: a NaN stands in their place, and a second tensor,
//! named with `_wide` behind, holds them in order. No position is stored, so none can lie.

use std::collections::BTreeMap;

use half::f16;

use super::{Result, bits::BitWriter};
use crate::proto::{
    AttributeProto, NodeProto, TensorProto, attribute_proto::AttributeType, tensor_proto::DataType,
};

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
                DataType::Int16 => bytes.extend((v as i16).to_le_bytes()),
                DataType::Float16 if fits_f16(v) => bytes.extend(f16::from_f64(v).to_le_bytes()),
                DataType::Float16 => {
                    bytes.extend(f16::NAN.to_le_bytes());
                    wide.push(v);
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

    fn tensor(&mut self, name: &str, dtype: DataType, len: usize, bytes: Vec<u8>) {
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

fn wide_name(name: &str) -> String {
    format!("{name}_wide")
}

/// Whether `v`, which is no NaN (that one is taken), is an f16 to the bit.
fn fits_f16(v: f64) -> bool {
    !v.is_nan() && f16::from_f64(v).to_f64().to_bits() == v.to_bits()
}

fn fits_f32(v: f64) -> bool {
    !v.is_nan() && f64::from(v as f32).to_bits() == v.to_bits()
}

/// The type that takes the fewest bytes, with what goes to the wide tensor.
fn smallest(values: &[f64]) -> DataType {
    // By bits, so that -0 is no whole number.
    let i8s = |v: &f64| f64::from(*v as i8).to_bits() == v.to_bits();
    let i16s = |v: &f64| f64::from(*v as i16).to_bits() == v.to_bits();
    if values.iter().all(i8s) {
        return DataType::Int8;
    }
    if values.iter().all(i16s) {
        return DataType::Int16;
    }
    let not_f16 = values.iter().filter(|&&v| !fits_f16(v)).count();
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

/// Gives attributes out by name, each once.
pub(super) struct Reader<'a>(BTreeMap<&'a str, &'a AttributeProto>);

impl<'a> Reader<'a> {
    pub(super) fn new(node: &'a NodeProto) -> Result<Self> {
        let mut attributes = BTreeMap::new();
        for attribute in &node.attribute {
            let name = attribute.name();
            if attributes.insert(name, attribute).is_some() {
                return Err(format!("attribute `{name}` stands twice"));
            }
        }
        Ok(Self(attributes))
    }

    /// Refuses what nobody asked for: it would mean something that this version does not know.
    pub(super) fn finish(self) -> Result<()> {
        match self.0.keys().next() {
            Some(name) => Err(format!("attribute `{name}` is not one of version 1")),
            None => Ok(()),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn take(&mut self, name: &str, kind: AttributeType) -> Result<Option<&'a AttributeProto>> {
        match self.0.remove(name) {
            Some(a) if a.r#type() == kind => Ok(Some(a)),
            Some(a) => Err(format!(
                "attribute `{name}` is of type {}, not {}",
                a.r#type().as_str_name(),
                kind.as_str_name()
            )),
            None => Ok(None),
        }
    }

    pub(super) fn int(&mut self, name: &str) -> Result<Option<i64>> {
        Ok(self.take(name, AttributeType::Int)?.map(|a| a.i()))
    }

    /// One of the words that `meanings` lists.
    pub(super) fn word<T: Copy>(&mut self, name: &str, meanings: &[(&str, T)]) -> Result<T> {
        let attribute = required(name, self.take(name, AttributeType::String)?)?;
        let word = String::from_utf8_lossy(attribute.s());
        match meanings.iter().find(|(w, _)| *w == word) {
            Some((_, meaning)) => Ok(*meaning),
            None => Err(format!(
                "attribute `{name}` is {word:?}, not one of {}",
                meanings
                    .iter()
                    .map(|(w, _)| *w)
                    .collect::<Vec<_>>()
                    .join(", ")
            )),
        }
    }

    /// A tensor's type and bytes: as many as its one dimension asks for.
    fn tensor(&mut self, name: &str) -> Result<Option<(DataType, &'a [u8])>> {
        let Some(attribute) = self.take(name, AttributeType::Tensor)? else {
            return Ok(None);
        };
        let tensor = attribute
            .t
            .as_ref()
            .ok_or_else(|| format!("attribute `{name}` holds no tensor"))?;
        let dtype = tensor.data_type();
        let size = match dtype {
            DataType::Uint8 | DataType::Int8 => 1,
            DataType::Uint16 | DataType::Int16 | DataType::Float16 => 2,
            DataType::Uint32 | DataType::Float => 4,
            DataType::Double => 8,
            other => {
                return Err(format!(
                    "attribute `{name}` is a tensor of {}, which version 1 does not have",
                    other.as_str_name()
                ));
            }
        };
        let bytes = tensor
            .raw_data
            .as_ref()
            .ok_or_else(|| format!("attribute `{name}` has no raw data"))?;
        let declared = match tensor.dims[..] {
            [n] => usize::try_from(n).ok().and_then(|n| n.checked_mul(size)),
            _ => None,
        };
        if declared != Some(bytes.len()) {
            return Err(format!(
                "attribute `{name}` holds {} bytes for {} of shape {:?}",
                bytes.len(),
                dtype.as_str_name(),
                tensor.dims
            ));
        }
        Ok(Some((dtype, bytes)))
    }

    /// Bytes, or the bits in them.
    pub(super) fn bytes(&mut self, name: &str) -> Result<Option<&'a [u8]>> {
        match self.tensor(name)? {
            Some((DataType::Uint8, bytes)) => Ok(Some(bytes)),
            Some((dtype, _)) => Err(wrong_type(name, dtype)),
            None => Ok(None),
        }
    }

    /// Whole numbers.
    pub(super) fn uints(&mut self, name: &str) -> Result<Option<Vec<u32>>> {
        let Some((dtype, bytes)) = self.tensor(name)? else {
            return Ok(None);
        };
        Ok(Some(match dtype {
            DataType::Uint8 => bytes.iter().map(|&b| b.into()).collect(),
            DataType::Uint16 => each(bytes, |b| u16::from_le_bytes(b).into()),
            DataType::Uint32 => each(bytes, u32::from_le_bytes),
            _ => return Err(wrong_type(name, dtype)),
        }))
    }

    /// Whole numbers that must be there, `n` of them.
    pub(super) fn uints_for(&mut self, name: &str, n: usize) -> Result<Vec<u32>> {
        counted(name, n, required(name, self.uints(name)?)?)
    }

    /// Codes of `n` things: one for all, or one each. Where there is nothing they may be left out.
    pub(super) fn codes(&mut self, name: &'static str, n: usize) -> Result<Codes<'a>> {
        let codes = match self.bytes(name)? {
            Some(codes) => codes,
            None if n == 0 => &[],
            None => return required(name, None),
        };
        if codes.len() != 1 && codes.len() != n {
            return Err(format!(
                "attribute `{name}` has {} codes for {n}",
                codes.len()
            ));
        }
        Ok(Codes { name, codes })
    }

    /// Numbers, mixed or not.
    pub(super) fn numbers(&mut self, name: &str) -> Result<Option<Vec<f64>>> {
        let wide = wide_name(name);
        let Some((dtype, bytes)) = self.tensor(name)? else {
            return Ok(None);
        };
        let mut values = match dtype {
            DataType::Int8 => bytes.iter().map(|&b| f64::from(b as i8)).collect(),
            DataType::Int16 => each(bytes, |b| i16::from_le_bytes(b).into()),
            _ => floats(name, dtype, bytes)?,
        };
        // An f64 NaN stands for itself, so only narrower types have something wide.
        let Some((wide_dtype, bytes)) = self.tensor(&wide)? else {
            return if dtype != DataType::Double && values.iter().any(|v| v.is_nan()) {
                Err(format!(
                    "attribute `{wide}` is missing, though `{name}` refers to it"
                ))
            } else {
                Ok(Some(values))
            };
        };
        let mut rest = floats(&wide, wide_dtype, bytes)?.into_iter();
        if dtype != DataType::Double {
            for v in values.iter_mut().filter(|v| v.is_nan()) {
                *v = rest.next().ok_or_else(|| {
                    format!("attribute `{wide}` holds fewer numbers than `{name}` refers to")
                })?;
            }
        }
        if rest.next().is_some() {
            return Err(format!(
                "attribute `{wide}` holds more numbers than `{name}` refers to"
            ));
        }
        Ok(Some(values))
    }
}

/// Codes: one for all, or one each.
pub(super) struct Codes<'a> {
    name: &'static str,
    codes: &'a [u8],
}

impl Codes<'_> {
    /// What code `i` means.
    pub(super) fn meaning<T: Copy>(&self, i: usize, meanings: &[T]) -> Result<T> {
        let code = *match self.codes {
            [one] => one,
            each => &each[i],
        };
        meanings
            .get(usize::from(code))
            .copied()
            .ok_or_else(|| format!("attribute `{}`: there is no code {code}", self.name))
    }
}

fn floats(name: &str, dtype: DataType, bytes: &[u8]) -> Result<Vec<f64>> {
    Ok(match dtype {
        DataType::Float16 => each(bytes, |b| f16::from_le_bytes(b).to_f64()),
        DataType::Float => each(bytes, |b| f32::from_le_bytes(b).into()),
        DataType::Double => each(bytes, f64::from_le_bytes),
        _ => return Err(wrong_type(name, dtype)),
    })
}

/// Reads items of `N` bytes; the length was checked to be a multiple of it.
fn each<const N: usize, T>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|&chunk| read(chunk))
        .collect()
}

fn wrong_type(name: &str, dtype: DataType) -> String {
    format!("attribute `{name}` is a tensor of {}", dtype.as_str_name())
}

/// What must be there.
pub(super) fn required<T>(name: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| format!("attribute `{name}` is missing"))
}

/// What must be `n` long.
pub(super) fn counted<T>(name: &str, n: usize, values: Vec<T>) -> Result<Vec<T>> {
    if values.len() == n {
        Ok(values)
    } else {
        Err(format!(
            "attribute `{name}` has {} values where there must be {n}",
            values.len()
        ))
    }
}
