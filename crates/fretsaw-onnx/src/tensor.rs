//! Reading and making tensors: the two dozen ways a [`TensorProto`] can hold its elements, behind
//! one checked view. A view of a tensor whose bytes do not match its shape cannot be made.
//!
//! Not an array library: elements come out in row-major order, and that is all.

use prost::bytes::Bytes;

use crate::Error;
use crate::proto::TensorProto;
use crate::proto::tensor_proto::{DataLocation, DataType};

/// A tensor whose payload has been checked against its type and shape.
#[derive(Clone, Debug)]
pub struct Tensor<'a> {
    dtype: DataType,
    shape: Vec<usize>,
    len: usize,
    payload: Payload<'a>,
}

#[derive(Clone, Debug)]
enum Payload<'a> {
    /// Little-endian, as ONNX has it on every machine.
    Raw(&'a [u8]),
    Floats(&'a [f32]),
    Doubles(&'a [f64]),
    /// All small types, each in the low bits.
    Int32s(&'a [i32]),
    Int64s(&'a [i64]),
    Uint64s(&'a [u64]),
    Strings(&'a [Vec<u8>]),
}

impl Payload<'_> {
    fn len(&self, width: usize) -> Option<usize> {
        Some(match self {
            Self::Raw(v) if v.len().is_multiple_of(width) => v.len() / width,
            Self::Raw(_) => return None,
            Self::Floats(v) => v.len(),
            Self::Doubles(v) => v.len(),
            Self::Int32s(v) => v.len(),
            Self::Int64s(v) => v.len(),
            Self::Uint64s(v) => v.len(),
            Self::Strings(v) => v.len(),
        })
    }
}

/// Bytes of one element in `raw_data`; `None` for types without raw form here (text, 4-bit types).
pub(crate) fn width(dtype: DataType) -> Option<usize> {
    use DataType as D;
    Some(match dtype {
        D::Bool | D::Uint8 | D::Int8 => 1,
        D::Float8e4m3fn | D::Float8e4m3fnuz | D::Float8e5m2 | D::Float8e5m2fnuz => 1,
        D::Float16 | D::Bfloat16 | D::Uint16 | D::Int16 => 2,
        D::Float | D::Int32 | D::Uint32 => 4,
        D::Double | D::Int64 | D::Uint64 | D::Complex64 => 8,
        D::Complex128 => 16,
        _ => return None,
    })
}

/// The dimensions, each checked not to be negative, and their product.
pub(crate) fn shape_of(t: &TensorProto) -> Result<(Vec<usize>, usize), Error> {
    let mut shape = Vec::new();
    let mut len = 1_usize;
    for &d in &t.dims {
        let d = usize::try_from(d)
            .map_err(|_| Error::invalid(format!("dimension {d} is negative or too large")))?;
        len = len
            .checked_mul(d)
            .ok_or_else(|| Error::invalid(format!("the shape {:?} is too large", t.dims)))?;
        shape.push(d);
    }
    Ok((shape, len))
}

impl<'a> Tensor<'a> {
    /// Views a tensor whose data is in the message itself.
    ///
    /// # Errors
    /// When the type is unknown here, the payload does not match type and shape, or the data is
    /// external (resolve it first: [`load_external`](crate::load_external)).
    pub fn new(t: &'a TensorProto) -> Result<Self, Error> {
        let name = t.name.as_deref().unwrap_or("");
        Self::view(t).map_err(|e| e.at(format!("tensor {name:?}")))
    }

    fn view(t: &'a TensorProto) -> Result<Self, Error> {
        use DataType as D;
        if t.data_location == Some(DataLocation::External as i32) {
            return Err(Error::external(
                "its data is in another file; load external data first",
            ));
        }
        if t.segment.is_some() {
            return Err(Error::unsupported("a tensor in segments", "tensor"));
        }
        let dtype = D::try_from(t.data_type.unwrap_or(0))
            .ok()
            .filter(|&d| d != D::Undefined)
            .ok_or_else(|| Error::invalid(format!("data type {:?} is none", t.data_type)))?;
        let (shape, len) = shape_of(t)?;
        let payload = match (&t.raw_data, dtype) {
            (Some(_), D::String) => {
                return Err(Error::invalid("text cannot be in raw_data"));
            }
            (Some(raw), _) => Payload::Raw(raw),
            (None, D::Float | D::Complex64) => Payload::Floats(&t.float_data),
            (None, D::Double | D::Complex128) => Payload::Doubles(&t.double_data),
            (None, D::Int64) => Payload::Int64s(&t.int64_data),
            (None, D::Uint32 | D::Uint64) => Payload::Uint64s(&t.uint64_data),
            (None, D::String) => Payload::Strings(&t.string_data),
            (None, _) => Payload::Int32s(&t.int32_data),
        };
        let width = match (dtype, &payload) {
            (D::String, _) => 1,
            (D::Complex64 | D::Complex128, _) => {
                return Err(Error::unsupported("a complex tensor", "tensor"));
            }
            _ => {
                width(dtype).ok_or_else(|| Error::unsupported(dtype.as_str_name(), "data type"))?
            }
        };
        match payload.len(width) {
            Some(n) if n == len => Ok(Self {
                dtype,
                shape,
                len,
                payload,
            }),
            Some(n) => Err(Error::invalid(format!(
                "it holds {n} elements, its shape {shape:?} needs {len}"
            ))),
            None => Err(Error::invalid(format!(
                "its raw data is no whole number of {width}-byte elements"
            ))),
        }
    }

    /// The element type.
    pub fn dtype(&self) -> DataType {
        self.dtype
    }

    /// The dimensions.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All elements as f64; exact for all types but 64-bit integers. `None` for text and
    /// 8-bit floats.
    pub fn f64s(&self) -> Option<impl ExactSizeIterator<Item = f64> + '_> {
        self.f64_at(0)?;
        Some((0..self.len).map(|i| self.f64_at(i).flatten().unwrap_or(f64::NAN)))
    }

    /// All elements of a f32 (or f16, bf16) tensor.
    pub fn f32s(&self) -> Option<impl ExactSizeIterator<Item = f32> + '_> {
        use DataType as D;
        matches!(self.dtype, D::Float | D::Float16 | D::Bfloat16)
            .then(|| (0..self.len).map(|i| self.f64_at(i).flatten().unwrap_or(f64::NAN) as f32))
    }

    /// All elements of an integer or bool tensor; `None` for other types and for u64 values beyond
    /// i64.
    pub fn i64s(&self) -> Option<Vec<i64>> {
        (0..self.len).map(|i| self.i64_at(i)).collect::<Option<_>>()
    }

    /// All elements of a text tensor; `None` for other types and for bytes that are not UTF-8.
    pub fn strings(&self) -> Option<Vec<String>> {
        match &self.payload {
            Payload::Strings(v) => v
                .iter()
                .map(|s| String::from_utf8(s.clone()).ok())
                .collect(),
            _ => None,
        }
    }

    /// `None`: not a number type. `Some(None)`: out of range.
    fn f64_at(&self, i: usize) -> Option<Option<f64>> {
        use DataType as D;
        let value = match (self.dtype, &self.payload) {
            (D::Float, Payload::Raw(v)) => chunk(v, i).map(|b| f64::from(f32::from_le_bytes(b))),
            (D::Float, Payload::Floats(v)) => v.get(i).map(|&x| f64::from(x)),
            (D::Double, Payload::Raw(v)) => chunk(v, i).map(f64::from_le_bytes),
            (D::Double, Payload::Doubles(v)) => v.get(i).copied(),
            (D::Float16, _) => self.bits16(i).map(|b| f64::from(f16_to_f32(b))),
            (D::Bfloat16, _) => self
                .bits16(i)
                .map(|b| f64::from(f32::from_bits(u32::from(b) << 16))),
            (
                D::String | D::Float8e4m3fn | D::Float8e4m3fnuz | D::Float8e5m2 | D::Float8e5m2fnuz,
                _,
            ) => return None,
            _ => self.i64_at(i).map(|x| x as f64),
        };
        Some(value)
    }

    fn bits16(&self, i: usize) -> Option<u16> {
        match &self.payload {
            Payload::Raw(v) => chunk(v, i).map(u16::from_le_bytes),
            Payload::Int32s(v) => v.get(i).map(|&x| x as u16),
            _ => None,
        }
    }

    fn i64_at(&self, i: usize) -> Option<i64> {
        use DataType as D;
        match (&self.payload, self.dtype) {
            (Payload::Raw(v), D::Bool) => v.get(i).map(|&b| i64::from(b != 0)),
            (Payload::Raw(v), D::Uint8) => v.get(i).map(|&b| i64::from(b)),
            (Payload::Raw(v), D::Int8) => v.get(i).map(|&b| i64::from(b as i8)),
            (Payload::Raw(v), D::Uint16) => chunk(v, i).map(|b| i64::from(u16::from_le_bytes(b))),
            (Payload::Raw(v), D::Int16) => chunk(v, i).map(|b| i64::from(i16::from_le_bytes(b))),
            (Payload::Raw(v), D::Uint32) => chunk(v, i).map(|b| i64::from(u32::from_le_bytes(b))),
            (Payload::Raw(v), D::Int32) => chunk(v, i).map(|b| i64::from(i32::from_le_bytes(b))),
            (Payload::Raw(v), D::Int64) => chunk(v, i).map(i64::from_le_bytes),
            (Payload::Raw(v), D::Uint64) => {
                chunk(v, i).and_then(|b| i64::try_from(u64::from_le_bytes(b)).ok())
            }
            (Payload::Int32s(v), D::Bool) => v.get(i).map(|&x| i64::from(x != 0)),
            (Payload::Int32s(v), D::Uint8 | D::Int8 | D::Uint16 | D::Int16 | D::Int32) => {
                v.get(i).map(|&x| i64::from(x))
            }
            (Payload::Int64s(v), _) => v.get(i).copied(),
            (Payload::Uint64s(v), _) => v.get(i).and_then(|&x| i64::try_from(x).ok()),
            _ => None,
        }
    }
}

fn chunk<const N: usize>(bytes: &[u8], i: usize) -> Option<[u8; N]> {
    let at = i.checked_mul(N)?;
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// IEEE 754 binary16 widened; exact.
fn f16_to_f32(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (bits >> 10 & 0x1f, bits & 0x3ff);
    let magnitude = match (exponent, fraction) {
        (0, f) => f32::from(f) * 2_f32.powi(-24),
        (31, 0) => f32::INFINITY,
        (31, _) => f32::NAN,
        (e, f) => f32::from(0x400 | f) * 2_f32.powi(i32::from(e) - 25),
    };
    sign * magnitude
}

fn tensor(name: &str, dims: &[usize], dtype: DataType) -> TensorProto {
    TensorProto {
        name: Some(name.to_string()),
        dims: dims.iter().map(|&d| d as i64).collect(),
        data_type: Some(dtype as i32),
        ..TensorProto::default()
    }
}

fn raw<const N: usize>(elements: impl Iterator<Item = [u8; N]>) -> Option<Bytes> {
    Some(elements.flatten().collect::<Vec<u8>>().into())
}

/// A f32 tensor. `values` fill `dims` in row-major order.
pub fn from_f32s(name: &str, dims: &[usize], values: impl IntoIterator<Item = f32>) -> TensorProto {
    TensorProto {
        raw_data: raw(values.into_iter().map(f32::to_le_bytes)),
        ..tensor(name, dims, DataType::Float)
    }
}

/// A f64 tensor. `values` fill `dims` in row-major order.
pub fn from_f64s(name: &str, dims: &[usize], values: impl IntoIterator<Item = f64>) -> TensorProto {
    TensorProto {
        raw_data: raw(values.into_iter().map(f64::to_le_bytes)),
        ..tensor(name, dims, DataType::Double)
    }
}

/// An i64 tensor. `values` fill `dims` in row-major order.
pub fn from_i64s(name: &str, dims: &[usize], values: impl IntoIterator<Item = i64>) -> TensorProto {
    TensorProto {
        raw_data: raw(values.into_iter().map(i64::to_le_bytes)),
        ..tensor(name, dims, DataType::Int64)
    }
}

/// A u8 tensor. `values` fill `dims` in row-major order.
pub fn from_u8s(name: &str, dims: &[usize], values: Vec<u8>) -> TensorProto {
    TensorProto {
        raw_data: Some(values.into()),
        ..tensor(name, dims, DataType::Uint8)
    }
}

/// A tensor of truth values. `values` fill `dims` in row-major order.
pub fn from_bools(name: &str, dims: &[usize], values: &[bool]) -> TensorProto {
    let bytes: Vec<u8> = values.iter().map(|&v| u8::from(v)).collect();
    TensorProto {
        raw_data: Some(bytes.into()),
        ..tensor(name, dims, DataType::Bool)
    }
}

/// A text tensor. `values` fill `dims` in row-major order.
pub fn from_strings<'a>(
    name: &str,
    dims: &[usize],
    values: impl IntoIterator<Item = &'a str>,
) -> TensorProto {
    TensorProto {
        string_data: values.into_iter().map(|s| s.as_bytes().to_vec()).collect(),
        ..tensor(name, dims, DataType::String)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision() {
        for (bits, want) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 2_f32.powi(-24)),
            (0x7c00, f32::INFINITY),
            (0x3555, 0.333_251_95),
        ] {
            assert_eq!(f16_to_f32(bits), want, "{bits:#x}");
        }
        assert!(f16_to_f32(0x7e00).is_nan());
    }

    #[test]
    fn typed_and_raw_payloads_read_alike() {
        let mut t = tensor("t", &[2], DataType::Int8);
        t.int32_data = vec![-3, 5];
        assert_eq!(Tensor::new(&t).unwrap().i64s(), Some(vec![-3, 5]));
        t.int32_data.clear();
        t.raw_data = Some(vec![0xfd, 5].into());
        assert_eq!(Tensor::new(&t).unwrap().i64s(), Some(vec![-3, 5]));
        t.data_type = Some(DataType::Uint8 as i32);
        assert_eq!(Tensor::new(&t).unwrap().i64s(), Some(vec![0xfd, 5]));

        let mut t = tensor("t", &[1, 2], DataType::Bfloat16);
        t.int32_data = vec![0x3f80, 0xc000];
        let view = Tensor::new(&t).unwrap();
        assert_eq!(view.f64s().unwrap().collect::<Vec<_>>(), [1.0, -2.0]);
        assert_eq!(view.i64s(), None);

        let t = from_f64s("t", &[2], [0.1, f64::INFINITY]);
        let view = Tensor::new(&t).unwrap();
        assert_eq!(
            view.f64s().unwrap().collect::<Vec<_>>(),
            [0.1, f64::INFINITY]
        );
        assert!(view.f32s().is_none(), "narrowing is the caller's to do");

        let t = from_strings("t", &[2], ["a", "é"]);
        assert_eq!(
            Tensor::new(&t).unwrap().strings(),
            Some(vec!["a".to_string(), "é".to_string()])
        );
    }

    #[test]
    fn payloads_that_do_not_match_are_refused() {
        let good = from_f32s("w", &[2, 2], [1.0; 4]);
        type Break = fn(&mut TensorProto);
        let cases: [(Break, &str); 6] = [
            (|t| t.dims = vec![5], "needs 5"),
            (|t| t.dims = vec![-1], "negative"),
            (|t| t.dims = vec![1 << 40, 1 << 40], "too large"),
            (|t| t.raw_data = Some(vec![0; 15].into()), "whole number"),
            (|t| t.data_type = None, "data type None"),
            (
                |t| t.data_location = Some(DataLocation::External as i32),
                "load external data first",
            ),
        ];
        for (change, want) in cases {
            let mut t = good.clone();
            change(&mut t);
            let got = Tensor::new(&t).unwrap_err().to_string();
            assert!(got.contains(want) && got.contains("\"w\""), "{got}");
        }
    }
}
