//! Operators that move values about or change their type.

use std::rc::Rc;

use fretsaw_model::{Codes, Encoder, Function, Labels, Step};

use super::arithmetic::{decided, is, not};
use super::operands::{axis, class_number, constant, kind, lookup};
use super::value::{Class, Constant, Kind, Row, Rule, Value, join, width};
use super::{Op, Reader};
use crate::Error;
use crate::proto::tensor_proto::DataType;

/// How many values are taken, or looked up in a table, at once.
const MAX_TAKEN: usize = 1 << 24;

/// The operators of this file; `None` for others.
pub(super) fn operator<'a>(r: &Reader<'a>, op: Op<'a>) -> Option<Result<Value, Error>> {
    Some(match op.name() {
        "Identity" => match r.input(op, 0) {
            Some(value) => Ok(value.clone()),
            None => Err(op.refuse("a copy of nothing")),
        },
        "Constant" => match op.attribute("value").and_then(|a| a.t.as_ref()) {
            Some(t) => constant(t).map(Value::Constant),
            None => Err(op.refuse("a constant that is no tensor")),
        },
        "Shape" => r.row(op, 0).map(Value::Shape),
        "ConstantOfShape" => filled(r, op).map(Value::Row),
        "Cast" => cast(r, op),
        "Gather" | "ArrayFeatureExtractor" => gather(r, op),
        "Concat" => concat(r, op).map(Value::Row),
        "Slice" => slice(r, op).map(Value::Row),
        "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => match r.class(op, 0) {
            Some(class) => shaped(r, op, &class.dims).map(|dims| {
                Value::Class(Class {
                    dims,
                    ..class.clone()
                })
            }),
            None => r.row(op, 0).and_then(|row| {
                let dims = shaped(r, op, &row.dims)?;
                Ok(Value::Row(row.shaped(dims)))
            }),
        },
        "Transpose" => transpose(op, r).map(Value::Row),
        _ => return None,
    })
}

/// One constant, of the shape that another value has.
fn filled<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let value = op.attribute("value").and_then(|a| a.t.as_ref());
    let (Some(Value::Shape(like)), Some(t)) = (r.input(op, 0), value) else {
        return Err(op.refuse("a constant of this shape"));
    };
    let c = constant(t)?;
    let &[value] = &c.values[..] else {
        return Err(op.refuse("a constant of several values"));
    };
    let n = like.width();
    // The product of nothing is 1, whatever the row holds.
    let ones = like.each(Step::Products(vec![vec![]; n]));
    let mut row = ones.each(Step::Affine {
        factor: vec![value; n],
        offset: vec![-0.0; n],
    });
    row.exact = true;
    row.features.clear();
    Ok(row.of_kind(c.kind))
}

fn cast<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Value, Error> {
    let to = op.int("to").and_then(|t| i32::try_from(t).ok());
    let to = to.and_then(|t| DataType::try_from(t).ok()).and_then(kind);
    let to = to.ok_or_else(|| op.refuse("a cast to this type"))?;
    if let Some(class) = r.class(op, 0) {
        // Whole numbers stay what they are in any type.
        return match (class.names.as_deref(), to) {
            (Some(Labels::Strings(_)), Kind::Text)
            | (None | Some(Labels::Ints(_)), Kind::Int | Kind::F32 | Kind::F64) => {
                Ok(Value::Class(class.clone()))
            }
            (Some(Labels::Ints(names)), Kind::Text) => {
                let names = names.iter().map(i64::to_string).collect();
                let names = Some(Rc::new(Labels::Strings(names)));
                Ok(Value::Class(Class {
                    names,
                    ..class.clone()
                }))
            }
            _ => Err(op.refuse("a cast of class names to this type")),
        };
    }
    if let Some(c) = r.constant(op, 0) {
        let mut c = c.clone();
        let exact = |v: &f64| match to {
            Kind::F32 => f64::from(*v as f32) == *v,
            Kind::Int => v.trunc() == *v,
            Kind::F64 => true,
            _ => false,
        };
        if c.kind == Kind::Text || !c.values.iter().all(exact) {
            return Err(op.refuse("a cast of this constant"));
        }
        c.kind = to;
        return Ok(Value::Constant(c));
    }
    let row = r.row(op, 0)?;
    Ok(Value::Row(match (row.kind, to) {
        (from, to) if from == to => row,
        (Kind::Text, _) | (_, Kind::Text) => {
            return Err(op.refuse("a cast between text and numbers"));
        }
        (_, Kind::F64) | (Kind::Bool, _) => row.of_kind(to),
        (_, Kind::F32) => row.of_kind(to).rounded(),
        (Kind::F32 | Kind::F64, Kind::Int) => {
            decided(r, op, 0)?.map(Function::Truncate).of_kind(to)
        }
        // True is all that is not 0.
        _ => {
            let one = |i| is(i, &[0.0]);
            let zero = row.each(Step::Encode((0..row.width() as u32).map(one).collect()));
            not(&zero).of_kind(to)
        }
    }))
}

fn gather<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Value, Error> {
    if let (Some(c), Some(class)) = (r.constant(op, 0), r.class(op, 1)) {
        return looked_up(op, c, class);
    }
    if let (Some(c), Ok(place)) = (r.constant(op, 0), r.row(op, 1)) {
        return table(op, c, &place).map(Value::Row);
    }
    let row = r.row(op, 0)?;
    let which = r
        .ints(op, 1)
        .ok_or_else(|| op.refuse("a choice that is not of fixed columns"))?;
    let (at, flat) = match op.name() {
        "Gather" => (
            op.int("axis").unwrap_or(0),
            r.constant(op, 1).is_some_and(|c| c.dims.is_empty()),
        ),
        _ => (-1, false),
    };
    let at = axis(at, row.dims.len()).ok_or_else(|| op.refuse("an axis that is not there"))?;
    let n = match row.dims[at] {
        Some(n) => n,
        None => return Err(op.refuse("a choice among rows")),
    };
    let which: Option<Vec<usize>> = which.iter().map(|&i| axis(i, n)).collect();
    let which = which
        .ok_or_else(|| Error::invalid("it takes a column that is not there").at(op.place()))?;
    if which.len().saturating_mul(row.width()) > MAX_TAKEN {
        return Err(op.refuse("a choice of so many values"));
    }
    let mut taken = take(&row, at, &which);
    if flat {
        taken.dims.remove(at);
    }
    Ok(Value::Row(taken))
}

/// What a constant list holds at the place that is a row's class.
fn looked_up(op: Op<'_>, c: &Constant, class: &Class) -> Result<Value, Error> {
    let longest = c.dims.iter().copied().max().unwrap_or(1);
    if c.dims.iter().product::<usize>() != longest || longest == 0 {
        return Err(op.refuse("a choice among lists"));
    }
    // One extracts features of a row of its own, the other picks from a list.
    let dims = match op.name() {
        "Gather" if c.dims.len() == 1 => class.dims.clone(),
        "ArrayFeatureExtractor" => vec![Some(1), None],
        _ => return Err(op.refuse("a choice among lists")),
    };
    if let Some(names) = c.names.as_deref() {
        let class = named(op, class, names)?;
        return Ok(Value::Class(Class { dims, ..class }));
    }
    let (Rule::Largest(decides) | Rule::AboveZero(decides)) = &class.rule;
    match class_number(class) {
        Some(place) if decides.exact && class.names.is_none() => {
            let table = lookup(0, c.values.to_vec());
            Ok(Value::Row(
                place.then(Step::Encode(vec![table]), dims).of_kind(c.kind),
            ))
        }
        _ => Err(op.refuse("a lookup by a class that is known within rounding only, or is named")),
    }
}

/// What a constant table holds in the rows that numbers of the row say. Another number has no answer.
fn table(op: Op<'_>, c: &Constant, place: &Row) -> Result<Row, Error> {
    let along_rows =
        op.name() == "Gather" && axis(op.int("axis").unwrap_or(0), c.dims.len()) == Some(0);
    let (&[n, ..], true) = (&c.dims[..], along_rows) else {
        return Err(op.refuse("a choice among lists"));
    };
    if !place.exact || place.kind != Kind::Int || c.kind == Kind::Text || !c.is_whole() || n == 0 {
        return Err(op.refuse("a lookup by a number that is known within rounding only"));
    }
    let width = c.values.len() / n;
    let codes = 0..n as u32;
    let encoder = |column: usize| Encoder {
        column: column as u32,
        // Places below 0 count from the end.
        keys: (-(n as i64)..n as i64).map(|k| k as f64).collect(),
        code_of: codes.clone().chain(codes.clone()).collect(),
        missing: None,
        unknown: None,
        codes: Codes::Values {
            width: width as u32,
            values: c.values.to_vec(),
        },
    };
    let mut dims = place.dims.clone();
    dims.extend(c.dims[1..].iter().map(|&d| Some(d)));
    let cells = c.values.len().saturating_mul(place.width());
    if cells > MAX_TAKEN || n > MAX_TAKEN || self::width(&dims) > 1 << 20 || width == 0 {
        return Err(op.refuse("a table of this size"));
    }
    let encoders = (0..place.width()).map(encoder).collect();
    Ok(place.then(Step::Encode(encoders), dims).of_kind(c.kind))
}

/// The class under the name that its number has in a list.
fn named(op: Op<'_>, class: &Class, names: &Labels) -> Result<Class, Error> {
    let places: Vec<usize> = match class.names.as_deref() {
        None => (0..names.len()).collect(),
        Some(Labels::Ints(own)) => own
            .iter()
            .map(|&i| axis(i, names.len()))
            .collect::<Option<_>>()
            .ok_or_else(|| op.refuse("a class without a name"))?,
        Some(Labels::Strings(_)) => return Err(op.refuse("text as a place in a list")),
    };
    let names = match names {
        Labels::Ints(v) => Labels::Ints(places.iter().map(|&i| v[i]).collect()),
        Labels::Strings(v) => Labels::Strings(places.iter().map(|&i| v[i].clone()).collect()),
    };
    Ok(Class {
        names: Some(Rc::new(names)),
        ..class.clone()
    })
}

/// The values at these places of an axis that is not that of the rows.
pub(super) fn take(row: &Row, at: usize, which: &[usize]) -> Row {
    let inner = width(&row.dims[at + 1..]);
    let outer = width(&row.dims[..at]);
    let n = row.dims[at].unwrap_or(1);
    let mut columns = Vec::new();
    for o in 0..outer {
        for &k in which {
            columns.extend((0..inner).map(|i| (o * n + k) * inner + i));
        }
    }
    let mut dims = row.dims.clone();
    dims[at] = Some(which.len());
    row.select(&columns, dims)
}

fn concat<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let n = op.node.input.len();
    let rows = (0..n)
        .map(|i| r.row(op, i))
        .collect::<Result<Vec<_>, _>>()?;
    side_by_side(op, &rows, op.int("axis").unwrap_or(1))
}

/// Joined along an axis that is not that of the rows.
pub(super) fn side_by_side(op: Op<'_>, rows: &[Row], along: i64) -> Result<Row, Error> {
    let first = rows.first().ok_or_else(|| op.refuse("a join of nothing"))?;
    let at = axis(along, first.dims.len())
        .filter(|&at| first.dims[at].is_some())
        .ok_or_else(|| op.refuse("a join of rows"))?;
    let alike = |row: &Row| {
        let others = |r: &Row| {
            r.dims
                .iter()
                .enumerate()
                .filter(|(i, _)| *i != at)
                .map(|(_, d)| *d)
                .collect::<Vec<_>>()
        };
        row.dims.len() == first.dims.len()
            && row.kind == first.kind
            && row.dims[at].is_some()
            && others(row) == others(first)
    };
    if !rows.iter().all(alike) {
        return Err(op.refuse("a join of values of unlike shapes or types"));
    }
    let all = join(&rows.iter().collect::<Vec<_>>()).map_err(|e| e.at(op.place()))?;
    let mut columns = Vec::new();
    for o in 0..width(&first.dims[..at]) {
        let mut from = 0;
        for row in rows {
            let block = width(&row.dims[at..]);
            columns.extend(from + o * block..from + (o + 1) * block);
            from += row.width();
        }
    }
    let mut dims = first.dims.clone();
    dims[at] = Some(rows.iter().map(|r| r.dims[at].unwrap_or(0)).sum());
    Ok(all.select(&columns, dims))
}

fn slice<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let mut row = r.row(op, 0)?;
    let list = |i: usize, name: &str| match op.input(i) {
        "" => Ok(op.ints(name).to_vec()),
        _ => r
            .ints(op, i)
            .ok_or_else(|| op.refuse("a range that is no constant")),
    };
    let (starts, ends) = (list(1, "starts")?, list(2, "ends")?);
    let (axes, steps) = (list(3, "axes")?, list(4, "")?);
    if ends.len() != starts.len() || axes.len().max(steps.len()) > starts.len() {
        return Err(op.refuse("ranges of unlike numbers"));
    }
    for (i, (&start, &end)) in starts.iter().zip(&ends).enumerate() {
        let at = axis(axes.get(i).copied().unwrap_or(i as i64), row.dims.len());
        let at = at.ok_or_else(|| op.refuse("an axis that is not there"))?;
        let Some(n) = row.dims[at] else {
            return Err(op.refuse("a choice among rows"));
        };
        let place = |v: i64| {
            (if v < 0 { v.saturating_add(n as i64) } else { v }).clamp(0, n as i64) as usize
        };
        let step = steps.get(i).copied().unwrap_or(1);
        if step < 1 {
            return Err(op.refuse("a range read backwards"));
        }
        let which: Vec<usize> = (place(start)..place(end)).step_by(step as usize).collect();
        row = take(&row, at, &which);
    }
    Ok(row)
}

/// The shape that an operator gives to a value of another shape.
fn shaped<'a>(
    r: &Reader<'a>,
    op: Op<'a>,
    from: &[Option<usize>],
) -> Result<Vec<Option<usize>>, Error> {
    let n = width(from);
    // Rows stay whole only where nothing but 1 stands in front of them.
    let outermost = |dims: &[Option<usize>]| {
        dims.iter()
            .take_while(|d| d.is_some())
            .all(|d| *d == Some(1))
    };
    let given = |i: usize| match op.input(i) {
        "" => Ok(op.ints("axes").to_vec()),
        _ => r
            .ints(op, i)
            .ok_or_else(|| op.refuse("a shape that is no constant")),
    };
    let dims = match op.name() {
        "Flatten" => match (op.int("axis").unwrap_or(1), from) {
            (1, [None, ..]) => vec![None, Some(n)],
            _ => return Err(op.refuse("rows made one with their values")),
        },
        "Squeeze" => {
            let axes = given(1)?;
            let gone: Option<Vec<usize>> = axes.iter().map(|&a| axis(a, from.len())).collect();
            let gone = gone.ok_or_else(|| op.refuse("an axis that is not there"))?;
            let stays = |(i, d): &(usize, &Option<usize>)| match axes.is_empty() {
                true => **d != Some(1),
                false => !gone.contains(i),
            };
            from.iter()
                .enumerate()
                .filter(stays)
                .map(|(_, d)| *d)
                .collect()
        }
        "Unsqueeze" => {
            let axes = given(1)?;
            let all = from.len() + axes.len();
            let new: Option<Vec<usize>> = axes.iter().map(|&a| axis(a, all)).collect();
            let new = new.ok_or_else(|| op.refuse("an axis that is not there"))?;
            let mut old = from.iter();
            (0..all)
                .map(|i| match new.contains(&i) {
                    true => Some(1),
                    false => old.next().copied().unwrap_or(Some(1)),
                })
                .collect()
        }
        _ => reshaped(op, from, &given(1)?)?,
    };
    let rows = dims.iter().filter(|d| d.is_none()).count();
    if rows != 1 || width(&dims) != n || !outermost(from) || !outermost(&dims) {
        return Err(op.refuse("a shape in which rows do not stay whole"));
    }
    Ok(dims)
}

fn reshaped(op: Op<'_>, from: &[Option<usize>], to: &[i64]) -> Result<Vec<Option<usize>>, Error> {
    let copied: Vec<Option<Option<usize>>> = to
        .iter()
        .enumerate()
        .map(|(i, &d)| match d {
            -1 => Some(None),
            0 => from.get(i).copied(),
            d => usize::try_from(d).ok().map(Some),
        })
        .collect();
    let dims: Option<Vec<Option<usize>>> = copied.into_iter().collect();
    let mut dims = dims.ok_or_else(|| op.refuse("a shape of this kind"))?;
    // The rows are copied, and -1 stands for what is left of their values; or it stands for the rows.
    let rows_copied = to
        .iter()
        .enumerate()
        .any(|(i, &d)| d == 0 && from.get(i) == Some(&None));
    if rows_copied && let Some(rest) = to.iter().position(|&d| d == -1) {
        let known = width(&dims).max(1);
        dims[rest] = Some(width(from) / known);
    }
    Ok(dims)
}

fn transpose<'a>(op: Op<'a>, r: &Reader<'a>) -> Result<Row, Error> {
    let row = r.row(op, 0)?;
    let n = row.dims.len();
    let order: Option<Vec<usize>> = op.ints("perm").iter().map(|&a| axis(a, n)).collect();
    let order = order.filter(|o| o.len() == n && (0..n).all(|i| o.contains(&i)));
    let order = order.ok_or_else(|| op.refuse("an exchange of axes of this kind"))?;
    let apart = |i: usize| width(&row.dims[i + 1..]);
    let mut columns = vec![0];
    for &i in order.iter().filter(|&&i| row.dims[i].is_some()) {
        let d = row.dims[i].unwrap_or(1);
        columns = columns
            .iter()
            .flat_map(|&c| (0..d).map(move |k| (c, k)))
            .map(|(c, k)| c + k * apart(i))
            .collect();
    }
    let dims = order.iter().map(|&i| row.dims[i]).collect();
    Ok(row.select(&columns, dims))
}
