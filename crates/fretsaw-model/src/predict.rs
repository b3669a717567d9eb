//! The reference predictor: the specification that everything else is compared with.
//!
//! It is written to be checked by eye against the frameworks' rules, one row and one node at a
//! time. It is deliberately not fast; the engine is.

use crate::link::{argmax, last_argmax, sigmoid_f32, sigmoid_f64};
use crate::{
    Answer, BaseOrder, Body, Decision, Draft, Ensemble, Error, Float, InterceptOrder, Linear,
    LinearMissing, Link, Missing, Model, Node, Rows, Split, Sum, Target, Test, Tree, apply_steps,
};

/// What `predict` of the framework answers: `n_rows` x [`n_columns`](crate::Draft::n_columns),
/// row-major. f32 answers are widened.
///
/// # Errors
/// When the rows have another number of features than the model, or one has a category that the
/// model refuses.
pub fn predict(model: &Model, rows: &Rows<'_>) -> Result<Vec<f64>, Error> {
    let margins = body_rows(model, rows)?;
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

/// The margins (raw scores): `n_rows` x [`n_margins`](crate::Body::n_margins), row-major. f32 margins
/// are widened.
///
/// # Errors
/// When the rows have another number of features than the model, or one has a category that the
/// model refuses.
pub fn margins(model: &Model, rows: &Rows<'_>) -> Result<Vec<f64>, Error> {
    Ok(seen_margins(model, body_rows(model, rows)?))
}

/// What the body gives the link: `n_rows` x [`n_outputs`](crate::Body::n_outputs), row-major, widened.
///
/// # Errors
/// As [`margins`].
pub fn body_rows(model: &Model, rows: &Rows<'_>) -> Result<Vec<f64>, Error> {
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
        apply_steps(&model.steps, rows.float(), &mut x).map_err(|e| e.in_row(row))?;
        match &model.body {
            Body::Ensemble(e) => ensemble(e, &mut x, &mut out),
            Body::Linear(l) => linear(l, &x, &mut out),
            Body::Row { .. } => out.extend(&x),
        }
    }
    Ok(out)
}

/// The margins that a user sees, of what [`body_rows`] gives: all of it, but for a
/// [`Body::Row`](crate::Body::Row) that holds more.
pub fn seen_margins(model: &Draft, rows: Vec<f64>) -> Vec<f64> {
    let (n, seen) = (model.body.n_outputs(), model.body.n_margins());
    if n == seen {
        return rows;
    }
    let seen_of = |row: &[f64]| row[..seen].to_vec();
    rows.chunks_exact(n).flat_map(seen_of).collect()
}

/// What is wrong with f32 rows where hashes are needed.
pub const HASHES_IN_F32: &str = "the rows are f32, which cannot hold the hashes of categories: \
    give a table with the categories as text, or f64 rows with their hashes";

pub(crate) fn ensemble(e: &Ensemble, x: &mut [f64], out: &mut Vec<f64>) {
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
                    at = if self.goes_yes(split, x[split.feature as usize]) {
                        split.yes
                    } else {
                        split.no
                    } as usize;
                }
            }
        }
    }

    /// Which way the value `x`, cast to [`Ensemble::compare`] and widened, goes at one of the tree's
    /// splits.
    ///
    /// # Panics
    /// When the split names a category set that the tree does not have.
    pub fn goes_yes(&self, split: &Split, mut x: f64) -> bool {
        match split.missing {
            Missing::AsZero if x.is_nan() => x = 0.0,
            Missing::ZeroOrNan { yes } if x.is_nan() || x.abs() <= Missing::ZERO => return yes,
            Missing::Nan { yes } if x.is_nan() => return yes,
            Missing::Nan { yes } => {
                if let Test::In(set) = split.test
                    && self.sets[set as usize].is_unknown(x)
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
            Test::In(set) => self.sets[set as usize].contains(x),
        }
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

pub(crate) fn linear(l: &Linear, x: &[f64], out: &mut Vec<f64>) {
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

/// The answers to f32 `margins` (`n` x `n_outputs`): `n` x `n_columns` in place of what `out` held.
/// What every f32 predictor calls, so that all answer alike.
pub fn answers_f32(model: &Draft, margins: &[f32], out: &mut Vec<f32>) {
    let n_outputs = model.body.n_outputs();
    let n_columns = model.n_columns();
    // All of it is written below.
    out.resize(margins.len() / n_outputs * n_columns, 0.0);
    let rows = margins.chunks_exact(n_outputs);
    match (model.answer, &model.link) {
        // Most binary classifiers: no call a row but for `exp`.
        (Answer::Binary, Link::Sigmoid { steepness }) if n_outputs == 1 => {
            let steepness = *steepness as f32;
            for (&m, out) in margins.iter().zip(out.as_chunks_mut().0) {
                let p = sigmoid_f32(steepness, m);
                *out = [1.0 - p, p];
            }
        }
        (Answer::Binary, link) => {
            for (m, out) in rows.zip(out.chunks_exact_mut(2)) {
                link.apply_f32(m, &mut out[1..]);
                out[0] = 1.0 - out[1];
            }
        }
        (_, Link::Identity) => out.copy_from_slice(margins),
        (_, link) => {
            for (m, out) in rows.zip(out.chunks_exact_mut(n_columns)) {
                link.apply_f32(m, out);
            }
        }
    }
}

/// The same for f64 margins.
pub fn answers_f64(model: &Draft, margins: &[f64], out: &mut Vec<f64>) {
    let n_outputs = model.body.n_outputs();
    let n_columns = model.n_columns();
    // All of it is written below.
    out.resize(margins.len() / n_outputs * n_columns, 0.0);
    let rows = margins.chunks_exact(n_outputs);
    match (model.answer, &model.link) {
        // Most binary classifiers: no call a row but for `exp`.
        (Answer::Binary, Link::Sigmoid { steepness }) if n_outputs == 1 => {
            let steepness = *steepness;
            for (&m, out) in margins.iter().zip(out.as_chunks_mut().0) {
                let p = sigmoid_f64(steepness, m);
                *out = [1.0 - p, p];
            }
        }
        (Answer::Binary, link) => {
            for (m, out) in rows.zip(out.chunks_exact_mut(2)) {
                link.apply_f64(m, &mut out[1..]);
                out[0] = 1.0 - out[1];
            }
        }
        (_, Link::Identity) => out.copy_from_slice(margins),
        (_, link) => {
            for (m, out) in rows.zip(out.chunks_exact_mut(n_columns)) {
                link.apply_f64(m, out);
            }
        }
    }
}

/// The class number of each row, from its margins ([`margins`]) and answers ([`predict`]); `None`
/// where the model names no single class.
pub fn labels(model: &Draft, margins: &[f64], answers: &[f64]) -> Option<Vec<usize>> {
    let answers = answers.chunks_exact(model.n_columns());
    let above = |x: f64, limit: f64| usize::from(x > limit);
    Some(match (model.answer, model.decision) {
        (Answer::Values | Answer::Labels, _) => return None,
        (Answer::Class, _) => answers.map(|p| p[0] as usize).collect(),
        (Answer::Binary, Decision::Answer) => answers.map(|p| above(p[1], 0.5)).collect(),
        (Answer::Score, Decision::Answer) => answers.map(|p| above(p[0], 0.0)).collect(),
        (Answer::Classes, Decision::Answer) => answers.map(argmax).collect(),
        (_, decision) => {
            let name = |m: &[f64]| match (m, decision) {
                (&[m], Decision::MarginFromZero) => usize::from(m >= 0.0),
                (&[m], _) => above(m, 0.0),
                (m, Decision::LastMargin) => last_argmax(m),
                (m, Decision::Votes) => {
                    argmax(&m.iter().map(|v| v.round_ties_even()).collect::<Vec<f64>>())
                }
                (m, _) => argmax(m),
            };
            let margins = margins.chunks_exact(model.body.n_margins());
            margins.map(name).collect()
        }
    })
}
