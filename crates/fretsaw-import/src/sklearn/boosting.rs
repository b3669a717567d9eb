//! Gradient boosting: trees added to an initial margin.

use fretsaw_model::{
    Answer, BaseOrder, Body, Decision, Ensemble, Float, Labels, Link, Step, Sum, Target,
};

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::init::{self, Start};
use super::members::{Term, sum};
use super::part::{Part, row};
use super::{forest, tree};
use crate::Error;

/// Reads the estimator.
pub(super) fn read(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    let classifier = at.class() == "GradientBoostingClassifier";
    let classes = classifier.then(|| at.classes()).transpose()?;
    let n_classes = classes.as_ref().map_or(0, Labels::len);
    let loss = at.text("loss").unwrap_or_default();
    let answer = answer(loss, classes.as_ref())?;
    // Up to 1.3 a class was named by its probability, but for the exponential loss.
    let decision = match cx.since(1, 4) || loss == "exponential" {
        true => Decision::MarginFromZero,
        false => Decision::Answer,
    };
    let trees = forest::trees_of(at)?;
    let learning_rate = at.number("learning_rate")?;
    let (steps, body) = match init::start(at, cx, columns, loss, n_classes)? {
        Start::Constant(base) => {
            let ensemble = boosted(trees, learning_rate, base)?;
            (Vec::new(), Body::Ensemble(ensemble))
        }
        Start::Steps(start) => {
            let n = n_outputs(classes.as_ref());
            let n_trees = trees.len();
            let outputs = (0..n_trees).map(|i| i % n).collect();
            // Every tree by itself, so that all are added to the start in their order; a leaf as it
            // is, not even a zero added that would cost it its sign.
            let alone = boosted(trees, learning_rate, vec![-0.0; n_trees])?;
            let term = |steps, outputs| Term {
                steps,
                outputs,
                weight: 1.0,
            };
            let terms = vec![
                term(start, (0..n).collect()),
                term(vec![Step::Ensemble(alone)], outputs),
            ];
            (sum(terms, n, 1.0)?, row(n))
        }
    };
    Ok(part(at, body, answer, decision, classes).behind(steps))
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

/// Gradient boosting: f64, from the initial margins, each leaf times the learning rate. There is one
/// tree an output in each stage.
fn boosted(
    estimators: Vec<tree::Tree>,
    learning_rate: f64,
    base: Vec<f64>,
) -> Result<Ensemble, Error> {
    let n_outputs = base.len();
    let mut trees = Vec::new();
    for (i, tree) in estimators.into_iter().enumerate() {
        let place = |e: Error| e.item(i).under("estimators_");
        if tree.width != 1 {
            return Err(place(Error::invalid("its leaves have several values")));
        }
        let target = Target::Output((i % n_outputs) as u32);
        let leaf = |values: &[f64], out: &mut Vec<f64>| out.extend(values);
        trees.push(
            tree.lift(target, learning_rate, None, leaf)
                .map_err(place)?,
        );
    }
    Ok(Ensemble {
        n_outputs,
        compare: Float::F32,
        sum: Sum::F64,
        base,
        base_order: BaseOrder::First,
        multiply: vec![1.0; n_outputs],
        divide: 1.0,
        trees,
    })
}
