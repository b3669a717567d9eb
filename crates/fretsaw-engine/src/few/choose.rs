//! Which way each tree goes for few rows: what the ways cost, and the cheapest sequence of them.
//!
//! Figures are nanoseconds a row on one core of a recent server. Results never depend on the
//! choice.

use std::ops::Range;

use super::tables::{MAX_LINES, Table, n_lines};
use super::words::MAX_NODES;
use crate::cost::Traits;
use crate::isa::Isa;

/// A way for one tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Table,
    /// As many lines below the first three levels.
    Lines(usize),
    Word,
    Walk,
}

const N_WAYS: usize = 4 + MAX_LINES;

impl Way {
    fn number(self) -> usize {
        match self {
            Self::Walk => 0,
            Self::Word => 1,
            Self::Table => 2,
            Self::Lines(n) => 3 + n,
        }
    }

    fn of(number: usize) -> Self {
        match number {
            0 => Self::Walk,
            1 => Self::Word,
            2 => Self::Table,
            n => Self::Lines(n - 3),
        }
    }
}

/// To end one segment and start the next.
const SWITCH: f64 = 6.0;

/// What the ways cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Costs {
    /// To turn one feature's value into its rank.
    pub(super) rank: f64,
    table: f64,
    /// A first line,
    line: f64,
    /// and each below it.
    next_line: f64,
    word: f64,
    /// How much longer a walk takes than where it has kernels of its own.
    walk: f64,
}

impl Costs {
    /// For a row of `n_columns` bytes.
    pub(super) fn of(isa: Isa, n_columns: usize) -> Self {
        let in_registers = match isa {
            Isa::Avx512Vbmi => true,
            Isa::Avx512 | Isa::Avx2 => n_columns <= 64,
            Isa::Portable | Isa::Scalar => false,
        };
        match (isa, in_registers) {
            (Isa::Avx512Vbmi, _) => Self {
                rank: 1.5,
                table: 1.0,
                line: 0.3,
                next_line: 1.5,
                word: 4.0,
                walk: 1.0,
            },
            (_, true) => Self {
                rank: if isa == Isa::Avx2 { 3.0 } else { 1.5 },
                table: 1.5,
                line: 0.5,
                next_line: 2.5,
                word: 6.0,
                walk: 1.0,
            },
            (_, false) => Self {
                rank: 8.0,
                table: 5.5,
                line: 3.0,
                next_line: 4.0,
                word: 40.0,
                walk: if isa < Isa::Avx2 { 2.0 } else { 1.0 },
            },
        }
    }
}

/// Whether a tree can go any other way than to be walked.
pub(super) fn suits(tree: &Traits, n_nodes: usize) -> bool {
    ways(tree, n_nodes, Costs::of(Isa::Avx512Vbmi, 0)).len() > 1
}

/// The ways that a tree can go, and what they cost; the walk is always one.
pub(super) fn ways(tree: &Traits, n_nodes: usize, costs: Costs) -> Vec<(Way, f64)> {
    let mut ways = vec![(Way::Walk, costs.walk * tree.walk_alone())];
    if Table::suits(tree.predicates.len(), tree.depth) {
        ways.push((Way::Table, costs.table));
    }
    for n in n_lines(tree.depth)..=MAX_LINES {
        let top = 1 << tree.depth.saturating_sub(3 * n).min(3);
        let padded = top << (3 * n);
        // Padding may take some memory, but not much more than the walk would.
        if padded <= 8 * n_nodes + 64 {
            let lines = match n {
                0 => 0.0,
                n => costs.line + costs.next_line * (n - 1) as f64,
            };
            ways.push((Way::Lines(n), costs.table + lines));
        }
    }
    if (2..=MAX_NODES + 1).contains(&tree.n_leaves) {
        ways.push((Way::Word, costs.word));
    }
    ways
}

/// The cheapest sequence of segments, and what it costs.
pub(super) fn segments(trees: &[Vec<(Way, f64)>]) -> (Vec<(Way, Range<usize>)>, f64) {
    // For each tree and way: the way of the tree before it, in the cheapest sequence.
    let mut before: Vec<[usize; N_WAYS]> = Vec::with_capacity(trees.len());
    let mut costs = [0.0; N_WAYS];
    let cheapest = |costs: &[f64; N_WAYS]| {
        let at = (0..N_WAYS).min_by(|&a, &b| costs[a].total_cmp(&costs[b]));
        at.unwrap_or(0)
    };
    for ways in trees {
        let best = cheapest(&costs);
        let mut next = [f64::INFINITY; N_WAYS];
        let mut from = [best; N_WAYS];
        for &(way, cost) in ways {
            let way = way.number();
            if costs[way] <= costs[best] + SWITCH {
                from[way] = way;
            }
            let switch = if from[way] == way { 0.0 } else { SWITCH };
            next[way] = costs[from[way]] + switch + cost;
        }
        costs = next;
        before.push(from);
    }
    let mut way = cheapest(&costs);
    let total = costs[way];
    let mut segments: Vec<(Way, Range<usize>)> = Vec::new();
    for (tree, from) in before.iter().enumerate().rev() {
        match segments.last_mut() {
            Some((last, range)) if last.number() == way => range.start = tree,
            _ => segments.push((Way::of(way), tree..tree + 1)),
        }
        way = from[way];
    }
    segments.reverse();
    (segments, total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_must_pay() {
        let only = |way, cost| vec![(Way::Walk, 20.0), (way, cost)];
        let both = vec![(Way::Walk, 20.0), (Way::Word, 3.0), (Way::Lines(1), 1.0)];
        let mut trees = vec![only(Way::Word, 3.0); 3];
        trees.extend(vec![both.clone(); 2]);
        trees.extend(vec![only(Way::Word, 3.0); 3]);
        let (ways, cost) = segments(&trees);
        assert_eq!(ways, [(Way::Word, 0..8)]);
        assert_eq!(cost, 24.0);
        trees.splice(3..5, vec![both; 20]);
        trees.push(vec![(Way::Walk, 20.0)]);
        let (ways, cost) = segments(&trees);
        assert_eq!(
            ways,
            [
                (Way::Word, 0..3),
                (Way::Lines(1), 3..23),
                (Way::Word, 23..26),
                (Way::Walk, 26..27)
            ]
        );
        assert_eq!(cost, 9.0 + 20.0 + 9.0 + 20.0 + 3.0 * SWITCH);
        assert!(segments(&[]).0.is_empty());
    }
}
