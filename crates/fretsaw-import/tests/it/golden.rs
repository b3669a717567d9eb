//! Every golden case of XGBoost: margins to the last bit, predictions within a few units of the last
//! place. `FRETSAW_CASES` may name a folder with further cases in the same layout.

use std::fs;
use std::path::{Path, PathBuf};

use fretsaw_import::import;
use fretsaw_model::{Model, Rows};

use crate::npy::Npy;

const FILES: &[&str] = &[
    "model.json",
    "model.ubj",
    "model.bin",
    "model.pkl",
    "model.p2.pkl",
    "model.p4.pkl",
    "model.p5.pkl",
    "model.joblib",
    "model.joblib.z",
    "model.joblib.gzip",
    "model.joblib.bz2",
    "model.joblib.xz",
    "model.joblib.lzma",
    "model.joblib.lz4",
];

pub(crate) fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata")
}

pub(crate) fn folders(root: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(root)
        .unwrap_or_else(|e| panic!("{}: {e}", root.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

pub(crate) fn name(path: &Path) -> &str {
    path.file_name()
        .and_then(|n| n.to_str())
        .unwrap_or_default()
}

/// Checks every model file of a case; gives their number, and what is wrong with them.
fn check(case: &Path) -> (usize, Vec<String>) {
    let mut faults = Vec::new();
    let mut n = 0;
    for file in FILES.iter().filter(|f| case.join(f).exists()) {
        // The Booster of an estimator that stopped early has more trees than the estimator uses.
        if name(case) == "sklearn_early_stopping" && ["model.json", "model.bin"].contains(file) {
            continue;
        }
        n += 1;
        let bytes = fs::read(case.join(file)).unwrap();
        let fault = match import(&bytes) {
            Ok(model) => compare(&model, case).err(),
            Err(e) => Some(e.to_string()),
        };
        faults.extend(fault.map(|f| format!("{}/{file}: {f}", case.display())));
    }
    (n, faults)
}

fn compare(model: &Model, case: &Path) -> Result<(), String> {
    let x = Npy::read(&case.join("X.npy"));
    assert!(x.single);
    let values: Vec<f32> = x.values.iter().map(|&v| v as f32).collect();
    let rows = Rows::f32(&values, x.columns).map_err(|e| e.to_string())?;

    let raw = case.join("raw.npy");
    if raw.exists() {
        let raw = Npy::read(&raw);
        let got = fretsaw_model::margins(model, &rows).map_err(|e| e.to_string())?;
        if got.len() != raw.values.len() {
            return Err(format!("{} margins for {}", got.len(), raw.values.len()));
        }
        for (i, (got, want)) in got.iter().zip(&raw.values).enumerate() {
            if (*got as f32).to_bits() != (*want as f32).to_bits() {
                let row = i / raw.columns;
                return Err(format!("row {row}: margin {got:?}, XGBoost says {want:?}"));
            }
        }
    }

    let pred = Npy::read(&case.join("pred.npy"));
    let mut got = fretsaw_model::predict(model, &rows).map_err(|e| e.to_string())?;
    if got.len() == 2 * pred.values.len() {
        // A bare Booster answers with the probability of the second class only.
        got = got.chunks_exact(2).map(|pair| pair[1]).collect();
    }
    if got.len() != pred.values.len() {
        return Err(format!("{} answers for {}", got.len(), pred.values.len()));
    }
    for (i, (got, want)) in got.iter().zip(&pred.values).enumerate() {
        let close = got == want || (got - want).abs() <= 2e-6 + 2e-6 * want.abs();
        if !close {
            let row = i / pred.columns;
            return Err(format!("row {row}: answer {got:?}, XGBoost says {want:?}"));
        }
    }

    let label = case.join("label.npy");
    if label.exists()
        && let Some(labels) = fretsaw_model::labels(
            model,
            &[],
            &fretsaw_model::predict(model, &rows).map_err(|e| e.to_string())?,
        )
        && name(case).starts_with("sklearn")
    {
        let want = Npy::read(&label).values;
        let got: Vec<f64> = labels.iter().map(|&l| l as f64).collect();
        if got != want {
            return Err("the labels differ".into());
        }
    }
    Ok(())
}

#[test]
fn golden_cases_answer_to_the_bit() {
    let mut n = 0;
    let mut faults = Vec::new();
    for version in folders(&testdata()) {
        if !name(&version).starts_with("xgboost-") {
            continue;
        }
        for case in folders(&version) {
            let (files, wrong) = check(&case);
            n += files;
            faults.extend(wrong);
        }
    }
    assert!(
        faults.is_empty(),
        "{} of {n}:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(n >= 150, "only {n} files were found");
}

#[test]
fn further_cases_answer_to_the_bit() {
    let Ok(root) = std::env::var("FRETSAW_CASES") else {
        println!("skipped: FRETSAW_CASES names no folder with further cases");
        return;
    };
    let mut n = 0;
    let mut faults = Vec::new();
    for case in folders(Path::new(&root)) {
        if name(&case).contains("xgb") && !name(&case).starts_with("sk_") {
            let (files, wrong) = check(&case);
            n += files;
            faults.extend(wrong);
        }
    }
    assert!(
        faults.is_empty(),
        "{} of {n}:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(n > 0, "no case was found");
    println!("{n} files");
}

#[test]
fn names_categories_and_classes_come_along() {
    let read = |path: &str| import(&fs::read(testdata().join(path)).unwrap()).unwrap();

    let model = read("xgboost-3.4.0/categorical_strings/model.ubj");
    let shown: Vec<String> = model
        .features
        .iter()
        .map(|f| format!("{} {:?}", f.name, f.kind))
        .collect();
    assert_eq!(
        shown,
        [
            "size Numeric",
            r#"shape Categorical { categories: Some(Strings(["round", "square", "oval", "flat"])) }"#,
            r#"color Categorical { categories: Some(Strings(["blue", "green", "red", "violet", "white", "yellow"])) }"#,
            "weight Numeric",
        ]
    );

    let model = read("xgboost-1.5.2/sklearn_strings/model.joblib");
    let classes: Vec<String> = (0..3).map(|i| model.class_name(i)).collect();
    assert_eq!(classes, ["down", "flat", "up"]);
    assert_eq!(model.provenance.framework_version.as_deref(), Some("1.5.2"));
    assert_eq!(model.provenance.format, "xgboost-pickle");
    assert_eq!(model.features[5].name, "f5");

    let model = read("xgboost-3.4.0/binary/model.json");
    assert_eq!(model.features[0].name, "momentum");
    assert_eq!(
        model.provenance.objective.as_deref(),
        Some("binary:logistic")
    );
}

#[test]
fn an_estimator_stops_at_its_best_iteration_and_its_booster_does_not() {
    let case = testdata().join("xgboost-3.4.0/sklearn_early_stopping");
    let trees = |file: &str| {
        let model = import(&fs::read(case.join(file)).unwrap()).unwrap();
        model.ensemble().unwrap().trees.len()
    };
    let json = fs::read_to_string(case.join("case.json")).unwrap();
    let number = |key: &str| -> usize {
        let (_, rest) = json.split_once(&format!("\"{key}\": ")).unwrap();
        rest.split([',', '\n']).next().unwrap().parse().unwrap()
    };
    assert_eq!(trees("model.p5.pkl"), number("best_iteration") + 1);
    assert_eq!(trees("model.json"), number("rounds"));
}

#[test]
fn onnx_is_told_apart() {
    for folder in folders(&testdata())
        .iter()
        .filter(|f| name(f).starts_with("onnx-"))
    {
        for case in folders(folder) {
            let bytes = fs::read(case.join("model.onnx")).unwrap();
            assert_eq!(
                fretsaw_import::detect(&bytes),
                fretsaw_import::Format::Onnx,
                "{}",
                case.display()
            );
        }
    }
}
