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
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow_buffer::BooleanBuffer;
use arrow_schema::DataType;
use fretsaw_model::{Bits, Column};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
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

    /// Visits the `columns`, each at most once in the list, column by column within a batch, and
    /// tells how many rows there are.
    pub(super) fn visit(&self, columns: &[usize], visit: &mut Visit<'_>) -> Result<usize> {
        for batch in self.batches(columns, BATCH)? {
            let batch = batch?;
            for (position, array) in batch.columns.iter().enumerate() {
                let row = |i| At {
                    row: batch.first + i,
                    line: None,
                };
                visit_array(array, &mut |i, cell| visit(row(i), position, cell))?;
            }
        }
        Ok(self.n_rows)
    }

    /// The `columns`, each at most once in the list, in batches of at most `most` rows.
    pub(super) fn batches(&self, columns: &[usize], most: usize) -> Result<Batches<'_>> {
        for &column in columns {
            self.check_type(column)?;
        }
        let reader = guarded(|| {
            let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            let file = file.try_clone().map_err(cannot_read)?;
            let schema = self.metadata.parquet_schema();
            let mask = ProjectionMask::roots(schema, columns.iter().copied());
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
                .with_projection(mask)
                .with_batch_size(most)
                .build()
                .map_err(broken)
        })?;
        // A batch holds the columns in the file's order, whatever order they are asked in.
        let mut in_file: Vec<usize> = (0..columns.len()).collect();
        in_file.sort_by_key(|&position| columns[position]);
        let mut places = vec![0; columns.len()];
        for (place, &position) in in_file.iter().enumerate() {
            places[position] = place;
        }
        Ok(Batches {
            file: self,
            reader,
            places,
            n_rows: 0,
            ended: false,
        })
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

/// Some rows of a file.
pub(super) struct Batch {
    /// The number of the first.
    pub(super) first: usize,
    pub(super) n_rows: usize,
    /// The columns as asked.
    pub(super) columns: Vec<ArrayRef>,
}

/// The rows of a file, a batch at a time.
pub(super) struct Batches<'a> {
    file: &'a Parquet,
    reader: ParquetRecordBatchReader,
    /// Where each column stands in a batch.
    places: Vec<usize>,
    /// Of the batches so far.
    n_rows: usize,
    ended: bool,
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let batch = guarded(|| {
            // What reads from one file at a time shares its position.
            let _file = self.file.file.lock();
            self.reader.next().transpose().map_err(broken)
        });
        let batch = match batch {
            Ok(Some(batch)) => batch,
            Ok(None) if self.n_rows == self.file.n_rows => return None,
            Ok(None) => {
                self.ended = true;
                return Some(Err(Error::data(format!(
                    "the footer declares {} rows, but {} are there",
                    self.file.n_rows, self.n_rows
                ))));
            }
            Err(e) => {
                self.ended = true;
                return Some(Err(e));
            }
        };
        let first = self.n_rows;
        self.n_rows += batch.num_rows();
        if self.n_rows > self.file.n_rows {
            self.ended = true;
            return Some(Err(Error::data(format!(
                "the footer declares {} rows, but more are there",
                self.file.n_rows
            ))));
        }
        let columns = self.places.iter().map(|&at| batch.column(at).clone());
        Some(Ok(Batch {
            first,
            n_rows: batch.num_rows(),
            columns: columns.collect(),
        }))
    }
}

/// The array as a predictor reads it, where its values are numbers that it takes.
pub(super) fn column_of(array: &dyn Array) -> Option<Column<'_>> {
    macro_rules! of {
        ($t:ty) => {
            Column::from(&array.as_primitive::<$t>().values()[..])
        };
    }
    let column = match array.data_type() {
        DataType::Int8 => of!(Int8Type),
        DataType::Int16 => of!(Int16Type),
        DataType::Int32 => of!(Int32Type),
        DataType::Int64 => of!(Int64Type),
        DataType::UInt8 => of!(UInt8Type),
        DataType::UInt16 => of!(UInt16Type),
        DataType::UInt32 => of!(UInt32Type),
        DataType::UInt64 => of!(UInt64Type),
        DataType::Float32 => of!(Float32Type),
        DataType::Float64 => of!(Float64Type),
        DataType::Boolean => Column::bools(bits(array.as_boolean().values())?),
        DataType::Null => Column::missing(array.len()),
        _ => return None,
    };
    match array.nulls() {
        Some(nulls) => column.with_validity(bits(nulls.inner())?).ok(),
        None => Some(column),
    }
}

fn bits(buffer: &BooleanBuffer) -> Option<Bits<'_>> {
    Bits::new(buffer.values(), buffer.offset(), buffer.len()).ok()
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

/// Visits each value of `array`, with its place in it.
pub(super) fn visit_array(
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
