//! The main job: make the variants of a model, verify and measure each, choose, and say why.
//!
//! It reads no file but what its caller loaded and writes none: the outcome holds the bytes of
//! every file, so that a caller can put all of them in place at once, or none.

mod build;
mod choose;
mod verify;

use std::time::Instant;

use fretsaw_model::{Model, Rows};

use crate::load::Loaded;
use crate::measure::{self, Effort};
use crate::report::{Budget, DataFacts, Machine, ModelFacts, ObjectiveFacts, Report, SCHEMA};
use crate::select::Objective;
use crate::session::ort::Runtime;
use crate::session::{Native, Session};
use crate::variant::{Calibration, RECIPES};
use crate::{Error, ErrorKind, Result};

pub use verify::compare;

/// What to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// Largest |difference| allowed; the default depends on what the model answers.
    pub max_error: Option<f64>,
    /// The metric to watch, where there are labels: a name as the command line has it.
    pub metric: String,
    /// By how much the metric may get worse.
    pub max_metric_drop: Option<f64>,
    /// What is to be small.
    pub objective: Objective,
    /// Rows a call.
    pub batches: Vec<usize>,
    /// Threads a call may use.
    pub threads: usize,
    /// Whether only files of standard operators may win.
    pub portable: bool,
    /// Whether every variant's files are kept.
    pub keep_variants: bool,
    /// How long to measure.
    pub effort: Effort,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_error: None,
            metric: "auto".into(),
            max_metric_drop: None,
            objective: Objective::Latency,
            batches: vec![1, 64, 1024],
            threads: 1,
            portable: false,
            keep_variants: false,
            effort: Effort::default(),
        }
    }
}

/// The rows of a job, as the model takes them.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// Rows that set thresholds and scales.
    pub setting: Rows<'a>,
    /// Rows that verify and are measured.
    pub verifying: Rows<'a>,
    /// One label a verifying row: the class number of a classifier, else the value.
    pub labels: Option<&'a [f64]>,
    /// What the report says of the rows.
    pub facts: DataFacts,
}

/// Who watches a job: told what happens, asked whether to go on.
pub trait Observer {
    /// A step begins: `done` of `total` are finished.
    fn step(&self, what: &str, done: usize, total: usize);
    /// Whether to stop.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Nobody.
impl Observer for () {
    fn step(&self, _: &str, _: usize, _: usize) {}
}

/// A file to write.
#[derive(Clone, Debug)]
pub struct File {
    /// Its name in the output folder.
    pub name: String,
    /// Its contents.
    pub bytes: Vec<u8>,
}

/// What came out.
#[derive(Debug)]
pub struct Outcome {
    /// The report. Its `files` name what is in `files`.
    pub report: Report,
    /// Every model file.
    pub files: Vec<File>,
    /// The chosen variant.
    pub chosen: Model,
    /// The source's answers on the verifying rows: rows x columns.
    pub answers: Vec<f64>,
}

/// Everything a job needs beside its options.
pub struct Job<'a> {
    /// The source.
    pub source: &'a Loaded,
    /// The name it goes by.
    pub name: &'a str,
    /// The rows.
    pub input: Input<'a>,
    /// What the report says of the machine.
    pub machine: Machine,
    /// ONNX Runtime, or why there is none.
    pub runtime: std::result::Result<&'static Runtime, String>,
    /// The command that the report says makes it again.
    pub command: String,
    /// When the job began, in RFC 3339.
    pub created_at: String,
}

/// Does the main job.
///
/// # Errors
/// When not even the exact variant can be made, verified to the bit and measured; when the options
/// contradict themselves or the model; when `observer` says stop.
pub fn optimize(job: &Job<'_>, options: &Options, observer: &dyn Observer) -> Result<Outcome> {
    let start = Instant::now();
    check(options)?;
    let model = &job.source.model;
    let rows = &job.input.verifying;
    if rows.n_rows() == 0 {
        return Err(Error::data(
            "no rows are left to verify on; give more rows, or --calibration",
        ));
    }
    let mut steps = Steps {
        observer,
        done: 0,
        total: RECIPES.len() + 5,
    };

    steps.next("asking the source")?;
    let answers = verify::reference(model, rows, &|| steps.go_on())?;
    let budget = verify::Budget::new(model, &answers, job.input.labels, options)?;

    let input = verify::rounding(model, rows, &answers, &budget)?;
    let double = input.as_ref().is_some_and(|i| i.files == "f64");

    steps.next("preparing calibration")?;
    let calibration = Calibration::new(model, &job.input.setting);
    let truth = verify::Truth {
        model,
        rows,
        answers: &answers,
        labels: job.input.labels,
        budget: &budget,
        double,
    };
    let mut built = Vec::new();
    for recipe in RECIPES {
        steps.next(&format!("making and verifying {}", recipe.name))?;
        built.push(build::build(recipe, &truth, &calibration, options)?);
    }

    steps.next("checking files in ONNX Runtime")?;
    let mut notices = Vec::new();
    if let Some(input) = &input {
        notices.push(format!("files take {}: {}", input.files, input.why));
    }
    build::check_in_runtime(&mut built, &truth, &job.runtime, &mut notices)?;

    steps.next("measuring")?;
    let mut baseline = choose::Baseline::open(&built[0], model, &job.runtime, options.threads)?;
    let mut sessions: Vec<Option<Native>> = Vec::new();
    for b in &built {
        let own = b.made.is_some() && b.measured_as.is_none();
        sessions.push(own.then(|| b.session(options.threads, rows)).transpose()?);
    }
    let mut running: Vec<&mut dyn Session> = vec![baseline.session.as_mut()];
    running.extend(sessions.iter_mut().flatten().map(|s| s as &mut dyn Session));
    let latencies = measure::latencies(
        &mut running,
        rows,
        &options.batches,
        options.effort,
        &mut || steps.go_on(),
    )?;
    choose::assign(&mut built, &mut baseline, &sessions, latencies);

    steps.next("choosing")?;
    if options.portable {
        notices.push("--portable: variants that need the fretsaw operator could not win".into());
    }
    let choice = choose::choose(&mut built, options)?;
    let files = choose::files(&built, &choice, options)?;
    let chosen = built[choice.winner].model(model);
    let report = Report {
        schema: SCHEMA.into(),
        fretsaw_version: env!("CARGO_PKG_VERSION").into(),
        created_at: job.created_at.clone(),
        command: job.command.clone(),
        seconds: start.elapsed().as_secs_f64(),
        model: model_facts(job),
        data: job.input.facts.clone(),
        input,
        budget: Budget {
            max_error: budget.max_error,
            max_error_from: budget.from.clone(),
            metric: budget.metric,
            max_metric_drop: options.max_metric_drop,
        },
        objective: ObjectiveFacts {
            name: options.objective,
            batches: options.batches.clone(),
            threads: options.threads,
            portable: options.portable,
        },
        machine: job.machine.clone(),
        baseline: baseline.facts(),
        chosen: choice.report(&built, &mut notices),
        variants: built.iter().map(|b| b.report(&built[0], &choice)).collect(),
        files: files.iter().map(|f| f.1.clone()).collect(),
        notices,
    };
    Ok(Outcome {
        report,
        files: files.into_iter().map(|f| f.0).collect(),
        chosen,
        answers,
    })
}

fn check(options: &Options) -> Result<()> {
    let wrong = |what: String| Err(Error::new(ErrorKind::Config, what));
    match options {
        Options {
            max_error: Some(e), ..
        } if e.is_nan() || *e < 0.0 => wrong(format!("an error budget of {e} allows nothing")),
        Options {
            max_metric_drop: Some(d),
            ..
        } if d.is_nan() => wrong("a metric drop of NaN".into()),
        Options { batches, .. } if batches.is_empty() || batches.contains(&0) => {
            wrong("batch sizes are whole numbers from 1".into())
        }
        Options { threads: 0, .. } => wrong("threads are a whole number from 1".into()),
        _ => Ok(()),
    }
}

/// Counts the steps of a job and stops it when asked to.
struct Steps<'a> {
    observer: &'a dyn Observer,
    done: usize,
    total: usize,
}

impl Steps<'_> {
    fn next(&mut self, what: &str) -> Result<()> {
        self.observer.step(what, self.done, self.total);
        self.done += 1;
        self.go_on()
    }

    fn go_on(&self) -> Result<()> {
        if self.observer.cancelled() {
            return Err(Error::new(
                ErrorKind::Interrupted,
                "interrupted; nothing was written",
            ));
        }
        Ok(())
    }
}

fn model_facts(job: &Job<'_>) -> ModelFacts {
    let model = &job.source.model;
    let stats = model.ensemble().map(|e| {
        e.trees
            .iter()
            .map(fretsaw_model::Tree::stats)
            .collect::<Vec<_>>()
    });
    let stats = stats.unwrap_or_default();
    ModelFacts {
        name: job.name.into(),
        path: job.source.path.display().to_string(),
        format: model.provenance.format.clone(),
        framework: model.provenance.framework.clone(),
        framework_version: model.provenance.framework_version.clone(),
        objective: model.provenance.objective.clone(),
        answer: answer_name(model).into(),
        sha256: job.source.sha256.clone(),
        bytes: job.source.bytes,
        n_features: model.features.len(),
        n_outputs: model.body.n_margins(),
        n_trees: stats.len(),
        n_leaves: stats.iter().map(|s| s.n_leaves).sum(),
        max_depth: stats.iter().map(|s| s.depth).max().unwrap_or(0),
    }
}

/// What a model answers, in one word.
pub fn answer_name(model: &Model) -> &'static str {
    use fretsaw_model::Answer;
    match model.answer {
        Answer::Values => "values",
        Answer::Binary => "binary",
        Answer::Score => "score",
        Answer::Classes => "classes",
        Answer::Labels => "labels",
        Answer::Class => "class",
    }
}
