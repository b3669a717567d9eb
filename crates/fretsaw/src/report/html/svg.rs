//! Drawing: shapes, a logarithmic axis, and labels that keep out of each other's way.
//!
//! Colours and weights are the style sheet's, by class; here are only places and sizes.

use super::markup::{Markup, Px, put};

/// A drawing under way.
pub(super) struct Svg {
    width: f64,
    height: f64,
    body: Markup,
}

/// Where a text stands by its place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            body: Markup::new(),
        }
    }

    pub(super) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        put!(
            self.body,
            "<line class=\"{}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>",
            class,
            Px(from.0),
            Px(from.1),
            Px(to.0),
            Px(to.1)
        );
    }

    pub(super) fn rect(&mut self, class: &str, r: Rect, radius: f64) {
        put!(
            self.body,
            "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/>",
            class,
            Px(r.x),
            Px(r.y),
            Px(r.width.max(0.0)),
            Px(r.height.max(0.0)),
            Px(radius)
        );
    }

    pub(super) fn circle(&mut self, class: &str, (x, y): (f64, f64), radius: f64) {
        put!(
            self.body,
            "<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>",
            class,
            Px(x),
            Px(y),
            Px(radius)
        );
    }

    /// A line through `points`, closed or not by the class's fill.
    pub(super) fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        let mut d = Markup::new();
        for (i, &(x, y)) in points.iter().enumerate() {
            put!(d, "{}{} {}", if i == 0 { "M" } else { "L" }, Px(x), Px(y));
        }
        put!(self.body, "<path class=\"{}\" d=\"{}\"/>", class, d);
    }

    pub(super) fn text(&mut self, class: &str, anchor: Anchor, (x, y): (f64, f64), text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        put!(
            self.body,
            "<text class=\"{}\" text-anchor=\"{}\" x=\"{}\" y=\"{}\">{}</text>",
            class,
            anchor,
            Px(x),
            Px(y),
            text
        );
    }

    /// Begins a group that tells `title` when pointed at; [`close`](Self::close) ends it.
    pub(super) fn open(&mut self, title: &str) {
        put!(self.body, "<g><title>{}</title>", title);
    }

    pub(super) fn close(&mut self) {
        put!(self.body, "</g>");
    }

    /// The finished drawing. `id` is its own on the page; `title` and `desc` are what those hear
    /// who do not see it.
    pub(super) fn finish(self, id: &str, class: &str, title: &str, desc: &str) -> Markup {
        let mut out = Markup::new();
        put!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" class=\"{}\" viewBox=\"0 0 {} {}\" \
             aria-labelledby=\"{}-t {}-d\"><title id=\"{}-t\">{}</title><desc id=\"{}-d\">{}</desc>{}</svg>",
            class,
            Px(self.width),
            Px(self.height),
            id,
            id,
            id,
            title,
            id,
            desc,
            self.body
        );
        out
    }
}

/// A logarithmic axis from values to places.
pub(super) struct Log {
    lo: f64,
    hi: f64,
    from: f64,
    to: f64,
}

impl Log {
    /// The axis that holds `values` between the places `from` and `to`; what is not positive and
    /// finite does not count. A span below `least` (a ratio) is widened to it.
    pub(super) fn around(
        values: impl IntoIterator<Item = f64>,
        least: f64,
        from: f64,
        to: f64,
    ) -> Option<Self> {
        let logs = values
            .into_iter()
            .filter(|v| v.is_finite() && *v > 0.0)
            .map(f64::log10);
        let (lo, hi) = logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| {
            (lo.min(v), hi.max(v))
        });
        if lo > hi {
            return None;
        }
        let widen = (least.log10() - (hi - lo)).max(0.0) / 2.0;
        Some(Self {
            lo: lo - widen,
            hi: hi + widen,
            from,
            to,
        })
    }

    /// The same with a share of its length free at both ends.
    pub(super) fn padded(mut self, low: f64, high: f64) -> Self {
        let span = self.hi - self.lo;
        self.lo -= span * low;
        self.hi += span * high;
        self
    }

    /// The place of a value; what lies beyond an end is put at the end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = if value > 0.0 {
            (value.log10() - self.lo) / (self.hi - self.lo)
        } else {
            0.0
        };
        self.from + (self.to - self.from) * share.clamp(0.0, 1.0)
    }

    pub(super) fn holds(&self, value: f64) -> bool {
        value > 0.0 && (self.lo..=self.hi).contains(&value.log10())
    }

    /// Round values along the axis, as many as stand at least `gap` apart.
    pub(super) fn ticks(&self, gap: f64) -> Vec<f64> {
        const STEPS: &[&[f64]] = &[
            &[
                1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0,
            ],
            &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
            &[1.0, 2.0, 5.0],
            &[1.0, 3.0],
        ];
        let decades = (self.lo.floor() as i32)..=(self.hi.ceil() as i32);
        for steps in STEPS {
            let all = decades
                .clone()
                .flat_map(|e| steps.iter().map(move |&s| power(s, e)));
            let ticks: Vec<f64> = all.filter(|&v| self.holds(v)).collect();
            let apart = |w: &[f64]| (self.at(w[0]) - self.at(w[1])).abs() >= gap;
            if ticks.len() > 1 && ticks.windows(2).all(apart) {
                return ticks;
            }
        }
        self.decades(gap)
            .into_iter()
            .map(|e| power(1.0, e))
            .collect()
    }

    /// Exponents of ten along the axis, as many as stand at least `gap` apart.
    pub(super) fn decades(&self, gap: f64) -> Vec<i32> {
        let a_decade = (self.to - self.from).abs() / (self.hi - self.lo);
        let step = ((gap / a_decade).ceil() as i32).max(1);
        let all = (self.lo.ceil() as i32)..=(self.hi.floor() as i32);
        all.filter(|e| e.rem_euclid(step) == 0).collect()
    }
}

/// The number nearest to `mantissa` times a power of ten; multiplying would give 0.30000000000000004.
pub(super) fn power(mantissa: f64, exponent: i32) -> f64 {
    format!("{mantissa}e{exponent}").parse().unwrap_or(f64::NAN)
}

/// A box.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Rect {
    pub(super) fn around((x, y): (f64, f64), radius: f64) -> Self {
        Self {
            x: x - radius,
            y: y - radius,
            width: 2.0 * radius,
            height: 2.0 * radius,
        }
    }

    /// The box of a line.
    pub(super) fn between(a: (f64, f64), b: (f64, f64)) -> Self {
        let (x, y) = (a.0.min(b.0) - 1.0, a.1.min(b.1) - 1.0);
        let (width, height) = ((a.0 - b.0).abs() + 2.0, (a.1 - b.1).abs() + 2.0);
        Self {
            x,
            y,
            width,
            height,
        }
    }

    fn meets(&self, other: &Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }

    fn wider(&self, margin: f64) -> Self {
        Self {
            x: self.x - margin,
            width: self.width + 2.0 * margin,
            ..*self
        }
    }

    fn inside(&self, other: &Self) -> bool {
        self.x >= other.x
            && self.y >= other.y
            && self.x + self.width <= other.x + other.width
            && self.y + self.height <= other.y + other.height
    }

    /// The point of the box nearest to a place.
    pub(super) fn nearest(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (
            x.clamp(self.x, self.x + self.width),
            y.clamp(self.y, self.y + self.height),
        )
    }
}

/// Free room beside a label, so that two do not read as one.
const MARGIN: f64 = 5.0;

/// Finds free places for labels.
pub(super) struct Placer {
    bounds: Rect,
    taken: Vec<Rect>,
}

impl Placer {
    pub(super) fn new(bounds: Rect) -> Self {
        Self {
            bounds,
            taken: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, r: Rect) {
        self.taken.push(r);
    }

    /// Takes a box if it is free, and says whether it was.
    pub(super) fn claim(&mut self, r: Rect) -> bool {
        let free = r.inside(&self.bounds) && !self.taken.iter().any(|t| t.meets(&r.wider(MARGIN)));
        if free {
            self.taken.push(r);
        }
        free
    }

    /// A free box of this size as near to `point` as there is, and whether it is so far off that it
    /// wants a line to the point. None where everything near is taken.
    pub(super) fn place(
        &mut self,
        (x, y): (f64, f64),
        width: f64,
        height: f64,
    ) -> Option<(Rect, bool)> {
        for distance in [11.0, 20.0, 32.0, 48.0, 66.0, 88.0, 114.0, 144.0] {
            let diagonal = distance * 0.8;
            let (left, right) = (x - width, x);
            let (above, level, below) = (y - height, y - height / 2.0, y);
            // Above and below, a label gives way to the sides of the drawing.
            let side = self.bounds.x + self.bounds.width - width;
            let middle = (x - width / 2.0).max(self.bounds.x).min(side);
            for (x, y) in [
                (right + distance, level),
                (right + diagonal, above - diagonal),
                (right + diagonal, below + diagonal),
                (left - distance, level),
                (left - diagonal, above - diagonal),
                (left - diagonal, below + diagonal),
                (middle, above - distance),
                (middle, below + distance),
            ] {
                let r = Rect {
                    x,
                    y,
                    width,
                    height,
                };
                if self.claim(r) {
                    return Some((r, distance > 20.0));
                }
            }
        }
        None
    }
}

/// About how wide a text is drawn, on the safe side.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    let em = |c: char| match c {
        'i' | 'l' | 'j' | '.' | ',' | ':' | ';' | '\'' | '|' | 'I' | ' ' | '\u{a0}' => 0.34,
        't' | 'f' | 'r' | '-' | '(' | ')' | '/' => 0.42,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.96,
        c if c.is_ascii_uppercase() => 0.72,
        c if c.is_ascii() => 0.62,
        '·' => 0.34,
        c if (c as u32) < 0x1100 => 0.8,
        _ => 1.05,
    };
    text.chars().map(em).sum::<f64>() * size
}

/// As much of a text as fits, its middle left out.
pub(super) fn fitted(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.into();
    }
    let chars: Vec<char> = text.chars().take(4096).collect();
    // No letter counts as less than 0.34 em. Ends tell variants apart as often as beginnings do.
    let mut keep = chars.len().min((width / (0.34 * size)) as usize + 1);
    while keep > 2 {
        keep -= 1;
        let (head, tail) = (keep.div_ceil(2), keep / 2);
        let cut: String = chars[..head]
            .iter()
            .chain(['…'].iter())
            .chain(&chars[chars.len() - tail..])
            .collect();
        if text_width(&cut, size) <= width {
            return cut;
        }
    }
    "…".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_round_ticks_that_stand_apart() {
        for (lo, hi) in [
            (1.0, 1.01),
            (1.0, 30.0),
            (3e-9, 2.0),
            (1e-300, 1e300),
            (5.0, 5.0),
            (9.5, 10.5),
        ] {
            let axis =
                Log::around([lo, hi, f64::NAN, 0.0, f64::INFINITY], 2.0, 0.0, 300.0).unwrap();
            let ticks = axis.ticks(40.0);
            assert!(!ticks.is_empty(), "{lo}..{hi}");
            assert!(
                ticks
                    .windows(2)
                    .all(|w| axis.at(w[1]) - axis.at(w[0]) > 39.999),
                "{lo}..{hi}: {ticks:?}"
            );
            assert!((0.0..=300.0).contains(&axis.at(hi)));
        }
        assert!(Log::around([0.0, f64::NAN], 2.0, 0.0, 1.0).is_none());
        let axis = Log::around([1.0, 100.0], 2.0, 300.0, 0.0).unwrap();
        assert_eq!(
            (axis.at(1.0), axis.at(10.0), axis.at(0.0), axis.at(1e9)),
            (300.0, 150.0, 300.0, 0.0)
        );
    }

    #[test]
    fn labels_never_overlap() {
        let mut placer = Placer::new(Rect {
            x: 0.0,
            y: 0.0,
            width: 400.0,
            height: 300.0,
        });
        let boxes: Vec<Rect> = (0..12)
            .filter_map(|_| placer.place((200.0, 150.0), 80.0, 15.0))
            .map(|p| p.0)
            .collect();
        assert!(boxes.len() > 8);
        for (i, a) in boxes.iter().enumerate() {
            assert!(boxes[..i].iter().all(|b| !a.meets(b)));
        }
        assert!(
            placer.place((200.0, 150.0), 500.0, 15.0).is_none(),
            "wider than the drawing"
        );
    }

    #[test]
    fn long_texts_lose_their_middle() {
        assert_eq!(fitted("fp16", 12.0, 100.0), "fp16");
        let cut = fitted(&"ab".repeat(100_000), 12.0, 100.0);
        assert!(
            cut.contains('…') && text_width(&cut, 12.0) <= 100.0,
            "{cut}"
        );
        assert_eq!(fitted("wwwwwww", 12.0, 1.0), "…");
    }
}
