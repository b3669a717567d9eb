//! One step of those that are no plan of their own: on a row, or on a whole block in place.
//!
//! What is done here is done without allocating. What is left to `fretsaw_model::apply` costs more
//! than the vector that it gives.

use fretsaw_model::{Error, Function, NeighborTargets, Step, apply};

/// Whether rows keep their length, so that [`change`] can run it.
pub(super) fn is_in_place(step: &Step) -> bool {
    matches!(
        step,
        Step::MarkMissing { .. }
            | Step::FlushTiny { .. }
            | Step::Impute { .. }
            | Step::Scale { .. }
            | Step::Affine { .. }
            | Step::Map(_)
            | Step::Power { .. }
            | Step::Curves(_)
            | Step::Bins(_)
            | Step::Normalize(_)
    )
}

/// Runs the step on rows of `width` values, 1 or more, in place.
pub(super) fn change(step: &Step, x: &mut [f64], width: usize) {
    let rows = x.chunks_exact_mut(width);
    match step {
        Step::MarkMissing { value } => each(x, |v| if v == *value { f64::NAN } else { v }),
        Step::FlushTiny { limit } => each(x, |v| if v.abs() <= *limit { 0.0 } else { v }),
        Step::Impute { values } => rows.for_each(|row| {
            for (v, value) in row.iter_mut().zip(values) {
                *v = if v.is_nan() { *value } else { *v };
            }
        }),
        Step::Scale { shift, scale } => rows.for_each(|row| {
            for ((v, shift), scale) in row.iter_mut().zip(shift).zip(scale) {
                *v = (*v - shift) / scale;
            }
        }),
        Step::Affine { factor, offset } => rows.for_each(|row| {
            for ((v, factor), offset) in row.iter_mut().zip(factor).zip(offset) {
                *v = *v * factor + offset;
            }
        }),
        // Each with a loop of its own, which the compiler makes a vector loop.
        Step::Map(Function::Relu) => each(x, |v| Function::Relu.of(v)),
        Step::Map(Function::Square) => each(x, |v| Function::Square.of(v)),
        Step::Map(function) => each(x, |v| function.of(v)),
        Step::Power { kind, lambdas } => rows.for_each(|row| {
            for (v, lambda) in row.iter_mut().zip(lambdas) {
                *v = kind.of(*v, *lambda);
            }
        }),
        Step::Curves(curves) => rows.for_each(|row| {
            for (v, curve) in row.iter_mut().zip(curves) {
                *v = curve.of(*v);
            }
        }),
        Step::Bins(edges) => rows.for_each(|row| {
            for (v, edges) in row.iter_mut().zip(edges) {
                *v = edges.partition_point(|e| *e <= *v) as f64;
            }
        }),
        Step::Normalize(norm) => rows.for_each(|row| norm.divide(row)),
        _ => unreachable!("`is_in_place` names those above"),
    }
}

fn each(x: &mut [f64], f: impl Fn(f64) -> f64) {
    x.iter_mut().for_each(|v| *v = f(*v));
}

/// Appends what the step makes of the row `x`.
///
/// # Errors
/// When the row has a category that an encoder refuses.
pub(super) fn append(step: &Step, x: &[f64], out: &mut Vec<f64>) -> Result<(), Error> {
    match step {
        Step::Derive(derived) => {
            let first = out.len();
            out.extend_from_slice(x);
            for d in derived {
                let values = d.values_of(&out[first..]);
                out.extend_from_slice(values);
            }
        }
        Step::Select { columns } => out.extend(columns.iter().map(|&c| x[c as usize])),
        Step::IsMissing { columns } => {
            let is = |&c: &u32| f64::from(u8::from(x[c as usize].is_nan()));
            out.extend(columns.iter().map(is));
        }
        Step::Encode(encoders) => {
            for encoder in encoders {
                encoder.apply(x, out)?;
            }
        }
        Step::Choose => {
            let (condition, rest) = x.split_at(x.len() / 3);
            let (yes, no) = rest.split_at(condition.len());
            let choices = condition.iter().zip(yes.iter().zip(no));
            out.extend(choices.map(|(&c, (&yes, &no))| if c > 0.0 { yes } else { no }));
        }
        Step::Products(products) => out.extend(products.iter().map(|p| {
            let values = p.iter().map(|&c| x[c as usize]);
            values.reduce(|a, b| a * b).unwrap_or(1.0)
        })),
        Step::Link(link) => {
            let first = out.len();
            out.resize(first + link.n_answers(x.len()), 0.0);
            link.apply_f64(x, &mut out[first..]);
        }
        Step::Kernel(kernel) => {
            let vectors = kernel.vectors.chunks_exact(kernel.n_features);
            out.extend(vectors.map(|v| kernel.function.of(x, v)));
        }
        Step::FillFromNeighbors(_) if !x.iter().any(|v| v.is_nan()) => out.extend_from_slice(x),
        other => out.extend(apply(other, x)?),
    }
    Ok(())
}

/// Bytes that the step's constants take.
pub(super) fn memory(step: &Step) -> usize {
    let f64s = |n: usize| n * size_of::<f64>();
    size_of::<Step>()
        + match step {
            Step::Impute { values } => f64s(values.len()),
            Step::Scale { shift, .. } => f64s(2 * shift.len()),
            Step::Affine { factor, .. } => f64s(2 * factor.len()),
            Step::Power { lambdas, .. } => f64s(lambdas.len()),
            Step::Derive(d) => f64s(d.iter().map(|d| d.keys.len() + d.values.len()).sum()),
            Step::Select { columns } | Step::IsMissing { columns } => 4 * columns.len(),
            Step::Curves(curves) => f64s(curves.iter().map(|c| 2 * c.x.len()).sum()),
            Step::Bins(edges) => f64s(edges.iter().map(Vec::len).sum()),
            Step::Encode(encoders) => encoders
                .iter()
                .map(|e| f64s(e.keys.len()) + 4 * e.code_of.len())
                .sum(),
            Step::Products(products) => products.iter().map(|p| 4 * p.len()).sum(),
            Step::Kernel(k) => f64s(k.vectors.len()),
            Step::Neighbors(k) => {
                f64s(k.vectors.len())
                    + match &k.targets {
                        NeighborTargets::Values { values, .. } => f64s(values.len()),
                        NeighborTargets::Classes { classes, .. } => 4 * classes.len(),
                    }
            }
            Step::FillFromNeighbors(k) => f64s(k.vectors.len()),
            Step::Couple(c) => f64s(2 * c.slope.len()),
            Step::WeightedMedian { weights } => f64s(weights.len()),
            _ => 0,
        }
}

/// About how long a row of `from` values takes, to become one of `to`.
pub(super) fn ns_per_row(step: &Step, from: usize, to: usize) -> f64 {
    let (from, to) = (from as f64, to as f64);
    match step {
        Step::Select { .. } | Step::IsMissing { .. } | Step::Scale { .. } | Step::Affine { .. } => {
            to
        }
        Step::Kernel(_) => to * (from + 10.0),
        Step::Neighbors(k) => (k.vectors.len() / k.n_features.max(1)) as f64 * (from + 5.0),
        Step::FillFromNeighbors(k) => (k.vectors.len() / k.n_features.max(1)) as f64 * from,
        _ => 10.0 * from.max(to),
    }
}
