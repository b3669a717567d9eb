//! Sessions: a model made ready to run by one backend.
//!
//! A session owns all it needs (plan, scratch memory, threads' states) and takes `&mut self`: a
//! worker owns its session. After the first call of a given shape a native session allocates
//! nothing.

use fretsaw_model::{Float, Rows};

use crate::Result;

mod native;
pub mod ort;
mod tune;

pub use native::{Baseline, Native, engine_options};
pub use tune::Tuned;

/// What a run is to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// What the framework's `predict` answers, behind the link.
    Answers,
    /// The margins (raw scores).
    Margins,
}

/// The numbers of a run: rows x columns, row-major, in the framework's own precision. Kept by the
/// caller and filled again by every run.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// Columns of a row.
    pub n_columns: usize,
    /// The values.
    pub values: Buffer,
}

/// Values of one precision.
#[derive(Clone, Debug, PartialEq)]
pub enum Buffer {
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
}

impl Predictions {
    /// An empty set of `n_columns` columns.
    pub fn new(float: Float, n_columns: usize) -> Self {
        let values = match float {
            Float::F32 => Buffer::F32(Vec::new()),
            Float::F64 => Buffer::F64(Vec::new()),
        };
        Self { n_columns, values }
    }

    /// How many rows it holds.
    pub fn n_rows(&self) -> usize {
        let len = match &self.values {
            Buffer::F32(v) => v.len(),
            Buffer::F64(v) => v.len(),
        };
        len / self.n_columns.max(1)
    }

    /// One value, widened.
    ///
    /// # Panics
    /// When `row` or `column` is out of range.
    pub fn get(&self, row: usize, column: usize) -> f64 {
        let at = row * self.n_columns + column;
        match &self.values {
            Buffer::F32(v) => f64::from(v[at]),
            Buffer::F64(v) => v[at],
        }
    }

    /// Appends the rows of `other`.
    ///
    /// # Panics
    /// When the two differ in columns or precision.
    pub fn append(&mut self, other: &Self) {
        assert_eq!(self.n_columns, other.n_columns, "rows of one run");
        match (&mut self.values, &other.values) {
            (Buffer::F32(a), Buffer::F32(b)) => a.extend_from_slice(b),
            (Buffer::F64(a), Buffer::F64(b)) => a.extend_from_slice(b),
            _ => panic!("rows of one run have one precision"),
        }
    }

    /// All values, widened, row-major.
    pub fn to_f64(&self) -> Vec<f64> {
        match &self.values {
            Buffer::F32(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Buffer::F64(v) => v.clone(),
        }
    }
}

/// Who runs a session, on what.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SessionInfo {
    /// `native` or `ort`.
    pub backend: String,
    /// The backend's version.
    pub backend_version: String,
    /// The execution provider asked for: `native`, `CPU`, ...
    pub requested_provider: String,
    /// The one that runs.
    pub actual_provider: String,
    /// Threads a run may use.
    pub threads: usize,
}

/// A model made ready to run by one backend.
pub trait Session: Send {
    /// Who runs it, on what.
    fn info(&self) -> &SessionInfo;

    /// Bytes of memory that the loaded model takes, where the backend can tell.
    fn memory(&self) -> Option<usize>;

    /// Runs all `rows` and replaces what `out` held: its values, their precision and the number of
    /// columns.
    ///
    /// # Errors
    /// When the rows do not fit the model, or the backend fails or cannot give what is wanted.
    fn run(&mut self, rows: &Rows<'_>, want: Want, out: &mut Predictions) -> Result<()>;
}
