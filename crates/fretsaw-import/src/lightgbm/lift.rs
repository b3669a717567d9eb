//! From LightGBM's model to the IR. The rules are those of LightGBM's own predictor, which have been
//! the same since 2.1 for rows that come as a matrix.

use fretsaw_model::{
    Answer, BaseOrder, Body, Categories, Decision, Draft, Ensemble, Feature, FeatureKind, Float,
    Labels, Link, Missing, Node, Provenance, Split, Step, Sum, Test,
};

use super::objective::Objective;
use super::{FeatureInfo, Model, tree};
use crate::Error;

/// Every column costs a name, and a file may claim any number of them.
const MAX_FEATURES: usize = 1 << 20;
/// As many outputs; each costs a base value.
const MAX_OUTPUTS: usize = 1 << 20;

/// What a pickled estimator or Booster adds to the model's text.
#[derive(Debug, Default)]
pub(crate) struct Wrapper {
    /// How many iterations are used; all where it is `None`.
    pub(crate) iterations: Option<usize>,
    /// The classes' names.
    pub(crate) labels: Option<Labels>,
}

/// Turns a model into the IR. `format` names the file's format in the provenance.
///
/// # Errors
/// When the parts of the model contradict each other, or its objective is not known.
pub(crate) fn lift(
    model: &Model,
    wrapper: Wrapper,
    format: &str,
) -> Result<fretsaw_model::Model, Error> {
    let n_outputs = model.num_tree_per_iteration as usize;
    if n_outputs == 0 || n_outputs > MAX_OUTPUTS {
        return Err(Error::unsupported(
            format!("a model of {n_outputs} outputs"),
            format!("1 to {MAX_OUTPUTS} are taken"),
        ));
    }
    let objective = Objective::of(model)?;
    let mut features = features(model)?;
    let iterations = iterations(model, n_outputs, wrapper.iterations)?;
    let ensemble = ensemble(model, n_outputs, iterations)?;
    mark_categorical(model, &mut features, &ensemble);
    let link = if model.average_output {
        mean(objective.link, iterations)?
    } else {
        objective.link
    };
    let draft = Draft {
        features,
        // Values that its matrix reader drops are 0 to the trees.
        steps: vec![Step::FlushTiny {
            limit: Missing::ZERO,
        }],
        body: Body::Ensemble(ensemble),
        link,
        answer: objective.answer,
        decision: Decision::Answer,
        labels: labels(wrapper.labels, objective.answer, n_outputs)?,
        provenance: Provenance {
            framework: "lightgbm".into(),
            // The file names the version of its layout, not of the library.
            framework_version: None,
            format: format.into(),
            objective: model.objective.clone(),
            source_sha256: None,
            passes: Vec::new(),
        },
    };
    Ok(draft.build()?)
}

/// Margins are sums; answers are made of the mean.
fn mean(link: Link, iterations: usize) -> Result<Link, Error> {
    link.of_mean(iterations as f64)
        .filter(|_| iterations > 0)
        .ok_or_else(|| Error::invalid("average_output asks for the mean of no iterations"))
}

fn iterations(model: &Model, n_outputs: usize, used: Option<usize>) -> Result<usize, Error> {
    let n_trees = model.trees.len();
    if !n_trees.is_multiple_of(n_outputs) {
        return Err(Error::invalid(format!(
            "{n_trees} trees are no whole number of iterations of {n_outputs}"
        )));
    }
    let all = n_trees / n_outputs;
    Ok(used.map_or(all, |n| n.min(all)))
}

fn ensemble(model: &Model, n_outputs: usize, iterations: usize) -> Result<Ensemble, Error> {
    let mut trees = Vec::new();
    for (i, tree) in model.trees[..iterations * n_outputs].iter().enumerate() {
        let output = (i % n_outputs) as u32;
        trees.push(tree::lift(tree, output).map_err(|e| e.item(i).under("Tree"))?);
    }
    Ok(Ensemble {
        n_outputs,
        compare: Float::F64,
        sum: Sum::F64,
        base: vec![0.0; n_outputs],
        base_order: BaseOrder::First,
        multiply: vec![1.0; n_outputs],
        divide: 1.0,
        trees,
    })
}

fn features(model: &Model) -> Result<Vec<Feature>, Error> {
    let n = model.max_feature_idx as usize + 1;
    for (name, len) in [
        ("feature_names", model.feature_names.len()),
        ("feature_infos", model.feature_infos.len()),
    ] {
        if len != n && !(name == "feature_infos" && len == 0) {
            return Err(Error::invalid(format!(
                "max_feature_idx is {}, {name} has {len}",
                model.max_feature_idx
            )));
        }
    }
    if n > MAX_FEATURES {
        return Err(Error::unsupported(
            format!("a model of {n} features"),
            format!("at most {MAX_FEATURES} are taken"),
        ));
    }
    Ok(model.feature_names.iter().map(Feature::numeric).collect())
}

/// Features are categorical by what training saw in them, by the parameters, or by a split.
fn mark_categorical(model: &Model, features: &mut [Feature], ensemble: &Ensemble) {
    let mut categorical = vec![false; features.len()];
    for (i, info) in model.feature_infos.iter().enumerate() {
        categorical[i] |= matches!(info, FeatureInfo::Categorical(_));
    }
    for node in ensemble.trees.iter().flat_map(|tree| &tree.nodes) {
        if let Node::Split(Split {
            feature,
            test: Test::In(_),
            ..
        }) = node
            && let Some(mark) = categorical.get_mut(*feature as usize)
        {
            *mark = true;
        }
    }
    // The file names the data frame's categories but not whose they are: columns in order, if
    // that comes out. A column that was never worth a split is only in the parameters.
    let named = &model.pandas_categorical;
    if categorical.iter().filter(|&&c| c).count() != named.len() {
        for &i in &model.categorical_feature {
            if let Some(mark) = categorical.get_mut(i as usize) {
                *mark = true;
            }
        }
    }
    let places: Vec<usize> = (0..features.len()).filter(|&i| categorical[i]).collect();
    let fit = places.len() == named.len()
        && places
            .iter()
            .zip(named)
            .all(|(&i, named)| fits(model.feature_infos.get(i), named.as_ref()));
    for (k, &i) in places.iter().enumerate() {
        features[i].kind = FeatureKind::Categorical {
            categories: if fit { named[k].clone() } else { None },
        };
    }
}

/// Whether every code that training saw has a category.
fn fits(info: Option<&FeatureInfo>, categories: Option<&Categories>) -> bool {
    let (Some(FeatureInfo::Categorical(codes)), Some(categories)) = (info, categories) else {
        return true;
    };
    codes
        .iter()
        .all(|&code| usize::try_from(code).is_ok_and(|c| c < categories.len()) || code == -1)
}

/// The wrapper's class names, where the answers are classes and the names are not their numbers.
fn labels(
    labels: Option<Labels>,
    answer: Answer,
    n_outputs: usize,
) -> Result<Option<Labels>, Error> {
    let n_classes = match answer {
        Answer::Binary => 2,
        Answer::Classes => n_outputs,
        _ => return Ok(None),
    };
    let Some(labels) = labels else {
        return Ok(None);
    };
    if labels.len() != n_classes {
        return Err(Error::invalid(format!(
            "the wrapper names {} classes, its Booster has {n_classes}",
            labels.len()
        )));
    }
    let numbers = matches!(&labels, Labels::Ints(v) if v.iter().copied().eq(0..n_classes as i64));
    Ok((!numbers).then_some(labels))
}
