//! Rows as the kernels want them: steps applied, in the precision of comparisons, row-major for
//! walks and as columns for predicates.

use fretsaw_model::{Rows, Step, Values, apply_steps};

use crate::block::{Block, ROWS, Value};

/// A precision that rows can be held in.
pub(crate) trait Row: Value {
    /// The values, where they already are of this type.
    fn direct<'a>(rows: &Rows<'a>) -> Option<&'a [Self]>;
}

impl Row for f32 {
    fn direct<'a>(rows: &Rows<'a>) -> Option<&'a [Self]> {
        match rows.values() {
            Values::F32(v) => Some(v),
            _ => None,
        }
    }
}

impl Row for f64 {
    fn direct<'a>(rows: &Rows<'a>) -> Option<&'a [Self]> {
        match rows.values() {
            Values::F64(v) => Some(v),
            _ => None,
        }
    }
}

/// Values a row has behind the steps.
pub(crate) fn width(steps: &[Step], rows: &Rows<'_>) -> usize {
    steps
        .iter()
        .fold(rows.n_features(), |n, step| step.width(n))
}

/// The values of `rows` after the steps: borrowed where nothing changes, else built in `buffer`.
/// Steps run in the rows' own precision, whatever `R` is.
pub(crate) fn prepared<'a, R: Row>(
    rows: &Rows<'a>,
    steps: &[Step],
    buffer: &'a mut Vec<R>,
    one: &mut Vec<f64>,
) -> &'a [R] {
    if steps.is_empty() {
        if let Some(values) = R::direct(rows) {
            return values;
        }
        row_major(rows, buffer);
        return buffer;
    }
    buffer.clear();
    buffer.reserve(rows.n_rows() * width(steps, rows));
    for row in 0..rows.n_rows() {
        one.clear();
        one.extend((0..rows.n_features()).map(|f| rows.get(row, f)));
        // Steps that can refuse a row never come here.
        let _ = apply_steps(steps, rows.float(), one);
        buffer.extend(one.iter().map(|&x| R::narrow(x)));
    }
    buffer
}

/// The values of `rows` in place of what `out` held.
fn row_major<R: Row>(rows: &Rows<'_>, out: &mut Vec<R>) {
    out.clear();
    match rows.values() {
        Values::F32(v) => out.extend(v.iter().map(|x| R::narrow(x.widen()))),
        Values::F64(v) => out.extend(v.iter().map(|&x| R::narrow(x))),
        Values::Columns(_) if rows.n_rows() < 8 => {
            out.extend(rows.row_major().map(R::narrow));
        }
        Values::Columns(columns) => {
            let n = rows.n_features();
            out.resize(rows.n_rows() * n, R::default());
            for feature in 0..n {
                columns.write(feature, out[feature..].iter_mut().step_by(n), R::narrow);
            }
        }
    }
}

/// Fills the columns of `features` with up to a block of rows as they come, without steps. What
/// columns hold beyond the rows is left as it was: its answers are never read.
pub(crate) fn load<R: Row>(rows: &Rows<'_>, features: &[u32], out: &mut Vec<Block<R>>) {
    match rows.values() {
        Values::F32(v) => transpose(v, rows.n_features(), features, out),
        Values::F64(v) => transpose(v, rows.n_features(), features, out),
        Values::Columns(columns) => {
            out.resize(features.len(), Block::default());
            for (out, &feature) in out.iter_mut().zip(features) {
                columns.write(feature as usize, out.0.iter_mut(), R::narrow);
            }
        }
    }
}

/// The same for rows of `n_features` that steps have prepared, or that need none.
pub(crate) fn transpose<T: Value, R: Row>(
    rows: &[T],
    n_features: usize,
    features: &[u32],
    columns: &mut Vec<Block<R>>,
) {
    columns.resize(features.len(), Block::default());
    // A line of a column at a time, so that each is written once and whole.
    let mut chunks = rows.chunks_exact(LINE * n_features);
    for (line, rows) in (&mut chunks).enumerate().take(ROWS / LINE) {
        for (column, &feature) in columns.iter_mut().zip(features) {
            let out = &mut column.0.as_chunks_mut::<LINE>().0[line];
            let from = &rows[feature as usize..];
            for (i, out) in out.iter_mut().enumerate() {
                *out = R::narrow(from[i * n_features].widen());
            }
        }
    }
    let done = rows.len() - chunks.remainder().len();
    let first = done / n_features.max(1);
    for (at, row) in chunks.remainder().chunks_exact(n_features).enumerate() {
        for (column, &feature) in columns.iter_mut().zip(features) {
            column.0[first + at] = R::narrow(row[feature as usize].widen());
        }
    }
}

/// Rows that are transposed together.
const LINE: usize = 16;
