//! Stacking: an estimator that sees what others answer, and the columns too where they pass through.

use fretsaw_model::{Labels, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::members::{Members, positive, table};
use super::part::{Part, are_numbers, no_probabilities};
use super::{estimator, forest};
use crate::Error;
use crate::pickle::numpy::Elements;

/// Reads the estimator.
pub(super) fn read(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    let classes = forest::classes(at)?;
    let members = at.objects("estimators_")?;
    let Elements::Strings(methods) = at.elements("stack_method_")? else {
        return Err(Error::invalid("`stack_method_` is no list of names"));
    };
    if methods.len() != members.len() {
        return Err(Error::invalid(format!(
            "{} names in `stack_method_` for {} estimators",
            methods.len(),
            members.len()
        )));
    }
    let binary = classes.as_ref().is_some_and(|c| c.len() == 2);
    let mut all = Members::new(cx, columns);
    let mut branches = Vec::new();
    for (i, (&member, method)) in members.iter().zip(&methods).enumerate() {
        let steps = answers(&mut all, member, method, binary);
        branches.push(steps.map_err(|e| e.item(i).under("estimators_"))?);
    }
    let n_answers: usize = branches
        .iter()
        .map(|b| fretsaw_model::width(b, columns.width()))
        .sum();
    let mut seen = Columns::computed(n_answers);
    if at.flag("passthrough") {
        branches.push(Vec::new());
        seen.origins.extend(&columns.origins);
    }
    let last = at.child("final_estimator_")?;
    let part = estimator::read(last, cx, &seen).map_err(|e| e.under("final_estimator_"))?;
    let part = part.behind(vec![Step::Branches(branches)]);
    Ok(all.done(Part {
        labels: classes.or(part.labels),
        class: Some(at.class().to_owned()),
        provenance: None,
        ..part
    }))
}

/// What a member is asked for.
fn answers(
    all: &mut Members<'_, '_>,
    member: Attributes<'_, '_>,
    method: &str,
    binary: bool,
) -> Result<Vec<Step>, Error> {
    let part = all.read(member)?;
    match method {
        // Of two classes the first is left out.
        "predict_proba" if binary => positive(part).ok_or_else(|| no_probabilities(member)),
        "predict_proba" => {
            let steps = part.into_probabilities();
            steps.ok_or_else(|| no_probabilities(member))
        }
        "decision_function" => Ok(part.into_margins()),
        "predict" if part.n_classes() == 0 => Ok(part.into_answers()),
        "predict" => {
            let names = part.labels.clone();
            let mut steps = part.into_class();
            match names {
                Some(Labels::Strings(_)) => {
                    return Err(member.unsupported(
                        "that names classes by text to another estimator",
                        "stack probabilities or decisions",
                    ));
                }
                Some(Labels::Ints(values)) if !are_numbers(&Labels::Ints(values.clone())) => {
                    steps.push(table(1, values.iter().map(|&v| v as f64).collect()));
                }
                _ => {}
            }
            Ok(steps)
        }
        other => Err(member.unsupported(
            &format!("asked for `{}`", crate::error::shown(other)),
            "predict_proba, decision_function and predict are known",
        )),
    }
}
