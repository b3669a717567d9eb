//! Links: from margins to what the framework answers, in the margins' own precision.

use crate::{Float, Step};

/// The function from a row's margins to its answer.
///
/// Computed in the precision of the margins (f32 or f64) by the formula of the framework, so that
/// the answer is the framework's own up to the last places of `exp` and `ln`.
#[derive(Clone, Debug, PartialEq)]
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
    /// The margins divided by `n`, and then a link: LightGBM's average_output, whose margins are
    /// sums over `n` iterations and whose answers are made of their mean.
    Mean {
        /// The divisor.
        n: f64,
        /// The link behind it.
        then: MeanLink,
    },
    /// 1 where `x > 0`, else 0: XGBoost's hinge.
    Step,
    /// The number of the largest output, the first of equals: one answer a row.
    ArgMax,
    /// The outputs sorted upwards: XGBoost's quantile regression.
    Sorted,
    /// The first output, then each next one adds `1e-6 + softplus(x)`: XGBoost's expectiles.
    CumulativeSoftplus,
    /// What these steps make of the margins, in f64.
    Then(Vec<Step>),
}

/// The links that may stand behind a mean: those of an objective that can be averaged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MeanLink {
    /// [`Link::Identity`].
    Identity,
    /// [`Link::Sigmoid`].
    Sigmoid {
        /// The same.
        steepness: f64,
    },
    /// [`Link::Softmax`].
    Softmax,
    /// [`Link::Exp`].
    Exp,
    /// [`Link::Log1pExp`].
    Log1pExp,
    /// [`Link::SignedSquare`].
    SignedSquare,
}

impl MeanLink {
    /// The link itself.
    pub fn link(self) -> Link {
        match self {
            Self::Identity => Link::Identity,
            Self::Sigmoid { steepness } => Link::Sigmoid { steepness },
            Self::Softmax => Link::Softmax,
            Self::Exp => Link::Exp,
            Self::Log1pExp => Link::Log1pExp,
            Self::SignedSquare => Link::SignedSquare,
        }
    }
}

impl Link {
    /// This link behind the mean of `n`, where it may stand there.
    pub fn of_mean(self, n: f64) -> Option<Self> {
        let then = match self {
            Self::Identity => MeanLink::Identity,
            Self::Sigmoid { steepness } => MeanLink::Sigmoid { steepness },
            Self::Softmax => MeanLink::Softmax,
            Self::Exp => MeanLink::Exp,
            Self::Log1pExp => MeanLink::Log1pExp,
            Self::SignedSquare => MeanLink::SignedSquare,
            _ => return None,
        };
        Some(Self::Mean { n, then })
    }

    /// The divisor in front of the link, 1 where there is none, and the link behind it.
    pub fn parts(&self) -> (f64, Self) {
        match self {
            Self::Mean { n, then } => (*n, then.link()),
            other => (1.0, other.clone()),
        }
    }

    /// How many answers a row of `n_outputs` margins gives.
    pub fn n_answers(&self, n_outputs: usize) -> usize {
        match self {
            Self::ArgMax => 1,
            Self::Then(steps) => crate::width(steps, n_outputs),
            _ => n_outputs,
        }
    }

    /// One row in f32: `margins` (one an output) to `out` (one an answer).
    ///
    /// # Panics
    /// When `out` is not [`n_answers`](Link::n_answers) long.
    pub fn apply_f32(&self, margins: &[f32], out: &mut [f32]) {
        match self {
            Self::Identity => out.copy_from_slice(margins),
            Self::Sigmoid { steepness } => {
                let steepness = *steepness as f32;
                each(out, margins, |m| sigmoid_f32(steepness, m));
            }
            Self::Exp => each(out, margins, f32::exp),
            Self::Log1pExp => each(out, margins, |x| x.exp().ln_1p()),
            Self::SignedSquare => each(out, margins, |x| (x * x).copysign(x)),
            Self::Mean { n, then } => {
                let n = *n as f32;
                each(out, margins, |m| m / n);
                match then {
                    MeanLink::Identity => {}
                    MeanLink::Sigmoid { steepness } => {
                        let steepness = *steepness as f32;
                        out.iter_mut().for_each(|x| *x = sigmoid_f32(steepness, *x));
                    }
                    MeanLink::Softmax => softmax_f32(out),
                    MeanLink::Exp => out.iter_mut().for_each(|x| *x = x.exp()),
                    MeanLink::Log1pExp => out.iter_mut().for_each(|x| *x = x.exp().ln_1p()),
                    MeanLink::SignedSquare => {
                        out.iter_mut().for_each(|x| *x = (*x * *x).copysign(*x));
                    }
                }
            }
            Self::Step => each(out, margins, |x| if x > 0.0 { 1.0 } else { 0.0 }),
            Self::ArgMax => out[0] = argmax(margins) as f32,
            Self::Sorted => {
                out.copy_from_slice(margins);
                out.sort_unstable_by(f32::total_cmp);
            }
            Self::Softmax => {
                out.copy_from_slice(margins);
                softmax_f32(out);
            }
            Self::CumulativeSoftplus => {
                let softplus = |x: f32| (-x.abs()).exp().ln_1p() + x.max(0.0);
                let mut sum = 0.0;
                for (i, (o, &x)) in out.iter_mut().zip(margins).enumerate() {
                    sum = if i == 0 {
                        x
                    } else {
                        sum + (1e-6 + softplus(x))
                    };
                    *o = sum;
                }
            }
            // ONNX's own: in f64, rounded once, so within a place or two of any runtime's f32.
            Self::SoftmaxZero | Self::Probit | Self::Then(_) => {
                let wide: Vec<f64> = margins.iter().map(|&m| f64::from(m)).collect();
                let mut answers = vec![0.0; out.len()];
                self.apply_f64(&wide, &mut answers);
                out.iter_mut().zip(answers).for_each(|(o, a)| *o = a as f32);
            }
        }
    }

    /// One row in f64: `margins` (one an output) to `out` (one an answer).
    ///
    /// # Panics
    /// When `out` is not [`n_answers`](Link::n_answers) long.
    pub fn apply_f64(&self, margins: &[f64], out: &mut [f64]) {
        match self {
            Self::Identity => out.copy_from_slice(margins),
            Self::Then(steps) => {
                let mut row = margins.to_vec();
                match crate::apply_steps(steps, Float::F64, &mut row) {
                    Ok(()) => out.copy_from_slice(&row),
                    // No row is refused here: `Draft::build` takes no encoder that could.
                    Err(_) => out.fill(f64::NAN),
                }
            }
            Self::Sigmoid { steepness } => {
                each(out, margins, |m| sigmoid_f64(*steepness, m));
            }
            Self::Exp => each(out, margins, f64::exp),
            Self::Log1pExp => each(out, margins, |x| x.exp().ln_1p()),
            Self::SignedSquare => each(out, margins, |x| (x * x).copysign(x)),
            Self::Mean { n, then } => {
                each(out, margins, |m| m / n);
                match then {
                    MeanLink::Identity => {}
                    MeanLink::Sigmoid { steepness } => {
                        out.iter_mut()
                            .for_each(|x| *x = sigmoid_f64(*steepness, *x));
                    }
                    MeanLink::Softmax => softmax_f64(out),
                    MeanLink::Exp => out.iter_mut().for_each(|x| *x = x.exp()),
                    MeanLink::Log1pExp => out.iter_mut().for_each(|x| *x = x.exp().ln_1p()),
                    MeanLink::SignedSquare => {
                        out.iter_mut().for_each(|x| *x = (*x * *x).copysign(*x));
                    }
                }
            }
            Self::Step => each(out, margins, |x| if x > 0.0 { 1.0 } else { 0.0 }),
            Self::ArgMax => out[0] = argmax(margins) as f64,
            Self::Sorted => {
                out.copy_from_slice(margins);
                out.sort_unstable_by(f64::total_cmp);
            }
            Self::Softmax => {
                out.copy_from_slice(margins);
                softmax_f64(out);
            }
            Self::SoftmaxZero => {
                let max = margins.iter().fold(f64::MIN, |m, &x| m.max(x));
                let mut sum = 0.0;
                for (o, &x) in out.iter_mut().zip(margins) {
                    if x.abs() <= 1e-7 {
                        *o = x * (-max).exp();
                    } else {
                        *o = (x - max).exp();
                        sum += *o;
                    }
                }
                out.iter_mut().for_each(|v| *v /= sum);
            }
            Self::Probit => each(out, margins, |x| {
                // ONNX Runtime: Winitzki's approximation of the inverse error function.
                let y = 2.0 * x - 1.0;
                let ln = ((1.0 - y) * (1.0 + y)).ln();
                let a = 2.0 / (std::f64::consts::PI * 0.147) + 0.5 * ln;
                std::f64::consts::SQRT_2 * ((a * a - ln / 0.147).sqrt() - a).sqrt().copysign(y)
            }),
            Self::CumulativeSoftplus => {
                let mut sum = 0.0;
                for (i, (o, &x)) in out.iter_mut().zip(margins).enumerate() {
                    sum = if i == 0 {
                        x
                    } else {
                        sum + 1e-6 + (-x.abs()).exp().ln_1p() + x.max(0.0)
                    };
                    *o = sum;
                }
            }
        }
    }
}

/// [`Link::Sigmoid`] of one margin.
pub(crate) fn sigmoid_f32(steepness: f32, m: f32) -> f32 {
    1.0 / ((-(steepness * m)).min(88.7).exp() + 1.0 + 1e-16)
}

/// The same in f64.
pub(crate) fn sigmoid_f64(steepness: f64, m: f64) -> f64 {
    1.0 / (1.0 + (-steepness * m).exp())
}

/// [`Link::Softmax`] of a row of f32.
fn softmax_f32(row: &mut [f32]) {
    let max = row.iter().fold(f32::MIN, |m, &x| m.max(x));
    row.iter_mut().for_each(|x| *x = (*x - max).exp());
    let sum = row.iter().map(|&e| f64::from(e)).sum::<f64>() as f32;
    row.iter_mut().for_each(|x| *x /= sum);
}

/// The same of a row of f64.
fn softmax_f64(row: &mut [f64]) {
    let max = row.iter().fold(f64::MIN, |m, &x| m.max(x));
    row.iter_mut().for_each(|x| *x = (*x - max).exp());
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|x| *x /= sum);
}

fn each<T: Copy>(out: &mut [T], margins: &[T], f: impl Fn(T) -> T) {
    out.iter_mut().zip(margins).for_each(|(o, &m)| *o = f(m));
}

/// The place of the largest value, the first of equals.
pub(crate) fn argmax<T: PartialOrd + Copy>(values: &[T]) -> usize {
    let mut best = 0;
    for (i, v) in values.iter().enumerate() {
        if *v > values[best] {
            best = i;
        }
    }
    best
}

/// The place of the largest value, the last of equals: the first, looked at from behind.
pub(crate) fn last_argmax<T: PartialOrd + Copy>(values: &[T]) -> usize {
    let mut best = values.len().saturating_sub(1);
    for (i, v) in values.iter().enumerate().rev() {
        if *v > values[best] {
            best = i;
        }
    }
    best
}
