//! Nanoseconds a row on a synthetic boosted ensemble of 1000 trees of depth 6 over 28 features with
//! 255 cuts each, with f32, f64 and integer leaves, on every instruction set. Answers are
//! checked against the reference predictor before anything is timed.
//!
//! `cargo bench -p fretsaw-engine [-- f32|f64|i32|small|saved]`

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fretsaw_engine::{Isa, MarginsMut, Options, Plan, Scratch, Strategy};
use fretsaw_model::random::Rng;
use fretsaw_model::{
    Answer, BaseOrder, Body, Decision, Draft, Ensemble, Feature, Float, Link, Missing, Model, Node,
    Provenance, Rows, Split, Sum, Target, Test, Tree,
};

const N_TREES: usize = 1000;
const DEPTH: usize = 6;
const N_FEATURES: usize = 28;
const N_CUTS: usize = 255;
const N_ROWS: usize = 10_000;

fn main() {
    let only: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let wanted = |name: &str| only.is_empty() || only.iter().any(|o| o == name);
    let rows = values(3);
    for (name, sum) in [("f32", Sum::F32), ("f64", Sum::F64), ("i32", Sum::I32)] {
        if wanted(name) {
            batch(name, &model(sum), &rows);
        }
    }
    if wanted("small") {
        small(&model(Sum::F32), &rows);
    }
    if wanted("saved") {
        saved(&model(Sum::F32), &rows);
    }
}

/// Whole batches, one thread.
fn batch(name: &str, model: &Model, values: &[f32]) {
    let rows = Rows::f32(values, N_FEATURES).expect("whole rows");
    for isa in Isa::available() {
        for strategy in [Strategy::BitSliced, Strategy::Walk] {
            // Scalar circuits are a specification, not a way to predict.
            if isa == Isa::Scalar && strategy == Strategy::BitSliced {
                continue;
            }
            if isa != Isa::Scalar && strategy == Strategy::Walk {
                continue;
            }
            let plan = Plan::compile(model, &Options::new(Some(isa), strategy)).expect("a plan");
            let mut run = Run::new(&plan);
            run.check(model, &rows);
            // Slow ways are timed on fewer rows, so that a run fits between two interruptions.
            let n = if isa > Isa::Avx2 { N_ROWS } else { 1024 };
            let took = run.time(&rows.slice(0..n));
            println!(
                "{name} {isa:<10} {strategy:?}: {:.0} ns a row ({} predicates, {} operations a tree, {} KiB)",
                took.as_secs_f64() * 1e9 / n as f64,
                plan.summary().n_predicates,
                plan.summary().n_operations / N_TREES,
                plan.memory() / 1024,
            );
        }
    }
}

/// Batches of few rows: blocks against walks, and what the plan expects of them.
fn small(model: &Model, values: &[f32]) {
    let plans = [Strategy::BitSliced, Strategy::Walk]
        .map(|strategy| Plan::compile(model, &Options::new(None, strategy)).expect("a plan"));
    let auto = Plan::compile(model, &Options::default()).expect("a plan");
    println!(
        "small batches: the plan crosses at {} rows",
        auto.summary().crossing_rows
    );
    for n in [1, 8, 16, 32, 48, 64, 96, 128, 256, 512] {
        let rows = Rows::f32(&values[..n * N_FEATURES], N_FEATURES).expect("whole rows");
        let [sliced, walked] = plans.each_ref().map(|plan| {
            let mut run = Run::new(plan);
            run.check(model, &rows);
            run.time(&rows).as_secs_f64() * 1e6
        });
        println!("{n:>4} rows: block {sliced:.1} us, walk {walked:.1} us");
    }
}

/// Bytes where a mapped file could have them.
struct Mapped(Vec<u8>, usize);

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.0[self.1..]
    }
}

/// A plan made ready from its bytes, against compiling it.
fn saved(model: &Model, values: &[f32]) {
    let rows = Rows::f32(values, N_FEATURES).expect("whole rows");
    let mut best = [f64::MAX; 3];
    let mut n_bytes = 0;
    for _ in 0..20 {
        let start = Instant::now();
        let plan = Plan::compile(model, &Options::default()).expect("a plan");
        best[0] = start.elapsed().as_secs_f64().min(best[0]);
        let start = Instant::now();
        let bytes = plan.save().expect("a plan of trees");
        best[1] = start.elapsed().as_secs_f64().min(best[1]);
        n_bytes = bytes.len();
        let mut room = vec![0; n_bytes + 64];
        let first = room.as_ptr().align_offset(64);
        room[first..first + n_bytes].copy_from_slice(&bytes);
        room.truncate(first + n_bytes);
        let mapped = Arc::new(Mapped(room, first));
        let start = Instant::now();
        let loaded = Plan::load(mapped).expect("what was saved");
        best[2] = start.elapsed().as_secs_f64().min(best[2]);
        Run::new(&loaded).check(model, &rows);
    }
    let [compiled, saved, loaded] = best.map(|s| s * 1e3);
    println!(
        "a plan of {} KiB: compiled in {compiled:.2} ms, saved in {saved:.2} ms, loaded in {loaded:.2} ms",
        n_bytes / 1024
    );
}

struct Run<'a> {
    plan: &'a Plan,
    scratch: Scratch,
    f32s: Vec<f32>,
    f64s: Vec<f64>,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            scratch: plan.scratch(),
            f32s: Vec::new(),
            f64s: Vec::new(),
        }
    }

    fn once(&mut self, rows: &Rows<'_>) {
        let n = rows.n_rows() * self.plan.n_outputs();
        let out = match self.plan.margin() {
            Float::F32 => {
                self.f32s.resize(n, 0.0);
                MarginsMut::F32(&mut self.f32s)
            }
            Float::F64 => {
                self.f64s.resize(n, 0.0);
                MarginsMut::F64(&mut self.f64s)
            }
        };
        self.plan
            .margins(rows, out, &mut self.scratch)
            .expect("rows that fit");
    }

    fn check(&mut self, model: &Model, rows: &Rows<'_>) {
        let rows = rows.slice(0..rows.n_rows().min(600));
        self.once(&rows);
        let want = fretsaw_model::margins(model, &rows).expect("rows that fit");
        for (i, want) in want.iter().enumerate() {
            let got = match self.plan.margin() {
                Float::F32 => f64::from(self.f32s[i]),
                Float::F64 => self.f64s[i],
            };
            assert_eq!(got.to_bits(), want.to_bits(), "margin {i}");
        }
    }

    /// The best of many runs: what the kernel takes, not what else the machine did.
    fn time(&mut self, rows: &Rows<'_>) -> Duration {
        let start = Instant::now();
        let mut best = Duration::MAX;
        let mut n = 0;
        while n < 5 || (start.elapsed() < Duration::from_secs(1) && n < 1000) {
            let start = Instant::now();
            self.once(black_box(rows));
            best = best.min(start.elapsed());
            n += 1;
        }
        best
    }
}

fn values(seed: u64) -> Vec<f32> {
    let mut r = Rng::new(seed);
    (0..N_ROWS * N_FEATURES)
        .map(|_| {
            if r.one_in(50) {
                f32::NAN
            } else {
                r.unit() as f32
            }
        })
        .collect()
}

/// Trees as boosting grows them: full to `DEPTH` save for one branch in ten that ends early.
fn model(sum: Sum) -> Model {
    let mut r = Rng::new(1);
    let cuts: Vec<f64> = (0..N_FEATURES * N_CUTS)
        .map(|_| f64::from(r.unit() as f32))
        .collect();
    let trees = (0..N_TREES).map(|_| tree(&mut r, &cuts, sum)).collect();
    let ensemble = Ensemble {
        n_outputs: 1,
        compare: Float::F32,
        sum,
        base: vec![0.5],
        base_order: if sum == Sum::I32 {
            BaseOrder::Last
        } else {
            BaseOrder::First
        },
        multiply: vec![if sum == Sum::I32 { 0.001 } else { 1.0 }],
        divide: 1.0,
        trees,
    };
    Draft {
        features: (0..N_FEATURES)
            .map(|i| Feature::numeric(format!("f{i}")))
            .collect(),
        steps: vec![],
        body: Body::Ensemble(ensemble),
        link: Link::Identity,
        answer: Answer::Values,
        decision: Decision::Answer,
        labels: None,
        provenance: Provenance::default(),
    }
    .build()
    .expect("a valid model")
}

fn tree(r: &mut Rng, cuts: &[f64], sum: Sum) -> Tree {
    let (mut nodes, mut leaves) = (vec![Node::Leaf(0)], Vec::new());
    let mut open = vec![(0_usize, 0_usize)];
    while let Some((at, level)) = open.pop() {
        if level == DEPTH || (level > 2 && r.one_in(10)) {
            nodes[at] = Node::Leaf(leaves.len() as u32);
            leaves.push(if sum == Sum::I32 {
                (r.unit() * 127.0).round()
            } else {
                f64::from((r.unit() * 0.1) as f32)
            });
            continue;
        }
        let feature = r.below(N_FEATURES);
        let next = nodes.len() as u32;
        nodes[at] = Node::Split(Split {
            feature: feature as u32,
            test: Test::Less(cuts[feature * N_CUTS + r.below(N_CUTS)]),
            // A feature's missing values mostly go one way.
            missing: Missing::Nan {
                yes: feature.is_multiple_of(2),
            },
            yes: next,
            no: next + 1,
        });
        nodes.extend([Node::Leaf(0), Node::Leaf(0)]);
        open.extend([(next as usize, level + 1), (next as usize + 1, level + 1)]);
    }
    Tree {
        weight: 1.0,
        target: Target::Output(0),
        nodes,
        leaves,
        linear: vec![],
        sets: vec![],
    }
}
