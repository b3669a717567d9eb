//! A forest of compact nodes over ranks: what all walks but the plain one go over.
//!
//! A node is 8 bytes: a column, a cut, and where its two children stand next to each other. A leaf
//! leads to itself. Each tree starts with its upper levels as a complete heap, so that the place
//! of a node is its code and the kernels can answer those levels for a whole block by bit planes;
//! below, a node and its descendants share a cache line as far as they fit.

use std::ops::Range;

use crate::block::{Block, ROWS, Value};
use crate::circuit;
use crate::isa::Isa;
use crate::kernel::{self, Nodes, Step};
use crate::predicate::SetTest;
use crate::walk::ranks::{ALWAYS, Asked, Ranks};

/// Levels of a tree's complete top, at most.
pub(crate) const MAX_TOP: usize = 6;
/// Nodes, at most.
const MAX_NODES: usize = 1 << 31;
/// Pairs of children of a cache line.
const LINE: usize = 4;
/// Steps of a walk that is looked at again.
const AGAIN: usize = 4;

/// Where a tree stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    first: u32,
    /// Levels of its complete top.
    levels: u8,
    /// Steps that about half of the rows need below it.
    below: u8,
    /// Steps that about half of the rows need in all.
    steps: u8,
}

/// All trees as compact nodes.
pub(crate) struct Forest {
    nodes: Nodes,
    /// For each leaf's node, where its values start.
    value_of: Vec<u32>,
    places: Vec<Place>,
    ranks: Ranks,
}

/// A forest in the making.
pub(crate) struct Planting {
    nodes: Vec<Step>,
    value_of: Vec<u32>,
    places: Vec<Place>,
    asked: Asked,
}

/// Memory of walks over a block, or over the trees of a row.
#[derive(Default)]
pub(crate) struct Walking {
    /// Ranks, row by row,
    rows: Vec<u16>,
    /// and column by column.
    columns: Vec<Block<u16>>,
    codes: Vec<Block<u8>>,
    at: Vec<u32>,
    todo: Vec<u16>,
}

impl Walking {
    pub(crate) fn memory(&self) -> usize {
        2 * (self.rows.capacity() + self.todo.capacity())
            + 4 * self.at.capacity()
            + self.columns.capacity() * size_of::<Block<u16>>()
            + self.codes.capacity() * size_of::<Block<u8>>()
    }
}

impl Planting {
    pub(crate) fn new() -> Self {
        Self {
            nodes: Vec::new(),
            value_of: Vec::new(),
            places: Vec::new(),
            asked: Asked::default(),
        }
    }

    /// Leaves the next tree out.
    pub(crate) fn skip(&mut self) {
        self.places.push(Place {
            first: self.nodes.len() as u32,
            levels: 0,
            below: 0,
            steps: 0,
        });
    }

    /// Adds the next tree; `value_of` says where the values of a leaf start. False where there
    /// are more nodes than can be numbered.
    pub(crate) fn push(&mut self, tree: &[circuit::Node], value_of: impl Fn(u32) -> u32) -> bool {
        // A top that pads no more than it saves.
        let mut levels = MAX_TOP;
        while levels > 0 && (1 << levels) > tree.len() {
            levels -= 1;
        }
        let first = self.nodes.len();
        if first + tree.len() + (2 << MAX_TOP) > MAX_NODES {
            return false;
        }
        let n_top = (2 << levels) - 1;
        self.nodes.resize(first + n_top, Step::default());
        self.value_of.resize(first + n_top, 0);
        // The heap: what is below a leaf is that leaf again.
        let mut heap = vec![0_u32; n_top];
        for place in 0..n_top / 2 {
            let at = heap[place];
            let below = match tree[at as usize] {
                circuit::Node::Leaf(_) => [at, at],
                circuit::Node::Split { yes, no, .. } => [yes, no],
            };
            heap[2 * place + 1..2 * place + 3].copy_from_slice(&below);
            self.put(tree, at, first + place, first + 2 * place + 1, &value_of);
        }
        // Below it: lines of a node and its next descendants.
        let (mut total, mut n_leaves) = (0, 0);
        let mut roots: Vec<(usize, u32, usize)> = (n_top / 2..n_top)
            .rev()
            .map(|place| (first + place, heap[place], 0))
            .collect();
        let mut line: Vec<(usize, u32, usize)> = Vec::new();
        while let Some(root) = roots.pop() {
            line.clear();
            line.push(root);
            let (mut next, mut pairs) = (0, 0);
            while let Some(&(place, at, depth)) = line.get(next) {
                next += 1;
                match tree[at as usize] {
                    circuit::Node::Leaf(_) => {
                        total += depth;
                        n_leaves += 1;
                    }
                    circuit::Node::Split { .. } if pairs == LINE => {
                        roots.push((place, at, depth));
                        continue;
                    }
                    circuit::Node::Split { yes, no, .. } => {
                        pairs += 1;
                        let child = self.nodes.len();
                        line.extend([(child, yes, depth + 1), (child + 1, no, depth + 1)]);
                        self.nodes.resize(child + 2, Step::default());
                        self.value_of.resize(child + 2, 0);
                        self.put(tree, at, place, child, &value_of);
                        continue;
                    }
                }
                self.put(tree, at, place, place, &value_of);
            }
        }
        let below = (total + n_leaves / 2) / n_leaves.max(1);
        self.places.push(Place {
            first: first as u32,
            levels: levels as u8,
            below: below.min(255) as u8,
            steps: (below + levels).min(255) as u8,
        });
        true
    }

    /// Node `at` of the tree, with its children at `child`.
    fn put(
        &mut self,
        tree: &[circuit::Node],
        at: u32,
        place: usize,
        child: usize,
        value_of: &impl Fn(u32) -> u32,
    ) {
        let step = &mut self.nodes[place];
        match &tree[at as usize] {
            circuit::Node::Leaf(leaf) => {
                *step = Step {
                    cut: ALWAYS,
                    column: 0,
                    child: place as u32,
                };
                self.value_of[place] = value_of(*leaf);
            }
            circuit::Node::Split { predicate, .. } => {
                step.child = child as u32;
                self.asked.push(place as u32, predicate);
            }
        }
    }

    /// The forest, unless its tests need more columns than a row should pay for.
    pub(crate) fn finish(self, double: bool) -> Option<Forest> {
        let mut nodes = self.nodes;
        let ranks = self.asked.columns(double, |node, column, cut| {
            let step = &mut nodes[node as usize];
            (step.column, step.cut) = (column, cut);
        })?;
        Some(Forest {
            nodes: Nodes::new(nodes, ranks.n_columns().max(1)),
            value_of: self.value_of,
            places: self.places,
            ranks,
        })
    }
}

impl Forest {
    /// Ranks a block of rows `x` of `width` values, for [`block`](Self::block).
    pub(crate) fn rank_block<R: Value>(
        &self,
        isa: Isa,
        x: &[R],
        width: usize,
        sets: &[SetTest],
        walking: &mut Walking,
    ) {
        let n = self.ranks.n_columns().max(1);
        let n_rows = x.len() / width.max(1);
        let Walking { rows, columns, .. } = walking;
        rows.resize(n_rows * n, 0);
        if kernel::has_tops(isa) {
            columns.resize(n, Block::default());
            self.ranks.rank(isa, x, width, sets, |row, column, rank| {
                rows[row * n + column] = rank;
                columns[column].0[row] = rank;
            });
        } else {
            self.ranks.rank(isa, x, width, sets, |row, column, rank| {
                rows[row * n + column] = rank;
            });
        }
    }

    /// Where the values start that the ranked rows come to in a tree.
    pub(crate) fn block<'a>(
        &self,
        isa: Isa,
        tree: usize,
        n_rows: usize,
        walking: &'a mut Walking,
    ) -> &'a [u32] {
        let Walking {
            rows,
            columns,
            codes,
            at,
            todo,
        } = walking;
        let place = &self.places[tree];
        let (first, levels) = (place.first as usize, usize::from(place.levels));
        at.clear();
        let rounds = if kernel::has_tops(isa) && levels > 0 {
            codes.resize(1, Block::default());
            let top = &self.nodes.steps()[first..first + (1 << levels) - 1];
            kernel::tops(isa, top, columns, &mut codes[0]);
            let base = place.first + (1 << levels) - 1;
            at.extend(codes[0].0[..n_rows].iter().map(|&c| base + u32::from(c)));
            place.below
        } else {
            at.resize(n_rows, place.first);
            place.steps
        };
        let next = match self.places.get(tree + 1) {
            Some(next) => {
                let end = self
                    .places
                    .get(tree + 2)
                    .map_or(self.nodes.len(), |p| p.first as usize);
                next.first as usize..end
            }
            None => 0..0,
        };
        let stride = self.ranks.n_columns().max(1);
        kernel::walk(
            &self.nodes,
            rows,
            stride,
            at,
            [usize::from(rounds), AGAIN],
            todo,
            next,
        );
        for at in at.iter_mut() {
            *at = self.value_of[*at as usize];
        }
        at
    }

    /// Ranks one row, for [`row`](Self::row).
    pub(crate) fn rank_row<R: Value>(
        &self,
        isa: Isa,
        x: &[R],
        sets: &[SetTest],
        walking: &mut Walking,
    ) {
        let rows = &mut walking.rows;
        rows.resize(self.ranks.n_columns().max(1), 0);
        self.ranks
            .rank(isa, x, x.len(), sets, |_, column, rank| rows[column] = rank);
    }

    /// Where the values start that the ranked row comes to in each of up to [`ROWS`] trees.
    pub(crate) fn row<'a>(&self, trees: Range<usize>, walking: &'a mut Walking) -> &'a [u32] {
        let places = &self.places[trees];
        debug_assert!(places.len() <= ROWS);
        let Walking { rows, at, todo, .. } = walking;
        at.clear();
        at.extend(places.iter().map(|place| place.first));
        let steps = places
            .iter()
            .map(|place| usize::from(place.steps))
            .sum::<usize>();
        let rounds = steps / places.len().max(1);
        kernel::walk(&self.nodes, rows, 0, at, [rounds, AGAIN], todo, 0..0);
        for at in at.iter_mut() {
            *at = self.value_of[*at as usize];
        }
        at
    }

    pub(crate) fn memory(&self) -> usize {
        size_of_val(self.nodes.steps())
            + size_of_val(&self.value_of[..])
            + size_of_val(&self.places[..])
            + self.ranks.memory()
    }
}
