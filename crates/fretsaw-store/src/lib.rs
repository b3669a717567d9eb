//! Registry, optimisation metrics and performance log of models, in an SQLite file.
//!
//! Three tables: `onnx_model_registry` (a row a version of a model), `onnx_optimization_metrics` (a
//! row a variant measured in a run) and `onnx_performance_logs` (a row an inference request). The
//! schema is in `migrations/`, and its comments say why it is as it is.
//!
//! It takes plain data and deliberately knows nothing else: no model format, no hashing (a SHA-256
//! comes in as text), no environment, no printing, no file but the database.
//!
//! ```
//! use fretsaw_store::{Artifact, NewVersion, Source, Store, Url};
//! # let dir = tempfile::tempdir()?;
//! # let url = Url::file(dir.path().join("store.db"));
//! let mut store = Store::open(&url)?;
//! let new = NewVersion {
//!     name: "signal".into(),
//!     created_us: fretsaw_store::now_us(),
//!     task: "binary".into(),
//!     variant: "int8-lossless".into(),
//!     precision: "int8".into(),
//!     source: Source { format: "xgboost".into(), sha256: "ab".repeat(32), ..Source::default() },
//!     artifact: Artifact { sha256: "cd".repeat(32), ..Artifact::default() },
//!     ..NewVersion::default()
//! };
//! assert_eq!(store.register(&new)?.version, 1);
//! assert_eq!(store.resolve("signal@champion")?.version, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Units.** `*_us` is a time in microseconds since 1970-01-01 UTC, `*_ns` a duration in
//! nanoseconds, `*_bytes` a size. A float that is not a number is kept as an absent one; infinity
//! is kept, and JSON shows it as null.
//!
//! **Threads and processes.** A [`Store`] is `Send` and holds one connection: give each thread its
//! own, or put one behind a lock. Any number of them, in any number of processes, may have the same
//! file open. Every call is one transaction: what it writes is there whole or not at all, and what
//! it reads belongs together.

mod alias;
mod error;
mod history;
mod log;
mod metrics;
mod migrate;
mod reference;
mod registry;
mod sql;
mod store;
mod url;
mod version;

pub use alias::{AliasMove, Cause, Moved};
pub use error::{Error, ErrorKind, Result};
pub use history::{Filter, History, InferenceSummary};
pub use log::{LogRow, LogStatus, Usage};
pub use metrics::{BatchLatency, Latency, Measurement, Metric, Recorded, Run, RunKind, RunModel};
pub use migrate::SCHEMA_VERSION;
pub use reference::{CHALLENGER, CHAMPION, Reference, Selector, check_name};
pub use store::{Store, StoreStatus, now_us};
pub use url::Url;
pub use version::{
    Artifact, ListedVersion, Model, NewVersion, Parent, Registered, Source, Status, Version,
};
