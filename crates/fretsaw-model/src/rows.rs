//! Rows of feature values, borrowed: the one input of every predictor.

use std::ops::Range;

use crate::{Column, Error, Float};

/// Feature values as they stand in memory. NaN is a missing value.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// Single precision, row-major.
    F32(&'a [f32]),
    /// Double precision, row-major.
    F64(&'a [f64]),
    /// A column a feature.
    Columns(Columns<'a>),
}

/// Columns of one length, one a feature.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    columns: &'a [Column<'a>],
    first: usize,
    n_rows: usize,
    float: Float,
}

/// `n_rows` x `n_features` values, row-major or in columns.
///
/// Rows have one precision, [`float`](Rows::float), in which steps in front of a model compute.
/// How values are laid out changes no answer: columns stand for the row-major table of that
/// precision that holds each of their values cast once.
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

    /// Views columns, one a feature, as rows, in the precision that loses nothing and is what NumPy
    /// and pandas make of such a table: f32 where all columns are f32, or short integers and truth
    /// values beside f32; else f64.
    ///
    /// # Errors
    /// When the columns differ in length.
    pub fn columns(columns: &'a [Column<'a>]) -> Result<Self, Error> {
        let single = columns.iter().all(Column::fits_f32) && columns.iter().any(Column::is_f32);
        let float = if single { Float::F32 } else { Float::F64 };
        Self::columns_in(columns, float)
    }

    /// The same in a precision of one's own: every value is cast to it, once. With `F32` a model
    /// that compares in f64 sees narrowed values, as it would if the table were cast before; for one
    /// that casts its inputs to f32 anyway it is what the framework does with integers.
    ///
    /// # Errors
    /// When the columns differ in length.
    pub fn columns_in(columns: &'a [Column<'a>], float: Float) -> Result<Self, Error> {
        let n_rows = columns.first().map_or(0, Column::len);
        if let Some(at) = columns.iter().position(|c| c.len() != n_rows) {
            return Err(Error::rows(format!(
                "column {at} has {} values, column 0 has {n_rows}",
                columns[at].len()
            )));
        }
        Ok(Self {
            values: Values::Columns(Columns {
                columns,
                first: 0,
                n_rows,
                float,
            }),
            n_rows,
            n_features: columns.len(),
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

    /// All values.
    pub fn values(&self) -> Values<'a> {
        self.values
    }

    /// The precision the values are held in; of columns, the one they are cast to.
    pub fn float(&self) -> Float {
        match self.values {
            Values::F32(_) => Float::F32,
            Values::F64(_) => Float::F64,
            Values::Columns(c) => c.float,
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
            Values::Columns(c) => {
                assert!(row < self.n_rows, "one of the rows");
                c.columns[feature].get(c.first + row, c.float)
            }
        }
    }

    /// All values, widened, row by row.
    pub fn row_major(&self) -> impl Iterator<Item = f64> + use<'a> {
        let rows = *self;
        let row = move |r: usize| (0..rows.n_features).map(move |f| rows.get(r, f));
        (0..rows.n_rows).flat_map(row)
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
            Values::Columns(c) => {
                assert!(
                    range.start <= range.end && range.end <= c.n_rows,
                    "a range of the rows"
                );
                Values::Columns(Columns {
                    first: c.first + range.start,
                    n_rows: range.len(),
                    ..c
                })
            }
        };
        Self {
            values,
            n_rows: range.len(),
            n_features: self.n_features,
        }
    }
}

impl Columns<'_> {
    /// Writes `of` each value of a feature, cast to the rows' precision and widened, to `out`.
    ///
    /// # Panics
    /// When `feature` is out of range.
    pub fn write<'o, T: 'o>(
        &self,
        feature: usize,
        out: impl Iterator<Item = &'o mut T>,
        of: impl Fn(f64) -> T,
    ) {
        let column = self.columns[feature].slice(self.first, self.n_rows);
        column.write(self.float, out, of);
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
