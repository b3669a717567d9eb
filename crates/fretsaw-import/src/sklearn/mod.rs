//! scikit-learn's estimators, with scikit-learn's attribute names, and what they mean.
//!
//! An estimator in a pickle, a joblib file or a skops file is read by its class: transformers become
//! steps ([`transformer`]), estimators become a [`part::Part`] ([`estimator`]), which is a whole
//! model or a member of another. Nothing is executed, and a class that has no rule here is refused
//! by its name.

mod adaboost;
mod attributes;
mod bagging;
mod bayes;
mod boosting;
mod calibration;
mod categories;
mod clusters;
mod columns;
mod compose;
mod context;
mod decompose;
mod discriminant;
mod distribution;
mod dummy;
mod elementwise;
mod encode;
mod estimator;
mod expand;
mod fill_text;
mod forest;
mod gaussian_process;
mod hist;
mod importance;
mod impute;
mod init;
mod input;
mod isolation;
mod isotonic;
mod iterative;
mod kernel;
mod kernel_ridge;
mod linear;
mod linear_classifier;
mod matrix;
mod members;
mod mixture;
mod mlp;
mod multiclass;
mod neighbors;
mod part;
mod pipeline;
mod places;
mod pls;
mod scale;
mod select;
mod several;
mod stacking;
mod svm;
mod target;
mod transformer;
mod tree;
mod voting;

use fretsaw_model::{Body, Categories, Feature, FeatureKind, Float, Provenance, Step};

use crate::pickle::{Id, Pickle};
use crate::{Error, error};

use attributes::Attributes;
use columns::Columns;
use context::Context;
use part::Part;

/// Every column costs a name, and a file may claim any number of them.
const MAX_FEATURES: usize = 1 << 20;

/// Reads the estimator `id`. `format` names the file's format in the provenance.
pub(crate) fn read(
    pickle: &Pickle<'_>,
    id: Id,
    format: &str,
) -> Result<fretsaw_model::Model, Error> {
    let at = Attributes::of(pickle, id)?;
    let cx = Context::new(at.text("_sklearn_version"), format);
    estimator::check_known(at)?;
    let (n, names) = input::of(at, &cx)?;
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
    let columns = Columns::of_rows(n, names);
    let part = estimator::read(at, &cx, &columns)?;
    model(part, &cx, columns)
}

fn model(part: Part, cx: &Context<'_>, columns: Columns) -> Result<fretsaw_model::Model, Error> {
    let mut features = match part.features {
        Some(features) => features,
        None => (0..columns.width())
            .map(|i| Feature::numeric(format!("f{i}")))
            .collect(),
    };
    for (feature, name) in features.iter_mut().zip(columns.names()) {
        feature.name.clone_from(name);
    }
    for (column, known) in cx.texts() {
        let feature = &mut features[column];
        if !may_be_text(&feature.kind, &known) {
            return Err(Error::unsupported(
                format!(
                    "text in the column `{}`, which another library's model numbers otherwise",
                    error::shown(&feature.name)
                ),
                "give each model a column of its own",
            ));
        }
        feature.kind = FeatureKind::Text { known };
    }
    let labels = part.labels.filter(|c| !part::are_numbers(c));
    let provenance = part.provenance.unwrap_or_else(|| Provenance {
        framework: "sklearn".into(),
        framework_version: cx.version_text.map(str::to_owned),
        format: format!("sklearn-{}", cx.format),
        objective: part.class,
        source_sha256: None,
        passes: Vec::new(),
    });
    let draft = fretsaw_model::Draft {
        features,
        steps: in_double(part.steps, &part.body),
        body: part.body,
        link: part.link,
        answer: part.answer,
        decision: part.decision,
        labels,
        provenance,
    };
    Ok(draft.build()?)
}

/// Whether rows with the codes of `known` mean the same to a model that has the column as this kind.
fn may_be_text(kind: &FeatureKind, known: &[String]) -> bool {
    match kind {
        FeatureKind::Categorical {
            categories: Some(Categories::Strings(names)),
        } => known.starts_with(names),
        FeatureKind::Categorical {
            categories: Some(_),
        }
        | FeatureKind::Hashed => false,
        _ => true,
    }
}

/// scikit-learn's transformers compute in f64 on rows that are not f32 arrays. Where nothing but
/// missing values is filled in for f32 comparisons, the precision makes no difference.
fn in_double(mut steps: Vec<Step>, body: &Body) -> Vec<Step> {
    let narrow = matches!(body, Body::Ensemble(e) if e.compare == Float::F32);
    let fills = |step: &Step| matches!(step, Step::Impute { .. } | Step::MarkMissing { .. });
    let first_keeps = steps.first().is_some_and(Step::keeps_precision);
    if first_keeps && !(narrow && steps.iter().all(fills)) {
        steps.insert(0, Step::Widen);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_one_numbering_in_a_column() {
        let texts = |v: &[&str]| v.iter().map(|s| s.to_string()).collect::<Vec<_>>();
        let known = texts(&["red", "blue", "green"]);
        let categories = |c| FeatureKind::Categorical { categories: c };
        let strings = |v| categories(Some(Categories::Strings(texts(v))));
        for (kind, fits) in [
            (FeatureKind::Numeric, true),
            (categories(None), true),
            (strings(&["red", "blue"]), true),
            (strings(&["blue", "red"]), false),
            (strings(&["red", "blue", "green", "white"]), false),
            (categories(Some(Categories::Ints(vec![0, 1]))), false),
            (FeatureKind::Hashed, false),
        ] {
            assert_eq!(may_be_text(&kind, &known), fits, "{kind:?}");
        }
    }
}
