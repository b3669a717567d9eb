//! What pipelines are written as, without running it: `fretsaw`'s own tests do that.

use fretsaw_model::{Derived, Feature, FeatureKind, KeyPart, Rows, Step, predict, random};
use fretsaw_onnx::{ErrorKind, LowerOptions, check, lift, lower, proto, read, write};

use crate::pipelines;

/// Files of pipelines are sound ONNX, the same from run to run, and are refused or read as the same
/// model, never as another.
#[test]
fn pipelines_are_written_and_never_read_as_something_else() {
    let (mut written, mut refused) = (0, 0);
    for seed in 0..150 {
        let only = (seed % 3 != 0).then_some(seed as usize / 3 % pipelines::N_KINDS);
        let model = pipelines::model(seed, only);
        for (ml_opset, double) in [(3, false), (5, true)] {
            let options = LowerOptions {
                ml_opset,
                double,
                ..LowerOptions::default()
            };
            let Ok(onnx) = lower(&model, &options) else {
                refused += 1;
                continue;
            };
            written += 1;
            let name = format!("seed {seed}, {options:?}");
            check(&onnx).unwrap_or_else(|e| panic!("{name}: {e}"));
            let bytes = write(&onnx).unwrap();
            assert_eq!(bytes, write(&lower(&model, &options).unwrap()).unwrap());
            let back = match lift(&read(bytes).unwrap()) {
                Err(e) => {
                    assert_eq!(e.kind(), ErrorKind::Unsupported, "{name}: {e}");
                    continue;
                }
                Ok(back) => back,
            };
            let wide = pipelines::rows(seed, &model, 20);
            let narrow: Vec<f32> = wide.iter().map(|&v| v as f32).collect();
            let x = match double {
                true => Rows::f64(&wide, model.features.len()).unwrap(),
                false => Rows::f32(&narrow, model.features.len()).unwrap(),
            };
            let (want, got) = (predict(&model, &x).unwrap(), predict(&back, &x).unwrap());
            assert_eq!(want.len(), got.len(), "{name}");
            for (w, g) in want.iter().zip(&got) {
                let near = (w - g).abs() <= 1e-5 * (1.0 + w.abs());
                assert!(
                    near || w == g || w.is_nan() && g.is_nan(),
                    "{name}: {g} for {w}"
                );
            }
        }
    }
    assert!(
        written > 250 && refused < 50,
        "{written} written, {refused} refused"
    );
}

/// CatBoost's categories: f32 cannot hold their hashes, so the input is f64 whatever is asked for.
#[test]
fn rows_that_hold_hashes_are_f64() {
    let mut draft = random::ensemble(1, &random::Shape::default()).into_draft();
    draft.features[0].kind = FeatureKind::Hashed;
    draft.steps = vec![Step::Derive(vec![Derived {
        parts: vec![KeyPart::Category { feature: 0 }],
        keys: vec![],
        values: vec![],
        otherwise: vec![-1.0],
    }])];
    let onnx = lower(&draft.build().unwrap(), &LowerOptions::default()).unwrap();
    let graph = onnx.graph.unwrap();
    let Some(proto::type_proto::Value::TensorType(t)) =
        graph.input[0].r#type.as_ref().unwrap().value.clone()
    else {
        panic!("an input that is no tensor");
    };
    assert_eq!(
        t.elem_type,
        Some(proto::tensor_proto::DataType::Double as i32)
    );
}

/// Models that take text have an input a feature, and are read back as that.
#[test]
fn text_is_an_input_of_its_own() {
    let mut draft = random::ensemble(1, &random::Shape::default()).into_draft();
    let known = vec!["red".to_string(), "green".to_string()];
    draft.features[1] = Feature {
        name: "my colour".into(),
        kind: FeatureKind::Text { known },
    };
    let model = draft.build().unwrap();
    let onnx = lower(&model, &LowerOptions::default()).unwrap();
    check(&onnx).unwrap();
    let graph = onnx.graph.as_ref().unwrap();
    let names: Vec<&str> = graph
        .input
        .iter()
        .map(|i| i.name.as_deref().unwrap())
        .collect();
    assert_eq!(names, ["f0", "my_colour", "f2", "f3", "f4", "f5", "f6"]);
    assert_eq!(lift(&onnx).unwrap().features, model.features);
    let listed = onnx
        .metadata_props
        .iter()
        .find(|e| e.key.as_deref() == Some(fretsaw_onnx::FEATURES));
    let listed = listed.and_then(|e| e.value.as_deref()).unwrap();
    assert_eq!(
        fretsaw_onnx::features_in(listed),
        Some(model.features.clone())
    );
}
