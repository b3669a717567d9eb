//! Composite models, whose steps of every kind run as programs, against the reference.

use fretsaw_engine::{ErrorKind, Isa, MarginsMut, Options, Plan, Scratch, Strategy};
use fretsaw_model::random;
use fretsaw_model::{
    Body, Codes, Encoder, Feature, Float, InterceptOrder, Kernel, KernelFunction, Linear,
    LinearMissing, Link, Model, Rows, Step,
};

/// What the link sees, widened, or why a row is refused.
fn run(plan: &Plan, rows: &Rows<'_>, scratches: &mut [Scratch]) -> Result<Vec<f64>, String> {
    let n = rows.n_rows() * plan.n_outputs();
    let (mut narrow, mut wide) = (Vec::new(), Vec::new());
    let out = match plan.margin() {
        Float::F32 => {
            narrow.resize(n, f32::NAN);
            MarginsMut::F32(&mut narrow)
        }
        Float::F64 => {
            wide.resize(n, f64::NAN);
            MarginsMut::F64(&mut wide)
        }
    };
    let result = match scratches {
        [one] => plan.margins(rows, out, one),
        many => plan.margins_threads(rows, out, many),
    };
    match result {
        Ok(()) => {
            wide.extend(narrow.into_iter().map(f64::from));
            Ok(wide)
        }
        Err(e) => {
            assert_eq!(e.kind(), ErrorKind::Row);
            Err(e.to_string())
        }
    }
}

fn reference(model: &Model, rows: &Rows<'_>) -> Result<Vec<f64>, String> {
    fretsaw_model::body_rows(model, rows).map_err(|e| e.to_string())
}

fn assert_same(got: &Result<Vec<f64>, String>, want: &Result<Vec<f64>, String>, what: &str) {
    let (Ok(got), Ok(want)) = (got, want) else {
        assert_eq!(got, want, "{what}");
        return;
    };
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let same = g.to_bits() == w.to_bits() || (g.is_nan() && w.is_nan());
        assert!(same, "{what}: value {i} is {g:e}, not {w:e}");
    }
}

/// Both precisions of rows, every instruction set and strategy, at `sizes`.
fn check(model: &Model, seed: u64, sizes: &[usize], scratch: &mut Scratch) {
    let most = sizes.iter().copied().max().unwrap_or(0);
    let wide = random::composite_rows(seed, model, most);
    let narrow: Vec<f32> = wide.iter().map(|&x| x as f32).collect();
    let n_features = model.features.len();
    let all = [
        Rows::f32(&narrow, n_features).unwrap(),
        Rows::f64(&wide, n_features).unwrap(),
    ];
    for rows in all {
        for &n in sizes {
            let rows = rows.slice(0..n);
            let want = reference(model, &rows);
            for isa in Isa::available() {
                for strategy in [Strategy::Auto, Strategy::BitSliced, Strategy::Walk] {
                    let plan = Plan::compile(model, &Options::new(Some(isa), strategy)).unwrap();
                    let got = run(&plan, &rows, std::slice::from_mut(scratch));
                    let float = rows.float();
                    let what = format!("seed {seed}, {isa}, {strategy:?}, {float:?}, {n} rows");
                    assert_same(&got, &want, &what);
                }
            }
        }
    }
}

#[test]
fn random_models() {
    let mut scratch = Scratch::default();
    for seed in 0..300 {
        let n = [0, 1, 3, 17, 130][seed as usize % 5];
        check(&random::composite(seed), seed, &[n, 7], &mut scratch);
    }
}

#[test]
fn blocks_and_threads() {
    for seed in 300..330 {
        let model = random::composite(seed);
        let values = random::composite_rows(seed, &model, 2100);
        let rows = Rows::f64(&values, model.features.len()).unwrap();
        let want = reference(&model, &rows);
        let plan = Plan::compile(&model, &Options::default()).unwrap();
        for n_threads in [1, 2, 5] {
            let mut scratches: Vec<Scratch> = (0..n_threads).map(|_| plan.scratch()).collect();
            let got = run(&plan, &rows, &mut scratches);
            assert_same(&got, &want, &format!("seed {seed}, {n_threads} threads"));
        }
    }
}

fn ordinal(column: u32, n: u32) -> Encoder {
    Encoder {
        column,
        keys: (0..n).map(f64::from).collect(),
        code_of: (0..n).collect(),
        missing: None,
        unknown: None,
        codes: Codes::OneHot { width: n },
    }
}

fn linear(n_in: usize, n_outputs: usize) -> Linear {
    Linear {
        n_outputs,
        sum: Float::F64,
        weights: (0..n_in * n_outputs)
            .map(|i| (i as f64 * 0.37).sin())
            .collect(),
        intercept: (0..n_outputs).map(|k| 0.1 * k as f64).collect(),
        intercept_order: InterceptOrder::Last,
        missing: LinearMissing::Propagate,
    }
}

/// A model of two features whose steps leave `n` values.
fn model(steps: Vec<Step>, n: usize) -> Model {
    let mut draft = random::composite(0).into_draft();
    draft.features = vec![Feature::numeric("a"), Feature::numeric("b")];
    draft.steps = steps;
    draft.body = Body::Row {
        n_outputs: n,
        n_margins: n,
    };
    draft.link = Link::Identity;
    draft.answer = fretsaw_model::Answer::Values;
    draft.labels = None;
    draft.build().unwrap()
}

/// The second encoder refuses a row before the one that the first refuses; threads find others.
#[test]
fn the_first_refused_row_is_named() {
    let encode = |column, n| vec![Step::Encode(vec![ordinal(column, n)])];
    let steps = vec![
        Step::Branches(vec![encode(0, 3), encode(1, 3)]),
        // Work enough that threads are started.
        Step::Linear(linear(6, 300)),
        Step::Linear(linear(300, 20)),
    ];
    let model = model(steps, 20);
    let plan = Plan::compile(&model, &Options::default()).unwrap();
    let known = vec![1.0; 2 * 2100];
    for refused in [
        vec![],
        vec![(2099, 0)],
        vec![(700, 0), (699, 1), (1600, 0)],
        vec![(1500, 1), (1500, 0)],
        vec![(0, 1), (511, 0), (512, 1)],
    ] {
        let mut values = known.clone();
        for &(row, column) in &refused {
            values[2 * row + column] = 3.0 + column as f64;
        }
        let rows = Rows::f64(&values, 2).unwrap();
        let want = reference(&model, &rows);
        assert_eq!(want.is_err(), !refused.is_empty());
        for n_threads in [1, 2, 4] {
            let mut scratches: Vec<Scratch> = (0..n_threads).map(|_| plan.scratch()).collect();
            let got = run(&plan, &rows, &mut scratches);
            assert_same(&got, &want, &format!("{refused:?}, {n_threads} threads"));
        }
    }
}

/// Rows of nothing, in branches and in front of a body.
#[test]
fn rows_may_lose_every_value() {
    let nothing = || vec![Step::Select { columns: vec![] }];
    let mut scratch = Scratch::default();
    let ensemble = random::ensemble(3, &random::Shape::default())
        .to_draft()
        .body;
    let Body::Ensemble(mut ensemble) = ensemble else {
        unreachable!("made as one");
    };
    ensemble.trees.clear();
    let branch = |step| {
        let mut steps = nothing();
        steps.push(step);
        steps
    };
    let steps = vec![Step::Branches(vec![
        nothing(),
        vec![],
        branch(Step::Linear(linear(0, 2))),
        branch(Step::Ensemble(ensemble.clone())),
        branch(Step::Affine {
            factor: vec![],
            offset: vec![],
        }),
        branch(Step::Encode(vec![])),
        branch(Step::Products(vec![vec![], vec![]])),
    ])];
    let n = 2 + 2 + 1 + 2;
    check(&model(steps.clone(), n), 1, &[0, 1, 9], &mut scratch);
    for body in [Body::Linear(linear(0, 3)), Body::Ensemble(ensemble)] {
        let mut draft = model(steps.clone(), n).into_draft();
        draft.steps = nothing();
        draft.body = body;
        check(&draft.build().unwrap(), 1, &[0, 1, 9], &mut scratch);
    }
}

/// Wider than a block of the usual height should be, and products of every width.
#[test]
fn wide_rows() {
    let mut scratch = Scratch::default();
    for n in [1, 2, 3, 4, 5, 8, 13, 40] {
        let kernel = Kernel {
            function: KernelFunction::Rbf { gamma: 0.1 },
            n_features: n,
            vectors: (0..3000 * n).map(|i| (i % 17) as f64 / 4.0).collect(),
        };
        let steps = vec![
            Step::Linear(linear(2, n)),
            Step::Kernel(kernel),
            Step::Linear(linear(3000, n)),
        ];
        let model = model(steps, n);
        let values = random::composite_rows(1, &model, 25);
        let rows = Rows::f64(&values, 2).unwrap();
        let plan = Plan::compile(&model, &Options::default()).unwrap();
        let got = run(&plan, &rows, std::slice::from_mut(&mut scratch));
        assert_same(&got, &reference(&model, &rows), &format!("{n} values"));
    }
}

#[test]
fn a_scratch_stops_growing() {
    for seed in 0..60 {
        let model = random::composite(seed);
        let plan = Plan::compile(&model, &Options::default()).unwrap();
        let mut scratch = plan.scratch();
        // Rows that no encoder refuses.
        let values = random::composite_rows(1, &model, 600);
        let rows = Rows::f64(&values, model.features.len()).unwrap();
        let mut sizes = Vec::new();
        for _ in 0..3 {
            run(&plan, &rows, std::slice::from_mut(&mut scratch)).unwrap();
            sizes.push(scratch.memory());
        }
        assert_eq!(sizes[0], sizes[2], "seed {seed}");
    }
}
