//! The reference predictor against rules worked out by hand, and the checks of a draft.

use fretsaw_model::*;

/// A draft of one stump on feature 0: yes gives 1, no gives 2.
fn stump(test: Test, missing: Missing, sets: Vec<CategorySet>) -> Draft {
    Draft {
        features: vec![Feature::numeric("x"), Feature::numeric("y")],
        steps: vec![],
        body: Body::Ensemble(Ensemble {
            n_outputs: 1,
            compare: Float::F32,
            sum: Sum::F32,
            base: vec![0.0],
            base_order: BaseOrder::First,
            multiply: vec![1.0],
            divide: 1.0,
            trees: vec![Tree {
                weight: 1.0,
                target: Target::Output(0),
                nodes: vec![
                    Node::Split(Split {
                        feature: 0,
                        test,
                        missing,
                        yes: 1,
                        no: 2,
                    }),
                    Node::Leaf(0),
                    Node::Leaf(1),
                ],
                leaves: vec![1.0, 2.0],
                linear: vec![],
                sets,
            }],
        }),
        link: Link::Identity,
        answer: Answer::Values,
        decision: Decision::Answer,
        labels: None,
        provenance: Provenance::default(),
    }
}

#[test]
fn a_mean_stands_between_margins_and_link() {
    let mut draft = stump(Test::Less(0.0), Missing::Nan { yes: true }, vec![]);
    ensemble(&mut draft).sum = Sum::F64;
    let sigmoid = Link::Sigmoid { steepness: 2.0 };
    draft.link = sigmoid.clone().of_mean(4.0).unwrap();
    assert_eq!(draft.link.parts(), (4.0, sigmoid));
    let model = draft.clone().build().unwrap();
    let rows = Rows::f64(&[1.0, 0.0], 2).unwrap();
    assert_eq!(margins(&model, &rows).unwrap(), [2.0]);
    assert_eq!(
        predict(&model, &rows).unwrap(),
        [1.0 / (1.0 + (-1.0_f64).exp())]
    );
    assert_eq!(Link::ArgMax.of_mean(4.0), None);
    for n in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        draft.link = Link::Exp.of_mean(n).unwrap();
        let error = draft.clone().build().unwrap_err().to_string();
        assert!(error.contains("the link takes the mean of"), "{error}");
    }
    draft.link = Link::Sigmoid { steepness: -1.0 }.of_mean(4.0).unwrap();
    assert!(draft.build().is_err());
}

fn ensemble(draft: &mut Draft) -> &mut Ensemble {
    match &mut draft.body {
        Body::Ensemble(e) => e,
        _ => unreachable!("these drafts are ensembles"),
    }
}

fn yes(test: Test, missing: Missing, sets: Vec<CategorySet>, x: f64) -> bool {
    let model = stump(test, missing, sets).build().unwrap();
    margins(&model, &Rows::f64(&[x, 0.0], 2).unwrap()).unwrap() == [1.0]
}

#[test]
fn comparisons() {
    let nan = Missing::Nan { yes: false };
    // (test, x, goes yes)
    let cases = [
        (Test::Less(1.5), 1.5, false),
        (Test::Less(1.5), 1.4, true),
        (Test::Less(0.0), -0.0, false),
        (Test::LessEq(1.5), 1.5, true),
        (Test::LessEq(1.5), 1.6, false),
        (Test::Greater(1.5), 1.5, false),
        (Test::Greater(1.5), 1.6, true),
        (Test::GreaterEq(1.5), 1.5, true),
        (Test::Equal(1.5), 1.5, true),
        (Test::NotEqual(1.5), 1.5, false),
        // Cast to f32 first: just below 1.5 in f64 is 1.5 in f32.
        (Test::Less(1.5), 1.5 - 1e-12, false),
        // The threshold stays f64: 0.1f32 is above 0.1.
        (Test::LessEq(0.1), f64::from(0.1_f32), false),
    ];
    for (test, x, want) in cases {
        assert_eq!(yes(test, nan, vec![], x), want, "{test:?} at {x}");
    }
}

#[test]
fn missing_values() {
    let k = Missing::ZERO;
    let cases = [
        (Missing::Nan { yes: true }, f64::NAN, true),
        (Missing::Nan { yes: false }, f64::NAN, false),
        (Missing::AsZero, f64::NAN, true),
        (Missing::ZeroOrNan { yes: false }, f64::NAN, false),
        (Missing::ZeroOrNan { yes: false }, 0.0, false),
        (Missing::ZeroOrNan { yes: false }, k, false),
        (Missing::ZeroOrNan { yes: false }, -1.0, true),
    ];
    for (missing, x, want) in cases {
        assert_eq!(
            yes(Test::Less(1.0), missing, vec![], x),
            want,
            "{missing:?} at {x}"
        );
    }
}

#[test]
fn categories() {
    let set = |index, known| CategorySet {
        members: vec![0, 2, 40],
        known,
        index,
    };
    let nan = Missing::Nan { yes: true };
    let known = || Some(vec![0, 1, 2, 40]);
    // (index rule, known, x, goes yes)
    let cases = [
        (CategoryIndex::Truncate, None, -0.5, true),
        (CategoryIndex::Truncate, None, -1.0, false),
        (CategoryIndex::Truncate, None, 2.9, true),
        (CategoryIndex::TruncateNonNegative, None, -0.5, false),
        (CategoryIndex::TruncateNonNegative, None, -0.0, true),
        (CategoryIndex::TruncateNonNegative, None, 40.5, true),
        (CategoryIndex::TruncateNonNegative, None, 1e30, false),
        (CategoryIndex::Exact, None, 2.5, false),
        (CategoryIndex::Exact, None, 2.0, true),
        (CategoryIndex::Truncate, known(), 1.0, false),
        (CategoryIndex::Truncate, known(), 3.0, true),
        (CategoryIndex::Truncate, known(), f64::NAN, true),
    ];
    for (index, known, x, want) in cases {
        assert_eq!(
            yes(Test::In(0), nan, vec![set(index, known)], x),
            want,
            "{index:?} at {x}"
        );
    }
}

#[test]
fn the_order_of_the_sum_is_the_frameworks() {
    // 1e8 swallows 3 in f32 unless the small ones come first.
    let mut draft = stump(Test::Less(0.0), Missing::Nan { yes: true }, vec![]);
    let e = ensemble(&mut draft);
    let tree = |leaf: f64, weight: f64| Tree {
        weight,
        target: Target::Output(0),
        nodes: vec![Node::Leaf(0)],
        leaves: vec![leaf],
        linear: vec![],
        sets: vec![],
    };
    e.trees = vec![tree(3.0, 1.0), tree(3.0, 1.0), tree(-0.5, 2.0)];
    e.base = vec![1e8];
    let run = |draft: &Draft| {
        margins(
            &draft.clone().build().unwrap(),
            &Rows::f32(&[0.0, 0.0], 2).unwrap(),
        )
        .unwrap()[0]
    };
    assert_eq!(run(&draft), 1e8);
    ensemble(&mut draft).base_order = BaseOrder::Last;
    assert_eq!(run(&draft), f64::from(1e8_f32 + 5.0));
    ensemble(&mut draft).sum = Sum::F64;
    assert_eq!(run(&draft), 100_000_005.0);
    ensemble(&mut draft).divide = 3.0;
    ensemble(&mut draft).multiply = vec![2.0];
    assert_eq!(run(&draft), 5.0 * 2.0 / 3.0 + 1e8);
}

#[test]
fn integer_leaves_round_once() {
    let mut draft = stump(Test::Less(0.0), Missing::Nan { yes: true }, vec![]);
    let e = ensemble(&mut draft);
    e.sum = Sum::I32;
    e.multiply = vec![0.1];
    e.base = vec![0.25];
    e.trees[0].leaves = vec![-7.0, 127.0];
    e.trees[0].weight = 4.0;
    let model = draft.clone().build().unwrap();
    let got = margins(&model, &Rows::f32(&[-1.0, 0.0, 1.0, 0.0], 2).unwrap()).unwrap();
    assert_eq!(
        got,
        [-28.0 * 0.1 + 0.25, 508.0 * 0.1 + 0.25].map(|v: f64| f64::from(v as f32))
    );
    ensemble(&mut draft).trees[0].leaves[0] = 0.5;
    assert!(
        draft
            .build()
            .unwrap_err()
            .to_string()
            .contains("whole number")
    );
}

#[test]
fn links_in_single_precision() {
    let run = |link, margins: &[f64]| {
        let mut draft = stump(Test::Less(0.0), Missing::Nan { yes: true }, vec![]);
        let e = ensemble(&mut draft);
        e.n_outputs = margins.len();
        e.base = margins.to_vec();
        e.multiply = vec![1.0; margins.len()];
        e.trees.clear();
        draft.link = link;
        predict(&draft.build().unwrap(), &Rows::f32(&[0.0, 0.0], 2).unwrap()).unwrap()
    };
    let f32s = |v: &[f32]| v.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
    assert_eq!(run(Link::Sigmoid { steepness: 1.0 }, &[0.0]), [0.5]);
    assert!(
        run(Link::Sigmoid { steepness: 1.0 }, &[-200.0])[0] > 0.0,
        "the exponent is clamped"
    );
    assert_eq!(run(Link::Softmax, &[1.0, 1.0]), [0.5, 0.5]);
    assert_eq!(run(Link::ArgMax, &[1.0, 3.0, 3.0]), [1.0]);
    assert_eq!(run(Link::Sorted, &[3.0, 1.0, 2.0]), [1.0, 2.0, 3.0]);
    assert_eq!(run(Link::Step, &[0.0, 1e-30]), [0.0, 1.0]);
    assert_eq!(run(Link::SignedSquare, &[-3.0, 2.0]), [-9.0, 4.0]);
    assert_eq!(run(Link::Exp, &[1.0]), f32s(&[1.0_f32.exp()]));
    let c = run(Link::CumulativeSoftplus, &[1.0, 0.0, 0.0]);
    assert!(
        (c[2] - (1.0 + 2.0 * (2.0_f64.ln() + 1e-6))).abs() < 1e-6,
        "{c:?}"
    );
}

#[test]
fn drafts_that_contradict_themselves_are_refused() {
    let base = || stump(Test::Less(0.0), Missing::Nan { yes: true }, vec![]);
    type Break = fn(&mut Draft);
    let cases: [(Break, &str); 12] = [
        (
            |d| ensemble(d).trees[0].nodes[1] = Node::Leaf(9),
            "leaf 9 of 2",
        ),
        (
            |d| ensemble(d).trees[0].nodes.push(Node::Leaf(1)),
            "node 3 is never reached",
        ),
        (
            |d| ensemble(d).trees[0].nodes[2] = ensemble(d).trees[0].nodes[0],
            "reached twice",
        ),
        (|d| ensemble(d).trees[0].nodes.clear(), "no nodes"),
        (
            |d| ensemble(d).trees[0].target = Target::Output(3),
            "output 3 of 1",
        ),
        (|d| ensemble(d).trees[0].leaves[0] = f64::NAN, "is NaN"),
        (
            |d| ensemble(d).trees[0].leaves.push(0.0),
            "leaf 2 is never reached",
        ),
        (|d| d.features.clear(), "feature 0 of 0"),
        (|d| ensemble(d).base.clear(), "0 base values for 1 outputs"),
        (|d| ensemble(d).divide = 0.0, "divided by 0"),
        (|d| d.answer = Answer::Class, "needs a link"),
        (
            |d| d.steps.push(Step::Impute { values: vec![1.0] }),
            "1 fill values for 2 features",
        ),
    ];
    for (change, want) in cases {
        let mut draft = base();
        change(&mut draft);
        let got = draft.build().unwrap_err().to_string();
        assert!(got.contains(want), "{got:?} does not say {want:?}");
    }
}

#[test]
fn steps_run_in_order() {
    let mut x = vec![-999.0, 4.0];
    let steps = [
        Step::MarkMissing { value: -999.0 },
        Step::Impute {
            values: vec![7.0, 0.0],
        },
        Step::Scale {
            shift: vec![1.0, 0.0],
            scale: vec![2.0, 4.0],
        },
        Step::FlushTiny { limit: 1.0 },
    ];
    apply_steps(&steps, Float::F64, &mut x).unwrap();
    assert_eq!(x, [3.0, 0.0]);
}

/// Two tables, the second of which looks at what the first one gave.
fn tables() -> Step {
    let above = |feature| KeyPart::Above {
        feature,
        border: 0.5,
        missing: false,
    };
    let table = |part, values: [f64; 2]| {
        let key = |v| extend_key(0, v);
        let (keys, values) = if key(0) < key(1) {
            (vec![key(0), key(1)], values.to_vec())
        } else {
            (vec![key(1), key(0)], vec![values[1], values[0]])
        };
        Derived {
            parts: vec![part],
            keys,
            values,
            otherwise: vec![0.1],
        }
    };
    Step::Derive(vec![
        table(above(0), [7.0, 8.0]),
        table(above(2), [5.0, 0.25]),
    ])
}

#[test]
fn a_row_grows_by_what_is_looked_up() {
    let mut x = vec![1.0, f64::NAN];
    apply_steps(&[tables()], Float::F32, &mut x).unwrap();
    assert_eq!(x[2..], [8.0, 0.25]);
    assert!(x[1].is_nan());
    let mut draft = stump(Test::Greater(1.0), Missing::Nan { yes: true }, vec![]);
    draft.steps = vec![tables()];
    let Node::Split(split) = &mut ensemble(&mut draft).trees[0].nodes[0] else {
        unreachable!("the root is a split");
    };
    split.feature = 3;
    assert_eq!(draft.width(), 4);
    assert!(!draft.needs_double_rows());
    let model = draft.clone().build().unwrap();
    let rows = Rows::f32(&[1.0, 0.0], 2).unwrap();
    assert_eq!(margins(&model, &rows).unwrap(), [2.0]);

    let Step::Derive(derived) = &mut draft.steps[0] else {
        unreachable!("it is the only step");
    };
    derived[0].parts[0] = KeyPart::Is {
        feature: 0,
        category: 1,
    };
    let model = draft.clone().build().unwrap();
    let error = margins(&model, &rows).unwrap_err().to_string();
    assert!(error.contains("hashes of categories"), "{error}");
    assert_eq!(category_hash(""), 0x2f90_404f);

    type Break = fn(&mut Vec<Derived>);
    let cases: [(Break, &str); 4] = [
        (|d| d.swap(0, 1), "step 0: table 0: feature 2 of 2"),
        (|d| d[1].keys.swap(0, 1), "table 1: its keys are not in"),
        (
            |d| d[0].values.push(1.0),
            "table 0: 3 values for 2 keys and 1 features",
        ),
        (|d| d.truncate(1), "feature 3 of 3"),
    ];
    for (change, want) in cases {
        let mut draft = draft.clone();
        let Step::Derive(derived) = &mut draft.steps[0] else {
            unreachable!("it is the only step");
        };
        change(derived);
        let got = draft.build().unwrap_err().to_string();
        assert!(got.contains(want), "wanted: {want}\ngot: {got}");
    }
}

#[test]
fn a_widened_step_is_in_f64_for_f32_rows() {
    let scale = Step::Scale {
        shift: vec![0.1],
        scale: vec![3.0],
    };
    let run = |steps: &[Step]| {
        let mut x = vec![1.0];
        apply_steps(steps, Float::F32, &mut x).unwrap();
        x[0]
    };
    let narrow = f64::from((1.0_f32 - 0.1_f32) / 3.0_f32);
    assert_eq!(run(std::slice::from_ref(&scale)), narrow);
    assert_eq!(run(&[Step::Widen, scale]), (1.0 - 0.1) / 3.0);
    assert_ne!(narrow, (1.0 - 0.1) / 3.0);
}
