//! Drawing the front: the places of things, and labels that keep out of their way.

use super::super::markup::Markup;
use super::super::names;
use super::super::number::{power_of_ten, short, times};
use super::super::svg::{Anchor, Log, Placer, Rect, Svg, fitted, power, text_width};
use super::{Point, Tried};
use crate::report::Report;

/// Size of the labels' letters, and height of their lines.
const LETTER: f64 = 13.0;
const LINE: f64 = 16.0;

/// Below this width labels make do with less.
const NARROW: f64 = 500.0;

/// The places of a chart of some size.
struct Frame {
    /// The lane of errors of zero.
    lane: Rect,
    /// The place of errors above zero.
    plot: Rect,
    x: Option<Log>,
    y: Log,
    /// Where the budget is drawn; nowhere where any error is allowed.
    budget: Option<f64>,
    narrow: bool,
}

impl Frame {
    fn new(
        report: &Report,
        points: &[Point<'_>],
        tried: &[Tried],
        width: f64,
        height: f64,
    ) -> Option<Self> {
        let narrow = width < NARROW;
        let (left, right, top, bottom) = (46.0, 14.0, 44.0, 52.0);
        let lane_width = if narrow { 88.0 } else { 150.0 };
        let lane = Rect {
            x: left,
            y: top,
            width: lane_width,
            height: height - top - bottom,
        };
        let x = left + lane_width;
        let plot = Rect {
            x,
            y: top,
            width: width - x - right,
            height: lane.height,
        };
        let budget = report.budget.max_error;
        let errors = points
            .iter()
            .map(|p| p.error)
            .chain(tried.iter().map(|t| t.error));
        let errors: Vec<f64> = errors
            .chain([budget])
            .filter(|e| *e > 0.0 && e.is_finite())
            .collect();
        // Bounds are often far off: they stretch the axis a little and then run out of it.
        let far = errors.iter().copied().fold(0.0, f64::max) * 30.0;
        let bounds = points.iter().filter_map(|p| p.bound).map(|b| b.min(far));
        // Forms that were given up have the bottom edge.
        let below = if tried.is_empty() { 0.1 } else { 0.17 };
        let speeds = points
            .iter()
            .flat_map(|p| [p.speed, p.range.0, p.range.1])
            .chain([1.0]);
        let x = Log::around(
            errors.iter().copied().chain(bounds),
            100.0,
            plot.x,
            plot.x + plot.width,
        )
        .map(|x| x.padded(0.12, 0.08));
        let y = Log::around(speeds, 4.0, plot.y + plot.height, plot.y)?.padded(below, 0.14);
        let budget = match &x {
            // Nothing but zero is allowed: the border of the lane.
            _ if budget == 0.0 => Some(plot.x),
            Some(x) if budget.is_finite() => Some(x.at(budget)),
            _ => None,
        };
        Some(Self {
            lane,
            plot,
            x,
            y,
            budget,
            narrow,
        })
    }

    fn place(&self, p: &Point<'_>) -> (f64, f64) {
        (self.x_of(p.error), self.y.at(p.speed))
    }

    fn x_of(&self, error: f64) -> f64 {
        match &self.x {
            _ if error == 0.0 => self.lane.x + self.lane.width * 0.2,
            Some(x) if error.is_finite() => x.at(error),
            // Beyond every number: by the right edge.
            _ => self.plot.x + self.plot.width - 9.0,
        }
    }

    fn bottom(&self) -> f64 {
        self.plot.y + self.plot.height
    }

    fn right(&self) -> f64 {
        self.plot.x + self.plot.width
    }
}

/// The chart at one size; `id` is its own on the page.
pub(super) fn draw(
    report: &Report,
    points: &[Point<'_>],
    tried: &[Tried],
    id: &str,
    class: &str,
    width: f64,
    height: f64,
) -> Markup {
    let Some(frame) = Frame::new(report, points, tried, width, height) else {
        return Markup::new();
    };
    let mut svg = Svg::new(width, height);
    let all = Rect {
        x: frame.lane.x + 2.0,
        y: frame.plot.y + 2.0,
        width: frame.right() - frame.lane.x,
        height: frame.plot.height - 4.0,
    };
    let mut placer = Placer::new(all);
    axes(&mut svg, &frame);
    budget(&mut svg, &frame, &mut placer, report.budget.max_error);
    baseline(&mut svg, &frame, &mut placer);
    front(&mut svg, &frame, points, &mut placer);
    for p in points {
        let at = frame.place(p);
        placer.take(Rect::around(at, 8.0));
        let (top, bottom) = (frame.y.at(p.range.1), frame.y.at(p.range.0));
        placer.take(Rect {
            x: at.0 - 1.0,
            y: top,
            width: 2.0,
            height: bottom - top,
        });
    }
    for t in tried {
        placer.take(Rect::around(
            (frame.x_of(t.error), frame.bottom() - 12.0),
            6.0,
        ));
    }
    for p in points {
        bound(&mut svg, &frame, p, &mut placer);
    }
    baseline_name(&mut svg, &frame, &mut placer, &report.baseline.name);
    // The winner's label has the first choice of places.
    let mut order: Vec<&Point<'_>> = points.iter().collect();
    order.sort_by_key(|p| (!p.chosen, p.dominated));
    for p in order.iter().rev() {
        mark(&mut svg, &frame, p);
    }
    for p in order {
        label(&mut svg, &frame, p, &mut placer);
    }
    given_up(&mut svg, &frame, tried, &mut placer);
    let title = "Speed against error of every variant";
    svg.finish(id, class, title, &describe(report, points))
}

/// The chart for those who do not see it.
fn describe(report: &Report, points: &[Point<'_>]) -> String {
    let mut out = format!("Budget: an error of {}.", short(report.budget.max_error));
    for p in points {
        let chosen = if p.chosen { ", chosen" } else { "" };
        out += &format!(
            " {}: error {}, {} the baseline{chosen}.",
            names(&p.group),
            short(p.error),
            times(p.speed)
        );
    }
    out
}

fn axes(svg: &mut Svg, frame: &Frame) {
    let (lane, plot) = (frame.lane, frame.plot);
    svg.rect("lane", lane, 0.0);
    for v in frame.y.ticks(34.0) {
        let y = frame.y.at(v);
        svg.line("grid", (lane.x, y), (frame.right(), y));
        svg.text(
            "tick",
            Anchor::End,
            (lane.x - 8.0, y + 4.0),
            &format!("{v}×").replace(".0×", "×"),
        );
    }
    if let Some(x) = &frame.x {
        for e in x.decades(46.0) {
            let at = x.at(power(1.0, e));
            svg.line("grid", (at, plot.y), (at, frame.bottom()));
            svg.text(
                "tick",
                Anchor::Middle,
                (at, frame.bottom() + 17.0),
                &power_of_ten(e),
            );
        }
    }
    svg.line(
        "axis",
        (lane.x, frame.bottom()),
        (frame.right(), frame.bottom()),
    );
    svg.text(
        "tick",
        Anchor::Middle,
        (lane.x + lane.width / 2.0, frame.bottom() + 17.0),
        "0",
    );
    svg.text(
        "name",
        Anchor::End,
        (frame.right(), frame.bottom() + 38.0),
        "largest error →",
    );
    let exact = if lane.width > 100.0 {
        "no error at all"
    } else {
        "no error"
    };
    svg.text(
        "name",
        Anchor::Middle,
        (lane.x + lane.width / 2.0, frame.bottom() + 38.0),
        exact,
    );
    svg.text(
        "name",
        Anchor::Start,
        (4.0, 12.0),
        "↑ times as fast as the baseline",
    );
}

fn budget(svg: &mut Svg, frame: &Frame, placer: &mut Placer, budget: f64) {
    let Some(at) = frame.budget else { return };
    let over = Rect {
        x: at,
        y: frame.plot.y,
        width: frame.right() - at,
        height: frame.plot.height,
    };
    svg.rect("over", over, 0.0);
    svg.line("budget", (at, frame.plot.y - 6.0), (at, frame.bottom()));
    placer.take(Rect::between((at, frame.plot.y), (at, frame.bottom())));
    let text = format!("budget {}", short(budget));
    let x = at.min(frame.right() - text_width(&text, 12.0) / 2.0);
    svg.text("budget", Anchor::Middle, (x, frame.plot.y - 11.0), &text);
}

fn baseline(svg: &mut Svg, frame: &Frame, placer: &mut Placer) {
    let y = frame.y.at(1.0);
    svg.line("baseline", (frame.lane.x, y), (frame.right(), y));
    placer.take(Rect::between((frame.lane.x, y), (frame.right(), y)));
}

/// Names the baseline along its line, where there is room on either side of the budget.
fn baseline_name(svg: &mut Svg, frame: &Frame, placer: &mut Placer, what: &str) {
    const LEAST: f64 = 110.0;
    let (y, left, right) = (frame.y.at(1.0), frame.lane.x, frame.right());
    let cut = frame.budget.unwrap_or(right);
    for (from, to) in [(left, cut), (cut, right)] {
        let text = fitted(what, 12.0, to - from - 14.0);
        let width = text_width(&text, 12.0);
        for (top, line) in [(y + 3.0, y + 15.0), (y - 18.0, y - 6.0)] {
            let r = Rect {
                x: from + 7.0,
                y: top,
                width,
                height: 15.0,
            };
            if to - from >= LEAST && placer.claim(r) {
                return svg.text("note", Anchor::Start, (r.x, line), &text);
            }
        }
    }
}

/// The steps through the variants that no other beats.
fn front(svg: &mut Svg, frame: &Frame, points: &[Point<'_>], placer: &mut Placer) {
    let mut on: Vec<&Point<'_>> = points.iter().filter(|p| p.within && !p.dominated).collect();
    on.sort_by(|a, b| a.error.total_cmp(&b.error));
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for p in on {
        let at = frame.place(p);
        if let Some(&(_, y)) = steps.last() {
            steps.push((at.0, y));
        }
        steps.push(at);
    }
    if steps.len() > 1 {
        svg.path("front", &steps);
        steps
            .windows(2)
            .for_each(|w| placer.take(Rect::between(w[0], w[1])));
    }
}

/// The way from the error seen to the error proved.
fn bound(svg: &mut Svg, frame: &Frame, p: &Point<'_>, placer: &mut Placer) {
    let (Some(x), Some(bound)) = (&frame.x, p.bound) else {
        return;
    };
    let (from, y) = frame.place(p);
    let to = x.at(bound);
    svg.line("bound", (from, y), (to, y));
    placer.take(Rect {
        x: from,
        y: y - 1.0,
        width: to - from,
        height: 2.0,
    });
    if x.holds(bound) {
        svg.line("bound-end", (to, y - 5.0), (to, y + 5.0));
        placer.take(Rect::around((to, y), 5.0));
    } else {
        svg.path(
            "bound-end",
            &[(to - 5.0, y - 5.0), (to, y), (to - 5.0, y + 5.0)],
        );
    }
}

fn mark(svg: &mut Svg, frame: &Frame, p: &Point<'_>) {
    let (x, y) = frame.place(p);
    svg.open(&format!(
        "{}: largest error {}, {} the baseline ({} to {})",
        names(&p.group),
        short(p.error),
        times(p.speed),
        times(p.range.0),
        times(p.range.1)
    ));
    let class = if p.chosen {
        "point chosen"
    } else if !p.within {
        "point out"
    } else if p.dominated {
        "point muted"
    } else {
        "point"
    };
    svg.line(
        "range",
        (x, frame.y.at(p.range.0)),
        (x, frame.y.at(p.range.1)),
    );
    if p.within {
        svg.circle(class, (x, y), if p.chosen { 7.5 } else { 5.5 });
    } else {
        cross(svg, class, (x, y), 5.0);
    }
    svg.close();
}

fn cross(svg: &mut Svg, class: &str, (x, y): (f64, f64), r: f64) {
    svg.line(class, (x - r, y - r), (x + r, y + r));
    svg.line(class, (x - r, y + r), (x + r, y - r));
}

fn label(svg: &mut Svg, frame: &Frame, p: &Point<'_>, placer: &mut Placer) {
    // In the lane a label has the lane's width; beyond it, room enough.
    let room = if p.error == 0.0 {
        frame.lane.width * 0.8 - 13.0
    } else {
        frame.plot.width * 0.45
    };
    let plain = if p.dominated || !p.within {
        "label muted"
    } else {
        "label"
    };
    let class = |chosen: bool| if chosen { "label chosen" } else { plain };
    let mut lines: Vec<(&str, String)> = p
        .group
        .iter()
        .map(|v| (class(v.chosen), fitted(&v.name, LETTER, room)))
        .collect();
    if lines.len() > 4 {
        let more = lines.len() - 3;
        lines.truncate(3);
        lines.push((plain, format!("and {more} more")));
    }
    lines.push(("label figure", times(p.speed)));
    let width = lines
        .iter()
        .map(|(_, l)| text_width(l, LETTER))
        .fold(0.0, f64::max);
    let at = frame.place(p);
    let Some((r, far)) = placer.place(at, width, LINE * lines.len() as f64) else {
        return;
    };
    if far {
        svg.line("leader", at, r.nearest(at));
    }
    let (anchor, x) = if r.x + r.width <= at.0 {
        (Anchor::End, r.x + r.width)
    } else {
        (Anchor::Start, r.x)
    };
    for (i, (class, line)) in lines.iter().enumerate() {
        svg.text(class, anchor, (x, r.y + LINE * i as f64 + 12.5), line);
    }
}

/// Forms that broke the budget, by place: how fast they would have been, nobody measured.
fn given_up(svg: &mut Svg, frame: &Frame, tried: &[Tried], placer: &mut Placer) {
    let mut groups: Vec<(f64, Vec<&Tried>)> = Vec::new();
    for t in tried {
        let x = frame.x_of(t.error);
        match groups.iter_mut().find(|g| (g.0 - x).abs() < 12.0) {
            Some(group) => group.1.push(t),
            None => groups.push((x, vec![t])),
        }
    }
    for (x, group) in groups {
        let at = (x, frame.bottom() - 12.0);
        let told = group
            .iter()
            .map(|t| format!("{}, error {}", t.label, short(t.error)));
        svg.open(&format!(
            "given up: {}",
            told.collect::<Vec<_>>().join("; ")
        ));
        cross(svg, "point out", at, 4.0);
        svg.close();
        let lines: Vec<String> = match &group[..] {
            [one] => one
                .label
                .split_inclusive(", ")
                .take(3)
                .map(|l| l.trim_end().into())
                .collect(),
            many => vec![format!("{} forms", many.len()), "given up".into()],
        };
        let lines: Vec<String> = lines
            .iter()
            .map(|l| fitted(l, 11.0, frame.plot.width * 0.6))
            .collect();
        let width = lines
            .iter()
            .map(|l| text_width(l, 11.0))
            .fold(0.0, f64::max);
        let Some((r, far)) = placer.place(at, width, 13.0 * lines.len() as f64) else {
            continue;
        };
        if far {
            // A line across half of a small chart would hide more than it tells; the words below
            // have it.
            if frame.narrow {
                continue;
            }
            svg.line("leader", at, r.nearest(at));
        }
        for (i, line) in lines.iter().enumerate() {
            let y = r.y + 13.0 * i as f64 + 10.0;
            svg.text("label out", Anchor::Start, (r.x, y), line);
        }
    }
}
