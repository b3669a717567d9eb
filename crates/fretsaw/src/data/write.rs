//! Predictions as files: `.npy`, `.csv` or `.parquet`, in the precision they were computed in.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Float64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::{Format, atomic, npy, write_atomically};
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

/// Writes predictions, in one step, in the format that the extension names.
///
/// `.npy`: always two dimensions. `.csv`: a header, and the shortest digits that give each value
/// back; NaN is `NaN`. `.parquet`: one column each of f32 or f64.
///
/// # Errors
/// When `column_names` are not one a column, or the file cannot be written; then nothing has
/// changed under its name.
pub fn write_predictions(
    path: &Path,
    predictions: &Predictions,
    column_names: &[String],
) -> Result<()> {
    let format = Format::of(path)?;
    let (n_columns, values) = (predictions.n_columns, &predictions.values);
    if n_columns == 0 || column_names.len() != n_columns {
        return Err(Error::new(
            ErrorKind::Config,
            format!(
                "{} names for {n_columns} columns of predictions",
                column_names.len()
            ),
        ));
    }
    write_atomically(path, |out| match format {
        Format::Npy => npy::write(out, values, n_columns),
        Format::Csv => write_csv(out, values, column_names),
        Format::Parquet => write_parquet(out, values, column_names).map_err(io::Error::other),
    })
}

fn write_csv(out: &mut dyn Write, values: &Buffer, names: &[String]) -> io::Result<()> {
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
    out.write_all(b"\n")?;
    // `{:?}` is the shortest form that reads back to the same value, with an exponent where it
    // would be long.
    match values {
        Buffer::F32(v) => write_lines(out, v, names.len()),
        Buffer::F64(v) => write_lines(out, v, names.len()),
    }
}

fn write_lines<T: std::fmt::Debug>(
    out: &mut dyn Write,
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

fn write_parquet(
    out: &mut (dyn Write + Send),
    values: &Buffer,
    names: &[String],
) -> parquet::errors::Result<()> {
    let n_columns = names.len();
    let kind = match values {
        Buffer::F32(_) => DataType::Float32,
        Buffer::F64(_) => DataType::Float64,
    };
    let fields: Vec<Field> = names
        .iter()
        .map(|name| Field::new(name, kind.clone(), false))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .build();
    let mut writer = ArrowWriter::try_new(out, schema.clone(), Some(properties))?;
    let mut write = |columns: Vec<ArrayRef>| {
        let batch = RecordBatch::try_new(schema.clone(), columns)?;
        writer.write(&batch)
    };
    match values {
        Buffer::F32(v) => v
            .chunks(BATCH * n_columns)
            .try_for_each(|rows| write(columns::<f32, Float32Array>(rows, n_columns)))?,
        Buffer::F64(v) => v
            .chunks(BATCH * n_columns)
            .try_for_each(|rows| write(columns::<f64, Float64Array>(rows, n_columns)))?,
    }
    writer.close()?;
    Ok(())
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
