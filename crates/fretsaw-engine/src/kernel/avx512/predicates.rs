//! Predicates: comparisons of floats one by one, and the search for all cuts of a column at once.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::ladder::{Digits, fill};
use super::{load, store};
use crate::block::{Block, Plane};
use crate::ladder::{DIGITS, Ladder};

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) fn less_f32_inner(
    column: &Block<f32>,
    cuts: &[f32],
    nan: bool,
    words: usize,
    out: &mut [Plane],
) {
    if nan {
        less_f32_by::<_CMP_NGE_UQ>(column, cuts, words, out);
    } else {
        less_f32_by::<_CMP_LT_OQ>(column, cuts, words, out);
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn less_f32_by<const CMP: i32>(column: &Block<f32>, cuts: &[f32], words: usize, out: &mut [Plane]) {
    for (w, rows) in column.0.as_chunks::<64>().0[..words].iter().enumerate() {
        let x: [__m512; 4] = std::array::from_fn(|i| {
            // SAFETY: 16 of the 64 values, in bounds for i < 4; no alignment is asked.
            unsafe { _mm512_loadu_ps(rows.as_ptr().add(16 * i)) }
        });
        for (&cut, out) in cuts.iter().zip(&mut *out) {
            let cut = _mm512_set1_ps(cut);
            out.0[w] = word(x.map(|x| _mm512_cmp_ps_mask::<CMP>(x, cut)));
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) fn less_f64_inner(
    column: &Block<f64>,
    cuts: &[f64],
    nan: bool,
    words: usize,
    out: &mut [Plane],
) {
    if nan {
        less_f64_by::<_CMP_NGE_UQ>(column, cuts, words, out);
    } else {
        less_f64_by::<_CMP_LT_OQ>(column, cuts, words, out);
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn less_f64_by<const CMP: i32>(column: &Block<f64>, cuts: &[f64], words: usize, out: &mut [Plane]) {
    for (w, rows) in column.0.as_chunks::<64>().0[..words].iter().enumerate() {
        let x: [__m512d; 8] = std::array::from_fn(|i| {
            // SAFETY: 8 of the 64 values, in bounds for i < 8; no alignment is asked.
            unsafe { _mm512_loadu_pd(rows.as_ptr().add(8 * i)) }
        });
        for (&cut, out) in cuts.iter().zip(&mut *out) {
            let cut = _mm512_set1_pd(cut);
            out.0[w] = u64::from_le_bytes(x.map(|x| _mm512_cmp_pd_mask::<CMP>(x, cut)));
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn rung(here: &Plane, below: &Plane, low: &Plane, out: &mut Plane) {
    let all = _mm512_ternarylogic_epi64::<0xe0>(load(here), load(below), load(low));
    store(out, all);
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) fn climb_f32_inner(
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

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) fn climb_f64_inner(
    column: &Block<f64>,
    ladder: &Ladder,
    cut: &[u8],
    words: usize,
    planes: &mut [Plane],
) {
    let mut digits = Digits::ZERO;
    let tree = &ladder.wide;
    match ladder.levels {
        ..=5 => search_f64::<5>(column, tree, words, &mut digits),
        6 => search_f64::<6>(column, tree, words, &mut digits),
        7 => search_f64::<7>(column, tree, words, &mut digits),
        _ => search_f64::<8>(column, tree, words, &mut digits),
    }
    fill(&digits, ladder, cut, planes, |here, below, low, out| {
        rung(here, below, low, out);
    });
}

macro_rules! search {
    ($search:ident, $step:ident, $value:ty, $lanes:literal, $vector:ty, $mask:ty, $load:ident,
     $set:ident, $one:ident, $two:ident, $compare:ident, $blend:ident, $or:ident, $index:ident,
     $put:ident) => {
        /// Searches four registers of values at once.
        #[inline]
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
        fn $search<const LEVELS: usize>(
            column: &Block<$value>,
            tree: &[$value],
            words: usize,
            digits: &mut Digits,
        ) {
            let tree = &tree[..1 << LEVELS];
            let groups = column.0.as_chunks::<{ 4 * $lanes }>().0;
            for (group, rows) in groups[..words * 64 / (4 * $lanes)].iter().enumerate() {
                let x: [$vector; 4] = std::array::from_fn(|i| {
                    // SAFETY: a quarter of the values, in bounds for i < 4; no alignment is asked.
                    unsafe { $load(rows.as_ptr().add($lanes * i)) }
                });
                let mut place = [_mm512_setzero_si512(); 4];
                let mut right = [[0; 4]; DIGITS];
                $step::<0>(tree, x, &mut place, &mut right);
                $step::<1>(tree, x, &mut place, &mut right);
                $step::<2>(tree, x, &mut place, &mut right);
                $step::<3>(tree, x, &mut place, &mut right);
                $step::<4>(tree, x, &mut place, &mut right);
                if LEVELS > 5 {
                    $step::<5>(tree, x, &mut place, &mut right);
                }
                if LEVELS > 6 {
                    $step::<6>(tree, x, &mut place, &mut right);
                }
                if LEVELS > 7 {
                    $step::<7>(tree, x, &mut place, &mut right);
                }
                // What was compared first is the highest digit.
                for (bits, right) in digits.bits[..LEVELS].iter_mut().rev().zip(right) {
                    $put(bits, group, right);
                }
                let missing = x.map(|x| $compare::<_CMP_UNORD_Q>(x, x));
                $put(&mut digits.missing, group, missing);
            }
        }

        /// One level: its cuts are one permutation while two registers hold them, and then twice as
        /// many a level, of which what was compared before picks one.
        #[inline]
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
        fn $step<const LEVEL: usize>(
            tree: &[$value],
            x: [$vector; 4],
            place: &mut [__m512i; 4],
            right: &mut [[$mask; 4]; DIGITS],
        ) {
            // Levels that two registers hold.
            const HELD: usize = usize::ilog2($lanes) as usize + 1;
            let cuts = |at: usize| {
                let cuts = &tree[at..at + $lanes];
                // SAFETY: as many values as the load takes; no alignment is asked.
                unsafe { $load(cuts.as_ptr()) }
            };
            for i in 0..4 {
                let k = place[i];
                let pair = |p: usize| {
                    let at = (1 << LEVEL) + 2 * $lanes * p;
                    $two(cuts(at), k, cuts(at + $lanes))
                };
                let pick = |by: usize, no, yes| $blend(right[HELD + by][i], no, yes);
                let two = |p: usize| pick(0, pair(p), pair(p + 1));
                let four = |p: usize| pick(1, two(p), two(p + 2));
                let cut = match (LEVEL + 1).saturating_sub(HELD) {
                    _ if LEVEL == 0 => $set(tree[1]),
                    0 => $one(k, cuts(1 << LEVEL)),
                    1 => pair(0),
                    2 => two(0),
                    3 => four(0),
                    _ => pick(2, four(0), four(4)),
                };
                right[LEVEL][i] = $compare::<_CMP_GE_OQ>(x[i], cut);
                place[i] = $or(k, right[LEVEL][i], k, $index(1 << LEVEL));
            }
        }
    };
}

search!(
    search_f32,
    step_f32,
    f32,
    16,
    __m512,
    __mmask16,
    _mm512_loadu_ps,
    _mm512_set1_ps,
    _mm512_permutexvar_ps,
    _mm512_permutex2var_ps,
    _mm512_cmp_ps_mask,
    _mm512_mask_blend_ps,
    _mm512_mask_or_epi32,
    _mm512_set1_epi32,
    put_f32
);
search!(
    search_f64,
    step_f64,
    f64,
    8,
    __m512d,
    __mmask8,
    _mm512_loadu_pd,
    _mm512_set1_pd,
    _mm512_permutexvar_pd,
    _mm512_permutex2var_pd,
    _mm512_cmp_pd_mask,
    _mm512_mask_blend_pd,
    _mm512_mask_or_epi64,
    _mm512_set1_epi64,
    put_f64
);

/// Puts the masks of 64 rows into a plane,
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn put_f32(plane: &mut Plane, group: usize, m: [__mmask16; 4]) {
    plane.0[group] = word(m);
}

/// or those of 32 into a plane that was 0.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn put_f64(plane: &mut Plane, group: usize, m: [__mmask8; 4]) {
    let low = _mm512_kunpackb(u16::from(m[1]), u16::from(m[0]));
    let high = _mm512_kunpackb(u16::from(m[3]), u16::from(m[2]));
    let half = u64::from(_mm512_kunpackw(u32::from(high), u32::from(low)));
    plane.0[group / 2] |= half << (32 * (group % 2));
}

/// The masks of 64 rows as one.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn word(m: [__mmask16; 4]) -> u64 {
    let low = _mm512_kunpackw(u32::from(m[1]), u32::from(m[0]));
    let high = _mm512_kunpackw(u32::from(m[3]), u32::from(m[2]));
    _mm512_kunpackd(u64::from(high), u64::from(low))
}
