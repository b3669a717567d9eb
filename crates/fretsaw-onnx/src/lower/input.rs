//! From the input tensor to what the body reads: preprocessing steps, casts, prepared columns.

use fretsaw_model::{Float, Missing, Step};

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
pub(crate) fn constant(b: &mut Builder, float: Float, dims: &[usize], values: &[f64]) -> String {
    let t: TensorProto = match float {
        Float::F32 => from_f32s("", dims, values.iter().map(|&v| v as f32)),
        Float::F64 => from_f64s("", dims, values.iter().copied()),
    };
    b.constant(t)
}

/// `x` as another precision; nothing where it already is.
pub(crate) fn cast(b: &mut Builder, x: &str, from: Float, to: Float) -> String {
    if from == to {
        return x.to_string();
    }
    b.op("Cast", &[x], vec![attribute("to", dtype(to) as i64)])
}

/// Runs the steps on the whole matrix `x`, whose precision is `float`; gives the result and its
/// precision.
pub(crate) fn steps(
    b: &mut Builder,
    steps: &[Step],
    mut float: Float,
    x: &str,
) -> Option<(String, Float)> {
    let mut x = x.to_string();
    for step in steps {
        x = match step {
            Step::Widen => {
                let wide = cast(b, &x, float, Float::F64);
                float = Float::F64;
                wide
            }
            Step::MarkMissing { value } => {
                let marker = constant(b, float, &[], &[*value]);
                let nan = constant(b, float, &[], &[f64::NAN]);
                let hit = b.op("Equal", &[&x, &marker], vec![]);
                b.op("Where", &[&hit, &nan, &x], vec![])
            }
            Step::FlushTiny { limit } => {
                let zero = constant(b, float, &[], &[0.0]);
                let hit = within(b, float, *limit, &x);
                b.op("Where", &[&hit, &zero, &x], vec![])
            }
            Step::Impute { values } => {
                let fill = constant(b, float, &[1, values.len()], values);
                let hit = b.op("IsNaN", &[&x], vec![]);
                b.op("Where", &[&hit, &fill, &x], vec![])
            }
            Step::Scale { shift, scale } => {
                let shift = constant(b, float, &[1, shift.len()], shift);
                let scale = constant(b, float, &[1, scale.len()], scale);
                let moved = b.op("Sub", &[&x, &shift], vec![]);
                b.op("Div", &[&moved, &scale], vec![])
            }
            _ => return None,
        };
    }
    Some((x, float))
}

/// Where `|x| <= limit`.
fn within(b: &mut Builder, float: Float, limit: f64, x: &str) -> String {
    let limit = match float {
        Float::F32 => f64::from(floor32(limit)),
        Float::F64 => limit,
    };
    let limit = constant(b, float, &[], &[limit]);
    let size = b.op("Abs", &[x], vec![]);
    b.op("LessOrEqual", &[&size, &limit], vec![])
}

/// The matrix that the ensemble's tests look at.
pub(crate) fn columns(b: &mut Builder, layout: &Layout, float: Float, x: &str) -> String {
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

fn prepare(b: &mut Builder, column: Column, float: Float, x: &str) -> String {
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
