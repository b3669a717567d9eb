//! What each objective does to the base score and to the margins.
//!
//! Every objective that XGBoost 0.4 to 3.4 registers is here (`src/objective/`); `gpu:` in front of a
//! name, to 0.9, said where to train. Parameters such as
//! `tweedie_variance_power` or `huber_slope` shape training only.

use fretsaw_model::{Answer, Link};

use super::Model;
use crate::Error;
use crate::error::shown;

/// From a base score in user space to a margin (XGBoost's `ProbToMargin`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ToMargin {
    Identity,
    Logit,
    Log,
    SoftplusInverse,
}

/// What an objective means for predictions.
#[derive(Debug)]
pub(super) struct Objective {
    to_margin: ToMargin,
    pub(super) link: Link,
    pub(super) answer: Answer,
}

/// XGBoost's `kRtEps`.
const EPS: f32 = 1e-6;

impl Objective {
    pub(super) fn of(model: &Model, n_outputs: usize) -> Result<Self, Error> {
        let one = n_outputs == 1;
        let new = |to_margin, link, answer| Self {
            to_margin,
            link,
            answer,
        };
        let sigmoid = Link::Sigmoid { steepness: 1.0 };
        let name = model.learner.objective.as_str();
        Ok(match name.strip_prefix("gpu:").unwrap_or(name) {
            // Before 1.3 its base score was a probability; its answers never were.
            "binary:logitraw" if !model.since(1, 3) => {
                new(ToMargin::Logit, Link::Identity, Answer::Values)
            }
            "reg:squarederror"
            | "reg:linear"
            | "reg:squaredlogerror"
            | "reg:pseudohubererror"
            | "reg:absoluteerror"
            | "rank:pairwise"
            | "rank:ndcg"
            | "rank:map"
            | "binary:logitraw" => new(ToMargin::Identity, Link::Identity, Answer::Values),
            "reg:logistic" => new(ToMargin::Logit, sigmoid, Answer::Values),
            "binary:logistic" if one => new(ToMargin::Logit, sigmoid, Answer::Binary),
            "binary:logistic" => new(ToMargin::Logit, sigmoid, Answer::Labels),
            "binary:hinge" if one => new(ToMargin::Identity, Link::Step, Answer::Class),
            "binary:hinge" => new(ToMargin::Identity, Link::Step, Answer::Labels),
            "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:aft" | "survival:cox" => {
                new(ToMargin::Log, Link::Exp, Answer::Values)
            }
            "multi:softprob" => new(ToMargin::Identity, Link::Softmax, Answer::Classes),
            "multi:softmax" => new(ToMargin::Identity, Link::ArgMax, Answer::Class),
            // 3.4 puts crossing quantiles in order; earlier ones answer them as they come.
            "reg:quantileerror" if !one && model.since(3, 4) => {
                new(ToMargin::Identity, Link::Sorted, Answer::Values)
            }
            "reg:quantileerror" => new(ToMargin::Identity, Link::Identity, Answer::Values),
            "reg:expectileerror" => new(
                ToMargin::SoftplusInverse,
                Link::CumulativeSoftplus,
                Answer::Values,
            ),
            other => {
                return Err(Error::unsupported(
                    format!("the objective `{}`", shown(other)),
                    "learner.objective.name",
                ));
            }
        })
    }

    /// The base margins, in f32 by the formula of the version that wrote the file.
    pub(super) fn base_margins(&self, model: &Model, base: &[f32]) -> Result<Vec<f32>, Error> {
        let fault = |i: usize, what: &str| {
            Error::invalid(format!(
                "base_score {i} is {}, {what} for {}",
                base[i], model.learner.objective
            ))
            .under("base_score")
            .under("learner_model_param")
            .under("learner")
        };
        if let Some(i) = base.iter().position(|b| !b.is_finite()) {
            return Err(fault(
                i,
                "not a finite number (was the model ever trained?)",
            ));
        }
        let mut margins = base.to_vec();
        if !model.since(1, 0) {
            // It was stored as one.
            return Ok(margins);
        }
        match self.to_margin {
            ToMargin::Identity => {}
            ToMargin::Logit => {
                // Since 3.2 the ends are taken, and held away from infinity.
                let clamps = model.since(3, 2);
                for (i, b) in margins.iter_mut().enumerate() {
                    let inside = if clamps {
                        (0.0..=1.0).contains(b)
                    } else {
                        *b > 0.0 && *b < 1.0
                    };
                    if !inside {
                        return Err(fault(i, "not a probability, as it must be"));
                    }
                    if clamps {
                        *b = b.clamp(EPS, 1.0 - EPS);
                    }
                    *b = -(1.0 / *b - 1.0).ln();
                }
            }
            ToMargin::Log => {
                for (i, b) in margins.iter_mut().enumerate() {
                    if *b < 0.0 {
                        return Err(fault(i, "not positive, as it must be"));
                    }
                    *b = b.ln();
                }
            }
            ToMargin::SoftplusInverse => {
                for k in (1..margins.len()).rev() {
                    let d = (margins[k] - margins[k - 1] - EPS).max(EPS);
                    margins[k] = d + (-(-d).exp_m1()).ln();
                }
            }
        }
        Ok(margins)
    }
}
