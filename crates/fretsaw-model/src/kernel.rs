//! Kernels: how similar a row is to stored rows (support vectors, training rows, centres).

/// Stored rows and how a row is compared with each.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel {
    /// The comparison.
    pub function: KernelFunction,
    /// Values of a stored row.
    pub n_features: usize,
    /// Rows x `n_features`, row-major.
    pub vectors: Vec<f64>,
}

/// How two rows `x` and `v` are compared. Length scales are one for all values, or one a value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum KernelFunction {
    /// `x . v`.
    Linear,
    /// `(gamma x . v + coef0)^degree`.
    Polynomial {
        /// The factor.
        gamma: f64,
        /// The constant.
        coef0: f64,
        /// The exponent.
        degree: f64,
    },
    /// `exp(-gamma |x - v|^2)`.
    Rbf {
        /// The factor.
        gamma: f64,
    },
    /// `tanh(gamma x . v + coef0)`.
    Sigmoid {
        /// The factor.
        gamma: f64,
        /// The constant.
        coef0: f64,
    },
    /// `|x - v|`.
    Euclidean,
    /// The same value whatever the rows: a Gaussian process's constant; 0 for its white noise, which
    /// new rows do not share.
    Constant(f64),
    /// `exp(-d^2 / 2)` of the distance `d` between rows divided by length scales.
    Gaussian {
        /// Length scales.
        length: Vec<f64>,
    },
    /// Matérn's of the same distance, for `nu` of 1/2, 3/2 and 5/2.
    Matern {
        /// Length scales.
        length: Vec<f64>,
        /// Twice `nu`.
        twice_nu: u8,
    },
    /// `(1 + d^2 / (2 alpha length^2))^-alpha`.
    RationalQuadratic {
        /// The length scale.
        length: f64,
        /// The exponent.
        alpha: f64,
    },
    /// `exp(-2 (sin(pi d / periodicity) / length)^2)`.
    ExpSineSquared {
        /// The length scale.
        length: f64,
        /// The period.
        periodicity: f64,
    },
    /// `sigma_0^2 + x . v`.
    DotProduct {
        /// The constant.
        sigma_0: f64,
    },
    /// The sum of two.
    Sum(Box<KernelFunction>, Box<KernelFunction>),
    /// The product of two.
    Product(Box<KernelFunction>, Box<KernelFunction>),
    /// One raised to a power.
    Raised(Box<KernelFunction>, f64),
}

impl Kernel {
    /// How many stored rows there are.
    pub fn n_vectors(&self) -> usize {
        self.vectors.len() / self.n_features.max(1)
    }

    /// The comparison with each stored row, in order.
    pub fn of(&self, x: &[f64]) -> Vec<f64> {
        let rows = self.vectors.chunks_exact(self.n_features.max(1));
        rows.map(|v| self.function.of(x, v)).collect()
    }
}

/// What many functions compare two rows by, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// `x . v`, summed in the order of features from 0.
    Dot,
    /// `|x - v|^2`, summed so too.
    Squares,
}

impl KernelFunction {
    /// Its value for two rows of the same length.
    pub fn of(&self, x: &[f64], v: &[f64]) -> f64 {
        let pairs = || x.iter().zip(v);
        let scaled = |length: &[f64]| {
            let one = |i: usize| length[if length.len() == 1 { 0 } else { i }];
            pairs().enumerate().fold(0.0, |sum, (i, (x, v))| {
                let d = x / one(i) - v / one(i);
                sum + d * d
            })
        };
        match self.compared() {
            Some(Compared::Dot) => {
                return self.of_compared(pairs().fold(0.0, |sum, (x, v)| sum + x * v));
            }
            Some(Compared::Squares) => {
                let squares = pairs().fold(0.0, |sum, (x, v)| sum + (x - v) * (x - v));
                return self.of_compared(squares);
            }
            None => {}
        }
        match self {
            Self::Gaussian { length } => (-0.5 * scaled(length)).exp(),
            Self::Matern { length, twice_nu } => {
                let d = scaled(length).sqrt();
                match twice_nu {
                    1 => (-d).exp(),
                    3 => {
                        let k = d * 3.0_f64.sqrt();
                        (1.0 + k) * (-k).exp()
                    }
                    _ => {
                        let k = d * 5.0_f64.sqrt();
                        (1.0 + k + k * k / 3.0) * (-k).exp()
                    }
                }
            }
            Self::Sum(a, b) => a.of(x, v) + b.of(x, v),
            Self::Product(a, b) => a.of(x, v) * b.of(x, v),
            Self::Raised(a, exponent) => a.of(x, v).powf(*exponent),
            Self::Constant(c) => *c,
            _ => f64::NAN,
        }
    }

    /// What it compares rows by, where that is one plain sum.
    pub fn compared(&self) -> Option<Compared> {
        match self {
            Self::Linear
            | Self::Polynomial { .. }
            | Self::Sigmoid { .. }
            | Self::DotProduct { .. } => Some(Compared::Dot),
            Self::Rbf { .. }
            | Self::Euclidean
            | Self::RationalQuadratic { .. }
            | Self::ExpSineSquared { .. } => Some(Compared::Squares),
            _ => None,
        }
    }

    /// Its value for two rows whose [`compared`](Self::compared) sum is `sum`; NaN where it is of
    /// no such sum.
    pub fn of_compared(&self, sum: f64) -> f64 {
        match self {
            Self::Linear => sum,
            Self::Polynomial {
                gamma,
                coef0,
                degree,
            } => (gamma * sum + coef0).powf(*degree),
            Self::Sigmoid { gamma, coef0 } => (gamma * sum + coef0).tanh(),
            Self::DotProduct { sigma_0 } => sigma_0 * sigma_0 + sum,
            Self::Rbf { gamma } => (-gamma * sum).exp(),
            Self::Euclidean => sum.sqrt(),
            Self::RationalQuadratic { length, alpha } => {
                (1.0 + sum / (2.0 * alpha * length * length)).powf(-alpha)
            }
            Self::ExpSineSquared {
                length,
                periodicity,
            } => {
                let s = (std::f64::consts::PI / periodicity * sum.sqrt()).sin() / length;
                (-2.0 * s * s).exp()
            }
            _ => f64::NAN,
        }
    }

    /// What contradicts itself or the rows of `n_features` values, if anything does.
    pub(crate) fn fault(&self, n_features: usize) -> Option<String> {
        match self {
            Self::Gaussian { length } | Self::Matern { length, .. }
                if length.len() != 1 && length.len() != n_features =>
            {
                Some(format!(
                    "{} length scales for {n_features} values",
                    length.len()
                ))
            }
            Self::Matern { twice_nu, .. } if ![1, 3, 5].contains(twice_nu) => {
                Some(format!("a Matérn kernel of nu {}/2", twice_nu))
            }
            Self::Sum(a, b) | Self::Product(a, b) => {
                a.fault(n_features).or_else(|| b.fault(n_features))
            }
            Self::Raised(a, _) => a.fault(n_features),
            _ => None,
        }
    }
}
