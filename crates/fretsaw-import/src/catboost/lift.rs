//! From CatBoost's model to the IR: columns, splits by their numbers, trees of either kind.
//!
//! Sums are in f64 from 0 in the order of the trees, then `scale * sum + bias`.

use fretsaw_model::{
    BaseOrder, Body, Decision, Draft, Ensemble, Feature, FeatureKind, Float, Missing, Node,
    Provenance, Split, Sum, Target, Test, Tree,
};

use super::derive::Derivation;
use super::loss::Loss;
use super::{Model, NanValueTreatment, ObliviousTree, StepNode, Trees};
use crate::Error;

/// Every column costs a name, and a file may claim any number of them.
const MAX_FEATURES: usize = 1 << 20;

/// Turns a model into the IR. `format` names the file's format in the provenance.
///
/// # Errors
/// When the parts of the model contradict each other, or it has what cannot be represented.
pub(crate) fn lift(model: &Model, format: &str) -> Result<fretsaw_model::Model, Error> {
    let loss = Loss::of(model)?;
    let features = features(model)?;
    let derivation = Derivation::of(model, features.len())?;
    let cuts = cuts(model, &derivation)?;
    let n_outputs = model.approx_dimension;
    if model.bias.len() != n_outputs {
        return Err(Error::invalid(format!(
            "{} biases for {n_outputs} outputs",
            model.bias.len()
        )));
    }
    if !model.scale.is_finite() || model.bias.iter().any(|b| !b.is_finite()) {
        return Err(Error::invalid("the scale or the bias is not finite"));
    }
    let mut trees = Vec::new();
    match &model.trees {
        Trees::Oblivious(list) => {
            for (i, tree) in list.iter().enumerate() {
                let tree = oblivious(tree, &cuts, n_outputs);
                trees.push(tree.map_err(|e| e.item(i).under("trees"))?);
            }
        }
        Trees::NonSymmetric(list) => {
            for (i, tree) in list.iter().enumerate() {
                let tree = non_symmetric(tree, &cuts, n_outputs);
                trees.push(tree.map_err(|e| e.item(i).under("trees"))?);
            }
        }
    }
    let draft = Draft {
        features,
        steps: derivation.into_steps(),
        body: Body::Ensemble(Ensemble {
            n_outputs,
            compare: Float::F32,
            sum: Sum::F64,
            base: model.bias.clone(),
            base_order: BaseOrder::Last,
            multiply: vec![model.scale; n_outputs],
            divide: 1.0,
            trees,
        }),
        link: loss.link,
        answer: loss.answer,
        decision: Decision::Answer,
        labels: loss.labels,
        provenance: Provenance {
            framework: "catboost".into(),
            framework_version: model.info.version.clone(),
            format: format.into(),
            objective: model.info.loss_function.clone(),
            source_sha256: None,
            passes: Vec::new(),
        },
    };
    Ok(draft.build()?)
}

/// The columns, in their order; one that no feature claims is numeric and unused.
fn features(model: &Model) -> Result<Vec<Feature>, Error> {
    let floats = model.float_features.iter().map(|f| {
        let kind = FeatureKind::Numeric;
        (f.flat_index, &f.feature_id, kind)
    });
    let cats = model.cat_features.iter().map(|f| {
        let kind = FeatureKind::Hashed;
        (f.flat_index, &f.feature_id, kind)
    });
    if let Some(other) = model.other_features.first() {
        return Err(Error::unsupported(
            format!("{} features", other.kind),
            format!("column {} of the training data", other.flat_index),
        ));
    }
    if model.has_estimated_features {
        return Err(Error::unsupported(
            "features estimated from text or embeddings",
            "train without such columns",
        ));
    }
    let columns: Vec<_> = floats.chain(cats).collect();
    if columns.is_empty() {
        return Err(Error::invalid(
            "the model has no features: it was never trained",
        ));
    }
    let mut features: Vec<Option<Feature>> = Vec::new();
    for (flat, name, kind) in columns {
        let at = match usize::try_from(flat) {
            Ok(at) if at < MAX_FEATURES => at,
            _ => {
                return Err(Error::invalid(format!(
                    "a feature in column {flat}; columns are numbered from 0, and at most \
                     {MAX_FEATURES} are taken"
                )));
            }
        };
        if features.len() <= at {
            features.resize(at + 1, None);
        }
        let name = if name.is_empty() {
            format!("f{at}")
        } else {
            name.clone()
        };
        if features[at].replace(Feature { name, kind }).is_some() {
            return Err(Error::invalid(format!("two features in column {at}")));
        }
    }
    let unused =
        |(i, f): (usize, Option<Feature>)| f.unwrap_or_else(|| Feature::numeric(format!("f{i}")));
    Ok(features.into_iter().enumerate().map(unused).collect())
}

/// What a split tests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    pub(super) feature: u32,
    pub(super) test: Test,
    pub(super) missing: Missing,
}

impl super::FloatFeature {
    /// Only a feature that had missing values in training replaces them.
    pub(super) fn missing_is_above(&self) -> bool {
        self.has_nans && self.nan_value_treatment == NanValueTreatment::AsTrue
    }
}

/// Every split by its number: borders of numeric features, then of features estimated (there are
/// none), then categories, then borders of target statistics.
fn cuts(model: &Model, derivation: &Derivation) -> Result<Vec<Cut>, Error> {
    let mut cuts = Vec::new();
    for f in &model.float_features {
        let yes = f.missing_is_above();
        for &border in &f.borders {
            if border.is_nan() {
                return Err(Error::invalid(format!(
                    "a border of feature {} is NaN",
                    f.index
                )));
            }
            cuts.push(Cut {
                // `features` has looked at it.
                feature: f.flat_index as u32,
                test: Test::Greater(border.into()),
                // Infinity is above no border that is infinite.
                missing: Missing::Nan {
                    yes: yes && border < f32::INFINITY,
                },
            });
        }
    }
    cuts.extend(derivation.cuts(model)?);
    Ok(cuts)
}

fn split(cuts: &[Cut], number: i32, yes: u32, no: u32) -> Result<Node, Error> {
    let cut = usize::try_from(number)
        .ok()
        .and_then(|i| cuts.get(i))
        .ok_or_else(|| Error::invalid(format!("split {number} of {}", cuts.len())))?;
    Ok(Node::Split(Split {
        feature: cut.feature,
        test: cut.test,
        missing: cut.missing,
        yes,
        no,
    }))
}

fn tree(n_outputs: usize, nodes: Vec<Node>, leaves: Vec<f64>) -> Tree {
    Tree {
        weight: 1.0,
        target: if n_outputs == 1 {
            Target::Output(0)
        } else {
            Target::All
        },
        nodes,
        leaves,
        linear: Vec::new(),
        sets: Vec::new(),
    }
}

/// A full tree, level by level. The last split stands at the root: it sets the highest bit of the
/// leaf's number, so that leaves come in their order.
fn oblivious(t: &ObliviousTree, cuts: &[Cut], n_outputs: usize) -> Result<Tree, Error> {
    let depth = t.splits.len();
    let n_leaves = u32::try_from(depth)
        .ok()
        .and_then(|depth| 1_u32.checked_shl(depth))
        .filter(|&n| (n as usize).checked_mul(n_outputs) == Some(t.leaf_values.len()))
        .ok_or_else(|| {
            Error::invalid(format!(
                "{} leaf values for {depth} levels and {n_outputs} outputs",
                t.leaf_values.len()
            ))
        })?;
    let mut nodes = Vec::new();
    for (level, &number) in t.splits.iter().rev().enumerate() {
        for at in (1_u32 << level) - 1..(2_u32 << level) - 1 {
            nodes.push(split(cuts, number, 2 * at + 2, 2 * at + 1)?);
        }
    }
    nodes.extend((0..n_leaves).map(Node::Leaf));
    Ok(tree(n_outputs, nodes, t.leaf_values.clone()))
}

/// Nodes keep their numbers. A node with one child is also the leaf of the other way: it gets a node
/// of its own behind the others.
fn non_symmetric(t: &[StepNode], cuts: &[Cut], n_outputs: usize) -> Result<Tree, Error> {
    let mut nodes = Vec::new();
    let mut ends = Vec::new();
    let mut leaves = Vec::new();
    let mut n_leaves = 0;
    let numbered = |at: usize| {
        u32::try_from(at).map_err(|_| Error::invalid("more nodes than can be numbered"))
    };
    for (at, node) in t.iter().enumerate() {
        let fault = |e: Error| e.item(at).under("node");
        if node.left.is_none() || node.right.is_none() {
            if node.value.len() != n_outputs {
                return Err(fault(Error::invalid(format!(
                    "{} leaf values for {n_outputs} outputs",
                    node.value.len()
                ))));
            }
            leaves.extend(&node.value);
            n_leaves += 1;
        }
        let mut child = |child: Option<usize>| match child {
            // Children stand behind their parents; `Draft` sees to it that they exist.
            Some(to) if to < t.len() => numbered(to),
            Some(to) => Err(Error::invalid(format!("its child {to} does not exist"))),
            None => {
                ends.push(Node::Leaf(n_leaves - 1));
                numbered(t.len() + ends.len() - 1)
            }
        };
        nodes.push(match (node.left, node.right) {
            (None, None) => Node::Leaf(n_leaves - 1),
            (left, right) => {
                let (no, yes) = (child(left).map_err(fault)?, child(right).map_err(fault)?);
                split(cuts, node.split, yes, no).map_err(fault)?
            }
        });
    }
    nodes.extend(ends);
    Ok(tree(n_outputs, nodes, leaves))
}
