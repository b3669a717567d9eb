//! Calibrated classifiers: what a classifier answers, turned into probabilities, and the mean of
//! several that were made so.

use fretsaw_model::{Answer, Function, Link, Norm, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::isotonic;
use super::members::{Members, Term, has_decision_function, positive, sum};
use super::part::{Part, complement, no_probabilities, opposites, row};
use crate::Error;

/// What is added to a probability before its logarithm is taken.
const EPSILON: f64 = 1e-12;

/// Reads the estimator.
pub(super) fn read(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    let labels = at.classes()?;
    let n = labels.len();
    if n < 2 {
        return Err(at.unsupported("of one class", "there is nothing to decide"));
    }
    let members = at.objects("calibrated_classifiers_")?;
    let mut all = Members::new(cx, columns);
    let mut terms = Vec::new();
    for (i, &member) in members.iter().enumerate() {
        let steps = calibrated(&mut all, member, n);
        terms.push(Term {
            steps: steps.map_err(|e| e.item(i).under("calibrated_classifiers_"))?,
            outputs: (0..n).collect(),
            weight: 1.0,
        });
    }
    let steps = sum(terms, n, members.len() as f64)?;
    let answer = (Link::Identity, Answer::Classes);
    Ok(all.done(Part::classifier(at, steps, row(n), answer, labels)))
}

/// A classifier and its calibrators: a probability for each class.
fn calibrated(
    all: &mut Members<'_, '_>,
    at: Attributes<'_, '_>,
    n: usize,
) -> Result<Vec<Step>, Error> {
    let base = match at.some("estimator") {
        Some(_) => at.child("estimator")?,
        None => at.child("base_estimator")?,
    };
    let part = all.read(base)?;
    if part.n_classes() != n {
        return Err(at.unsupported(
            &format!("that knows {} of {n} classes", part.n_classes()),
            "every portion of the training rows must have all classes",
        ));
    }
    let decides = has_decision_function(base)?;
    let mut steps = if decides {
        part.into_margins()
    } else {
        let steps = match n {
            2 => positive(part),
            _ => part.into_probabilities(),
        };
        steps.ok_or_else(|| no_probabilities(base))?
    };
    let calibrators = match at.some("calibrators") {
        Some(_) => at.objects("calibrators")?,
        None => at.objects("calibrators_")?,
    };
    let method = at.text("method").unwrap_or("sigmoid");
    match method {
        "sigmoid" => sigmoid(&mut steps, &calibrators)?,
        "isotonic" => {
            let curves = calibrators.iter().map(|&c| isotonic::curve(c));
            steps.push(Step::Curves(curves.collect::<Result<_, _>>()?));
        }
        "temperature" => {
            temperature(&mut steps, &calibrators, n, decides)?;
            return Ok(steps);
        }
        other => {
            let what = format!("with method=`{}`", crate::error::shown(other));
            return Err(at.unsupported(&what, "sigmoid, isotonic and temperature are known"));
        }
    }
    let expected = if n == 2 { 1 } else { n };
    if calibrators.len() != expected {
        return Err(Error::invalid(format!(
            "{} calibrators for {n} classes",
            calibrators.len()
        )));
    }
    steps.push(match n {
        2 => Step::Linear(complement()),
        // Where every class has 0, each gets an equal share.
        _ => Step::Normalize(Norm::Shares),
    });
    if method == "isotonic" {
        // Between two points at 1 the line may come to lie an ULP above.
        steps.push(Step::Map(Function::Clip {
            low: f64::NEG_INFINITY,
            high: 1.0,
        }));
    }
    Ok(steps)
}

/// `1 / (1 + exp(a x + b))` for each value.
fn sigmoid(steps: &mut Vec<Step>, calibrators: &[Attributes<'_, '_>]) -> Result<(), Error> {
    let numbers = |name: &str| -> Result<Vec<f64>, Error> {
        calibrators.iter().map(|c| c.number(name)).collect()
    };
    steps.push(Step::Affine {
        factor: numbers("a_")?,
        offset: numbers("b_")?,
    });
    steps.push(Step::Map(Function::Negate));
    steps.push(Step::Map(Function::Logistic));
    Ok(())
}

/// A softmax of scores, or of the logarithms of probabilities, times a factor.
fn temperature(
    steps: &mut Vec<Step>,
    calibrators: &[Attributes<'_, '_>],
    n: usize,
    decides: bool,
) -> Result<(), Error> {
    let &[calibrator] = calibrators else {
        return Err(Error::invalid(format!(
            "{} calibrators, not one temperature",
            calibrators.len()
        )));
    };
    if n == 2 {
        steps.push(match decides {
            true => opposites(),
            false => Step::Linear(complement()),
        });
    }
    if !decides {
        steps.push(Step::Affine {
            factor: vec![1.0; n],
            offset: vec![EPSILON; n],
        });
        steps.push(Step::Map(Function::Ln));
    }
    steps.push(Step::Affine {
        factor: vec![calibrator.number("beta_")?; n],
        offset: vec![0.0; n],
    });
    steps.push(Step::Link(Link::Softmax));
    Ok(())
}
