//! Gradient boosting: trees added to an initial margin.

use fretsaw_model::{
    Answer, BaseOrder, Body, Decision, Ensemble, Float, Labels, Link, Sum, Target,
};

use super::attributes::Attributes;
use super::context::Context;
use super::part::Part;
use super::{forest, init, tree};
use crate::Error;

/// Trees added to an initial margin.
#[derive(Debug)]
struct GradientBoosting {
    /// Stage by stage, one tree an output.
    estimators: Vec<tree::Tree>,
    learning_rate: f64,
    /// `init_` in the scale of the margins: one value an output.
    init: Vec<f64>,
}

/// Reads the estimator.
pub(super) fn read(at: Attributes<'_, '_>, cx: &Context<'_>) -> Result<Part, Error> {
    let classifier = at.class() == "GradientBoostingClassifier";
    let classes = classifier.then(|| at.classes()).transpose()?;
    let n_classes = classes.as_ref().map_or(0, Labels::len);
    let loss = at.text("loss").unwrap_or_default();
    let boosting = GradientBoosting {
        estimators: forest::trees_of(at)?,
        learning_rate: at.number("learning_rate")?,
        init: init::margins(at, cx.version, loss, n_classes)?,
    };
    let answer = answer(loss, classes.as_ref())?;
    // Up to 1.3 a class was named by its probability, but for the exponential loss.
    let decision = match cx.since(1, 4) || loss == "exponential" {
        true => Decision::MarginFromZero,
        false => Decision::Answer,
    };
    let body = Body::Ensemble(boosted(boosting)?);
    Ok(part(at, body, answer, decision, classes))
}

/// Boosting's margins with what they become.
pub(super) fn part(
    at: Attributes<'_, '_>,
    body: Body,
    (link, answer): (Link, Answer),
    decision: Decision,
    classes: Option<Labels>,
) -> Part {
    let Some(labels) = classes else {
        return Part {
            link,
            ..Part::values(at, Vec::new(), body)
        };
    };
    Part {
        decision,
        ..Part::classifier(at, Vec::new(), body, (link, answer), labels)
    }
}

/// Margins of boosting: one, or one a class where there are more than two.
pub(super) fn n_outputs(classes: Option<&Labels>) -> usize {
    match classes.map_or(0, Labels::len) {
        n @ 3.. => n,
        _ => 1,
    }
}

/// What boosting's margins become.
pub(super) fn answer(loss: &str, classes: Option<&Labels>) -> Result<(Link, Answer), Error> {
    let unknown = || {
        Error::unsupported(
            format!("the loss `{}`", crate::error::shown(loss)),
            "scikit-learn's losses of 0.24 and later are known",
        )
    };
    let Some(classes) = classes else {
        return match loss {
            "squared_error"
            | "least_squares"
            | "ls"
            | "absolute_error"
            | "least_absolute_deviation"
            | "lad"
            | "huber"
            | "quantile" => Ok((Link::Identity, Answer::Values)),
            "poisson" | "gamma" => Ok((Link::Exp, Answer::Values)),
            _ => Err(unknown()),
        };
    };
    match (loss, classes.len()) {
        ("exponential", 2) => Ok((Link::Sigmoid { steepness: 2.0 }, Answer::Binary)),
        (
            "log_loss" | "deviance" | "auto" | "binary_crossentropy" | "categorical_crossentropy",
            n @ 2..,
        ) => Ok(if n == 2 {
            (Link::Sigmoid { steepness: 1.0 }, Answer::Binary)
        } else {
            (Link::Softmax, Answer::Classes)
        }),
        _ => Err(unknown()),
    }
}

/// Gradient boosting: f64, from the initial margin, each leaf times the learning rate.
fn boosted(model: GradientBoosting) -> Result<Ensemble, Error> {
    let n_outputs = model.init.len();
    let mut trees = Vec::new();
    for (i, tree) in model.estimators.into_iter().enumerate() {
        let place = |e: Error| e.item(i).under("estimators_");
        if tree.width != 1 {
            return Err(place(Error::invalid("its leaves have several values")));
        }
        let target = Target::Output((i % n_outputs) as u32);
        let leaf = |values: &[f64], out: &mut Vec<f64>| out.extend(values);
        trees.push(
            tree.lift(target, model.learning_rate, None, leaf)
                .map_err(place)?,
        );
    }
    Ok(Ensemble {
        n_outputs,
        compare: Float::F32,
        sum: Sum::F64,
        base: model.init,
        base_order: BaseOrder::First,
        multiply: vec![1.0; n_outputs],
        divide: 1.0,
        trees,
    })
}
