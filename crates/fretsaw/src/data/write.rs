//! Predictions as files: `.npy`, `.csv` or `.parquet`, in the precision they were computed in.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Float64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::atomic::{self, Staged};
use super::{Format, npy};
use crate::session::{Buffer, Predictions};
use crate::{Error, ErrorKind, Result};

/// Rows of one Parquet batch.
const BATCH: usize = 65_536;

/// Whether predictions can be written to `path`: for a refusal before the work, not behind it.
///
/// # Errors
/// When the extension names no format, the folder does not exist, or the name is not a file's.
pub fn check_output(path: &Path) -> Result<()> {
    Format::of(path)?;
    atomic::check_target(path).map(|_| ())
}

/// Writes predictions, in one step, in the format that the extension names: a [`Writer`] that is
/// given all of them.
///
/// # Errors
/// When `column_names` are not one a column, or the file cannot be written; then nothing has
/// changed under its name.
pub fn write_predictions(
    path: &Path,
    predictions: &Predictions,
    column_names: &[String],
) -> Result<()> {
    let mut writer = Writer::create(path, predictions, predictions.n_rows(), column_names)?;
    writer.write(predictions)?;
    writer.finish()
}

/// A file of predictions that is written some rows at a time, and appears under its name when it is
/// whole, or not at all.
///
/// `.npy`: always two dimensions. `.csv`: a header, and the shortest digits that give each value
/// back; NaN is `NaN`. `.parquet`: one column each of f32 or f64.
pub struct Writer {
    path: PathBuf,
    file: Target,
    n_columns: usize,
    double: bool,
    /// Rows to come.
    n_left: usize,
}

enum Target {
    Npy(Staged),
    Csv(Staged),
    Parquet(Box<ArrowWriter<Staged>>, Arc<Schema>),
}

impl Writer {
    /// Begins a file for `n_rows` rows in all, each like those of `predictions`, of which none are
    /// written yet.
    ///
    /// # Errors
    /// When `column_names` are not one a column, or the file cannot be written.
    pub fn create(
        path: &Path,
        predictions: &Predictions,
        n_rows: usize,
        column_names: &[String],
    ) -> Result<Self> {
        let format = Format::of(path)?;
        let n_columns = predictions.n_columns;
        if n_columns == 0 || column_names.len() != n_columns {
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "{} names for {n_columns} columns of predictions",
                    column_names.len()
                ),
            ));
        }
        let double = matches!(predictions.values, Buffer::F64(_));
        let target = atomic::check_target(path)?;
        let begin = |mut staged: Staged| {
            Ok(match format {
                Format::Npy => {
                    npy::write_header(&mut staged, double, n_rows, n_columns)?;
                    Target::Npy(staged)
                }
                Format::Csv => {
                    write_names(&mut staged, column_names)?;
                    Target::Csv(staged)
                }
                Format::Parquet => begin_parquet(staged, column_names, double)?,
            })
        };
        let file = Staged::create(target).and_then(begin);
        Ok(Self {
            path: path.to_owned(),
            file: file.map_err(|e| Error::io("cannot write", path, e))?,
            n_columns,
            double,
            n_left: n_rows,
        })
    }

    /// Writes the next rows.
    ///
    /// # Errors
    /// When they are not like the first or too many, or the file cannot be written.
    pub fn write(&mut self, predictions: &Predictions) -> Result<()> {
        let Predictions { n_columns, values } = predictions;
        let double = matches!(values, Buffer::F64(_));
        let n_rows = predictions.n_rows();
        if (*n_columns, double) != (self.n_columns, self.double) || n_rows > self.n_left {
            return Err(Error::new(
                ErrorKind::Config,
                "predictions of another shape or precision than the file was begun for",
            ));
        }
        self.n_left -= n_rows;
        let written = match &mut self.file {
            Target::Npy(out) => npy::write_values(out, values),
            Target::Csv(out) => match values {
                Buffer::F32(v) => write_lines(out, v, *n_columns),
                Buffer::F64(v) => write_lines(out, v, *n_columns),
            },
            Target::Parquet(out, schema) => {
                write_batches(out, schema, values).map_err(io::Error::other)
            }
        };
        written.map_err(|e| Error::io("cannot write", &self.path, e))
    }

    /// Puts the file under its name, in one step.
    ///
    /// # Errors
    /// When rows are wanting, or the file cannot be written; then nothing has changed under its name.
    pub fn finish(self) -> Result<()> {
        if self.n_left > 0 {
            let message = format!("{} rows of predictions are wanting", self.n_left);
            return Err(Error::new(ErrorKind::Config, message));
        }
        let staged = match self.file {
            Target::Npy(staged) | Target::Csv(staged) => Ok(staged),
            Target::Parquet(out, _) => out.into_inner().map_err(io::Error::other),
        };
        let finished = staged.and_then(Staged::finish);
        finished.map_err(|e| Error::io("cannot write", &self.path, e))
    }
}

fn write_names(out: &mut dyn Write, names: &[String]) -> io::Result<()> {
    for (i, name) in names.iter().enumerate() {
        if i > 0 {
            out.write_all(b",")?;
        }
        if name.contains([',', '"', '\n', '\r']) {
            write!(out, "\"{}\"", name.replace('"', "\"\""))?;
        } else {
            out.write_all(name.as_bytes())?;
        }
    }
    out.write_all(b"\n")
}

/// `{:?}` is the shortest form that reads back to the same value, with an exponent where it would be
/// long.
fn write_lines<T: std::fmt::Debug>(
    out: &mut impl Write,
    values: &[T],
    n_columns: usize,
) -> io::Result<()> {
    for row in values.chunks_exact(n_columns) {
        for (i, x) in row.iter().enumerate() {
            if i > 0 {
                out.write_all(b",")?;
            }
            write!(out, "{x:?}")?;
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn begin_parquet(staged: Staged, names: &[String], double: bool) -> io::Result<Target> {
    let kind = match double {
        false => DataType::Float32,
        true => DataType::Float64,
    };
    let fields: Vec<Field> = names
        .iter()
        .map(|name| Field::new(name, kind.clone(), false))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .build();
    let writer = ArrowWriter::try_new(staged, schema.clone(), Some(properties));
    let writer = writer.map_err(io::Error::other)?;
    Ok(Target::Parquet(Box::new(writer), schema))
}

fn write_batches(
    out: &mut ArrowWriter<Staged>,
    schema: &Arc<Schema>,
    values: &Buffer,
) -> parquet::errors::Result<()> {
    let n_columns = schema.fields().len();
    let mut write = |columns: Vec<ArrayRef>| {
        let batch = RecordBatch::try_new(schema.clone(), columns)?;
        out.write(&batch)
    };
    match values {
        Buffer::F32(v) => v
            .chunks(BATCH * n_columns)
            .try_for_each(|rows| write(columns::<f32, Float32Array>(rows, n_columns))),
        Buffer::F64(v) => v
            .chunks(BATCH * n_columns)
            .try_for_each(|rows| write(columns::<f64, Float64Array>(rows, n_columns))),
    }
}

/// The columns of row-major `rows`.
fn columns<T: Copy, A: From<Vec<T>> + arrow_array::Array + 'static>(
    rows: &[T],
    n_columns: usize,
) -> Vec<ArrayRef> {
    (0..n_columns)
        .map(|i| -> ArrayRef {
            let column: Vec<T> = rows.iter().skip(i).step_by(n_columns).copied().collect();
            Arc::new(A::from(column))
        })
        .collect()
}
