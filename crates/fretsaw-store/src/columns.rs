//! Values that a column holds as text: JSON, and enums by their word.

use rusqlite::Row;
use rusqlite::types::Type;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, ErrorKind};

/// A JSON column's text.
pub(crate) fn json(value: &Option<Value>) -> Option<String> {
    value.as_ref().map(Value::to_string)
}

/// The text of a JSON column that holds a list of one of our own types; an empty list is absent.
pub(crate) fn json_list<T: Serialize>(list: &[T]) -> Result<Option<String>, Error> {
    if list.is_empty() {
        return Ok(None);
    }
    let text = serde_json::to_string(list).map_err(|error| {
        Error::new(ErrorKind::InvalidInput, "a value cannot be written as JSON").caused_by(error)
    })?;
    Ok(Some(text))
}

/// Reads a JSON column.
pub(crate) fn read_json<T: DeserializeOwned>(
    row: &Row<'_>,
    column: &str,
) -> rusqlite::Result<Option<T>> {
    let Some(text) = row.get::<_, Option<String>>(column)? else {
        return Ok(None);
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| unreadable(row, column, error))
}

/// Reads a column that holds one of an enum's words.
pub(crate) fn read_word<T>(
    row: &Row<'_>,
    column: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let word: String = row.get(column)?;
    parse(&word).ok_or_else(|| {
        unreadable(
            row,
            column,
            std::io::Error::other(format!("{column} is {word:?}")),
        )
    })
}

fn unreadable(
    row: &Row<'_>,
    column: &str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    let index = row.as_ref().column_index(column).unwrap_or(0);
    rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error))
}
