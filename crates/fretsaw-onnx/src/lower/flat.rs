//! The ensemble flattened for ONNX: trees of branches and leaves in preorder, and the columns that
//! their tests look at.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use fretsaw_model::{Ensemble, Float, Node, Split, Sum, Target, Tree};

use super::branch::{Branch, Column, Condition};

/// A node of a flat tree; children are positions in the tree.
#[derive(Clone, Debug)]
pub(crate) enum FlatNode {
    Branch {
        /// The column of the ensemble's input.
        column: usize,
        condition: Condition,
        nan_true: bool,
        on_true: usize,
        on_false: usize,
    },
    Leaf(usize),
}

/// A tree, root first, every parent before its children.
#[derive(Debug)]
pub(crate) struct FlatTree<'a> {
    pub(crate) shape: Shape<'a>,
    /// The outputs that a leaf adds to.
    pub(crate) targets: Vec<usize>,
    /// What each leaf adds, one value a target, weights multiplied in.
    pub(crate) leaves: Vec<f64>,
}

/// Where the nodes of a tree come from.
#[derive(Debug)]
pub(crate) enum Shape<'a> {
    Nodes(Vec<FlatNode>),
    /// An ensemble's tree, flattened when its nodes are asked for: all at once would take more room
    /// than the ensemble.
    Of {
        tree: &'a Tree,
        compare: Float,
        layout: &'a Layout,
        wide: bool,
    },
}

impl<'a> FlatTree<'a> {
    /// The nodes.
    pub(crate) fn nodes(&self) -> Cow<'_, [FlatNode]> {
        match self.shape {
            Shape::Nodes(ref nodes) => Cow::Borrowed(nodes),
            Shape::Of {
                tree,
                compare,
                layout,
                wide,
            } => Cow::Owned(preorder(tree, compare, layout, wide)),
        }
    }

    /// A tree that adds `values` to every row.
    pub(crate) fn constant(values: &[f64]) -> Self {
        Self {
            shape: Shape::Nodes(vec![FlatNode::Leaf(0)]),
            targets: (0..values.len()).collect(),
            leaves: values.to_vec(),
        }
    }
}

/// Which column of the ensemble's input holds which feature, and how it is made.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The features of each kind of column, ascending.
    pub(crate) groups: BTreeMap<Column, Vec<u32>>,
    /// Whether one kind serves for all: then columns are features.
    pub(crate) uniform: bool,
    n_features: usize,
}

impl Layout {
    pub(crate) fn of(e: &Ensemble, n_features: usize, wide: bool) -> Self {
        let mut used: BTreeMap<Column, BTreeSet<u32>> = BTreeMap::new();
        for tree in &e.trees {
            for node in &tree.nodes {
                if let Node::Split(split) = node {
                    let column = Branch::new(split, tree, e.compare, wide).column;
                    used.entry(column).or_default().insert(split.feature);
                }
            }
        }
        Self {
            uniform: used.len() <= 1,
            groups: used
                .into_iter()
                .map(|(c, f)| (c, f.into_iter().collect()))
                .collect(),
            n_features,
        }
    }

    /// The column of `feature` made as `column`.
    fn position(&self, column: Column, feature: u32) -> usize {
        if self.uniform || column == Column::default() {
            return feature as usize;
        }
        // Plain features come first, all of them, if any is used plainly.
        let mut at = if self.groups.contains_key(&Column::default()) {
            self.n_features
        } else {
            0
        };
        for (kind, features) in self.groups.iter().filter(|(c, _)| **c != Column::default()) {
            if *kind == column {
                return at + features.binary_search(&feature).unwrap_or(0);
            }
            at += features.len();
        }
        at
    }
}

/// Flattens every tree.
pub(crate) fn flatten<'a>(e: &'a Ensemble, layout: &'a Layout, wide: bool) -> Vec<FlatTree<'a>> {
    e.trees
        .iter()
        .map(|tree| FlatTree {
            shape: Shape::Of {
                tree,
                compare: e.compare,
                layout,
                wide,
            },
            targets: match tree.target {
                Target::Output(k) => vec![k as usize],
                Target::All => (0..e.n_outputs).collect(),
            },
            leaves: tree
                .leaves
                .iter()
                .map(|&v| weighted(e.sum, v, tree.weight))
                .collect(),
        })
        .collect()
}

/// A leaf times its tree's weight, in the precision of the sum.
fn weighted(sum: Sum, value: f64, weight: f64) -> f64 {
    match sum {
        Sum::F32 => f64::from(value as f32 * weight as f32),
        Sum::F64 | Sum::I32 => value * weight,
    }
}

fn preorder(tree: &Tree, compare: Float, layout: &Layout, wide: bool) -> Vec<FlatNode> {
    let mut nodes = Vec::with_capacity(tree.nodes.len());
    // An IR node to place, and the parent (with the way to it) that waits for its position.
    let mut stack: Vec<(u32, Option<(usize, bool)>)> = vec![(0, None)];
    while let Some((at, parent)) = stack.pop() {
        let here = nodes.len();
        if let Some((parent, way)) = parent
            && let FlatNode::Branch {
                on_true, on_false, ..
            } = &mut nodes[parent]
        {
            *(if way { on_true } else { on_false }) = here;
        }
        nodes.push(match &tree.nodes[at as usize] {
            Node::Leaf(k) => FlatNode::Leaf(*k as usize),
            Node::Split(split) => {
                let branch = Branch::new(split, tree, compare, wide);
                stack.push((branch.on_false, Some((here, false))));
                stack.push((branch.on_true, Some((here, true))));
                flat(branch, split, layout)
            }
        });
    }
    nodes
}

fn flat(branch: Branch, split: &Split, layout: &Layout) -> FlatNode {
    FlatNode::Branch {
        column: layout.position(branch.column, split.feature),
        condition: branch.condition,
        nan_true: branch.nan_true,
        // Set when the children are placed.
        on_true: 0,
        on_false: 0,
    }
}
