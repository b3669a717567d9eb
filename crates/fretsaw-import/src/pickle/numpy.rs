//! NumPy's element types and scalars in a pickle, and how joblib lays arrays out in its stream; the
//! arrays themselves are in [`array`](super::array).

use std::borrow::Cow;

use fretsaw_model::Labels;

use super::{Global, Id, Object, Pickle, Value};
use crate::Error;
use crate::error::shown;

/// The elements of a one-dimensional array.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Elements {
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    Strings(Vec<String>),
}

impl Elements {
    /// The numbers, as f64; `None` of text, and of whole numbers that f64 cannot hold.
    pub(crate) fn floats(self) -> Option<Vec<f64>> {
        match self {
            Self::Floats(v) => Some(v),
            Self::Ints(v) => v
                .into_iter()
                .map(|i| (i.unsigned_abs() <= 1 << 53).then_some(i as f64))
                .collect(),
            Self::Strings(_) => None,
        }
    }

    /// The whole numbers.
    pub(crate) fn ints(self) -> Option<Vec<i64>> {
        match self {
            Self::Ints(v) => Some(v),
            Self::Floats(_) | Self::Strings(_) => None,
        }
    }

    /// As names of classes.
    pub(crate) fn into_labels(self) -> Labels {
        match self {
            Self::Ints(v) => Labels::Ints(v),
            Self::Strings(v) => Labels::Strings(v),
            // Classes given as floats are whole numbers, but for oddities, which keep their look.
            Self::Floats(v) if v.iter().all(|x| x.trunc() == *x && x.abs() < 1e15) => {
                Labels::Ints(v.into_iter().map(|x| x as i64).collect())
            }
            Self::Floats(v) => Labels::Strings(v.iter().map(f64::to_string).collect()),
        }
    }
}

/// What an element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dtype {
    pub(super) kind: u8,
    /// Bytes an element.
    pub(super) size: usize,
    pub(super) big_endian: bool,
}

/// Where joblib puts an array's elements.
pub(super) struct JoblibLayout {
    /// How many bytes they are; `None` where they are a pickle of objects.
    pub(super) n_bytes: Option<usize>,
    /// Whether a count of padding bytes, and those, come first.
    pub(super) aligned: bool,
}

pub(super) fn joblib_layout(values: &[Value<'_>], wrapper: Id) -> Result<JoblibLayout, Error> {
    let fault = || Error::invalid("an array of joblib without shape or dtype");
    let Value::Object(object) = &values[wrapper.0] else {
        return Err(fault());
    };
    let state = object.state.ok_or_else(fault)?;
    let Value::Dict(items) = &values[state.0] else {
        return Err(fault());
    };
    let item = |name: &str| {
        items
            .iter()
            .find(|(key, _)| matches!(&values[key.0], Value::Str(s) if s == name))
            .map(|&(_, value)| value)
    };
    let dtype = item("dtype")
        .and_then(|id| dtype(values, id))
        .ok_or_else(fault)?;
    let aligned =
        item("numpy_array_alignment_bytes").is_some_and(|id| !matches!(values[id.0], Value::None));
    if dtype.kind == b'O' {
        return Ok(JoblibLayout {
            n_bytes: None,
            aligned: false,
        });
    }
    let n = item("shape")
        .and_then(|id| n_elements(values, id))
        .and_then(|n| n.checked_mul(dtype.size))
        .ok_or_else(fault)?;
    Ok(JoblibLayout {
        n_bytes: Some(n),
        aligned,
    })
}

pub(super) fn n_elements(values: &[Value<'_>], shape: Id) -> Option<usize> {
    let count = |id: &Id| match values[id.0] {
        Value::Int(n) => usize::try_from(n).ok(),
        _ => None,
    };
    match &values[shape.0] {
        Value::Tuple(dims) => dims
            .iter()
            .try_fold(1_usize, |n, dim| n.checked_mul(count(dim)?)),
        Value::Int(_) => count(&shape),
        _ => None,
    }
}

/// `numpy.dtype('f8', ...)`, whose byte order is in its state.
pub(super) fn dtype(values: &[Value<'_>], id: Id) -> Option<Dtype> {
    let Value::Object(object) = &values[id.0] else {
        return None;
    };
    if !object.callee.is("numpy", "dtype") {
        return None;
    }
    let Value::Str(code) = &values[object.args.first()?.0] else {
        return None;
    };
    let big_endian = match object.state.map(|s| &values[s.0]) {
        Some(Value::Tuple(state)) => {
            matches!(state.get(1).map(|s| &values[s.0]), Some(Value::Str(s)) if s == ">")
        }
        _ => false,
    };
    let dtype = Dtype::from_code(code)?;
    Some(Dtype {
        big_endian: big_endian || dtype.big_endian,
        ..dtype
    })
}

impl Dtype {
    /// From a code such as `<f8`.
    pub(super) fn from_code(code: &str) -> Option<Self> {
        let big_endian = code.starts_with('>');
        let code = code.trim_start_matches(['<', '>', '|', '=']);
        let kind = *code.as_bytes().first()?;
        let size: usize = code.get(1..)?.parse().ok()?;
        // Text is counted in characters of four bytes.
        let size = if kind == b'U' {
            size.checked_mul(4)?
        } else {
            size
        };
        Some(Self {
            kind,
            size,
            big_endian,
        })
    }

    fn elements(self, bytes: &[u8]) -> Option<Elements> {
        if self.size == 0 || !bytes.len().is_multiple_of(self.size) {
            return None;
        }
        self.elements_of(bytes.chunks_exact(self.size))
    }

    /// Every chunk is one element.
    pub(super) fn elements_of<'b>(
        self,
        chunks: impl Iterator<Item = &'b [u8]>,
    ) -> Option<Elements> {
        let size = self.size;
        // At most eight bytes, least significant first.
        let wide = |chunk: &[u8]| {
            let mut wide = [0; 8];
            wide[..size].copy_from_slice(chunk);
            if self.big_endian {
                wide[..size].reverse();
            }
            u64::from_le_bytes(wide)
        };
        Some(match (self.kind, size) {
            (b'i', 1 | 2 | 4 | 8) => {
                let unused = 64 - 8 * size as u32;
                Elements::Ints(
                    chunks
                        .map(|c| (wide(c) << unused) as i64 >> unused)
                        .collect(),
                )
            }
            (b'u' | b'b', 1 | 2 | 4 | 8) => Elements::Ints(
                chunks
                    .map(|c| i64::try_from(wide(c)).ok())
                    .collect::<Option<_>>()?,
            ),
            (b'f', 4) => Elements::Floats(
                chunks
                    .map(|c| f64::from(f32::from_bits(wide(c) as u32)))
                    .collect(),
            ),
            (b'f', 8) => Elements::Floats(chunks.map(|c| f64::from_bits(wide(c))).collect()),
            (b'U', _) => Elements::Strings(
                chunks
                    .map(|text| {
                        let (characters, _) = text.as_chunks::<4>();
                        let text: Option<String> = characters
                            .iter()
                            .map(|&c| {
                                char::from_u32(if self.big_endian {
                                    u32::from_be_bytes(c)
                                } else {
                                    u32::from_le_bytes(c)
                                })
                            })
                            .collect();
                        text.map(|t| t.trim_end_matches('\0').to_owned())
                    })
                    .collect::<Option<_>>()?,
            ),
            _ => return None,
        })
    }
}

impl<'a> Pickle<'a> {
    /// The elements of an array in C order, or of a list, of numbers or text.
    pub(crate) fn elements(&self, id: Id) -> Option<Elements> {
        match self.get(id) {
            Value::List(items) => self.plain(items),
            Value::Tuple(items) => self.plain(items),
            _ => match self.objects(id) {
                Some(items) => self.plain(&items),
                None => self.array(id)?.elements(),
            },
        }
    }

    fn plain(&self, items: &[Id]) -> Option<Elements> {
        self.spend(size_of::<f64>().checked_mul(items.len())?)?;
        let values = || items.iter().map(|&id| self.get(id));
        let strings = values().map(|v| match v {
            Value::Str(s) => {
                self.spend(s.len())?;
                Some(s.clone().into_owned())
            }
            _ => None,
        });
        if let Some(strings) = strings.collect() {
            return Some(Elements::Strings(strings));
        }
        let ints = values().map(|v| match v {
            Value::Int(i) => Some(*i),
            Value::Bool(b) => Some(i64::from(*b)),
            _ => None,
        });
        if let Some(ints) = ints.collect() {
            return Some(Elements::Ints(ints));
        }
        // Numbers of several kinds, such as NumPy's scalars and NaN among whole numbers.
        let floats = items.iter().map(|&id| self.number(id).ok());
        floats.collect::<Option<_>>().map(Elements::Floats)
    }

    /// The name of a function, also where it is one of NumPy's as its versions below 1.20 have it.
    pub(crate) fn function(&self, id: Id) -> Option<Global<'a>> {
        match self.get(id) {
            Value::Global(global) => Some(global.clone()),
            Value::Object(o) if o.callee.is("numpy.core", "_ufunc_reconstruct") => {
                let [module, name] = o.args[..] else {
                    return None;
                };
                match (self.get(module), self.get(name)) {
                    (Value::Str(module), Value::Str(name)) => Some(Global {
                        module: module.clone(),
                        name: name.clone(),
                    }),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Puts texts in the place of NumPy's scalars of text, which are texts to Python too.
    pub(super) fn unwrap_texts(&mut self) {
        for i in 0..self.values.len() {
            let Value::Object(object) = &self.values[i] else {
                continue;
            };
            if let Some(Elements::Strings(mut texts)) = self.scalar(object)
                && let [text] = &mut texts[..]
            {
                self.values[i] = Value::Str(Cow::Owned(std::mem::take(text)));
            }
        }
    }

    /// The one element of a NumPy scalar.
    fn scalar(&self, object: &Object<'a>) -> Option<Elements> {
        if object.callee.name != "scalar" {
            return None;
        }
        let [dtype_id, content] = object.args[..] else {
            return None;
        };
        let content = self.bytes(content)?;
        self.spend(content.len())?;
        dtype(&self.values, dtype_id)?.elements(&content)
    }

    /// A number: Python's own, or a NumPy scalar.
    pub(crate) fn number(&self, id: Id) -> Result<f64, Error> {
        let scalar = |object: &Object<'a>| one(self.scalar(object)?);
        let one_element = |id| one(self.array(id)?.elements()?);
        match self.get(id) {
            Value::Int(i) => Some(*i as f64),
            Value::Float(x) => Some(*x),
            Value::Object(object) => scalar(object).or_else(|| one_element(id)),
            Value::Npy(_) => one_element(id),
            _ => None,
        }
        .ok_or_else(|| Error::invalid(format!("{} where a number should be", self.describe(id))))
    }

    /// What a value is, for a message.
    pub(crate) fn describe(&self, id: Id) -> Cow<'static, str> {
        let name = |global: &Global<'_>| Cow::Owned(format!("`{}`", global.shown()));
        match self.get(id) {
            Value::None => "None".into(),
            Value::Bool(_) => "a bool".into(),
            Value::Int(_) | Value::BigInt => "an int".into(),
            Value::Float(_) => "a float".into(),
            Value::Str(s) => format!("the text `{}`", shown(s)).into(),
            Value::Bytes(_) => "bytes".into(),
            Value::List(_) => "a list".into(),
            Value::Tuple(_) => "a tuple".into(),
            Value::Set(_) => "a set".into(),
            Value::Npy(_) => "an array".into(),
            Value::Dict(_) => "a dict".into(),
            Value::Global(global) => name(global),
            Value::Object(object) => name(&object.callee),
        }
    }
}

/// The number, if there is just one.
fn one(elements: Elements) -> Option<f64> {
    match elements {
        Elements::Ints(v) if v.len() == 1 => Some(v[0] as f64),
        Elements::Floats(v) if v.len() == 1 => Some(v[0]),
        _ => None,
    }
}
