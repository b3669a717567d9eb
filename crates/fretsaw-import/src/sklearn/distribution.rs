//! Transformers that bring each column to a distribution: powers, quantiles, bins.

use fretsaw_model::{Codes, Curve, Encoder, Function, Power, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::matrix::Matrix;
use super::scale;
use super::transformer::Transformed;
use crate::Error;
use crate::pickle::Value;

/// `PowerTransformer`: `lambdas_`, and then `_scaler` where `standardize` is set.
pub(super) fn power(at: Attributes<'_, '_>, cx: &Context<'_>, columns: Columns) -> Transformed {
    let n = columns.width();
    let kind = match at.text("method") {
        Some("box-cox") => Power::BoxCox,
        Some("yeo-johnson") if cx.since(1, 9) => Power::YeoJohnson,
        Some("yeo-johnson") => Power::YeoJohnsonPowers,
        _ => {
            return Err(at.unsupported("with another `method`", "yeo-johnson and box-cox are read"));
        }
    };
    let mut steps = vec![Step::Power {
        kind,
        lambdas: at.one_each("lambdas_", n)?,
    }];
    let mut behind = Columns::computed(n);
    if at.flag("standardize") {
        let (scaler, after) = scale::standard(at.child("_scaler")?, behind)?;
        steps.extend(scaler);
        behind = after;
    }
    Ok((steps, behind))
}

/// `BOUNDS_THRESHOLD` of `QuantileTransformer`: so near to the outer quantiles is beyond them.
const BOUNDS: f64 = 1e-7;

/// The outermost values of a normal distribution: SciPy's `norm.ppf` of `BOUNDS` less an ULP of 1,
/// and of 1 less that.
const OUTERMOST: Function = Function::Clip {
    low: -5.199_337_582_605_575,
    high: 5.199_337_582_703_42,
};

/// `QuantileTransformer`: the share of the training rows below, and then the value below which
/// that share of a normal distribution lies.
pub(super) fn quantile(at: Attributes<'_, '_>, columns: Columns) -> Transformed {
    let n = columns.width();
    if columns.sparse {
        return Err(at.unsupported(
            "of a sparse matrix",
            "it leaves alone the zeros that are not stored; let the step before give dense rows",
        ));
    }
    let quantiles = Matrix::of(at, "quantiles_")?.of_width("quantiles_", n)?;
    let references = at.floats("references_")?;
    if references.len() != quantiles.rows || references.is_empty() {
        return Err(Error::invalid(format!(
            "{} `references_` for {} `quantiles_`",
            references.len(),
            quantiles.rows
        )));
    }
    let normal = match at.text("output_distribution") {
        Some("uniform") => false,
        Some("normal") => true,
        _ => {
            return Err(at.unsupported(
                "with another `output_distribution`",
                "uniform and normal are read",
            ));
        }
    };
    let curve = |column| {
        let x: Vec<f64> = quantiles.column(column).collect();
        let (first, last) = (x[0], x[x.len() - 1]);
        let flat = match normal {
            false => (first, last),
            true => (
                least(|x| x - BOUNDS >= first).next_down(),
                least(|x| x + BOUNDS > last),
            ),
        };
        Curve {
            x,
            y: references.clone(),
            both_ways: true,
            flat: Some(flat),
        }
    };
    let mut steps = vec![Step::Curves((0..n).map(curve).collect())];
    if normal {
        steps.push(Step::Map(Function::NormalQuantile));
        steps.push(Step::Map(OUTERMOST));
    }
    Ok((steps, Columns::computed(n)))
}

/// `KBinsDiscretizer`: the number of the bin, or a column for each bin.
pub(super) fn bins(at: Attributes<'_, '_>, cx: &Context<'_>, columns: Columns) -> Transformed {
    let n = columns.width();
    let edges = inner_edges(at)?;
    let n_bins = at.one_each("n_bins_", n)?;
    let fits = |(edges, &n): (&Vec<f64>, &f64)| edges.len() as f64 == n - 1.0;
    if edges.len() != n || !edges.iter().zip(&n_bins).all(fits) {
        return Err(Error::invalid(format!(
            "the `bin_edges_` do not fit the `n_bins_` of {n} columns"
        )));
    }
    let counts: Vec<u32> = edges.iter().map(|e| e.len() as u32 + 1).collect();
    let mut steps = vec![Step::Bins(rounded(at, cx, edges)?)];
    match at.text("encode") {
        Some("ordinal") => Ok((steps, Columns::computed(n))),
        Some("onehot" | "onehot-dense") => {
            let width = counts.iter().map(|&c| c as usize).sum();
            let encoder = |(column, &n): (usize, &u32)| Encoder {
                column: column as u32,
                keys: (0..n).map(f64::from).collect(),
                code_of: (0..n).collect(),
                missing: None,
                unknown: Some(n),
                codes: Codes::OneHot { width: n },
            };
            steps.push(Step::Encode(
                counts.iter().enumerate().map(encoder).collect(),
            ));
            Ok((steps, Columns::computed(width)))
        }
        _ => Err(at.unsupported(
            "with another `encode`",
            "onehot, onehot-dense and ordinal are read",
        )),
    }
}

/// The edges between bins of each column: all but the outer ones, which bound nothing.
fn inner_edges(at: Attributes<'_, '_>) -> Result<Vec<Vec<f64>>, Error> {
    let fault = || Error::invalid("`bin_edges_` are no lists of edges");
    let lists = at.pickle.objects(at.get("bin_edges_")?).ok_or_else(fault)?;
    let inner = |id| {
        let edges = at.pickle.elements(id)?.floats()?;
        Some(edges.get(1..edges.len().checked_sub(1)?)?.to_vec())
    };
    lists
        .into_iter()
        .map(inner)
        .collect::<Option<_>>()
        .ok_or_else(fault)
}

/// The edges moved to where the values pass them that the class compares: before 1.1 it adds a
/// little to each value, and where `dtype` is float32 it rounds them.
fn rounded(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    mut edges: Vec<Vec<f64>>,
) -> Result<Vec<Vec<f64>>, Error> {
    let added = !cx.since(1, 1);
    let single = match at.some("dtype").map(|id| at.pickle.get(id)) {
        None => false,
        Some(Value::Global(global)) if global.name == "float64" => false,
        Some(Value::Global(global)) if global.name == "float32" && !added => true,
        _ => return Err(at.unsupported("with another `dtype`", "float64 is read")),
    };
    for edge in edges.iter_mut().flatten() {
        if added {
            let bound = *edge;
            *edge = least(|x| x + (1e-8 + 1e-5 * x.abs()) >= bound);
        } else if single {
            let bound = *edge;
            *edge = least(|x| f64::from(x as f32) >= bound);
        }
    }
    Ok(edges)
}

/// The least value for which the condition holds, which holds for all above it too; infinity where
/// there is none.
fn least(holds: impl Fn(f64) -> bool) -> f64 {
    // Halves the range of the values in their order, which is that of their bits.
    let (mut below, mut at) = (rank(f64::NEG_INFINITY) - 1, rank(f64::INFINITY));
    while below + 1 < at {
        let middle = below.midpoint(at);
        match holds(value(middle)) {
            true => at = middle,
            false => below = middle,
        }
    }
    value(at)
}

/// The place of a value among all, -0.0 and 0.0 being one.
fn rank(x: f64) -> i64 {
    match x.to_bits() as i64 {
        bits if bits >= 0 => bits,
        bits => -(bits & i64::MAX),
    }
}

/// The value at a place.
fn value(rank: i64) -> f64 {
    let size = f64::from_bits(rank.unsigned_abs());
    if rank < 0 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_value_is_found() {
        for bound in [
            -1e300,
            -3.5,
            -1e-7,
            -0.0,
            0.0,
            5e-324,
            1.0,
            1e300,
            f64::INFINITY,
        ] {
            assert_eq!(least(|x| x >= bound), bound);
            assert_eq!(least(|x| x > bound), bound.next_up());
        }
        assert_eq!(least(|_| true), f64::NEG_INFINITY);
        // What is lost in rounding counts: all of these are 1 less 1e-7.
        let edge = least(|x| x - BOUNDS >= 1.0 - BOUNDS);
        assert!(edge <= 1.0 && edge - BOUNDS >= 1.0 - BOUNDS);
        assert!(edge.next_down() - BOUNDS < 1.0 - BOUNDS);
    }
}
