//! Links, recognised by the operators that compute them.

use fretsaw_model::Link;

use super::body::{Margin, margin};
use super::columns::Source;
use super::graph::{Graph, Op};
use crate::Error;
use crate::compact;

/// An answer, its link taken off.
pub(super) struct Linked<'a> {
    pub(super) link: Link,
    /// The name of the margins; for a link inside the operator, of the answers.
    pub(super) margin_name: &'a str,
    pub(super) margin: Margin,
}

/// Finds the link of the answers `value`, and the margin behind it.
pub(super) fn linked<'a>(
    g: &Graph<'a>,
    source: &Source<'a>,
    value: &'a str,
) -> Result<Linked<'a>, Error> {
    let (link, name) = split(g, value);
    let (link, name) = of_mean(g, link, name);
    let margin = margin(g, source, name)?;
    if link != Link::Identity && margin.link != Link::Identity {
        return Err(Error::unsupported(
            "a link behind the operator's own post_transform",
            format!("value {value:?}"),
        ));
    }
    Ok(Linked {
        link: if link == Link::Identity {
            margin.link.clone()
        } else {
            link
        },
        margin_name: g.root(name),
        margin,
    })
}

/// A division behind our own operator, which finishes its sum itself, is the link's: of the mean.
fn of_mean<'a>(g: &Graph<'a>, link: Link, name: &'a str) -> (Link, &'a str) {
    let mean = || {
        let div = g.op(name, "Div")?;
        let n = g
            .number(div.input(1))
            .filter(|&n| n.is_finite() && n > 0.0)?;
        g.op(div.input(0), compact::NAME)?;
        Some((link.clone().of_mean(n)?, div.input(0)))
    };
    mean().unwrap_or((link, name))
}

/// The link that `value` is of which value; the identity where none is recognised.
fn split<'a>(g: &Graph<'a>, value: &'a str) -> (Link, &'a str) {
    let (link, name) = split_plain(g, value);
    if link != Link::Identity {
        return (link, name);
    }
    // A last cast only changes the type of the answers.
    match g.op(value, "Cast") {
        Some(cast) => match split_plain(g, cast.input(0)) {
            (Link::Identity, _) => (Link::Identity, value),
            found => found,
        },
        None => (Link::Identity, value),
    }
}

fn split_plain<'a>(g: &Graph<'a>, value: &'a str) -> (Link, &'a str) {
    let is = |value: &'a str, name| g.op(value, name);
    let one = |value| g.number(value) == Some(1.0);
    if let Some(cast) = is(value, "Cast")
        && let Some(test) = is(cast.input(0), "Greater")
        && g.number(test.input(1)) == Some(0.0)
    {
        return (Link::Step, test.input(0));
    }
    if let Some(op) = is(value, "Softmax")
        && matches!(op.int("axis"), Some(1 | -1) | None)
    {
        return (Link::Softmax, op.input(0));
    }
    if let Some(op) = is(value, "Sigmoid") {
        return sigmoid(g, op.input(0), false);
    }
    if let Some(op) = is(value, "Reciprocal")
        && let Some(sum) = is(op.input(0), "Add")
        && one(sum.input(1))
        && let Some(e) = is(sum.input(0), "Exp")
    {
        return sigmoid(g, e.input(0), true);
    }
    if let Some(op) = is(value, "Exp") {
        return (Link::Exp, op.input(0));
    }
    if let Some(x) = softplus(g, value) {
        return (Link::Log1pExp, x);
    }
    if let Some(op) = is(value, "Mul")
        && let Some(size) = is(op.input(1), "Abs")
        && g.root(size.input(0)) == g.root(op.input(0))
    {
        return (Link::SignedSquare, op.input(0));
    }
    if let Some(op) = is(value, "TopK")
        && op.output == 0
        && op.int("largest") == Some(0)
    {
        return (Link::Sorted, op.input(0));
    }
    if let Some(op) = is(value, "CumSum")
        && let Some(x) = cumulative(g, op)
    {
        return (Link::CumulativeSoftplus, x);
    }
    (Link::Identity, value)
}

/// The sigmoid of `x`, or (`negated`) of minus `x`, with its steepness.
fn sigmoid<'a>(g: &Graph<'a>, x: &'a str, negated: bool) -> (Link, &'a str) {
    let sign = if negated { -1.0 } else { 1.0 };
    let by = |steepness| Link::Sigmoid { steepness };
    if negated && let Some(op) = g.op(x, "Neg") {
        return (by(1.0), op.input(0));
    }
    if let Some(op) = g.op(x, "Mul")
        && let Some(factor) = g.number(op.input(1))
        && factor * sign > 0.0
        // A factor in f32 stands for the f64 that it was rounded from only if it is whole enough.
        && factor.is_finite()
    {
        return (by(factor * sign), op.input(0));
    }
    if negated {
        // 1 / (1 + exp(x)) grows the wrong way: no link here, and the operators are refused by name.
        (Link::Identity, x)
    } else {
        (by(1.0), x)
    }
}

/// `ln(1 + exp(x))`, as one operator or written out.
fn softplus<'a>(g: &Graph<'a>, value: &'a str) -> Option<&'a str> {
    if let Some(op) = g.op(value, "Softplus") {
        return Some(op.input(0));
    }
    let add = g.op(value, "Add")?;
    let max = g.op(add.input(0), "Max")?;
    let log = g.op(add.input(1), "Log")?;
    let sum = g.op(log.input(0), "Add")?;
    let e = g.op(sum.input(0), "Exp")?;
    let minus = g.op(e.input(0), "Neg")?;
    let size = g.op(minus.input(0), "Abs")?;
    let x = max.input(0);
    let same = g.root(size.input(0)) == g.root(x);
    let constants = g.number(max.input(1)) == Some(0.0) && g.number(sum.input(1)) == Some(1.0);
    (same && constants).then_some(x)
}

/// XGBoost's expectiles: the first output, then each next one adds `1e-6 + softplus(x)`.
fn cumulative<'a>(g: &Graph<'a>, op: Op<'a>) -> Option<&'a str> {
    let parts = g.op(op.input(0), "Concat")?;
    let first = g.op(parts.input(0), "Slice")?;
    let grown = g.op(parts.input(1), "Add")?;
    let least = g.number(grown.input(1))?;
    let rest = g.op(softplus(g, grown.input(0))?, "Slice")?;
    let ranges = g.number(first.input(1)) == Some(0.0)
        && g.number(first.input(2)) == Some(1.0)
        && g.number(rest.input(1)) == Some(1.0);
    let same = g.root(first.input(0)) == g.root(rest.input(0));
    (ranges && same && (least - 1e-6).abs() < 1e-12).then_some(first.input(0))
}
