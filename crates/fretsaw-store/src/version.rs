//! What a version of a model is: as its maker describes it, as the registry keeps it, and as a list
//! shows it. Plain data, and reading it from a row; registering and finding are in `registry.rs`.

use rusqlite::Row;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::alias::AliasMove;
use crate::log::Usage;
use crate::sql::{read_json, read_word};

/// The file that a version was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The file's format, such as `xgboost` or `onnx`.
    pub format: String,
    /// The framework's version, as the file states it.
    pub framework_version: Option<String>,
    /// SHA-256 of the file: 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// Where the file was.
    pub path: Option<String>,
    /// The file's size in bytes.
    pub size_bytes: Option<u64>,
}

/// The file that a version is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// SHA-256 of the file: 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// Where the file is.
    pub path: Option<String>,
    /// The file's size in bytes.
    pub size_bytes: Option<u64>,
    /// The file's bytes, where the store is to keep them; at most 1 GB. Not read back with the
    /// version, nor shown as JSON: see [`Store::artifact`](crate::Store::artifact).
    #[serde(skip)]
    pub content: Option<Vec<u8>>,
}

/// The registered version that another was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
}

/// A version as its maker describes it.
///
/// JSON columns are the caller's to shape; the store gives them back as they came, every float to
/// the last bit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewVersion {
    /// The model's name: 1 to 255 bytes without `@`, `/`, `\` and control characters.
    pub name: String,
    /// When it was made, in microseconds since 1970-01-01 UTC.
    pub created_us: i64,
    /// Who made it.
    pub created_by: Option<String>,
    /// What it answers, such as `binary`, `multiclass` or `regression`.
    pub task: String,
    /// The file that it was made from.
    pub source: Source,
    /// The registered version that it was made from, where that was one.
    pub parent: Option<Parent>,
    /// The passes from the source to the artifact, in order.
    pub passes: Option<Value>,
    /// The variant's name, such as `exact` or `int8-lossless`.
    pub variant: String,
    /// The variant's precision, such as `fp32`, `fp16` or `int8`.
    pub precision: String,
    /// The file that it is.
    pub artifact: Artifact,
    /// Names, types and shapes of the inputs.
    pub inputs: Option<Value>,
    /// Names, types and shapes of the outputs.
    pub outputs: Option<Value>,
    /// The run that chose it.
    pub run_id: Option<String>,
    /// Summary of that run. It outlives the run's own rows.
    pub run_summary: Option<Value>,
    /// Verification rows with their answers.
    pub golden_rows: Option<Value>,
    /// Histograms of the features, missing values and predictions that it was made with.
    pub reference_histograms: Option<Value>,
    /// Anything else.
    pub metadata: Option<Value>,
}

/// Whether a version may be used.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It may.
    Active,
    /// It is kept for the record, holds no alias and cannot be promoted.
    Archived,
}

impl Status {
    pub(crate) fn from_word(word: &str) -> Option<Status> {
        match word {
            "active" => Some(Status::Active),
            "archived" => Some(Status::Archived),
            _ => None,
        }
    }
}

/// What [`Store::register`](crate::Store::register) made or found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The model's name.
    pub name: String,
    /// The version's number.
    pub version: u32,
    /// The aliases that it holds now.
    pub aliases: Vec<String>,
    /// False where the same content was registered before, and this is that version.
    pub created: bool,
}

/// A registered version, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// Its number; a name's versions count from 1.
    pub version: u32,
    /// The aliases that it holds, in alphabetical order.
    pub aliases: Vec<String>,
    /// Whether it may be used.
    pub status: Status,
    /// How it was used since it was registered.
    pub usage: Usage,
    /// What it is.
    #[serde(flatten)]
    pub entry: NewVersion,
}

/// A version in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedVersion {
    /// The model's name.
    pub name: String,
    /// The version's number.
    pub version: u32,
    /// The aliases that it holds, in alphabetical order.
    pub aliases: Vec<String>,
    /// Whether it may be used.
    pub status: Status,
    /// When it was made, in microseconds since 1970-01-01 UTC.
    pub created_us: i64,
    /// What it answers.
    pub task: String,
    /// The format that it was made from.
    pub source_format: String,
    /// The variant's name.
    pub variant: String,
    /// The variant's precision.
    pub precision: String,
    /// Where its file is.
    pub artifact_path: Option<String>,
    /// Its file's size in bytes.
    pub artifact_bytes: Option<u64>,
    /// Requests that it answered or failed.
    pub use_count: u64,
    /// When it was last used, in microseconds since 1970-01-01 UTC.
    pub last_used_us: Option<i64>,
    /// Requests that failed.
    pub error_count: u64,
}

/// All that the store knows of a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// The model's name.
    pub name: String,
    /// Its versions, oldest first.
    pub versions: Vec<Version>,
    /// Where its aliases went, oldest first.
    pub alias_moves: Vec<AliasMove>,
}

fn read_aliases(row: &Row<'_>) -> rusqlite::Result<Vec<String>> {
    let aliases: Option<String> = row.get("alias")?;
    Ok(aliases
        .iter()
        .flat_map(|all| all.split(','))
        .map(str::to_string)
        .collect())
}

pub(crate) fn read_listed(row: &Row<'_>) -> rusqlite::Result<ListedVersion> {
    Ok(ListedVersion {
        name: row.get("name")?,
        version: row.get("version")?,
        aliases: read_aliases(row)?,
        status: read_word(row, "status", Status::from_word)?,
        created_us: row.get("created_us")?,
        task: row.get("task")?,
        source_format: row.get("source_format")?,
        variant: row.get("variant")?,
        precision: row.get("precision")?,
        artifact_path: row.get("artifact_path")?,
        artifact_bytes: row.get("artifact_bytes")?,
        use_count: row.get("use_count")?,
        last_used_us: row.get("last_used_us")?,
        error_count: row.get("error_count")?,
    })
}

pub(crate) fn read_version(row: &Row<'_>) -> rusqlite::Result<Version> {
    let parent_name: Option<String> = row.get("parent_name")?;
    let parent_version: Option<u32> = row.get("parent_version")?;
    Ok(Version {
        version: row.get("version")?,
        aliases: read_aliases(row)?,
        status: read_word(row, "status", Status::from_word)?,
        usage: Usage {
            requests: row.get("use_count")?,
            rows: row.get("row_count")?,
            last_used_us: row.get("last_used_us")?,
            errors: row.get("error_count")?,
            last_error: row.get("last_error")?,
            last_error_us: row.get("last_error_us")?,
        },
        entry: NewVersion {
            name: row.get("name")?,
            created_us: row.get("created_us")?,
            created_by: row.get("created_by")?,
            task: row.get("task")?,
            source: Source {
                format: row.get("source_format")?,
                framework_version: row.get("source_framework_version")?,
                sha256: row.get("source_sha256")?,
                path: row.get("source_path")?,
                size_bytes: row.get("source_bytes")?,
            },
            parent: parent_name
                .zip(parent_version)
                .map(|(name, version)| Parent { name, version }),
            passes: read_json(row, "passes")?,
            variant: row.get("variant")?,
            precision: row.get("precision")?,
            artifact: Artifact {
                sha256: row.get("artifact_sha256")?,
                path: row.get("artifact_path")?,
                size_bytes: row.get("artifact_bytes")?,
                content: None,
            },
            inputs: read_json(row, "inputs")?,
            outputs: read_json(row, "outputs")?,
            run_id: row.get("run_id")?,
            run_summary: read_json(row, "run_summary")?,
            golden_rows: read_json(row, "golden_rows")?,
            reference_histograms: read_json(row, "reference_histograms")?,
            metadata: read_json(row, "metadata")?,
        },
    })
}
