//! Rows of feature values, owned. [`Rows`] is the view of them that predictors take.

use std::ops::Range;

use fretsaw_model::Rows;

use crate::session::Buffer;
use crate::{Error, Result};

/// `n_rows` x `n_features` values, row-major; NaN is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    values: Buffer,
    n_features: usize,
}

impl Matrix {
    /// Takes `values` as rows of `n_features`.
    ///
    /// # Errors
    /// When they are no whole number of rows, or `n_features` is 0.
    pub fn new(values: Buffer, n_features: usize) -> Result<Self> {
        let len = match &values {
            Buffer::F32(v) => v.len(),
            Buffer::F64(v) => v.len(),
        };
        if n_features == 0 || !len.is_multiple_of(n_features) {
            return Err(Error::data(format!(
                "{len} values are no whole number of rows of {n_features} features"
            )));
        }
        Ok(Self { values, n_features })
    }

    /// How many rows it holds.
    pub fn n_rows(&self) -> usize {
        let len = match &self.values {
            Buffer::F32(v) => v.len(),
            Buffer::F64(v) => v.len(),
        };
        len / self.n_features
    }

    /// How many features each row has; at least 1.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// The values.
    pub fn values(&self) -> &Buffer {
        &self.values
    }

    /// All rows.
    pub fn rows(&self) -> Rows<'_> {
        let rows = match &self.values {
            Buffer::F32(v) => Rows::f32(v, self.n_features),
            Buffer::F64(v) => Rows::f64(v, self.n_features),
        };
        rows.expect("`new` saw whole rows")
    }

    /// The rows of `range`, without a copy.
    ///
    /// # Panics
    /// When the range goes beyond the rows.
    pub fn slice(&self, range: Range<usize>) -> Rows<'_> {
        self.rows().slice(range)
    }
}
