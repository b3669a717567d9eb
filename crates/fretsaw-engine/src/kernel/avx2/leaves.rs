//! Leaves: codes looked up a byte of the value at a time, joined and added.
//!
//! A shuffle looks 16 bytes up in each 128-bit lane and gives 0 where an index has its highest bit
//! set. So every 16 codes of a table have indices of their own, out of range for all other codes,
//! and what they give is put together by or.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::{Lookups, SumMut};
use crate::block::{Block, Plane};
use crate::leaves::Tables;

/// The indices of 32 codes into each strip of 16.
#[inline]
#[target_feature(enable = "avx2")]
fn indices<const STRIPS: usize>(codes: &[u8; 32]) -> [__m256i; STRIPS] {
    // SAFETY: 32 bytes, as many as the load takes; no alignment is asked.
    let codes = unsafe { _mm256_loadu_si256(codes.as_ptr().cast()) };
    std::array::from_fn(|s| {
        let own = _mm256_xor_si256(codes, _mm256_set1_epi8((16 * s) as i8));
        _mm256_adds_epu8(own, _mm256_set1_epi8(0x70))
    })
}

/// One byte of the values of 32 rows, from lines of 64 codes.
#[inline]
#[target_feature(enable = "avx2")]
fn look_up<const STRIPS: usize>(lines: &[Plane], indices: &[__m256i; STRIPS]) -> __m256i {
    let mut all = _mm256_setzero_si256();
    for (s, &indices) in indices.iter().enumerate() {
        let strip = &lines[s / 4].0.as_chunks::<2>().0[s % 4];
        // SAFETY: 16 bytes, as many as the load takes; no alignment is asked.
        let strip = unsafe { _mm_loadu_si128(strip.as_ptr().cast()) };
        let found = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(strip), indices);
        all = _mm256_or_si256(all, found);
    }
    all
}

/// 32-bit values of 32 rows in the order of `byte_slot`, from four bytes of each.
#[inline]
#[target_feature(enable = "avx2")]
fn join4<const STRIPS: usize>(lines: &[Plane], at: &[__m256i; STRIPS]) -> [__m256i; 4] {
    let byte = |j: usize| look_up(&lines[STRIPS / 4 * j..][..STRIPS / 4], at);
    let (b0, b1, b2, b3) = (byte(0), byte(1), byte(2), byte(3));
    let (l01, h01) = (_mm256_unpacklo_epi8(b0, b1), _mm256_unpackhi_epi8(b0, b1));
    let (l23, h23) = (_mm256_unpacklo_epi8(b2, b3), _mm256_unpackhi_epi8(b2, b3));
    [
        _mm256_unpacklo_epi16(l01, l23),
        _mm256_unpackhi_epi16(l01, l23),
        _mm256_unpacklo_epi16(h01, h23),
        _mm256_unpackhi_epi16(h01, h23),
    ]
}

/// The same for 64-bit values.
#[inline]
#[target_feature(enable = "avx2")]
fn join8<const STRIPS: usize>(lines: &[Plane], at: &[__m256i; STRIPS]) -> [__m256i; 8] {
    let low = join4(lines, at);
    let high = join4(&lines[STRIPS..], at);
    std::array::from_fn(|i| match i % 2 {
        0 => _mm256_unpacklo_epi32(low[i / 2], high[i / 2]),
        _ => _mm256_unpackhi_epi32(low[i / 2], high[i / 2]),
    })
}

macro_rules! add {
    ($name:ident, $value:ty, $bytes:literal, $join:ident, $load:ident, $store:ident, $add:ident, $cast:expr) => {
        #[inline]
        #[target_feature(enable = "avx2")]
        fn $name<const STRIPS: usize>(l: Lookups<'_>, lines: &[Plane], sum: &mut Block<$value>) {
            const EACH: usize = 32 / $bytes;
            let sums = sum.0.as_chunks_mut::<32>().0[..2 * l.words].iter_mut();
            for (half, sums) in sums.enumerate() {
                let mut acc: [_; $bytes] = std::array::from_fn(|i| {
                    // SAFETY: `$bytes` registers of `EACH` values are the 32 sums.
                    unsafe { $load(sums.as_ptr().add(EACH * i).cast()) }
                });
                for job in l.jobs {
                    let lines = &lines[job.table as usize..][..STRIPS / 4 * $bytes];
                    let codes = &l.codes[job.slot as usize].0.as_chunks::<32>().0[half];
                    let values = $join(lines, &indices::<STRIPS>(codes));
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

add!(
    add_f32,
    f32,
    4,
    join4,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_add_ps,
    |v| { _mm256_castsi256_ps(v) }
);
add!(
    add_f64,
    f64,
    8,
    join8,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_add_pd,
    |v| { _mm256_castsi256_pd(v) }
);
add!(
    add_i32,
    i32,
    4,
    join4,
    _mm256_loadu_si256,
    _mm256_storeu_si256,
    _mm256_add_epi32,
    |v| v
);

#[target_feature(enable = "avx2")]
pub(super) fn add_bytes(l: Lookups<'_>, sum: SumMut<'_>) {
    let Tables::Lines { lines, .. } = l.tables else {
        unreachable!("a plan for this kernel has tables of lines");
    };
    macro_rules! by_width {
        ($add:ident, $sum:ident) => {
            match l.run.width {
                64 => $add::<4>(l, lines, $sum),
                128 => $add::<8>(l, lines, $sum),
                _ => $add::<16>(l, lines, $sum),
            }
        };
    }
    match sum {
        SumMut::F32(sum) => by_width!(add_f32, sum),
        SumMut::F64(sum) => by_width!(add_f64, sum),
        SumMut::I32(sum) => by_width!(add_i32, sum),
    }
}
