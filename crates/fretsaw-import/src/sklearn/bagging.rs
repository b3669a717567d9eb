//! Bagging: the mean of members that each see some of the columns.
//!
//! Trees become one ensemble; any other members are branches. scikit-learn adds up in as many
//! portions as it has jobs; the order here is that of one job, which is the default.

use fretsaw_model::{Answer, Body, Labels, Link, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::forest::{self, Member};
use super::members::{Members, Term, check_size, has_decision_function, numbers, sum, votes};
use super::part::{Part, row};
use super::tree::Tree;
use crate::Error;

/// Reads the estimator.
pub(super) fn read(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    let classes = forest::classes(at)?;
    let n_estimators = at.count("n_estimators")?;
    let members = members(at)?;
    if members.iter().all(|&(member, _)| forest::is_tree(member)) {
        let tree = |(i, (member, features))| {
            bagged(member, features, classes.as_ref())
                .map_err(|e: Error| e.item(i).under("estimators_"))
        };
        let trees = members.into_iter().enumerate().map(tree);
        return forest::part(at, cx, Some(n_estimators), trees, classes.clone());
    }
    let mut all = Members::new(cx, columns);
    let mut parts = Vec::new();
    for (i, (member, features)) in members.iter().enumerate() {
        let part = all.read_some(*member, features);
        parts.push(part.map_err(|e| e.item(i).under("estimators_"))?);
    }
    let part = match classes {
        None => regressor(at, parts, n_estimators),
        Some(labels) => {
            let decides = match members.first() {
                Some(&(first, _)) => has_decision_function(first)?,
                None => false,
            };
            classifier(at, parts, n_estimators, labels, decides)
        }
    };
    Ok(all.done(part?))
}

/// The members, and the columns that each sees.
pub(super) fn members<'p, 'a>(
    at: Attributes<'p, 'a>,
) -> Result<Vec<(Attributes<'p, 'a>, Vec<usize>)>, Error> {
    let estimators = at.objects("estimators_")?;
    let features = at
        .pickle
        .objects(at.get("estimators_features_")?)
        .filter(|f| f.len() == estimators.len())
        .ok_or_else(|| {
            Error::invalid("`estimators_features_` is no list with one item an estimator")
        })?;
    let places = |v: Vec<i64>| v.into_iter().map(|f| usize::try_from(f).ok()).collect();
    let mut members = Vec::new();
    for (i, (estimator, features)) in estimators.into_iter().zip(features).enumerate() {
        let features = at.pickle.elements(features).and_then(|v| v.ints());
        let features: Option<Vec<usize>> = features.and_then(places);
        let features = features.ok_or_else(|| {
            Error::invalid("it holds no columns")
                .item(i)
                .under("estimators_features_")
        })?;
        members.push((estimator, features));
    }
    Ok(members)
}

/// A tree, which may not have seen all classes.
fn bagged(
    estimator: Attributes<'_, '_>,
    features: Vec<usize>,
    classes: Option<&Labels>,
) -> Result<Member, Error> {
    let own =
        match classes {
            None => None,
            Some(all) => match estimator.classes()? {
                own if own.len() == all.len() => None,
                Labels::Ints(own) => {
                    let place = |&c: &i64| usize::try_from(c).ok().filter(|&c| c < all.len());
                    let places: Option<Vec<usize>> = own.iter().map(place).collect();
                    Some(places.ok_or_else(|| {
                        Error::invalid("its `classes_` are not among the ensemble's")
                    })?)
                }
                Labels::Strings(_) => {
                    return Err(Error::invalid("its `classes_` are no numbers of classes"));
                }
            },
        };
    Ok(Member {
        tree_: Tree::of(estimator)?,
        features: Some(features),
        classes: own,
    })
}

fn regressor(at: Attributes<'_, '_>, parts: Vec<Part>, n_estimators: usize) -> Result<Part, Error> {
    let n = parts.first().map_or(1, |p| p.body.n_margins());
    let terms = parts.into_iter().map(|part| Term {
        steps: part.into_answers(),
        outputs: (0..n).collect(),
        weight: 1.0,
    });
    let steps = sum(terms.collect(), n, n_estimators as f64)?;
    Ok(Part::values(at, steps, row(n)))
}

/// The mean of probabilities, or of votes where members have none.
fn classifier(
    at: Attributes<'_, '_>,
    parts: Vec<Part>,
    n_estimators: usize,
    labels: Labels,
    decides: bool,
) -> Result<Part, Error> {
    let n = labels.len();
    check_size(parts.len().saturating_mul(n), n)?;
    let mut probabilities = Vec::new();
    let mut decisions = Vec::new();
    let mut n_decisions = None;
    for (i, part) in parts.into_iter().enumerate() {
        let place = |e: Error| e.item(i).under("estimators_");
        let own = numbers(&part, n).map_err(place)?;
        // Members that know different classes cannot be asked for decisions.
        if decides && own.len() == n {
            let width = part.body.n_margins();
            if *n_decisions.get_or_insert(width) == width {
                decisions.push(Term {
                    steps: part.clone().into_margins(),
                    outputs: (0..width).collect(),
                    weight: 1.0,
                });
            }
        }
        let (steps, outputs) = match part.clone().into_probabilities() {
            Some(steps) => (steps, own),
            None => {
                let vote = |class: usize, place: usize| f64::from(u8::from(own[class] == place));
                let mut steps = part.into_class();
                steps.push(votes(own.len(), n, vote)?);
                (steps, (0..n).collect())
            }
        };
        probabilities.push(Term {
            steps,
            outputs,
            weight: 1.0,
        });
    }
    let n_members = probabilities.len();
    let divide = n_estimators as f64;
    let probabilities = sum(probabilities, n, divide)?;
    let Some(d) = n_decisions.filter(|_| decisions.len() == n_members) else {
        let answer = (Link::Identity, Answer::Classes);
        return Ok(Part::classifier(at, probabilities, row(n), answer, labels));
    };
    let steps = vec![Step::Branches(vec![
        sum(decisions, d, divide)?,
        probabilities,
    ])];
    let body = Body::Row {
        n_outputs: d + n,
        n_margins: d,
    };
    let columns = (d as u32..(d + n) as u32).collect();
    let link = Link::Then(vec![Step::Select { columns }]);
    Ok(Part::classifier(
        at,
        steps,
        body,
        (link, Answer::Classes),
        labels,
    ))
}
