//! Nearest neighbours, and the nearest of one centre a class.
//!
//! However the stored rows are searched, they are kept as they are, and the answer is the same but
//! for rows equally far; here the first stored of those counts as nearer.

use fretsaw_model::{
    Answer, Labels, Link, Metric, NeighborTargets, NeighborWeights, Neighbors, Step,
};

use super::attributes::Attributes;
use super::matrix::Matrix;
use super::part::{Part, row};
use super::voting;
use crate::Error;
use crate::error::shown;

/// `KNeighborsClassifier`.
pub(super) fn classifier(at: Attributes<'_, '_>) -> Result<Part, Error> {
    let labels = at.classes()?;
    if at.flag("outputs_2d_") {
        return Err(at.unsupported(
            "with several outputs",
            "its answers are a list of tables; train one classifier an output",
        ));
    }
    let classes = at.elements("_y")?.ints().unwrap_or_default();
    let class = |&c: &i64| u32::try_from(c).ok();
    let classes: Option<Vec<u32>> = classes.iter().map(class).collect();
    let n_classes = labels.len();
    let targets = NeighborTargets::Classes {
        n_classes,
        classes: classes.unwrap_or_default(),
    };
    let steps = vec![Step::Neighbors(neighbors(at, targets)?)];
    let answer = (Link::Identity, Answer::Classes);
    Ok(Part::classifier(at, steps, row(n_classes), answer, labels))
}

/// `KNeighborsRegressor`.
pub(super) fn regressor(at: Attributes<'_, '_>) -> Result<Part, Error> {
    let width = match at.array("_y")?.shape[..] {
        [_] => 1,
        [_, width] => width,
        _ => return Err(Error::invalid("`_y` is no table")),
    };
    let values = at.floats("_y")?;
    let targets = NeighborTargets::Values { width, values };
    let steps = vec![Step::Neighbors(neighbors(at, targets)?)];
    Ok(Part::values(at, steps, row(width)))
}

fn neighbors(at: Attributes<'_, '_>, targets: NeighborTargets) -> Result<Neighbors, Error> {
    let weights = match at.some("weights").map(|id| at.pickle.describe(id)) {
        None => NeighborWeights::Uniform,
        Some(what) => match at.text("weights") {
            Some("uniform") => NeighborWeights::Uniform,
            Some("distance") => NeighborWeights::Distance,
            _ => {
                let what = format!("with weights={what}");
                return Err(at.unsupported(&what, "uniform and distance are read"));
            }
        },
    };
    let rows = Matrix::of(at, "_fit_X")?;
    Ok(Neighbors {
        metric: metric(at)?,
        k: at.count("n_neighbors")?,
        weights,
        n_features: rows.columns,
        vectors: rows.values,
        targets,
    })
}

fn metric(at: Attributes<'_, '_>) -> Result<Metric, Error> {
    let parameter = |name: &str| {
        let id = at
            .some("effective_metric_params_")
            .and_then(|dict| at.pickle.item(dict, name))?;
        (!matches!(at.pickle.get(id), crate::pickle::Value::None)).then_some(id)
    };
    if parameter("w").is_some() {
        return Err(at.unsupported("with weights for columns", "scale the columns instead"));
    }
    Ok(match at.text("effective_metric_") {
        Some("euclidean" | "l2") => Metric::Euclidean,
        Some("manhattan" | "l1" | "cityblock") => Metric::Manhattan,
        Some("chebyshev" | "infinity") => Metric::Chebyshev,
        Some("cosine") => Metric::Cosine,
        Some("minkowski" | "p") => {
            let p = match parameter("p") {
                Some(p) => at.pickle.number(p)?,
                None => at.number("p")?,
            };
            match p {
                1.0 => Metric::Manhattan,
                2.0 => Metric::Euclidean,
                f64::INFINITY => Metric::Chebyshev,
                p if p > 0.0 => Metric::Minkowski(p),
                p => return Err(Error::invalid(format!("a Minkowski distance of p = {p}"))),
            }
        }
        other => {
            let what = format!("with the metric `{}`", shown(other.unwrap_or("a function")));
            return Err(at.unsupported(
                &what,
                "euclidean, manhattan, chebyshev, minkowski and cosine are read",
            ));
        }
    })
}

/// `NearestCentroid`.
pub(super) fn centroid(at: Attributes<'_, '_>) -> Result<Part, Error> {
    let metric = match at.text("metric") {
        // It has probabilities since 1.6, and they are of other distances than its classes.
        Some("euclidean") if at.some("class_prior_").is_some() => {
            return Err(at.unsupported(
                "of the Euclidean metric",
                "its predict and its predict_proba go by different distances",
            ));
        }
        Some("euclidean") => Metric::Euclidean,
        Some("manhattan") if is_uniform(at)? => Metric::Manhattan,
        Some("manhattan") => {
            return Err(at.unsupported("with priors", "only equal priors are read"));
        }
        other => {
            let what = format!("with the metric `{}`", shown(other.unwrap_or("a function")));
            return Err(at.unsupported(&what, "euclidean and manhattan are read"));
        }
    };
    let labels: Labels = at.classes()?;
    let n = labels.len();
    let centroids = Matrix::of(at, "centroids_")?;
    let nearest = Neighbors {
        metric,
        k: 1,
        weights: NeighborWeights::Uniform,
        n_features: centroids.columns,
        vectors: centroids.values,
        targets: NeighborTargets::Classes {
            n_classes: n,
            classes: (0..n as u32).collect(),
        },
    };
    Ok(voting::named(
        at,
        vec![Step::Neighbors(nearest)],
        row(n),
        labels,
    ))
}

fn is_uniform(at: Attributes<'_, '_>) -> Result<bool, Error> {
    if at.some("class_prior_").is_none() {
        return Ok(true);
    }
    let prior = at.floats("class_prior_")?;
    let share = 1.0 / prior.len() as f64;
    // `numpy.isclose`
    Ok(prior
        .iter()
        .all(|p| (p - share).abs() <= 1e-8 + 1e-5 * share))
}
