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
            Values::F64(_) => None,
        }
    }
}

impl Row for f64 {
    fn direct<'a>(rows: &Rows<'a>) -> Option<&'a [Self]> {
        match rows.values() {
            Values::F32(_) => None,
            Values::F64(v) => Some(v),
        }
    }
}

/// The values of `rows` after the steps: borrowed where nothing changes, else built in `buffer`.
/// Steps run in the rows' own precision, whatever `R` is.
pub(crate) fn prepared<'a, R: Row>(
    rows: &Rows<'a>,
    steps: &[Step],
    buffer: &'a mut Vec<R>,
    one: &mut Vec<f64>,
) -> &'a [R] {
    if steps.is_empty()
        && let Some(values) = R::direct(rows)
    {
        return values;
    }
    buffer.clear();
    buffer.reserve(rows.n_rows() * rows.n_features());
    for row in 0..rows.n_rows() {
        one.clear();
        one.extend((0..rows.n_features()).map(|f| rows.get(row, f)));
        apply_steps(steps, rows.float(), one);
        buffer.extend(one.iter().map(|&x| R::narrow(x)));
    }
    buffer
}

/// Transposes up to a block of rows of `n_features` into the columns of `features`. What columns
/// hold beyond the rows is left as it was: its answers are never read.
pub(crate) fn transpose<R: Row>(
    rows: &[R],
    n_features: usize,
    features: &[u32],
    columns: &mut Vec<Block<R>>,
) {
    columns.resize(features.len(), Block::default());
    for (at, row) in rows.chunks_exact(n_features).take(ROWS).enumerate() {
        for (column, &feature) in columns.iter_mut().zip(features) {
            column.0[at] = row[feature as usize];
        }
    }
}
