//! Ensembles and linear models of `ai.onnx.ml` as parts of a larger model.

use std::rc::Rc;

use fretsaw_model::{Answer, Float, Function, Labels, Link, Step, Target, Tree};

use super::super::body::Trees;
use super::super::columns::Input;
use super::super::raw::{self, Aggregate, Post};
use super::super::trees::{base_first, ensemble};
use super::super::{classifier, raw::labels};
use super::arithmetic::affine;
use super::reduce::{extreme, linear};
use super::value::{Class, Kind, Row, Rule, Value, join};
use super::{Op, Reader, svm};
use crate::Error;
use crate::lower::branch::Column;

/// The operators of this file and of `svm`; `None` for others.
pub(super) fn operator<'a>(r: &Reader<'a>, op: Op<'a>) -> Option<Result<Value, Error>> {
    Some(match op.name() {
        "TreeEnsembleRegressor" | "TreeEnsemble" => regressor(r, op).map(Value::Row),
        "TreeEnsembleClassifier" => tree_classifier(r, op),
        "LinearRegressor" => linear_regressor(r, op).map(Value::Row),
        "LinearClassifier" => linear_classifier(r, op),
        "SVMRegressor" => svm::regressor(r, op).map(Value::Row),
        "SVMClassifier" => svm::classifier(r, op),
        _ => return None,
    })
}

/// Rows of floating-point numbers that a model reads.
pub(super) fn numbers<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let row = r.row(op, 0)?;
    match row.columns() {
        Some(n) if row.kind != Kind::Text => Ok(row.shaped(vec![None, Some(n)])),
        _ => Err(op.refuse("an input that is not rows of numbers")),
    }
}

/// An output of a classifier: the class, or what else it answers.
pub(super) fn answer(op: Op<'_>, rule: Rule, names: Labels, scores: Row) -> Value {
    if op.output == 1 {
        return Value::Row(scores);
    }
    let numbered = matches!(&names, Labels::Ints(v) if v.iter().copied().eq(0..v.len() as i64));
    Value::Class(Class {
        rule,
        names: (!numbered).then(|| Rc::new(names)),
        dims: vec![None],
    })
}

fn trees<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<(Row, Trees), Error> {
    let row = numbers(r, op)?;
    let (row, float) = match row.kind {
        Kind::F64 => (row, Float::F64),
        // Whole numbers are compared as f32.
        _ => (row.of_kind(Kind::F32).rounded(), Float::F32),
    };
    if !row.exact {
        return Err(op.refuse(
            "an ensemble behind arithmetic that is known within rounding only (a row could go another way)",
        ));
    }
    let input = Input {
        steps: vec![],
        columns: (0..row.width() as u32)
            .map(|f| (Column::default(), f))
            .collect(),
        compare: float,
        float,
    };
    let raw = match op.name() {
        "TreeEnsemble" => raw::version_5(op)?,
        _ => raw::version_3(op, float)?,
    };
    let (ensemble, hit) = ensemble(&raw, &input).map_err(|e| e.at(op.place()))?;
    Ok((
        row,
        Trees {
            raw,
            input,
            ensemble,
            hit,
        },
    ))
}

/// Version 3 answers f32 whatever it reads.
fn finished(op: Op<'_>, row: Row) -> Row {
    match op.name() {
        "TreeEnsemble" => row.rounded(),
        _ => row.of_kind(Kind::F32).rounded(),
    }
}

fn regressor<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let (row, mut t) = trees(r, op)?;
    let n = t.raw.n_outputs;
    let based = t.ensemble.base.iter().any(|&b| b != 0.0);
    if based && n > 1 && t.hit.contains(&false) {
        return Err(op.refuse(
            "a base value of an output that not every row adds to (ONNX Runtime drops it there)",
        ));
    }
    let link = match t.raw.post {
        Post::Probit => Some(Link::Probit),
        // With one output ONNX Runtime applies PROBIT only.
        Post::None => None,
        _ if n == 1 => None,
        Post::Softmax => Some(Link::Softmax),
        Post::Logistic => Some(Link::Sigmoid { steepness: 1.0 }),
        Post::SoftmaxZero => Some(Link::SoftmaxZero),
    };
    let sum = match t.raw.aggregate {
        Aggregate::Min | Aggregate::Max => best_of_trees(op, &row, &t)?,
        _ => {
            base_first(&mut t.ensemble);
            row.then(Step::Ensemble(t.ensemble), vec![None, Some(n)])
        }
    };
    let sum = finished(op, sum);
    Ok(match link {
        Some(link) => finished(op, sum.each(Step::Link(link))).near(),
        None => sum,
    })
}

/// The least or the largest of what the trees say: each tree is an output of its own first.
fn best_of_trees(op: Op<'_>, row: &Row, t: &Trees) -> Result<Row, Error> {
    let mut e = t.ensemble.clone();
    let (n, n_trees) = (e.n_outputs, e.trees.len());
    let one_output = |tree: &Tree| matches!(tree.target, Target::Output(_));
    if n != 1 || n_trees == 0 || !e.trees.iter().all(one_output) {
        return Err(op.refuse("the least or the largest of trees with several outputs"));
    }
    let base = std::mem::replace(&mut e.base, vec![0.0; n_trees]);
    e.n_outputs = n_trees;
    e.multiply = vec![1.0; n_trees];
    for (tree, i) in e.trees.iter_mut().zip(0..) {
        tree.target = Target::Output(i);
    }
    let each = row.then(Step::Ensemble(e), vec![None, Some(n_trees)]);
    let all = [(0..n_trees).collect()];
    let best = match t.raw.aggregate {
        Aggregate::Max => extreme(&each, &all)?,
        _ => extreme(&each.map(Function::Negate), &all)?.map(Function::Negate),
    };
    Ok(affine(&best, 1.0, base[0]).shaped(vec![None, Some(1)]))
}

fn tree_classifier<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Value, Error> {
    let (row, t) = trees(r, op)?;
    let c = classifier::of_trees(op, t)?;
    let e = c.ensemble;
    let sum = finished(
        op,
        row.clone()
            .then(Step::Ensemble(e.clone()), vec![None, Some(e.n_outputs)]),
    );
    let linked = match c.link {
        Link::Identity => sum.clone(),
        link => sum.each(Step::Link(link)).rounded().near(),
    };
    let (rule, scores) = match c.answer {
        Answer::Binary if linked.exact => {
            let both = complement(&linked)?;
            (Rule::Largest(both.clone()), both)
        }
        Answer::Binary => (Rule::AboveZero(sum), complement(&linked)?),
        _ => (Rule::Largest(sum), linked),
    };
    Ok(answer(op, rule, c.labels, scores))
}

/// `[1 - p, p]`.
fn complement(p: &Row) -> Result<Row, Error> {
    let rest = affine(p, -1.0, 1.0).rounded();
    join(&[&rest, p])
}

fn linked(op: Op<'_>, row: Row) -> Result<Row, Error> {
    let link = match op.text("post_transform").unwrap_or("NONE") {
        "NONE" => return Ok(row),
        "SOFTMAX" => Step::Link(Link::Softmax),
        "LOGISTIC" => Step::Map(Function::Logistic),
        "SOFTMAX_ZERO" => Step::Link(Link::SoftmaxZero),
        other => return Err(op.refuse(&format!("the post_transform {other:?}"))),
    };
    Ok(row.each(link).rounded().near())
}

/// The products of a row with the rows of `coefficients`, and intercepts added.
fn scores(op: Op<'_>, row: &Row, n_outputs: usize) -> Result<Row, Error> {
    let n = row.width();
    let coefficients = op.floats("coefficients");
    let intercepts = op.floats("intercepts");
    let fits = intercepts.is_empty() || intercepts.len() == n_outputs;
    if n_outputs.checked_mul(n) != Some(coefficients.len()) || n_outputs == 0 || !fits {
        return Err(Error::invalid(format!(
            "{} coefficients and {} intercepts for {n} features and {n_outputs} outputs",
            coefficients.len(),
            intercepts.len()
        ))
        .at(op.place()));
    }
    let weights = (0..n)
        .flat_map(|i| coefficients.iter().skip(i).step_by(n).copied())
        .collect();
    let intercepts = match intercepts.is_empty() {
        true => vec![0.0; n_outputs],
        false => intercepts,
    };
    Ok(linear(
        &row.clone().of_kind(Kind::F32).rounded(),
        weights,
        intercepts,
    ))
}

fn linear_regressor<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let row = numbers(r, op)?;
    let n = usize::try_from(op.int("targets").unwrap_or(1)).unwrap_or(0);
    let sums = scores(op, &row, n)?;
    match (op.text("post_transform").unwrap_or("NONE"), n) {
        ("NONE", _) => Ok(sums),
        (other, 1) => Err(op.refuse(&format!("the post_transform {other:?} of one output"))),
        _ => linked(op, sums),
    }
}

fn linear_classifier<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Value, Error> {
    let row = numbers(r, op)?;
    let names = match op.texts("classlabels_strings") {
        Some(text) if !text.is_empty() => Labels::Strings(text),
        _ if !op.ints("classlabels_ints").is_empty() => {
            Labels::Ints(op.ints("classlabels_ints").to_vec())
        }
        _ => labels(op)?,
    };
    let n = op.floats("intercepts").len();
    if (n, names.len()) == (1, 2) {
        // One score: its sign names the class, and the answers are a pair.
        let score = scores(op, &row, 1)?;
        let pair = match op.text("post_transform").unwrap_or("NONE") {
            "NONE" | "SOFTMAX" => complement(&score)?,
            "LOGISTIC" => {
                let first = score.map(Function::Negate).map(Function::Logistic);
                join(&[&first, &score.map(Function::Logistic)])?.rounded()
            }
            other => return Err(op.refuse(&format!("the post_transform {other:?} of one score"))),
        };
        return Ok(answer(op, Rule::AboveZero(score), names, pair));
    }
    if n < 2 || names.len() != n {
        return Err(op.refuse("a score for other than each class"));
    }
    let sums = scores(op, &row, n)?;
    let answers = linked(op, sums.clone())?;
    Ok(answer(op, Rule::Largest(sums), names, answers))
}
