//! Functions of one value, in f64, and norms of a row.

/// A function of one value.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Function {
    /// `max(x, 0)`.
    Relu,
    /// The hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Logistic,
    /// `e^x`.
    Exp,
    /// `2^x`.
    Exp2,
    /// `e^x - 1`.
    ExpM1,
    /// The natural logarithm.
    Ln,
    /// The logarithm to base 2.
    Log2,
    /// The logarithm to base 10.
    Log10,
    /// `ln(1 + x)`.
    Ln1p,
    /// The square root.
    Sqrt,
    /// `x * x`.
    Square,
    /// The size of `x`.
    Abs,
    /// `-x`.
    Negate,
    /// `1 / x`.
    Reciprocal,
    /// To the nearest whole number, halves to the even one.
    Round,
    /// To the nearest f32: what a file computes in f32 is repeated so, operation by operation.
    Narrow,
    /// Downwards to a whole number.
    Floor,
    /// Towards 0 to a whole number.
    Truncate,
    /// 1 above the threshold, else 0.
    Above(f64),
    /// 1 at the threshold and above, else 0.
    AtLeast(f64),
    /// Held between two values; NaN stays.
    Clip {
        /// The least.
        low: f64,
        /// The most.
        high: f64,
    },
    /// The inverse of the standard normal distribution: `scipy.special.ndtri`.
    NormalQuantile,
}

impl Function {
    /// Its value at `x`.
    #[inline]
    pub fn of(self, x: f64) -> f64 {
        match self {
            Self::Relu => {
                if x < 0.0 {
                    0.0
                } else {
                    x
                }
            }
            Self::Tanh => x.tanh(),
            Self::Logistic => 1.0 / (1.0 + (-x).exp()),
            Self::Exp => x.exp(),
            Self::Exp2 => x.exp2(),
            Self::ExpM1 => x.exp_m1(),
            Self::Ln => x.ln(),
            Self::Log2 => x.log2(),
            Self::Log10 => x.log10(),
            Self::Ln1p => x.ln_1p(),
            Self::Sqrt => x.sqrt(),
            Self::Square => x * x,
            Self::Abs => x.abs(),
            Self::Negate => -x,
            Self::Reciprocal => 1.0 / x,
            Self::Round => x.round_ties_even(),
            Self::Narrow => f64::from(x as f32),
            Self::Floor => x.floor(),
            Self::Truncate => x.trunc(),
            Self::Above(t) => f64::from(u8::from(x > t)),
            Self::AtLeast(t) => f64::from(u8::from(x >= t)),
            // Not `clamp`, which panics where the limits are out of order.
            Self::Clip { low, high } => {
                if x < low {
                    low
                } else if x > high {
                    high
                } else {
                    x
                }
            }
            Self::NormalQuantile => crate::normal::quantile(x),
        }
    }
}

/// A transform of scikit-learn's `PowerTransformer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// `(x^l - 1) / l`, or `ln x` where `l` is 0.
    BoxCox,
    /// Box-Cox of `x + 1`, mirrored below 0 with the exponent `2 - l`.
    YeoJohnson,
    /// The same written as `((x + 1)^l - 1) / l`, which loses digits near 0: scikit-learn before
    /// 1.9.
    YeoJohnsonPowers,
}

impl Power {
    /// Its value at `x` with the exponent `l`.
    pub fn of(self, x: f64, l: f64) -> f64 {
        let raised = |x: f64, l: f64| match self {
            Self::YeoJohnsonPowers => ((x + 1.0).powf(l) - 1.0) / l,
            _ => (l * x.ln_1p()).exp_m1() / l,
        };
        match self {
            // scipy.special.boxcox
            Self::BoxCox if l.abs() < 1e-19 => x.ln(),
            Self::BoxCox => (l * x.ln()).exp_m1() / l,
            Self::YeoJohnson | Self::YeoJohnsonPowers if x.is_nan() => x,
            Self::YeoJohnson | Self::YeoJohnsonPowers if x >= 0.0 => {
                if l.abs() < f64::EPSILON {
                    x.ln_1p()
                } else {
                    raised(x, l)
                }
            }
            Self::YeoJohnson | Self::YeoJohnsonPowers => {
                if (l - 2.0).abs() > f64::EPSILON {
                    -raised(-x, 2.0 - l)
                } else {
                    -(-x).ln_1p()
                }
            }
        }
    }
}

/// What a row is divided by.
///
/// scikit-learn's `Normalizer` takes a norm below [`Norm::LEAST`] for that of a row of zeros (before
/// 1.0 none but 0 itself).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// The sum of sizes; a row of next to nothing stays.
    L1,
    /// The square root of the sum of squares; a row of next to nothing stays.
    L2,
    /// The largest size; a row of next to nothing stays.
    Max,
    /// The sum, so that the row becomes shares; where that is 0, equal ones.
    Shares,
}

impl Norm {
    /// The least norm that a row is divided by.
    pub const LEAST: f64 = 10.0 * f64::EPSILON;

    /// Divides the row by it.
    pub fn divide(self, x: &mut [f64]) {
        let norm = match self {
            Self::L1 => x.iter().fold(0.0, |sum, x| sum + x.abs()),
            Self::L2 => x.iter().fold(0.0, |sum, x| sum + x * x).sqrt(),
            Self::Max => x.iter().fold(0.0, |m: f64, x| m.max(x.abs())),
            Self::Shares => x.iter().fold(0.0, |sum, x| sum + x),
        };
        match self {
            Self::Shares if norm == 0.0 => x.fill(1.0 / x.len() as f64),
            Self::L1 | Self::L2 | Self::Max if norm < Self::LEAST => {}
            _ => x.iter_mut().for_each(|x| *x /= norm),
        }
    }
}

/// A piecewise linear function: `numpy.interp`.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Ascending; equal ones are allowed.
    pub x: Vec<f64>,
    /// One value each. Beyond the ends the function is flat.
    pub y: Vec<f64>,
    /// Whether it is the mean of the function read from the left and from the right, which differ
    /// where `x` has equal ones: scikit-learn's `QuantileTransformer`.
    pub both_ways: bool,
    /// At the first limit and below it the value is the first of `y`, at the second and above it
    /// the last, whatever the function says; the first limit goes before the second.
    pub flat: Option<(f64, f64)>,
}

impl Curve {
    /// Its value at `x`; NaN stays.
    pub fn of(&self, x: f64) -> f64 {
        match self.flat {
            Some((low, _)) if x <= low => return self.y[0],
            Some((_, high)) if x >= high => return self.y[self.y.len() - 1],
            _ => {}
        }
        if x.is_nan() {
            return x;
        }
        let (xs, ys, n) = (&self.x, &self.y, self.x.len());
        let up = interpolate(n, xs.partition_point(|&p| p <= x), x, |i| (xs[i], ys[i]));
        if !self.both_ways {
            return up;
        }
        // `0.5 * (interp(x, xs, ys) - interp(-x, -xs[::-1], -ys[::-1]))`
        let below = n - xs.partition_point(|&p| p < x);
        let turned = |i: usize| (-xs[n - 1 - i], -ys[n - 1 - i]);
        0.5 * (up - interpolate(n, below, -x, turned))
    }
}

/// Between the points `at(0)`, ..., `at(n - 1)`, of which the first `below` are at `x` or below it.
fn interpolate(n: usize, below: usize, x: f64, at: impl Fn(usize) -> (f64, f64)) -> f64 {
    let Some(j) = below.checked_sub(1) else {
        return at(0).1;
    };
    let (x0, y0) = at(j);
    if below == n || x == x0 {
        return y0;
    }
    let (x1, y1) = at(below);
    (y1 - y0) / (x1 - x0) * (x - x0) + y0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_ends_overrule_a_curve() {
        let mut curve = Curve {
            x: vec![0.0, 0.0, 1.0],
            y: vec![0.0, 0.5, 1.0],
            both_ways: true,
            flat: None,
        };
        let at = |c: &Curve| [-1.0, 0.0, 0.5, 0.9, 2.0].map(|x| c.of(x));
        assert_eq!(at(&curve), [0.0, 0.25, 0.75, 0.95, 1.0]);
        curve.flat = Some((0.0, 0.9));
        assert_eq!(at(&curve), [0.0, 0.0, 0.75, 1.0, 1.0]);
        // Where both limits are reached, the first goes before.
        curve.flat = Some((0.5, 0.0));
        assert_eq!(at(&curve), [0.0, 0.0, 0.0, 1.0, 1.0]);
        assert!(curve.of(f64::NAN).is_nan());
    }

    #[test]
    fn a_row_of_next_to_nothing_keeps_its_size() {
        for (norm, row, want) in [
            (Norm::L1, [3.0, -1.0], [0.75, -0.25]),
            (Norm::L2, [3.0, -4.0], [0.6, -0.8]),
            (Norm::Max, [2e-15, 1e-15], [2e-15, 1e-15]),
            (Norm::L1, [2e-15, 2e-15], [0.5, 0.5]),
            (Norm::Shares, [2e-18, 2e-18], [0.5, 0.5]),
            (Norm::Shares, [1.0, -1.0], [0.5, 0.5]),
        ] {
            let mut got = row;
            norm.divide(&mut got);
            assert_eq!(got, want, "{norm:?} {row:?}");
        }
    }

    #[test]
    fn both_ways_of_writing_yeo_johnson_are_near() {
        for (x, l) in [
            (0.5, 0.3),
            (0.5, 0.0),
            (-0.5, 0.3),
            (-0.5, 2.0),
            (3.0, -1.2),
        ] {
            let (a, b) = (Power::YeoJohnson.of(x, l), Power::YeoJohnsonPowers.of(x, l));
            assert!((a - b).abs() <= 1e-15, "{x} {l}: {a} {b}");
        }
        // scikit-learn 1.6 at 1e-9: the power's rounding shows.
        assert_eq!(
            Power::YeoJohnsonPowers.of(1e-9, 1.0),
            1.000_000_082_740_371e-9
        );
        assert!(Power::YeoJohnsonPowers.of(f64::NAN, 1.0).is_nan());
    }
}
