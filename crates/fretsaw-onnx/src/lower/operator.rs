//! Flat trees as the attributes of ONNX's operators: `TreeEnsembleRegressor` (`ai.onnx.ml` 3) and
//! `TreeEnsemble` (5).
//!
//! Version 3 has no sets: a set is a chain of `BRANCH_EQ` whose true ways meet, which ONNX Runtime
//! folds back into one test; others it folds wrongly, which `apart` keeps it from. Version 5 has no vector
//! leaves: such a tree stands once an output.

use super::apart::kept_apart;
use super::branch::{Condition, Mode};
use super::flat::{FlatNode, FlatTree};
use super::lists::{Ints, Texts};
use crate::graph::{ML, attribute};
use crate::proto::{AttributeProto, TensorProto};
use crate::tensor::{from_f32s, from_f64s, from_u8s};

/// ONNX's transformation of finished scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Post {
    None,
    SoftmaxZero,
    Probit,
}

/// One ensemble operator to be written.
pub(crate) struct Operator<'a> {
    pub(crate) trees: &'a [FlatTree<'a>],
    pub(crate) n_outputs: usize,
    /// f64 thresholds and leaves, for f64 inputs.
    pub(crate) wide: bool,
    /// Added to the finished sums; empty: nothing. Version 3 only.
    pub(crate) base: &'a [f64],
    /// Whether the sums are divided by the number of trees.
    pub(crate) average: bool,
    pub(crate) post: Post,
}

impl Operator<'_> {
    /// Its domain, name and attributes in operator set `ml_opset`; `packed`: in wire form.
    pub(crate) fn write(
        &self,
        ml_opset: i64,
        packed: bool,
    ) -> (&'static str, &'static str, Vec<AttributeProto>) {
        if ml_opset < 5 {
            (ML, "TreeEnsembleRegressor", self.version_3(packed))
        } else {
            (ML, "TreeEnsemble", self.version_5(packed))
        }
    }

    fn floats(&self, name: &str, values: Vec<f64>) -> TensorProto {
        let dims = [values.len()];
        if self.wide {
            from_f64s(name, &dims, values)
        } else {
            from_f32s(name, &dims, values.into_iter().map(|v| v as f32))
        }
    }

    /// Version 3 keeps f32 in plain lists and f64 in tensors.
    fn list(&self, name: &str, values: Vec<f64>) -> AttributeProto {
        if self.wide {
            let name = format!("{name}_as_tensor");
            attribute(&name, self.floats(&name, values))
        } else {
            attribute(
                name,
                values.into_iter().map(|v| v as f32).collect::<Vec<_>>(),
            )
        }
    }

    fn version_3(&self, packed: bool) -> Vec<AttributeProto> {
        let mut n = Nodes3::new(packed);
        for (tree_id, tree) in self.trees.iter().enumerate() {
            n.tree(tree_id as i64, tree);
        }
        let mut attributes = vec![
            attribute("n_targets", self.n_outputs as i64),
            attribute(
                "aggregate_function",
                if self.average { "AVERAGE" } else { "SUM" },
            ),
            attribute(
                "post_transform",
                match self.post {
                    Post::None => "NONE",
                    Post::SoftmaxZero => "SOFTMAX_ZERO",
                    Post::Probit => "PROBIT",
                },
            ),
            attribute("nodes_treeids", n.tree_ids),
            attribute("nodes_nodeids", n.node_ids),
            attribute("nodes_featureids", n.columns),
            attribute("nodes_modes", n.modes),
            self.list("nodes_values", n.values),
            attribute("nodes_truenodeids", n.on_true),
            attribute("nodes_falsenodeids", n.on_false),
            attribute("target_treeids", n.target_trees),
            attribute("target_nodeids", n.target_nodes),
            attribute("target_ids", n.target_ids),
            self.list("target_weights", n.weights),
        ];
        // Absent means 0 everywhere, and lets the runtime skip the test for NaN.
        if n.any_nan_true {
            attributes.push(attribute("nodes_missing_value_tracks_true", n.nan_true));
        }
        if !self.base.is_empty() {
            attributes.push(self.list("base_values", self.base.to_vec()));
        }
        attributes
    }

    fn version_5(&self, packed: bool) -> Vec<AttributeProto> {
        let test = self
            .trees
            .iter()
            .find_map(|t| t.nodes().iter().find_map(compared_by));
        let mut n = Nodes5::new(packed);
        for tree in self.trees {
            for place in 0..tree.targets.len() {
                n.tree(tree, place, test);
            }
        }
        let n_nodes = n.modes.len();
        let mut attributes = vec![
            attribute("n_targets", self.n_outputs as i64),
            attribute("aggregate_function", i64::from(!self.average)),
            attribute(
                "post_transform",
                match self.post {
                    Post::None => 0_i64,
                    Post::SoftmaxZero => 3,
                    Post::Probit => 4,
                },
            ),
            attribute("tree_roots", n.roots),
            attribute("nodes_featureids", n.columns),
            attribute("nodes_modes", from_u8s("nodes_modes", &[n_nodes], n.modes)),
            attribute("nodes_splits", self.floats("nodes_splits", n.splits)),
            attribute("nodes_truenodeids", n.on_true),
            attribute("nodes_trueleafs", n.true_is_leaf),
            attribute("nodes_falsenodeids", n.on_false),
            attribute("nodes_falseleafs", n.false_is_leaf),
            attribute("leaf_targetids", n.leaf_targets),
            attribute("leaf_weights", self.floats("leaf_weights", n.leaf_weights)),
        ];
        if n.any_nan_true {
            attributes.push(attribute("nodes_missing_value_tracks_true", n.nan_true));
        }
        if !n.members.is_empty() {
            attributes.push(attribute(
                "membership_values",
                self.floats("membership_values", n.members),
            ));
        }
        attributes
    }
}

fn compared_by(node: &FlatNode) -> Option<(i64, Mode)> {
    match node {
        FlatNode::Branch {
            column,
            condition: Condition::Compare(mode, _),
            ..
        } => Some((*column as i64, *mode)),
        _ => None,
    }
}

struct Nodes3 {
    tree_ids: Ints,
    node_ids: Ints,
    columns: Ints,
    modes: Texts,
    values: Vec<f64>,
    on_true: Ints,
    on_false: Ints,
    nan_true: Ints,
    any_nan_true: bool,
    target_trees: Ints,
    target_nodes: Ints,
    target_ids: Ints,
    weights: Vec<f64>,
}

impl Nodes3 {
    fn new(packed: bool) -> Self {
        let ints = || Ints::new(packed);
        Self {
            tree_ids: ints(),
            node_ids: ints(),
            columns: ints(),
            modes: Texts::new(packed),
            values: Vec::new(),
            on_true: ints(),
            on_false: ints(),
            nan_true: ints(),
            any_nan_true: false,
            target_trees: ints(),
            target_nodes: ints(),
            target_ids: ints(),
            weights: Vec::new(),
        }
    }

    fn tree(&mut self, tree_id: i64, tree: &FlatTree<'_>) {
        let nodes = tree.nodes();
        let apart = kept_apart(tree);
        // A set takes as many node ids as it has members; what keeps a test apart takes two, in front.
        let (mut ids, mut entries) = (Vec::new(), Vec::new());
        let mut next = 0_i64;
        for (node, apart) in nodes.iter().zip(&apart) {
            entries.push(next);
            next += if *apart { 2 } else { 0 };
            ids.push(next);
            next += match node {
                FlatNode::Branch {
                    condition: Condition::Member(values),
                    ..
                } => values.len() as i64,
                _ => 1,
            };
        }
        let none = vec![0.0; tree.targets.len()];
        for (at, (node, &id)) in nodes.iter().zip(&ids).enumerate() {
            match node {
                FlatNode::Leaf(leaf) => {
                    let own = tree.leaves.chunks_exact(tree.targets.len()).nth(*leaf);
                    self.leaf(tree_id, id, &tree.targets, own.unwrap_or_default());
                }
                FlatNode::Branch {
                    column,
                    condition,
                    nan_true,
                    on_true,
                    on_false,
                } => {
                    let column = *column as i64;
                    if apart[at] {
                        let never = (Mode::Less.name(), f64::NEG_INFINITY);
                        let (barrier, ways) = (id - 2, (id - 1, id));
                        self.push(tree_id, barrier, column, never.0, never.1, ways, false);
                        self.leaf(tree_id, id - 1, &tree.targets, &none);
                    }
                    let (yes, no) = (entries[*on_true], entries[*on_false]);
                    match condition {
                        Condition::Compare(mode, t) => {
                            self.push(tree_id, id, column, mode.name(), *t, (yes, no), *nan_true);
                        }
                        Condition::Member(values) => {
                            let last = id + values.len() as i64 - 1;
                            for (id, &v) in (id..).zip(values) {
                                let no = if id == last { no } else { id + 1 };
                                let mode = Mode::Equal.name();
                                self.push(tree_id, id, column, mode, v, (yes, no), *nan_true);
                            }
                        }
                    }
                }
            }
        }
    }

    fn leaf(&mut self, tree_id: i64, id: i64, targets: &[usize], weights: &[f64]) {
        self.push(tree_id, id, 0, "LEAF", 0.0, (0, 0), false);
        for (&output, &weight) in targets.iter().zip(weights) {
            self.target_trees.push(tree_id);
            self.target_nodes.push(id);
            self.target_ids.push(output as i64);
            self.weights.push(weight);
        }
    }

    #[allow(clippy::too_many_arguments)] // one an attribute
    fn push(
        &mut self,
        tree_id: i64,
        id: i64,
        column: i64,
        mode: &str,
        value: f64,
        (yes, no): (i64, i64),
        nan_true: bool,
    ) {
        self.tree_ids.push(tree_id);
        self.node_ids.push(id);
        self.columns.push(column);
        self.modes.push(mode);
        self.values.push(value);
        self.on_true.push(yes);
        self.on_false.push(no);
        self.nan_true.push(i64::from(nan_true));
        self.any_nan_true |= nan_true;
    }
}

struct Nodes5 {
    roots: Ints,
    columns: Ints,
    modes: Vec<u8>,
    splits: Vec<f64>,
    on_true: Ints,
    true_is_leaf: Ints,
    on_false: Ints,
    false_is_leaf: Ints,
    nan_true: Ints,
    any_nan_true: bool,
    leaf_targets: Ints,
    leaf_weights: Vec<f64>,
    members: Vec<f64>,
}

impl Nodes5 {
    const MEMBER: u8 = 6;

    fn new(packed: bool) -> Self {
        let ints = || Ints::new(packed);
        Self {
            roots: ints(),
            columns: ints(),
            modes: Vec::new(),
            splits: Vec::new(),
            on_true: ints(),
            true_is_leaf: ints(),
            on_false: ints(),
            false_is_leaf: ints(),
            nan_true: ints(),
            any_nan_true: false,
            leaf_targets: ints(),
            leaf_weights: Vec::new(),
            members: Vec::new(),
        }
    }

    /// Adds the tree for the target at `place` of its targets. `test`: a column and the mode that it is
    /// tested by, where there is any.
    fn tree(&mut self, tree: &FlatTree<'_>, place: usize, test: Option<(i64, Mode)>) {
        let nodes = tree.nodes();
        self.roots.push(self.modes.len() as i64);
        let (output, width) = (tree.targets[place], tree.targets.len());
        let leaf = |this: &mut Self, i: usize| {
            this.leaf_targets.push(output as i64);
            this.leaf_weights.push(tree.leaves[i * width + place]);
            this.leaf_weights.len() as i64 - 1
        };
        // Positions of branches among nodes, and of leaves among leaves.
        let first = self.modes.len() as i64;
        let mut places = Vec::with_capacity(nodes.len());
        let mut n_branches = 0;
        for node in nodes.iter() {
            places.push(match node {
                FlatNode::Leaf(i) => (leaf(self, *i), 1),
                FlatNode::Branch { .. } => {
                    n_branches += 1;
                    (first + n_branches - 1, 0)
                }
            });
        }
        if let [FlatNode::Leaf(i)] = nodes[..] {
            // A tree is its root branch: one leaf is a branch with two equal ones. (One leaf named
            // twice is legal too, but older ONNX Runtimes take the node's number for the leaf's.)
            let twin = leaf(self, i);
            // It tests as others do: runtimes are fast where all tests are of one mode.
            let (column, mode) = test.unwrap_or((0, Mode::Equal));
            self.push(column, mode as u8, 0.0, places[0], (twin, 1), false);
            return;
        }
        for node in nodes.iter() {
            if let FlatNode::Branch {
                column,
                condition,
                nan_true,
                on_true,
                on_false,
            } = node
            {
                let (mode, split) = match condition {
                    Condition::Compare(mode, t) => (*mode as u8, *t),
                    Condition::Member(values) => {
                        self.members.extend(values);
                        self.members.push(f64::NAN);
                        (Self::MEMBER, 0.0)
                    }
                };
                let column = *column as i64;
                self.push(
                    column,
                    mode,
                    split,
                    places[*on_true],
                    places[*on_false],
                    *nan_true,
                );
            }
        }
    }

    fn push(
        &mut self,
        column: i64,
        mode: u8,
        split: f64,
        yes: (i64, i64),
        no: (i64, i64),
        nan_true: bool,
    ) {
        self.columns.push(column);
        self.modes.push(mode);
        self.splits.push(split);
        self.on_true.push(yes.0);
        self.true_is_leaf.push(yes.1);
        self.on_false.push(no.0);
        self.false_is_leaf.push(no.1);
        self.nan_true.push(i64::from(nan_true));
        self.any_nan_true |= nan_true;
    }
}
