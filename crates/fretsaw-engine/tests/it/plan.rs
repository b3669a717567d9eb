//! What plans refuse, and what they say of themselves.

use fretsaw_engine::{ErrorKind, Isa, MarginsMut, Options, Plan, Strategy};
use fretsaw_model::random::{self, Shape};
use fretsaw_model::{Body, Float, Missing, Node, Rows, Split, Test};

#[test]
fn wrong_shapes_are_refused() {
    let model = random::ensemble(1, &Shape::default());
    let plan = Plan::compile(&model, &Options::default()).unwrap();
    let mut scratch = plan.scratch();
    let n = model.features.len();
    let values = vec![0.0; 2 * n];
    let rows = Rows::f64(&values, n).unwrap();
    let narrower = Rows::f64(&values, 2 * n).unwrap();
    let (mut f32s, mut f64s) = ([0.0; 3], [0.0; 2]);
    let refused = [
        plan.margins(&narrower, MarginsMut::F32(&mut f32s[..1]), &mut scratch),
        plan.margins(&rows, MarginsMut::F32(&mut f32s), &mut scratch),
        plan.margins(&rows, MarginsMut::F64(&mut f64s), &mut scratch),
        plan.margins_threads(&rows, MarginsMut::F32(&mut f32s[..2]), &mut []),
    ];
    for result in refused {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Shape);
    }
}

/// The planes of an oblivious tree's tests are its codes.
#[test]
fn oblivious_trees_take_no_operations() {
    const DEPTH: usize = 6;
    let mut draft = random::ensemble(1, &Shape::default()).into_draft();
    if let Body::Ensemble(e) = &mut draft.body {
        e.trees.truncate(5);
        for tree in &mut e.trees {
            // Heap order: the children of `i` are `2i + 1` and `2i + 2`.
            let n = (1_u32 << DEPTH) - 1;
            let split = |i: u32| {
                Node::Split(Split {
                    feature: 0,
                    test: Test::Less(f64::from((i + 1).ilog2())),
                    missing: Missing::Nan { yes: false },
                    yes: 2 * i + 1,
                    no: 2 * i + 2,
                })
            };
            tree.nodes = (0..n).map(split).chain((0..=n).map(Node::Leaf)).collect();
            tree.leaves = (0..=n).map(f64::from).collect();
            tree.linear.clear();
        }
    }
    let model = draft.build().unwrap();
    let options = Options::new(None, Strategy::BitSliced);
    let summary = Plan::compile(&model, &options).unwrap().summary();
    assert_eq!(summary.n_predicates, DEPTH);
    assert_eq!(summary.n_operations, 0);
}

/// Whatever came between, a scratch that has served a shape serves it again as it is.
#[test]
fn a_scratch_stops_growing() {
    let models = [1, 2, 3].map(random::model);
    let plans = models
        .each_ref()
        .map(|m| Plan::compile(m, &Options::default()).unwrap());
    let mut scratch = plans[0].scratch();
    let mut sizes = Vec::new();
    for _ in 0..3 {
        for (model, plan) in models.iter().zip(&plans) {
            let values = random::rows(1, model, 600);
            let rows = Rows::f64(&values, model.features.len()).unwrap();
            let (mut f32s, mut f64s) = (Vec::new(), Vec::new());
            let n = 600 * plan.n_outputs();
            let out = if plan.margin() == Float::F32 {
                f32s.resize(n, 0.0);
                MarginsMut::F32(&mut f32s)
            } else {
                f64s.resize(n, 0.0);
                MarginsMut::F64(&mut f64s)
            };
            plan.margins(&rows, out, &mut scratch).unwrap();
        }
        sizes.push(scratch.memory());
    }
    assert_eq!(sizes[0], sizes[2]);
}

#[test]
fn a_summary_counts_every_tree_and_says_why() {
    let shape = Shape {
        n_trees: 50,
        max_leaves: 300,
        ..Shape::default()
    };
    let model = random::ensemble(3, &shape);
    for strategy in [Strategy::Auto, Strategy::BitSliced, Strategy::Walk] {
        let plan = Plan::compile(&model, &Options::new(Some(Isa::Portable), strategy)).unwrap();
        let summary = plan.summary();
        let n_trees: usize = summary.groups.iter().map(|g| g.n_trees).sum();
        assert_eq!(n_trees, 50, "{summary:?}");
        assert!(summary.groups.iter().all(|g| !g.reason.is_empty()));
        assert_eq!(summary.memory, plan.memory());
        if strategy == Strategy::Walk {
            assert_eq!(summary.n_predicates, 0);
        }
    }
}

/// Trees that split at values all their own are walked where they are large; those that share their
/// cuts are sliced.
#[test]
fn the_cost_model_tells_forests_apart() {
    let shape = Shape {
        n_trees: 200,
        max_leaves: 60,
        chain: 0,
        n_cuts: 100_000,
        ..Shape::default()
    };
    let options = Options::new(Some(Isa::Portable), Strategy::Auto);
    let of = |shape: &Shape| {
        let model = random::ensemble(9, shape);
        let summary = Plan::compile(&model, &options).unwrap().summary();
        let sliced = summary
            .groups
            .iter()
            .filter(|g| g.strategy == Strategy::BitSliced);
        sliced.map(|g| g.n_trees).sum::<usize>()
    };
    let shared = of(&Shape {
        n_cuts: 40,
        ..shape
    });
    assert!(shared > 150, "{shared} of 200 sliced");
    let alone = of(&Shape {
        max_leaves: 250,
        ..shape
    });
    assert!(
        alone + 30 < shared,
        "{alone} of 200 sliced, {shared} that share"
    );
}

#[test]
fn names_of_instruction_sets_are_read_back() {
    for isa in Isa::available() {
        assert_eq!(Isa::parse(isa.name()), Some(isa));
    }
    assert_eq!(Isa::parse("mmx"), None);
    assert_eq!(Isa::available().last(), Some(&Isa::detect()));
}
