//! The search of a ladder, eight values at a time.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::ladder::Digits;
use crate::block::Block;
use crate::ladder::DIGITS;

/// Eight cuts are one permutation; a level of more is several, of which what was compared before
/// picks one, and the last level, of 128, is gathered. `digits` are 0.
#[inline]
#[target_feature(enable = "avx2,bmi2")]
pub(super) fn search_f32<const LEVELS: usize>(
    column: &Block<f32>,
    tree: &[f32],
    words: usize,
    digits: &mut Digits,
) {
    let tree = &tree[..1 << LEVELS];
    for (w, rows) in column.0.as_chunks::<64>().0[..words].iter().enumerate() {
        for (i, eight) in rows.as_chunks::<8>().0.iter().enumerate() {
            // SAFETY: `eight` is 8 f32, as many as the load takes; no alignment is asked.
            let x = unsafe { _mm256_loadu_ps(eight.as_ptr()) };
            let mut place = _mm256_setzero_si256();
            let mut right = [_mm256_setzero_ps(); DIGITS];
            step::<0>(tree, x, &mut place, &mut right);
            step::<1>(tree, x, &mut place, &mut right);
            step::<2>(tree, x, &mut place, &mut right);
            step::<3>(tree, x, &mut place, &mut right);
            step::<4>(tree, x, &mut place, &mut right);
            if LEVELS > 5 {
                step::<5>(tree, x, &mut place, &mut right);
            }
            if LEVELS > 6 {
                step::<6>(tree, x, &mut place, &mut right);
            }
            if LEVELS > 7 {
                step::<7>(tree, x, &mut place, &mut right);
            }
            let bits = |mask: __m256| u64::from(_mm256_movemask_ps(mask) as u32) << (8 * i);
            // What was compared first is the highest digit.
            for (plane, right) in digits.bits[..LEVELS].iter_mut().rev().zip(right) {
                plane.0[w] |= bits(right);
            }
            digits.missing.0[w] |= bits(_mm256_cmp_ps::<_CMP_UNORD_Q>(x, x));
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn step<const LEVEL: usize>(
    tree: &[f32],
    x: __m256,
    place: &mut __m256i,
    right: &mut [__m256; DIGITS],
) {
    let k = *place;
    let eight = |p: usize| {
        let cuts = &tree[(1 << LEVEL) + 8 * p..][..8];
        // SAFETY: 8 values, as many as the load takes; no alignment is asked.
        _mm256_permutevar8x32_ps(unsafe { _mm256_loadu_ps(cuts.as_ptr()) }, k)
    };
    let two = |p: usize| _mm256_blendv_ps(eight(p), eight(p + 1), right[3]);
    let four = |p: usize| _mm256_blendv_ps(two(p), two(p + 2), right[4]);
    let cut = match LEVEL {
        0 => _mm256_set1_ps(tree[1]),
        1..4 => eight(0),
        4 => two(0),
        5 => four(0),
        6 => _mm256_blendv_ps(four(0), four(4), right[5]),
        _ => {
            let cuts = &tree[128..256];
            // SAFETY: every place is below 128: a bit was set for each level before this one.
            unsafe { _mm256_i32gather_ps::<4>(cuts.as_ptr(), k) }
        }
    };
    let reached = _mm256_cmp_ps::<_CMP_GE_OQ>(x, cut);
    let bit = _mm256_and_si256(_mm256_castps_si256(reached), _mm256_set1_epi32(1 << LEVEL));
    right[LEVEL] = reached;
    *place = _mm256_or_si256(k, bit);
}
