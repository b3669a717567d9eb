//! Random models over every instruction set, strategy, batch size and thread count.

use fretsaw_engine::{Isa, MarginsMut, Options, Plan, Scratch, Strategy};
use fretsaw_model::random::{self, Rng, Shape};
use fretsaw_model::{
    Body, Derived, Draft, Float, InterceptOrder, KeyPart, Linear, LinearMissing, Link, Missing,
    Model, Node, Rows, Step, Sum, Test, extend_key,
};

const STRATEGIES: [Strategy; 3] = [Strategy::Auto, Strategy::BitSliced, Strategy::Walk];
const SIZES: [usize; 10] = [0, 1, 2, 63, 64, 65, 511, 512, 513, 1100];

/// Margins by one way of running, widened.
fn run(
    plan: &Plan,
    rows: &Rows<'_>,
    how: impl FnOnce(&Plan, &Rows<'_>, MarginsMut<'_>),
) -> Vec<f64> {
    let n = rows.n_rows() * plan.n_outputs();
    match plan.margin() {
        Float::F32 => {
            let mut out = vec![f32::NAN; n];
            how(plan, rows, MarginsMut::F32(&mut out));
            out.into_iter().map(f64::from).collect()
        }
        Float::F64 => {
            let mut out = vec![f64::NAN; n];
            how(plan, rows, MarginsMut::F64(&mut out));
            out
        }
    }
}

fn assert_same(got: &[f64], want: &[f64], what: &dyn Fn() -> String) {
    assert_eq!(got.len(), want.len(), "{}", what());
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let same = g.to_bits() == w.to_bits() || (g.is_nan() && w.is_nan());
        assert!(same, "{}: margin {i} is {g:e}, not {w:e}", what());
    }
}

/// Everything that can be asked of `model`, at `sizes`.
fn check(model: &Model, seed: u64, sizes: &[usize], scratch: &mut Scratch) {
    let most = sizes.iter().copied().max().unwrap_or(0);
    let wide = random::rows(seed, model, most);
    let narrow: Vec<f32> = wide.iter().map(|&x| x as f32).collect();
    let n_features = model.features.len();
    let all = [
        Rows::f32(&narrow, n_features).unwrap(),
        Rows::f64(&wide, n_features).unwrap(),
    ];
    let want = all.map(|rows| fretsaw_model::margins(model, &rows).unwrap());
    for isa in Isa::available() {
        for strategy in STRATEGIES {
            let plan = Plan::compile(model, &Options::new(Some(isa), strategy)).unwrap();
            for (rows, want) in all.iter().zip(&want) {
                for &n in sizes {
                    let rows = rows.slice(0..n);
                    let got = run(&plan, &rows, |p, r, out| {
                        p.margins(r, out, scratch).unwrap();
                    });
                    let what = || {
                        format!(
                            "seed {seed}, {isa}, {strategy:?}, {:?} rows, {n} of them",
                            rows.float()
                        )
                    };
                    assert_same(&got, &want[..n * plan.n_outputs()], &what);
                }
            }
        }
    }
}

#[test]
fn random_models() {
    let mut scratch = Scratch::default();
    for seed in 0..100 {
        let n = SIZES[seed as usize % SIZES.len()];
        check(&random::model(seed), seed, &[n, 77], &mut scratch);
    }
}

#[test]
fn batch_sizes() {
    let mut scratch = Scratch::default();
    for (seed, sum) in [(1, Sum::F32), (2, Sum::F64), (3, Sum::I32)] {
        for max_leaves in [64, 256] {
            let shape = Shape {
                sum,
                max_leaves,
                n_trees: 40,
                n_outputs: 3,
                vector: true,
                categories: true,
                ..Shape::default()
            };
            check(&random::ensemble(seed, &shape), seed, &SIZES, &mut scratch);
        }
    }
}

/// Shapes that are easy to get wrong: one leaf, one split, chains, full bytes of codes.
#[test]
fn tree_shapes() {
    let mut scratch = Scratch::default();
    for seed in 0..2 {
        for (max_leaves, chain) in [
            (1, 0),
            (2, 0),
            (3, 1),
            (64, 1),
            (65, 1),
            (100, 0),
            (128, 0),
            (256, 1),
            (256, 0),
            (257, 2),
        ] {
            for compare in [Float::F32, Float::F64] {
                let shape = Shape {
                    max_leaves,
                    chain,
                    compare,
                    n_trees: 20,
                    n_cuts: 300,
                    ..Shape::default()
                };
                check(&random::ensemble(seed, &shape), seed, &[130], &mut scratch);
            }
        }
    }
}

/// Rows without a missing value, which walks take a shorter way with.
#[test]
fn whole_rows() {
    for seed in 0..6 {
        let shape = Shape {
            compare: if seed % 2 == 0 {
                Float::F32
            } else {
                Float::F64
            },
            max_leaves: 300,
            ..Shape::default()
        };
        // Only plain comparisons, so that nothing stands in the shorter way.
        let mut draft = random::ensemble(seed, &shape).into_draft();
        if let Body::Ensemble(e) = &mut draft.body {
            for node in e.trees.iter_mut().flat_map(|t| &mut t.nodes) {
                if let Node::Split(split) = node {
                    split.missing = Missing::Nan { yes: true };
                    if let Test::Equal(t) | Test::NotEqual(t) = split.test {
                        split.test = Test::LessEq(t);
                    }
                }
            }
        }
        let model = draft.build().unwrap();
        let mut values = random::rows(seed, &model, 40);
        values
            .iter_mut()
            .for_each(|x| *x = if x.is_nan() { 0.5 } else { *x });
        let rows = Rows::f64(&values, model.features.len()).unwrap();
        let want = fretsaw_model::margins(&model, &rows).unwrap();
        let plan = Plan::compile(&model, &Options::new(None, Strategy::Walk)).unwrap();
        for n in [1, 7, 40] {
            let rows = rows.slice(0..n);
            let got = run(&plan, &rows, |p, r, out| {
                p.margins(r, out, &mut p.scratch()).unwrap();
            });
            assert_same(&got, &want[..n], &|| format!("seed {seed}, {n} rows"));
        }
    }
}

/// Integer leaves of one, two and more bytes, whose partial sums pass 16 bits.
#[test]
fn integer_leaves() {
    let mut scratch = Scratch::default();
    for (seed, factor) in [(1, 1.0), (2, 258.0), (3, 258.014)] {
        let shape = Shape {
            sum: Sum::I32,
            n_trees: 70,
            n_outputs: 2,
            vector: true,
            max_leaves: if seed == 2 { 200 } else { 60 },
            ..Shape::default()
        };
        let mut draft = random::ensemble(seed, &shape).into_draft();
        if let Body::Ensemble(e) = &mut draft.body {
            for leaf in e.trees.iter_mut().flat_map(|t| &mut t.leaves) {
                *leaf = (*leaf * factor).round();
            }
            // Beyond 16 bits by one.
            if seed == 3 {
                e.trees.iter_mut().for_each(|t| t.leaves[0] = 32_768.0);
            }
        }
        check(&draft.build().unwrap(), seed, &[64, 700], &mut scratch);
    }
}

/// Columns with too few cuts for a ladder, enough, and more than one holds, both ways for missing
/// values.
#[test]
fn numbers_of_cuts() {
    let mut scratch = Scratch::default();
    for n_cuts in [3, 12, 16, 31, 32, 63, 64, 127, 128, 255, 256, 600] {
        for compare in [Float::F32, Float::F64] {
            let shape = Shape {
                n_features: 2,
                n_trees: 60,
                max_leaves: 60,
                n_cuts,
                compare,
                ..Shape::default()
            };
            let model = random::ensemble(n_cuts as u64, &shape);
            check(&model, n_cuts as u64, &[200], &mut scratch);
        }
    }
}

#[test]
fn steps_in_front() {
    let mut scratch = Scratch::default();
    for seed in 0..12 {
        let mut draft = random::model(seed).into_draft();
        let n = draft.features.len();
        draft.steps = vec![
            Step::MarkMissing { value: -999.0 },
            Step::FlushTiny { limit: 1e-35 },
            Step::Impute {
                values: (0..n)
                    .map(|i| if i % 2 == 0 { 0.25 } else { f64::NAN })
                    .collect(),
            },
            Step::Scale {
                shift: vec![0.1; n],
                scale: vec![1.7; n],
            },
        ];
        if seed % 2 == 1 {
            draft.steps.insert(seed as usize / 2 % 4, Step::Widen);
        }
        let model = draft.build().unwrap();
        check(&model, seed, &[1, 130], &mut scratch);
    }
}

/// The features that the trees know are half the rows', half looked up.
#[test]
fn looked_up_features() {
    let mut scratch = Scratch::default();
    for seed in 0..12 {
        let mut r = Rng::new(seed);
        let shape = Shape {
            n_features: 6,
            sum: r.pick(&[Sum::F32, Sum::F64]),
            n_outputs: r.pick(&[1, 3]),
            ..Shape::default()
        };
        let mut draft = random::ensemble(seed, &shape).into_draft();
        draft.features.truncate(3);
        let part = |feature| KeyPart::Above {
            feature,
            border: 0.3,
            missing: feature == 1,
        };
        let table = |r: &mut Rng, parts: Vec<KeyPart>, width: usize| {
            let mut keys = vec![0];
            for _ in &parts {
                keys = [0, 1]
                    .iter()
                    .flat_map(|&bit| keys.iter().map(move |&k| extend_key(k, bit)))
                    .collect();
            }
            keys.sort_unstable();
            keys.pop();
            Derived {
                values: (0..keys.len() * width).map(|_| r.unit() * 3.0).collect(),
                otherwise: (0..width).map(|_| r.unit()).collect(),
                parts,
                keys,
            }
        };
        let one = table(&mut r, vec![part(0), part(1)], 2);
        let two = table(&mut r, vec![part(3), part(2), part(4)], 1);
        draft.steps = vec![
            Step::MarkMissing { value: -999.0 },
            Step::Derive(vec![one, two]),
        ];
        check(&draft.build().unwrap(), seed, &[1, 63, 600], &mut scratch);
    }
}

#[test]
fn linear_models() {
    let mut scratch = Scratch::default();
    let base = random::ensemble(5, &Shape::default());
    for seed in 0..16_u64 {
        let mut r = Rng::new(seed);
        let n_outputs = r.pick(&[1, 3]);
        let n_features = base.features.len();
        let mut draft: Draft = base.to_draft();
        draft.link = Link::Identity;
        draft.body = Body::Linear(Linear {
            n_outputs,
            sum: if seed % 2 == 0 {
                Float::F32
            } else {
                Float::F64
            },
            weights: (0..n_features * n_outputs).map(|_| r.unit()).collect(),
            intercept: (0..n_outputs).map(|_| r.unit()).collect(),
            intercept_order: r.pick(&[InterceptOrder::First, InterceptOrder::Last]),
            missing: r.pick(&[LinearMissing::Skip, LinearMissing::Propagate]),
        });
        check(&draft.build().unwrap(), seed, &[0, 1, 513], &mut scratch);
    }
}

#[test]
fn threads_and_the_plain_walk() {
    let mut scratch = Scratch::default();
    for seed in 0..8 {
        // Enough work a row that threads are started.
        let shape = Shape {
            n_trees: 400,
            n_outputs: 2,
            max_leaves: 40,
            linear: seed % 4 == 3,
            sum: if seed % 2 == 0 { Sum::F32 } else { Sum::F64 },
            ..Shape::default()
        };
        let model = random::ensemble(seed, &shape);
        let values = random::rows(seed, &model, 2100);
        let rows = Rows::f64(&values, model.features.len()).unwrap();
        let plan = Plan::compile(&model, &Options::default()).unwrap();
        let one = run(&plan, &rows, |p, r, out| {
            p.margins(r, out, &mut scratch).unwrap();
        });
        assert_same(
            &one[..200],
            &fretsaw_model::margins(&model, &rows.slice(0..100)).unwrap(),
            &|| format!("seed {seed}"),
        );
        let plain = Options::new(None, Strategy::PlainWalk);
        let plain = Plan::compile(&model, &plain).unwrap();
        let walk = run(&plain, &rows, |p, r, out| {
            p.margins(r, out, &mut scratch).unwrap();
        });
        assert_same(&walk, &one, &|| format!("seed {seed}, walked"));
        for n_threads in [1, 2, 3, 8] {
            let mut scratches: Vec<Scratch> = (0..n_threads).map(|_| plan.scratch()).collect();
            let many = run(&plan, &rows, |p, r, out| {
                p.margins_threads(r, out, &mut scratches).unwrap();
            });
            assert_same(&many, &one, &|| format!("seed {seed}, {n_threads} threads"));
        }
    }
}
