//! `SelectFromModel`: columns by how much a fitted estimator makes of them. Trees keep no
//! importances but what they follow from: the impurity and the weight of each node.

use super::attributes::Attributes;
use super::context::Context;
use super::forest;
use super::matrix::Matrix;
use super::tree::pairwise_sum;
use crate::Error;
use crate::pickle::Value;
use crate::pickle::numpy::Elements;

/// Which of `n` columns are kept.
pub(super) fn support(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    n: usize,
) -> Result<Vec<bool>, Error> {
    // With `prefit` the parameter itself is the fitted estimator.
    let fitted = match at.some("estimator_") {
        Some(_) => at.child("estimator_")?,
        None => at.child("estimator")?,
    };
    let scores = importances(at, fitted)?;
    if scores.len() != n {
        return Err(Error::invalid(format!(
            "importances of {} columns for {n}",
            scores.len()
        )));
    }
    let threshold = threshold(at, cx, fitted, &scores)?;
    let mut mask = vec![at.some("max_features").is_none(); n];
    if at.some("max_features").is_some() {
        // Since 1.1 it may be computed, and is kept under the second name.
        let name = ["max_features_", "max_features"];
        let name = name.into_iter().find(|name| at.some(name).is_some());
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        for &place in order.iter().take(at.count(name.unwrap_or_default())?) {
            mask[place] = true;
        }
    }
    let kept = mask.iter().zip(&scores);
    // NaN, of either, is not below.
    let below = |s: f64| s < threshold;
    Ok(kept.map(|(&m, &s)| m && !below(s)).collect())
}

/// `_get_feature_importances`: of several rows of coefficients the norm of each column.
fn importances(at: Attributes<'_, '_>, fitted: Attributes<'_, '_>) -> Result<Vec<f64>, Error> {
    let getter = at.text("importance_getter").unwrap_or("auto");
    let computed = at.some("importance_getter").is_some() && at.text("importance_getter").is_none();
    let coefficients = fitted.some("coef_").is_some();
    match getter {
        _ if computed => {}
        "auto" | "coef_" if coefficients => return sizes(at, fitted),
        "auto" | "feature_importances_" if fitted.is_sklearn() => match fitted.class() {
            class if forest::TREES.contains(&class) => {
                let mut importances = Gains::of(fitted)?.per_column;
                let total = pairwise_sum(&importances);
                share(&mut importances, total);
                return Ok(importances);
            }
            class if forest::FORESTS.contains(&class) => return mean_of_trees(fitted, true),
            "GradientBoostingClassifier" | "GradientBoostingRegressor" => {
                return mean_of_trees(fitted, false);
            }
            _ => {}
        },
        _ => {}
    }
    let what = format!("by the importances of a `{}`", fitted.class());
    Err(at.unsupported(
        &what,
        "those of coefficients, trees, forests and gradient boosting are read",
    ))
}

fn sizes(at: Attributes<'_, '_>, fitted: Attributes<'_, '_>) -> Result<Vec<f64>, Error> {
    let array = fitted.array("coef_")?;
    if array.shape.len() < 2 {
        let values = fitted.floats("coef_")?;
        return Ok(values.into_iter().map(f64::abs).collect());
    }
    let table = Matrix::of(fitted, "coef_")?;
    let order = at.number("norm_order")?;
    let norm = |column| {
        let sizes = table.column(column).map(f64::abs);
        match order {
            1.0 => sizes.fold(0.0, |sum, v| sum + v),
            2.0 => sizes.fold(0.0, |sum, v| sum + v * v).sqrt(),
            f64::INFINITY => sizes.fold(0.0, f64::max),
            p => sizes.fold(0.0, |sum, v| sum + v.powf(p)).powf(1.0 / p),
        }
    };
    match order > 0.0 {
        true => Ok((0..table.columns).map(norm).collect()),
        false => Err(at.unsupported(
            &format!("with `norm_order` {order}"),
            "positive ones are read",
        )),
    }
}

/// What the splits of a tree gain.
struct Gains {
    /// The fall of the impurity by splits of each column, a mean over all rows.
    per_column: Vec<f64>,
    is_leaf: bool,
}

impl Gains {
    fn of(estimator: Attributes<'_, '_>) -> Result<Self, Error> {
        let tree = estimator.child("tree_")?;
        let nodes = tree.array("nodes")?;
        let fault = || Error::invalid("its nodes lack what importances are made of").under("tree_");
        let ints = |name| nodes.field(name).and_then(Elements::ints).ok_or_else(fault);
        let floats = |name| {
            nodes
                .field(name)
                .and_then(Elements::floats)
                .ok_or_else(fault)
        };
        let (left, right, feature) = (ints("left_child")?, ints("right_child")?, ints("feature")?);
        let (impurity, weight) = (floats("impurity")?, floats("weighted_n_node_samples")?);
        let n = ["n_features_in_", "n_features_"];
        let n = n.into_iter().find(|name| estimator.some(name).is_some());
        let n = estimator.count(n.unwrap_or("n_features_in_"))?;
        // A file may claim any number of columns, of which its nodes name few.
        let mut per_column = vec![0.0; n.min(super::MAX_FEATURES)];
        let worth = |i: i64| {
            let i = usize::try_from(i).ok()?;
            Some(weight.get(i)? * impurity.get(i)?)
        };
        for node in 0..left.len() {
            if left[node] == -1 {
                continue;
            }
            let gain = || Some(worth(node as i64)? - worth(left[node])? - worth(right[node])?);
            let column = usize::try_from(feature[node]).map_err(|_| fault())?;
            *per_column.get_mut(column).ok_or_else(fault)? += gain().ok_or_else(fault)?;
        }
        let all = *weight.first().ok_or_else(fault)?;
        per_column.iter_mut().for_each(|v| *v /= all);
        Ok(Self {
            per_column,
            is_leaf: left.len() == 1,
        })
    }
}

/// The mean over the trees that have a split, each brought to a sum of 1 before where `each` is set,
/// and all after.
fn mean_of_trees(fitted: Attributes<'_, '_>, each: bool) -> Result<Vec<f64>, Error> {
    let mut mean: Vec<f64> = Vec::new();
    let mut n = 0.0;
    for (i, tree) in fitted.objects("estimators_")?.into_iter().enumerate() {
        let mut gains = Gains::of(tree).map_err(|e| e.item(i).under("estimators_"))?;
        mean.resize(gains.per_column.len().max(mean.len()), 0.0);
        if gains.is_leaf {
            continue;
        }
        if each {
            let total = pairwise_sum(&gains.per_column);
            share(&mut gains.per_column, total);
        }
        n += 1.0;
        mean.iter_mut()
            .zip(&gains.per_column)
            .for_each(|(m, g)| *m += g);
    }
    if n > 0.0 {
        mean.iter_mut().for_each(|m| *m /= n);
        let total = pairwise_sum(&mean);
        mean.iter_mut().for_each(|m| *m /= total);
    }
    Ok(mean)
}

fn share(values: &mut [f64], total: f64) {
    if total > 0.0 {
        values.iter_mut().for_each(|v| *v /= total);
    }
}

/// `_calculate_threshold`: a number, or a multiple of the mean or the median.
fn threshold(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    fitted: Attributes<'_, '_>,
    scores: &[f64],
) -> Result<f64, Error> {
    let text = match at.some("threshold").map(|id| at.pickle.get(id)) {
        None if is_sparse(fitted, cx) => return Ok(1e-5),
        None => "mean",
        Some(Value::Str(text)) => text,
        Some(_) => return at.number("threshold"),
    };
    let (factor, reference) = match text.split_once('*') {
        Some((factor, reference)) => (factor.trim().parse().ok(), reference.trim()),
        None => (Some(1.0), text),
    };
    let reference = match reference {
        "mean" => Some(pairwise_sum(scores) / scores.len() as f64),
        "median" => {
            let mut sorted = scores.to_vec();
            sorted.sort_unstable_by(f64::total_cmp);
            Some(match sorted.len() % 2 {
                1 => sorted[sorted.len() / 2],
                _ if sorted.is_empty() => f64::NAN,
                _ => (sorted[sorted.len() / 2 - 1] + sorted[sorted.len() / 2]) / 2.0,
            })
        }
        _ => None,
    };
    factor
        .zip(reference)
        .map(|(factor, reference): (f64, f64)| factor * reference)
        .ok_or_else(|| Error::invalid(format!("the threshold `{}`", crate::error::shown(text))))
}

/// Whether the estimator was trained to make coefficients 0, so that the default threshold is next
/// to it.
fn is_sparse(fitted: Attributes<'_, '_>, cx: &Context<'_>) -> bool {
    let class = fitted.class();
    let near_one = |name: &str| {
        let ratios = fitted.some(name).and_then(|_| fitted.floats(name).ok());
        ratios.is_some_and(|r| r.iter().all(|r| (r - 1.0).abs() <= 1e-8 + 1e-5))
    };
    let by_ratio = match class {
        "ElasticNet" => cx.since(1, 1) && near_one("l1_ratio"),
        "ElasticNetCV" => cx.since(1, 1) && near_one("l1_ratio_"),
        "LogisticRegression" => cx.since(1, 8) && near_one("l1_ratio"),
        "LogisticRegressionCV" => cx.since(1, 8) && near_one("l1_ratio_"),
        _ => false,
    };
    by_ratio || fitted.text("penalty") == Some("l1") || class.contains("Lasso")
}
