//! Categories of a data frame's columns, as the Python package appends them to a model: a list of
//! lists, JSON.

use fretsaw_model::Categories;

use crate::Error;
use crate::document::{self, Array, Json, Syntax, Token};

/// Reads `[["a", "b"], [1, 2]]`, or `null`.
pub(super) fn from_json(bytes: &[u8]) -> Result<Vec<Option<Categories>>, Error> {
    let mut json = Json::new(bytes);
    let token = json.value()?;
    let columns = read(&mut json, token)?;
    json.end()?;
    Ok(columns)
}

/// Reads the same where its first token has been read already.
pub(super) fn read<'de>(
    json: &mut Json<'de>,
    token: Token<'de>,
) -> Result<Vec<Option<Categories>>, Error> {
    let mut columns = Vec::new();
    let Token::Array(mut outer) = token else {
        document::skip(json, token, 1)?;
        return Ok(columns);
    };
    while let Some(token) = json.element(&mut outer)? {
        columns.push(match token {
            Token::Array(inner) => column(json, inner).map_err(|e| e.item(columns.len()))?,
            other => {
                document::skip(json, other, 1)?;
                None
            }
        });
    }
    Ok(columns)
}

/// One column: all text, all whole numbers, or all numbers; `None` for anything else.
fn column(json: &mut Json<'_>, mut array: Array) -> Result<Option<Categories>, Error> {
    let (mut strings, mut ints, mut floats) = (Vec::new(), Vec::new(), Vec::new());
    let mut n = 0;
    while let Some(token) = json.element(&mut array)? {
        n += 1;
        match token {
            Token::Str(s) => strings.push(s.into_owned()),
            Token::Int(i) => {
                ints.push(i);
                floats.push(i as f64);
            }
            Token::Number(text) => floats.extend(text.parse::<f64>()),
            other => document::skip(json, other, 2)?,
        }
    }
    Ok(if strings.len() == n {
        Some(Categories::Strings(strings))
    } else if ints.len() == n {
        Some(Categories::Ints(ints))
    } else if floats.len() == n {
        Some(Categories::Floats(floats))
    } else {
        None
    })
}
