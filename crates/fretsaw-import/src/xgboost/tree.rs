//! One tree: from XGBoost's arrays to nodes.
//!
//! Only nodes that the root reaches are taken over, in their order: pruning leaves deleted nodes in
//! the arrays, which no parent points at.

use fretsaw_model::{CategoryIndex, CategorySet, Missing, Node, Split, Target, Test, Tree};

use super::{Model, RegTree};
use crate::Error;

/// f32 counts one by one up to here; XGBoost takes no category beyond.
const MAX_CATEGORY: i32 = 1 << 24;

/// What a version does with categories that a split does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnknownCategory {
    /// Before 1.6: cast to an integer, and left where the set has it not.
    Truncated,
    /// 1.6: the default way, where it is negative or beyond the set's last 32-bit word.
    Default,
    /// Since 1.7: left.
    Left,
}

impl UnknownCategory {
    pub(super) fn of(model: &Model) -> Self {
        if model.since(1, 7) {
            Self::Left
        } else if model.since(1, 6) {
            Self::Default
        } else {
            Self::Truncated
        }
    }
}

/// Turns one tree into nodes. `n_outputs` is the model's, `output` the tree's own.
pub(super) fn lift(
    tree: &RegTree,
    output: i32,
    weight: f32,
    n_outputs: usize,
    unknown: UnknownCategory,
) -> Result<Tree, Error> {
    check_lengths(tree)?;
    let vector = tree.size_leaf_vector > 1;
    let target = if vector {
        if tree.size_leaf_vector as usize != n_outputs {
            return Err(Error::invalid(format!(
                "leaves of {} values in a model of {n_outputs} outputs",
                tree.size_leaf_vector
            )));
        }
        Target::All
    } else {
        match u32::try_from(output) {
            Ok(k) if (k as usize) < n_outputs => Target::Output(k),
            _ => {
                return Err(Error::invalid(format!(
                    "tree_info is {output} in a model of {n_outputs} outputs"
                )));
            }
        }
    };

    let places = reached(tree)?;
    let mut lifted = Tree {
        weight: f64::from(weight),
        target,
        nodes: Vec::new(),
        leaves: Vec::new(),
        linear: Vec::new(),
        sets: Vec::new(),
    };
    let mut n_leaves = 0;
    for (at, _) in places.iter().enumerate().filter(|(_, p)| p.is_some()) {
        let node = if tree.left_children[at] == -1 {
            leaf_values(tree, at, &mut lifted.leaves).map_err(|e| in_node(e, at))?;
            n_leaves += 1;
            Node::Leaf(n_leaves - 1)
        } else {
            let place = |child: i32| places[child as usize].unwrap_or_default();
            let left = place(tree.left_children[at]);
            let right = place(tree.right_children[at]);
            let default_left = tree.default_left[at];
            let feature = tree.split_indices[at];
            Node::Split(if tree.split_type.get(at) == Some(&1) {
                let set = category_set(tree, at, unknown).map_err(|e| in_node(e, at))?;
                lifted.sets.push(set);
                Split {
                    feature,
                    test: Test::In(lifted.sets.len() as u32 - 1),
                    missing: Missing::Nan { yes: !default_left },
                    yes: right,
                    no: left,
                }
            } else {
                Split {
                    feature,
                    test: Test::Less(f64::from(tree.split_conditions[at])),
                    missing: Missing::Nan { yes: default_left },
                    yes: left,
                    no: right,
                }
            })
        };
        lifted.nodes.push(node);
    }
    Ok(lifted)
}

fn in_node(error: Error, at: usize) -> Error {
    error.item(at).under("node")
}

fn check_lengths(tree: &RegTree) -> Result<(), Error> {
    let n = tree.num_nodes;
    let lengths = [
        ("left_children", tree.left_children.len()),
        ("right_children", tree.right_children.len()),
        ("split_indices", tree.split_indices.len()),
        ("split_conditions", tree.split_conditions.len()),
        ("default_left", tree.default_left.len()),
    ];
    for (name, len) in lengths {
        if len != n {
            return Err(Error::invalid(format!(
                "num_nodes is {n}, {name} has {len}"
            )));
        }
    }
    if !matches!(tree.split_type.len(), 0) && tree.split_type.len() != n {
        return Err(Error::invalid(format!(
            "num_nodes is {n}, split_type has {}",
            tree.split_type.len()
        )));
    }
    let sets = tree.categories_nodes.len();
    if tree.categories_segments.len() != sets || tree.categories_sizes.len() != sets {
        return Err(Error::invalid(format!(
            "{sets} categories_nodes, {} categories_segments and {} categories_sizes",
            tree.categories_segments.len(),
            tree.categories_sizes.len()
        )));
    }
    if !tree.categories_nodes.is_sorted() {
        return Err(Error::invalid("categories_nodes are not in order"));
    }
    Ok(())
}

/// For each node that the root reaches, its place among them.
fn reached(tree: &RegTree) -> Result<Vec<Option<u32>>, Error> {
    let mut places = vec![None; tree.num_nodes];
    let mut stack = vec![0];
    while let Some(at) = stack.pop() {
        match places.get_mut(at) {
            None => return Err(Error::invalid("the tree has no nodes")),
            Some(Some(_)) => {
                return Err(in_node(Error::invalid("it is the child of two nodes"), at));
            }
            Some(place) => *place = Some(0),
        }
        let left = tree.left_children[at];
        if left == -1 {
            continue;
        }
        for child in [left, tree.right_children[at]] {
            match usize::try_from(child) {
                Ok(child) if child < tree.num_nodes => stack.push(child),
                _ => {
                    return Err(in_node(
                        Error::invalid(format!(
                            "its child {child} does not exist; the tree has {} nodes",
                            tree.num_nodes
                        )),
                        at,
                    ));
                }
            }
        }
    }
    for (i, place) in places.iter_mut().flatten().enumerate() {
        *place = u32::try_from(i)
            .map_err(|_| Error::invalid("the tree has more nodes than can be numbered"))?;
    }
    Ok(places)
}

fn leaf_values(tree: &RegTree, at: usize, leaves: &mut Vec<f64>) -> Result<(), Error> {
    let width = tree.size_leaf_vector as usize;
    if width <= 1 {
        leaves.push(f64::from(tree.split_conditions[at]));
        return Ok(());
    }
    let (weights, place) = if tree.leaf_weights.is_empty() {
        (&tree.base_weights, Some(at))
    } else {
        let place = usize::try_from(tree.right_children[at]).ok();
        (&tree.leaf_weights, place)
    };
    let values = place
        .and_then(|p| p.checked_mul(width))
        .and_then(|from| weights.get(from..)?.get(..width))
        .ok_or_else(|| Error::invalid("its leaf vector does not exist"))?;
    leaves.extend(values.iter().map(|&v| f64::from(v)));
    Ok(())
}

fn category_set(tree: &RegTree, at: usize, unknown: UnknownCategory) -> Result<CategorySet, Error> {
    let missing = || Error::invalid("its categories do not exist");
    let node = i32::try_from(at).map_err(|_| missing())?;
    let i = tree
        .categories_nodes
        .binary_search(&node)
        .map_err(|_| missing())?;
    let from = usize::try_from(tree.categories_segments[i]).map_err(|_| missing())?;
    let size = usize::try_from(tree.categories_sizes[i]).map_err(|_| missing())?;
    let categories = tree
        .categories
        .get(from..)
        .and_then(|rest| rest.get(..size))
        .filter(|set| !set.is_empty())
        .ok_or_else(missing)?;
    let mut members = Vec::with_capacity(size);
    for &category in categories {
        match u32::try_from(category) {
            Ok(c) if category < MAX_CATEGORY => members.push(c),
            _ => {
                return Err(Error::invalid(format!(
                    "category {category} is not between 0 and {}",
                    MAX_CATEGORY - 1
                )));
            }
        }
    }
    members.sort_unstable();
    members.dedup();
    let known = match unknown {
        UnknownCategory::Default => Some(bitset_range(&members)?),
        _ => None,
    };
    Ok(CategorySet {
        members,
        known,
        index: match unknown {
            UnknownCategory::Truncated => CategoryIndex::Truncate,
            _ => CategoryIndex::TruncateNonNegative,
        },
    })
}

/// The categories that a 1.6 bit set of these members has bits for: whole words of 32.
fn bitset_range(members: &[u32]) -> Result<Vec<u32>, Error> {
    const LONGEST: u32 = 1 << 16;
    let end = members.last().map_or(0, |&last| (last / 32 + 1) * 32);
    if end > LONGEST {
        return Err(Error::unsupported(
            format!("categories beyond {LONGEST} by the rules of XGBoost 1.6"),
            "save the model with XGBoost 1.7 or later",
        ));
    }
    Ok((0..end).collect())
}
