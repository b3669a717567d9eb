//! CatBoost's golden cases: margins to the last bit, answers closely (its own `exp` is approximate).
//! `FRETSAW_CASES` may name a folder with further cases in the same layout.

use std::fs;
use std::path::{Path, PathBuf};

use fretsaw_import::{ErrorKind, import};
use fretsaw_model::{FeatureKind, Labels, Model, Rows, category_hash};

use crate::golden::{folders, testdata};
use crate::npy::Npy;

const FILES: &[&str] = &["model.cbm", "model.json", "model.p4.pkl"];

/// The rows of a case in the model's features: numbers, or a table with categories as text.
fn rows_of(case: &Path, model: &Model) -> (Vec<f64>, bool) {
    let double = case.join("X64.npy");
    if double.exists() {
        return (Npy::read(&double).values, false);
    }
    let numbers = case.join("X.npy");
    if numbers.exists() {
        let x = Npy::read(&numbers);
        return (x.values, x.single);
    }
    let text = fs::read_to_string(case.join("X.csv")).unwrap();
    let mut values = Vec::new();
    for line in text.lines().skip(1) {
        for (feature, cell) in model.features.iter().zip(line.split(',')) {
            values.push(match feature.kind {
                FeatureKind::Hashed => category_hash(cell).into(),
                _ if cell.is_empty() => f64::NAN,
                _ => cell.parse().unwrap(),
            });
        }
    }
    (values, false)
}

fn compare(model: &Model, case: &Path) -> Result<(), String> {
    let (values, single) = rows_of(case, model);
    let narrow: Vec<f32> = values.iter().map(|&v| v as f32).collect();
    let n = model.features.len();
    let rows = if single {
        Rows::f32(&narrow, n)
    } else {
        Rows::f64(&values, n)
    }
    .map_err(|e| e.to_string())?;
    let raw = Npy::read(&case.join("raw.npy"));
    let got = fretsaw_model::margins(model, &rows).map_err(|e| e.to_string())?;
    if got.len() != raw.values.len() {
        return Err(format!("{} margins for {}", got.len(), raw.values.len()));
    }
    for (i, (got, want)) in got.iter().zip(&raw.values).enumerate() {
        if got.to_bits() != want.to_bits() {
            let row = i / raw.columns;
            return Err(format!("row {row}: margin {got:?}, CatBoost says {want:?}"));
        }
    }
    let pred = Npy::read(&case.join("pred.npy"));
    let got = fretsaw_model::predict(model, &rows).map_err(|e| e.to_string())?;
    if got.len() != pred.values.len() {
        return Err(format!("{} answers for {}", got.len(), pred.values.len()));
    }
    for (i, (got, want)) in got.iter().zip(&pred.values).enumerate() {
        if got != want && (got - want).abs() > 1e-12 + 1e-12 * want.abs() {
            let row = i / pred.columns;
            return Err(format!("row {row}: answer {got:?}, CatBoost says {want:?}"));
        }
    }
    Ok(())
}

fn check(cases: &[PathBuf]) -> usize {
    let mut n = 0;
    let mut faults = Vec::new();
    for case in cases {
        for file in FILES.iter().filter(|f| case.join(f).exists()) {
            // CatBoost before 0.20 leaves categories out of its JSON: refused by name, below.
            if case.ends_with("catboost-0.15.2/one_hot") && *file == "model.json" {
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
    }
    assert!(
        faults.is_empty(),
        "{} of {n}:\n{}",
        faults.len(),
        faults.join("\n")
    );
    n
}

#[test]
fn golden_cases_answer_to_the_bit() {
    let name = |p: &Path| p.file_name().unwrap().to_string_lossy().into_owned();
    let cases: Vec<PathBuf> = folders(&testdata())
        .iter()
        .filter(|v| name(v).starts_with("catboost-"))
        .flat_map(|v| folders(v))
        .filter(|case| !case.ends_with("text"))
        .collect();
    let n = check(&cases);
    assert!(n >= 60, "only {n} files were found");
}

#[test]
fn further_cases_answer_to_the_bit() {
    let Ok(root) = std::env::var("FRETSAW_CASES") else {
        println!("skipped: FRETSAW_CASES names no folder with further cases");
        return;
    };
    let cases: Vec<PathBuf> = folders(Path::new(&root))
        .into_iter()
        .filter(|case| case.join("model.cbm").exists())
        .collect();
    println!("{} files", check(&cases));
}

#[test]
fn names_classes_and_categories_come_along() {
    let read = |path: &str| import(&fs::read(testdata().join(path)).unwrap()).unwrap();
    for file in ["model.cbm", "model.json"] {
        let model = read(&format!("catboost-1.2.10/multiclass/{file}"));
        let classes: Vec<String> = (0..3).map(|i| model.class_name(i)).collect();
        assert_eq!(classes, ["low", "mid", "top"]);
        assert_eq!(model.provenance.objective.as_deref(), Some("MultiClass"));
        assert_eq!(
            model.provenance.framework_version.as_deref(),
            Some("1.2.10")
        );
    }
    let model = read("catboost-1.2.10/one_vs_all/model.cbm");
    assert_eq!(model.labels, Some(Labels::Ints(vec![3, 5, 8])));
    let model = read("catboost-0.15.2/multiclass/model.cbm");
    assert_eq!(model.class_name(2), "top");
    let model = read("catboost-1.2.10/ctr/model.cbm");
    let shown: Vec<String> = model
        .features
        .iter()
        .map(|f| format!("{} {:?}", f.name, f.kind))
        .collect();
    assert_eq!(
        shown,
        [
            "city Hashed",
            "size Numeric",
            "count Numeric",
            "color Hashed",
            "id Hashed",
            "weight Numeric",
            "drift Numeric"
        ]
    );
    assert!(model.needs_double_rows());
    let rows = Rows::f32(&[0.0; 7], 7).unwrap();
    let error = fretsaw_model::margins(&model, &rows).unwrap_err();
    assert!(
        error.to_string().contains("hashes of categories"),
        "{error}"
    );
}

#[test]
fn what_cannot_be_represented_is_refused_by_name() {
    let refusal = |path: &str| {
        let error = import(&fs::read(testdata().join(path)).unwrap()).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Unsupported { .. }),
            "{error}"
        );
        error.to_string()
    };
    let text = refusal("catboost-1.2.10/text/model.cbm");
    assert!(text.contains("text features"), "{text}");
    let lost = refusal("catboost-0.15.2/one_hot/model.json");
    assert!(lost.contains("left out") && lost.contains(".cbm"), "{lost}");

    // JSON keeps one table where several targets have one each.
    let path = testdata().join("catboost-1.2.10/ctr/model.json");
    let text = fs::read_to_string(path).unwrap();
    let several = text.replace("Logloss", "MultiLogloss");
    assert_ne!(text, several);
    let mixed = import(several.as_bytes()).unwrap_err().to_string();
    assert!(
        mixed.contains("several targets") && mixed.contains(".cbm"),
        "{mixed}"
    );
}
