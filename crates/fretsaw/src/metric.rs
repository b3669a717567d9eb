//! Metrics of predictions against labels.

use fretsaw_model::{Answer, Draft};

use crate::{Error, ErrorKind, Result};

/// A metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// Area under the ROC curve; several classes: the mean of one against the rest.
    Auc,
    /// Mean negative log-likelihood, probabilities held at 1e-15 or above.
    LogLoss,
    /// Share of rows whose class is right.
    Accuracy,
    /// Root of the mean squared error.
    Rmse,
    /// Coefficient of determination.
    R2,
}

impl Metric {
    /// Reads a name as the command line has it; `auto` chooses by what the model answers.
    ///
    /// # Errors
    /// When there is no such metric, or it makes no sense for the model.
    pub fn parse(name: &str, model: &Draft) -> Result<Self> {
        let classifies = matches!(model.answer, Answer::Binary | Answer::Classes);
        let metric = match name {
            "auto" => match model.answer {
                Answer::Binary | Answer::Score => Self::Auc,
                Answer::Classes => Self::LogLoss,
                Answer::Class => Self::Accuracy,
                Answer::Values | Answer::Labels => Self::Rmse,
            },
            "auc" => Self::Auc,
            "logloss" => Self::LogLoss,
            "accuracy" => Self::Accuracy,
            "rmse" => Self::Rmse,
            "r2" => Self::R2,
            _ => {
                return Err(Error::new(
                    ErrorKind::Config,
                    format!(
                        "no metric is called '{name}'; use auto, auc, logloss, accuracy, rmse or r2"
                    ),
                ));
            }
        };
        let fits = match metric {
            // A score orders rows, but is no probability.
            Self::Auc => classifies || model.answer == Answer::Score,
            Self::LogLoss => classifies,
            Self::Accuracy => classifies || matches!(model.answer, Answer::Class | Answer::Score),
            Self::Rmse | Self::R2 => model.answer == Answer::Values && model.n_columns() == 1,
        };
        if fits {
            Ok(metric)
        } else {
            Err(Error::new(
                ErrorKind::Config,
                format!(
                    "the metric {} makes no sense for what this model answers",
                    metric.name()
                ),
            ))
        }
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auc => "auc",
            Self::LogLoss => "logloss",
            Self::Accuracy => "accuracy",
            Self::Rmse => "rmse",
            Self::R2 => "r2",
        }
    }

    /// How much worse `after` is than `before`; negative: better.
    pub fn drop(self, before: f64, after: f64) -> f64 {
        match self {
            Self::Auc | Self::Accuracy | Self::R2 => before - after,
            Self::LogLoss | Self::Rmse => after - before,
        }
    }

    /// The metric of `predictions` (rows x [`n_columns`](Draft::n_columns), what `predict` answers)
    /// for `labels` (one a row: the class number of a classifier, else the value).
    pub fn of(self, model: &Draft, predictions: &[f64], labels: &[f64]) -> f64 {
        let n_columns = model.n_columns();
        let n = labels.len() as f64;
        let rows = || predictions.chunks_exact(n_columns).zip(labels);
        match self {
            Self::Auc if matches!(model.answer, Answer::Binary | Answer::Score) => {
                let score = |p: &[f64]| p[p.len() - 1];
                auc(&rows()
                    .map(|(p, &y)| (score(p), y == 1.0))
                    .collect::<Vec<_>>())
            }
            Self::Auc => {
                let one = |k: usize| {
                    auc(&rows()
                        .map(|(p, &y)| (p[k], y == k as f64))
                        .collect::<Vec<_>>())
                };
                // A class that the labels do not show has no curve.
                let curves: Vec<f64> = (0..n_columns).map(one).filter(|a| !a.is_nan()).collect();
                curves.iter().sum::<f64>() / curves.len() as f64
            }
            Self::LogLoss => {
                -rows()
                    .map(|(p, &y)| p[y as usize].max(1e-15).ln())
                    .sum::<f64>()
                    / n
            }
            Self::Accuracy => {
                let right = |(p, &y): (&[f64], &f64)| match model.answer {
                    Answer::Class => p[0] == y,
                    Answer::Binary => f64::from(u8::from(p[1] > 0.5)) == y,
                    Answer::Score => f64::from(u8::from(p[0] > 0.0)) == y,
                    _ => p.iter().all(|v| *v <= p[y as usize]),
                };
                rows().filter(|&r| right(r)).count() as f64 / n
            }
            Self::Rmse => (rows().map(|(p, y)| (p[0] - y).powi(2)).sum::<f64>() / n).sqrt(),
            Self::R2 => {
                let mean = labels.iter().sum::<f64>() / n;
                let total: f64 = labels.iter().map(|y| (y - mean).powi(2)).sum();
                1.0 - rows().map(|(p, y)| (p[0] - y).powi(2)).sum::<f64>() / total
            }
        }
    }
}

/// The share of pairs of a positive and a negative that the scores put in order, ties as half.
/// NaN where there is only one kind.
fn auc(scored: &[(f64, bool)]) -> f64 {
    let mut sorted = scored.to_vec();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let positives = sorted.iter().filter(|s| s.1).count() as f64;
    let negatives = sorted.len() as f64 - positives;
    let mut rank_sum = 0.0;
    let mut i = 0;
    for group in sorted.chunk_by(|a, b| a.0 == b.0) {
        let mean_rank = i as f64 + (group.len() as f64 + 1.0) / 2.0;
        rank_sum += mean_rank * group.iter().filter(|s| s.1).count() as f64;
        i += group.len();
    }
    (rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fretsaw_model::{Link, random};

    fn model(n_outputs: usize, answer: Answer) -> fretsaw_model::Model {
        let shape = random::Shape {
            n_outputs,
            ..random::Shape::default()
        };
        let mut draft = random::ensemble(1, &shape).into_draft();
        draft.answer = answer;
        draft.link = if answer == Answer::Class {
            Link::ArgMax
        } else {
            Link::Identity
        };
        draft.build().unwrap()
    }

    #[test]
    fn values_worked_out_by_hand() {
        let binary = model(1, Answer::Binary);
        // Positives 0.9 and 0.4, negatives 0.4 and 0.1: 3.5 of 4 pairs in order.
        let p: Vec<f64> = [0.9, 0.4, 0.4, 0.1]
            .iter()
            .flat_map(|p| [1.0 - p, *p])
            .collect();
        let y = [1.0, 1.0, 0.0, 0.0];
        assert_eq!(Metric::Auc.of(&binary, &p, &y), 3.5 / 4.0);
        assert_eq!(Metric::Accuracy.of(&binary, &p, &y), 0.75);
        let loss = -(0.9_f64.ln() + 0.4_f64.ln() + 0.6_f64.ln() + 0.9_f64.ln()) / 4.0;
        assert!((Metric::LogLoss.of(&binary, &p, &y) - loss).abs() < 1e-15);
        let three = model(3, Answer::Classes);
        let p = [0.5, 0.3, 0.2, 0.1, 0.6, 0.3];
        assert_eq!(Metric::Accuracy.of(&three, &p, &[0.0, 2.0]), 0.5);
        assert_eq!(Metric::Auc.of(&three, &p, &[0.0, 2.0]), 1.0);
        let values = model(1, Answer::Values);
        assert_eq!(
            Metric::Rmse.of(&values, &[1.0, 3.0], &[1.0, 1.0]),
            2.0_f64.sqrt()
        );
        assert_eq!(Metric::R2.of(&values, &[1.0, 3.0], &[1.0, 3.0]), 1.0);
        assert_eq!(
            Metric::Accuracy.of(&model(3, Answer::Class), &[2.0, 1.0], &[2.0, 2.0]),
            0.5
        );
    }

    #[test]
    fn names_fit_the_model() {
        assert_eq!(
            Metric::parse("auto", &model(1, Answer::Binary)).unwrap(),
            Metric::Auc
        );
        assert_eq!(
            Metric::parse("auto", &model(1, Answer::Values)).unwrap(),
            Metric::Rmse
        );
        for (name, answer, want) in [
            ("auc", Answer::Values, "makes no sense"),
            ("f1", Answer::Binary, "no metric is called 'f1'"),
        ] {
            let error = Metric::parse(name, &model(1, answer))
                .unwrap_err()
                .to_string();
            assert!(error.contains(want), "{error}");
        }
        assert_eq!(Metric::Auc.drop(0.9, 0.8), 0.9 - 0.8);
        assert_eq!(Metric::Rmse.drop(1.0, 1.5), 0.5);
    }
}
