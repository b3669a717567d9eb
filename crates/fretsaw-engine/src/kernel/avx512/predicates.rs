//! Predicates: comparisons of floats, or of their ranks as bytes.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::codes_of;
use crate::block::{Block, Plane, WORDS};
use crate::table::Ranks;

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
            let m = x.map(|x| _mm512_cmp_ps_mask::<CMP>(x, cut));
            let low = _mm512_kunpackw(u32::from(m[1]), u32::from(m[0]));
            let high = _mm512_kunpackw(u32::from(m[3]), u32::from(m[2]));
            out.0[w] = _mm512_kunpackd(u64::from(high), u64::from(low));
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

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) fn ranks_inner(
    column: &Block<f32>,
    ranks: &Ranks,
    words: usize,
    below: &mut Block<u8>,
    above: &mut Block<u8>,
) {
    match ranks.levels {
        ..=5 => ranks_by::<5>(column, &ranks.tree, words, below, above),
        6 => ranks_by::<6>(column, &ranks.tree, words, below, above),
        7 => ranks_by::<7>(column, &ranks.tree, words, below, above),
        _ => ranks_by::<8>(column, &ranks.tree, words, below, above),
    }
}

/// Searches 64 values at once down the tree of cuts, which stays in registers: the upper five
/// levels are one permutation of 32 cuts, each further one twice as many.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn ranks_by<const LEVELS: usize>(
    column: &Block<f32>,
    tree: &[f32],
    words: usize,
    below: &mut Block<u8>,
    above: &mut Block<u8>,
) {
    // Levels that the tree does not have are never looked at.
    let cuts: [__m512; 16] = std::array::from_fn(|i| match tree.as_chunks::<16>().0.get(i) {
        // SAFETY: 16 values, as many as the load takes; no alignment is asked.
        Some(cuts) => unsafe { _mm512_loadu_ps(cuts.as_ptr()) },
        None => _mm512_setzero_ps(),
    });
    let one = _mm512_set1_epi32(1);
    let chunks = column.0.as_chunks::<64>().0[..words].iter();
    for ((rows, below), above) in chunks
        .zip(below.0.as_chunks_mut::<64>().0)
        .zip(above.0.as_chunks_mut::<64>().0)
    {
        let x: [__m512; 4] = std::array::from_fn(|i| {
            // SAFETY: 16 of the 64 values, in bounds for i < 4; no alignment is asked.
            unsafe { _mm512_loadu_ps(rows.as_ptr().add(16 * i)) }
        });
        let mut at = [one; 4];
        for level in 0..LEVELS {
            for i in 0..4 {
                let k = at[i];
                let pair = |p: usize| _mm512_permutex2var_ps(cuts[2 * p], k, cuts[2 * p + 1]);
                let bit = |b: i32| _mm512_test_epi32_mask(k, _mm512_set1_epi32(b));
                let cut = match level {
                    0..5 => pair(0),
                    5 => pair(1),
                    6 => _mm512_mask_blend_ps(bit(32), pair(2), pair(3)),
                    _ => {
                        let low = _mm512_mask_blend_ps(bit(32), pair(4), pair(5));
                        let high = _mm512_mask_blend_ps(bit(32), pair(6), pair(7));
                        _mm512_mask_blend_ps(bit(64), low, high)
                    }
                };
                let right = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(x[i], cut);
                let twice = _mm512_add_epi32(k, k);
                at[i] = _mm512_mask_add_epi32(twice, right, twice, one);
            }
        }
        for i in 0..4 {
            let rank = _mm512_sub_epi32(at[i], _mm512_set1_epi32(1 << LEVELS));
            let rank = _mm512_cvtepi32_epi8(rank);
            let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x[i], x[i]);
            let last = _mm_mask_blend_epi8(nan, rank, _mm_set1_epi8(-1));
            // SAFETY: 16 of the 64 bytes each, in bounds for i < 4; no alignment is asked.
            unsafe {
                _mm_storeu_si128(below.as_mut_ptr().add(16 * i).cast(), rank);
                _mm_storeu_si128(above.as_mut_ptr().add(16 * i).cast(), last);
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) fn not_above_inner(ranks: &Block<u8>, cuts: &[u8], words: usize, out: &mut [Plane]) {
    // The few rows of a small batch take a word; anything else is worth the whole plane.
    if words == 1 {
        not_above_by::<1>(ranks, cuts, out);
    } else {
        not_above_by::<WORDS>(ranks, cuts, out);
    }
}

/// `rank <= cut` for every cut: one comparison of 64 bytes a word.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn not_above_by<const N: usize>(ranks: &Block<u8>, cuts: &[u8], out: &mut [Plane]) {
    let ranks: [__m512i; N] = std::array::from_fn(|w| codes_of(ranks, w));
    for (&cut, out) in cuts.iter().zip(out) {
        let cut = _mm512_set1_epi8(cut as i8);
        for (word, &ranks) in out.0.iter_mut().zip(&ranks) {
            *word = _mm512_cmple_epu8_mask(ranks, cut);
        }
    }
}
