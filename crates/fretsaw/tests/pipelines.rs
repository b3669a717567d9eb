//! Pipelines written as ONNX and run by ONNX Runtime: the reference's answers, to 1e-11 where all is
//! f64, and its refusals.
//!
//! Needs a library, as `ort.rs` says. Without one the tests say so and pass.

use fretsaw::model::random::{self, Rng};
use fretsaw::model::{
    Answer, Body, Categories, Codes, Decision, Derived, Draft, Encoder, Feature, FeatureKind,
    KeyPart, Link, Model, Provenance, Rows, Step, labels, margins, predict,
};
use fretsaw::onnx::{self, Lower};
use fretsaw::session::ort::{Options, OrtSession, Runtime};
use fretsaw::session::{Buffer, Predictions, Session, Want};
use fretsaw::{ErrorKind, Result, model::Float, model::Labels};

#[path = "../../fretsaw-onnx/tests/it/pipelines.rs"]
mod pipelines;

fn runtime() -> Option<&'static Runtime> {
    match Runtime::get(None) {
        Ok(runtime) => Some(runtime),
        Err(absent) => {
            println!("skipped: {absent}");
            None
        }
    }
}

/// What ONNX Runtime answers, and the names of the classes where there are any.
fn run(
    runtime: &Runtime,
    model: &Model,
    options: &Lower,
    rows: &Rows<'_>,
) -> Result<(Vec<f64>, Option<Labels>)> {
    let bytes = onnx::write(model, options)?;
    let mut session = OrtSession::open(runtime, &bytes, &Options::default())?;
    let mut out = Predictions::new(Float::F64, 1);
    let labels = match session.has_labels() {
        true => Some(session.run_with_labels(rows, &mut out)?),
        false => {
            session.run(rows, Want::Answers, &mut out)?;
            None
        }
    };
    Ok((out.to_f64(), labels))
}

fn double() -> Lower {
    Lower {
        double: true,
        ..Lower::default()
    }
}

fn assert_near(got: &[f64], want: &[f64], tolerance: f64, name: &str) {
    assert_eq!(got.len(), want.len(), "{name}");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let near = (g - w).abs() <= tolerance * (1.0 + w.abs());
        assert!(
            near || g == w || g.is_nan() && w.is_nan(),
            "{name}: answer {i} is {g} for {w}"
        );
    }
}

#[test]
fn every_step_answers_as_the_reference_does() {
    let Some(runtime) = runtime() else { return };
    let n_kinds = pipelines::N_KINDS as u64;
    for seed in 0..5 * n_kinds {
        // One step of every kind, and every fifth time several of any.
        let only = (seed % 5 != 0).then_some((seed % n_kinds) as usize);
        let model = pipelines::model(seed, only);
        let n = model.features.len();
        let x = pipelines::rows(seed, &model, 40);
        let rows = Rows::f64(&x, n).unwrap();
        let want = predict(&model, &rows).unwrap();
        let name = format!("seed {seed}");
        let (got, names) = run(runtime, &model, &double(), &rows).unwrap();
        assert_near(&got, &want, 1e-11, &name);
        let classes = labels(&model, &margins(&model, &rows).unwrap(), &want);
        if let (Some(classes), Some(names)) = (classes, names) {
            let class = |i: usize| model.class_name(i);
            let want: Vec<String> = classes.into_iter().map(class).collect();
            let got: Vec<String> = (0..want.len()).map(|i| names.name(i)).collect();
            assert_eq!(got, want, "{name}");
        }
        let narrow: Vec<f32> = x.iter().map(|&v| v as f32).collect();
        let rows = Rows::f32(&narrow, n).unwrap();
        let want: Vec<f64> = predict(&model, &rows)
            .unwrap()
            .into_iter()
            .map(|v| f64::from(v as f32))
            .collect();
        let (got, _) = run(runtime, &model, &Lower::default(), &rows).unwrap();
        assert_near(&got, &want, 1e-6, &format!("{name} in f32"));
    }
}

#[test]
fn random_pipelines_answer_as_the_reference_does() {
    let Some(runtime) = runtime() else { return };
    let (mut same, mut refused) = (0, 0);
    for seed in 0..150 {
        let model = random::composite(seed);
        let n = model.features.len();
        let mut x = random::composite_rows(seed, &model, 24);
        // What is no code of a text is another text, whose code is -1.
        for (i, v) in x.iter_mut().enumerate() {
            if let FeatureKind::Text { known } = &model.features[i % n].kind
                && !v.is_nan()
                && !(0..known.len()).any(|code| code as f64 == *v)
            {
                *v = -1.0;
            }
        }
        let options = match seed % 2 {
            0 => Lower::default(),
            _ => double(),
        };
        let bytes = match onnx::write(&model, &options) {
            Ok(bytes) => bytes,
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::Unsupported, "seed {seed}: {e}");
                continue;
            }
        };
        let mut session = OrtSession::open(runtime, &bytes, &Options::default()).unwrap();
        let mut out = Predictions::new(Float::F64, 1);
        let sorts = format!("{:?} {:?}", model.steps, model.link).contains("Sorted");
        for (i, row) in x.chunks_exact(n).enumerate() {
            let narrow: Vec<f32> = row.iter().map(|&v| v as f32).collect();
            let rows = match options.double || model.needs_double_rows() {
                true => Rows::f64(row, n).unwrap(),
                false => Rows::f32(&narrow, n).unwrap(),
            };
            let name = format!("seed {seed}, row {i}");
            let got = session.run(&rows, Want::Answers, &mut out);
            match predict(&model, &rows) {
                // Where NaN is sorted to depends on its sign.
                Ok(want) if sorts && want.iter().any(|v| v.is_nan()) => {}
                Ok(want) => {
                    got.unwrap_or_else(|e| panic!("{name}: {e}"));
                    let got = out.to_f64();
                    let (want, tolerance) = match &out.values {
                        Buffer::F64(_) => (want, 1e-7),
                        Buffer::F32(_) => {
                            let narrow = |v: &f64| f64::from(*v as f32);
                            (want.iter().map(narrow).collect(), 1e-6)
                        }
                    };
                    // A matrix product in f32 is in an order of its own, which shows where terms cancel.
                    let product = matches!(&model.body, Body::Linear(l) if l.sum == Float::F32);
                    let tolerance = if product { 1e-4 } else { tolerance };
                    assert_near(&got, &want, tolerance, &name);
                    same += 1;
                }
                Err(_) => {
                    got.expect_err(&name);
                    refused += 1;
                }
            }
        }
    }
    assert!(
        same > 2000 && refused > 5,
        "{same} rows answered, {refused} refused"
    );
}

fn row_model(features: Vec<Feature>, steps: Vec<Step>) -> Model {
    let n_outputs = fretsaw::model::width(&steps, features.len());
    Draft {
        features,
        steps,
        body: Body::Row {
            n_outputs,
            n_margins: n_outputs,
        },
        link: Link::Identity,
        answer: Answer::Values,
        decision: Decision::Answer,
        labels: None,
        provenance: Provenance::default(),
    }
    .build()
    .unwrap()
}

#[test]
fn categories_by_their_hashes_are_looked_up() {
    let Some(runtime) = runtime() else { return };
    let mut r = Rng::new(5);
    let hashes = [0_u32, 7, 0x7fff_ffff, 0x8000_0000, u32::MAX];
    for seed in 0..20 {
        let part = |r: &mut Rng| match r.below(3) {
            0 => KeyPart::Category {
                feature: r.below(2) as u32,
            },
            1 => KeyPart::Is {
                feature: r.below(2) as u32,
                category: r.pick(&hashes),
            },
            _ => KeyPart::Above {
                feature: 2,
                border: r.pick(&[0.1, 0.5]),
                missing: r.one_in(2),
            },
        };
        let value = |r: &mut Rng, hashed: bool| match r.below(8) {
            0 => f64::NAN,
            1 => r.pick(&[-1.0, 0.5, 4_294_967_296.0, 1e300]),
            _ if hashed => f64::from(r.pick(&hashes)),
            _ => r.pick(&[0.1, f64::from(0.1_f32), 0.1 + 1e-10, 0.5, 0.7]),
        };
        let rows: Vec<f64> = (0..60)
            .flat_map(|_| [true, true, false])
            .map(|hashed| value(&mut r, hashed))
            .collect();
        let mut table = Derived {
            parts: (0..r.below(4)).map(|_| part(&mut r)).collect(),
            keys: vec![],
            values: vec![],
            otherwise: vec![-1.0, -2.0],
        };
        // Half of the keys that the rows have.
        let mut keys: Vec<u64> = rows.chunks(3).filter_map(|row| table.key(row)).collect();
        keys.sort_unstable();
        keys.dedup();
        table.keys = keys.into_iter().filter(|_| !r.one_in(3)).collect();
        table.values = (0..2 * table.keys.len()).map(|_| r.unit()).collect();
        let mut features = vec![
            Feature::numeric("a"),
            Feature::numeric("b"),
            Feature::numeric("c"),
        ];
        features[0].kind = FeatureKind::Hashed;
        features[1].kind = FeatureKind::Hashed;
        let model = row_model(features, vec![Step::Derive(vec![table]), Step::Widen]);
        let rows = Rows::f64(&rows, 3).unwrap();
        let want = predict(&model, &rows).unwrap();
        let (got, _) = run(runtime, &model, &double(), &rows).unwrap();
        assert_near(&got, &want, 0.0, &format!("seed {seed}"));
    }
}

fn encoder(
    column: u32,
    keys: usize,
    missing: Option<u32>,
    unknown: Option<u32>,
    codes: Codes,
) -> Encoder {
    Encoder {
        column,
        keys: (0..keys).map(|k| k as f64).collect(),
        code_of: (0..keys as u32).collect(),
        missing,
        unknown,
        codes,
    }
}

#[test]
fn refused_categories_are_refused() {
    let Some(runtime) = runtime() else { return };
    let one_hot = |width| Codes::OneHot { width };
    let values = |width: u32, n: u32| Codes::Values {
        width,
        values: (0..width * n).map(f64::from).collect(),
    };
    for (name, encoders) in [
        ("one-hot", vec![encoder(0, 3, None, None, one_hot(3))]),
        (
            "two one-hots",
            vec![
                encoder(1, 9, Some(9), Some(9), one_hot(9)),
                encoder(0, 3, None, None, one_hot(3)),
            ],
        ),
        ("values", vec![encoder(0, 3, None, None, values(2, 3))]),
        (
            "values before others",
            vec![
                encoder(0, 3, None, None, values(1, 3)),
                encoder(1, 9, Some(2), Some(2), values(1, 9)),
            ],
        ),
    ] {
        let features = vec![Feature::numeric("a"), Feature::numeric("b")];
        let model = row_model(features, vec![Step::Encode(encoders)]);
        let good = [0.0, 5.0, 2.0, f64::NAN, 1.0, -3.0];
        let rows = Rows::f64(&good, 2).unwrap();
        let want = predict(&model, &rows).unwrap();
        let (got, _) = run(runtime, &model, &double(), &rows).unwrap();
        assert_near(&got, &want, 0.0, name);
        for bad in [3.0, -1.0, 0.5, f64::NAN, f64::INFINITY] {
            let row = [bad, 1.0];
            let rows = Rows::f64(&row, 2).unwrap();
            predict(&model, &rows).unwrap_err();
            let error = run(runtime, &model, &double(), &rows).expect_err(name);
            assert!(error.to_string().contains("out of data bounds"), "{error}");
        }
    }
}

/// Codes in the rows become the texts that the file takes, and those the same codes.
#[test]
fn text_goes_in_as_text() {
    let Some(runtime) = runtime() else { return };
    let strings = |all: &[&str]| all.iter().map(|s| s.to_string()).collect::<Vec<_>>();
    let features = vec![
        Feature::numeric("size"),
        Feature {
            name: "the colour".into(),
            kind: FeatureKind::Text {
                known: strings(&["red", "?", "grün"]),
            },
        },
        Feature {
            name: "label".into(),
            kind: FeatureKind::Categorical {
                categories: Some(Categories::Strings(strings(&["x", "", "y"]))),
            },
        },
    ];
    let steps = vec![Step::Encode(vec![
        encoder(1, 3, Some(3), Some(4), Codes::OneHot { width: 5 }),
        encoder(2, 3, None, Some(0), Codes::OneHot { width: 3 }),
    ])];
    let model = row_model(features, steps);
    let rows = [
        [1.0, 0.0, 0.0],
        [2.0, 1.0, 1.0],
        [f64::NAN, 2.0, 2.0],
        [1.0, -1.0, 0.0],
        [1.0, f64::NAN, 0.0],
    ]
    .concat();
    let rows = Rows::f64(&rows, 3).unwrap();
    let want = predict(&model, &rows).unwrap();
    for options in [double(), Lower::default()] {
        let (got, _) = run(runtime, &model, &options, &rows).unwrap();
        assert_near(&got, &want, 0.0, "text");
    }
    // A category that the model does not have, and one that no text says.
    for (bad, why) in [(3.0, "out of data bounds"), (f64::NAN, "empty text")] {
        let row = [1.0, 0.0, bad];
        let rows = Rows::f64(&row, 3).unwrap();
        let error = run(runtime, &model, &double(), &rows).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }

    // Where codes are taken, text is when asked for.
    let mut draft = random::ensemble(3, &random::Shape::default()).into_draft();
    draft.features[2].kind = FeatureKind::Categorical {
        categories: Some(Categories::Strings(strings(&["p", "q", "r"]))),
    };
    let model = draft.build().unwrap();
    let rows: Vec<f32> = (0..70).map(|i| (i % 3) as f32).collect();
    let rows = Rows::f32(&rows, 7).unwrap();
    let want = predict(&model, &rows).unwrap();
    for strings in [false, true] {
        let options = Lower {
            strings,
            ..Lower::default()
        };
        let (got, _) = run(runtime, &model, &options, &rows).unwrap();
        assert_near(&got, &want, 0.0, "categories");
    }
}
