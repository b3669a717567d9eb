//! The model in a pickled CatBoost object: the bytes of a `.cbm` among its attributes.

use super::{Model, from_cbm};
use crate::Error;
use crate::pickle::{Id, Pickle, Value};

/// Finds the model.
pub(crate) fn from_pickle(pickle: &Pickle<'_>, id: Id) -> Result<Model, Error> {
    let Value::Object(object) = pickle.get(id) else {
        return Err(Error::unsupported(
            pickle.describe(id),
            "the pickle should hold a CatBoost model",
        ));
    };
    let model = pickle
        .some_attribute(object, "__model")
        .and_then(|id| pickle.bytes(id))
        .ok_or_else(|| {
            Error::invalid(format!(
                "the `{}` has no model: it was never fitted",
                object.callee.shown()
            ))
        })?;
    from_cbm(&model).map_err(|e| e.under("__model"))
}
