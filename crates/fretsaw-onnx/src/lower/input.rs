//! From a matrix to what an ensemble reads: casts, and columns prepared for its tests.

use fretsaw_model::{Float, Missing};

use super::branch::{Column, Rounding};
use super::flat::Layout;
use crate::graph::{Builder, attribute};
use crate::proto::TensorProto;
use crate::proto::tensor_proto::DataType;
use crate::tensor::{from_f32s, from_f64s, from_i64s};
use fretsaw_model::floor32;

/// ONNX's type of this precision.
pub(crate) fn dtype(float: Float) -> DataType {
    match float {
        Float::F32 => DataType::Float,
        Float::F64 => DataType::Double,
    }
}

/// A constant of this precision; f64 values are rounded to the nearest f32.
pub(crate) fn constant(b: &Builder, float: Float, dims: &[usize], values: &[f64]) -> String {
    let t: TensorProto = match float {
        Float::F32 => from_f32s("", dims, values.iter().map(|&v| v as f32)),
        Float::F64 => from_f64s("", dims, values.iter().copied()),
    };
    b.constant(t)
}

/// `x` as another precision; nothing where it already is.
pub(crate) fn cast(b: &Builder, x: &str, from: Float, to: Float) -> String {
    if from == to {
        return x.to_string();
    }
    b.op("Cast", &[x], vec![attribute("to", dtype(to) as i64)])
}

/// Where `|x| <= limit`.
pub(crate) fn within(b: &Builder, float: Float, limit: f64, x: &str) -> String {
    let limit = match float {
        Float::F32 => f64::from(floor32(limit)),
        Float::F64 => limit,
    };
    let limit = constant(b, float, &[], &[limit]);
    let size = b.op("Abs", &[x], vec![]);
    b.op("LessOrEqual", &[&size, &limit], vec![])
}

/// The matrix that the ensemble's tests look at.
pub(crate) fn columns(b: &Builder, layout: &Layout, float: Float, x: &str) -> String {
    if layout.uniform {
        return match layout.groups.keys().next() {
            Some(column) => prepare(b, *column, float, x),
            None => x.to_string(),
        };
    }
    let mut parts = Vec::new();
    for (column, features) in &layout.groups {
        if *column == Column::default() {
            // Least of all kinds, so first; and whole, so that a column is a feature.
            parts.push(x.to_string());
            continue;
        }
        let which = from_i64s(
            "",
            &[features.len()],
            features.iter().map(|&f| i64::from(f)),
        );
        let which = b.constant(which);
        let part = b.op("Gather", &[x, &which], vec![attribute("axis", 1_i64)]);
        parts.push(prepare(b, *column, float, &part));
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    b.op("Concat", &parts, vec![attribute("axis", 1_i64)])
}

fn prepare(b: &Builder, column: Column, float: Float, x: &str) -> String {
    let mut x = x.to_string();
    if column.zero_is_nan {
        let nan = constant(b, float, &[], &[f64::NAN]);
        let hit = within(b, float, Missing::ZERO, &x);
        x = b.op("Where", &[&hit, &nan, &x], vec![]);
    }
    match column.index {
        Rounding::None => x,
        Rounding::Floor => b.op("Floor", &[&x], vec![]),
        Rounding::Truncate => {
            let zero = constant(b, float, &[], &[0.0]);
            let negative = b.op("Less", &[&x, &zero], vec![]);
            let up = b.op("Ceil", &[&x], vec![]);
            let down = b.op("Floor", &[&x], vec![]);
            b.op("Where", &[&negative, &up, &down], vec![])
        }
    }
}
