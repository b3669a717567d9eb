//! Operators that make one value of many: sums, means, the largest, matrix products, and those that
//! look at the whole row.

use fretsaw_model::{Float, Function, InterceptOrder, Linear, LinearMissing, Link, Norm, Step};

use super::arithmetic::{added, affine, by, choose, sum_of};
use super::operands::{axes, axis, broadcast, meets};
use super::value::{Class, Kind, Row, Rule, Value, join, width};
use super::{Op, Reader};
use crate::Error;

/// The operators of this file; `None` for others.
pub(super) fn operator<'a>(r: &Reader<'a>, op: Op<'a>) -> Option<Result<Value, Error>> {
    Some(match op.name() {
        "ReduceSum" | "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceL1" | "ReduceL2"
        | "ReduceSumSquare" | "ReduceLogSumExp" | "ReduceProd" => reduce(r, op).map(Value::Row),
        "ArgMax" | "ArgMin" => largest(r, op).map(Value::Class),
        "Softmax" => whole(r, op, 13, Step::Link(Link::Softmax)).map(Value::Row),
        "LpNormalization" => match op.int("p").unwrap_or(2) {
            1 => whole(r, op, 1, Step::Normalize(Norm::L1)).map(Value::Row),
            2 => whole(r, op, 1, Step::Normalize(Norm::L2)).map(Value::Row),
            _ => Err(op.refuse("a norm of this kind")),
        },
        "CumSum" => running(r, op).map(Value::Row),
        "MatMul" => product(r, op).map(Value::Row),
        "Gemm" => gemm(r, op).map(Value::Row),
        _ => return None,
    })
}

/// A step of the whole row, along the last axis.
fn whole<'a>(r: &Reader<'a>, op: Op<'a>, since: i64, step: Step) -> Result<Row, Error> {
    let row = r.row(op, 0)?;
    let [None, Some(_)] = row.dims[..] else {
        return Err(op.refuse("a function along other than the columns"));
    };
    let along = op
        .int("axis")
        .unwrap_or(if r.opset >= since { -1 } else { 1 });
    if !matches!(along, 1 | -1) || !row.kind.is_float() {
        return Err(op.refuse("a function along other than the columns"));
    }
    Ok(row.each(step).rounded().near())
}

fn largest<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Class, Error> {
    let row = r.row(op, 0)?;
    let [None, Some(_)] = row.dims[..] else {
        return Err(op.refuse("the largest of other than columns"));
    };
    if axis(op.int("axis").unwrap_or(0), 2) != Some(1)
        || op.int("select_last_index").unwrap_or(0) != 0
    {
        return Err(op.refuse("the largest of other than columns, or the last of equals"));
    }
    let row = match op.name() {
        "ArgMin" => row.map(Function::Negate),
        _ => row,
    };
    Ok(Class {
        rule: Rule::Largest(row),
        names: None,
        dims: match op.int("keepdims").unwrap_or(1) {
            0 => vec![None],
            _ => vec![None, Some(1)],
        },
    })
}

fn reduce<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let row = r.row(op, 0)?;
    let over = match op.input(1) {
        "" => op.ints("axes").to_vec(),
        _ => r
            .ints(op, 1)
            .ok_or_else(|| op.refuse("axes that are no constant"))?,
    };
    let over: Option<Vec<usize>> = over.iter().map(|&a| axis(a, row.dims.len())).collect();
    let over = over
        .filter(|over| !over.is_empty() && over.iter().all(|&a| row.dims[a].is_some()))
        .ok_or_else(|| op.refuse("a sum over rows"))?;
    // The values of one result: those that differ along these axes only.
    let mut kept = row.dims.clone();
    over.iter().for_each(|&a| kept[a] = Some(1));
    let result = meets(&kept, &row.dims);
    let mut groups = vec![Vec::new(); width(&kept)];
    for (i, &g) in result.iter().enumerate() {
        groups[g].push(i);
    }
    let n = groups.first().map_or(0, Vec::len);
    if n == 0 {
        return Err(op.refuse("a sum of nothing"));
    }
    let mut all = match op.name() {
        "ReduceSum" => sums(&row, &groups)?,
        "ReduceMean" => {
            let sum = sums(&row, &groups)?;
            by(&sum, vec![n as f64; sum.width()]).rounded()
        }
        "ReduceProd" => {
            let columns = |g: &Vec<usize>| g.iter().map(|&c| c as u32).collect();
            let products = Step::Products(groups.iter().map(columns).collect());
            row.then(products, kept.clone()).rounded()
        }
        "ReduceL1" => sums(&row.map(Function::Abs), &groups)?,
        "ReduceSumSquare" => sums(&row.map(Function::Square).rounded(), &groups)?,
        "ReduceL2" => sums(&row.map(Function::Square), &groups)?
            .map(Function::Sqrt)
            .rounded(),
        "ReduceMax" => extreme(&row, &groups)?,
        "ReduceMin" => extreme(&row.map(Function::Negate), &groups)?.map(Function::Negate),
        _ => {
            // As stably as any runtime does it: the largest taken off first.
            let most = extreme(&row, &groups)?;
            let spread = most.select(&result, row.dims.clone());
            let less = added(&row, &spread, -1.0, &row.dims)?;
            let logs = sums(&less.map(Function::Exp), &groups)?.map(Function::Ln);
            added(&most, &logs, 1.0, &most.dims)?.rounded()
        }
    };
    // Two numbers have one sum; of more, the order is the runtime's.
    let plain = matches!(op.name(), "ReduceMax" | "ReduceMin")
        || (matches!(op.name(), "ReduceSum" | "ReduceProd") && (n <= 2 || row.kind == Kind::Int));
    all.exact = row.exact && plain;
    all.dims = match op.int("keepdims").unwrap_or(1) {
        0 => (0..kept.len())
            .filter(|i| !over.contains(i))
            .map(|i| kept[i])
            .collect(),
        _ => kept,
    };
    Ok(all)
}

/// The sum of each group.
fn sums(row: &Row, groups: &[Vec<usize>]) -> Result<Row, Error> {
    let sum = |g: &Vec<usize>| {
        row.select(g, vec![None, Some(g.len())])
            .then(sum_of(vec![1.0; g.len()]), vec![None, Some(1)])
    };
    let all: Vec<Row> = groups.iter().map(sum).collect();
    Ok(join(&all.iter().collect::<Vec<_>>())?.rounded())
}

/// Each column plus those before it.
fn running<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let row = r.row(op, 0)?;
    let along = r.ints(op, 1).filter(|a| matches!(a[..], [1 | -1]));
    let plain = ["exclusive", "reverse"]
        .iter()
        .all(|a| op.int(a).unwrap_or(0) == 0);
    let [None, Some(n)] = row.dims[..] else {
        return Err(op.refuse("a running sum of other than columns"));
    };
    // Each column is a sum of its own.
    if along.is_none() || !plain || n > 1024 {
        return Err(op.refuse("a running sum of this kind"));
    }
    let groups: Vec<Vec<usize>> = (1..=n).map(|n| (0..n).collect()).collect();
    let mut all = sums(&row, &groups)?;
    all.exact = row.exact && (row.kind != Kind::F32 || n <= 2);
    Ok(all.shaped(row.dims))
}

/// The largest of each group, in rounds of pairs.
pub(super) fn extreme(row: &Row, groups: &[Vec<usize>]) -> Result<Row, Error> {
    let n = groups.first().map_or(0, Vec::len);
    // Member by member: all firsts, then all seconds, ...
    let order: Vec<usize> = (0..n)
        .flat_map(|k| groups.iter().map(move |g| g[k]))
        .collect();
    let g = groups.len();
    let mut all = row.select(&order, vec![None, Some(n * g)]);
    let mut n = n;
    while n > 1 {
        let half = n / 2 * g;
        let part = |range: std::ops::Range<usize>| {
            let columns: Vec<usize> = range.collect();
            all.select(&columns, vec![None, Some(columns.len())])
        };
        let (a, b) = (part(0..half), part(half..2 * half));
        let above = added(&a, &b, -1.0, &a.dims)?.map(Function::Above(0.0));
        let better = choose(&above, &a, &b)?;
        all = match n % 2 {
            0 => better,
            _ => join(&[&better, &part(2 * half..n * g)])?,
        };
        n = n.div_ceil(2);
    }
    Ok(all)
}

/// A row times a constant matrix, `n` x `m`, and constants added.
pub(super) fn linear(row: &Row, weights: Vec<f64>, intercept: Vec<f64>) -> Row {
    let n_outputs = intercept.len();
    let step = Step::Linear(Linear {
        n_outputs,
        sum: Float::F64,
        weights,
        intercept,
        intercept_order: InterceptOrder::Last,
        missing: LinearMissing::Propagate,
    });
    row.then(step, vec![None, Some(n_outputs)]).rounded().near()
}

fn product<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let row = r.row(op, 0)?;
    let c = r
        .constant(op, 1)
        .filter(|c| c.kind.is_float())
        .ok_or_else(|| op.refuse("a product that is not by constants"))?;
    let ([None, Some(n)], [rows, ..]) = (&row.dims[..], &c.dims[..]) else {
        return Err(op.refuse("a product of this shape"));
    };
    if n != rows || c.dims.len() > 2 || !row.kind.is_float() {
        return Err(op.refuse("a product of this shape"));
    }
    let m = c.dims.get(1).copied().unwrap_or(1);
    let mut all = linear(&row, c.values.to_vec(), vec![0.0; m]);
    if c.dims.len() == 1 {
        all.dims = vec![None];
    }
    Ok(all)
}

fn gemm<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let row = r.row(op, 0)?;
    let b = r
        .constant(op, 1)
        .filter(|b| b.kind.is_float())
        .ok_or_else(|| op.refuse("a product that is not by constants"))?;
    let (&[None, Some(n)], &[p, q]) = (&row.dims[..], &b.dims[..]) else {
        return Err(op.refuse("a product of this shape"));
    };
    let turned = op.int("transB").unwrap_or(0) != 0;
    let m = if turned { p } else { q };
    if op.int("transA").unwrap_or(0) != 0 || n != if turned { q } else { p } {
        return Err(op.refuse("a product of this shape"));
    }
    let (alpha, beta) = (
        op.float("alpha").unwrap_or(1.0),
        op.float("beta").unwrap_or(1.0),
    );
    let at = |i: usize, k: usize| alpha * b.values[if turned { k * q + i } else { i * q + k }];
    let weights = (0..n).flat_map(|i| (0..m).map(move |k| at(i, k))).collect();
    let whole = [None, Some(m)];
    let fits = |dims: &[Option<usize>]| broadcast(dims, &whole).is_some_and(|d| d == whole);
    Ok(match (op.input(2), r.constant(op, 2)) {
        ("", _) => linear(&row, weights, vec![0.0; m]),
        (_, Some(c)) if fits(&axes(c)) && c.kind.is_float() => {
            let intercept = meets(&axes(c), &whole)
                .into_iter()
                .map(|i| beta * c.values[i]);
            linear(&row, weights, intercept.collect())
        }
        _ => {
            let c = r.row(op, 2)?;
            if !fits(&c.dims) {
                return Err(op.refuse("an addend of this shape"));
            }
            let product = linear(&row, weights, vec![0.0; m]);
            let c = affine(
                &c.select(&meets(&c.dims, &whole), whole.to_vec()),
                beta,
                -0.0,
            );
            added(&product, &c, 1.0, &whole)?.rounded().near()
        }
    })
}
