//! Small and even trees as tables: eight tests of a tree are one byte, and the byte is looked up.
//!
//! Eight trees at a time ask their first eight tests in one comparison of 64 bytes. What the byte
//! of answers means depends on the tree:
//!
//! - a tree of few distinct tests, or one that asks the same test on all of a level, has a table of
//!   its leaves by that byte;
//! - any other tree takes the upper three levels of its complete form: the byte tells to which of
//!   eight subtrees the row goes. Each subtree is a [`Line`] of three more levels and, at the
//!   bottom, of the eight leaves below them, so that a row touches one or two cache lines a level.
//!
//! Missing nodes are padded: above the root where the depth is no multiple of three, and below
//! leaves that come early.

use crate::array::{Array, Stored, stored};
use crate::circuit::Node;
use crate::few::bytes::Ranker;
use crate::predicate::Predicate;

/// Tests that are asked at once of one tree.
pub(crate) const SLOTS: usize = 8;
/// Distinct tests that a tree's table may be about, if it is no oblivious tree.
const MAX_TESTS: usize = 6;
/// Lines below the first three levels.
pub(crate) const MAX_LINES: usize = 3;
/// Subtrees of a line, and leaves of the last.
pub(crate) const EXITS: usize = 8;

/// Tests that are asked at once: bit `i` of the answer is whether the row's byte `columns[i]` is
/// above `cuts[i]`, that is, whether the test does *not* hold. No byte is above 255.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Questions {
    pub(crate) columns: [u8; 64],
    pub(crate) cuts: [u8; 64],
}

stored!([] Questions { columns, cuts });

impl Questions {
    pub(crate) const NONE: Self = Self {
        columns: [0; 64],
        cuts: [255; 64],
    };
}

/// The three levels of a subtree, as a heap: the `yes` child of `i` is `2i + 1`, the `no` child
/// `2i + 2`.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub(crate) struct Ask {
    pub(crate) columns: [u8; SLOTS],
    pub(crate) cuts: [u8; SLOTS],
}

stored!([] Ask { columns, cuts });

impl Ask {
    pub(crate) const NOTHING: Self = Self {
        columns: [0; SLOTS],
        cuts: [255; SLOTS],
    };
}

/// A subtree of three levels and its leaves.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Line<V> {
    pub(crate) ask: Ask,
    pub(crate) leaves: [V; EXITS],
}

stored!([<V: Stored>] Line<V> { ask, leaves });

/// One of the eight subtrees below three levels. An enum, so that no place needs a bounds check.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum Exit {
    E0,
    E1,
    E2,
    E3,
    E4,
    E5,
    E6,
    E7,
}

/// To which subtree a heap of seven answers leads.
pub(crate) static EXIT: [Exit; 256] = exits();

const fn exits() -> [Exit; 256] {
    use Exit::{E0, E1, E2, E3, E4, E5, E6, E7};
    let mut exits = [E0; 256];
    let mut answers = 0;
    while answers < 256 {
        let mut at = 0;
        while at < 7 {
            at = 2 * at + 1 + (answers >> at & 1);
        }
        exits[answers] = [E0, E1, E2, E3, E4, E5, E6, E7][at - 7];
        answers += 1;
    }
    exits
}

/// A tree that its distinct tests decide by themselves.
pub(crate) struct Table {
    /// At most [`SLOTS`].
    pub(crate) tests: Vec<Predicate>,
    /// The leaf for each answer to the tests.
    pub(crate) leaves: Vec<u32>,
}

impl Table {
    /// Whether a tree of this depth, with as many distinct tests, gets a table.
    pub(crate) fn suits(n_tests: usize, depth: usize) -> bool {
        n_tests <= MAX_TESTS || n_tests <= depth.min(SLOTS)
    }

    /// The table of a tree with these distinct `tests`, where there is a small one.
    pub(crate) fn of(nodes: &[Node], tests: &[Predicate], depth: usize) -> Option<Self> {
        if !Self::suits(tests.len(), depth) {
            return None;
        }
        let leaf = |answers: usize| {
            let mut at = 0;
            loop {
                match nodes[at] {
                    Node::Leaf(leaf) => return leaf,
                    Node::Split { predicate, yes, no } => {
                        let bit = tests.iter().position(|t| *t == predicate).unwrap_or(0);
                        at = if answers >> bit & 1 == 0 { yes } else { no } as usize;
                    }
                }
            }
        };
        Some(Self {
            tests: tests.to_vec(),
            leaves: (0..1 << tests.len()).map(leaf).collect(),
        })
    }
}

/// A tree in its complete form: of three levels, and of `n_lines` times three below them.
pub(crate) struct Complete<'a> {
    nodes: &'a [Node],
    ranker: &'a Ranker,
}

/// The lines of trees that have equally many below each other.
pub(crate) struct Levels<V> {
    /// Of the levels above the last. Below number `i` of a level are `8 * i` to `8 * i + 7` of the
    /// next.
    pub(crate) asks: [Array<Ask>; MAX_LINES - 1],
    pub(crate) lines: Array<Line<V>>,
}

/// Leaves, and the lines on the way to them.
pub(crate) struct Pools<V> {
    /// By the number of lines below each other, from one.
    pub(crate) levels: [Levels<V>; MAX_LINES],
    /// Leaves that are in no line.
    pub(crate) leaves: Array<V>,
}

impl<V> Pools<V> {
    pub(crate) fn new() -> Self {
        let levels = |_| Levels {
            asks: Default::default(),
            lines: Array::default(),
        };
        Self {
            levels: std::array::from_fn(levels),
            leaves: Array::default(),
        }
    }

    pub(crate) fn memory(&self) -> usize {
        let levels = self.levels.iter().map(|l| {
            let asks: usize = l.asks.iter().map(|a| size_of_val(&a[..])).sum();
            asks + size_of_val(&l.lines[..])
        });
        levels.sum::<usize>() + size_of_val(&self.leaves[..])
    }
}

/// How many lines a tree of this depth takes.
pub(crate) fn n_lines(depth: usize) -> usize {
    depth.saturating_sub(1) / 3
}

impl<'a> Complete<'a> {
    pub(crate) fn new(nodes: &'a [Node], ranker: &'a Ranker) -> Self {
        Self { nodes, ranker }
    }

    /// Asks the first three levels, and gives the nodes of the level below. `depth` is the tree's.
    pub(crate) fn top(&self, depth: usize, n_lines: usize, ask: &mut Ask) -> Vec<usize> {
        // Levels that are not padding.
        let levels = depth.saturating_sub(3 * n_lines).min(3);
        let nodes = self.levels(0, levels, (1 << (3 - levels)) - 1, ask);
        nodes[..1 << levels].to_vec()
    }

    /// Appends the subtrees at `nodes` to the pools, `n_lines` levels of lines, and gives the
    /// number of the first.
    pub(crate) fn lines<V: Copy>(
        &self,
        mut nodes: Vec<usize>,
        n_lines: usize,
        pools: &mut Pools<V>,
        leaf: impl Fn(u32) -> V,
    ) -> usize {
        let leaf_at = |at: usize| match self.nodes[at] {
            Node::Leaf(l) => leaf(l),
            Node::Split { .. } => unreachable!("the levels are as many as the tree's"),
        };
        if n_lines == 0 {
            let first = pools.leaves.len();
            pools.leaves.extend(nodes.into_iter().map(leaf_at));
            return first;
        }
        let Levels { asks, lines } = &mut pools.levels[n_lines - 1];
        let first = if n_lines > 1 {
            asks[0].len()
        } else {
            lines.len()
        };
        for level in 1..=n_lines {
            let mut below = Vec::with_capacity(EXITS * nodes.len());
            for at in nodes {
                let mut ask = Ask::NOTHING;
                let exits = self.levels(at, 3, 0, &mut ask);
                if level < n_lines {
                    asks[level - 1].push(ask);
                    below.extend(exits);
                } else {
                    let leaves = exits.map(leaf_at);
                    lines.push(Line { ask, leaves });
                }
            }
            nodes = below;
        }
        first
    }

    /// Asks `levels` levels from the node `root` on, which is put at `place` of the heap, and
    /// gives the nodes below, as many times as padding has it.
    fn levels(&self, root: usize, levels: usize, place: usize, ask: &mut Ask) -> [usize; EXITS] {
        let mut nodes = [root; EXITS];
        let mut first = place;
        for level in 0..levels {
            let above = nodes;
            for i in 0..1 << level {
                let (mut yes, mut no) = (above[i], above[i]);
                if let Node::Split {
                    predicate,
                    yes: y,
                    no: n,
                } = self.nodes[above[i]]
                {
                    if let Some((column, cut)) = self.ranker.question(&predicate) {
                        ask.columns[first + i] = column;
                        ask.cuts[first + i] = cut;
                    }
                    (yes, no) = (y as usize, n as usize);
                }
                nodes[2 * i] = yes;
                nodes[2 * i + 1] = no;
            }
            first = 2 * first + 1;
        }
        nodes
    }
}

/// Puts the tests of the tree at `slot` of eight.
pub(crate) fn put(questions: &mut Questions, slot: usize, ask: &Ask) {
    questions.columns[SLOTS * slot..][..SLOTS].copy_from_slice(&ask.columns);
    questions.cuts[SLOTS * slot..][..SLOTS].copy_from_slice(&ask.cuts);
}

/// The tests of a table.
pub(crate) fn ask(tests: &[Predicate], ranker: &Ranker) -> Ask {
    let mut ask = Ask::NOTHING;
    for (i, test) in tests.iter().enumerate() {
        if let Some((column, cut)) = ranker.question(test) {
            (ask.columns[i], ask.cuts[i]) = (column, cut);
        }
    }
    ask
}
