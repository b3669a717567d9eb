//! The columns of the rows that a model is given: of the outermost estimator that tells.

use super::attributes::Attributes;
use super::context::Context;
use super::matrix::Matrix;
use super::pipeline;
use crate::Error;
use crate::pickle::Value;
use crate::pickle::numpy::Elements;

/// Attributes that count the columns. (Of the feature selectors `n_features_` counts what they keep;
/// all versions of those have the first.)
const N_FEATURES: &[&str] = &[
    "n_features_in_",
    "n_features_",
    "_n_features",
    "n_features",
    "n_input_features_",
];

/// Attributes with one element a column, of estimators that keep no count (before 0.24).
const ONE_A_COLUMN: &[&str] = &[
    "statistics_",
    "mean_",
    "scale_",
    "center_",
    "min_",
    "var_",
    "lambdas_",
    "variances_",
    "n_bins_",
    "x_mean_",
];

/// Attributes whose rows have one element a column, of the same.
const ROWS_OF_COLUMNS: &[&str] = &[
    "coef_",
    "components_",
    "quantiles_",
    "cluster_centers_",
    "_fit_X",
    "feature_log_prob_",
    "means_",
    "support_vectors_",
    "theta_",
    "X_fit_",
    "X_train_",
];

/// Transformers that keep no count where it makes no difference to them, and the columns as they are.
const LEARN_NOTHING: &[&str] = &["Binarizer", "FunctionTransformer", "Normalizer"];

/// How many columns there are, and their names where they had any.
pub(super) fn of(at: Attributes<'_, '_>, cx: &Context<'_>) -> Result<(usize, Vec<String>), Error> {
    cx.deeper(|| {
        if !at.is_sklearn() {
            let model = crate::estimator(at.pickle, at.id, cx.format)?;
            let names = model.features.iter().map(|f| f.name.clone()).collect();
            return Ok((model.features.len(), names));
        }
        let names = feature_names(at)?;
        if let Some(n) = n_features(at)? {
            return Ok((n, names));
        }
        match inner(at)? {
            Some(inner) => {
                let (n, inner_names) = of(inner, cx)?;
                let own = !names.is_empty() || !inner.is_sklearn();
                Ok((n, if own { names } else { inner_names }))
            }
            // Names the attribute that is not there.
            None => Ok((at.count("n_features_in_")?, names)),
        }
    })
}

/// How many columns the estimator itself says that it sees.
pub(super) fn n_features(at: Attributes<'_, '_>) -> Result<Option<usize>, Error> {
    for name in N_FEATURES {
        if at.some(name).is_some_and(|id| at.pickle.number(id).is_ok()) {
            return at.count(name).map(Some);
        }
    }
    for name in ONE_A_COLUMN {
        if at.some(name).is_some()
            && let Ok(values) = at.floats(name)
        {
            return Ok(Some(values.len()));
        }
    }
    if at.class() == "IsotonicRegression" {
        return Ok(Some(1));
    }
    for name in ROWS_OF_COLUMNS {
        if at.some(name).is_some() {
            return Ok(Some(Matrix::of(at, name)?.columns));
        }
    }
    // The first layer of a network has a row a column.
    match at.some("coefs_") {
        Some(_) => Ok(Matrix::list(at, "coefs_")?.first().map(|m| m.rows)),
        None => Ok(None),
    }
}

fn feature_names(at: Attributes<'_, '_>) -> Result<Vec<String>, Error> {
    match at.some("feature_names_in_") {
        // What ColumnTransformer keeps before 1.0; other columns than text have no such names.
        None if at.some("_feature_names_in").is_some() => {
            Ok(match at.elements("_feature_names_in") {
                Ok(Elements::Strings(names)) => names,
                _ => Vec::new(),
            })
        }
        None => Ok(Vec::new()),
        Some(_) => match at.elements("feature_names_in_")? {
            Elements::Strings(names) => Ok(names),
            _ => Err(Error::invalid("`feature_names_in_` is no array of text")),
        },
    }
}

/// The first estimator within that sees the same rows.
fn inner<'p, 'a>(at: Attributes<'p, 'a>) -> Result<Option<Attributes<'p, 'a>>, Error> {
    if at.class() == "Pipeline" {
        let steps = pipeline::steps(at)?;
        for &step in &steps {
            if !LEARN_NOTHING.contains(&step.class()) || n_features(step)?.is_some() {
                return Ok(Some(step));
            }
        }
        return Ok(steps.into_iter().next());
    }
    for name in ["best_estimator_", "estimator_", "regressor_"] {
        if at.some(name).is_some() {
            return at.child(name).map(Some);
        }
    }
    if at.some("estimators_").is_some() {
        return Ok(at.objects("estimators_")?.into_iter().next());
    }
    if let Some(id) = at.some("transformer_list") {
        let Value::List(items) = at.pickle.get(id) else {
            return Ok(None);
        };
        for &item in items {
            if let Value::Tuple(pair) = at.pickle.get(item)
                && let Some(&id) = pair.get(1)
                && let Value::Object(_) = at.pickle.get(id)
            {
                return Attributes::of(at.pickle, id).map(Some);
            }
        }
    }
    Ok(None)
}
