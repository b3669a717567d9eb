//! Sums over features of a row's value and each of many stored ones: matrix products, and distances
//! to stored rows.
//!
//! Each sum takes its terms in the features' order, one rounding each, so that it is the reference
//! predictor's to the bit; what runs side by side are sums of several outputs and rows. The loops
//! are plain, and compiled anew for each instruction set.

use crate::block::Value;

/// What a feature adds to a sum, of the row's value `x` and the stored `v`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    /// `x * v`.
    Product,
    /// `x * v`, nothing where `x` is missing.
    ProductOfPresent,
    /// `(x - v)^2`.
    Square,
}

/// A precision of sums.
pub(crate) trait Number:
    Value + std::ops::Add<Output = Self> + std::ops::Sub<Output = Self> + std::ops::Mul<Output = Self>
{
}

impl Number for f32 {}
impl Number for f64 {}

/// Outputs from which on they are summed side by side; fewer are summed one by one, several rows
/// side by side.
const WIDE: usize = 4;
/// Rows side by side.
const ROWS: usize = 8;

/// Stored values: feature by feature where there are many outputs, else output by output.
pub(crate) struct Tiles<A> {
    n_features: usize,
    n_outputs: usize,
    values: Vec<A>,
}

impl<A: Number> Tiles<A> {
    /// `n_outputs` stored values a feature; `at(feature, output)` is one of them.
    pub(crate) fn new(n_features: usize, n_outputs: usize, at: impl Fn(usize, usize) -> A) -> Self {
        let n = n_features * n_outputs;
        let values = if n_outputs < WIDE {
            (0..n).map(|i| at(i % n_features, i / n_features)).collect()
        } else {
            (0..n).map(|i| at(i / n_outputs, i % n_outputs)).collect()
        };
        Self {
            n_features,
            n_outputs,
            values,
        }
    }

    pub(crate) fn memory(&self) -> usize {
        size_of_val(&self.values[..])
    }
}

/// Adds the terms of the rows `x` to the sums in `out`, rows x outputs.
#[inline(always)]
pub(super) fn add<A: Number>(tiles: &Tiles<A>, term: Term, x: &[A], out: &mut [A]) {
    match term {
        Term::Product => add_by(tiles, x, out, |sum, x, v| sum + x * v),
        Term::ProductOfPresent => add_by(tiles, x, out, |sum, x, v| {
            if x.is_missing() { sum } else { sum + x * v }
        }),
        Term::Square => add_by(tiles, x, out, |sum, x, v| sum + (x - v) * (x - v)),
    }
}

#[inline(always)]
fn add_by<A: Number>(tiles: &Tiles<A>, x: &[A], out: &mut [A], plus: impl Fn(A, A, A) -> A + Copy) {
    let (n_features, n_outputs) = (tiles.n_features, tiles.n_outputs);
    if n_features == 0 || n_outputs == 0 {
        return;
    }
    if n_outputs < WIDE {
        for (output, values) in tiles.values.chunks_exact(n_features).enumerate() {
            by_rows(values, x, out, output, n_outputs, plus);
        }
        return;
    }
    for (x, sums) in x
        .chunks_exact(n_features)
        .zip(out.chunks_exact_mut(n_outputs))
    {
        by_outputs(&tiles.values, x, sums, plus);
    }
}

/// All sums of a row, four features at a time: each sum is loaded and stored a quarter as often.
#[inline(always)]
fn by_outputs<A: Number>(
    values: &[A],
    x: &[A],
    sums: &mut [A],
    plus: impl Fn(A, A, A) -> A + Copy,
) {
    let n = sums.len();
    let (fours, rest) = x.as_chunks::<4>();
    let (values, last) = values.split_at(4 * fours.len() * n);
    for (&[x0, x1, x2, x3], values) in fours.iter().zip(values.chunks_exact(4 * n)) {
        let (v0, values) = values.split_at(n);
        let (v1, values) = values.split_at(n);
        let (v2, v3) = values.split_at(n);
        let stored = v0.iter().zip(v1).zip(v2).zip(v3);
        for (sum, (((&v0, &v1), &v2), &v3)) in sums.iter_mut().zip(stored) {
            *sum = plus(plus(plus(plus(*sum, x0, v0), x1, v1), x2, v2), x3, v3);
        }
    }
    for (&x, values) in rest.iter().zip(last.chunks_exact(n)) {
        for (sum, &v) in sums.iter_mut().zip(values) {
            *sum = plus(*sum, x, v);
        }
    }
}

/// One sum of each row, some rows at a time: a sum alone would wait for each of its terms.
#[inline(always)]
fn by_rows<A: Number>(
    values: &[A],
    x: &[A],
    out: &mut [A],
    output: usize,
    n_outputs: usize,
    plus: impl Fn(A, A, A) -> A + Copy,
) {
    let n = values.len();
    let (xs, outs) = (x.chunks(ROWS * n), out.chunks_mut(ROWS * n_outputs));
    for (x, out) in xs.zip(outs) {
        if x.len() < ROWS * n {
            for (x, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(n_outputs)) {
                let terms = x.iter().zip(values);
                out[output] = terms.fold(out[output], |sum, (&x, &v)| plus(sum, x, v));
            }
            continue;
        }
        let rows: [&[A]; ROWS] = std::array::from_fn(|r| &x[r * n..][..n]);
        let mut sums: [A; ROWS] = std::array::from_fn(|r| out[r * n_outputs + output]);
        for (f, &v) in values.iter().enumerate() {
            for r in 0..ROWS {
                sums[r] = plus(sums[r], rows[r][f], v);
            }
        }
        for (r, &sum) in sums.iter().enumerate() {
            out[r * n_outputs + output] = sum;
        }
    }
}
