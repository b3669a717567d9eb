//! `fretsaw predict`.

use std::time::Instant;

use fretsaw::data::Block;
use fretsaw::model::{Answer, Decision, Labels, Link, Model, Step};
use fretsaw::session::{Buffer, Predictions, Session, Want, ort};
use fretsaw::{onnx, session};
use fretsaw_store::{LogRow, LogStatus, now_us};

use crate::args;
use crate::failure::{Failure, Result};
use crate::open::{self, Opened, Unread};
use crate::stream::{Output, stream};

/// Rows a call to the engine: enough to fill all threads, few enough to be interrupted.
const CHUNK: usize = 1 << 16;

pub(crate) fn run(args: &args::Predict) -> Result {
    let opened = match open::model_or_file(&args.model, &args.store)? {
        Ok(opened) => opened,
        Err(file) => return run_unread(args, &file),
    };
    let model = &opened.loaded.model;
    let data = open::data(&args.input)?;
    let blocks = data.blocks(model, &[], CHUNK)?;
    let want = if args.raw {
        Want::Margins
    } else {
        Want::Answers
    };
    let threads = args.threads.unwrap_or_else(open::cores);
    let mut session = match (args.backend.as_str(), want) {
        ("ort", Want::Margins) => {
            let margins = margins_only(model)?;
            ort(&onnx::portable(&margins)?, &margins, threads)?
        }
        (backend, _) => session(&opened, backend, threads)?,
    };
    // A file that answers with its margins is asked for its answers.
    let asked = if args.backend == "ort" {
        Want::Answers
    } else {
        want
    };

    let mut log = Vec::new();
    let mut run = |block: &Block<'_>, out: &mut Predictions| {
        let start = Instant::now();
        let (ran, n_rows) = block.with_rows(|rows| (session.run(rows, asked, out), rows.n_rows()));
        let ns = start.elapsed().as_nanos() as u64;
        let ran = ran.map_err(|e| e.after_rows(block.first_row()));
        log.push(log_row(
            &opened,
            session.as_ref(),
            &args.backend,
            n_rows,
            ns,
            ran.as_ref().err(),
        ));
        ran?;
        if want == Want::Answers {
            name_classes(model, out);
        }
        Ok(())
    };
    let output = Output {
        path: &args.output,
        names: &|n_columns| column_names(model, want, n_columns),
    };
    let done = stream(blocks, &output, threads, &mut run);
    record(args, &opened, log);
    done
}

/// What ONNX Runtime answers for a file that only it understands. There is no model to log a run of.
fn run_unread(args: &args::Predict, file: &Unread) -> Result {
    if args.raw {
        return Err(Failure::work(format!(
            "{}; ONNX Runtime runs it, but gives no margins",
            file.why
        )));
    }
    let data = open::data(&args.input)?;
    let blocks = data.blocks(&file.row, &[], CHUNK)?;
    let threads = args.threads.unwrap_or_else(open::cores);
    let mut session = file.session(&args.backend, threads)?;
    let mut run = |block: &Block<'_>, out: &mut Predictions| {
        let ran = block.with_rows(|rows| session.run(rows, Want::Answers, out));
        Ok(ran.map_err(|e| e.after_rows(block.first_row()))?)
    };
    let output = Output {
        path: &args.output,
        names: &|n_columns| numbered("output", n_columns),
    };
    stream(blocks, &output, threads, &mut run)?;
    crate::tell(&format!(
        "note: ONNX Runtime answered, because {}",
        file.why
    ));
    Ok(())
}

/// Where the answer is a class and classes are named by whole numbers, their names.
fn name_classes(model: &Model, out: &mut Predictions) {
    let (Answer::Class, Some(Labels::Ints(names))) = (model.answer, &model.labels) else {
        return;
    };
    let name = |class: f64| names.get(class as usize).map_or(class, |&n| n as f64);
    match &mut out.values {
        Buffer::F32(v) => v.iter_mut().for_each(|x| *x = name((*x).into()) as f32),
        Buffer::F64(v) => v.iter_mut().for_each(|x| *x = name(*x)),
    }
}

/// A session by the backend's name.
pub(crate) fn session(opened: &Opened, backend: &str, threads: usize) -> Result<Box<dyn Session>> {
    let model = &opened.loaded.model;
    match backend {
        // Everything that can be loaded so far runs in our own engine, and faster there.
        "auto" | "native" => Ok(Box::new(session::Native::new(model, threads)?)),
        // A file that is ONNX already runs as it is.
        "ort" if opened.is_onnx() => ort(&opened.bytes, model, threads),
        "ort" => ort(&onnx::portable(model)?, model, threads),
        _ => Err(Failure::usage(format!(
            "no backend is called '{backend}'; use auto, native or ort"
        ))),
    }
}

/// An ONNX file in ONNX Runtime.
fn ort(bytes: &[u8], model: &Model, threads: usize) -> Result<Box<dyn Session>> {
    let runtime = ort::Runtime::get(None)
        .map_err(|why| Failure::work(format!("ONNX Runtime is not to be had: {why}")))?;
    let options = ort::Options {
        threads,
        ..ort::Options::default()
    };
    let session = ort::OrtSession::open(runtime, bytes, &options)?;
    Ok(Box::new(session.answering_as(model)))
}

/// The model without its link, so that what it answers are its margins.
fn margins_only(model: &Model) -> Result<Model> {
    let mut draft = model.to_draft();
    let (n, seen) = (draft.body.n_outputs(), draft.body.n_margins());
    draft.link = if seen < n {
        let columns = (0..seen as u32).collect();
        Link::Then(vec![Step::Select { columns }])
    } else {
        Link::Identity
    };
    draft.answer = Answer::Values;
    draft.decision = Decision::Answer;
    draft.labels = None;
    draft.build().map_err(|e| fretsaw::Error::from(e).into())
}

fn log_row(
    opened: &Opened,
    session: &dyn Session,
    requested: &str,
    batch: usize,
    ns: u64,
    error: Option<&fretsaw::Error>,
) -> LogRow {
    let info = session.info();
    LogRow {
        time_us: now_us(),
        model_name: opened
            .registered
            .as_ref()
            .map_or_else(|| opened.loaded.name(), |r| r.0.clone()),
        model_version: opened.registered.as_ref().map(|r| r.1),
        requested_provider: Some(requested.into()),
        actual_provider: Some(format!("{}/{}", info.backend, info.actual_provider)),
        batch_size: batch as u64,
        compute_ns: Some(ns),
        total_ns: ns,
        status: if error.is_some() {
            LogStatus::Error
        } else {
            LogStatus::Ok
        },
        error: error.map(ToString::to_string),
        client: Some("cli".into()),
        resident_bytes: resident(),
        ..LogRow::default()
    }
}

/// Memory that this process holds, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kb = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    Some(
        kb.trim()
            .trim_end_matches("kB")
            .trim()
            .parse::<u64>()
            .ok()?
            * 1024,
    )
}

/// Writes the log. The answers are there already: a store that cannot be written is told, no more.
fn record(args: &args::Predict, opened: &Opened, mut log: Vec<LogRow>) {
    let written = args.store.open().and_then(|mut store| {
        // A file that was registered is logged under its name.
        if opened.registered.is_none()
            && let Some(found) = store
                .find_artifact(&opened.loaded.sha256)?
                .into_iter()
                .next()
        {
            for row in &mut log {
                row.model_name.clone_from(&found.name);
                row.model_version = Some(found.version);
            }
        }
        Ok(store.log_inference(&log)?)
    });
    if let Err(e) = written {
        crate::tell(&format!("warning: the run was not logged: {e}"));
    }
}

/// `p_<class>`, `margin[_k]`, `output[_k]`.
fn column_names(model: &Model, want: Want, n_columns: usize) -> Vec<String> {
    match (want, model.answer) {
        (Want::Margins, _) => numbered("margin", n_columns),
        (Want::Answers, Answer::Binary | Answer::Classes | Answer::Labels) => {
            let name = |i: usize| match &model.labels {
                Some(Labels::Strings(names)) => {
                    names.get(i).cloned().unwrap_or_else(|| i.to_string())
                }
                _ => model.class_name(i),
            };
            (0..n_columns).map(|i| format!("p_{}", name(i))).collect()
        }
        (Want::Answers, Answer::Values | Answer::Class | Answer::Score) => {
            numbered("output", n_columns)
        }
    }
}

fn numbered(stem: &str, n_columns: usize) -> Vec<String> {
    match n_columns {
        1 => vec![stem.to_string()],
        n => (0..n).map(|k| format!("{stem}_{k}")).collect(),
    }
}
