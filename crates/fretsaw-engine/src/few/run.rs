//! Row by row: the row's bytes, then segment by segment its leaves, added as they are found.

use super::bytes::{Ranked, RowBytes};
use super::tables::Pools;
use super::{Kind, Leaves, Segment};
use crate::block::Value;
use crate::kernel;
use crate::run::{Total, start};
use crate::trees::Trees;
use crate::walk::{ANYTHING, LANES, Node, Nodes, PLAIN, WHOLE, WalkTree};

/// The margins of the rows `x`, which have `width` values each.
pub(crate) fn rows<A: Total, R: Ranked>(
    trees: &Trees,
    x: &[R],
    width: usize,
    out: &mut [A::Margin],
    sums: &mut Vec<A>,
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
        for segment in &few.segments {
            if segment.kind == Kind::Walk {
                walk(trees, segment, x, sums);
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

/// The trees of a segment walked, several in flight.
fn walk<A: Total, R: Value>(trees: &Trees, segment: &Segment, x: &[R], sums: &mut [A]) {
    let of_walk = &trees.walk.trees[segment.trees.clone()];
    match &trees.walk.nodes {
        Nodes::F32(nodes) => walk_of(trees, nodes, of_walk, x, sums),
        Nodes::F64(nodes) => walk_of(trees, nodes, of_walk, x, sums),
    }
}

fn walk_of<A: Total, R: Value, T: Value>(
    trees: &Trees,
    nodes: &[Node<T>],
    of_walk: &[WalkTree],
    x: &[R],
    sums: &mut [A],
) {
    match trees.walk.meets(x) {
        WHOLE => walk_by::<A, R, T, WHOLE>(trees, nodes, of_walk, x, sums),
        PLAIN => walk_by::<A, R, T, PLAIN>(trees, nodes, of_walk, x, sums),
        _ => walk_by::<A, R, T, ANYTHING>(trees, nodes, of_walk, x, sums),
    }
}

fn walk_by<A: Total, R: Value, T: Value, const MEETS: u8>(
    trees: &Trees,
    nodes: &[Node<T>],
    of_walk: &[WalkTree],
    x: &[R],
    sums: &mut [A],
) {
    let (walk, sets) = (&trees.walk, &trees.table.sets[..]);
    let values = A::values(walk.values());
    for eight in of_walk.chunks(LANES) {
        let last = eight.len() - 1;
        let roots = std::array::from_fn(|lane| eight[lane.min(last)].root());
        let leaves = walk.eight::<R, T, MEETS>(nodes, sets, roots, [x; LANES]);
        for (tree, leaf) in eight.iter().zip(leaves) {
            walk.add(tree, values, leaf, x, |k, value| {
                sums[k] = sums[k].plus(value);
            });
        }
    }
}

/// The engine's own baseline: one tree after the other, one node after the other.
pub(crate) fn plain_walk<A: Total, R: Value>(
    trees: &Trees,
    x: &[R],
    width: usize,
    out: &mut [A::Margin],
    sums: &mut Vec<A>,
) {
    let (walk, sets) = (&trees.walk, &trees.table.sets[..]);
    let finish = &trees.finish;
    let n_outputs = finish.base.len();
    let values = A::values(walk.values());
    for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(n_outputs)) {
        sums.clear();
        sums.extend((0..n_outputs).map(|k| start::<A>(finish, k)));
        for tree in &walk.trees {
            let leaf = match &walk.nodes {
                Nodes::F32(nodes) => walk.one(nodes, sets, tree.root(), x),
                Nodes::F64(nodes) => walk.one(nodes, sets, tree.root(), x),
            };
            walk.add(tree, values, leaf, x, |k, value| {
                sums[k] = sums[k].plus(value);
            });
        }
        for (k, (out, sum)) in out.iter_mut().zip(&*sums).enumerate() {
            *out = sum.finish(finish, k);
        }
    }
}
