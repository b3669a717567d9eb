//! A whole file around the operator: the portable file's input, steps, link, outputs and metadata,
//! with the compact node in place of the standard one.

use fretsaw_model::Model;

use super::{DOMAIN, VERSION, encode};
use crate::Error;
use crate::lower::{LowerOptions, Margins, file};
use crate::proto::ModelProto;

/// Writes an ensemble in its compact form: what [`lower`](crate::lower()) writes, but for the one
/// node that computes the margins, which it does exactly. With `double` the input is f64, and
/// answers are as precise as the margins; without, both are f32.
///
/// # Errors
/// `Unsupported` for models that are no tree ensembles, for links that no standard operator
/// computes, and for more categories than the format allows.
pub fn lower(model: &Model, double: bool) -> Result<ModelProto, Error> {
    let e = model
        .ensemble()
        .ok_or_else(|| Error::unsupported("a compact form of anything but trees", "model"))?;
    let options = LowerOptions {
        double,
        ..LowerOptions::default()
    };
    file(model, &options, (DOMAIN, VERSION), |b, x, _| {
        let name = b.fresh("margin");
        b.push(encode(e, x, &name)?);
        Ok(Margins {
            name,
            float: e.sum.margin(),
            linked: false,
        })
    })
}
