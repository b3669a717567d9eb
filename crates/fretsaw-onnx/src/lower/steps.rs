//! Preprocessing steps, and all that pipelines are made of, as operators on the whole matrix.
//!
//! The first few keep the precision of the input, as in the reference. From the first other step on
//! everything is f64, with two exceptions that ONNX Runtime forces: an ensemble of `ai.onnx.ml` 3
//! answers f32, so its f64 sums come in two parts (see `leaves`), and sums of matrix products are in
//! its own order. Both are within 1e-12 of the reference; what decides a route or a neighbour
//! (distances, norms, lookups) is in the reference's order, to the bit.

use fretsaw_model::{Float, Linear, LinearMissing, Link, Norm, Step};

use super::input::{cast, constant, within};
use super::wide::Value;
use super::{LowerOptions, body, derive, encode, kernel, link, map, neighbors, pairwise};
use crate::Error;
use crate::graph::Builder;

/// Whether any step is one of those that pipelines are made of, and not only of preprocessing.
pub(crate) fn are_composite(steps: &[Step]) -> bool {
    let plain = |step: &Step| step.keeps_precision() || *step == Step::Widen;
    !steps.iter().all(plain)
}

/// Whether any step is a tree ensemble, in branches too.
pub(crate) fn hold_ensemble(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::Ensemble(_) => true,
        Step::Branches(branches) => branches.iter().any(|b| hold_ensemble(b)),
        _ => false,
    })
}

/// Runs the steps on the matrix `x` of `width` columns, whose precision is `float`; gives the result
/// and its precision.
pub(crate) fn steps(
    b: &Builder,
    steps: &[Step],
    options: &LowerOptions,
    mut float: Float,
    mut width: usize,
    x: &str,
) -> Result<(String, Float), Error> {
    let mut x = x.to_string();
    for (i, step) in steps.iter().enumerate() {
        x = if step.keeps_precision() {
            value_by_value(b, step, float, width, &x)
        } else {
            let x = Value::new(b, cast(b, &x, float, Float::F64));
            float = Float::F64;
            wide(step, options, width, &x).map(|y| y.name().to_string())
        }
        .map_err(|e| e.at(format!("step {i}")))?;
        width = step.width(width);
    }
    Ok((x, float))
}

fn value_by_value(
    b: &Builder,
    step: &Step,
    float: Float,
    width: usize,
    x: &str,
) -> Result<String, Error> {
    Ok(match step {
        Step::MarkMissing { value } => {
            let marker = constant(b, float, &[], &[*value]);
            let nan = constant(b, float, &[], &[f64::NAN]);
            let hit = b.op("Equal", &[x, &marker], vec![]);
            b.op("Where", &[&hit, &nan, x], vec![])
        }
        Step::FlushTiny { limit } => {
            let zero = constant(b, float, &[], &[0.0]);
            let hit = within(b, float, *limit, x);
            b.op("Where", &[&hit, &zero, x], vec![])
        }
        Step::Impute { values } => {
            let fill = constant(b, float, &[1, values.len()], values);
            let hit = b.op("IsNaN", &[x], vec![]);
            b.op("Where", &[&hit, &fill, x], vec![])
        }
        Step::Scale { shift, scale } => {
            let shift = constant(b, float, &[1, shift.len()], shift);
            let scale = constant(b, float, &[1, scale.len()], scale);
            let moved = b.op("Sub", &[x, &shift], vec![]);
            b.op("Div", &[&moved, &scale], vec![])
        }
        Step::Derive(derived) => derive::derive(b, derived, float, width, x)?,
        other => return Err(unknown(other)),
    })
}

/// One of the steps that compute in f64.
fn wide<'b>(
    step: &Step,
    options: &LowerOptions,
    width: usize,
    x: &Value<'b>,
) -> Result<Value<'b>, Error> {
    let b = x.builder();
    let at = |columns: &[u32]| x.columns(columns.iter().map(|&c| i64::from(c)));
    Ok(match step {
        Step::Widen => x.clone(),
        Step::Select { columns } => at(columns),
        Step::IsMissing { columns } => at(columns).is_nan().double(),
        Step::Branches(branches) => {
            let mut parts = Vec::new();
            for (i, branch) in branches.iter().enumerate() {
                let (y, _) = steps(b, branch, options, Float::F64, width, x.name())
                    .map_err(|e| e.at(format!("branch {i}")))?;
                parts.push(Value::new(b, y));
            }
            match parts.is_empty() {
                true => x.zeros(0),
                false => Value::concat(&parts),
            }
        }
        Step::Affine { factor, offset } => x * &factor[..] + &offset[..],
        Step::Choose => {
            let n = width as i64 / 3;
            let [condition, yes, no] = [0, 1, 2].map(|i| x.columns(i * n..(i + 1) * n));
            condition.above(0.0).choose(&yes, &no)
        }
        Step::Map(function) => map::map(*function, x).ok_or_else(|| unknown(step))?,
        Step::Power { kind, lambdas } => map::power(*kind, lambdas, x),
        Step::Curves(curves) => encode::curves(curves, options, x)?,
        Step::Bins(edges) => encode::bins(edges, options, x)?,
        Step::Encode(encoders) => encode::encode(encoders, options, x)?,
        Step::Normalize(norm) => normalize(*norm, width, x),
        Step::Products(products) => product(products, width, x),
        Step::Linear(l) => linear(l, width, x),
        Step::Ensemble(e) => Value::new(b, body::nested(b, e, options, width, x.name())?),
        Step::Link(Link::ArgMax) => x.argmax(width).double(),
        Step::Link(l) => Value::new(b, link::link(b, l, options, Float::F64, width, x.name())?),
        Step::Kernel(k) => kernel::kernel(k, x)?,
        Step::Neighbors(n) => neighbors::neighbors(n, x)?,
        Step::FillFromNeighbors(fill) => neighbors::fill(fill, x),
        Step::Votes { n_classes } => pairwise::votes(*n_classes as usize, x),
        Step::Couple(c) => pairwise::couple(c, x),
        Step::WeightedMedian { weights } => pairwise::weighted_median(weights, x),
        other => return Err(unknown(other)),
    })
}

fn unknown(step: &Step) -> Error {
    let text = format!("{step:?}");
    let name = text.split([' ', '(', '{']).next().unwrap_or_default();
    Error::unsupported(format!("a step {name} of this kind"), "model")
}

fn normalize<'b>(norm: Norm, width: usize, x: &Value<'b>) -> Value<'b> {
    let size = match norm {
        Norm::L1 => x.abs().sum(),
        Norm::L2 => x.square().sum().sqrt(),
        // The reference's largest passes over NaN.
        Norm::Max => x.is_nan().choose(0.0, x.abs()).max(),
        Norm::Shares => x.sum(),
    };
    let none = match norm {
        Norm::Shares => size.equals(0.0),
        _ => size.less(Norm::LEAST),
    };
    let shares = x / none.choose(1.0, &size);
    match norm {
        Norm::Shares => none.choose(1.0 / width as f64, &shares),
        _ => shares,
    }
}

/// Factor after factor of all products at once; a column of ones stands in where one has no more.
fn product<'b>(products: &[Vec<u32>], width: usize, x: &Value<'b>) -> Value<'b> {
    let padded = Value::concat(&[x.clone(), x.zeros(1) + 1.0]);
    let factor = |at: usize| {
        let place = |p: &Vec<u32>| p.get(at).map_or(width as i64, |&c| i64::from(c));
        padded.columns(products.iter().map(place))
    };
    let longest = products.iter().map(Vec::len).max().unwrap_or(0);
    (1..longest).fold(factor(0), |product, at| product * factor(at))
}

fn linear<'b>(l: &Linear, width: usize, x: &Value<'b>) -> Value<'b> {
    let b = x.builder();
    let x = match l.missing {
        LinearMissing::Skip => x.is_nan().choose(0.0, x),
        LinearMissing::Propagate => x.clone(),
    };
    let sum = x.matmul(&Value::doubles(b, &[width, l.n_outputs], &l.weights));
    match l.intercept.iter().all(|&v| v == 0.0) {
        true => sum,
        false => sum + &l.intercept[..],
    }
}
