//! Leaves: codes looked up in registers, a byte at a time or whole, and added.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::{Lookups, SumMut, plain, portable};
use super::{codes_of, load};
use crate::block::{Block, Plane};
use crate::leaves::{Job, NARROW, Tables, Values};

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
pub(super) fn add_bytes(l: Lookups<'_>, sum: SumMut<'_>) {
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
pub(super) fn add_values(l: Lookups<'_>, sum: SumMut<'_>) {
    match (l.tables, sum, l.run.wide) {
        (Tables::Plain(Values::F32(values)), SumMut::F32(sum), false) => {
            narrow_f32(l, values, sum);
        }
        (Tables::Plain(Values::I32(values)), SumMut::I32(sum), false) => {
            narrow_i32(l, values, sum);
        }
        // 64-bit values and wide tables do not fit registers.
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
