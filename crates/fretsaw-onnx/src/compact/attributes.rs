//! The operator's attributes: written in the smallest type that holds their values, and read back
//! with every type and length checked. Not the readers of ONNX's own operators: this one takes only
//! what it would itself write.
//!
//! Numbers are stored in the first type of i8, u8, i16, f16, f32 and f64 that is smallest. Where a few of
//! them do not fit f16 or f32 they are *mixed*: a NaN stands in their place, and a second tensor,
//! named with `_wide` behind, holds them in order. No position is stored, so none can lie.

use std::collections::BTreeMap;

use super::{Result, bits::BitWriter};
use crate::proto::{
    AttributeProto, NodeProto, TensorProto, attribute_proto::AttributeType, tensor_proto::DataType,
};
use crate::tensor::Tensor;

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

const F16_NAN: u16 = 0x7e00;

/// The bits of the f16 that is `v`, if there is one; none for NaN, which is taken.
fn to_f16(v: f64) -> Option<u16> {
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

    /// A list's message, and the checked view of it.
    fn list(&mut self, name: &str) -> Result<Option<(&'a TensorProto, Tensor<'a>)>> {
        let Some(attribute) = self.take(name, AttributeType::Tensor)? else {
            return Ok(None);
        };
        let tensor = attribute
            .t
            .as_ref()
            .ok_or_else(|| format!("attribute `{name}` holds no tensor"))?;
        let view = Tensor::new(tensor).map_err(|e| format!("attribute `{name}`: {e}"))?;
        if view.shape().len() != 1 {
            return Err(format!(
                "attribute `{name}` has shape {:?}, not one dimension",
                view.shape()
            ));
        }
        Ok(Some((tensor, view)))
    }

    /// Bytes, or the bits in them.
    pub(super) fn bytes(&mut self, name: &str) -> Result<Option<&'a [u8]>> {
        match self.list(name)? {
            Some((tensor, view)) if view.dtype() == DataType::Uint8 => match &tensor.raw_data {
                Some(bytes) => Ok(Some(bytes)),
                None => Err(format!("attribute `{name}` has no raw data")),
            },
            Some((_, view)) => Err(wrong_type(name, view.dtype())),
            None => Ok(None),
        }
    }

    /// Whole numbers.
    pub(super) fn uints(&mut self, name: &str) -> Result<Option<Vec<u32>>> {
        let Some((_, view)) = self.list(name)? else {
            return Ok(None);
        };
        match (view.dtype(), view.f64s()) {
            (DataType::Uint8 | DataType::Uint16 | DataType::Uint32, Some(values)) => {
                Ok(Some(values.map(|v| v as u32).collect()))
            }
            (dtype, _) => Err(wrong_type(name, dtype)),
        }
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
        use DataType as D;
        let floats = |name: &str, view: Tensor<'_>, allowed: &[D]| match view.f64s() {
            Some(values) if allowed.contains(&view.dtype()) => Ok(values.collect::<Vec<f64>>()),
            _ => Err(wrong_type(name, view.dtype())),
        };
        let wide_name = wide_name(name);
        let wide = match self.list(&wide_name)? {
            Some((_, view)) => floats(&wide_name, view, &[D::Float, D::Double])?,
            None => Vec::new(),
        };
        let Some((_, view)) = self.list(name)? else {
            return if wide.is_empty() {
                Ok(None)
            } else {
                required(name, None)
            };
        };
        let dtype = view.dtype();
        let mut values = floats(
            name,
            view,
            &[D::Int8, D::Uint8, D::Int16, D::Float16, D::Float, D::Double],
        )?;
        let mut rest = wide.iter().copied();
        // In f64 a NaN is one, whatever it is doing there: nothing is wider.
        if dtype != D::Double {
            for v in values.iter_mut().filter(|v| v.is_nan()) {
                *v = rest.next().ok_or_else(|| {
                    format!("attribute `{name}` refers to more numbers than `{wide_name}` holds")
                })?;
            }
        }
        match rest.len() {
            0 => Ok(Some(values)),
            n => Err(format!(
                "attribute `{wide_name}` holds {n} numbers that `{name}` does not refer to"
            )),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn node(writer: Writer) -> NodeProto {
        NodeProto {
            attribute: writer.finish(),
            ..NodeProto::default()
        }
    }

    #[test]
    fn every_f16_and_none_of_its_neighbours() {
        for bits in 0..=u16::MAX {
            let mut writer = Writer::default();
            writer.tensor("x", DataType::Float16, 1, bits.to_le_bytes().to_vec());
            let node = node(writer);
            let tensor = node.attribute[0].t.as_ref().unwrap();
            let value = Tensor::new(tensor).unwrap().f64s().unwrap().next().unwrap();
            let infinite = value.is_infinite();
            assert_eq!(to_f16(value), (!value.is_nan()).then_some(bits), "{value}");
            for beside in [value.next_up(), value.next_down(), value * (1.0 + 1e-7)] {
                assert!(
                    infinite || value == 0.0 || to_f16(beside).is_none(),
                    "{beside}"
                );
            }
        }
        for v in [
            65504.5,
            65520.0,
            65536.0,
            1e300,
            2_f64.powi(-25),
            f64::MIN_POSITIVE,
            5e-324,
        ] {
            assert_eq!(to_f16(v), None, "{v}");
        }
    }

    #[test]
    fn numbers_take_the_smallest_type_and_come_back() {
        use DataType as D;
        let third = f64::from(1.0_f32 / 3.0);
        let mostly_f16 = |odd: f64| [vec![0.5; 9], vec![odd]].concat();
        let cases: [(Vec<f64>, D, Option<D>); 15] = [
            (vec![], D::Int8, None),
            (vec![1.0, -128.0, 127.0], D::Int8, None),
            (vec![1.0, 128.0, 255.0], D::Uint8, None),
            (vec![-1.0, 128.0], D::Int16, None),
            (vec![-32768.0, 32767.0], D::Int16, None),
            (vec![32768.0], D::Float16, None),
            (vec![0.0, -0.0], D::Float16, None),
            (
                vec![0.5, f64::INFINITY, f64::NEG_INFINITY],
                D::Float16,
                None,
            ),
            (vec![third], D::Float, None),
            (mostly_f16(third), D::Float16, Some(D::Float)),
            (mostly_f16(0.1), D::Float16, Some(D::Double)),
            (mostly_f16(f64::NAN), D::Float16, Some(D::Double)),
            (
                [vec![third; 9], vec![0.1]].concat(),
                D::Float,
                Some(D::Double),
            ),
            (vec![0.1, 0.2], D::Double, None),
            (vec![f64::NAN], D::Double, None),
        ];
        for (values, dtype, wide) in cases {
            let mut writer = Writer::default();
            writer.numbers("x", &values);
            let node = node(writer);
            let types: Vec<_> = node
                .attribute
                .iter()
                .map(|a| a.t.as_ref().unwrap().data_type())
                .collect();
            assert_eq!(types[0], dtype as i32, "{values:?}");
            assert_eq!(types.get(1).copied(), wide.map(|d| d as i32), "{values:?}");
            let mut reader = Reader::new(&node).unwrap();
            let back = reader.numbers("x").unwrap().unwrap();
            reader.finish().unwrap();
            let bits = |v: &[f64]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&back), bits(&values), "{values:?}");
        }
    }

    #[test]
    fn whole_numbers_take_the_smallest_type_and_come_back() {
        for (values, size) in [
            (vec![0, 255], 2),
            (vec![256], 2),
            (vec![1, 65535], 4),
            (vec![0, u32::MAX], 8),
        ] {
            let mut writer = Writer::default();
            writer.uints("x", &values);
            let node = node(writer);
            let raw = node.attribute[0].t.as_ref().unwrap().raw_data().len();
            assert_eq!(raw, size);
            let mut reader = Reader::new(&node).unwrap();
            assert_eq!(reader.uints_for("x", values.len()).unwrap(), values);
        }
    }
}
