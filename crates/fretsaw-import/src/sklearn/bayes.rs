//! Naive Bayes: a log-likelihood for each class, and their softmax.
//!
//! There is no decision function: the margins are the log-likelihoods, whose largest `predict` names.

use fretsaw_model::{Answer, Body, Codes, Encoder, Function, Labels, Link, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::matrix::{Matrix, laid_out};
use super::part::{Part, linear, row};
use crate::Error;

/// GaussianNB: `log prior - sum(log(2 pi var)) / 2 - sum((x - theta)^2 / var) / 2`.
pub(super) fn gaussian(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    let labels = at.classes()?;
    let (k, n) = (labels.len(), columns.width());
    let theta = Matrix::of(at, "theta_")?.shaped("theta_", k, n)?;
    let name = match at.some("var_") {
        Some(_) => "var_",
        None => "sigma_",
    };
    let var = Matrix::of(at, name)?.shaped(name, k, n)?;
    let prior = at.one_each("class_prior_", k)?;
    let class = |i: usize| {
        let (mean, var) = (theta.row(i), var.row(i));
        let logs = var.iter().map(|v| (2.0 * std::f64::consts::PI * v).ln());
        let constant = prior[i].ln() + -0.5 * logs.sum::<f64>();
        vec![
            Step::Affine {
                factor: vec![1.0; n],
                offset: mean.iter().map(|m| -m).collect(),
            },
            Step::Map(Function::Square),
            Step::Scale {
                shift: vec![0.0; n],
                scale: var.to_vec(),
            },
            Step::Linear(linear(vec![-0.5; n], vec![constant])),
        ]
    };
    let steps = vec![Step::Branches((0..k).map(class).collect())];
    Ok(likely(at, steps, row(k), labels))
}

/// MultinomialNB: `x @ feature_log_prob_.T + class_log_prior_`.
pub(super) fn multinomial(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    let labels = at.classes()?;
    let log_prob = log_prob(at, columns, labels.len())?;
    let prior = at.one_each("class_log_prior_", labels.len())?;
    let body = Body::Linear(linear(log_prob.transposed(), prior));
    Ok(likely(at, Vec::new(), body, labels))
}

/// ComplementNB: the same without the priors, unless there is but one class.
pub(super) fn complement(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    let labels = at.classes()?;
    let log_prob = log_prob(at, columns, labels.len())?;
    let prior = match labels.len() {
        1 => at.one_each("class_log_prior_", 1)?,
        k => vec![0.0; k],
    };
    let body = Body::Linear(linear(log_prob.transposed(), prior));
    Ok(likely(at, Vec::new(), body, labels))
}

/// BernoulliNB: features above the threshold count as 1, and those below as their absence.
pub(super) fn bernoulli(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    let labels = at.classes()?;
    let mut log_prob = log_prob(at, columns, labels.len())?;
    let mut constant = at.one_each("class_log_prior_", labels.len())?;
    let rows = log_prob.values.chunks_exact_mut(log_prob.columns);
    for (row, constant) in rows.zip(&mut constant) {
        let mut sum = 0.0;
        for p in row {
            let absent = (1.0 - p.exp()).ln();
            sum += absent;
            *p -= absent;
        }
        *constant += sum;
    }
    let steps = match at.some("binarize") {
        Some(_) => vec![Step::Map(Function::Above(at.number("binarize")?))],
        None => Vec::new(),
    };
    let body = Body::Linear(linear(log_prob.transposed(), constant));
    Ok(likely(at, steps, body, labels))
}

/// CategoricalNB: a table a feature. Values are cut to whole numbers; a row with one that is no
/// category is refused.
pub(super) fn categorical(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    let labels = at.classes()?;
    let (k, n) = (labels.len(), columns.width());
    let prior = at.one_each("class_log_prior_", k)?;
    let tables = Matrix::list(at, "feature_log_prob_")?;
    if tables.len() != n {
        return Err(Error::invalid(format!(
            "{} tables in `feature_log_prob_` for {n} features",
            tables.len()
        )));
    }
    let (mut edges, mut encoders) = (Vec::new(), Vec::new());
    for (i, table) in tables.into_iter().enumerate() {
        let categories = table.columns;
        let table = table
            .shaped("feature_log_prob_", k, categories)
            .map_err(|e| e.item(i))?;
        // Bin 1 is all that is cut to 0: between -1 and 1, both excluded. Bins 0 and the last are none.
        let whole = (1..=categories).map(|c| c as f64);
        edges.push([(-1.0_f64).next_up()].into_iter().chain(whole).collect());
        encoders.push(Encoder {
            column: i as u32,
            keys: (1..=categories).map(|c| c as f64).collect(),
            code_of: (0..categories as u32).collect(),
            missing: None,
            unknown: None,
            codes: Codes::Values {
                width: k as u32,
                values: table.transposed(),
            },
        });
    }
    let each_class = laid_out(at, (n * k).checked_mul(k), n * k)?;
    let mut sum = vec![0.0; each_class];
    for row in sum.chunks_exact_mut(k * k) {
        row.iter_mut().step_by(k + 1).for_each(|w| *w = 1.0);
    }
    let steps = vec![Step::Bins(edges), Step::Encode(encoders)];
    Ok(likely(at, steps, Body::Linear(linear(sum, prior)), labels))
}

fn likely(at: Attributes<'_, '_>, steps: Vec<Step>, body: Body, labels: Labels) -> Part {
    let answer = (Link::Softmax, Answer::Classes);
    Part::classifier(at, steps, body, answer, labels).by_margins()
}

fn log_prob(at: Attributes<'_, '_>, columns: &Columns, k: usize) -> Result<Matrix, Error> {
    let name = "feature_log_prob_";
    Matrix::of(at, name)?.shaped(name, k, columns.width())
}
