//! What SimpleImputer does otherwise on columns of text: what fills them, and what it takes for
//! missing, by their codes.

use fretsaw_model::Step;

use super::attributes::Attributes;
use super::categories::in_computed;
use super::columns::Columns;
use super::context::Context;
use crate::Error;
use crate::pickle::numpy::Elements;
use crate::pickle::{Id, Value};

/// What fills each column, where any of that is text.
pub(super) fn statistics(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Option<Vec<f64>>, Error> {
    let id = at.get("statistics_")?;
    let of_text = |text: &str, column: usize| code(at, cx, columns, column, text);
    let is_text = |id: &Id| matches!(at.pickle.get(*id), Value::Str(_));
    let values: Vec<f64> = match at.pickle.objects(id) {
        Some(items) if items.iter().any(is_text) => {
            check(items.len(), columns)?;
            let value = |(i, &id): (usize, &Id)| match at.pickle.get(id) {
                Value::Str(text) => of_text(text, i),
                Value::None => Ok(f64::NAN),
                _ => at.pickle.number(id),
            };
            items
                .iter()
                .enumerate()
                .map(value)
                .collect::<Result<_, _>>()?
        }
        Some(_) => return Ok(None),
        None => match at.elements("statistics_")? {
            Elements::Strings(names) => {
                check(names.len(), columns)?;
                let value = |(i, name): (usize, &String)| of_text(name, i);
                names
                    .iter()
                    .enumerate()
                    .map(value)
                    .collect::<Result<_, _>>()?
            }
            _ => return Ok(None),
        },
    };
    Ok(Some(values))
}

/// Marks as missing what the imputer takes for it, where that is text.
pub(super) fn mark(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Vec<Step>, Error> {
    let Some(id) = at.some("missing_values") else {
        return Ok(Vec::new());
    };
    let Value::Str(text) = at.pickle.get(id) else {
        return match at.pickle.number(id) {
            Ok(x) if x.is_nan() => Ok(Vec::new()),
            _ => Err(at.unsupported(
                "of text with missing_values that are numbers",
                "NaN, None and text are taken there",
            )),
        };
    };
    let one = |column: usize| {
        let value = code(at, cx, columns, column, text)?;
        let columns = vec![column as u32];
        Ok(vec![Step::Select { columns }, Step::MarkMissing { value }])
    };
    let branches = (0..columns.width())
        .map(one)
        .collect::<Result<_, Error>>()?;
    Ok(vec![Step::Branches(branches)])
}

fn code(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
    column: usize,
    text: &str,
) -> Result<f64, Error> {
    let origin = columns.origins[column].ok_or_else(|| in_computed(at, text))?;
    cx.code(at.pickle, origin, text)
}

fn check(n: usize, columns: &Columns) -> Result<(), Error> {
    match n == columns.width() {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "{n} values in `statistics_` for {} columns",
            columns.width()
        ))),
    }
}
