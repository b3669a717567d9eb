//! Every golden case of scikit-learn: margins, or what stands for them, to the last bit, answers
//! behind a link within a few units of the last place. `FRETSAW_CASES` may name a folder with
//! further cases in the same layout.

use std::fs;
use std::path::Path;

use fretsaw_import::import;
use fretsaw_model::{FeatureKind, Labels, Link, Model, Rows};

use crate::golden::{folders, name, testdata};
use crate::npy::Npy;

const FILES: &[&str] = &[
    "model.pkl",
    "model.p2.pkl",
    "model.p4.pkl",
    "model.p5.pkl",
    "model.joblib",
    "model.joblib.z",
    "model.skops",
];

/// Checks every model file of a case; gives their number, and what is wrong with them.
fn check(case: &Path) -> (usize, Vec<String>) {
    let mut faults = Vec::new();
    let mut n = 0;
    for file in FILES.iter().filter(|f| case.join(f).exists()) {
        n += 1;
        let fault = match import(&fs::read(case.join(file)).unwrap()) {
            Ok(model) => compare(&model, case).err(),
            Err(e) => Some(e.to_string()),
        };
        faults.extend(fault.map(|f| format!("{}/{file}: {f}", name(case))));
    }
    (n, faults)
}

/// Puts the model's codes in place of the case's own: a text is its place in the list of its column
/// in `texts.tsv`, where there is one, and -1 where it is in none.
fn encode(model: &Model, case: &Path, x: &mut Npy) {
    let Ok(lists) = fs::read_to_string(case.join("texts.tsv")) else {
        return;
    };
    for list in lists.lines() {
        let (column, texts) = list.split_once('\t').unwrap();
        let column: usize = column.parse().unwrap();
        let FeatureKind::Text { known } = &model.features[column].kind else {
            continue;
        };
        let code = |text: &str| known.iter().position(|k| k == text);
        let codes: Vec<Option<usize>> = texts.split('\t').map(code).collect();
        for value in x.values.iter_mut().skip(column).step_by(x.columns) {
            if *value >= 0.0 {
                *value = codes[*value as usize].map_or(-1.0, |code| code as f64);
            }
        }
    }
}

/// Margins and answers of the model on a file of rows, which count as f64.
fn answers(model: &Model, case: &Path, rows: &str) -> (Vec<f64>, Vec<f64>) {
    let mut x = Npy::read(&case.join(rows));
    encode(model, case, &mut x);
    let rows = Rows::f64(&x.values, x.columns).unwrap();
    (
        fretsaw_model::margins(model, &rows).unwrap(),
        fretsaw_model::predict(model, &rows).unwrap(),
    )
}

/// How far numbers may be off: `tolerance` of case.json, for what goes through matrix products, whose
/// order is the processor's. It is relative to the number, or to `floor` (1 where the case has none)
/// if the number is smaller.
#[derive(Clone, Copy)]
struct Closeness {
    /// 0 where every bit must be right.
    tolerance: f64,
    floor: f64,
}

impl Closeness {
    fn of(case: &Path) -> Self {
        let json = fs::read_to_string(case.join("case.json")).unwrap_or_default();
        let number = |name: &str| {
            let rest = json.split(&format!("\"{name}\": ")).nth(1)?;
            rest.split([',', '\n', '}']).next()?.trim().parse().ok()
        };
        Self {
            tolerance: number("tolerance").unwrap_or(0.0),
            floor: number("floor").unwrap_or(1.0),
        }
    }

    /// The same, or some units of the last place where there is a link between.
    fn behind(self, link: &Link) -> Self {
        match self.tolerance == 0.0 && *link != Link::Identity {
            true => Self {
                tolerance: 1e-14,
                ..self
            },
            false => self,
        }
    }

    fn holds(self, got: f64, want: f64) -> bool {
        let same = got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan());
        let close = || (got - want).abs() <= self.tolerance * want.abs().max(self.floor);
        same || (self.tolerance > 0.0 && close())
    }
}

fn compare(model: &Model, case: &Path) -> Result<(), String> {
    let closeness = Closeness::of(case);
    for (x, raw, pred) in [
        ("X.npy", "raw.npy", "pred.npy"),
        ("X64.npy", "raw64.npy", "pred64.npy"),
    ] {
        if !case.join(x).exists() {
            continue;
        }
        let (margins, got) = answers(model, case, x);
        if case.join(raw).exists() {
            same(&margins, &Npy::read(&case.join(raw)), closeness)?;
        }
        let pred = Npy::read(&case.join(pred));
        // A class is compared by its name; some cases keep the scores of an outlier detector instead.
        let shown = match &model.labels {
            Some(Labels::Ints(names)) if model.answers_class_with_scores() => {
                let named: Vec<f64> = got.iter().map(|&c| names[c as usize] as f64).collect();
                if pred.values.iter().all(|v| v.abs() == 1.0) {
                    named
                } else {
                    margins.clone()
                }
            }
            _ => got.clone(),
        };
        same(&shown, &pred, closeness.behind(&model.link))?;
        if x == "X.npy" && case.join("case.json").exists() && case.join("label.npy").exists() {
            let labels = fretsaw_model::labels(model, &margins, &got).ok_or("no labels")?;
            let want = Npy::read(&case.join("label.npy")).values;
            if !labels.iter().map(|&l| l as f64).eq(want) {
                return Err("the labels differ".into());
            }
        }
    }
    Ok(())
}

fn same(got: &[f64], want: &Npy, closeness: Closeness) -> Result<(), String> {
    if got.len() != want.values.len() {
        return Err(format!("{} numbers for {}", got.len(), want.values.len()));
    }
    for (i, (&got, &want_value)) in got.iter().zip(&want.values).enumerate() {
        if !closeness.holds(got, want_value) {
            let row = i / want.columns;
            return Err(format!(
                "row {row}: {got:?}, scikit-learn says {want_value:?}"
            ));
        }
    }
    Ok(())
}

#[test]
fn golden_cases_answer_to_the_bit() {
    let mut n = 0;
    let mut faults = Vec::new();
    for version in folders(&testdata()) {
        if !name(&version).starts_with("sklearn-") {
            continue;
        }
        for case in folders(&version) {
            let (files, wrong) = check(&case);
            n += files;
            faults.extend(wrong.iter().map(|f| format!("{}/{f}", name(&version))));
        }
    }
    assert!(
        faults.is_empty(),
        "{} of {n}:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(n >= 100, "only {n} files were found");
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
        let ours = ["sk_", "perf_rf"]
            .iter()
            .any(|p| name(&case).starts_with(p));
        if ours || case.join("case.json").exists() {
            let (files, wrong) = check(&case);
            n += files;
            faults.extend(wrong);
        }
    }
    println!("{} of {n}:\n{}", faults.len(), faults.join("\n"));
    assert!(n > 0, "no case was found");
}
