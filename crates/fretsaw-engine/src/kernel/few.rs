//! Few rows: the leaves of a segment's trees for one row, whatever looks its bytes up.
//!
//! The loops are written once and compiled anew for each instruction set; what differs is how a
//! row's bytes are held ([`Held`]). Nothing here waits for one tree before it starts the next, so
//! that the processor has as many in flight as it can hold.

use crate::block::Value;
use crate::few::bytes::{Line as Cuts, RowBytes};
use crate::few::tables::{Ask, EXIT, EXITS, Pools, Questions, SLOTS};
use crate::few::words::{Masks, Turns, slot};
use crate::few::{Few, Kind, Segment};

/// A row's bytes, held so that many columns are looked up at once.
pub(super) trait Held: Copy {
    /// Whether each of 64 columns is above its cut.
    fn above(self, questions: &Questions) -> u64;
    /// The same of eight.
    fn eight(self, ask: &Ask) -> u8;
}

/// Runs the body for every tree and the answers to its first eight tests. No closure: one that uses
/// registers must be part of the function that is compiled for them.
macro_rules! eights {
    ($held:ident, $n:ident, $questions:ident, |$tree:ident, $answers:ident| $body:expr) => {{
        let whole = $n / SLOTS;
        for (eight, questions) in $questions[..whole].iter().enumerate() {
            let all = $held.above(questions);
            for i in 0..SLOTS {
                let ($tree, $answers) = (SLOTS * eight + i, (all >> (8 * i)) as u8);
                $body
            }
        }
        if $n > SLOTS * whole {
            let all = $held.above(&$questions[whole]);
            for i in 0..$n - SLOTS * whole {
                let ($tree, $answers) = (SLOTS * whole + i, (all >> (8 * i)) as u8);
                $body
            }
        }
    }};
}

/// The leaves of the segment's trees, in order: `add` gets the tree's place in the segment.
#[inline(always)]
pub(super) fn segment<H: Held, V: Copy>(
    held: H,
    few: &Few,
    segment: &Segment,
    pools: &Pools<V>,
    mut add: impl FnMut(usize, V),
) {
    let n = segment.trees.len();
    let questions = &few.questions[segment.questions..];
    match segment.kind {
        Kind::Table { bits, leaves } => {
            let leaves = &pools.leaves[leaves..][..n << bits];
            eights!(held, n, questions, |tree, answers| {
                add(tree, leaves[(tree << bits) + usize::from(answers)]);
            });
        }
        Kind::Top { leaves } => {
            let leaves = pools.leaves[leaves..].as_chunks::<EXITS>().0;
            eights!(held, n, questions, |tree, answers| {
                add(tree, leaves[tree][exit(answers)]);
            });
        }
        Kind::Lines {
            n: n_lines,
            asks,
            lines,
            first,
        } => {
            let first = &few.first_line[first..][..n];
            let lines = &pools.lines[lines..];
            let (upper, lower) = (&pools.asks[0][asks[0]..], &pools.asks[1][asks[1]..]);
            match n_lines {
                1 => eights!(held, n, questions, |tree, answers| {
                    let line = &lines[first[tree] as usize + exit(answers)];
                    add(tree, line.leaves[exit(held.eight(&line.ask))]);
                }),
                2 => eights!(held, n, questions, |tree, answers| {
                    let at = first[tree] as usize + exit(answers);
                    let line = &lines[EXITS * at + exit(held.eight(&upper[at]))];
                    add(tree, line.leaves[exit(held.eight(&line.ask))]);
                }),
                _ => eights!(held, n, questions, |tree, answers| {
                    let at = first[tree] as usize + exit(answers);
                    let at = EXITS * at + exit(held.eight(&upper[at]));
                    let line = &lines[EXITS * at + exit(held.eight(&lower[at]))];
                    add(tree, line.leaves[exit(held.eight(&line.ask))]);
                }),
            }
        }
        Kind::Words { n_turns, first } => {
            let turns = &few.turns[first..][..n];
            let masks = &few.masks[first..][..n];
            let trees = questions[..n].iter().zip(turns).zip(masks);
            for (tree, ((questions, turns), masks)) in trees.enumerate() {
                let at = word(held.above(questions), turns, masks, n_turns);
                add(tree, pools.leaves[at]);
            }
        }
        Kind::Walk => {}
    }
}

/// The subtree that a heap of answers leads to.
#[inline(always)]
fn exit(answers: u8) -> usize {
    usize::from(EXIT[usize::from(answers)]) % EXITS
}

/// Where the leaf is that the answers to a tree's tests lead to.
#[inline(always)]
fn word(answers: u64, turns: &Turns, masks: &Masks, n_turns: usize) -> usize {
    let far = answers ^ masks.flip;
    let stops = far | masks.ends;
    let mut at = 0_u32;
    for _ in 0..n_turns {
        let stop = at + (stops >> at).trailing_zeros();
        // Where a turn leads to a leaf it leads back here.
        at = u32::from(turns.far[stop as usize % 64]);
    }
    let stop = at + (stops >> at).trailing_zeros();
    masks.first_leaf as usize + slot(stop % 64, masks.ends, far) as usize
}

/// How many of the cuts `x` reaches.
#[inline(always)]
pub(super) fn reached<T: Value>(cuts: &Cuts<T>, x: T) -> u32 {
    cuts.0.iter().map(|&cut| u32::from(x >= cut)).sum()
}

/// Bytes in memory, looked up one by one.
#[derive(Clone, Copy)]
pub(super) struct Plain<'a>(pub(super) &'a RowBytes);

impl Held for Plain<'_> {
    #[inline(always)]
    fn above(self, questions: &Questions) -> u64 {
        let mut answers = 0;
        for (i, (&column, &cut)) in questions.columns.iter().zip(&questions.cuts).enumerate() {
            answers |= u64::from(self.0.0[usize::from(column)] > cut) << i;
        }
        answers
    }

    #[inline(always)]
    fn eight(self, ask: &Ask) -> u8 {
        // Only the answers on the way count.
        let (mut at, mut answers) = (0, 0);
        for _ in 0..3 {
            let above = self.0.0[usize::from(ask.columns[at % SLOTS])] > ask.cuts[at % SLOTS];
            answers |= u8::from(above) << at;
            at = 2 * at + 1 + usize::from(above);
        }
        answers
    }
}
