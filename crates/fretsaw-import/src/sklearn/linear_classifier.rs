//! Linear classifiers: logistic regression, stochastic gradient descent, ridge, linear support
//! vectors, discriminant analysis's linear form; and how each makes probabilities of its scores.
//!
//! Two classes have one score, that of the second, which `predict` names above 0; more have one
//! each, and the largest is named.

use fretsaw_model::{Answer, Body, Function, Labels, Link, Norm, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::linear::weights;
use super::part::{Part, Undivided, divided_by_sum, opposites};
use crate::Error;

/// LogisticRegression and LogisticRegressionCV.
pub(super) fn logistic(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    let labels = at.classes()?;
    let n = labels.len();
    let answer = match (is_one_vs_rest(at, cx, n), n) {
        (true, _) => one_vs_rest(cx, n),
        // The softmax of the score and its negative.
        (false, 2) => {
            let steps = vec![opposites(), Step::Link(Link::Softmax)];
            (Link::Then(steps), Answer::Classes)
        }
        (false, _) => (Link::Softmax, Answer::Classes),
    };
    probable(at, columns, labels, answer)
}

/// Whether the classes were trained one by one: the rule of `predict_proba`, which follows the
/// version's default of `multi_class`.
fn is_one_vs_rest(at: Attributes<'_, '_>, cx: &Context<'_>, n_classes: usize) -> bool {
    if cx.since(1, 8) {
        return n_classes <= 2;
    }
    let binary_only = match at.text("solver") {
        Some("liblinear") => true,
        Some("newton-cholesky") => !cx.since(1, 6),
        _ => false,
    };
    match at.text("multi_class") {
        Some("ovr" | "warn") => true,
        Some("multinomial") => false,
        _ => n_classes <= 2 || binary_only,
    }
}

/// SGDClassifier: its loss says whether it has probabilities.
pub(super) fn stochastic(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    let labels = at.classes()?;
    let n = labels.len();
    match at.text("loss") {
        Some("log" | "log_loss") => probable(at, columns, labels, one_vs_rest(cx, n)),
        Some("modified_huber") => probable(at, columns, labels, clipped(n)),
        Some(_) => scored(at, columns, labels),
        None => Err(at.unsupported("with a loss of its own", "the library's losses are known")),
    }
}

/// RidgeClassifier and RidgeClassifierCV, whose classes are their encoder's.
pub(super) fn ridge(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    let encoder = at.child("_label_binarizer")?;
    let kind = encoder.text("y_type_").unwrap_or_default();
    if kind.starts_with("multilabel") {
        let advice = "train one classifier a label";
        return Err(at.unsupported("with several labels a row", advice));
    }
    let labels = encoder.classes().map_err(|e| e.under("_label_binarizer"))?;
    scored(at, columns, labels)
}

/// A classifier without `predict_proba`.
pub(super) fn margins_only(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    scored(at, columns, at.classes()?)
}

/// LinearDiscriminantAnalysis.
pub(super) fn discriminant(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    let labels = at.classes()?;
    let answer = match labels.len() {
        2 => (Link::Sigmoid { steepness: 1.0 }, Answer::Binary),
        _ => (Link::Softmax, Answer::Classes),
    };
    probable(at, columns, labels, answer)
}

fn probable(
    at: Attributes<'_, '_>,
    columns: &Columns,
    labels: Labels,
    answer: (Link, Answer),
) -> Result<Part, Error> {
    let body = scores(at, columns, labels.len())?;
    Ok(Part::classifier(at, Vec::new(), body, answer, labels).by_margins())
}

fn scored(at: Attributes<'_, '_>, columns: &Columns, labels: Labels) -> Result<Part, Error> {
    let body = scores(at, columns, labels.len())?;
    Ok(Part::scores(at, Vec::new(), body, labels))
}

/// One score of two classes, else one a class.
fn scores(at: Attributes<'_, '_>, columns: &Columns, n_classes: usize) -> Result<Body, Error> {
    let weights = weights(at, columns)?;
    let wanted = if n_classes == 2 { 1 } else { n_classes };
    match weights.n_outputs == wanted {
        true => Ok(Body::Linear(weights)),
        false => Err(Error::invalid(format!(
            "{} rows in `coef_` for {n_classes} classes",
            weights.n_outputs
        ))),
    }
}

/// `_predict_proba_lr`: a sigmoid each, divided by their sum.
fn one_vs_rest(cx: &Context<'_>, n_classes: usize) -> (Link, Answer) {
    if n_classes == 2 {
        return (Link::Sigmoid { steepness: 1.0 }, Answer::Binary);
    }
    let mut steps = vec![Step::Map(Function::Logistic)];
    if cx.since(1, 9) {
        steps.push(Step::Normalize(Norm::Shares));
    } else {
        // A row of zeros became NaN.
        steps.append(&mut divided_by_sum(n_classes, Undivided::Nan));
    }
    (Link::Then(steps), Answer::Classes)
}

/// The modified Huber loss: `(clip(score, -1, 1) + 1) / 2`, as shares of their sum.
fn clipped(n_classes: usize) -> (Link, Answer) {
    let n = if n_classes == 2 { 1 } else { n_classes };
    let mut steps = vec![
        Step::Map(Function::Clip {
            low: -1.0,
            high: 1.0,
        }),
        Step::Affine {
            factor: vec![0.5; n],
            offset: vec![0.5; n],
        },
    ];
    if n_classes == 2 {
        return (Link::Then(steps), Answer::Binary);
    }
    steps.push(Step::Normalize(Norm::Shares));
    (Link::Then(steps), Answer::Classes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_no_class_is_likely_the_version_says_what_they_share() {
        let shares = |version, scores: [f64; 3]| {
            let cx = Context::new(Some(version), "pickle");
            let (link, _) = one_vs_rest(&cx, 3);
            let mut shares = [0.0; 3];
            link.apply_f64(&scores, &mut shares);
            shares
        };
        let lost = [-800.0, -900.0, -1e30];
        assert!(shares("1.8.0", lost).iter().all(|p| p.is_nan()));
        assert_eq!(shares("1.9.0", lost), [1.0 / 3.0; 3]);
        for version in ["0.24.2", "1.9.0"] {
            assert_eq!(shares(version, [0.0, -900.0, 0.0]), [0.5, 0.0, 0.5]);
        }
    }
}
