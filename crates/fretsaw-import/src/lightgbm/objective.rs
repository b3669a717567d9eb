//! What each objective does to the margins.
//!
//! The names are those that LightGBM writes (`src/objective/*.hpp`), of 2.1 to 4.x. A custom
//! objective leaves the margins as they are.

use fretsaw_model::{Answer, Link};

use super::Model;
use crate::Error;
use crate::error::shown;

/// What an objective means for predictions.
#[derive(Debug)]
pub(super) struct Objective {
    pub(super) link: Link,
    pub(super) answer: Answer,
}

impl Objective {
    pub(super) fn of(model: &Model) -> Result<Self, Error> {
        let new = |link, answer| Self { link, answer };
        let Some(text) = &model.objective else {
            return Ok(new(Link::Identity, Answer::Values));
        };
        let mut words = text.split_ascii_whitespace();
        let name = words.next().unwrap_or_default();
        let parameter = |key: &str| {
            text.split_ascii_whitespace()
                .find_map(|word| word.strip_prefix(key)?.strip_prefix(':'))
        };
        let sigmoid = || {
            let steepness = parameter("sigmoid").and_then(|s| s.parse::<f64>().ok());
            match steepness {
                Some(steepness) if steepness > 0.0 && steepness.is_finite() => {
                    Ok(Link::Sigmoid { steepness })
                }
                _ => Err(fault(text, "it should say `sigmoid:` and a number above 0")),
            }
        };
        let n_outputs = model.num_tree_per_iteration;
        let classes = || match parameter("num_class").and_then(|n| n.parse::<u32>().ok()) {
            Some(n) if n == n_outputs => Ok(()),
            _ => Err(fault(
                text,
                &format!("num_tree_per_iteration is {n_outputs}"),
            )),
        };
        let objective = match name {
            "custom" => return Ok(new(Link::Identity, Answer::Values)),
            "multiclass" => {
                classes()?;
                return Ok(new(Link::Softmax, Answer::Classes));
            }
            "multiclassova" => {
                classes()?;
                return Ok(new(sigmoid()?, Answer::Classes));
            }
            "binary" => new(sigmoid()?, Answer::Binary),
            // Those that take `sqrt`; huber ignores it, as LightGBM does.
            "regression" | "regression_l1" | "fair" | "quantile" | "mape"
                if words.any(|w| w == "sqrt") =>
            {
                new(Link::SignedSquare, Answer::Values)
            }
            "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape"
            | "lambdarank" | "rank_xendcg" => new(Link::Identity, Answer::Values),
            "poisson" | "gamma" | "tweedie" => new(Link::Exp, Answer::Values),
            // The short names are those of 2.1.
            "cross_entropy" | "xentropy" => new(Link::Sigmoid { steepness: 1.0 }, Answer::Values),
            "cross_entropy_lambda" | "xentlambda" => new(Link::Log1pExp, Answer::Values),
            _ => {
                return Err(Error::unsupported(
                    format!("the objective `{}`", shown(name)),
                    "objective",
                ));
            }
        };
        if n_outputs != 1 {
            return Err(fault(
                text,
                &format!("num_tree_per_iteration is {n_outputs}, not 1"),
            ));
        }
        Ok(objective)
    }
}

fn fault(objective: &str, what: &str) -> Error {
    Error::invalid(format!("the objective is `{}`, {what}", shown(objective)))
}
