//! A model for each of several outputs: MultiOutputRegressor and MultiOutputClassifier, where they
//! stand side by side, and RegressorChain and ClassifierChain, where each also sees what those before
//! it say.
//!
//! Of a classifier with several outputs scikit-learn's `predict_proba` is a list of tables. Where
//! every output is a label that is there or not (classes 0 and 1), the second columns say it all, and
//! are the answers here; other classes are refused.

use fretsaw_model::{Answer, Body, Ensemble, Link, Step, Target, Tree};

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::estimator;
use super::part::{self, Part, row};
use crate::Error;

/// MultiOutputRegressor and MultiOutputClassifier.
pub(super) fn side_by_side(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    let classifies = at.class() == "MultiOutputClassifier";
    let mut parts = Vec::new();
    for (i, member) in at.objects("estimators_")?.into_iter().enumerate() {
        let member = estimator::read(member, cx, columns).and_then(|part| match classifies {
            true => of_label(at, part),
            false => of_value(at, part),
        });
        parts.push(member.map_err(|e| e.item(i).under("estimators_"))?);
    }
    let answer = match classifies {
        true => Answer::Labels,
        false => Answer::Values,
    };
    let Some(first) = parts.first() else {
        return Err(Error::invalid("`estimators_` is empty"));
    };
    let features = first.features.clone();
    if parts.iter().any(|p| p.features != features) {
        return Err(at.unsupported(
            "whose members differ in the kinds of their columns",
            "train them on the same columns",
        ));
    }
    let n = parts.len();
    let whole = match joined(&parts) {
        Some(body) => Part {
            link: parts[0].link.clone(),
            ..Part::values(at, parts[0].steps.clone(), Body::Ensemble(body))
        },
        None => {
            let branches = parts.into_iter().map(|part| answer_steps(part, classifies));
            let steps = vec![Step::Branches(branches.collect::<Result<_, _>>()?)];
            Part::values(at, steps, row(n))
        }
    };
    Ok(Part {
        answer,
        probabilities: false,
        features,
        ..whole
    })
}

/// One ensemble of all, where nothing but their trees differs.
fn joined(parts: &[Part]) -> Option<Ensemble> {
    let by_value = |link: &Link| {
        matches!(
            link,
            Link::Identity | Link::Sigmoid { .. } | Link::Exp | Link::Log1pExp | Link::SignedSquare
        )
    };
    let first = parts.first()?;
    let Body::Ensemble(like) = &first.body else {
        return None;
    };
    let mut all = Ensemble {
        n_outputs: parts.len(),
        base: Vec::new(),
        multiply: Vec::new(),
        trees: Vec::new(),
        ..like.clone()
    };
    for (k, part) in parts.iter().enumerate() {
        let Body::Ensemble(e) = &part.body else {
            return None;
        };
        let alike = (&part.steps, &part.link) == (&first.steps, &first.link)
            && (e.compare, e.sum, e.base_order) == (like.compare, like.sum, like.base_order)
            && e.divide.to_bits() == like.divide.to_bits();
        if !alike || e.n_outputs != 1 || !by_value(&part.link) {
            return None;
        }
        all.base.extend(&e.base);
        all.multiply.extend(&e.multiply);
        all.trees.extend(e.trees.iter().map(|tree| Tree {
            target: Target::Output(k as u32),
            ..tree.clone()
        }));
    }
    Some(all)
}

/// What a member of a chain tells the members behind it.
#[derive(Clone, Copy, PartialEq)]
enum Told {
    /// A regressor's value.
    Value,
    /// The class.
    Class,
    /// The probability of the second class.
    Probability,
    /// The margin.
    Margin,
}

/// RegressorChain and ClassifierChain.
pub(super) fn chain(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    let classifies = at.class() == "ClassifierChain";
    let told = match at.text("chain_method_") {
        _ if !classifies => Told::Value,
        None | Some("predict") => Told::Class,
        Some("predict_proba") => Told::Probability,
        Some("decision_function") => Told::Margin,
        Some(other) => {
            let what = format!("with chain_method `{}`", crate::error::shown(other));
            return Err(at.unsupported(&what, "it is not known so far"));
        }
    };
    let mut parts = Vec::new();
    for (k, member) in at.objects("estimators_")?.into_iter().enumerate() {
        let seen = Columns::join([columns, &Columns::computed(k)].into_iter());
        let member = estimator::read(member, cx, &seen).and_then(|part| match classifies {
            true => of_label(at, part),
            false => of_value(at, part),
        });
        parts.push(member.map_err(|e| e.item(k).under("estimators_"))?);
    }
    let n = parts.len();
    let place_of = places(at, n)?;
    let width = columns.width();
    // The row becomes longer by what each member tells; at last only the answers are kept.
    let mut steps = Vec::new();
    for part in &parts {
        let more = match told {
            Told::Value | Told::Probability => answer_steps(part.clone(), classifies)?,
            Told::Class => part.clone().into_class(),
            Told::Margin if part.body.n_margins() == 1 => part.clone().into_margins(),
            Told::Margin => return Err(part::no_probabilities(at)),
        };
        steps.push(Step::Branches(vec![Vec::new(), more]));
    }
    if matches!(told, Told::Value | Told::Probability) {
        let columns = place_of.iter().map(|&k| (width + k) as u32).collect();
        steps.push(Step::Select { columns });
    } else {
        // What the last member tells, nobody hears.
        steps.pop();
        let mut branches = Vec::new();
        for &k in &place_of {
            let columns = (0..(width + k) as u32).collect();
            let mut branch = vec![Step::Select { columns }];
            branch.extend(answer_steps(parts[k].clone(), classifies)?);
            branches.push(branch);
        }
        steps.push(Step::Branches(branches));
    }
    let mut whole = Part::values(at, steps, row(n));
    if classifies {
        whole.answer = Answer::Labels;
    }
    Ok(whole)
}

/// For each output the member that gives it.
fn places(at: Attributes<'_, '_>, n: usize) -> Result<Vec<usize>, Error> {
    let fault = || Error::invalid(format!("`order_` does not put {n} outputs in an order"));
    let order = at.elements("order_")?.ints().ok_or_else(fault)?;
    let mut places = vec![None; n];
    for (k, &output) in order.iter().enumerate() {
        let place = usize::try_from(output).ok().and_then(|o| places.get_mut(o));
        *place.filter(|p| p.is_none()).ok_or_else(fault)? = Some(k);
    }
    places.into_iter().collect::<Option<_>>().ok_or_else(fault)
}

/// The steps that give a regressor's value, or the probability of the second class.
fn answer_steps(part: Part, classifies: bool) -> Result<Vec<Step>, Error> {
    let two_columns = part.answer == Answer::Classes;
    let mut steps = part.into_answers();
    if classifies && two_columns {
        steps.push(Step::Select { columns: vec![1] });
    }
    Ok(steps)
}

fn of_value(at: Attributes<'_, '_>, part: Part) -> Result<Part, Error> {
    let n = part.link.n_answers(part.body.n_outputs());
    match part.answer == Answer::Values && n == 1 {
        true => Ok(part),
        false => Err(at.unsupported("of other than regressors of one value", "it is not read")),
    }
}

fn of_label(at: Attributes<'_, '_>, part: Part) -> Result<Part, Error> {
    let named = part.labels.as_ref().is_none_or(part::are_numbers);
    if part.n_classes() != 2 || !named {
        return Err(at.unsupported(
            "with outputs of other classes than 0 and 1",
            "its answers are a list of tables; train one classifier an output",
        ));
    }
    match part.probabilities {
        true => Ok(part),
        false => Err(part::no_probabilities(at)),
    }
}
