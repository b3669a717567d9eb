//! Whole files: they are well formed, and lie where the portable ones lie but for one node.

use fretsaw_model::random::{self, Shape};
use fretsaw_model::{
    Answer, Body, Draft, Ensemble, Float, InterceptOrder, Linear, LinearMissing, Link, Model, Rows,
    Sum, predict,
};

use super::super::{DOMAIN, OP_TYPE, VERSION, decode, lower};
use crate::ErrorKind;
use crate::proto::tensor_proto::DataType;
use crate::proto::type_proto::Value;
use crate::proto::{ModelProto, NodeProto};

fn outputs(file: &ModelProto) -> Vec<(&str, Option<i32>)> {
    let dtype = |value: &Value| match value {
        Value::TensorType(t) => t.elem_type,
        _ => None,
    };
    let infos = file.graph.as_ref().unwrap().output.iter();
    infos
        .map(|o| {
            let value = o.r#type.as_ref().and_then(|t| t.value.as_ref());
            (o.name(), value.and_then(dtype))
        })
        .collect()
}

#[test]
fn every_model_becomes_a_file() {
    for seed in 0..150 {
        let model = random::model(seed);
        let double = seed % 2 == 0;
        let file = lower(&model, double).unwrap();
        crate::check(&file).unwrap();
        let own = file.opset_import.iter().find(|o| o.domain() == DOMAIN);
        assert_eq!(own.unwrap().version(), VERSION);

        let nodes = &file.graph.as_ref().unwrap().node;
        let (ours, others): (Vec<_>, Vec<_>) = nodes.iter().partition(|n| n.domain() == DOMAIN);
        assert!(others.iter().all(|n| n.domain().is_empty()));
        let [node] = ours[..] else {
            panic!("{} nodes of our domain", ours.len());
        };
        assert_eq!(node.op_type(), OP_TYPE);
        let e = decode(node).unwrap();
        assert_eq!(e.trees.len(), model.ensemble().unwrap().trees.len());
        if model.steps.is_empty() {
            assert_eq!(node.input, ["input"]);
        }

        // The number of a class is f32.
        let f64s = double && e.sum == Sum::F64 && model.answer != Answer::Class;
        let float = Some(if f64s {
            DataType::Double
        } else {
            DataType::Float
        } as i32);
        let answers = match model.answer {
            Answer::Binary | Answer::Classes => "probabilities",
            _ => "variable",
        };
        assert_eq!(
            outputs(&file).last(),
            Some(&(answers, float)),
            "seed {seed}"
        );
    }
}

#[test]
fn what_has_no_compact_form_is_named() {
    let mut draft = random::model(0).into_draft();
    draft.link = Link::Probit;
    draft.answer = Answer::Values;
    let n_features = draft.features.len();
    let probit = draft.clone().build().unwrap();
    draft.link = Link::Identity;
    draft.steps.clear();
    draft.body = Body::Linear(Linear {
        n_outputs: 1,
        sum: Float::F32,
        weights: vec![1.0; n_features],
        intercept: vec![0.0],
        intercept_order: InterceptOrder::First,
        missing: LinearMissing::Skip,
    });
    draft.labels = None;
    let linear = draft.build().unwrap();
    for (model, want) in [(probit, "robit"), (linear, "anything but trees")] {
        let error = lower(&model, false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(want), "{error}");
    }
}

/// The model comes back from its file: all but the numbering inside trees.
#[test]
fn every_file_is_lifted_again() {
    for seed in 0..300 {
        let model = random::model(seed);
        let file = lower(&model, seed % 2 == 0).unwrap();
        let bytes = crate::write(&file).unwrap();
        let back = crate::lift(&crate::read(bytes).unwrap()).unwrap();
        let without_body = |model: &Model| Draft {
            body: Body::Ensemble(Ensemble {
                trees: vec![],
                ..model.ensemble().unwrap().clone()
            }),
            ..model.to_draft()
        };
        assert_eq!(without_body(&back), without_body(&model), "seed {seed}");
        assert_eq!(lower(&back, seed % 2 == 0).unwrap(), file, "seed {seed}");

        let x = random::rows(seed, &model, 10);
        let rows = Rows::f64(&x, model.features.len()).unwrap();
        let bits = |m: &Model| -> Vec<u64> {
            let answers = predict(m, &rows).unwrap();
            answers.iter().map(|v| v.to_bits()).collect()
        };
        assert_eq!(bits(&back), bits(&model), "seed {seed}");
    }
}

#[test]
fn another_version_or_place_is_refused() {
    type Spoil = fn(&mut ModelProto);
    let cases: [(Spoil, &str); 4] = [
        (|f| f.opset_import[1].version = Some(2), "version 2"),
        (
            |f| node(f).op_type = Some("Forest".into()),
            "domain \"fretsaw\"",
        ),
        (|f| node(f).attribute.clear(), "`compare` is missing"),
        (
            |f| {
                let t = node(f)
                    .attribute
                    .iter_mut()
                    .find(|a| a.name() == "cut_features");
                let t = t.unwrap().t.as_mut().unwrap();
                t.raw_data = Some(vec![0xff; t.raw_data().len()].into());
            },
            "not ascending",
        ),
    ];
    fn node(f: &mut ModelProto) -> &mut NodeProto {
        let nodes = &mut f.graph.as_mut().unwrap().node;
        nodes.iter_mut().find(|n| n.domain() == DOMAIN).unwrap()
    }
    let good = lower(&random::ensemble(2, &Shape::default()), false).unwrap();
    for (spoil, want) in cases {
        let mut bad = good.clone();
        spoil(&mut bad);
        let error = crate::lift(&bad).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    }
}
