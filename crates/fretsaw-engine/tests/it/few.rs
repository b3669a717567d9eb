//! One row and few rows: every way that trees can go, on every instruction set.

use fretsaw_engine::{Isa, MarginsMut, Options, Plan, Strategy};
use fretsaw_model::random::{self, Shape};
use fretsaw_model::{Body, Float, Missing, Model, Node, Rows, Sum, Test};

/// The margins of one row at a time, and of all rows at once, against the reference predictor.
fn check(model: &Model, what: &str, n_rows: usize) {
    let n_features = model.features.len();
    let wide = random::rows(7, model, n_rows);
    let narrow: Vec<f32> = wide.iter().map(|&x| x as f32).collect();
    let all = [
        Rows::f32(&narrow, n_features).unwrap(),
        Rows::f64(&wide, n_features).unwrap(),
    ];
    for rows in &all {
        let want = fretsaw_model::margins(model, rows).unwrap();
        for isa in Isa::available() {
            let plan = Plan::compile(model, &Options::new(Some(isa), Strategy::Auto)).unwrap();
            let mut scratch = plan.scratch();
            let n_outputs = plan.n_outputs();
            for row in 0..n_rows {
                let one = rows.slice(row..row + 1);
                let got: Vec<f64> = match plan.margin() {
                    Float::F32 => {
                        let mut out = vec![f32::NAN; n_outputs];
                        let margins = MarginsMut::F32(&mut out);
                        plan.margins(&one, margins, &mut scratch).unwrap();
                        out.into_iter().map(f64::from).collect()
                    }
                    Float::F64 => {
                        let mut out = vec![f64::NAN; n_outputs];
                        let margins = MarginsMut::F64(&mut out);
                        plan.margins(&one, margins, &mut scratch).unwrap();
                        out
                    }
                };
                for (k, got) in got.iter().enumerate() {
                    let want = want[row * n_outputs + k];
                    assert!(
                        got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan()),
                        "{what}, {isa}, {:?} rows: output {k} of row {row} is {got:e}, not {want:e}",
                        rows.float()
                    );
                }
            }
        }
    }
}

/// From one leaf to more than a word has nodes, even and lopsided, with other trees between.
#[test]
fn shapes_of_trees() {
    for (seed, max_leaves) in [1, 2, 3, 5, 8, 20, 50, 64, 65, 66, 200]
        .into_iter()
        .enumerate()
    {
        for chain in [0, 1, 3] {
            for sum in [Sum::F32, Sum::F64, Sum::I32] {
                let shape = Shape {
                    max_leaves,
                    chain,
                    sum,
                    n_trees: 45,
                    n_features: 5,
                    n_cuts: 40,
                    compare: if chain == 1 { Float::F64 } else { Float::F32 },
                    ..Shape::default()
                };
                let model = random::ensemble(seed as u64, &shape);
                check(
                    &model,
                    &format!("{max_leaves} leaves, chain {chain}, {sum:?}"),
                    25,
                );
            }
        }
    }
}

/// Several outputs, vector and linear leaves, category sets.
#[test]
fn kinds_of_leaves() {
    for seed in 0..40 {
        let sum = [Sum::F64, Sum::F32, Sum::I32][seed as usize % 3];
        let shape = Shape {
            n_outputs: 1 + seed as usize % 4,
            n_trees: 30,
            max_leaves: [4, 30, 64][seed as usize / 3 % 3],
            vector: seed % 5 > 2,
            categories: seed % 2 == 1,
            linear: sum == Sum::F64 && seed % 4 == 3,
            sum,
            ..Shape::default()
        };
        check(&random::ensemble(seed, &shape), &format!("seed {seed}"), 20);
    }
}

/// Cuts beyond what a byte counts, and more columns than one, two or four registers hold.
#[test]
fn numbers_of_columns() {
    for (seed, n_features, n_cuts) in [
        (1, 1, 15),
        (2, 1, 16),
        (3, 1, 17),
        (4, 1, 255),
        (5, 1, 256),
        (6, 2, 600),
        (7, 40, 10),
        (8, 90, 10),
        (9, 200, 10),
        (10, 3, 5000),
    ] {
        for compare in [Float::F32, Float::F64] {
            let shape = Shape {
                n_features,
                n_cuts,
                n_trees: 250,
                max_leaves: 30,
                chain: 4,
                compare,
                ..Shape::default()
            };
            let mut draft = random::ensemble(seed, &shape).into_draft();
            if let Body::Ensemble(e) = &mut draft.body {
                // Only plain comparisons, whose columns are counted on here.
                for node in e.trees.iter_mut().flat_map(|t| &mut t.nodes) {
                    if let Node::Split(split) = node {
                        split.missing = Missing::Nan {
                            yes: split.yes % 4 == 1,
                        };
                        if let Test::Equal(t) | Test::NotEqual(t) = split.test {
                            split.test = Test::LessEq(t);
                        }
                    }
                }
            }
            let model = draft.build().unwrap();
            check(&model, &format!("{n_features} features, {n_cuts} cuts"), 30);
        }
    }
}

/// Trees of whole levels, down to as many as lines go, and one test a level.
#[test]
fn complete_trees() {
    for depth in 0..=13 {
        for oblivious in [false, true] {
            let shape = Shape {
                n_trees: 11,
                max_leaves: 2,
                chain: 0,
                ..Shape::default()
            };
            let mut draft = random::ensemble(depth as u64, &shape).into_draft();
            if let Body::Ensemble(e) = &mut draft.body {
                let splits: Vec<_> = random_splits(&shape);
                for (t, tree) in e.trees.iter_mut().enumerate() {
                    // Two trees are less deep than the others.
                    let depth = if t == 3 || t == 7 { depth / 2 } else { depth };
                    let n = (1_usize << depth) - 1;
                    tree.nodes = (0..2 * n + 1_usize)
                        .map(|i| {
                            if i >= n {
                                return Node::Leaf((i - n) as u32);
                            }
                            let level = (i + 1).ilog2() as usize;
                            let which = if oblivious { level } else { i * 7 };
                            let mut split = splits[(which + 13 * t) % splits.len()];
                            (split.yes, split.no) = (2 * i as u32 + 1, 2 * i as u32 + 2);
                            Node::Split(split)
                        })
                        .collect();
                    tree.leaves = (0..n + 1).map(|i| (i * 31 % 17) as f64 * 0.5).collect();
                    tree.sets.clear();
                }
            }
            let model = draft.build().unwrap();
            check(
                &model,
                &format!("depth {depth}, oblivious: {oblivious}"),
                40,
            );
        }
    }
}

/// Plain comparisons as random trees have them.
fn random_splits(shape: &Shape) -> Vec<fretsaw_model::Split> {
    let shape = Shape {
        max_leaves: 30,
        n_trees: 10,
        ..*shape
    };
    let model = random::ensemble(99, &shape);
    let Body::Ensemble(e) = &model.body else {
        unreachable!("an ensemble was asked for")
    };
    let nodes = e.trees.iter().flat_map(|t| &t.nodes);
    nodes
        .filter_map(|node| match node {
            Node::Split(split) => Some(*split),
            Node::Leaf(_) => None,
        })
        .collect()
}
