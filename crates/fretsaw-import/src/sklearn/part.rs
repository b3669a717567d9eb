//! An estimator as the IR has it: a whole model, or a member of one.

use fretsaw_model::{
    Answer, Body, Decision, Feature, Float, Function, InterceptOrder, Labels, Linear,
    LinearMissing, Link, Model, Norm, Provenance, Step,
};

use super::attributes::Attributes;
use crate::Error;

/// An estimator as a function of the rows that it sees.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    /// What happens to a row first.
    pub(super) steps: Vec<Step>,
    /// What gives the margins: `decision_function` where there is one.
    pub(super) body: Body,
    /// What makes the answers of them: `predict_proba` where there is one, else
    /// `decision_function`, else `predict`.
    pub(super) link: Link,
    pub(super) answer: Answer,
    /// What `predict` names.
    pub(super) decision: Decision,
    /// Whether the estimator has `predict_proba`, which `answer` then is.
    pub(super) probabilities: bool,
    /// `classes_` of a classifier.
    pub(super) labels: Option<Labels>,
    /// The kinds of the columns, of an estimator that has a say in them.
    pub(super) features: Option<Vec<Feature>>,
    /// The class of the estimator that answers.
    pub(super) class: Option<String>,
    /// Of a model of another library.
    pub(super) provenance: Option<Provenance>,
}

impl Part {
    /// A regressor whose answers are the margins that the body gives.
    pub(super) fn values(at: Attributes<'_, '_>, steps: Vec<Step>, body: Body) -> Self {
        Self {
            steps,
            body,
            link: Link::Identity,
            answer: Answer::Values,
            decision: Decision::Answer,
            probabilities: false,
            labels: None,
            features: None,
            class: Some(at.class().to_owned()),
            provenance: None,
        }
    }

    /// A classifier with `predict_proba`: of two classes from one margin where `answer` is
    /// [`Answer::Binary`], else a column a class.
    pub(super) fn classifier(
        at: Attributes<'_, '_>,
        steps: Vec<Step>,
        body: Body,
        (link, answer): (Link, Answer),
        labels: Labels,
    ) -> Self {
        Self {
            link,
            answer,
            probabilities: true,
            labels: Some(labels),
            ..Self::values(at, steps, body)
        }
    }

    /// A classifier without `predict_proba`: one margin scores the second of two classes, more
    /// score a class each.
    pub(super) fn scores(
        at: Attributes<'_, '_>,
        steps: Vec<Step>,
        body: Body,
        labels: Labels,
    ) -> Self {
        let one = body.n_margins() == 1;
        Self {
            answer: if one { Answer::Score } else { Answer::Classes },
            labels: Some(labels),
            ..Self::values(at, steps, body).by_margins()
        }
    }

    /// The same, but for `predict`, which looks at the margins.
    pub(super) fn by_margins(self) -> Self {
        Self {
            decision: Decision::Margin,
            ..self
        }
    }

    /// An outlier detector: 1 where `inlier` of its one margin holds, else -1.
    pub(super) fn outliers(
        at: Attributes<'_, '_>,
        steps: Vec<Step>,
        body: Body,
        inlier: Function,
    ) -> Self {
        Self {
            link: Link::Then(vec![Step::Map(inlier)]),
            answer: Answer::Class,
            labels: Some(Labels::Ints(vec![-1, 1])),
            ..Self::values(at, steps, body)
        }
    }

    /// Another library's model.
    pub(super) fn foreign(model: Model) -> Self {
        let draft = model.into_draft();
        Self {
            probabilities: matches!(draft.answer, Answer::Binary | Answer::Classes),
            steps: draft.steps,
            body: draft.body,
            link: draft.link,
            answer: draft.answer,
            decision: draft.decision,
            labels: draft.labels,
            features: Some(draft.features),
            class: draft.provenance.objective.clone(),
            provenance: Some(draft.provenance),
        }
    }

    /// The number of classes; 0 of a regressor.
    pub(super) fn n_classes(&self) -> usize {
        match self.answer {
            Answer::Values => 0,
            Answer::Binary | Answer::Score => 2,
            _ => self
                .labels
                .as_ref()
                .map_or_else(|| self.body.n_margins(), Labels::len),
        }
    }

    /// Steps in front of those that the part has.
    pub(super) fn behind(mut self, mut steps: Vec<Step>) -> Self {
        if !steps.is_empty() {
            steps.append(&mut self.steps);
            self.steps = steps;
        }
        self
    }

    /// The steps that give `predict_proba`: a column a class. `None` where there is none.
    pub(super) fn into_probabilities(self) -> Option<Vec<Step>> {
        if !self.probabilities {
            return None;
        }
        let binary = self.answer == Answer::Binary;
        let single = self.provenance.is_some() && self.body.margin() == Float::F32;
        let mut steps = self.into_answers();
        if binary {
            steps.push(Step::Linear(complement()));
            if single {
                steps.push(Step::Map(Function::Narrow));
            }
        }
        Some(steps)
    }

    /// The steps that give `decision_function`, or a regressor's `predict`: the margins.
    pub(super) fn into_margins(self) -> Vec<Step> {
        let (n, seen) = (self.body.n_outputs(), self.body.n_margins());
        let mut steps = self.steps;
        steps.extend(body_step(self.body));
        if seen < n {
            let columns = (0..seen as u32).collect();
            steps.push(Step::Select { columns });
        }
        steps
    }

    /// The steps that give the answers, one column of a binary classifier.
    pub(super) fn into_answers(self) -> Vec<Step> {
        let single = self.provenance.is_some() && self.body.margin() == Float::F32;
        let mut steps = self.steps;
        steps.extend(body_step(self.body));
        steps.extend(match single {
            true => single_link_steps(self.link),
            false => link_steps(self.link),
        });
        steps
    }

    /// The steps that give the number of the class that `predict` names.
    pub(super) fn into_class(self) -> Vec<Step> {
        let above = |x: f64| Step::Map(Function::Above(x));
        let (answer, decision) = (self.answer, self.decision);
        match (answer, decision) {
            (Answer::Class, _) => self.into_answers(),
            (_, Decision::Answer) => {
                let mut steps = self.into_answers();
                steps.push(match answer {
                    Answer::Binary => above(0.5),
                    Answer::Score => above(0.0),
                    _ => Step::Link(Link::ArgMax),
                });
                steps
            }
            _ => {
                let n = self.body.n_margins();
                let one = n == 1;
                let mut steps = self.into_margins();
                if !one && decision == Decision::LastMargin {
                    // Turned round, the last of equals is the first.
                    let columns = (0..n as u32).rev().collect();
                    steps.push(Step::Select { columns });
                    steps.push(Step::Link(Link::ArgMax));
                    steps.push(Step::Affine {
                        factor: vec![-1.0],
                        offset: vec![(n - 1) as f64],
                    });
                    return steps;
                }
                if !one && decision == Decision::Votes {
                    steps.push(Step::Map(Function::Round));
                }
                steps.push(match (one, decision) {
                    (true, Decision::MarginFromZero) => Step::Map(Function::AtLeast(0.0)),
                    (true, _) => above(0.0),
                    (false, _) => Step::Link(Link::ArgMax),
                });
                steps
            }
        }
    }
}

/// A body as a step; none where the steps themselves are the body.
pub(super) fn body_step(body: Body) -> Option<Step> {
    match body {
        Body::Ensemble(e) => Some(Step::Ensemble(e)),
        Body::Linear(mut l) => {
            l.sum = Float::F64;
            Some(Step::Linear(l))
        }
        _ => None,
    }
}

/// A link as steps.
pub(super) fn link_steps(link: Link) -> Vec<Step> {
    match link {
        Link::Identity => Vec::new(),
        Link::Then(steps) => steps,
        link => vec![Step::Link(link)],
    }
}

/// A link that its library computes in f32, as XGBoost does: the sigmoid operation by operation,
/// the others rounded at their end.
fn single_link_steps(link: Link) -> Vec<Step> {
    let narrow = Step::Map(Function::Narrow);
    match link {
        Link::Identity => Vec::new(),
        Link::Sigmoid { steepness: 1.0 } => vec![
            Step::Map(Function::Negate),
            Step::Map(Function::Clip {
                low: f64::NEG_INFINITY,
                high: f64::from(88.7_f32),
            }),
            Step::Map(Function::Exp),
            narrow.clone(),
            Step::Affine {
                factor: vec![1.0],
                offset: vec![1.0],
            },
            narrow.clone(),
            Step::Map(Function::Reciprocal),
            narrow,
        ],
        link => {
            let mut steps = link_steps(link);
            steps.push(narrow);
            steps
        }
    }
}

/// From the probability of the second of two classes to both.
pub(super) fn complement() -> Linear {
    linear(vec![-1.0, 1.0], vec![1.0, 0.0])
}

/// From the score of the second of two classes to one for each.
pub(super) fn opposites() -> Step {
    Step::Linear(linear(vec![-1.0, 1.0], vec![0.0; 2]))
}

/// What [`divided_by_sum`] leaves where there is nothing to divide by.
#[derive(Clone, Copy)]
pub(super) enum Undivided {
    Zeros,
    Nan,
}

/// Each of `n` values, none of them below 0, divided by their sum, unless that is 0.
pub(super) fn divided_by_sum(n: usize, undivided: Undivided) -> Vec<Step> {
    let sum = Step::Linear(linear(vec![1.0; n], vec![0.0]));
    let of_each = Step::Select {
        columns: vec![0; n],
    };
    let otherwise = match undivided {
        Undivided::Zeros => Vec::new(),
        // The logarithm of -1 is NaN.
        Undivided::Nan => vec![
            Step::Affine {
                factor: vec![0.0; n],
                offset: vec![-1.0; n],
            },
            Step::Map(Function::Ln),
        ],
    };
    vec![
        Step::Branches(vec![
            vec![sum, of_each],
            vec![Step::Normalize(Norm::Shares)],
            otherwise,
        ]),
        Step::Choose,
    ]
}

/// The place of the first of the largest; NaN is none.
pub(super) fn first_largest(values: &[f64]) -> usize {
    let larger = |best: usize, i: usize| if values[i] > values[best] { i } else { best };
    (0..values.len()).fold(0, larger)
}

/// A matrix product in f64, `weights` being inputs x outputs, row-major.
pub(super) fn linear(weights: Vec<f64>, intercept: Vec<f64>) -> Linear {
    Linear {
        n_outputs: intercept.len(),
        sum: Float::F64,
        weights,
        intercept,
        intercept_order: InterceptOrder::Last,
        missing: LinearMissing::Propagate,
    }
}

/// What the steps leave, all of it margins.
pub(super) fn row(n: usize) -> Body {
    Body::Row {
        n_outputs: n,
        n_margins: n,
    }
}

/// Whether the classes are named by their numbers.
pub(super) fn are_numbers(labels: &Labels) -> bool {
    matches!(labels, Labels::Ints(v) if v.iter().copied().eq(0..v.len() as i64))
}

/// The class's refusal of a member without `predict_proba`.
pub(super) fn no_probabilities(at: Attributes<'_, '_>) -> Error {
    at.unsupported(
        "without predict_proba",
        "it stands where probabilities are needed",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_is_never_the_largest() {
        for (values, want) in [
            (&[1.0, 3.0, 3.0][..], 1),
            (&[0.5, f64::NAN, 2.0], 2),
            (&[-0.0, 0.0], 0),
        ] {
            assert_eq!(first_largest(values), want, "{values:?}");
        }
    }
}
