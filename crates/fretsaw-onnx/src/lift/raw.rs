//! The attributes of the ensemble operators as raw trees: read, and their lengths and types held
//! against each other. What the trees mean is for `trees` to say.

use std::collections::HashMap;

use fretsaw_model::{Float, Labels};

use super::graph::Op;
use crate::Error;
use crate::proto::attribute_proto::AttributeType;
use crate::tensor::Tensor;

/// Outputs are numbers of declared size; no more are believed.
const MAX_OUTPUTS: usize = 65_536;

/// A comparison, as the file names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    LessEq,
    Less,
    GreaterEq,
    Greater,
    Equal,
    NotEqual,
    Member,
}

/// A node; children are positions in [`Ensemble::nodes`].
#[derive(Clone, Debug)]
pub(super) enum Node {
    Split {
        mode: Mode,
        column: u32,
        value: f64,
        /// The set of `Mode::Member`.
        members: Part,
        nan_true: bool,
        on_true: u32,
        on_false: u32,
    },
    /// What the leaf adds: a part of [`Ensemble::weights`].
    Leaf(Part),
}

/// Some elements next to each other. Files can have millions of nodes, so it is small.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Part {
    first: u32,
    len: u32,
}

impl Part {
    pub(super) fn of<T>(self, list: &[T]) -> &[T] {
        &list[self.first as usize..][..self.len as usize]
    }
}

/// What happens to finished sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Post {
    None,
    Softmax,
    Logistic,
    SoftmaxZero,
    Probit,
}

/// How trees make an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregate {
    Sum,
    Average,
    Min,
    Max,
}

/// An ensemble operator.
#[derive(Debug)]
pub(super) struct Ensemble {
    pub(super) n_outputs: usize,
    pub(super) nodes: Vec<Node>,
    pub(super) roots: Vec<usize>,
    /// Output and value, those of one node next to each other.
    pub(super) weights: Vec<(usize, f64)>,
    pub(super) members: Vec<f64>,
    pub(super) base: Vec<f64>,
    pub(super) aggregate: Aggregate,
    pub(super) post: Post,
    /// The classes of a classifier.
    pub(super) labels: Option<Labels>,
}

/// Reads `TreeEnsembleRegressor` or `TreeEnsembleClassifier`.
pub(super) fn version_3(op: Op<'_>, float: Float) -> Result<Ensemble, Error> {
    read_3(op, float).map_err(|e| at(op, e))
}

/// Reads `TreeEnsemble`.
pub(super) fn version_5(op: Op<'_>) -> Result<Ensemble, Error> {
    read_5(op).map_err(|e| at(op, e))
}

fn at(op: Op<'_>, e: Error) -> Error {
    e.at(op.place())
}

fn lengths(name: &str, got: usize, of: &str, want: usize) -> Result<(), Error> {
    if got == want {
        Ok(())
    } else {
        Err(Error::invalid(format!(
            "{name} has {got} elements, {of} has {want}"
        )))
    }
}

/// A list of whole numbers; empty where absent.
fn ints<'a>(op: Op<'a>, name: &str) -> Result<&'a [i64], Error> {
    match op.attribute(name) {
        None => Ok(&[]),
        Some(a) if a.r#type == Some(AttributeType::Ints as i32) => Ok(&a.ints),
        Some(_) => Err(Error::invalid(format!(
            "{name} is no list of whole numbers"
        ))),
    }
}

fn required<'a>(op: Op<'a>, name: &str) -> Result<&'a [i64], Error> {
    if op.attribute(name).is_none() {
        return Err(Error::invalid(format!("the attribute {name} is missing")));
    }
    ints(op, name)
}

/// Numbers in a tensor.
fn tensor(op: Op<'_>, name: &str) -> Result<Option<Vec<f64>>, Error> {
    let Some(a) = op.attribute(name) else {
        return Ok(None);
    };
    let t =
        a.t.as_ref()
            .ok_or_else(|| Error::invalid(format!("{name} is no tensor")))?;
    let t = Tensor::new(t).map_err(|e| e.at(name))?;
    let values = t
        .f64s()
        .ok_or_else(|| Error::invalid(format!("{name} holds no numbers")))?;
    Ok(Some(values.collect()))
}

/// Numbers in a list of f32, or in the tensor that stands for it.
fn numbers(op: Op<'_>, name: &str) -> Result<Vec<f64>, Error> {
    let wide = tensor(op, &format!("{name}_as_tensor"))?.filter(|v| !v.is_empty());
    let narrow = op.attribute(name).map_or(&[][..], |a| &a.floats);
    match (wide, narrow) {
        (Some(_), [_, ..]) => Err(Error::invalid(format!(
            "{name} and {name}_as_tensor are both given"
        ))),
        (Some(wide), []) => Ok(wide),
        (None, narrow) => Ok(narrow.iter().map(|&v| f64::from(v)).collect()),
    }
}

fn outputs(n: i64, name: &str) -> Result<usize, Error> {
    usize::try_from(n)
        .ok()
        .filter(|n| (1..=MAX_OUTPUTS).contains(n))
        .ok_or_else(|| {
            Error::invalid(format!(
                "{name} is {n}, which is not between 1 and {MAX_OUTPUTS}"
            ))
        })
}

/// Refuses more than a `u32` numbers.
fn countable(n: usize) -> Result<(), Error> {
    match u32::try_from(n) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::invalid(format!(
            "{n} nodes or weights are more than can be numbered"
        ))),
    }
}

fn column(id: i64) -> Result<u32, Error> {
    u32::try_from(id).map_err(|_| Error::invalid(format!("feature {id} is no feature")))
}

/// Where the node of a tree and id stands.
struct Places {
    trees: Vec<Place>,
    /// The place of each tree in `trees`.
    numbers: HashMap<i64, usize>,
    /// The nodes of trees whose ids do not count up from the root's.
    others: HashMap<(i64, i64), u32>,
    /// The tree that was asked for last: mostly the next to be asked for.
    last: usize,
}

struct Place {
    tree: i64,
    /// A tree's root is its first node, wherever its id stands.
    root: u32,
    root_id: i64,
    len: u32,
    counts_up: bool,
}

impl Places {
    fn new(tree_ids: &[i64], node_ids: &[i64]) -> Result<Self, Error> {
        let mut places = Self {
            trees: Vec::new(),
            numbers: HashMap::new(),
            others: HashMap::new(),
            last: 0,
        };
        let mut root = 0;
        for of_tree in tree_ids.chunk_by(|a, b| a == b) {
            let (tree, len) = (of_tree[0], of_tree.len() as u32);
            let ids = &node_ids[root as usize..][..of_tree.len()];
            let number = places.trees.len();
            if places.numbers.insert(tree, number).is_some() {
                return Err(Error::invalid(format!(
                    "the nodes of tree {tree} do not stand together"
                )));
            }
            let counts_up = ids.is_sorted_by(|a, b| a.checked_add(1) == Some(*b));
            for (at, &node) in (root..).zip(ids).filter(|_| !counts_up) {
                if places.others.insert((tree, node), at).is_some() {
                    return Err(Error::invalid(format!("tree {tree} has node {node} twice")));
                }
            }
            places.trees.push(Place {
                tree,
                root,
                root_id: ids[0],
                len,
                counts_up,
            });
            root += len;
        }
        Ok(places)
    }

    fn find(&mut self, tree: i64, node: i64) -> Option<u32> {
        if self.trees.get(self.last).is_none_or(|t| t.tree != tree) {
            self.last = *self.numbers.get(&tree)?;
        }
        let place = &self.trees[self.last];
        if !place.counts_up {
            return self.others.get(&(tree, node)).copied();
        }
        let at = u32::try_from(node.checked_sub(place.root_id)?).ok()?;
        (at < place.len).then(|| place.root + at)
    }

    fn roots(&self) -> Vec<usize> {
        self.trees.iter().map(|t| t.root as usize).collect()
    }
}

fn read_3(op: Op<'_>, float: Float) -> Result<Ensemble, Error> {
    let classifier = op.name() == "TreeEnsembleClassifier";
    let labels = if classifier { Some(labels(op)?) } else { None };
    let n_outputs = match &labels {
        Some(labels) => outputs(labels.len() as i64, "the number of classes")?,
        None => outputs(op.int("n_targets").unwrap_or(0), "n_targets")?,
    };
    let post = match op.text("post_transform").unwrap_or("NONE") {
        "NONE" => Post::None,
        "SOFTMAX" => Post::Softmax,
        "LOGISTIC" => Post::Logistic,
        "SOFTMAX_ZERO" => Post::SoftmaxZero,
        "PROBIT" => Post::Probit,
        other => return Err(op.refuse(&format!("the post_transform {other:?}"))),
    };
    let aggregate = match op.text("aggregate_function").unwrap_or("SUM") {
        "SUM" => Aggregate::Sum,
        "AVERAGE" => Aggregate::Average,
        "MIN" => Aggregate::Min,
        "MAX" => Aggregate::Max,
        other => return Err(op.refuse(&format!("the aggregate_function {other}"))),
    };
    let mut base = numbers(op, "base_values")?;
    if float == Float::F32 {
        base.iter_mut().for_each(|v| *v = f64::from(*v as f32));
    }
    if !base.is_empty()
        && base.len() != n_outputs
        && !(classifier && n_outputs == 2 && base.len() == 1)
    {
        return Err(Error::invalid(format!(
            "base_values has {} elements for {n_outputs} outputs",
            base.len()
        )));
    }

    let tree_ids = required(op, "nodes_treeids")?;
    let n = tree_ids.len();
    let list = |name: &str| {
        let v = required(op, name)?;
        lengths(name, v.len(), "nodes_treeids", n).map(|()| v)
    };
    let (node_ids, columns) = (list("nodes_nodeids")?, list("nodes_featureids")?);
    let (on_true, on_false) = (list("nodes_truenodeids")?, list("nodes_falsenodeids")?);
    let modes = op.attribute("nodes_modes").map_or(&[][..], |a| &a.strings);
    lengths("nodes_modes", modes.len(), "nodes_treeids", n)?;
    let values = numbers(op, "nodes_values")?;
    lengths("nodes_values", values.len(), "nodes_treeids", n)?;
    let nan_true = ints(op, "nodes_missing_value_tracks_true")?;
    if !nan_true.is_empty() {
        lengths(
            "nodes_missing_value_tracks_true",
            nan_true.len(),
            "nodes_treeids",
            n,
        )?;
    }

    countable(n)?;
    let mut places = Places::new(tree_ids, node_ids)?;
    let mut nodes = Vec::with_capacity(n);
    for i in 0..n {
        let mut child = |id: i64| {
            places.find(tree_ids[i], id).ok_or_else(|| {
                Error::invalid(format!(
                    "tree {}, node {}: its child {id} does not exist",
                    tree_ids[i], node_ids[i]
                ))
            })
        };
        let mode = match &modes[i][..] {
            b"BRANCH_LEQ" => Mode::LessEq,
            b"BRANCH_LT" => Mode::Less,
            b"BRANCH_GTE" => Mode::GreaterEq,
            b"BRANCH_GT" => Mode::Greater,
            b"BRANCH_EQ" => Mode::Equal,
            b"BRANCH_NEQ" => Mode::NotEqual,
            b"LEAF" => {
                nodes.push(Node::Leaf(Part::default()));
                continue;
            }
            other => {
                let other = String::from_utf8_lossy(other);
                return Err(op.refuse(&format!("the node mode {other:?}")));
            }
        };
        nodes.push(Node::Split {
            mode,
            column: column(columns[i])?,
            value: values[i],
            members: Part::default(),
            nan_true: nan_true.get(i) == Some(&1),
            on_true: child(on_true[i])?,
            on_false: child(on_false[i])?,
        });
    }

    let prefix = if classifier { "class" } else { "target" };
    let weights = numbers(op, &format!("{prefix}_weights"))?;
    let list = |what: &str| {
        let name = format!("{prefix}_{what}");
        let v = required(op, &name)?;
        lengths(&name, v.len(), &format!("{prefix}_weights"), weights.len()).map(|()| v)
    };
    let (w_trees, w_nodes, w_ids) = (list("treeids")?, list("nodeids")?, list("ids")?);
    countable(weights.len())?;
    let mut of_nodes = Vec::with_capacity(weights.len());
    for (i, &weight) in weights.iter().enumerate() {
        let at = places.find(w_trees[i], w_nodes[i]).ok_or_else(|| {
            Error::invalid(format!(
                "weight {i} is for tree {}, node {}, which does not exist",
                w_trees[i], w_nodes[i]
            ))
        })?;
        let output = usize::try_from(w_ids[i]).ok().filter(|&k| k < n_outputs);
        let output = output.ok_or_else(|| {
            Error::invalid(format!(
                "weight {i} is for output {} of {n_outputs}",
                w_ids[i]
            ))
        })?;
        of_nodes.push((at, (output, weight)));
    }
    // Stable, and quick where they stand in order already.
    of_nodes.sort_by_key(|&(at, _)| at);
    let mut first = 0;
    for of_node in of_nodes.chunk_by(|a, b| a.0 == b.0) {
        let len = of_node.len() as u32;
        // Weights of inner nodes are ignored, as ONNX Runtime does.
        if let Node::Leaf(own) = &mut nodes[of_node[0].0 as usize] {
            *own = Part { first, len };
        }
        first += len;
    }
    Ok(Ensemble {
        n_outputs,
        nodes,
        roots: places.roots(),
        weights: of_nodes.into_iter().map(|(_, weight)| weight).collect(),
        members: vec![],
        base,
        aggregate,
        post,
        labels,
    })
}

/// The class names of a classifier.
pub(super) fn labels(op: Op<'_>) -> Result<Labels, Error> {
    let whole = ints(op, "classlabels_int64s")?;
    let text = op
        .attribute("classlabels_strings")
        .map_or(&[][..], |a| &a.strings);
    match (whole, text) {
        ([_, ..], []) => Ok(Labels::Ints(whole.to_vec())),
        ([], [_, ..]) => text
            .iter()
            .map(|s| String::from_utf8(s.to_vec()).ok())
            .collect::<Option<_>>()
            .map(Labels::Strings)
            .ok_or_else(|| Error::invalid("a class name is not UTF-8")),
        _ => Err(Error::invalid(
            "give one of classlabels_int64s and classlabels_strings",
        )),
    }
}

fn read_5(op: Op<'_>) -> Result<Ensemble, Error> {
    let n_outputs = outputs(op.int("n_targets").unwrap_or(0), "n_targets")?;
    let aggregate = match op.int("aggregate_function").unwrap_or(1) {
        0 => Aggregate::Average,
        1 => Aggregate::Sum,
        2 => Aggregate::Min,
        3 => Aggregate::Max,
        other => return Err(Error::invalid(format!("aggregate_function is {other}"))),
    };
    let post = match op.int("post_transform").unwrap_or(0) {
        0 => Post::None,
        // ONNX numbers these two the one way, ONNX Runtime the other; with one output it runs none.
        1 | 2 if n_outputs == 1 => Post::None,
        1 | 2 => {
            return Err(op.refuse(
                "post_transform 1 or 2 (ONNX and ONNX Runtime disagree on which is softmax)",
            ));
        }
        3 => Post::SoftmaxZero,
        4 => Post::Probit,
        other => return Err(Error::invalid(format!("post_transform is {other}"))),
    };
    let needed = |name: &str| {
        tensor(op, name)?.ok_or_else(|| Error::invalid(format!("the attribute {name} is missing")))
    };
    let modes = needed("nodes_modes")?;
    let n = modes.len();
    let list = |name: &str| {
        let v = required(op, name)?;
        lengths(name, v.len(), "nodes_modes", n).map(|()| v)
    };
    let columns = list("nodes_featureids")?;
    let (on_true, on_false) = (list("nodes_truenodeids")?, list("nodes_falsenodeids")?);
    let (true_leaf, false_leaf) = (list("nodes_trueleafs")?, list("nodes_falseleafs")?);
    let splits = needed("nodes_splits")?;
    lengths("nodes_splits", splits.len(), "nodes_modes", n)?;
    let nan_true = ints(op, "nodes_missing_value_tracks_true")?;
    if !nan_true.is_empty() {
        lengths(
            "nodes_missing_value_tracks_true",
            nan_true.len(),
            "nodes_modes",
            n,
        )?;
    }
    let values = needed("leaf_weights")?;
    let targets = required(op, "leaf_targetids")?;
    lengths(
        "leaf_targetids",
        targets.len(),
        "leaf_weights",
        values.len(),
    )?;
    let members = tensor(op, "membership_values")?.unwrap_or_default();

    countable(n.saturating_add(values.len()))?;
    countable(members.len())?;
    let mut weights = Vec::with_capacity(values.len());
    for (i, (&k, &value)) in targets.iter().zip(&values).enumerate() {
        let output = usize::try_from(k).ok().filter(|&k| k < n_outputs);
        let output = output
            .ok_or_else(|| Error::invalid(format!("leaf {i} is for output {k} of {n_outputs}")))?;
        weights.push((output, value));
    }
    let mut nodes = Vec::with_capacity(n + values.len());
    let mut next_set = 0;
    for i in 0..n {
        let child = |id: i64, leaf: i64| {
            let of = if leaf != 0 { values.len() } else { n };
            let id = usize::try_from(id).ok().filter(|&id| id < of);
            // Leaves stand behind the nodes.
            id.map(|id| if leaf != 0 { n + id } else { id } as u32)
                .ok_or_else(|| Error::invalid(format!("node {i}: its child does not exist")))
        };
        let mode = match modes[i] as u8 {
            0 => Mode::LessEq,
            1 => Mode::Less,
            2 => Mode::GreaterEq,
            3 => Mode::Greater,
            4 => Mode::Equal,
            5 => Mode::NotEqual,
            6 => Mode::Member,
            other => return Err(op.refuse(&format!("the node mode {other}"))),
        };
        let mut set = Part::default();
        if mode == Mode::Member {
            let rest = members.get(next_set..).filter(|rest| !rest.is_empty());
            let rest = rest.ok_or_else(|| {
                Error::invalid(format!("node {i}: membership_values has no set for it"))
            })?;
            let len = rest.iter().position(|v| v.is_nan()).unwrap_or(rest.len());
            set = Part {
                first: next_set as u32,
                len: len as u32,
            };
            next_set += len + 1;
        }
        nodes.push(Node::Split {
            mode,
            column: column(columns[i])?,
            value: splits[i],
            members: set,
            nan_true: nan_true.get(i) == Some(&1),
            on_true: child(on_true[i], true_leaf[i])?,
            on_false: child(on_false[i], false_leaf[i])?,
        });
    }
    let leaf = |first| Node::Leaf(Part { first, len: 1 });
    nodes.extend((0..values.len() as u32).map(leaf));
    let mut roots = Vec::new();
    for &root in required(op, "tree_roots")? {
        let root = usize::try_from(root).ok().filter(|&r| r < n);
        let root = root.ok_or_else(|| Error::invalid("a tree's root does not exist"))?;
        // A root whose two ways are one leaf is that leaf.
        roots.push(match &nodes[root] {
            Node::Split {
                on_true, on_false, ..
            } if on_true == on_false && *on_true as usize >= n => *on_true as usize,
            _ => root,
        });
    }
    Ok(Ensemble {
        n_outputs,
        nodes,
        roots,
        weights,
        members,
        base: vec![],
        aggregate,
        post,
        labels: None,
    })
}
