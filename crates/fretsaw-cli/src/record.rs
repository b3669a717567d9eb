//! From what the library found to rows of the store.

use fretsaw::load::Loaded;
use fretsaw::measure::Latency as Measured;
use fretsaw::model::{Model, Node, Rows, Split, Step, Test};
use fretsaw::optimize::Outcome;
use fretsaw::report::{Report, VariantReport};
use fretsaw_store::{
    Artifact, BatchLatency, Latency, Metric, NewVersion, Parent, Run, RunKind, RunModel, Source,
    now_us,
};
use serde_json::{Value, json};

/// Artefacts up to this size are kept in the store too, so that a model outlives its file.
pub(crate) const MAX_STORED_BYTES: usize = 64 << 20;

/// Golden rows kept with a version: what a server checks a loaded model with.
const GOLDEN_ROWS: usize = 64;

/// Bins of a feature's reference histogram, at most.
const MAX_BINS: usize = 64;

/// An id that no other run has: the time, and what the process and the address space add.
pub(crate) fn run_id() -> String {
    use std::hash::{BuildHasher as _, Hasher as _};
    let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S");
    format!("{time}-{:016x}", hasher.finish())
}

/// A name that the registry takes, from a file's stem.
pub(crate) fn registry_name(stem: &str) -> String {
    let ok = |c: char| !(c.is_control() || matches!(c, '@' | '/' | '\\'));
    let name: String = stem
        .trim()
        .chars()
        .map(|c| if ok(c) { c } else { '-' })
        .take(60)
        .collect();
    let name = name.trim_end().to_string();
    if name.is_empty() {
        "model".into()
    } else {
        name
    }
}

/// The run of an optimise job, with the version that it registers.
pub(crate) fn run(
    outcome: &Outcome,
    source: &Loaded,
    parent: Option<&(String, u32)>,
    verifying: &Rows<'_>,
    artifact_path: String,
    run_id: String,
) -> Run {
    let report = &outcome.report;
    let file = report.files.iter().find(|f| f.name == report.chosen.file);
    let content = outcome
        .files
        .iter()
        .find(|f| f.name == report.chosen.file)
        .map(|f| f.bytes.clone());
    let chosen = report.variants.iter().find(|v| v.chosen);
    let provenance = &source.model.provenance;
    let absolute = std::path::absolute(&source.path).unwrap_or_else(|_| source.path.clone());
    let new = NewVersion {
        name: report.model.name.clone(),
        created_us: now_us(),
        created_by: std::env::var("USER").ok().filter(|u| !u.is_empty()),
        task: report.model.answer.clone(),
        source: Source {
            format: provenance.format.clone(),
            framework_version: provenance.framework_version.clone(),
            sha256: source.sha256.clone(),
            path: Some(absolute.display().to_string()),
            size_bytes: Some(source.bytes),
        },
        parent: parent.map(|(name, version)| Parent {
            name: name.clone(),
            version: *version,
        }),
        passes: chosen.map(|v| json!(v.passes)),
        variant: report.chosen.variant.clone(),
        precision: chosen.map_or_else(String::new, precision),
        artifact: Artifact {
            sha256: file.map_or_else(String::new, |f| f.sha256.clone()),
            path: Some(artifact_path),
            size_bytes: file.map(|f| f.bytes),
            content: content.filter(|b| b.len() <= MAX_STORED_BYTES),
        },
        inputs: Some(inputs(&source.model)),
        outputs: Some(
            json!([{ "columns": source.model.n_columns(), "answer": report.model.answer }]),
        ),
        run_id: Some(run_id.clone()),
        run_summary: Some(summary(report)),
        golden_rows: Some(golden(
            verifying,
            &outcome.answers,
            source.model.n_columns(),
        )),
        reference_histograms: Some(histograms(&source.model, verifying, &outcome.answers)),
        metadata: Some(json!({ "command": report.command })),
    };
    Run {
        run_id,
        time_us: now_us(),
        kind: RunKind::Optimize,
        model: RunModel::Register(Box::new(new)),
        metrics: report.variants.iter().map(|v| metric(report, v)).collect(),
    }
}

fn inputs(model: &Model) -> Value {
    let features: Vec<Value> = model
        .features
        .iter()
        .map(|f| json!({ "name": f.name, "categorical": f.kind != fretsaw::model::FeatureKind::Numeric }))
        .collect();
    json!([{ "name": "input", "columns": features }])
}

/// What `models show` tells of the run; it stays when the run's rows are pruned.
fn summary(report: &Report) -> Value {
    let speed = report.chosen.speedup.iter();
    let speed: Vec<String> = speed
        .map(|s| format!("{:.1}x at batch {}", s.times, s.batch))
        .collect();
    let verdict = format!(
        "{}: {}; {}",
        report.chosen.variant,
        report.chosen.why,
        speed.join(", ")
    );
    json!({
        "verdict": verdict,
        "chosen": report.chosen,
        "budget": report.budget,
        "data": report.data,
        "baseline": report.baseline.what,
        "machine": report.machine,
    })
}

fn precision(v: &VariantReport) -> String {
    let passes = v.passes.join("+");
    match passes.as_str() {
        "" => "fp32".into(),
        p => p
            .replace("thresholds-", "")
            .replace("leaves-", "")
            .replace("f16", "fp16")
            .replace('i', "int"),
    }
}

fn metric(report: &Report, v: &VariantReport) -> Metric {
    let speedups = v.speedup.iter().map(|s| Some(s.times));
    let by_batch = latency_by_batch(&v.latency, report.objective.threads, speedups);
    let fallen = v.fell_back_from.first();
    Metric {
        variant: v.name.clone(),
        precision: precision(v),
        passes: Some(json!(v.passes)),
        size_bytes: Some(v.file_bytes),
        memory_bytes: Some(v.memory_bytes),
        load_ns: Some((v.load_ms * 1e6) as u64),
        optimize_ns: Some((v.make_ms * 1e6) as u64),
        batch_size: v.latency.first().map(|l| l.batch as u64),
        threads: Some(report.objective.threads as u32),
        latency: by_batch.first().map(|b| b.latency),
        throughput_rows_per_s: v.latency.first().map(|l| l.rows_per_second),
        speedup: v.speedup.first().map(|s| s.times),
        latency_by_batch: by_batch,
        baseline_engine: Some(report.baseline.session.backend.clone()),
        baseline_version: Some(report.baseline.session.backend_version.clone()),
        rows_verified: Some(report.data.rows_verified as u64),
        max_error: Some(v.error.max),
        mean_error: Some(v.error.mean),
        proved_bound: v.bound.and_then(|b| b.answer),
        class_flips: v.error.class_flips.map(|n| n as u64),
        metric_name: report.budget.metric.map(|m| m.name().into()),
        metric_before: v.metric.map(|m| m.before),
        metric_after: v.metric.map(|m| m.after),
        chosen: v.chosen,
        reason: Some(v.why.clone()),
        fell_back_from: fallen.map(|f| f.form.clone()),
        fall_back_reason: fallen.map(|f| f.why.clone()),
        machine: Some(json!(report.machine)),
        metadata: Some(
            json!({ "form": v.form, "changes": v.changes, "measured_as": v.measured_as }),
        ),
    }
}

/// Latencies as the store keeps them.
pub(crate) fn latency_by_batch(
    latency: &[Measured],
    threads: usize,
    speedups: impl Iterator<Item = Option<f64>>,
) -> Vec<BatchLatency> {
    latency
        .iter()
        .zip(speedups)
        .map(|(l, speedup)| BatchLatency {
            batch_size: l.batch as u64,
            threads: threads as u32,
            latency: Latency {
                p50_ns: l.p50_ns,
                p90_ns: l.p90_ns,
                p99_ns: l.p99_ns,
                p999_ns: l.p999_ns,
                max_ns: l.max_ns,
            },
            throughput_rows_per_s: Some(l.rows_per_second),
            speedup,
        })
        .collect()
}

/// Up to [`GOLDEN_ROWS`] verification rows, evenly drawn, with the source's answers. A missing
/// value is null.
fn golden(rows: &Rows<'_>, answers: &[f64], n_columns: usize) -> Value {
    let stride = rows.n_rows().div_ceil(GOLDEN_ROWS).max(1);
    let golden: Vec<Value> = (0..rows.n_rows())
        .step_by(stride)
        .map(|row| {
            let x: Vec<Value> = (0..rows.n_features())
                .map(|f| number(rows.get(row, f)))
                .collect();
            let y: Vec<Value> = answers[row * n_columns..(row + 1) * n_columns]
                .iter()
                .map(|&a| number(a))
                .collect();
            json!({ "x": x, "y": y })
        })
        .collect();
    Value::Array(golden)
}

/// JSON has no infinity: it stands as text.
fn number(x: f64) -> Value {
    match x {
        x if x.is_nan() => Value::Null,
        f64::INFINITY => "inf".into(),
        f64::NEG_INFINITY => "-inf".into(),
        x => json!(x),
    }
}

/// Each feature over its cuts (thinned to [`MAX_BINS`]), its missing values, and the answers over
/// their deciles: what drift is later measured against.
fn histograms(model: &Model, rows: &Rows<'_>, answers: &[f64]) -> Value {
    let n_features = model.features.len();
    let mut cuts: Vec<Vec<f64>> = vec![Vec::new(); n_features];
    // Thresholds cut the features where trees see them as they came in.
    let as_they_came = |s: &Step| {
        matches!(
            s,
            Step::MarkMissing { .. }
                | Step::FlushTiny { .. }
                | Step::Impute { .. }
                | Step::Derive(_)
                | Step::Widen
        )
    };
    if model.ensemble().is_some() && model.steps.iter().all(as_they_came) {
        for tree in model.ensemble().map_or(&[][..], |e| &e.trees) {
            for node in &tree.nodes {
                if let Node::Split(Split { feature, test, .. }) = node
                    && let Test::Less(t)
                    | Test::LessEq(t)
                    | Test::Greater(t)
                    | Test::GreaterEq(t)
                    | Test::Equal(t)
                    | Test::NotEqual(t) = test
                    && let Some(cuts) = cuts.get_mut(*feature as usize)
                {
                    cuts.push(*t);
                }
            }
        }
    } else {
        for (f, cuts) in cuts.iter_mut().enumerate() {
            *cuts = deciles((0..rows.n_rows()).map(|row| rows.get(row, f)));
        }
    }
    let features: Vec<Value> = cuts
        .into_iter()
        .enumerate()
        .map(|(f, cuts)| {
            let values = (0..rows.n_rows()).map(|row| rows.get(row, f));
            let missing = values.clone().filter(|v| v.is_nan()).count();
            let cuts = thinned(cuts);
            let counts = counts(&cuts, values);
            json!({ "name": model.features[f].name, "cuts": cuts.iter().map(|&c| number(c)).collect::<Vec<_>>(),
                    "counts": counts, "missing": missing })
        })
        .collect();
    let n_columns = model.n_columns();
    let predictions: Vec<Value> = (0..n_columns)
        .map(|k| {
            let values = answers.iter().skip(k).step_by(n_columns).copied();
            let cuts = thinned(deciles(values.clone()));
            json!({ "column": k, "cuts": cuts.iter().map(|&c| number(c)).collect::<Vec<_>>(),
                    "counts": counts(&cuts, values) })
        })
        .collect();
    json!({ "rows": rows.n_rows(), "features": features, "predictions": predictions })
}

fn deciles(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.filter(|v| !v.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let decile = |d: usize| sorted.get(sorted.len() * d / 10).copied();
    (1..10).filter_map(decile).collect()
}

fn thinned(mut cuts: Vec<f64>) -> Vec<f64> {
    cuts.sort_unstable_by(f64::total_cmp);
    cuts.dedup();
    let stride = cuts.len().div_ceil(MAX_BINS).max(1);
    cuts.into_iter().step_by(stride).collect()
}

/// How many values are below the first cut, from the first to the second, and so on.
fn counts(cuts: &[f64], values: impl Iterator<Item = f64>) -> Vec<usize> {
    let mut counts = vec![0; cuts.len() + 1];
    for v in values.filter(|v| !v.is_nan()) {
        counts[cuts.partition_point(|&c| c <= v)] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_registry_takes() {
        assert_eq!(registry_name("signal"), "signal");
        assert_eq!(registry_name(" a@b/c "), "a-b-c");
        assert_eq!(registry_name(""), "model");
        let cut_at_a_space = format!("{} b", "a".repeat(59));
        assert_eq!(registry_name(&cut_at_a_space), "a".repeat(59));
        assert_ne!(run_id(), run_id());
    }

    #[test]
    fn values_fall_between_their_cuts() {
        assert_eq!(
            counts(
                &[0.0, 1.0],
                [-1.0, 0.0, 0.5, 1.0, f64::NAN, 9.0].into_iter()
            ),
            [1, 2, 2]
        );
        assert_eq!(thinned((0..1000).map(f64::from).collect()).len(), 63);
        assert_eq!(number(f64::INFINITY), json!("inf"));
    }
}
