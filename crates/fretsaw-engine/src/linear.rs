//! Linear models: sums in the framework's order and precision, many side by side.

use fretsaw_model::{InterceptOrder, Linear, LinearMissing, Rows, Step};

use crate::block::ROWS;
use crate::isa::Isa;
use crate::kernel::{self, Number, Term, Tiles};
use crate::prepare::{Row, prepared};
use crate::scratch::Staged;

/// A linear model in the precision of its sum.
pub(crate) struct LinearPlan<A> {
    isa: Isa,
    weights: Tiles<A>,
    intercept: Vec<A>,
    intercept_order: InterceptOrder,
    term: Term,
}

/// The precision of a linear sum.
pub(crate) trait Sum: Row + Number {
    fn add_terms(isa: Isa, tiles: &Tiles<Self>, term: Term, x: &[Self], out: &mut [Self]);
}

impl Sum for f32 {
    fn add_terms(isa: Isa, tiles: &Tiles<Self>, term: Term, x: &[Self], out: &mut [Self]) {
        kernel::add_terms_f32(isa, tiles, term, x, out);
    }
}

impl Sum for f64 {
    fn add_terms(isa: Isa, tiles: &Tiles<Self>, term: Term, x: &[Self], out: &mut [Self]) {
        kernel::add_terms_f64(isa, tiles, term, x, out);
    }
}

impl<A: Sum> LinearPlan<A> {
    pub(crate) fn new(linear: &Linear, isa: Isa) -> Self {
        let n = linear.n_outputs;
        let weights = &linear.weights;
        let at = |f: usize, k: usize| A::narrow(weights[f * n + k]);
        Self {
            isa,
            weights: Tiles::new(weights.len() / n, n, at),
            intercept: linear.intercept.iter().map(|&x| A::narrow(x)).collect(),
            intercept_order: linear.intercept_order,
            term: match linear.missing {
                LinearMissing::Skip => Term::ProductOfPresent,
                LinearMissing::Propagate => Term::Product,
            },
        }
    }

    pub(crate) fn memory(&self) -> usize {
        self.weights.memory() + size_of_val(&self.intercept[..])
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
        let n_outputs = self.intercept.len();
        for at in (0..rows.n_rows()).step_by(ROWS) {
            let end = rows.n_rows().min(at + ROWS);
            let rows = rows.slice(at..end);
            let x = prepared(&rows, steps, &mut staged.prepared, one);
            self.block(x, &mut out[at * n_outputs..end * n_outputs]);
        }
    }

    /// The sums of the rows `x`.
    pub(crate) fn block(&self, x: &[A], out: &mut [A]) {
        match self.intercept_order {
            InterceptOrder::First => self.each(out, |_, b| b),
            InterceptOrder::Last => out.fill(A::default()),
        }
        A::add_terms(self.isa, &self.weights, self.term, x, out);
        if self.intercept_order == InterceptOrder::Last {
            self.each(out, |sum, b| sum + b);
        }
    }

    /// Each sum made anew of itself and its intercept.
    fn each(&self, out: &mut [A], f: impl Fn(A, A) -> A) {
        for sums in out.chunks_exact_mut(self.intercept.len()) {
            for (sum, &b) in sums.iter_mut().zip(&self.intercept) {
                *sum = f(*sum, b);
            }
        }
    }
}
