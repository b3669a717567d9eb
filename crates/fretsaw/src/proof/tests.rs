//! What is proved of random ensembles holds on rows around every threshold; what is disproved comes
//! with a row that shows it.

use fretsaw_model::{Body, Float, Model, Node, Rows, Step, Test, margins, predict, random};

use super::*;

fn largest_difference(a: &Model, b: &Model, rows: &Rows<'_>) -> f64 {
    let (x, y) = (margins(a, rows).unwrap(), margins(b, rows).unwrap());
    let apart = |(x, y): (&f64, &f64)| if x == y { 0.0 } else { (x - y).abs() };
    x.iter().zip(&y).map(apart).fold(0.0, f64::max)
}

/// Rows around the thresholds of both, of both precisions.
fn worst(seed: u64, a: &Model, b: &Model, float: Float) -> f64 {
    let n = a.features.len();
    [a, b].into_iter().fold(0.0, |worst: f64, model| {
        let x = random::rows(seed, model, 300);
        worst.max(match float {
            Float::F64 => largest_difference(a, b, &Rows::f64(&x, n).unwrap()),
            Float::F32 => {
                let x: Vec<f32> = x.iter().map(|&v| v as f32).collect();
                largest_difference(a, b, &Rows::f32(&x, n).unwrap())
            }
        })
    })
}

fn plain(seed: u64) -> Model {
    let shape = random::Shape {
        linear: false,
        ..random::Shape::any(seed)
    };
    random::ensemble(seed, &shape)
}

#[test]
fn a_model_is_itself() {
    for seed in 0..40 {
        let model = plain(seed);
        for float in [Float::F32, Float::F64] {
            let proof = prove(&model, &model, float, 0.0);
            assert!(proof.equal, "seed {seed}: {proof:?}");
            assert_eq!(proof.trees_alike, proof.trees, "seed {seed}");
        }
    }
}

/// Files of ours, whose nodes are numbered otherwise, whose tests may be turned round, and which have
/// steps in front where the source has rules for missing values.
#[test]
fn what_is_written_is_proved_the_same_for_its_inputs() {
    let (mut files, mut routes) = (0, 0);
    for seed in 0..60 {
        let model = plain(seed);
        for bytes in [
            crate::onnx::portable(&model),
            crate::onnx::compact(&model, false),
        ] {
            let Ok(bytes) = bytes else { continue };
            let back =
                crate::onnx::read(&bytes, &|_| Err(std::io::ErrorKind::NotFound.into())).unwrap();
            let proof = prove(&model, &back, Float::F32, 0.0);
            files += 1;
            routes += usize::from(proof.trees_alike == proof.trees && proof.undecided.is_none());
            let d = worst(seed, &model, &back, Float::F32);
            if proof.equal {
                assert_eq!(d, 0.0, "seed {seed}");
            } else if let Some(bound) = proof.bound {
                assert!(
                    d <= bound.margin,
                    "seed {seed}: {d} is above {}",
                    bound.margin
                );
            }
        }
    }
    assert!(
        files >= 60 && routes * 100 >= files * 85,
        "of {files} files only {routes} were proved to send every input the same way"
    );
}

/// One threshold moved to its neighbour: a row is found that shows it, unless the two leaves are the
/// same; and where none is found, none of the rows around the threshold differs.
#[test]
fn a_moved_threshold_is_shown_by_a_row() {
    let mut shown = 0;
    for seed in 0..60 {
        let model = plain(seed);
        let mut draft = model.to_draft();
        let Body::Ensemble(e) = &mut draft.body else {
            panic!("an ensemble was drawn")
        };
        let compare = e.compare;
        let moved = e
            .trees
            .iter_mut()
            .flat_map(|t| &mut t.nodes)
            .find_map(|node| {
                let Node::Split(split) = node else {
                    return None;
                };
                match &mut split.test {
                    Test::Less(t) | Test::LessEq(t) if t.is_finite() => {
                        *t = match compare {
                            Float::F32 => f64::from((*t as f32).next_up().next_up()),
                            Float::F64 => t.next_up(),
                        };
                        Some(())
                    }
                    _ => None,
                }
            });
        if moved.is_none() {
            continue;
        }
        let other = draft.build().unwrap();
        for float in [Float::F32, Float::F64] {
            let proof = prove(&model, &other, float, 0.0);
            let Some(c) = &proof.counterexample else {
                if proof.equal {
                    assert_eq!(worst(seed, &model, &other, float), 0.0, "seed {seed}");
                }
                continue;
            };
            shown += 1;
            assert!(!proof.equal);
            let row: Vec<f64> = c.row.iter().map(|v| v.unwrap_or(f64::NAN)).collect();
            let narrow: Vec<f32> = row.iter().map(|&v| v as f32).collect();
            let rows = match float {
                Float::F32 => Rows::f32(&narrow, row.len()).unwrap(),
                Float::F64 => Rows::f64(&row, row.len()).unwrap(),
            };
            assert_ne!(
                predict(&model, &rows).unwrap(),
                predict(&other, &rows).unwrap(),
                "seed {seed}"
            );
            let bound = proof.bound.map_or(f64::INFINITY, |b| b.margin);
            assert!(largest_difference(&model, &other, &rows) <= bound);
        }
    }
    assert!(shown >= 40, "only {shown} moved thresholds were shown");
}

/// A threshold between two f32 values sends every f32 input where its f32 neighbour does, and one
/// f64 input elsewhere.
#[test]
fn what_holds_for_f32_inputs_may_fail_for_f64_ones() {
    let shape = random::Shape {
        compare: Float::F64,
        sum: fretsaw_model::Sum::F64,
        n_trees: 1,
        linear: false,
        ..random::Shape::default()
    };
    let mut draft = random::ensemble(3, &shape).into_draft();
    let set = |draft: &mut fretsaw_model::Draft, to: f64| {
        let Body::Ensemble(e) = &mut draft.body else {
            panic!("an ensemble was drawn")
        };
        let Node::Split(split) = &mut e.trees[0].nodes[0] else {
            panic!("a tree was drawn")
        };
        split.test = Test::LessEq(to);
    };
    let between = 0.1_f64;
    set(&mut draft, between);
    let model = draft.clone().build().unwrap();
    set(&mut draft, f64::from(fretsaw_model::floor32(between)));
    let narrowed = draft.build().unwrap();
    assert!(prove(&model, &narrowed, Float::F32, 0.0).equal);
    let proof = prove(&model, &narrowed, Float::F64, 0.0);
    let row = proof
        .counterexample
        .expect("0.1 itself goes the other way")
        .row;
    assert!(
        row.iter()
            .flatten()
            .any(|&x| x > f64::from(fretsaw_model::floor32(between)) && x <= between)
    );
}

/// A leaf moved by one place is a difference, also where a divisor makes the two round alike.
#[test]
fn a_leaf_off_by_its_last_place_is_never_proved_equal() {
    for divide in [1.0, 3.0, 1e300] {
        let shape = random::Shape {
            sum: fretsaw_model::Sum::F64,
            linear: false,
            ..random::Shape::default()
        };
        let mut draft = random::ensemble(5, &shape).into_draft();
        let leaf = |draft: &mut fretsaw_model::Draft| {
            let Body::Ensemble(e) = &mut draft.body else {
                panic!("an ensemble was drawn")
            };
            e.divide = divide;
            e.multiply.fill(1.0);
            let leaf = &mut e.trees[0].leaves[0];
            *leaf = leaf.next_up();
        };
        leaf(&mut draft);
        let model = draft.clone().build().unwrap();
        leaf(&mut draft);
        let moved = draft.build().unwrap();
        assert!(!prove(&model, &moved, Float::F64, 0.0).equal, "{divide}");
        assert!(prove(&model, &model, Float::F64, 0.0).equal, "{divide}");
        let bound = crate::variant::prove(&model, &moved).unwrap();
        assert!(bound.margin > 0.0, "{divide}");
    }
}

#[test]
fn steps_in_front_are_part_of_the_proof() {
    for seed in 0..30 {
        let model = plain(seed);
        let n = model.features.len();
        let mut draft = model.to_draft();
        let scale = Step::Scale {
            shift: vec![0.25; n],
            scale: vec![-3.0; n],
        };
        draft.steps = vec![
            Step::Widen,
            Step::MarkMissing { value: -999.0 },
            scale,
            Step::FlushTiny { limit: 1e-3 },
        ];
        let scaled = draft.build().unwrap();
        assert!(
            prove(&scaled, &scaled, Float::F64, 0.0).equal,
            "seed {seed}"
        );
        let mut draft = scaled.to_draft();
        draft.steps.remove(1);
        let unmarked = draft.build().unwrap();
        let proof = prove(&scaled, &unmarked, Float::F64, 0.0);
        let x: Vec<f64> = random::rows(seed, &model, 200)
            .iter()
            .enumerate()
            .map(|(i, v)| if i % 3 == 0 { -999.0 } else { *v })
            .collect();
        let d = largest_difference(&scaled, &unmarked, &Rows::f64(&x, n).unwrap());
        if d > 0.0 {
            assert!(!proof.equal, "seed {seed}");
            assert!(
                proof.counterexample.is_some() || proof.undecided.is_some(),
                "{proof:?}"
            );
        }
    }
}
