//! Bars of what a variant costs at rest: its file, its memory, its time to load.

use super::markup::{Markup, put};
use super::names;
use super::number::{bytes, change, millis};
use super::svg::{Anchor, Rect, Svg, fitted, text_width};
use crate::report::Report;

const ROW: f64 = 42.0;
const BAR: f64 = 12.0;
const WIDTH: f64 = 340.0;

/// One bar.
struct Bar {
    name: String,
    class: &'static str,
    value: f64,
    figure: String,
    /// The same in standard operators, where it is another size.
    beyond: Option<f64>,
}

/// One panel.
struct Panel {
    id: &'static str,
    title: &'static str,
    note: String,
    bars: Vec<Bar>,
}

pub(super) fn section(report: &Report) -> Markup {
    let mut out = Markup::new();
    put!(out, "<div class=\"panels\">");
    for panel in [files(report), memory(report), loading(report)] {
        if panel.bars.is_empty() {
            continue;
        }
        put!(
            out,
            "<figure><figcaption>{}<small>{}</small></figcaption>",
            panel.title,
            panel.note
        );
        put!(out, "{}</figure>", draw(&panel));
    }
    put!(out, "</div>");
    out
}

fn class(chosen: bool) -> &'static str {
    if chosen { "bar chosen" } else { "bar" }
}

fn files(report: &Report) -> Panel {
    let bar = |v: &crate::report::VariantReport| {
        let beyond = v.portable_bytes != v.file_bytes && v.portable_bytes > 0;
        Bar {
            name: v.name.clone(),
            class: class(v.chosen),
            value: v.file_bytes as f64,
            figure: match v.size_ratio {
                1.0 => bytes(v.file_bytes),
                ratio => format!("{} · {}", bytes(v.file_bytes), change(ratio)),
            },
            beyond: beyond.then_some(v.portable_bytes as f64),
        }
    };
    let bars: Vec<Bar> = report.variants.iter().filter(|v| v.made).map(bar).collect();
    let note = if bars.iter().any(|b| b.beyond.is_some()) {
        "outlined: with standard operators only"
    } else {
        "against the exact ONNX file"
    };
    Panel {
        id: "size",
        title: "File",
        note: note.into(),
        bars,
    }
}

fn memory(report: &Report) -> Panel {
    let base = report.baseline.memory_bytes.filter(|m| *m > 0);
    let mut bars: Vec<Bar> = base
        .map(|m| Bar {
            name: "baseline".into(),
            class: "bar base",
            value: m as f64,
            figure: bytes(m),
            beyond: None,
        })
        .into_iter()
        .collect();
    bars.extend(report.measured().iter().map(|group| {
        let own = group[0].memory_bytes;
        let against = base
            .map(|b| format!(" · {}", change(own as f64 / b as f64)))
            .unwrap_or_default();
        Bar {
            name: names(group),
            class: class(group.iter().any(|v| v.chosen)),
            value: own as f64,
            figure: format!("{}{against}", bytes(own)),
            beyond: None,
        }
    }));
    let note = if base.is_some() {
        "of the loaded model"
    } else {
        "the baseline’s is not known"
    };
    Panel {
        id: "memory",
        title: "Memory",
        note: note.into(),
        bars,
    }
}

fn loading(report: &Report) -> Panel {
    let mut bars = vec![Bar {
        name: "baseline".into(),
        class: "bar base",
        value: report.baseline.load_ms,
        figure: millis(report.baseline.load_ms),
        beyond: None,
    }];
    bars.extend(report.variants.iter().filter(|v| v.made).map(|v| Bar {
        name: v.name.clone(),
        class: class(v.chosen),
        value: v.load_ms,
        figure: millis(v.load_ms),
        beyond: None,
    }));
    Panel {
        id: "load",
        title: "Time to load",
        note: "from the file’s bytes, ready to run".into(),
        bars,
    }
}

fn draw(panel: &Panel) -> Markup {
    let mut svg = Svg::new(WIDTH, ROW * panel.bars.len() as f64);
    let values = panel
        .bars
        .iter()
        .flat_map(|b| [b.value, b.beyond.unwrap_or(0.0)]);
    let most = values.filter(|v| v.is_finite()).fold(0.0, f64::max);
    // An infinite or unknown figure has no length that would be true.
    let length = |v: f64| {
        if most > 0.0 && v.is_finite() {
            (WIDTH - 4.0) * v / most
        } else {
            0.0
        }
    };
    let mut desc = String::new();
    for (i, bar) in panel.bars.iter().enumerate() {
        let top = ROW * i as f64;
        let at = |value: f64| Rect {
            x: 2.0,
            y: top + 22.0,
            width: length(value).max(1.0),
            height: BAR,
        };
        svg.open(&format!("{}: {}", bar.name, bar.figure));
        if let Some(beyond) = bar.beyond {
            svg.rect("bar beyond", at(beyond), 2.0);
        }
        svg.rect(bar.class, at(bar.value), 2.0);
        svg.close();
        let taken = text_width(&bar.figure, 12.0) + 24.0;
        let class = if bar.class == "bar chosen" {
            "label chosen"
        } else {
            "label"
        };
        svg.text(
            class,
            Anchor::Start,
            (2.0, top + 15.0),
            &fitted(&bar.name, 12.5, WIDTH - taken),
        );
        svg.text(
            "label figure",
            Anchor::End,
            (WIDTH - 2.0, top + 15.0),
            &bar.figure,
        );
        desc += &format!("{}: {}. ", bar.name, bar.figure);
    }
    svg.finish(panel.id, "", panel.title, &desc)
}
