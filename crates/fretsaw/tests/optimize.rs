//! The main job on random models: budgets, fallbacks, what may win, and how it stops.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

use fretsaw::load::Loaded;
use fretsaw::measure::Effort;
use fretsaw::model::{
    Answer, Body, Draft, Feature, Float, InterceptOrder, Linear, LinearMissing, Link, Model,
    Provenance, Rows, random,
};
use fretsaw::optimize::{Input, Job, Observer, Options, Outcome, optimize};
use fretsaw::report::{DataFacts, Machine, VariantReport};
use fretsaw::select::Objective;
use fretsaw::{ErrorKind, Result};

fn options() -> Options {
    let effort = Effort {
        time: Duration::from_millis(1),
        rounds: 1,
    };
    Options {
        effort,
        batches: vec![1, 8],
        ..Options::default()
    }
}

/// A binary classifier of 60 trees.
fn classifier() -> Model {
    let shape = random::Shape {
        n_trees: 60,
        max_leaves: 16,
        chain: 0,
        ..random::Shape::default()
    };
    let mut draft = random::ensemble(11, &shape).into_draft();
    draft.link = Link::Sigmoid { steepness: 1.0 };
    draft.answer = Answer::Binary;
    let Body::Ensemble(e) = &mut draft.body else {
        panic!("an ensemble was drawn")
    };
    // A learning rate, so that the sum stays where the sigmoid has a slope.
    e.trees.iter_mut().for_each(|t| t.weight = 0.05);
    e.divide = 1.0;
    e.multiply = vec![1.0];
    draft.build().unwrap()
}

struct Case {
    model: Model,
    options: Options,
    labels: bool,
    n_rows: usize,
    /// Whether rows are f64, some one place beside a threshold.
    double: bool,
}

impl Case {
    fn new(model: Model) -> Self {
        Self {
            model,
            options: options(),
            labels: false,
            n_rows: 400,
            double: false,
        }
    }

    fn run(&self) -> Result<Outcome> {
        self.watched(&())
    }

    fn watched(&self, observer: &dyn Observer) -> Result<Outcome> {
        let n = self.model.features.len();
        let wide = random::rows(5, &self.model, self.n_rows);
        let narrow: Vec<f32> = wide.iter().map(|&v| v as f32).collect();
        let rows = match self.double {
            true => Rows::f64(&wide, n).unwrap(),
            false => Rows::f32(&narrow, n).unwrap(),
        };
        let half = self.n_rows / 2;
        let labels: Vec<f64> = (half..self.n_rows).map(|i| (i % 2) as f64).collect();
        let source = Loaded {
            path: PathBuf::from("model.ubj"),
            model: self.model.clone(),
            sha256: "0".repeat(64),
            bytes: 1,
        };
        let job = Job {
            source: &source,
            name: "signal",
            input: Input {
                setting: rows.slice(0..half),
                verifying: rows.slice(half..self.n_rows),
                labels: self.labels.then_some(labels.as_slice()),
                facts: DataFacts {
                    path: "rows.npy".into(),
                    sha256: "0".repeat(64),
                    calibration_path: None,
                    rows_setting: half,
                    rows_verified: self.n_rows - half,
                    labels: None,
                },
            },
            machine: Machine {
                cpu: None,
                cores: 1,
                instruction_set: "scalar".into(),
                memory_bytes: None,
                system: "test".into(),
            },
            runtime: Err("none is asked for".into()),
            command: "fretsaw optimize".into(),
            created_at: "2026-01-01T00:00:00Z".into(),
        };
        optimize(&job, &self.options, observer)
    }
}

fn variant<'a>(outcome: &'a Outcome, name: &str) -> &'a VariantReport {
    outcome
        .report
        .variants
        .iter()
        .find(|v| v.name == name)
        .unwrap()
}

#[test]
fn a_wide_budget_lets_the_least_precise_forms_stand() {
    let mut case = Case::new(classifier());
    case.options.max_error = Some(1.0);
    case.options.objective = Objective::Size;
    let outcome = case.run().unwrap();
    let report = &outcome.report;
    assert_eq!(
        variant(&outcome, "int8").form,
        "exact thresholds, i8 leaves"
    );
    assert_eq!(variant(&outcome, "fp16").form, "f16 thresholds and leaves");
    for v in &report.variants {
        assert!(
            v.made && v.within_budget && v.fell_back_from.is_empty(),
            "{v:?}"
        );
        let bound = v.bound.unwrap().answer.unwrap();
        assert!(
            v.error.max <= bound,
            "{}: {} is above {bound}",
            v.name,
            v.error.max
        );
        assert_eq!(v.latency.len(), 2);
        assert!(v.file_bytes > 0 && v.memory_bytes > 0 && !v.why.is_empty());
    }
    let smallest = report.variants.iter().min_by_key(|v| v.file_bytes).unwrap();
    assert_eq!(report.chosen.variant, smallest.name);
    assert_eq!(report.chosen.file, "model.fretsaw.onnx");
    let names: Vec<&str> = outcome.files.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["model.onnx", "model.fretsaw.onnx"]);
    assert!(!report.chosen.fell_back_to_exact);
}

#[test]
fn a_budget_of_nothing_leaves_the_exact_ones_and_says_so() {
    let mut case = Case::new(classifier());
    case.options.max_error = Some(0.0);
    let outcome = case.run().unwrap();
    let report = &outcome.report;
    assert!(report.chosen.fell_back_to_exact);
    assert!(["exact", "int8-lossless"].contains(&report.chosen.variant.as_str()));
    assert!(
        report.notices.iter().any(|n| n.contains("kept the budget")),
        "{:?}",
        report.notices
    );
    let int8 = variant(&outcome, "int8");
    assert_eq!(int8.fell_back_from.len(), 2, "i8, then i16");
    assert!(
        int8.fell_back_from[0].why.contains("over the budget of 0"),
        "{:?}",
        int8.fell_back_from
    );
    assert!(int8.fell_back_from[0].max_error.unwrap() > int8.fell_back_from[1].max_error.unwrap());
    assert!(
        int8.error.bit_equal && int8.why.contains("fell back to exact"),
        "{}",
        int8.why
    );
}

#[test]
fn portable_means_standard_operators_only() {
    let mut case = Case::new(classifier());
    case.options.max_error = Some(1.0);
    case.options.portable = true;
    case.options.objective = Objective::Size;
    case.options.keep_variants = true;
    let outcome = case.run().unwrap();
    assert_eq!(outcome.report.chosen.file, "model.onnx");
    let chosen = outcome.report.variants.iter().find(|v| v.chosen).unwrap();
    assert_eq!(chosen.operator, "ai.onnx.ml");
    assert!(
        variant(&outcome, "int8").why.contains("--portable"),
        "{}",
        variant(&outcome, "int8").why
    );
    // Every file can be read back, and holds what the report says of it.
    for (file, facts) in outcome.files.iter().zip(&outcome.report.files) {
        assert_eq!(file.name, facts.name);
        let back = fretsaw::load::load_bytes(&file.bytes, file.name.as_ref()).unwrap();
        assert_eq!(back.sha256, facts.sha256, "{}", file.name);
        assert_eq!(back.model.answer, Answer::Binary);
    }
}

#[test]
fn a_metric_may_be_the_budget_too() {
    let mut case = Case::new(classifier());
    case.options.max_error = Some(1.0);
    case.options.max_metric_drop = Some(-1.0); // nothing is that much better
    assert_eq!(
        case.run().unwrap_err().kind(),
        ErrorKind::Config,
        "a drop without labels"
    );
    case.labels = true;
    let report = case.run().unwrap().report;
    assert!(
        report
            .variants
            .iter()
            .all(|v| !v.within_budget && v.error.bit_equal)
    );
    let told = |n: &String| n.contains("no variant keeps the budget") && n.contains("auc");
    assert!(report.notices.iter().any(told), "{:?}", report.notices);
    case.options.max_metric_drop = Some(0.5);
    let outcome = case.run().unwrap();
    let metric = variant(&outcome, "int8").metric.unwrap();
    assert_eq!(metric.drop, metric.before - metric.after);
    assert!((0.0..=1.0).contains(&metric.after));
    case.options.metric = "rmse".into();
    assert_eq!(
        case.run().unwrap_err().kind(),
        ErrorKind::Config,
        "rmse of a classifier"
    );
}

#[test]
fn a_linear_model_has_one_variant_and_says_why() {
    let draft = Draft {
        features: vec![Feature::numeric("a"), Feature::numeric("b")],
        steps: vec![],
        body: Body::Linear(Linear {
            n_outputs: 1,
            sum: Float::F32,
            weights: vec![0.5, -2.0],
            intercept: vec![1.0],
            intercept_order: InterceptOrder::First,
            missing: LinearMissing::Skip,
        }),
        link: Link::Identity,
        answer: Answer::Values,
        decision: fretsaw::model::Decision::Answer,
        labels: None,
        provenance: Provenance::default(),
    };
    let outcome = Case::new(draft.build().unwrap()).run().unwrap();
    assert_eq!(outcome.report.chosen.variant, "exact");
    let int8 = variant(&outcome, "int8");
    assert!(
        !int8.made && int8.why.contains("only tree ensembles"),
        "{}",
        int8.why
    );
    assert!(
        outcome
            .report
            .budget
            .max_error_from
            .contains("standard deviation")
    );
}

/// Rows of f64 beside thresholds go elsewhere in a file that takes f32: such files take f64, unless the
/// budget bears it.
#[test]
fn files_take_f64_where_f32_would_break_the_budget() {
    let shape = random::Shape {
        n_trees: 60,
        max_leaves: 16,
        chain: 0,
        compare: Float::F64,
        sum: fretsaw::model::Sum::F64,
        ..random::Shape::default()
    };
    let mut case = Case::new(random::ensemble(11, &shape));
    assert!(case.run().unwrap().report.input.is_none(), "rows of f32");
    case.double = true;
    let back = |outcome: &Outcome| {
        let none = |_: &str| Err(std::io::ErrorKind::NotFound.into());
        let model = fretsaw::onnx::read(&outcome.files[0].bytes, &none).unwrap();
        model.ensemble().unwrap().compare
    };
    case.options.max_error = Some(1e-9);
    let outcome = case.run().unwrap();
    let input = outcome.report.input.as_ref().unwrap();
    assert_eq!(input.files, "f64", "{input:?}");
    assert!(input.rows_changed > Some(0) && input.max_error > Some(1e-9));
    assert_eq!(back(&outcome), Float::F64);
    assert!(
        outcome
            .report
            .notices
            .iter()
            .any(|n| n.contains("take f64"))
    );
    case.options.max_error = Some(1e9);
    case.options.objective = Objective::Latency;
    let outcome = case.run().unwrap();
    assert_eq!(outcome.report.input.as_ref().unwrap().files, "f32");
    assert_eq!(back(&outcome), Float::F32);
}

#[test]
fn it_stops_when_asked_to_at_every_step() {
    struct After(Cell<usize>);
    impl Observer for After {
        fn step(&self, _: &str, _: usize, _: usize) {}
        fn cancelled(&self) -> bool {
            let left = self.0.get();
            self.0.set(left.saturating_sub(1));
            left == 0
        }
    }
    let case = Case::new(classifier());
    for n in 0..6 {
        let error = case.watched(&After(Cell::new(n))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "after {n}");
    }
}

#[test]
fn what_cannot_be_asked_is_said() {
    type Break = fn(&mut Case);
    let cases: [(Break, &str); 5] = [
        (|c| c.n_rows = 0, "no rows"),
        (|c| c.options.batches = vec![], "batch sizes"),
        (|c| c.options.batches = vec![0], "batch sizes"),
        (|c| c.options.threads = 0, "threads"),
        (|c| c.options.max_error = Some(f64::NAN), "error budget"),
    ];
    for (change, want) in cases {
        let mut case = Case::new(classifier());
        change(&mut case);
        let error = case.run().unwrap_err().to_string();
        assert!(error.contains(want), "{error:?} does not say {want:?}");
    }
}
