//! The Booster in a pickle: bare, or in a scikit-learn estimator of XGBoost's.
//!
//! An estimator predicts up to its best iteration, has a value that stands for missing, and may
//! name its classes. The Booster within is a document as in a model file, next to the training
//! configuration, which is not read.

use super::lift::Wrapper;
use super::{Model, from_binary, from_json, from_ubjson};
use crate::Error;
use crate::format::{Format, detect};
use crate::pickle::numpy::Elements;
use crate::pickle::{Id, Object, Pickle, Value};

/// Finds the model in the estimator `id`, and what the estimator adds to it.
pub(crate) fn from_pickle(pickle: &Pickle<'_>, id: Id) -> Result<(Model, Wrapper), Error> {
    let other = || {
        Error::unsupported(
            pickle.describe(id),
            "the file should hold an estimator of scikit-learn or XGBoost, or a Booster",
        )
    };
    let Value::Object(object) = pickle.get(id) else {
        return Err(other());
    };
    match &*object.callee.module {
        "xgboost.core" if object.callee.name == "Booster" => {
            Ok((booster(pickle, object)?, Wrapper::default()))
        }
        "xgboost.sklearn" => {
            let Some(Value::Object(inner)) = pickle
                .some_attribute(object, "_Booster")
                .map(|id| pickle.get(id))
            else {
                return Err(Error::invalid(format!(
                    "the `{}` has no Booster: it was never fitted",
                    object.callee.shown()
                )));
            };
            let mut model = booster(pickle, inner)?;
            // Before 1.4 how many trees are used was the Python object's, not the model's.
            let limit = pickle.some_attribute(object, "best_ntree_limit");
            if let Some(&Value::Int(limit)) = limit.map(|id| pickle.get(id)) {
                let attributes = &mut model.learner.attributes;
                let name = "best_ntree_limit".to_owned();
                attributes.entry(name).or_insert_with(|| limit.to_string());
            }
            Ok((model, wrapper(pickle, object)?))
        }
        _ => Err(other()),
    }
}

fn booster(pickle: &Pickle<'_>, object: &Object<'_>) -> Result<Model, Error> {
    let handle = pickle
        .some_attribute(object, "handle")
        .ok_or_else(|| Error::invalid("the Booster has no `handle`: it was never trained"))?;
    let bytes = pickle.bytes(handle).ok_or_else(|| {
        Error::invalid(format!(
            "the Booster's handle is {}, not bytes",
            pickle.describe(handle)
        ))
    })?;
    let mut model = match detect(&bytes) {
        Format::XgboostJson => from_json(&bytes),
        Format::XgboostUbjson => from_ubjson(&bytes),
        Format::XgboostBinary => from_binary(&bytes),
        other => Err(other.refusal()),
    }
    .map_err(|e| e.under("handle"))?;
    // Before 1.4 the names were the Python object's, not the document's.
    if model.learner.feature_names.is_empty()
        && let Some(names) = pickle.some_attribute(object, "feature_names")
        && let Some(Elements::Strings(names)) = pickle.elements(names)
    {
        model.learner.feature_names = names;
    }
    Ok(model)
}

fn wrapper(pickle: &Pickle<'_>, object: &Object<'_>) -> Result<Wrapper, Error> {
    let missing = match pickle.some_attribute(object, "missing") {
        None => None,
        Some(id) => {
            let value = pickle.number(id).map_err(|e| e.under("missing"))?;
            Some(value).filter(|v| !v.is_nan())
        }
    };
    let encoder = pickle
        .some_attribute(object, "_le")
        .and_then(|id| match pickle.get(id) {
            Value::Object(encoder) => pickle.some_attribute(encoder, "classes_"),
            _ => None,
        });
    let classes = pickle.some_attribute(object, "classes_").or(encoder);
    let labels = match classes {
        None => None,
        Some(id) => {
            let elements = pickle.elements(id).ok_or_else(|| {
                Error::unsupported(
                    format!("class names in {}", pickle.describe(id)),
                    "classes_ should be an array of numbers or text",
                )
            })?;
            Some(elements.into_labels())
        }
    };
    Ok(Wrapper {
        best_iteration: true,
        missing,
        labels,
    })
}
