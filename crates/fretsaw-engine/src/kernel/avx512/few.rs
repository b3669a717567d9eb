//! Few rows: a row's bytes in registers, 64 of them looked up by one permutation.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::few::{Held, segment};
use crate::few::bytes::{Line, Ranker, RowBytes};
use crate::few::tables::{Ask, EXIT, Pools, Questions, SLOTS};
use crate::few::{Few, Segment};
use crate::predicate::SetTest;

/// 64, 128 or 256 columns in 1, 2 or 4 registers.
///
/// Made only within functions compiled for AVX-512 with VBMI, which is what the `SAFETY` comments
/// of its methods rest on.
#[derive(Clone, Copy)]
struct Registers<const N: usize>([__m512i; N]);

impl<const N: usize> Registers<N> {
    #[inline(always)]
    fn load(bytes: &RowBytes) -> Self {
        Self(std::array::from_fn(|i| {
            let part = &bytes.0[64 * i..64 * i + 64];
            // SAFETY: `part` is 64 bytes; see `Registers` for the instruction set.
            unsafe { _mm512_loadu_si512(part.as_ptr().cast()) }
        }))
    }

    #[inline(always)]
    fn look_up(self, columns: __m512i) -> __m512i {
        // SAFETY: see `Registers` for the instruction set.
        unsafe {
            match N {
                1 => _mm512_permutexvar_epi8(columns, self.0[0]),
                2 => _mm512_permutex2var_epi8(self.0[0], columns, self.0[N - 1]),
                _ => _mm512_mask_blend_epi8(
                    _mm512_movepi8_mask(columns),
                    _mm512_permutex2var_epi8(self.0[0], columns, self.0[1 % N]),
                    _mm512_permutex2var_epi8(self.0[2 % N], columns, self.0[3 % N]),
                ),
            }
        }
    }
}

impl<const N: usize> Held for Registers<N> {
    #[inline(always)]
    fn above(self, questions: &Questions) -> u64 {
        // SAFETY: both arrays are 64 bytes and aligned to them; see `Registers` for the
        // instruction set.
        unsafe {
            let columns = _mm512_load_si512((&raw const questions.columns).cast());
            let cuts = _mm512_load_si512((&raw const questions.cuts).cast());
            _mm512_cmpgt_epu8_mask(self.look_up(columns), cuts)
        }
    }

    #[inline(always)]
    fn eight(self, ask: &Ask) -> u8 {
        // SAFETY: both arrays are 8 bytes; see `Registers` for the instruction set.
        unsafe {
            let columns = _mm_loadl_epi64((&raw const ask.columns).cast());
            let cuts = _mm_loadl_epi64((&raw const ask.cuts).cast());
            let ranks = self.look_up(_mm512_castsi128_si512(columns));
            _mm_cmpgt_epu8_mask(_mm512_castsi512_si128(ranks), cuts) as u8
        }
    }

    #[inline(always)]
    fn exits(self, questions: &Questions) -> [u8; SLOTS] {
        let answers = self.above(questions);
        let exits: &[u8; 128] = &EXITS_BY_ANSWERS;
        // SAFETY: the table is two registers; see `Registers` for the instruction set.
        let exits = unsafe {
            let low = _mm512_loadu_si512(exits.as_ptr().cast());
            let high = _mm512_loadu_si512(exits.as_ptr().add(64).cast());
            let answers = _mm512_castsi128_si512(_mm_cvtsi64_si128(answers as i64));
            let exits = _mm512_permutex2var_epi8(low, answers, high);
            _mm_cvtsi128_si64(_mm512_castsi512_si128(exits))
        };
        exits.to_le_bytes()
    }

    #[inline(always)]
    fn lowest(self, word: u64, n: u32) -> u64 {
        // SAFETY: every processor with AVX2 here has BMI2; see `Isa::is_available`.
        unsafe { _bzhi_u64(word, n) }
    }

    #[inline(always)]
    fn prefetch<T>(self, of: &[T], at: usize) {
        let what = of.as_ptr().wrapping_add(at);
        // SAFETY: a prefetch touches nothing; see `Registers` for the instruction set.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(what.cast()) }
    }
}

/// [`EXIT`] as bytes, of the seven answers that count.
static EXITS_BY_ANSWERS: [u8; 128] = {
    let mut exits = [0; 128];
    let mut at = 0;
    while at < exits.len() {
        exits[at] = EXIT[at] as u8;
        at += 1;
    }
    exits
};

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,bmi1,bmi2,popcnt,lzcnt")]
pub(super) fn few_inner<V: Copy, S: Copy>(
    few: &Few,
    which: &Segment,
    pools: &Pools<V>,
    bytes: &RowBytes,
    sum: S,
    add: impl FnMut(S, usize, V) -> S,
) -> S {
    match few.ranker.n_columns() {
        0..=64 => segment(Registers::<1>::load(bytes), few, which, pools, sum, add),
        65..=128 => segment(Registers::<2>::load(bytes), few, which, pools, sum, add),
        _ => segment(Registers::<4>::load(bytes), few, which, pools, sum, add),
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,popcnt,lzcnt")]
pub(super) fn rank_f32_inner(ranker: &Ranker, x: &[f32], sets: &[SetTest], bytes: &mut RowBytes) {
    ranker.rank(x, sets, bytes, |line: &Line<f32>, x| {
        // SAFETY: a line is sixteen f32 and aligned to 64 bytes.
        let cuts = unsafe { _mm512_load_ps(line.0.as_ptr()) };
        u32::from(_mm512_cmp_ps_mask::<_CMP_LE_OQ>(cuts, _mm512_set1_ps(x))).count_ones()
    });
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,popcnt,lzcnt")]
pub(super) fn rank_f64_inner(ranker: &Ranker, x: &[f64], sets: &[SetTest], bytes: &mut RowBytes) {
    ranker.rank(x, sets, bytes, |line: &Line<f64>, x| {
        let x = _mm512_set1_pd(x);
        // SAFETY: a line is sixteen f64, and aligned to 64 bytes.
        let [low, high] = [0, 8].map(|at| unsafe { _mm512_load_pd(line.0.as_ptr().add(at)) });
        let low = u32::from(_mm512_cmp_pd_mask::<_CMP_LE_OQ>(low, x));
        let high = u32::from(_mm512_cmp_pd_mask::<_CMP_LE_OQ>(high, x));
        (low | high << 8).count_ones()
    });
}
