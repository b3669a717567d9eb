//! Questions over time: what was measured, and how requests went.

use std::collections::BTreeMap;

use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};

use crate::error::{Fault, Result};
use crate::metrics::{Measurement, read_measurement};
use crate::sql::prepare;
use crate::store::Store;

/// Which part of the history is asked for. The default is all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// From this time on, in microseconds since 1970-01-01 UTC.
    pub since_us: Option<i64>,
    /// Up to, and without, this time, in microseconds since 1970-01-01 UTC.
    pub until_us: Option<i64>,
    /// Only this model.
    pub model: Option<String>,
    /// At most this many measurements, the newest ones.
    pub limit: Option<u32>,
}

/// What the store knows of a span of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Variants measured, newest first: latency, errors, speed-ups.
    pub measurements: Vec<Measurement>,
    /// Requests, summed up by model, version and variant.
    pub inference: Vec<InferenceSummary>,
}

/// The requests that one variant of one version had.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InferenceSummary {
    /// The model's name.
    pub model_name: String,
    /// Its version, where it is registered.
    pub model_version: Option<u32>,
    /// The variant that answered.
    pub variant: Option<String>,
    /// Requests, the failed ones included.
    pub requests: u64,
    /// Requests that failed or were turned away.
    pub errors: u64,
    /// Rows in all requests.
    pub rows: u64,
    /// Time of the first request, in microseconds since 1970-01-01 UTC.
    pub first_us: i64,
    /// Time of the last request, in microseconds since 1970-01-01 UTC.
    pub last_us: i64,
    /// Median of the time from arrival to answer, over the requests that were answered, in
    /// nanoseconds.
    pub p50_ns: Option<u64>,
    /// Its 90th percentile, in nanoseconds.
    pub p90_ns: Option<u64>,
    /// Its 99th percentile, in nanoseconds.
    pub p99_ns: Option<u64>,
    /// The slowest answer, in nanoseconds.
    pub max_ns: Option<u64>,
}

impl Store {
    /// What was measured and how requests went, in the span and for the model that `filter` names.
    ///
    /// Percentiles are exact, by nearest rank, and take 8 bytes of memory a request in the span.
    ///
    /// # Errors
    /// The database's own. A model without any history is no error: the answer is empty.
    pub fn history(&self, filter: &Filter) -> Result<History> {
        self.read(|transaction| {
            Ok(History {
                measurements: measurements(transaction, filter)?,
                inference: inference(transaction, filter)?,
            })
        })
    }
}

// Two texts each, one with and one without the model, so that either is served by its own index; an
// optional condition in one text would be served by none.

pub(crate) const MEASUREMENTS: &str = "
    SELECT * FROM onnx_optimization_metrics
    WHERE time_us >= $1 AND time_us < $2
    ORDER BY time_us DESC LIMIT $3";
pub(crate) const MEASUREMENTS_OF_MODEL: &str = "
    SELECT * FROM onnx_optimization_metrics
    WHERE time_us >= $1 AND time_us < $2 AND model_name = $3
    ORDER BY time_us DESC LIMIT $4";
pub(crate) const REQUESTS: &str = "
    SELECT model_name, model_version, variant, status, batch_size, time_us, total_ns
    FROM onnx_performance_logs
    WHERE time_us >= $1 AND time_us < $2";
pub(crate) const REQUESTS_OF_MODEL: &str = "
    SELECT model_name, model_version, variant, status, batch_size, time_us, total_ns
    FROM onnx_performance_logs
    WHERE time_us >= $1 AND time_us < $2 AND model_name = $3";

fn span(filter: &Filter) -> (i64, i64) {
    (
        filter.since_us.unwrap_or(i64::MIN),
        filter.until_us.unwrap_or(i64::MAX),
    )
}

fn measurements(transaction: &Transaction<'_>, filter: &Filter) -> Result<Vec<Measurement>, Fault> {
    let (since, until) = span(filter);
    let limit = filter.limit.map_or(i64::MAX, i64::from);
    let rows = match &filter.model {
        None => prepare(transaction, MEASUREMENTS)?
            .query_map(params![since, until, limit], read_measurement)?
            .collect::<rusqlite::Result<_>>()?,
        Some(model) => prepare(transaction, MEASUREMENTS_OF_MODEL)?
            .query_map(params![since, until, model, limit], read_measurement)?
            .collect::<rusqlite::Result<_>>()?,
    };
    Ok(rows)
}

fn inference(
    transaction: &Transaction<'_>,
    filter: &Filter,
) -> Result<Vec<InferenceSummary>, Fault> {
    type Key = (String, Option<u32>, Option<String>);
    let (since, until) = span(filter);
    let mut groups = BTreeMap::<Key, (InferenceSummary, Vec<u64>)>::new();
    let mut statement;
    let mut rows = match &filter.model {
        None => {
            statement = prepare(transaction, REQUESTS)?;
            statement.query(params![since, until])?
        }
        Some(model) => {
            statement = prepare(transaction, REQUESTS_OF_MODEL)?;
            statement.query(params![since, until, model])?
        }
    };
    while let Some(row) = rows.next()? {
        let time_us: i64 = row.get(5)?;
        let (summary, latencies) = groups
            .entry((row.get(0)?, row.get(1)?, row.get(2)?))
            .or_insert_with(|| {
                let summary = InferenceSummary {
                    first_us: time_us,
                    last_us: time_us,
                    ..InferenceSummary::default()
                };
                (summary, Vec::new())
            });
        summary.requests += 1;
        summary.rows = summary.rows.saturating_add(row.get(4)?);
        summary.first_us = summary.first_us.min(time_us);
        summary.last_us = summary.last_us.max(time_us);
        if row.get_ref(3)?.as_str().is_ok_and(|status| status == "ok") {
            latencies.push(row.get(6)?);
        } else {
            summary.errors += 1;
        }
    }
    let finish = |((name, version, variant), (summary, mut latencies)): (Key, (_, Vec<u64>))| {
        latencies.sort_unstable();
        InferenceSummary {
            model_name: name,
            model_version: version,
            variant,
            p50_ns: nearest_rank(&latencies, 50),
            p90_ns: nearest_rank(&latencies, 90),
            p99_ns: nearest_rank(&latencies, 99),
            max_ns: latencies.last().copied(),
            ..summary
        }
    };
    Ok(groups.into_iter().map(finish).collect())
}

/// The smallest value that at least `percent` percent of the values do not exceed.
fn nearest_rank(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_by_nearest_rank() {
        let hundred: Vec<u64> = (1..=100).collect();
        for (values, percent, expected) in [
            (&[][..], 50, None),
            (&[7], 50, Some(7)),
            (&[7], 99, Some(7)),
            (&[1, 2], 50, Some(1)),
            (&[1, 2, 3], 50, Some(2)),
            (&hundred, 50, Some(50)),
            (&hundred, 90, Some(90)),
            (&hundred, 99, Some(99)),
            (&hundred[..99], 99, Some(99)),
        ] {
            assert_eq!(
                nearest_rank(values, percent),
                expected,
                "{} values, {percent}",
                values.len()
            );
        }
    }
}
