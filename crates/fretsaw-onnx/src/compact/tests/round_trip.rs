//! Everything the IR can hold comes back, and takes few bytes.

use fretsaw_model::random::{self, Shape};
use fretsaw_model::{
    BaseOrder, Body, Draft, Ensemble, Float, Missing, Model, Node, Rows, Split, Sum, Target, Test,
    Tree, margins,
};
use prost::Message as _;

use super::super::decode;
use super::{attribute, node, tensor};
use crate::proto::NodeProto;
use crate::proto::tensor_proto::DataType;

fn with(model: &Model, e: Ensemble) -> Model {
    let draft = Draft {
        body: Body::Ensemble(e),
        ..model.to_draft()
    };
    draft.build().unwrap()
}

#[test]
fn every_ensemble_comes_back() {
    for seed in 0..400 {
        let model = random::ensemble(seed, &Shape::any(seed));
        let e = model.ensemble().unwrap();
        let bytes = node(e).encode_to_vec();
        let read = NodeProto::decode(&*bytes).unwrap();
        let back = decode(&read).unwrap();

        // All but the numbering inside trees.
        let plain = |e: &Ensemble| Ensemble {
            trees: vec![],
            ..e.clone()
        };
        assert_eq!(plain(&back), plain(e), "seed {seed}");
        for (a, b) in back.trees.iter().zip(&e.trees) {
            assert_eq!(
                (a.weight, a.target, a.stats()),
                (b.weight, b.target, b.stats())
            );
        }
        assert_eq!(node(&back).encode_to_vec(), bytes, "seed {seed}");

        let back = with(&model, back);
        let x = random::rows(seed, &model, 40);
        let rows = Rows::f64(&x, model.features.len()).unwrap();
        let bits = |m: &Model| -> Vec<u64> {
            let margins = margins(m, &rows).unwrap();
            margins.iter().map(|v| v.to_bits()).collect()
        };
        assert_eq!(bits(&back), bits(&model), "seed {seed}");
    }
}

#[test]
fn nothing_is_written_for_what_is_ordinary() {
    let shape = Shape {
        n_trees: 50,
        ..Shape::default()
    };
    let mut e = random::ensemble(1, &shape).ensemble().unwrap().clone();
    e.multiply = vec![1.0];
    e.divide = 1.0;
    e.base_order = BaseOrder::First;
    for tree in &mut e.trees {
        tree.weight = 1.0;
    }
    let names: Vec<String> = node(&e)
        .attribute
        .iter()
        .map(|a| a.name().to_owned())
        .collect();
    assert_eq!(
        names,
        [
            "compare",
            "sum",
            "base_order",
            "base",
            "n_trees",
            "cut_features",
            "cut_counts",
            "cut_values",
            "cut_values_wide",
            "cut_modes",
            "predicate_missing",
            "tree_nodes",
            "split_predicates",
            "split_missing_yes",
            "leaf_values",
        ]
    );
}

/// The example of `docs/operator.md`.
#[test]
fn the_example_is_as_documented() {
    let split = |feature, t, yes, no| {
        Node::Split(Split {
            feature,
            test: Test::Less(t),
            missing: Missing::Nan { yes: true },
            yes,
            no,
        })
    };
    let tree = |nodes, leaves| Tree {
        weight: 1.0,
        target: Target::Output(0),
        nodes,
        leaves,
        linear: vec![],
        sets: vec![],
    };
    let leaf = Node::Leaf;
    let e = Ensemble {
        n_outputs: 1,
        compare: Float::F32,
        sum: Sum::F32,
        base: vec![0.0],
        base_order: BaseOrder::First,
        multiply: vec![1.0],
        divide: 1.0,
        trees: vec![
            tree(
                // Numbered unlike a walk meets them.
                vec![
                    split(0, 0.5, 3, 1),
                    split(1, 2.0, 2, 4),
                    leaf(2),
                    leaf(0),
                    leaf(1),
                ],
                vec![0.25, 3.0, -1.0],
            ),
            tree(vec![split(0, 0.75, 1, 2), leaf(0), leaf(1)], vec![1.0, 2.0]),
        ],
    };
    let mut node = node(&e);
    assert_eq!(attribute(&mut node, "n_trees").i, Some(2));
    assert_eq!(attribute(&mut node, "missing_yes").i, Some(1));
    let f16s = |v: &[u16]| v.iter().flat_map(|b| b.to_le_bytes()).collect::<Vec<u8>>();
    for (name, bytes) in [
        ("cut_features", vec![0, 1]),
        ("cut_counts", vec![2, 1]),
        ("cut_values", f16s(&[0x3800, 0x3a00, 0x4000])),
        ("cut_modes", vec![1]),
        ("predicate_missing", vec![0]),
        ("tree_nodes", vec![0x25]),
        ("split_predicates", vec![0x18]),
        (
            "leaf_values",
            f16s(&[0x3400, 0xbc00, 0x4200, 0x3c00, 0x4000]),
        ),
    ] {
        assert_eq!(tensor(&mut node, name).raw_data(), bytes, "{name}");
    }
    let back = decode(&node).unwrap();
    assert_eq!(back.trees[0].leaves, [0.25, -1.0, 3.0]);
    assert_eq!(
        back.trees[0].nodes,
        [
            split(0, 0.5, 1, 2),
            leaf(0),
            split(1, 2.0, 3, 4),
            leaf(1),
            leaf(2)
        ]
    );
}

/// Whole numbers are rounded to -0 as well as to 0; in an integer sum they are the same.
#[test]
fn minus_zero_is_no_obstacle_to_integers() {
    let mut e = large();
    e.trees.truncate(1);
    e.sum = Sum::I32;
    e.trees[0].leaves.iter_mut().for_each(|v| *v = -0.0);
    let mut node = node(&e);
    let leaves = tensor(&mut node, "leaf_values");
    assert_eq!(leaves.data_type, Some(DataType::Int8 as i32));
    assert!(
        decode(&node).unwrap().trees[0]
            .leaves
            .iter()
            .all(|v| v.to_bits() == 0)
    );
}

/// A thousand trees on 30 features of 256 cuts, of the kind that XGBoost trains.
fn large() -> Ensemble {
    let shape = Shape {
        n_features: 30,
        n_trees: 1000,
        max_leaves: 64,
        n_cuts: 256,
        chain: 0,
        ..Shape::default()
    };
    let mut e = random::ensemble(3, &shape).ensemble().unwrap().clone();
    for tree in &mut e.trees {
        tree.weight = 1.0;
        for node in &mut tree.nodes {
            if let Node::Split(split) = node
                && let Test::LessEq(t)
                | Test::Greater(t)
                | Test::GreaterEq(t)
                | Test::Equal(t)
                | Test::NotEqual(t)
                | Test::Less(t) = split.test
            {
                split.test = Test::Less(f64::from(t as f32));
                split.missing = Missing::Nan { yes: t > 0.0 };
            }
        }
    }
    e
}

#[test]
fn a_node_takes_a_few_bytes() {
    let mut e = large();
    let n_nodes: usize = e.trees.iter().map(|t| t.nodes.len()).sum();
    let size = |e: &Ensemble| node(e).encoded_len() as f64 / n_nodes as f64;
    // f32 leaves; then i8 leaves.
    let exact = size(&e);
    e.sum = Sum::I32;
    for tree in &mut e.trees {
        tree.weight = 1.0;
        tree.leaves
            .iter_mut()
            .for_each(|v| *v = (*v * 127.0).round());
    }
    let integer = size(&e);
    assert!((3.0..5.0).contains(&exact), "{exact} bytes a node");
    assert!(
        (exact - integer - 1.5).abs() < 0.1,
        "{integer} bytes a node"
    );
}
