//! The chart of speed against error: which variants are worth considering at all.
//!
//! Errors of zero have no place on a logarithmic axis; they have a lane of their own at its left.
//! A point is the geometric mean of the speed-ups over the batch sizes.

mod draw;

use draw::draw;

use super::markup::{Markup, put};
use super::number::{bytes, counted};
use crate::report::{Report, VariantReport};

/// Variants with the same figures, as one point.
struct Point<'a> {
    group: Vec<&'a VariantReport>,
    error: f64,
    speed: f64,
    /// Slowest and fastest over the batch sizes.
    range: (f64, f64),
    bound: Option<f64>,
    chosen: bool,
    within: bool,
    /// Another is no worse in both and better in one.
    dominated: bool,
}

/// A form that was given up, of which only the error is known.
struct Tried {
    label: String,
    error: f64,
}

pub(super) fn section(report: &Report) -> Markup {
    let mut out = Markup::new();
    let points = points(report);
    if points.is_empty() {
        put!(out, "<p>Nothing was measured that could be drawn.</p>");
        return out;
    }
    let tried = tried(report);
    put!(
        out,
        "<div class=\"beside\"><figure>{}{}</figure><div class=\"notes\">{}</div></div>",
        draw(report, &points, &tried, "pareto", "wide", 720.0, 440.0),
        draw(report, &points, &tried, "pareto-n", "narrow", 340.0, 410.0),
        notes(report, &points, &tried)
    );
    out
}

fn points(report: &Report) -> Vec<Point<'_>> {
    let mut points: Vec<Point<'_>> = Vec::new();
    for v in &report.variants {
        let Some(speed) = v.mean_speedup().filter(|_| v.made && !v.error.max.is_nan()) else {
            continue;
        };
        let all = || v.speedup.iter().map(|s| s.times).filter(|t| t.is_finite());
        let bound = v
            .bound
            .and_then(|b| b.answer)
            .filter(|b| b.is_finite() && *b > v.error.max);
        let same = |p: &&mut Point<'_>| {
            p.speed == speed
                && p.error == v.error.max
                && p.bound == bound
                && p.within == v.within_budget
        };
        match points.iter_mut().find(same) {
            Some(point) => {
                point.chosen |= v.chosen;
                point.group.push(v);
            }
            None => points.push(Point {
                group: vec![v],
                error: v.error.max,
                speed,
                range: (all().fold(speed, f64::min), all().fold(speed, f64::max)),
                bound,
                chosen: v.chosen,
                within: v.within_budget,
                dominated: false,
            }),
        }
    }
    for point in &mut points {
        point.group.sort_by_key(|v| !v.chosen);
    }
    let dominated: Vec<bool> = points
        .iter()
        .map(|p| points.iter().any(|other| beats(other, p)))
        .collect();
    for (point, dominated) in points.iter_mut().zip(dominated) {
        point.dominated = dominated;
    }
    points
}

fn beats(a: &Point<'_>, b: &Point<'_>) -> bool {
    a.within && a.error <= b.error && a.speed >= b.speed && (a.error < b.error || a.speed > b.speed)
}

fn tried(report: &Report) -> Vec<Tried> {
    let mut all: Vec<Tried> = Vec::new();
    for v in &report.variants {
        for f in &v.fell_back_from {
            let Some(error) = f.max_error.filter(|e| *e > 0.0) else {
                continue;
            };
            if !all.iter().any(|t| t.label == f.form) {
                all.push(Tried {
                    label: f.form.clone(),
                    error,
                });
            }
        }
    }
    all
}

fn notes(report: &Report, points: &[Point<'_>], tried: &[Tried]) -> Markup {
    let mut out = Markup::new();
    put!(out, "<ul class=\"key\">");
    let mut key = |class: &str, text: &str| {
        put!(
            out,
            "<li><i class=\"{}\" aria-hidden=\"true\"></i>{}</li>",
            class,
            text
        );
    };
    key("dot chosen", "chosen");
    let others = || points.iter().filter(|p| !p.chosen && p.within);
    if others().any(|p| !p.dominated) {
        key(
            "dot",
            "on the front: no other is both faster and more precise",
        );
    }
    if others().any(|p| p.dominated) {
        key("dot muted", "beaten on both counts");
    }
    if !tried.is_empty() || points.iter().any(|p| !p.within) {
        key(
            "out",
            "over the budget; on the bottom edge: given up before its speed was measured",
        );
    }
    if points.iter().any(|p| p.bound.is_some()) {
        key(
            "dash",
            "from the largest error seen to the bound proved over all inputs",
        );
    }
    put!(out, "</ul><p>Right is less precise, up is faster. ");
    match report.objective.batches.len() {
        0 | 1 => put!(
            out,
            "Speed is the baseline’s median time over the variant’s."
        ),
        n => put!(
            out,
            "Speed is the baseline’s median time over the variant’s, as the geometric mean over {}; the thin \
             line spans the slowest to the fastest of them.",
            counted(n, "batch size", "batch sizes")
        ),
    }
    put!(
        out,
        "</p><p>The baseline: {} ({}), {}.",
        report.baseline.what,
        report.baseline.why,
        session(report)
    );
    if let Some(memory) = report.baseline.memory_bytes {
        put!(out, " It takes {} of memory.", bytes(memory));
    }
    put!(out, "</p>");
    out
}

fn session(report: &Report) -> String {
    let s = &report.baseline.session;
    format!(
        "{} {}, {}, {}",
        s.backend,
        s.backend_version,
        s.actual_provider,
        counted(s.threads, "thread", "threads")
    )
}
