//! The categories that an encoder knows: numbers, truth values and text, with what stands for a
//! missing one. Text is understood in columns of the model's own input alone, where it has a code.

use std::borrow::Cow;

use fretsaw_model::{Codes, Encoder};

use super::attributes::Attributes;
use super::context::Context;
use crate::Error;
use crate::error::shown;
use crate::pickle::numpy::Elements;
use crate::pickle::{Id, Value};

/// A category as a file has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Category<'p> {
    Text(Cow<'p, str>),
    Number(f64),
    /// None or NaN; rows do not tell them apart.
    Missing,
}

/// The categories of each column.
pub(super) fn of<'p>(
    at: Attributes<'p, '_>,
    width: usize,
) -> Result<Vec<Vec<Category<'p>>>, Error> {
    let columns = lists(at, "categories_", width)?;
    let list = |(i, &id)| in_column(at, id).map_err(|e: Error| e.item(i).under("categories_"));
    columns.iter().enumerate().map(list).collect()
}

/// A list with one item a column.
pub(super) fn lists<'p>(
    at: Attributes<'p, '_>,
    name: &str,
    width: usize,
) -> Result<&'p [Id], Error> {
    match at.pickle.get(at.get(name)?) {
        Value::List(items) if items.len() == width => Ok(items),
        _ => Err(Error::invalid(format!(
            "`{name}` is no list of one item for each of {width} columns"
        ))),
    }
}

fn in_column<'p>(at: Attributes<'p, '_>, id: Id) -> Result<Vec<Category<'p>>, Error> {
    let pickle = at.pickle;
    let odd = |id: Id| {
        let what = format!("with {} among its categories", pickle.describe(id));
        at.unsupported(&what, "numbers and text are taken")
    };
    let number = |x: f64| match x.is_nan() {
        true => Category::Missing,
        false => Category::Number(x),
    };
    let Some(items) = pickle.objects(id) else {
        return Ok(match pickle.elements(id).ok_or_else(|| odd(id))? {
            Elements::Strings(names) => {
                let text = |name| Category::Text(Cow::Owned(name));
                names.into_iter().map(text).collect()
            }
            numbers => {
                let numbers = numbers.floats().ok_or_else(|| odd(id))?;
                numbers.into_iter().map(number).collect()
            }
        });
    };
    let category = |id: Id| match pickle.get(id) {
        Value::None => Ok(Category::Missing),
        Value::Bool(b) => Ok(Category::Number(f64::from(u8::from(*b)))),
        Value::Str(text) => Ok(Category::Text(Cow::Borrowed(text))),
        Value::Int(i) if i.unsigned_abs() > 1 << 53 => Err(odd(id)),
        _ => pickle.number(id).map(number).map_err(|_| odd(id)),
    };
    items.into_iter().map(category).collect()
}

/// Where each category is found.
#[derive(Debug, PartialEq)]
pub(super) struct Keys {
    /// The value that stands for the category in a row, and the category's place; ascending.
    keys: Vec<(f64, usize)>,
    /// The place of what is missing.
    missing: Option<usize>,
}

impl Keys {
    /// The categories of a column whose values are the model's input column `origin`.
    pub(super) fn of(
        at: Attributes<'_, '_>,
        cx: &Context<'_>,
        origin: Option<usize>,
        categories: &[Category<'_>],
    ) -> Result<Self, Error> {
        let is_text = |c: &Category<'_>| matches!(c, Category::Text(_));
        let is_number = |c: &Category<'_>| matches!(c, Category::Number(_));
        if categories.iter().any(is_text) && categories.iter().any(is_number) {
            return Err(at.unsupported(
                "with both text and numbers in a column",
                "a column of a table holds one of them",
            ));
        }
        let (mut keys, mut missing) = (Vec::new(), None);
        for (place, category) in categories.iter().enumerate() {
            match category {
                Category::Missing if missing.is_some() => {
                    return Err(at.unsupported(
                        "with None and NaN as two categories",
                        "a missing value in a table is both",
                    ));
                }
                Category::Missing => missing = Some(place),
                Category::Number(x) => keys.push((*x, place)),
                Category::Text(text) => {
                    let origin = origin.ok_or_else(|| in_computed(at, text))?;
                    keys.push((cx.code(at.pickle, origin, text)?, place));
                }
            }
        }
        keys.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        Ok(Self { keys, missing })
    }

    /// The place of what is missing.
    pub(super) fn missing(&self) -> Option<usize> {
        self.missing
    }

    /// The encoder of the column; `code` gives a category's code by its place.
    pub(super) fn encoder(
        self,
        column: usize,
        code: impl Fn(usize) -> usize,
        unknown: Option<usize>,
        codes: Codes,
    ) -> Encoder {
        let code = |place: usize| code(place) as u32;
        Encoder {
            column: column as u32,
            keys: self.keys.iter().map(|&(key, _)| key).collect(),
            code_of: self.keys.iter().map(|&(_, place)| code(place)).collect(),
            missing: self.missing.map(code),
            unknown: unknown.map(|code| code as u32),
            codes,
        }
    }
}

/// Text in a column that steps have computed.
pub(super) fn in_computed(at: Attributes<'_, '_>, text: &str) -> Error {
    at.unsupported(
        &format!("with the text `{}` behind other transformers", shown(text)),
        "text is understood in columns of the model's own input",
    )
}
