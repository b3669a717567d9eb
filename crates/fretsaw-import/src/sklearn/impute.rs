//! Imputers: what stands for missing values, and columns that tell where they were.
//!
//! A column without any value in training is dropped by most, and so may be absent behind them.

use fretsaw_model::{NeighborFill, NeighborWeights, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::fill_text;
use super::matrix::Matrix;
use super::transformer::Transformed;
use crate::Error;

/// `SimpleImputer`: a value for each column.
pub(super) fn simple(at: Attributes<'_, '_>, cx: &Context<'_>, columns: Columns) -> Transformed {
    let (mut steps, values) = match fill_text::statistics(at, cx, &columns)? {
        Some(values) => (fill_text::mark(at, cx, &columns)?, values),
        None => (
            mark_missing(at)?,
            at.one_each("statistics_", columns.width())?,
        ),
    };
    let kept = match keeps_empty(at, cx) {
        true => (0..values.len()).collect(),
        false => places(&values, |v| !v.is_nan()),
    };
    let filled = filled(values, &kept);
    let indicator = indicator(at, &columns)?;
    let behind = columns.select(&kept);
    beside(&mut steps, filled, behind, indicator)
}

/// `MissingIndicator`: 1 where a value is missing.
pub(super) fn missing(at: Attributes<'_, '_>, columns: Columns) -> Transformed {
    let mut steps = mark_missing(at)?;
    let places = indicated(at, &columns)?;
    let width = places.len();
    steps.push(Step::IsMissing { columns: places });
    Ok((steps, Columns::computed(width)))
}

/// `KNNImputer`: the mean of the nearest training rows that have the value.
pub(super) fn nearest(at: Attributes<'_, '_>, columns: Columns) -> Transformed {
    let n = columns.width();
    if at.text("metric") != Some("nan_euclidean") {
        return Err(at.unsupported("with another `metric`", "nan_euclidean is read"));
    }
    let weights = match at.text("weights") {
        Some("uniform") => NeighborWeights::Uniform,
        Some("distance") => NeighborWeights::Distance,
        _ => {
            return Err(at.unsupported("with another `weights`", "uniform and distance are read"));
        }
    };
    let mut rows = Matrix::of(at, "_fit_X")?.of_width("_fit_X", n)?;
    if let Some(marker) = marker(at)? {
        for v in rows.values.iter_mut().filter(|v| **v == marker) {
            *v = f64::NAN;
        }
    }
    let known: Vec<usize> = (0..n)
        .filter(|&c| rows.column(c).any(|v| !v.is_nan()))
        .collect();
    let mut steps = mark_missing(at)?;
    let indicator = indicator(at, &columns)?;
    // What no row has counts in no distance, but as one factor of all.
    let mut filled = Vec::new();
    if known.len() < n {
        filled.push(select(&known));
    }
    if !known.is_empty() {
        let kept = rows.values.chunks_exact(n);
        filled.push(Step::FillFromNeighbors(NeighborFill {
            k: at.count("n_neighbors")?,
            weights,
            n_features: known.len(),
            vectors: kept.flat_map(|row| known.iter().map(|&c| row[c])).collect(),
        }));
    }
    let mut behind = columns.select(&known);
    if at.flag("keep_empty_features") && known.len() < n {
        let place = |c: usize| known.binary_search(&c).ok();
        filled = with_zeros(filled, (0..n).map(place), known.len());
        let origin = |c: usize| place(c).and_then(|_| columns.origins[c]);
        behind = Columns::computed(n);
        behind.origins = (0..n).map(origin).collect();
    }
    beside(&mut steps, filled, behind, indicator)
}

/// The row of what the steps leave, with 0 where there is no place in it.
fn with_zeros(
    steps: Vec<Step>,
    places: impl Iterator<Item = Option<usize>>,
    width: usize,
) -> Vec<Step> {
    let columns = places.map(|p| p.unwrap_or(width) as u32).collect();
    let zero = vec![
        Step::Products(vec![Vec::new()]),
        Step::Affine {
            factor: vec![0.0],
            offset: vec![0.0],
        },
    ];
    vec![Step::Branches(vec![steps, zero]), Step::Select { columns }]
}

/// Whether a `SimpleImputer` keeps the columns that had no value in training. Before 1.8 a constant
/// stood in them too.
pub(super) fn keeps_empty(at: Attributes<'_, '_>, cx: &Context<'_>) -> bool {
    at.flag("keep_empty_features") || (at.text("strategy") == Some("constant") && !cx.since(1, 8))
}

/// The steps that fill the gaps of the columns kept, and drop the others.
pub(super) fn filled(mut values: Vec<f64>, kept: &[usize]) -> Vec<Step> {
    let mut steps = Vec::new();
    if kept.len() < values.len() {
        steps.push(select(kept));
        values = kept.iter().map(|&c| values[c]).collect();
    }
    steps.push(Step::Impute { values });
    steps
}

/// What `add_indicator` puts beside the filled columns; none where it is not set.
pub(super) fn indicator(
    at: Attributes<'_, '_>,
    columns: &Columns,
) -> Result<Option<Vec<u32>>, Error> {
    match at.flag("add_indicator") {
        false => Ok(None),
        true => indicated(at.child("indicator_")?, columns).map(Some),
    }
}

/// Appends the steps, with the indicator's columns beside what they leave.
pub(super) fn beside(
    steps: &mut Vec<Step>,
    filled: Vec<Step>,
    behind: Columns,
    indicator: Option<Vec<u32>>,
) -> Transformed {
    let mut steps = std::mem::take(steps);
    let Some(columns) = indicator else {
        steps.extend(filled);
        return Ok((steps, behind));
    };
    let told = Columns::computed(columns.len());
    steps.push(Step::Branches(vec![
        filled,
        vec![Step::IsMissing { columns }],
    ]));
    Ok((steps, Columns::join([&behind, &told].into_iter())))
}

/// The columns that a `MissingIndicator` tells of.
fn indicated(at: Attributes<'_, '_>, columns: &Columns) -> Result<Vec<u32>, Error> {
    let n = columns.width();
    if at.text("features") == Some("all") {
        return Ok((0..n as u32).collect());
    }
    let place = |c: f64| ((0.0..n as f64).contains(&c) && c.trunc() == c).then_some(c as u32);
    let places = at.floats("features_")?.into_iter().map(place);
    places
        .collect::<Option<_>>()
        .ok_or_else(|| Error::invalid(format!("`features_` names others than {n} columns")))
}

/// The value that stands for missing ones, unless it is NaN.
fn marker(at: Attributes<'_, '_>) -> Result<Option<f64>, Error> {
    match at.some("missing_values") {
        None => Ok(None),
        Some(_) => Ok(Some(at.number("missing_values")?).filter(|v| !v.is_nan())),
    }
}

/// The step that makes it NaN.
pub(super) fn mark_missing(at: Attributes<'_, '_>) -> Result<Vec<Step>, Error> {
    let mark = |value| Step::MarkMissing { value };
    Ok(marker(at)?.map(mark).into_iter().collect())
}

fn places(values: &[f64], wanted: impl Fn(f64) -> bool) -> Vec<usize> {
    (0..values.len()).filter(|&i| wanted(values[i])).collect()
}

fn select(kept: &[usize]) -> Step {
    Step::Select {
        columns: kept.iter().map(|&c| c as u32).collect(),
    }
}
