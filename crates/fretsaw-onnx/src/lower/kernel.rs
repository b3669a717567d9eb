//! Comparing each row with stored rows: distances, and kernels made of them.
//!
//! Distances are summed over the values in the reference's order, by a `Scan`, so that they are its own
//! to the bit, zeros and equal ones among them, and memory is rows x stored rows. (`|x|^2 + |v|^2 - 2
//! x.v` would lose digits; a difference of three dimensions would take as many times the memory as
//! there are values.)

use fretsaw_model::{Kernel, KernelFunction};

use super::wide::Value;
use crate::Error;
use crate::graph::{Builder, attribute, value};
use crate::proto::tensor_proto::DataType;

/// Stored rows as a constant.
#[derive(Clone, Copy)]
pub(crate) struct Stored<'a> {
    pub(crate) n_features: usize,
    /// Rows x `n_features`.
    pub(crate) vectors: &'a [f64],
}

impl Stored<'_> {
    pub(crate) fn n_rows(&self) -> usize {
        self.vectors.len() / self.n_features.max(1)
    }
}

/// Folds over the values of a row and of each stored row: from 0 at `N` sums, `step` takes the sums so
/// far (rows x stored rows), a value of each row and one of each stored row. Gives the sums.
pub(crate) fn fold<'b, const N: usize>(
    x: &Value<'b>,
    stored: Stored<'_>,
    step: impl Fn([Value<'_>; N], Value<'_>, Value<'_>) -> [String; N],
) -> [Value<'b>; N] {
    let b = x.builder();
    let dtype = DataType::Double;
    let body = b.inner(|b| {
        let sums: [String; N] = std::array::from_fn(|_| b.fresh("sum"));
        let (xs, vs) = (b.fresh("x"), b.fresh("v"));
        let new = step(
            std::array::from_fn(|i| Value::new(b, sums[i].clone())),
            Value::new(b, xs.clone()).unsqueeze(1),
            Value::new(b, vs.clone()),
        );
        // ONNX Runtime wants to know the shapes where it has lost them on the way.
        let n_rows = Some(stored.n_rows());
        let info = |name: &String| value(name, dtype, &[None, n_rows]);
        let mut inputs: Vec<_> = sums.iter().map(info).collect();
        inputs.extend([value(&xs, dtype, &[None]), value(&vs, dtype, &[n_rows])]);
        (inputs, new.iter().map(info).collect())
    });
    let dims = [stored.n_rows(), stored.n_features];
    let vectors = Value::doubles(b, &dims, stored.vectors);
    let zeros = x.zeros(stored.n_rows());
    let mut inputs = vec![zeros.name(); N];
    inputs.extend([x.name(), vectors.name()]);
    let attributes = vec![
        attribute("num_scan_inputs", 2_i64),
        attribute("scan_input_axes", vec![1_i64, 1]),
    ];
    Value::control("Scan", &inputs, body, b, attributes)
}

/// The squares of Euclidean distances.
pub(crate) fn squares<'b>(x: &Value<'b>, stored: Stored<'_>) -> Value<'b> {
    let [sum] = fold(x, stored, |[sum], x, v| {
        let d = x - &v;
        [(&sum + &d * &d).name().to_string()]
    });
    sum
}

pub(crate) fn kernel<'b>(kernel: &Kernel, x: &Value<'b>) -> Result<Value<'b>, Error> {
    let rows = Rows {
        x,
        stored: Stored {
            n_features: kernel.n_features,
            vectors: &kernel.vectors,
        },
    };
    rows.compare(&kernel.function)
}

struct Rows<'v, 'b> {
    x: &'v Value<'b>,
    stored: Stored<'v>,
}

impl<'b> Rows<'_, 'b> {
    fn compare(&self, function: &KernelFunction) -> Result<Value<'b>, Error> {
        let b = self.x.builder();
        Ok(match function {
            KernelFunction::Linear => self.dot(),
            KernelFunction::Polynomial {
                gamma,
                coef0,
                degree,
            } => (self.dot() * *gamma + *coef0).pow(*degree),
            KernelFunction::Rbf { gamma } => (squares(self.x, self.stored) * -gamma).exp(),
            KernelFunction::Sigmoid { gamma, coef0 } => {
                (self.dot() * *gamma + *coef0).unary("Tanh")
            }
            KernelFunction::Euclidean => squares(self.x, self.stored).sqrt(),
            KernelFunction::Constant(c) => self.x.zeros(self.stored.n_rows()) + *c,
            KernelFunction::Gaussian { length } => (self.scaled(b, length) * -0.5).exp(),
            KernelFunction::Matern { length, twice_nu } => {
                let d = self.scaled(b, length).sqrt();
                match twice_nu {
                    1 => (-d).exp(),
                    3 => {
                        let k = d * 3.0_f64.sqrt();
                        (&k + 1.0) * (-&k).exp()
                    }
                    _ => {
                        let k = d * 5.0_f64.sqrt();
                        (&k + 1.0 + k.square() / 3.0) * (-&k).exp()
                    }
                }
            }
            KernelFunction::RationalQuadratic { length, alpha } => {
                let ratio = squares(self.x, self.stored) / (2.0 * alpha * length * length);
                (ratio + 1.0).pow(-alpha)
            }
            KernelFunction::ExpSineSquared {
                length,
                periodicity,
            } => {
                let d = squares(self.x, self.stored).sqrt();
                let sine = (d * (std::f64::consts::PI / periodicity)).unary("Sin") / *length;
                (sine.square() * -2.0).exp()
            }
            KernelFunction::DotProduct { sigma_0 } => self.dot() + sigma_0 * sigma_0,
            KernelFunction::Sum(one, other) => self.compare(one)? + self.compare(other)?,
            KernelFunction::Product(one, other) => self.compare(one)? * self.compare(other)?,
            KernelFunction::Raised(base, exponent) => self.compare(base)?.pow(*exponent),
            other => {
                return Err(Error::unsupported(format!("the kernel {other:?}"), "model"));
            }
        })
    }

    fn dot(&self) -> Value<'b> {
        let (n_rows, n) = (self.stored.n_rows(), self.stored.n_features);
        let column = |f: usize| (0..n_rows).map(move |r| r * n + f);
        let turned: Vec<f64> = (0..n)
            .flat_map(column)
            .map(|i| self.stored.vectors[i])
            .collect();
        self.x
            .matmul(&Value::doubles(self.x.builder(), &[n, n_rows], &turned))
    }

    /// Squares of distances of rows divided by length scales.
    fn scaled(&self, b: &'b Builder, length: &[f64]) -> Value<'b> {
        let one = |i: usize| length[if length.len() == 1 { 0 } else { i }];
        let n = self.stored.n_features;
        let lengths: Vec<f64> = (0..n).map(one).collect();
        let scale = |(i, v): (usize, &f64)| v / one(i % n);
        let vectors: Vec<f64> = self.stored.vectors.iter().enumerate().map(scale).collect();
        let x = Value::new(b, self.x.name()) / &lengths[..];
        let stored = Stored {
            n_features: n,
            vectors: &vectors,
        };
        squares(&x, stored)
    }
}
