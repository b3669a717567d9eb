//! Multilayer perceptrons: layers of `x @ coefs_[i] + intercepts_[i]`, an activation between them,
//! and another behind the last.

use fretsaw_model::{Answer, Body, Function, Linear, Link, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::matrix::Matrix;
use super::part::{Part, linear};
use crate::Error;
use crate::error::shown;

/// MLPRegressor.
pub(super) fn regressor(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    let (steps, last) = layers(at, columns)?;
    let link = match out_activation(at)? {
        "identity" => Link::Identity,
        "exp" => Link::Exp,
        other => return Err(unknown(at, other)),
    };
    Ok(Part {
        link,
        ..Part::values(at, steps, Body::Linear(last))
    })
}

/// MLPClassifier. There is no decision function: the margins are what the last activation sees.
pub(super) fn classifier(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    let (steps, last) = layers(at, columns)?;
    let kind = match at.some("_label_binarizer") {
        Some(_) => at.child("_label_binarizer")?.text("y_type_"),
        None => None,
    };
    let labels = at.classes()?;
    let several = kind.is_some_and(|k| k.starts_with("multilabel"));
    let sigmoid = Link::Sigmoid { steepness: 1.0 };
    let (link, answer) = match (out_activation(at)?, several) {
        ("logistic", true) => (sigmoid, Answer::Labels),
        ("logistic", false) => (sigmoid, Answer::Binary),
        ("softmax", false) => (Link::Softmax, Answer::Classes),
        (other, _) => return Err(unknown(at, other)),
    };
    let wanted = match answer {
        Answer::Binary if labels.len() == 2 => 1,
        _ => labels.len(),
    };
    if last.n_outputs != wanted {
        return Err(Error::invalid(format!(
            "{} outputs for {} classes",
            last.n_outputs,
            labels.len()
        )));
    }
    let part = Part::classifier(at, steps, Body::Linear(last), (link, answer), labels);
    Ok(Part {
        probabilities: !several,
        ..part
    })
}

/// The layers but for the last, and that one.
fn layers(at: Attributes<'_, '_>, columns: &Columns) -> Result<(Vec<Step>, Linear), Error> {
    let hidden = match at.text("activation") {
        Some("identity") => None,
        Some("logistic") => Some(Function::Logistic),
        Some("tanh") => Some(Function::Tanh),
        Some("relu") => Some(Function::Relu),
        other => return Err(unknown(at, other.unwrap_or("a function of its own"))),
    };
    let (coefs, intercepts) = (
        Matrix::list(at, "coefs_")?,
        Matrix::list(at, "intercepts_")?,
    );
    if coefs.len() != intercepts.len() {
        return Err(Error::invalid(format!(
            "{} items in `coefs_` and {} in `intercepts_`",
            coefs.len(),
            intercepts.len()
        )));
    }
    let mut width = columns.width();
    let mut layers = Vec::new();
    for (i, (coef, intercept)) in coefs.into_iter().zip(intercepts).enumerate() {
        let n = coef.columns;
        let coef = coef.shaped("coefs_", width, n).map_err(|e| e.item(i))?;
        let intercept = intercept
            .shaped("intercepts_", 1, n)
            .map_err(|e| e.item(i))?;
        layers.push(linear(coef.values, intercept.values));
        width = n;
    }
    let last = layers.pop();
    let last = last.ok_or_else(|| Error::invalid("`coefs_` has no layers"))?;
    let mut steps = Vec::new();
    for layer in layers {
        steps.push(Step::Linear(layer));
        steps.extend(hidden.map(Step::Map));
    }
    Ok((steps, last))
}

fn out_activation<'p>(at: Attributes<'p, '_>) -> Result<&'p str, Error> {
    at.get("out_activation_")?;
    Ok(at
        .text("out_activation_")
        .unwrap_or("a function of its own"))
}

fn unknown(at: Attributes<'_, '_>, activation: &str) -> Error {
    at.unsupported(
        &format!("with the activation `{}`", shown(activation)),
        "identity, logistic, tanh and relu are known, and softmax and exp behind the last layer",
    )
}
