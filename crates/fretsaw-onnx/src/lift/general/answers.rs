//! The graph's outputs as the model's answers: which value is the answer, and what names the class.

use std::rc::Rc;

use fretsaw_model::{
    Answer, Body, Decision, Draft, Function, Labels, Link, Provenance, Step, Sum, apply,
};

use super::super::output::outputs;
use super::Reader;
use super::operands::class_number;
use super::value::{Class, Kind, Piece, Row, Rule, Value, join, steps};
use crate::Error;
use crate::proto::GraphProto;

/// The model behind the outputs, without features and provenance.
pub(super) fn draft(
    r: &Reader<'_>,
    graph: &GraphProto,
    multilabel: Option<Option<Labels>>,
) -> Result<Draft, Error> {
    if let [only] = &graph.output[..] {
        // The class alone, or whole numbers.
        let value = value(r, only.name.as_deref().unwrap_or(""))?;
        return match (value, multilabel) {
            // A class that is answered as a number is one value more.
            (Value::Class(class), _) if outputs(graph).is_ok() => {
                let number = class_number(class)
                    .ok_or_else(|| Error::unsupported("names of classes as numbers", "graph"))?;
                plain(&number, Answer::Values, None)
            }
            (Value::Class(class), _) => class_alone(class),
            (Value::Row(row), None) => plain(row, Answer::Values, None),
            (Value::Row(row), Some(names)) => plain(row, Answer::Labels, names),
            _ => Err(Error::unsupported(
                "an output that does not depend on the row",
                "graph",
            )),
        };
    }
    let (answer, label) = outputs(graph)?;
    // The number of the class as the answer, and its name as the label.
    if let (Value::Class(number), Some(Ok(Value::Class(class)))) =
        (value(r, answer)?, label.and_then(|l| r.values.get(l)))
        && number.names.is_none()
        && number.rule.is(&class.rule)
    {
        return class_alone(class);
    }
    let Value::Row(scores) = value(r, answer)? else {
        return Err(Error::unsupported(
            "an answer that is no number of the row",
            format!("output {answer:?}"),
        ));
    };
    let label = label.unwrap_or("");
    let class = match value(r, label)? {
        Value::Class(class) => Some(class.clone()),
        Value::Row(row) => sign_class(row),
        _ => None,
    };
    let class = class.ok_or_else(|| {
        Error::unsupported(
            "a label that is neither the largest value's nor a sign's",
            format!("output {label:?}"),
        )
    })?;
    let names = class.names.as_deref().cloned();
    let (margins, largest) = match &class.rule {
        Rule::Largest(row) => (row, true),
        Rule::AboveZero(row) => (row, false),
    };
    let (n_margins, n_scores) = (columns(margins)?, columns(scores)?);
    let kind = match (largest, n_margins, n_scores) {
        (true, 2, 1) | (false, 1, 1) => Answer::Score,
        (true, m, n) if m == n => Answer::Classes,
        (false, 1, 2) => Answer::Classes,
        _ => {
            return Err(Error::unsupported(
                format!("a label that {n_margins} values decide, beside answers for {n_scores}"),
                format!("output {label:?}"),
            ));
        }
    };
    let rest = scores.behind(margins);
    if largest && rest.is_some_and(<[_]>::is_empty) && kind == Answer::Classes {
        return plain(scores, kind, names);
    }
    let (row, link) = match rest {
        Some(rest) => (margins.clone(), Link::Then(steps(rest))),
        None => {
            let places = (n_margins..n_margins + n_scores).map(|c| c as u32);
            let columns = places.collect();
            (
                join(&[margins, scores])?,
                Link::Then(vec![Step::Select { columns }]),
            )
        }
    };
    let whole = row.width();
    let (steps, ensemble) = ending(&row, &[]);
    let body = match ensemble {
        Some(body) => body,
        None => Body::Row {
            n_outputs: whole,
            n_margins,
        },
    };
    Ok(Draft {
        // One margin would name its class by its sign.
        decision: match largest && n_margins == 1 {
            true => Decision::Answer,
            false => Decision::Margin,
        },
        ..make(steps, body, link, kind, names)
    })
}

fn value<'r>(r: &'r Reader<'_>, name: &str) -> Result<&'r Value, Error> {
    match r.values.get(name) {
        Some(Ok(value)) => Ok(value),
        Some(Err(e)) => Err(e.clone()),
        None => Err(Error::invalid(format!("nothing makes the output {name:?}"))),
    }
}

fn columns(row: &Row) -> Result<usize, Error> {
    row.columns()
        .filter(|_| row.kind != Kind::Text)
        .ok_or_else(|| {
            Error::unsupported("an output that is not rows x columns of numbers", "graph")
        })
}

fn make(steps: Vec<Step>, body: Body, link: Link, answer: Answer, labels: Option<Labels>) -> Draft {
    Draft {
        features: vec![],
        steps,
        body,
        link,
        answer,
        decision: Decision::Answer,
        labels,
        provenance: Provenance::default(),
    }
}

/// A model whose answers are this row.
fn plain(row: &Row, answer: Answer, labels: Option<Labels>) -> Result<Draft, Error> {
    let n = columns(row)?;
    let (pieces, link) = linked(row);
    let (steps, ensemble) = ending(row, pieces);
    Ok(match ensemble {
        Some(body) => make(steps, body, link, answer, labels),
        None => {
            let body = Body::Row {
                n_outputs: n,
                n_margins: n,
            };
            make(
                self::steps(&row.pieces),
                body,
                Link::Identity,
                answer,
                labels,
            )
        }
    })
}

/// The class that whole numbers are which are made of one sign alone, as an outlier detector's -1 and 1.
fn sign_class(row: &Row) -> Option<Class> {
    let (mut names, mut n) = (vec![vec![0.0], vec![1.0]], row.pieces.len());
    let affine = |p: &Rc<Piece>| matches!(**p, Piece::Step(Step::Affine { .. }));
    while n > 0 && affine(&row.pieces[n - 1]) {
        n -= 1;
    }
    let above = Step::Map(Function::Above(0.0));
    let (rest, [sign, ..]) = row.pieces.split_at_checked(n.checked_sub(1)?)? else {
        return None;
    };
    if row.kind != Kind::Int
        || row.width() != 1
        || !matches!(&**sign, Piece::Step(s) if *s == above)
    {
        return None;
    }
    for step in steps(&row.pieces[n..]) {
        for name in &mut names {
            *name = apply(&step, name).ok()?;
        }
    }
    let whole = |name: &Vec<f64>| (name[0].trunc() == name[0]).then_some(name[0] as i64);
    let names: Vec<i64> = names.iter().map(whole).collect::<Option<_>>()?;
    Some(Class {
        rule: Rule::AboveZero(row.with_pieces(rest)),
        names: Some(Rc::new(Labels::Ints(names))),
        dims: row.dims.clone(),
    })
}

fn class_alone(class: &Class) -> Result<Draft, Error> {
    let (row, link) = match &class.rule {
        Rule::Largest(row) => (row, Link::ArgMax),
        Rule::AboveZero(row) => (row, Link::Step),
    };
    let n = columns(row)?;
    let (steps, ensemble) = ending(row, &[]);
    let body = ensemble.unwrap_or(Body::Row {
        n_outputs: n,
        n_margins: n,
    });
    Ok(make(
        steps,
        body,
        link,
        Answer::Class,
        class.names.as_deref().cloned(),
    ))
}

/// The link that a row ends with, and the pieces that it is.
fn linked(row: &Row) -> (&[Rc<Piece>], Link) {
    let mut at = row.pieces.len();
    while at > 0 && row.pieces[at - 1].is_narrow() {
        at -= 1;
    }
    let link = match row.pieces[..at].last().map(|p| &**p) {
        Some(Piece::Step(Step::Link(link))) if *link != Link::ArgMax => link.clone(),
        Some(Piece::Step(Step::Map(Function::Logistic))) => Link::Sigmoid { steepness: 1.0 },
        Some(Piece::Step(Step::Map(Function::Exp))) => Link::Exp,
        _ => return (&[], Link::Identity),
    };
    (&row.pieces[at - 1..], link)
}

/// The steps of a row without those `behind`; and where what is left ends with an ensemble, that as
/// the body, and the steps in front of it.
fn ending(row: &Row, behind: &[Rc<Piece>]) -> (Vec<Step>, Option<Body>) {
    let mut all = steps(&row.pieces[..row.pieces.len() - behind.len()]);
    let n = all.len();
    while all.last() == Some(&Step::Map(Function::Narrow)) {
        all.pop();
    }
    let rounded = all.len() < n;
    match all.pop() {
        // Sums of f32 are rounded as they are.
        Some(Step::Ensemble(e)) if !rounded || e.sum == Sum::F32 => (all, Some(Body::Ensemble(e))),
        _ => (steps(&row.pieces), None),
    }
}
