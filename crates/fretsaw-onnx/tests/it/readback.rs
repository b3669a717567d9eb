//! Our own files of composite models and of linear leaves, read back operator by operator: what is
//! read answers the same, and what is not is refused by name. No file is read as another model.

use std::collections::BTreeMap;

use fretsaw_model::random::{self, Shape};
use fretsaw_model::{FeatureKind, Float, Model, Rows, Sum, labels, margins, predict};
use fretsaw_onnx::{ErrorKind, LowerOptions, lift, lower};

const N_ROWS: usize = 24;

/// Reads back what is written of `model`, and compares; why not, where it is not read.
fn read_back(
    model: &Model,
    wide: &[f64],
    options: &LowerOptions,
    name: &str,
) -> Result<(), String> {
    let onnx = lower(model, options).map_err(|e| e.to_string())?;
    let back = match lift(&onnx) {
        Ok(back) => back,
        Err(e) => {
            assert_eq!(e.kind(), ErrorKind::Unsupported, "{name}: {e}");
            return Err(e.to_string());
        }
    };
    assert_eq!(back.features, model.features, "{name}");
    let narrow: Vec<f32> = wide.iter().map(|&v| v as f32).collect();
    let n = model.features.len();
    let rows = match options.double {
        true => Rows::f64(wide, n).unwrap(),
        false => Rows::f32(&narrow, n).unwrap(),
    };
    for row in 0..rows.n_rows() {
        let row = rows.slice(row..row + 1);
        // A row that the model refuses has no answer to compare.
        let Ok(want) = predict(model, &row) else {
            continue;
        };
        // The sigmoid of a missing f32 margin is a number in XGBoost, and so in the reference.
        if margins(model, &row).unwrap().iter().any(|m| m.is_nan()) {
            continue;
        }
        let got = predict(&back, &row).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(got.len(), want.len(), "{name}");
        for (g, w) in got.iter().zip(&want) {
            // Files of f32 inputs answer f32, beyond its range too.
            let w = match options.double {
                true => w,
                false => &f64::from(*w as f32),
            };
            let near = (g - w).abs() <= 1e-5 * (1.0 + w.abs());
            let same = g == w || g.is_nan() && w.is_nan();
            assert!(near || same, "{name}: {g} for {w}");
        }
        let class = |m: &Model, answers: &[f64]| {
            let margins = margins(m, &row).unwrap();
            labels(m, &margins, answers).map(|k| m.class_name(k[0]))
        };
        let (got, want) = (class(&back, &got), class(model, &want));
        assert!(got.is_none() || got == want, "{name}: {got:?} for {want:?}");
    }
    Ok(())
}

/// Text that is not known stands as -1, and only so.
fn codes_of_text(model: &Model, rows: &mut [f64]) {
    for row in rows.chunks_exact_mut(model.features.len()) {
        for (v, feature) in row.iter_mut().zip(&model.features) {
            if let FeatureKind::Text { known } = &feature.kind
                && !(0..known.len()).any(|code| *v == code as f64)
                && !v.is_nan()
            {
                *v = -1.0;
            }
        }
    }
}

fn options() -> [LowerOptions; 4] {
    [(3, false), (5, false), (3, true), (5, true)].map(|(ml_opset, double)| LowerOptions {
        ml_opset,
        double,
        ..LowerOptions::default()
    })
}

#[test]
fn composite_models_are_read_as_they_are_or_not_at_all() {
    let (mut read, mut refused) = (0, BTreeMap::<String, usize>::new());
    for seed in 0..300 {
        let model = random::composite(seed);
        let mut rows = random::composite_rows(seed, &model, N_ROWS);
        codes_of_text(&model, &mut rows);
        for options in options() {
            let name = format!("seed {seed}, {options:?}");
            match read_back(&model, &rows, &options, &name) {
                Ok(()) => read += 1,
                Err(why) => {
                    let why = why.rsplit_once(": ").map_or("", |(_, why)| why);
                    *refused.entry(why.to_string()).or_default() += 1;
                }
            }
        }
    }
    println!("{read} read; {refused:#?}");
    assert!(read > 250, "{read} read; {refused:#?}");
}

#[test]
fn linear_leaves_are_read_back() {
    for seed in 0..60 {
        let shape = Shape {
            linear: true,
            sum: Sum::F64,
            compare: if seed % 2 == 0 {
                Float::F32
            } else {
                Float::F64
            },
            ..Shape::any(seed)
        };
        let model = random::ensemble(seed, &shape);
        let linear = model
            .ensemble()
            .unwrap()
            .trees
            .iter()
            .any(|t| !t.linear.is_empty());
        // The coefficients of several trees are added before they are multiplied, which for infinite
        // values is no sum of products.
        let finite = |v: f64| if v.abs() > 4.0 { 3.5 } else { v };
        let rows = random::rows(seed, &model, N_ROWS);
        let rows: Vec<f64> = rows.into_iter().map(finite).collect();
        for options in options() {
            let name = format!("seed {seed}, {options:?}");
            if linear && lower(&model, &options).is_ok() {
                read_back(&model, &rows, &options, &name).unwrap_or_else(|e| panic!("{name}: {e}"));
            }
        }
    }
}
