//! ONNX files for the rest of the library: bytes to a model and back, in our error.

use std::io;

use fretsaw_model::{Answer, Body, Decision, Draft, Feature, Link, Model, Provenance};
use fretsaw_onnx::{
    ErrorKind as OnnxErrorKind, LowerOptions, Packed, compact as operator, lift, pack,
};

use crate::{Error, ErrorKind, Result};

pub use fretsaw_onnx::{LowerOptions as Lower, ml_opset_for};

/// Reads an ONNX file, ours or another converter's, as a model. `external` reads a file beside it
/// by its name.
///
/// # Errors
/// When the bytes are no ONNX file, contradict themselves, or hold an operator or a pattern that
/// has no exact model (named).
pub fn read(bytes: &[u8], external: &dyn Fn(&str) -> io::Result<Vec<u8>>) -> Result<Model> {
    read_owned(bytes.to_vec(), external)
}

/// As [`read`], without a copy of the bytes.
///
/// # Errors
/// As [`read`].
pub fn read_owned(bytes: Vec<u8>, external: &dyn Fn(&str) -> io::Result<Vec<u8>>) -> Result<Model> {
    let mut proto = fretsaw_onnx::read(bytes).map_err(error)?;
    let external = |name: &str| external(name).map(Into::into).map_err(|e| e.to_string());
    fretsaw_onnx::load_external(&mut proto, external).map_err(error)?;
    lift(&proto).map_err(error)
}

/// Writes `model` with standard operators.
///
/// # Errors
/// When the operators cannot hold it exactly (named).
pub fn write(model: &Model, options: &LowerOptions) -> Result<Vec<u8>> {
    pack(model, options).and_then(Packed::write).map_err(error)
}

/// As [`write()`], but lets go of the model as soon as it can: a large one then need not be in memory
/// next to its file.
///
/// # Errors
/// As [`write()`].
pub fn write_last(model: Model, options: &LowerOptions) -> Result<Vec<u8>> {
    let packed = pack(&model, options).map_err(error)?;
    drop(model);
    packed.write().map_err(error)
}

/// Writes `model` as every runtime reads it: standard operators, `ai.onnx.ml` 3, f32 input.
///
/// # Errors
/// When the operators cannot hold it exactly (named).
pub fn portable(model: &Model) -> Result<Vec<u8>> {
    write(model, &LowerOptions::default())
}

/// The same with f64 input and answers, which for most ensembles takes `ai.onnx.ml` 5.
///
/// # Errors
/// When the operators cannot hold it exactly (named).
pub fn portable_double(model: &Model) -> Result<Vec<u8>> {
    let options = LowerOptions {
        double: true,
        ml_opset: ml_opset_for(model, true),
        ..LowerOptions::default()
    };
    write(model, &options)
}

/// Writes `model` with the operator `fretsaw.TreeEnsemble`, small; its input is f64 with `double`,
/// else f32.
///
/// # Errors
/// When the operator cannot hold it (named).
pub fn compact(model: &Model, double: bool) -> Result<Vec<u8>> {
    operator::lower(model, double)
        .and_then(|proto| fretsaw_onnx::write(&proto))
        .map_err(error)
}

/// The operator sets that an ONNX file asks for: domain (empty: the standard one) and version.
///
/// # Errors
/// When the bytes are no ONNX file.
pub fn opsets(bytes: &[u8]) -> Result<Vec<(String, i64)>> {
    let proto = fretsaw_onnx::read(bytes.to_vec()).map_err(error)?;
    let one = |o: fretsaw_onnx::proto::OperatorSetIdProto| {
        (o.domain.unwrap_or_default(), o.version.unwrap_or_default())
    };
    Ok(proto.opset_import.into_iter().map(one).collect())
}

/// The features that a file of ours lists, as a model that answers with them: what rows for it are made
/// by where its graph is not read. `None` for a file that lists none, and for one whose answer is a
/// class beside scores, which only its model would tell from an answer of scores.
///
/// # Errors
/// When the bytes are no ONNX file.
pub fn row(bytes: &[u8]) -> Result<Option<Model>> {
    let proto = fretsaw_onnx::read(bytes.to_vec()).map_err(error)?;
    let mut entries = proto.metadata_props.iter();
    let listed = entries.find(|e| e.key.as_deref() == Some(fretsaw_onnx::FEATURES));
    let features = listed.and_then(|e| fretsaw_onnx::features_in(e.value.as_deref()?));
    let outputs = proto.graph.iter().flat_map(|g| &g.output);
    let scores = outputs.filter(|o| o.name.as_deref() == Some("scores"));
    Ok(features
        .filter(|_| scores.count() == 0)
        .and_then(answering_features))
}

fn answering_features(features: Vec<Feature>) -> Option<Model> {
    let n = features.len();
    let draft = Draft {
        features,
        steps: Vec::new(),
        body: Body::Row {
            n_outputs: n,
            n_margins: n,
        },
        link: Link::Identity,
        answer: Answer::Values,
        decision: Decision::Answer,
        labels: None,
        provenance: Provenance::default(),
    };
    draft.build().ok()
}

fn error(e: fretsaw_onnx::Error) -> Error {
    let kind = match e.kind() {
        OnnxErrorKind::Unsupported => ErrorKind::Unsupported,
        _ => ErrorKind::Model,
    };
    Error::new(kind, e.to_string()).with_source(e)
}
