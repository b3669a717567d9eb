//! The estimator in a pickle: what is read of which class, and which wrappers are seen through.

use fretsaw_model::{Labels, Step};

use super::attributes::Attributes;
use super::hist::HistGradientBoosting;
use super::tree::Tree;
use super::{Estimator, GradientBoosting, Member, Model, Trees, init};
use crate::Error;
use crate::pickle::{Id, Pickle, Value};

/// Wrappers in wrappers, such as a search over a pipeline.
const MAX_WRAPPERS: usize = 8;
/// Every column costs a name, and a file may claim any number of them.
const MAX_FEATURES: usize = 1 << 20;

/// Reads the estimator `id`. `format` names the file's format in another library's provenance.
pub(crate) fn from_pickle(pickle: &Pickle<'_>, id: Id, format: &str) -> Result<Model, Error> {
    let mut at = Attributes::of(pickle, id)?;
    let version_text = at.text("_sklearn_version").map(str::to_owned);
    let mut names = Vec::new();
    let mut steps = Vec::new();
    let mut n_features = None;
    for _ in 0..MAX_WRAPPERS {
        if names.is_empty() && steps.is_empty() {
            names = feature_names(at)?;
        }
        match at.class() {
            "GridSearchCV"
            | "RandomizedSearchCV"
            | "HalvingGridSearchCV"
            | "HalvingRandomSearchCV" => at = at.child("best_estimator_")?,
            "Pipeline" => {
                let (last, first) = pipeline(at)?
                    .split_last()
                    .map(|(last, first)| (*last, first.to_vec()))
                    .ok_or_else(|| Error::invalid("a pipeline without steps"))?;
                for step in first {
                    if let Some(step) = step_of(step, &mut steps, &mut n_features)? {
                        names = feature_names(step)?;
                    }
                }
                at = last;
            }
            _ => break,
        }
    }
    let version = version(version_text.as_deref());
    let (estimator, n) = if at.is_sklearn() {
        (estimator(at, version)?, n_features_of(at)?)
    } else {
        let model = crate::estimator(pickle, at.id, format)?;
        let n = model.features.len();
        (Estimator::Foreign(Box::new(model)), n)
    };
    if n_features.is_some_and(|before| before != n) {
        return Err(Error::invalid(format!(
            "the steps of the pipeline have {} columns, its estimator {n}",
            n_features.unwrap_or_default()
        )));
    }
    if n == 0 || n > MAX_FEATURES {
        return Err(Error::unsupported(
            format!("a model of {n} features"),
            format!("1 to {MAX_FEATURES} are taken"),
        ));
    }
    if !names.is_empty() && names.len() != n {
        return Err(Error::invalid(format!(
            "{} names in `feature_names_in_` for {n} features",
            names.len()
        )));
    }
    Ok(Model {
        class: at.class().to_owned(),
        version,
        version_text,
        n_features: n,
        feature_names: names,
        steps,
        estimator,
    })
}

/// Major and minor number; what does not say counts as new.
fn version(text: Option<&str>) -> (u32, u32) {
    let mut parts = text.unwrap_or_default().split('.').map(str::parse);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
        _ => (u32::MAX, 0),
    }
}

fn feature_names(at: Attributes<'_, '_>) -> Result<Vec<String>, Error> {
    match at.some("feature_names_in_") {
        None => Ok(Vec::new()),
        Some(_) => match at.elements("feature_names_in_")? {
            crate::pickle::numpy::Elements::Strings(names) => Ok(names),
            _ => Err(Error::invalid("`feature_names_in_` is no array of text")),
        },
    }
}

fn n_features_of(at: Attributes<'_, '_>) -> Result<usize, Error> {
    for name in ["n_features_in_", "n_features_", "_n_features"] {
        if at.some(name).is_some() {
            return at.count(name);
        }
    }
    at.count("n_features_in_")
}

/// The estimators of a pipeline's steps that do something, in order.
fn pipeline<'p, 'a>(at: Attributes<'p, 'a>) -> Result<Vec<Attributes<'p, 'a>>, Error> {
    let pickle = at.pickle;
    let id = at.get("steps")?;
    let Value::List(steps) = pickle.get(id) else {
        return Err(Error::invalid("the steps of a pipeline are no list"));
    };
    let mut out = Vec::new();
    for (i, &step) in steps.iter().enumerate() {
        let estimator: Option<Id> = match pickle.get(step) {
            Value::Tuple(pair) => pair.get(1).copied(),
            Value::List(pair) => pair.get(1).copied(),
            _ => None,
        };
        let estimator = estimator.ok_or_else(|| Error::invalid("no name and estimator"));
        let estimator = estimator.map_err(|e| e.item(i).under("steps"))?;
        match pickle.get(estimator) {
            Value::None => {}
            Value::Str(text) if text == "passthrough" => {}
            _ => out.push(Attributes::of(pickle, estimator).map_err(|e| e.item(i).under("steps"))?),
        }
    }
    Ok(out)
}

/// Takes a transformer of a pipeline over; gives it back if it is the first that saw the rows.
fn step_of<'p, 'a>(
    at: Attributes<'p, 'a>,
    steps: &mut Vec<Step>,
    n_features: &mut Option<usize>,
) -> Result<Option<Attributes<'p, 'a>>, Error> {
    let refused = |what: &str| {
        Err(at.unsupported(
            what,
            "in front of a tree ensemble only StandardScaler and SimpleImputer are read so far",
        ))
    };
    if !at.is_sklearn() {
        return refused("");
    }
    let first = n_features.is_none();
    let n = match at.class() {
        "StandardScaler" => {
            let shift = at.some("mean_").map(|_| at.floats("mean_")).transpose()?;
            let scale = at.some("scale_").map(|_| at.floats("scale_")).transpose()?;
            let centred = flag(at, "with_mean");
            let scaled = flag(at, "with_std");
            let n = match (&shift, &scale) {
                (Some(v), _) | (None, Some(v)) => v.len(),
                (None, None) => n_features_of(at)?,
            };
            let (shift, scale) = (shift.filter(|_| centred), scale.filter(|_| scaled));
            if shift.is_some() || scale.is_some() {
                steps.push(Step::Scale {
                    shift: shift.unwrap_or_else(|| vec![0.0; n]),
                    scale: scale.unwrap_or_else(|| vec![1.0; n]),
                });
            }
            n
        }
        "SimpleImputer" => {
            if flag(at, "add_indicator") {
                return refused("with add_indicator");
            }
            let values = at.floats("statistics_")?;
            if values.iter().any(|v| v.is_nan()) {
                return refused("that drops a column without values");
            }
            if at.some("missing_values").is_some() {
                let value = at.number("missing_values")?;
                if !value.is_nan() {
                    steps.push(Step::MarkMissing { value });
                }
            }
            let n = values.len();
            steps.push(Step::Impute { values });
            n
        }
        _ => return refused(""),
    };
    if n_features.is_some_and(|before| before != n) {
        return Err(Error::invalid(
            "the steps of the pipeline have unequal numbers of columns",
        ));
    }
    *n_features = Some(n);
    Ok(first.then_some(at))
}

fn flag(at: Attributes<'_, '_>, name: &str) -> bool {
    at.some(name)
        .is_some_and(|id| matches!(at.pickle.get(id), Value::Bool(true)))
}

fn estimator(at: Attributes<'_, '_>, version: (u32, u32)) -> Result<Estimator, Error> {
    let trees = |n_estimators, trees, classes| {
        Ok(Estimator::Trees(Trees {
            trees,
            n_estimators,
            classes,
        }))
    };
    let classes = |classifier: bool| classifier.then(|| at.classes()).transpose();
    match at.class() {
        name @ ("DecisionTreeClassifier"
        | "ExtraTreeClassifier"
        | "DecisionTreeRegressor"
        | "ExtraTreeRegressor") => {
            let classes = classes(name.ends_with("Classifier"))?;
            trees(None, vec![whole(Tree::of(at)?)], classes)
        }
        name @ ("RandomForestClassifier"
        | "ExtraTreesClassifier"
        | "RandomForestRegressor"
        | "ExtraTreesRegressor") => {
            let classes = classes(name.ends_with("Classifier"))?;
            let members = trees_of(at)?.into_iter().map(whole).collect::<Vec<_>>();
            trees(Some(members.len()), members, classes)
        }
        name @ ("BaggingClassifier" | "BaggingRegressor") => {
            let classes = classes(name == "BaggingClassifier")?;
            let members = bagging(at, classes.as_ref())?;
            trees(Some(at.count("n_estimators")?), members, classes)
        }
        name @ ("GradientBoostingClassifier" | "GradientBoostingRegressor") => {
            let classes = classes(name == "GradientBoostingClassifier")?;
            let n_classes = classes.as_ref().map_or(0, Labels::len);
            let loss = at.text("loss").unwrap_or_default();
            let init = init::margins(at, version, loss, n_classes)?;
            Ok(Estimator::GradientBoosting(GradientBoosting {
                estimators: trees_of(at)?,
                learning_rate: at.number("learning_rate")?,
                init,
                loss: loss.to_owned(),
                classes,
            }))
        }
        name @ ("HistGradientBoostingClassifier" | "HistGradientBoostingRegressor") => {
            let classes = classes(name == "HistGradientBoostingClassifier")?;
            HistGradientBoosting::of(at, version, classes).map(Estimator::HistGradientBoosting)
        }
        _ => Err(unsupported(at)),
    }
}

fn unsupported(at: Attributes<'_, '_>) -> Error {
    at.unsupported(
        "",
        "of scikit-learn, trees, forests, gradient boosting, and bagging of trees are read so far",
    )
}

fn whole(tree_: Tree) -> Member {
    Member {
        tree_,
        features: None,
    }
}

fn trees_of(at: Attributes<'_, '_>) -> Result<Vec<Tree>, Error> {
    let estimators = at.objects("estimators_")?;
    let tree =
        |(i, estimator)| Tree::of(estimator).map_err(|e: Error| e.item(i).under("estimators_"));
    estimators.into_iter().enumerate().map(tree).collect()
}

fn bagging(at: Attributes<'_, '_>, classes: Option<&Labels>) -> Result<Vec<Member>, Error> {
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
