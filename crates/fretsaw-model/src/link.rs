//! Links: from margins to what the framework answers, in the margins' own precision.

/// The function from a row's margins to its answer.
///
/// Computed in the precision of the margins (f32 or f64) by the formula of the framework, so that
/// the answer is the framework's own up to the last places of `exp` and `ln`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Link {
    /// The margin itself.
    Identity,
    /// `1 / (1 + exp(-steepness * x))` of each output. In f32 the formula is XGBoost's
    /// (`src/common/math.h`): the exponent is held at 88.7 or below.
    Sigmoid {
        /// LightGBM's `sigmoid` parameter; 1 elsewhere.
        steepness: f64,
    },
    /// `exp(x - max) / sum` over the outputs; the sum is in f64 whatever the margins are.
    Softmax,
    /// ONNX's SOFTMAX_ZERO: only outputs beyond 1e-7 of zero count in the softmax's sum, and the
    /// others are scaled like it.
    SoftmaxZero,
    /// ONNX's PROBIT: `sqrt(2) * erfinv(2x - 1)`, with ONNX Runtime's approximation of the inverse.
    Probit,
    /// `exp(x)`.
    Exp,
    /// `ln(1 + exp(x))`: LightGBM's cross_entropy_lambda.
    Log1pExp,
    /// `sign(x) * x^2`: LightGBM's reg_sqrt.
    SignedSquare,
    /// 1 where `x > 0`, else 0: XGBoost's hinge.
    Step,
    /// The number of the largest output, the first of equals: one answer a row.
    ArgMax,
    /// The outputs sorted upwards: XGBoost's quantile regression.
    Sorted,
    /// The first output, then each next one adds `1e-6 + softplus(x)`: XGBoost's expectiles.
    CumulativeSoftplus,
}

impl Link {
    /// How many answers a row of `n_outputs` margins gives.
    pub fn n_answers(self, n_outputs: usize) -> usize {
        if self == Self::ArgMax { 1 } else { n_outputs }
    }
}
