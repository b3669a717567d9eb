//! Isolation forests: how few splits it takes to set a row apart.

use fretsaw_model::{BaseOrder, Ensemble, Float, Function, Step, Sum, Target};

use super::attributes::Attributes;
use super::columns::Columns;
use super::members::divided;
use super::part::{Part, row};
use super::tree::{Tree, int_field};
use super::{bagging, forest};
use crate::Error;

/// `predict`, +1 or -1, with `decision_function` as the margin.
pub(super) fn read(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    // Columns are looked up only where trees see fewer than there are.
    let all = at.count("_max_features")? == columns.width();
    let members = bagging::members(at)?;
    let n = members.len() as f64;
    let mut trees = Vec::new();
    for (i, (member, features)) in members.into_iter().enumerate() {
        let features = (!all).then_some(features);
        let tree = isolating(member, features.as_deref());
        trees.push(tree.map_err(|e| e.item(i).under("estimators_"))?);
    }
    let max_samples = match at.some("_max_samples") {
        Some(_) => at.number("_max_samples")?,
        None => at.number("max_samples_")?,
    };
    let denominator = n * average_path_length(max_samples);
    if denominator == 0.0 {
        return Err(at.unsupported(
            "of trees with one training row each",
            "its depths are divided by 0",
        ));
    }
    let ensemble = Ensemble {
        n_outputs: 1,
        compare: Float::F32,
        sum: Sum::F64,
        base: vec![0.0],
        base_order: BaseOrder::First,
        multiply: vec![1.0],
        divide: 1.0,
        trees,
    };
    let steps = vec![
        Step::Ensemble(ensemble),
        divided(1, denominator),
        Step::Map(Function::Negate),
        Step::Map(Function::Exp2),
        Step::Map(Function::Negate),
        Step::Scale {
            shift: vec![at.number("offset_")?],
            scale: vec![1.0],
        },
    ];
    Ok(Part::outliers(at, steps, row(1), Function::AtLeast(0.0)))
}

/// A tree whose leaves say how deep a row has come.
fn isolating(
    estimator: Attributes<'_, '_>,
    features: Option<&[usize]>,
) -> Result<fretsaw_model::Tree, Error> {
    if !forest::is_tree(estimator) {
        return Err(estimator.unsupported("in an isolation forest", "trees should stand here"));
    }
    let mut tree = Tree::of(estimator)?;
    let samples = int_field(&estimator.child("tree_")?.array("nodes")?, "n_node_samples")?;
    if samples.len() != tree.len() {
        return Err(Error::invalid("`n_node_samples` does not fit the nodes"));
    }
    let lengths = tree.path_lengths().into_iter().zip(samples);
    let depth = |(length, n): (usize, i64)| length as f64 + average_path_length(n as f64) - 1.0;
    tree.revalue(lengths.map(depth).collect());
    tree.lift(Target::Output(0), 1.0, features, |values, out| {
        out.extend(values)
    })
}

/// The mean depth of an unsuccessful search in a tree of `n` rows (`_average_path_length`).
fn average_path_length(n: f64) -> f64 {
    const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;
    if n <= 1.0 {
        0.0
    } else if n == 2.0 {
        1.0
    } else {
        2.0 * ((n - 1.0).ln() + EULER_GAMMA) - 2.0 * (n - 1.0) / n
    }
}
