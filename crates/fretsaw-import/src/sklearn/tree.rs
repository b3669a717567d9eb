//! `sklearn.tree._tree.Tree`: from its arrays of nodes and values to nodes of the IR.

use fretsaw_model::{Missing, Node, Split, Target, Test};

use super::attributes::Attributes;
use crate::Error;
use crate::pickle::array::Array;

/// A tree, as arrays with one element a node.
#[derive(Debug)]
pub(super) struct Tree {
    /// Values a node: outputs times classes.
    pub(super) width: usize,
    left_child: Vec<i64>,
    right_child: Vec<i64>,
    feature: Vec<i64>,
    threshold: Vec<f64>,
    /// Since 1.3; empty before, when no value could be missing.
    missing_go_to_left: Vec<i64>,
    /// `width` a node.
    values: Vec<f64>,
}

/// `_tree.TREE_LEAF`.
const LEAF: i64 = -1;

impl Tree {
    /// Of an estimator that is one tree, its `tree_`.
    pub(super) fn of(estimator: Attributes<'_, '_>) -> Result<Self, Error> {
        let tree = estimator.child("tree_")?;
        let nodes = tree.array("nodes")?;
        let values = tree.array("values")?;
        let fault = || Error::invalid("its `values` do not fit its `nodes`").under("tree_");
        let (&[n], &[n_values, n_outputs, n_classes]) = (&nodes.shape[..], &values.shape[..])
        else {
            return Err(fault());
        };
        let width = n_outputs * n_classes;
        if n != n_values || width == 0 {
            return Err(fault());
        }
        let ints = |name| int_field(&nodes, name).map_err(|e| e.under("tree_"));
        Ok(Self {
            width,
            left_child: ints("left_child")?,
            right_child: ints("right_child")?,
            feature: ints("feature")?,
            threshold: nodes
                .field("threshold")
                .and_then(|v| v.floats())
                .ok_or_else(|| no_field("threshold"))?,
            missing_go_to_left: nodes
                .field("missing_go_to_left")
                .and_then(|v| v.ints())
                .unwrap_or_default(),
            values: values
                .elements()
                .and_then(|v| v.floats())
                .ok_or_else(fault)?,
        })
    }

    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.left_child.len()
    }

    /// How many nodes stand on the way from the root to each node, both counted; 0 of a node that no
    /// way leads to. A tree whose ways meet again is as `Draft::build` refuses it.
    pub(super) fn path_lengths(&self) -> Vec<usize> {
        let mut lengths = vec![0; self.len()];
        let mut stack = vec![(0, 1)];
        while let Some((at, length)) = stack.pop() {
            match lengths.get_mut(at) {
                Some(seen) if *seen == 0 => *seen = length,
                _ => continue,
            }
            for child in [self.left_child[at], self.right_child[at]] {
                if let Ok(child) = usize::try_from(child) {
                    stack.push((child, length + 1));
                }
            }
        }
        lengths
    }

    /// Puts one value a node in the place of those it has.
    ///
    /// # Panics
    /// When there are not as many values as nodes.
    pub(super) fn revalue(&mut self, values: Vec<f64>) {
        assert_eq!(values.len(), self.len());
        self.width = 1;
        self.values = values;
    }

    /// The nodes. `leaf` makes the values of a leaf of the tree's own; `features` are the columns
    /// that the tree sees, where it does not see all.
    pub(super) fn lift(
        self,
        target: Target,
        weight: f64,
        features: Option<&[usize]>,
        mut leaf: impl FnMut(&[f64], &mut Vec<f64>),
    ) -> Result<fretsaw_model::Tree, Error> {
        // A leaf more than splits, as is checked later; a Vec that grows would hold up to twice that.
        let mut nodes = Vec::with_capacity(self.left_child.len());
        let mut leaves = Vec::with_capacity((self.left_child.len() / 2 + 1) * self.width);
        let mut n_leaves = 0;
        for (at, &left) in self.left_child.iter().enumerate() {
            if left == LEAF {
                leaf(&self.values[at * self.width..][..self.width], &mut leaves);
                nodes.push(Node::Leaf(n_leaves));
                n_leaves += 1;
                continue;
            }
            let fault = |what: &str, value: i64| {
                Error::invalid(format!("{what} {value} does not exist"))
                    .item(at)
                    .under("node")
            };
            let child = |value| u32::try_from(value).map_err(|_| fault("its child", value));
            let feature = usize::try_from(self.feature[at])
                .ok()
                .and_then(|f| match features {
                    Some(features) => features.get(f).copied(),
                    None => Some(f),
                })
                .and_then(|f| u32::try_from(f).ok())
                .ok_or_else(|| fault("its feature", self.feature[at]))?;
            nodes.push(Node::Split(Split {
                feature,
                test: Test::LessEq(self.threshold[at]),
                missing: Missing::Nan {
                    yes: self
                        .missing_go_to_left
                        .get(at)
                        .is_some_and(|&left| left != 0),
                },
                yes: child(left)?,
                no: child(self.right_child[at])?,
            }));
        }
        Ok(fretsaw_model::Tree {
            weight,
            target,
            nodes,
            leaves,
            linear: Vec::new(),
            sets: Vec::new(),
        })
    }
}

/// Whole numbers of one field of an array of records.
pub(super) fn int_field(records: &Array<'_>, name: &str) -> Result<Vec<i64>, Error> {
    records
        .field(name)
        .and_then(|v| v.ints())
        .ok_or_else(|| no_field(name))
}

pub(super) fn no_field(name: &str) -> Error {
    Error::invalid(format!("the nodes have no field `{name}` of numbers"))
}

/// A class's share, by the rule of versions before 1.4: `values` were weights then, and
/// `predict_proba` divided them by their sum.
pub(super) fn shares(weights: &[f64], out: &mut Vec<f64>) {
    let sum = match pairwise_sum(weights) {
        0.0 => 1.0,
        sum => sum,
    };
    out.extend(weights.iter().map(|w| w / sum));
}

/// The sum as NumPy has it: eight partial sums, and halves beyond 128 numbers.
pub(super) fn pairwise_sum(v: &[f64]) -> f64 {
    if v.len() < 8 {
        return v.iter().fold(0.0, |sum, x| sum + x);
    }
    if v.len() > 128 {
        let half = v.len() / 2;
        let (a, b) = v.split_at(half - half % 8);
        return pairwise_sum(a) + pairwise_sum(b);
    }
    let (eights, rest) = v.as_chunks::<8>();
    let mut r = [0.0; 8];
    for (i, eight) in eights.iter().enumerate() {
        for (r, x) in r.iter_mut().zip(eight) {
            *r = if i == 0 { *x } else { *r + x };
        }
    }
    let sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    rest.iter().fold(sum, |sum, x| sum + x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_numpys() {
        // numpy.sum(1 / numpy.arange(1, n + 1)) of these n
        for (n, want) in [
            (7, 2.5928571428571425),
            (100, 5.187377517639621),
            (300, 6.282663880299504),
        ] {
            let values: Vec<f64> = (1..=n).map(|i| 1.0 / f64::from(i)).collect();
            assert_eq!(pairwise_sum(&values).to_bits(), f64::to_bits(want), "{n}");
        }
    }
}
