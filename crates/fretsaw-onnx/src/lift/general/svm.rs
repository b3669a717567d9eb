//! Support vector machines: libsvm's, as ONNX Runtime repeats them.

use fretsaw_model::{Function, Kernel, KernelFunction, Labels, PairwiseCoupling, Step};

use super::models::{answer, numbers};
use super::reduce::linear;
use super::value::{Kind, Row, Rule, Value, join};
use super::{Op, Reader};
use crate::Error;

/// Support vectors, each counted for every two classes.
const MAX_WEIGHTS: usize = 1 << 26;

fn invalid(op: Op<'_>, what: &str) -> Error {
    Error::invalid(what).at(op.place())
}

fn kernel(op: Op<'_>, row: &Row, vectors: Vec<f64>) -> Result<Row, Error> {
    let n = row.width();
    if n == 0 || vectors.is_empty() || !vectors.len().is_multiple_of(n) {
        return Err(invalid(
            op,
            "its support vectors are no rows of its features",
        ));
    }
    let parameters = op.floats("kernel_params");
    let parameter = |i: usize| parameters.get(i).copied().unwrap_or(0.0);
    let (gamma, coef0, degree) = (parameter(0), parameter(1), parameter(2));
    let function = match op.text("kernel_type").unwrap_or("LINEAR") {
        "LINEAR" => KernelFunction::Linear,
        "POLY" => KernelFunction::Polynomial {
            gamma,
            coef0,
            degree,
        },
        "RBF" => KernelFunction::Rbf { gamma },
        "SIGMOID" => KernelFunction::Sigmoid { gamma, coef0 },
        other => return Err(op.refuse(&format!("the kernel {other:?}"))),
    };
    let width = vectors.len() / n;
    let step = Step::Kernel(Kernel {
        function,
        n_features: n,
        vectors,
    });
    let narrow = row.clone().of_kind(Kind::F32).rounded();
    Ok(narrow.then(step, vec![None, Some(width)]).near())
}

fn plain(op: Op<'_>) -> Result<(), Error> {
    match op.text("post_transform").unwrap_or("NONE") {
        "NONE" => Ok(()),
        other => Err(op.refuse(&format!("the post_transform {other:?}"))),
    }
}

pub(super) fn regressor<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    plain(op)?;
    let row = numbers(r, op)?;
    let (coefficients, rho) = (op.floats("coefficients"), op.floats("rho"));
    let &[rho] = &rho[..] else {
        return Err(invalid(op, "rho is not one number"));
    };
    let similar = match op.int("n_supports").unwrap_or(0) {
        0 => row.of_kind(Kind::F32).rounded(),
        _ => kernel(op, &row, op.floats("support_vectors"))?,
    };
    if coefficients.len() != similar.width() {
        return Err(invalid(
            op,
            "it has not one coefficient for each support vector",
        ));
    }
    let sum = linear(&similar, coefficients, vec![rho]);
    Ok(match op.int("one_class").unwrap_or(0) {
        0 => sum,
        // 1 above 0, else -1.
        _ => super::arithmetic::affine(&sum.map(Function::Above(0.0)), 2.0, -1.0),
    })
}

pub(super) fn classifier<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Value, Error> {
    plain(op)?;
    let row = numbers(r, op)?;
    let names = match op.texts("classlabels_strings") {
        Some(text) if !text.is_empty() => Labels::Strings(text),
        _ => Labels::Ints(op.ints("classlabels_ints").to_vec()),
    };
    let k = names.len();
    let own: Option<Vec<usize>> = op
        .ints("vectors_per_class")
        .iter()
        .map(|&n| usize::try_from(n).ok())
        .collect();
    let own = own.filter(|own| own.len() == k && k >= 2);
    let own = own.ok_or_else(|| {
        op.refuse("a machine without support vectors for each of two or more classes")
    })?;
    let similar = kernel(op, &row, op.floats("support_vectors"))?;
    let n = similar.width();
    let (coefficients, rho) = (op.floats("coefficients"), op.floats("rho"));
    if coefficients.iter().all(|&c| c >= 0.0) {
        return Err(op.refuse("a machine of positive coefficients only (its scores are others)"));
    }
    let total = own.iter().fold(0, |n: usize, &v| n.saturating_add(v));
    let n_pairs = k.saturating_mul(k - 1) / 2;
    let fits = total == n && (k - 1).checked_mul(n) == Some(coefficients.len());
    if !fits || rho.len() != n_pairs {
        return Err(invalid(
            op,
            "its coefficients do not fit its support vectors and classes",
        ));
    }
    if n.saturating_mul(n_pairs) > MAX_WEIGHTS {
        return Err(op.refuse("a machine of so many classes and support vectors"));
    }
    let pairs: Vec<(usize, usize)> = (0..k)
        .flat_map(|i| (i + 1..k).map(move |j| (i, j)))
        .collect();
    // The decision between classes i and j sees the vectors of both only.
    let starts: Vec<usize> = own
        .iter()
        .scan(0, |at, n| Some(std::mem::replace(at, *at + n)))
        .collect();
    let mut weights = vec![0.0; n * pairs.len()];
    for (p, &(i, j)) in pairs.iter().enumerate() {
        for v in starts[i]..starts[i] + own[i] {
            weights[v * pairs.len() + p] = coefficients[(j - 1) * n + v];
        }
        for v in starts[j]..starts[j] + own[j] {
            weights[v * pairs.len() + p] = coefficients[i * n + v];
        }
    }
    let decisions = linear(&similar, weights, rho);
    let n_classes = k as u32;
    // Whole votes: what is added to them to tell equals apart is below a third.
    let votes = decisions
        .then(Step::Votes { n_classes }, vec![None, Some(k)])
        .map(Function::Round);
    let (slope, offset) = (op.floats("prob_a"), op.floats("prob_b"));
    let scores = if slope.is_empty() {
        match k {
            2 => {
                // ONNX Runtime gives the first class what is for the second, and turned round.
                let minus = decisions.map(Function::Negate);
                join(&[&minus, &decisions])?
            }
            _ => decisions,
        }
    } else {
        if slope.len() != pairs.len() || offset.len() != pairs.len() {
            return Err(invalid(
                op,
                "it has not one probability parameter for each two classes",
            ));
        }
        let couple = Step::Couple(PairwiseCoupling {
            n_classes,
            slope,
            offset,
        });
        decisions.then(couple, vec![None, Some(k)]).rounded()
    };
    Ok(answer(op, Rule::Largest(votes), names, scores))
}
