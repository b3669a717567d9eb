//! Running an ensemble: blocks of rows through predicates, routes and leaves, and walks.

use std::ops::Range;

use fretsaw_model::{BaseOrder, Float, Rows, Step, Sum};

use crate::block::{Block, Columns, ROWS, Value};
use crate::few::bytes::Ranked;
use crate::few::tables::Pools;
use crate::few::{self, Leaves};
use crate::kernel::{self, Below, Lookups, SumMut};
use crate::leaves::{BATCH, Leaf, Values};
use crate::plan::MarginsMut;
use crate::prepare::{Row, load, prepared, transpose, width};
use crate::scratch::{Scratch, Staged, Sums};
use crate::trees::{Finish, Segment, Trees};
use crate::walk::{Forest, Node, Nodes, Padded, Walking};

/// Runs `trees` over `rows`. The caller has checked shapes and precisions.
pub(crate) fn ensemble(
    trees: &Trees,
    steps: &[Step],
    rows: &Rows<'_>,
    out: MarginsMut<'_>,
    scratch: &mut Scratch,
) {
    if rows.n_rows() == 0 {
        return;
    }
    let Scratch {
        narrow,
        wide,
        row,
        planes,
        codes,
        walking,
        sums_f32,
        sums_f64,
        sums_i32,
        ..
    } = scratch;
    let mut work = Work {
        trees,
        steps,
        rows,
        width: width(steps, rows),
        row,
        planes,
        codes,
        walking,
    };
    let wide_rows = rows.float() == Float::F64 || steps.contains(&Step::Widen);
    let f64_rows = trees.compare == Float::F64 && wide_rows;
    match (trees.finish.sum, out, f64_rows) {
        (Sum::F32, MarginsMut::F32(out), false) => work.run(out, narrow, sums_f32),
        (Sum::F32, MarginsMut::F32(out), true) => work.run(out, wide, sums_f32),
        (Sum::F64, MarginsMut::F64(out), false) => work.run(out, narrow, sums_f64),
        (Sum::F64, MarginsMut::F64(out), true) => work.run(out, wide, sums_f64),
        (Sum::I32, MarginsMut::F32(out), false) => work.run(out, narrow, sums_i32),
        (Sum::I32, MarginsMut::F32(out), true) => work.run(out, wide, sums_i32),
        _ => unreachable!("the plan compared the precisions"),
    }
}

/// The type of a sum, and how it becomes a margin.
pub(crate) trait Total: Leaf {
    type Margin: Copy;
    fn values(values: &Values) -> &[Self];
    /// The leaves of few rows, unless they are places.
    fn pools(leaves: &Leaves) -> Option<&Pools<Self>>;
    /// The leaves of shallow trees.
    fn padded(leaves: &Padded) -> &[Below<Self>];
    /// The base, where it comes first.
    fn first(base: f64) -> Self;
    fn finish(self, finish: &Finish, output: usize) -> Self::Margin;
    fn sum_mut(block: &mut Block<Self>) -> SumMut<'_>;
}

impl Total for f32 {
    type Margin = f32;
    fn values(values: &Values) -> &[Self] {
        match values {
            Values::F32(v) => v,
            _ => &[],
        }
    }
    fn pools(leaves: &Leaves) -> Option<&Pools<Self>> {
        match leaves {
            Leaves::F32(p) => Some(p),
            _ => None,
        }
    }
    fn padded(leaves: &Padded) -> &[Below<Self>] {
        match leaves {
            Padded::F32(v) => v,
            _ => &[],
        }
    }
    fn first(base: f64) -> Self {
        base as f32
    }
    fn finish(self, finish: &Finish, output: usize) -> f32 {
        let sum = self * finish.multiply[output] as f32 / finish.divide as f32;
        match finish.base_order {
            BaseOrder::First => sum,
            BaseOrder::Last => sum + finish.base[output] as f32,
        }
    }
    fn sum_mut(block: &mut Block<Self>) -> SumMut<'_> {
        SumMut::F32(block)
    }
}

impl Total for f64 {
    type Margin = f64;
    fn values(values: &Values) -> &[Self] {
        match values {
            Values::F64(v) => v,
            _ => &[],
        }
    }
    fn pools(leaves: &Leaves) -> Option<&Pools<Self>> {
        match leaves {
            Leaves::F64(p) => Some(p),
            _ => None,
        }
    }
    fn padded(leaves: &Padded) -> &[Below<Self>] {
        match leaves {
            Padded::F64(v) => v,
            _ => &[],
        }
    }
    fn first(base: f64) -> Self {
        base
    }
    fn finish(self, finish: &Finish, output: usize) -> f64 {
        let sum = self * finish.multiply[output] / finish.divide;
        match finish.base_order {
            BaseOrder::First => sum,
            BaseOrder::Last => sum + finish.base[output],
        }
    }
    fn sum_mut(block: &mut Block<Self>) -> SumMut<'_> {
        SumMut::F64(block)
    }
}

impl Total for i32 {
    type Margin = f32;
    fn values(values: &Values) -> &[Self] {
        match values {
            Values::I32(v) => v,
            _ => &[],
        }
    }
    fn pools(leaves: &Leaves) -> Option<&Pools<Self>> {
        match leaves {
            Leaves::I32(p) => Some(p),
            _ => None,
        }
    }
    fn padded(leaves: &Padded) -> &[Below<Self>] {
        match leaves {
            Padded::I32(v) => v,
            _ => &[],
        }
    }
    fn first(_base: f64) -> Self {
        0
    }
    fn finish(self, finish: &Finish, output: usize) -> f32 {
        (f64::from(self) * finish.multiply[output] / finish.divide + finish.base[output]) as f32
    }
    fn sum_mut(block: &mut Block<Self>) -> SumMut<'_> {
        SumMut::I32(block)
    }
}

struct Work<'a> {
    trees: &'a Trees,
    steps: &'a [Step],
    rows: &'a Rows<'a>,
    /// Values a row has behind the steps.
    width: usize,
    row: &'a mut Vec<f64>,
    planes: &'a mut Vec<crate::block::Plane>,
    codes: &'a mut Vec<Block<u8>>,
    walking: &'a mut Walking,
}

impl Work<'_> {
    fn run<A: Total, R: Staging>(
        &mut self,
        out: &mut [A::Margin],
        staged: &mut Staged<R>,
        sums: &mut Sums<A>,
    ) {
        let n_outputs = self.trees.finish.base.len();
        let forest = self.trees.only_walks();
        let step = forest.map_or(ROWS, Forest::rows);
        for at in (0..self.rows.n_rows()).step_by(step) {
            let n = step.min(self.rows.n_rows() - at);
            let rows = self.rows.slice(at..at + n);
            let out = &mut out[at * n_outputs..(at + n) * n_outputs];
            if n < self.trees.crossing {
                let x = prepared(&rows, self.steps, &mut staged.prepared, self.row);
                let sums = &mut sums.few;
                few::run::rows::<A, R>(self.trees, x, self.width, out, sums, self.walking);
            } else if let Some(forest) = forest {
                let x = prepared(&rows, self.steps, &mut staged.prepared, self.row);
                self.forest::<A, R>(forest, x, out, &mut sums.few);
            } else {
                self.block::<A, R>(&rows, out, staged, &mut sums.blocks);
            }
        }
    }

    fn block<A: Total, R: Staging>(
        &mut self,
        rows: &Rows<'_>,
        out: &mut [A::Margin],
        staged: &mut Staged<R>,
        sums: &mut Vec<Block<A>>,
    ) {
        let trees = self.trees;
        let Staged {
            prepared: buffer,
            columns,
        } = staged;
        // Rows as they come go straight into columns; a row as a whole is only for steps and walks.
        let straight = self.steps.is_empty();
        let walks = |s: &Segment| matches!(s, Segment::Walked(_));
        let x = match straight && !trees.segments.iter().any(walks) {
            true => &[],
            false => prepared(rows, self.steps, buffer, self.row),
        };
        let finish = &trees.finish;
        let n_outputs = finish.base.len();
        let words = rows.n_rows().div_ceil(64);
        if !trees.leaves.batches.is_empty() {
            self.planes
                .resize(trees.routes.n_planes, crate::block::Plane::ZERO);
            self.codes.resize(BATCH, Block::default());
            match straight {
                true => load(rows, &trees.table.features, columns),
                false => transpose(x, self.width, &trees.table.features, columns),
            }
            kernel::predicates(
                trees.isa,
                &trees.table,
                R::columns(columns),
                words,
                self.planes,
            );
        }
        sums.resize(n_outputs, Block::default());
        for (k, sum) in sums.iter_mut().enumerate() {
            sum.0.fill(start::<A>(finish, k));
        }
        let mut ranked = false;
        for segment in &trees.segments {
            match segment {
                Segment::Sliced(batches) => {
                    for batch in batches.clone() {
                        self.batch(batch, words, sums);
                    }
                }
                Segment::Walked(range) => {
                    let trees = range.clone();
                    match (&self.trees.walk.forest, &self.trees.walk.nodes) {
                        (Some(forest), _) => {
                            if !std::mem::replace(&mut ranked, true) {
                                let sets = &self.trees.table.sets;
                                forest.rank_rows(self.trees.isa, x, self.width, sets, self.walking);
                            }
                            self.walk_block(forest, trees, x, sums);
                        }
                        (None, Nodes::F32(nodes)) => self.plain_block(nodes, trees, x, sums),
                        (None, Nodes::F64(nodes)) => self.plain_block(nodes, trees, x, sums),
                    }
                }
            }
        }
        for (row, out) in out.chunks_exact_mut(n_outputs).enumerate() {
            let slot = kernel::slot(&trees.leaves.tables, row, size_of::<A>());
            for (k, (out, sum)) in out.iter_mut().zip(&*sums).enumerate() {
                *out = sum.0[slot].finish(finish, k);
            }
        }
    }

    fn batch<A: Total>(&mut self, batch: usize, words: usize, sums: &mut [Block<A>]) {
        let trees = self.trees;
        let batch = &trees.leaves.batches[batch];
        kernel::codes(trees.isa, &trees.routes, batch, self.planes, self.codes);
        let runs = &trees.leaves.runs[batch.first_run as usize..][..batch.n_runs as usize];
        for run in runs {
            let lookups = Lookups {
                jobs: &trees.leaves.jobs[run.first as usize..][..run.len as usize],
                run,
                tables: &trees.leaves.tables,
                codes: self.codes,
                words,
            };
            let sum = A::sum_mut(&mut sums[run.output as usize]);
            kernel::add_leaves(trees.isa, lookups, sum);
        }
    }

    /// Nothing but walks: each tree over the rows of some blocks.
    fn forest<A: Total, R: Row>(
        &mut self,
        forest: &Forest,
        x: &[R],
        out: &mut [A::Margin],
        sums: &mut Vec<A>,
    ) {
        let (trees, finish) = (self.trees, &self.trees.finish);
        let n_outputs = finish.base.len();
        let n_rows = x.len() / self.width;
        sums.clear();
        for _ in 0..n_rows {
            sums.extend((0..n_outputs).map(|k| start::<A>(finish, k)));
        }
        forest.rank_rows(trees.isa, x, self.width, &trees.table.sets, self.walking);
        let values = A::values(trees.walk.values());
        for (i, tree) in trees.walk.trees.iter().enumerate() {
            for (block, sums) in sums.chunks_mut(ROWS * n_outputs).enumerate() {
                let leaves = forest.block(trees.isa, i, block, n_rows, self.walking);
                if tree.is_linear() {
                    let rows = x[block * ROWS * self.width..].chunks_exact(self.width);
                    for ((sums, &leaf), x) in sums.chunks_exact_mut(n_outputs).zip(leaves).zip(rows)
                    {
                        trees.walk.add(tree, values, leaf, x, |k, value| {
                            sums[k] = sums[k].plus(value);
                        });
                    }
                    continue;
                }
                match (tree.target(), n_outputs) {
                    (Some(0), 1) | (None, 1) => add::<A, 1>(values, leaves, sums),
                    (None, 2) => add::<A, 2>(values, leaves, sums),
                    (None, 3) => add::<A, 3>(values, leaves, sums),
                    (None, 4) => add::<A, 4>(values, leaves, sums),
                    (None, _) => {
                        for (sums, &leaf) in sums.chunks_exact_mut(n_outputs).zip(leaves) {
                            let values = &values[leaf as usize..][..n_outputs];
                            for (sum, &value) in sums.iter_mut().zip(values) {
                                *sum = sum.plus(value);
                            }
                        }
                    }
                    (Some(k), _) => {
                        let sums = sums[k as usize..].iter_mut().step_by(n_outputs);
                        for (sum, &leaf) in sums.zip(leaves) {
                            *sum = sum.plus(values[leaf as usize]);
                        }
                    }
                }
            }
        }
        let rows = out.chunks_exact_mut(n_outputs);
        for (out, sums) in rows.zip(sums.chunks_exact(n_outputs)) {
            for (k, (out, sum)) in out.iter_mut().zip(sums).enumerate() {
                *out = sum.finish(finish, k);
            }
        }
    }

    /// Each tree over all rows, which have been ranked.
    fn walk_block<A: Total, R: Row>(
        &mut self,
        forest: &Forest,
        trees: Range<usize>,
        x: &[R],
        sums: &mut [Block<A>],
    ) {
        let walk = &self.trees.walk;
        let values = A::values(walk.values());
        let tables = &self.trees.leaves.tables;
        let n = x.len() / self.width;
        for tree in trees {
            let leaves = forest.block(self.trees.isa, tree, 0, n, self.walking);
            let tree = &walk.trees[tree];
            for (row, &leaf) in leaves.iter().enumerate() {
                let slot = kernel::slot(tables, row, size_of::<A>());
                walk.add(tree, values, leaf, &x[row * self.width..], |k, value| {
                    let sum = &mut sums[k].0[slot];
                    *sum = sum.plus(value);
                });
            }
        }
    }

    /// The same over plain nodes, row by row.
    fn plain_block<A: Total, R: Row, T: Value>(
        &self,
        nodes: &[Node<T>],
        trees: Range<usize>,
        x: &[R],
        sums: &mut [Block<A>],
    ) {
        let walk = &self.trees.walk;
        let (values, sets) = (A::values(walk.values()), &self.trees.table.sets[..]);
        let tables = &self.trees.leaves.tables;
        for (row, x) in x.chunks_exact(self.width).enumerate() {
            let slot = kernel::slot(tables, row, size_of::<A>());
            for tree in &walk.trees[trees.clone()] {
                let leaf = walk.one(nodes, sets, tree.root(), x);
                walk.add(tree, values, leaf, x, |k, value| {
                    let sum = &mut sums[k].0[slot];
                    *sum = sum.plus(value);
                });
            }
        }
    }
}

/// Adds to the sums of each row the `N` values that start at its leaf.
fn add<A: Total, const N: usize>(values: &[A], leaves: &[u32], sums: &mut [A]) {
    for (sums, &leaf) in sums.as_chunks_mut::<N>().0.iter_mut().zip(leaves) {
        if let Some(values) = values[leaf as usize..].first_chunk::<N>() {
            for (sum, &value) in sums.iter_mut().zip(values) {
                *sum = sum.plus(value);
            }
        }
    }
}

pub(crate) fn start<A: Total>(finish: &Finish, output: usize) -> A {
    match finish.base_order {
        BaseOrder::First => A::first(finish.base[output]),
        BaseOrder::Last => A::default(),
    }
}

/// Rows that have columns the kernels know.
trait Staging: Ranked {
    fn columns(columns: &[Block<Self>]) -> Columns<'_>;
}

impl Staging for f32 {
    fn columns(columns: &[Block<Self>]) -> Columns<'_> {
        Columns::F32(columns)
    }
}

impl Staging for f64 {
    fn columns(columns: &[Block<Self>]) -> Columns<'_> {
        Columns::F64(columns)
    }
}
