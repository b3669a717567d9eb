//! The three stages of a block, one implementation an instruction set, all with the same bits.
//!
//! A kernel gets what `Plan` made and nothing of a model. What is rare (category sets, equality,
//! the zone around zero) is done here, row by row, for all of them.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod few;
mod ladder;
mod portable;
mod scalar;
mod shallow;
mod shape;
mod sums;
mod walk;

use crate::block::{Block, Columns, Plane, Value};
use crate::circuit::Routes;
use crate::few::bytes::{Ranked, Ranker, RowBytes, Slice};
use crate::few::tables::Pools;
use crate::few::{Few, Segment};
use crate::isa::Isa;
use crate::ladder::Ladder;
use crate::leaves::{Batch, Held, Job, JobRun, Tables, byte_slot, line_slot};
use crate::predicate::{Op, SetTest};
use crate::table::{CONSTANT_PLANES, Run, Table};
use crate::walk::{Feature, Search};

pub(crate) use shallow::{Below, LEVELS, Line, Lines, Test, WAYS, shallow};
pub(crate) use sums::{Number, Term, Tiles};
pub(crate) use walk::{Ask, LEAF, Nodes, Step, fetch, walk};

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
    pub(crate) run: &'a JobRun,
    pub(crate) tables: &'a Tables,
    pub(crate) codes: &'a [Block<u8>],
    /// How many words of 64 rows are in use.
    pub(crate) words: usize,
}

/// How the kernel wants leaf values held.
pub(crate) fn held(isa: Isa) -> Held {
    match isa {
        Isa::Avx512Vbmi => Held::WordsOrBytes,
        Isa::Avx512 => Held::Words,
        Isa::Avx2 => Held::Bytes,
        _ => Held::Plain,
    }
}

/// Where the sum of a row stands within a block.
pub(crate) fn slot(tables: &Tables, row: usize, value_bytes: usize) -> usize {
    match tables {
        Tables::Plain(_) => row,
        Tables::Lines {
            held: Held::Bytes, ..
        } => byte_slot(row, value_bytes),
        Tables::Lines { .. } => line_slot(row, value_bytes),
    }
}

/// Whether the kernel answers the comparisons of a column together.
pub(crate) fn wants_ladders(isa: Isa) -> bool {
    isa != Isa::Scalar
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
    let planes = &mut planes[CONSTANT_PLANES..];
    match columns {
        Columns::F32(columns) => predicates_of(isa, table, columns, words, planes),
        Columns::F64(columns) => predicates_of(isa, table, columns, words, planes),
    }
}

fn predicates_of<T: Compared>(
    isa: Isa,
    table: &Table,
    columns: &[Block<T>],
    words: usize,
    planes: &mut [Plane],
) {
    for ladder in &table.ladders {
        let column = &columns[ladder.column as usize];
        T::climb(isa, column, ladder, &table.cut, words, planes);
    }
    for run in &table.runs {
        let (column, out) = (&columns[run.column as usize], &mut planes[run.range()]);
        match run.op {
            Op::Less => T::less(
                isa,
                column,
                &T::cuts(table)[run.range()],
                run.nan,
                words,
                out,
            ),
            _ => odd(table, run, column, words, out),
        }
    }
}

/// A precision of columns, and the kernels for it.
trait Compared: Value {
    /// The thresholds of the table's predicates.
    fn cuts(table: &Table) -> &[Self];

    /// Compares with one cut after the other.
    fn less(
        isa: Isa,
        column: &Block<Self>,
        cuts: &[Self],
        nan: bool,
        words: usize,
        out: &mut [Plane],
    );

    /// Compares with all cuts of a ladder. `planes` are those of all predicates, as `cut` is.
    fn climb(
        isa: Isa,
        column: &Block<Self>,
        ladder: &Ladder,
        cut: &[u8],
        words: usize,
        planes: &mut [Plane],
    );
}

macro_rules! compared {
    ($value:ty, $cuts:ident, $less:ident, $climb:ident) => {
        impl Compared for $value {
            fn cuts(table: &Table) -> &[Self] {
                &table.$cuts
            }

            fn less(
                isa: Isa,
                column: &Block<Self>,
                cuts: &[Self],
                nan: bool,
                words: usize,
                out: &mut [Plane],
            ) {
                match isa {
                    Isa::Scalar => scalar::less(column, cuts, nan, words, out),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => avx2::$less(column, cuts, nan, words, out),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 | Isa::Avx512Vbmi => {
                        avx512::$less(column, cuts, nan, words, out);
                    }
                    _ => portable::less(column, cuts, nan, words, out),
                }
            }

            fn climb(
                isa: Isa,
                column: &Block<Self>,
                ladder: &Ladder,
                cut: &[u8],
                words: usize,
                planes: &mut [Plane],
            ) {
                match isa {
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => avx2::$climb(column, ladder, cut, words, planes),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 | Isa::Avx512Vbmi => {
                        avx512::$climb(column, ladder, cut, words, planes);
                    }
                    _ => portable::climb(column, &ladder.$cuts, ladder, cut, words, planes),
                }
            }
        }
    };
}

compared!(f32, narrow, less_f32, climb_f32);
compared!(f64, wide, less_f64, climb_f64);

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

/// Computes the codes of the batch's trees for all rows of the block. `planes` also holds the
/// temporaries.
pub(crate) fn codes(
    isa: Isa,
    routes: &Routes,
    batch: &Batch,
    planes: &mut [Plane],
    codes: &mut [Block<u8>],
) {
    let mut codes = codes;
    let groups = &routes.groups[batch.first_group as usize..][..batch.n_groups as usize];
    for group in groups {
        let ops = &routes.ops[group.first_op as usize..][..group.n_ops as usize];
        let which = &routes.routes[group.first_route as usize..][..group.n_routes as usize];
        let (these, rest) = std::mem::take(&mut codes).split_at_mut(which.len());
        match isa {
            Isa::Scalar => scalar::codes(routes, ops, which, planes, these),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => avx2::codes(routes, ops, which, planes, these),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => avx512::codes(routes, ops, which, planes, these),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vbmi => avx512::codes_vbmi(routes, ops, which, planes, these),
            _ => portable::codes(routes, ops, which, planes, these),
        }
        codes = rest;
    }
}

/// Adds the leaves that the codes look up, one tree after the other.
pub(crate) fn add_leaves(isa: Isa, lookups: Lookups<'_>, sum: SumMut<'_>) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx512Vbmi => avx512::add(isa, lookups, sum),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => avx2::add(lookups, sum),
        Isa::Scalar => scalar::add(lookups, sum),
        _ => portable::add(lookups, sum),
    }
}

/// Turns the row `x` into bytes.
pub(crate) fn rank<R: Ranked>(
    isa: Isa,
    ranker: &Ranker,
    x: &[R],
    sets: &[SetTest],
    bytes: &mut RowBytes,
) {
    match (isa, R::slice(x)) {
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512 | Isa::Avx512Vbmi, Slice::F32(x)) => avx512::rank_f32(ranker, x, sets, bytes),
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512 | Isa::Avx512Vbmi, Slice::F64(x)) => avx512::rank_f64(ranker, x, sets, bytes),
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx2, Slice::F32(x)) => avx2::rank_f32(ranker, x, sets, bytes),
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx2, Slice::F64(x)) => avx2::rank_f64(ranker, x, sets, bytes),
        _ => ranker.rank(x, sets, bytes, few::reached),
    }
}

/// The leaves of the segment's trees for one row, in order: `add` gets the tree's place in the
/// segment and its leaf.
pub(crate) fn few<V: Copy, S: Copy>(
    isa: Isa,
    few: &Few,
    segment: &Segment,
    pools: &Pools<V>,
    bytes: &RowBytes,
    sum: S,
    add: impl FnMut(S, usize, V) -> S,
) -> S {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Vbmi => avx512::few(few, segment, pools, bytes, sum, add),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx2 => avx2::few(few, segment, pools, bytes, sum, add),
        _ => few::segment(few::Plain(bytes), few, segment, pools, sum, add),
    }
}

/// The values of a job's table, for the kernels that look up whole values.
fn plain<'a, T>(values: &'a [T], job: &Job, n: usize) -> &'a [T] {
    &values[job.table as usize..][..n]
}

/// Adds the terms of the rows `x` to the f64 sums in `out`, rows x outputs.
pub(crate) fn add_terms_f64(isa: Isa, tiles: &Tiles<f64>, term: Term, x: &[f64], out: &mut [f64]) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => avx2::add_terms_f64(tiles, term, x, out),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx512Vbmi => avx512::add_terms_f64(tiles, term, x, out),
        _ => sums::add(tiles, term, x, out),
    }
}

/// The same in f32.
pub(crate) fn add_terms_f32(isa: Isa, tiles: &Tiles<f32>, term: Term, x: &[f32], out: &mut [f32]) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => avx2::add_terms_f32(tiles, term, x, out),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx512Vbmi => avx512::add_terms_f32(tiles, term, x, out),
        _ => sums::add(tiles, term, x, out),
    }
}

/// Ranks `values`; `put` gets the number, the value and the rank of each.
pub(crate) fn ranks_f32(
    isa: Isa,
    search: &Search<f32>,
    values: impl Iterator<Item = f32>,
    mut put: impl FnMut(usize, f32, usize),
) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx512Vbmi => avx512::ranks_f32(search, values, put),
        _ => values
            .enumerate()
            .for_each(|(i, x)| put(i, x, search.rank(x))),
    }
}

/// The same in f64.
pub(crate) fn ranks_f64(
    isa: Isa,
    search: &Search<f64>,
    values: impl Iterator<Item = f64>,
    mut put: impl FnMut(usize, f64, usize),
) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx512Vbmi => avx512::ranks_f64(search, values, put),
        _ => values
            .enumerate()
            .for_each(|(i, x)| put(i, x, search.rank(x))),
    }
}

/// Ranks the value of the row `x` for each feature; `put` gets the feature, the value and the rank.
pub(crate) fn rank_row_f32<R: Value>(
    isa: Isa,
    features: &[Feature<f32>],
    x: &[R],
    mut put: impl FnMut(&Feature<f32>, f32, usize),
) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx512Vbmi => avx512::rank_row_f32(features, x, put),
        _ => features.iter().for_each(|f| {
            let x = f32::narrow(x[f.feature].widen());
            put(f, x, f.search.rank(x));
        }),
    }
}

/// The same in f64.
pub(crate) fn rank_row_f64<R: Value>(
    isa: Isa,
    features: &[Feature<f64>],
    x: &[R],
    mut put: impl FnMut(&Feature<f64>, f64, usize),
) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx512Vbmi => avx512::rank_row_f64(features, x, put),
        _ => features.iter().for_each(|f| {
            let x = f64::narrow(x[f.feature].widen());
            put(f, x, f.search.rank(x));
        }),
    }
}

/// Whether [`tops`] and [`row_tops`] have a kernel.
pub(crate) fn has_tops(isa: Isa) -> bool {
    matches!(isa, Isa::Avx512 | Isa::Avx512Vbmi)
}

/// The codes of the nodes that the first `words * 64` ranked rows of a block come to below `top`,
/// a complete heap.
pub(crate) fn tops(
    isa: Isa,
    top: &[Step],
    columns: &[Block<u16>],
    words: usize,
    codes: &mut Block<u8>,
) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx512Vbmi => avx512::tops(top, columns, words, codes),
        _ => unreachable!("`has_tops` has no other"),
    }
}

/// The codes of the nodes that one row comes to in 32 trees, below the complete heaps of `levels`
/// levels that `asks` are.
pub(crate) fn row_tops(isa: Isa, asks: &[Ask], levels: usize, ranks: &[u16], codes: &mut [u8; 32]) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx512Vbmi => avx512::row_tops(asks, levels, ranks, codes),
        _ => unreachable!("`has_tops` has no other"),
    }
}
