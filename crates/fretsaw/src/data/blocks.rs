//! The rows of a file for a model, some at a time: memory stays bounded, whatever the file's size.
//!
//! Values that are numbers already stay where they are, in the mapped file or in Parquet's decoded
//! columns; only what is not (text, categories, other byte orders) is decoded, a block at a time.

use std::path::Path;
use std::sync::Arc;

use fretsaw_model::{Column, Float, Model, Rows};

use super::rows::{Batched, Decoder, NO_ROWS, single};
use super::{Data, Matrix, csv, npy, parquet};
use crate::{Error, Result};

/// Blocks that are taken to be in use at once: one being read, one run, and those between.
const IN_USE: usize = 4;

/// Blocks of rows, in the file's order. An error is the last.
pub struct Blocks<'a> {
    path: &'a Path,
    source: Source<'a>,
    n_rows: usize,
    /// Rows given so far.
    at: usize,
    /// Rows of a block, at most.
    most: usize,
    failed: bool,
}

enum Source<'a> {
    Rows(&'a npy::Npy, Rows<'a>),
    Columns(&'a npy::Npy, Arc<[Column<'a>]>, Float),
    /// To be decoded, in single precision or not.
    Decoded(&'a npy::Npy, bool),
    Csv(csv::Cursor<'a>, Decoder<'a>),
    Parquet(parquet::Batches<'a>, Decoder<'a>),
}

/// Some rows of a file. It can be given to another thread.
pub struct Block<'a> {
    first: usize,
    n_rows: usize,
    values: Values<'a>,
}

enum Values<'a> {
    Rows(Rows<'a>),
    Columns(Arc<[Column<'a>]>, Float),
    Matrix(Matrix),
    Batch(Vec<Batched>, Float),
}

impl Data {
    /// The rows of `model`'s features as [`rows_for`](Data::rows_for) gives them, in blocks of at most
    /// `most` rows (at least 1).
    ///
    /// f64 rows of `.npy` stay f64, also for a model that casts its inputs to f32 itself.
    ///
    /// # Errors
    /// When there are no rows or columns do not match; values that are not what their features need are
    /// told by the block that has them.
    pub fn blocks<'a>(
        &'a self,
        model: &'a Model,
        exclude: &[&str],
        most: usize,
    ) -> Result<Blocks<'a>> {
        let most = most.max(1);
        let source = Source::of(&self.source, model, exclude, most);
        let source = source.map_err(|e| e.in_file(&self.path))?;
        let n_rows = self.n_rows();
        if n_rows == 0 {
            return Err(Error::data(NO_ROWS).in_file(&self.path));
        }
        Ok(Blocks {
            path: &self.path,
            source,
            n_rows,
            at: 0,
            most,
            failed: false,
        })
    }
}

impl<'a> Source<'a> {
    fn of(
        source: &'a super::Source,
        model: &'a Model,
        exclude: &[&str],
        most: usize,
    ) -> Result<Self> {
        Ok(match source {
            super::Source::Npy(npy) => {
                let single = single(npy, model)?;
                let float = if single { Float::F32 } else { Float::F64 };
                if let Some(rows) = npy.rows() {
                    Self::Rows(npy, rows)
                } else if let Some(columns) = npy.columns() {
                    Self::Columns(npy, columns.into(), float)
                } else {
                    Self::Decoded(npy, single)
                }
            }
            super::Source::Csv(csv) => {
                Self::Csv(csv.cursor(), Decoder::of_csv(csv, model, exclude)?)
            }
            super::Source::Parquet(parquet) => {
                let decoder = Decoder::of_parquet(parquet, model, exclude)?;
                Self::Parquet(parquet.batches(decoder.columns(), most)?, decoder)
            }
        })
    }
}

impl Blocks<'_> {
    /// Rows of all blocks together.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }
}

impl<'a> Blocks<'a> {
    fn block(&mut self) -> Result<Option<Block<'a>>> {
        let first = self.at;
        let rows = first..self.n_rows.min(first.saturating_add(self.most));
        let n_rows = rows.len();
        if let Source::Rows(npy, _) | Source::Columns(npy, ..) | Source::Decoded(npy, _) =
            &self.source
        {
            // Of blocks that are still in use somewhere none should be.
            let old = |blocks| first.saturating_sub(self.most.saturating_mul(blocks));
            npy.forget(old(IN_USE + 1)..old(IN_USE));
        }
        let block = |values, n_rows| Block {
            first,
            n_rows,
            values,
        };
        Ok(match &mut self.source {
            // Asked on, so that rows beyond those that the file declares are found.
            Source::Parquet(batches, decoder) => match batches.next().transpose()? {
                None => None,
                Some(batch) => {
                    let n_rows = batch.n_rows;
                    let values = Values::Batch(decoder.batch(batch)?, decoder.float());
                    Some(block(values, n_rows))
                }
            },
            _ if rows.is_empty() => None,
            Source::Rows(_, all) => Some(block(Values::Rows(all.slice(rows)), n_rows)),
            Source::Columns(_, columns, float) => {
                Some(block(Values::Columns(columns.clone(), *float), n_rows))
            }
            Source::Decoded(npy, single) => {
                Some(block(Values::Matrix(npy.decode(rows, *single)?), n_rows))
            }
            Source::Csv(cursor, decoder) => {
                let visit =
                    |columns: &[usize], f: &mut super::Visit<'_>| cursor.visit(columns, n_rows, f);
                Some(block(Values::Matrix(decoder.matrix(first, visit)?), n_rows))
            }
        })
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Result<Block<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let block = self.block().map_err(|e| e.in_file(self.path));
        match &block {
            Ok(block) => self.at += block.as_ref().map_or(0, |b| b.n_rows),
            Err(_) => self.failed = true,
        }
        block.transpose()
    }
}

impl Block<'_> {
    /// The number of its first row.
    pub fn first_row(&self) -> usize {
        self.first
    }

    /// Gives its rows to `f`.
    pub fn with_rows<T>(&self, f: impl FnOnce(&Rows<'_>) -> T) -> T {
        let in_columns =
            |columns, float| Rows::columns_in(columns, float).expect("columns of one length");
        match &self.values {
            Values::Rows(rows) => f(rows),
            Values::Matrix(matrix) => f(&matrix.rows()),
            Values::Columns(columns, float) => {
                let rows = in_columns(columns, *float);
                f(&rows.slice(self.first..self.first + self.n_rows))
            }
            Values::Batch(columns, float) => {
                let columns: Vec<Column<'_>> =
                    columns.iter().map(|c| c.column(self.n_rows)).collect();
                f(&in_columns(&columns, *float))
            }
        }
    }
}
