//! Bit-slicing on arrays of words: for any processor, and the parts that others share.

use super::ladder::{Digits, fill, rung, search};
use super::{Lookups, SumMut, plain, shape};
use crate::block::{Block, Plane, ROWS, Value, WORDS};
use crate::circuit::{MAX_BITS, Mux, Route, Routes};
use crate::ladder::Ladder;
use crate::leaves::{Leaf, Tables, Values};

pub(super) fn less<T: Value>(
    column: &Block<T>,
    cuts: &[T],
    nan: bool,
    words: usize,
    out: &mut [Plane],
) {
    for (&cut, out) in cuts.iter().zip(out) {
        for (word, rows) in out.0[..words].iter_mut().zip(column.0.as_chunks::<64>().0) {
            let mut bytes = [0_u8; 64];
            if nan {
                for (byte, &x) in bytes.iter_mut().zip(rows) {
                    // True of NaN too, which is the point.
                    #[allow(clippy::neg_cmp_op_on_partial_ord)]
                    let holds = !(x >= cut);
                    *byte = u8::from(holds);
                }
            } else {
                for (byte, &x) in bytes.iter_mut().zip(rows) {
                    *byte = u8::from(x < cut);
                }
            }
            *word = pack(&bytes);
        }
    }
}

pub(super) fn climb<T: Value>(
    column: &Block<T>,
    tree: &[T],
    ladder: &Ladder,
    cut: &[u8],
    words: usize,
    planes: &mut [Plane],
) {
    let mut digits = Digits::ZERO;
    search(column, tree, ladder.levels, words, &mut digits);
    fill(&digits, ladder, cut, planes, rung);
}

/// 64 bytes of 0 or 1 as bits.
#[inline(always)]
pub(super) fn pack(bytes: &[u8; 64]) -> u64 {
    bytes
        .as_chunks::<8>()
        .0
        .iter()
        .enumerate()
        .fold(0, |word, (i, &eight)| {
            // The product's top byte collects one bit of each byte; no two meet.
            let bits = u64::from_le_bytes(eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            word | bits << (8 * i)
        })
}

type Words = [u64; WORDS];

#[inline(always)]
fn mux(select: Words, yes: Words, no: Words) -> Words {
    std::array::from_fn(|w| no[w] ^ (select[w] & (yes[w] ^ no[w])))
}

pub(super) fn codes(
    routes: &Routes,
    ops: &[Mux],
    which: &[Route],
    planes: &mut [Plane],
    codes: &mut [Block<u8>],
) {
    for op in ops {
        let [select, yes, no] = [op.select, op.yes, op.no].map(|plane| planes[plane as usize].0);
        planes[op.out as usize].0 = mux(select, yes, no);
    }
    for (route, codes) in which.iter().zip(codes) {
        let (bits, n) = bits(routes, route, planes);
        spread(&bits[..n], codes);
    }
}

/// The bits of a tree's codes, lowest first, and how many there are.
fn bits(routes: &Routes, route: &Route, planes: &[Plane]) -> ([Words; MAX_BITS], usize) {
    let mut out = [[0; WORDS]; MAX_BITS];
    match *route {
        Route::Complete { depth, first } => {
            let heap = &routes.heap[first as usize..][..(1 << depth) - 1];
            let load = |i: usize| planes[heap[i] as usize].0;
            macro_rules! level {
                ($depth:tt) => {{
                    let planes = shape::node!($depth, 0, load, mux);
                    for (out, plane) in out.iter_mut().zip(planes.iter().rev()) {
                        *out = *plane;
                    }
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
                *out = planes[plane as usize].0;
            }
            (out, usize::from(bits))
        }
    }
}

/// Turns planes into one code a row, eight rows at a time.
pub(super) fn spread(bits: &[Words], codes: &mut Block<u8>) {
    for (at, eight) in codes.0.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let mut all = 0_u64;
        for (b, plane) in bits.iter().enumerate() {
            let byte = plane[at / 8] >> (8 * (at % 8)) & 0xff;
            // Bit i of the byte alone in byte i, then moved to its lowest place.
            let alone = byte.wrapping_mul(0x0101_0101_0101_0101) & 0x8040_2010_0804_0201;
            let ones = (alone + 0x7f7f_7f7f_7f7f_7f7f) >> 7 & 0x0101_0101_0101_0101;
            all |= ones << b;
        }
        *eight = all.to_le_bytes();
    }
}

pub(super) fn add(lookups: Lookups<'_>, sum: SumMut<'_>) {
    match (lookups.tables, sum) {
        (Tables::Plain(Values::F32(values)), SumMut::F32(sum)) => add_to(lookups, values, sum),
        (Tables::Plain(Values::F64(values)), SumMut::F64(sum)) => add_to(lookups, values, sum),
        (Tables::Plain(Values::I32(values)), SumMut::I32(sum)) => add_to(lookups, values, sum),
        _ => unreachable!("a plan's tables and sums are of one type"),
    }
}

fn add_to<A: Leaf>(lookups: Lookups<'_>, values: &[A], sum: &mut Block<A>) {
    match lookups.run.width {
        64 => add_width::<A, 64>(lookups, values, sum),
        128 => add_width::<A, 128>(lookups, values, sum),
        _ => add_width::<A, 256>(lookups, values, sum),
    }
}

/// `N` is a power of two, so that no code needs a bounds check.
fn add_width<A: Leaf, const N: usize>(lookups: Lookups<'_>, values: &[A], sum: &mut Block<A>) {
    for job in lookups.jobs {
        let Ok(table) = <&[A; N]>::try_from(plain(values, job, N)) else {
            continue;
        };
        let codes = &lookups.codes[job.slot as usize].0;
        for (sum, &code) in sum.0.iter_mut().zip(codes).take(lookups.words * 64) {
            *sum = sum.plus(table[usize::from(code) % N]);
        }
    }
    const { assert!(N.is_power_of_two() && N <= ROWS) };
}
