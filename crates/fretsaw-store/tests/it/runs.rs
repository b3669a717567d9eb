//! Runs: recorded whole or not at all.

use fretsaw_store::{
    BatchLatency, ErrorKind, Filter, Latency, Metric, Run, RunKind, RunModel, Store,
};
use serde_json::json;

use super::{new_version, store, with_versions};

fn metric(variant: &str) -> Metric {
    Metric {
        variant: variant.into(),
        precision: "fp32".into(),
        ..Metric::default()
    }
}

fn run(run_id: &str, time_us: i64, model: RunModel, metrics: Vec<Metric>) -> Run {
    Run {
        run_id: run_id.into(),
        time_us,
        kind: RunKind::Optimize,
        model,
        metrics,
    }
}

fn known(name: &str, version: Option<u32>) -> RunModel {
    RunModel::Known {
        name: name.into(),
        version,
    }
}

fn full() -> Metric {
    let latency = Latency {
        p50_ns: 1,
        p90_ns: 2,
        p99_ns: 3,
        p999_ns: 4,
        max_ns: 5,
    };
    Metric {
        variant: "int8".into(),
        precision: "int8".into(),
        passes: Some(json!(["ranks"])),
        size_bytes: Some(6),
        memory_bytes: Some(7),
        load_ns: Some(8),
        optimize_ns: Some(9),
        batch_size: Some(10),
        threads: Some(11),
        latency: Some(latency),
        throughput_rows_per_s: Some(1.5e9),
        latency_by_batch: vec![BatchLatency {
            batch_size: 1,
            threads: 2,
            latency,
            throughput_rows_per_s: Some(0.1),
            speedup: None,
        }],
        baseline_engine: Some("onnxruntime".into()),
        baseline_version: Some("1.32".into()),
        speedup: Some(21.25),
        rows_verified: Some(12),
        max_error: Some(f64::INFINITY),
        mean_error: Some(1e-300),
        proved_bound: Some(5e-324),
        class_flips: Some(13),
        metric_name: Some("auc".into()),
        metric_before: Some(0.75),
        metric_after: Some(0.7),
        chosen: true,
        reason: Some("fastest within budget".into()),
        fell_back_from: Some("int4".into()),
        fall_back_reason: Some("over budget".into()),
        machine: Some(json!({"cpu": "x", "cores": 2})),
        metadata: Some(json!({})),
    }
}

#[test]
fn a_run_registers_and_records() {
    let (_folder, mut store) = with_versions(1);
    let new = RunModel::Register(Box::new(new_version("m", 2)));
    let recorded = store
        .record_run(&run("r1", 50, new, vec![full(), metric("exact")]))
        .unwrap();
    let registered = recorded.registered.unwrap();
    assert_eq!((registered.version, recorded.metric_rows), (2, 2));
    assert_eq!(
        store.resolve("m@2").unwrap().entry.run_id.as_deref(),
        Some("r1")
    );

    let measured = store.history(&Filter::default()).unwrap().measurements;
    assert_eq!(measured.len(), 2);
    let int8 = measured
        .iter()
        .find(|row| row.metric.variant == "int8")
        .unwrap();
    assert_eq!(
        (int8.time_us, int8.run_id.as_str(), int8.kind),
        (50, "r1", RunKind::Optimize)
    );
    assert_eq!(
        (int8.model_name.as_str(), int8.model_version),
        ("m", Some(2))
    );
    assert_eq!(int8.metric, full());
    assert!(measured.iter().any(|row| row.metric == metric("exact")));

    let shown = serde_json::to_value(int8).unwrap();
    assert_eq!(
        (&shown["latency"]["p99_ns"], &shown["kind"]),
        (&json!(3), &json!("optimize"))
    );
}

#[test]
fn a_run_that_fails_midway_leaves_nothing() {
    let (_folder, mut store) = with_versions(1);
    let before = (store.list().unwrap(), store.show("m").unwrap());
    let bad = Metric {
        size_bytes: Some(u64::MAX),
        ..metric("bad")
    };
    let new = RunModel::Register(Box::new(new_version("m", 2)));
    let whole = run("r", 0, new, vec![metric("good"), bad]);
    assert_eq!(
        store.record_run(&whole).unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    assert_eq!((store.list().unwrap(), store.show("m").unwrap()), before);
    assert_eq!(store.status().unwrap().metric_rows, 0);
    // The id was not used up.
    let mended = Run {
        metrics: vec![metric("good")],
        ..whole
    };
    assert_eq!(
        store
            .record_run(&mended)
            .unwrap()
            .registered
            .unwrap()
            .version,
        2
    );
}

#[test]
fn a_run_is_recorded_once() {
    let (_folder, mut store) = store();
    let once = run("r", 0, known("path only", None), vec![metric("exact")]);
    assert!(store.record_run(&once).unwrap().registered.is_none());
    let error = store.record_run(&once).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("already on record"), "{error}");
    assert_eq!(store.status().unwrap().metric_rows, 1);
}

#[test]
fn runs_that_are_refused() {
    let (_folder, mut store) = with_versions(1);
    for (run_id, model, kind) in [
        ("", known("m", None), ErrorKind::InvalidInput),
        ("r", known("", None), ErrorKind::InvalidInput),
        ("r", known("m", Some(2)), ErrorKind::NotFound),
        ("r", known("x", Some(1)), ErrorKind::NotFound),
    ] {
        let error = store
            .record_run(&run(run_id, 0, model, vec![metric("exact")]))
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    assert_eq!(store.status().unwrap().metric_rows, 0);
}

#[test]
fn what_is_not_a_number_is_absent() {
    let (_folder, mut store) = store();
    let metric = Metric {
        metric_after: Some(f64::NAN),
        ..metric("exact")
    };
    store
        .record_run(&run("r", 0, known("m", None), vec![metric]))
        .unwrap();
    let measured = store.history(&Filter::default()).unwrap().measurements;
    assert_eq!(measured[0].metric.metric_after, None);
}

#[test]
fn history_filters() {
    let (_folder, mut store) = store();
    for (id, time_us, name) in [
        ("a", 10, "m"),
        ("b", 20, "n"),
        ("c", 30, "m"),
        ("d", 40, "m"),
    ] {
        store
            .record_run(&run(id, time_us, known(name, None), vec![metric("exact")]))
            .unwrap();
    }
    let ids = |store: &Store, since_us, until_us, model: Option<&str>, limit| {
        let filter = Filter {
            since_us,
            until_us,
            model: model.map(str::to_string),
            limit,
        };
        let measured = store.history(&filter).unwrap().measurements;
        measured
            .into_iter()
            .map(|row| row.run_id)
            .collect::<String>()
    };
    for (since, until, model, limit, expected) in [
        (None, None, None, None, "dcba"),
        (Some(20), None, None, None, "dcb"),
        (Some(20), Some(40), None, None, "cb"),
        (None, None, Some("m"), None, "dca"),
        (Some(11), Some(31), Some("m"), None, "c"),
        (None, None, Some("m"), Some(2), "dc"),
        (None, None, None, Some(0), ""),
        (None, None, Some("' OR 1=1 --"), None, ""),
    ] {
        assert_eq!(ids(&store, since, until, model, limit), expected);
    }
}
