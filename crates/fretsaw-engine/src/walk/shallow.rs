//! Shallow trees once more, for one row: padded to complete trees of at most eight levels.
//!
//! They are made from the forest's nodes and share its columns. Vector and linear leaves are left to
//! the forest, as are blocks of rows and trees that padding would make much larger.

use std::ops::Range;

use crate::kernel::{Below, LEAF, LEVELS, Line, Lines, Nodes, Step, Test, WAYS};
use crate::leaves::Values;

/// Levels of two lines.
const MAX_DEPTH: usize = 2 * LEVELS;
/// How many leaves padding may make of one.
const MAX_PADDING: usize = 4;

/// The leaves in the type of the sum.
pub(crate) enum Padded {
    F32(Vec<Below<f32>>),
    F64(Vec<Below<f64>>),
    I32(Vec<Below<i32>>),
}

/// The shallow ones of a forest's trees.
pub(crate) struct Shallow {
    pub(crate) lines: Lines,
    pub(crate) leaves: Padded,
    /// Trees in a row, and where their first lines start.
    runs: Vec<(Range<usize>, usize)>,
}

impl Shallow {
    /// Of `trees`, which come in order with their first nodes, the shallow ones, if any are.
    pub(super) fn new(
        nodes: &Nodes,
        trees: impl Iterator<Item = (usize, u32)>,
        values: &Values,
    ) -> Option<Self> {
        let steps = nodes.steps();
        let (mut first, mut below) = (Vec::new(), Vec::new());
        let mut leaves: Vec<[u32; WAYS]> = Vec::new();
        let mut runs: Vec<(Range<usize>, usize)> = Vec::new();
        for (tree, root) in trees {
            let Some(heap) = complete(steps, root) else {
                continue;
            };
            match runs.last_mut() {
                Some((run, _)) if run.end == tree => run.end += 1,
                _ => runs.push((tree..tree + 1, first.len())),
            }
            // Of the first line the tests that are too many always answer alike.
            let levels = heap.len().ilog2() as usize - 1 - LEVELS;
            let mut line = Line::NONE;
            line.below = below.len() as u32;
            fill(steps, &heap, 1, levels, &mut line, LEVELS - levels);
            first.push(line);
            for root in 1 << levels..2 << levels {
                let mut line = Line::NONE;
                fill(steps, &heap, root, LEVELS, &mut line, 0);
                below.push(line);
                let mut places = [0; WAYS];
                for (place, &leaf) in places.iter_mut().zip(&heap[root << LEVELS..]) {
                    *place = steps[leaf as usize].child;
                }
                leaves.push(places);
            }
        }
        let leaves = match values {
            Values::F32(v) => Padded::F32(look_up(&leaves, v)),
            Values::F64(v) => Padded::F64(look_up(&leaves, v)),
            Values::I32(v) => Padded::I32(look_up(&leaves, v)),
        };
        (!runs.is_empty()).then(|| Self {
            lines: Lines::new(first, below, nodes.n_columns()),
            leaves,
            runs,
        })
    }

    /// The first of `trees` that are alike, and where their first lines start if they are here.
    pub(crate) fn alike(&self, trees: Range<usize>) -> (Range<usize>, Option<usize>) {
        let next = self.runs.partition_point(|(run, _)| run.end <= trees.start);
        match self.runs.get(next) {
            Some((run, first)) if run.start <= trees.start => (
                trees.start..trees.end.min(run.end),
                Some(first + trees.start - run.start),
            ),
            Some((run, _)) => (trees.start..trees.end.min(run.start), None),
            None => (trees, None),
        }
    }

    pub(crate) fn memory(&self) -> usize {
        self.lines.memory()
            + size_of_val(&self.runs[..])
            + match &self.leaves {
                Padded::F32(v) => size_of_val(&v[..]),
                Padded::F64(v) => size_of_val(&v[..]),
                Padded::I32(v) => size_of_val(&v[..]),
            }
    }
}

/// The tree below `root` as a complete heap from place 1 on: below a leaf is that leaf again. None
/// if it is too deep, or too much would be padding.
fn complete(steps: &[Step], root: u32) -> Option<Vec<u32>> {
    let mut heap = vec![root; 2];
    let mut levels = 0;
    let mut n_leaves = 1;
    loop {
        let level = &heap[1 << levels..];
        let n_splits = level.iter().filter(|&&at| is_split(steps, at)).count();
        if n_splits == 0 && levels >= LEVELS {
            break;
        }
        n_leaves += n_splits;
        levels += 1;
        if levels > MAX_DEPTH {
            return None;
        }
        for i in heap.len() / 2..heap.len() {
            let at = heap[i];
            let child = steps[at as usize].child;
            heap.extend(match is_split(steps, at) {
                true => [child, child + 1],
                false => [at, at],
            });
        }
    }
    let fits = 1 << levels <= (MAX_PADDING * n_leaves).max(WAYS);
    fits.then_some(heap)
}

fn is_split(steps: &[Step], at: u32) -> bool {
    steps[at as usize].cut != LEAF
}

/// Puts `levels` levels of the heap below `root` into a line, `deep` levels below its top.
fn fill(steps: &[Step], heap: &[u32], root: usize, levels: usize, line: &mut Line, deep: usize) {
    for level in 0..levels {
        for i in 0..1 << level {
            let step = &steps[heap[(root << level) + i] as usize];
            if step.cut != LEAF {
                let (cut, column) = (step.cut, step.column);
                line.put((1 << (deep + level)) + i, Test { cut, column });
            }
        }
    }
}

fn look_up<V: Copy>(places: &[[u32; WAYS]], values: &[V]) -> Vec<Below<V>> {
    let line = |places: &[u32; WAYS]| Below(places.map(|place| values[place as usize]));
    places.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree of `n` splits, each of which goes on to the second side only.
    fn chain(n: u32) -> Vec<Step> {
        let split = |i| Step {
            cut: i as u16,
            column: 0,
            child: 2 * i + 1,
        };
        let leaf = |child| Step {
            cut: LEAF,
            column: 0,
            child,
        };
        let pairs = (0..n).flat_map(|i| [split(i), leaf(i)]);
        // The root, and then the pairs of children.
        let steps: Vec<Step> = pairs.collect();
        let mut tree = vec![steps[0]];
        for i in 1..=n {
            tree.push(leaf(i - 1));
            tree.push(if i == n { leaf(n) } else { split(i) });
        }
        tree
    }

    #[test]
    fn padding_has_a_limit() {
        let levels = |n| complete(&chain(n), 0).map(|heap| heap.len().ilog2() - 1);
        assert_eq!(levels(1), Some(4));
        assert_eq!(levels(4), Some(4));
        assert_eq!(levels(5), None, "32 leaves of 6");
        assert_eq!(levels(9), None, "nine levels");
    }

    #[test]
    fn each_rank_finds_its_leaf() {
        let values = Values::F32((0..5).map(|leaf| leaf as f32).collect::<Vec<_>>().into());
        let (short, long) = (chain(4), chain(9));
        let nodes = |steps: &[Step]| Nodes::new(steps.to_vec().into(), 1).unwrap();
        assert!(Shallow::new(&nodes(&long), [(0, 0)].into_iter(), &values).is_none());
        let trees = [2, 3, 4, 8].map(|tree| (tree, 0));
        let shallow = Shallow::new(&nodes(&short), trees.into_iter(), &values).unwrap();
        assert_eq!(shallow.alike(0..9), (0..2, None));
        assert_eq!(shallow.alike(3..9), (3..5, Some(1)));
        assert_eq!(shallow.alike(2..4), (2..4, Some(0)));
        assert_eq!(shallow.alike(5..9), (5..8, None));
        assert_eq!(shallow.alike(8..9), (8..9, Some(3)));
        assert_eq!(shallow.alike(9..12), (9..12, None));
        let Padded::F32(leaves) = &shallow.leaves else {
            panic!("leaves of another type");
        };
        for rank in 0..7 {
            let add = |found: Vec<f32>, _, leaf| [found, vec![leaf]].concat();
            let found =
                crate::kernel::shallow(&shallow.lines, 0..4, leaves, &[rank], Vec::new(), add);
            assert_eq!(found, [f32::from(rank.min(4)); 4], "rank {rank}");
        }
    }
}
