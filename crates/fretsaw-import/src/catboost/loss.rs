//! What each loss does to the margins: the link, and what the answers are.
//!
//! Answers are those of CatBoost's own classes: probabilities of a classifier, `exp` for Poisson and
//! Tweedie, margins for all else (of `RMSEWithUncertainty` too: the mean and the logarithm of the
//! deviation). A file without a loss (a sum of models, say) answers with margins.

use fretsaw_model::{Answer, Labels, Link};

use super::Model;
use crate::Error;
use crate::error::shown;

/// What a loss means for predictions.
#[derive(Debug)]
pub(super) struct Loss {
    pub(super) link: Link,
    pub(super) answer: Answer,
    pub(super) labels: Option<Labels>,
}

impl Loss {
    pub(super) fn of(model: &Model) -> Result<Self, Error> {
        const SIGMOID: Link = Link::Sigmoid { steepness: 1.0 };
        let one = model.approx_dimension == 1;
        let name = model.info.loss_function.as_deref().unwrap_or_default();
        let (link, answer) = match name {
            "Logloss" | "CrossEntropy" | "Focal" if one => (SIGMOID, Answer::Binary),
            "MultiClass" if !one => (Link::Softmax, Answer::Classes),
            "MultiClassOneVsAll" if !one => (SIGMOID, Answer::Classes),
            "MultiLogloss" | "MultiCrossEntropy" => (SIGMOID, Answer::Labels),
            "Poisson" | "Tweedie" => (Link::Exp, Answer::Values),
            ""
            | "RMSE"
            | "MAE"
            | "MAPE"
            | "Quantile"
            | "MultiQuantile"
            | "LogLinQuantile"
            | "Expectile"
            | "Lq"
            | "Huber"
            | "LogCosh"
            | "MultiRMSE"
            | "MultiRMSEWithMissingValues"
            | "RMSEWithUncertainty"
            | "RMSPE"
            | "SurvivalAft"
            | "Cox"
            | "PairLogit"
            | "PairLogitPairwise"
            | "YetiRank"
            | "YetiRankPairwise"
            | "LambdaMart"
            | "StochasticFilter"
            | "StochasticRank"
            | "QueryRMSE"
            | "QueryCrossEntropy"
            | "QuerySoftMax"
            | "GroupQuantile" => (Link::Identity, Answer::Values),
            "Logloss" | "CrossEntropy" | "Focal" | "MultiClass" | "MultiClassOneVsAll" => {
                return Err(Error::invalid(format!(
                    "the loss {name} with {} outputs",
                    model.approx_dimension
                )));
            }
            other => {
                return Err(Error::unsupported(
                    format!("the loss `{}`", shown(other)),
                    "model_info.params.loss_function",
                ));
            }
        };
        let n_classes = match answer {
            Answer::Binary => 2,
            Answer::Classes | Answer::Labels => model.approx_dimension,
            _ => 0,
        };
        Ok(Self {
            link,
            answer,
            labels: labels(model, n_classes)?,
        })
    }
}

/// The names of the classes, where they are not simply numbered.
fn labels(model: &Model, n_classes: usize) -> Result<Option<Labels>, Error> {
    let Some(labels) = model.info.class_names.clone().filter(|_| n_classes > 0) else {
        return Ok(None);
    };
    // A loss on probabilities knows no classes, and may still name those of its data.
    if labels.len() != n_classes {
        return match model.info.loss_function.as_deref() {
            Some("CrossEntropy" | "MultiLogloss" | "MultiCrossEntropy") => Ok(None),
            _ => Err(Error::invalid(format!(
                "{} names for {n_classes} classes",
                labels.len()
            ))),
        };
    }
    let numbers = matches!(&labels, Labels::Ints(v) if v.iter().copied().eq(0..n_classes as i64));
    Ok((!numbers).then_some(labels))
}
