//! What must hold of few rows: whatever a row answers, the places that it leads to are there.

use super::check::{Shape, can_ask, ensure, is_range, within};
use crate::array::Stored;
use crate::block::Value;
use crate::error::Error;
use crate::few::bytes::{Line, MAX_COLUMNS, NOWHERE, Ranker, Search};
use crate::few::tables::{EXITS, Levels, MAX_LINES, Pools, Questions, SLOTS};
use crate::few::words::{MAX_NODES, Turns};
use crate::few::{Few, Kind, Leaves, Segment};
use crate::walk::Walk;

/// Cuts that no byte is above, as bits: the answers that can be yes are the others.
fn can_be_above(cuts: &[u8]) -> u64 {
    let bits = cuts.iter().enumerate();
    bits.fold(0, |bits, (i, &cut)| bits | u64::from(cut < u8::MAX) << i)
}

/// The last of eight subtrees that a heap of answers can lead to.
fn last_exit(can_be: u8) -> usize {
    let mut at = 0;
    for _ in 0..3 {
        at = 2 * at + 1 + usize::from(can_be >> at & 1);
    }
    at - (EXITS - 1)
}

impl Few {
    pub(super) fn check(&self, shape: &Shape, walk: &Walk) -> Result<(), Error> {
        self.ranker.check(shape)?;
        ensure(self.leaves_are_of(shape.sum), "leaves of few rows")?;
        let n_trees = walk.trees.len();
        let outputs = self.outputs.iter();
        let holds = outputs.into_iter().all(|&k| (k as usize) < shape.n_outputs)
            && (shape.n_outputs == 1 || self.outputs.len() == n_trees || self.walks());
        ensure(holds, "outputs of few rows")?;
        let mut end = 0;
        for segment in &self.segments {
            let trees = &segment.trees;
            // In order: what is made of the trees that are walked rests on it.
            let holds = is_range(trees, n_trees) && trees.start >= end;
            ensure(holds, "a segment of few rows")?;
            end = trees.end;
            if segment.kind == Kind::Walk {
                ensure(walk.has(trees), "a walk of few rows")?;
                continue;
            }
            let n = trees.len().div_ceil(SLOTS);
            let holds = match segment.kind {
                Kind::Words => {
                    within(segment.first, n, self.words.len())
                        && within(segment.first, n, self.turns.len())
                }
                _ => {
                    within(segment.first, n, self.eights.len())
                        && within(segment.first, n, self.firsts.len())
                }
            };
            ensure(holds, "a segment of few rows")?;
            let holds = match &self.leaves {
                Leaves::F32(pools) => self.leads_on(segment, pools, |_, _| true),
                Leaves::F64(pools) => self.leads_on(segment, pools, |_, _| true),
                Leaves::I32(pools) => self.leads_on(segment, pools, |_, _| true),
                Leaves::Places(pools) => {
                    self.leads_on(segment, pools, |tree, &at| walk.is_place(tree, at))
                }
            };
            ensure(holds, "leaves of few rows")?;
        }
        Ok(())
    }

    /// Whether nothing but walks is here.
    fn walks(&self) -> bool {
        self.segments.iter().all(|s| s.kind == Kind::Walk)
    }

    /// Whether every tree of the segment leads to leaves that are there and that `is_leaf` of it.
    fn leads_on<V>(
        &self,
        segment: &Segment,
        pools: &Pools<V>,
        is_leaf: impl Fn(usize, &V) -> bool,
    ) -> bool {
        let n = segment.trees.len().div_ceil(SLOTS);
        (0..n * SLOTS).all(|i| {
            let (eight, slot) = (segment.first + i / SLOTS, i % SLOTS);
            // The last eight may be of fewer trees; for the others' slots something is looked up too.
            let tree = segment.trees.start + i;
            let is_used = tree < segment.trees.end;
            let is_leaf = |leaf: &V| is_leaf(tree, leaf);
            if segment.kind == Kind::Words {
                let leaves = self.turns[eight].leaves(slot, &self.words[eight][slot]);
                // A word's last slots do no more than turn, in a place that is always there.
                return self.turns[eight].n_turns <= MAX_NODES as u64
                    && (!is_used
                        || leaves.is_some_and(|(first, n)| {
                            within(first, n, pools.leaves.len())
                                && pools.leaves[first..first + n].iter().all(is_leaf)
                        }));
            }
            let first = self.firsts[eight][slot] as usize;
            let Questions { cuts, .. } = &self.eights[eight];
            let can_be = can_be_above(&cuts[SLOTS * slot..][..SLOTS]) as u8;
            let n = match segment.kind {
                Kind::Table => usize::from(can_be) + 1,
                _ => last_exit(can_be) + 1,
            };
            match segment.kind {
                Kind::Lines(0) | Kind::Table => {
                    let n_leaves = pools.leaves.len();
                    first <= MAX_PLACE
                        && (!is_used
                            || within(first, n, n_leaves)
                                && pools.leaves[first..first + n].iter().all(is_leaf))
                }
                Kind::Lines(n_lines @ 1..=MAX_LINES) => {
                    let levels = &pools.levels[n_lines - 1];
                    // Lines are only looked at for trees, but the asks above them for all slots.
                    let lines = levels.lines_below(n_lines, first, n);
                    match is_used {
                        true => lines.is_some_and(|(first, n)| {
                            let lines = levels.lines.get(first..first + n);
                            lines.is_some_and(|lines| {
                                lines.iter().flat_map(|line| &line.leaves).all(is_leaf)
                            })
                        }),
                        false => first <= MAX_PLACE && (n_lines == 1 || lines.is_some()),
                    }
                }
                _ => false,
            }
        })
    }
}

/// Places up to here and what answers add to them are numbers of 32 bits.
const MAX_PLACE: usize = (u32::MAX - 256) as usize;

impl<V> Levels<V> {
    /// Of `n` places from `first` on in the upper of `n_lines` levels, the lines that they lead to;
    /// `None` where a place above them is not there.
    fn lines_below(&self, n_lines: usize, first: usize, n: usize) -> Option<(usize, usize)> {
        let (mut first, mut n) = (first, n);
        for asks in &self.asks[..n_lines - 1] {
            if !within(first, n, asks.len()) || first + n > MAX_PLACE / EXITS {
                return None;
            }
            (first, n) = (first * EXITS, n * EXITS);
        }
        (first + n <= MAX_PLACE).then_some((first, n))
    }
}

impl Turns {
    /// The leaves that the tree at `slot` can come to: the first and how many; `None` where a way
    /// may leave it.
    fn leaves(&self, slot: usize, questions: &Questions) -> Option<(usize, usize)> {
        let ends = self.ends[slot];
        if ends == 0 {
            return None;
        }
        // The last node that a row can turn at is an end: some node is then always found.
        let last = ends.trailing_zeros();
        let stops = can_be_above(&questions.cuts) | self.flip[slot] | ends;
        let n_nodes = MAX_NODES - last as usize;
        let far = &self.far[MAX_NODES * slot..][..n_nodes];
        let onwards = far
            .iter()
            .all(|&bits| usize::from(bits) <= MAX_NODES && u32::from(bits) > last);
        if stops.trailing_zeros() != last || !onwards {
            return None;
        }
        let n_ends = ends.count_ones();
        let first = self.leaf[slot].checked_sub(n_ends + 1)? as usize;
        Some((first, n_nodes + n_ends as usize))
    }
}

impl Ranker {
    fn check(&self, shape: &Shape) -> Result<(), Error> {
        ensure(self.n_columns <= MAX_COLUMNS, "columns of few rows")?;
        let wide = shape.wide(self.narrow.len());
        ensure(self.wide.len() == wide, "cuts of few rows")?;
        for search in &self.searches {
            let holds = (search.feature as usize) < shape.width
                && search.leads_on(&self.narrow)
                && (self.wide.is_empty() || search.leads_on(&self.wide));
            ensure(holds, "a search of few rows")?;
        }
        let mut odd = self.odd.iter();
        let holds = odd.all(|(_, column)| usize::from(*column) < MAX_COLUMNS);
        let odd = self.odd.iter().map(|(predicate, _)| predicate);
        ensure(
            holds && can_ask(odd, shape.width, shape.n_sets),
            "a predicate of few rows",
        )
    }
}

impl Search {
    /// Whether the line that pivots lead to is there: of cuts, as many as there are pivots, and one.
    fn leads_on<T: Value + Stored>(&self, lines: &[Line<T>]) -> bool {
        let n_pivot_lines = usize::from(self.n_pivot_lines);
        let first = self.first as usize;
        if n_pivot_lines == 0 || !within(first, n_pivot_lines, lines.len()) {
            return false;
        }
        let pivots = lines[first..first + n_pivot_lines].iter();
        let is_cut = |cut: &&T| !cut.is_missing();
        let n_pivots = pivots.flat_map(|line| &line.0).filter(is_cut).count();
        let columns = [self.yes, self.no].map(usize::from);
        (self.n_pieces != 1 || n_pivot_lines == 1)
            && columns.iter().all(|&column| column <= NOWHERE)
            && first + n_pivot_lines + n_pivots < lines.len()
    }
}
