//! Whole files: they are well formed, and lie where the portable ones lie but for one node.

use fretsaw_model::{Answer, Body, InterceptOrder, Linear, LinearMissing, Link, Sum, random};

use super::super::{DOMAIN, OP_TYPE, VERSION, decode, lower};
use crate::ErrorKind;
use crate::proto::ModelProto;
use crate::proto::tensor_proto::DataType;
use crate::proto::type_proto::Value;

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
        sum: fretsaw_model::Float::F32,
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
