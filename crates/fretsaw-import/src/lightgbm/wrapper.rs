//! The Booster in a pickle: bare, or in a scikit-learn estimator of LightGBM's.
//!
//! A pickled Booster holds the model's text with all its iterations, and beside it the best one, up
//! to which both it and the estimator predict.

use fretsaw_model::Labels;

use super::lift::Wrapper;
use super::{Model, from_text};
use crate::Error;
use crate::pickle::{Id, Object, Pickle, Value};

/// Finds the model and what the objects around it add.
pub(crate) fn from_pickle(pickle: &Pickle<'_>, id: Id) -> Result<(Model, Wrapper), Error> {
    let Value::Object(object) = pickle.get(id) else {
        return Err(other(pickle));
    };
    from_object(pickle, object)
}

/// The same for an object anywhere in a pickle.
pub(crate) fn from_object(
    pickle: &Pickle<'_>,
    object: &Object<'_>,
) -> Result<(Model, Wrapper), Error> {
    match &*object.callee.module {
        "lightgbm.basic" if object.callee.name == "Booster" => booster(pickle, object),
        "lightgbm.sklearn" | "lightgbm.dask" => {
            let Some(Value::Object(inner)) = pickle
                .some_attribute(object, "_Booster")
                .map(|id| pickle.get(id))
            else {
                return Err(Error::invalid(format!(
                    "the `{}` has no Booster: it was never fitted",
                    object.callee.shown()
                )));
            };
            let (model, wrapper) = booster(pickle, inner)?;
            let labels = labels(pickle, object)?;
            Ok((model, Wrapper { labels, ..wrapper }))
        }
        _ => Err(other(pickle)),
    }
}

fn other(pickle: &Pickle<'_>) -> Error {
    Error::unsupported(
        pickle.describe(pickle.root),
        "the pickle should hold an estimator or a Booster of LightGBM",
    )
}

fn booster(pickle: &Pickle<'_>, object: &Object<'_>) -> Result<(Model, Wrapper), Error> {
    // `handle` until 3.3.
    let (key, id) = ["_handle", "handle"]
        .into_iter()
        .find_map(|key| Some((key, pickle.some_attribute(object, key)?)))
        .ok_or_else(|| Error::invalid("the Booster has no `_handle`: it was never trained"))?;
    let model = match pickle.get(id) {
        Value::Str(text) => from_text(text.as_bytes()).map_err(|e| e.under(key))?,
        _ => {
            return Err(Error::invalid(format!(
                "the Booster's {key} is {}, not text",
                pickle.describe(id)
            )));
        }
    };
    let iterations = match pickle.some_attribute(object, "best_iteration") {
        None => None,
        Some(id) => {
            let best = pickle.number(id).map_err(|e| e.under("best_iteration"))?;
            // 0 and -1 say that there is none.
            (best >= 1.0).then_some(best as usize)
        }
    };
    let wrapper = Wrapper {
        iterations,
        labels: None,
    };
    Ok((model, wrapper))
}

fn labels(pickle: &Pickle<'_>, estimator: &Object<'_>) -> Result<Option<Labels>, Error> {
    let Some(id) = pickle.some_attribute(estimator, "_classes") else {
        return Ok(None);
    };
    match pickle.elements(id) {
        Some(elements) => Ok(Some(elements.into_labels())),
        None => Err(Error::unsupported(
            format!("class names in {}", pickle.describe(id)),
            "_classes should be an array of numbers or text",
        )),
    }
}
