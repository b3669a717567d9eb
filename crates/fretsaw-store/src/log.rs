//! The performance log: one row an inference request, written a batch at a time, and the usage
//! counts that follow from it.
//!
//! It deliberately does not queue or spool: whoever answers requests collects rows and hands them
//! over off the request path.

use std::collections::BTreeMap;

use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Fault, Result};
use crate::reference::Selector;
use crate::registry::not_found;
use crate::sql::{json, prepare};
use crate::store::Store;

/// How a request ended.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogStatus {
    /// It was answered.
    #[default]
    Ok,
    /// It failed.
    Error,
    /// It was turned away before any computing: bad input, or no room.
    Rejected,
}

impl LogStatus {
    fn word(self) -> &'static str {
        match self {
            LogStatus::Ok => "ok",
            LogStatus::Error => "error",
            LogStatus::Rejected => "rejected",
        }
    }
}

/// One inference request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LogRow {
    /// When it came in, in microseconds since 1970-01-01 UTC.
    pub time_us: i64,
    /// The model's name; for one that is not registered, the name that it was asked by.
    pub model_name: String,
    /// The registered version that answered.
    pub model_version: Option<u32>,
    /// The variant that answered.
    pub variant: Option<String>,
    /// The execution provider asked for, such as `auto`.
    pub requested_provider: Option<String>,
    /// The execution provider that computed.
    pub actual_provider: Option<String>,
    /// The client's or the server's id of the request.
    pub request_id: Option<String>,
    /// Rows in the request.
    pub batch_size: u64,
    /// Time spent waiting, in nanoseconds.
    pub queue_ns: Option<u64>,
    /// Time spent computing, in nanoseconds.
    pub compute_ns: Option<u64>,
    /// Time from arrival to answer, in nanoseconds.
    pub total_ns: u64,
    /// CPU time over all threads, in nanoseconds.
    pub cpu_ns: Option<u64>,
    /// Resident memory of the process, in bytes.
    pub resident_bytes: Option<u64>,
    /// Use of the GPU, from 0 to 1.
    pub gpu_utilization: Option<f64>,
    /// Memory used on the GPU, in bytes.
    pub gpu_memory_bytes: Option<u64>,
    /// How it ended.
    pub status: LogStatus,
    /// Why it failed.
    pub error: Option<String>,
    /// Who asked.
    pub client: Option<String>,
    /// The trace that it belongs to.
    pub trace_id: Option<String>,
    /// Anything else.
    pub metadata: Option<Value>,
}

/// How a version was used, in total or since it was last told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Requests, the failed ones included.
    pub requests: u64,
    /// Rows in these requests.
    pub rows: u64,
    /// Time of the last one, in microseconds since 1970-01-01 UTC.
    pub last_used_us: Option<i64>,
    /// Requests that failed or were turned away.
    pub errors: u64,
    /// What the last of these said.
    pub last_error: Option<String>,
    /// Its time, in microseconds since 1970-01-01 UTC.
    pub last_error_us: Option<i64>,
}

impl Usage {
    fn count(&mut self, row: &LogRow) {
        self.requests += 1;
        self.rows = self.rows.saturating_add(row.batch_size);
        self.last_used_us = self.last_used_us.max(Some(row.time_us));
        if row.status != LogStatus::Ok {
            self.errors += 1;
            if self.last_error_us <= Some(row.time_us) {
                self.last_error_us = Some(row.time_us);
                self.last_error = row.error.clone();
            }
        }
    }
}

impl Store {
    /// Logs requests, all or none, and adds them to the usage of the versions that answered: once a
    /// version, not once a row.
    ///
    /// # Errors
    /// The database's own.
    pub fn log_inference(&mut self, rows: &[LogRow]) -> Result<()> {
        self.write(|transaction| {
            let mut usage = BTreeMap::<(&str, u32), Usage>::new();
            for row in rows {
                insert(transaction, row)?;
                if let Some(version) = row.model_version {
                    usage
                        .entry((&row.model_name, version))
                        .or_default()
                        .count(row);
                }
            }
            for ((name, version), usage) in usage {
                // Rows of a model that is not registered count nowhere.
                add_usage(transaction, name, version, &usage)?;
            }
            Ok(())
        })
    }

    /// Adds to a version's usage what was not logged row by row, as where only a sample of the
    /// requests is.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound), listing what exists.
    pub fn touch_usage(&mut self, name: &str, version: u32, usage: &Usage) -> Result<()> {
        self.write(|transaction| {
            if add_usage(transaction, name, version, usage)? {
                return Ok(());
            }
            Err(not_found(transaction, name, &Selector::Version(version))?.into())
        })
    }
}

fn insert(transaction: &Transaction<'_>, row: &LogRow) -> Result<(), Fault> {
    let mut statement = prepare(
        transaction,
        "INSERT INTO onnx_performance_logs (
             time_us, model_name, model_version, variant, requested_provider, actual_provider,
             request_id, batch_size, queue_ns, compute_ns, total_ns, cpu_ns, resident_bytes,
             gpu_utilization, gpu_memory_bytes,
             status, error, client, trace_id, metadata)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
             $18, $19, $20)",
    )?;
    statement.execute(params![
        row.time_us,
        row.model_name,
        row.model_version,
        row.variant,
        row.requested_provider,
        row.actual_provider,
        row.request_id,
        row.batch_size,
        row.queue_ns,
        row.compute_ns,
        row.total_ns,
        row.cpu_ns,
        row.resident_bytes,
        row.gpu_utilization,
        row.gpu_memory_bytes,
        row.status.word(),
        row.error,
        row.client,
        row.trace_id,
        json(&row.metadata),
    ])?;
    Ok(())
}

/// Answers whether there is such a version.
fn add_usage(
    transaction: &Transaction<'_>,
    name: &str,
    version: u32,
    usage: &Usage,
) -> Result<bool, Fault> {
    // Batches may come out of order: the last use and the last error are the latest by their own
    // time.
    let mut statement = prepare(
        transaction,
        "UPDATE onnx_model_registry SET
             use_count = use_count + $1,
             row_count = row_count + $2,
             last_used_us =
                 CASE WHEN last_used_us > $3 OR $3 IS NULL THEN last_used_us ELSE $3 END,
             error_count = error_count + $4,
             last_error =
                 CASE WHEN last_error_us > $5 OR $5 IS NULL THEN last_error ELSE $6 END,
             last_error_us =
                 CASE WHEN last_error_us > $5 OR $5 IS NULL THEN last_error_us ELSE $5 END
         WHERE name = $7 AND version = $8",
    )?;
    let changed = statement.execute(params![
        usage.requests,
        usage.rows,
        usage.last_used_us,
        usage.errors,
        usage.last_error_us,
        usage.last_error,
        name,
        version,
    ])?;
    Ok(changed > 0)
}
