//! Trees, and means of trees: decision trees, forests, and bagging of trees.

use fretsaw_model::{Answer, BaseOrder, Body, Ensemble, Float, Labels, Link, Sum, Target};

use super::attributes::Attributes;
use super::context::Context;
use super::part::Part;
use super::tree::{Tree, shares};
use crate::Error;
use crate::pickle::Id;

/// One tree, or the mean of several.
#[derive(Debug)]
struct Trees {
    trees: Vec<Member>,
    /// What the sum is divided by; `None` of a single tree, whose leaf is the answer.
    n_estimators: Option<usize>,
    /// `classes_` of a classifier.
    classes: Option<Labels>,
}

/// A tree of a mean.
#[derive(Debug)]
struct Member {
    tree_: Tree,
    /// The columns that the tree sees, where bagging shows it only some.
    features: Option<Vec<usize>>,
}

/// A single tree.
pub(super) fn tree(at: Attributes<'_, '_>, cx: &Context<'_>) -> Result<Part, Error> {
    let classes = classes(at)?;
    part(at, cx, None, vec![whole(Tree::of(at)?)], classes)
}

/// A forest.
pub(super) fn forest(at: Attributes<'_, '_>, cx: &Context<'_>) -> Result<Part, Error> {
    let classes = classes(at)?;
    let members: Vec<Member> = trees_of(at)?.into_iter().map(whole).collect();
    part(at, cx, Some(members.len()), members, classes)
}

/// Bagging of trees.
pub(super) fn bagging(at: Attributes<'_, '_>, cx: &Context<'_>) -> Result<Part, Error> {
    let classes = classes(at)?;
    let members = members(at, classes.as_ref())?;
    part(at, cx, Some(at.count("n_estimators")?), members, classes)
}

fn classes(at: Attributes<'_, '_>) -> Result<Option<Labels>, Error> {
    let classifier = at.class().ends_with("Classifier");
    classifier.then(|| at.classes()).transpose()
}

fn part(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    n_estimators: Option<usize>,
    trees: Vec<Member>,
    classes: Option<Labels>,
) -> Result<Part, Error> {
    let trees = Trees {
        trees,
        n_estimators,
        classes: classes.clone(),
    };
    // Leaves were weights before 1.4.
    let body = Body::Ensemble(mean(trees, !cx.since(1, 4))?);
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

/// A tree, or the mean of several: f64, from 0, in the order of the estimators, then divided.
fn mean(model: Trees, weights: bool) -> Result<Ensemble, Error> {
    let classes = model.classes.as_ref().map(Labels::len);
    let first = model.trees.first().map(|m| m.tree_.width);
    let width = classes
        .or(first)
        .ok_or_else(|| Error::invalid("an ensemble without trees"))?;
    let target = if width == 1 {
        Target::Output(0)
    } else {
        Target::All
    };
    let mut trees = Vec::new();
    for (i, Member { tree_, features }) in model.trees.into_iter().enumerate() {
        let place = |e: Error| e.item(i).under("estimators_");
        if tree_.width != width {
            let what = format!("its leaves have {} values, not {width}", tree_.width);
            return Err(place(Error::invalid(what)));
        }
        let leaf = |values: &[f64], out: &mut Vec<f64>| {
            if weights && classes.is_some() {
                shares(values, out);
            } else {
                out.extend(values);
            }
        };
        let tree = tree_.lift(target, 1.0, features.as_deref(), leaf);
        trees.push(tree.map_err(place)?);
    }
    Ok(Ensemble {
        n_outputs: width,
        compare: Float::F32,
        sum: Sum::F64,
        // A single tree adds nothing to its leaf, not even a zero that would cost it its sign.
        base: vec![
            if model.n_estimators.is_none() {
                -0.0
            } else {
                0.0
            };
            width
        ],
        base_order: BaseOrder::First,
        multiply: vec![1.0; width],
        divide: model.n_estimators.unwrap_or(1) as f64,
        trees,
    })
}

fn whole(tree_: Tree) -> Member {
    Member {
        tree_,
        features: None,
    }
}

pub(super) fn trees_of(at: Attributes<'_, '_>) -> Result<Vec<Tree>, Error> {
    let estimators = at.objects("estimators_")?;
    let tree =
        |(i, estimator)| Tree::of(estimator).map_err(|e: Error| e.item(i).under("estimators_"));
    estimators.into_iter().enumerate().map(tree).collect()
}

fn members(at: Attributes<'_, '_>, classes: Option<&Labels>) -> Result<Vec<Member>, Error> {
    let estimators = at.objects("estimators_")?;
    let id = at.get("estimators_features_")?;
    let features = at
        .pickle
        .objects(id)
        .filter(|f| f.len() == estimators.len())
        .ok_or_else(|| {
            Error::invalid("`estimators_features_` is no list with one item an estimator")
        })?;
    let mut members = Vec::new();
    for (i, (estimator, features)) in estimators.into_iter().zip(features).enumerate() {
        let member = bagged(estimator, features, classes);
        members.push(member.map_err(|e| e.item(i).under("estimators_"))?);
    }
    Ok(members)
}

fn bagged(
    estimator: Attributes<'_, '_>,
    features: Id,
    classes: Option<&Labels>,
) -> Result<Member, Error> {
    let is_tree = matches!(
        estimator.class(),
        "DecisionTreeClassifier"
            | "ExtraTreeClassifier"
            | "DecisionTreeRegressor"
            | "ExtraTreeRegressor"
    );
    if !is_tree || !estimator.is_sklearn() {
        return Err(
            estimator.unsupported("in bagging", "only bagging of single trees is read so far")
        );
    }
    let places = |v: Vec<i64>| v.into_iter().map(|f| usize::try_from(f).ok()).collect();
    let features: Option<Vec<usize>> = estimator
        .pickle
        .elements(features)
        .and_then(|v| v.ints())
        .and_then(places);
    let features =
        features.ok_or_else(|| Error::invalid("`estimators_features_` holds no columns"))?;
    // A tree is trained on all rows, weighted, and so on all classes.
    if let Some(all) = classes
        && estimator.classes()?.len() != all.len()
    {
        return Err(Error::invalid("its `classes_` are not the ensemble's"));
    }
    Ok(Member {
        tree_: Tree::of(estimator)?,
        features: Some(features),
    })
}
