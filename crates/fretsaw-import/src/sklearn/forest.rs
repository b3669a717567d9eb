//! Trees, and means of trees: decision trees and forests; bagging of trees is a mean too.

use fretsaw_model::{Answer, BaseOrder, Body, Ensemble, Float, Labels, Link, Sum, Target};

use super::attributes::Attributes;
use super::context::Context;
use super::part::Part;
use super::tree::{Tree, shares};
use crate::Error;

/// A tree of a mean.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) tree_: Tree,
    /// The columns that the tree sees, where bagging shows it only some.
    pub(super) features: Option<Vec<usize>>,
    /// The classes that its leaves have values of, where these are not all.
    pub(super) classes: Option<Vec<usize>>,
}

/// The classes of single trees.
pub(super) const TREES: &[&str] = &[
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
];

/// The classes of means of trees that all see every column.
pub(super) const FORESTS: &[&str] = &[
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "RandomForestClassifier",
    "RandomForestRegressor",
];

/// Whether the estimator is a single tree.
pub(super) fn is_tree(at: Attributes<'_, '_>) -> bool {
    at.is_sklearn() && TREES.contains(&at.class())
}

/// A single tree.
pub(super) fn tree(at: Attributes<'_, '_>, cx: &Context<'_>) -> Result<Part, Error> {
    let classes = classes(at)?;
    let tree = Tree::of(at).map(whole);
    part(at, cx, None, [tree], classes)
}

/// A forest.
pub(super) fn forest(at: Attributes<'_, '_>, cx: &Context<'_>) -> Result<Part, Error> {
    let classes = classes(at)?;
    let estimators = at.objects("estimators_")?;
    let n = estimators.len();
    // One after the other: what a tree is read into takes more memory than what it becomes.
    let tree = |(i, estimator)| {
        let tree = Tree::of(estimator).map(whole);
        tree.map_err(|e: Error| e.item(i).under("estimators_"))
    };
    let members = estimators.into_iter().enumerate().map(tree);
    part(at, cx, Some(n), members, classes)
}

pub(super) fn classes(at: Attributes<'_, '_>) -> Result<Option<Labels>, Error> {
    let classifier = at.class().ends_with("Classifier");
    classifier.then(|| at.classes()).transpose()
}

/// A tree, or the mean of `n_estimators`, as a part.
pub(super) fn part(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    n_estimators: Option<usize>,
    trees: impl IntoIterator<Item = Result<Member, Error>>,
    classes: Option<Labels>,
) -> Result<Part, Error> {
    let n_classes = classes.as_ref().map(Labels::len);
    // Leaves were weights before 1.4.
    let weights = !cx.since(1, 4);
    let body = Body::Ensemble(mean(trees, n_estimators, n_classes, weights)?);
    Ok(match classes {
        None => Part::values(at, Vec::new(), body),
        Some(labels) => Part::classifier(
            at,
            Vec::new(),
            body,
            (Link::Identity, Answer::Classes),
            labels,
        ),
    })
}

/// A tree, or the mean of several: f64, from 0, in the order of the estimators, then divided by
/// `n_estimators`, of which a single tree, whose leaf is the answer, has none.
fn mean(
    members: impl IntoIterator<Item = Result<Member, Error>>,
    n_estimators: Option<usize>,
    classes: Option<usize>,
    weights: bool,
) -> Result<Ensemble, Error> {
    let mut width = classes;
    let mut trees = Vec::new();
    for (i, member) in members.into_iter().enumerate() {
        let member = member?;
        let width = *width.get_or_insert(member.tree_.width);
        let target = if width == 1 {
            Target::Output(0)
        } else {
            Target::All
        };
        let (tree_, features) = (member.tree_, member.features);
        let place = |e: Error| e.item(i).under("estimators_");
        let own = member.classes.as_ref().map_or(width, Vec::len);
        if tree_.width != own {
            let what = format!("its leaves have {} values, not {own}", tree_.width);
            return Err(place(Error::invalid(what)));
        }
        let share = |values: &[f64], out: &mut Vec<f64>| {
            if weights && classes.is_some() {
                shares(values, out);
            } else {
                out.extend(values);
            }
        };
        let leaf = |values: &[f64], out: &mut Vec<f64>| match &member.classes {
            None => share(values, out),
            Some(places) => {
                let first = out.len();
                let mut own = Vec::new();
                share(values, &mut own);
                out.resize(first + width, 0.0);
                for (place, value) in places.iter().zip(own) {
                    out[first + place] = value;
                }
            }
        };
        let tree = tree_.lift(target, 1.0, features.as_deref(), leaf);
        trees.push(tree.map_err(place)?);
    }
    let width = width
        .filter(|_| !trees.is_empty())
        .ok_or_else(|| Error::invalid("an ensemble without trees"))?;
    Ok(Ensemble {
        n_outputs: width,
        compare: Float::F32,
        sum: Sum::F64,
        // A single tree adds nothing to its leaf, not even a zero that would cost it its sign.
        base: vec![if n_estimators.is_none() { -0.0 } else { 0.0 }; width],
        base_order: BaseOrder::First,
        multiply: vec![1.0; width],
        divide: n_estimators.unwrap_or(1) as f64,
        trees,
    })
}

fn whole(tree_: Tree) -> Member {
    Member {
        tree_,
        features: None,
        classes: None,
    }
}

pub(super) fn trees_of(at: Attributes<'_, '_>) -> Result<Vec<Tree>, Error> {
    let estimators = at.objects("estimators_")?;
    let tree =
        |(i, estimator)| Tree::of(estimator).map_err(|e: Error| e.item(i).under("estimators_"));
    estimators.into_iter().enumerate().map(tree).collect()
}
