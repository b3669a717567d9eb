//! Errors against the source's own answers, and the budget they are held to.

use std::thread;

use fretsaw_model::{Answer, Decision, Float, Link, Model, Rows, labels, predict};

use super::Options;
use crate::metric::Metric;
use crate::report::{ErrorFacts, InputFacts, MetricFacts};
use crate::session::{Native, Predictions, Session, Want};
use crate::{Error, ErrorKind, Result};

/// Default budget: of a probability, or of one standard deviation of the source's answers.
const DEFAULT_ERROR: f64 = 1e-3;

/// Rows between two questions whether to go on.
const CHUNK: usize = 512;

/// What the source answers: the reference predictor, on every row and over all cores.
pub(super) fn reference(
    model: &Model,
    rows: &Rows<'_>,
    go_on: &dyn Fn() -> Result<()>,
) -> Result<Vec<f64>> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut out = Vec::new();
    // A few chunks a thread at a time, so that an interrupt is heard.
    let mut at = 0;
    while at < rows.n_rows() {
        go_on()?;
        let end = (at + threads * CHUNK).min(rows.n_rows());
        let parts: Vec<Result<Vec<f64>>> = thread::scope(|scope| {
            let chunks = (at..end).step_by(CHUNK).map(|from| {
                let part = rows.slice(from..(from + CHUNK).min(end));
                let answers = move || predict(model, &part);
                scope.spawn(move || answers().map_err(|e| Error::from(e).after_rows(from)))
            });
            let running: Vec<_> = chunks.collect();
            running
                .into_iter()
                .map(|t| t.join().expect("the reference predictor does not panic"))
                .collect()
        });
        for part in parts {
            out.extend(part?);
        }
        at = end;
    }
    Ok(out)
}

/// The error allowed, and where it comes from.
pub(super) struct Budget {
    pub(super) max_error: f64,
    pub(super) from: String,
    pub(super) metric: Option<Metric>,
    /// The metric of the source's own answers.
    before: Option<f64>,
    max_drop: Option<f64>,
}

impl Budget {
    pub(super) fn new(
        model: &Model,
        answers: &[f64],
        labels: Option<&[f64]>,
        options: &Options,
    ) -> Result<Self> {
        let (max_error, from) = match options.max_error {
            Some(e) => (e, "as asked".into()),
            None if is_probability(model) => {
                (DEFAULT_ERROR, "the default for probabilities".into())
            }
            None => {
                let sd = standard_deviation(answers);
                (
                    DEFAULT_ERROR * sd,
                    format!("the default: 0.001 of the answers' standard deviation, {sd:.6}"),
                )
            }
        };
        if options.max_metric_drop.is_some() && labels.is_none() {
            return Err(Error::new(
                ErrorKind::Config,
                "--max-metric-drop needs labels; name their column or file with --labels",
            ));
        }
        // A metric asked for by name is checked even where there are no labels to use it on.
        let asked = Metric::parse(&options.metric, model);
        let metric = match (labels, &asked) {
            (None, Err(_)) if options.metric != "auto" => asked.map(Some),
            (None, _) => Ok(None),
            (Some(_), _) => asked.map(Some),
        };
        // A metric that nobody asked for and that makes no sense is left out.
        let metric = match metric {
            Err(_) if options.metric == "auto" && options.max_metric_drop.is_none() => None,
            other => other?,
        };
        let before = metric.zip(labels).map(|(m, y)| m.of(model, answers, y));
        Ok(Self {
            max_error,
            from,
            metric,
            before,
            max_drop: options.max_metric_drop,
        })
    }
}

fn is_probability(model: &Model) -> bool {
    matches!(model.link, Link::Sigmoid { .. } | Link::Softmax)
        || matches!(model.answer, Answer::Binary | Answer::Classes)
}

fn standard_deviation(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt()
}

/// The rows and what the source answers to them.
pub(super) struct Truth<'a> {
    pub(super) model: &'a Model,
    pub(super) rows: &'a Rows<'a>,
    pub(super) answers: &'a [f64],
    pub(super) labels: Option<&'a [f64]>,
    pub(super) budget: &'a Budget,
    /// Whether files take f64.
    pub(super) double: bool,
}

/// What becomes of rows of f64 in files that take f32, as most do.
///
/// The source's own answers to the rows are compared with its answers to the rows rounded to f32.
/// `None` where the rows are f32, or the model casts them before it looks at them.
pub(super) fn rounding(
    model: &Model,
    rows: &Rows<'_>,
    answers: &[f64],
    budget: &Budget,
) -> Result<Option<InputFacts>> {
    if rows.float() == Float::F32 {
        return Ok(None);
    }
    if model.needs_double_rows() {
        return Ok(Some(InputFacts {
            files: "f64",
            rows_changed: None,
            max_error: None,
            why: "the rows hold hashes of categories, which f32 cannot".into(),
        }));
    }
    let narrow: Vec<f64> = rows.row_major().map(|x| f64::from(x as f32)).collect();
    let rounded = Rows::f64(&narrow, rows.n_features())?;
    let mut got = Predictions::new(Float::F32, 1);
    Native::new(model, 1)?.run(&rounded, Want::Answers, &mut got)?;
    let got = got.to_f64();
    // An answer that moves by f32's own rounding only was not sent elsewhere.
    let size = answers.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
    let moved = compare(model, answers, &got, 1e-6 * size);
    if moved.max == 0.0 {
        return Ok(None);
    }
    let double = moved.max > budget.max_error;
    let than = if double { "above" } else { "within" };
    Ok(Some(InputFacts {
        files: if double { "f64" } else { "f32" },
        rows_changed: Some(moved.rows_over),
        max_error: Some(moved.max),
        why: format!(
            "rounding the f64 rows to f32 changes the source's own answer to {} of {} rows, by up to {:.3e}, {than} the budget",
            moved.rows_over,
            rows.n_rows(),
            moved.max
        ),
    }))
}

impl Truth<'_> {
    /// What `got` is worth, and why it breaks the budget if it does.
    pub(super) fn judge(&self, got: &[f64]) -> (ErrorFacts, Option<MetricFacts>, Option<String>) {
        let error = compare(self.model, self.answers, got, self.budget.max_error);
        let metric = self
            .budget
            .metric
            .zip(self.budget.before)
            .zip(self.labels)
            .map(|((metric, before), y)| {
                let after = metric.of(self.model, got, y);
                MetricFacts {
                    before,
                    after,
                    drop: metric.drop(before, after),
                }
            });
        let over = if error.max > self.budget.max_error {
            let (max, budget) = (short(error.max), short(self.budget.max_error));
            Some(format!(
                "error {max} on {} rows is over the budget of {budget}",
                error.rows_over
            ))
        } else {
            match (metric, self.budget.max_drop, self.budget.metric) {
                (Some(m), Some(allowed), Some(name)) if m.drop.is_nan() || m.drop > allowed => {
                    Some(format!(
                        "{} gets worse by {}, allowed is {allowed}",
                        name.name(),
                        short(m.drop)
                    ))
                }
                _ => None,
            }
        };
        (error, metric, over)
    }
}

/// Three significant digits.
fn short(x: f64) -> String {
    if x == 0.0 || (1e-3..1e4).contains(&x.abs()) {
        format!("{x:.5}")
    } else {
        format!("{x:.2e}")
    }
}

/// The error of `got` against `want`, both rows x columns of what `predict` answers. Where only one
/// of the two is NaN the error is infinite.
pub fn compare(model: &Model, want: &[f64], got: &[f64], tolerance: f64) -> ErrorFacts {
    let n_columns = model.n_columns();
    let mut facts = ErrorFacts {
        bit_equal: true,
        ..ErrorFacts::default()
    };
    let mut sum = 0.0;
    for (want, got) in want
        .chunks_exact(n_columns)
        .zip(got.chunks_exact(n_columns))
    {
        let mut row = 0.0_f64;
        for (&w, &g) in want.iter().zip(got) {
            facts.bit_equal &= w.to_bits() == g.to_bits() || (w.is_nan() && g.is_nan());
            let d = match (w.is_nan(), g.is_nan()) {
                (true, true) => 0.0,
                (false, false) if w == g => 0.0,
                (false, false) => (w - g).abs(),
                _ => f64::INFINITY,
            };
            row = row.max(d);
            sum += d;
        }
        facts.max = facts.max.max(row);
        facts.rows_over += usize::from(row > tolerance);
    }
    facts.mean = if want.is_empty() {
        0.0
    } else {
        sum / want.len() as f64
    };
    let flips = |a: Vec<usize>, b: Vec<usize>| a.iter().zip(&b).filter(|(a, b)| a != b).count();
    // By the answers alone: a margin's own rule differs only where two classes are as good as equal.
    let mut by_answers = model.head();
    by_answers.decision = Decision::Answer;
    facts.class_flips = labels(&by_answers, &[], want)
        .zip(labels(&by_answers, &[], got))
        .map(|(a, b)| flips(a, b));
    facts
}
