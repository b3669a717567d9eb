//! Files that other converters wrote: lifted, they answer what ONNX Runtime answers for them; and
//! lowered again, lifted again, they are the same model.

use std::fs;
use std::path::{Path, PathBuf};

use fretsaw_model::{Answer, FeatureKind, Link, Model, Rows, labels, margins, predict};
use fretsaw_onnx::{ErrorKind, LowerOptions, lift, lower, read};

/// Numbers of a .npy file and its columns.
fn npy(path: &Path) -> (Vec<f64>, usize) {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let len = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8_lossy(&bytes[10..10 + len]);
    assert!(header.contains("'fortran_order': False"), "{header}");
    let data = &bytes[10 + len..];
    let values: Vec<f64> = if header.contains("<f4") {
        let all = data.chunks_exact(4);
        all.map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap())))
            .collect()
    } else if header.contains("<f8") {
        let all = data.chunks_exact(8);
        all.map(|b| f64::from_le_bytes(b.try_into().unwrap()))
            .collect()
    } else if header.contains("<i8") {
        let all = data.chunks_exact(8);
        all.map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f64)
            .collect()
    } else {
        panic!("{}: {header}", path.display())
    };
    let shape = header.split_once('(').unwrap().1.split_once(')').unwrap().0;
    let mut dims = shape
        .split(',')
        .filter_map(|d| d.trim().parse::<usize>().ok());
    let n_rows = dims.next().unwrap_or(1);
    let width = dims.next().unwrap_or(1);
    assert_eq!(values.len(), n_rows * width, "{}", path.display());
    (values, width)
}

/// The folders of all cases.
pub(crate) fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    let mut found = Vec::new();
    for library in fs::read_dir(root).unwrap() {
        let library = library.unwrap().path();
        let name = library.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("onnx-") || name.starts_with("graphs-") {
            found.extend(fs::read_dir(library).unwrap().map(|c| c.unwrap().path()));
        }
    }
    found.sort();
    found
}

/// Numbers and how many columns they have.
type Numbers = (Vec<f64>, usize);

/// What `case.json` tells.
fn told(case: &Path) -> serde_json::Value {
    let text = fs::read_to_string(case.join("case.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The answers of ONNX Runtime that a case holds: numbers and their columns, and the labels' names.
fn answers(case: &Path) -> (Option<Numbers>, Option<Vec<String>>) {
    let (mut numbers, mut labels) = (None, None);
    for file in fs::read_dir(case).unwrap() {
        let path = file.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        match file.strip_prefix("ort_") {
            Some(output) if output.contains("label") => {
                labels = Some(npy(&path).0.iter().map(f64::to_string).collect());
            }
            Some(_) => numbers = Some(npy(&path)),
            None => {}
        }
    }
    if let Some(text) = told(case)["labels"].as_array() {
        labels = Some(text.iter().map(|t| t.as_str().unwrap().into()).collect());
    }
    (numbers, labels)
}

/// The categories of text columns stand in the order of the codes in X.
fn assert_categories(model: &Model, told: &serde_json::Value, name: &str) {
    for (column, known) in told["texts"].as_object().into_iter().flatten() {
        let feature = model.features.iter().find(|f| f.name == *column).unwrap();
        let FeatureKind::Text { known: got } = &feature.kind else {
            panic!("{name}: {column} is no text");
        };
        assert_eq!(serde_json::json!(got), *known, "{name}: {column}");
    }
}

#[test]
fn lifted_files_answer_as_onnx_runtime_does() {
    let cases = cases();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let mut again = 0;
    for case in cases {
        let name = case.display().to_string();
        let told = told(&case);
        let onnx = read(fs::read(case.join("model.onnx")).unwrap()).unwrap();
        if let Some(why) = told["refused"].as_str() {
            let error = lift(&onnx).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{name}: {error}");
            assert!(error.to_string().contains(why), "{name}: {error}");
            continue;
        }
        let model = lift(&onnx).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_categories(&model, &told, &name);
        let (x, n_features) = npy(&case.join("X.npy"));
        let narrow: Vec<f32> = x.iter().map(|&v| v as f32).collect();
        let wide = x
            .iter()
            .zip(&narrow)
            .any(|(x, n)| *x != f64::from(*n) && !x.is_nan());
        let rows = match wide {
            true => Rows::f64(&x, n_features).unwrap(),
            false => Rows::f32(&narrow, n_features).unwrap(),
        };
        let got = predict(&model, &rows).unwrap();

        let (want, classes) = answers(&case);
        let (want, width) = want.expect("a case has ONNX Runtime's answers");
        assert_eq!(width, model.n_columns(), "{name}");
        assert_eq!(want.len(), got.len(), "{name}");
        let plain = model.answer == Answer::Values || model.link == Link::Identity;
        let exact = match told["exact"].as_bool() {
            Some(exact) => exact,
            None => plain && model.answer != Answer::Binary,
        };
        for (i, (g, w)) in got.iter().zip(&want).enumerate() {
            let row = i / width;
            if exact {
                let same = g == w || g.is_nan() && w.is_nan();
                assert!(same, "{name}: row {row}: {g} for {w}");
            } else {
                let near = (g - w).abs() <= 1e-6 * w.abs().max(1.0);
                assert!(near, "{name}: row {row}: {g} for {w}");
            }
        }
        if let Some(classes) = classes {
            let margins = margins(&model, &rows).unwrap();
            let numbers =
                labels(&model, &margins, &got).expect("a file with a label lifts to a classifier");
            for (row, (k, want)) in numbers.into_iter().zip(classes).enumerate() {
                assert_eq!(model.class_name(k), want, "{name}: row {row}");
            }
        }
        again += usize::from(stays(&model, &rows, wide, &name));
    }
    assert!(
        again >= 38,
        "{again} files are written and read as they were"
    );
}

/// Whether the model, written and read again, is the same: it is that or refused, never another.
fn stays(model: &Model, rows: &Rows<'_>, double: bool, name: &str) -> bool {
    let options = LowerOptions {
        double,
        ml_opset: if double { 5 } else { 3 },
        ..LowerOptions::default()
    };
    let again = match lower(model, &options).and_then(|onnx| lift(&onnx)) {
        Ok(again) => again,
        Err(e) => {
            assert_eq!(e.kind(), ErrorKind::Unsupported, "{name}: {e}");
            assert!(!model.steps.is_empty(), "{name}: {e}");
            return false;
        }
    };
    let (got, want) = (
        predict(&again, rows).unwrap(),
        predict(model, rows).unwrap(),
    );
    assert_eq!(got.len(), want.len(), "{name}");
    for (g, w) in got.iter().zip(&want) {
        let near = (g - w).abs() <= 1e-6 * w.abs().max(1.0);
        assert!(
            near || g == w || (g.is_nan() && w.is_nan()),
            "{name}: {g} for {w}"
        );
    }
    if model.steps.is_empty() {
        let margins = |m| margins(m, rows).unwrap();
        assert_eq!(margins(&again), margins(model), "{name}");
        assert_eq!(again.labels, model.labels, "{name}");
        assert_eq!(again.answer, model.answer, "{name}");
    }
    true
}
