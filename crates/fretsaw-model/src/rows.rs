//! Rows of feature values, borrowed: the one input of every predictor.

use std::ops::Range;

use crate::{Error, Float};

/// Feature values, row-major. NaN is a missing value.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// Single precision.
    F32(&'a [f32]),
    /// Double precision.
    F64(&'a [f64]),
}

/// `n_rows` x `n_features` values, row-major.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    values: Values<'a>,
    n_rows: usize,
    n_features: usize,
}

impl<'a> Rows<'a> {
    /// Views `values` as rows of `n_features` single-precision values.
    ///
    /// # Errors
    /// When the length is not a multiple of `n_features`.
    pub fn f32(values: &'a [f32], n_features: usize) -> Result<Self, Error> {
        let n_rows = count(values.len(), n_features)?;
        Ok(Self {
            values: Values::F32(values),
            n_rows,
            n_features,
        })
    }

    /// Views `values` as rows of `n_features` double-precision values.
    ///
    /// # Errors
    /// When the length is not a multiple of `n_features`.
    pub fn f64(values: &'a [f64], n_features: usize) -> Result<Self, Error> {
        let n_rows = count(values.len(), n_features)?;
        Ok(Self {
            values: Values::F64(values),
            n_rows,
            n_features,
        })
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The number of features of each row.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// All values, row-major.
    pub fn values(&self) -> Values<'a> {
        self.values
    }

    /// The precision the values are held in.
    pub fn float(&self) -> Float {
        match self.values {
            Values::F32(_) => Float::F32,
            Values::F64(_) => Float::F64,
        }
    }

    /// One value, widened.
    ///
    /// # Panics
    /// When `row` or `feature` is out of range.
    pub fn get(&self, row: usize, feature: usize) -> f64 {
        let at = row * self.n_features + feature;
        match self.values {
            Values::F32(v) => f64::from(v[at]),
            Values::F64(v) => v[at],
        }
    }

    /// The rows of `range`, without a copy.
    ///
    /// # Panics
    /// When the range goes beyond the rows.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let at = range.start * self.n_features..range.end * self.n_features;
        let values = match self.values {
            Values::F32(v) => Values::F32(&v[at]),
            Values::F64(v) => Values::F64(&v[at]),
        };
        Self {
            values,
            n_rows: range.len(),
            n_features: self.n_features,
        }
    }
}

fn count(len: usize, n_features: usize) -> Result<usize, Error> {
    if n_features == 0 {
        return if len == 0 {
            Ok(0)
        } else {
            Err(Error::rows("rows of 0 features cannot hold values"))
        };
    }
    if !len.is_multiple_of(n_features) {
        return Err(Error::rows(format!(
            "{len} values are no whole number of rows of {n_features} features"
        )));
    }
    Ok(len / n_features)
}
