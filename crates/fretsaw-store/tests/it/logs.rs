//! The performance log: rows, usage, summaries, pruning.

use fretsaw_store::{ErrorKind, Filter, LogRow, LogStatus, Usage};
use serde_json::json;

use super::{store, with_versions};

fn row(version: Option<u32>, time_us: i64, total_ns: u64) -> LogRow {
    LogRow {
        time_us,
        model_name: "m".into(),
        model_version: version,
        batch_size: 2,
        total_ns,
        ..LogRow::default()
    }
}

fn failed(version: Option<u32>, time_us: i64, error: &str) -> LogRow {
    LogRow {
        status: LogStatus::Error,
        error: Some(error.into()),
        ..row(version, time_us, 999_999)
    }
}

#[test]
fn summaries() {
    let (_folder, mut store) = store();
    let mut rows: Vec<LogRow> = (1..=100)
        .rev()
        .map(|i| row(Some(1), i as i64, i * 10))
        .collect();
    rows.push(failed(Some(1), 200, "boom"));
    rows.push(LogRow {
        status: LogStatus::Rejected,
        ..row(Some(1), 201, 1)
    });
    rows.push(LogRow {
        variant: Some("int8".into()),
        ..row(Some(2), 5, 7)
    });
    rows.push(failed(None, 6, "no such file"));
    store.log_inference(&rows).unwrap();

    let inference = store.history(&Filter::default()).unwrap().inference;
    let [unregistered, first, second] = &inference[..] else {
        panic!("{inference:?}");
    };
    assert_eq!(
        (
            unregistered.model_version,
            unregistered.requests,
            unregistered.errors
        ),
        (None, 1, 1)
    );
    assert_eq!(
        (unregistered.p50_ns, unregistered.max_ns),
        (None, None),
        "failures have no latency"
    );
    assert_eq!(
        (
            first.model_version,
            first.requests,
            first.errors,
            first.rows
        ),
        (Some(1), 102, 2, 204)
    );
    assert_eq!((first.first_us, first.last_us), (1, 201));
    let percentiles = (first.p50_ns, first.p90_ns, first.p99_ns, first.max_ns);
    assert_eq!(percentiles, (Some(500), Some(900), Some(990), Some(1000)));
    assert_eq!(
        (second.model_version, second.variant.as_deref()),
        (Some(2), Some("int8"))
    );

    let some = Filter {
        since_us: Some(11),
        until_us: Some(21),
        model: Some("m".into()),
        limit: None,
    };
    let some = store.history(&some).unwrap().inference;
    assert_eq!(
        (some.len(), some[0].requests, some[0].p50_ns),
        (1, 10, Some(150))
    );
    let other = Filter {
        model: Some("x".into()),
        ..Filter::default()
    };
    assert!(store.history(&other).unwrap().inference.is_empty());
}

#[test]
fn every_column_is_written() {
    let (folder, mut store) = store();
    let full = LogRow {
        time_us: 1,
        model_name: "'; --".into(),
        model_version: Some(2),
        variant: Some("int8".into()),
        requested_provider: Some("auto".into()),
        actual_provider: Some("native".into()),
        request_id: Some("id".into()),
        batch_size: 3,
        queue_ns: Some(4),
        compute_ns: Some(5),
        total_ns: 6,
        cpu_ns: Some(7),
        resident_bytes: Some(8),
        gpu_utilization: Some(0.5),
        gpu_memory_bytes: Some(9),
        status: LogStatus::Error,
        error: Some("boom".into()),
        client: Some("10.0.0.1".into()),
        trace_id: Some("t".into()),
        metadata: Some(json!({"k": [1, "'"]})),
    };
    store.log_inference(std::slice::from_ref(&full)).unwrap();
    // The column names are the field names, so that the row, read as JSON, is the value again.
    let conn = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
    let mut statement = conn.prepare("SELECT * FROM onnx_performance_logs").unwrap();
    let names: Vec<String> = statement.column_names().map(str::to_string).collect();
    let mut value = serde_json::Map::new();
    let mut found = statement.query([]).unwrap();
    let found = found.next().unwrap().unwrap();
    for (i, name) in names.into_iter().enumerate() {
        use rusqlite::types::ValueRef;
        let cell = match found.get_ref(i).unwrap() {
            ValueRef::Integer(n) => json!(n),
            ValueRef::Real(x) => json!(x),
            ValueRef::Text(text) if name == "metadata" => serde_json::from_slice(text).unwrap(),
            ValueRef::Text(text) => json!(std::str::from_utf8(text).unwrap()),
            other => panic!("{name}: {other:?}"),
        };
        value.insert(name, cell);
    }
    assert_eq!(
        serde_json::from_value::<LogRow>(value.into()).unwrap(),
        full
    );
}

#[test]
fn usage_follows_the_log() {
    let (_folder, mut store) = with_versions(2);
    let usage = |store: &fretsaw_store::Store, version: u32| {
        store.resolve(&format!("m@{version}")).unwrap().usage
    };
    store
        .log_inference(&[
            failed(Some(1), 50, "late"),
            row(Some(1), 60, 1),
            failed(Some(1), 40, "early"),
            row(Some(7), 1, 1),
            row(None, 1, 1),
        ])
        .unwrap();
    let expected = Usage {
        requests: 3,
        rows: 6,
        last_used_us: Some(60),
        errors: 2,
        last_error: Some("late".into()),
        last_error_us: Some(50),
    };
    assert_eq!(usage(&store, 1), expected);
    assert_eq!(usage(&store, 2), Usage::default());

    // An older batch that comes later counts, and is not the last.
    store
        .log_inference(&[failed(Some(1), 45, "older")])
        .unwrap();
    let expected = Usage {
        requests: 4,
        rows: 8,
        errors: 3,
        ..expected
    };
    assert_eq!(usage(&store, 1), expected);

    // Counted without rows.
    store
        .touch_usage(
            "m",
            1,
            &Usage {
                requests: 10,
                rows: 20,
                last_used_us: Some(90),
                ..Usage::default()
            },
        )
        .unwrap();
    let touched = usage(&store, 1);
    assert_eq!(
        (touched.requests, touched.rows, touched.last_used_us),
        (14, 28, Some(90))
    );
    assert_eq!(
        (touched.errors, touched.last_error.as_deref()),
        (3, Some("late"))
    );
    assert_eq!(
        store
            .touch_usage("m", 9, &Usage::default())
            .unwrap_err()
            .kind(),
        ErrorKind::NotFound
    );
}

#[test]
fn a_batch_is_logged_whole_or_not_at_all() {
    let (_folder, mut store) = with_versions(1);
    let too_large = LogRow {
        batch_size: u64::MAX,
        ..row(Some(1), 2, 2)
    };
    let error = store
        .log_inference(&[row(Some(1), 1, 1), too_large])
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(store.status().unwrap().log_rows, 0);
    assert_eq!(store.resolve("m").unwrap().usage, Usage::default());
    store.log_inference(&[]).unwrap();
}

#[test]
fn pruning_takes_old_log_rows_only() {
    let (_folder, mut store) = with_versions(2);
    let rows: Vec<LogRow> = (0..100).map(|i| row(Some(1), i, 1)).collect();
    store.log_inference(&rows).unwrap();
    assert_eq!(store.prune_logs(i64::MIN).unwrap(), 0);
    assert_eq!(store.prune_logs(30).unwrap(), 30);
    let status = store.status().unwrap();
    assert_eq!((status.log_rows, status.model_versions), (70, 2));
    assert_eq!(
        (status.oldest_log_us, status.newest_log_us),
        (Some(30), Some(99))
    );
    // What was counted stays counted.
    assert_eq!(store.resolve("m").unwrap().usage.requests, 100);
    assert_eq!(store.prune_logs(i64::MAX).unwrap(), 70);
}
