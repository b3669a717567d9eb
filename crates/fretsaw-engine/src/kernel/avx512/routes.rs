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
        // SAFETY: `Routes::push` makes operations only of planes below `Routes::n_planes` (of a
        // loaded plan, `Routes::check` has looked), and both callers assert that there are as many.
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

macro_rules! codes {
    ($name:ident, $spell:ident, $features:literal) => {
        #[target_feature(enable = $features)]
        pub(super) fn $name(
            routes: &Routes,
            ops: &[Mux],
            which: &[Route],
            planes: &mut [Plane],
            codes: &mut [Block<u8>],
        ) {
            assert!(planes.len() >= routes.n_planes);
            operate(ops, planes);
            for (route, codes) in which.iter().zip(codes) {
                match *route {
                    Route::Complete { depth, first } => {
                        macro_rules! level {
                            ($depth:tt) => {{
                                const N: usize = 1 << $depth;
                                let heap = &routes.heap[first as usize - 1..][..N];
                                let load = |i: usize| {
                                    let pair = heap[(i + 1) & !1..][..2].as_ptr();
                                    // SAFETY: two numbers of 32 bits, read as one of 64.
                                    let pair = unsafe { pair.cast::<u64>().read_unaligned() };
                                    let plane = match i % 2 {
                                        0 => pair >> 32,
                                        _ => pair & 0xffff_ffff,
                                    };
                                    // SAFETY: `Routes::push` puts only planes below
                                    // `routes.n_planes` into the heap (of a loaded plan,
                                    // `Routes::check` has looked), and there are as many.
                                    load(unsafe { planes.get_unchecked(plane as usize) })
                                };
                                $spell(shape::node!($depth, 0, load, mux), codes);
                            }};
                        }
                        match depth {
                            1 => level!(1),
                            2 => level!(2),
                            3 => level!(3),
                            4 => level!(4),
                            5 => level!(5),
                            _ => level!(6),
                        }
                    }
                    Route::Circuit { ref outputs, .. } => {
                        // Planes beyond the tree's bits are 0. The highest comes first.
                        let bits: [__m512i; MAX_BITS] = std::array::from_fn(|i| {
                            load(&planes[outputs[MAX_BITS - 1 - i] as usize])
                        });
                        $spell(bits, codes);
                    }
                }
            }
        }
    };
}

codes!(
    codes_masked,
    spell_masked,
    "avx512f,avx512bw,avx512dq,avx512vl"
);
codes!(
    codes_transposed,
    spell_transposed,
    "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,gfni"
);

/// Turns planes, the highest bit first, into one code a row: each bit is added where it is set.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn spell_masked<const N: usize>(bits: [__m512i; N], codes: &mut Block<u8>) {
    let mut words = [Plane::ZERO; N];
    for (words, bits) in words.iter_mut().zip(bits) {
        store(words, bits);
    }
    for (w, codes) in codes.0.as_chunks_mut::<64>().0.iter_mut().enumerate() {
        let mut code = _mm512_setzero_si512();
        for (i, plane) in words.iter().enumerate() {
            let bit = _mm512_set1_epi8((1_u8 << (N - 1 - i)) as i8);
            code = _mm512_mask_add_epi8(code, plane.0[w], code, bit);
        }
        // SAFETY: `codes` is 64 bytes, as many as the store takes; no alignment is asked.
        unsafe { _mm512_storeu_si512(codes.as_mut_ptr().cast(), code) }
    }
}

/// The same, each 64 bits of eight planes transposed at once.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,gfni")]
fn spell_transposed<const N: usize>(bits: [__m512i; N], codes: &mut Block<u8>) {
    // Lowest bit first, the missing ones 0.
    let p: [__m512i; MAX_BITS] = std::array::from_fn(|b| match b < N {
        true => bits[N - 1 - b],
        false => _mm512_setzero_si512(),
    });
    // Byte `7 - b` of word `i` from byte `i` of plane `b`: as the transposition wants its rows.
    const ORDER: [u8; 64] = {
        let mut order = [0; 64];
        let mut at = 0;
        while at < 64 {
            order[at] = (8 * (7 - at % 8) + at / 8) as u8;
            at += 1;
        }
        order
    };
    // SAFETY: 64 bytes, as many as the load takes; no alignment is asked.
    let order = unsafe { _mm512_loadu_si512(ORDER.as_ptr().cast()) };
    let identity = _mm512_set1_epi64(0x8040_2010_0804_0201_u64 as i64);
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
