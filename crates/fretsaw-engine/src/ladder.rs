//! Ladders: the comparisons of one column, answered together.
//!
//! A value is looked for once among up to 255 cuts, which gives its rank: how many cuts are not
//! above it. `x < cuts[i]` is then `rank <= i`. This loses nothing. Ranks are held as planes, one
//! of each binary digit, so that any cut's predicate is one logic operation on planes that answer
//! for the two halves of the digits (`kernel::ladder`). What is compared one by one is not here.

use std::ops::Range;

use fretsaw_model::ceil32;

/// Cuts that the digits of a rank can tell apart.
pub(crate) const MAX_CUTS: usize = 255;
/// Digits of a rank.
pub(crate) const DIGITS: usize = 8;
/// Levels that cost about the same as fewer.
const MIN_LEVELS: u32 = 5;
/// Predicates of a column that are worth a search.
const MIN_RUNGS: usize = 8;

/// Some cuts of a column, next to each other in order, and the predicates about them.
#[derive(Clone, Debug)]
pub(crate) struct Ladder {
    pub(crate) column: u32,
    /// Levels of the search tree: 5 to 8.
    pub(crate) levels: u32,
    /// The cuts of level `l` from place `2^l` on, `2^levels` in all: what has been compared at
    /// level `i` is bit `i` of the place within the next, so that a step of the search sets a bit
    /// and moves none. The padding is NaN, which no value reaches. For columns of f32,
    pub(crate) narrow: Vec<f32>,
    /// and of f64: empty where rows are compared in f32.
    pub(crate) wide: Vec<f64>,
    /// Predicates that answer no to NaN, and those that answer yes.
    pub(crate) rungs: [Range<usize>; 2],
}

/// Predicates of a column in order of their thresholds, by their answer to NaN: where the first
/// stands in the table, and the thresholds.
pub(crate) type Sides<'a> = [(usize, &'a [f64]); 2];

/// The ladders of a column, and the cut that each of their predicates is about by its place in the
/// table. What is left of the sides is too little to search for.
pub(crate) fn ladders(
    column: u32,
    sides: Sides<'_>,
    wide: bool,
    cut_of: &mut [u8],
) -> (Vec<Ladder>, [Vec<Range<usize>>; 2]) {
    let mut cuts: Vec<f64> = sides.iter().flat_map(|(_, t)| *t).copied().collect();
    cuts.sort_by(f64::total_cmp);
    cuts.dedup();
    let (mut ladders, mut rest) = (Vec::new(), [Vec::new(), Vec::new()]);
    // As even as can be, so that none is left short.
    let n_chunks = cuts.len().div_ceil(MAX_CUTS).max(1);
    for cuts in cuts.chunks(cuts.len().div_ceil(n_chunks).max(1)) {
        let (first, last) = (cuts[0], cuts[cuts.len() - 1]);
        let rungs = sides.map(|(at, t)| {
            at + t.partition_point(|&t| t < first)..at + t.partition_point(|&t| t <= last)
        });
        if rungs.iter().map(Range::len).sum::<usize>() < MIN_RUNGS {
            for (rest, rungs) in rest.iter_mut().zip(rungs) {
                rest.push(rungs);
            }
            continue;
        }
        for ((at, thresholds), rungs) in sides.iter().zip(&rungs) {
            for i in rungs.clone() {
                cut_of[i] = cuts.partition_point(|&c| c < thresholds[i - at]) as u8;
            }
        }
        let levels = (usize::BITS - cuts.len().leading_zeros()).max(MIN_LEVELS);
        ladders.push(Ladder {
            column,
            levels,
            narrow: tree(levels, |i| cuts.get(i).map_or(f32::NAN, |&c| ceil32(c))),
            wide: match wide {
                true => tree(levels, |i| cuts.get(i).copied().unwrap_or(f64::NAN)),
                false => Vec::new(),
            },
            rungs,
        });
    }
    (ladders, rest)
}

/// Cuts in order as a tree.
fn tree<T: Copy>(levels: u32, cut: impl Fn(usize) -> T) -> Vec<T> {
    let n = 1 << levels;
    // Place 0 is never looked at.
    let mut tree = vec![cut(0); n];
    for (at, slot) in tree.iter_mut().enumerate().skip(1) {
        // The node's level, and its place from the left there, tell the cut it stands for.
        let level = at.ilog2();
        let place =
            (at - (1 << level)).reverse_bits() >> (usize::BITS - level).min(usize::BITS - 1);
        *slot = cut(((2 * place + 1) << (levels - 1 - level)) - 1);
    }
    tree
}

impl Ladder {
    pub(crate) fn memory(&self) -> usize {
        size_of::<Self>() + size_of_val(&self.narrow[..]) + size_of_val(&self.wide[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_answer_as_comparisons_do() {
        for n in [8, 31, 32, 100, 127, 128, 255, 256, 700] {
            let thresholds: Vec<f64> = (0..n).map(|i| f64::from(i) * 0.5 - 3.0).collect();
            let mut cut_of = vec![0; thresholds.len()];
            let sides = [(0, &[][..]), (0, &thresholds[..])];
            let (ladders, rest) = ladders(0, sides, true, &mut cut_of);
            assert!(rest.iter().all(Vec::is_empty));
            let covered: usize = ladders.iter().map(|l| l.rungs[1].len()).sum();
            assert_eq!(covered, thresholds.len());
            for ladder in &ladders {
                for x in (-20..1600).map(|i| f64::from(i) * 0.25) {
                    let (mut place, mut rank) = (0, 0);
                    for level in 0..ladder.levels {
                        let at = (1 << level) + place;
                        let right = usize::from(x >= ladder.wide[at]);
                        assert_eq!(right == 1, x as f32 >= ladder.narrow[at]);
                        place |= right << level;
                        rank = 2 * rank + right;
                    }
                    for i in ladder.rungs[1].clone() {
                        let holds = rank <= usize::from(cut_of[i]);
                        assert_eq!(holds, x < thresholds[i], "{x} < {} of {n}", thresholds[i]);
                    }
                }
            }
        }
    }
}
