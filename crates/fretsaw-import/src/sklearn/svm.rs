//! Support vector machines of libsvm: SVC, NuSVC, SVR, NuSVR and OneClassSVM.
//!
//! libsvm decides between each two classes, above 0 for the first; `dual_coef_` holds its
//! coefficients class by class, so that those of the pair (i, j) stand in row j-1 for the vectors of
//! class i and in row i for those of class j. scikit-learn turns the sign for two classes and makes
//! scores of the votes for more. Kernels that are functions, or that the user computes, are refused.

use fretsaw_model::{
    Answer, Body, Decision, Function, Labels, Linear, Link, PairwiseCoupling, Step,
};

use super::attributes::Attributes;
use super::columns::Columns;
use super::kernel;
use super::matrix::{Matrix, laid_out, places};
use super::part::{Part, linear, row};
use crate::Error;

/// SVR and NuSVR.
pub(super) fn regressor(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    let (kernel, sum) = one_sum(at, columns)?;
    Ok(Part::values(at, vec![kernel], Body::Linear(sum)))
}

/// OneClassSVM: above 0 is an inlier.
pub(super) fn one_class(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    let (kernel, sum) = one_sum(at, columns)?;
    let above = Function::Above(0.0);
    Ok(Part::outliers(at, vec![kernel], Body::Linear(sum), above))
}

fn one_sum(at: Attributes<'_, '_>, columns: &Columns) -> Result<(Step, Linear), Error> {
    let vectors = vectors(at, columns)?;
    let coef = either(at, "_dual_coef_", "dual_coef_");
    let coef = Matrix::of(at, coef)?.shaped(coef, 1, vectors.rows)?;
    let sum = linear(coef.values, at.one_each("intercept_", 1)?);
    Ok((kernel(at, vectors)?, sum))
}

/// SVC and NuSVC.
pub(super) fn classifier(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    let labels = at.classes()?;
    let n = labels.len();
    let vectors = vectors(at, columns)?;
    let pairs = pairs(at, n, vectors.rows)?;
    let coupling = coupling(at, n)?;
    let kernel = kernel(at, vectors)?;
    Ok(match n {
        2 => binary(at, kernel, pairs, coupling, labels),
        _ if at.text("decision_function_shape") == Some("ovo") => {
            if coupling.is_some() {
                let advice =
                    "set `decision_function_shape` to \"ovr\": probabilities and classes stay";
                let what = "with probabilities and the decision function of each two classes";
                return Err(at.unsupported(what, advice));
            }
            let votes = vec![
                Step::Votes {
                    n_classes: n as u32,
                },
                Step::Map(Function::Round),
            ];
            Part {
                link: Link::Then(votes),
                decision: Decision::Answer,
                ..Part::scores(at, vec![kernel], Body::Linear(pairs), labels)
            }
        }
        _ => several(at, kernel, pairs, coupling, labels),
    })
}

/// Two classes: the decision turned around, so that it is above 0 for the second; libsvm gives the
/// second the tie.
fn binary(
    at: Attributes<'_, '_>,
    kernel: Step,
    mut pair: Linear,
    coupling: Option<PairwiseCoupling>,
    labels: Labels,
) -> Part {
    for x in pair.weights.iter_mut().chain(&mut pair.intercept) {
        *x = -*x;
    }
    let mut part = Part::scores(at, vec![kernel], Body::Linear(pair), labels);
    part.decision = Decision::MarginFromZero;
    if let Some(mut coupling) = coupling {
        coupling.slope.iter_mut().for_each(|a| *a = -*a);
        part.link = Link::Then(vec![Step::Couple(coupling)]);
        part.answer = Answer::Classes;
        part.probabilities = true;
    }
    part
}

/// More classes: a score for each, made of the votes of the pairs, which the probabilities need too.
fn several(
    at: Attributes<'_, '_>,
    kernel: Step,
    pairs: Linear,
    coupling: Option<PairwiseCoupling>,
    labels: Labels,
) -> Part {
    let (n, n_pairs) = (labels.len(), pairs.n_outputs);
    let votes = Step::Votes {
        n_classes: n as u32,
    };
    let decision = match at.flag("break_ties") {
        true => Decision::Margin,
        false => Decision::Votes,
    };
    let mut steps = vec![kernel, Step::Linear(pairs)];
    let Some(coupling) = coupling else {
        steps.push(votes);
        return Part {
            decision,
            ..Part::scores(at, steps, row(n), labels)
        };
    };
    steps.push(Step::Branches(vec![vec![votes], Vec::new()]));
    let body = Body::Row {
        n_outputs: n + n_pairs,
        n_margins: n,
    };
    let columns = (n as u32..(n + n_pairs) as u32).collect();
    let link = Link::Then(vec![Step::Select { columns }, Step::Couple(coupling)]);
    Part {
        decision,
        ..Part::classifier(at, steps, body, (link, Answer::Classes), labels)
    }
}

/// `support_vectors_`; empty where every coefficient is 0.
fn vectors(at: Attributes<'_, '_>, columns: &Columns) -> Result<Matrix, Error> {
    Matrix::of(at, "support_vectors_")?.of_width("support_vectors_", columns.width())
}

/// libsvm's `k_function`.
fn kernel(at: Attributes<'_, '_>, vectors: Matrix) -> Result<Step, Error> {
    kernel::step(at, vectors, |parameter| match parameter {
        "gamma" => at.number("_gamma"),
        other => at.number(other),
    })
}

/// The decision of each pair from the kernel of each vector.
fn pairs(at: Attributes<'_, '_>, n: usize, n_vectors: usize) -> Result<Linear, Error> {
    let name = either(at, "_dual_coef_", "dual_coef_");
    let coef = Matrix::of(at, name)?;
    if n < 2 {
        return Err(Error::invalid(format!("{n} names in `classes_`")));
    }
    let coef = coef.shaped(name, n - 1, n_vectors)?;
    let n_pairs = n * (n - 1) / 2;
    let n_weights = laid_out(at, n_pairs.checked_mul(n_vectors), coef.values.len())?;
    let name = either(at, "_n_support", "n_support_");
    let counts = places(at.elements(name)?).unwrap_or_default();
    let total = counts.iter().try_fold(0_usize, |n, &c| n.checked_add(c));
    if counts.len() != n || total != Some(n_vectors) {
        return Err(Error::invalid(format!(
            "`{name}` does not share {n_vectors} support vectors among {n} classes"
        )));
    }
    let classes = counts.iter().enumerate();
    let class_of = classes.flat_map(|(class, &count)| std::iter::repeat_n(class, count));
    let mut weights = vec![0.0; n_weights];
    for (vector, class) in class_of.enumerate() {
        let weights = &mut weights[vector * n_pairs..][..n_pairs];
        for other in (0..n).filter(|&other| other != class) {
            let (i, j) = (class.min(other), class.max(other));
            let own = if class == i { j - 1 } else { i };
            weights[i * (2 * n - i - 1) / 2 + j - i - 1] = coef.row(own)[vector];
        }
    }
    let name = either(at, "_intercept_", "intercept_");
    Ok(linear(weights, at.one_each(name, n_pairs)?))
}

/// The sigmoids of the pairs, of a classifier that was trained with them.
fn coupling(at: Attributes<'_, '_>, n: usize) -> Result<Option<PairwiseCoupling>, Error> {
    if !at.flag("probability") {
        return Ok(None);
    }
    let slope = at.floats(either(at, "_probA", "probA_"))?;
    let offset = at.floats(either(at, "_probB", "probB_"))?;
    if slope.is_empty() && offset.is_empty() {
        return Ok(None);
    }
    Ok(Some(PairwiseCoupling {
        n_classes: n as u32,
        slope,
        offset,
    }))
}

/// The attribute's name, as newer versions or as older ones have it.
fn either(at: Attributes<'_, '_>, name: &'static str, before: &'static str) -> &'static str {
    match at.some(name) {
        Some(_) => name,
        None => before,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pairs_are_numbered_as_libsvm_numbers_them() {
        let n = 5;
        let mut place = 0;
        for i in 0..n {
            for j in i + 1..n {
                assert_eq!(i * (2 * n - i - 1) / 2 + j - i - 1, place);
                place += 1;
            }
        }
    }
}
