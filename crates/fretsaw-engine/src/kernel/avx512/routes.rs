//! Routes: ternary operations on planes, and planes turned into codes.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::shape;
use super::{load, store};
use crate::block::{Block, Plane};
use crate::circuit::{MAX_BITS, Mux, Route, Routes};

#[inline]
#[target_feature(enable = "avx512f")]
fn mux(select: __m512i, yes: __m512i, no: __m512i) -> __m512i {
    _mm512_ternarylogic_epi64::<0xca>(select, yes, no)
}

/// Runs operations. The callers assert that there are `Routes::n_planes` planes.
#[inline]
#[target_feature(enable = "avx512f")]
fn operate(ops: &[Mux], planes: &mut [Plane]) {
    for op in ops {
        // SAFETY: `Routes::push` makes operations only of planes below `Routes::n_planes`, and
        // both callers assert that there are as many.
        unsafe {
            let value = mux(
                load(planes.get_unchecked(op.select as usize)),
                load(planes.get_unchecked(op.yes as usize)),
                load(planes.get_unchecked(op.no as usize)),
            );
            store(planes.get_unchecked_mut(op.out as usize), value);
        }
    }
}

/// The bits of a tree's codes, lowest first, and how many there are.
#[inline]
#[target_feature(enable = "avx512f")]
fn bits(routes: &Routes, route: &Route, planes: &[Plane]) -> ([__m512i; MAX_BITS], usize) {
    let mut out = [_mm512_setzero_si512(); MAX_BITS];
    match *route {
        Route::Complete { depth, first } => {
            let heap = &routes.heap[first as usize..][..(1 << depth) - 1];
            macro_rules! level {
                ($depth:tt) => {{
                    const N: usize = (1 << $depth) - 1;
                    let Ok(heap) = <&[u32; N]>::try_from(heap) else {
                        return (out, 0);
                    };
                    // SAFETY: `Routes::push` puts only planes below `routes.n_planes` into the
                    // heap, and both callers assert that there are as many.
                    let load = |i: usize| load(unsafe { planes.get_unchecked(heap[i] as usize) });
                    let mut planes = shape::node!($depth, 0, load, mux);
                    planes.reverse();
                    out[..$depth].copy_from_slice(&planes);
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
                *out = load(&planes[plane as usize]);
            }
            (out, usize::from(bits))
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) fn codes_masked(
    routes: &Routes,
    ops: &[Mux],
    which: &[Route],
    planes: &mut [Plane],
    codes: &mut [Block<u8>],
) {
    assert!(planes.len() >= routes.n_planes);
    operate(ops, planes);
    let mut words = [Plane::ZERO; MAX_BITS];
    for (route, codes) in which.iter().zip(codes) {
        let (bits, n) = bits(routes, route, planes);
        for (words, bits) in words.iter_mut().zip(bits) {
            store(words, bits);
        }
        for (w, codes) in codes.0.as_chunks_mut::<64>().0.iter_mut().enumerate() {
            let mut code = _mm512_setzero_si512();
            for (b, plane) in words[..n].iter().enumerate() {
                let bit = _mm512_set1_epi8((1_u8 << b) as i8);
                code = _mm512_mask_add_epi8(code, plane.0[w], code, bit);
            }
            // SAFETY: `codes` is 64 bytes, as many as the store takes; no alignment is asked.
            unsafe { _mm512_storeu_si512(codes.as_mut_ptr().cast(), code) }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,gfni")]
pub(super) fn codes_transposed(
    routes: &Routes,
    ops: &[Mux],
    which: &[Route],
    planes: &mut [Plane],
    codes: &mut [Block<u8>],
) {
    assert!(planes.len() >= routes.n_planes);
    operate(ops, planes);
    // Byte `7 - b` of word `i` from byte `i` of plane `b`: as the transposition wants its rows.
    let mut order = [0_u8; 64];
    for (at, from) in order.iter_mut().enumerate() {
        *from = (8 * (7 - at % 8) + at / 8) as u8;
    }
    // SAFETY: 64 bytes, as many as the load takes; no alignment is asked.
    let order = unsafe { _mm512_loadu_si512(order.as_ptr().cast()) };
    let identity = _mm512_set1_epi64(0x8040_2010_0804_0201_u64 as i64);
    for (route, codes) in which.iter().zip(codes) {
        let (p, _) = bits(routes, route, planes);
        // One register for each 64 rows, holding a word of every plane.
        let pair = |i: usize| {
            (
                _mm512_unpacklo_epi64(p[i], p[i + 1]),
                _mm512_unpackhi_epi64(p[i], p[i + 1]),
            )
        };
        let ((a, e), (b, f), (c, g), (d, h)) = (pair(0), pair(2), pair(4), pair(6));
        let (even, odd) = (lanes(a, b, c, d), lanes(e, f, g, h));
        for (w, codes) in codes.0.as_chunks_mut::<64>().0.iter_mut().enumerate() {
            let words = if w % 2 == 0 { even[w / 2] } else { odd[w / 2] };
            let rows = _mm512_permutexvar_epi8(order, words);
            let code = _mm512_gf2p8affine_epi64_epi8::<0>(identity, rows);
            // SAFETY: `codes` is 64 bytes, as many as the store takes; no alignment is asked.
            unsafe { _mm512_storeu_si512(codes.as_mut_ptr().cast(), code) }
        }
    }
}

/// Transposes 4 x 4 lanes of 128 bits.
#[inline]
#[target_feature(enable = "avx512f")]
fn lanes(a: __m512i, b: __m512i, c: __m512i, d: __m512i) -> [__m512i; 4] {
    let (ab_even, ab_odd) = (
        _mm512_shuffle_i64x2::<0x88>(a, b),
        _mm512_shuffle_i64x2::<0xdd>(a, b),
    );
    let (cd_even, cd_odd) = (
        _mm512_shuffle_i64x2::<0x88>(c, d),
        _mm512_shuffle_i64x2::<0xdd>(c, d),
    );
    [
        _mm512_shuffle_i64x2::<0x88>(ab_even, cd_even),
        _mm512_shuffle_i64x2::<0x88>(ab_odd, cd_odd),
        _mm512_shuffle_i64x2::<0xdd>(ab_even, cd_even),
        _mm512_shuffle_i64x2::<0xdd>(ab_odd, cd_odd),
    ]
}
