//! Framework model files, read natively into the IR.
//!
//! [`detect`] tells a file's format, [`import`] makes a [`fretsaw_model::Model`] of it: the
//! framework's own model first (see [`xgboost`]), then the IR, exactly, by the rules of the version
//! that wrote it. What cannot be represented is refused by name, never approximated.
//!
//! Files are hostile until read: no declared size is trusted, nothing recurses without bound, a
//! pickle is read as data and never run. This crate does no I/O and has no `unsafe`; ONNX is
//! detected here and read elsewhere.
#![forbid(unsafe_code)]

pub mod catboost;
mod decompress;
mod document;
mod error;
mod format;
pub mod lightgbm;
mod pickle;
mod sklearn;
mod skops;
pub mod xgboost;

pub use error::{Error, ErrorKind};
pub use format::{Format, detect};

/// Makes the IR of a model file: XGBoost's JSON, UBJSON or old binary format; LightGBM's text or JSON
/// dump; CatBoost's `.cbm` or JSON; or a pickle, a joblib file (plain, or by any of its compressions)
/// or a skops file of a tree ensemble of scikit-learn's, or of an estimator or Booster of XGBoost,
/// LightGBM or CatBoost.
///
/// An estimator predicts with the iterations up to its best one and with its own class names; a
/// bare Booster of XGBoost with all iterations. The provenance lacks the file's hash.
///
/// # Errors
/// When the format is not one of these, or the file is broken or contradicts itself, or holds
/// something that cannot be represented.
pub fn import(bytes: &[u8]) -> Result<fretsaw_model::Model, Error> {
    match decompress::unpack(detect(bytes), bytes) {
        Some(unpacked) => import_plain(&unpacked?),
        None => import_plain(bytes),
    }
}

/// As [`import`], but lets go of a compressed file as soon as it is unpacked.
///
/// # Errors
/// As [`import`].
pub fn import_owned(bytes: Vec<u8>) -> Result<fretsaw_model::Model, Error> {
    match decompress::unpack(detect(&bytes), &bytes) {
        Some(unpacked) => {
            let unpacked = unpacked?;
            drop(bytes);
            import_plain(&unpacked)
        }
        None => import_plain(&bytes),
    }
}

fn import_plain(bytes: &[u8]) -> Result<fretsaw_model::Model, Error> {
    use xgboost::{from_binary, from_json, from_ubjson, lift};
    match detect(bytes) {
        Format::XgboostJson => lift(&from_json(bytes)?, Default::default(), "xgboost-json"),
        Format::XgboostUbjson => lift(&from_ubjson(bytes)?, Default::default(), "xgboost-ubjson"),
        Format::XgboostBinary => lift(&from_binary(bytes)?, Default::default(), "xgboost-binary"),
        Format::LightgbmText => {
            let model = lightgbm::from_text(bytes)?;
            lightgbm::lift(&model, Default::default(), "lightgbm-text")
        }
        Format::LightgbmJson => {
            let model = lightgbm::from_json(bytes)?;
            lightgbm::lift(&model, Default::default(), "lightgbm-json")
        }
        Format::Pickle => {
            let pickle = pickle::Pickle::read(bytes)?;
            estimator(&pickle, pickle.root, "pickle")
        }
        Format::Zip => {
            let skops = skops::read(bytes)?;
            estimator(&skops, skops.root, "skops")
        }
        Format::CatboostBinary => catboost::lift(&catboost::from_cbm(bytes)?, "catboost-cbm"),
        Format::CatboostJson => catboost::lift(&catboost::from_json(bytes)?, "catboost-json"),
        other => Err(other.refusal()),
    }
}

/// The estimator or Booster `id`, by the package that its class is from.
fn estimator(
    pickle: &pickle::Pickle<'_>,
    id: pickle::Id,
    format: &str,
) -> Result<fretsaw_model::Model, Error> {
    if pickle.package(id) == Some("sklearn") {
        return sklearn::read(pickle, id, format);
    }
    if pickle.package(id) == Some("lightgbm") {
        let (model, wrapper) = lightgbm::from_pickle(pickle, id)?;
        return lightgbm::lift(&model, wrapper, &format!("lightgbm-{format}"));
    }
    if pickle.package(id) == Some("catboost") {
        let model = catboost::from_pickle(pickle, id)?;
        return catboost::lift(&model, &format!("catboost-{format}"));
    }
    let (model, wrapper) = xgboost::from_pickle(pickle, id)?;
    xgboost::lift(&model, wrapper, &format!("xgboost-{format}"))
}
