//! The IR as ONNX: one input `input` (rows x features), or one a feature where some are text;
//! `label` and `probabilities` of a classifier, `label` and `scores` where the second class has a score,
//! `variable` of anything else.
//!
//! Every threshold keeps every comparison, and sums are arranged so that ONNX Runtime on one
//! thread makes the source's margin bits where its types allow it: XGBoost's f32 sums always do;
//! f64 sums are made in f64 and, by `ai.onnx.ml` 3, rounded once to f32. Links are compared by a
//! bound. What ONNX cannot say is refused by name.

mod apart;
mod body;
pub(crate) mod branch;
mod derive;
mod encode;
mod flat;
mod input;
mod kernel;
mod leaves;
pub(crate) mod link;
mod lists;
mod map;
mod neighbors;
mod operator;
mod output;
mod packed;
mod pairwise;
mod steps;
mod strings;
mod wide;

use fretsaw_model::{Body, Decision, Float, Model};

pub(crate) use body::Margins;
pub use packed::Packed;
pub(crate) use steps::are_composite;

use crate::graph::{Builder, ML};
use crate::proto::{ModelProto, OperatorSetIdProto};
use crate::{Error, metadata};

/// How to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LowerOptions {
    /// The version of the standard operator set: 13 to 25. `None`: 17, or 21 with `ml_opset` 5.
    pub opset: Option<i64>,
    /// The version of `ai.onnx.ml`: 3 (what every runtime has) or 5.
    pub ml_opset: i64,
    /// Whether the input is f64. Answers are then f64 too, where the operators give them.
    pub double: bool,
    /// Whether features whose categories are texts are string inputs also where the model takes their
    /// codes: then every feature is an input of its own. It always is where the model takes text.
    pub strings: bool,
    /// Whether probabilities come as maps from class to number, as skl2onnx has them.
    pub zipmap: bool,
}

impl Default for LowerOptions {
    fn default() -> Self {
        Self {
            opset: None,
            ml_opset: 3,
            double: false,
            strings: false,
            zipmap: false,
        }
    }
}

/// The `ai.onnx.ml` to choose where nobody did: 3, which every runtime has, but 5 for ensembles whose
/// inputs are f64 and whose category sets it can hold, since the operator of 3 answers f32, and its
/// leaves must be looked up by their numbers to give more.
pub fn ml_opset_for(model: &Model, double: bool) -> i64 {
    let holds = match &model.body {
        Body::Ensemble(e) => body::sets_fit(e),
        _ => steps::hold_ensemble(&model.steps),
    };
    if double && holds { 5 } else { 3 }
}

/// Writes `model` as ONNX.
///
/// # Errors
/// `Unsupported`, with the step, tree or part it stands in, for linear leaves in sums that are not f64,
/// for f64 comparisons with f32 sums of f64 values, for
/// tables of more than 2^24 entries, and for f32 links that only ensembles have behind other bodies;
/// `Invalid` for operator sets that do not exist.
pub fn lower(model: &Model, options: &LowerOptions) -> Result<ModelProto, Error> {
    whole(model, options, false)
}

/// Writes `model` as ONNX, as [`lower`] does, for a file and nothing else.
///
/// # Errors
/// As [`lower`].
pub fn pack(model: &Model, options: &LowerOptions) -> Result<Packed, Error> {
    whole(model, options, true).map(Packed)
}

fn whole(model: &Model, options: &LowerOptions, packed: bool) -> Result<ModelProto, Error> {
    let width = model.width();
    // What linear and other steps compute is f64, and so are the sums behind them.
    let unfit = matches!(&model.body, Body::Ensemble(e) if !body::sets_fit(e));
    // A margin's sign outlives its rounding to f32; which of several is the largest may not.
    let by_margins = model.decision != Decision::Answer && model.body.n_margins() > 1;
    let precise = are_composite(&model.steps) || by_margins || options.double && unfit;
    file(
        model,
        options,
        packed,
        (ML, options.ml_opset),
        |b, x, input| match &model.body {
            Body::Ensemble(e) => {
                let link = Some(&model.link);
                body::ensemble(b, e, link, precise, options, width, x, input)
            }
            Body::Linear(l) => Ok(body::linear(b, l, width, x, input)),
            Body::Row { .. } => Ok(Margins {
                name: input::cast(b, x, input, Float::F64),
                float: Float::F64,
                linked: false,
            }),
            _ => Err(Error::unsupported("a body of this kind", "model")),
        },
    )
}

/// The whole file around the margins, which `body` computes from a value of a precision with
/// operators of the set `own`: input and steps in front, link and outputs behind.
pub(crate) fn file(
    model: &Model,
    options: &LowerOptions,
    packed: bool,
    own: (&str, i64),
    body: impl FnOnce(&Builder, &str, Float) -> Result<Margins, Error>,
) -> Result<ModelProto, Error> {
    let (opset, ir_version) = versions(options)?;
    // f32 cannot hold the hashes of categories.
    let input = if options.double || model.needs_double_rows() {
        Float::F64
    } else {
        Float::F32
    };
    let mut b = Builder::new(opset, packed);
    let x = strings::inputs(&mut b, &model.features, input, options.strings)?;
    let (x, float) = steps::steps(&b, &model.steps, options, input, model.features.len(), &x)?;
    let margins = body(&b, &x, float)?;
    output::outputs(&b, model, &margins, options)?;
    let import = |domain: &str, version| OperatorSetIdProto {
        domain: Some(domain.into()),
        version: Some(version),
    };
    Ok(ModelProto {
        ir_version: Some(ir_version),
        opset_import: vec![import("", opset), import(own.0, own.1)],
        producer_name: Some("fretsaw".into()),
        producer_version: Some(env!("CARGO_PKG_VERSION").into()),
        model_version: Some(1),
        doc_string: Some(metadata::summary(model)),
        graph: Some(b.finish("fretsaw")),
        metadata_props: metadata::write(model),
        ..ModelProto::default()
    })
}

/// The standard operator set, and the oldest IR version that allows both sets.
fn versions(options: &LowerOptions) -> Result<(i64, i64), Error> {
    let (least, default) = match options.ml_opset {
        3 => (13, 17),
        5 => (13, 21),
        other => {
            return Err(Error::invalid(format!(
                "ai.onnx.ml {other} cannot be written; choose 3 or 5"
            )));
        }
    };
    let opset = options.opset.unwrap_or(default);
    let ir_version = match opset {
        13..=14 => 7,
        15..=18 => 8,
        19..=20 => 9,
        21..=22 => 10,
        23 => 11,
        24 => 12,
        25 => 13,
        _ => {
            return Err(Error::invalid(format!(
                "opset {opset} cannot be written; choose {least} to 25"
            )));
        }
    };
    // ai.onnx.ml 3 came with IR version 8, 5 with 10.
    Ok((
        opset,
        ir_version.max(if options.ml_opset == 5 { 10 } else { 8 }),
    ))
}
