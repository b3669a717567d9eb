//! The checks of steps: every place is in the row, every list as long as it must be.

use crate::draft::{check_ensemble, check_linear};
use crate::{
    Codes, Derived, Encoder, Float, KeyPart, Link, NeighborTargets, PairwiseCoupling, Step,
};

/// Branches within branches beyond this are refused; the reference predictor calls itself for each.
const MAX_DEPTH: usize = 32;
/// Values a row may have behind any step.
const MAX_WIDTH: usize = 1 << 31;

/// Checks steps on rows of `n` values; gives how many values they leave.
pub(crate) fn check_steps(steps: &[Step], n: usize) -> Result<usize, String> {
    nested(steps, n, MAX_DEPTH)
}

/// Whether any step may refuse a row.
pub(crate) fn refuses(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::Encode(encoders) => encoders.iter().any(|e| e.unknown.is_none()),
        Step::Branches(branches) => branches.iter().any(|b| refuses(b)),
        _ => false,
    })
}

fn nested(steps: &[Step], mut n: usize, depth: usize) -> Result<usize, String> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(format!("branches are nested more than {MAX_DEPTH} deep"));
    };
    for (i, step) in steps.iter().enumerate() {
        check_step(step, n, depth).map_err(|what| format!("step {i}: {what}"))?;
        n = step.width(n);
        if n > MAX_WIDTH {
            return Err(format!("step {i}: it gives {n} values a row"));
        }
    }
    Ok(n)
}

fn check_step(step: &Step, n: usize, depth: usize) -> Result<(), String> {
    let one_each = |name: &str, len: usize| match len == n {
        true => Ok(()),
        false => Err(format!("{len} {name} for {n} features")),
    };
    let places = |columns: &[u32]| match columns.iter().find(|&&c| c as usize >= n) {
        Some(c) => Err(format!("feature {c} of {n}")),
        None => Ok(()),
    };
    match step {
        Step::MarkMissing { .. } | Step::Widen | Step::Map(_) | Step::Normalize(_) => Ok(()),
        Step::FlushTiny { limit } if *limit >= 0.0 => Ok(()),
        Step::FlushTiny { limit } => Err(format!("the limit is {limit}, not 0 or more")),
        Step::Impute { values } => one_each("fill values", values.len()),
        Step::Scale { shift, scale } => {
            one_each("shifts", shift.len())?;
            one_each("scales", scale.len())?;
            match scale.iter().position(|&s| s == 0.0) {
                Some(i) => Err(format!("the scale of feature {i} is 0")),
                None => Ok(()),
            }
        }
        Step::Derive(derived) => {
            let mut width = n;
            for (i, d) in derived.iter().enumerate() {
                check_derived(d, width).map_err(|what| format!("table {i}: {what}"))?;
                width += d.otherwise.len();
            }
            Ok(())
        }
        Step::Select { columns } | Step::IsMissing { columns } => places(columns),
        Step::Branches(branches) => {
            for (i, steps) in branches.iter().enumerate() {
                nested(steps, n, depth).map_err(|what| format!("branch {i}: {what}"))?;
            }
            Ok(())
        }
        Step::Affine { factor, offset } => {
            one_each("factors", factor.len())?;
            one_each("offsets", offset.len())
        }
        Step::Choose if !n.is_multiple_of(3) => Err(format!(
            "a choice of {n} values, which are not three equal parts"
        )),
        Step::Choose => Ok(()),
        Step::Power { lambdas, .. } => one_each("exponents", lambdas.len()),
        Step::Curves(curves) => {
            one_each("curves", curves.len())?;
            let bad =
                |c: &crate::Curve| c.x.is_empty() || c.x.len() != c.y.len() || !c.x.is_sorted();
            match curves.iter().position(bad) {
                Some(i) => Err(format!("curve {i} is no ascending list of points")),
                None => Ok(()),
            }
        }
        Step::Bins(edges) => {
            one_each("lists of edges", edges.len())?;
            match edges.iter().position(|e| !e.is_sorted()) {
                Some(i) => Err(format!(
                    "the edges of feature {i} are not in ascending order"
                )),
                None => Ok(()),
            }
        }
        Step::Encode(encoders) => {
            for (i, encoder) in encoders.iter().enumerate() {
                places(&[encoder.column])?;
                check_encoder(encoder).map_err(|what| format!("encoder {i}: {what}"))?;
            }
            Ok(())
        }
        Step::Products(products) => products.iter().try_for_each(|p| places(p)),
        Step::Linear(l) => {
            if l.sum != Float::F64 {
                return Err("a linear step that does not sum in f64".into());
            }
            check_linear(l, n).map_err(|e| e.to_string())
        }
        Step::Ensemble(e) => check_ensemble(e, n).map_err(|e| e.to_string()),
        Step::Link(Link::Then(_)) => Err("a link of steps where the steps can stand".into()),
        Step::Link(_) if n == 0 => Err("a link of nothing".into()),
        Step::Link(_) => Ok(()),
        Step::Kernel(kernel) => {
            stored("kernel", kernel.n_features, kernel.vectors.len(), n)?;
            kernel.function.fault(n).map_or(Ok(()), Err)
        }
        Step::Neighbors(neighbors) => {
            let rows = stored(
                "neighbours",
                neighbors.n_features,
                neighbors.vectors.len(),
                n,
            )?;
            asked(neighbors.k, rows)?;
            let fits = match &neighbors.targets {
                NeighborTargets::Values { width, values } => {
                    rows.checked_mul(*width) == Some(values.len())
                }
                NeighborTargets::Classes { n_classes, classes } => {
                    rows == classes.len() && classes.iter().all(|&c| (c as usize) < *n_classes)
                }
            };
            match fits {
                true => Ok(()),
                false => Err(format!("the targets do not fit the {rows} stored rows")),
            }
        }
        Step::FillFromNeighbors(fill) => {
            let rows = stored("neighbours", fill.n_features, fill.vectors.len(), n)?;
            if fill.k == 0 || rows == 0 {
                return Err(format!("{} neighbours of {rows}", fill.k));
            }
            let without = |c: &usize| (0..rows).all(|r| fill.vectors[r * n + c].is_nan());
            match (0..n).find(without) {
                Some(c) => Err(format!("no stored row has a value of feature {c}")),
                None => Ok(()),
            }
        }
        Step::Votes { n_classes } => pairs_of(*n_classes, n),
        Step::Couple(PairwiseCoupling {
            n_classes,
            slope,
            offset,
        }) => {
            pairs_of(*n_classes, n)?;
            one_each("slopes", slope.len())?;
            one_each("offsets", offset.len())
        }
        Step::WeightedMedian { weights } if weights.is_empty() => {
            Err("the median of nothing".into())
        }
        Step::WeightedMedian { weights } => one_each("weights", weights.len()),
    }
}

/// How many rows are stored.
fn stored(what: &str, n_features: usize, len: usize, n: usize) -> Result<usize, String> {
    if n_features != n || n == 0 || !len.is_multiple_of(n) {
        return Err(format!(
            "{len} values of {what} with {n_features} features, for rows of {n}"
        ));
    }
    Ok(len / n)
}

fn asked(k: usize, rows: usize) -> Result<(), String> {
    match k == 0 || k > rows {
        true => Err(format!("{k} neighbours of {rows}")),
        false => Ok(()),
    }
}

fn pairs_of(n_classes: u32, n: usize) -> Result<(), String> {
    let k = n_classes as usize;
    match k >= 2 && k.checked_mul(k - 1).map(|p| p / 2) == Some(n) {
        true => Ok(()),
        false => Err(format!("{n} decisions between each two of {k} classes")),
    }
}

fn check_encoder(e: &Encoder) -> Result<(), String> {
    if !e.keys.windows(2).all(|w| w[0] < w[1]) || e.keys.iter().any(|k| k.is_nan()) {
        return Err("its categories are not in ascending order".into());
    }
    if e.keys.len() != e.code_of.len() {
        return Err(format!(
            "{} codes for {} categories",
            e.code_of.len(),
            e.keys.len()
        ));
    }
    if let Codes::Values { width, values } = &e.codes {
        let width = *width as usize;
        if width == 0 || !values.len().is_multiple_of(width) {
            return Err(format!("{} values of {width} a code", values.len()));
        }
        let n = values.len() / width;
        let mut codes = e.code_of.iter().chain(&e.missing).chain(&e.unknown);
        if let Some(code) = codes.find(|&&c| c as usize >= n) {
            return Err(format!("code {code} of {n}"));
        }
    }
    Ok(())
}

fn check_derived(d: &Derived, n_features: usize) -> Result<(), String> {
    let feature = |part: &KeyPart| part.feature() as usize;
    if let Some(part) = d.parts.iter().find(|p| feature(p) >= n_features) {
        return Err(format!("feature {} of {n_features}", part.feature()));
    }
    if d.keys.len().checked_mul(d.otherwise.len()) != Some(d.values.len()) {
        return Err(format!(
            "{} values for {} keys and {} features",
            d.values.len(),
            d.keys.len(),
            d.otherwise.len()
        ));
    }
    if !d.keys.windows(2).all(|w| w[0] < w[1]) {
        return Err("its keys are not in ascending order".into());
    }
    Ok(())
}
