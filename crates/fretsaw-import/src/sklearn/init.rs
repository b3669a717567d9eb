//! Where gradient boosting starts: `init_` as a margin.
//!
//! A constant estimator is a number here; any other would have to be run on every row, which the IR
//! has no place for, and is refused by name.

use super::attributes::Attributes;
use crate::Error;
use crate::pickle::Value;

/// The margins that gradient boosting starts from, one an output. `n_classes` is 0 of a regressor.
pub(super) fn margins(
    model: Attributes<'_, '_>,
    version: (u32, u32),
    loss: &str,
    n_classes: usize,
) -> Result<Vec<f64>, Error> {
    let n_outputs = if n_classes > 2 { n_classes } else { 1 };
    let id = model.get("init_")?;
    if let Value::Str(name) = model.pickle.get(id)
        && name == "zero"
    {
        return Ok(vec![0.0; n_outputs]);
    }
    let init = model.child("init_")?;
    match init.class() {
        "DummyRegressor" if init.is_sklearn() && n_classes == 0 => {
            let constant = init.floats("constant_")?;
            match constant[..] {
                [one] => Ok(vec![one]),
                _ => Err(Error::invalid("its `constant_` is not one number").under("init_")),
            }
        }
        "DummyClassifier" if init.is_sklearn() && n_classes > 0 => {
            let mut p = prior(init, n_classes)?;
            clip(&mut p, version);
            Ok(link(&p, version, loss))
        }
        _ => Err(init.unsupported(
            "as `init` of gradient boosting",
            "only a constant start is taken: \"zero\", None, a DummyClassifier or DummyRegressor",
        )),
    }
}

/// What the DummyClassifier's `predict_proba` gives for every row.
fn prior(init: Attributes<'_, '_>, n_classes: usize) -> Result<Vec<f64>, Error> {
    let strategy = init
        .text("_strategy")
        .or_else(|| init.text("strategy"))
        .unwrap_or("prior");
    let prior = init.floats("class_prior_")?;
    if prior.len() != n_classes {
        return Err(Error::invalid(format!(
            "{} numbers in `class_prior_` for {n_classes} classes",
            prior.len()
        ))
        .under("init_"));
    }
    let mut largest = 0;
    for (i, p) in prior.iter().enumerate() {
        if *p > prior[largest] {
            largest = i;
        }
    }
    match strategy {
        "prior" => Ok(prior),
        "most_frequent" => Ok((0..n_classes)
            .map(|i| if i == largest { 1.0 } else { 0.0 })
            .collect()),
        "uniform" => Ok(vec![1.0 / n_classes as f64; n_classes]),
        other => Err(init.unsupported(
            &format!("of strategy `{}`", crate::error::shown(other)),
            "its answers are no constant that the file holds",
        )),
    }
}

fn clip(p: &mut [f64], version: (u32, u32)) {
    let (low, high) = if version >= FINE_EPSILON {
        (f64::EPSILON, 1.0 - f64::EPSILON)
    } else {
        (f64::from(f32::EPSILON), f64::from(1.0 - f32::EPSILON))
    };
    for p in p {
        *p = p.clamp(low, high);
    }
}

/// Probabilities are kept this far from 0 and 1: f32's epsilon, and later f64's.
const FINE_EPSILON: (u32, u32) = (1, 8);

/// The inverse of the loss's link, by the formulas of `_gb_losses.py` (to 1.3) and `_loss/link.py`.
fn link(p: &[f64], version: (u32, u32), loss: &str) -> Vec<f64> {
    let new = version >= (1, 4);
    if let [_, p] = *p {
        let logit = if new { logit(p) } else { (p / (1.0 - p)).ln() };
        return vec![if loss == "exponential" {
            0.5 * logit
        } else {
            logit
        }];
    }
    if !new {
        return p.iter().map(|p| p.ln()).collect();
    }
    // The geometric mean in SciPy's way.
    let mean = p.iter().map(|p| p.ln()).sum::<f64>() / p.len() as f64;
    let mean = mean.exp();
    p.iter().map(|p| (p / mean).ln()).collect()
}

/// SciPy's `logit`, which avoids a cancellation around one half.
fn logit(p: f64) -> f64 {
    if !(0.3..=0.65).contains(&p) {
        return (p / (1.0 - p)).ln();
    }
    let s = 2.0 * (p - 0.5);
    s.ln_1p() - (-s).ln_1p()
}
