//! The ways a model can go on from here: the reference, the engine, ONNX and back. All give one answer.

use fretsaw_engine::{MarginsMut, Options, Plan};
use fretsaw_model::{Float, Model, Rows, body_rows, labels, margins, predict};
use fretsaw_onnx::{LowerOptions, check, lift, lower};

/// The reference answers every row that it does not refuse, its classes have names, and the engine
/// gives the same bits or refuses too.
///
/// # Panics
/// When that does not hold.
pub fn agree(model: &Model, rows: &Rows<'_>) {
    let plan = Plan::compile(model, &Options::default()).expect("a valid model is compiled");
    let mut scratch = plan.scratch();
    for row in 0..rows.n_rows() {
        let row = rows.slice(row..row + 1);
        let want = body_rows(model, &row);
        let (mut narrow, mut wide) = (Vec::new(), Vec::new());
        let out = match plan.margin() {
            Float::F32 => {
                narrow.resize(plan.n_outputs(), f32::NAN);
                MarginsMut::F32(&mut narrow)
            }
            Float::F64 => {
                wide.resize(plan.n_outputs(), f64::NAN);
                MarginsMut::F64(&mut wide)
            }
        };
        match (plan.margins(&row, out, &mut scratch), &want) {
            (Ok(()), Ok(want)) => {
                wide.extend(narrow.into_iter().map(f64::from));
                assert_eq!(wide.len(), want.len());
                for (got, want) in wide.iter().zip(want) {
                    let same = got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan();
                    assert!(same, "the engine gives {got:e} for {want:e}");
                }
            }
            (Err(got), Err(want)) => {
                crate::check_line(&got);
                crate::check_line(want);
                continue;
            }
            (got, want) => panic!("the engine: {got:?}; the reference: {want:?}"),
        }
        let answers = predict(model, &row).expect("what has margins has answers");
        assert_eq!(answers.len(), model.n_columns());
        let margins = margins(model, &row).expect("what has answers has margins");
        for k in labels(model, &margins, &answers).into_iter().flatten() {
            let _ = model.class_name(k);
        }
    }
}

/// What is written is sound ONNX, and what is read of it answers as the model does.
///
/// # Panics
/// When that does not hold.
pub fn there_and_back(model: &Model, wide: &[f64], narrow: &[f32]) {
    for (ml_opset, double) in [(3, false), (5, true)] {
        let options = LowerOptions {
            ml_opset,
            double,
            ..LowerOptions::default()
        };
        let onnx = match lower(model, &options) {
            Ok(onnx) => onnx,
            Err(error) => {
                crate::check_line(&error);
                continue;
            }
        };
        check(&onnx).unwrap_or_else(|e| panic!("what is written is not sound: {e}"));
        let back = match lift(&onnx) {
            Ok(back) => back,
            Err(error) => {
                crate::check_line(&error);
                continue;
            }
        };
        let n = model.features.len();
        let rows = match double || model.needs_double_rows() {
            true => Rows::f64(wide, n),
            false => Rows::f32(narrow, n),
        };
        same(model, &back, &rows.expect("whole rows"));
    }
}

/// Compares answers where they are those of a model in use: in f32's range, of margins that are
/// numbers. Beyond, files of f32 overflow and models of f64 do not.
fn same(model: &Model, back: &Model, rows: &Rows<'_>) {
    for row in 0..rows.n_rows() {
        let row = rows.slice(row..row + 1);
        let (Ok(want), Ok(margins)) = (predict(model, &row), margins(model, &row)) else {
            continue;
        };
        let usual = |v: &f64| v.abs() < 1e6;
        if !want.iter().chain(&margins).all(usual) {
            continue;
        }
        let got = predict(back, &row).unwrap_or_else(|e| panic!("what is read refuses: {e}"));
        assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(&want) {
            let near = (got - want).abs() <= 1e-4 * (1.0 + want.abs());
            assert!(near, "what is read answers {got:e} for {want:e}");
        }
    }
}
