//! Leaves: codes looked up in registers, 16 bits of a value at a time, joined and added.
//!
//! Of 64 codes in a register the even ones are indices as they stand (a permutation of words looks
//! at no more than it needs), the odd ones after a shift. Tables of more than 64 codes are more
//! permutations, blended by the codes' upper bits.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::{Lookups, SumMut};
use super::{codes_of, load};
use crate::block::{Block, Plane};
use crate::leaves::Tables;

/// Codes of 32 rows, and where their upper bits are set.
struct Codes {
    words: __m512i,
    upper: [__mmask32; 2],
}

/// The codes of even rows and of odd ones.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn parted<const PAIRS: usize>(codes: __m512i) -> [Codes; 2] {
    [codes, _mm512_srli_epi16::<8>(codes)].map(|words| Codes {
        words,
        upper: match PAIRS {
            1 => [0; 2],
            _ => [64, 128].map(|bit| _mm512_test_epi16_mask(words, _mm512_set1_epi16(bit))),
        },
    })
}

/// One word of the values of 32 rows.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn look_up<const PAIRS: usize>(lines: &[Plane], codes: &Codes) -> __m512i {
    let pair = |p: usize| {
        _mm512_permutex2var_epi16(load(&lines[2 * p]), codes.words, load(&lines[2 * p + 1]))
    };
    let four = |p: usize| _mm512_mask_blend_epi16(codes.upper[0], pair(p), pair(p + 1));
    match PAIRS {
        1 => pair(0),
        2 => four(0),
        _ => _mm512_mask_blend_epi16(codes.upper[1], four(0), four(2)),
    }
}

/// 32-bit values of 64 rows in the order of `line_slot`. `first` is their word of the table, in
/// words of a value.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn join2<const PAIRS: usize>(lines: &[Plane], codes: &[Codes; 2], first: usize) -> [__m512i; 4] {
    let word = |j: usize, codes| look_up::<PAIRS>(&lines[2 * PAIRS * j..][..2 * PAIRS], codes);
    let [even, odd] = codes;
    let (low, high) = (word(first, even), word(first + 1, even));
    let (odd_low, odd_high) = (word(first, odd), word(first + 1, odd));
    [
        _mm512_unpacklo_epi16(low, high),
        _mm512_unpackhi_epi16(low, high),
        _mm512_unpacklo_epi16(odd_low, odd_high),
        _mm512_unpackhi_epi16(odd_low, odd_high),
    ]
}

/// The same for 64-bit values.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn join4<const PAIRS: usize>(lines: &[Plane], codes: &[Codes; 2], _: usize) -> [__m512i; 8] {
    let low = join2::<PAIRS>(lines, codes, 0);
    let high = join2::<PAIRS>(lines, codes, 2);
    std::array::from_fn(|i| match i % 2 {
        0 => _mm512_unpacklo_epi32(low[i / 2], high[i / 2]),
        _ => _mm512_unpackhi_epi32(low[i / 2], high[i / 2]),
    })
}

macro_rules! add {
    ($name:ident, $value:ty, $registers:literal, $join:ident, $load:ident, $store:ident, $add:ident, $cast:expr) => {
        #[inline]
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
        fn $name<const PAIRS: usize>(l: Lookups<'_>, lines: &[Plane], sum: &mut Block<$value>) {
            const EACH: usize = 64 / $registers;
            // A value is half as many words as 64 of them are registers.
            const WORDS: usize = $registers / 2;
            let sums = sum.0.as_chunks_mut::<64>().0[..l.words].iter_mut();
            for (w, sums) in sums.enumerate() {
                let mut acc: [_; $registers] = std::array::from_fn(|i| {
                    // SAFETY: `$registers` registers of `EACH` values are the 64 sums.
                    unsafe { $load(sums.as_ptr().add(EACH * i).cast()) }
                });
                for job in l.jobs {
                    let lines = &lines[job.table as usize..][..2 * PAIRS * WORDS];
                    let codes = parted::<PAIRS>(codes_of(&l.codes[job.slot as usize], w));
                    let values = $join::<PAIRS>(lines, &codes, 0);
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
    join2,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_add_ps,
    |v| { _mm512_castsi512_ps(v) }
);
add!(
    add_f64,
    f64,
    8,
    join4,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_add_pd,
    |v| { _mm512_castsi512_pd(v) }
);
add!(
    add_i32,
    i32,
    4,
    join2,
    _mm512_loadu_si512,
    _mm512_storeu_si512,
    _mm512_add_epi32,
    |v| v
);

/// Integers of two bytes: summed in 16 bits, then widened, weighted and added.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn add_i16<const PAIRS: usize>(l: Lookups<'_>, lines: &[Plane], sum: &mut Block<i32>) {
    for (w, sums) in sum.0.as_chunks_mut::<64>().0[..l.words]
        .iter_mut()
        .enumerate()
    {
        let mut acc = [_mm512_setzero_si512(); 2];
        for job in l.jobs {
            let lines = &lines[job.table as usize..][..2 * PAIRS];
            let codes = parted::<PAIRS>(codes_of(&l.codes[job.slot as usize], w));
            for (acc, codes) in acc.iter_mut().zip(&codes) {
                *acc = _mm512_add_epi16(*acc, look_up::<PAIRS>(lines, codes));
            }
        }
        add_weighted(sums, acc, l.run.weight);
    }
}

/// Integers of one byte, likewise.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,gfni")]
pub(super) fn add_octets(l: Lookups<'_>, sum: &mut Block<i32>) {
    let lines = lines_of(&l);
    match l.run.width {
        64 => add_i8::<1>(l, lines, sum),
        128 => add_i8::<2>(l, lines, sum),
        _ => add_i8::<4>(l, lines, sum),
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,gfni")]
fn add_i8<const LINES: usize>(l: Lookups<'_>, lines: &[Plane], sum: &mut Block<i32>) {
    // A multiplication by 1 and by 0 widens every other byte.
    let take = [_mm512_set1_epi16(1), _mm512_set1_epi16(256)];
    for (w, sums) in sum.0.as_chunks_mut::<64>().0[..l.words]
        .iter_mut()
        .enumerate()
    {
        let mut acc = [_mm512_setzero_si512(); 2];
        for job in l.jobs {
            let lines = &lines[job.table as usize..][..LINES];
            let codes = codes_of(&l.codes[job.slot as usize], w);
            let two =
                |p: usize| _mm512_permutex2var_epi8(load(&lines[p]), codes, load(&lines[p + 1]));
            let values = match LINES {
                1 => _mm512_permutexvar_epi8(codes, load(&lines[0])),
                2 => two(0),
                _ => _mm512_mask_blend_epi8(_mm512_movepi8_mask(codes), two(0), two(2)),
            };
            for (acc, take) in acc.iter_mut().zip(take) {
                *acc = _mm512_add_epi16(*acc, _mm512_maddubs_epi16(take, values));
            }
        }
        add_weighted(sums, acc, l.run.weight);
    }
}

/// Adds 16-bit sums of even and odd rows, times a weight.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn add_weighted(sums: &mut [i32; 64], [even, odd]: [__m512i; 2], weight: i32) {
    let weight = _mm512_set1_epi32(weight);
    let twice = [
        _mm512_unpacklo_epi16(even, even),
        _mm512_unpackhi_epi16(even, even),
        _mm512_unpacklo_epi16(odd, odd),
        _mm512_unpackhi_epi16(odd, odd),
    ];
    for (sums, twice) in sums.as_chunks_mut::<16>().0.iter_mut().zip(twice) {
        let value = _mm512_mullo_epi32(_mm512_srai_epi32::<16>(twice), weight);
        // SAFETY: 16 sums, as many as the load and the store take; no alignment is asked.
        unsafe {
            let before = _mm512_loadu_si512(sums.as_ptr().cast());
            let after = _mm512_add_epi32(before, value);
            _mm512_storeu_si512(sums.as_mut_ptr().cast(), after);
        }
    }
}

fn lines_of<'a>(l: &Lookups<'a>) -> &'a [Plane] {
    match l.tables {
        Tables::Lines { lines, .. } => lines,
        Tables::Plain(_) => unreachable!("a plan for this kernel has tables of lines"),
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) fn add_lines(l: Lookups<'_>, sum: SumMut<'_>) {
    let lines = lines_of(&l);
    macro_rules! by_width {
        ($add:ident, $sum:ident) => {
            match l.run.width {
                64 => $add::<1>(l, lines, $sum),
                128 => $add::<2>(l, lines, $sum),
                _ => $add::<4>(l, lines, $sum),
            }
        };
    }
    match (sum, l.run.bytes) {
        (SumMut::F32(sum), _) => by_width!(add_f32, sum),
        (SumMut::F64(sum), _) => by_width!(add_f64, sum),
        (SumMut::I32(sum), 2) => by_width!(add_i16, sum),
        (SumMut::I32(sum), _) => by_width!(add_i32, sum),
    }
}
