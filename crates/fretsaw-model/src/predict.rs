//! The reference predictor: the specification that everything else is compared with.
//!
//! It is written to be checked by eye against the frameworks' rules, one row and one node at a
//! time. It is deliberately not fast; the engine is.

use std::slice;

use crate::link::argmax;
use crate::{
    Answer, BaseOrder, Body, Draft, Ensemble, Error, Float, InterceptOrder, Linear, LinearMissing,
    Missing, Model, Node, Rows, Split, Step, Sum, Target, Test, Tree,
};

/// What `predict` of the framework answers: `n_rows` x [`n_columns`](crate::Draft::n_columns),
/// row-major. f32 answers are widened.
///
/// # Errors
/// When the rows have another number of features than the model.
pub fn predict(model: &Model, rows: &Rows<'_>) -> Result<Vec<f64>, Error> {
    let margins = margins(model, rows)?;
    let mut out = Vec::new();
    match model.body.margin() {
        Float::F64 => answers_f64(model, &margins, &mut out),
        Float::F32 => {
            let margins: Vec<f32> = margins.iter().map(|&m| m as f32).collect();
            let mut narrow = Vec::new();
            answers_f32(model, &margins, &mut narrow);
            out.extend(narrow.into_iter().map(f64::from));
        }
    }
    Ok(out)
}

/// The margins (raw scores): `n_rows` x `n_outputs`, row-major. f32 margins are widened.
///
/// # Errors
/// When the rows have another number of features than the model.
pub fn margins(model: &Model, rows: &Rows<'_>) -> Result<Vec<f64>, Error> {
    let n_features = model.features.len();
    if rows.n_features() != n_features {
        return Err(Error::rows(format!(
            "the rows have {} features, the model has {n_features}",
            rows.n_features()
        )));
    }
    if rows.float() == Float::F32 && model.needs_double_rows() {
        return Err(Error::rows(HASHES_IN_F32));
    }
    let mut out = Vec::new();
    let mut x = Vec::new();
    for row in 0..rows.n_rows() {
        x.clear();
        x.extend((0..n_features).map(|feature| rows.get(row, feature)));
        apply_steps(&model.steps, rows.float(), &mut x);
        match &model.body {
            Body::Ensemble(e) => ensemble(e, &mut x, &mut out),
            Body::Linear(l) => linear(l, &x, &mut out),
        }
    }
    Ok(out)
}

/// What is wrong with f32 rows where hashes are needed.
pub const HASHES_IN_F32: &str = "the rows are f32, which cannot hold the hashes of categories: \
    give a table with the categories as text, or f64 rows with their hashes";

/// Runs the preprocessing steps on one row, in the precision that the rows came in or, behind
/// [`Step::Widen`], in f64. The row grows by
/// what the steps append.
pub fn apply_steps(steps: &[Step], mut float: Float, x: &mut Vec<f64>) {
    for step in steps {
        if *step == Step::Widen {
            float = Float::F64;
            continue;
        }
        if let Step::Derive(derived) = step {
            for d in derived {
                let values = d.values_of(x).iter().map(|&v| float.cast(v));
                x.extend(values);
            }
            continue;
        }
        for (i, v) in x.iter_mut().enumerate() {
            *v = float.cast(match step {
                Step::MarkMissing { value } if *v == float.cast(*value) => f64::NAN,
                Step::FlushTiny { limit } if v.abs() <= *limit => 0.0,
                Step::Impute { values } if v.is_nan() => values[i],
                Step::Scale { shift, scale } => {
                    float.cast(*v - float.cast(shift[i])) / float.cast(scale[i])
                }
                _ => *v,
            });
        }
    }
}

fn ensemble(e: &Ensemble, x: &mut [f64], out: &mut Vec<f64>) {
    for v in x.iter_mut() {
        *v = e.compare.cast(*v);
    }
    // f32 sums are done in f64 and rounded after each operation: for +, *, / that is the f32 result.
    let round = |v: f64| {
        if e.sum == Sum::F32 {
            f64::from(v as f32)
        } else {
            v
        }
    };
    let first = out.len();
    match e.base_order {
        BaseOrder::First if e.sum != Sum::I32 => out.extend(e.base.iter().map(|&b| round(b))),
        _ => out.resize(first + e.n_outputs, 0.0),
    }
    let acc = &mut out[first..];
    for tree in &e.trees {
        let leaf = tree.leaf_of(x);
        let mut add = |k: usize, value: f64| {
            acc[k] = round(acc[k] + round(round(value) * round(tree.weight)))
        };
        match tree.target {
            Target::Output(k) => add(k as usize, leaf_value(tree, leaf, x)),
            Target::All => {
                let width = e.n_outputs;
                for (k, &value) in tree.leaves[leaf * width..][..width].iter().enumerate() {
                    add(k, value);
                }
            }
        }
    }
    for (k, sum) in acc.iter_mut().enumerate() {
        if e.sum == Sum::I32 {
            *sum = f64::from((*sum * e.multiply[k] / e.divide + e.base[k]) as f32);
            continue;
        }
        *sum = round(*sum * round(e.multiply[k]));
        *sum = round(*sum / round(e.divide));
        if e.base_order == BaseOrder::Last {
            *sum = round(*sum + round(e.base[k]));
        }
    }
}

impl Tree {
    /// The number of the leaf that a row comes to; `x` holds every feature, cast to
    /// [`Ensemble::compare`] and widened.
    ///
    /// # Panics
    /// When `x` is shorter than the model has features.
    pub fn leaf_of(&self, x: &[f64]) -> usize {
        let mut at = 0;
        loop {
            match &self.nodes[at] {
                Node::Leaf(leaf) => return *leaf as usize,
                Node::Split(split) => {
                    at = if goes_yes(split, self, x[split.feature as usize]) {
                        split.yes
                    } else {
                        split.no
                    } as usize;
                }
            }
        }
    }
}

fn goes_yes(split: &Split, tree: &Tree, mut x: f64) -> bool {
    match split.missing {
        Missing::AsZero if x.is_nan() => x = 0.0,
        Missing::ZeroOrNan { yes } if x.is_nan() || x.abs() <= Missing::ZERO => return yes,
        Missing::Nan { yes } if x.is_nan() => return yes,
        Missing::Nan { yes } => {
            if let Test::In(set) = split.test
                && tree.sets[set as usize].is_unknown(x)
            {
                return yes;
            }
        }
        _ => {}
    }
    match split.test {
        Test::Less(t) => x < t,
        Test::LessEq(t) => x <= t,
        Test::Greater(t) => x > t,
        Test::GreaterEq(t) => x >= t,
        Test::Equal(t) => x == t,
        Test::NotEqual(t) => x != t,
        Test::In(set) => tree.sets[set as usize].contains(x),
    }
}

fn leaf_value(tree: &Tree, leaf: usize, x: &[f64]) -> f64 {
    let Some(linear) = tree.linear.get(leaf) else {
        return tree.leaves[leaf];
    };
    if linear.terms.iter().any(|&(f, _)| x[f as usize].is_nan()) {
        return tree.leaves[leaf];
    }
    linear
        .terms
        .iter()
        .fold(linear.constant, |sum, &(f, c)| sum + c * x[f as usize])
}

fn linear(l: &Linear, x: &[f64], out: &mut Vec<f64>) {
    let round = |v: f64| l.sum.cast(v);
    for k in 0..l.n_outputs {
        let intercept = round(l.intercept[k]);
        let mut sum = if l.intercept_order == InterceptOrder::First {
            intercept
        } else {
            0.0
        };
        for (f, &v) in x.iter().enumerate() {
            if l.missing == LinearMissing::Skip && v.is_nan() {
                continue;
            }
            sum = round(sum + round(round(v) * round(l.weights[f * l.n_outputs + k])));
        }
        if l.intercept_order == InterceptOrder::Last {
            sum = round(sum + intercept);
        }
        out.push(sum);
    }
}

/// The answers to f32 `margins` (`n` x `n_outputs`): `n` x `n_columns` into `out`, which is
/// cleared first. What every f32 predictor calls, so that all answer alike.
pub fn answers_f32(model: &Draft, margins: &[f32], out: &mut Vec<f32>) {
    let n_outputs = model.body.n_outputs();
    out.clear();
    out.resize(margins.len() / n_outputs * model.n_columns(), 0.0);
    if model.answer == Answer::Binary {
        for (m, out) in margins.iter().zip(out.chunks_exact_mut(2)) {
            model.link.apply_f32(slice::from_ref(m), &mut out[1..]);
            out[0] = 1.0 - out[1];
        }
    } else {
        for (m, out) in margins
            .chunks_exact(n_outputs)
            .zip(out.chunks_exact_mut(model.n_columns()))
        {
            model.link.apply_f32(m, out);
        }
    }
}

/// The same for f64 margins.
pub fn answers_f64(model: &Draft, margins: &[f64], out: &mut Vec<f64>) {
    let n_outputs = model.body.n_outputs();
    out.clear();
    out.resize(margins.len() / n_outputs * model.n_columns(), 0.0);
    if model.answer == Answer::Binary {
        for (m, out) in margins.iter().zip(out.chunks_exact_mut(2)) {
            model.link.apply_f64(slice::from_ref(m), &mut out[1..]);
            out[0] = 1.0 - out[1];
        }
    } else {
        for (m, out) in margins
            .chunks_exact(n_outputs)
            .zip(out.chunks_exact_mut(model.n_columns()))
        {
            model.link.apply_f64(m, out);
        }
    }
}

/// The class number of each row, from the answers of [`predict`]; `None` where the answers name
/// no single class.
pub fn labels(model: &Model, predictions: &[f64]) -> Option<Vec<usize>> {
    let rows = predictions.chunks_exact(model.n_columns());
    match model.answer {
        Answer::Values | Answer::Labels => None,
        Answer::Binary => Some(rows.map(|p| usize::from(p[1] > 0.5)).collect()),
        Answer::Classes => Some(rows.map(argmax).collect()),
        Answer::Class => Some(rows.map(|p| p[0] as usize).collect()),
    }
}
