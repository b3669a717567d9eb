//! `lift(lower(m))` is `m`: the same margins to the bit, the same answers, the same labels.

use fretsaw_model::{
    Answer, Body, Decision, Link, Model, Rows, Sum, labels, margins, predict, random,
};
use fretsaw_onnx::{
    ErrorKind, LowerOptions, check, compact, lift, lower, ml_opset_for, pack, read, write,
};

use crate::cases;

const N_ROWS: usize = 40;

fn bits(v: &[f64]) -> Vec<u64> {
    // -0 and 0 are told apart nowhere but here: a sum from +0 has no -0.
    v.iter().map(|x| (x + 0.0).to_bits()).collect()
}

/// Whether the operators keep the order and precision of the sum.
fn same_bits(model: &Model, options: &LowerOptions) -> bool {
    // Where version 5 cannot hold a set of categories, version 3 gives f64 sums in two parts.
    if options.double && options.ml_opset == 3 && ml_opset_for(model, true) == 3 {
        return false;
    }
    match &model.body {
        // An intercept first is written as one last.
        Body::Linear(_) => false,
        // Version 3 answers f32, so scale and divisor are put into the leaves.
        Body::Ensemble(e) => {
            let plain = e.multiply.iter().all(|&m| m == 1.0) && e.divide == 1.0;
            // A constant says nothing of the sum it came from.
            !e.trees.is_empty() && (e.sum != Sum::F64 || options.ml_opset == 5 || plain)
        }
        _ => false,
    }
}

#[test]
fn lowering_and_lifting_gives_the_same_model() {
    let mut counts = [0; 2];
    for seed in 0..160 {
        let model = cases::model(seed);
        for (ml_opset, double) in [(3, false), (5, false), (3, true), (5, true)] {
            let options = LowerOptions {
                ml_opset,
                double,
                ..LowerOptions::default()
            };
            let Ok(onnx) = lower(&model, &options) else {
                continue;
            };
            check(&onnx).unwrap();
            let bytes = write(&onnx).unwrap();
            assert_eq!(bytes, write(&lower(&model, &options).unwrap()).unwrap());
            let name = format!("seed {seed}, {options:?}");
            // What is packed from the start says the same, in as many bytes.
            let packed = pack(&model, &options).unwrap().write().unwrap();
            assert_eq!(packed.len(), bytes.len(), "{name}");
            assert!(read(packed).unwrap() == onnx, "{name}");
            let back = match lift(&read(bytes).unwrap()) {
                Ok(back) => back,
                // Sums in two parts leave no one margin that a label could be seen to be of.
                Err(e) if double && ml_opset == 3 && ml_opset_for(&model, true) == 3 => {
                    assert_eq!(e.kind(), ErrorKind::Unsupported, "{name}: {e}");
                    continue;
                }
                Err(e) => panic!("{name}: {e}"),
            };

            let x = cases::rows(seed, &model, N_ROWS);
            let wide: Vec<f64> = x.iter().map(|&v| f64::from(v)).collect();
            let n = model.features.len();
            let rows = if double {
                Rows::f64(&wide, n).unwrap()
            } else {
                Rows::f32(&x, n).unwrap()
            };
            let (want, got) = (
                margins(&model, &rows).unwrap(),
                margins(&back, &rows).unwrap(),
            );
            let exact = same_bits(&model, &options);
            counts[usize::from(exact)] += 1;
            if exact {
                let differs = bits(&got)
                    .iter()
                    .zip(bits(&want))
                    .position(|(g, w)| *g != w);
                if let Some(i) = differs {
                    panic!("{name}: margin {i} is {} for {}", got[i], want[i]);
                }
            }
            let (want, got) = (
                predict(&model, &rows).unwrap(),
                predict(&back, &rows).unwrap(),
            );
            for (w, g) in want.iter().zip(&got) {
                let near =
                    (w - g).abs() <= 1e-5 * (1.0 + w.abs()) || w == g || (w.is_nan() && g.is_nan());
                assert!(
                    near && (!exact || w == g || w.is_nan()),
                    "{name}: {g} for {w}"
                );
            }
            if exact {
                assert_eq!(
                    labels(&back, &[], &got),
                    labels(&model, &[], &want),
                    "{name}"
                );
                let names = |m: &Model| {
                    (0..m.n_classes())
                        .map(|i| m.class_name(i))
                        .collect::<Vec<_>>()
                };
                assert_eq!(names(&back), names(&model), "{name}");
            }
            assert_eq!(back.features, model.features, "{name}");
            assert_eq!(back.provenance, model.provenance, "{name}");
        }
    }
    assert!(
        counts[1] > 250 && counts[0] > 20,
        "{counts:?} cases, bounded and exact"
    );
}

/// A label taken from the margins comes back as one.
#[test]
fn what_names_a_class_comes_back() {
    for (n_outputs, decision) in [
        (1, Decision::Answer),
        (1, Decision::Margin),
        (1, Decision::MarginFromZero),
        (3, Decision::Answer),
        (3, Decision::Margin),
    ] {
        let shape = random::Shape {
            n_outputs,
            sum: Sum::F64,
            linear: false,
            ..random::Shape::default()
        };
        let mut draft = random::ensemble(4, &shape).into_draft();
        (draft.link, draft.answer) = match n_outputs {
            1 => (Link::Sigmoid { steepness: 1.0 }, Answer::Binary),
            _ => (Link::Softmax, Answer::Classes),
        };
        draft.decision = decision;
        let model = draft.build().unwrap();
        let back = |onnx| lift(&read(write(&onnx).unwrap()).unwrap()).unwrap();
        let compact = back(compact::lower(&model, false).unwrap());
        assert_eq!(compact.decision, decision, "compact, {n_outputs} outputs");
        if n_outputs == 1 {
            let portable = back(lower(&model, &LowerOptions::default()).unwrap());
            assert_eq!(portable.decision, decision, "portable");
        }
    }
}
