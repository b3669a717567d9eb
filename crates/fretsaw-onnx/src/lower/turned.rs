//! Tests of equality that `ai.onnx.ml` 3 must not hold as `BRANCH_EQ`, because ONNX Runtime would fold
//! them into the test above.
//!
//! It takes neighbours of a chain of `BRANCH_EQ` on one feature for a set where their true ways look
//! alike: the same tests, and leaves whose first weights are equal. What is below the second one is
//! then dropped, its weights land on the first node of the ensemble, and the flags for NaN and the
//! other weights of a leaf are not looked at (`CheckIfSubtreesAreEqual` in `tree_ensemble_common.h`,
//! seen in 1.32 too). Written as `BRANCH_NEQ` with its ways exchanged the test is the same and nothing
//! is folded. Sets that we write ourselves, whose true ways are one node, are meant to be folded.

use super::branch::{Condition, Mode};
use super::flat::{FlatNode, FlatTree};

/// Which tests of a tree are turned round: of each node's chain the first, and the last.
pub(super) struct Turned {
    pub(super) first: Vec<bool>,
    pub(super) last: Vec<bool>,
}

impl Turned {
    /// NaN goes its true way, whatever the flag says.
    pub(super) const MODE: &str = "BRANCH_NEQ";

    pub(super) fn of(tree: &FlatTree<'_>) -> Self {
        let nodes = tree.nodes();
        let none = || vec![false; nodes.len()];
        let mut turned = Self {
            first: none(),
            last: none(),
        };
        for (at, node) in nodes.iter().enumerate() {
            let Some(above) = Equality::of(node) else {
                continue;
            };
            let Some(below) = Equality::of(&nodes[above.on_false]) else {
                continue;
            };
            if above.column != below.column || !alike(tree, above.on_true, below.on_true) {
                continue;
            }
            // The one that is turned must send NaN its false way, or never see it.
            if below.nan_true && !above.nan_true {
                turned.last[at] = true;
            } else {
                turned.first[above.on_false] = true;
            }
        }
        turned
    }
}

/// A node that tests whether a column equals a value, or one of some.
struct Equality {
    column: usize,
    nan_true: bool,
    on_true: usize,
    on_false: usize,
}

impl Equality {
    fn of(node: &FlatNode) -> Option<Self> {
        match node {
            FlatNode::Branch {
                column,
                condition: Condition::Compare(Mode::Equal, _) | Condition::Member(_),
                nan_true,
                on_true,
                on_false,
            } => Some(Self {
                column: *column,
                nan_true: *nan_true,
                on_true: *on_true,
                on_false: *on_false,
            }),
            _ => None,
        }
    }
}

/// Whether ONNX Runtime may take what is below `a` and `b` for the same.
fn alike(tree: &FlatTree<'_>, a: usize, b: usize) -> bool {
    let nodes = tree.nodes();
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

    /// `x0 == 1` above `x0 == 2`, each with a leaf.
    fn chain(columns: [usize; 2], nan_true: [bool; 2], leaves: [f64; 3]) -> FlatTree<'static> {
        let test = |i: usize, on_true, on_false| FlatNode::Branch {
            column: columns[i],
            condition: Condition::Compare(Mode::Equal, 1.0 + i as f64),
            nan_true: nan_true[i],
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
        let alike = [0.5, 0.5, 1.0];
        let cases = [
            ("other leaves", [0, 0], [false; 2], [0.5, 0.25, 1.0], None),
            ("other columns", [0, 1], [false; 2], alike, None),
            ("alike", [0, 0], [false; 2], alike, Some(2)),
            (
                "NaN true at the first",
                [0, 0],
                [true, false],
                alike,
                Some(2),
            ),
            (
                "NaN true at the second",
                [0, 0],
                [false, true],
                alike,
                Some(0),
            ),
            ("NaN true at both", [0, 0], [true; 2], alike, Some(2)),
            // Weights are f32 there.
            (
                "alike in f32",
                [0, 0],
                [false; 2],
                [0.5, 0.5 + 1e-12, 1.0],
                Some(2),
            ),
        ];
        for (name, columns, nan_true, leaves, want) in cases {
            let turned = Turned::of(&chain(columns, nan_true, leaves));
            let got = (0..5).find(|&i| turned.first[i] || turned.last[i]);
            assert_eq!(got, want, "{name}");
        }
    }
}
