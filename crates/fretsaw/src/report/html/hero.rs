//! The top of the page: the verdict in a sentence, its figures, and what the reader should know.

use super::markup::{Markup, put};
use super::number::{bytes, change, count, counted, short, time, times};
use super::svg::fitted;
use crate::report::{FileFacts, Report, VariantReport};
use crate::select::Objective;

/// Ems of a name beyond which the verdict leaves its middle out; the table has it whole.
const LONG: f64 = 40.0;

pub(super) fn header(report: &Report) -> Markup {
    let mut out = Markup::new();
    put!(
        out,
        "<header><p class=\"eyebrow\"><b>fretsaw</b> report<span>{}</span><span>{}</span></p>",
        fitted(&report.model.name, 1.0, LONG),
        fitted(&report.created_at, 1.0, LONG)
    );
    match report.winner() {
        Some(winner) => {
            put!(
                out,
                "<h1>{}</h1><p class=\"lead\">{} {}</p>",
                verdict(report, winner),
                reason(report),
                whereabouts(report)
            );
            put!(out, "<dl class=\"tiles\">");
            speed_tiles(&mut out, report, winner);
            put!(out, "{}{}", error_tile(report, winner), bound_tile(winner));
            put!(
                out,
                "{}{}",
                size_tile(report, winner),
                memory_tile(report, winner)
            );
            put!(out, "</dl>");
        }
        None => put!(
            out,
            "<h1>No variant was chosen.</h1><p class=\"lead\">{}</p>",
            report.chosen.why
        ),
    }
    put!(out, "{}</header>", notices(report));
    out
}

fn verdict(report: &Report, winner: &VariantReport) -> Markup {
    let mut out = Markup::new();
    put!(out, "<em>{}</em> ", fitted(&winner.name, 1.0, LONG));
    let speeds = || {
        winner
            .speedup
            .iter()
            .map(|s| s.times)
            .filter(|t| t.is_finite())
    };
    let low = speeds().fold(f64::INFINITY, f64::min);
    let high = speeds().fold(f64::NEG_INFINITY, f64::max);
    if low <= high {
        let (low, high) = (short(low), short(high));
        let range = if low == high {
            low
        } else {
            format!("{low} to {high}")
        };
        put!(
            out,
            "is <strong>{} times as fast</strong> as {}, ",
            range,
            fitted(&report.baseline.name, 1.0, LONG)
        );
    } else {
        put!(out, "was chosen, ");
    }
    if winner.error.bit_equal {
        put!(out, "with <strong>the same answers to the bit</strong>.");
    } else {
        put!(
            out,
            "with an error of <strong>{} at most</strong>.",
            short(winner.error.max)
        );
    }
    out
}

/// What the choice was to be best at, and within what.
fn reason(report: &Report) -> Markup {
    let goal = match report.objective.name {
        Objective::Latency => "the lowest 99th percentile of a call's time",
        Objective::Throughput => "the most rows a second",
        Objective::Memory => "the least memory",
        Objective::Size => "the smallest file",
    };
    let batches: Vec<String> = report
        .objective
        .batches
        .iter()
        .map(|&b| count(b as u64))
        .collect();
    let one = report.objective.batches == [1];
    let budget = match report.budget.max_error {
        e if e.is_finite() => format!("an error of {}", short(e)),
        _ => "any error".into(),
    };
    let mut out = Markup::new();
    put!(
        out,
        "Chosen for {}, at {} of {} {} on {}, with {} allowed ({}).",
        goal,
        if batches.len() == 1 {
            "a batch"
        } else {
            "batches"
        },
        listed(&batches),
        if one { "row" } else { "rows" },
        counted(report.objective.threads, "thread", "threads"),
        budget,
        report.budget.max_error_from
    );
    if report.chosen.fell_back_to_exact {
        put!(
            out,
            " No less precise form kept to that, so the choice was among the exact ones."
        );
    }
    out
}

/// Where the winner is, and what else was written for those who cannot run it.
fn whereabouts(report: &Report) -> Markup {
    let mut out = Markup::new();
    put!(out, "It is in <code>{}</code>", report.chosen.file);
    let portable = |f: &&FileFacts| f.name == "model.onnx" && f.name != report.chosen.file;
    if let Some(f) = report.files.iter().find(portable) {
        put!(
            out,
            "; <code>{}</code> holds {} in standard operators, for any ONNX runtime",
            f.name,
            f.variant
        );
    }
    put!(out, ".");
    out
}

/// "1, 64 and 1,024"
fn listed(items: &[String]) -> String {
    match items {
        [] => "no".into(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn tile(class: &str, name: &str, figure: &str, detail: &Markup) -> Markup {
    let mut out = Markup::new();
    put!(
        out,
        "<div class=\"tile {}\"><dt>{}</dt><dd><b>{}</b>",
        class,
        name,
        figure
    );
    put!(out, "<small>{}</small></dd></div>", detail);
    out
}

fn speed_tiles(out: &mut Markup, report: &Report, winner: &VariantReport) {
    // Many batch sizes would push everything else off the screen; the table has them all.
    const SHOWN: usize = 4;
    let n = winner.speedup.len();
    let shown = |i: usize| n <= SHOWN || (0..SHOWN).any(|k| k * (n - 1) / (SHOWN - 1) == i);
    for (_, speedup) in winner.speedup.iter().enumerate().filter(|(i, _)| shown(*i)) {
        let p50 = |all: &[crate::measure::Latency]| {
            all.iter()
                .find(|l| l.batch == speedup.batch)
                .map(|l| time(l.p50_ns as f64))
        };
        let mut detail = Markup::new();
        if let (Some(own), Some(base)) = (p50(&winner.latency), p50(&report.baseline.latency)) {
            put!(detail, "median {} against {}", own, base);
        }
        let name = match speedup.batch {
            1 => "Speed, one row".to_string(),
            n => format!("Speed, {} rows", count(n as u64)),
        };
        put!(
            out,
            "{}",
            tile("speed", &name, &times(speedup.times), &detail)
        );
    }
}

fn error_tile(report: &Report, winner: &VariantReport) -> Markup {
    let mut detail = Markup::new();
    let budget = report.budget.max_error;
    if winner.error.bit_equal {
        put!(
            detail,
            "to the bit, on {}",
            counted(report.data.rows_verified, "row", "rows")
        );
    } else if budget > 0.0 && budget.is_finite() && winner.error.max.is_finite() {
        let share = winner.error.max / budget * 100.0;
        put!(
            detail,
            "{}% of the budget of {}",
            short(share),
            short(budget)
        );
        let filled = format!("{:.1}", share.clamp(0.0, 100.0));
        put!(
            detail,
            "<span class=\"meter\"><i style=\"width:{}%\"></i></span>",
            filled
        );
    } else {
        put!(detail, "budget {}", short(budget));
    }
    tile("", "Largest error seen", &short(winner.error.max), &detail)
}

fn bound_tile(winner: &VariantReport) -> Markup {
    let (figure, detail) = match winner.bound {
        Some(bound) => match bound.answer {
            Some(answer) => (short(answer), "over all inputs, not only the rows seen"),
            None => (
                short(bound.margin),
                "of the margin, over all inputs; the link has no bound",
            ),
        },
        None => ("none".into(), "nothing is proved over all inputs"),
    };
    tile("", "Proved bound", &figure, &text(detail))
}

fn size_tile(report: &Report, winner: &VariantReport) -> Markup {
    let mut detail = Markup::new();
    let exact = report.variants.first().map_or(0, |v| v.portable_bytes);
    if winner.file_bytes == exact {
        put!(detail, "as large as the exact ONNX file");
    } else {
        put!(
            detail,
            "{}, from {} of exact ONNX",
            change(winner.size_ratio),
            bytes(exact)
        );
    }
    tile("", "File", &bytes(winner.file_bytes), &detail)
}

fn memory_tile(report: &Report, winner: &VariantReport) -> Markup {
    let mut detail = Markup::new();
    match report.baseline.memory_bytes {
        Some(base) if base == winner.memory_bytes => put!(detail, "as much as the baseline"),
        Some(base) if base > 0 => put!(
            detail,
            "{}, from {} of the baseline",
            change(winner.memory_bytes as f64 / base as f64),
            bytes(base)
        ),
        _ => put!(detail, "of the loaded model"),
    }
    tile("", "Memory", &bytes(winner.memory_bytes), &detail)
}

fn text(s: &str) -> Markup {
    let mut out = Markup::new();
    put!(out, "{}", s);
    out
}

fn notices(report: &Report) -> Markup {
    let mut out = Markup::new();
    if report.notices.is_empty() {
        return out;
    }
    put!(out, "<aside class=\"notices\"><h2>To know</h2><ul>");
    for notice in &report.notices {
        put!(out, "<li>{}</li>", notice);
    }
    put!(out, "</ul></aside>");
    out
}
