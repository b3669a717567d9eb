//! Preprocessing steps in front of a model, in f64 or f32 as the rows come, or in f64 behind
//! [`Step::Widen`].

use crate::Derived;

/// One step; steps run in order, each on all features of a row.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// A value equal to `value` becomes missing (NaN): XGBoost's `missing` parameter.
    MarkMissing {
        /// The marker.
        value: f64,
    },
    /// `|x| <= limit` becomes 0: LightGBM drops such values when it predicts from a matrix.
    FlushTiny {
        /// The limit, included.
        limit: f64,
    },
    /// A missing value becomes `values[feature]`.
    Impute {
        /// One value a feature.
        values: Vec<f64>,
    },
    /// `(x - shift[feature]) / scale[feature]`.
    Scale {
        /// One shift a feature.
        shift: Vec<f64>,
        /// One divisor a feature, never 0.
        scale: Vec<f64>,
    },
    /// From here on values are f64, whatever the rows came as: scikit-learn's transformers, whose
    /// constants are f64, as they treat rows of Python's numbers.
    Widen,
    /// Appends features that are looked up in tables, each seeing those before it.
    Derive(Vec<Derived>),
}

impl Step {
    /// How many values a row has behind this step, of one that had `n`.
    pub fn width(&self, n: usize) -> usize {
        match self {
            Self::Derive(derived) => derived.iter().fold(n, |n, d| n + d.otherwise.len()),
            _ => n,
        }
    }
}
