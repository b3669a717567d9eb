//! Ranks of values, and the upper levels of trees: of one for a block of rows at once, or of some
//! for one row.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::shape;
use super::super::walk::{Ask, Step, fetch};
use super::{load, store};
use crate::block::{Block, Plane, Value};
use crate::walk::{Feature, KEYS, MAX_TOP, Search};

/// How many keys are not above `x`.
#[inline]
#[target_feature(enable = "avx512f,popcnt")]
fn not_above_f32(keys: &[f32; KEYS], x: f32) -> usize {
    // SAFETY: 16 keys, as many as the load takes; no alignment is asked.
    let keys = unsafe { _mm512_loadu_ps(keys.as_ptr()) };
    _mm512_cmp_ps_mask::<_CMP_GE_OQ>(_mm512_set1_ps(x), keys).count_ones() as usize
}

/// How many keys are not above `x`.
#[inline]
#[target_feature(enable = "avx512f,popcnt")]
fn not_above_f64(keys: &[f64; KEYS], x: f64) -> usize {
    let x = _mm512_set1_pd(x);
    // SAFETY: 16 keys, as many as the two loads take; no alignment is asked.
    let (low, high) = unsafe {
        let keys = keys.as_ptr();
        (_mm512_loadu_pd(keys), _mm512_loadu_pd(keys.add(KEYS / 2)))
    };
    let low = _mm512_cmp_pd_mask::<_CMP_GE_OQ>(x, low);
    let high = _mm512_cmp_pd_mask::<_CMP_GE_OQ>(x, high);
    (low.count_ones() + high.count_ones()) as usize
}

/// Searches side by side: each alone would wait for every level.
const SIDE: usize = 8;
/// The same for one row, whose searches are of other keys each and wait on memory.
const AHEAD: usize = 32;

macro_rules! ranks {
    ($name:ident, $row:ident, $not_above:ident, $float:ty) => {
        /// Ranks `values`, a few side by side.
        #[target_feature(enable = "avx512f,popcnt")]
        pub(super) fn $name(
            search: &Search<$float>,
            mut values: impl Iterator<Item = $float>,
            mut put: impl FnMut(usize, $float, usize),
        ) {
            let mut row = 0;
            loop {
                let mut x = [0.0; SIDE];
                let mut n = 0;
                while n < SIDE
                    && let Some(value) = values.next()
                {
                    x[n] = value;
                    n += 1;
                }
                let mut at = [0; SIDE];
                for &first in &search.levels {
                    let level = &search.nodes[first as usize..];
                    for i in 0..SIDE {
                        at[i] = at[i] * KEYS + $not_above(&level[at[i]], x[i]);
                    }
                }
                for i in 0..n {
                    put(row + i, x[i], at[i]);
                }
                row += n;
                if n < SIDE {
                    return;
                }
            }
        }

        /// Ranks a value of each feature.
        #[target_feature(enable = "avx512f,popcnt")]
        pub(super) fn $row<R: Value>(
            features: &[Feature<$float>],
            x: &[R],
            mut put: impl FnMut(&Feature<$float>, $float, usize),
        ) {
            let mut left = features;
            while let Some(first) = left.first() {
                let levels = first.search.levels.len();
                let alike = |f: &&Feature<$float>| f.search.levels.len() == levels;
                let n = left.iter().take(AHEAD).take_while(alike).count();
                let (some, rest) = left.split_at(n);
                left = rest;
                let mut at = [0; AHEAD];
                for level in 0..levels {
                    for (f, at) in some.iter().zip(&mut at) {
                        let Search { nodes, levels } = &f.search;
                        let x = <$float>::narrow(x[f.feature].widen());
                        let node = &nodes[levels[level] as usize + *at];
                        *at = *at * KEYS + $not_above(node, x);
                        if let Some(&below) = levels.get(level + 1) {
                            fetch(&nodes[below as usize + *at]);
                        }
                    }
                }
                for (f, at) in some.iter().zip(at) {
                    put(f, <$float>::narrow(x[f.feature].widen()), at);
                }
            }
        }
    };
}

ranks!(ranks_f32_inner, rank_row_f32_inner, not_above_f32, f32);
ranks!(ranks_f64_inner, rank_row_f64_inner, not_above_f64, f64);

#[inline]
#[target_feature(enable = "avx512f")]
fn mux(select: __m512i, yes: __m512i, no: __m512i) -> __m512i {
    _mm512_ternarylogic_epi64::<0xca>(select, yes, no)
}

/// The codes of the nodes below `top`, a complete heap of up to [`MAX_TOP`] levels, for
/// the first `words * 64` rows.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn tops_inner(
    top: &[Step],
    columns: &[Block<u16>],
    words: usize,
    codes: &mut Block<u8>,
) {
    let mut planes = [Plane::ZERO; (1 << MAX_TOP) - 1];
    for (plane, step) in planes.iter_mut().zip(top) {
        let cut = _mm512_set1_epi16(step.cut as i16);
        let column = columns[usize::from(step.column)].0.as_chunks::<32>().0;
        for (i, ranks) in column.iter().enumerate().take(2 * words) {
            // SAFETY: 32 ranks are 64 bytes, as many as the load takes; no alignment is asked. A
            // plane has room for the masks of a column's 16 registers.
            unsafe {
                let ranks = _mm512_loadu_si512(ranks.as_ptr().cast());
                let above = _mm512_cmpgt_epu16_mask(ranks, cut);
                _store_mask32((&raw mut plane.0).cast::<u32>().add(i), above);
            }
        }
    }
    let load = |i: usize| load(&planes[i]);
    let mut bits = [Plane::ZERO; MAX_TOP];
    macro_rules! level {
        ($depth:tt) => {{
            let planes = shape::node!($depth, 0, load, mux);
            for (bit, plane) in bits.iter_mut().zip(planes.iter().rev()) {
                store(bit, *plane);
            }
            $depth
        }};
    }
    let levels = match top.len() {
        1 => level!(1),
        3 => level!(2),
        7 => level!(3),
        15 => level!(4),
        31 => level!(5),
        63 => level!(6),
        _ => 0,
    };
    for (w, codes) in codes.0.as_chunks_mut::<64>().0[..words]
        .iter_mut()
        .enumerate()
    {
        let mut code = _mm512_setzero_si512();
        for (b, plane) in bits[..levels].iter().enumerate() {
            let bit = _mm512_set1_epi8((1_u8 << b) as i8);
            code = _mm512_mask_add_epi8(code, plane.0[w], code, bit);
        }
        // SAFETY: `codes` is 64 bytes, as many as the store takes; no alignment is asked.
        unsafe { _mm512_storeu_si512(codes.as_mut_ptr().cast(), code) }
    }
}

/// The codes of the nodes that one row comes to in 32 trees, below the complete heaps of `levels`
/// levels that `asks` are. `ranks` are those of the row, filled up to 1, 2 or 4 registers of 32.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(super) fn row_tops_inner(asks: &[Ask], levels: usize, ranks: &[u16], codes: &mut [u8; 32]) {
    let asks = &asks[..(1 << levels) - 1];
    let all = |lanes: &[u16; 32]| {
        // SAFETY: 32 lanes are 64 bytes, as many as the load takes; no alignment is asked.
        unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) }
    };
    let registers = ranks.as_chunks::<32>().0;
    let above = |i: usize| {
        let columns = all(&asks[i].columns);
        let ranks = match registers {
            [a] => _mm512_permutexvar_epi16(columns, all(a)),
            [a, b] => _mm512_permutex2var_epi16(all(a), columns, all(b)),
            [a, b, c, d] => {
                let low = _mm512_permutex2var_epi16(all(a), columns, all(b));
                let high = _mm512_permutex2var_epi16(all(c), columns, all(d));
                let is_high = _mm512_test_epi16_mask(columns, _mm512_set1_epi16(64));
                _mm512_mask_blend_epi16(is_high, low, high)
            }
            _ => _mm512_setzero_si512(),
        };
        _mm512_cmpgt_epu16_mask(ranks, all(&asks[i].cuts))
    };
    let mux = |select: u32, yes: u32, no: u32| no ^ (select & (yes ^ no));
    let mut bits = [0_u32; 5];
    macro_rules! level {
        ($depth:tt) => {{
            let planes = shape::node!($depth, 0, above, mux);
            bits[..$depth].copy_from_slice(&planes);
            bits[..$depth].reverse();
        }};
    }
    match levels {
        1 => level!(1),
        2 => level!(2),
        3 => level!(3),
        4 => level!(4),
        5 => level!(5),
        _ => {}
    }
    let mut code = _mm256_setzero_si256();
    for (b, &plane) in bits.iter().enumerate() {
        code = _mm256_mask_add_epi8(code, plane, code, _mm256_set1_epi8(1 << b));
    }
    // SAFETY: `codes` is 32 bytes, as many as the store takes; no alignment is asked.
    unsafe { _mm256_storeu_si256(codes.as_mut_ptr().cast(), code) }
}
