//! Writes random models as ONNX, with rows and the reference's answers, for `tests/ort/check.py`.
//!
//! ```text
//! cargo run -p fretsaw-onnx --example random_onnx -- OUT [COUNT]
//! ```
//!
//! The first two thirds are ensembles and linear models, the rest pipelines: one step of every kind in
//! turn, then several. (`d`: f64 input, `z`: with ZipMap.) A case is `<seed>-<ml_opset>[d|z].onnx` beside `<name>.x.npy`, `<name>.answers.npy` and, for
//! classifiers, `<name>.classes.npy` (numbers) and `<name>.names.txt`; `<name>.bits` stands beside
//! a case whose margins must be equal to the last bit, `<name>.wide` beside one that is f64 throughout.

use std::error::Error;
use std::fs;
use std::path::Path;

use fretsaw_model::{Model, Rows, labels, margins, predict};
use fretsaw_onnx::{LowerOptions, check, lower, read, write};

#[path = "../tests/it/cases.rs"]
mod cases;
#[path = "../tests/it/pipelines.rs"]
mod pipelines;

const N_ROWS: usize = 60;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let out = args.next().ok_or("give the output folder")?;
    let count: u64 = args.next().map_or(Ok(200), |n| n.parse())?;
    fs::create_dir_all(&out)?;
    let mut refused = 0;
    for seed in 0..count {
        let pipeline = seed >= count / 3 * 2;
        let n_kinds = pipelines::N_KINDS as u64;
        let model = match pipeline {
            false => cases::model(seed),
            // One step in two models of three.
            true => pipelines::model(
                seed,
                (seed % 3 != 0).then_some((seed / 3 % n_kinds) as usize),
            ),
        };
        let x: Vec<f64> = match pipeline {
            false => cases::rows(seed, &model, N_ROWS)
                .into_iter()
                .map(f64::from)
                .collect(),
            true => pipelines::rows(seed, &model, N_ROWS),
        };
        for (ml_opset, double, zipmap, mark) in [
            (3, false, false, ""),
            (3, true, false, "d"),
            (3, false, true, "z"),
            (5, false, false, ""),
            (5, true, false, "d"),
        ] {
            if zipmap && labels(&model, &[], &[]).is_none() {
                continue;
            }
            let options = LowerOptions {
                ml_opset,
                double,
                zipmap,
                ..LowerOptions::default()
            };
            let name = format!("{seed}-{ml_opset}{mark}");
            match lower(&model, &options) {
                Ok(onnx) => {
                    check(&onnx)?;
                    let bytes = write(&onnx)?;
                    if read(bytes.clone())? != onnx {
                        return Err(format!("{name} does not read back").into());
                    }
                    let stem = Path::new(&out).join(&name);
                    case(&stem, &bytes, &model, &x, double)?;
                    if double && pipeline {
                        fs::write(stem.with_extension("wide"), b"")?;
                    }
                }
                Err(e) => {
                    refused += 1;
                    println!("{name} not written: {e}");
                }
            }
        }
    }
    println!("{count} models, {refused} files refused by name");
    Ok(())
}

fn case(
    stem: &Path,
    bytes: &[u8],
    model: &Model,
    wide: &[f64],
    double: bool,
) -> Result<(), Box<dyn Error>> {
    let put = |end: &str, bytes: &[u8]| fs::write(format!("{}.{end}", stem.display()), bytes);
    put("onnx", bytes)?;
    let n_features = model.features.len();
    let (answers, margins) = if double {
        put(
            "x.npy",
            &npy("<f8", n_features, wide, |v| v.to_le_bytes().to_vec()),
        )?;
        let rows = Rows::f64(wide, n_features)?;
        (predict(model, &rows)?, margins(model, &rows)?)
    } else {
        let x: Vec<f32> = wide.iter().map(|&v| v as f32).collect();
        put(
            "x.npy",
            &npy("<f4", n_features, &x, |v| v.to_le_bytes().to_vec()),
        )?;
        let rows = Rows::f32(&x, n_features)?;
        (predict(model, &rows)?, margins(model, &rows)?)
    };
    let f64_bytes = |v: &f64| v.to_le_bytes().to_vec();
    put(
        "answers.npy",
        &npy("<f8", model.n_columns(), &answers, f64_bytes),
    )?;
    if let Some(classes) = labels(model, &margins, &answers) {
        let classes: Vec<f64> = classes.into_iter().map(|c| c as f64).collect();
        put("classes.npy", &npy("<f8", 1, &classes, f64_bytes))?;
        let n = model.n_classes().max(2);
        let names: Vec<String> = (0..n).map(|i| model.class_name(i)).collect();
        put("names.txt", names.join("\n").as_bytes())?;
    }
    if cases::bits(model) && model.link == fretsaw_model::Link::Identity {
        put("bits", b"")?;
    }
    Ok(())
}

/// A .npy file of rows of `width` elements.
fn npy<T>(dtype: &str, width: usize, values: &[T], bytes: impl Fn(&T) -> Vec<u8>) -> Vec<u8> {
    let header = format!(
        "{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({}, {width}), }}",
        values.len() / width.max(1)
    );
    let padded = (header.len() + 11).next_multiple_of(64) - 11;
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((padded as u16 + 1).to_le_bytes());
    out.extend(format!("{header:padded$}\n").into_bytes());
    out.extend(values.iter().flat_map(bytes));
    out
}
