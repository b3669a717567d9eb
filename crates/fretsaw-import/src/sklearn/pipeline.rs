//! Pipelines: transformers, then an estimator or one more transformer.

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::part::Part;
use super::transformer::Transformed;
use super::{estimator, transformer};
use crate::Error;
use crate::pickle::{Id, Value};

/// The estimators of a pipeline's steps that do something, in order.
pub(super) fn steps<'p, 'a>(at: Attributes<'p, 'a>) -> Result<Vec<Attributes<'p, 'a>>, Error> {
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

/// A pipeline that ends in an estimator.
pub(super) fn estimate(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    let all = steps(at)?;
    let Some((last, first)) = all.split_last() else {
        return Err(Error::invalid("a pipeline without steps"));
    };
    let (steps, columns) = run(first, cx, columns.clone())?;
    Ok(estimator::read(*last, cx, &columns)?.behind(steps))
}

/// A pipeline of nothing but transformers.
pub(super) fn transform(at: Attributes<'_, '_>, cx: &Context<'_>, columns: Columns) -> Transformed {
    run(&steps(at)?, cx, columns)
}

fn run(transformers: &[Attributes<'_, '_>], cx: &Context<'_>, mut columns: Columns) -> Transformed {
    let mut steps = Vec::new();
    for (i, &at) in transformers.iter().enumerate() {
        let (mut more, after) =
            transformer::read(at, cx, columns).map_err(|e| e.item(i).under("steps"))?;
        steps.append(&mut more);
        columns = after;
    }
    Ok((steps, columns))
}
