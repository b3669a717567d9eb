//! `fretsaw optimize`: the main job.

use std::fs;
use std::path::{Path, PathBuf};

use fretsaw::data::{self, Data, LabelColumn, Matrix};
use fretsaw::devices;
use fretsaw::load;
use fretsaw::model::{Answer, Model};
use fretsaw::optimize::{self, Input, Job, Observer as _, Options, Outcome};
use fretsaw::report::{DataFacts, Machine, Report, html};
use fretsaw::select::Objective;
use fretsaw::session::ort::Runtime;

use crate::args;
use crate::failure::{Failure, Result};
use crate::progress::{self, Progress};
use crate::{models, open, print, record};

pub(crate) fn run(args: &args::Optimize) -> Result {
    let options = Options {
        max_error: args.max_error,
        metric: args.metric.clone(),
        max_metric_drop: args.max_metric_drop,
        objective: Objective::parse(&args.objective)?,
        batches: args.batch.clone(),
        threads: args.threads,
        portable: args.portable,
        keep_variants: args.keep_variants,
        effort: progress::effort(),
    };
    let progress = Progress::new();
    progress.step("loading", 0, 1);
    let opened = open::model(&args.model, &args.store)?;
    let model = &opened.loaded.model;
    let own_name = || {
        opened
            .registered
            .as_ref()
            .map_or_else(|| opened.loaded.name(), |r| r.0.clone())
    };
    let name = args
        .name
        .clone()
        .unwrap_or_else(|| record::registry_name(&own_name()));
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}.fretsaw", own_name())));
    // What cannot work is said before the work, not after it.
    fretsaw_store::check_name(&name)?;
    let target = Target::prepare(&out)?;
    let mut store = args.store.open()?;

    let split = Split::read(args, model)?;
    let setting = split.setting();
    let verifying = split.verifying();
    let job = Job {
        source: &opened.loaded,
        name: &name,
        input: Input {
            setting,
            verifying,
            labels: split.labels.as_deref(),
            facts: split.facts.clone(),
        },
        machine: Machine::of(&devices::detect()),
        runtime: Runtime::get(None).map_err(ToString::to_string),
        command: command_line(),
        created_at: jiff::Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%SZ")
            .to_string(),
    };
    let outcome = optimize::optimize(&job, &options, &progress)
        .map_err(|e| e.after_rows(split.first_verifying))?;
    progress.step("writing", 1, 1);
    progress::go_on()?;

    // Files first, under a name of their own; then the record; then, at one stroke, their real name.
    let staged = target.stage(&outcome)?;
    let artifact = target.path(&outcome.report.chosen.file);
    let run = record::run(
        &outcome,
        &opened.loaded,
        opened.registered.as_ref(),
        &verifying,
        artifact,
        record::run_id(),
    );
    let recorded = store.record_run(&run)?;
    staged.publish()?;
    progress.finish();
    if args.json {
        return print::json(&outcome.report);
    }
    show(&outcome.report, &out)?;
    if let Some(registered) = &recorded.registered {
        print::line(&format!("registered  {}", models::describe(registered)))?;
    }
    Ok(())
}

/// The rows: which set, which verify, and their labels.
struct Split {
    data: Matrix,
    calibration: Option<Matrix>,
    /// One label a verifying row.
    labels: Option<Vec<f64>>,
    first_verifying: usize,
    facts: DataFacts,
}

impl Split {
    fn read(args: &args::Optimize, model: &Model) -> Result<Self> {
        let data = open::data(&args.data)?;
        let labels = args
            .labels
            .as_deref()
            .map(|l| labels_of(&data, l, model))
            .transpose()?;
        let exclude: Vec<&str> = labels.iter().filter_map(|l| l.column.as_deref()).collect();
        let matrix = data.rows_for(model, &exclude)?;
        let calibration = match &args.calibration {
            Some(path) => Some(open::data(path)?.rows_for(model, &exclude)?),
            None => None,
        };
        let n = matrix.n_rows();
        // An odd row more verifies.
        let first_verifying = if calibration.is_some() { 0 } else { n / 2 };
        let rows_setting = calibration.as_ref().map_or(first_verifying, Matrix::n_rows);
        let facts = DataFacts {
            path: args.data.display().to_string(),
            sha256: hash_of(&args.data)?,
            calibration_path: args.calibration.as_ref().map(|p| p.display().to_string()),
            rows_setting,
            rows_verified: n - first_verifying,
            labels: labels.as_ref().map(|l| l.source.clone()),
        };
        let labels = labels.map(|l| l.values[first_verifying..].to_vec());
        Ok(Self {
            data: matrix,
            calibration,
            labels,
            first_verifying,
            facts,
        })
    }

    fn setting(&self) -> fretsaw::model::Rows<'_> {
        match &self.calibration {
            Some(c) => c.rows(),
            None => self.data.rows().slice(0..self.first_verifying),
        }
    }

    fn verifying(&self) -> fretsaw::model::Rows<'_> {
        self.data
            .rows()
            .slice(self.first_verifying..self.data.n_rows())
    }
}

struct Labels {
    values: Vec<f64>,
    /// The column of the data, where they are one.
    column: Option<String>,
    source: String,
}

fn labels_of(data: &Data, labels: &str, model: &Model) -> Result<Labels> {
    let names = data.column_names().unwrap_or_default();
    if names.iter().any(|n| n == labels) {
        let values = numbers(&data.column(labels)?, model)?;
        return Ok(Labels {
            values,
            column: Some(labels.into()),
            source: format!("column {labels}"),
        });
    }
    let path = Path::new(labels);
    if !path.exists() {
        return Err(Failure::work(format!(
            "{}: no column is called '{labels}', and there is no such file; it has {} columns{}",
            data.path().display(),
            names.len(),
            names
                .last()
                .map_or_else(String::new, |last| format!(", the last is '{last}'"))
        )));
    }
    let values = numbers(&data::read_labels(path)?, model)?;
    if values.len() != data.n_rows() {
        return Err(Failure::work(format!(
            "{labels} has {} labels for the {} rows of {}",
            values.len(),
            data.n_rows(),
            data.path().display()
        )));
    }
    Ok(Labels {
        values,
        column: None,
        source: labels.into(),
    })
}

/// A file's SHA-256, read in pieces.
fn hash_of(path: &Path) -> Result<String> {
    fs::File::open(path)
        .and_then(load::sha256_of)
        .map_err(|e| fretsaw::Error::io("cannot read", path, e).into())
}

/// Labels as metrics take them: class numbers of a classifier, else values.
fn numbers(labels: &LabelColumn, model: &Model) -> Result<Vec<f64>> {
    if matches!(model.answer, Answer::Values | Answer::Labels) {
        return Ok(labels.numbers()?);
    }
    Ok(labels
        .classes(model)?
        .into_iter()
        .map(|c| c as f64)
        .collect())
}

/// The output folder.
struct Target {
    out: PathBuf,
}

/// Files under a name of their own, gone again unless published.
struct Staged<'a> {
    target: &'a Target,
    folder: PathBuf,
    names: Vec<String>,
    published: bool,
}

impl Target {
    /// Makes sure that the folder can be written, without writing into it.
    fn prepare(out: &Path) -> Result<Self> {
        if out.exists() && !out.is_dir() {
            return Err(Failure::work(format!(
                "{} is no folder; name another with --out",
                out.display()
            )));
        }
        let parent = out
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        if !parent.is_dir() {
            return Err(Failure::work(format!(
                "{} is no folder, so {} cannot be made in it",
                parent.display(),
                out.display()
            )));
        }
        let target = Self {
            out: out.to_path_buf(),
        };
        target.sweep();
        // A folder that takes no files is found out now.
        let probe = target.staging();
        fs::create_dir(&probe).map_err(|e| fretsaw::Error::io("cannot write beside", out, e))?;
        fs::remove_dir(&probe).map_err(|e| fretsaw::Error::io("cannot write beside", out, e))?;
        Ok(target)
    }

    /// Removes what runs that were killed left staged: their process is gone.
    fn sweep(&self) {
        let prefix = format!(
            ".{}.",
            self.out.file_name().unwrap_or_default().to_string_lossy()
        );
        let folder = self
            .out
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        if !Path::new("/proc/self").exists() {
            return; // no telling which processes live
        }
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let pid = name
                .to_str()
                .and_then(|n| n.strip_prefix(&prefix))
                .and_then(|p| p.parse::<u32>().ok());
            if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    fn staging(&self) -> PathBuf {
        let name = self
            .out
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        self.out
            .with_file_name(format!(".{name}.{}", std::process::id()))
    }

    fn path(&self, file: &str) -> String {
        let path = self.out.join(file);
        std::path::absolute(&path)
            .unwrap_or(path)
            .display()
            .to_string()
    }

    fn stage(&self, outcome: &Outcome) -> Result<Staged<'_>> {
        let folder = self.staging();
        let mut staged = Staged {
            target: self,
            folder,
            names: Vec::new(),
            published: false,
        };
        let json = serde_json::to_vec_pretty(&outcome.report)
            .map_err(|e| Failure::work(format!("cannot write the report: {e}")))?;
        let html = html::page(&outcome.report);
        let models = outcome
            .files
            .iter()
            .map(|f| (f.name.as_str(), f.bytes.as_slice()));
        let reports = [
            ("report.json", json.as_slice()),
            ("report.html", html.as_bytes()),
        ];
        for (name, bytes) in models.chain(reports) {
            let path = staged.folder.join(name);
            let write = || -> std::io::Result<()> {
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent)?;
                }
                fs::write(&path, bytes)?;
                fs::File::open(&path)?.sync_all()
            };
            write().map_err(|e| fretsaw::Error::io("cannot write", &self.out.join(name), e))?;
            staged.names.push(name.to_string());
        }
        Ok(staged)
    }
}

impl Staged<'_> {
    fn publish(mut self) -> Result {
        let out = &self.target.out;
        let failed = |e| Failure::from(fretsaw::Error::io("cannot write", out, e));
        if out.exists() {
            for name in &self.names {
                let to = out.join(name);
                if let Some(parent) = to.parent() {
                    fs::create_dir_all(parent).map_err(failed)?;
                }
                fs::rename(self.folder.join(name), to).map_err(failed)?;
            }
            // A compact file of an earlier run would pass for this one's.
            let stale = out.join("model.fretsaw.onnx");
            if !self.names.iter().any(|n| n == "model.fretsaw.onnx") && stale.exists() {
                fs::remove_file(&stale).map_err(failed)?;
            }
        } else {
            fs::rename(&self.folder, out).map_err(failed)?;
            self.published = true;
        }
        Ok(())
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if !self.published {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// The command as it was typed, quoted where a shell needs it.
fn command_line() -> String {
    let plain = |a: &str| {
        !a.is_empty()
            && a.chars()
                .all(|c| c.is_alphanumeric() || "-_./=,:@+%".contains(c))
    };
    let quote = |a: String| {
        if plain(&a) {
            a
        } else {
            format!("'{}'", a.replace('\'', r"'\''"))
        }
    };
    let mut out = vec!["fretsaw".to_string()];
    let mut secret = false;
    for arg in std::env::args_os().skip(1) {
        let arg = arg.to_string_lossy().into_owned();
        // A store's URL may hold a password.
        if secret || arg.starts_with("--store=") {
            out.push(if secret {
                "...".into()
            } else {
                "--store=...".into()
            });
            secret = false;
            continue;
        }
        secret = arg == "--store";
        out.push(quote(arg));
    }
    out.join(" ")
}

fn show(report: &Report, out: &Path) -> Result {
    let batches = &report.objective.batches;
    let mut header = vec![
        "variant".to_string(),
        "form".into(),
        "max error".into(),
        "proved".into(),
        "size".into(),
        "memory".into(),
    ];
    header.extend(batches.iter().map(|b| format!("p50/p99 at {b}")));
    header.extend(["speed-up".to_string(), String::new()]);
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut rows = Vec::new();
    let pair = |l: &fretsaw::measure::Latency| {
        format!("{} / {}", print::time(l.p50_ns), print::time(l.p99_ns))
    };
    let mut base = vec![
        "baseline".into(),
        report.baseline.name.clone(),
        String::new(),
        String::new(),
        String::new(),
    ];
    base.push(
        report
            .baseline
            .memory_bytes
            .map_or(String::new(), print::bytes),
    );
    base.extend(report.baseline.latency.iter().map(pair));
    base.extend(["1x".to_string(), String::new()]);
    rows.push(base);
    for v in &report.variants {
        let mut row = vec![v.name.clone(), v.form.clone()];
        row.push(print::error(v.error.max));
        row.push(
            v.bound
                .and_then(|b| b.answer)
                .map_or("-".into(), print::error),
        );
        row.push(print::bytes(v.file_bytes));
        row.push(print::bytes(v.memory_bytes));
        row.extend(v.latency.iter().map(pair));
        row.resize(6 + batches.len(), "-".into());
        let speed: Vec<String> = v
            .speedup
            .iter()
            .map(|s| format!("{}x", print::digits(s.times)))
            .collect();
        row.push(speed.join(" "));
        row.push(if v.chosen {
            "chosen".into()
        } else {
            String::new()
        });
        rows.push(row);
    }
    let right: Vec<usize> = (2..7 + batches.len()).collect();
    print::line(&print::table(&header, &right, rows))?;
    print::line(&format!(
        "chosen      {} in {}",
        report.chosen.variant,
        out.join(&report.chosen.file).display()
    ))?;
    print::line(&format!("why         {}", report.chosen.why))?;
    for v in report.variants.iter().filter(|v| !v.chosen) {
        print::line(&format!("not         {}: {}", v.name, v.why))?;
    }
    let d = &report.data;
    print::line(&format!(
        "budget      {} ({}); verified on {} rows, {} others set thresholds and scales",
        print::error(report.budget.max_error),
        report.budget.max_error_from,
        print::count(d.rows_verified as u64),
        print::count(d.rows_setting as u64)
    ))?;
    if let Some(metric) = report.budget.metric
        && let Some(m) = report
            .variants
            .iter()
            .find(|v| v.chosen)
            .and_then(|v| v.metric)
    {
        print::line(&format!(
            "metric      {} {:.6} before, {:.6} after",
            metric.name(),
            m.before,
            m.after
        ))?;
    }
    print::line(&format!(
        "baseline    {} ({})",
        report.baseline.what, report.baseline.why
    ))?;
    for notice in &report.notices {
        print::line(&format!("notice      {notice}"))?;
    }
    print::line(&format!(
        "report      {}",
        out.join("report.html").display()
    ))
}
