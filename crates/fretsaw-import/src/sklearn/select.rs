//! Feature selection: which columns are kept, by the rule that each class applies to what it
//! measured in training. Columns stay what they were.

use fretsaw_model::Step;

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::part::Part;
use super::transformer::Transformed;
use super::{estimator, importance};
use crate::Error;

/// The classes that are read here.
pub(super) const CLASSES: &[&str] = &[
    "GenericUnivariateSelect",
    "RFE",
    "RFECV",
    "SelectFdr",
    "SelectFpr",
    "SelectFromModel",
    "SelectFwe",
    "SelectKBest",
    "SelectPercentile",
    "SequentialFeatureSelector",
    "VarianceThreshold",
];

/// Any of [`CLASSES`].
pub(super) fn read(at: Attributes<'_, '_>, cx: &Context<'_>, columns: Columns) -> Transformed {
    let n = columns.width();
    let mask = support(at, cx, n)?;
    if mask.len() != n {
        return Err(Error::invalid(format!(
            "the `{}` measured {} columns and is given {n}",
            at.class(),
            mask.len()
        )));
    }
    let kept: Vec<usize> = (0..n).filter(|&c| mask[c]).collect();
    if kept.is_empty() {
        return Err(at.unsupported("that keeps no column", "nothing would be left to see"));
    }
    let step = Step::Select {
        columns: kept.iter().map(|&c| c as u32).collect(),
    };
    Ok((vec![step], columns.select(&kept)))
}

/// RFE and RFECV, which answer as the estimator does that was trained on what they keep.
pub(super) fn estimate(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    let (steps, kept) = read(at, cx, columns.clone())?;
    let part = estimator::read(at.child("estimator_")?, cx, &kept);
    Ok(part.map_err(|e| e.under("estimator_"))?.behind(steps))
}

fn support(at: Attributes<'_, '_>, cx: &Context<'_>, n: usize) -> Result<Vec<bool>, Error> {
    let scores = || at.one_each("scores_", n);
    let p_values = || at.one_each("pvalues_", n);
    let number = |name| at.number(name);
    Ok(match at.class() {
        "SelectKBest" if at.text("k") == Some("all") => vec![true; n],
        "SelectKBest" => best(&scores()?, at.count("k")?),
        "SelectPercentile" => percentile(&scores()?, number("percentile")?),
        "SelectFpr" => below(&p_values()?, number("alpha")?),
        "SelectFdr" => false_discovery(&p_values()?, number("alpha")?),
        "SelectFwe" => below(&p_values()?, number("alpha")? / n as f64),
        "GenericUnivariateSelect" => match at.text("mode") {
            Some("k_best") if at.text("param") == Some("all") => vec![true; n],
            Some("k_best") => best(&scores()?, at.count("param")?),
            Some("percentile") => percentile(&scores()?, number("param")?),
            Some("fpr") => below(&p_values()?, number("param")?),
            Some("fdr") => false_discovery(&p_values()?, number("param")?),
            Some("fwe") => below(&p_values()?, number("param")? / n as f64),
            _ => return Err(Error::invalid("`mode` is none of its five")),
        },
        "VarianceThreshold" => {
            let threshold = number("threshold")?;
            let variances = at.one_each("variances_", n)?;
            variances.iter().map(|&v| v > threshold).collect()
        }
        "SelectFromModel" => importance::support(at, cx, n)?,
        _ => {
            let support = at.one_each("support_", n)?;
            support.iter().map(|&s| s != 0.0).collect()
        }
    })
}

fn below(p_values: &[f64], limit: f64) -> Vec<bool> {
    p_values.iter().map(|&p| p < limit).collect()
}

/// The `k` greatest, of equals the last.
fn best(scores: &[f64], k: usize) -> Vec<bool> {
    let scores = cleaned(scores);
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let mut mask = vec![false; scores.len()];
    for &place in order.iter().rev().take(k) {
        mask[place] = true;
    }
    mask
}

/// Those above the percentile, and of those at it as many as there is room for.
fn percentile(scores: &[f64], percentile: f64) -> Vec<bool> {
    let n = scores.len();
    if percentile == 100.0 || percentile == 0.0 || n == 0 {
        return vec![percentile == 100.0; n];
    }
    let scores = cleaned(scores);
    let mut sorted = scores.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let threshold = quantile(&sorted, (100.0 - percentile) / 100.0);
    let mut mask: Vec<bool> = scores.iter().map(|&s| s > threshold).collect();
    let above = mask.iter().filter(|&&m| m).count() as i64;
    let ties: Vec<usize> = (0..n).filter(|&i| scores[i] == threshold).collect();
    // A slice up to a negative place leaves out as many from the end, in Python.
    let room = (n as f64 * percentile / 100.0) as i64 - above;
    let room = match room < 0 {
        true => ties.len().saturating_sub(room.unsigned_abs() as usize),
        false => room as usize,
    };
    for &place in ties.iter().take(room) {
        mask[place] = true;
    }
    mask
}

/// NumPy's linear quantile of sorted values.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len() - 1;
    let place = (last as f64 * share).clamp(0.0, last as f64);
    let (below, t) = (place.floor(), place - place.floor());
    let a = sorted[below as usize];
    let b = sorted[(below as usize + 1).min(last)];
    match t >= 0.5 {
        true => b - (b - a) * (1.0 - t),
        false => a + (b - a) * t,
    }
}

/// The procedure of Benjamini and Hochberg.
fn false_discovery(p_values: &[f64], alpha: f64) -> Vec<bool> {
    let n = p_values.len();
    let mut sorted = p_values.to_vec();
    // NaN, being greater than any limit, is last.
    sorted.sort_by(|a, b| a.is_nan().cmp(&b.is_nan()).then(a.total_cmp(b)));
    let limit = |i: usize| alpha / n as f64 * (i + 1) as f64;
    let greatest = (0..n).rev().find(|&i| sorted[i] <= limit(i));
    match greatest {
        Some(i) => p_values.iter().map(|&p| p <= sorted[i]).collect(),
        None => vec![false; n],
    }
}

/// Scores, NaN being the least that there is; -0.0 is 0.
fn cleaned(scores: &[f64]) -> Vec<f64> {
    let clean = |&s: &f64| if s.is_nan() { f64::MIN } else { s + 0.0 };
    scores.iter().map(clean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(mask: &[bool]) -> Vec<usize> {
        (0..mask.len()).filter(|&i| mask[i]).collect()
    }

    #[test]
    fn scores_are_ranked_as_by_the_library() {
        let nan = f64::NAN;
        // SelectKBest, whose stable sort takes the last of equals.
        assert_eq!(kept(&best(&[1.0, 3.0, 1.0, nan, 0.5], 2)), [1, 2]);
        assert_eq!(kept(&best(&[nan, nan], 1)), [1]);
        assert_eq!(kept(&best(&[1.0], 9)), [0]);
        // SelectPercentile, which takes the first of those at the threshold.
        let scores = [2.0, 2.0, 1.0, 2.0, 5.0];
        assert_eq!(kept(&percentile(&scores, 40.0)), [0, 4]);
        assert_eq!(kept(&percentile(&scores, 60.0)), [0, 1, 4]);
        assert_eq!(kept(&percentile(&scores, 100.0)), [0, 1, 2, 3, 4]);
        assert!(kept(&percentile(&scores, 0.0)).is_empty());
        // SelectFdr
        let p = [0.03, 0.2, 0.011, nan, 0.04];
        assert_eq!(kept(&false_discovery(&p, 0.05)), [0, 2, 4][..0]);
        assert_eq!(kept(&false_discovery(&p, 0.07)), [0, 2, 4]);
    }
}
