//! Votes: the average of what members answer, or the class that most of them name.

use fretsaw_model::{Answer, Body, Labels, Link};

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::members::{Members, Term, check_size, sum, votes};
use super::part::{Part, no_probabilities, row};
use super::tree::pairwise_sum;
use crate::Error;
use crate::pickle::Value;

/// The classifier.
pub(super) fn classifier(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    let labels = at.classes()?;
    let n = labels.len();
    let members = at.objects("estimators_")?;
    let weights = weights(at, members.len())?;
    let soft = match at.text("voting").unwrap_or("hard") {
        "soft" => true,
        "hard" => false,
        other => {
            let what = format!("with voting=`{}`", crate::error::shown(other));
            return Err(at.unsupported(&what, "soft and hard votes are read"));
        }
    };
    check_size(members.len().saturating_mul(n), n)?;
    let mut all = Members::new(cx, columns);
    let mut terms = Vec::new();
    for (i, &member) in members.iter().enumerate() {
        let place = |e: Error| e.item(i).under("estimators_");
        let part = all.read(member).map_err(place)?;
        if part.n_classes() != n {
            return Err(place(Error::invalid(format!(
                "it knows {} classes of {n}",
                part.n_classes()
            ))));
        }
        let weight = weights.as_ref().map_or(1.0, |w| w[i]);
        let (steps, weight) = if soft {
            let steps = part.into_probabilities();
            (
                steps.ok_or_else(|| place(no_probabilities(member)))?,
                weight,
            )
        } else {
            let mut steps = part.into_class();
            let vote = |class: usize, place: usize| if class == place { weight } else { 0.0 };
            steps.push(votes(n, n, vote)?);
            (steps, 1.0)
        };
        terms.push(Term {
            steps,
            outputs: (0..n).collect(),
            weight,
        });
    }
    let part = if soft {
        let steps = sum(terms, n, total(weights.as_deref(), members.len()))?;
        let answer = (Link::Identity, Answer::Classes);
        Part::classifier(at, steps, row(n), answer, labels)
    } else {
        if weights.is_some_and(|w| w.iter().any(|w| w.is_nan() || *w < 0.0)) {
            return Err(at.unsupported("with weights below 0", "a vote counts 0 or more"));
        }
        named(at, sum(terms, n, 1.0)?, row(n), labels)
    };
    Ok(all.done(part))
}

/// A classifier that has no more than `predict`: the first of the largest margins.
pub(super) fn named(
    at: Attributes<'_, '_>,
    steps: Vec<fretsaw_model::Step>,
    body: Body,
    labels: Labels,
) -> Part {
    Part {
        link: Link::ArgMax,
        answer: Answer::Class,
        labels: Some(labels),
        ..Part::values(at, steps, body)
    }
}

/// The regressor.
pub(super) fn regressor(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    let members = at.objects("estimators_")?;
    let weights = weights(at, members.len())?;
    let mut all = Members::new(cx, columns);
    let mut terms = Vec::new();
    for (i, &member) in members.iter().enumerate() {
        let part = all.read(member);
        let part = part.map_err(|e| e.item(i).under("estimators_"))?;
        terms.push(Term {
            steps: part.into_answers(),
            outputs: vec![0],
            weight: weights.as_ref().map_or(1.0, |w| w[i]),
        });
    }
    let steps = sum(terms, 1, total(weights.as_deref(), members.len()))?;
    Ok(all.done(Part::values(at, steps, row(1))))
}

/// The weights of the members that were not dropped.
fn weights(at: Attributes<'_, '_>, n: usize) -> Result<Option<Vec<f64>>, Error> {
    if at.some("weights").is_none() {
        return Ok(None);
    }
    let weights = at.floats("weights")?;
    let dropped = dropped(at);
    let kept: Vec<f64> = weights
        .iter()
        .enumerate()
        .filter(|(i, _)| !dropped.get(*i).is_some_and(|&dropped| dropped))
        .map(|(_, &w)| w)
        .collect();
    match kept.len() == n {
        true => Ok(Some(kept)),
        false => Err(Error::invalid(format!(
            "{} numbers in `weights` for {n} estimators",
            kept.len()
        ))),
    }
}

/// For each of the estimators that were given whether it says "drop", or None as before 0.24.
fn dropped(at: Attributes<'_, '_>) -> Vec<bool> {
    let items = match at.some("estimators").map(|id| at.pickle.get(id)) {
        Some(Value::List(items)) => items,
        _ => return Vec::new(),
    };
    let is = |id: &crate::pickle::Id| {
        let pair = match at.pickle.get(*id) {
            Value::Tuple(pair) => pair.get(1),
            Value::List(pair) => pair.get(1),
            _ => None,
        };
        match pair.map(|&id| at.pickle.get(id)) {
            Some(Value::None) => true,
            Some(Value::Str(text)) => text == "drop",
            _ => false,
        }
    };
    items.iter().map(is).collect()
}

/// What an average is divided by: the sum of the weights, as NumPy adds them.
fn total(weights: Option<&[f64]>, n: usize) -> f64 {
    weights.map_or(n as f64, pairwise_sum)
}
