//! AVX-512: a plane is a register, a split one ternary operation, a leaf table a few registers.
//!
//! Leaves are looked up 16 bits at a time (one `vpermi2w` for 32 rows and up to 64 leaves). With
//! VBMI and GFNI planes become codes by an 8 x 8 bit transposition and leaves of one byte are
//! looked up as such; without, codes are masked adds.
//!
//! unsafe, here and in the three stages below: calls into functions compiled for AVX-512, loads
//! and stores of whole registers, and planes taken without bounds checks.
#![allow(unsafe_code)]

mod few;
mod leaves;
mod predicates;
mod routes;
mod tops;

use std::arch::x86_64::*;

use self::few::{few_inner, rank_f32_inner, rank_f64_inner};
use self::leaves::{add_lines, add_octets};
use self::predicates::{climb_f32_inner, climb_f64_inner, less_f32_inner, less_f64_inner};
use self::routes::{codes_masked, codes_transposed};
use self::tops::{
    rank_row_f32_inner, rank_row_f64_inner, ranks_f32_inner, ranks_f64_inner, row_tops_inner,
    tops_inner,
};
use super::{Ask, Lookups, Step, SumMut, Term, Tiles, sums};
use crate::block::{Block, Plane, Value};
use crate::circuit::{Mux, Route, Routes};
use crate::few::bytes::{Ranker, RowBytes};
use crate::few::tables::Pools;
use crate::few::{Few, Segment};
use crate::isa::Isa;
use crate::ladder::Ladder;
use crate::predicate::SetTest;
use crate::walk::{Feature, Search};

macro_rules! entry {
    ($name:ident => $inner:ident($($arg:ident: $ty:ty),*)) => {
        pub(super) fn $name($($arg: $ty),*) {
            // SAFETY: only a plan for the `Isa` of this kernel comes here, and `Plan::compile` and
            // `Plan::load` refuse an instruction set that `Isa::is_available` does not find.
            unsafe { $inner($($arg),*) }
        }
    };
}

entry!(less_f32 => less_f32_inner(column: &Block<f32>, cuts: &[f32], nan: bool, words: usize, out: &mut [Plane]));
entry!(less_f64 => less_f64_inner(column: &Block<f64>, cuts: &[f64], nan: bool, words: usize, out: &mut [Plane]));
entry!(climb_f32 => climb_f32_inner(column: &Block<f32>, ladder: &Ladder, cut: &[u8], words: usize, planes: &mut [Plane]));
entry!(climb_f64 => climb_f64_inner(column: &Block<f64>, ladder: &Ladder, cut: &[u8], words: usize, planes: &mut [Plane]));
entry!(tops => tops_inner(top: &[Step], columns: &[Block<u16>], words: usize, codes: &mut Block<u8>));
entry!(row_tops => row_tops_inner(asks: &[Ask], levels: usize, ranks: &[u16], codes: &mut [u8; 32]));
entry!(codes => codes_masked(routes: &Routes, ops: &[Mux], which: &[Route], planes: &mut [Plane], codes: &mut [Block<u8>]));
entry!(codes_vbmi => codes_transposed(routes: &Routes, ops: &[Mux], which: &[Route], planes: &mut [Plane], codes: &mut [Block<u8>]));
entry!(add_lines_of => add_lines(lookups: Lookups<'_>, sum: SumMut<'_>));
entry!(add_octets_of => add_octets(lookups: Lookups<'_>, sum: &mut Block<i32>));
entry!(add_terms_f64 => add_terms_f64_inner(tiles: &Tiles<f64>, term: Term, x: &[f64], out: &mut [f64]));
entry!(add_terms_f32 => add_terms_f32_inner(tiles: &Tiles<f32>, term: Term, x: &[f32], out: &mut [f32]));
entry!(rank_f32 => rank_f32_inner(ranker: &Ranker, x: &[f32], sets: &[SetTest], bytes: &mut RowBytes));
entry!(rank_f64 => rank_f64_inner(ranker: &Ranker, x: &[f64], sets: &[SetTest], bytes: &mut RowBytes));

pub(super) fn few<V: Copy, S: Copy>(
    few: &Few,
    segment: &Segment,
    pools: &Pools<V>,
    bytes: &RowBytes,
    sum: S,
    add: impl FnMut(S, usize, V) -> S,
) -> S {
    // SAFETY: as for the entries above.
    unsafe { few_inner(few, segment, pools, bytes, sum, add) }
}

pub(super) fn rank_row_f32<R: Value>(
    features: &[Feature<f32>],
    x: &[R],
    put: impl FnMut(&Feature<f32>, f32, usize),
) {
    // SAFETY: as for the entries above.
    unsafe { rank_row_f32_inner(features, x, put) }
}

pub(super) fn ranks_f32(
    search: &Search<f32>,
    values: impl Iterator<Item = f32>,
    put: impl FnMut(usize, f32, usize),
) {
    // SAFETY: as for the entries above.
    unsafe { ranks_f32_inner(search, values, put) }
}

pub(super) fn rank_row_f64<R: Value>(
    features: &[Feature<f64>],
    x: &[R],
    put: impl FnMut(&Feature<f64>, f64, usize),
) {
    // SAFETY: as for the entries above.
    unsafe { rank_row_f64_inner(features, x, put) }
}

pub(super) fn ranks_f64(
    search: &Search<f64>,
    values: impl Iterator<Item = f64>,
    put: impl FnMut(usize, f64, usize),
) {
    // SAFETY: as for the entries above.
    unsafe { ranks_f64_inner(search, values, put) }
}

pub(super) fn add(isa: Isa, lookups: Lookups<'_>, sum: SumMut<'_>) {
    match (sum, lookups.run.bytes) {
        // `held` has such tables only for the instruction set that they take.
        (SumMut::I32(sum), 1) if isa == Isa::Avx512Vbmi => add_octets_of(lookups, sum),
        (sum, _) => add_lines_of(lookups, sum),
    }
}

#[target_feature(enable = "avx512f")]
fn add_terms_f64_inner(tiles: &Tiles<f64>, term: Term, x: &[f64], out: &mut [f64]) {
    sums::add(tiles, term, x, out);
}

#[target_feature(enable = "avx512f")]
fn add_terms_f32_inner(tiles: &Tiles<f32>, term: Term, x: &[f32], out: &mut [f32]) {
    sums::add(tiles, term, x, out);
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load(plane: &Plane) -> __m512i {
    // SAFETY: a plane is 64 bytes and aligned to them.
    unsafe { _mm512_load_si512((&raw const plane.0).cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn store(plane: &mut Plane, value: __m512i) {
    // SAFETY: a plane is 64 bytes and aligned to them.
    unsafe { _mm512_store_si512((&raw mut plane.0).cast(), value) }
}

/// The codes of 64 rows.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn codes_of(codes: &Block<u8>, w: usize) -> __m512i {
    let codes = &codes.0.as_chunks::<64>().0[w];
    // SAFETY: `codes` is 64 bytes, as many as the load takes; no alignment is asked.
    unsafe { _mm512_loadu_si512(codes.as_ptr().cast()) }
}
