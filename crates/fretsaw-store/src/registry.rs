//! Versions of models: registering them and finding them again. What a version is stands in
//! `version.rs`, where aliases stand in `alias.rs`.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::alias::{self, Cause};
use crate::error::{Error, ErrorKind, Fault, Result};
use crate::reference::{CHALLENGER, CHAMPION, Reference, Selector, check_name, check_sha256};
use crate::sql::{json, prepare, read_word};
use crate::store::Store;
use crate::version::{
    ListedVersion, Model, NewVersion, Parent, Registered, Status, Version, read_listed,
    read_version,
};

impl Store {
    /// Registers a version under the next number of its name.
    ///
    /// It becomes `champion` where the name has none, and else takes the alias `challenger`.
    ///
    /// The same source and the same artifact (by SHA-256) under the same name are the same version:
    /// registering them again changes nothing but the paths, which follow the files, and answers
    /// the version with `created` false. Once archived, a version no longer counts for that: the
    /// content may come back under a new number.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for a name or hash that cannot be one; [`ErrorKind::NotFound`]
    /// where the parent is not registered.
    pub fn register(&mut self, new: &NewVersion) -> Result<Registered> {
        self.write(|transaction| register(transaction, new, None))
    }

    /// The version that `NAME`, `NAME@VERSION` or `NAME@ALIAS` means. An archived one is found by
    /// its number.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], listing what exists; [`ErrorKind::InvalidInput`] where the text is
    /// no reference.
    pub fn resolve(&self, reference: &str) -> Result<Version> {
        let reference = Reference::parse(reference)?;
        self.read(|transaction| {
            let name = reference.name.as_str();
            let version = match &reference.selector {
                Selector::Version(version) => Some(*version),
                Selector::Alias(alias) => alias::holder(transaction, name, alias)?,
            };
            let found = match version {
                Some(version) => load(transaction, name, version)?,
                None => None,
            };
            match found {
                Some(version) => Ok(version),
                None => Err(not_found(transaction, name, &reference.selector)?.into()),
            }
        })
    }

    /// Every version of every name, by name and number.
    ///
    /// # Errors
    /// The database's own.
    pub fn list(&self) -> Result<Vec<ListedVersion>> {
        self.read(|transaction| {
            let mut statement = prepare(
                transaction,
                "SELECT name, version, alias, status, created_us, task, source_format, variant,
                     precision, artifact_path, artifact_bytes, use_count, last_used_us, error_count
                 FROM onnx_model_versions ORDER BY name, version",
            )?;
            let rows = statement.query_map([], read_listed)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Every version of one name, and the history of its aliases.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], listing the names that exist.
    pub fn show(&self, name: &str) -> Result<Model> {
        self.read(|transaction| {
            let mut statement = prepare(
                transaction,
                "SELECT r.*, v.alias FROM onnx_model_registry r
                 JOIN onnx_model_versions v ON v.name = r.name AND v.version = r.version
                 WHERE r.name = $1 ORDER BY r.version",
            )?;
            let versions = statement
                .query_map(params![name], read_version)?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            if versions.is_empty() {
                return Err(unknown_name(transaction, name)?.into());
            }
            Ok(Model {
                name: name.to_string(),
                versions,
                alias_moves: alias::moves(transaction, name)?,
            })
        })
    }

    /// The names and versions whose artifact has this SHA-256, newest first; archived ones are left
    /// out.
    ///
    /// # Errors
    /// The database's own.
    pub fn find_artifact(&self, sha256: &str) -> Result<Vec<Parent>> {
        self.read(|transaction| {
            let mut statement = prepare(
                transaction,
                "SELECT name, version FROM onnx_model_registry
                 WHERE artifact_sha256 = $1 AND status = 'active'
                 ORDER BY created_us DESC, name, version DESC",
            )?;
            let rows = statement.query_map(params![sha256], |row| {
                Ok(Parent {
                    name: row.get(0)?,
                    version: row.get(1)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The bytes of an artifact, where they were given to the store.
    ///
    /// # Errors
    /// The database's own.
    pub fn artifact(&self, sha256: &str) -> Result<Option<Vec<u8>>> {
        self.read(|transaction| {
            let content = prepare(
                transaction,
                "SELECT content FROM onnx_model_artifacts WHERE sha256 = $1",
            )?
            .query_row(params![sha256], |row| row.get(0))
            .optional()?;
            Ok(content)
        })
    }
}

/// `run_id` is the run that registers, for a version that names none.
pub(crate) fn register(
    transaction: &Transaction<'_>,
    new: &NewVersion,
    run_id: Option<&str>,
) -> Result<Registered, Fault> {
    check_name(&new.name)?;
    check_sha256("source", &new.source.sha256)?;
    check_sha256("artifact", &new.artifact.sha256)?;
    if let Some(parent) = &new.parent
        && status_of(transaction, &parent.name, parent.version)?.is_none()
    {
        let which = Selector::Version(parent.version);
        return Err(not_found(transaction, &parent.name, &which)?.into());
    }
    if let Some(content) = &new.artifact.content {
        prepare(
            transaction,
            "INSERT INTO onnx_model_artifacts (sha256, content)
             VALUES ($1, $2) ON CONFLICT (sha256) DO NOTHING",
        )?
        .execute(params![new.artifact.sha256, content])?;
    }

    let same: Option<u32> = prepare(
        transaction,
        "SELECT version FROM onnx_model_registry
         WHERE name = $1 AND source_sha256 = $2 AND artifact_sha256 = $3 AND status = 'active'",
    )?
    .query_row(
        params![new.name, new.source.sha256, new.artifact.sha256],
        |row| row.get(0),
    )
    .optional()?;
    let version = match same {
        Some(version) => {
            prepare(
                transaction,
                "UPDATE onnx_model_registry
                 SET source_path = COALESCE($1, source_path),
                     artifact_path = COALESCE($2, artifact_path)
                 WHERE name = $3 AND version = $4",
            )?
            .execute(params![
                new.source.path,
                new.artifact.path,
                new.name,
                version
            ])?;
            version
        }
        None => insert(transaction, new, run_id)?,
    };
    if same.is_none() {
        let alias = match alias::holder(transaction, &new.name, CHAMPION)? {
            None => CHAMPION,
            Some(_) => CHALLENGER,
        };
        alias::put(
            transaction,
            &new.name,
            alias,
            Some(version),
            Cause::Register,
        )?;
    }
    Ok(Registered {
        name: new.name.clone(),
        version,
        aliases: alias::held_by(transaction, &new.name, version)?,
        created: same.is_none(),
    })
}

fn insert(
    transaction: &Transaction<'_>,
    new: &NewVersion,
    run_id: Option<&str>,
) -> Result<u32, Fault> {
    let version: u32 = prepare(
        transaction,
        "SELECT COALESCE(MAX(version), 0) + 1
         FROM onnx_model_registry
         WHERE name = $1",
    )?
    .query_row(params![new.name], |row| row.get(0))?;
    prepare(
        transaction,
        "INSERT INTO onnx_model_registry (
             name, version, status, created_us, created_by, task,
             source_format, source_framework_version, source_sha256, source_path, source_bytes,
             parent_name, parent_version, passes, variant, precision, inputs, outputs,
             artifact_sha256, artifact_path, artifact_bytes,
             run_id, run_summary, metadata, golden_rows, reference_histograms)
         VALUES ($1, $2, 'active', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
             $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)",
    )?
    .execute(params![
        new.name,
        version,
        new.created_us,
        new.created_by,
        new.task,
        new.source.format,
        new.source.framework_version,
        new.source.sha256,
        new.source.path,
        new.source.size_bytes,
        new.parent.as_ref().map(|parent| &parent.name),
        new.parent.as_ref().map(|parent| parent.version),
        json(&new.passes),
        new.variant,
        new.precision,
        json(&new.inputs),
        json(&new.outputs),
        new.artifact.sha256,
        new.artifact.path,
        new.artifact.size_bytes,
        new.run_id.as_deref().or(run_id),
        json(&new.run_summary),
        json(&new.metadata),
        json(&new.golden_rows),
        json(&new.reference_histograms),
    ])?;
    Ok(version)
}

/// The state of a version; `None` where there is no such version.
pub(crate) fn status_of(
    transaction: &Transaction<'_>,
    name: &str,
    version: u32,
) -> Result<Option<Status>, Fault> {
    Ok(prepare(
        transaction,
        "SELECT status
         FROM onnx_model_registry
         WHERE name = $1 AND version = $2",
    )?
    .query_row(params![name, version], |row| {
        read_word(row, "status", Status::from_word)
    })
    .optional()?)
}

fn load(transaction: &Transaction<'_>, name: &str, version: u32) -> Result<Option<Version>, Fault> {
    Ok(prepare(
        transaction,
        "SELECT r.*, v.alias FROM onnx_model_registry r
         JOIN onnx_model_versions v ON v.name = r.name AND v.version = r.version
         WHERE r.name = $1 AND r.version = $2",
    )?
    .query_row(params![name, version], read_version)
    .optional()?)
}

/// The error for a version or alias that is not there: it lists what is.
pub(crate) fn not_found(
    transaction: &Transaction<'_>,
    name: &str,
    selector: &Selector,
) -> Result<Error, Fault> {
    let mut statement = prepare(
        transaction,
        "SELECT version, alias
         FROM onnx_model_versions
         WHERE name = $1
         ORDER BY version DESC",
    )?;
    let known = statement
        .query_map(params![name], |row| {
            let version: u32 = row.get(0)?;
            Ok(match row.get::<_, Option<String>>(1)? {
                None => format!("{version}"),
                Some(aliases) => format!("{version} ({})", aliases.replace(',', ", ")),
            })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    if known.is_empty() {
        return unknown_name(transaction, name);
    }
    let what = match selector {
        Selector::Version(version) => format!("{name:?} has no version {version}"),
        Selector::Alias(alias) => format!("no version of {name:?} is its {alias}"),
    };
    Ok(Error::new(
        ErrorKind::NotFound,
        format!("{what}; it has {}", some_of("version", &known)),
    ))
}

fn unknown_name(transaction: &Transaction<'_>, name: &str) -> Result<Error, Fault> {
    let mut statement = prepare(
        transaction,
        "SELECT DISTINCT name FROM onnx_model_registry ORDER BY name",
    )?;
    let names = statement
        .query_map([], |row| Ok(format!("{:?}", row.get::<_, String>(0)?)))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let shown: String = name.chars().take(80).collect();
    let message = if names.is_empty() {
        format!("no model {shown:?}: none is registered yet; `fretsaw optimize` registers one")
    } else {
        format!("no model {shown:?}; there is {}", some_of("model", &names))
    };
    Ok(Error::new(ErrorKind::NotFound, message))
}

/// `versions 3 (champion), 2, 1`, cut where it would fill the screen.
fn some_of(what: &str, all: &[String]) -> String {
    const SHOWN: usize = 10;
    let plural = if all.len() == 1 { "" } else { "s" };
    let list = all[..all.len().min(SHOWN)].join(", ");
    match all.len().saturating_sub(SHOWN) {
        0 => format!("{what}{plural} {list}"),
        more => format!("{what}{plural} {list} and {more} more"),
    }
}
