//! Files that are cut off, lie, or contradict themselves: one clear line each, and never a panic.

use fretsaw_model::random::{self, Shape};
use fretsaw_onnx::proto::{AttributeProto, ModelProto, NodeProto, tensor_shape_proto, type_proto};
use fretsaw_onnx::{ErrorKind, LowerOptions, check, lift, lower, read, write};

fn model(ml_opset: i64) -> ModelProto {
    let shape = Shape {
        n_trees: 3,
        max_leaves: 9,
        chain: 0,
        ..Shape::default()
    };
    let mut draft = random::ensemble(3, &shape).into_draft();
    // Missing kinds that need no preparation, so that the operator is the first node.
    if let fretsaw_model::Body::Ensemble(e) = &mut draft.body {
        for node in e.trees.iter_mut().flat_map(|t| &mut t.nodes) {
            if let fretsaw_model::Node::Split(s) = node {
                s.missing = fretsaw_model::Missing::Nan { yes: true };
            }
        }
    }
    let options = LowerOptions {
        ml_opset,
        ..LowerOptions::default()
    };
    lower(&draft.build().unwrap(), &options).unwrap()
}

fn ensemble(m: &mut ModelProto) -> &mut NodeProto {
    let nodes = &mut m.graph.as_mut().unwrap().node;
    nodes
        .iter_mut()
        .find(|n| n.op_type().starts_with("TreeEnsemble"))
        .unwrap()
}

fn attribute<'a>(m: &'a mut ModelProto, name: &str) -> &'a mut AttributeProto {
    let all = &mut ensemble(m).attribute;
    all.iter_mut().find(|a| a.name() == name).unwrap()
}

fn remove(m: &mut ModelProto, name: &str) {
    ensemble(m).attribute.retain(|a| a.name() != name);
}

#[test]
fn every_cut_is_an_error_or_a_smaller_file() {
    let whole = write(&model(3)).unwrap();
    for at in 0..whole.len() {
        // A cut between fields leaves a message that can be read; it must still be refused later.
        if let Ok(m) = read(whole[..at].to_vec()) {
            let result = check(&m).and_then(|()| lift(&m).map(drop));
            let metadata_only = m.graph == model(3).graph && m.opset_import.len() == 2;
            assert!(result.is_err() || metadata_only, "cut at {at}");
        }
    }
}

#[test]
fn flipped_bytes_never_panic() {
    for ml_opset in [3, 5] {
        let whole = write(&model(ml_opset)).unwrap();
        let mut r = random::Rng::new(5);
        for _ in 0..3000 {
            let mut bytes = whole.clone();
            for _ in 0..1 + r.below(3) {
                let at = r.below(bytes.len());
                bytes[at] = r.bits() as u8;
            }
            if let Ok(m) = read(bytes) {
                let _ = check(&m);
                if let Err(e) = lift(&m) {
                    assert!(!e.to_string().contains('\n'), "{e:?}");
                }
            }
        }
    }
}

/// Graphs of many kinds of operators, with bytes of their constants and attributes changed.
#[test]
fn graphs_with_flipped_bytes_never_panic() {
    let mut r = random::Rng::new(6);
    for case in crate::foreign::cases() {
        let whole = std::fs::read(case.join("model.onnx")).unwrap();
        for _ in 0..60 {
            let mut bytes = whole.clone();
            for _ in 0..1 + r.below(2) {
                let at = r.below(bytes.len());
                bytes[at] = r.bits() as u8;
            }
            if let Ok(m) = read(bytes)
                && let Err(e) = lift(&m)
            {
                assert!(!e.to_string().contains('\n'), "{e:?}");
            }
        }
    }
}

#[test]
fn nonsense_is_no_onnx_file() {
    for bytes in [&b""[..], b"not a model", b"\x08\x08", &[0xff; 64]] {
        let e = read(bytes.to_vec()).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Malformed, "{e}");
    }
    // A graph in a graph in a graph: deeper than any reader should follow.
    let mut bytes = Vec::new();
    for _ in 0..10_000 {
        // AttributeProto.g, in NodeProto.attribute, in GraphProto.node: lengths do not matter here.
        bytes.splice(0..0, [0x32, 0x7f, 0x2a, 0x7f, 0x0a, 0x7f]);
    }
    bytes.splice(0..0, [0x3a, 0x7f]);
    assert!(read(bytes).is_err());
}

#[test]
fn declared_sizes_are_not_believed() {
    let mut m = model(3);
    let input = &mut m.graph.as_mut().unwrap().input[0];
    let Some(type_proto::Value::TensorType(t)) = &mut input.r#type.as_mut().unwrap().value else {
        panic!("the input is a tensor");
    };
    t.shape.as_mut().unwrap().dim[1].value =
        Some(tensor_shape_proto::dimension::Value::DimValue(1 << 60));
    let e = lift(&m).unwrap_err().to_string();
    assert!(e.contains("row of 1152921504606846976 features"), "{e}");

    let mut m = model(3);
    attribute(&mut m, "n_targets").i = Some(1 << 40);
    let e = lift(&m).unwrap_err().to_string();
    assert!(e.contains("n_targets is 1099511627776"), "{e}");
}

#[test]
fn joins_that_double_are_cut_off() {
    let mut m = model(3);
    let graph = m.graph.as_mut().unwrap();
    let mut x = "input".to_string();
    for i in 0..60 {
        let output = format!("x{i}");
        graph.node.insert(
            i,
            NodeProto {
                op_type: Some("Concat".into()),
                input: vec![x.clone(), x],
                output: vec![output.clone()],
                attribute: vec![AttributeProto {
                    name: Some("axis".into()),
                    r#type: Some(2),
                    i: Some(1),
                    ..AttributeProto::default()
                }],
                ..NodeProto::default()
            },
        );
        x = output;
    }
    ensemble(&mut m).input[0] = x;
    let e = lift(&m).unwrap_err().to_string();
    assert!(e.contains("so many"), "{e}");
}

type Break = fn(&mut ModelProto);

fn refused(ml_opset: i64, cases: &[(Break, &str)]) {
    lift(&model(ml_opset)).unwrap();
    for (change, want) in cases {
        let mut m = model(ml_opset);
        change(&mut m);
        let got = lift(&m).unwrap_err().to_string();
        assert!(got.contains(want), "{got:?} does not say {want:?}");
        assert!(!got.contains('\n'));
    }
}

#[test]
fn version_3_that_contradicts_itself() {
    refused(
        3,
        &[
            (|m| remove(m, "nodes_treeids"), "nodes_treeids is missing"),
            (|m| remove(m, "nodes_modes"), "nodes_modes has 0 elements"),
            (|m| remove(m, "target_ids"), "target_ids is missing"),
            (|m| remove(m, "n_targets"), "n_targets is 0"),
            (
                |m| attribute(m, "nodes_values").floats.truncate(1),
                "nodes_values has",
            ),
            (
                |m| attribute(m, "target_nodeids").ints.truncate(1),
                "target_nodeids has",
            ),
            (
                |m| attribute(m, "nodes_truenodeids").ints[1] = 99,
                "its child 99 does not exist",
            ),
            (
                // The root as its own child.
                |m| {
                    let i = split(m);
                    let id = attribute(m, "nodes_nodeids").ints[i];
                    attribute(m, "nodes_truenodeids").ints[i] = id;
                },
                "two parents",
            ),
            (
                |m| {
                    let i = split(m);
                    let other = attribute(m, "nodes_truenodeids").ints[i];
                    attribute(m, "nodes_falsenodeids").ints[i] = other;
                },
                "two parents",
            ),
            (
                |m| {
                    let i = split(m);
                    attribute(m, "nodes_featureids").ints[i] = 1000;
                },
                "it tests feature 1000 of 7",
            ),
            (
                |m| {
                    let i = split(m);
                    attribute(m, "nodes_featureids").ints[i] = -1;
                },
                "feature -1 is no feature",
            ),
            (
                |m| {
                    let i = split(m);
                    attribute(m, "nodes_modes").strings[i] = b"BRANCH_NOT\n".to_vec().into();
                },
                "the node mode \"BRANCH_NOT\\n\" is not supported",
            ),
            (
                |m| {
                    let i = split(m);
                    attribute(m, "nodes_values").floats[i] = f32::NAN;
                },
                "its threshold is NaN",
            ),
            (
                |m| attribute(m, "target_ids").ints[0] = 7,
                "for output 7 of 1",
            ),
            (
                |m| attribute(m, "target_treeids").ints[0] = 50,
                "which does not exist",
            ),
            (
                |m| attribute(m, "aggregate_function").s = Some(b"MEDIAN".to_vec()),
                "the aggregate_function MEDIAN is not supported",
            ),
            (
                |m| {
                    let ids = attribute(m, "nodes_treeids").ints.clone();
                    attribute(m, "nodes_nodeids").ints[ids.len() - 1] = 1000;
                    attribute(m, "nodes_treeids").ints[ids.len() - 1] = ids[0];
                },
                "do not stand together",
            ),
            (
                |m| ensemble(m).op_type = Some("Frobnicate".into()),
                "Frobnicate is not supported",
            ),
            (
                |m| ensemble(m).domain = Some("my.domain".into()),
                "\"my.domain\" is not imported",
            ),
        ],
    );
}

/// The position of the first node that is no leaf.
fn split(m: &mut ModelProto) -> usize {
    let modes = &attribute(m, "nodes_modes").strings;
    modes.iter().position(|m| &m[..] != b"LEAF").unwrap()
}

#[test]
fn version_5_that_contradicts_itself() {
    refused(
        5,
        &[
            (|m| remove(m, "tree_roots"), "tree_roots is missing"),
            (|m| remove(m, "nodes_modes"), "nodes_modes is missing"),
            (|m| remove(m, "leaf_weights"), "leaf_weights is missing"),
            (
                |m| {
                    // Each asks for a set; there is not one.
                    let modes = attribute(m, "nodes_modes").t.as_mut().unwrap();
                    let n = modes.dims[0] as usize;
                    *modes = fretsaw_onnx::tensor::from_u8s("nodes_modes", &[n], vec![6; n]);
                },
                "node 0: membership_values has no set for it",
            ),
            (
                |m| attribute(m, "nodes_splits").t.as_mut().unwrap().dims = vec![1000],
                "its shape [1000] needs 1000",
            ),
            (
                |m| attribute(m, "nodes_featureids").ints.truncate(1),
                "nodes_featureids has",
            ),
            (
                |m| attribute(m, "nodes_truenodeids").ints[0] = 9999,
                "its child does not exist",
            ),
            (
                |m| attribute(m, "tree_roots").ints[0] = -4,
                "a tree's root does not exist",
            ),
            (
                |m| {
                    attribute(m, "nodes_trueleafs").ints[0] = 0;
                    attribute(m, "nodes_truenodeids").ints[0] = 0;
                },
                "two parents",
            ),
            (
                |m| attribute(m, "leaf_targetids").ints[0] = 5,
                "for output 5 of 1",
            ),
            (
                |m| attribute(m, "aggregate_function").i = Some(4),
                "aggregate_function is 4",
            ),
        ],
    );
}
