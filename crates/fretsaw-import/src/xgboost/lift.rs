//! From XGBoost's model to the IR, by the rules of the version that wrote it.
//!
//! Versions differ in more than layout: when the base score is added (after the trees before 1.3,
//! DART's before 1.4), what an unknown category does, how a base score becomes a margin. The file
//! says which version wrote it, and its answers are what that version answers; a later XGBoost that
//! reads an old file may differ from it in the last bits.

use fretsaw_model::{
    Answer, BaseOrder, Body, Categories, Decision, Draft, Ensemble, Feature, FeatureKind, Float,
    InterceptOrder, Labels, Linear, LinearMissing, Link, Provenance, Step, Sum,
};

use super::objective::Objective;
use super::tree::{self, UnknownCategory};
use super::{CatColumn, GblinearModel, GbtreeModel, GradientBooster, Model};
use crate::Error;

/// Every column costs a name, and a file may claim any number of them.
const MAX_FEATURES: u32 = 1 << 20;
/// As many classes or targets; each costs a base score.
const MAX_OUTPUTS: usize = 1 << 20;

/// What a scikit-learn wrapper adds to its Booster.
#[derive(Debug, Default)]
pub(crate) struct Wrapper {
    /// Whether iterations after the best one are left out. A bare Booster predicts with all.
    pub(crate) best_iteration: bool,
    /// The value that stands for a missing one, besides NaN.
    pub(crate) missing: Option<f64>,
    /// The classes' names, where they are not simply numbered.
    pub(crate) labels: Option<Labels>,
}

impl Model {
    /// Whether it was written by this version of XGBoost or a later one. A file that does not say
    /// counts as new.
    pub(super) fn since(&self, major: u32, minor: u32) -> bool {
        match self.version.as_slice() {
            [] => true,
            [a] => *a >= major,
            [a, b, ..] => (*a, *b) >= (major, minor),
        }
    }

    /// Margins a row gives.
    fn n_outputs(&self) -> Result<usize, Error> {
        let param = &self.learner.learner_model_param;
        if param.num_class > 1 && param.num_target > 1 {
            return Err(Error::invalid(format!(
                "{} classes and {} targets",
                param.num_class, param.num_target
            )));
        }
        let n = param.num_class.max(param.num_target).max(1) as usize;
        if n > MAX_OUTPUTS {
            return Err(Error::unsupported(
                format!("a model of {n} outputs"),
                format!("at most {MAX_OUTPUTS} are taken"),
            ));
        }
        Ok(n)
    }
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
    let n_outputs = model.n_outputs()?;
    let objective = Objective::of(model, n_outputs)?;
    let base = base_margins(model, &objective, n_outputs)?;
    let mut features = features(model)?;
    let body = match &model.learner.gradient_booster {
        GradientBooster::Gbtree(gbtree) => {
            let ensemble = ensemble(model, gbtree, &wrapper, base)?;
            mark_categorical(&mut features, &ensemble);
            Body::Ensemble(ensemble)
        }
        GradientBooster::Gblinear(gblinear) => {
            Body::Linear(linear(gblinear, features.len(), &base)?)
        }
    };
    let steps = wrapper.missing.map(|value| Step::MarkMissing { value });
    let version = model.version.iter().map(u32::to_string);
    let labels = labels(wrapper.labels, &objective, n_outputs)?;
    let draft = Draft {
        features,
        steps: steps.into_iter().collect(),
        body,
        link: objective.link,
        answer: objective.answer,
        decision: Decision::Answer,
        labels,
        provenance: Provenance {
            framework: "xgboost".into(),
            framework_version: Some(version.collect::<Vec<_>>().join("."))
                .filter(|v| !v.is_empty()),
            format: format.into(),
            objective: Some(model.learner.objective.clone()),
            source_sha256: None,
            passes: Vec::new(),
        },
    };
    Ok(draft.build()?)
}

fn base_margins(model: &Model, objective: &Objective, n_outputs: usize) -> Result<Vec<f32>, Error> {
    let mut base = model.learner.learner_model_param.base_score.clone();
    if let [one] = base[..] {
        base = vec![one; n_outputs];
    }
    if base.len() != n_outputs {
        return Err(Error::invalid(format!(
            "{} base scores for {n_outputs} outputs",
            base.len()
        ))
        .under("base_score")
        .under("learner_model_param")
        .under("learner"));
    }
    // A model that was never boosted has a base score that was never found: the default stands, and
    // XGBoost takes it for a margin.
    let never_boosted = matches!(&model.learner.gradient_booster,
        GradientBooster::Gbtree(gbtree) if gbtree.trees.is_empty());
    if never_boosted && model.learner.learner_model_param.boost_from_average != 0 {
        return Ok(base);
    }
    objective.base_margins(model, &base)
}

fn features(model: &Model) -> Result<Vec<Feature>, Error> {
    let learner = &model.learner;
    let n = learner.learner_model_param.num_feature;
    let cats: &[CatColumn] = match &learner.gradient_booster {
        GradientBooster::Gbtree(gbtree) => &gbtree.cats,
        GradientBooster::Gblinear(_) => &[],
    };
    let lists = [
        ("feature_names", learner.feature_names.len()),
        ("feature_types", learner.feature_types.len()),
        ("cats.enc", cats.len()),
    ];
    for (name, len) in lists {
        if len != 0 && len != n as usize {
            return Err(Error::invalid(format!(
                "num_feature is {n}, {name} has {len}"
            )));
        }
    }
    if n == 0 {
        return Err(Error::invalid(
            "num_feature is 0: the model was never trained",
        ));
    }
    if n > MAX_FEATURES {
        return Err(Error::unsupported(
            format!("a model of {n} features"),
            format!("at most {MAX_FEATURES} are taken"),
        ));
    }
    let feature = |i: usize| Feature {
        name: match learner.feature_names.get(i) {
            Some(name) => name.clone(),
            None => format!("f{i}"),
        },
        kind: match (cats.get(i), learner.feature_types.get(i)) {
            (Some(CatColumn::Strings(v)), _) => categorical(Some(Categories::Strings(v.clone()))),
            (Some(CatColumn::Ints(v)), _) => categorical(Some(Categories::Ints(v.clone()))),
            (_, Some(kind)) if kind == "c" => categorical(None),
            _ => FeatureKind::Numeric,
        },
    };
    Ok((0..n as usize).map(feature).collect())
}

fn categorical(categories: Option<Categories>) -> FeatureKind {
    FeatureKind::Categorical { categories }
}

/// Files before 1.4 hold no feature types: then the splits tell which features are categorical.
fn mark_categorical(features: &mut [Feature], ensemble: &Ensemble) {
    use fretsaw_model::{Node, Split, Test};
    for node in ensemble.trees.iter().flat_map(|tree| &tree.nodes) {
        if let Node::Split(Split {
            feature,
            test: Test::In(_),
            ..
        }) = node
            && let Some(feature) = features.get_mut(*feature as usize)
            && feature.kind == FeatureKind::Numeric
        {
            feature.kind = categorical(None);
        }
    }
}

fn ensemble(
    model: &Model,
    gbtree: &GbtreeModel,
    wrapper: &Wrapper,
    base: Vec<f32>,
) -> Result<Ensemble, Error> {
    let n_outputs = base.len();
    let dart = !gbtree.weight_drop.is_empty();
    if dart && gbtree.weight_drop.len() != gbtree.trees.len() {
        return Err(Error::invalid(format!(
            "{} weights in weight_drop for {} trees",
            gbtree.weight_drop.len(),
            gbtree.trees.len()
        )));
    }
    let used = if wrapper.best_iteration {
        trees_to_best_iteration(model, gbtree)?
    } else {
        gbtree.trees.len()
    };
    let unknown = UnknownCategory::of(model);
    let mut trees = Vec::new();
    for (i, tree) in gbtree.trees[..used].iter().enumerate() {
        let weight = gbtree.weight_drop.get(i).copied().unwrap_or(1.0);
        trees.push(
            tree::lift(tree, gbtree.tree_info[i], weight, n_outputs, unknown)
                .map_err(|e| e.item(i).under("trees"))?,
        );
    }
    let base_first = model.since(1, if dart { 4 } else { 3 });
    Ok(Ensemble {
        n_outputs,
        compare: Float::F32,
        sum: Sum::F32,
        base: base.into_iter().map(f64::from).collect(),
        base_order: if base_first {
            BaseOrder::First
        } else {
            BaseOrder::Last
        },
        multiply: vec![1.0; n_outputs],
        divide: 1.0,
        trees,
    })
}

/// How many trees iterations 0 to `best_iteration` have; all where there is no best one.
fn trees_to_best_iteration(model: &Model, gbtree: &GbtreeModel) -> Result<usize, Error> {
    let n_trees = gbtree.trees.len();
    let Some(best) = model.learner.attributes.get("best_iteration") else {
        return Ok(n_trees);
    };
    let fault = || {
        Error::invalid(format!(
            "best_iteration is `{}`, which is no iteration of this model of {n_trees} trees",
            crate::error::shown(best)
        ))
    };
    let iterations = best
        .trim()
        .parse::<usize>()
        .ok()
        .and_then(|best| best.checked_add(1))
        .ok_or_else(fault)?;
    let used = if gbtree.iteration_indptr.is_empty() {
        // Before 2.0: each iteration has as many trees. How many is in the model since 1.6; before,
        // all that tells is the limit that follows from it, which a linear model has as 0.
        let groups = gbtree
            .tree_info
            .iter()
            .max()
            .map_or(0, |&k| k.max(0) as usize + 1);
        let limit = model.learner.attributes.get("best_ntree_limit");
        let limit = limit.and_then(|n| n.trim().parse().ok()).filter(|&n| n > 0);
        limit
            .or_else(|| iterations.checked_mul(gbtree.num_parallel_tree as usize))
            .and_then(|n| n.checked_mul(groups))
    } else {
        gbtree
            .iteration_indptr
            .get(iterations)
            .map(|&end| end as usize)
    };
    used.filter(|&n| n <= n_trees).ok_or_else(fault)
}

fn linear(gblinear: &GblinearModel, n_features: usize, base: &[f32]) -> Result<Linear, Error> {
    let n_outputs = base.len();
    let n_weights = n_features.saturating_mul(n_outputs);
    let weights = &gblinear.weights;
    if !weights.is_empty() && weights.len() != n_weights.saturating_add(n_outputs) {
        return Err(Error::invalid(format!(
            "{} weights for {n_features} features and {n_outputs} outputs, with a bias each",
            weights.len()
        )));
    }
    let (weights, bias) = if weights.is_empty() {
        if n_weights > MAX_FEATURES as usize {
            return Err(Error::invalid("a linear model without weights"));
        }
        (vec![0.0; n_weights], vec![0.0; n_outputs])
    } else {
        let (weights, bias) = weights.split_at(n_weights);
        (weights.to_vec(), bias.to_vec())
    };
    Ok(Linear {
        n_outputs,
        sum: Float::F32,
        weights: weights.into_iter().map(f64::from).collect(),
        // The bias plus the *first* base score, whichever output it is (`gblinear.cc`).
        intercept: bias.into_iter().map(|b| f64::from(b + base[0])).collect(),
        intercept_order: InterceptOrder::First,
        missing: LinearMissing::Skip,
    })
}

/// The wrapper's class names, where the answers are classes and the names are not their numbers.
fn labels(
    labels: Option<Labels>,
    objective: &Objective,
    n_outputs: usize,
) -> Result<Option<Labels>, Error> {
    let n_classes = match objective.answer {
        Answer::Binary => 2,
        Answer::Class if objective.link == Link::Step => 2,
        Answer::Classes | Answer::Class => n_outputs,
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
