//! AVX2: 256 rows a register, and/andnot/or in place of ternary logic, leaves looked up by
//! shuffles of bytes.
//!
//! unsafe: calls into functions compiled for AVX2, and loads and stores of whole registers.
#![allow(unsafe_code)]

mod few;
mod leaves;
mod search;

use std::arch::x86_64::*;

use self::few::{few_inner, rank_f32_inner, rank_f64_inner};
use self::leaves::add_bytes;
use self::search::search_f32;
use super::ladder::{Digits, fill, search};
use super::{Lookups, SumMut, Term, Tiles, shape, sums};
use crate::block::{Block, Plane};
use crate::circuit::{MAX_BITS, Mux, Route, Routes};
use crate::few::bytes::{Ranker, RowBytes};
use crate::few::tables::Pools;
use crate::few::{Few, Segment};
use crate::ladder::Ladder;
use crate::predicate::SetTest;

macro_rules! entry {
    ($(#[$doc:meta])* $name:ident => $inner:ident($($arg:ident: $ty:ty),*)) => {
        $(#[$doc])*
        pub(super) fn $name($($arg: $ty),*) {
            // SAFETY: only a plan for an `Isa` with AVX2 comes here, and `Plan::compile` and
            // `Plan::load` refuse one where `Isa::is_available` does not find AVX2 and BMI2.
            unsafe { $inner($($arg),*) }
        }
    };
}

entry!(less_f32 => less_f32_inner(column: &Block<f32>, cuts: &[f32], nan: bool, words: usize, out: &mut [Plane]));
entry!(less_f64 => less_f64_inner(column: &Block<f64>, cuts: &[f64], nan: bool, words: usize, out: &mut [Plane]));
entry!(climb_f32 => climb_f32_inner(column: &Block<f32>, ladder: &Ladder, cut: &[u8], words: usize, planes: &mut [Plane]));
entry!(climb_f64 => climb_f64_inner(column: &Block<f64>, ladder: &Ladder, cut: &[u8], words: usize, planes: &mut [Plane]));
entry!(codes => codes_inner(routes: &Routes, ops: &[Mux], which: &[Route], planes: &mut [Plane], codes: &mut [Block<u8>]));
entry!(add => add_bytes(lookups: Lookups<'_>, sum: SumMut<'_>));
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

#[target_feature(enable = "avx2,bmi2")]
fn add_terms_f64_inner(tiles: &Tiles<f64>, term: Term, x: &[f64], out: &mut [f64]) {
    sums::add(tiles, term, x, out);
}

#[target_feature(enable = "avx2,bmi2")]
fn add_terms_f32_inner(tiles: &Tiles<f32>, term: Term, x: &[f32], out: &mut [f32]) {
    sums::add(tiles, term, x, out);
}

#[target_feature(enable = "avx2,bmi2")]
fn less_f32_inner(column: &Block<f32>, cuts: &[f32], nan: bool, words: usize, out: &mut [Plane]) {
    for (&cut, out) in cuts.iter().zip(out) {
        let cut = _mm256_set1_ps(cut);
        for (word, rows) in out.0[..words].iter_mut().zip(column.0.as_chunks::<64>().0) {
            *word = 0;
            for (i, eight) in rows.as_chunks::<8>().0.iter().enumerate() {
                // SAFETY: `eight` is 8 f32, as many as the load takes; no alignment is asked.
                let x = unsafe { _mm256_loadu_ps(eight.as_ptr()) };
                let holds = if nan {
                    _mm256_cmp_ps::<_CMP_NGE_UQ>(x, cut)
                } else {
                    _mm256_cmp_ps::<_CMP_LT_OQ>(x, cut)
                };
                *word |= (_mm256_movemask_ps(holds) as u64) << (8 * i);
            }
        }
    }
}

#[target_feature(enable = "avx2,bmi2")]
fn less_f64_inner(column: &Block<f64>, cuts: &[f64], nan: bool, words: usize, out: &mut [Plane]) {
    for (&cut, out) in cuts.iter().zip(out) {
        let cut = _mm256_set1_pd(cut);
        for (word, rows) in out.0[..words].iter_mut().zip(column.0.as_chunks::<64>().0) {
            *word = 0;
            for (i, four) in rows.as_chunks::<4>().0.iter().enumerate() {
                // SAFETY: `four` is 4 f64, as many as the load takes; no alignment is asked.
                let x = unsafe { _mm256_loadu_pd(four.as_ptr()) };
                let holds = if nan {
                    _mm256_cmp_pd::<_CMP_NGE_UQ>(x, cut)
                } else {
                    _mm256_cmp_pd::<_CMP_LT_OQ>(x, cut)
                };
                *word |= (_mm256_movemask_pd(holds) as u64) << (4 * i);
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn rung(here: &Plane, below: &Plane, low: &Plane, out: &mut Plane) {
    for half in 0..2 {
        let either = _mm256_or_si256(load(below, half), load(low, half));
        store(out, half, _mm256_and_si256(load(here, half), either));
    }
}

#[target_feature(enable = "avx2,bmi2")]
fn climb_f32_inner(
    column: &Block<f32>,
    ladder: &Ladder,
    cut: &[u8],
    words: usize,
    planes: &mut [Plane],
) {
    let mut digits = Digits::ZERO;
    let tree = &ladder.narrow;
    match ladder.levels {
        ..=5 => search_f32::<5>(column, tree, words, &mut digits),
        6 => search_f32::<6>(column, tree, words, &mut digits),
        7 => search_f32::<7>(column, tree, words, &mut digits),
        _ => search_f32::<8>(column, tree, words, &mut digits),
    }
    fill(&digits, ladder, cut, planes, |here, below, low, out| {
        rung(here, below, low, out);
    });
}

#[target_feature(enable = "avx2,bmi2")]
fn climb_f64_inner(
    column: &Block<f64>,
    ladder: &Ladder,
    cut: &[u8],
    words: usize,
    planes: &mut [Plane],
) {
    let mut digits = Digits::ZERO;
    search(column, &ladder.wide, ladder.levels, words, &mut digits);
    fill(&digits, ladder, cut, planes, |here, below, low, out| {
        rung(here, below, low, out);
    });
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(plane: &Plane, half: usize) -> __m256i {
    // SAFETY: a plane is 64 bytes and aligned to them; its halves are 32 bytes aligned to 32, and
    // the slice checks that `half` is 0 or 1.
    unsafe { _mm256_load_si256(plane.0[4 * half..4 * half + 4].as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(plane: &mut Plane, half: usize, value: __m256i) {
    // SAFETY: as in `load`.
    unsafe { _mm256_store_si256(plane.0[4 * half..4 * half + 4].as_mut_ptr().cast(), value) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn mux(select: __m256i, yes: __m256i, no: __m256i) -> __m256i {
    _mm256_or_si256(
        _mm256_and_si256(select, yes),
        _mm256_andnot_si256(select, no),
    )
}

#[target_feature(enable = "avx2,bmi2")]
fn codes_inner(
    routes: &Routes,
    ops: &[Mux],
    which: &[Route],
    planes: &mut [Plane],
    codes: &mut [Block<u8>],
) {
    for op in ops {
        for half in 0..2 {
            let value = mux(
                load(&planes[op.select as usize], half),
                load(&planes[op.yes as usize], half),
                load(&planes[op.no as usize], half),
            );
            store(&mut planes[op.out as usize], half, value);
        }
    }
    for (route, codes) in which.iter().zip(codes) {
        for (half, codes) in codes.0.as_chunks_mut::<256>().0.iter_mut().enumerate() {
            match *route {
                Route::Complete { depth, first } => {
                    let heap = &routes.heap[first as usize..][..(1 << depth) - 1];
                    let load = |i: usize| load(&planes[heap[i] as usize], half);
                    match depth {
                        1 => spell(shape::node!(1, 0, load, mux), codes),
                        2 => spell(shape::node!(2, 0, load, mux), codes),
                        3 => spell(shape::node!(3, 0, load, mux), codes),
                        4 => spell(shape::node!(4, 0, load, mux), codes),
                        5 => spell(shape::node!(5, 0, load, mux), codes),
                        _ => spell(shape::node!(6, 0, load, mux), codes),
                    }
                }
                Route::Circuit { ref outputs, .. } => {
                    // Planes beyond the tree's bits are 0. The highest comes first.
                    let bits: [__m256i; MAX_BITS] = std::array::from_fn(|i| {
                        load(&planes[outputs[MAX_BITS - 1 - i] as usize], half)
                    });
                    spell(bits, codes);
                }
            }
        }
    }
}

/// Turns half planes, the highest bit first, into one code a row: bytes of the planes are brought
/// together, and each eight of them transposed as 8 x 8 bits.
#[inline]
#[target_feature(enable = "avx2,bmi2")]
fn spell<const N: usize>(bits: [__m256i; N], codes: &mut [u8; 256]) {
    let p: [__m256i; MAX_BITS] = std::array::from_fn(|b| match b < N {
        true => bits[N - 1 - b],
        false => _mm256_setzero_si256(),
    });
    let pairs = [0, 2, 4, 6].map(|b| {
        [
            _mm256_unpacklo_epi8(p[b], p[b + 1]),
            _mm256_unpackhi_epi8(p[b], p[b + 1]),
        ]
    });
    let fours = |a: usize| -> [__m256i; 4] {
        std::array::from_fn(|i| match i % 2 {
            0 => _mm256_unpacklo_epi16(pairs[a][i / 2], pairs[a + 1][i / 2]),
            _ => _mm256_unpackhi_epi16(pairs[a][i / 2], pairs[a + 1][i / 2]),
        })
    };
    let (low, high) = (fours(0), fours(2));
    for i in 0..8 {
        let eights = match i % 2 {
            0 => _mm256_unpacklo_epi32(low[i / 2], high[i / 2]),
            _ => _mm256_unpackhi_epi32(low[i / 2], high[i / 2]),
        };
        let mut x = eights;
        macro_rules! swap {
            ($by:literal, $mask:literal) => {{
                let t = _mm256_xor_si256(x, _mm256_srli_epi64::<$by>(x));
                let t = _mm256_and_si256(t, _mm256_set1_epi64x($mask));
                x = _mm256_xor_si256(x, _mm256_xor_si256(t, _mm256_slli_epi64::<$by>(t)));
            }};
        }
        swap!(7, 0x00aa_00aa_00aa_00aa);
        swap!(14, 0x0000_cccc_0000_cccc);
        swap!(28, 0x0000_0000_f0f0_f0f0);
        // The upper 128 bits are of the upper 128 rows.
        let (below, above) = codes.split_at_mut(128);
        // SAFETY: 16 codes each, as many as the stores take; no alignment is asked.
        unsafe {
            let below = below[16 * i..16 * i + 16].as_mut_ptr().cast();
            let above = above[16 * i..16 * i + 16].as_mut_ptr().cast();
            _mm_storeu_si128(below, _mm256_castsi256_si128(x));
            _mm_storeu_si128(above, _mm256_extracti128_si256::<1>(x));
        }
    }
}
