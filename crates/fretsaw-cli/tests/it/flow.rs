//! The main job on the example: files, report, record; again over the same folder; under a name.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::place::{Place, example_model, example_rows, small};

/// The example's main job. Size is the objective, since it alone does not depend on the machine.
fn optimize_example(place: &Place, extra: &str) -> crate::place::Ran {
    let (model, rows) = (example_model(), example_rows());
    place.line(&format!(
        "optimize {model} --data {rows} --labels label --objective size {extra}"
    ))
}

fn report(folder: &Path) -> Value {
    let text = fs::read(folder.join("report.json")).expect("a report");
    serde_json::from_slice(&text).expect("JSON")
}

#[test]
fn the_main_job_writes_registers_and_records() {
    let place = Place::new();
    let ran = optimize_example(&place, "").done();
    // The stem of the model names the folder and the registry's entry.
    assert!(
        ran.stdout.contains("registered  model@1 (champion)"),
        "{}",
        ran.stdout
    );
    let out = place.path("model.fretsaw");
    let report = report(&out);
    for file in ["model.onnx", "report.json", "report.html"] {
        assert!(
            out.join(file).metadata().is_ok_and(|m| m.len() > 0),
            "{file}"
        );
    }
    let files = report["files"].as_array().expect("files");
    for file in files {
        let name = file["name"].as_str().expect("a name");
        let bytes = out.join(name).metadata().expect(name).len();
        assert_eq!(file["bytes"], bytes, "{name}");
    }
    let chosen = report["chosen"]["file"].as_str().expect("a file");
    assert!(files.iter().any(|f| f["name"] == chosen), "{chosen}");
    // Nothing of the staging is left, and nothing unasked for was written.
    let mut expected: Vec<String> = files
        .iter()
        .map(|f| format!("model.fretsaw/{}", f["name"].as_str().unwrap_or_default()))
        .collect();
    expected.extend(
        [
            "model.fretsaw",
            "model.fretsaw/report.html",
            "model.fretsaw/report.json",
        ]
        .map(String::from),
    );
    expected.sort();
    assert_eq!(place.listing(), expected);

    assert_eq!(report["schema"], "fretsaw.report/1");
    assert_eq!(report["data"]["rows_setting"], 1253);
    assert_eq!(report["data"]["rows_verified"], 1253);
    assert_eq!(report["budget"]["metric"], "auc");
    assert_eq!(report["variants"][0]["name"], "exact");
    assert_eq!(report["variants"][0]["error"]["bit_equal"], true);
    let won: Vec<_> = report["variants"]
        .as_array()
        .expect("variants")
        .iter()
        .filter(|v| v["chosen"] == true)
        .collect();
    assert_eq!(won.len(), 1);
    assert_eq!(won[0]["name"], report["chosen"]["variant"]);

    // Every variant measured is a row of the history.
    let history = place.line("history --json").json();
    let measured = history["measurements"].as_array().expect("measurements");
    assert_eq!(
        measured.len(),
        report["variants"].as_array().map_or(0, Vec::len)
    );

    // The same again, over the same folder: the same content is the same version.
    let again = optimize_example(&place, "").done();
    assert!(
        again.stdout.contains("registered  model@1"),
        "{}",
        again.stdout
    );
    assert_eq!(place.listing(), expected);
    let list = place.line("models list --json").json();
    assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(list[0]["name"], "model");
    assert_eq!(list[0]["version"], 1);
    assert_eq!(list[0]["aliases"], serde_json::json!(["champion"]));

    // By name, the chosen file answers as by path.
    let rows = example_rows();
    place
        .line(&format!(
            "predict model@champion --input {rows} --output a.npy"
        ))
        .done();
    let file = format!("model.fretsaw/{chosen}");
    place
        .line(&format!("predict {file} --input {rows} --output b.npy"))
        .done();
    let read = |name| fs::read(place.path(name)).expect("answers");
    assert_eq!(read("a.npy"), read("b.npy"));
}

/// Readers of `report.json` and of the store depend on the names.
#[test]
fn the_fields_of_the_report_are_stable() {
    let place = Place::new();
    let printed = optimize_example(&place, "--json --out out --name signal").json();
    let report = report(&place.path("out"));
    assert_eq!(printed, report, "stdout is the report");
    assert_eq!(report["model"]["name"], "signal");
    let mut fields = BTreeSet::new();
    collect(&report, String::new(), &mut fields);
    let text: String = fields.iter().map(|f| format!("{f}\n")).collect();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/report.fields");
    if std::env::var_os("FRETSAW_BLESS").is_some() {
        fs::write(&golden, &text).expect("the golden file can be written");
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    assert!(
        text == expected,
        "the report's fields changed; if that is meant, run again with FRETSAW_BLESS=1\n{}",
        difference(&expected, &text)
    );
}

/// Paths of all fields; an array's are those of all its elements.
fn collect(value: &Value, path: String, fields: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let path = format!("{path}.{name}");
                fields.insert(path.trim_start_matches('.').to_string());
                collect(value, path, fields);
            }
        }
        Value::Array(values) => {
            for value in values {
                collect(value, format!("{path}[]"), fields);
            }
        }
        _ => {}
    }
}

fn difference(old: &str, new: &str) -> String {
    let (old, new): (BTreeSet<_>, BTreeSet<_>) = (old.lines().collect(), new.lines().collect());
    let gone = old.difference(&new).map(|f| format!("- {f}\n"));
    gone.chain(new.difference(&old).map(|f| format!("+ {f}\n")))
        .collect()
}

#[test]
fn portable_writes_standard_operators_only() {
    let place = Place::new();
    let (model, rows) = (small("model.ubj"), small("X.npy"));
    let report = place
        .line(&format!(
            "optimize {model} --data {rows} --out out --portable --json"
        ))
        .json();
    assert_eq!(report["chosen"]["file"], "model.onnx");
    assert_eq!(report["objective"]["portable"], true);
    assert_eq!(
        place.listing(),
        [
            "out",
            "out/model.onnx",
            "out/report.html",
            "out/report.json"
        ]
    );
    // A compact file of an earlier run must not pass for this one's.
    place
        .line(&format!(
            "optimize {model} --data {rows} --out out --keep-variants --objective size"
        ))
        .done();
    let kept = place.listing();
    for file in [
        "out/variants/exact.onnx",
        "out/variants/int8-lossless.fretsaw.onnx",
    ] {
        assert!(kept.iter().any(|f| f == file), "{file}: {kept:?}");
    }
    place
        .line(&format!(
            "optimize {model} --data {rows} --out out --portable"
        ))
        .done();
    assert!(!place.path("out/model.fretsaw.onnx").exists());
}

#[test]
fn no_budget_at_all_still_gives_the_exact_one() {
    let place = Place::new();
    let (model, rows) = (example_model(), argument_csv());
    let report = place
        .line(&format!(
            "optimize {model} --data {rows} --labels label --max-error 0 --out out --json"
        ))
        .json();
    assert_eq!(
        report["chosen"]["fell_back_to_exact"], true,
        "{}",
        report["chosen"]
    );
    for variant in report["variants"].as_array().expect("variants") {
        let kept = variant["within_budget"] == false || variant["error"]["max"] == 0.0;
        assert!(kept, "{variant}");
    }
}

/// The example's first 50 rows.
fn argument_csv() -> String {
    crate::place::argument("examples/sp500/holdout.csv")
}

#[test]
fn other_rows_can_set_the_thresholds() {
    let place = Place::new();
    let (model, rows) = (small("model.json"), small("X.npy"));
    let report = place
        .line(&format!(
            "optimize {model} --data {rows} --calibration {rows} --out out --json"
        ))
        .json();
    let data = &report["data"];
    assert_eq!(data["rows_setting"], data["rows_verified"]);
    assert_eq!(data["calibration_path"], rows);
}
