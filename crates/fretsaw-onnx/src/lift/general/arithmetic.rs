//! Arithmetic, comparisons and choices of values, value by value.
//!
//! f32 results are made in f64 and rounded once, which for `+`, `-`, `*`, `/` and the square root is
//! the f32 result.

use fretsaw_model::{Codes, Encoder, Float, Function, InterceptOrder, Linear, LinearMissing, Step};

use super::operands::{axes, broadcast, meets};
use super::value::{Constant, Kind, Row, Value, join};
use super::{Op, Reader};
use crate::Error;

/// The operators of this file; `None` for others.
pub(super) fn operator<'a>(r: &Reader<'a>, op: Op<'a>) -> Option<Result<Value, Error>> {
    let row = match op.name() {
        "Add" | "Sub" | "Mul" | "Div" | "Min" | "Max" | "Sum" | "Mean" | "And" | "Or" => {
            variadic(r, op)
        }
        "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual" | "Equal" => compare(r, op),
        "Where" => choice(r, op),
        "Pow" => power(r, op),
        "Clip" => clip(r, op),
        name => unary(name).map(|f| f(r, op))?,
    };
    Some(row.map(Value::Row))
}

type Unary = for<'a> fn(&Reader<'a>, Op<'a>) -> Result<Row, Error>;

fn unary(name: &str) -> Option<Unary> {
    Some(match name {
        "Neg" => |r, op| Ok(r.row(op, 0)?.map(Function::Negate)),
        "Abs" => |r, op| Ok(r.row(op, 0)?.map(Function::Abs)),
        "Relu" => |r, op| Ok(r.row(op, 0)?.map(Function::Relu)),
        "Sqrt" => |r, op| Ok(r.row(op, 0)?.map(Function::Sqrt).rounded()),
        "Reciprocal" => |r, op| Ok(r.row(op, 0)?.map(Function::Reciprocal).rounded()),
        "Exp" => |r, op| rounded(r, op, Function::Exp),
        "Log" => |r, op| rounded(r, op, Function::Ln),
        "Tanh" => |r, op| rounded(r, op, Function::Tanh),
        "Sigmoid" => |r, op| rounded(r, op, Function::Logistic),
        "Floor" => |r, op| Ok(decided(r, op, 0)?.map(Function::Floor)),
        "Ceil" => |r, op| {
            let minus = decided(r, op, 0)?.map(Function::Negate);
            Ok(minus.map(Function::Floor).map(Function::Negate))
        },
        "Round" => |r, op| Ok(decided(r, op, 0)?.map(Function::Round)),
        "Not" => |r, op| Ok(not(&r.row(op, 0)?)),
        "IsNaN" => |r, op| Ok(missing(&r.row(op, 0)?)),
        _ => return None,
    })
}

/// A function that no two libraries compute alike.
fn rounded<'a>(r: &Reader<'a>, op: Op<'a>, f: Function) -> Result<Row, Error> {
    let row = r.row(op, 0)?;
    if !row.kind.is_float() {
        return Err(op.refuse("a function of other than floating-point numbers"));
    }
    Ok(row.map(f).rounded().near())
}

/// An input whose value decides something.
pub(super) fn decided<'a>(r: &Reader<'a>, op: Op<'a>, i: usize) -> Result<Row, Error> {
    let row = r.row(op, i)?;
    match row.exact {
        true => Ok(row),
        false => Err(op.refuse(&format!(
            "{} of a value that is known within rounding only (it could go either way)",
            op.name()
        ))),
    }
}

fn missing(row: &Row) -> Row {
    let columns = (0..row.width() as u32).collect();
    row.each(Step::IsMissing { columns }).of_kind(Kind::Bool)
}

pub(super) fn not(row: &Row) -> Row {
    affine(row, -1.0, 1.0)
}

pub(super) fn affine(row: &Row, factor: f64, offset: f64) -> Row {
    let n = row.width();
    row.each(Step::Affine {
        factor: vec![factor; n],
        offset: vec![offset; n],
    })
}

enum Operand {
    Row(Row),
    Constant(Constant),
}

impl Operand {
    fn dims(&self) -> Vec<Option<usize>> {
        match self {
            Self::Row(row) => row.dims.clone(),
            Self::Constant(c) => axes(c),
        }
    }
}

fn operand<'a>(r: &Reader<'a>, op: Op<'a>, i: usize) -> Result<Operand, Error> {
    match r.constant(op, i) {
        Some(c) if !c.is_whole() => Err(op.refuse("arithmetic on whole numbers beyond 2^53")),
        Some(c) if c.kind != Kind::Text => Ok(Operand::Constant(c.clone())),
        _ => {
            let row = r.row(op, i)?;
            match row.kind {
                Kind::Text => Err(op.refuse("arithmetic on text")),
                _ => Ok(Operand::Row(row)),
            }
        }
    }
}

fn together(op: Op<'_>, all: &[&Operand]) -> Result<Vec<Option<usize>>, Error> {
    let mut dims = vec![];
    for one in all {
        dims = broadcast(&dims, &one.dims())
            .ok_or_else(|| op.refuse("operands of shapes that do not fit, row by row,"))?;
    }
    Ok(dims)
}

/// One operator of two or more operands, from the left.
fn variadic<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let n = op.node.input.len();
    if n == 1 {
        return r.row(op, 0);
    }
    let mut all = operand(r, op, 0)?;
    for i in 1..n {
        let next = operand(r, op, i)?;
        all = Operand::Row(two(op, &all, &next)?);
    }
    let Operand::Row(sum) = all else {
        return Err(op.refuse("an operator without operands"));
    };
    Ok(match op.name() {
        "Mean" => by(&sum, vec![n as f64; sum.width()]).rounded(),
        _ => sum,
    })
}

fn two(op: Op<'_>, a: &Operand, b: &Operand) -> Result<Row, Error> {
    let dims = together(op, &[a, b])?;
    let spread = |row: &Row| row.select(&meets(&row.dims, &dims), dims.clone());
    let constants = |c: &Constant| -> Vec<f64> {
        let at = meets(&axes(c), &dims);
        at.into_iter().map(|i| c.values[i]).collect()
    };
    match (a, b) {
        (Operand::Row(a), Operand::Row(b)) => rows(op, a, b, dims),
        (Operand::Row(a), Operand::Constant(c)) => with(op, &spread(a), &constants(c), false),
        (Operand::Constant(c), Operand::Row(b)) => with(op, &spread(b), &constants(c), true),
        _ => Err(op.refuse("arithmetic on constants only")),
    }
}

/// An operator of values and constants; the constants come first where `turned`.
fn with(op: Op<'_>, x: &Row, c: &[f64], turned: bool) -> Result<Row, Error> {
    let n = c.len();
    let all = |v: f64| vec![v; n];
    let affine = |factor: Vec<f64>, offset: Vec<f64>| x.each(Step::Affine { factor, offset });
    let minus = || c.iter().map(|v| -v).collect::<Vec<_>>();
    // Products of whole numbers wrap around where those of f64 are rounded.
    if x.kind == Kind::Int && op.name() == "Mul" && c.iter().any(|c| c.abs() > 1024.0) {
        return Err(op.refuse("a product of large whole numbers"));
    }
    Ok(match (op.name(), turned) {
        ("Add" | "Sum" | "Mean", _) => affine(all(1.0), c.to_vec()).rounded(),
        ("Sub", false) => affine(all(1.0), minus()).rounded(),
        ("Sub", true) => affine(all(-1.0), c.to_vec()).rounded(),
        ("Mul" | "And", _) => affine(c.to_vec(), all(-0.0)).rounded(),
        ("Div", false) if x.kind.is_float() => {
            if c.contains(&0.0) {
                return Err(op.refuse("a division by 0"));
            }
            by(x, c.to_vec()).rounded()
        }
        ("Div", true) if x.kind.is_float() => {
            let inverse = x.map(Function::Reciprocal);
            match c.iter().all(|&c| c == 1.0) {
                true => inverse.rounded(),
                false => inverse
                    .each(Step::Affine {
                        factor: c.to_vec(),
                        offset: all(-0.0),
                    })
                    .rounded()
                    .near(),
            }
        }
        ("Max", _) => clipped(op, x, Some(c), None)?,
        ("Min", _) => clipped(op, x, None, Some(c))?,
        _ => return Err(op.refuse(&format!("{} of constants of this kind", op.name()))),
    })
}

/// Divided by constants, none of them 0.
pub(super) fn by(x: &Row, scale: Vec<f64>) -> Row {
    let shift = vec![0.0; scale.len()];
    x.each(Step::Scale { shift, scale })
}

fn rows(op: Op<'_>, a: &Row, b: &Row, dims: Vec<Option<usize>>) -> Result<Row, Error> {
    let kind = a.kind;
    if kind != b.kind {
        return Err(op.refuse("operands of two types"));
    }
    let mut result = match op.name() {
        "Add" | "Sum" | "Mean" => added(a, b, 1.0, &dims)?,
        "Sub" => added(a, b, -1.0, &dims)?,
        "Mul" if kind == Kind::Int => return Err(op.refuse("a product of whole numbers")),
        "Mul" | "And" => products(a, b, &dims)?,
        // not (not a and not b)
        "Or" => not(&products(&not(a), &not(b), &dims)?),
        "Div" if kind.is_float() => products(a, &b.map(Function::Reciprocal), &dims)?.near(),
        name @ ("Min" | "Max") => {
            let above = added(a, b, -1.0, &dims)?.map(Function::Above(0.0));
            let [a, b] = [a, b].map(|x| x.select(&meets(&x.dims, &dims), dims.clone()));
            match name {
                "Max" => choose(&above, &a, &b)?,
                _ => choose(&above, &b, &a)?,
            }
        }
        _ => return Err(op.refuse(&format!("{} of two values", op.name()))),
    };
    result.kind = kind;
    Ok(result.rounded())
}

/// Each value of `b` times `sign`, added to that of `a` which it meets. Not one matrix product: 0
/// times an infinite value is no 0.
pub(super) fn added(a: &Row, b: &Row, sign: f64, dims: &[Option<usize>]) -> Result<Row, Error> {
    let both = join(&[a, b])?;
    let (left, right) = (meets(&a.dims, dims), meets(&b.dims, dims));
    let pairs = left.iter().zip(&right);
    let sums: Vec<Row> = pairs
        .map(|(&i, &j)| {
            both.select(&[i, a.width() + j], vec![None, Some(2)])
                .then(sum_of(vec![1.0, sign]), vec![None, Some(1)])
        })
        .collect();
    let mut all = join(&sums.iter().collect::<Vec<_>>())?;
    all.dims = dims.to_vec();
    Ok(all)
}

/// The sum of all values, each times a weight.
pub(super) fn sum_of(weights: Vec<f64>) -> Step {
    Step::Linear(Linear {
        n_outputs: 1,
        sum: Float::F64,
        weights,
        intercept: vec![0.0],
        intercept_order: InterceptOrder::First,
        missing: LinearMissing::Propagate,
    })
}

fn products(a: &Row, b: &Row, dims: &[Option<usize>]) -> Result<Row, Error> {
    let both = join(&[a, b])?;
    let (left, right) = (meets(&a.dims, dims), meets(&b.dims, dims));
    let pairs = left.iter().zip(&right);
    let pairs = pairs.map(|(&i, &j)| vec![i as u32, (a.width() + j) as u32]);
    Ok(both.then(Step::Products(pairs.collect()), dims.to_vec()))
}

/// `yes` where `condition` is 1, else `no`: three rows of as many values.
pub(super) fn choose(condition: &Row, yes: &Row, no: &Row) -> Result<Row, Error> {
    let all = join(&[condition, yes, no])?;
    Ok(all
        .then(Step::Choose, condition.dims.clone())
        .of_kind(yes.kind))
}

/// `Where`.
fn choice<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let condition = r.row(op, 0)?;
    let [yes, no] = [operand(r, op, 1)?, operand(r, op, 2)?];
    let dims = together(op, &[&Operand::Row(condition.clone()), &yes, &no])?;
    let spread = |row: &Row| row.select(&meets(&row.dims, &dims), dims.clone());
    let condition = spread(&condition);
    let kind = |o: &Operand| match o {
        Operand::Row(row) => row.kind,
        Operand::Constant(c) => c.kind,
    };
    if kind(&yes) != kind(&no) {
        return Err(op.refuse("a choice of two types"));
    }
    // A constant is a row too: what no value of the condition says.
    let row = |o: &Operand| match o {
        Operand::Row(row) => spread(row),
        Operand::Constant(c) => {
            let at = meets(&axes(c), &dims);
            condition.each(Step::Affine {
                factor: vec![0.0; at.len()],
                offset: at.into_iter().map(|i| c.values[i]).collect(),
            })
        }
    };
    Ok(choose(&condition, &row(&yes), &row(&no))?.of_kind(kind(&yes)))
}

fn compare<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let [a, b] = [operand(r, op, 0)?, operand(r, op, 1)?];
    let dims = together(op, &[&a, &b])?;
    let result = match (&a, &b) {
        (Operand::Row(a), Operand::Row(b)) => {
            // A difference in f64 has the sign of the comparison; not so that of two infinities.
            if !(a.exact && b.exact) {
                return Err(op.refuse("a comparison of values that are known within rounding only"));
            }
            let difference = added(a, b, -1.0, &dims)?;
            match op.name() {
                // Neither is above the other, and neither is missing.
                "Equal" => {
                    let parts = [
                        difference.map(Function::Above(0.0)),
                        difference.map(Function::Negate).map(Function::Above(0.0)),
                        missing(&a.select(&meets(&a.dims, &dims), dims.clone())),
                        missing(&b.select(&meets(&b.dims, &dims), dims.clone())),
                    ];
                    let all = join(&parts.iter().collect::<Vec<_>>())?;
                    let n = difference.width() as u32;
                    let none = (0..n).map(|i| (0..4).map(|k| k * n + i).collect());
                    not(&all).then(Step::Products(none.collect()), dims.clone())
                }
                name => against(&difference, name, &vec![0.0; difference.width()])?,
            }
        }
        (Operand::Row(x), Operand::Constant(c)) | (Operand::Constant(c), Operand::Row(x)) => {
            let turned = matches!(a, Operand::Constant(_));
            let at = meets(&axes(c), &dims);
            let limits: Vec<f64> = at.into_iter().map(|i| c.values[i]).collect();
            if !x.exact && limits.iter().any(|&l| l != 0.0) {
                return Err(op.refuse(
                    "a comparison of a value that is known within rounding only with other than 0",
                ));
            }
            let name = match (op.name(), turned) {
                ("Less", true) => "Greater",
                ("LessOrEqual", true) => "GreaterOrEqual",
                ("Greater", true) => "Less",
                ("GreaterOrEqual", true) => "LessOrEqual",
                (name, _) => name,
            };
            let spread = x.select(&meets(&x.dims, &dims), dims.clone());
            against(&spread, name, &limits)?
        }
        _ => return Err(op.refuse("a comparison of constants")),
    };
    Ok(result.of_kind(Kind::Bool))
}

/// Compared with a limit each.
pub(super) fn against(x: &Row, name: &str, limits: &[f64]) -> Result<Row, Error> {
    if name == "Equal" {
        let one = |(i, &limit): (usize, &f64)| is(i as u32, &[limit]);
        return Ok(x.each(Step::Encode(limits.iter().enumerate().map(one).collect())));
    }
    // One function serves all values: they are moved so that all limits are 0, which keeps signs.
    let moved = |sign: f64| match limits.iter().all(|&l| l == 0.0) {
        true if sign == 1.0 => x.clone(),
        _ => x.each(Step::Affine {
            factor: vec![sign; limits.len()],
            offset: limits.iter().map(|l| -sign * l).collect(),
        }),
    };
    let one = limits
        .first()
        .copied()
        .filter(|first| limits.iter().all(|l| l == first));
    Ok(match (name, one) {
        ("Greater", Some(limit)) => x.map(Function::Above(limit)),
        ("GreaterOrEqual", Some(limit)) => x.map(Function::AtLeast(limit)),
        ("Less", Some(limit)) => x.map(Function::Negate).map(Function::Above(-limit)),
        ("LessOrEqual", Some(limit)) => x.map(Function::Negate).map(Function::AtLeast(-limit)),
        (_, None) if limits.iter().any(|l| !l.is_finite()) => {
            return Err(Error::unsupported(
                "a comparison with several infinite limits",
                name,
            ));
        }
        ("Greater", None) => moved(1.0).map(Function::Above(0.0)),
        ("GreaterOrEqual", None) => moved(1.0).map(Function::AtLeast(0.0)),
        ("Less", None) => moved(-1.0).map(Function::Above(0.0)),
        _ => moved(-1.0).map(Function::AtLeast(0.0)),
    })
}

/// 1 where the value at `column` is one of these, else 0.
pub(super) fn is(column: u32, values: &[f64]) -> Encoder {
    // -0 is 0 to a comparison, and no two keys may be equal.
    let mut keys: Vec<f64> = values
        .iter()
        .filter(|v| !v.is_nan())
        .map(|&v| v + 0.0)
        .collect();
    keys.sort_unstable_by(f64::total_cmp);
    keys.dedup();
    Encoder {
        column,
        code_of: vec![0; keys.len()],
        keys,
        missing: None,
        unknown: Some(1),
        codes: Codes::OneHot { width: 1 },
    }
}

fn power<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    if let Some(base) = r.constant(op, 0) {
        let x = r.row(op, 1)?;
        return match base.values[..] {
            [2.0] => Ok(x.map(Function::Exp2).rounded().near()),
            [b] if b > 0.0 => Ok(affine(&x, b.ln(), -0.0).map(Function::Exp).rounded().near()),
            _ => Err(op.refuse("a power of other than one positive number")),
        };
    }
    let x = r.row(op, 0)?;
    let exponent = r
        .constant(op, 1)
        .filter(|e| e.values.len() == 1)
        .map(|e| e.values[0]);
    let n = x.width() as u32;
    Ok(match exponent {
        Some(1.0) => x,
        Some(2.0) => x.map(Function::Square).rounded(),
        Some(0.5) => x.map(Function::Sqrt).rounded().near(),
        Some(-1.0) => x.map(Function::Reciprocal).rounded().near(),
        Some(e) if e.trunc() == e && (3.0..=16.0).contains(&e) => {
            let one = |i| vec![i; e as usize];
            x.each(Step::Products((0..n).map(one).collect()))
                .rounded()
                .near()
        }
        _ => return Err(op.refuse("a power other than a small whole one, a root or a reciprocal")),
    })
}

fn clip<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let x = r.row(op, 0)?;
    let limit = |i: usize, name: &str| match (op.input(i), r.constant(op, i)) {
        ("", _) => Ok(op.float(name).map(|l| vec![l])),
        (_, Some(c)) if c.values.len() == 1 => Ok(Some(c.values.to_vec())),
        _ => Err(op.refuse("limits that are no constants")),
    };
    let (low, high) = (limit(1, "min")?, limit(2, "max")?);
    clipped(op, &x, low.as_deref(), high.as_deref())
}

fn clipped(op: Op<'_>, x: &Row, low: Option<&[f64]>, high: Option<&[f64]>) -> Result<Row, Error> {
    let one = |limits: Option<&[f64]>, otherwise: f64| match limits {
        None => Some(otherwise),
        Some([first, rest @ ..]) if rest.iter().all(|l| l == first) => Some(*first),
        Some(_) => None,
    };
    match (one(low, f64::NEG_INFINITY), one(high, f64::INFINITY)) {
        (Some(low), Some(high)) => Ok(x.map(Function::Clip { low, high })),
        _ => Err(op.refuse("limits that differ from value to value")),
    }
}
