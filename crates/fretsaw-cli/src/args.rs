//! What can be typed: names, defaults and help. Meaning is given to it in the commands.

use std::path::PathBuf;
use std::sync::OnceLock;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

/// Run trained models fast, small and trustworthy, and prove it.
#[derive(Debug, Parser)]
#[command(name = "fretsaw", version, long_version = long_version(), max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

fn long_version() -> &'static str {
    LONG_VERSION.get_or_init(version_text)
}

static LONG_VERSION: OnceLock<String> = OnceLock::new();

fn version_text() -> String {
    let commit = option_env!("FRETSAW_COMMIT").unwrap_or("unknown");
    let isa = fretsaw::engine::Isa::available()
        .iter()
        .map(|i| i.name())
        .collect::<Vec<_>>()
        .join(", ");
    format!(
        "{}\ncommit: {commit}\ninstruction sets: {isa}",
        env!("CARGO_PKG_VERSION")
    )
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Convert, make variants, verify, measure, choose, write, report and record
    #[command(
        after_help = "Example:\n  fretsaw optimize examples/sp500/model.ubj --data examples/sp500/holdout.parquet --labels label"
    )]
    Optimize(Optimize),
    /// Convert a model to ONNX, exactly
    #[command(after_help = "Example:\n  fretsaw convert model.ubj -o model.onnx")]
    Convert(Convert),
    /// Predict rows of a file
    #[command(
        after_help = "Example:\n  fretsaw predict model.ubj --input rows.parquet --output answers.csv"
    )]
    Predict(Predict),
    /// Show what a model is
    #[command(after_help = "Example:\n  fretsaw inspect model.ubj --json")]
    Inspect(Inspect),
    /// Compare two models on data
    #[command(after_help = "Example:\n  fretsaw verify model.ubj model.onnx --data rows.parquet")]
    Verify(Verify),
    /// Measure models
    #[command(
        after_help = "Example:\n  fretsaw bench model.ubj --data rows.parquet --batch 1,64,1024 --backend native,ort"
    )]
    Bench(Bench),
    /// Show instruction sets, memory and execution providers: found, usable, and why not
    #[command(after_help = "Example:\n  fretsaw devices --json")]
    Devices(Json),
    /// The model registry
    #[command(subcommand, after_help = "Example:\n  fretsaw models promote model@2")]
    Models(Models),
    /// Latency, errors and speed-ups over time, from the store
    #[command(after_help = "Example:\n  fretsaw history model --since 7d")]
    History(History),
    /// The store itself
    #[command(subcommand, after_help = "Example:\n  fretsaw store status")]
    Store(StoreCommand),
    /// Print shell completions
    #[command(after_help = "Example:\n  fretsaw completions bash > /etc/bash_completion.d/fretsaw")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Json {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StoreUrl {
    /// The store: sqlite://PATH [default: fretsaw/fretsaw.db in the user's data directory]
    #[arg(
        long = "store",
        value_name = "URL",
        env = "FRETSAW_STORE",
        hide_env_values = true
    )]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Optimize {
    /// A model file, NAME@VERSION or NAME@ALIAS
    pub(crate) model: String,
    /// Rows to verify and measure on (.npy, .csv, .parquet); without --calibration the first half
    /// sets thresholds and scales and the second half verifies
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,
    /// Other rows to set thresholds and scales; then all of --data verifies
    #[arg(long, value_name = "FILE")]
    pub(crate) calibration: Option<PathBuf>,
    /// The labels: a column of --data, or a file with one row a row of --data
    #[arg(long, value_name = "COLUMN|FILE")]
    pub(crate) labels: Option<String>,
    /// Where to write [default: MODEL's stem + ".fretsaw"]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// The name to register [default: MODEL's stem]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Largest error allowed on a row [default: 0.001 for probabilities, else 0.001 of the answers'
    /// standard deviation]
    #[arg(long, value_name = "E", allow_negative_numbers = true)]
    pub(crate) max_error: Option<f64>,
    /// The metric to watch: auto, auc, logloss, accuracy, rmse or r2
    #[arg(long, default_value = "auto")]
    pub(crate) metric: String,
    /// By how much the metric may get worse; needs --labels
    #[arg(long, value_name = "D", allow_negative_numbers = true)]
    pub(crate) max_metric_drop: Option<f64>,
    /// Only variants of standard operators may win
    #[arg(long)]
    pub(crate) portable: bool,
    /// Write every variant's files too
    #[arg(long)]
    pub(crate) keep_variants: bool,
    /// What is to be best: latency (p99), throughput, memory or size
    #[arg(long, default_value = "latency")]
    pub(crate) objective: String,
    /// Rows a call, one or several
    #[arg(long, value_delimiter = ',', default_value = "1,64,1024", value_parser = positive)]
    pub(crate) batch: Vec<usize>,
    /// Threads a call may use
    #[arg(long, default_value = "1", value_parser = positive)]
    pub(crate) threads: usize,
    #[command(flatten)]
    pub(crate) store: StoreUrl,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// A model file, NAME@VERSION or NAME@ALIAS
    pub(crate) model: String,
    /// The ONNX file to write
    #[arg(short, long, value_name = "OUT.onnx")]
    pub(crate) output: PathBuf,
    /// Version of the standard operators
    #[arg(long, value_name = "N")]
    pub(crate) opset: Option<i64>,
    /// Version of the ai.onnx.ml operators: 3 (every runtime; ensembles answer f32) or 5
    /// [default: 3, or 5 for ensembles with --double]
    #[arg(long, value_name = "N")]
    pub(crate) ml_opset: Option<i64>,
    /// Take f64 input
    #[arg(long)]
    pub(crate) double: bool,
    /// Take categories of text as text: an input for every feature
    #[arg(long)]
    pub(crate) strings: bool,
    /// Give probabilities as a sequence of maps too
    #[arg(long)]
    pub(crate) zipmap: bool,
    #[command(flatten)]
    pub(crate) store: StoreUrl,
}

#[derive(Debug, Args)]
pub(crate) struct Predict {
    /// A model file, NAME@VERSION or NAME@ALIAS
    pub(crate) model: String,
    /// Rows (.npy, .csv, .parquet)
    #[arg(long, value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// Where to write (.npy, .csv, .parquet)
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Write margins (raw scores)
    #[arg(long)]
    pub(crate) raw: bool,
    /// Who runs it: auto, native or ort
    #[arg(long, default_value = "auto")]
    pub(crate) backend: String,
    /// Threads [default: all cores]
    #[arg(long, value_parser = positive)]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) store: StoreUrl,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// A model file, NAME@VERSION or NAME@ALIAS
    pub(crate) model: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) store: StoreUrl,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The model that is right
    pub(crate) a: String,
    /// The model to hold against it
    pub(crate) b: String,
    /// Rows (.npy, .csv, .parquet)
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,
    /// Largest difference allowed
    #[arg(
        long,
        value_name = "T",
        default_value = "1e-6",
        allow_negative_numbers = true
    )]
    pub(crate) tolerance: f64,
    /// Who runs them: native or ort, or one for each (native,ort)
    #[arg(long, default_value = "auto", value_delimiter = ',')]
    pub(crate) backend: Vec<String>,
    /// Prove a bound over all inputs, for two ensembles whose trees correspond
    #[arg(long)]
    pub(crate) prove: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) store: StoreUrl,
}

#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Model files, NAME@VERSION or NAME@ALIAS
    #[arg(required = true)]
    pub(crate) models: Vec<String>,
    /// Rows (.npy, .csv, .parquet)
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,
    /// Rows a call, one or several
    #[arg(long, value_delimiter = ',', default_value = "1,64,1024", value_parser = positive)]
    pub(crate) batch: Vec<usize>,
    /// Threads, one or several [default: all cores]
    #[arg(long, value_delimiter = ',', value_parser = positive)]
    pub(crate) threads: Vec<usize>,
    /// Who runs them: native, ort, or both
    #[arg(long, value_delimiter = ',', default_value = "native")]
    pub(crate) backend: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) store: StoreUrl,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Models {
    /// List all models and versions
    List(StoreJson),
    /// Show one model with its versions, aliases and lineage
    Show {
        /// The model's name
        name: String,
        #[command(flatten)]
        options: StoreJson,
    },
    /// Register a model file as it is
    Import {
        /// The file
        path: PathBuf,
        /// The name to register [default: the file's stem]
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        options: StoreJson,
    },
    /// Move an alias to a version
    Promote {
        /// NAME@VERSION
        version: String,
        /// The alias
        #[arg(long, default_value = "champion")]
        alias: String,
        #[command(flatten)]
        options: StoreJson,
    },
    /// Move an alias back to where it was
    Rollback {
        /// The model's name
        name: String,
        /// The alias
        #[arg(long, default_value = "champion")]
        alias: String,
        #[command(flatten)]
        options: StoreJson,
    },
    /// Take a version out of use
    Archive {
        /// NAME@VERSION
        version: String,
        #[command(flatten)]
        options: StoreJson,
    },
}

#[derive(Debug, Args)]
pub(crate) struct StoreJson {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) store: StoreUrl,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// Only this model
    pub(crate) model: Option<String>,
    /// Only from then on: a time (2026-01-31, 2026-01-31T12:00Z) or an age (90m, 24h, 7d)
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// Rows to show, at most
    #[arg(long, default_value = "50", value_parser = positive)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) options: StoreJson,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Bring the store to this version's schema
    Migrate(StoreJson),
    /// Show what the store holds
    Status(StoreJson),
    /// Delete log rows older than an age
    Prune {
        /// The age, such as 365d
        #[arg(long, value_name = "AGE", default_value = "365d")]
        older_than: String,
        #[command(flatten)]
        options: StoreJson,
    },
}

fn positive(text: &str) -> Result<usize, String> {
    match text.trim().parse::<usize>() {
        Ok(n) if n > 0 && n <= 1 << 30 => Ok(n),
        _ => Err("a whole number from 1 is needed".into()),
    }
}
