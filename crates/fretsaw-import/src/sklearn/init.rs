//! Where gradient boosting starts: `init_` as a margin.
//!
//! A constant estimator is a number here. Any other is run on every row, in single precision as
//! gradient boosting has its rows; so it must be one that casts them itself, as trees do.

use fretsaw_model::{Float, Function, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::dummy;
use super::estimator;
use super::members::{centred, positive};
use super::part::{Part, no_probabilities};
use crate::Error;
use crate::pickle::Value;

/// Where gradient boosting starts.
#[derive(Debug)]
pub(super) enum Start {
    /// From the same margins for every row, one an output.
    Constant(Vec<f64>),
    /// From what these steps give, one value an output.
    Steps(Vec<Step>),
}

/// What gradient boosting starts from. `n_classes` is 0 of a regressor.
pub(super) fn start(
    model: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
    loss: &str,
    n_classes: usize,
) -> Result<Start, Error> {
    let n_outputs = if n_classes > 2 { n_classes } else { 1 };
    let id = model.get("init_")?;
    if let Value::Str(name) = model.pickle.get(id)
        && name == "zero"
    {
        return Ok(Start::Constant(vec![0.0; n_outputs]));
    }
    let init = model.child("init_")?;
    match init.class() {
        "DummyRegressor" if init.is_sklearn() && n_classes == 0 => {
            let constant = init.floats("constant_")?;
            match constant[..] {
                [_] => Ok(Start::Constant(constant)),
                _ => Err(Error::invalid("its `constant_` is not one number").under("init_")),
            }
        }
        "DummyClassifier" if init.is_sklearn() && n_classes > 0 => {
            let mut p = prior(init, n_classes)?;
            clip(&mut p, cx.version);
            Ok(Start::Constant(link(&p, cx.version, loss)))
        }
        _ => {
            let part = estimator::read(init, cx, columns).map_err(|e| e.under("init_"))?;
            run(init, part, cx.version, loss, n_classes).map(Start::Steps)
        }
    }
}

/// The steps of an estimator to start from.
fn run(
    init: Attributes<'_, '_>,
    part: Part,
    version: (u32, u32),
    loss: &str,
    n_classes: usize,
) -> Result<Vec<Step>, Error> {
    if part.n_classes() != n_classes {
        let fault = format!("it knows {} of {n_classes} classes", part.n_classes());
        return Err(Error::invalid(fault).under("init_"));
    }
    let mut steps = match n_classes {
        0 => part.into_answers(),
        2 => positive(part).ok_or_else(|| no_probabilities(init))?,
        _ => part
            .into_probabilities()
            .ok_or_else(|| no_probabilities(init))?,
    };
    if !casts(&steps) {
        return Err(init.unsupported(
            "as `init` of gradient boosting",
            "it would see rows in single precision; \"zero\", None, constants and trees are taken",
        ));
    }
    if n_classes == 0 {
        return Ok(steps);
    }
    let (low, high) = limits(version);
    steps.push(Step::Map(Function::Clip { low, high }));
    if n_classes == 2 {
        // `ln(p / (1 - p))`
        let by_rest = vec![
            Step::Affine {
                factor: vec![-1.0],
                offset: vec![1.0],
            },
            Step::Map(Function::Reciprocal),
        ];
        steps.push(Step::Branches(vec![Vec::new(), by_rest]));
        steps.push(Step::Products(vec![vec![0, 1]]));
        steps.push(Step::Map(Function::Ln));
        if loss == "exponential" {
            steps.push(Step::Affine {
                factor: vec![0.5],
                offset: vec![0.0],
            });
        }
        return Ok(steps);
    }
    steps.push(Step::Map(Function::Ln));
    if version >= NEW_LINK {
        // Less their mean, which is the logarithm of the geometric one.
        steps.push(centred(n_classes, 1.0)?);
    }
    Ok(steps)
}

/// Whether the steps begin by casting every value to single precision.
fn casts(steps: &[Step]) -> bool {
    match steps.first() {
        Some(Step::Ensemble(e)) => e.compare == Float::F32,
        Some(Step::Select { .. }) => casts(&steps[1..]),
        Some(Step::Branches(branches)) => branches.iter().all(|b| casts(b)),
        _ => false,
    }
}

/// What the DummyClassifier's `predict_proba` gives for every row.
fn prior(init: Attributes<'_, '_>, n_classes: usize) -> Result<Vec<f64>, Error> {
    // At random it is only `predict` that this strategy answers.
    if init.text("strategy") == Some("uniform") {
        return Ok(vec![1.0 / n_classes as f64; n_classes]);
    }
    let labels = init.classes()?;
    if labels.len() != n_classes {
        let fault = format!("it knows {} of {n_classes} classes", labels.len());
        return Err(Error::invalid(fault).under("init_"));
    }
    dummy::probabilities(init, &labels)
}

/// How near to 0 and 1 probabilities may come.
fn limits(version: (u32, u32)) -> (f64, f64) {
    match version >= FINE_EPSILON {
        true => (f64::EPSILON, 1.0 - f64::EPSILON),
        false => (f64::from(f32::EPSILON), f64::from(1.0 - f32::EPSILON)),
    }
}

fn clip(p: &mut [f64], version: (u32, u32)) {
    let (low, high) = limits(version);
    for p in p {
        *p = p.clamp(low, high);
    }
}

/// Probabilities are kept this far from 0 and 1: f32's epsilon, and later f64's.
const FINE_EPSILON: (u32, u32) = (1, 8);

/// The version with links of their own (`_loss/link.py`).
const NEW_LINK: (u32, u32) = (1, 4);

/// The inverse of the loss's link, by the formulas of `_gb_losses.py` (to 1.3) and `_loss/link.py`.
fn link(p: &[f64], version: (u32, u32), loss: &str) -> Vec<f64> {
    let new = version >= NEW_LINK;
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
