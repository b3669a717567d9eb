//! What a model gives, and how it is laid out as rows x columns.
//!
//! Only shapes and types are read here: the files' names for things decide nothing.

use ::ort::value::{
    DynMapValueType, DynSequenceValueType, DynValue, Outlet, TensorElementType, Value, ValueType,
};
use fretsaw_model::Float;

use super::{failed, one_line, unsupported};
use crate::session::{Buffer, Predictions};
use crate::{Error, ErrorKind, Result};

/// What the output with the answers is made of.
#[derive(Clone, Copy)]
pub(super) enum Answers {
    Tensor(Float),
    /// `ZipMap`: a map from class to probability for every row.
    IntMaps,
    StringMaps,
}

impl Answers {
    /// The name, the make and, where declared, the columns of the output that holds the answers:
    /// the last tensor of floats, else the last `ZipMap`.
    pub(super) fn of(outputs: &[Outlet]) -> Result<(String, Self, Option<usize>)> {
        let tensor = outputs
            .iter()
            .rev()
            .find_map(|output| match output.dtype() {
                ValueType::Tensor { ty, shape, .. } => {
                    let n_columns = match shape[..] {
                        [_] => Some(1),
                        [_, n] => known(n),
                        _ => None,
                    };
                    Some((
                        output.name().to_owned(),
                        Self::Tensor(float(*ty)?),
                        n_columns,
                    ))
                }
                _ => None,
            });
        let maps = || {
            outputs.iter().rev().find_map(|output| {
                let ValueType::Sequence(of) = output.dtype() else {
                    return None;
                };
                let make = match **of {
                    ValueType::Map {
                        key: TensorElementType::Int64,
                        value: TensorElementType::Float32,
                    } => Self::IntMaps,
                    ValueType::Map {
                        key: TensorElementType::String,
                        value: TensorElementType::Float32,
                    } => Self::StringMaps,
                    _ => return None,
                };
                Some((output.name().to_owned(), make, None))
            })
        };
        tensor.or_else(maps).ok_or_else(|| {
            let outputs: Vec<String> = outputs
                .iter()
                .map(|o| format!("`{}` ({})", o.name(), o.dtype()))
                .collect();
            unsupported(format!(
                "no output is a tensor of float or double: {}",
                one_line(&outputs.join(", "))
            ))
        })
    }

    /// Replaces what `out` held by no rows.
    pub(super) fn clear(self, out: &mut Predictions) {
        match self {
            Self::Tensor(Float::F64) => fill_f64(out, &[]),
            _ => fill_f32(out, &[]),
        }
    }

    /// Replaces what `out` held by the answers in `value`, and gives their columns.
    pub(super) fn read(
        self,
        value: &DynValue,
        n_rows: usize,
        out: &mut Predictions,
    ) -> Result<usize> {
        let n_columns = match self {
            Self::Tensor(Float::F32) => {
                let (shape, values) = value.try_extract_tensor::<f32>().map_err(failed)?;
                let n_columns = columns_of(shape, n_rows)?;
                fill_f32(out, values);
                n_columns
            }
            Self::Tensor(Float::F64) => {
                let (shape, values) = value.try_extract_tensor::<f64>().map_err(failed)?;
                let n_columns = columns_of(shape, n_rows)?;
                fill_f64(out, values);
                n_columns
            }
            Self::IntMaps => read_maps(value, n_rows, out, |map| {
                map.try_extract_key_values::<i64, f32>()
            })?,
            Self::StringMaps => read_maps(value, n_rows, out, |map| {
                map.try_extract_key_values::<String, f32>()
            })?,
        };
        out.n_columns = n_columns;
        Ok(n_columns)
    }
}

/// Lays out a sequence of maps as rows x classes, the classes in ascending order.
fn read_maps<K: Ord>(
    value: &DynValue,
    n_rows: usize,
    out: &mut Predictions,
    pairs: impl Fn(&Value<DynMapValueType>) -> ::ort::Result<Vec<(K, f32)>>,
) -> Result<usize> {
    let sequence = value
        .view()
        .downcast::<DynSequenceValueType>()
        .map_err(failed)?;
    let maps = sequence
        .try_extract_sequence::<DynMapValueType>()
        .map_err(failed)?;
    let mut values = Vec::new();
    let mut n_columns = None;
    for map in &maps {
        let mut row = pairs(map).map_err(failed)?;
        row.sort_by(|a, b| a.0.cmp(&b.0));
        if *n_columns.get_or_insert(row.len()) != row.len() {
            return Err(Error::new(
                ErrorKind::Model,
                "the model's maps differ in their classes from row to row",
            ));
        }
        values.extend(row.iter().map(|&(_, probability)| probability));
    }
    if maps.len() != n_rows {
        return Err(Error::new(
            ErrorKind::Model,
            format!("the model gave {} answers for {n_rows} rows", maps.len()),
        ));
    }
    fill_f32(out, &values);
    Ok(n_columns.unwrap_or(0))
}

/// The columns of an output of `n_rows` rows.
fn columns_of(shape: &[i64], n_rows: usize) -> Result<usize> {
    let columns = match *shape {
        [n] => known(n).filter(|&n| n == n_rows).map(|_| 1),
        [n, columns] => known(n).filter(|&n| n == n_rows).and(known(columns)),
        _ => None,
    };
    columns.ok_or_else(|| {
        let what = format!(
            "the model's answers have the shape {shape:?} for {n_rows} rows, not rows x columns"
        );
        Error::new(ErrorKind::Model, what)
    })
}

pub(super) fn known(dimension: i64) -> Option<usize> {
    usize::try_from(dimension).ok()
}

pub(super) fn float(element: TensorElementType) -> Option<Float> {
    match element {
        TensorElementType::Float32 => Some(Float::F32),
        TensorElementType::Float64 => Some(Float::F64),
        _ => None,
    }
}

fn fill_f32(out: &mut Predictions, values: &[f32]) {
    match &mut out.values {
        Buffer::F32(v) => {
            v.clear();
            v.extend_from_slice(values);
        }
        Buffer::F64(_) => out.values = Buffer::F32(values.to_vec()),
    }
}

fn fill_f64(out: &mut Predictions, values: &[f64]) {
    match &mut out.values {
        Buffer::F64(v) => {
            v.clear();
            v.extend_from_slice(values);
        }
        Buffer::F32(_) => out.values = Buffer::F64(values.to_vec()),
    }
}
