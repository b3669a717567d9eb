//! One row a call on ensembles of the sizes that trading benchmarks use: how long a call takes, from
//! the median to the worst, beside an empty timed loop and two plainer ways to walk the same trees.
//!
//! `cargo bench -p fretsaw-engine --bench latency [-- --json] [small|medium|large]`
//!
//! Trees are complete, of 6 to 8 levels, with random features and cuts, so nothing is shared or
//! skipped; sums are f32. Answers are held against the reference predictor before anything is timed.
//! Every call takes another row. Not here: batches (`ensemble.rs`), trained models, other runtimes.

use std::hint::black_box;
use std::time::{Duration, Instant};

use fretsaw_engine::{MarginsMut, Options, Plan, Scratch, Strategy};
use fretsaw_model::random::Rng;
use fretsaw_model::{
    Answer, BaseOrder, Body, Decision, Draft, Ensemble, Feature, Float, Link, Missing, Model, Node,
    Provenance, Rows, Split, Sum, Target, Test, Tree,
};

mod gather;

struct Shape {
    name: &'static str,
    n_features: usize,
    n_nodes: usize,
}

const SHAPES: [Shape; 3] = [
    Shape {
        name: "small",
        n_features: 64,
        n_nodes: 12_000,
    },
    Shape {
        name: "medium",
        n_features: 128,
        n_nodes: 512_000,
    },
    Shape {
        name: "large",
        n_features: 1000,
        n_nodes: 4_000_000,
    },
];

const DEPTHS: [usize; 3] = [6, 7, 8];
/// Rows that calls cycle over.
const N_ROWS: usize = 2048;
/// Of them, those that are checked against the reference predictor.
const CHECKED: usize = 64;
const RUNS: usize = 5;
/// Time of one way in one run, and the fewest calls, so that there is a 99.9th percentile.
const TIME: Duration = Duration::from_millis(500);
const MIN_CALLS: usize = 1000;
const IDLE: [(Duration, usize); 2] = [
    (Duration::from_millis(1), 200),
    (Duration::from_millis(100), 20),
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let json = args.iter().any(|a| a == "--json");
    let only: Vec<&String> = args.iter().filter(|a| !a.starts_with('-')).collect();
    let mut shapes = Vec::new();
    for shape in &SHAPES {
        if only.is_empty() || only.iter().any(|o| *o == shape.name) {
            let measured = measure(shape);
            if json {
                shapes.push(measured.json());
            } else {
                measured.print();
            }
        }
    }
    if json {
        println!("{{\"shapes\": [\n{}\n]}}", shapes.join(",\n"));
    }
}

/// What a shape came to.
struct Measured<'a> {
    shape: &'a Shape,
    n_trees: usize,
    n_nodes: usize,
    isa: &'static str,
    plan_bytes: usize,
    compile: Duration,
    /// Ways, and for each run its quantiles.
    ways: Vec<(&'static str, Vec<Quantiles>)>,
    /// The run in which the empty loop lost least.
    quietest: usize,
    /// Median of the first call after a pause.
    idle: Vec<(Duration, u64)>,
}

fn measure(shape: &Shape) -> Measured<'_> {
    let mut r = Rng::new(shape.n_nodes as u64);
    let model = model(shape, &mut r);
    let start = Instant::now();
    let plan = Plan::compile(&model, &Options::default()).expect("a plan");
    let compile = start.elapsed();
    let values: Vec<f32> = (0..N_ROWS * shape.n_features)
        .map(|_| r.unit() as f32)
        .collect();
    let row = |i: usize| &values[i % N_ROWS * shape.n_features..][..shape.n_features];
    let trees = &model.ensemble().expect("an ensemble").trees;
    let gather = gather::Walk::new(trees);

    let mut scratch = plan.scratch();
    let plain = Options::new(None, Strategy::PlainWalk);
    let plain = Plan::compile(&model, &plain).expect("a plan");
    let mut engine = |i: usize| margin(&plan, row(i), &mut scratch);
    let mut other = plain.scratch();
    let mut walk = |i: usize| margin(&plain, row(i), &mut other);
    let mut gathered = |i: usize| gather.as_ref().map_or(0.0, |walk| walk.margin(row(i)));
    for i in 0..CHECKED {
        let rows = Rows::f32(row(i), shape.n_features).expect("one row");
        let want = fretsaw_model::margins(&model, &rows).expect("a row that fits")[0] as f32;
        assert_eq!(engine(i).to_bits(), want.to_bits(), "row {i}");
        assert_eq!(walk(i).to_bits(), want.to_bits(), "row {i}, walked");
        if gather.is_some() {
            assert_eq!(gathered(i).to_bits(), want.to_bits(), "row {i}, gathered");
        }
    }

    let mut ways: Vec<(&'static str, Vec<Quantiles>)> = vec![
        ("empty loop", Vec::new()),
        ("engine", Vec::new()),
        ("plain walk", Vec::new()),
    ];
    if gather.is_some() {
        ways.push(("gather walk", Vec::new()));
    }
    for _ in 0..RUNS {
        for (way, runs) in &mut ways {
            runs.push(match *way {
                "engine" => time(&mut engine),
                "plain walk" => time(&mut walk),
                "gather walk" => time(&mut gathered),
                _ => time(&mut |i| i as f32),
            });
        }
    }
    let lost = |run: usize| ways[0].1[run].lost;
    let quietest = (0..RUNS)
        .min_by(|&a, &b| lost(a).total_cmp(&lost(b)))
        .expect("there are runs");
    let idle = IDLE.map(|(pause, n)| {
        let mut ns: Vec<u64> = (0..n)
            .map(|i| {
                std::thread::sleep(pause);
                once(&mut engine, i)
            })
            .collect();
        ns.sort_unstable();
        (pause, ns[n / 2])
    });
    Measured {
        shape,
        n_trees: trees.len(),
        n_nodes: trees.iter().map(|t| t.nodes.len()).sum(),
        isa: plan.summary().isa.name(),
        plan_bytes: plan.memory(),
        compile,
        ways,
        quietest,
        idle: idle.to_vec(),
    }
}

fn margin(plan: &Plan, row: &[f32], scratch: &mut Scratch) -> f32 {
    let rows = Rows::f32(row, row.len()).expect("one row");
    let mut out = [0.0];
    plan.margins(&rows, MarginsMut::F32(&mut out), scratch)
        .expect("a row that fits");
    out[0]
}

/// Nanoseconds of one call.
fn once(call: &mut dyn FnMut(usize) -> f32, i: usize) -> u64 {
    let start = Instant::now();
    black_box(call(black_box(i)));
    start.elapsed().as_nanos() as u64
}

/// How long calls take.
struct Quantiles {
    calls: usize,
    /// 50th, 90th, 99th and 99.9th percentile and the worst, in nanoseconds.
    ns: [u64; 5],
    /// The share of the time that was beyond twice the median.
    lost: f64,
}

const NAMES: [&str; 5] = ["p50", "p90", "p99", "p999", "max"];

fn time(call: &mut dyn FnMut(usize) -> f32) -> Quantiles {
    const MAX_CALLS: usize = 20_000_000;
    for i in 0..MIN_CALLS / 4 {
        black_box(call(black_box(i)));
    }
    let mut ns = Vec::with_capacity(1 << 20);
    let start = Instant::now();
    while ns.len() < MIN_CALLS || (start.elapsed() < TIME && ns.len() < MAX_CALLS) {
        // The clock that ends the run is asked between calls, and seldom.
        for _ in 0..64 {
            ns.push(once(call, ns.len()));
        }
    }
    ns.sort_unstable();
    let at = |q: f64| ns[((ns.len() as f64 * q).ceil() as usize).clamp(1, ns.len()) - 1];
    let p50 = at(0.5);
    let total: u64 = ns.iter().sum();
    let beyond: u64 = ns.iter().filter(|&&t| t > 2 * p50 + 50).sum();
    Quantiles {
        calls: ns.len(),
        ns: [p50, at(0.9), at(0.99), at(0.999), at(1.0)],
        lost: beyond as f64 / total as f64,
    }
}

impl Measured<'_> {
    fn print(&self) {
        println!(
            "{}: {} features, {} nodes in {} trees of 6 to 8 levels; {}, plan of {} KiB compiled in {:.0} ms",
            self.shape.name,
            self.shape.n_features,
            self.n_nodes,
            self.n_trees,
            self.isa,
            self.plan_bytes / 1024,
            self.compile.as_secs_f64() * 1e3,
        );
        println!("  the quietest of {RUNS} runs, ns a call");
        print!("  {:<12}", "");
        println!("{}", NAMES.map(|n| format!("{n:>10}")).concat());
        for (way, runs) in &self.ways {
            let q = &runs[self.quietest];
            println!("  {way:<12}{}", q.ns.map(|t| format!("{t:>10}")).concat());
        }
        for (pause, ns) in &self.idle {
            println!("  first call after {pause:?} idle: {ns} ns (median)");
        }
    }

    fn json(&self) -> String {
        let ways: Vec<String> = self
            .ways
            .iter()
            .map(|(way, runs)| {
                let runs: Vec<String> = runs.iter().map(Quantiles::json).collect();
                format!("  \"{way}\": [\n   {}\n  ]", runs.join(",\n   "))
            })
            .collect();
        let idle: Vec<String> = self
            .idle
            .iter()
            .map(|(pause, ns)| format!("{{\"idle_ms\": {}, \"p50\": {ns}}}", pause.as_millis()))
            .collect();
        format!(
            " {{\"name\": \"{}\", \"features\": {}, \"nodes\": {}, \"trees\": {}, \"isa\": \"{}\", \
             \"plan_bytes\": {}, \"compile_ms\": {:.1}, \"quietest\": {}, \"after_idle\": [{}], \"ways\": {{\n{}\n }}}}",
            self.shape.name,
            self.shape.n_features,
            self.n_nodes,
            self.n_trees,
            self.isa,
            self.plan_bytes,
            self.compile.as_secs_f64() * 1e3,
            self.quietest,
            idle.join(", "),
            ways.join(",\n"),
        )
    }
}

impl Quantiles {
    fn json(&self) -> String {
        let ns: Vec<String> = NAMES
            .iter()
            .zip(self.ns)
            .map(|(name, ns)| format!("\"{name}\": {ns}"))
            .collect();
        format!(
            "{{\"calls\": {}, {}, \"lost\": {:.5}}}",
            self.calls,
            ns.join(", "),
            self.lost
        )
    }
}

/// Complete trees until there are as many nodes.
fn model(shape: &Shape, r: &mut Rng) -> Model {
    let mut trees = Vec::new();
    let mut n_nodes = 0;
    while n_nodes < shape.n_nodes {
        let tree = tree(r, shape.n_features);
        n_nodes += tree.nodes.len();
        trees.push(tree);
    }
    let ensemble = Ensemble {
        n_outputs: 1,
        compare: Float::F32,
        sum: Sum::F32,
        base: vec![0.0],
        base_order: BaseOrder::First,
        multiply: vec![1.0],
        divide: 1.0,
        trees,
    };
    Draft {
        features: (0..shape.n_features)
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

/// A complete tree in breadth-first order: the children of node `i` are `2i + 1` and `2i + 2`.
fn tree(r: &mut Rng, n_features: usize) -> Tree {
    let depth = r.pick(&DEPTHS);
    let n_splits = (1 << depth) - 1;
    let mut nodes: Vec<Node> = (0..n_splits)
        .map(|i| {
            Node::Split(Split {
                feature: r.below(n_features) as u32,
                test: Test::Less(f64::from(r.unit() as f32)),
                missing: Missing::Nan { yes: false },
                yes: 2 * i + 1,
                no: 2 * i + 2,
            })
        })
        .collect();
    nodes.extend((0..=n_splits).map(Node::Leaf));
    Tree {
        weight: 1.0,
        target: Target::Output(0),
        nodes,
        leaves: (0..=n_splits)
            .map(|_| f64::from((r.unit() * 0.1) as f32))
            .collect(),
        linear: vec![],
        sets: vec![],
    }
}
