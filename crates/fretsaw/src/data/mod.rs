//! Data in and out: `.npy`, `.csv` and `.parquet` files as rows of a model's features, as labels,
//! and as written predictions.
//!
//! [`read`] checks a file and keeps its raw source; values are decoded when a model or a label
//! asks for them, straight into the [`Matrix`] and only the columns needed. So the question
//! whether a column is numbers or text is the model's, not a guess at reading. This is no data
//! frame: there are no joins, no dates and no writing of features.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use fretsaw_model::Model;

use crate::{Error, ErrorKind, Result};

mod atomic;
mod blocks;
mod csv;
mod labels;
mod lookup;
mod matrix;
mod npy;
mod parquet;
mod rows;
mod write;

pub use atomic::write_atomically;
pub use blocks::{Block, Blocks};
pub use labels::LabelColumn;
pub use matrix::Matrix;
pub use write::{Writer, check_output, write_predictions};

/// The file formats, told by the name's extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Npy,
    Csv,
    Parquet,
}

impl Format {
    fn of(path: &Path) -> Result<Self> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("npy") => Ok(Self::Npy),
            Some("csv") => Ok(Self::Csv),
            Some("parquet" | "pq") => Ok(Self::Parquet),
            _ => Err(Error::new(
                ErrorKind::Config,
                format!(
                    "{}: the name must end in .npy, .csv, .parquet or .pq, which tells the format",
                    path.display()
                ),
            )),
        }
    }
}

/// An open data file: its shape is known and checked, its values are decoded on demand.
#[derive(Debug)]
pub struct Data {
    path: PathBuf,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Npy(npy::Npy),
    Csv(csv::Csv),
    Parquet(parquet::Parquet),
}

/// Opens a data file; the extension tells the format (`.npy`, `.csv`, `.parquet` or `.pq`).
///
/// `.npy` holds rows x features (or one dimension: a column) of any real type. A CSV needs a
/// header; empty cells, `NaN` and `NA` are missing, and so are Parquet's nulls.
///
/// # Errors
/// When the file cannot be read, is of none of the formats, or breaks the rules of its format.
pub fn read(path: &Path) -> Result<Data> {
    let format = Format::of(path)?;
    let cannot = |e| Error::io("cannot read", path, e);
    // Asked before opening, which would wait for a pipe's other end.
    let metadata = fs::metadata(path).map_err(cannot)?;
    if !metadata.is_file() {
        let message = format!("cannot read {}: it is not a regular file", path.display());
        return Err(Error::new(ErrorKind::Io, message));
    }
    let file = File::open(path).map_err(cannot)?;
    let source = match format {
        Format::Npy => npy::Npy::open(file).map(Source::Npy),
        Format::Csv => csv::Csv::open(file).map(Source::Csv),
        Format::Parquet => parquet::Parquet::open(file).map(Source::Parquet),
    };
    Ok(Data {
        path: path.to_owned(),
        source: source.map_err(|e| e.in_file(path))?,
    })
}

/// Reads labels from a file of their own: one column, in the order of the rows.
///
/// # Errors
/// When the file cannot be read, has more than one column, or a label is missing.
pub fn read_labels(path: &Path) -> Result<LabelColumn> {
    let data = read(path)?;
    labels::only_column(&data.source).map_err(|e| e.in_file(path))
}

impl Data {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many rows it holds.
    pub fn n_rows(&self) -> usize {
        match &self.source {
            Source::Npy(s) => s.n_rows(),
            Source::Csv(s) => s.n_rows(),
            Source::Parquet(s) => s.n_rows(),
        }
    }

    /// The columns' names in file order; `None` for `.npy`, which has none.
    pub fn column_names(&self) -> Option<&[String]> {
        self.source.names()
    }

    /// The rows of `model`'s features, in the model's order.
    ///
    /// Columns are matched by name where every feature's name is found; the others are ignored.
    /// Where none is found, and the columns that are not in `exclude` (labels) are exactly as
    /// many as the features, they are taken in order; `.npy` always is. Category columns become
    /// codes: a value is looked up in the feature's categories; where the model holds none, and
    /// in `.npy`, the numbers are the codes.
    ///
    /// The matrix is f32 where that loses nothing: the model itself casts its inputs to f32 before
    /// it does anything else, or all columns are f32 (or short integers beside f32). Else it is f64.
    ///
    /// # Errors
    /// When there are no rows, columns do not match, or a value is not what its feature needs.
    pub fn rows_for(&self, model: &Model, exclude: &[&str]) -> Result<Matrix> {
        rows::rows_for(&self.source, model, exclude).map_err(|e| e.in_file(&self.path))
    }

    /// A column as labels.
    ///
    /// # Errors
    /// When there is no such column, or more than one, or one of its values is missing.
    pub fn column(&self, name: &str) -> Result<LabelColumn> {
        labels::column(&self.source, name).map_err(|e| e.in_file(&self.path))
    }
}

impl Source {
    fn names(&self) -> Option<&[String]> {
        match self {
            Self::Npy(_) => None,
            Self::Csv(s) => Some(s.names()),
            Self::Parquet(s) => Some(s.names()),
        }
    }
}

/// One value of a table, as its file holds it.
#[derive(Clone, Copy, Debug)]
enum Cell<'a> {
    /// No value: an empty cell, a null.
    Missing,
    /// Text of a file without types (CSV): a number or a string, whichever is needed.
    Written(&'a str),
    /// A string of a typed file.
    Text(&'a str),
    Bool(bool),
    /// Any integer type; all of i64 and u64 fit.
    Int(i128),
    F32(f32),
    F64(f64),
}

impl Cell<'_> {
    /// A written cell that stands for no value is a missing one, but where any text is a value.
    fn or_missing(self) -> Self {
        match self {
            Self::Written("" | "NaN" | "NA") => Self::Missing,
            cell => cell,
        }
    }
}

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("a missing value"),
            Self::Written(s) | Self::Text(s) => f.write_str(&quoted(s)),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(i) => write!(f, "{i}"),
            Self::F32(x) => write!(f, "{x:?}"),
            Self::F64(x) => write!(f, "{x:?}"),
        }
    }
}

/// Where a value stands: the row from 0, and the line of the file where it has lines.
#[derive(Clone, Copy, Debug)]
struct At {
    row: usize,
    line: Option<usize>,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}", self.row + 1)?;
        match self.line {
            Some(line) => write!(f, " (line {line})"),
            None => Ok(()),
        }
    }
}

/// What a table's columns are visited with: the place, the position in the list of columns asked
/// for, and the value. Rows come in ascending order for each column.
type Visit<'a> = dyn FnMut(At, usize, Cell<'_>) -> Result<()> + 'a;

/// The precision that a column needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    /// It holds f32 or f16.
    Single,
    /// Every possible value is exact in f32, but it is not of a floating type.
    Short,
    /// It needs f64.
    Double,
}

/// An open file that could not be read on.
fn cannot_read(e: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot read: {e}")).with_source(e)
}

/// Text in quotes, escaped and cut so that a message stays one readable line.
fn quoted(text: &str) -> String {
    const LIMIT: usize = 40;
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// The first few of `names`, quoted, and how many more there are.
fn some_of<S: AsRef<str>>(names: impl ExactSizeIterator<Item = S>) -> String {
    const SHOWN: usize = 3;
    let n = names.len();
    let shown: Vec<_> = names.take(SHOWN).map(|s| quoted(s.as_ref())).collect();
    let shown = shown.join(", ");
    if n > SHOWN {
        format!("{shown} and {} more", n - SHOWN)
    } else {
        shown
    }
}

/// The position of the one column called `name`.
fn find_column(names: &[String], name: &str) -> Result<usize> {
    let mut found = (0..names.len()).filter(|&i| names[i] == name);
    match (found.next(), found.next()) {
        (Some(i), None) => Ok(i),
        (Some(_), Some(_)) => Err(Error::data(format!(
            "two columns are called {}; rename one",
            quoted(name)
        ))),
        (None, _) => Err(Error::data(format!(
            "there is no column {}; the columns are {}",
            quoted(name),
            some_of(names.iter())
        ))),
    }
}
