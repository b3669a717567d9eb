//! From scikit-learn's model to the IR, by the rules of the version that wrote it.

use fretsaw_model::{
    Answer, BaseOrder, Body, Decision, Draft, Ensemble, Feature, Float, Labels, Link, Provenance,
    Step, Sum, Target,
};

use super::tree::shares;
use super::{Estimator, GradientBoosting, Member, Model, Trees};
use crate::Error;

/// Turns a model into the IR. `format` names the file's format in the provenance.
pub(crate) fn lift(model: Model, format: &str) -> Result<fretsaw_model::Model, Error> {
    let mut features: Vec<Feature> = (0..model.n_features)
        .map(|i| match model.feature_names.get(i) {
            Some(name) => Feature::numeric(name.clone()),
            None => Feature::numeric(format!("f{i}")),
        })
        .collect();
    let weights = !model.since(1, 4);
    let (ensemble, (link, answer), classes) = match model.estimator {
        Estimator::Trees(trees) => {
            let answer = match &trees.classes {
                Some(_) => (Link::Identity, Answer::Classes),
                None => (Link::Identity, Answer::Values),
            };
            let classes = trees.classes.clone();
            (mean(trees, weights)?, answer, classes)
        }
        Estimator::GradientBoosting(boosting) => {
            let classes = boosting.classes.clone();
            let answer = answer(&boosting.loss, classes.as_ref())?;
            (boosted(boosting)?, answer, classes)
        }
        Estimator::HistGradientBoosting(boosting) => {
            boosting.mark(&mut features);
            let classes = boosting.classes.clone();
            let answer = answer(&boosting.loss, classes.as_ref())?;
            let n_outputs = n_outputs(classes.as_ref());
            (boosting.lift(n_outputs)?, answer, classes)
        }
        Estimator::Foreign(last) => return behind(model.steps, model.feature_names, *last),
    };
    let draft = Draft {
        features,
        steps: in_double(model.steps, ensemble.compare),
        body: Body::Ensemble(ensemble),
        link,
        answer,
        decision: Decision::Answer,
        labels: classes.filter(|c| !numbers(c)),
        provenance: Provenance {
            framework: "sklearn".into(),
            framework_version: model.version_text,
            format: format.into(),
            objective: Some(model.class),
            source_sha256: None,
            passes: Vec::new(),
        },
    };
    Ok(draft.build()?)
}

/// Another library's model behind the steps of a pipeline, which may know the columns' names.
fn behind(
    steps: Vec<Step>,
    names: Vec<String>,
    model: fretsaw_model::Model,
) -> Result<fretsaw_model::Model, Error> {
    let mut draft = model.into_draft();
    let compare = draft.ensemble().map_or(Float::F64, |e| e.compare);
    let own = std::mem::replace(&mut draft.steps, in_double(steps, compare));
    draft.steps.extend(own);
    for (feature, name) in draft.features.iter_mut().zip(names) {
        feature.name = name;
    }
    Ok(draft.build()?)
}

/// scikit-learn's transformers compute in f64 on rows that are not f32 arrays. Where nothing but
/// missing values is filled in for f32 comparisons, the precision makes no difference.
fn in_double(mut steps: Vec<Step>, compare: Float) -> Vec<Step> {
    let fills = |step: &Step| matches!(step, Step::Impute { .. });
    if !(steps.is_empty() || compare == Float::F32 && steps.iter().all(fills)) {
        steps.insert(0, Step::Widen);
    }
    steps
}

/// Whether the classes are named by their numbers.
fn numbers(labels: &Labels) -> bool {
    matches!(labels, Labels::Ints(v) if v.iter().copied().eq(0..v.len() as i64))
}

/// Margins of boosting: one, or one a class where there are more than two.
fn n_outputs(classes: Option<&Labels>) -> usize {
    match classes.map_or(0, Labels::len) {
        n @ 3.. => n,
        _ => 1,
    }
}

/// What boosting's margins become.
fn answer(loss: &str, classes: Option<&Labels>) -> Result<(Link, Answer), Error> {
    let unknown = || {
        Error::unsupported(
            format!("the loss `{}`", crate::error::shown(loss)),
            "scikit-learn's losses of 0.24 and later are known",
        )
    };
    let Some(classes) = classes else {
        return match loss {
            "squared_error"
            | "least_squares"
            | "ls"
            | "absolute_error"
            | "least_absolute_deviation"
            | "lad"
            | "huber"
            | "quantile" => Ok((Link::Identity, Answer::Values)),
            "poisson" | "gamma" => Ok((Link::Exp, Answer::Values)),
            _ => Err(unknown()),
        };
    };
    match (loss, classes.len()) {
        ("exponential", 2) => Ok((Link::Sigmoid { steepness: 2.0 }, Answer::Binary)),
        (
            "log_loss" | "deviance" | "auto" | "binary_crossentropy" | "categorical_crossentropy",
            n @ 2..,
        ) => Ok(if n == 2 {
            (Link::Sigmoid { steepness: 1.0 }, Answer::Binary)
        } else {
            (Link::Softmax, Answer::Classes)
        }),
        _ => Err(unknown()),
    }
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

/// Gradient boosting: f64, from the initial margin, each leaf times the learning rate.
fn boosted(model: GradientBoosting) -> Result<Ensemble, Error> {
    let n_outputs = model.init.len();
    let mut trees = Vec::new();
    for (i, tree) in model.estimators.into_iter().enumerate() {
        let place = |e: Error| e.item(i).under("estimators_");
        if tree.width != 1 {
            return Err(place(Error::invalid("its leaves have several values")));
        }
        let target = Target::Output((i % n_outputs) as u32);
        let leaf = |values: &[f64], out: &mut Vec<f64>| out.extend(values);
        trees.push(
            tree.lift(target, model.learning_rate, None, leaf)
                .map_err(place)?,
        );
    }
    Ok(Ensemble {
        n_outputs,
        compare: Float::F32,
        sum: Sum::F64,
        base: model.init,
        base_order: BaseOrder::First,
        multiply: vec![1.0; n_outputs],
        divide: 1.0,
        trees,
    })
}
