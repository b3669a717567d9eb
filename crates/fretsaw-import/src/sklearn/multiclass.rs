//! Classifiers of many classes made of classifiers of two: one class against the rest, and each
//! against each other.

use fretsaw_model::{Answer, Body, Decision, Function, Link, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::members::{Members, check_size, has_decision_function, positive};
use super::part::{Part, Undivided, divided_by_sum, linear, link_steps, no_probabilities, row};
use crate::Error;

/// A classifier of two classes, as its score and its probability are asked for.
struct Binary {
    /// What gives `decision_function`, or else the probability of the second class.
    score: Vec<Step>,
    /// Whether it is the former; `None` of a constant, which is both.
    decides: Option<bool>,
    probability: Option<Probability>,
}

/// What gives the probability of the second class.
enum Probability {
    /// Of the row.
    OfRow(Vec<Step>),
    /// Of the score alone.
    OfScore(Vec<Step>),
}

impl Binary {
    fn of(all: &mut Members<'_, '_>, member: Attributes<'_, '_>) -> Result<Self, Error> {
        if member.is_sklearn() && member.class() == "_ConstantPredictor" {
            let score = vec![
                // A number of any value, a missing one too.
                Step::IsMissing { columns: vec![0] },
                Step::Affine {
                    factor: vec![0.0],
                    offset: vec![member.number("y_")?],
                },
            ];
            return Ok(Self {
                score,
                decides: None,
                probability: Some(Probability::OfScore(Vec::new())),
            });
        }
        let part = all.read(member)?;
        if part.n_classes() != 2 {
            return Err(member.unsupported(
                "in the place of a classifier of two classes",
                "only such classifiers are read here",
            ));
        }
        if !has_decision_function(member)? {
            return Ok(Self {
                score: positive(part).ok_or_else(|| no_probabilities(member))?,
                decides: Some(false),
                probability: Some(Probability::OfScore(Vec::new())),
            });
        }
        if part.body.n_margins() != 1 {
            return Err(Error::invalid("its decision is not one number"));
        }
        let of_score = part.body.n_outputs() == 1 && part.answer == Answer::Binary;
        let probability = match part.probabilities {
            false => None,
            true if of_score => Some(Probability::OfScore(link_steps(part.link.clone()))),
            true => positive(part.clone()).map(Probability::OfRow),
        };
        Ok(Self {
            score: part.into_margins(),
            decides: Some(true),
            probability,
        })
    }
}

/// `OneVsRestClassifier`.
pub(super) fn one_vs_rest(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    let binarizer = at.child("label_binarizer_")?;
    let labels = binarizer.classes();
    let labels = labels.map_err(|e| e.under("label_binarizer_"))?;
    let several = binarizer
        .text("y_type_")
        .is_some_and(|t| t.starts_with("multilabel"));
    let mut all = Members::new(cx, columns);
    let mut members = Vec::new();
    for (i, member) in at.objects("estimators_")?.into_iter().enumerate() {
        let member = Binary::of(&mut all, member);
        members.push(member.map_err(|e| e.item(i).under("estimators_"))?);
    }
    let n = members.len();
    let one = n == 1 && !several;
    if n != if one { labels.len() - 1 } else { labels.len() } {
        let n_classes = labels.len();
        return Err(Error::invalid(format!(
            "{n} estimators for {n_classes} classes"
        )));
    }
    let decides = members.iter().any(|m| m.decides == Some(true));
    let probabilities = members.iter().all(|m| m.probability.is_some());
    let answer = answer(several, one, probabilities).ok_or_else(|| {
        at.unsupported(
            "of several labels a row, without probabilities",
            "labels are read that have a probability each",
        )
    })?;
    let normalize = match several || one {
        true => Vec::new(),
        false => shares(cx, n),
    };
    let (steps, body, link) = joined(members, normalize);
    let decision = match decides {
        _ if several => Decision::Answer,
        false if one => Decision::Answer,
        _ if one || cx.since(1, 9) => Decision::Margin,
        // Up to 1.8 the last of equals is named.
        _ => Decision::LastMargin,
    };
    Ok(all.done(Part {
        link,
        answer,
        decision,
        probabilities: probabilities && !several,
        labels: Some(labels),
        ..Part::values(at, steps, body)
    }))
}

/// What the answers are; `None` of scores of labels, which only probabilities can stand for.
fn answer(several: bool, one: bool, probabilities: bool) -> Option<Answer> {
    match (several, one) {
        (true, _) => probabilities.then_some(Answer::Labels),
        (false, true) if probabilities => Some(Answer::Binary),
        (false, true) => Some(Answer::Score),
        (false, false) => Some(Answer::Classes),
    }
}

/// Scores as margins; probabilities, if all members have them, as answers.
fn joined(members: Vec<Binary>, normalize: Vec<Step>) -> (Vec<Step>, Body, Link) {
    let n = members.len();
    let (mut scores, mut of_row, mut of_scores) = (Vec::new(), Vec::new(), Vec::new());
    for (i, member) in members.into_iter().enumerate() {
        match member.probability {
            None => {}
            Some(Probability::OfRow(steps)) => of_row.push(steps),
            Some(Probability::OfScore(steps)) => {
                let mut both = member.score.clone();
                both.extend(steps.iter().cloned());
                of_row.push(both);
                let columns = vec![i as u32];
                let select = Step::Select { columns };
                of_scores.push([vec![select], steps].concat());
            }
        }
        scores.push(member.score);
    }
    if of_row.len() < n {
        return (vec![Step::Branches(scores)], row(n), Link::Identity);
    }
    if of_scores.len() == n {
        let plain = of_scores.iter().all(|steps| steps.len() == 1);
        let mut link = match plain {
            true => Vec::new(),
            false => vec![Step::Branches(of_scores)],
        };
        link.extend(normalize);
        let link = match link.is_empty() {
            true => Link::Identity,
            false => Link::Then(link),
        };
        return (vec![Step::Branches(scores)], row(n), link);
    }
    scores.extend(of_row);
    let columns = (n as u32..2 * n as u32).collect();
    let mut link = vec![Step::Select { columns }];
    link.extend(normalize);
    let body = Body::Row {
        n_outputs: 2 * n,
        n_margins: n,
    };
    (vec![Step::Branches(scores)], body, Link::Then(link))
}

/// Probabilities divided by their sum. Before 1.7 a row of zeros became NaN.
fn shares(cx: &Context<'_>, n: usize) -> Vec<Step> {
    let undivided = match cx.since(1, 7) {
        true => Undivided::Zeros,
        false => Undivided::Nan,
    };
    divided_by_sum(n, undivided)
}

/// `OneVsOneClassifier`.
pub(super) fn one_vs_one(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    if at.some("pairwise_indices_").is_some() {
        return Err(at.unsupported(
            "of classifiers that see similarities",
            "train them on the columns themselves",
        ));
    }
    let labels = at.classes()?;
    let n = labels.len();
    let mut all = Members::new(cx, columns);
    let (mut scores, mut classes) = (Vec::new(), Vec::new());
    let mut decides = true;
    for (i, member) in at.objects("estimators_")?.into_iter().enumerate() {
        let place = |e: Error| e.item(i).under("estimators_");
        let binary = Binary::of(&mut all, member).map_err(place)?;
        decides &= binary.decides != Some(false);
        scores.push(binary.score);
        classes.push(all.read(member).map_err(place)?.into_class());
    }
    let m = scores.len();
    if n < 2 || Some(m) != n.checked_mul(n - 1).map(|p| p / 2) {
        return Err(Error::invalid(format!("{m} estimators for {n} classes")));
    }
    if n == 2 && !decides {
        return Err(at.unsupported(
            "of two classes and of classifiers without decision_function",
            "use the classifier by itself",
        ));
    }
    let mut steps = vec![Step::Branches([scores, classes].concat())];
    steps.extend(tally(n, m)?);
    if n == 2 {
        steps.push(Step::Select { columns: vec![1] });
    }
    let (n_margins, answer) = match n {
        2 => (1, Answer::Score),
        n => (n, Answer::Classes),
    };
    Ok(all.done(Part {
        answer,
        labels: Some(labels),
        ..Part::values(at, steps, row(n_margins))
    }))
}

/// From the scores of `m` pairs of classes, and the class of the two that each names, to votes and a
/// fraction for their scores: `_ovr_decision_function`.
fn tally(n: usize, m: usize) -> Result<Vec<Step>, Error> {
    check_size(2 * m, n)?;
    let (mut sums, mut votes) = (vec![0.0; 2 * m * n], vec![0.0; 2 * m * n]);
    let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
    for (k, (i, j)) in pairs.enumerate() {
        (sums[k * n + i], sums[k * n + j]) = (-1.0, 1.0);
        (votes[(m + k) * n + i], votes[(m + k) * n + j]) = (-1.0, 1.0);
    }
    // Every pair that it is the first of is a vote, less those that go to the second.
    let firsts = (0..n).map(|i| (n - 1 - i) as f64).collect();
    let places = |from: usize| (from as u32..(from + n) as u32).collect();
    let damped = vec![
        Step::Select { columns: places(n) },
        Step::Map(Function::Abs),
        Step::Affine {
            factor: vec![1.0; n],
            offset: vec![1.0; n],
        },
        Step::Affine {
            factor: vec![3.0; n],
            offset: vec![0.0; n],
        },
        Step::Map(Function::Reciprocal),
    ];
    let (one, two, three) = (
        0..n as u32,
        n as u32..2 * n as u32,
        2 * n as u32..3 * n as u32,
    );
    let products = one
        .map(|v| vec![v])
        .chain(two.zip(three).map(|(s, d)| vec![s, d]));
    let add = |i: usize| f64::from(u8::from(i / n % n == i % n));
    Ok(vec![
        Step::Branches(vec![
            vec![Step::Linear(linear(votes, firsts))],
            vec![Step::Linear(linear(sums, vec![0.0; n]))],
        ]),
        Step::Branches(vec![Vec::new(), damped]),
        Step::Products(products.collect()),
        Step::Linear(linear((0..2 * n * n).map(add).collect(), vec![0.0; n])),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_1_however_small_the_probabilities() {
        let shares = |version, p: [f64; 2]| {
            let mut answers = [0.0; 2];
            let steps = shares(&Context::new(Some(version), "pickle"), 2);
            Link::Then(steps).apply_f64(&p, &mut answers);
            answers
        };
        for version in ["0.24.2", "1.6.1", "1.7.0"] {
            assert_eq!(shares(version, [0.3, 0.1]), [0.3 / 0.4, 0.1 / 0.4]);
            assert_eq!(shares(version, [3e-17, 1e-17]), [3e-17 / 4e-17, 0.25]);
            assert_eq!(shares(version, [0.0, 5e-324]), [0.0, 1.0]);
        }
        assert_eq!(shares("1.7.0", [0.0; 2]), [0.0; 2]);
        assert!(shares("1.6.1", [0.0; 2]).iter().all(|p| p.is_nan()));
    }

    #[test]
    fn labels_have_probabilities_or_are_refused() {
        for (several, one, probabilities, want) in [
            (true, false, true, Some(Answer::Labels)),
            (true, false, false, None),
            (true, true, false, None),
            (false, true, true, Some(Answer::Binary)),
            (false, true, false, Some(Answer::Score)),
            (false, false, false, Some(Answer::Classes)),
        ] {
            assert_eq!(answer(several, one, probabilities), want);
        }
    }
}
