//! A batch handed out to threads, a few blocks at a time, so that one that is disturbed does not
//! hold up the rest. What a part gives does not depend on who takes it.
//!
//! The lock is held for as long as it takes to split a slice.

use std::sync::{Mutex, PoisonError};

use crate::block::ROWS;
use crate::plan::MarginsMut;

/// Parts a thread takes of a large batch.
const PER_THREAD: usize = 16;

/// What is left of a batch.
pub(crate) struct Parts<'a>(Mutex<Left<'a>>);

struct Left<'a> {
    /// The first row that is left, and the row after the last.
    at: usize,
    end: usize,
    rows_per_part: usize,
    n_outputs: usize,
    out: Option<MarginsMut<'a>>,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(
        n_rows: usize,
        n_outputs: usize,
        out: MarginsMut<'a>,
        n_threads: usize,
    ) -> Self {
        let n_blocks = n_rows.div_ceil(ROWS);
        Self(Mutex::new(Left {
            at: 0,
            end: n_rows,
            rows_per_part: n_blocks.div_ceil(PER_THREAD * n_threads).max(1) * ROWS,
            n_outputs,
            out: Some(out),
        }))
    }

    /// The next rows in order, and where their margins go.
    pub(crate) fn next(&self) -> Option<(std::ops::Range<usize>, MarginsMut<'a>)> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let n = left.rows_per_part.min(left.end - left.at);
        if n == 0 {
            return None;
        }
        let (out, rest) = left.out.take()?.split_at(n * left.n_outputs);
        left.out = Some(rest);
        left.at += n;
        Some((left.at - n..left.at, out))
    }

    /// Hands out no more.
    pub(crate) fn stop(&self) {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        left.at = left.end;
    }
}
