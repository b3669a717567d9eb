//! Variants of random ensembles: calibration rows keep their way, moved thresholds are counted,
//! and no measured error is above the proved bound.

use fretsaw_model::{Float, Missing, Node, Rows, Split, Sum, Test, margins, predict, random};

use super::*;

fn shape(seed: u64) -> random::Shape {
    let mut shape = random::Shape::any(seed);
    shape.linear = false;
    if shape.sum == Sum::I32 {
        shape.sum = Sum::F32;
    }
    shape
}

fn largest_difference(a: &Model, b: &Model, rows: &Rows<'_>) -> f64 {
    let (x, y) = (margins(a, rows).unwrap(), margins(b, rows).unwrap());
    x.iter()
        .zip(&y)
        .map(|(x, y)| (x - y).abs())
        .fold(0.0, f64::max)
}

fn all_forms() -> Vec<Form> {
    let mut forms: Vec<Form> = RECIPES.iter().flat_map(|r| r.forms).copied().collect();
    forms.dedup();
    forms
}

#[test]
fn no_row_is_further_off_than_proved() {
    let mut tight = 0;
    for seed in 0..60 {
        let model = random::ensemble(seed, &shape(seed));
        let n = model.features.len();
        let set = random::rows(seed + 1000, &model, 60);
        let set: Vec<f64> = set.iter().map(|v| v.clamp(-1e30, 1e30)).collect();
        let calibration = Calibration::new(&model, &Rows::f64(&set, n).unwrap());
        for form in all_forms() {
            let (variant, _) = make(&model, form, &calibration).unwrap();
            let bound = prove(&model, &variant).unwrap();
            // Rows on the edges of both models: that is where ways part.
            for other in [&model, &variant] {
                let x = random::rows(seed + 2000, other, 300);
                let d = largest_difference(&model, &variant, &Rows::f64(&x, n).unwrap());
                assert!(
                    d <= bound.margin,
                    "seed {seed}, {form:?}: {d} is above {}",
                    bound.margin
                );
                tight += usize::from(d > bound.margin * 0.2);
            }
            if form.is_exact() {
                assert_eq!(
                    bound,
                    Bound {
                        margin: 0.0,
                        answer: Some(0.0)
                    }
                );
            }
        }
    }
    assert!(
        tight > 50,
        "only {tight} bounds come near what was measured: they prove too little"
    );
}

#[test]
fn answers_are_within_their_bound() {
    for seed in 0..80 {
        let model = random::model(seed);
        let ensemble = model.ensemble().unwrap();
        if ensemble.sum == Sum::I32 || ensemble.trees.iter().any(|t| !t.linear.is_empty()) {
            continue;
        }
        let n = model.features.len();
        let set = random::rows(seed + 1000, &model, 40);
        let calibration = Calibration::new(&model, &Rows::f64(&set, n).unwrap());
        for form in all_forms() {
            let (variant, _) = make(&model, form, &calibration).unwrap();
            let Some(bound) = prove(&model, &variant).unwrap().answer else {
                continue;
            };
            let x = random::rows(seed + 2000, &variant, 200);
            let rows = Rows::f64(&x, n).unwrap();
            let (a, b) = (
                predict(&model, &rows).unwrap(),
                predict(&variant, &rows).unwrap(),
            );
            for (a, b) in a.iter().zip(&b) {
                assert!(
                    (a - b).abs() <= bound || a == b,
                    "seed {seed}, {form:?}: {a} {b}, bound {bound}"
                );
            }
        }
    }
}

#[test]
fn calibration_rows_keep_their_way_and_others_may_not() {
    let (mut moved, mut kept, mut elsewhere) = (0, 0, 0);
    for seed in 0..60 {
        let model = random::ensemble(
            seed,
            &random::Shape {
                n_cuts: 40,
                ..random::Shape::default()
            },
        );
        let n = model.features.len();
        let set = random::rows(seed, &model, 50);
        let rows = Rows::f64(&set, n).unwrap();
        let calibration = Calibration::new(&model, &rows);
        let form = Form {
            thresholds: Thresholds::F16,
            leaves: Leaves::Exact,
        };
        let (variant, changes) = make(&model, form, &calibration).unwrap();
        moved += changes.thresholds_moved;
        kept += changes.thresholds_kept;
        assert_eq!(
            largest_difference(&model, &variant, &rows),
            0.0,
            "seed {seed}"
        );
        let others = random::rows(seed + 1, &model, 200);
        elsewhere += usize::from(
            largest_difference(&model, &variant, &Rows::f64(&others, n).unwrap()) > 0.0,
        );
    }
    assert!(
        moved > 500 && kept > 50 && elsewhere > 10,
        "{moved} moved, {kept} kept, {elsewhere} differ elsewhere"
    );
}

/// A threshold that moves across a row which had no part in setting it: the error is seen there.
#[test]
fn a_threshold_moved_across_a_verification_row_is_counted() {
    let shape = random::Shape {
        n_features: 1,
        n_trees: 1,
        ..random::Shape::default()
    };
    let mut draft = random::ensemble(0, &shape).into_draft();
    let t = f64::from(1.0003_f32); // between the f16 values 1 and 1.0009765625
    let fretsaw_model::Body::Ensemble(e) = &mut draft.body else {
        panic!("an ensemble was drawn")
    };
    e.base = vec![0.0];
    e.multiply = vec![1.0];
    e.divide = 1.0;
    e.trees[0].weight = 1.0;
    e.trees[0].nodes = vec![
        Node::Split(Split {
            feature: 0,
            test: Test::Less(t),
            missing: Missing::Nan { yes: true },
            yes: 1,
            no: 2,
        }),
        Node::Leaf(0),
        Node::Leaf(1),
    ];
    e.trees[0].leaves = vec![0.0, 1.0];
    e.trees[0].target = fretsaw_model::Target::Output(0);
    let model = draft.build().unwrap();
    let calibration = Calibration::new(&model, &Rows::f64(&[0.5, 2.0], 1).unwrap());
    let form = Form {
        thresholds: Thresholds::F16,
        leaves: Leaves::Exact,
    };
    let (variant, changes) = make(&model, form, &calibration).unwrap();
    assert_eq!(changes.thresholds_moved, 1);
    let between = [1.0002];
    assert_eq!(
        largest_difference(&model, &variant, &Rows::f64(&between, 1).unwrap()),
        1.0
    );
    let bound = prove(&model, &variant).unwrap().margin;
    assert!((1.0..1.001).contains(&bound), "{bound}");
    // With that row among those that set the gap, the other side is taken.
    let calibration = Calibration::new(&model, &Rows::f64(&[0.5, 1.0002, 2.0], 1).unwrap());
    let (variant, _) = make(&model, form, &calibration).unwrap();
    assert_eq!(
        largest_difference(&model, &variant, &Rows::f64(&between, 1).unwrap()),
        0.0
    );
}

#[test]
fn integer_leaves_keep_the_mean() {
    for seed in 0..20 {
        let shape = random::Shape {
            n_trees: 200,
            max_leaves: 32,
            ..random::Shape::default()
        };
        let model = random::ensemble(seed, &shape);
        let n = model.features.len();
        let set = random::rows(seed, &model, 400);
        let calibration = Calibration::new(&model, &Rows::f64(&set, n).unwrap());
        let form = |leaves| Form {
            thresholds: Thresholds::Exact,
            leaves,
        };
        let x = random::rows(seed + 1, &model, 400);
        let rows = Rows::f64(&x, n).unwrap();
        let off = |leaves| {
            let (variant, changes) = make(&model, form(leaves), &calibration).unwrap();
            assert_eq!(variant.ensemble().unwrap().sum, Sum::I32);
            assert!(changes.leaf_scales >= 1);
            largest_difference(&model, &variant, &rows)
        };
        let (coarse, fine) = (off(Leaves::I8), off(Leaves::I16));
        assert!(
            fine < coarse / 20.0 && coarse < 0.2,
            "seed {seed}: i8 {coarse}, i16 {fine}"
        );
    }
}

#[test]
fn what_has_no_variant_is_named() {
    let shape = random::Shape {
        sum: Sum::F64,
        linear: true,
        n_trees: 20,
        ..random::Shape::default()
    };
    let model = random::ensemble(3, &shape);
    let none = Calibration::new(&model, &Rows::f64(&[], model.features.len()).unwrap());
    let form = Form {
        thresholds: Thresholds::Exact,
        leaves: Leaves::I8,
    };
    let error = make(&model, form, &none).unwrap_err();
    assert!(error.to_string().contains("linear functions"), "{error}");
    assert_eq!(model.ensemble().unwrap().compare, Float::F32);
}

/// Written to a file and read back, nodes are numbered otherwise and the base may stand as a tree:
/// still the same model, and proved to be.
#[test]
fn a_model_written_and_read_back_is_proved_the_same() {
    let mut proved = 0;
    for seed in 0..40 {
        let shape = random::Shape {
            n_outputs: 1 + seed as usize % 3,
            ..random::Shape::default()
        };
        let mut draft = random::ensemble(seed, &shape).into_draft();
        let fretsaw_model::Body::Ensemble(e) = &mut draft.body else {
            panic!("an ensemble was drawn")
        };
        e.multiply.fill(1.0);
        e.divide = 1.0;
        e.base_order = fretsaw_model::BaseOrder::First;
        let model = draft.build().unwrap();
        for bytes in [
            crate::onnx::portable(&model),
            crate::onnx::compact(&model, false),
        ] {
            let Ok(bytes) = bytes else { continue };
            let back =
                crate::onnx::read(&bytes, &|_| Err(std::io::ErrorKind::NotFound.into())).unwrap();
            let n = model.features.len();
            let x: Vec<f32> = random::rows(seed, &model, 200)
                .iter()
                .map(|&v| v as f32)
                .collect();
            let d = largest_difference(&model, &back, &Rows::f32(&x, n).unwrap());
            let Some(bound) = prove(&model, &back) else {
                continue;
            };
            assert!(
                d <= bound.margin,
                "seed {seed}: {d} is above {}",
                bound.margin
            );
            proved += usize::from(bound.margin == 0.0);
        }
    }
    assert!(
        proved >= 30,
        "only {proved} of 80 files were proved the same"
    );
}
