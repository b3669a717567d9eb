//! AdaBoost: a weighted vote, or a weighted median.
//!
//! Where the members are trees, a leaf holds what it adds to the decision function, and the vote is
//! one ensemble.

use fretsaw_model::{
    Answer, BaseOrder, Decision, Ensemble, Float, Function, Link, Step, Sum, Target,
};

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::forest;
use super::members::{Members, Term, centred, check_size, divided, sum, votes};
use super::part::{Part, first_largest, linear, no_probabilities, opposites, row};
use super::tree::{Tree, pairwise_sum, shares};
use crate::Error;

/// What a member adds to the decision function.
#[derive(Clone, Copy, PartialEq)]
enum Rule {
    /// Its weight for the class it names (SAMME up to 1.3.0).
    Votes,
    /// The same, and for each other class its share of as much less (SAMME since).
    Signed,
    /// The centred logarithms of its probabilities (SAMME.R, up to 1.5).
    Real,
}

impl Rule {
    fn of(at: Attributes<'_, '_>, cx: &Context<'_>) -> Result<Self, Error> {
        match at.text("algorithm") {
            Some("SAMME.R") => Ok(Self::Real),
            Some("SAMME") if !cx.since(1, 3) || cx.version_text == Some("1.3.0") => Ok(Self::Votes),
            Some("SAMME" | "deprecated") | None => Ok(Self::Signed),
            Some(other) => Err(at.unsupported(
                &format!("of the algorithm `{}`", crate::error::shown(other)),
                "SAMME and SAMME.R are known",
            )),
        }
    }

    /// What a vote of this weight for `class` adds to `place`, of `n` classes.
    fn vote(self, weight: f64, n: usize, class: usize, place: usize) -> f64 {
        match self {
            _ if class == place => weight,
            Self::Signed => -1.0 / (n as f64 - 1.0) * weight,
            _ => 0.0,
        }
    }
}

/// The classifier.
pub(super) fn classifier(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    let labels = at.classes()?;
    let n = labels.len();
    if n < 2 {
        return Err(at.unsupported("of one class", "there is nothing to decide"));
    }
    let rule = Rule::of(at, cx)?;
    let (members, weights) = members(at)?;
    let total = pairwise_sum(&weights);
    let mut all = Members::new(cx, columns);
    let mut steps = if members.iter().all(|&m| forest::is_tree(m)) {
        // Leaves were weights before 1.4.
        let ensemble = voting(&members, &weights, n, rule, !cx.since(1, 4))?;
        let ensemble = Ensemble {
            divide: total,
            ..ensemble
        };
        vec![Step::Ensemble(ensemble)]
    } else {
        check_size(members.len().saturating_mul(n), n)?;
        let mut terms = Vec::new();
        for (i, &member) in members.iter().enumerate() {
            let term = term(&mut all, member, weights[i], n, rule);
            terms.push(term.map_err(|e| e.item(i).under("estimators_"))?);
        }
        sum(terms, n, total)?
    };
    let softmax = Step::Link(Link::Softmax);
    let (n_margins, link) = if n == 2 {
        steps.push(Step::Linear(linear(vec![-1.0, 1.0], vec![0.0])));
        (1, vec![opposites(), divided(2, 2.0), softmax])
    } else {
        (n, vec![divided(n, (n - 1) as f64), softmax])
    };
    let answer = (Link::Then(link), Answer::Classes);
    Ok(all.done(Part {
        decision: Decision::Margin,
        ..Part::classifier(at, steps, row(n_margins), answer, labels)
    }))
}

/// The members, and as many weights or more: boosting that ends early leaves zeros behind.
fn members<'p, 'a>(at: Attributes<'p, 'a>) -> Result<(Vec<Attributes<'p, 'a>>, Vec<f64>), Error> {
    let members = at.objects("estimators_")?;
    let weights = at.floats("estimator_weights_")?;
    match members.is_empty() || weights.len() < members.len() {
        true => Err(Error::invalid(format!(
            "{} numbers in `estimator_weights_` for {} estimators",
            weights.len(),
            members.len()
        ))),
        false => Ok((members, weights)),
    }
}

/// Trees as voters: an output a class.
fn voting(
    members: &[Attributes<'_, '_>],
    weights: &[f64],
    n: usize,
    rule: Rule,
    leaves_are_weights: bool,
) -> Result<Ensemble, Error> {
    let mut trees = Vec::new();
    for (i, (&member, &weight)) in members.iter().zip(weights).enumerate() {
        let place = |e: Error| e.item(i).under("estimators_");
        let tree = Tree::of(member).map_err(place)?;
        if tree.width != n {
            let what = format!("its leaves have {} values, not {n}", tree.width);
            return Err(place(Error::invalid(what)));
        }
        let leaf = |values: &[f64], out: &mut Vec<f64>| match rule {
            Rule::Real if leaves_are_weights => {
                let mut own = Vec::new();
                shares(values, &mut own);
                real(&own, out);
            }
            Rule::Real => real(values, out),
            _ => {
                let class = first_largest(values);
                out.extend((0..n).map(|place| rule.vote(weight, n, class, place)));
            }
        };
        trees.push(tree.lift(Target::All, 1.0, None, leaf).map_err(place)?);
    }
    Ok(ensemble(n, 0.0, trees))
}

/// `_samme_proba`.
fn real(probabilities: &[f64], out: &mut Vec<f64>) {
    let n = probabilities.len() as f64;
    let logs: Vec<f64> = probabilities
        .iter()
        .map(|&p| if p < f64::EPSILON { f64::EPSILON } else { p }.ln())
        .collect();
    let mean = 1.0 / n * pairwise_sum(&logs);
    out.extend(logs.iter().map(|log| (n - 1.0) * (log - mean)));
}

/// Any member as a voter.
fn term(
    all: &mut Members<'_, '_>,
    member: Attributes<'_, '_>,
    weight: f64,
    n: usize,
    rule: Rule,
) -> Result<Term, Error> {
    let part = all.read(member)?;
    if part.n_classes() != n {
        return Err(Error::invalid(format!(
            "it knows {} classes of {n}",
            part.n_classes()
        )));
    }
    let steps = if rule == Rule::Real {
        let steps = part.into_probabilities();
        let mut steps = steps.ok_or_else(|| no_probabilities(member))?;
        steps.push(Step::Map(Function::Clip {
            low: f64::EPSILON,
            high: f64::INFINITY,
        }));
        steps.push(Step::Map(Function::Ln));
        steps.push(centred(n, (n - 1) as f64)?);
        steps
    } else {
        let mut steps = part.into_class();
        steps.push(votes(n, n, |class, place| {
            rule.vote(weight, n, class, place)
        })?);
        steps
    };
    Ok(Term {
        steps,
        outputs: (0..n).collect(),
        weight: 1.0,
    })
}

/// The regressor: the weighted median of what the members say.
pub(super) fn regressor(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    let (members, mut weights) = members(at)?;
    weights.truncate(members.len());
    let mut all = Members::new(cx, columns);
    let first = if members.iter().all(|&m| forest::is_tree(m)) {
        let mut trees = Vec::new();
        for (i, &member) in members.iter().enumerate() {
            let tree = Tree::of(member).and_then(|tree| match tree.width {
                1 => tree.lift(Target::Output(i as u32), 1.0, None, |v, out| out.extend(v)),
                _ => Err(Error::invalid("its leaves have several values")),
            });
            trees.push(tree.map_err(|e| e.item(i).under("estimators_"))?);
        }
        // A leaf as it is, not even a zero added that would cost it its sign.
        Step::Ensemble(ensemble(members.len(), -0.0, trees))
    } else {
        let mut branches = Vec::new();
        for (i, &member) in members.iter().enumerate() {
            let part = all.read(member);
            let part = part.map_err(|e| e.item(i).under("estimators_"))?;
            branches.push(part.into_answers());
        }
        Step::Branches(branches)
    };
    let steps = vec![first, Step::WeightedMedian { weights }];
    Ok(all.done(Part::values(at, steps, row(1))))
}

fn ensemble(n_outputs: usize, base: f64, trees: Vec<fretsaw_model::Tree>) -> Ensemble {
    Ensemble {
        n_outputs,
        compare: Float::F32,
        sum: Sum::F64,
        base: vec![base; n_outputs],
        base_order: BaseOrder::First,
        multiply: vec![1.0; n_outputs],
        divide: 1.0,
        trees,
    }
}
