//! Between SQL and Rust: preparing statements, and values that a column holds as text (JSON, and
//! enums by their word).

use rusqlite::types::Type;
use rusqlite::{CachedStatement, Connection, Row, Statement};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, ErrorKind};

/// Prepares a statement, or takes it from the connection's cache.
///
/// `$n` is a number to PostgreSQL and a *name* to SQLite, which counts names by where they first
/// appear. Texts that number their placeholders in that order mean the same to both when bound by
/// position; the assertion, which every test runs, holds them to it.
pub(crate) fn prepare<'c>(
    conn: &'c Connection,
    sql: &str,
) -> rusqlite::Result<CachedStatement<'c>> {
    let statement = conn.prepare_cached(sql)?;
    debug_assert!(
        numbered_in_order(&statement),
        "placeholders out of order: {sql}"
    );
    Ok(statement)
}

fn numbered_in_order(statement: &Statement<'_>) -> bool {
    (1..=statement.parameter_count()).all(|n| statement.parameter_name(n) == Some(&format!("${n}")))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_in_and_out_of_order() {
        let conn = Connection::open_in_memory().unwrap();
        for (sql, in_order) in [
            ("SELECT 1", true),
            ("SELECT $1, $2, $1", true),
            ("SELECT $2, $1", false),
            ("SELECT $1, $3", false),
            ("SELECT ?1", false),
        ] {
            assert_eq!(
                numbered_in_order(&conn.prepare(sql).unwrap()),
                in_order,
                "{sql}"
            );
        }
    }
}
