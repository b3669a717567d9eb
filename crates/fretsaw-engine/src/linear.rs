//! Linear models: one pass over the weights a row, in the framework's order and precision.

use fretsaw_model::{InterceptOrder, Linear, LinearMissing, Rows, Step};

use crate::block::ROWS;
use crate::prepare::{Row, prepared};
use crate::scratch::Staged;

/// A linear model in the precision of its sum.
pub(crate) struct LinearPlan<A> {
    n_outputs: usize,
    /// `n_features` x `n_outputs`.
    weights: Vec<A>,
    intercept: Vec<A>,
    intercept_order: InterceptOrder,
    missing: LinearMissing,
}

/// The precision of a linear sum.
pub(crate) trait Term:
    Row + std::ops::Add<Output = Self> + std::ops::Mul<Output = Self>
{
}
impl Term for f32 {}
impl Term for f64 {}

impl<A: Term> LinearPlan<A> {
    pub(crate) fn new(linear: &Linear) -> Self {
        let narrow = |v: &[f64]| v.iter().map(|&x| A::narrow(x)).collect();
        Self {
            n_outputs: linear.n_outputs,
            weights: narrow(&linear.weights),
            intercept: narrow(&linear.intercept),
            intercept_order: linear.intercept_order,
            missing: linear.missing,
        }
    }

    pub(crate) fn memory(&self) -> usize {
        size_of_val(&self.weights[..]) + size_of_val(&self.intercept[..])
    }

    /// The sums of rows that steps in front prepare.
    pub(crate) fn margins(
        &self,
        rows: &Rows<'_>,
        steps: &[Step],
        out: &mut [A],
        staged: &mut Staged<A>,
        one: &mut Vec<f64>,
    ) {
        for at in (0..rows.n_rows()).step_by(ROWS) {
            let end = rows.n_rows().min(at + ROWS);
            let rows = rows.slice(at..end);
            let x = prepared(&rows, steps, &mut staged.prepared, one);
            self.block(x, &mut out[at * self.n_outputs..end * self.n_outputs]);
        }
    }

    /// The sums of the rows `x`.
    pub(crate) fn block(&self, x: &[A], out: &mut [A]) {
        let n_features = self.weights.len() / self.n_outputs;
        for (row, sums) in out.chunks_exact_mut(self.n_outputs).enumerate() {
            self.row(&x[row * n_features..][..n_features], sums);
        }
    }

    fn row(&self, x: &[A], sums: &mut [A]) {
        match self.intercept_order {
            InterceptOrder::First => sums.copy_from_slice(&self.intercept),
            InterceptOrder::Last => sums.fill(A::default()),
        }
        for (&v, weights) in x.iter().zip(self.weights.chunks_exact(self.n_outputs)) {
            if self.missing == LinearMissing::Skip && v.widen().is_nan() {
                continue;
            }
            for (sum, &w) in sums.iter_mut().zip(weights) {
                *sum = *sum + v * w;
            }
        }
        if self.intercept_order == InterceptOrder::Last {
            for (sum, &b) in sums.iter_mut().zip(&self.intercept) {
                *sum = *sum + b;
            }
        }
    }
}
