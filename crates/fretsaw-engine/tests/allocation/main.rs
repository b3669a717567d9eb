//! A run allocates nothing and frees nothing after the first of its shape.
//!
//! In a program of its own, since it counts what the whole program allocates, thread by thread. What
//! runs on several threads is not here: starting one allocates.
mod counted;

use counted::calls_of;
use fretsaw_engine::{Isa, MarginsMut, Options, Plan, Scratch, Strategy};
use fretsaw_model::random::{self, Shape};
use fretsaw_model::{Column, Float, Model, Rows, Step, Sum};

const STRATEGIES: [Strategy; 3] = [Strategy::Auto, Strategy::BitSliced, Strategy::Walk];
const SIZES: [usize; 10] = [1, 2, 7, 63, 64, 65, 511, 512, 513, 1100];

fn run(plan: &Plan, rows: &Rows<'_>, f32s: &mut [f32], f64s: &mut [f64], scratch: &mut Scratch) {
    let n = rows.n_rows() * plan.n_outputs();
    let out = match plan.margin() {
        Float::F32 => MarginsMut::F32(&mut f32s[..n]),
        Float::F64 => MarginsMut::F64(&mut f64s[..n]),
    };
    plan.margins(rows, out, scratch).expect("margins");
}

/// Runs each size twice and asks the second run for nothing.
fn check(model: &Model, values: &[f64], sizes: &[usize], what: &str) {
    let n_features = model.features.len();
    let narrow: Vec<f32> = values.iter().map(|&x| x as f32).collect();
    let most = values.len() / n_features;
    let by_column: Vec<f64> = (0..values.len())
        .map(|i| values[i % most * n_features + i / most])
        .collect();
    let columns: Vec<Column<'_>> = by_column.chunks_exact(most).map(Column::from).collect();
    let mut layouts = vec![
        Rows::f64(values, n_features).unwrap(),
        Rows::columns(&columns).unwrap(),
    ];
    if !model.needs_double_rows() {
        layouts.push(Rows::f32(&narrow, n_features).unwrap());
    }
    for isa in Isa::available() {
        for strategy in STRATEGIES {
            let plan = Plan::compile(model, &Options::new(Some(isa), strategy)).unwrap();
            let mut f32s = vec![0.0; most * plan.n_outputs()];
            let mut f64s = vec![0.0; most * plan.n_outputs()];
            for rows in &layouts {
                let mut scratch = plan.scratch();
                for &n in sizes {
                    let rows = rows.slice(0..n);
                    run(&plan, &rows, &mut f32s, &mut f64s, &mut scratch);
                    let calls = calls_of(|| run(&plan, &rows, &mut f32s, &mut f64s, &mut scratch));
                    assert_eq!(
                        calls,
                        0,
                        "{what}, {isa}, {strategy:?}, {n} {:?} rows: the allocator was called",
                        rows.float()
                    );
                }
            }
        }
    }
}

#[test]
fn the_allocator_is_counted() {
    assert_eq!(calls_of(|| drop(std::hint::black_box(Box::new(1)))), 2);
}

#[test]
fn random_models() {
    for seed in 0..60 {
        let model = random::model(seed);
        let n = SIZES[seed as usize % SIZES.len()];
        let values = random::rows(seed, &model, n.max(77));
        check(&model, &values, &[n, 77, 1], &format!("seed {seed}"));
    }
}

#[test]
fn every_size() {
    for (seed, sum) in [(1, Sum::F32), (2, Sum::F64), (3, Sum::I32)] {
        for max_leaves in [8, 64, 600] {
            let shape = Shape {
                sum,
                max_leaves,
                n_trees: 9,
                n_outputs: 2,
                vector: true,
                categories: true,
                ..Shape::default()
            };
            let model = random::ensemble(seed, &shape);
            let values = random::rows(seed, &model, 1100);
            check(&model, &values, &SIZES, &format!("seed {seed}"));
        }
    }
}

/// Programs of steps, but for the steps that are slow anyway.
#[test]
fn composite_models() {
    let mut n_models = 0;
    for seed in 0..150 {
        let model = random::composite(seed);
        if has_slow(&model.steps) {
            continue;
        }
        let values = random::composite_rows(seed, &model, 100);
        let rows = Rows::f64(&values, model.features.len()).unwrap();
        if fretsaw_model::body_rows(&model, &rows).is_ok() {
            check(&model, &values, &[100, 1], &format!("seed {seed}"));
            n_models += 1;
        }
    }
    assert!(n_models > 30, "{n_models} models");
}

fn has_slow(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::Neighbors(_)
        | Step::FillFromNeighbors(_)
        | Step::Votes { .. }
        | Step::Couple(_)
        | Step::WeightedMedian { .. } => true,
        Step::Branches(branches) => branches.iter().any(|b| has_slow(b)),
        _ => false,
    })
}
