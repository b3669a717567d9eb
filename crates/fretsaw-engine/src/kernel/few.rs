//! Few rows: the leaves of a segment's trees for one row, whatever looks its bytes up.
//!
//! The loops are written once and compiled anew for each instruction set; what differs is how a
//! row's bytes are held ([`Held`]). Nothing here waits for one tree before it starts the next, so
//! that the processor has as many in flight as it can hold.

use std::hint::black_box;

use crate::block::Value;
use crate::few::bytes::{Line as Cuts, RowBytes};
use crate::few::tables::{Ask, EXIT, EXITS, Levels, Pools, Questions, SLOTS};
use crate::few::words::{MAX_NODES, Turns, slot};
use crate::few::{Few, Kind, Segment};

/// A row's bytes, held so that many columns are looked up at once.
pub(super) trait Held: Copy {
    /// Whether each of 64 columns is above its cut.
    fn above(self, questions: &Questions) -> u64;
    /// The same of eight.
    fn eight(self, ask: &Ask) -> u8;
    /// To which of eight subtrees each of eight trees leads.
    #[inline(always)]
    fn exits(self, questions: &Questions) -> [u8; SLOTS] {
        let mut exits = self.above(questions).to_le_bytes();
        for exit in &mut exits {
            *exit = EXIT[usize::from(*exit)] as u8;
        }
        exits
    }
    /// The lowest `n` bits of a word, of which it has 64.
    fn lowest(self, word: u64, n: u32) -> u64;
    /// Asks for what is soon needed.
    fn prefetch<T>(self, of: &[T], at: usize);
}

/// What the first answers of trees lead to.
trait Below<V>: Copy {
    /// Where each of eight trees goes on, whose leaves or lines start at `firsts`.
    fn next(self, held: impl Held, questions: &Questions, firsts: &[u32; SLOTS]) -> [u32; SLOTS];
    /// The leaf that a tree comes to from there.
    fn leaf(self, held: impl Held, at: u32) -> V;
    /// Asks for what that will take.
    fn prefetch(self, held: impl Held, at: u32);
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
        plus(firsts, by)
    }

    #[inline(always)]
    fn leaf(self, _: impl Held, at: u32) -> V {
        self.0[at as usize]
    }

    #[inline(always)]
    fn prefetch(self, _: impl Held, _: u32) {
        // One load a tree, which nothing else waits for: it is early enough by itself.
    }
}

/// As many lines below each other.
#[derive(Clone, Copy)]
struct Lines<'a, V, const N: usize>(&'a Levels<V>);

impl<V: Copy, const N: usize> Below<V> for Lines<'_, V, N> {
    #[inline(always)]
    fn next(self, held: impl Held, questions: &Questions, firsts: &[u32; SLOTS]) -> [u32; SLOTS] {
        let exits = held.exits(questions);
        let mut next = plus(firsts, exits);
        for at in &mut next {
            for asks in &self.0.asks[..N - 1] {
                let exit = exit(held.eight(&asks[*at as usize]));
                *at = EXITS as u32 * *at + exit as u32;
            }
        }
        next
    }

    #[inline(always)]
    fn leaf(self, held: impl Held, at: u32) -> V {
        let line = &self.0.lines[at as usize];
        line.leaves[exit(held.eight(&line.ask))]
    }

    #[inline(always)]
    fn prefetch(self, held: impl Held, at: u32) {
        held.prefetch(&self.0.lines, at as usize);
    }
}

// Loops, not `array::from_fn`: that is a function of its own, which is compiled for any processor.
#[inline(always)]
fn plus(firsts: &[u32; SLOTS], by: [u8; SLOTS]) -> [u32; SLOTS] {
    let mut sums = *firsts;
    for i in 0..SLOTS {
        sums[i] += u32::from(by[i]);
    }
    sums
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
    add: impl FnMut(S, usize, V) -> S,
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
        Kind::Words => words(held, few, segment, &pools.leaves, sum, add),
        Kind::Walk => sum,
    }
}

/// Eights whose first answers are found before any is added,
const RUN: usize = 16;
/// and trees from one's line being asked for to its being used.
const AHEAD: usize = 8;

/// The same of a segment that takes eight trees at a time.
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
    let questions = few.eights[range.clone()].chunks(RUN);
    let firsts = few.firsts[range].chunks(RUN);
    let mut places = [0; SLOTS * RUN + AHEAD];
    let mut tree = 0;
    for (questions, firsts) in questions.zip(firsts) {
        let of_eights = questions.iter().zip(firsts);
        for (places, (questions, firsts)) in places.as_chunks_mut().0.iter_mut().zip(of_eights) {
            *places = below.next(held, questions, firsts);
        }
        let n_here = (n - tree).min(SLOTS * RUN);
        for (&at, &later) in places[..n_here].iter().zip(&places[AHEAD..]) {
            below.prefetch(held, later);
            sum = add(sum, tree, below.leaf(held, at));
            tree += 1;
        }
    }
    sum
}

/// Eights of words that are taken together.
const WORD_RUN: usize = 4;

/// The same of a segment of words. A run of them is asked, then all turn, then all find their leaves,
/// and last these are added: each step has many trees that wait for nothing but memory.
#[inline(always)]
fn words<V: Copy, S: Copy>(
    held: impl Held,
    few: &Few,
    segment: &Segment,
    leaves: &[V],
    mut sum: S,
    mut add: impl FnMut(S, usize, V) -> S,
) -> S {
    let n = segment.trees.len();
    let range = segment.first..segment.first + n.div_ceil(SLOTS);
    let words = few.words[range.clone()].chunks(WORD_RUN);
    let turns = few.turns[range].chunks(WORD_RUN);
    let mut far = [[0; SLOTS]; WORD_RUN];
    let mut nodes = [[0; SLOTS]; WORD_RUN];
    let mut places = [[0; SLOTS]; WORD_RUN];
    let mut tree = 0;
    for (words, turns) in words.zip(turns) {
        for ((far, words), turns) in far.iter_mut().zip(words).zip(turns) {
            for i in 0..SLOTS {
                far[i] = held.above(&words[i]) ^ turns.flip[i];
            }
        }
        for ((nodes, far), turns) in nodes.iter_mut().zip(&far).zip(turns) {
            *nodes = turns.turn(held, far);
        }
        for (((places, nodes), far), turns) in places.iter_mut().zip(&nodes).zip(&far).zip(turns) {
            for i in 0..SLOTS {
                let ends = held.lowest(turns.ends[i], MAX_NODES as u32 - nodes[i]);
                let slot = slot(nodes[i], ends, far[i]);
                // One by one: as a vector they would only be taken apart again.
                places[i] = black_box(turns.leaf[i].wrapping_add(slot));
                held.prefetch(leaves, places[i] as usize);
            }
        }
        let n_here = (n - tree).min(SLOTS * WORD_RUN);
        for &at in &places.as_flattened()[..n_here] {
            sum = add(sum, tree, leaves[at as usize]);
            tree += 1;
        }
    }
    sum
}

impl Turns {
    /// The last node of each tree's way, given where it turns far.
    #[inline(always)]
    fn turn(&self, held: impl Held, far: &[u64; SLOTS]) -> [u32; SLOTS] {
        let (mut stops, mut nodes) = ([0; SLOTS], [0; SLOTS]);
        for i in 0..SLOTS {
            stops[i] = far[i] | self.ends[i];
            nodes[i] = stops[i].leading_zeros();
        }
        for _ in 0..self.n_turns {
            for i in 0..SLOTS {
                // Where a turn leads to a leaf it leads back here.
                let from = self.far[MAX_NODES * i + nodes[i] as usize];
                nodes[i] = held.lowest(stops[i], u32::from(from)).leading_zeros();
            }
        }
        nodes
    }
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
    fn lowest(self, word: u64, n: u32) -> u64 {
        word & u64::MAX.checked_shl(n).map_or(u64::MAX, |above| !above)
    }

    #[inline(always)]
    fn prefetch<T>(self, _: &[T], _: usize) {}

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
