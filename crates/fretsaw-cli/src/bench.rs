//! `fretsaw bench`.

use fretsaw::measure::{self, Latency};
use fretsaw::model::Float;
use fretsaw::optimize::{Observer as _, compare};
use fretsaw::session::{Predictions, Session, Want};
use fretsaw_store::{Metric, Run, RunKind, RunModel, now_us};
use serde::Serialize;

use crate::args;
use crate::failure::{Failure, Result};
use crate::progress::{self, Progress};
use crate::{open, predict, print, record};

/// One configuration measured. Field names are stable.
#[derive(Serialize)]
struct Measured {
    model: String,
    backend: String,
    backend_version: String,
    provider: String,
    threads: usize,
    memory_bytes: Option<usize>,
    /// What a call that does nothing would take: the clock's share of every time.
    empty_call_ns: u64,
    latency: Vec<Latency>,
    /// Times faster than the first configuration, at the median, for each batch size.
    speedup: Vec<f64>,
    /// Largest |difference| from the first configuration's answers, where both answer alike.
    max_difference: Option<f64>,
}

pub(crate) fn run(args: &args::Bench) -> Result {
    let data = open::data(&args.data)?;
    let threads = if args.threads.is_empty() {
        vec![open::cores()]
    } else {
        args.threads.clone()
    };
    let progress = Progress::new();
    let mut out: Vec<Measured> = Vec::new();
    let mut runs = Vec::new();
    let mut first: Option<Predictions> = None;
    progress.step("loading", 0, 2);
    let opened: Vec<_> = args
        .models
        .iter()
        .map(|m| open::model(m, &args.store))
        .collect::<Result<_>>()?;
    let matrices: Vec<_> = opened
        .iter()
        .map(|o| open::rows(&data, &o.loaded.model))
        .collect::<Result<_>>()?;
    let same = matrices
        .windows(2)
        .all(|w| w[0].rows().n_features() == w[1].rows().n_features());
    if !same {
        return Err(Failure::work(
            "the models take different numbers of features; bench them one by one",
        ));
    }
    let mut sessions: Vec<(usize, Box<dyn Session>)> = Vec::new();
    for (i, o) in opened.iter().enumerate() {
        for backend in &args.backend {
            for &threads in &threads {
                sessions.push((i, predict::session(o, backend, threads)?));
            }
        }
    }
    let empty_call_ns = measure::empty_call_ns();
    // Answers first, then times: nobody wants the speed of something else.
    for (i, session) in &mut sessions {
        let mut answers = Predictions::new(Float::F32, 1);
        session.run(&matrices[*i].rows(), Want::Answers, &mut answers)?;
        let max_difference = match &first {
            None => None,
            Some(first) if first.n_columns == answers.n_columns => {
                let model = &opened[0].loaded.model;
                Some(compare(model, &first.to_f64(), &answers.to_f64(), 0.0).max)
            }
            Some(_) => None,
        };
        first.get_or_insert(answers);
        let info = session.info();
        out.push(Measured {
            model: args.models[*i].clone(),
            backend: info.backend.clone(),
            backend_version: info.backend_version.clone(),
            provider: info.actual_provider.clone(),
            threads: info.threads,
            memory_bytes: session.memory(),
            empty_call_ns,
            latency: Vec::new(),
            speedup: Vec::new(),
            max_difference,
        });
    }
    progress.step("measuring", 1, 2);
    let mut running: Vec<&mut dyn Session> = sessions
        .iter_mut()
        .map(|s| &mut *s.1 as &mut dyn Session)
        .collect();
    let mut go_on = || {
        if progress::interrupted() {
            return Err(fretsaw::Error::new(
                fretsaw::ErrorKind::Interrupted,
                "interrupted",
            ));
        }
        Ok(())
    };
    let rows = matrices[0].rows();
    let latencies = measure::latencies(
        &mut running,
        &rows,
        &args.batch,
        progress::effort(),
        &mut go_on,
    )?;
    for (m, latency) in out.iter_mut().zip(latencies) {
        m.latency = latency;
    }
    let base: Vec<u64> = out[0].latency.iter().map(|l| l.p50_ns).collect();
    for m in &mut out {
        m.speedup = m
            .latency
            .iter()
            .zip(&base)
            .map(|(l, &b)| b as f64 / l.p50_ns.max(1) as f64)
            .collect();
    }
    progress.finish();

    for (i, o) in opened.iter().enumerate() {
        let metrics = sessions
            .iter()
            .zip(&out)
            .filter(|((at, _), _)| *at == i)
            .map(|(_, m)| metric(m, &out[0]));
        let model = match &o.registered {
            Some((name, version)) => RunModel::Known {
                name: name.clone(),
                version: Some(*version),
            },
            None => RunModel::Known {
                name: record::registry_name(&o.loaded.name()),
                version: None,
            },
        };
        runs.push(Run {
            run_id: record::run_id(),
            time_us: now_us(),
            kind: RunKind::Bench,
            model,
            metrics: metrics.collect(),
        });
    }
    if args.json {
        print::json(&out)?;
    } else {
        print::line(&table(&out))?;
        print::line(&format!(
            "calls in turn over {} rows; a call that does nothing takes {}",
            print::count(rows.n_rows() as u64),
            print::time(empty_call_ns)
        ))?;
    }
    let mut store = args.store.open()?;
    for run in &runs {
        store.record_run(run)?;
    }
    Ok(())
}

fn metric(m: &Measured, first: &Measured) -> Metric {
    let speedups = m.speedup.iter().map(|s| Some(*s));
    let by_batch = record::latency_by_batch(&m.latency, m.threads, speedups);
    Metric {
        variant: "as given".into(),
        precision: "as given".into(),
        memory_bytes: m.memory_bytes.map(|b| b as u64),
        batch_size: m.latency.first().map(|l| l.batch as u64),
        threads: Some(m.threads as u32),
        latency: by_batch.first().map(|b| b.latency),
        throughput_rows_per_s: m.latency.first().map(|l| l.rows_per_second),
        latency_by_batch: by_batch,
        baseline_engine: Some(first.backend.clone()),
        baseline_version: Some(first.backend_version.clone()),
        speedup: m.speedup.first().copied(),
        max_error: m.max_difference,
        metadata: Some(
            serde_json::json!({ "backend": m.backend, "backend_version": m.backend_version }),
        ),
        ..Metric::default()
    }
}

fn table(out: &[Measured]) -> String {
    let mut rows = Vec::new();
    for m in out {
        for (l, speedup) in m.latency.iter().zip(&m.speedup) {
            rows.push(vec![
                m.model.clone(),
                m.backend.clone(),
                m.threads.to_string(),
                l.batch.to_string(),
                print::time(l.p50_ns),
                print::time(l.p99_ns),
                print::time(l.p999_ns),
                print::count(l.rows_per_second as u64),
                format!("{}x", print::digits(*speedup)),
                m.max_difference.map_or("-".into(), print::error),
            ]);
        }
    }
    let header = [
        "model",
        "backend",
        "threads",
        "batch",
        "p50",
        "p99",
        "p99.9",
        "rows/s",
        "speed",
        "max difference",
    ];
    print::table(&header, &[2, 3, 4, 5, 6, 7, 8, 9], rows)
}
