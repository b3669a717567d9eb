//! Linear models: an intercept and a weight for each feature and output.

use crate::Float;

/// A linear model.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// How many margins a row gives.
    pub n_outputs: usize,
    /// The precision of the sum, and of the margins.
    pub sum: Float,
    /// `n_features` x `n_outputs`, row-major.
    pub weights: Vec<f64>,
    /// One intercept an output.
    pub intercept: Vec<f64>,
    /// Whether the sum starts from the intercept or ends with it.
    pub intercept_order: InterceptOrder,
    /// What a missing value does.
    pub missing: LinearMissing,
}

/// When the intercept is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterceptOrder {
    /// The sum starts from it.
    First,
    /// It is added to the finished sum.
    Last,
}

/// What a missing value does to a linear model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinearMissing {
    /// It adds nothing (XGBoost).
    Skip,
    /// It makes the margin NaN.
    Propagate,
}
