//! One tree: from LightGBM's arrays to nodes. Split i is node i, the leaves follow.

use fretsaw_model::{
    CategoryIndex, CategorySet, LinearLeaf, Missing, Node, Split, Target, Test, Tree as Lifted,
};

use super::Tree;
use crate::Error;

const CATEGORICAL: u8 = 1;
const DEFAULT_LEFT: u8 = 2;

/// Turns one tree into nodes that add to `output`.
pub(super) fn lift(tree: &Tree, output: u32) -> Result<Lifted, Error> {
    check_lengths(tree)?;
    let n_splits = tree.split_feature.len();
    let mut lifted = Lifted {
        weight: 1.0,
        target: Target::Output(output),
        nodes: Vec::with_capacity(n_splits + tree.leaf_value.len()),
        leaves: tree.leaf_value.clone(),
        linear: Vec::new(),
        sets: Vec::new(),
    };
    for i in 0..n_splits {
        let split = split(tree, i, &mut lifted.sets).map_err(|e| e.item(i).under("split"))?;
        lifted.nodes.push(Node::Split(split));
    }
    for leaf in 0..tree.leaf_value.len() {
        let leaf = u32::try_from(leaf)
            .map_err(|_| Error::invalid("the tree has more leaves than can be numbered"))?;
        lifted.nodes.push(Node::Leaf(leaf));
    }
    if tree.is_linear {
        lifted.linear = linear(tree)?;
    }
    Ok(lifted)
}

fn check_lengths(tree: &Tree) -> Result<(), Error> {
    let n = tree.num_leaves;
    let Some(n_splits) = n.checked_sub(1) else {
        return Err(Error::invalid("num_leaves is 0"));
    };
    let lengths = [
        ("leaf_value", tree.leaf_value.len(), n),
        ("split_feature", tree.split_feature.len(), n_splits),
        ("threshold", tree.threshold.len(), n_splits),
        ("decision_type", tree.decision_type.len(), n_splits),
        ("left_child", tree.left_child.len(), n_splits),
        ("right_child", tree.right_child.len(), n_splits),
    ];
    let linear = [
        ("leaf_const", tree.leaf_const.len(), n),
        ("leaf_features", tree.leaf_features.len(), n),
        ("leaf_coeff", tree.leaf_coeff.len(), n),
    ];
    let linear = if tree.is_linear { &linear[..] } else { &[] };
    for &(name, len, want) in lengths.iter().chain(linear) {
        if len != want {
            return Err(Error::invalid(format!(
                "num_leaves is {n}, {name} has {len} elements, not {want}"
            )));
        }
    }
    Ok(())
}

fn split(tree: &Tree, i: usize, sets: &mut Vec<CategorySet>) -> Result<Split, Error> {
    let n_splits = tree.split_feature.len();
    let place = |child: i32| {
        let (node, within) = match usize::try_from(child) {
            Ok(split) => (split, split < n_splits),
            Err(_) => {
                let leaf = !child as usize;
                (n_splits + leaf, leaf < tree.leaf_value.len())
            }
        };
        match u32::try_from(node) {
            Ok(node) if within => Ok(node),
            _ => Err(Error::invalid(format!(
                "its child {child} does not exist; the tree has {n_splits} splits"
            ))),
        }
    };
    let kind = tree.decision_type[i];
    let (yes, no) = (place(tree.left_child[i])?, place(tree.right_child[i])?);
    let default_left = kind & DEFAULT_LEFT != 0;
    let threshold = tree.threshold[i];
    let (test, missing) = if kind & CATEGORICAL != 0 {
        let set = tree
            .cat_threshold
            .get(threshold as usize)
            .filter(|_| threshold >= 0.0 && threshold.trunc() == threshold)
            .ok_or_else(|| {
                Error::invalid(format!(
                    "its set {threshold} does not exist; the tree has {}",
                    tree.cat_threshold.len()
                ))
            })?;
        sets.push(CategorySet {
            members: set.clone(),
            known: None,
            index: CategoryIndex::Truncate,
        });
        // NaN goes right, whatever is called missing.
        (Test::In(sets.len() as u32 - 1), Missing::Nan { yes: false })
    } else {
        let missing = match kind >> 2 {
            0 => Missing::AsZero,
            1 => Missing::ZeroOrNan { yes: default_left },
            2 => Missing::Nan { yes: default_left },
            _ => {
                return Err(Error::invalid(format!(
                    "its decision_type is {kind}, which means nothing"
                )));
            }
        };
        (Test::LessEq(threshold), missing)
    };
    Ok(Split {
        feature: tree.split_feature[i],
        test,
        missing,
        yes,
        no,
    })
}

fn linear(tree: &Tree) -> Result<Vec<LinearLeaf>, Error> {
    let leaf = |i: usize| {
        let (features, coeff) = (&tree.leaf_features[i], &tree.leaf_coeff[i]);
        if features.len() != coeff.len() {
            return Err(Error::invalid(format!(
                "leaf {i} has {} features and {} coefficients",
                features.len(),
                coeff.len()
            )));
        }
        Ok(LinearLeaf {
            constant: tree.leaf_const[i],
            terms: features
                .iter()
                .copied()
                .zip(coeff.iter().copied())
                .collect(),
        })
    };
    (0..tree.num_leaves).map(leaf).collect()
}
