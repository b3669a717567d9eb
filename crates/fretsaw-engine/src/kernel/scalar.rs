//! The plainest kernel: every row by itself. What the other kernels must equal.

use super::{Lookups, SumMut, plain};
use crate::block::{Block, Plane, ROWS, Value};
use crate::circuit::{Mux, Route, Routes};
use crate::leaves::{Leaf, Tables, Values};

pub(super) fn less<T: Value>(
    column: &Block<T>,
    cuts: &[T],
    nan: bool,
    words: usize,
    out: &mut [Plane],
) {
    for (&cut, out) in cuts.iter().zip(out) {
        for (word, rows) in out.0[..words].iter_mut().zip(column.0.chunks_exact(64)) {
            *word = 0;
            for (bit, &x) in rows.iter().enumerate() {
                let holds = x < cut || (nan && x.widen().is_nan());
                *word |= u64::from(holds) << bit;
            }
        }
    }
}

pub(super) fn codes(
    routes: &Routes,
    ops: &[Mux],
    which: &[Route],
    planes: &mut [Plane],
    codes: &mut [Block<u8>],
) {
    let bit = |plane: &Plane, row: usize| plane.0[row / 64] >> (row % 64) & 1;
    for op in ops {
        for row in 0..ROWS {
            let source = if bit(&planes[op.select as usize], row) == 1 {
                op.yes
            } else {
                op.no
            };
            let value = bit(&planes[source as usize], row);
            let word = &mut planes[op.out as usize].0[row / 64];
            *word = *word & !(1 << (row % 64)) | value << (row % 64);
        }
    }
    for (route, codes) in which.iter().zip(codes) {
        for (row, code) in codes.0.iter_mut().enumerate() {
            *code = match *route {
                Route::Complete { depth, first } => {
                    let mut place = 0;
                    for _ in 0..depth {
                        let plane = routes.heap[first as usize + place] as usize;
                        place = 2 * place + 1 + bit(&planes[plane], row) as usize;
                    }
                    (place + 1 - (1 << depth)) as u8
                }
                Route::Circuit { bits, ref outputs } => {
                    let bits = &outputs[..usize::from(bits)];
                    bits.iter().enumerate().fold(0, |code, (b, &plane)| {
                        code | (bit(&planes[plane as usize], row) as u8) << b
                    })
                }
            };
        }
    }
}

pub(super) fn add(lookups: Lookups<'_>, sum: SumMut<'_>) {
    match (lookups.tables, sum) {
        (Tables::Plain(Values::F32(values)), SumMut::F32(sum)) => add_to(lookups, values, sum),
        (Tables::Plain(Values::F64(values)), SumMut::F64(sum)) => add_to(lookups, values, sum),
        (Tables::Plain(Values::I32(values)), SumMut::I32(sum)) => add_to(lookups, values, sum),
        _ => unreachable!("a plan's tables and sums are of one type"),
    }
}

fn add_to<A: Leaf>(lookups: Lookups<'_>, values: &[A], sum: &mut Block<A>) {
    let n = usize::from(lookups.run.width);
    for row in 0..ROWS {
        for job in lookups.jobs {
            let code = lookups.codes[job.slot as usize].0[row];
            sum.0[row] = sum.0[row].plus(plain(values, job, n)[usize::from(code)]);
        }
    }
}
