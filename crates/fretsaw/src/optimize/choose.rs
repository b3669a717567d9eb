//! From measurements to a choice, and to the files that go with it.

use std::time::Instant;

use fretsaw_engine::{Strategy, Summary};
use fretsaw_model::Model;

use super::build::Built;
use super::{File, Options};
use crate::load::sha256;
use crate::measure::Latency;
use crate::report::{BaselineFacts, Chosen, FileFacts, Speedup};
use crate::select::{Candidate, Objective, select};
use crate::session::ort::{Options as OrtOptions, OrtSession, Runtime};
use crate::session::{self, Native, Session, Tuned};
use crate::{Error, ErrorKind, Result, onnx};

/// The named baseline of a job.
pub(super) struct Baseline {
    pub(super) session: Box<dyn Session>,
    name: String,
    what: String,
    why: String,
    latency: Vec<Latency>,
    load_ms: f64,
    memory: Option<usize>,
}

impl Baseline {
    pub(super) fn open(
        exact: &Built,
        model: &Model,
        runtime: &std::result::Result<&'static Runtime, String>,
        threads: usize,
    ) -> Result<Self> {
        let start = Instant::now();
        let (session, name, what, why): (Box<dyn Session>, _, _, _) = match runtime {
            Ok(runtime) => {
                // Waiting threads spin there by default: at its best, as it would be run.
                let options = OrtOptions {
                    threads,
                    spinning: threads > 1,
                    ..OrtOptions::default()
                };
                let session = OrtSession::open(runtime, exact.file(false), &options)?;
                let name = format!("ONNX Runtime {}", runtime.version());
                let what = format!("{name} on the exact FP32 file");
                let why = "what most people would run today".to_string();
                (Box::new(session), name, what, why)
            }
            Err(why) => (
                Box::new(session::Baseline::new(model)?),
                "our own one-row walk".into(),
                "our own walk of the trees, one row at a time, on one thread".into(),
                why.clone(),
            ),
        };
        let load_ms = start.elapsed().as_secs_f64() * 1e3;
        // Memory that an earlier load of the same file left behind would hide this one's.
        let memory = exact.runtime_memory.or_else(|| session.memory());
        Ok(Self {
            session,
            name,
            what,
            why,
            latency: Vec::new(),
            load_ms,
            memory,
        })
    }

    pub(super) fn facts(&self) -> BaselineFacts {
        BaselineFacts {
            name: self.name.clone(),
            session: self.session.info().clone(),
            what: self.what.clone(),
            why: self.why.clone(),
            latency: self.latency.clone(),
            memory_bytes: self.memory.map(|m| m as u64),
            load_ms: self.load_ms,
        }
    }
}

/// Gives every variant its measurements: its own, or those of the one whose plan it shares.
pub(super) fn assign(
    built: &mut [Built],
    baseline: &mut Baseline,
    sessions: &[Option<Native>],
    latencies: Vec<Vec<Latency>>,
) {
    let mut latencies = latencies.into_iter();
    baseline.latency = latencies.next().unwrap_or_default();
    for (b, session) in built.iter_mut().zip(sessions) {
        let Some(session) = session else { continue };
        b.latency = latencies.next().unwrap_or_default();
        b.memory = session.memory().unwrap_or(0) as u64;
        b.plan = describe(&session.summary(), session.measured());
        b.speedup = b
            .latency
            .iter()
            .zip(&baseline.latency)
            .map(|(own, base)| Speedup {
                batch: own.batch,
                times: base.p50_ns as f64 / own.p50_ns.max(1) as f64,
            })
            .collect();
    }
    let exact = (
        built[0].latency.clone(),
        built[0].speedup.clone(),
        built[0].memory,
        built[0].plan.clone(),
    );
    for b in built.iter_mut() {
        if b.measured_as.is_some() {
            (b.latency, b.speedup, b.memory, b.plan) = exact.clone();
        }
        // Loading is timed from the bytes that would be on disk.
        let needs_operator = b.recipe.compact;
        let start = Instant::now();
        let loaded = onnx::read(b.file(needs_operator), &|_| {
            Err(std::io::ErrorKind::NotFound.into())
        });
        let loaded = loaded.and_then(|m| Native::new(&m, 1));
        if let (Ok(_), Some(made)) = (loaded, &mut b.made) {
            made.load_ms = start.elapsed().as_secs_f64() * 1e3;
        }
    }
}

fn said(way: Strategy) -> &'static str {
    match way {
        Strategy::Walk | Strategy::PlainWalk => "walked",
        _ => "bit-sliced",
    }
}

/// A plan in words.
fn describe(s: &Summary, measured: Option<&Tuned>) -> String {
    let groups: Vec<String> = s
        .groups
        .iter()
        .map(|g| format!("{} trees {} ({})", g.n_trees, said(g.strategy), g.reason))
        .collect();
    let mut parts = Vec::new();
    if s.n_steps > 0 {
        parts.push(format!("{} steps over blocks of rows", s.n_steps));
    }
    if !groups.is_empty() {
        parts.push(groups.join(", "));
        parts.push(format!(
            "{} predicates, {} circuit operations a block of {} rows, {} leaves",
            s.n_predicates, s.n_operations, s.block_rows, s.leaf_type
        ));
        let mut crossing = format!("batches under {} rows go row by row", s.crossing_rows);
        if let Some(m) = measured {
            crossing += &format!(
                " (measured: {:.0} ns a row one by one, {:.0} ns in whole blocks; estimated: {} rows)",
                m.row_ns, m.block_ns, m.estimated_crossing
            );
        }
        parts.push(crossing);
        if let Some((way, ns)) = measured.and_then(|m| m.other) {
            parts.push(format!("in blocks all {}: {ns:.0} ns a row", said(way)));
        }
    } else {
        parts.push(format!("sums in {}", s.leaf_type));
    }
    parts.push(s.isa.to_string());
    parts.join("; ")
}

/// The winner, and the best variant of standard operators only.
pub(super) struct Choice {
    pub(super) winner: usize,
    pub(super) name: &'static str,
    pub(super) why: Vec<String>,
    /// The variant that `model.onnx` holds.
    portable: usize,
    /// Variants that would be written with standard operators.
    pub(super) portable_names: Vec<&'static str>,
    file: &'static str,
}

pub(super) fn choose(built: &mut [Built], options: &Options) -> Result<Choice> {
    let none = || {
        Error::new(
            ErrorKind::Model,
            "no variant could be made, not even the exact one",
        )
    };
    let best = select(&candidates(built, options), options.objective).ok_or_else(none)?;
    let portable = Options {
        portable: true,
        ..options.clone()
    };
    let standard = select(&candidates(built, &portable), options.objective).ok_or_else(none)?;
    let winner = &built[best.winner];
    let file = if winner.needs_operator(options) {
        "model.fretsaw.onnx"
    } else {
        "model.onnx"
    };
    Ok(Choice {
        winner: best.winner,
        name: winner.recipe.name,
        why: best.why,
        portable: if file == "model.onnx" {
            best.winner
        } else {
            standard.winner
        },
        portable_names: built
            .iter()
            .filter(|b| !b.needs_operator(options))
            .map(|b| b.recipe.name)
            .collect(),
        file,
    })
}

fn candidates(built: &[Built], options: &Options) -> Vec<Candidate> {
    built
        .iter()
        .map(|b| {
            let needs_operator = b.needs_operator(options);
            let fallen = b
                .made
                .as_ref()
                .filter(|m| m.form.is_exact() && !b.fell_back.is_empty());
            let excluded = if b.made.is_none() {
                b.fell_back.first().map(|f| f.why.clone())
            } else if fallen.is_some() {
                let tried: Vec<String> = b
                    .fell_back
                    .iter()
                    .map(|f| format!("{}: {}", f.form, f.why))
                    .collect();
                Some(format!(
                    "fell back to exact, so the same as int8-lossless ({})",
                    tried.join("; ")
                ))
            } else if options.portable && needs_operator {
                Some("needs the fretsaw operator, and --portable was asked".into())
            } else {
                None
            };
            let file_bytes = b.file(needs_operator).len() as u64;
            let mean = |f: fn(&Latency) -> f64| {
                (b.latency.iter().map(|l| f(l).max(1e-9).ln()).sum::<f64>()
                    / b.latency.len().max(1) as f64)
                    .exp()
            };
            Candidate {
                name: b.recipe.name.into(),
                excluded,
                cost: match options.objective {
                    Objective::Latency => mean(|l| l.p99_steady_ns as f64),
                    Objective::Throughput => mean(|l| 1e9 / l.rows_per_second),
                    Objective::Memory => b.memory as f64,
                    Objective::Size => file_bytes as f64,
                },
                max_error: b.made.as_ref().map_or(f64::INFINITY, |m| m.error.max),
                file_bytes,
            }
        })
        .collect()
}

impl Choice {
    pub(super) fn report(&self, built: &[Built], notices: &mut Vec<String>) -> Chosen {
        let winner = &built[self.winner];
        let approximate = |b: &&Built| b.recipe.forms.len() > 1;
        let fell_back_to_exact = built
            .iter()
            .filter(approximate)
            .all(|b| b.made.as_ref().is_none_or(|m| m.form.is_exact()));
        if fell_back_to_exact {
            notices.push(
                "no less precise variant kept the budget; the choice is among exact ones".into(),
            );
        }
        if let Some(why) = winner.made.as_ref().and_then(|m| m.over.as_ref()) {
            notices.push(format!(
                "no variant keeps the budget, so the exact one was chosen: {why}"
            ));
        }
        Chosen {
            variant: self.name.into(),
            file: self.file.into(),
            why: self.why[self.winner].clone(),
            fell_back_to_exact,
            speedup: winner.speedup.clone(),
        }
    }
}

/// The files to write, with what the report says of each.
pub(super) fn files(
    built: &[Built],
    choice: &Choice,
    options: &Options,
) -> Result<Vec<(File, FileFacts)>> {
    let mut out = Vec::new();
    let mut add = |name: String, b: &Built, needs_operator: bool, what: &str| {
        let bytes = b.file(needs_operator);
        let facts = FileFacts {
            name: name.clone(),
            variant: b.recipe.name.into(),
            bytes: bytes.len() as u64,
            sha256: sha256(bytes),
            what: what.into(),
        };
        out.push((File::new(name, bytes), facts));
    };
    let portable = &built[choice.portable];
    add(
        "model.onnx".into(),
        portable,
        false,
        "standard operators only: runs in any ONNX runtime",
    );
    if choice.file != "model.onnx" {
        let what = "the chosen variant: needs the operator fretsaw.TreeEnsemble";
        add(choice.file.into(), &built[choice.winner], true, what);
    }
    if options.keep_variants {
        for b in built.iter().filter(|b| b.made.is_some()) {
            let name = b.recipe.name;
            // Ranks alone are nothing that a standard file could hold: it would be the exact one again.
            if b.recipe.compact && b.made.as_ref().is_some_and(|m| m.form.is_exact()) {
                add(
                    format!("variants/{name}.fretsaw.onnx"),
                    b,
                    true,
                    "compact: needs fretsaw.TreeEnsemble",
                );
                continue;
            }
            add(
                format!("variants/{name}.onnx"),
                b,
                false,
                "standard operators only; values held in f32",
            );
            if b.recipe.compact {
                add(
                    format!("variants/{name}.fretsaw.onnx"),
                    b,
                    true,
                    "compact: needs fretsaw.TreeEnsemble",
                );
            }
        }
    }
    Ok(out)
}
