//! Ladders over a block: ranks as planes of their digits, then each cut's predicate from them.
//!
//! With `h` and `l` the upper and lower four digits, `rank <= 16 a + b` is `h <= a` and either
//! `h <= a - 1` or `l <= b`: one ternary operation on the planes of `h <= ...` and `l <= ...`, of
//! which there are 16 each, and a whole line written. The code is plain and compiled anew for each
//! instruction set; where a search in registers is faster, it is written there.

use super::portable::pack;
use crate::block::{Block, Plane, Value, WORDS};
use crate::ladder::{DIGITS, Ladder};

/// The ranks of a block, as planes.
pub(super) struct Digits {
    /// Each binary digit, the lowest first. NaN has rank 0.
    pub(super) bits: [Plane; DIGITS],
    /// Where the value is NaN.
    pub(super) missing: Plane,
}

impl Digits {
    pub(super) const ZERO: Self = Self {
        bits: [Plane::ZERO; DIGITS],
        missing: Plane::ZERO,
    };
}

/// Looks for the values of the first `words * 64` rows, one by one. `digits` are 0.
#[inline(always)]
pub(super) fn search<T: Value>(
    column: &Block<T>,
    tree: &[T],
    levels: u32,
    words: usize,
    digits: &mut Digits,
) {
    match levels {
        ..=5 => search_by::<T, 5, 32>(column, tree, words, digits),
        6 => search_by::<T, 6, 64>(column, tree, words, digits),
        7 => search_by::<T, 7, 128>(column, tree, words, digits),
        _ => search_by::<T, 8, 256>(column, tree, words, digits),
    }
}

#[inline(always)]
fn search_by<T: Value, const LEVELS: usize, const N: usize>(
    column: &Block<T>,
    tree: &[T],
    words: usize,
    digits: &mut Digits,
) {
    const { assert!(N == 1 << LEVELS) };
    let Ok(tree) = <&[T; N]>::try_from(tree) else {
        unreachable!("a ladder's tree has as many cuts as its levels hold");
    };
    for (w, rows) in column.0.as_chunks::<64>().0[..words].iter().enumerate() {
        for (i, eight) in rows.as_chunks::<8>().0.iter().enumerate() {
            let mut places = [0; 8];
            for (place, x) in places.iter_mut().zip(eight) {
                let mut at = 0;
                for level in 0..LEVELS {
                    let first = 1 << level;
                    at |= usize::from(*x >= tree[first + (at & (first - 1))]) << level;
                }
                *place = at as u8;
            }
            let levels = transposed(u64::from_le_bytes(places)).to_le_bytes();
            // What was compared first is the highest digit.
            for (bits, level) in digits.bits[..LEVELS].iter_mut().rev().zip(levels) {
                bits.0[w] |= u64::from(level) << (8 * i);
            }
        }
        digits.missing.0[w] = pack(&rows.map(|x| u8::from(x.is_missing())));
    }
}

/// Bit `i` of byte `j` for bit `j` of byte `i`.
#[inline(always)]
fn transposed(mut x: u64) -> u64 {
    for (by, mask) in [
        (7, 0x00aa_00aa_00aa_00aa),
        (14, 0x0000_cccc_0000_cccc),
        (28, 0x0000_0000_f0f0_f0f0),
    ] {
        let t = (x ^ x >> by) & mask;
        x ^= t ^ t << by;
    }
    x
}

/// Writes the planes of all predicates of the ladder. `cut` tells the cut of each predicate of the
/// table; `rung(here, below, low, out)` is [`rung`], left to the caller because a compiler that
/// has gathers prefers them, cut by cut, to whole planes.
#[inline(always)]
pub(super) fn fill(
    digits: &Digits,
    ladder: &Ladder,
    cut: &[u8],
    planes: &mut [Plane],
    rung: impl Fn(&Plane, &Plane, &Plane, &mut Plane),
) {
    let [b0, b1, b2, b3, b4, b5, b6, b7] = &digits.bits;
    let low = up_to([b0, b1, b2, b3], &rung);
    let up_to_high = up_to([b4, b5, b6, b7], &rung);
    for (rungs, nan) in ladder.rungs.iter().zip([false, true]) {
        // NaN has rank 0, which is at most anything.
        let allowed = match nan {
            true => Plane::ONE,
            false => each(|w| !digits.missing.0[w]),
        };
        // Entry `a + 1` is `h <= a`.
        let mut high = [Plane::ZERO; 17];
        for (high, up_to) in high[1..].iter_mut().zip(&up_to_high) {
            rung(up_to, &Plane::ZERO, &allowed, high);
        }
        for (&cut, out) in cut[rungs.clone()].iter().zip(&mut planes[rungs.clone()]) {
            let (a, b) = (usize::from(cut >> 4), usize::from(cut & 15));
            rung(&high[a + 1], &high[a], &low[b], out);
        }
    }
}

/// A number is at most another if its upper part is at most the other's (`here`), and below it or
/// its lower part at most the other's.
#[inline(always)]
pub(super) fn rung(here: &Plane, below: &Plane, low: &Plane, out: &mut Plane) {
    *out = each(|w| here.0[w] & (below.0[w] | low.0[w]));
}

/// For each `k` of four digits, lowest first: whether the number is at most `k`.
#[inline(always)]
fn up_to(
    [b0, b1, b2, b3]: [&Plane; 4],
    rung: impl Fn(&Plane, &Plane, &Plane, &mut Plane),
) -> [Plane; 16] {
    let of_two = |b0: &Plane, b1: &Plane| {
        [
            each(|w| !(b0.0[w] | b1.0[w])),
            each(|w| !b1.0[w]),
            each(|w| !(b0.0[w] & b1.0[w])),
            Plane::ONE,
        ]
    };
    let (low, high) = (of_two(b0, b1), of_two(b2, b3));
    let mut out = [Plane::ZERO; 16];
    let mut below = &Plane::ZERO;
    for (out, here) in out.as_chunks_mut::<4>().0.iter_mut().zip(&high) {
        for (out, low) in out.iter_mut().zip(&low) {
            rung(here, below, low, out);
        }
        below = here;
    }
    out
}

#[inline(always)]
fn each(word: impl Fn(usize) -> u64) -> Plane {
    const { assert!(WORDS == 8) };
    Plane(std::array::from_fn(word))
}
