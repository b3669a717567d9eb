//! The variants in figures and in words. This is the page's full account: charts repeat parts of it.

use super::markup::{Markup, put};
use super::number::{
    NONE, bytes, change, count, counted, metric, millis, rate, short, time, times,
};
use crate::measure::Latency;
use crate::metric::Metric;
use crate::report::{Report, VariantReport};

/// A table of one column a variant, the baseline before them.
struct Figures<'a> {
    report: &'a Report,
    out: Markup,
}

/// The figures of every variant. Facts are rows: there are many, and few variants.
pub(super) fn figures(report: &Report) -> Markup {
    let mut t = Figures {
        report,
        out: Markup::new(),
    };
    put!(
        t.out,
        "<div class=\"scroll\" role=\"region\" aria-label=\"Figures of every variant\" tabindex=\"0\">\
         <table><thead><tr><th scope=\"col\"></th><th scope=\"col\">baseline<small>{}</small></th>",
        report.baseline.name
    );
    for v in &report.variants {
        let class = if v.chosen { "chosen" } else { "" };
        put!(
            t.out,
            "<th scope=\"col\" class=\"{}\">{}<small>{}</small>{}</th>",
            class,
            v.name,
            v.form,
            chip(v)
        );
    }
    put!(t.out, "</tr></thead>");
    t.answers();
    t.cost();
    t.latencies();
    put!(t.out, "</table></div>");
    t.out
}

/// What became of a variant, in a word.
fn chip(v: &VariantReport) -> Markup {
    let (class, text) = if v.chosen {
        ("chip chosen", "chosen")
    } else if !v.made {
        ("chip out", "not made")
    } else if !v.within_budget {
        ("chip out", "over budget")
    } else if !v.fell_back_from.is_empty() {
        ("chip", "fell back")
    } else {
        ("chip", "in budget")
    };
    let mut out = Markup::new();
    put!(out, "<span class=\"{}\">{}</span>", class, text);
    out
}

impl Figures<'_> {
    fn group(&mut self, name: &str) {
        let columns = (self.report.variants.len() + 2).to_string();
        put!(
            self.out,
            "<tbody><tr class=\"group\"><th scope=\"rowgroup\" colspan=\"{}\"><span>{}</span></th></tr>",
            columns,
            name
        );
    }

    /// One fact: the baseline's figure, then each variant's. A variant that could not be made has none.
    fn row(
        &mut self,
        name: &str,
        baseline: Option<String>,
        of: impl Fn(&VariantReport) -> Option<String>,
    ) {
        let report = self.report;
        let cells: Vec<Option<String>> = report
            .variants
            .iter()
            .map(|v| v.made.then(|| of(v)).flatten())
            .collect();
        if baseline.is_none() && cells.iter().all(Option::is_none) {
            return;
        }
        put!(
            self.out,
            "<tr><th scope=\"row\">{}</th><td>{}</td>",
            name,
            baseline.unwrap_or_default()
        );
        for (v, cell) in report.variants.iter().zip(cells) {
            let class = if v.chosen { "chosen" } else { "" };
            put!(
                self.out,
                "<td class=\"{}\">{}</td>",
                class,
                cell.unwrap_or_else(|| NONE.into())
            );
        }
        put!(self.out, "</tr>");
    }

    fn end(&mut self) {
        put!(self.out, "</tbody>");
    }

    fn answers(&mut self) {
        let report = self.report;
        let rows = counted(report.data.rows_verified, "row", "rows");
        self.group(&format!("Answers, on {rows} that set nothing"));
        self.row(
            &format!("Largest error (budget {})", short(report.budget.max_error)),
            None,
            |v| {
                Some(if v.error.bit_equal {
                    "0, to the bit".into()
                } else {
                    short(v.error.max)
                })
            },
        );
        self.row("Mean error", None, |v| Some(short(v.error.mean)));
        self.row("Rows over the budget", None, |v| {
            Some(count(v.error.rows_over as u64))
        });
        self.row("Rows of another class", None, |v| {
            v.error.class_flips.map(|n| count(n as u64))
        });
        self.row("Proved bound", None, |v| {
            v.bound.and_then(|b| b.answer).map(bound)
        });
        self.row("Proved bound of the margin", None, |v| {
            v.bound.map(|b| bound(b.margin))
        });
        if let Some(m) = report.budget.metric {
            let before = report
                .variants
                .iter()
                .find_map(|v| v.metric)
                .map(|m| metric(m.before));
            let before = before.unwrap_or_else(|| NONE.into());
            self.row(&format!("{} (source {before})", spelled(m)), None, |v| {
                v.metric.map(|m| metric(m.after))
            });
            let worse = match report.budget.max_metric_drop {
                Some(allowed) => format!("Worse by (allowed {})", short(allowed)),
                None => "Worse by".into(),
            };
            self.row(&worse, None, |v| v.metric.map(|m| short(m.drop)));
        }
        self.row("Standard file in ONNX Runtime: error", None, |v| {
            v.onnx_runtime.as_ref().map(|r| short(r.max_error))
        });
        self.row("Standard file in ONNX Runtime: other class", None, |v| {
            v.onnx_runtime
                .as_ref()
                .and_then(|r| r.class_flips)
                .map(|n| count(n as u64))
        });
        self.end();
    }

    fn cost(&mut self) {
        let baseline = &self.report.baseline;
        self.group("Cost");
        self.row("File", None, |v| Some(bytes(v.file_bytes)));
        self.row("Against the exact ONNX file", None, |v| {
            Some(change(v.size_ratio))
        });
        self.row("Operator it needs", None, |v| Some(v.operator.clone()));
        self.row("With standard operators", None, |v| {
            Some(bytes(v.portable_bytes))
        });
        self.row(
            "Memory when loaded",
            Some(baseline.memory_bytes.map_or("not told".into(), bytes)),
            |v| Some(bytes(v.memory_bytes)),
        );
        self.row("Time to load", Some(millis(baseline.load_ms)), |v| {
            Some(millis(v.load_ms))
        });
        self.row("Time to make and verify", None, |v| Some(millis(v.make_ms)));
        self.end();
    }

    fn latencies(&mut self) {
        let base = &self.report.baseline.latency;
        let mut batches: Vec<usize> = self.report.objective.batches.clone();
        batches.extend(
            base.iter()
                .chain(self.report.variants.iter().flat_map(|v| &v.latency))
                .map(|l| l.batch),
        );
        batches.sort_unstable();
        batches.dedup();
        for batch in batches {
            let rows = counted(batch, "row", "rows");
            self.group(&format!("Calls of {rows}"));
            let at = |all: &[Latency]| all.iter().find(|l| l.batch == batch).cloned();
            let base = at(base);
            let figure = |f: fn(&Latency) -> String| {
                (base.as_ref().map(f), move |v: &VariantReport| {
                    at(&v.latency).as_ref().map(f)
                })
            };
            self.row("Times as fast", base.as_ref().map(|_| "1×".into()), |v| {
                v.speedup
                    .iter()
                    .find(|s| s.batch == batch)
                    .map(|s| times(s.times))
            });
            for (name, f) in [
                (
                    "Median",
                    (|l| time(l.p50_ns as f64)) as fn(&Latency) -> String,
                ),
                ("90th percentile", |l| time(l.p90_ns as f64)),
                ("99th percentile", |l| time(l.p99_ns as f64)),
                ("99.9th percentile", |l| time(l.p999_ns as f64)),
                ("Slowest", |l| time(l.max_ns as f64)),
                ("Rows a second", |l| rate(l.rows_per_second)),
                ("Calls timed", |l| count(l.calls as u64)),
            ] {
                let (base, of) = figure(f);
                self.row(name, base, of);
            }
            self.end();
        }
    }
}

/// A metric's name as people write it.
fn spelled(metric: Metric) -> String {
    match metric.name() {
        "auc" => "AUC".into(),
        "logloss" => "Log loss".into(),
        "accuracy" => "Accuracy".into(),
        "rmse" => "RMSE".into(),
        "r2" => "R²".into(),
        other => other.into(),
    }
}

fn bound(b: f64) -> String {
    if b == 0.0 {
        "0".into()
    } else {
        format!("≤\u{a0}{}", short(b))
    }
}

/// Every variant's story: why it won or lost, what was tried before it, what making it changed.
pub(super) fn verdicts(report: &Report) -> Markup {
    let mut out = Markup::new();
    put!(out, "<div class=\"stories\">");
    for v in &report.variants {
        let class = if v.chosen { "story chosen" } else { "story" };
        put!(
            out,
            "<article class=\"{}\"><h3>{} {}</h3><p>{}</p>",
            class,
            v.name,
            chip(v),
            v.why
        );
        if !v.fell_back_from.is_empty() {
            put!(
                out,
                "<p class=\"sub\">Tried before it and given up:</p><ol>"
            );
            for f in &v.fell_back_from {
                put!(out, "<li><b>{}</b>: {}", f.form, f.why);
                // Most reasons tell the error themselves.
                if let Some(error) = f.max_error.filter(|e| !f.why.contains(&short(*e))) {
                    put!(
                        out,
                        " <span class=\"figure\">(largest error {})</span>",
                        short(error)
                    );
                }
                put!(out, "</li>");
            }
            put!(out, "</ol>");
        }
        put!(out, "<dl class=\"small\">");
        if v.made {
            put!(out, "<div><dt>Form</dt><dd>{}</dd></div>", v.form);
            if let Some(changes) = changes(v) {
                put!(out, "<div><dt>Changes</dt><dd>{}</dd></div>", changes);
            }
        }
        if let Some(other) = &v.measured_as {
            put!(
                out,
                "<div><dt>Measured as</dt><dd>{}, whose plan it shares</dd></div>",
                other
            );
        }
        if !v.plan.is_empty() {
            put!(out, "<div><dt>Plan</dt><dd>{}</dd></div>", v.plan);
        }
        put!(out, "</dl></article>");
    }
    put!(out, "</div>");
    out
}

/// What making a variant changed; none where nothing was.
fn changes(v: &VariantReport) -> Option<String> {
    let c = v.changes;
    let mut parts = Vec::new();
    if c.thresholds > 0 {
        parts.push(format!(
            "{} of {} moved, {} kept in full precision",
            count(c.thresholds_moved as u64),
            counted(c.thresholds, "threshold", "thresholds"),
            count(c.thresholds_kept as u64)
        ));
    }
    if c.leaves > 0 {
        let kept = format!("{} kept in full precision", count(c.leaves_kept as u64));
        parts.push(format!(
            "{}, {kept}",
            counted(c.leaves, "leaf value", "leaf values")
        ));
    }
    if c.leaf_scales > 0 {
        parts.push(counted(c.leaf_scales, "scale", "scales"));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}
