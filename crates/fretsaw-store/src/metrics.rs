//! What was measured: one row a variant in a run, recorded with the version that the run registers,
//! whole or not at all.

use rusqlite::{Row, Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, ErrorKind, Fault, Result};
use crate::reference::{Selector, check_name};
use crate::registry;
use crate::sql::{json, json_list, prepare, read_json, read_word};
use crate::store::Store;
use crate::version::{NewVersion, Registered};

/// What kind of run measured.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Variants of one model, to choose among.
    Optimize,
    /// One model or several, only to measure.
    Bench,
}

impl RunKind {
    fn word(self) -> &'static str {
        match self {
            RunKind::Optimize => "optimize",
            RunKind::Bench => "bench",
        }
    }

    fn from_word(word: &str) -> Option<RunKind> {
        match word {
            "optimize" => Some(RunKind::Optimize),
            "bench" => Some(RunKind::Bench),
            _ => None,
        }
    }
}

/// Latency of a call with one batch, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Median.
    pub p50_ns: u64,
    /// 90th percentile.
    pub p90_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// 99.9th percentile.
    pub p999_ns: u64,
    /// The slowest call.
    pub max_ns: u64,
}

/// What was measured at one batch size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchLatency {
    /// Rows a call.
    pub batch_size: u64,
    /// Threads.
    pub threads: u32,
    /// Latency of a call.
    #[serde(flatten)]
    pub latency: Latency,
    /// Rows a second.
    pub throughput_rows_per_s: Option<f64>,
    /// How many times faster than the baseline at this batch size.
    pub speedup: Option<f64>,
}

/// One variant (or configuration) measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// The variant's name, such as `int8-lossless`.
    pub variant: String,
    /// Its precision, such as `fp32`.
    pub precision: String,
    /// The passes that made it, in order.
    pub passes: Option<Value>,
    /// Size of its file, in bytes.
    pub size_bytes: Option<u64>,
    /// Resident memory that it takes, in bytes.
    pub memory_bytes: Option<u64>,
    /// Time to load it, in nanoseconds.
    pub load_ns: Option<u64>,
    /// Time to make it, in nanoseconds.
    pub optimize_ns: Option<u64>,
    /// Rows a call of the headline configuration: the one that was decisive.
    pub batch_size: Option<u64>,
    /// Threads of the headline configuration.
    pub threads: Option<u32>,
    /// Latency of a call in the headline configuration; absent where it could not be measured.
    pub latency: Option<Latency>,
    /// Rows a second in the headline configuration.
    pub throughput_rows_per_s: Option<f64>,
    /// Every configuration that was measured.
    #[serde(default)]
    pub latency_by_batch: Vec<BatchLatency>,
    /// The engine that it is compared with, such as `onnxruntime`.
    pub baseline_engine: Option<String>,
    /// That engine's version.
    pub baseline_version: Option<String>,
    /// How many times faster than the baseline in the headline configuration, same rows, threads
    /// and run.
    pub speedup: Option<f64>,
    /// Rows that the errors are over.
    pub rows_verified: Option<u64>,
    /// Largest |difference| from the source's answers; infinite where one of the two is not a
    /// number.
    pub max_error: Option<f64>,
    /// Mean |difference|.
    pub mean_error: Option<f64>,
    /// A bound on |difference| that is proved for every input.
    pub proved_bound: Option<f64>,
    /// Rows whose class changed.
    pub class_flips: Option<u64>,
    /// The quality metric, such as `auc`, where labels were given.
    pub metric_name: Option<String>,
    /// Its value for the source.
    pub metric_before: Option<f64>,
    /// Its value for this variant.
    pub metric_after: Option<f64>,
    /// Whether this variant was chosen.
    pub chosen: bool,
    /// Why it was, or was not.
    pub reason: Option<String>,
    /// The variant that this one replaces, where a less precise one went over the budget.
    pub fell_back_from: Option<String>,
    /// Why.
    pub fall_back_reason: Option<String>,
    /// The machine: CPU, instruction sets, cores, device, versions.
    pub machine: Option<Value>,
    /// Anything else.
    pub metadata: Option<Value>,
}

/// The model that a run measured.
#[derive(Clone, Debug, PartialEq)]
pub enum RunModel {
    /// One that the run registers. Its rows bear the version that it gets.
    Register(Box<NewVersion>),
    /// One by its name, with its version where it is registered.
    Known {
        /// The model's name.
        name: String,
        /// Its version; none for a model that is not registered.
        version: Option<u32>,
    },
}

/// A run to record.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// An id that no other run has.
    pub run_id: String,
    /// When it ran, in microseconds since 1970-01-01 UTC.
    pub time_us: i64,
    /// What kind of run it was.
    pub kind: RunKind,
    /// The model.
    pub model: RunModel,
    /// What was measured.
    pub metrics: Vec<Metric>,
}

/// A run that was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The run's id.
    pub run_id: String,
    /// The version that it registered.
    pub registered: Option<Registered>,
    /// How many rows were written.
    pub metric_rows: u64,
}

/// A variant measured in a run that was recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// When, in microseconds since 1970-01-01 UTC.
    pub time_us: i64,
    /// The run's id.
    pub run_id: String,
    /// What kind of run it was.
    pub kind: RunKind,
    /// The model's name.
    pub model_name: String,
    /// The model's version, where it is registered.
    pub model_version: Option<u32>,
    /// What was measured.
    #[serde(flatten)]
    pub metric: Metric,
}

impl Store {
    /// Records a run, its version and every variant measured, whole or not at all.
    ///
    /// A version that the run registers gets the run's id, where it has none of its own.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where a run with this id is on record; otherwise as
    /// [`Store::register`].
    pub fn record_run(&mut self, run: &Run) -> Result<Recorded> {
        self.write(|transaction| {
            if run.run_id.is_empty() {
                return Err(Error::new(ErrorKind::InvalidInput, "the run has no id").into());
            }
            refuse_double(transaction, &run.run_id)?;
            let (name, version, registered) = match &run.model {
                RunModel::Register(new) => {
                    let registered = registry::register(transaction, new, Some(&run.run_id))?;
                    (&new.name, Some(registered.version), Some(registered))
                }
                RunModel::Known { name, version } => {
                    check_name(name)?;
                    if let Some(version) = *version
                        && registry::status_of(transaction, name, version)?.is_none()
                    {
                        let which = Selector::Version(version);
                        return Err(registry::not_found(transaction, name, &which)?.into());
                    }
                    (name, *version, None)
                }
            };
            for metric in &run.metrics {
                insert(transaction, run, name, version, metric)?;
            }
            Ok(Recorded {
                run_id: run.run_id.clone(),
                registered,
                metric_rows: run.metrics.len() as u64,
            })
        })
    }
}

fn refuse_double(transaction: &Transaction<'_>, run_id: &str) -> Result<(), Fault> {
    let recorded: bool = prepare(
        transaction,
        "SELECT EXISTS (SELECT 1
         FROM onnx_optimization_metrics
         WHERE run_id = $1)",
    )?
    .query_row(params![run_id], |row| row.get(0))?;
    if recorded {
        let message = format!("run {run_id:?} is already on record; give this one another id");
        return Err(Error::new(ErrorKind::Conflict, message).into());
    }
    Ok(())
}

fn insert(
    transaction: &Transaction<'_>,
    run: &Run,
    name: &str,
    version: Option<u32>,
    metric: &Metric,
) -> Result<(), Fault> {
    let mut statement = prepare(
        transaction,
        "INSERT INTO onnx_optimization_metrics (
             time_us, run_id, kind, model_name, model_version, variant, precision, passes,
             size_bytes, memory_bytes, load_ns, optimize_ns, batch_size, threads,
             latency_p50_ns, latency_p90_ns, latency_p99_ns, latency_p999_ns, latency_max_ns,
             throughput_rows_per_s, latency_by_batch, baseline_engine, baseline_version, speedup,
             rows_verified, max_error, mean_error, proved_bound, class_flips,
             metric_name, metric_before, metric_after,
             chosen, reason, fell_back_from, fall_back_reason, machine, metadata)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                 $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
                 $35, $36, $37, $38)",
    )?;
    let latency = |part: fn(&Latency) -> u64| metric.latency.as_ref().map(part);
    statement.execute(params![
        run.time_us,
        run.run_id,
        run.kind.word(),
        name,
        version,
        metric.variant,
        metric.precision,
        json(&metric.passes),
        metric.size_bytes,
        metric.memory_bytes,
        metric.load_ns,
        metric.optimize_ns,
        metric.batch_size,
        metric.threads,
        latency(|latency| latency.p50_ns),
        latency(|latency| latency.p90_ns),
        latency(|latency| latency.p99_ns),
        latency(|latency| latency.p999_ns),
        latency(|latency| latency.max_ns),
        metric.throughput_rows_per_s,
        json_list(&metric.latency_by_batch)?,
        metric.baseline_engine,
        metric.baseline_version,
        metric.speedup,
        metric.rows_verified,
        metric.max_error,
        metric.mean_error,
        metric.proved_bound,
        metric.class_flips,
        metric.metric_name,
        metric.metric_before,
        metric.metric_after,
        metric.chosen,
        metric.reason,
        metric.fell_back_from,
        metric.fall_back_reason,
        json(&metric.machine),
        json(&metric.metadata),
    ])?;
    Ok(())
}

/// Reads a row of `SELECT * FROM onnx_optimization_metrics`.
pub(crate) fn read_measurement(row: &Row<'_>) -> rusqlite::Result<Measurement> {
    let latency = match row.get("latency_p50_ns")? {
        None => None,
        Some(p50_ns) => Some(Latency {
            p50_ns,
            p90_ns: row.get("latency_p90_ns")?,
            p99_ns: row.get("latency_p99_ns")?,
            p999_ns: row.get("latency_p999_ns")?,
            max_ns: row.get("latency_max_ns")?,
        }),
    };
    Ok(Measurement {
        time_us: row.get("time_us")?,
        run_id: row.get("run_id")?,
        kind: read_word(row, "kind", RunKind::from_word)?,
        model_name: row.get("model_name")?,
        model_version: row.get("model_version")?,
        metric: Metric {
            variant: row.get("variant")?,
            precision: row.get("precision")?,
            passes: read_json(row, "passes")?,
            size_bytes: row.get("size_bytes")?,
            memory_bytes: row.get("memory_bytes")?,
            load_ns: row.get("load_ns")?,
            optimize_ns: row.get("optimize_ns")?,
            batch_size: row.get("batch_size")?,
            threads: row.get("threads")?,
            latency,
            throughput_rows_per_s: row.get("throughput_rows_per_s")?,
            latency_by_batch: read_json(row, "latency_by_batch")?.unwrap_or_default(),
            baseline_engine: row.get("baseline_engine")?,
            baseline_version: row.get("baseline_version")?,
            speedup: row.get("speedup")?,
            rows_verified: row.get("rows_verified")?,
            max_error: row.get("max_error")?,
            mean_error: row.get("mean_error")?,
            proved_bound: row.get("proved_bound")?,
            class_flips: row.get("class_flips")?,
            metric_name: row.get("metric_name")?,
            metric_before: row.get("metric_before")?,
            metric_after: row.get("metric_after")?,
            chosen: row.get("chosen")?,
            reason: row.get("reason")?,
            fell_back_from: row.get("fell_back_from")?,
            fall_back_reason: row.get("fall_back_reason")?,
            machine: read_json(row, "machine")?,
            metadata: read_json(row, "metadata")?,
        },
    })
}
