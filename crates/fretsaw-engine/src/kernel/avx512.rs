//! AVX-512: a plane is a register, a split one ternary operation, a leaf table a few registers.
//!
//! Two flavours of the last stages: with VBMI and GFNI planes become codes by an 8 x 8 bit
//! transposition and leaves are looked up a byte at a time (one `vpermb` for 64 rows each);
//! without, codes are masked adds and leaves are looked up as whole values.
//!
//! unsafe: calls into functions compiled for AVX-512, loads and stores of whole registers, and
//! planes taken without bounds checks.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{Lookups, SumMut, plain, portable, shape};
use crate::block::{Block, Plane, WORDS};
use crate::circuit::{MAX_BITS, Mux, Route, Routes};
use crate::leaves::{Job, NARROW, Tables, Values, WIDE};
use crate::predicate::Ranks;

macro_rules! entry {
    ($name:ident => $inner:ident($($arg:ident: $ty:ty),*)) => {
        pub(super) fn $name($($arg: $ty),*) {
            // SAFETY: only a plan for the `Isa` of this kernel comes here, and `Plan::compile`
            // refuses an instruction set that `Isa::is_available` does not find.
            unsafe { $inner($($arg),*) }
        }
    };
}

entry!(less_f32 => less_f32_inner(column: &Block<f32>, cuts: &[f32], nan: bool, words: usize, out: &mut [Plane]));
entry!(less_f64 => less_f64_inner(column: &Block<f64>, cuts: &[f64], nan: bool, words: usize, out: &mut [Plane]));
entry!(ranks => ranks_inner(column: &Block<f32>, ranks: &Ranks, words: usize, below: &mut Block<u8>, above: &mut Block<u8>));
entry!(not_above => not_above_inner(ranks: &Block<u8>, cuts: &[u8], words: usize, out: &mut [Plane]));
entry!(codes => codes_masked(routes: &Routes, ops: &[Mux], which: &[Route], planes: &mut [Plane], codes: &mut [Block<u8>]));
entry!(codes_vbmi => codes_transposed(routes: &Routes, ops: &[Mux], which: &[Route], planes: &mut [Plane], codes: &mut [Block<u8>]));
entry!(add => add_values(lookups: Lookups<'_>, sum: SumMut<'_>));
entry!(add_vbmi => add_bytes(lookups: Lookups<'_>, sum: SumMut<'_>));

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn less_f32_inner(column: &Block<f32>, cuts: &[f32], nan: bool, words: usize, out: &mut [Plane]) {
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
fn less_f64_inner(column: &Block<f64>, cuts: &[f64], nan: bool, words: usize, out: &mut [Plane]) {
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
fn ranks_inner(
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
fn not_above_inner(ranks: &Block<u8>, cuts: &[u8], words: usize, out: &mut [Plane]) {
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

#[inline]
#[target_feature(enable = "avx512f")]
fn load(plane: &Plane) -> __m512i {
    // SAFETY: a plane is 64 bytes and aligned to them.
    unsafe { _mm512_load_si512((&raw const plane.0).cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(plane: &mut Plane, value: __m512i) {
    // SAFETY: a plane is 64 bytes and aligned to them.
    unsafe { _mm512_store_si512((&raw mut plane.0).cast(), value) }
}

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
fn codes_masked(
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
fn codes_transposed(
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

/// Values of 64 rows as bytes: `[j]` holds byte `j` of each.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn look_up<const N: usize>(lines: &[Plane], wide: bool, codes: __m512i) -> [__m512i; N] {
    if wide {
        let upper = _mm512_movepi8_mask(codes);
        let half = |a: &Plane, b: &Plane| _mm512_permutex2var_epi8(load(a), codes, load(b));
        std::array::from_fn(|j| {
            let l = &lines[4 * j..4 * j + 4];
            _mm512_mask_blend_epi8(upper, half(&l[0], &l[1]), half(&l[2], &l[3]))
        })
    } else {
        std::array::from_fn(|j| _mm512_permutexvar_epi8(codes, load(&lines[j])))
    }
}

/// Joins bytes to 32-bit values, in the order of `byte_slot`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn join4(b: [__m512i; 4]) -> [__m512i; 4] {
    let (l01, h01) = (
        _mm512_unpacklo_epi8(b[0], b[1]),
        _mm512_unpackhi_epi8(b[0], b[1]),
    );
    let (l23, h23) = (
        _mm512_unpacklo_epi8(b[2], b[3]),
        _mm512_unpackhi_epi8(b[2], b[3]),
    );
    [
        _mm512_unpacklo_epi16(l01, l23),
        _mm512_unpackhi_epi16(l01, l23),
        _mm512_unpacklo_epi16(h01, h23),
        _mm512_unpackhi_epi16(h01, h23),
    ]
}

/// The same for 64-bit values.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn join8(b: [__m512i; 8]) -> [__m512i; 8] {
    let low = join4([b[0], b[1], b[2], b[3]]);
    let high = join4([b[4], b[5], b[6], b[7]]);
    std::array::from_fn(|i| {
        if i % 2 == 0 {
            _mm512_unpacklo_epi32(low[i / 2], high[i / 2])
        } else {
            _mm512_unpackhi_epi32(low[i / 2], high[i / 2])
        }
    })
}

/// The codes of 64 rows.
#[inline]
#[target_feature(enable = "avx512f")]
fn codes_of(codes: &Block<u8>, w: usize) -> __m512i {
    let codes = &codes.0.as_chunks::<64>().0[w];
    // SAFETY: `codes` is 64 bytes, as many as the load takes; no alignment is asked.
    unsafe { _mm512_loadu_si512(codes.as_ptr().cast()) }
}

macro_rules! add_bytes {
    ($name:ident, $value:ty, $bytes:literal, $join:ident, $load:ident, $store:ident, $add:ident, $cast:expr) => {
        #[inline]
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,gfni")]
        fn $name<const WIDE: bool>(l: Lookups<'_>, lines: &[Plane], sum: &mut Block<$value>) {
            const EACH: usize = 64 / $bytes;
            let n_lines = if WIDE { 4 * $bytes } else { $bytes };
            let sums = sum.0.as_chunks_mut::<64>().0[..l.words].iter_mut();
            for (w, sums) in sums.enumerate() {
                let mut acc: [_; $bytes] = std::array::from_fn(|i| {
                    // SAFETY: `$bytes` registers of `EACH` values are the 64 sums.
                    unsafe { $load(sums.as_ptr().add(EACH * i).cast()) }
                });
                for job in l.jobs {
                    let lines = &lines[job.table as usize..][..n_lines];
                    let codes = codes_of(&l.codes[job.slot as usize], w);
                    let values = $join(look_up::<$bytes>(lines, WIDE, codes));
                    for (acc, value) in acc.iter_mut().zip(values) {
                        *acc = $add(*acc, $cast(value));
                    }
                }
                for (i, acc) in acc.into_iter().enumerate() {
                    // SAFETY: as for the load.
                    unsafe { $store(sums.as_mut_ptr().add(EACH * i).cast(), acc) }
                }
            }
        }
    };
}

add_bytes!(
    add_bytes_f32,
    f32,
    4,
    join4,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_add_ps,
    |v| { _mm512_castsi512_ps(v) }
);
add_bytes!(
    add_bytes_f64,
    f64,
    8,
    join8,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_add_pd,
    |v| { _mm512_castsi512_pd(v) }
);
add_bytes!(
    add_bytes_i32,
    i32,
    4,
    join4,
    _mm512_loadu_si512,
    _mm512_storeu_si512,
    _mm512_add_epi32,
    |v| v
);

/// Integers of one or two bytes: summed in 16 bits, then widened, weighted and added.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,gfni")]
fn add_short<const BYTES: usize, const WIDE: bool>(
    l: Lookups<'_>,
    lines: &[Plane],
    sum: &mut Block<i32>,
) {
    let n_lines = if WIDE { 4 * BYTES } else { BYTES };
    let ones = _mm512_set1_epi8(1);
    let weight = _mm512_set1_epi32(l.run.weight);
    let bytes = |job: &Job, w: usize| -> [__m512i; BYTES] {
        let lines = &lines[job.table as usize..][..n_lines];
        look_up::<BYTES>(lines, WIDE, codes_of(&l.codes[job.slot as usize], w))
    };
    let sums = sum.0.as_chunks_mut::<64>().0[..l.words].iter_mut();
    for (w, sums) in sums.enumerate() {
        // Rows 0..8 and 8..16 of each 128-bit lane.
        let mut acc = [_mm512_setzero_si512(); 2];
        if BYTES == 2 {
            for job in l.jobs {
                let b = bytes(job, w);
                acc[0] = _mm512_add_epi16(acc[0], _mm512_unpacklo_epi8(b[0], b[BYTES - 1]));
                acc[1] = _mm512_add_epi16(acc[1], _mm512_unpackhi_epi8(b[0], b[BYTES - 1]));
            }
        } else {
            // Two trees side by side; the multiplication by 1 adds them, as 16 bits.
            for pair in l.jobs.chunks(2) {
                let a = bytes(&pair[0], w)[0];
                let b = match pair.get(1) {
                    Some(job) => bytes(job, w)[0],
                    None => _mm512_setzero_si512(),
                };
                let low = _mm512_maddubs_epi16(ones, _mm512_unpacklo_epi8(a, b));
                let high = _mm512_maddubs_epi16(ones, _mm512_unpackhi_epi8(a, b));
                acc[0] = _mm512_add_epi16(acc[0], low);
                acc[1] = _mm512_add_epi16(acc[1], high);
            }
        }
        let wider = [
            _mm512_unpacklo_epi16(acc[0], acc[0]),
            _mm512_unpackhi_epi16(acc[0], acc[0]),
            _mm512_unpacklo_epi16(acc[1], acc[1]),
            _mm512_unpackhi_epi16(acc[1], acc[1]),
        ];
        for (sums, twice) in sums.as_chunks_mut::<16>().0.iter_mut().zip(wider) {
            let value = _mm512_mullo_epi32(_mm512_srai_epi32::<16>(twice), weight);
            // SAFETY: 16 sums, as many as the load and the store take; no alignment is asked.
            unsafe {
                let before = _mm512_loadu_si512(sums.as_ptr().cast());
                let after = _mm512_add_epi32(before, value);
                _mm512_storeu_si512(sums.as_mut_ptr().cast(), after);
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,gfni")]
fn add_bytes(l: Lookups<'_>, sum: SumMut<'_>) {
    let Tables::Bytes { lines, .. } = l.tables else {
        unreachable!("a plan for this kernel has tables of bytes");
    };
    match (sum, l.run.bytes, l.run.wide) {
        (SumMut::F32(sum), _, false) => add_bytes_f32::<false>(l, lines, sum),
        (SumMut::F32(sum), _, true) => add_bytes_f32::<true>(l, lines, sum),
        (SumMut::F64(sum), _, false) => add_bytes_f64::<false>(l, lines, sum),
        (SumMut::F64(sum), _, true) => add_bytes_f64::<true>(l, lines, sum),
        (SumMut::I32(sum), 1, false) => add_short::<1, false>(l, lines, sum),
        (SumMut::I32(sum), 1, true) => add_short::<1, true>(l, lines, sum),
        (SumMut::I32(sum), 2, false) => add_short::<2, false>(l, lines, sum),
        (SumMut::I32(sum), 2, true) => add_short::<2, true>(l, lines, sum),
        (SumMut::I32(sum), _, false) => add_bytes_i32::<false>(l, lines, sum),
        (SumMut::I32(sum), _, true) => add_bytes_i32::<true>(l, lines, sum),
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn add_values(l: Lookups<'_>, sum: SumMut<'_>) {
    match (l.tables, sum, l.run.wide) {
        (Tables::Plain(Values::F32(values)), SumMut::F32(sum), false) => {
            narrow_f32(l, values, sum);
        }
        (Tables::Plain(Values::I32(values)), SumMut::I32(sum), false) => {
            narrow_i32(l, values, sum);
        }
        (Tables::Plain(Values::F64(values)), SumMut::F64(sum), wide) => {
            gather_f64(l, values, if wide { WIDE } else { NARROW }, sum);
        }
        (_, sum, _) => portable::add(l, sum),
    }
}

macro_rules! narrow {
    ($name:ident, $value:ty, $load:ident, $store:ident, $permute:ident, $blend:ident, $add:ident) => {
        /// 64 values of 32 bits in four registers: two permutations and a blend for 16 rows.
        #[inline]
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
        fn $name(l: Lookups<'_>, values: &[$value], sum: &mut Block<$value>) {
            for job in l.jobs {
                let table = plain(values, job, NARROW);
                let t: [_; 4] = std::array::from_fn(|i| {
                    let part = &table[16 * i..16 * i + 16];
                    // SAFETY: 16 values, as many as the load takes; no alignment is asked.
                    unsafe { $load(part.as_ptr().cast()) }
                });
                let codes = l.codes[job.slot as usize].0.as_chunks::<16>().0;
                let sums = sum.0.as_chunks_mut::<16>().0;
                for (codes, sums) in codes.iter().zip(sums).take(4 * l.words) {
                    // SAFETY: 16 codes and 16 sums, as many as the loads and the store take.
                    unsafe {
                        let code = _mm512_cvtepu8_epi32(_mm_loadu_si128(codes.as_ptr().cast()));
                        let upper = _mm512_test_epi32_mask(code, _mm512_set1_epi32(32));
                        let low = $permute(t[0], code, t[1]);
                        let high = $permute(t[2], code, t[3]);
                        let before = $load(sums.as_ptr().cast());
                        let after = $add(before, $blend(upper, low, high));
                        $store(sums.as_mut_ptr().cast(), after);
                    }
                }
            }
        }
    };
}

narrow!(
    narrow_f32,
    f32,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_permutex2var_ps,
    _mm512_mask_blend_ps,
    _mm512_add_ps
);
narrow!(
    narrow_i32,
    i32,
    _mm512_loadu_si512,
    _mm512_storeu_si512,
    _mm512_permutex2var_epi32,
    _mm512_mask_blend_epi32,
    _mm512_add_epi32
);

/// `n` values of 64 bits are too many for registers: gathered.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn gather_f64(l: Lookups<'_>, values: &[f64], n: usize, sum: &mut Block<f64>) {
    let within = _mm256_set1_epi32(n as i32 - 1);
    for job in l.jobs {
        let table = plain(values, job, n);
        let codes = l.codes[job.slot as usize].0.as_chunks::<8>().0;
        let sums = sum.0.as_chunks_mut::<8>().0;
        for (&codes, sums) in codes.iter().zip(sums).take(8 * l.words) {
            let codes = _mm_cvtsi64_si128(i64::from_le_bytes(codes));
            let code = _mm256_and_si256(_mm256_cvtepu8_epi32(codes), within);
            // SAFETY: the table holds `n` values, 64 or 256, and `code` is below `n` by the mask;
            // 8 sums, as many as the load and the store take.
            unsafe {
                let value = _mm512_i32gather_pd::<8>(code, table.as_ptr());
                let after = _mm512_add_pd(_mm512_loadu_pd(sums.as_ptr()), value);
                _mm512_storeu_pd(sums.as_mut_ptr(), after);
            }
        }
    }
}
