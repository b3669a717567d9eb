//! The three stages of a block, one implementation an instruction set, all with the same bits.
//!
//! A kernel gets what `Plan` made and nothing of a model. What is rare (category sets, equality,
//! the zone around zero) is done here, row by row, for all of them.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;
mod scalar;
mod shape;

use crate::block::{Block, Columns, Plane, Value};
use crate::circuit::Routes;
use crate::isa::Isa;
use crate::leaves::{Job, Tables, byte_slot};
use crate::predicate::{CONSTANT_PLANES, Op, Run, Table};

/// The sums of one output over a block.
pub(crate) enum SumMut<'a> {
    F32(&'a mut Block<f32>),
    F64(&'a mut Block<f64>),
    I32(&'a mut Block<i32>),
}

/// Look-ups of one output, and the codes they look up.
#[derive(Clone, Copy)]
pub(crate) struct Lookups<'a> {
    pub(crate) jobs: &'a [Job],
    pub(crate) wide: bool,
    pub(crate) tables: &'a Tables,
    pub(crate) codes: &'a [Block<u8>],
    /// How many words of 64 rows are in use.
    pub(crate) words: usize,
}

/// Whether the kernel looks values up a byte at a time.
pub(crate) fn wants_bytes(isa: Isa) -> bool {
    isa == Isa::Avx512Vbmi
}

/// Where the sum of a row stands within a block.
pub(crate) fn slot(tables: &Tables, row: usize, value_bytes: usize) -> usize {
    match tables {
        Tables::Plain(_) => row,
        Tables::Bytes { .. } => byte_slot(row, value_bytes),
    }
}

/// Fills the planes of all predicates for the first `words * 64` rows.
pub(crate) fn predicates(
    isa: Isa,
    table: &Table,
    columns: Columns<'_>,
    words: usize,
    planes: &mut [Plane],
) {
    planes[0] = Plane::ZERO;
    planes[1] = Plane::ONE;
    for run in &table.runs {
        let first = run.first as usize;
        let range = first..first + run.len as usize;
        let out = &mut planes[CONSTANT_PLANES..][range.clone()];
        match columns {
            Columns::F32(columns) => {
                let (column, cuts) = (&columns[run.column as usize], &table.narrow[range]);
                if run.op != Op::Less {
                    odd(table, run, column, words, out);
                    continue;
                }
                match isa {
                    Isa::Scalar => scalar::less(column, cuts, run.nan, words, out),
                    Isa::Portable => portable::less(column, cuts, run.nan, words, out),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => avx2::less_f32(column, cuts, run.nan, words, out),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 | Isa::Avx512Vbmi => {
                        avx512::less_f32(column, cuts, run.nan, words, out);
                    }
                    #[cfg(not(target_arch = "x86_64"))]
                    _ => portable::less(column, cuts, run.nan, words, out),
                }
            }
            Columns::F64(columns) => {
                let (column, cuts) = (&columns[run.column as usize], &table.wide[range]);
                if run.op != Op::Less {
                    odd(table, run, column, words, out);
                    continue;
                }
                match isa {
                    Isa::Scalar => scalar::less(column, cuts, run.nan, words, out),
                    Isa::Portable => portable::less(column, cuts, run.nan, words, out),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => avx2::less_f64(column, cuts, run.nan, words, out),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 | Isa::Avx512Vbmi => {
                        avx512::less_f64(column, cuts, run.nan, words, out);
                    }
                    #[cfg(not(target_arch = "x86_64"))]
                    _ => portable::less(column, cuts, run.nan, words, out),
                }
            }
        }
    }
}

/// The predicates that are no plain comparison.
fn odd<T: Value>(table: &Table, run: &Run, column: &Block<T>, words: usize, out: &mut [Plane]) {
    let predicates = &table.predicates[run.first as usize..];
    for (predicate, out) in predicates.iter().zip(out) {
        for (word, rows) in out.0[..words].iter_mut().zip(column.0.chunks_exact(64)) {
            *word = 0;
            for (bit, x) in rows.iter().enumerate() {
                *word |= u64::from(predicate.holds(x.widen(), &table.sets)) << bit;
            }
        }
    }
}

/// Computes the codes of a tree for all rows of the block. `planes` also holds the temporaries.
pub(crate) fn codes(
    isa: Isa,
    routes: &Routes,
    which: std::ops::Range<usize>,
    planes: &mut [Plane],
    codes: &mut [Block<u8>],
) {
    let which = &routes.routes[which];
    match isa {
        Isa::Scalar => scalar::codes(routes, which, planes, codes),
        Isa::Portable => portable::codes(routes, which, planes, codes),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => avx2::codes(routes, which, planes, codes),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => avx512::codes(routes, which, planes, codes),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Vbmi => avx512::codes_vbmi(routes, which, planes, codes),
        #[cfg(not(target_arch = "x86_64"))]
        _ => portable::codes(routes, which, planes, codes),
    }
}

/// Adds the leaves that the codes look up, one tree after the other.
pub(crate) fn add_leaves(isa: Isa, lookups: Lookups<'_>, sum: SumMut<'_>) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => avx512::add(lookups, sum),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Vbmi => avx512::add_vbmi(lookups, sum),
        Isa::Scalar => scalar::add(lookups, sum),
        _ => portable::add(lookups, sum),
    }
}

/// The values of a job's table, for the kernels that look up whole values.
fn plain<'a, T>(values: &'a [T], job: &Job, n: usize) -> &'a [T] {
    &values[job.table as usize..][..n]
}
