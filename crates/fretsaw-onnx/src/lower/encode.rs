//! Lookups of a value among ascending ones: bins, piecewise linear functions, encoders.
//!
//! The search is a tree ensemble, one balanced tree a column, that answers which interval a value is
//! in: exact on f64 thresholds, small, and as fast as trees are. (Comparing with every threshold would
//! take rows x thresholds of memory; `LabelEncoder` knows no intervals and compares f64 keys only in
//! its newest version.) What an interval stands for is then gathered from a table.
//!
//! A category that the model refuses makes ONNX Runtime fail: its place is beyond the table, and
//! `Gather` does not take it. That is so on the CPU; other providers may not look.

use fretsaw_model::{Codes, Curve, Encoder};

use super::LowerOptions;
use super::body::operator;
use super::branch::{Condition, Mode};
use super::flat::{FlatNode, FlatTree, Shape};
use super::operator::{Operator, Post};
use super::wide::Value;
use crate::Error;

/// f32, which `ai.onnx.ml` 3 answers, has every whole number up to here.
pub(super) const LARGEST: f64 = 16_777_216.0;

/// A step function of one column: `values[i]` from `cuts[i - 1]` on and below `cuts[i]`.
struct Staircase {
    column: usize,
    /// Ascending, without repetition or NaN.
    cuts: Vec<f64>,
    /// Whole numbers, one more than cuts.
    values: Vec<f64>,
    /// The value of NaN.
    nan: f64,
}

impl Staircase {
    /// How many of the edges are at or below the value; 0 of NaN.
    fn counting(column: usize, edges: &[f64]) -> Self {
        let (mut cuts, mut values) = (Vec::new(), vec![0.0]);
        for (i, &edge) in edges.iter().enumerate().filter(|(_, e)| !e.is_nan()) {
            if cuts.last() == Some(&edge) {
                values.pop();
            } else {
                cuts.push(edge);
            }
            values.push(i as f64 + 1.0);
        }
        Self {
            column,
            cuts,
            values,
            nan: 0.0,
        }
    }

    /// `of(i)` of the value that is key `i`, `other` of any other.
    fn finding(
        column: usize,
        keys: &[f64],
        of: impl Fn(usize) -> f64,
        other: f64,
        nan: f64,
    ) -> Self {
        let (mut cuts, mut values) = (Vec::new(), vec![other]);
        for (i, &key) in keys.iter().enumerate() {
            if cuts.last() == Some(&key) {
                values.pop();
            } else {
                cuts.push(key);
            }
            values.push(of(i));
            // Nothing is above the infinite key.
            if key.next_up() > key {
                cuts.push(key.next_up());
                values.push(other);
            }
        }
        Self {
            column,
            cuts,
            values,
            nan,
        }
    }

    /// As a balanced tree. NaN takes the true way everywhere, and so comes to the lowest interval;
    /// there a test that only NaN passes, if it means something else.
    fn tree(&self, target: usize) -> FlatTree<'static> {
        let mut nodes = Vec::new();
        self.grow(0, self.cuts.len(), &mut nodes);
        let mut leaves = self.values.clone();
        leaves.push(self.nan);
        FlatTree {
            shape: Shape::Nodes(nodes),
            targets: vec![target],
            leaves,
        }
    }

    /// The intervals `low..=high`. As deep as the logarithm of their number.
    fn grow(&self, low: usize, high: usize, nodes: &mut Vec<FlatNode>) {
        let here = nodes.len();
        let test = |t: f64, on_false: usize| FlatNode::Branch {
            column: self.column,
            condition: Condition::Compare(Mode::Less, t),
            nan_true: true,
            on_true: here + 1,
            on_false,
        };
        if low < high {
            let middle = (low + high) / 2;
            nodes.push(test(self.cuts[middle], 0));
            self.grow(low, middle, nodes);
            nodes[here] = test(self.cuts[middle], nodes.len());
            self.grow(middle + 1, high, nodes);
        } else {
            if low == 0 && self.nan != self.values[0] {
                nodes.push(test(f64::NEG_INFINITY, here + 2));
                nodes.push(FlatNode::Leaf(self.values.len()));
            }
            nodes.push(FlatNode::Leaf(low));
        }
    }
}

/// Whole numbers, one column a staircase.
fn look_up<'b>(
    stairs: &[Staircase],
    options: &LowerOptions,
    x: &Value<'b>,
) -> Result<Value<'b>, Error> {
    if stairs.is_empty() {
        return Ok(x.zeros(0));
    }
    let large = |s: &Staircase| s.values.iter().chain([&s.nan]).any(|&v| v > LARGEST);
    if let Some(s) = stairs.iter().find(|s| large(s)) {
        return Err(Error::unsupported(
            "a table of more than 2^24 entries",
            format!("value {}", s.column),
        ));
    }
    let trees: Vec<FlatTree<'_>> = stairs.iter().enumerate().map(|(i, s)| s.tree(i)).collect();
    let found = operator(
        x.builder(),
        options.ml_opset,
        Operator {
            trees: &trees,
            n_outputs: trees.len(),
            wide: true,
            base: &[],
            average: false,
            post: Post::None,
        },
        x.name(),
    );
    Ok(Value::new(x.builder(), found))
}

pub(crate) fn bins<'b>(
    edges: &[Vec<f64>],
    options: &LowerOptions,
    x: &Value<'b>,
) -> Result<Value<'b>, Error> {
    let of = |(i, edges): (usize, &Vec<f64>)| Staircase::counting(i, edges);
    let stairs: Vec<Staircase> = edges.iter().enumerate().map(of).collect();
    Ok(look_up(&stairs, options, x)?.double())
}

/// A piece of a curve: `slope * (x - from) + at_from`, or `at_from` where the slope is 0.
#[derive(Default)]
struct Pieces {
    from: Vec<f64>,
    at_from: Vec<f64>,
    slope: Vec<f64>,
    /// Where the pieces of each curve begin.
    first: Vec<f64>,
}

impl Pieces {
    fn begin(&mut self) {
        self.first.push(self.from.len() as f64);
    }

    fn flat(&mut self, y: f64) {
        self.push(0.0, y, 0.0);
    }

    /// The piece from one point to another, read from the first.
    fn between(&mut self, (x0, y0): (f64, f64), (x1, y1): (f64, f64)) {
        self.push(x0, y0, (y1 - y0) / (x1 - x0));
    }

    fn push(&mut self, from: f64, at_from: f64, slope: f64) {
        self.from.push(from);
        self.at_from.push(at_from);
        self.slope.push(slope);
    }

    /// The curves' values at `x`, where the pieces counted in `place` hold.
    fn of<'b>(&self, place: &Value<'b>, x: &Value<'b>) -> Value<'b> {
        let place = (place.double() + &self.first[..]).int();
        let take = |v: &[f64]| Value::doubles(x.builder(), &[v.len()], v).gather(&place, 0);
        let (from, at_from, slope) = (take(&self.from), take(&self.at_from), take(&self.slope));
        let along = &slope * (x - &from) + &at_from;
        let still = Value::of("Or", &[&slope.equals(0.0), &x.equals(&from)]);
        still.choose(&at_from, &along)
    }
}

pub(crate) fn curves<'b>(
    curves: &[Curve],
    options: &LowerOptions,
    x: &Value<'b>,
) -> Result<Value<'b>, Error> {
    let n = curves.len();
    let (mut up, mut down) = (Pieces::default(), Pieces::default());
    let (mut stairs, mut below) = (Vec::new(), Vec::new());
    for (i, c) in curves.iter().enumerate() {
        let point = |j: usize| (c.x[j], c.y[j]);
        let mirrored = |j: usize| (-c.x[j], -c.y[j]);
        let last = c.x.len() - 1;
        // From the left: as many pieces as points at or below, and one before them.
        stairs.push(Staircase::counting(i, &c.x));
        up.begin();
        up.flat(c.y[0]);
        for j in 0..=last {
            match j < last && c.x[j] < c.x[j + 1] {
                true => up.between(point(j), point(j + 1)),
                // No value ends its count between equal ones.
                false => up.flat(c.y[j]),
            }
        }
        // From the right, mirrored: counted by the points below.
        let next: Vec<f64> =
            c.x.iter()
                .filter(|p| **p < f64::INFINITY)
                .map(|p| p.next_up())
                .collect();
        below.push(Staircase::counting(i, &next));
        down.begin();
        down.flat(-c.y[0]);
        for j in 1..=last {
            match c.x[j - 1] < c.x[j] {
                true => down.between(mirrored(j), mirrored(j - 1)),
                false => down.flat(-c.y[j]),
            }
        }
        down.flat(-c.y[last]);
    }
    let both: Vec<f64> = curves
        .iter()
        .map(|c| f64::from(u8::from(c.both_ways)))
        .collect();
    let value = if both.iter().any(|&v| v != 0.0) {
        stairs.append(&mut below);
        let places = look_up(&stairs, options, x)?;
        let up = up.of(&places.columns(0..n as i64), x);
        let down = down.of(&places.columns(n as i64..2 * n as i64), &-x);
        let mean = (&up - &down) * 0.5;
        match both.iter().all(|&v| v != 0.0) {
            true => mean,
            false => Value::doubles(x.builder(), &[1, n], &both)
                .above(0.5)
                .choose(&mean, &up),
        }
    } else {
        up.of(&look_up(&stairs, options, x)?, x)
    };
    let value = x.is_nan().choose(x, &value);
    if curves.iter().all(|c| c.flat.is_none()) {
        return Ok(value);
    }
    // Nothing is at or beyond NaN.
    let limits = |of: fn((f64, f64)) -> f64| -> Vec<f64> {
        let limit = |c: &Curve| c.flat.map_or(f64::NAN, of);
        curves.iter().map(limit).collect()
    };
    let ends = |of: fn(&Vec<f64>) -> f64| -> Vec<f64> { curves.iter().map(|c| of(&c.y)).collect() };
    let above = x.at_least(&limits(|f| f.1)[..]);
    let value = above.choose(&ends(|y| y[y.len() - 1])[..], &value);
    let below = x.with("LessOrEqual", &limits(|f| f.0)[..]);
    Ok(below.choose(&ends(|y| y[0])[..], &value))
}

pub(crate) fn encode<'b>(
    encoders: &[Encoder],
    options: &LowerOptions,
    x: &Value<'b>,
) -> Result<Value<'b>, Error> {
    if encoders.is_empty() {
        return Ok(x.zeros(0));
    }
    // Neighbours of one kind are looked up together.
    let kind = |e: &Encoder| match &e.codes {
        Codes::OneHot { .. } => None,
        Codes::Values { width, .. } => Some(*width),
    };
    let groups = encoders.chunk_by(|a, b| kind(a) == kind(b));
    let parts = groups.map(|group| match kind(&group[0]) {
        None => one_hot(group, options, x),
        Some(width) => values(group, width as usize, options, x),
    });
    Ok(Value::concat(&parts.collect::<Result<Vec<_>, _>>()?))
}

/// The code of each encoder's column, or `refused`.
fn codes<'b>(
    group: &[Encoder],
    of: impl Fn(u32) -> f64,
    refused: f64,
    options: &LowerOptions,
    x: &Value<'b>,
) -> Result<Value<'b>, Error> {
    let stairs: Vec<Staircase> = group
        .iter()
        .map(|e| {
            let other = e.unknown.map_or(refused, &of);
            let nan = e.missing.map_or(other, &of);
            let code = |i: usize| of(e.code_of[i]);
            Staircase::finding(e.column as usize, &e.keys, code, other, nan)
        })
        .collect();
    look_up(&stairs, options, x)
}

fn one_hot<'b>(
    group: &[Encoder],
    options: &LowerOptions,
    x: &Value<'b>,
) -> Result<Value<'b>, Error> {
    let b = x.builder();
    let widths: Vec<usize> = group.iter().map(|e| e.codes.width()).collect();
    // One place beyond all stands for no place at all.
    let none = widths.iter().copied().max().unwrap_or(0);
    let of = |code: u32| (code as usize).min(none) as f64;
    let mut codes = codes(group, of, none as f64 + 1.0, options, x)?.int();
    if group.iter().any(|e| e.unknown.is_none()) {
        // Fails on what is refused.
        codes = Value::ints(b, &[none + 1], 0..=none as i64).gather(&codes, 0);
    }
    let repeat = |(i, &width): (usize, &usize)| std::iter::repeat_n(i as i64, width);
    let owners: Vec<i64> = widths.iter().enumerate().flat_map(repeat).collect();
    let places: Vec<i64> = widths.iter().flat_map(|&w| 0..w as i64).collect();
    let places = Value::ints(b, &[1, places.len()], places);
    Ok(codes.columns(owners).equals(&places).double())
}

fn values<'b>(
    group: &[Encoder],
    width: usize,
    options: &LowerOptions,
    x: &Value<'b>,
) -> Result<Value<'b>, Error> {
    let (mut table, mut first) = (Vec::new(), Vec::new());
    for encoder in group {
        first.push((table.len() / width.max(1)) as f64);
        if let Codes::Values { values, .. } = &encoder.codes {
            table.extend(values);
        }
    }
    let n_rows = table.len() / width.max(1);
    let codes = codes(group, f64::from, n_rows as f64, options, x)?;
    let rows = (codes.double() + &first[..]).int();
    let taken = Value::doubles(x.builder(), &[n_rows, width], &table).gather(&rows, 0);
    Ok(taken.reshape(&[-1, (group.len() * width) as i64]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the tree answers, walked as ONNX Runtime does.
    fn walk(tree: &FlatTree<'_>, x: f64) -> f64 {
        let mut at = 0;
        loop {
            match &tree.nodes()[at] {
                FlatNode::Leaf(leaf) => return tree.leaves[*leaf],
                FlatNode::Branch {
                    condition: Condition::Compare(Mode::Less, t),
                    nan_true,
                    on_true,
                    on_false,
                    ..
                } => {
                    let yes = x < *t || (*nan_true && x.is_nan());
                    at = if yes { *on_true } else { *on_false };
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn around(values: &[f64]) -> Vec<f64> {
        let beside = |v: &f64| [*v, v.next_up(), v.next_down()];
        let mut all: Vec<f64> = values.iter().flat_map(beside).collect();
        all.extend([0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300]);
        all
    }

    #[test]
    fn trees_count_as_a_search_does() {
        let inf = f64::INFINITY;
        for edges in [
            vec![],
            vec![0.0],
            vec![-0.0, 0.0, 1.0, 1.0, 1.0, 2.5],
            vec![-inf, -inf, 3.0, inf],
            (0..77).map(f64::from).collect(),
        ] {
            let tree = Staircase::counting(0, &edges).tree(0);
            for x in around(&edges) {
                let want = edges.partition_point(|e| *e <= x) as f64;
                let want = if x.is_nan() { 0.0 } else { want };
                assert_eq!(walk(&tree, x), want, "{x} of {edges:?}");
            }
        }
    }

    #[test]
    fn trees_find_keys_and_nothing_beside_them() {
        let inf = f64::INFINITY;
        let one = 1.0_f64;
        for keys in [
            vec![],
            vec![-0.0],
            vec![-inf, -1.0, one, one.next_up(), 4.0, inf],
            (0..33).map(|i| f64::from(i) * 0.1).collect(),
        ] {
            for nan in [90.0, 91.0] {
                let tree = Staircase::finding(0, &keys, |i| i as f64, 90.0, nan).tree(0);
                for x in around(&keys) {
                    let want = match keys.iter().position(|k| *k == x) {
                        _ if x.is_nan() => nan,
                        Some(i) => i as f64,
                        None => 90.0,
                    };
                    assert_eq!(walk(&tree, x), want, "{x} of {keys:?}");
                }
            }
        }
    }
}
