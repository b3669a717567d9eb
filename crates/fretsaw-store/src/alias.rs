//! Where aliases stand, and moving them: promote, roll back, archive.
//!
//! An alias is an append-only list of moves, and stands where the last one put it (the migration
//! says why). Each move keeps the number of the move that was in force before it, so the moves form
//! a stack: a rollback puts the alias where the entry below put it and takes over that entry's own
//! "before"; rolling back again goes further down, never to and fro.

use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Fault, Result};
use crate::reference::{CHALLENGER, CHAMPION, Selector, check_alias};
use crate::registry::{not_found, status_of};
use crate::sql::{prepare, read_word};
use crate::store::{Store, now_us};
use crate::version::Status;

/// What moved an alias.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A version was registered.
    Register,
    /// A version was promoted: the alias went to it, or, where it was the challenger, was taken off
    /// it.
    Promote,
    /// The alias went back to its holder before.
    Rollback,
    /// Its holder was archived.
    Archive,
}

impl Cause {
    fn word(self) -> &'static str {
        match self {
            Cause::Register => "register",
            Cause::Promote => "promote",
            Cause::Rollback => "rollback",
            Cause::Archive => "archive",
        }
    }

    fn from_word(word: &str) -> Option<Cause> {
        [
            Cause::Register,
            Cause::Promote,
            Cause::Rollback,
            Cause::Archive,
        ]
        .into_iter()
        .find(|cause| cause.word() == word)
    }
}

/// An entry of an alias's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasMove {
    /// The alias.
    pub alias: String,
    /// The move's number among this alias's moves, from 1.
    pub seq: u32,
    /// The version that it went to; none where it was taken off.
    pub version: Option<u32>,
    /// When, in microseconds since 1970-01-01 UTC.
    pub moved_us: i64,
    /// Why.
    pub cause: Cause,
}

/// An alias that was moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The model's name.
    pub name: String,
    /// The alias.
    pub alias: String,
    /// The version that held it before, if any did.
    pub from: Option<u32>,
    /// The version that holds it now.
    pub to: u32,
}

impl Store {
    /// Puts `alias` (usually [`CHAMPION`]) on a version. A version that becomes champion is
    /// challenger no longer.
    ///
    /// Of several promotions at once each is whole, and the last one stands. Who must not overrule
    /// another names in `expected` the version that holds the alias as far as they know: where it
    /// is a different one by now, nothing changes and they are told.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`]; [`ErrorKind::Conflict`] where the version is archived, `expected`
    /// is not the holder, or the champion is to be [`CHALLENGER`].
    pub fn promote(
        &mut self,
        name: &str,
        version: u32,
        alias: &str,
        expected: Option<u32>,
    ) -> Result<Moved> {
        check_alias(alias)?;
        self.write(|transaction| {
            require_active(transaction, name, version)?;
            let from = holder(transaction, name, alias)?;
            if expected.is_some() && from != expected {
                let held = from.map_or("free".to_string(), |v| format!("at version {v}"));
                return Err(conflict(format!(
                    "alias {alias} of {name:?} is {held} by now; look again, then promote"
                )));
            }
            if alias == CHALLENGER && holder(transaction, name, CHAMPION)? == Some(version) {
                return Err(conflict(format!(
                    "version {version} of {name:?} is its champion and cannot challenge itself; \
                     promote another one first"
                )));
            }
            if from != Some(version) {
                put(transaction, name, alias, Some(version), Cause::Promote)?;
            }
            settle_challenger(transaction, name, Cause::Promote)?;
            Ok(Moved {
                name: name.to_string(),
                alias: alias.to_string(),
                from,
                to: version,
            })
        })
    }

    /// Puts `alias` back on the version that held it before, passing over archived ones. Again, and
    /// it goes back further.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where the name or the alias does not exist; [`ErrorKind::Conflict`]
    /// where no earlier holder is left.
    pub fn rollback(&mut self, name: &str, alias: &str) -> Result<Moved> {
        check_alias(alias)?;
        self.write(|transaction| {
            let Some(last) = last_move(transaction, name, alias)? else {
                let which = Selector::Alias(alias.to_string());
                return Err(not_found(transaction, name, &which)?.into());
            };
            let champion = holder(transaction, name, CHAMPION)?;
            let mut before = last.previous_seq;
            while let Some(seq) = before {
                let earlier = move_at(transaction, name, alias, seq)?;
                before = earlier.previous_seq;
                let Some(version) = earlier.version else {
                    continue;
                };
                if earlier.version == last.version
                    || (alias == CHALLENGER && earlier.version == champion)
                    || status_of(transaction, name, version)? != Some(Status::Active)
                {
                    continue;
                }
                let back = Move {
                    seq: last.seq + 1,
                    version: Some(version),
                    previous_seq: before,
                };
                append(transaction, name, alias, &back, Cause::Rollback)?;
                settle_challenger(transaction, name, Cause::Rollback)?;
                return Ok(Moved {
                    name: name.to_string(),
                    alias: alias.to_string(),
                    from: last.version,
                    to: version,
                });
            }
            Err(conflict(format!(
                "alias {alias} of {name:?} has no earlier holder to go back to; promote a version"
            )))
        })
    }

    /// Takes a version out of use: it stays on record, loses its aliases (which are answered) and
    /// cannot be promoted. Archiving it again changes nothing.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`]; [`ErrorKind::Conflict`] for a champion that another active version
    /// could replace, since `NAME` would then mean nothing.
    pub fn archive(&mut self, name: &str, version: u32) -> Result<Vec<String>> {
        self.write(|transaction| {
            match status_of(transaction, name, version)? {
                None => {
                    return Err(not_found(transaction, name, &Selector::Version(version))?.into());
                }
                Some(Status::Archived) => return Ok(Vec::new()),
                Some(Status::Active) => {}
            }
            let aliases = held_by(transaction, name, version)?;
            let others: u64 = prepare(
                transaction,
                "SELECT COUNT(*)
                 FROM onnx_model_registry
                 WHERE name = $1 AND version <> $2 AND status = 'active'",
            )?
            .query_row(params![name, version], |row| row.get(0))?;
            if others > 0 && aliases.iter().any(|alias| alias == CHAMPION) {
                return Err(conflict(format!(
                    "version {version} of {name:?} is its champion; promote another one first"
                )));
            }
            for alias in &aliases {
                put(transaction, name, alias, None, Cause::Archive)?;
            }
            prepare(
                transaction,
                "UPDATE onnx_model_registry
                 SET status = 'archived'
                 WHERE name = $1 AND version = $2",
            )?
            .execute(params![name, version])?;
            Ok(aliases)
        })
    }
}

struct Move {
    seq: u32,
    version: Option<u32>,
    previous_seq: Option<u32>,
}

/// The version that an alias stands at.
pub(crate) fn holder(
    transaction: &Transaction<'_>,
    name: &str,
    alias: &str,
) -> Result<Option<u32>, Fault> {
    Ok(last_move(transaction, name, alias)?.and_then(|last| last.version))
}

/// The aliases that stand at a version, in alphabetical order.
pub(crate) fn held_by(
    transaction: &Transaction<'_>,
    name: &str,
    version: u32,
) -> Result<Vec<String>, Fault> {
    let mut statement = prepare(
        transaction,
        "SELECT alias
         FROM onnx_model_aliases
         WHERE name = $1 AND version = $2
         ORDER BY alias",
    )?;
    let rows = statement.query_map(params![name, version], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Moves an alias to a version, or takes it off.
pub(crate) fn put(
    transaction: &Transaction<'_>,
    name: &str,
    alias: &str,
    version: Option<u32>,
    cause: Cause,
) -> Result<(), Fault> {
    let next = match last_move(transaction, name, alias)? {
        None => Move {
            seq: 1,
            version,
            previous_seq: None,
        },
        Some(last) => Move {
            seq: last.seq + 1,
            version,
            // A move that took the alias off is no place to go back to.
            previous_seq: if last.version.is_some() {
                Some(last.seq)
            } else {
                last.previous_seq
            },
        },
    };
    append(transaction, name, alias, &next, cause)
}

/// The moves of a name's aliases, oldest first.
pub(crate) fn moves(transaction: &Transaction<'_>, name: &str) -> Result<Vec<AliasMove>, Fault> {
    let mut statement = prepare(
        transaction,
        "SELECT alias, seq, version, moved_us, cause FROM onnx_model_alias_moves
         WHERE name = $1 ORDER BY moved_us, alias, seq",
    )?;
    let rows = statement.query_map(params![name], |row| {
        Ok(AliasMove {
            alias: row.get("alias")?,
            seq: row.get("seq")?,
            version: row.get("version")?,
            moved_us: row.get("moved_us")?,
            cause: read_word(row, "cause", Cause::from_word)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn append(
    transaction: &Transaction<'_>,
    name: &str,
    alias: &str,
    next: &Move,
    cause: Cause,
) -> Result<(), Fault> {
    prepare(
        transaction,
        "INSERT INTO onnx_model_alias_moves (
             name, alias, seq, version, previous_seq, moved_us, cause)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )?
    .execute(params![
        name,
        alias,
        next.seq,
        next.version,
        next.previous_seq,
        now_us(),
        cause.word()
    ])?;
    Ok(())
}

/// Takes `challenger` off the champion: it no longer challenges anyone.
fn settle_challenger(transaction: &Transaction<'_>, name: &str, cause: Cause) -> Result<(), Fault> {
    let challenger = holder(transaction, name, CHALLENGER)?;
    if challenger.is_some() && challenger == holder(transaction, name, CHAMPION)? {
        put(transaction, name, CHALLENGER, None, cause)?;
    }
    Ok(())
}

fn last_move(
    transaction: &Transaction<'_>,
    name: &str,
    alias: &str,
) -> Result<Option<Move>, Fault> {
    let mut statement = prepare(
        transaction,
        "SELECT seq, version, previous_seq FROM onnx_model_alias_moves
         WHERE name = $1 AND alias = $2 ORDER BY seq DESC LIMIT 1",
    )?;
    Ok(statement
        .query_row(params![name, alias], read_move)
        .optional()?)
}

fn move_at(
    transaction: &Transaction<'_>,
    name: &str,
    alias: &str,
    seq: u32,
) -> Result<Move, Fault> {
    let mut statement = prepare(
        transaction,
        "SELECT seq, version, previous_seq FROM onnx_model_alias_moves
         WHERE name = $1 AND alias = $2 AND seq = $3",
    )?;
    Ok(statement.query_row(params![name, alias, seq], read_move)?)
}

fn read_move(row: &Row<'_>) -> rusqlite::Result<Move> {
    Ok(Move {
        seq: row.get("seq")?,
        version: row.get("version")?,
        previous_seq: row.get("previous_seq")?,
    })
}

fn require_active(transaction: &Transaction<'_>, name: &str, version: u32) -> Result<(), Fault> {
    match status_of(transaction, name, version)? {
        Some(Status::Active) => Ok(()),
        Some(Status::Archived) => Err(conflict(format!(
            "version {version} of {name:?} is archived; register its file again to use it"
        ))),
        None => Err(not_found(transaction, name, &Selector::Version(version))?.into()),
    }
}

fn conflict(message: String) -> Fault {
    Error::new(ErrorKind::Conflict, message).into()
}
