//! From the input of the body back to the input of the graph: preprocessing steps, casts, and
//! columns that were prepared for tests on zeros and categories.

use std::cell::Cell;

use fretsaw_model::{Float, Missing, Step};

use super::graph::{Graph, Made, Op};
use crate::Error;
use crate::lower::branch::{Column, Rounding};
use crate::proto::tensor_proto::DataType;

/// How deep preparations may nest.
const MAX_DEPTH: usize = 64;
/// How many operators may prepare features, each counted as often as it is used: joins of joins of
/// the same columns double at each step.
const MAX_STEPS: usize = 4096;
/// How many columns the body may read.
const MAX_COLUMNS: usize = 1 << 20;

/// What the body reads.
#[derive(Debug)]
pub(super) struct Input {
    /// Preprocessing, in order.
    pub(super) steps: Vec<Step>,
    /// How each column is made, and of which feature.
    pub(super) columns: Vec<(Column, u32)>,
    /// The least precision on the way: that of the comparisons.
    pub(super) compare: Float,
    /// The precision that the body reads.
    pub(super) float: Float,
}

/// The graph's own input.
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) float: Float,
    pub(super) n_features: u32,
    /// Operators looked at so far on the way back from the body.
    pub(super) n_steps: Cell<usize>,
}

/// Follows `value` back to the graph's input.
pub(super) fn input<'a>(
    g: &Graph<'a>,
    source: &Source<'a>,
    value: &'a str,
) -> Result<Input, Error> {
    follow(g, source, value, 0)
}

fn follow<'a>(
    g: &Graph<'a>,
    source: &Source<'a>,
    value: &'a str,
    depth: usize,
) -> Result<Input, Error> {
    let op = match g.made(value)? {
        Made::Input if g.root(value) == source.name => {
            return Ok(Input {
                steps: vec![],
                columns: (0..source.n_features)
                    .map(|f| (Column::default(), f))
                    .collect(),
                compare: source.float,
                float: source.float,
            });
        }
        Made::Node(op) => {
            source.n_steps.set(source.n_steps.get() + 1);
            if depth >= MAX_DEPTH || source.n_steps.get() > MAX_STEPS {
                return Err(op.refuse("a preparation of so many steps"));
            }
            op
        }
        _ => {
            return Err(Error::unsupported(
                "a body that does not read the graph's input",
                format!("value {value:?}"),
            ));
        }
    };
    let back = |i: usize| follow(g, source, op.input(i), depth + 1);
    match op.name() {
        "Cast" => cast(op, back(0)?),
        "Where" => choice(g, source, op, |value| follow(g, source, value, depth + 1)),
        "Floor" => index(op, back(0)?, Rounding::Floor),
        "Gather" => {
            let mut input = back(0)?;
            let which = g
                .numbers(op.input(1))
                .filter(|_| op.int("axis") == Some(1))
                .ok_or_else(|| op.refuse("a choice that is not of fixed columns"))?;
            let pick = |&i: &f64| {
                let i = if i < 0.0 {
                    i + input.columns.len() as f64
                } else {
                    i
                };
                (i >= 0.0).then(|| input.columns.get(i as usize).copied())?
            };
            let columns = which.iter().map(pick).collect::<Option<_>>();
            input.columns = columns.ok_or_else(|| {
                Error::invalid("it takes a column that is not there").at(op.place())
            })?;
            Ok(input)
        }
        "Concat" if matches!(op.int("axis"), Some(1 | -1)) => {
            let mut parts = (0..op.node.input.len()).map(back);
            let mut all = parts
                .next()
                .ok_or_else(|| op.refuse("a join of nothing"))??;
            for part in parts {
                let part = part?;
                if (part.compare, part.float, &part.steps) != (all.compare, all.float, &all.steps) {
                    return Err(op.refuse("a join of columns of unlike preparation"));
                }
                all.columns.extend(part.columns);
                if all.columns.len() > MAX_COLUMNS {
                    return Err(op.refuse("a join of so many columns"));
                }
            }
            Ok(all)
        }
        "Div" => {
            let sub = g
                .op(op.input(0), "Sub")
                .ok_or_else(|| op.refuse("a division of features other than scaling"))?;
            let input = follow(g, source, sub.input(0), depth + 1)?;
            let n = input.columns.len();
            let vector = |value| spread(g, value, n);
            let (Some(shift), Some(scale)) = (vector(sub.input(1)), vector(op.input(1))) else {
                return Err(op.refuse("a scaling that is not by constants"));
            };
            step(op, source, input, Step::Scale { shift, scale })
        }
        _ => Err(op.refuse(&format!("{} between input and model", op.name()))),
    }
}

fn cast(op: Op<'_>, mut input: Input) -> Result<Input, Error> {
    let to = op.int("to").and_then(|t| i32::try_from(t).ok());
    input.float = match to.and_then(|t| DataType::try_from(t).ok()) {
        Some(DataType::Float) => {
            input.compare = Float::F32;
            Float::F32
        }
        Some(DataType::Double) => Float::F64,
        _ => return Err(op.refuse("a cast of features to a type other than float or double")),
    };
    Ok(input)
}

/// A step works on all features, in the precision of the graph's input or, behind a cast to it, in
/// f64.
fn step(op: Op<'_>, source: &Source<'_>, mut input: Input, step: Step) -> Result<Input, Error> {
    if source.float == Float::F32 && input.float == Float::F64 && input.compare == Float::F32 {
        if !input.steps.contains(&Step::Widen) {
            input.steps.push(Step::Widen);
        }
        input.compare = Float::F64;
    }
    let wide = input.float == Float::F64 && input.steps.contains(&Step::Widen);
    if !plain(&input) || !(wide || input.float == source.float) {
        return Err(op.refuse("a preprocessing step behind a cast or a choice of columns"));
    }
    input.steps.push(step);
    Ok(input)
}

fn plain(input: &Input) -> bool {
    let whole = |(i, (column, f)): (usize, &(Column, u32))| {
        *column == Column::default() && i == *f as usize
    };
    input.compare == input.float && input.columns.iter().enumerate().all(whole)
}

fn index(op: Op<'_>, mut input: Input, rounding: Rounding) -> Result<Input, Error> {
    for (column, _) in &mut input.columns {
        if column.index != Rounding::None {
            return Err(op.refuse("a number rounded twice"));
        }
        column.index = rounding;
    }
    Ok(input)
}

/// A constant as one value a column.
fn spread<'a>(g: &Graph<'a>, value: &'a str, n: usize) -> Option<Vec<f64>> {
    let values = g.numbers(value)?;
    match values[..] {
        [one] => Some(vec![one; n]),
        _ => (values.len() == n).then_some(values),
    }
}

/// `Where`, in the forms that mean something about missing values, zeros and categories.
fn choice<'a>(
    g: &Graph<'a>,
    source: &Source<'a>,
    op: Op<'a>,
    follow: impl Fn(&'a str) -> Result<Input, Error>,
) -> Result<Input, Error> {
    let [condition, then, other] = [0, 1, 2].map(|i| op.input(i));
    let refused = || op.refuse("a choice of another kind than those for missing values");
    let test = match g.made(condition)? {
        Made::Node(test) => test,
        _ => return Err(refused()),
    };
    // Towards zero: up below it, down above it.
    if test.name() == "Less" && g.number(test.input(1)) == Some(0.0) {
        let (Some(up), Some(down)) = (g.op(then, "Ceil"), g.op(other, "Floor")) else {
            return Err(refused());
        };
        let x = g.root(test.input(0));
        if g.root(up.input(0)) != x || g.root(down.input(0)) != x {
            return Err(refused());
        }
        return index(op, follow(x)?, Rounding::Truncate);
    }
    let (x, what) = match test.name() {
        "IsNaN" => (test.input(0), Condition::Missing),
        "Equal" => match g.number(test.input(1)) {
            Some(value) => (test.input(0), Condition::Marker(value)),
            None => return Err(refused()),
        },
        "LessOrEqual" => match (g.op(test.input(0), "Abs"), g.number(test.input(1))) {
            (Some(abs), Some(limit)) => (abs.input(0), Condition::Within(limit)),
            _ => return Err(refused()),
        },
        _ => return Err(refused()),
    };
    if g.root(x) != g.root(other) {
        return Err(refused());
    }
    let mut input = follow(x)?;
    let n = input.columns.len();
    let values = spread(g, then, n).ok_or_else(refused)?;
    let all = |f: fn(f64) -> bool| values.iter().all(|&v| f(v));
    match what {
        Condition::Missing => step(op, source, input, Step::Impute { values }),
        Condition::Marker(value) if all(f64::is_nan) => {
            step(op, source, input, Step::MarkMissing { value })
        }
        Condition::Within(limit) if all(|v| v == 0.0) => {
            step(op, source, input, Step::FlushTiny { limit })
        }
        Condition::Within(limit) if all(f64::is_nan) && limit == Missing::ZERO => {
            for (column, _) in &mut input.columns {
                if column.index != Rounding::None {
                    return Err(refused());
                }
                column.zero_is_nan = true;
            }
            Ok(input)
        }
        _ => Err(refused()),
    }
}

enum Condition {
    Missing,
    Marker(f64),
    Within(f64),
}
