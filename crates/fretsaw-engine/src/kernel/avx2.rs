//! AVX2: 256 rows a register, and/andnot/or in place of ternary logic, leaves looked up by loads.
//!
//! unsafe: calls into functions compiled for AVX2, and loads and stores of whole registers.
#![allow(unsafe_code)]

mod few;

use std::arch::x86_64::*;

use self::few::{few_inner, rank_f32_inner, rank_f64_inner};
use super::{Term, Tiles, shape, sums};
use crate::block::{Block, Plane};
use crate::circuit::{MAX_BITS, Mux, Route, Routes};
use crate::few::bytes::{Ranker, RowBytes};
use crate::few::tables::Pools;
use crate::few::{Few, Segment};
use crate::predicate::SetTest;

macro_rules! entry {
    ($(#[$doc:meta])* $name:ident => $inner:ident($($arg:ident: $ty:ty),*)) => {
        $(#[$doc])*
        pub(super) fn $name($($arg: $ty),*) {
            // SAFETY: only a plan for `Isa::Avx2` comes here, and `Plan::compile` refuses that
            // instruction set where `Isa::is_available` does not find AVX2 and BMI2.
            unsafe { $inner($($arg),*) }
        }
    };
}

entry!(less_f32 => less_f32_inner(column: &Block<f32>, cuts: &[f32], nan: bool, words: usize, out: &mut [Plane]));
entry!(less_f64 => less_f64_inner(column: &Block<f64>, cuts: &[f64], nan: bool, words: usize, out: &mut [Plane]));
entry!(codes => codes_inner(routes: &Routes, ops: &[Mux], which: &[Route], planes: &mut [Plane], codes: &mut [Block<u8>]));
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
        for half in 0..2 {
            let (bits, n) = bits(routes, route, planes, half);
            spread(&bits[..n], &mut codes.0[256 * half..256 * half + 256]);
        }
    }
}

/// The bits of a tree's codes for half a block, lowest first, and how many there are.
#[inline]
#[target_feature(enable = "avx2,bmi2")]
fn bits(
    routes: &Routes,
    route: &Route,
    planes: &[Plane],
    half: usize,
) -> ([Plane32; MAX_BITS], usize) {
    let mut out = [Plane32::default(); MAX_BITS];
    match *route {
        Route::Complete { depth, first } => {
            let heap = &routes.heap[first as usize..][..(1 << depth) - 1];
            let load = |i: usize| load(&planes[heap[i] as usize], half);
            macro_rules! level {
                ($depth:tt) => {{
                    let planes = shape::node!($depth, 0, load, mux);
                    for (out, plane) in out.iter_mut().zip(planes.iter().rev()) {
                        out.set(*plane);
                    }
                }};
            }
            match depth {
                1 => level!(1),
                2 => level!(2),
                3 => level!(3),
                4 => level!(4),
                5 => level!(5),
                6 => level!(6),
                _ => {}
            }
            (out, usize::from(depth))
        }
        Route::Circuit { bits, ref outputs } => {
            for (out, &plane) in out.iter_mut().zip(outputs) {
                out.set(load(&planes[plane as usize], half));
            }
            (out, usize::from(bits))
        }
    }
}

/// Half a plane in memory.
#[derive(Clone, Copy, Default)]
#[repr(C, align(32))]
struct Plane32([u32; 8]);

impl Plane32 {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn set(&mut self, value: __m256i) {
        // SAFETY: `self` is 32 bytes and aligned to them.
        unsafe { _mm256_store_si256(self.0.as_mut_ptr().cast(), value) }
    }
}

/// One code a row: each 32-bit word of a plane becomes 32 bytes with the plane's bit set.
#[inline]
#[target_feature(enable = "avx2,bmi2")]
fn spread(bits: &[Plane32], codes: &mut [u8]) {
    // Byte i of the word under rows 8i..8i+8, and the bit of each row within it.
    let which = _mm256_setr_epi64x(
        0,
        0x0101_0101_0101_0101,
        0x0202_0202_0202_0202,
        0x0303_0303_0303_0303,
    );
    let alone = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64 as i64);
    for (w, codes) in codes.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let mut code = _mm256_setzero_si256();
        for (b, plane) in bits.iter().enumerate() {
            let word = _mm256_set1_epi32(plane.0[w] as i32);
            let bytes = _mm256_and_si256(_mm256_shuffle_epi8(word, which), alone);
            let set = _mm256_cmpeq_epi8(bytes, alone);
            let value = _mm256_set1_epi8((1_u8 << b) as i8);
            code = _mm256_or_si256(code, _mm256_and_si256(set, value));
        }
        // SAFETY: `codes` is 32 bytes, as many as the store takes; no alignment is asked.
        unsafe { _mm256_storeu_si256(codes.as_mut_ptr().cast(), code) }
    }
}
