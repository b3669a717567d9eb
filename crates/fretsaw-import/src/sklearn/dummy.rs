//! Estimators that answer the same for every row. Those that answer at random are refused.

use fretsaw_model::{Answer, Labels, Link, Step};

use super::attributes::Attributes;
use super::part::{Part, first_largest, linear, row};
use crate::Error;
use crate::error::shown;

/// DummyRegressor: `constant_`, whatever it was made of.
pub(super) fn regressor(at: Attributes<'_, '_>) -> Result<Part, Error> {
    let constant = at.floats("constant_")?;
    let body = row(constant.len());
    Ok(Part::values(at, always(constant), body))
}

/// DummyClassifier of a constant strategy.
pub(super) fn classifier(at: Attributes<'_, '_>) -> Result<Part, Error> {
    let labels = at.classes()?;
    let steps = always(probabilities(at, &labels)?);
    let (body, answer) = (row(labels.len()), (Link::Identity, Answer::Classes));
    Ok(Part::classifier(at, steps, body, answer, labels))
}

/// `predict_proba` of a DummyClassifier, one number a class.
pub(super) fn probabilities(at: Attributes<'_, '_>, labels: &Labels) -> Result<Vec<f64>, Error> {
    let n = labels.len();
    let strategy = at.text("_strategy").or_else(|| at.text("strategy"));
    let only = |class: Option<usize>| (0..n).map(move |i| f64::from(u8::from(Some(i) == class)));
    match strategy.unwrap_or("prior") {
        "prior" => at.one_each("class_prior_", n),
        "most_frequent" => {
            let prior = at.one_each("class_prior_", n)?;
            Ok(only(Some(first_largest(&prior))).collect())
        }
        "constant" => {
            let constant = constant(at)?;
            let class = (0..n).find(|&i| labels.name(i) == constant);
            let none = || Error::invalid("its `constant` is not among its `classes_`");
            Ok(only(Some(class.ok_or_else(none)?)).collect())
        }
        other => {
            let what = format!("of strategy `{}`", shown(other));
            Err(at.unsupported(&what, "it answers at random"))
        }
    }
}

/// These values for every row, also where it has a NaN.
fn always(values: Vec<f64>) -> Vec<Step> {
    let intercept = vec![0.0; values.len()];
    vec![
        Step::Products(vec![Vec::new()]),
        Step::Linear(linear(values, intercept)),
    ]
}

/// The class's name, as text.
fn constant(at: Attributes<'_, '_>) -> Result<String, Error> {
    if let Some(text) = at.text("constant") {
        return Ok(text.to_owned());
    }
    let id = at.get("constant")?;
    let labels = match at.pickle.number(id) {
        Ok(number) => Labels::Ints(vec![number as i64]),
        Err(_) => at.elements("constant")?.into_labels(),
    };
    match labels.len() {
        1 => Ok(labels.name(0)),
        _ => Err(Error::invalid("its `constant` is not one class")),
    }
}
