//! What a model takes, and how rows of numbers become that: one matrix, or an input a feature.
//!
//! An input of text takes the texts that the codes in the rows stand for, by the list of the model's
//! features that the file carries. Only shapes and types decide, but for that list; networks with
//! inputs of other ranks are refused by name.

use ::ort::session::SessionInputValue;
use ::ort::value::{Outlet, Tensor, TensorElementType, TensorRef, ValueType};
use fretsaw_model::{Categories, Feature, FeatureKind, Float, Rows, Values};

use super::signature::{float, known};
use super::{failed, unsupported};
use crate::{Error, Result};

/// What the model takes.
pub(super) enum Input {
    /// Rows x features.
    Matrix {
        float: Float,
        /// Rows a call, where the file fixes them.
        n_rows: Option<usize>,
        n_features: Option<usize>,
    },
    /// Rows x 1 for every feature.
    Columns(Vec<Column>),
}

pub(super) struct Column {
    n_rows: Option<usize>,
    kind: Kind,
}

enum Kind {
    Number(Float),
    Text(Texts),
}

/// The texts that codes stand for.
struct Texts {
    /// In the order of the codes.
    known: Vec<String>,
    /// A text that is none of them.
    other: String,
    /// Whether an empty text is one of them, and so none is missing.
    has_empty: bool,
}

/// Rows in the model's precision, where the caller's differ.
#[derive(Default)]
pub(super) struct Scratch {
    f32s: Vec<f32>,
    f64s: Vec<f64>,
}

impl Input {
    /// What the inputs take; `features` are those that the file lists.
    pub(super) fn of(inputs: &[Outlet], features: Option<Vec<Feature>>) -> Result<Self> {
        let [input] = inputs else {
            return Self::columns(inputs, features);
        };
        let (ty, shape) = tensor(input)?;
        if ty == TensorElementType::String {
            return Self::columns(inputs, features);
        }
        let float = float(ty).ok_or_else(|| other_type(input, ty))?;
        let (n_rows, n_features) = match shape {
            // A file need not declare a shape.
            [] => (None, None),
            [n_rows, n_features] => (known(*n_rows), known(*n_features)),
            _ => {
                let name = input.name();
                let what =
                    format!("input `{name}` has the shape {shape:?}; rows x features is run");
                return Err(unsupported(what));
            }
        };
        Ok(Self::Matrix {
            float,
            n_rows,
            n_features,
        })
    }

    fn columns(inputs: &[Outlet], features: Option<Vec<Feature>>) -> Result<Self> {
        let features = features.filter(|f| f.len() == inputs.len());
        let column = |(i, input): (usize, &Outlet)| {
            let name = input.name();
            let (ty, shape) = tensor(input)?;
            let [n_rows, 1] = *shape else {
                let what = format!(
                    "input `{name}` of {} has the shape {shape:?}; of several inputs, rows x 1 are run",
                    inputs.len()
                );
                return Err(unsupported(what));
            };
            let kind = if ty == TensorElementType::String {
                let texts = features.as_ref().and_then(|f| Texts::of(&f[i].kind));
                Kind::Text(texts.ok_or_else(|| {
                    unsupported(format!(
                        "input `{name}` is text, and the file does not list which there are"
                    ))
                })?)
            } else {
                Kind::Number(float(ty).ok_or_else(|| other_type(input, ty))?)
            };
            Ok(Column {
                n_rows: known(n_rows),
                kind,
            })
        };
        let columns = inputs.iter().enumerate().map(column);
        Ok(Self::Columns(columns.collect::<Result<_>>()?))
    }

    /// The features of a row, where the file tells.
    pub(super) fn n_features(&self) -> Option<usize> {
        match self {
            Self::Matrix { n_features, .. } => *n_features,
            Self::Columns(columns) => Some(columns.len()),
        }
    }

    pub(super) fn check(&self, rows: &Rows<'_>) -> Result<()> {
        let (n_rows, n_features) = (rows.n_rows(), rows.n_features());
        let fixed = match self {
            Self::Matrix { n_rows, .. } => *n_rows,
            Self::Columns(columns) => columns.iter().find_map(|c| c.n_rows),
        };
        match (self.n_features(), fixed) {
            (Some(n), _) if n != n_features => Err(Error::data(format!(
                "the model takes {n} features a row, the data have {n_features}"
            ))),
            (_, Some(n)) if n != n_rows && n_rows > 0 => Err(Error::data(format!(
                "the model takes {n} rows a call and no other number, not {n_rows}"
            ))),
            _ => Ok(()),
        }
    }

    /// The values of the inputs, in their order.
    pub(super) fn values<'a>(
        &self,
        rows: &Rows<'a>,
        scratch: &'a mut Scratch,
    ) -> Result<Vec<SessionInputValue<'a>>> {
        match self {
            Self::Matrix { float, .. } => Ok(vec![matrix(*float, rows, scratch)?]),
            Self::Columns(columns) => {
                let value = |(i, column): (usize, &Column)| column.value(rows, i);
                columns.iter().enumerate().map(value).collect()
            }
        }
    }
}

fn matrix<'a>(
    float: Float,
    rows: &Rows<'a>,
    scratch: &'a mut Scratch,
) -> Result<SessionInputValue<'a>> {
    let shape = [rows.n_rows(), rows.n_features()];
    let f32s = |v: &'a [f32]| TensorRef::from_array_view((shape, v)).map_err(failed);
    let f64s = |v: &'a [f64]| TensorRef::from_array_view((shape, v)).map_err(failed);
    Ok(match (float, rows.values()) {
        (Float::F32, Values::F32(v)) => f32s(v)?.into(),
        (Float::F64, Values::F64(v)) => f64s(v)?.into(),
        (Float::F32, Values::F64(v)) => {
            scratch.f32s.clear();
            scratch.f32s.extend(v.iter().map(|&x| x as f32));
            f32s(&scratch.f32s)?.into()
        }
        (Float::F64, Values::F32(v)) => {
            scratch.f64s.clear();
            scratch.f64s.extend(v.iter().map(|&x| f64::from(x)));
            f64s(&scratch.f64s)?.into()
        }
        (Float::F32, Values::Columns(_)) => {
            scratch.f32s.clear();
            scratch.f32s.extend(rows.row_major().map(|x| x as f32));
            f32s(&scratch.f32s)?.into()
        }
        (Float::F64, Values::Columns(_)) => {
            scratch.f64s.clear();
            scratch.f64s.extend(rows.row_major());
            f64s(&scratch.f64s)?.into()
        }
    })
}

impl Column {
    fn value(&self, rows: &Rows<'_>, feature: usize) -> Result<SessionInputValue<'static>> {
        let n_rows = rows.n_rows();
        let shape = [n_rows, 1];
        let values = (0..n_rows).map(|row| rows.get(row, feature));
        Ok(match &self.kind {
            Kind::Number(Float::F32) => {
                let values: Vec<f32> = values.map(|x| x as f32).collect();
                Tensor::from_array((shape, values)).map_err(failed)?.into()
            }
            Kind::Number(Float::F64) => {
                let values: Vec<f64> = values.collect();
                Tensor::from_array((shape, values)).map_err(failed)?.into()
            }
            Kind::Text(texts) => {
                let texts: Vec<String> = values
                    .map(|code| texts.text(code, feature).map(str::to_owned))
                    .collect::<Result<_>>()?;
                Tensor::from_string_array((shape, &texts[..]))
                    .map_err(failed)?
                    .into()
            }
        })
    }
}

impl Texts {
    fn of(kind: &FeatureKind) -> Option<Self> {
        let known = match kind {
            FeatureKind::Text { known }
            | FeatureKind::Categorical {
                categories: Some(Categories::Strings(known)),
            } => known.clone(),
            _ => return None,
        };
        let mut other = "?".to_owned();
        while known.contains(&other) {
            other.push('?');
        }
        Some(Self {
            has_empty: known.iter().any(String::is_empty),
            known,
            other,
        })
    }

    /// The text of a code; what is no code has a text that is not known.
    fn text(&self, code: f64, feature: usize) -> Result<&str> {
        if code.is_nan() {
            return match self.has_empty {
                false => Ok(""),
                true => Err(Error::data(format!(
                    "a missing value of feature {feature}, of which an empty text is a category: the \
                     file cannot be given one"
                ))),
            };
        }
        let known = (code >= 0.0 && code.trunc() == code)
            .then(|| self.known.get(code as usize))
            .flatten();
        Ok(known.unwrap_or(&self.other))
    }
}

/// The type and shape of an input.
fn tensor(input: &Outlet) -> Result<(TensorElementType, &[i64])> {
    match input.dtype() {
        ValueType::Tensor { ty, shape, .. } => Ok((*ty, &shape[..])),
        other => Err(unsupported(format!(
            "input `{}` is a {other}, not a tensor",
            input.name()
        ))),
    }
}

fn other_type(input: &Outlet, ty: TensorElementType) -> Error {
    unsupported(format!(
        "input `{}` is of type {ty}; float and double are run",
        input.name()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_texts() {
        let texts = |known: &[&str]| {
            let known = known.iter().map(|s| s.to_string()).collect();
            Texts::of(&FeatureKind::Text { known }).unwrap()
        };
        let some = texts(&["a", "?", "b"]);
        for (code, want) in [
            (0.0, "a"),
            (2.0, "b"),
            (3.0, "??"),
            (-1.0, "??"),
            (0.5, "??"),
            (f64::NAN, ""),
        ] {
            assert_eq!(some.text(code, 0).unwrap(), want, "{code}");
        }
        let message = texts(&[""]).text(f64::NAN, 4).unwrap_err().to_string();
        assert!(message.contains("feature 4"), "{message}");
        assert!(Texts::of(&FeatureKind::Numeric).is_none());
    }
}
