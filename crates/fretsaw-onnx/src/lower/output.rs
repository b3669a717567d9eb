//! The graph's outputs: label and probabilities of a classifier, one tensor of anything else.

use fretsaw_model::{Answer, Body, Decision, Float, Labels, Link, Model};

use super::LowerOptions;
use super::body::Margins;
use super::input::{cast, constant};
use super::link::{cut, link};
use super::wide::Value;
use crate::Error;
use crate::graph::{Builder, ML, attribute, value};
use crate::proto::tensor_proto::DataType;
use crate::proto::{TypeProto, ValueInfoProto, type_proto};
use crate::tensor::{from_i64s, from_strings};
use fretsaw_model::ceil32;

/// Writes everything behind the margins.
pub(crate) fn outputs(
    b: &Builder,
    model: &Model,
    m: &Margins,
    options: &LowerOptions,
) -> Result<(), Error> {
    let n_outputs = model.body.n_outputs();
    let answer = || {
        if m.linked {
            Ok(m.name.clone())
        } else {
            link(b, &model.link, options, m.float, n_outputs, &m.name)
        }
    };
    let decided = || decide(b, model, m);
    match (model.answer, &model.link) {
        (Answer::Binary, _) => {
            let p = answer()?;
            let one = constant(b, m.float, &[], &[1.0]);
            let rest = b.op("Sub", &[&one, &p], vec![]);
            let both = b.op("Concat", &[&rest, &p], vec![attribute("axis", 1_i64)]);
            let number = decided().unwrap_or_else(|| flat(b, &second(b, model, m, &p)));
            label(b, model, number, 2);
            scores(b, model, "probabilities", both, m.float, 2, options);
        }
        (Answer::Score, _) => {
            let y = answer()?;
            let number = decided().unwrap_or_else(|| {
                let zero = constant(b, m.float, &[], &[0.0]);
                let above = b.op("Greater", &[&y, &zero], vec![]);
                flat(b, &above)
            });
            label(b, model, number, 2);
            scores(b, model, "scores", y, m.float, 1, options);
        }
        (Answer::Classes, _) => {
            let n_classes = model.n_columns();
            let p = answer()?;
            let number = decided().unwrap_or_else(|| argmax(b, &p));
            label(b, model, number, n_classes);
            scores(b, model, "probabilities", p, m.float, n_classes, options);
        }
        (Answer::Class, Link::ArgMax) => {
            let number = largest(b, model, &m.name, n_outputs);
            let shape = b.constant(from_i64s("", &[2], [-1, 1]));
            let column = b.op("Reshape", &[&number, &shape], vec![]);
            let to = DataType::Float as i64;
            let column = b.op("Cast", &[&column], vec![attribute("to", to)]);
            label(b, model, number, model.n_classes());
            variable(b, column, Float::F32, 1, options);
        }
        (Answer::Class, _) => {
            let p = answer()?;
            let number = flat(b, &p);
            label(b, model, number, model.n_classes());
            variable(b, p, m.float, 1, options);
        }
        _ => {
            let y = if model.link == Link::ArgMax {
                let number = argmax(b, &m.name);
                let shape = b.constant(from_i64s("", &[2], [-1, 1]));
                let column = b.op("Reshape", &[&number, &shape], vec![]);
                let to = super::input::dtype(m.float) as i64;
                b.op("Cast", &[&column], vec![attribute("to", to)])
            } else {
                answer()?
            };
            variable(b, y, m.float, model.n_columns(), options);
        }
    }
    Ok(())
}

/// Whether the second of two classes is meant, by the margin where the link grows with it.
fn second(b: &Builder, model: &Model, m: &Margins, p: &str) -> String {
    // The cut is found in the source's precision; the margins here may be rounded.
    let (x, cut) = match cut(&model.link, model.body.margin()) {
        Some(c) if m.float == Float::F32 && !c.is_nan() => (&m.name[..], f64::from(ceil32(c))),
        Some(c) => (&m.name[..], c),
        None => (
            p,
            if m.float == Float::F32 {
                f64::from(0.5_f32.next_up())
            } else {
                0.5_f64.next_up()
            },
        ),
    };
    let cut = constant(b, m.float, &[], &[cut]);
    b.op("GreaterOrEqual", &[x, &cut], vec![])
}

/// The margins that a user sees: the first of a row that holds more.
fn seen(b: &Builder, model: &Model, m: &Margins) -> String {
    let n = model.body.n_margins();
    if n == model.body.n_outputs() {
        return m.name.clone();
    }
    let columns = Value::new(b, m.name.clone()).columns(0..n as i64);
    columns.name().to_string()
}

/// The number of the class that the margins name, where it is they that do.
fn decide(b: &Builder, model: &Model, m: &Margins) -> Option<String> {
    if model.decision == Decision::Answer {
        return None;
    }
    let margins = seen(b, model, m);
    let limit = |test: &str| {
        let zero = constant(b, m.float, &[], &[0.0]);
        flat(b, &b.op(test, &[&margins, &zero], vec![]))
    };
    Some(match (model.body.n_margins(), model.decision) {
        (1, Decision::MarginFromZero) => limit("GreaterOrEqual"),
        (1, _) => limit("Greater"),
        (_, Decision::Votes) => {
            let votes = b.op("Round", &[&margins], vec![]);
            argmax(b, &votes)
        }
        (n, Decision::LastMargin) => {
            let margins = Value::new(b, cast(b, &margins, m.float, Float::F64));
            flat(b, margins.last_argmax(n).name())
        }
        (n, _) => largest(b, model, &margins, n),
    })
}

/// The place of the largest of `n` margins.
fn largest(b: &Builder, model: &Model, margins: &str, n: usize) -> String {
    match model.body {
        Body::Row { .. } => flat(b, Value::new(b, margins).argmax(n).name()),
        _ => argmax(b, margins),
    }
}

fn argmax(b: &Builder, x: &str) -> String {
    let attributes = vec![attribute("axis", 1_i64), attribute("keepdims", 0_i64)];
    b.op("ArgMax", &[x], attributes)
}

/// A column as whole numbers, one a row.
fn flat(b: &Builder, x: &str) -> String {
    let to = vec![attribute("to", DataType::Int64 as i64)];
    let number = b.op("Cast", &[x], to);
    let shape = b.constant(from_i64s("", &[1], [-1]));
    b.op("Reshape", &[&number, &shape], vec![])
}

/// The output `label`: one name a row.
fn label(b: &Builder, model: &Model, number: String, n_classes: usize) {
    let numbered: Vec<i64> = (0..n_classes as i64).collect();
    let (name, dtype) = match &model.labels {
        Some(Labels::Strings(names)) => {
            let names = from_strings("", &[names.len()], names.iter().map(String::as_str));
            let names = b.constant(names);
            (b.op("Gather", &[&names, &number], vec![]), DataType::String)
        }
        Some(Labels::Ints(names)) if *names != numbered => {
            let names = b.constant(from_i64s("", &[names.len()], names.iter().copied()));
            (b.op("Gather", &[&names, &number], vec![]), DataType::Int64)
        }
        // Numbers name themselves.
        _ => (number, DataType::Int64),
    };
    b.publish(&name, value("label", dtype, &[None]));
}

/// The output `name`, `probabilities` or `scores`: rows x classes (one column where it is the second
/// class's score), or a map a row with ZipMap.
fn scores(
    b: &Builder,
    model: &Model,
    name: &str,
    p: String,
    float: Float,
    n_classes: usize,
    options: &LowerOptions,
) {
    let out = if options.double { float } else { Float::F32 };
    let p = cast(b, &p, float, out);
    // A map has a number for each class.
    if !options.zipmap || n_classes < model.n_classes() {
        let dtype = super::input::dtype(out);
        b.publish(&p, value(name, dtype, &[None, Some(n_classes)]));
        return;
    }
    // ZipMap takes f32 only.
    let p = cast(b, &p, out, Float::F32);
    let (labels, key) = match &model.labels {
        Some(Labels::Strings(names)) => (
            attribute("classlabels_strings", names.clone()),
            DataType::String,
        ),
        Some(Labels::Ints(names)) => (
            attribute("classlabels_int64s", names.clone()),
            DataType::Int64,
        ),
        None => (
            attribute(
                "classlabels_int64s",
                (0..n_classes as i64).collect::<Vec<_>>(),
            ),
            DataType::Int64,
        ),
    };
    let map = b.fresh("zipmap");
    b.node(
        ML,
        "ZipMap",
        &[&p],
        std::slice::from_ref(&map),
        vec![labels],
    );
    b.publish(&map, maps(name, key));
}

/// The output `variable`: rows x columns.
fn variable(b: &Builder, y: String, float: Float, n_columns: usize, options: &LowerOptions) {
    let out = if options.double { float } else { Float::F32 };
    let y = cast(b, &y, float, out);
    let dtype = super::input::dtype(out);
    b.publish(&y, value("variable", dtype, &[None, Some(n_columns)]));
}

/// A sequence of maps from `key` to f32.
fn maps(name: &str, key: DataType) -> ValueInfoProto {
    let of = |value| TypeProto {
        value: Some(value),
        ..TypeProto::default()
    };
    let number = of(type_proto::Value::TensorType(type_proto::Tensor {
        elem_type: Some(DataType::Float as i32),
        shape: Some(crate::proto::TensorShapeProto::default()),
    }));
    let map = of(type_proto::Value::MapType(Box::new(type_proto::Map {
        key_type: Some(key as i32),
        value_type: Some(Box::new(number)),
    })));
    ValueInfoProto {
        name: Some(name.to_string()),
        r#type: Some(of(type_proto::Value::SequenceType(Box::new(
            type_proto::Sequence {
                elem_type: Some(Box::new(map)),
            },
        )))),
        ..ValueInfoProto::default()
    }
}
