//! Walks over compact nodes: large trees, deep ones, many cuts, many columns, tests that no column
//! suits, and blocks that are taken together; against the reference predictor, bit for bit.

use fretsaw_engine::{Isa, MarginsMut, Options, Plan, Scratch, Strategy};
use fretsaw_model::random::{self, Shape};
use fretsaw_model::{Body, Float, Missing, Model, Node, Rows, Split, Sum, Target, Test, Tree};

/// Margins of `rows`, `at_once` in a call.
fn margins(plan: &Plan, rows: &Rows<'_>, at_once: usize, scratch: &mut Scratch) -> Vec<u64> {
    let n = plan.n_outputs();
    let mut bits = Vec::new();
    for at in (0..rows.n_rows()).step_by(at_once) {
        let rows = rows.slice(at..rows.n_rows().min(at + at_once));
        match plan.margin() {
            Float::F32 => {
                let mut out = vec![f32::NAN; rows.n_rows() * n];
                let out_mut = MarginsMut::F32(&mut out);
                plan.margins(&rows, out_mut, scratch).unwrap();
                bits.extend(out.iter().map(|&x| f64::from(x).to_bits()));
            }
            Float::F64 => {
                let mut out = vec![f64::NAN; rows.n_rows() * n];
                let out_mut = MarginsMut::F64(&mut out);
                plan.margins(&rows, out_mut, scratch).unwrap();
                bits.extend(out.iter().map(|x| x.to_bits()));
            }
        }
    }
    bits
}

/// Walks `model` over `rows` of both precisions in blocks and row by row on every instruction set.
fn check(model: &Model, wide: &[f64], strategy: Strategy) {
    let width = model.features.len();
    let narrow: Vec<f32> = wide.iter().map(|&x| x as f32).collect();
    let mut scratch = Scratch::default();
    for rows in [
        Rows::f32(&narrow, width).unwrap(),
        Rows::f64(wide, width).unwrap(),
    ] {
        let want = fretsaw_model::margins(model, &rows).unwrap();
        let want: Vec<u64> = want.iter().map(|x| x.to_bits()).collect();
        for isa in Isa::available() {
            let plan = Plan::compile(model, &Options::new(Some(isa), strategy)).unwrap();
            let few = rows.slice(0..rows.n_rows().min(40));
            let got = margins(&plan, &few, 1, &mut scratch);
            let what = format!("{isa}, {:?}", rows.float());
            assert!(got == want[..got.len()], "{what}, row by row");
            let got = margins(&plan, &rows, rows.n_rows(), &mut scratch);
            assert!(got == want, "{what}, {} rows at once", rows.n_rows());
        }
    }
}

/// A model with the trees of `ensemble` changed.
fn changed(model: Model, change: impl FnOnce(&mut Vec<Tree>)) -> Model {
    let mut draft = model.into_draft();
    if let Body::Ensemble(e) = &mut draft.body {
        change(&mut e.trees);
    }
    draft.build().unwrap()
}

/// Trees of hundreds of leaves, vectors and one-leaf trees among them, in every kind of sum.
#[test]
fn large_trees() {
    for (seed, sum) in [(1, Sum::F32), (2, Sum::F64), (3, Sum::I32)] {
        for (n_outputs, n_trees) in [(1, 40), (2, 33), (5, 3)] {
            let shape = Shape {
                n_features: 5,
                n_outputs,
                n_trees,
                max_leaves: 400,
                n_cuts: 200,
                chain: 7,
                categories: true,
                vector: true,
                sum,
                compare: if seed == 2 { Float::F64 } else { Float::F32 },
                ..Shape::default()
            };
            let model = random::ensemble(seed, &shape);
            let rows = random::rows(seed, &model, 520);
            check(&model, &rows, Strategy::Walk);
        }
    }
}

/// Linear leaves, some of whose features are missing.
#[test]
fn linear_leaves() {
    let shape = Shape {
        n_trees: 40,
        max_leaves: 300,
        linear: true,
        sum: Sum::F64,
        compare: Float::F64,
        ..Shape::default()
    };
    let model = random::ensemble(4, &shape);
    check(&model, &random::rows(4, &model, 600), Strategy::Auto);
}

/// From one register of columns to more than permutations reach, whose ranks leave room for one
/// block at a time only.
#[test]
fn numbers_of_columns() {
    for n_features in [14, 30, 31, 33, 60, 70, 140, 300] {
        let shape = Shape {
            n_features,
            n_trees: 40,
            max_leaves: 90,
            n_cuts: 40,
            ..Shape::default()
        };
        let model = random::ensemble(n_features as u64, &shape);
        let n_rows = if n_features < 300 { 70 } else { 1100 };
        let rows = random::rows(9, &model, n_rows);
        check(&model, &rows, Strategy::Walk);
    }
}

/// More rows than are taken together.
#[test]
fn several_blocks_together() {
    let shape = Shape {
        n_features: 40,
        n_trees: 3,
        max_leaves: 200,
        n_cuts: 100,
        ..Shape::default()
    };
    let model = random::ensemble(11, &shape);
    for n_rows in [513, 3000] {
        check(&model, &random::rows(5, &model, n_rows), Strategy::Walk);
    }
}

/// More cuts of a feature than one column can tell apart, with both answers to NaN.
#[test]
fn more_cuts_than_a_column_holds() {
    let n = 70_000_u32;
    let shape = Shape {
        n_features: 2,
        n_trees: 1,
        ..Shape::default()
    };
    let model = changed(random::ensemble(1, &shape), |trees| {
        let mut tree = trees[0].clone();
        tree.target = Target::Output(0);
        // A balanced tree of all cuts: node by node, what is left to tell apart.
        tree.nodes.clear();
        let mut ranges = vec![(0, n)];
        let mut at = 0;
        while let Some(&(low, high)) = ranges.get(at) {
            at += 1;
            tree.nodes.push(if high - low == 1 {
                Node::Leaf(low)
            } else {
                let cut = low + (high - low) / 2;
                let first = ranges.len() as u32;
                ranges.extend([(low, cut), (cut, high)]);
                Node::Split(Split {
                    feature: 1,
                    test: Test::Less(f64::from(cut)),
                    missing: Missing::Nan { yes: cut % 2 == 0 },
                    yes: first,
                    no: first + 1,
                })
            });
        }
        tree.leaves = (0..n).map(f64::from).collect();
        tree.sets.clear();
        *trees = vec![tree; 3];
    });
    let edges = [
        0,
        1,
        2,
        65_518,
        65_519,
        65_520,
        65_521,
        65_535,
        65_536,
        n - 1,
        n,
    ];
    let rows: Vec<f64> = edges
        .into_iter()
        .map(f64::from)
        .chain((0..300).map(|i| f64::from(i * 233) + 0.5))
        .chain([f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0])
        .flat_map(|x| [0.0, x])
        .collect();
    for isa in Isa::available() {
        let plan = Plan::compile(&model, &Options::new(Some(isa), Strategy::Auto)).unwrap();
        let rows = Rows::f64(&rows, 2).unwrap();
        let want = fretsaw_model::margins(&model, &rows).unwrap();
        let want: Vec<u64> = want.iter().map(|x| x.to_bits()).collect();
        let mut scratch = Scratch::default();
        for at_once in [1, rows.n_rows()] {
            let got = margins(&plan, &rows, at_once, &mut scratch);
            assert!(got == want, "{isa}, {at_once} at once");
        }
    }
}

/// So many tests for equality that rows are not ranked, and trees are walked as they are.
#[test]
fn tests_that_no_column_suits() {
    let shape = Shape {
        n_features: 3,
        n_trees: 12,
        max_leaves: 300,
        n_cuts: 900,
        ..Shape::default()
    };
    for odd in [false, true] {
        let model = changed(random::ensemble(6, &shape), |trees| {
            for node in trees.iter_mut().flat_map(|t| &mut t.nodes) {
                if let Node::Split(split) = node
                    && let Test::Less(t) | Test::LessEq(t) = split.test
                    && (odd || t > 3.0)
                {
                    split.test = Test::Equal(t);
                }
            }
        });
        check(&model, &random::rows(6, &model, 530), Strategy::Walk);
    }
}

/// Shallow trees of every size, fewer and more than are asked for ahead, with deep ones, vectors and
/// functions among them.
#[test]
fn shallow_trees() {
    for (seed, sum) in [(1, Sum::F32), (2, Sum::F64), (3, Sum::I32)] {
        for (max_leaves, n_trees, n_outputs) in [
            (1, 3, 1),
            (3, 31, 1),
            (9, 32, 2),
            (30, 33, 1),
            (60, 100, 3),
            (150, 70, 1),
        ] {
            let shape = Shape {
                n_features: 20,
                n_outputs,
                n_trees,
                max_leaves,
                n_cuts: 300,
                chain: if n_trees % 2 == 1 { 12 } else { 0 },
                categories: true,
                vector: n_outputs == 2,
                linear: n_trees == 70 && sum == Sum::F64,
                sum,
                compare: if seed == 2 { Float::F64 } else { Float::F32 },
            };
            let model = random::ensemble(seed, &shape);
            check(&model, &random::rows(seed, &model, 45), Strategy::Walk);
        }
    }
}
