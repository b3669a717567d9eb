//! `TreeEnsembleClassifier`, with the rules of ONNX Runtime: with two classes it has several
//! meanings, told apart by which classes have weights, whether all weights are positive, and the
//! post_transform. Those whose label or probabilities are not those of a model here are refused.

use fretsaw_model::{Answer, Ensemble, Labels, Link, Target};

use super::body::Trees;
use super::graph::Op;
use super::raw::Post;
use super::trees::base_first;
use crate::Error;

/// A classifier operator's trees and what becomes of their sums.
pub(super) struct Classifier {
    pub(super) ensemble: Ensemble,
    pub(super) link: Link,
    pub(super) answer: Answer,
    pub(super) labels: Labels,
}

/// What the trees of the operator are.
pub(super) fn of_trees(op: Op<'_>, t: Trees) -> Result<Classifier, Error> {
    if op.attribute("aggregate_function").is_some() {
        return Err(op.refuse("an aggregate_function of a classifier"));
    }
    let labels = t.raw.labels.clone();
    let labels = labels.ok_or_else(|| Error::invalid("it has no classes").at(op.place()))?;
    let (mut t, link, answer) = match labels.len() {
        2 => binary(op, t, &labels)?,
        _ => many(op, t)?,
    };
    base_first(&mut t.ensemble);
    Ok(Classifier {
        ensemble: t.ensemble,
        link,
        answer,
        labels,
    })
}

fn many(op: Op<'_>, t: Trees) -> Result<(Trees, Link, Answer), Error> {
    if t.raw.n_outputs < 3 {
        return Err(op.refuse("a classifier of one class"));
    }
    let link = match t.raw.post {
        Post::None => Link::Identity,
        Post::Softmax => Link::Softmax,
        Post::Logistic => Link::Sigmoid { steepness: 1.0 },
        Post::SoftmaxZero => Link::SoftmaxZero,
        Post::Probit => return Err(op.refuse("PROBIT of several classes")),
    };
    // The label is the best of the classes that the row's leaves name. Where those that they do not
    // name count as 0, that is the best of all only if nothing is below 0.
    let based = !t.raw.base.is_empty();
    if !based && t.hit.contains(&false) && t.raw.weights.iter().any(|&(_, w)| w < 0.0) {
        return Err(op.refuse("a class that a row may have no weight for, beside negative weights"));
    }
    Ok((t, link, Answer::Classes))
}

fn binary(op: Op<'_>, mut t: Trees, labels: &Labels) -> Result<(Trees, Link, Answer), Error> {
    let weights = &t.raw.weights;
    let positive = weights.iter().all(|&(_, w)| w >= 0.0);
    let named = |k: usize| weights.iter().any(|&(i, _)| i == k);
    match (named(0), named(1)) {
        (true, false) if t.raw.base.len() < 2 => {
            let link = match (t.raw.post, positive) {
                // The one score is the probability of the second class. Other transforms are
                // ignored for one score.
                (Post::None | Post::Softmax | Post::SoftmaxZero, true) => Link::Identity,
                (Post::Logistic, false) => Link::Sigmoid { steepness: 1.0 },
                (Post::Logistic, true) => {
                    return Err(op.refuse(
                        "LOGISTIC of positive weights only (the label is cut at a score of 0.5)",
                    ));
                }
                (Post::Probit, _) => return Err(op.refuse("PROBIT of two classes")),
                (_, false) => {
                    return Err(op.refuse("scores of both signs that are no probabilities"));
                }
            };
            one_output(&mut t, 0);
            Ok((t, link, Answer::Binary))
        }
        (true, true) if t.raw.base.is_empty() => {
            if !mirrored(&t) {
                return Err(op.refuse(
                    "two scores that are not opposite (the label is cut at a second score of 0)",
                ));
            }
            // ONNX Runtime answers 0 and 1 here, whatever whole numbers the classes are.
            if matches!(labels, Labels::Ints(v) if *v != [0, 1]) {
                return Err(op.refuse("two scores with classes other than 0 and 1"));
            }
            match t.raw.post {
                Post::Logistic => {
                    one_output(&mut t, 1);
                    Ok((t, Link::Sigmoid { steepness: 1.0 }, Answer::Binary))
                }
                Post::Softmax => Ok((t, Link::Softmax, Answer::Classes)),
                _ => Err(op.refuse("two scores that are no probabilities")),
            }
        }
        _ => Err(op.refuse("weights for the second class only, or base_values for two classes")),
    }
}

/// Whether every leaf adds the opposite to the first class of what it adds to the second.
fn mirrored(t: &Trees) -> bool {
    let opposite = |l: &[f64]| l[0] == -l[1];
    t.hit == [true, true]
        && opposite(&t.ensemble.base)
        && t.ensemble
            .trees
            .iter()
            .all(|tree| tree.target == Target::All && tree.leaves.chunks_exact(2).all(opposite))
}

/// Keeps the scores of class `k` only.
fn one_output(t: &mut Trees, k: usize) {
    let e = &mut t.ensemble;
    let width = e.n_outputs;
    for tree in &mut e.trees {
        if tree.target == Target::All {
            tree.leaves = tree.leaves.chunks_exact(width).map(|l| l[k]).collect();
        }
        tree.target = Target::Output(0);
    }
    e.n_outputs = 1;
    e.base = vec![e.base[k]];
    e.multiply = vec![1.0];
}
