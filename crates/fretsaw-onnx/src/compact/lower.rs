//! A whole file around the operator: the portable file's input, steps, link, outputs and metadata,
//! with the compact node in place of the standard one.

use fretsaw_model::{Feature, FeatureKind, Model};

use super::{DOMAIN, VERSION, encode};
use crate::Error;
use crate::lower::{LowerOptions, Margins, are_composite, file};
use crate::proto::ModelProto;

/// Writes an ensemble in its compact form: what [`lower`](crate::lower()) writes, but for the one
/// node that computes the margins, which it does exactly. With `double` the input is f64, and
/// answers are as precise as the margins; without, both are f32.
///
/// # Errors
/// `Unsupported` for models that are no tree ensembles behind plain preprocessing of numbers (what reads
/// this operator reads no more than that), for links that no standard operator
/// computes, and for more categories than the format allows.
pub fn lower(model: &Model, double: bool) -> Result<ModelProto, Error> {
    let e = model
        .ensemble()
        .ok_or_else(|| Error::unsupported("a compact form of anything but trees", "model"))?;
    let text = |f: &Feature| matches!(f.kind, FeatureKind::Text { .. } | FeatureKind::Hashed);
    if are_composite(&model.steps) || model.features.iter().any(text) {
        return Err(Error::unsupported("a compact form of a pipeline", "model"));
    }
    let options = LowerOptions {
        double,
        ..LowerOptions::default()
    };
    file(model, &options, false, (DOMAIN, VERSION), |b, x, _| {
        let name = b.fresh("margin");
        b.push(encode(e, x, &name)?);
        Ok(Margins {
            name,
            float: e.sum.margin(),
            linked: false,
        })
    })
}
