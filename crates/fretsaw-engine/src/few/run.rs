//! Row by row: the row's bytes, then segment by segment its leaves, added as they are found.

use std::ops::Range;

use super::bytes::{Ranked, RowBytes};
use super::tables::Pools;
use super::{Kind, Leaves, Segment};
use crate::block::{ROWS, Value};
use crate::kernel;
use crate::run::{Total, start};
use crate::trees::Trees;
use crate::walk::{Forest, Nodes, Shallow, Walking};

/// The margins of the rows `x`, which have `width` values each.
pub(crate) fn rows<A: Total, R: Ranked>(
    trees: &Trees,
    x: &[R],
    width: usize,
    out: &mut [A::Margin],
    sums: &mut Vec<A>,
    walking: &mut Walking,
) {
    let finish = &trees.finish;
    let n_outputs = finish.base.len();
    let few = &trees.few;
    let mut bytes = RowBytes::new();
    for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(n_outputs)) {
        sums.clear();
        sums.extend((0..n_outputs).map(|k| start::<A>(finish, k)));
        if few.ranker.n_columns() > 0 {
            kernel::rank(trees.isa, &few.ranker, x, &trees.table.sets, &mut bytes);
        }
        if let Some(forest) = &trees.walk.forest
            && few.segments.iter().any(|s| s.kind == Kind::Walk)
        {
            forest.rank_row(trees.isa, x, &trees.table.sets, walking);
        }
        for segment in &few.segments {
            if segment.kind == Kind::Walk {
                walk(trees, segment, x, sums, walking);
                continue;
            }
            match (A::pools(&few.leaves), &few.leaves) {
                (Some(pools), _) => add(trees, segment, pools, &bytes, sums),
                (None, Leaves::Places(pools)) => add_places(trees, segment, pools, &bytes, x, sums),
                (None, _) => unreachable!("leaves are of the sum's type or places"),
            }
        }
        for (k, (out, sum)) in out.iter_mut().zip(&*sums).enumerate() {
            *out = sum.finish(finish, k);
        }
    }
}

/// Adds leaves that are plain values.
fn add<A: Total>(
    trees: &Trees,
    segment: &Segment,
    pools: &Pools<A>,
    bytes: &RowBytes,
    sums: &mut [A],
) {
    let few = &trees.few;
    if let [sum] = sums {
        // By value, so that it stays in a register.
        let plus = |sum: A, _, leaf| sum.plus(leaf);
        *sum = kernel::few(trees.isa, few, segment, pools, bytes, *sum, plus);
        return;
    }
    let outputs = &few.outputs[segment.trees.clone()];
    kernel::few(
        trees.isa,
        few,
        segment,
        pools,
        bytes,
        (),
        |(), tree, leaf| {
            let sum = &mut sums[outputs[tree] as usize];
            *sum = sum.plus(leaf);
        },
    );
}

/// Adds leaves that are vectors or functions.
fn add_places<A: Total, R: Value>(
    trees: &Trees,
    segment: &Segment,
    pools: &Pools<u32>,
    bytes: &RowBytes,
    x: &[R],
    sums: &mut [A],
) {
    let walk = &trees.walk;
    let values = A::values(walk.values());
    let of_walk = &walk.trees[segment.trees.clone()];
    kernel::few(
        trees.isa,
        &trees.few,
        segment,
        pools,
        bytes,
        (),
        |(), tree, at| {
            walk.add(&of_walk[tree], values, at, x, |k, value| {
                sums[k] = sums[k].plus(value);
            });
        },
    );
}

/// The trees of a segment walked: the shallow ones, and others many in flight where they stand in a
/// forest.
fn walk<A: Total, R: Value>(
    trees: &Trees,
    segment: &Segment,
    x: &[R],
    sums: &mut [A],
    walking: &mut Walking,
) {
    let Some(forest) = &trees.walk.forest else {
        return plain(trees, segment.trees.clone(), x, sums);
    };
    let walk = &trees.walk;
    let mut left = segment.trees.clone();
    while !left.is_empty() {
        let (some, first) = match &walk.shallow {
            Some(shallow) => shallow.alike(left.clone()),
            None => (left.clone(), None),
        };
        left.start = some.end;
        match (&walk.shallow, first) {
            (Some(shallow), Some(first)) => add_shallow(trees, some, shallow, first, sums, walking),
            _ => add_forest(trees, some, forest, x, sums, walking),
        }
    }
}

/// Adds the leaves of shallow trees, whose lines start at `first`.
fn add_shallow<A: Total>(
    trees: &Trees,
    some: Range<usize>,
    shallow: &Shallow,
    first: usize,
    sums: &mut [A],
    walking: &Walking,
) {
    let lines = &shallow.lines;
    let leaves = A::padded(&shallow.leaves);
    let ranks = walking.ranks();
    let firsts = first..first + some.len();
    if let [sum] = sums {
        // By value, so that it stays in a register.
        let plus = |sum: A, _, leaf| sum.plus(leaf);
        *sum = kernel::shallow(lines, firsts, leaves, ranks, *sum, plus);
        return;
    }
    let of_walk = &trees.walk.trees[some];
    kernel::shallow(lines, firsts, leaves, ranks, (), |(), tree, leaf| {
        if let Some(k) = of_walk[tree].target() {
            let sum = &mut sums[k as usize];
            *sum = sum.plus(leaf);
        }
    });
}

/// Adds the leaves of trees in the forest.
fn add_forest<A: Total, R: Value>(
    trees: &Trees,
    some: Range<usize>,
    forest: &Forest,
    x: &[R],
    sums: &mut [A],
    walking: &mut Walking,
) {
    let walk = &trees.walk;
    let values = A::values(walk.values());
    for first in some.clone().step_by(ROWS) {
        let some = first..some.end.min(first + ROWS);
        let leaves = forest.row(trees.isa, some.clone(), walking);
        for (tree, &leaf) in walk.trees[some].iter().zip(leaves) {
            walk.add(tree, values, leaf, x, |k, value| {
                sums[k] = sums[k].plus(value);
            });
        }
    }
}

/// One tree after the other, one node after the other.
fn plain<A: Total, R: Value>(trees: &Trees, range: Range<usize>, x: &[R], sums: &mut [A]) {
    let (walk, sets) = (&trees.walk, &trees.table.sets[..]);
    let values = A::values(walk.values());
    for tree in &walk.trees[range] {
        let leaf = match &walk.nodes {
            Nodes::F32(nodes) => walk.one(nodes, sets, tree.root(), x),
            Nodes::F64(nodes) => walk.one(nodes, sets, tree.root(), x),
        };
        walk.add(tree, values, leaf, x, |k, value| {
            sums[k] = sums[k].plus(value);
        });
    }
}
