//! Nothing that a file can say does harm.

use fretsaw_model::random::{self, Rng, Shape};
use fretsaw_model::{Body, Draft, Ensemble, Sum};
use prost::Message as _;

use super::super::bits::BitWriter;
use super::super::writer::Writer;
use super::super::{categories, decode, encode};
use super::{attribute, node, set, tensor};
use crate::proto::NodeProto;
use crate::proto::tensor_proto::DataType;

fn remove(node: &mut NodeProto, name: &str) {
    node.attribute.retain(|a| a.name() != name);
}

/// An ensemble that uses every attribute.
fn rich() -> Ensemble {
    let shape = Shape {
        n_features: 5,
        n_outputs: 3,
        n_trees: 12,
        max_leaves: 30,
        n_cuts: 40,
        categories: true,
        linear: true,
        vector: true,
        sum: Sum::F64,
        ..Shape::default()
    };
    let mut e = random::ensemble(5, &shape).ensemble().unwrap().clone();
    e.divide = 3.0;
    e.multiply = vec![1.0, 0.5, 1.0];
    e
}

#[test]
fn lies_are_refused_with_the_attribute_that_tells_them() {
    use DataType as D;
    type Spoil = fn(&mut NodeProto);
    let cases: &[(Spoil, &str)] = &[
        (
            |n| n.op_type = Some("TreeEnsembleRegressor".into()),
            "TreeEnsembleRegressor",
        ),
        (|n| n.domain = Some("ai.onnx.ml".into()), "ai.onnx.ml"),
        (|n| remove(n, "base"), "`base` is missing"),
        (|n| set(n, "base", D::Int8, 0, &[]), "`base` is empty"),
        (|n| remove(n, "sum"), "`sum` is missing"),
        (
            |n| attribute(n, "sum").s = Some(b"f128\n".to_vec()),
            "`sum` is \"f128\\n\", not one of FLOAT",
        ),
        (
            |n| attribute(n, "sum").name = Some("total".into()),
            "`sum` is missing",
        ),
        (
            |n| attribute(n, "divide").name = Some("quotient".into()),
            "\"quotient\" is not one of version 1",
        ),
        (
            |n| attribute(n, "divide").name = Some("base".into()),
            "\"base\" stands twice",
        ),
        (
            |n| attribute(n, "n_trees").r#type = Some(1),
            "`n_trees` is of type FLOAT, not INT",
        ),
        (
            |n| attribute(n, "n_trees").i = Some(-1),
            "-1 trees are declared",
        ),
        (
            |n| attribute(n, "n_trees").i = Some(i64::MAX),
            "trees are declared, but",
        ),
        (
            |n| attribute(n, "n_trees").i = Some(13),
            "`tree_weights` has 12 values where there must be 13",
        ),
        (
            |n| set(n, "multiply", D::Int8, 1, &[1]),
            "`multiply` has 1 values where there must be 3",
        ),
        (
            |n| set(n, "divide", D::Int8, 0, &[]),
            "`divide` has 0 values",
        ),
        (
            |n| tensor(n, "leaf_values").dims = vec![1 << 40],
            "`leaf_values`",
        ),
        (
            |n| tensor(n, "leaf_values").dims = vec![-1],
            "`leaf_values`",
        ),
        (
            |n| tensor(n, "leaf_values").dims.push(1),
            "not one dimension",
        ),
        (
            |n| tensor(n, "leaf_values").data_type = Some(99),
            "`leaf_values`",
        ),
        (|n| tensor(n, "tree_nodes").raw_data = None, "`tree_nodes`"),
        (
            |n| attribute(n, "tree_nodes").t = None,
            "`tree_nodes` holds no tensor",
        ),
        (
            |n| set(n, "leaf_values", D::Int64, 1, &[0; 8]),
            "`leaf_values` is a tensor of INT64",
        ),
        (
            |n| set(n, "tree_nodes", D::Int8, 1, &[0]),
            "`tree_nodes` is a tensor of INT8",
        ),
        (
            |n| set(n, "tree_targets", D::Float, 12, &[0; 48]),
            "`tree_targets` is a tensor of FLOAT",
        ),
        (
            |n| set(n, "tree_targets", D::Uint8, 12, &[4; 12]),
            "tree 0: attribute `tree_targets`: output 4 of 3",
        ),
        // Trees that never end: splits and nothing else.
        (
            |n| set(n, "tree_nodes", D::Uint8, 2, &[0xff; 2]),
            "`tree_nodes` ends too early",
        ),
        (
            |n| set(n, "tree_nodes", D::Uint8, 2, &[0; 2]),
            "goes on behind the last tree",
        ),
        (
            |n| set(n, "split_predicates", D::Uint8, 1, &[0]),
            "`split_predicates` ends too early",
        ),
        (
            |n| remove(n, "split_predicates"),
            "`split_predicates` ends too early",
        ),
        (
            |n| set(n, "split_missing_yes", D::Uint8, 1, &[0]),
            "`split_missing_yes` ends too early",
        ),
        (
            |n| set(n, "split_missing_yes", D::Uint8, 999, &[0; 999]),
            "`split_missing_yes` goes on",
        ),
        (
            |n| set(n, "leaf_values", D::Int8, 1, &[0]),
            "`leaf_values` ends too early",
        ),
        (
            |n| set(n, "leaf_values", D::Int8, 9999, &[0; 9999]),
            "`leaf_values` goes on",
        ),
        (
            |n| {
                tensor(n, "split_predicates").raw_data =
                    Some(vec![0xff; tensor(n, "split_predicates").raw_data().len()].into())
            },
            "`split_predicates` names predicate",
        ),
        (
            |n| set(n, "cut_counts", D::Uint8, 1, &[1]),
            "`cut_counts` has 1 values",
        ),
        (
            |n| tensor(n, "cut_counts").raw_data = Some(vec![0xff; 4].into()),
            "`cut_counts` adds up to 1020",
        ),
        (
            |n| set(n, "cut_features", D::Uint8, 4, &[0, 2, 1, 3]),
            "`cut_features` is not ascending",
        ),
        (
            |n| set(n, "cut_modes", D::Uint8, 1, &[6]),
            "`cut_modes`: there is no code 6",
        ),
        (
            |n| set(n, "cut_modes", D::Uint8, 2, &[0, 0]),
            "`cut_modes` has 2 codes for",
        ),
        (
            |n| set(n, "predicate_missing", D::Uint8, 1, &[3]),
            "`predicate_missing`: there is no code 3",
        ),
        (
            |n| remove(n, "predicate_missing"),
            "`predicate_missing` is missing",
        ),
        (
            |n| set(n, "categories", D::Uint8, 1, &[4]),
            "`categories`, list 0: the bytes end",
        ),
        (|n| set(n, "categories", D::Uint8, 1, &[0]), "of 1"),
        (
            |n| set(n, "set_indices", D::Uint8, 1, &[3]),
            "`set_indices`: there is no code 3",
        ),
        (
            |n| set(n, "linear_trees", D::Uint8, 1, &[2]),
            "`linear_trees`: there is no code 2",
        ),
        (
            |n| set(n, "linear_counts", D::Uint8, 1, &[2]),
            "`linear_counts` has 1 values",
        ),
        (
            |n| {
                tensor(n, "linear_counts").raw_data =
                    Some(vec![0xff; tensor(n, "linear_counts").raw_data().len()].into())
            },
            "`linear_features` ends too early",
        ),
        (
            |n| set(n, "linear_coefficients", D::Int8, 1, &[2]),
            "`linear_coefficients` has 1 values",
        ),
    ];
    let e = rich();
    let good = node(&e);
    assert!(decode(&good).is_ok());
    for (i, (spoil, want)) in cases.iter().enumerate() {
        let mut bad = good.clone();
        spoil(&mut bad);
        let error = decode(&bad).unwrap_err().to_string();
        assert!(error.contains(want), "case {i}: {error}, not {want}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn mixed_numbers_cannot_lie() {
    use DataType as D;
    let nan = 0x7e00_u16.to_le_bytes();
    let mut good = node(&rich());
    set(
        &mut good,
        "base",
        D::Float16,
        3,
        &[nan, nan, [0, 0]].concat(),
    );
    let mut wide = attribute(&mut good, "base").clone();
    wide.name = Some("base_wide".into());
    good.attribute.push(wide);
    for (n, want) in [
        (1, "refers to more"),
        (2, ""),
        (3, "1 numbers that `base` does not refer to"),
    ] {
        let bytes = 0.1_f64.to_le_bytes().repeat(n);
        set(&mut good, "base_wide", D::Double, n as i64, &bytes);
        match decode(&good) {
            Ok(e) => assert_eq!((&*e.base, want), (&[0.1, 0.1, 0.0][..], "")),
            Err(e) => assert!(!want.is_empty() && e.to_string().contains(want), "{e}"),
        }
    }
    set(&mut good, "base_wide", D::Float16, 2, &[nan, nan].concat());
    let error = decode(&good).unwrap_err().to_string();
    assert!(
        error.contains("`base_wide` is a tensor of FLOAT16"),
        "{error}"
    );
}

#[test]
fn cuts_must_ascend() {
    let mut node = node(&rich());
    let t = tensor(&mut node, "cut_values");
    let n = t.dims[0];
    let bytes: Vec<u8> = (0..n as u64)
        .rev()
        .flat_map(|i| (i as f64).to_le_bytes())
        .collect();
    set(&mut node, "cut_values", DataType::Double, n, &bytes);
    remove(&mut node, "cut_values_wide");
    let error = decode(&node).unwrap_err().to_string();
    assert!(
        error.contains("`cut_values`") && error.contains("stands before"),
        "{error}"
    );
}

/// One large set, and thousands of trees that use it: a few kilobytes that ask for gigabytes.
#[test]
fn copies_of_sets_are_bounded() {
    let n_trees = 1 << 12;
    let mut out = Writer::default();
    for (name, word) in [
        ("compare", "FLOAT"),
        ("sum", "FLOAT"),
        ("base_order", "FIRST"),
    ] {
        out.text(name, word);
    }
    out.numbers("base", &[0.0]);
    out.int("n_trees", n_trees);
    let list: Vec<u32> = (0..100_000).collect();
    let mut bytes = Vec::new();
    categories::write(&list, &mut bytes);
    out.bytes("categories", bytes);
    for name in ["set_features", "set_members"] {
        out.uints(name, &[0]);
    }
    for name in ["set_indices", "predicate_missing"] {
        out.codes(name, vec![0]);
    }
    let mut nodes = BitWriter::default();
    for _ in 0..n_trees {
        nodes.push(0b001, 3);
    }
    out.bits("tree_nodes", nodes);
    out.numbers("leaf_values", &vec![0.0; 2 << 12]);
    let node = NodeProto {
        domain: Some("fretsaw".into()),
        op_type: Some("TreeEnsemble".into()),
        attribute: out.finish(),
        ..NodeProto::default()
    };
    let error = decode(&node).unwrap_err().to_string();
    assert!(error.starts_with("fretsaw.TreeEnsemble"), "{error}");
    assert!(error.contains("tree 671: the category sets"), "{error}");
}

/// Whatever the bytes say, there is an answer, and what is accepted is a valid model or is refused
/// by the one builder of models.
#[test]
fn random_damage_does_no_harm() {
    let mut accepted = 0;
    for seed in 0..60 {
        let model = random::ensemble(seed, &Shape::any(seed));
        let good = node(model.ensemble().unwrap()).encode_to_vec();
        let mut r = Rng::new(seed);
        for _ in 0..60 {
            let mut bytes = good.clone();
            for _ in 0..1 + r.below(3) {
                let at = r.below(bytes.len());
                bytes[at] = r.bits() as u8;
            }
            bytes.truncate(if r.one_in(3) {
                r.below(bytes.len())
            } else {
                bytes.len()
            });
            let Ok(node) = NodeProto::decode(&*bytes) else {
                continue;
            };
            let Ok(e) = decode(&node) else { continue };
            let draft = Draft {
                body: Body::Ensemble(e),
                ..model.to_draft()
            };
            if let Ok(model) = draft.build() {
                accepted += 1;
                encode(model.ensemble().unwrap(), "x", "y").unwrap();
            }
        }
    }
    assert!(
        accepted > 100,
        "only {accepted} of the damaged ones could be read"
    );
}
