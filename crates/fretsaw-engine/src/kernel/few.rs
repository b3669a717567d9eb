//! Few rows: the leaves of a segment's trees for one row, whatever looks its bytes up.
//!
//! The loops are written once and compiled anew for each instruction set; what differs is how a
//! row's bytes are held ([`Held`]). Nothing here waits for one tree before it starts the next, so
//! that the processor has as many in flight as it can hold.

use crate::block::Value;
use crate::few::bytes::{Line as Cuts, RowBytes};
use crate::few::tables::{Ask, EXIT, EXITS, Levels, Pools, Questions, SLOTS};
use crate::few::words::{Masks, Turns, slot};
use crate::few::{Few, Kind, Segment};

/// A row's bytes, held so that many columns are looked up at once.
pub(super) trait Held: Copy {
    /// Whether each of 64 columns is above its cut.
    fn above(self, questions: &Questions) -> u64;
    /// The same of eight.
    fn eight(self, ask: &Ask) -> u8;
    /// To which of eight subtrees each of eight trees leads.
    fn exits(self, questions: &Questions) -> [u8; SLOTS];
    /// Asks for what is soon needed.
    fn prefetch<T>(self, what: &T);
}

/// What the first answers of trees lead to.
trait Below<V>: Copy {
    /// Where each of eight trees goes on, whose leaves or lines start at `firsts`.
    fn next(self, held: impl Held, questions: &Questions, firsts: &[u32; SLOTS]) -> [u32; SLOTS];
    /// The leaf that a tree comes to from there.
    fn leaf(self, held: impl Held, at: u32) -> V;
}

/// Leaves, by the answers themselves or (`COMPLETE`) by where three complete levels lead.
#[derive(Clone, Copy)]
struct Tables<'a, V, const COMPLETE: bool>(&'a [V]);

impl<V: Copy, const COMPLETE: bool> Below<V> for Tables<'_, V, COMPLETE> {
    #[inline(always)]
    fn next(self, held: impl Held, questions: &Questions, firsts: &[u32; SLOTS]) -> [u32; SLOTS] {
        let by = if COMPLETE {
            held.exits(questions)
        } else {
            held.above(questions).to_le_bytes()
        };
        std::array::from_fn(|i| firsts[i] + u32::from(by[i]))
    }

    #[inline(always)]
    fn leaf(self, _: impl Held, at: u32) -> V {
        self.0[at as usize]
    }
}

/// As many lines below each other.
#[derive(Clone, Copy)]
struct Lines<'a, V, const N: usize>(&'a Levels<V>);

impl<V: Copy, const N: usize> Below<V> for Lines<'_, V, N> {
    #[inline(always)]
    fn next(self, held: impl Held, questions: &Questions, firsts: &[u32; SLOTS]) -> [u32; SLOTS] {
        let exits = held.exits(questions);
        let mut next = std::array::from_fn(|i| firsts[i] + u32::from(exits[i]));
        for at in &mut next {
            for asks in &self.0.asks[..N - 1] {
                let exit = exit(held.eight(&asks[*at as usize]));
                *at = EXITS as u32 * *at + exit as u32;
            }
            held.prefetch(&self.0.lines[*at as usize]);
        }
        next
    }

    #[inline(always)]
    fn leaf(self, held: impl Held, at: u32) -> V {
        let line = &self.0.lines[at as usize];
        line.leaves[exit(held.eight(&line.ask))]
    }
}

/// The subtree that a heap of answers leads to.
#[inline(always)]
fn exit(answers: u8) -> usize {
    EXIT[usize::from(answers)] as usize
}

/// Adds the leaves of the segment's trees to `sum`, in order; `add` gets the tree's place in the
/// segment too.
#[inline(always)]
pub(super) fn segment<H: Held, V: Copy, S: Copy>(
    held: H,
    few: &Few,
    segment: &Segment,
    pools: &Pools<V>,
    sum: S,
    mut add: impl FnMut(S, usize, V) -> S,
) -> S {
    let levels = &pools.levels;
    match segment.kind {
        Kind::Table => eights(
            held,
            few,
            segment,
            Tables::<V, false>(&pools.leaves),
            sum,
            add,
        ),
        Kind::Lines(0) => eights(
            held,
            few,
            segment,
            Tables::<V, true>(&pools.leaves),
            sum,
            add,
        ),
        Kind::Lines(1) => eights(held, few, segment, Lines::<V, 1>(&levels[0]), sum, add),
        Kind::Lines(2) => eights(held, few, segment, Lines::<V, 2>(&levels[1]), sum, add),
        Kind::Lines(_) => eights(held, few, segment, Lines::<V, 3>(&levels[2]), sum, add),
        Kind::Words(n_turns) => {
            let mut sum = sum;
            let range = segment.first..segment.first + segment.trees.len();
            let of_trees = few.words[range.clone()].iter();
            let of_trees = of_trees
                .zip(&few.turns[range.clone()])
                .zip(&few.masks[range]);
            for (tree, ((questions, turns), masks)) in of_trees.enumerate() {
                let at = word(held.above(questions), turns, masks, n_turns);
                sum = add(sum, tree, pools.leaves[at]);
            }
            sum
        }
        Kind::Walk => sum,
    }
}

/// The same of a segment that takes eight trees at a time. While their leaves are added, it is
/// found out where the next eight go on.
#[inline(always)]
fn eights<V: Copy, S: Copy>(
    held: impl Held,
    few: &Few,
    segment: &Segment,
    below: impl Below<V>,
    mut sum: S,
    mut add: impl FnMut(S, usize, V) -> S,
) -> S {
    let n = segment.trees.len();
    let range = segment.first..segment.first + n.div_ceil(SLOTS);
    let of_trees = few.eights[range.clone()].iter().zip(&few.firsts[range]);
    let mut ready = [0; SLOTS];
    let mut first = 0;
    for (i, (questions, firsts)) in of_trees.enumerate() {
        let next = below.next(held, questions, firsts);
        if i > 0 {
            for (i, &at) in ready.iter().enumerate() {
                sum = add(sum, first + i, below.leaf(held, at));
            }
            first += SLOTS;
        }
        ready = next;
    }
    for (i, &at) in ready[..n - first].iter().enumerate() {
        sum = add(sum, first + i, below.leaf(held, at));
    }
    sum
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
    fn exits(self, questions: &Questions) -> [u8; SLOTS] {
        self.above(questions)
            .to_le_bytes()
            .map(|answers| exit(answers) as u8)
    }

    #[inline(always)]
    fn prefetch<T>(self, _: &T) {}

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
