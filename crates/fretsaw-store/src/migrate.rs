//! Brings a database to this build's schema: numbered SQL files, forward only, each in a
//! transaction of its own.
//!
//! It deliberately never goes back, never repairs, and never touches a database that is not ours or
//! is newer than we are.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::error::{Error, ErrorKind, Fault};

/// A step of the schema. A migration, once released, is never edited: the next one mends it.
pub(crate) struct Migration {
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// All steps in order; the schema's version is how many of them were taken.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_registry_metrics_logs",
    sql: include_str!("../migrations/0001_registry_metrics_logs.sql"),
}];

/// The schema's version in this build.
pub const SCHEMA_VERSION: u32 = MIGRATIONS.len() as u32;

const CREATE_SCHEMA_TABLE: &str = "
    CREATE TABLE IF NOT EXISTS fretsaw_schema (
        version    INTEGER NOT NULL PRIMARY KEY,
        name       TEXT    NOT NULL,
        applied_us INTEGER NOT NULL
    ) STRICT";

/// How many migrations the database has; `None` for one that is empty.
///
/// Reads only, and is called before the first write: someone else's database is left as it was.
pub(crate) fn current(conn: &Connection, known: &[Migration]) -> Result<Option<u32>, Fault> {
    // One question, not two: between two another process may make the schema.
    let object: Option<(String, bool)> = conn
        .query_row(
            "SELECT name, type = 'table' AND name = 'fretsaw_schema' AS ours
             FROM sqlite_master ORDER BY ours DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    match object {
        None => return Ok(None),
        Some((_, true)) => {}
        Some((object, false)) => {
            return Err(Error::new(
                ErrorKind::NotAStore,
                format!("another program's database (it holds {object:?}); name another file"),
            )
            .into());
        }
    }
    let version: u32 = conn.query_row(
        "SELECT COALESCE(MAX(version), 0) FROM fretsaw_schema",
        [],
        |row| row.get(0),
    )?;
    if version as usize > known.len() {
        return Err(Error::new(
            ErrorKind::NewerSchema,
            format!(
                "its schema has version {version}, and this build knows only up to {}; use the \
                 newer fretsaw that made it, or name another file",
                known.len()
            ),
        )
        .into());
    }
    Ok(Some(version))
}

/// Takes the steps that are missing. Safe beside other processes that do the same: each step looks
/// again at the version once it holds the write lock.
pub(crate) fn migrate(
    conn: &mut Connection,
    known: &[Migration],
    now_us: i64,
) -> Result<(), Fault> {
    // An up-to-date database, the usual case, is opened without taking the write lock.
    while current(conn, known)?.unwrap_or(0) < known.len() as u32 {
        let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(CREATE_SCHEMA_TABLE)?;
        let done = current(&transaction, known)?.unwrap_or(0);
        if let Some(step) = known.get(done as usize) {
            transaction.execute_batch(step.sql)?;
            transaction.execute(
                "INSERT INTO fretsaw_schema (version, name, applied_us) VALUES ($1, $2, $3)",
                params![done + 1, step.name, now_us],
            )?;
        }
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Migration = Migration {
        name: "0001_first",
        sql: "CREATE TABLE a (x INTEGER)",
    };
    const SECOND: Migration = Migration {
        name: "0002_second",
        sql: "ALTER TABLE a ADD COLUMN y TEXT",
    };
    const BROKEN: Migration = Migration {
        name: "0002_broken",
        sql: "CREATE TABLE b (x INTEGER); INSERT INTO a VALUES (1); CREATE TABLE a (x INTEGER);",
    };

    fn objects(conn: &Connection) -> Vec<String> {
        let mut names = conn
            .prepare("SELECT name FROM sqlite_master ORDER BY name")
            .unwrap();
        names
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }

    #[test]
    fn forward_once() {
        let mut conn = Connection::open_in_memory().unwrap();
        assert!(matches!(current(&conn, &[FIRST]), Ok(None)));
        for known in [&[FIRST][..], &[FIRST], &[FIRST, SECOND], &[FIRST, SECOND]] {
            assert!(migrate(&mut conn, known, 7).is_ok());
            assert!(matches!(current(&conn, known), Ok(Some(n)) if n as usize == known.len()));
        }
        let applied: Vec<(u32, String, i64)> = conn
            .prepare("SELECT * FROM fretsaw_schema ORDER BY version")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(
            applied,
            [(1, "0001_first".into(), 7), (2, "0002_second".into(), 7)]
        );
    }

    #[test]
    fn a_step_that_fails_leaves_nothing() {
        let mut conn = Connection::open_in_memory().unwrap();
        assert!(migrate(&mut conn, &[FIRST, BROKEN], 0).is_err());
        assert_eq!(objects(&conn), ["a", "fretsaw_schema"]);
        assert!(matches!(current(&conn, &[FIRST, SECOND]), Ok(Some(1))));
        let rows: i64 = conn
            .query_row("SELECT COUNT(*) FROM a", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 0);
        // The mended step then goes in.
        assert!(migrate(&mut conn, &[FIRST, SECOND], 0).is_ok());
    }

    #[test]
    fn the_first_step_failing_leaves_an_empty_database() {
        let mut conn = Connection::open_in_memory().unwrap();
        assert!(migrate(&mut conn, &[BROKEN], 0).is_err());
        assert!(objects(&conn).is_empty());
    }

    #[test]
    fn names_are_numbered_in_order() {
        for (i, step) in MIGRATIONS.iter().enumerate() {
            assert!(
                step.name.starts_with(&format!("{:04}_", i + 1)),
                "{}",
                step.name
            );
        }
    }
}
