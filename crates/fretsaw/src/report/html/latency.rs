//! The distributions of call times: one panel a batch size, one ridge a session.
//!
//! The ridges are the histograms as they were counted, bin by bin; nothing is smoothed. Heights are
//! square roots of the shares, so that tails can be seen.

use super::markup::{Markup, put};
use super::names;
use super::number::{count, counted, time};
use super::svg::{Anchor, Log, Svg, fitted, text_width};
use crate::measure::Latency;
use crate::report::Report;

const ROW: f64 = 52.0;
const RIDGE: f64 = 26.0;
const TOP: f64 = 8.0;
const AXIS: f64 = 26.0;

/// A histogram's bin reaches down to its upper edge over this.
fn bin_ratio() -> f64 {
    (1.0_f64 / 8.0).exp2()
}

/// One ridge.
struct Ridge<'a> {
    name: String,
    class: &'static str,
    latency: &'a Latency,
}

pub(super) fn section(report: &Report) -> Markup {
    let mut out = Markup::new();
    let mut batches: Vec<usize> = report.baseline.latency.iter().map(|l| l.batch).collect();
    for l in report.variants.iter().flat_map(|v| &v.latency) {
        if !batches.contains(&l.batch) {
            batches.push(l.batch);
        }
    }
    batches.sort_unstable();
    batches.dedup();
    if batches.is_empty() {
        put!(out, "<p>No calls were timed.</p>");
        return out;
    }
    put!(
        out,
        "<p class=\"intro\">The baseline is {}. Every call’s time, on a logarithmic axis: left is \
         faster. The tall tick is the median, the short one the 99th percentile; slower calls may lie \
         beyond the right edge. Sessions took turns in short rounds, so that a slow moment of the \
         machine fell on all of them.</p>",
        report.baseline.what
    );
    let alone = batches.len() == 1;
    put!(out, "<div class=\"panels\">");
    for batch in batches {
        let ridges = ridges(report, batch);
        let title = match batch {
            1 => "One row a call".to_string(),
            n => format!("{} rows a call", count(n as u64)),
        };
        let calls: Vec<usize> = ridges.iter().map(|r| r.latency.calls).collect();
        let (least, most) = (
            calls.iter().min().copied().unwrap_or(0),
            calls.iter().max().copied().unwrap_or(0),
        );
        let timed = if least == most {
            counted(most, "call timed", "calls timed")
        } else {
            format!(
                "{} to {} each",
                count(least as u64),
                counted(most, "call", "calls")
            )
        };
        put!(
            out,
            "<figure><figcaption>{}<small>{}</small></figcaption>",
            title,
            timed
        );
        let id = format!("latency-{batch}");
        if alone {
            put!(out, "{}", draw(&ridges, &id, "wide", &title, 720.0));
        }
        let class = if alone { "narrow" } else { "" };
        put!(
            out,
            "{}</figure>",
            draw(&ridges, &format!("{id}-n"), class, &title, 340.0)
        );
    }
    put!(out, "</div>");
    out
}

fn ridges(report: &Report, batch: usize) -> Vec<Ridge<'_>> {
    let at = |all: &'_ [Latency]| all.iter().position(|l| l.batch == batch);
    let mut out = Vec::new();
    if let Some(i) = at(&report.baseline.latency) {
        let latency = &report.baseline.latency[i];
        out.push(Ridge {
            name: "baseline".into(),
            class: "ridge base",
            latency,
        });
    }
    for group in report.measured() {
        if let Some(i) = at(&group[0].latency) {
            let class = if group.iter().any(|v| v.chosen) {
                "ridge chosen"
            } else {
                "ridge"
            };
            out.push(Ridge {
                name: names(&group),
                class,
                latency: &group[0].latency[i],
            });
        }
    }
    out
}

fn draw(ridges: &[Ridge<'_>], id: &str, class: &str, title: &str, width: f64) -> Markup {
    let height = TOP + ROW * ridges.len() as f64 + AXIS;
    let mut svg = Svg::new(width, height);
    let (left, right, bottom) = (2.0, width - 2.0, height - AXIS);
    // On a busy machine the slowest call in a hundred takes a thousand times the median, and an axis
    // that held it would squeeze the rest; the table has it.
    let ends = ridges.iter().flat_map(|r| {
        let first = r
            .latency
            .histogram
            .first()
            .map_or(r.latency.p50_ns, |b| b.0);
        [first as f64 / bin_ratio(), r.latency.p99_ns as f64 * 1.1]
    });
    let Some(axis) = Log::around(ends, 2.0, left, right) else {
        return Markup::new();
    };
    let axis = axis.padded(0.02, 0.03);
    for t in axis.ticks(54.0) {
        let x = axis.at(t);
        svg.line("grid", (x, TOP), (x, bottom));
        // A label at the very edge would be cut.
        let label = time(t).replace(".00", "").replace(".0\u{a0}", "\u{a0}");
        let half = text_width(&label, 12.0) / 2.0;
        svg.text(
            "tick",
            Anchor::Middle,
            (x.clamp(left + half, right - half), bottom + 17.0),
            &label,
        );
    }
    let mut desc = String::new();
    for (i, ridge) in ridges.iter().enumerate() {
        let base = TOP + ROW * (i + 1) as f64;
        row(&mut svg, &axis, ridge, base, width);
        let l = ridge.latency;
        let (p50, p99) = (time(l.p50_ns as f64), time(l.p99_ns as f64));
        desc += &format!("{}: median {p50}, 99th percentile {p99}. ", ridge.name);
    }
    svg.line("axis", (left, bottom), (right, bottom));
    svg.finish(id, class, &format!("Latency, {title}"), &desc)
}

fn row(svg: &mut Svg, axis: &Log, ridge: &Ridge<'_>, base: f64, width: f64) {
    let l = ridge.latency;
    let (p50, p99) = (axis.at(l.p50_ns as f64), axis.at(l.p99_ns as f64));
    svg.open(&format!(
        "{}: median {}, p90 {}, p99 {}, p99.9 {}, slowest {}; {}",
        ridge.name,
        time(l.p50_ns as f64),
        time(l.p90_ns as f64),
        time(l.p99_ns as f64),
        time(l.p999_ns as f64),
        time(l.max_ns as f64),
        counted(l.calls, "call", "calls")
    ));
    svg.path(ridge.class, &outline(axis, l, base));
    svg.line("ground", (2.0, base), (width - 2.0, base));
    svg.line("p50", (p50, base - RIDGE - 2.0), (p50, base));
    svg.line("p99", (p99, base - RIDGE / 2.0), (p99, base));
    svg.close();
    let figures = format!("{} · p99 {}", time(l.p50_ns as f64), time(l.p99_ns as f64));
    let taken = text_width(&figures, 12.0) + 24.0;
    let y = base - RIDGE - 8.0;
    let class = if ridge.class == "ridge chosen" {
        "label chosen"
    } else {
        "label"
    };
    svg.text(
        class,
        Anchor::Start,
        (2.0, y),
        &fitted(&ridge.name, 12.5, width - taken),
    );
    svg.text("label figure", Anchor::End, (width - 2.0, y), &figures);
}

/// The histogram's outline, from left to right and back along the ground.
fn outline(axis: &Log, l: &Latency, base: f64) -> Vec<(f64, f64)> {
    let most = l.histogram.iter().map(|b| b.1).max().unwrap_or(1).max(1) as f64;
    let mut points = Vec::new();
    for &(edge, calls) in l
        .histogram
        .iter()
        .filter(|b| axis.holds(b.0 as f64 / bin_ratio()))
    {
        let (from, to) = (axis.at(edge as f64 / bin_ratio()), axis.at(edge as f64));
        let y = base - RIDGE * (calls as f64 / most).sqrt();
        if points
            .last()
            .is_some_and(|&(x, _): &(f64, f64)| from - x > 0.6)
            || points.is_empty()
        {
            if let Some(&(x, _)) = points.last() {
                points.push((x, base));
            }
            points.push((from, base));
        }
        points.extend([(from, y), (to, y)]);
    }
    if let Some(&(x, _)) = points.last() {
        points.push((x, base));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outline_stands_on_the_ground_and_keeps_gaps() {
        let l = Latency::of(1, &[vec![100, 100, 100, 100, 1600]]);
        let axis = Log::around([50.0, 3000.0], 2.0, 0.0, 300.0).unwrap();
        let points = outline(&axis, &l, 40.0);
        assert_eq!(points.first().unwrap().1, 40.0);
        assert_eq!(points.last().unwrap().1, 40.0);
        assert_eq!(points.len(), 8, "two bars with ground between them");
        let top = points.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
        assert_eq!(top, 40.0 - RIDGE);
        let one = Latency {
            histogram: Vec::new(),
            ..l
        };
        assert!(outline(&axis, &one, 40.0).is_empty());
    }
}
