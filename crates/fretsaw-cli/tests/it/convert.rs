//! `convert`, `inspect`, `verify`, `bench`, `devices`: each once as it should be, and how it fails.

use crate::place::{Place, argument, example_model, example_rows, small};

#[test]
fn what_convert_writes_answers_the_same() {
    let place = Place::new();
    let (model, x) = (small("model.ubj"), small("X.npy"));
    for (out, options) in [
        ("a.onnx", ""),
        ("b.onnx", "--ml-opset 5"),
        ("c.onnx", "--double"),
    ] {
        place
            .line(&format!("convert {model} -o {out} {options}"))
            .done();
        let verdict = place
            .line(&format!("verify {model} {out} --data {x} --json"))
            .json();
        assert_eq!(verdict["agree"], true, "{out}: {verdict}");
        assert_eq!(verdict["class_flips"], 0, "{out}: {verdict}");
    }
    let facts = place.line("inspect a.onnx --json").json();
    let source = place.line(&format!("inspect {model} --json")).json();
    assert_eq!(facts["source_sha256"], source["sha256"], "provenance");
    assert_eq!(facts["format"], source["format"], "where it came from");
    assert_eq!(facts["n_trees"], source["n_trees"]);
    // The same model from JSON and from UBJSON answers with the same bits.
    let other = small("model.json");
    place.line(&format!("convert {other} -o d.onnx")).done();
    let verdict = place
        .line(&format!("verify a.onnx d.onnx --data {x} --json"))
        .json();
    assert_eq!(verdict["bit_equal"], true);
    for bad in ["x.txt", "x"] {
        place
            .line(&format!("convert {model} -o {bad}"))
            .failed(2, &[bad, ".onnx"]);
    }
    place
        .line(&format!("convert {model} -o missing/x.onnx"))
        .failed(1, &["missing"]);
    for options in ["--ml-opset 2", "--ml-opset 99", "--opset 3", "--opset 999"] {
        let ran = place.line(&format!("convert {model} -o x.onnx {options}"));
        assert!(
            matches!(ran.status, Some(1 | 2)),
            "{options}: {:?}",
            ran.status
        );
        let number = options.rsplit(' ').next().unwrap_or_default();
        ran.failed(ran.status.unwrap_or(0), &[number, "choose"]);
    }
    assert!(!place.path("x.onnx").exists());
}

#[test]
fn inspect_tells_what_a_model_is() {
    let place = Place::new();
    let model = example_model();
    let facts = place.line(&format!("inspect {model} --json")).json();
    for (name, value) in [
        ("format", serde_json::json!("xgboost-ubjson")),
        ("framework", "xgboost".into()),
        ("framework_version", "3.2.0".into()),
        ("objective", "binary:logistic".into()),
        ("answer", "binary".into()),
        ("kind", "tree ensemble".into()),
        ("n_features", 35.into()),
        ("n_outputs", 1.into()),
        ("n_trees", 500.into()),
        ("n_leaves", 7139.into()),
        ("max_depth", 6.into()),
    ] {
        assert_eq!(facts[name], value, "{name}");
    }
    let features = facts["features"].as_array().expect("features");
    assert_eq!(features[0]["name"], "ret_lag0");
    let splits: u64 = features.iter().filter_map(|f| f["splits"].as_u64()).sum();
    assert_eq!(facts["n_splits"], splits);
    let text = place.line(&format!("inspect {model}")).done().stdout;
    for word in ["binary:logistic", "500", "7,139", "vol_21d"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn verify_ends_with_what_it_found() {
    let place = Place::new();
    let (a, x) = (small("model.ubj"), small("X.npy"));
    let b = argument("testdata/xgboost-3.4.0/binary_base_score/model.ubj");
    let same = place
        .line(&format!("verify {a} {a} --data {x} --json"))
        .json();
    assert_eq!(same["bit_equal"], true);
    assert_eq!(same["max_error"], 0.0);
    let text = place
        .line(&format!("verify {a} {a} --data {x} --prove"))
        .done()
        .stdout;
    assert!(text.contains("proved"), "{text}");

    // A difference: exit status 1 and one line, the figures on stdout all the same.
    let ran = place.line(&format!("verify {a} {b} --data {x} --json"));
    ran.failed(1, &["differ", "tolerance"]);
    let verdict: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(verdict["agree"], false);
    assert!(verdict["rows_over"].as_u64().is_some_and(|n| n > 0));
    place
        .line(&format!("verify {a} {b} --data {x} --tolerance 1"))
        .done();
    place
        .line(&format!("verify {a} {b} --data {x} --tolerance=-1"))
        .failed(2, &["toleran"]);
    place
        .line(&format!("verify {a} {b} --data {x} --tolerance NaN"))
        .failed(2, &["toleran"]);

    // Models that answer different things, or take different rows.
    let multi = argument("testdata/xgboost-3.4.0/multi_softprob/model.ubj");
    place
        .line(&format!("verify {a} {multi} --data {x}"))
        .failed(1, &["column"]);
    let wide = example_model();
    place
        .line(&format!("verify {a} {wide} --data {x}"))
        .failed(1, &["35"]);
}

#[test]
fn bench_measures_in_the_order_asked() {
    let place = Place::new();
    let (model, x) = (small("model.ubj"), small("X.npy"));
    place.line(&format!("convert {model} -o model.onnx")).done();
    let measured = place
        .line(&format!(
            "bench {model} model.onnx --data {x} --batch 1,16,500 --threads 1,2 --json"
        ))
        .json();
    let measured = measured.as_array().expect("an array");
    assert_eq!(measured.len(), 4);
    for (m, (name, threads)) in measured.iter().zip([
        (model.as_str(), 1),
        (&model, 2),
        ("model.onnx", 1),
        ("model.onnx", 2),
    ]) {
        assert_eq!(m["model"], name);
        assert_eq!(m["threads"], threads);
        let latency = m["latency"].as_array().expect("latency");
        let batches: Vec<_> = latency.iter().filter_map(|l| l["batch"].as_u64()).collect();
        assert_eq!(batches, [1, 16, 500]);
        for l in latency {
            let ns = |q: &str| l[q].as_u64().expect("nanoseconds");
            assert!(0 < ns("p50_ns") && ns("p50_ns") <= ns("p99_ns"), "{l}");
            assert!(
                ns("p99_ns") <= ns("p999_ns") && ns("p999_ns") <= ns("max_ns"),
                "{l}"
            );
        }
    }
    assert_eq!(measured[0]["speedup"], serde_json::json!([1.0, 1.0, 1.0]));
    assert_eq!(
        measured[1]["max_difference"], 0.0,
        "a thread more changes no bit"
    );
    // One summary row a configuration, and nothing in the log.
    let history = place.line("history --json").json();
    assert_eq!(
        history["measurements"].as_array().map(Vec::len),
        Some(4),
        "{history}"
    );
    assert_eq!(history["inference"], serde_json::json!([]));

    for bad in [
        "--batch 0",
        "--batch x",
        "--threads 0",
        "--batch 1,,2",
        "--backend nobody",
    ] {
        place
            .line(&format!("bench {model} --data {x} {bad}"))
            .failed(2, &[]);
    }
}

#[test]
fn devices_are_facts() {
    let place = Place::new();
    let devices = place.line("devices --json").json();
    assert!(devices.as_object().is_some_and(|d| !d.is_empty()));
    let text = devices.to_string();
    // Each instruction set by name; the runtime that is not there, and why.
    assert!(text.contains("scalar"), "{text}");
    assert!(text.contains("/nonexistent/libonnxruntime.so"), "{text}");
    assert!(!place.line("devices").done().stdout.is_empty());
}

/// The example is worth its budget on all of its rows in our own reading of the portable file.
#[test]
fn the_example_survives_conversion() {
    let place = Place::new();
    let (model, rows) = (example_model(), example_rows());
    place.line(&format!("convert {model} -o model.onnx")).done();
    let verdict = place
        .line(&format!("verify {model} model.onnx --data {rows} --json"))
        .json();
    assert_eq!(verdict["rows"], 2506);
    assert_eq!(verdict["rows_over"], 0, "{verdict}");
}
