//! Reads attributes, with every type and length checked, and every attribute asked for once.
//!
//! Not the reader of ONNX's own operators: what this one does not know is an error.

use std::collections::BTreeMap;

use super::Result;
use super::writer::wide_name;
use crate::proto::attribute_proto::AttributeType;
use crate::proto::tensor_proto::DataType;
use crate::proto::{AttributeProto, NodeProto, TensorProto};
use crate::tensor::Tensor;

/// Gives attributes out by name, each once.
pub(super) struct Reader<'a>(BTreeMap<&'a str, &'a AttributeProto>);

impl<'a> Reader<'a> {
    pub(super) fn new(node: &'a NodeProto) -> Result<Self> {
        let mut attributes = BTreeMap::new();
        for attribute in &node.attribute {
            let name = attribute.name();
            if attributes.insert(name, attribute).is_some() {
                return Err(format!("attribute {name:?} stands twice"));
            }
        }
        Ok(Self(attributes))
    }

    /// Refuses what nobody asked for: it would mean something that this version does not know.
    pub(super) fn finish(self) -> Result<()> {
        match self.0.keys().next() {
            Some(name) => Err(format!("attribute {name:?} is not one of version 1")),
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
