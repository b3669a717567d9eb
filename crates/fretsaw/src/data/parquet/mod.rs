//! Parquet: a table of typed columns. Only the columns asked for are decoded.
//!
//! The types are Parquet's own; the Arrow schema that writers embed is ignored, so dictionaries
//! arrive as the strings or numbers that they stand for. Numbers, truth values and strings are
//! read; times, decimals, bytes and nested columns are refused by name when asked for.

use std::fmt;
use std::fs::File;
use std::io::{Read, Seek};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, PrimitiveArray, RecordBatch};
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Compression;
use parquet::file::metadata::ParquetMetaData;

use super::{At, Cell, Held, Visit, cannot_read, quoted};
use crate::{Error, Result};

mod nesting;

/// Rows decoded at a time.
const BATCH: usize = 8192;

/// A Parquet file whose footer is read.
pub(super) struct Parquet {
    /// Locked because reading moves its position.
    file: Mutex<File>,
    metadata: ArrowReaderMetadata,
    names: Vec<String>,
    types: Vec<DataType>,
    n_rows: usize,
}

impl fmt::Debug for Parquet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parquet")
            .field("names", &self.names)
            .field("types", &self.types)
            .field("n_rows", &self.n_rows)
            .finish_non_exhaustive()
    }
}

impl Parquet {
    pub(super) fn open(mut file: File) -> Result<Self> {
        let mut magic = Vec::new();
        (&mut file)
            .take(4)
            .read_to_end(&mut magic)
            .map_err(cannot_read)?;
        match &magic[..] {
            b"PAR1" => {}
            b"PARE" => return Err(Error::data("the file is encrypted; decrypt it first")),
            _ => {
                return Err(Error::data(
                    "this is no Parquet file: it does not begin with PAR1",
                ));
            }
        }
        nesting::check(&mut file)?;
        file.rewind().map_err(cannot_read)?;
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = guarded(|| ArrowReaderMetadata::load(&file, options).map_err(broken))?;
        check_compression(metadata.metadata())?;
        let n_rows = usize::try_from(metadata.metadata().file_metadata().num_rows())
            .map_err(|_| Error::data("the footer declares a negative number of rows"))?;
        let fields = metadata.schema().fields();
        if fields.len() != metadata.parquet_schema().root_schema().get_fields().len() {
            return Err(Error::data("a column is of a type that cannot be read"));
        }
        Ok(Self {
            names: fields.iter().map(|f| f.name().clone()).collect(),
            types: fields.iter().map(|f| f.data_type().clone()).collect(),
            file: Mutex::new(file),
            metadata,
            n_rows,
        })
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub(super) fn held(&self, column: usize) -> Held {
        match self.types[column] {
            DataType::Float16 | DataType::Float32 => Held::Single,
            DataType::Boolean
            | DataType::Null
            | DataType::Int8
            | DataType::Int16
            | DataType::UInt8
            | DataType::UInt16 => Held::Short,
            _ => Held::Double,
        }
    }

    /// Visits the `columns`, each at most once in the list, column by column within a batch.
    pub(super) fn visit(&self, columns: &[usize], visit: &mut Visit<'_>) -> Result<()> {
        for &column in columns {
            self.check_type(column)?;
        }
        guarded(|| self.decode(columns, visit))
    }

    fn decode(&self, columns: &[usize], visit: &mut Visit<'_>) -> Result<()> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let file = file.try_clone().map_err(cannot_read)?;
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns.iter().copied());
        let batches =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
                .with_projection(mask)
                .with_batch_size(BATCH)
                .build()
                .map_err(broken)?;
        // A batch holds the columns in the file's order, whatever order they are asked in.
        let mut in_file: Vec<usize> = (0..columns.len()).collect();
        in_file.sort_by_key(|&position| columns[position]);
        let mut first = 0;
        for batch in batches {
            let batch: RecordBatch = batch.map_err(broken)?;
            for (array, &position) in batch.columns().iter().zip(&in_file) {
                let row = |i| At {
                    row: first + i,
                    line: None,
                };
                visit_array(array, &mut |i, cell| visit(row(i), position, cell))?;
            }
            first += batch.num_rows();
        }
        if first != self.n_rows {
            return Err(Error::data(format!(
                "the footer declares {} rows, but {first} are there",
                self.n_rows
            )));
        }
        Ok(())
    }

    fn check_type(&self, column: usize) -> Result<()> {
        let kind = &self.types[column];
        let what = match kind {
            DataType::Null | DataType::Boolean | DataType::Utf8 => return Ok(()),
            k if k.is_integer() || k.is_floating() => return Ok(()),
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => "holds times",
            DataType::Time32(_) | DataType::Time64(_) => "holds times",
            DataType::Decimal128(..) | DataType::Decimal256(..) => "holds decimals",
            DataType::Decimal32(..) | DataType::Decimal64(..) => "holds decimals",
            DataType::Binary | DataType::FixedSizeBinary(_) => "holds bytes",
            _ => "is nested",
        };
        Err(Error::data(format!(
            "column {} {what} (type {kind}); numbers, truth values and strings can be read, so \
             convert it first",
            quoted(&self.names[column])
        )))
    }
}

/// Names the codecs that the library was built without, before it meets them in a page.
fn check_compression(metadata: &ParquetMetaData) -> Result<()> {
    let mut chunks = metadata.row_groups().iter().flat_map(|g| g.columns());
    let unread = chunks.find_map(|chunk| match chunk.compression() {
        Compression::BROTLI(_) => Some("Brotli"),
        Compression::LZO => Some("LZO"),
        _ => None,
    });
    match unread {
        None => Ok(()),
        Some(codec) => Err(Error::data(format!(
            "the file is compressed with {codec}, which is not read; write it with zstd or snappy"
        ))),
    }
}

fn broken(e: impl std::error::Error + Send + Sync + 'static) -> Error {
    let text = e.to_string().replace(['\n', '\r'], " ");
    Error::data(format!("the Parquet file cannot be read: {text}")).with_source(e)
}

/// The reader is a large library that meets a corrupt file with a panic here and there; a file
/// must not end the process.
fn guarded<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    panic::catch_unwind(AssertUnwindSafe(f))
        .unwrap_or_else(|_| Err(Error::data("the Parquet file is corrupt")))
}

fn visit_array(
    array: &dyn Array,
    visit: &mut dyn FnMut(usize, Cell<'_>) -> Result<()>,
) -> Result<()> {
    match array.data_type() {
        DataType::Null => (0..array.len()).try_for_each(|i| visit(i, Cell::Missing)),
        DataType::Boolean => {
            let cells = array.as_boolean().iter().map(|v| v.map(Cell::Bool));
            visit_cells(cells, visit)
        }
        DataType::Utf8 => {
            let cells = array.as_string::<i32>().iter().map(|v| v.map(Cell::Text));
            visit_cells(cells, visit)
        }
        DataType::Int8 => integers::<Int8Type>(array.as_primitive(), visit),
        DataType::Int16 => integers::<Int16Type>(array.as_primitive(), visit),
        DataType::Int32 => integers::<Int32Type>(array.as_primitive(), visit),
        DataType::Int64 => integers::<Int64Type>(array.as_primitive(), visit),
        DataType::UInt8 => integers::<UInt8Type>(array.as_primitive(), visit),
        DataType::UInt16 => integers::<UInt16Type>(array.as_primitive(), visit),
        DataType::UInt32 => integers::<UInt32Type>(array.as_primitive(), visit),
        DataType::UInt64 => integers::<UInt64Type>(array.as_primitive(), visit),
        DataType::Float16 => {
            let cells = array.as_primitive::<Float16Type>().iter();
            visit_cells(cells.map(|v| v.map(|x| Cell::F32(x.to_f32()))), visit)
        }
        DataType::Float32 => {
            let cells = array.as_primitive::<Float32Type>().iter();
            visit_cells(cells.map(|v| v.map(Cell::F32)), visit)
        }
        DataType::Float64 => {
            let cells = array.as_primitive::<Float64Type>().iter();
            visit_cells(cells.map(|v| v.map(Cell::F64)), visit)
        }
        other => Err(Error::data(format!("a column of type {other}"))),
    }
}

fn integers<T: ArrowPrimitiveType<Native: Into<i128>>>(
    array: &PrimitiveArray<T>,
    visit: &mut dyn FnMut(usize, Cell<'_>) -> Result<()>,
) -> Result<()> {
    visit_cells(array.iter().map(|v| v.map(|x| Cell::Int(x.into()))), visit)
}

fn visit_cells<'a>(
    cells: impl Iterator<Item = Option<Cell<'a>>>,
    visit: &mut dyn FnMut(usize, Cell<'_>) -> Result<()>,
) -> Result<()> {
    for (i, cell) in cells.enumerate() {
        visit(i, cell.unwrap_or(Cell::Missing))?;
    }
    Ok(())
}
