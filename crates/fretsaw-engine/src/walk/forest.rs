//! A forest of compact nodes over ranks: what most walks go over.
//!
//! A node is 8 bytes: a column, a cut, and where its two children stand next to each other. A leaf
//! says where its values are. Each tree starts with its upper levels as a complete heap, so that the place
//! of a node is its code and the kernels can answer those levels for a whole block by bit planes;
//! below, a node and its descendants share a cache line as far as they fit.

use std::ops::Range;

use crate::array::Array;
use crate::block::{Block, ROWS, Value};
use crate::circuit;
use crate::isa::Isa;
use crate::kernel::{self, Ask, LEAF, Nodes, Step};
use crate::leaves::Values;
use crate::predicate::SetTest;
use crate::walk::ranks::{Asked, Ranks};
use crate::walk::shallow::Shallow;

/// Levels of a tree's complete top, at most.
pub(crate) const MAX_TOP: usize = 6;
/// The levels of a tree that is not here.
pub(crate) const LEFT_OUT: u8 = u8::MAX;
/// Nodes, at most.
const MAX_NODES: usize = 1 << 31;
/// Pairs of children of a cache line.
const LINE: usize = 4;
/// Steps of a walk that is looked at again.
const AGAIN: usize = 4;
/// Rows in flight: their places in registers.
const ROWS_IN_FLIGHT: usize = 8;
/// Rows walked one after the other: the nearest cache holds their ranks beside the tree.
const NEAR: usize = 128;
/// Trees of one row in flight: they wait on memory, so there are more.
const TREES_IN_FLIGHT: usize = 16;
/// Trees whose tops are answered together for one row.
pub(crate) const TOGETHER: usize = 32;
/// and the levels of such a top, at most.
pub(crate) const TOP_TOGETHER: usize = 5;
/// Bytes of ranks that rows may take while tree after tree goes over them.
const RANKED: usize = 256 << 10;

/// Where a tree stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) first: u32,
    /// Levels of its complete top.
    pub(crate) levels: u8,
    /// Steps that about half of the rows need below it.
    pub(crate) below: u8,
    /// Steps that about half of the rows need in all.
    pub(crate) steps: u8,
}

/// All trees as compact nodes.
pub(crate) struct Forest {
    pub(crate) nodes: Nodes,
    pub(crate) places: Vec<Place>,
    /// For every [`TOGETHER`] trees, what their tops ask of one row; none where there is no kernel.
    pub(crate) tops: Vec<Top>,
    pub(crate) ranks: Ranks,
}

/// The tops of some trees, as lanes: a complete heap.
pub(crate) struct Top {
    pub(crate) levels: usize,
    pub(crate) asks: Array<Ask>,
}

/// A forest in the making.
pub(crate) struct Planting {
    nodes: Vec<Step>,
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
    /// The ranks of a row.
    pub(crate) fn ranks(&self) -> &[u16] {
        &self.rows
    }

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
            places: Vec::new(),
            asked: Asked::default(),
        }
    }

    /// Leaves the next tree out.
    pub(crate) fn skip(&mut self) {
        self.places.push(Place {
            first: self.nodes.len() as u32,
            levels: LEFT_OUT,
            below: 0,
            steps: 0,
        });
    }

    /// Adds the next tree; `value_of` says where the values of a leaf start. False where there
    /// are more nodes than can be numbered.
    pub(crate) fn push(
        &mut self,
        tree: &[circuit::Node],
        mut value_of: impl FnMut(u32) -> u32,
    ) -> bool {
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
        // The heap: what is below a leaf is that leaf again.
        let mut heap = vec![0_u32; n_top];
        for place in 0..n_top / 2 {
            let at = heap[place];
            let below = match tree[at as usize] {
                circuit::Node::Leaf(_) => [at, at],
                circuit::Node::Split { yes, no, .. } => [yes, no],
            };
            heap[2 * place + 1..2 * place + 3].copy_from_slice(&below);
            self.put(
                tree,
                at,
                first + place,
                first + 2 * place + 1,
                &mut value_of,
            );
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
                        self.put(tree, at, place, child, &mut value_of);
                        continue;
                    }
                }
                self.put(tree, at, place, place, &mut value_of);
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
        value_of: &mut impl FnMut(u32) -> u32,
    ) {
        let step = &mut self.nodes[place];
        match &tree[at as usize] {
            circuit::Node::Leaf(leaf) => {
                *step = Step {
                    cut: LEAF,
                    column: 0,
                    child: value_of(*leaf),
                };
            }
            circuit::Node::Split { predicate, .. } => {
                step.child = child as u32;
                self.asked.push(place as u32, predicate);
            }
        }
    }

    /// The forest, unless its tests need more columns than a row should pay for.
    pub(crate) fn finish(self, double: bool, isa: Isa) -> Option<Forest> {
        let mut nodes = self.nodes;
        let ranks = self.asked.columns(double, |node, column, cut| {
            let step = &mut nodes[node as usize];
            (step.column, step.cut) = (column, cut);
        })?;
        let tops = match ranks.n_columns() <= MAX_COLUMNS && kernel::has_tops(isa) {
            true => self
                .places
                .chunks(TOGETHER)
                .map(|places| Top::new(places, &nodes))
                .collect(),
            false => Vec::new(),
        };
        Some(Forest {
            nodes: Nodes::new(nodes.into(), ranks.n_columns().max(1))?,
            tops,
            places: self.places,
            ranks,
        })
    }
}

/// Columns that a row's tops can be asked of.
const MAX_COLUMNS: usize = 128;

impl Top {
    fn new(places: &[Place], nodes: &[Step]) -> Self {
        let is_here = |place: &Place| place.levels != LEFT_OUT;
        let here = places.iter().filter(|place| is_here(place));
        let levels = here.map(|place| usize::from(place.levels)).min();
        let levels = levels.map_or(0, |n| n.min(TOP_TOGETHER));
        let ask = |at: usize| {
            let mut ask = Ask {
                columns: [0; TOGETHER],
                cuts: [LEAF; TOGETHER],
            };
            for (lane, place) in places.iter().enumerate().filter(|(_, p)| is_here(p)) {
                let step = &nodes[place.first as usize + at];
                (ask.columns[lane], ask.cuts[lane]) = (step.column, step.cut);
            }
            ask
        };
        Self {
            levels,
            asks: (0..(1 << levels) - 1).map(ask).collect::<Vec<_>>().into(),
        }
    }
}

impl Forest {
    /// Rows, in whole blocks, to take together: each tree comes from memory once for all of them.
    pub(crate) fn rows(&self) -> usize {
        let of_block = 2 * size_of::<Block<u16>>() * self.stride();
        (RANKED / of_block).clamp(1, 8) * ROWS
    }

    /// Ranks of a row.
    fn stride(&self) -> usize {
        self.ranks.n_columns().max(1)
    }

    /// Ranks rows `x` of `width` values, for [`block`](Self::block).
    pub(crate) fn rank_rows<R: Value>(
        &self,
        isa: Isa,
        x: &[R],
        width: usize,
        sets: &[SetTest],
        walking: &mut Walking,
    ) {
        let n = self.stride();
        let n_rows = x.len() / width.max(1);
        let Walking { rows, columns, .. } = walking;
        rows.resize(n_rows * n, 0);
        if kernel::has_tops(isa) {
            columns.resize(n * n_rows.div_ceil(ROWS), Block::default());
            self.ranks.rank(isa, x, width, sets, |row, column, rank| {
                rows[row * n + column] = rank;
                columns[row / ROWS * n + column].0[row % ROWS] = rank;
            });
        } else {
            self.ranks.rank(isa, x, width, sets, |row, column, rank| {
                rows[row * n + column] = rank;
            });
        }
    }

    /// Where the values start that a block of the ranked rows, of which there are `n_rows` in all,
    /// comes to in a tree.
    pub(crate) fn block<'a>(
        &self,
        isa: Isa,
        tree: usize,
        block: usize,
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
        let stride = self.stride();
        let n_blocks = n_rows.div_ceil(ROWS);
        let n = ROWS.min(n_rows - block * ROWS);
        let place = &self.places[tree];
        let (first, levels) = (place.first as usize, usize::from(place.levels));
        at.clear();
        let rounds = if kernel::has_tops(isa) && levels > 0 {
            codes.resize(1, Block::default());
            let top = &self.nodes.steps()[first..first + (1 << levels) - 1];
            let columns = &columns[block * stride..][..stride];
            kernel::tops(isa, top, columns, n.div_ceil(64), &mut codes[0]);
            let base = place.first + (1 << levels) - 1;
            at.extend(codes[0].0[..n].iter().map(|&c| base + u32::from(c)));
            place.below
        } else {
            at.resize(n, place.first);
            place.steps
        };
        // Each block asks for its share of the next tree.
        let next = self.range(tree + 1);
        let share = next.len().div_ceil(n_blocks);
        let start = next.end.min(next.start + block * share);
        let share = start..next.end.min(start + share);
        let per_group = share.len().div_ceil(n.div_ceil(ROWS_IN_FLIGHT));
        let mut ahead = self.nodes.steps()[share.clone()].chunks(per_group.max(1));
        let mut meanwhile = || {
            if let Some(steps) = ahead.next() {
                let lines = steps.iter().step_by(64 / size_of::<Step>());
                lines.for_each(kernel::fetch);
            }
        };
        let rounds = [usize::from(rounds), AGAIN];
        let ranks = rows[block * ROWS * stride..].chunks(NEAR * stride);
        for (at, ranks) in at.chunks_mut(NEAR).zip(ranks) {
            kernel::walk::<ROWS_IN_FLIGHT, false>(
                &self.nodes,
                ranks,
                stride,
                at,
                rounds,
                todo,
                &mut meanwhile,
            );
        }
        at
    }

    /// The nodes of a tree.
    fn range(&self, tree: usize) -> Range<usize> {
        let first = |tree: usize| {
            let place = self.places.get(tree);
            place.map_or(self.nodes.len(), |place| place.first as usize)
        };
        first(tree)..first(tree + 1)
    }

    /// Of `trees`, which come in order, the shallow ones.
    pub(super) fn shallow(
        &self,
        trees: impl Iterator<Item = usize>,
        values: &Values,
    ) -> Option<Shallow> {
        let trees = trees.map(|tree| (tree, self.places[tree].first));
        Shallow::new(&self.nodes, trees, values)
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
        // Whole registers of ranks, for the tops.
        let n = self.stride().next_multiple_of(TOGETHER);
        rows.clear();
        rows.resize(n.next_multiple_of(if n > 64 { MAX_COLUMNS } else { 1 }), 0);
        self.ranks
            .rank_row(isa, x, sets, |column, rank| rows[column] = rank);
    }

    /// Where the values start that the ranked row comes to in each of up to [`ROWS`] trees.
    pub(crate) fn row<'a>(
        &self,
        isa: Isa,
        trees: Range<usize>,
        walking: &'a mut Walking,
    ) -> &'a [u32] {
        debug_assert!(trees.len() <= ROWS);
        let Walking { rows, at, todo, .. } = walking;
        let places = &self.places[trees.clone()];
        let mut steps: usize = places.iter().map(|place| usize::from(place.steps)).sum();
        at.clear();
        if self.tops.is_empty() {
            at.extend(places.iter().map(|place| place.first));
        } else {
            for group in trees.start / TOGETHER..trees.end.div_ceil(TOGETHER) {
                let Top { levels, asks } = &self.tops[group];
                let mut codes = [0; TOGETHER];
                kernel::row_tops(isa, asks, *levels, rows, &mut codes);
                let first = group * TOGETHER;
                let some = trees.start.max(first)..trees.end.min(first + TOGETHER);
                steps = steps.saturating_sub(levels * some.len());
                let base = (1 << levels) - 1;
                for tree in some {
                    let next = self.places[tree].first + base + u32::from(codes[tree - first]);
                    kernel::fetch(&self.nodes.steps()[next as usize]);
                    at.push(next);
                }
            }
        }
        let rounds = [steps / trees.len().max(1), AGAIN];
        let stride = self.stride();
        kernel::walk::<TREES_IN_FLIGHT, true>(&self.nodes, rows, stride, at, rounds, todo, || ());
        at
    }

    pub(crate) fn memory(&self) -> usize {
        size_of_val(self.nodes.steps())
            + size_of_val(&self.places[..])
            + self
                .tops
                .iter()
                .map(|top| size_of_val(&top.asks[..]))
                .sum::<usize>()
            + self.ranks.memory()
    }
}
