//! Tests of equality that `ai.onnx.ml` 3 must not hold as `BRANCH_EQ`, because ONNX Runtime would fold
//! them into the test above.
//!
//! It takes neighbours of a chain of `BRANCH_EQ` on one feature for a set where their true ways look
//! alike: the same tests, and leaves whose first weights are equal. What is below the second one is
//! then dropped, its weights land on the first node of the ensemble, and the flags for NaN and the
//! other weights of a leaf are not looked at (`CheckIfSubtreesAreEqual` in `tree_ensemble_common.h`,
//! seen in 1.32 too). A test that is never true, put between the two, keeps them apart. Sets that we
//! write ourselves, whose true ways are one node, are meant to be folded.

use super::branch::{Condition, Mode};
use super::flat::{FlatNode, FlatTree};

/// For each node of a tree, whether it must be kept apart from the test above it.
pub(super) fn kept_apart(tree: &FlatTree<'_>) -> Vec<bool> {
    let nodes = tree.nodes();
    let mut apart = vec![false; nodes.len()];
    for above in nodes.iter().filter_map(Equality::of) {
        if let Some(below) = Equality::of(&nodes[above.on_false])
            && above.column == below.column
            && alike(tree, &nodes, above.on_true, below.on_true)
        {
            apart[above.on_false] = true;
        }
    }
    apart
}

/// A node that tests whether a column equals a value, or one of some.
struct Equality {
    column: usize,
    on_true: usize,
    on_false: usize,
}

impl Equality {
    fn of(node: &FlatNode) -> Option<Self> {
        match node {
            FlatNode::Branch {
                column,
                condition: Condition::Compare(Mode::Equal, _) | Condition::Member(_),
                on_true,
                on_false,
                ..
            } => Some(Self {
                column: *column,
                on_true: *on_true,
                on_false: *on_false,
            }),
            _ => None,
        }
    }
}

/// Whether ONNX Runtime may take what is below `a` and `b` for the same.
fn alike(tree: &FlatTree<'_>, nodes: &[FlatNode], a: usize, b: usize) -> bool {
    let width = tree.targets.len();
    let weight = |leaf: usize| tree.leaves.get(leaf * width).map(|&w| w as f32);
    let mut left = vec![(a, b)];
    while let Some((a, b)) = left.pop() {
        match (&nodes[a], &nodes[b]) {
            (FlatNode::Leaf(a), FlatNode::Leaf(b)) if weight(*a) == weight(*b) => {}
            (
                FlatNode::Branch {
                    column,
                    condition,
                    on_true,
                    on_false,
                    ..
                },
                FlatNode::Branch {
                    column: other_column,
                    condition: other_condition,
                    on_true: other_true,
                    on_false: other_false,
                    ..
                },
            ) if column == other_column && condition == other_condition => {
                left.extend([(*on_true, *other_true), (*on_false, *other_false)]);
            }
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::flat::Shape;
    use super::*;

    /// `x0 == 1` above a test of equality with 2, each with a leaf.
    fn chain(columns: [usize; 2], leaves: [f64; 3]) -> FlatTree<'static> {
        let test = |i: usize, on_true, on_false| FlatNode::Branch {
            column: columns[i],
            condition: Condition::Compare(Mode::Equal, 1.0 + i as f64),
            nan_true: false,
            on_true,
            on_false,
        };
        let leaf = FlatNode::Leaf;
        let nodes = vec![test(0, 1, 2), leaf(0), test(1, 3, 4), leaf(1), leaf(2)];
        FlatTree {
            shape: Shape::Nodes(nodes),
            targets: vec![0],
            leaves: leaves.to_vec(),
        }
    }

    #[test]
    fn neighbours_that_look_alike_are_kept_apart() {
        let cases = [
            ("other leaves", [0, 0], [0.5, 0.25, 1.0], false),
            ("other columns", [0, 1], [0.5, 0.5, 1.0], false),
            ("alike", [0, 0], [0.5, 0.5, 1.0], true),
            // Weights are f32 there.
            ("alike in f32", [0, 0], [0.5, 0.5 + 1e-12, 1.0], true),
        ];
        for (name, columns, leaves, want) in cases {
            let apart = kept_apart(&chain(columns, leaves));
            assert_eq!(apart, [false, false, want, false, false], "{name}");
        }
    }
}
