//! Where the result comes from: lineage, model, data, machine, and how to make it again.

use super::markup::{Markup, put};
use super::number::{bytes, count, counted, millis, short};
use crate::report::Report;

/// From the source file over passes to each file written.
pub(super) fn lineage(report: &Report) -> Markup {
    let m = &report.model;
    let mut out = Markup::new();
    put!(
        out,
        "<ol class=\"lineage\"><li class=\"source\"><h3>{}</h3><p>{}, {}</p><code class=\"hash\">sha256 {}</code></li>",
        m.path,
        m.format,
        bytes(m.bytes),
        m.sha256
    );
    for f in &report.files {
        let passes = report
            .variants
            .iter()
            .find(|v| v.name == f.variant)
            .map(|v| v.passes.as_slice());
        let chosen = f.name == report.chosen.file;
        let class = if chosen { "file chosen" } else { "file" };
        put!(out, "<li class=\"{}\"><h3>{}", class, f.name);
        if chosen {
            put!(out, " <span class=\"chip chosen\">chosen</span>");
        }
        put!(
            out,
            "</h3><p>{} · {} · {}</p><p class=\"passes\">",
            f.variant,
            bytes(f.bytes),
            f.what
        );
        match passes {
            Some([]) => put!(out, "no pass: the source’s own thresholds and leaves"),
            Some(passes) => {
                put!(out, "passes ");
                passes.iter().for_each(|p| put!(out, "<span>{}</span>", p));
            }
            None => {}
        }
        put!(
            out,
            "</p><code class=\"hash\">sha256 {}</code></li>",
            f.sha256
        );
    }
    put!(out, "</ol>");
    if report.files.is_empty() {
        put!(out, "<p>No file was written.</p>");
    }
    out
}

/// A list of facts under a heading.
struct Facts(Markup);

impl Facts {
    fn under(title: &str) -> Self {
        let mut out = Markup::new();
        put!(out, "<div><h3>{}</h3><dl>", title);
        Self(out)
    }

    fn add(&mut self, name: &str, fact: impl Into<Option<String>>) {
        if let Some(fact) = fact.into() {
            put!(self.0, "<div><dt>{}</dt><dd>{}</dd></div>", name, fact);
        }
    }

    fn end(mut self) -> Markup {
        put!(self.0, "</dl></div>");
        self.0
    }
}

pub(super) fn circumstances(report: &Report) -> Markup {
    let mut out = Markup::new();
    put!(
        out,
        "<div class=\"facts\">{}{}{}</div>",
        model(report),
        data(report),
        machine(report)
    );
    out
}

fn model(report: &Report) -> Markup {
    let m = &report.model;
    let mut f = Facts::under("Model");
    let version = m
        .framework_version
        .as_deref()
        .unwrap_or("of an unknown version");
    f.add("Framework", format!("{} {version}", m.framework));
    f.add("Objective", m.objective.clone());
    f.add("Answers", m.answer.clone());
    f.add("Features", count(m.n_features as u64));
    f.add("Outputs", count(m.n_outputs as u64));
    if m.n_trees > 0 {
        let trees = counted(m.n_trees, "tree", "trees");
        let leaves = counted(m.n_leaves, "leaf", "leaves");
        f.add(
            "Ensemble",
            format!("{trees}, {leaves}, depth {}", m.max_depth),
        );
    }
    f.end()
}

fn data(report: &Report) -> Markup {
    let d = &report.data;
    let mut f = Facts::under("Data");
    f.add("Rows", d.path.clone());
    let setting = counted(d.rows_setting, "row", "rows");
    f.add(
        "Set thresholds and scales",
        match &d.calibration_path {
            Some(path) => format!("{setting} of {path}"),
            None => format!("the first {setting}"),
        },
    );
    let rest = if d.calibration_path.is_some() {
        ""
    } else {
        "the other "
    };
    f.add(
        "Verified and measured",
        format!(
            "{rest}{}; none of them set anything",
            counted(d.rows_verified, "row", "rows")
        ),
    );
    f.add(
        "Labels",
        d.labels
            .clone()
            .unwrap_or_else(|| "none given, so no metric".into()),
    );
    let b = &report.budget;
    f.add(
        "Error allowed",
        format!("{} ({})", short(b.max_error), b.max_error_from),
    );
    f.add("Metric", b.metric.map(|m| m.name().to_string()));
    f.add("Drop allowed", b.max_metric_drop.map(short));
    f.end()
}

fn machine(report: &Report) -> Markup {
    let m = &report.machine;
    let mut f = Facts::under("Machine");
    f.add("Processor", m.cpu.clone());
    f.add("Cores", count(m.cores as u64));
    f.add("Instruction set", m.instruction_set.clone());
    f.add("Memory", m.memory_bytes.map(bytes));
    f.add("System", m.system.clone());
    f.add("Threads a call", count(report.objective.threads as u64));
    f.add("Files that could win", {
        let portable = report.objective.portable;
        String::from(if portable {
            "of standard operators only"
        } else {
            "any"
        })
    });
    f.end()
}

pub(super) fn reproduce(report: &Report) -> Markup {
    let mut out = Markup::new();
    put!(
        out,
        "<pre class=\"command\"><code>{}</code></pre><p>On the same rows the variants, their files and their errors \
         come out the same; times differ with the machine and the moment.</p>",
        report.command
    );
    out
}

pub(super) fn footer(report: &Report) -> Markup {
    let mut out = Markup::new();
    put!(
        out,
        "<footer>Made by fretsaw {} on {} in {}. The same facts for programs: report.json ({}).</footer>",
        report.fretsaw_version,
        report.created_at,
        millis(report.seconds * 1e3),
        report.schema
    );
    out
}
