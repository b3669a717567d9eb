//! The report of an optimise run: what was tried, what it is worth, what was chosen and why.
//!
//! `report.json` is [`Report`] as it stands; its field names are stable and are documented here.
//! A field that does not apply is absent or null. Times are in the unit that their name ends in,
//! sizes in bytes.

pub mod html;

use serde::Serialize;

use crate::devices::Devices;
use crate::measure::Latency;
use crate::metric::Metric;
use crate::select::Objective;
use crate::session::SessionInfo;
use crate::variant::{Bound, Changes};

/// The form of the JSON; a change that breaks readers changes the number.
pub const SCHEMA: &str = "fretsaw.report/1";

/// A whole report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of fretsaw that made it.
    pub fretsaw_version: String,
    /// When, in RFC 3339, UTC.
    pub created_at: String,
    /// The command that makes it again.
    pub command: String,
    /// How long the run took, in seconds.
    pub seconds: f64,
    /// The source model.
    pub model: ModelFacts,
    /// The rows.
    pub data: DataFacts,
    /// The type of the files' input, where the rows are f64 and it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<InputFacts>,
    /// What was allowed.
    pub budget: Budget,
    /// What was to be small, and at which batch sizes.
    pub objective: ObjectiveFacts,
    /// The machine.
    pub machine: Machine,
    /// What speed-ups are against.
    pub baseline: BaselineFacts,
    /// Every variant, the exact one first.
    pub variants: Vec<VariantReport>,
    /// The winner.
    pub chosen: Chosen,
    /// What was written beside the report.
    pub files: Vec<FileFacts>,
    /// Things the reader should know: fallbacks, what was absent, what was not checked.
    pub notices: Vec<String>,
}

/// Facts about the source model.
#[derive(Clone, Debug, Serialize)]
pub struct ModelFacts {
    /// The name it goes by.
    pub name: String,
    /// The file.
    pub path: String,
    /// The file's format.
    pub format: String,
    /// The framework.
    pub framework: String,
    /// The framework's version, where the file tells.
    pub framework_version: Option<String>,
    /// Objective or estimator, in the framework's words.
    pub objective: Option<String>,
    /// What its answers are: `values`, `binary`, `classes`, `labels` or `class`.
    pub answer: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Size of the file.
    pub bytes: u64,
    /// Features.
    pub n_features: usize,
    /// Margins a row.
    pub n_outputs: usize,
    /// Trees.
    pub n_trees: usize,
    /// Leaves.
    pub n_leaves: usize,
    /// Splits on the longest way.
    pub max_depth: usize,
}

/// Facts about the rows.
#[derive(Clone, Debug, Serialize)]
pub struct DataFacts {
    /// The file.
    pub path: String,
    /// Its SHA-256.
    pub sha256: String,
    /// The file of the rows that set thresholds and scales, where it is another.
    pub calibration_path: Option<String>,
    /// Rows that set anything. None of them verifies.
    pub rows_setting: usize,
    /// Rows that verify and are measured.
    pub rows_verified: usize,
    /// Where the labels came from.
    pub labels: Option<String>,
}

/// The type of the files' input, where the rows are f64 and it matters.
#[derive(Clone, Debug, Serialize)]
pub struct InputFacts {
    /// What the files take: `f32` or `f64`.
    pub files: &'static str,
    /// Verified rows whose answer, by the source itself, changes when they are rounded to f32.
    pub rows_changed: Option<usize>,
    /// By how much, at most.
    pub max_error: Option<f64>,
    /// In words.
    pub why: String,
}

/// What was allowed.
#[derive(Clone, Debug, Serialize)]
pub struct Budget {
    /// Largest |difference| of an answer on a verification row.
    pub max_error: f64,
    /// Where that figure comes from.
    pub max_error_from: String,
    /// The metric that was watched, where labels were given.
    pub metric: Option<Metric>,
    /// By how much it may get worse.
    pub max_metric_drop: Option<f64>,
}

/// What was to be small.
#[derive(Clone, Debug, Serialize)]
pub struct ObjectiveFacts {
    /// The objective.
    pub name: Objective,
    /// Rows a call.
    pub batches: Vec<usize>,
    /// Threads a call may use.
    pub threads: usize,
    /// Whether only files of standard operators could win.
    pub portable: bool,
}

/// The machine.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: Option<String>,
    /// Cores that this process may use.
    pub cores: usize,
    /// The instruction set that the engine chose.
    pub instruction_set: String,
    /// Memory.
    pub memory_bytes: Option<u64>,
    /// Operating system and kernel.
    pub system: String,
}

impl Machine {
    /// The machine that this process runs on.
    pub fn of(devices: &Devices) -> Self {
        let system = &devices.system;
        let kernel = system.kernel.as_deref().unwrap_or("");
        Self {
            cpu: devices.cpu.model.clone(),
            cores: devices.cpu.usable,
            instruction_set: devices.engine.instruction_set.clone(),
            memory_bytes: devices.memory.total,
            system: format!("{} {kernel} {}", system.os, system.arch),
        }
    }
}

/// What speed-ups are against.
#[derive(Clone, Debug, Serialize)]
pub struct BaselineFacts {
    /// A short name, such as `ONNX Runtime 1.32.0`.
    pub name: String,
    /// Who ran it.
    pub session: SessionInfo,
    /// What it ran.
    pub what: String,
    /// Why it is this one.
    pub why: String,
    /// Its latency at each batch size.
    pub latency: Vec<Latency>,
    /// What the process's resident memory grew by when the model was first loaded, where it can be
    /// told. Of our own walk: the memory of the plan.
    pub memory_bytes: Option<u64>,
    /// Time to load, in milliseconds.
    pub load_ms: f64,
}

/// One variant, made, verified and measured.
#[derive(Clone, Debug, Serialize)]
pub struct VariantReport {
    /// Its name: `exact`, `int8-lossless`, `fp16`, `int8`, `fp16+int8`.
    pub name: String,
    /// Whether it could be made; if not, its figures mean nothing and `fell_back_from` says why.
    pub made: bool,
    /// What thresholds and leaves it ended with, in words.
    pub form: String,
    /// The passes that made it from the exact model.
    pub passes: Vec<String>,
    /// Forms tried before it, the least precise first, and why each was given up.
    pub fell_back_from: Vec<Fallback>,
    /// What making it changed.
    pub changes: Changes,
    /// The error measured on the verification rows, against the source's own answers.
    pub error: ErrorFacts,
    /// The error proved over all inputs.
    pub bound: Option<Bound>,
    /// The metric before and after, where labels were given.
    pub metric: Option<MetricFacts>,
    /// The operator its file needs: `ai.onnx.ml` or `fretsaw`.
    pub operator: String,
    /// Size of its file.
    pub file_bytes: u64,
    /// Size of the same variant with standard operators only.
    pub portable_bytes: u64,
    /// Size against the exact ONNX file, 1 being the same.
    pub size_ratio: f64,
    /// Memory of the loaded plan.
    pub memory_bytes: u64,
    /// Time to load its file and compile it, in milliseconds.
    pub load_ms: f64,
    /// Time to make it, in milliseconds.
    pub make_ms: f64,
    /// Latency at each batch size.
    pub latency: Vec<Latency>,
    /// The variant whose plan it shares, so that the two have one measurement.
    pub measured_as: Option<String>,
    /// How many times faster than the baseline, at the median, for each batch size.
    pub speedup: Vec<Speedup>,
    /// The engine's plan, in words.
    pub plan: String,
    /// What its file with standard operators answers in ONNX Runtime, against the source.
    pub onnx_runtime: Option<RuntimeCheck>,
    /// Whether it keeps the budget.
    pub within_budget: bool,
    /// Whether it was chosen.
    pub chosen: bool,
    /// Why it won or lost.
    pub why: String,
}

/// A form that was given up.
#[derive(Clone, Debug, Serialize)]
pub struct Fallback {
    /// Its thresholds and leaves, in words.
    pub form: String,
    /// Why.
    pub why: String,
    /// Its largest error, where it could be made.
    pub max_error: Option<f64>,
}

/// A measured error.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ErrorFacts {
    /// Largest |difference| of an answer.
    pub max: f64,
    /// Mean |difference|.
    pub mean: f64,
    /// Rows with a difference above the budget.
    pub rows_over: usize,
    /// Rows whose class is another; null where the answers name none.
    pub class_flips: Option<usize>,
    /// Whether every answer has the source's bits.
    pub bit_equal: bool,
}

/// A metric before and after.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct MetricFacts {
    /// Of the source's answers.
    pub before: f64,
    /// Of the variant's.
    pub after: f64,
    /// By how much it got worse.
    pub drop: f64,
}

/// How many times faster than the baseline.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Speedup {
    /// Rows a call.
    pub batch: usize,
    /// Baseline's median over the variant's.
    pub times: f64,
}

/// What ONNX Runtime answered.
#[derive(Clone, Debug, Serialize)]
pub struct RuntimeCheck {
    /// Its version.
    pub version: String,
    /// Largest |difference| from the source's answers.
    pub max_error: f64,
    /// Rows whose class is another.
    pub class_flips: Option<usize>,
}

/// The winner.
#[derive(Clone, Debug, Serialize)]
pub struct Chosen {
    /// Its name.
    pub variant: String,
    /// The file that holds it.
    pub file: String,
    /// Why.
    pub why: String,
    /// Whether every less precise variant broke the budget, so that only exact ones were left.
    pub fell_back_to_exact: bool,
    /// How many times faster than the baseline.
    pub speedup: Vec<Speedup>,
}

/// A file written.
#[derive(Clone, Debug, Serialize)]
pub struct FileFacts {
    /// Its name in the output folder.
    pub name: String,
    /// The variant it holds.
    pub variant: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// What it is for, in words.
    pub what: String,
}
