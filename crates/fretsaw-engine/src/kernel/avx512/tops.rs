//! Ranks of values, and the upper levels of a tree answered for a block of rows at once.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::shape;
use super::super::walk::Step;
use super::{load, store};
use crate::block::{Block, Plane};
use crate::walk::{KEYS, MAX_TOP, Search};

#[target_feature(enable = "avx512f,popcnt")]
pub(super) fn ranks_f32_inner(
    search: &Search<f32>,
    values: impl Iterator<Item = f32>,
    mut put: impl FnMut(usize, f32, usize),
) {
    for (row, x) in values.enumerate() {
        let all = _mm512_set1_ps(x);
        let rank = search.rank(x, |keys: &[f32; KEYS], _| {
            // SAFETY: 16 keys, as many as the load takes; no alignment is asked.
            let keys = unsafe { _mm512_loadu_ps(keys.as_ptr()) };
            _mm512_cmp_ps_mask::<_CMP_GE_OQ>(all, keys).count_ones() as usize
        });
        put(row, x, rank);
    }
}

#[target_feature(enable = "avx512f,popcnt")]
pub(super) fn ranks_f64_inner(
    search: &Search<f64>,
    values: impl Iterator<Item = f64>,
    mut put: impl FnMut(usize, f64, usize),
) {
    for (row, x) in values.enumerate() {
        let all = _mm512_set1_pd(x);
        let rank = search.rank(x, |keys: &[f64; KEYS], _| {
            // SAFETY: 16 keys, as many as the two loads take; no alignment is asked.
            let (low, high) = unsafe {
                let keys = keys.as_ptr();
                (_mm512_loadu_pd(keys), _mm512_loadu_pd(keys.add(KEYS / 2)))
            };
            let low = _mm512_cmp_pd_mask::<_CMP_GE_OQ>(all, low);
            let high = _mm512_cmp_pd_mask::<_CMP_GE_OQ>(all, high);
            (low.count_ones() + high.count_ones()) as usize
        });
        put(row, x, rank);
    }
}

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
    for (w, codes) in codes.0.as_chunks_mut::<64>().0[..words].iter_mut().enumerate() {
        let mut code = _mm512_setzero_si512();
        for (b, plane) in bits[..levels].iter().enumerate() {
            let bit = _mm512_set1_epi8((1_u8 << b) as i8);
            code = _mm512_mask_add_epi8(code, plane.0[w], code, bit);
        }
        // SAFETY: `codes` is 64 bytes, as many as the store takes; no alignment is asked.
        unsafe { _mm512_storeu_si512(codes.as_mut_ptr().cast(), code) }
    }
}
