//! Few rows: a row's bytes in up to four registers of sixteen, looked up by `vpshufb`.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::few::{Held, Plain, segment};
use crate::few::bytes::{Line, Ranker, RowBytes};
use crate::few::tables::{Ask, Pools, Questions};
use crate::few::{Few, Segment};
use crate::predicate::SetTest;

/// 16, 32 or 64 columns, sixteen a register, in both of its halves.
///
/// Made only within functions compiled for AVX2 and BMI2, which is what the `SAFETY` comments of its
/// methods rest on.
#[derive(Clone, Copy)]
struct Registers<const N: usize>([__m256i; N]);

impl<const N: usize> Registers<N> {
    #[inline(always)]
    fn load(bytes: &RowBytes) -> Self {
        // SAFETY: sixteen bytes, as many as the load takes; see `Registers` for the instruction set.
        unsafe {
            let mut registers = [_mm256_setzero_si256(); N];
            for (register, part) in registers.iter_mut().zip(bytes.0.as_chunks::<16>().0) {
                *register = _mm256_broadcastsi128_si256(_mm_loadu_si128(part.as_ptr().cast()));
            }
            Self(registers)
        }
    }

    /// Whether each of 32 columns is not above its cut.
    #[inline(always)]
    fn not_above(self, columns: __m256i, cuts: __m256i) -> u32 {
        // SAFETY: see `Registers` for the instruction set.
        unsafe {
            let mut ranks = _mm256_setzero_si256();
            for (i, register) in self.0.iter().enumerate() {
                // Numbers of this register's columns become 0x70 to 0x7f, others 0x80 and more,
                // for which the look-up gives 0.
                let within = _mm256_xor_si256(columns, _mm256_set1_epi8(16 * i as i8));
                let within = _mm256_adds_epu8(within, _mm256_set1_epi8(0x70));
                ranks = _mm256_or_si256(ranks, _mm256_shuffle_epi8(*register, within));
            }
            let most = _mm256_max_epu8(ranks, cuts);
            _mm256_movemask_epi8(_mm256_cmpeq_epi8(most, cuts)) as u32
        }
    }
}

impl<const N: usize> Held for Registers<N> {
    #[inline(always)]
    fn above(self, questions: &Questions) -> u64 {
        let mut not_above = 0;
        for half in 0..2 {
            // SAFETY: two times 32 of 64 bytes, aligned to 32; see `Registers` for the instruction
            // set.
            let (columns, cuts) = unsafe {
                let (columns, cuts) = (&raw const questions.columns, &raw const questions.cuts);
                (
                    _mm256_load_si256(columns.cast::<__m256i>().add(half)),
                    _mm256_load_si256(cuts.cast::<__m256i>().add(half)),
                )
            };
            not_above |= u64::from(self.not_above(columns, cuts)) << (32 * half);
        }
        !not_above
    }

    #[inline(always)]
    fn eight(self, ask: &Ask) -> u8 {
        // SAFETY: both arrays are 8 bytes; see `Registers` for the instruction set.
        let (columns, cuts) = unsafe {
            (
                _mm256_castsi128_si256(_mm_loadl_epi64((&raw const ask.columns).cast())),
                _mm256_castsi128_si256(_mm_loadl_epi64((&raw const ask.cuts).cast())),
            )
        };
        !self.not_above(columns, cuts) as u8
    }

    #[inline(always)]
    fn lowest(self, word: u64, n: u32) -> u64 {
        // SAFETY: see `Registers` for the instruction set.
        unsafe { _bzhi_u64(word, n) }
    }

    #[inline(always)]
    fn prefetch<T>(self, of: &[T], at: usize) {
        let what = of.as_ptr().wrapping_add(at);
        // SAFETY: a prefetch touches nothing; see `Registers` for the instruction set.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(what.cast()) }
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt")]
pub(super) fn few_inner<V: Copy, S: Copy>(
    few: &Few,
    which: &Segment,
    pools: &Pools<V>,
    bytes: &RowBytes,
    sum: S,
    add: impl FnMut(S, usize, V) -> S,
) -> S {
    match few.ranker.n_columns() {
        0..=16 => segment(Registers::<1>::load(bytes), few, which, pools, sum, add),
        17..=32 => segment(Registers::<2>::load(bytes), few, which, pools, sum, add),
        33..=64 => segment(Registers::<4>::load(bytes), few, which, pools, sum, add),
        _ => segment(Plain(bytes), few, which, pools, sum, add),
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt")]
pub(super) fn rank_f32_inner(ranker: &Ranker, x: &[f32], sets: &[SetTest], bytes: &mut RowBytes) {
    ranker.rank(x, sets, bytes, |line: &Line<f32>, x| {
        let x = _mm256_set1_ps(x);
        let mut reached = 0;
        for eight in line.0.as_chunks::<8>().0 {
            // SAFETY: eight f32, as many as the load takes; no alignment is asked.
            let cuts = unsafe { _mm256_loadu_ps(eight.as_ptr()) };
            let le = _mm256_cmp_ps::<_CMP_LE_OQ>(cuts, x);
            reached += _mm256_movemask_ps(le).count_ones();
        }
        reached
    });
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt")]
pub(super) fn rank_f64_inner(ranker: &Ranker, x: &[f64], sets: &[SetTest], bytes: &mut RowBytes) {
    ranker.rank(x, sets, bytes, |line: &Line<f64>, x| {
        let x = _mm256_set1_pd(x);
        let mut reached = 0;
        for four in line.0.as_chunks::<4>().0 {
            // SAFETY: four f64, as many as the load takes; no alignment is asked.
            let cuts = unsafe { _mm256_loadu_pd(four.as_ptr()) };
            let le = _mm256_cmp_pd::<_CMP_LE_OQ>(cuts, x);
            reached += _mm256_movemask_pd(le).count_ones();
        }
        reached
    });
}
