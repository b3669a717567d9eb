//! The graph's outputs: label and probabilities of a classifier, one tensor of anything else.

use fretsaw_model::{Answer, Float, Labels, Link, Model};

use super::LowerOptions;
use super::body::Margins;
use super::input::{cast, constant};
use super::link::{cut, link};
use crate::Error;
use crate::graph::{Builder, ML, attribute, value};
use crate::proto::tensor_proto::DataType;
use crate::proto::{TypeProto, ValueInfoProto, type_proto};
use crate::tensor::{from_i64s, from_strings};
use fretsaw_model::ceil32;

/// Writes everything behind the margins.
pub(crate) fn outputs(
    b: &mut Builder,
    model: &Model,
    m: &Margins,
    options: &LowerOptions,
) -> Result<(), Error> {
    let n_outputs = model.body.n_outputs();
    let answer = |b: &mut Builder| {
        if m.linked {
            Ok(m.name.clone())
        } else {
            link(b, &model.link, m.float, n_outputs, &m.name)
        }
    };
    match (model.answer, &model.link) {
        (Answer::Binary, _) => {
            let p = answer(b)?;
            let one = constant(b, m.float, &[], &[1.0]);
            let rest = b.op("Sub", &[&one, &p], vec![]);
            let both = b.op("Concat", &[&rest, &p], vec![attribute("axis", 1_i64)]);
            // The cut is found in the source's precision; the margins here may be rounded.
            let (x, cut) = match cut(&model.link, model.body.margin()) {
                Some(c) if m.float == Float::F32 && !c.is_nan() => (&m.name, f64::from(ceil32(c))),
                Some(c) => (&m.name, c),
                None => (
                    &p,
                    if m.float == Float::F32 {
                        f64::from(0.5_f32.next_up())
                    } else {
                        0.5_f64.next_up()
                    },
                ),
            };
            let cut = constant(b, m.float, &[], &[cut]);
            let second = b.op("GreaterOrEqual", &[x, &cut], vec![]);
            let number = b.op(
                "Cast",
                &[&second],
                vec![attribute("to", DataType::Int64 as i64)],
            );
            let number = flat(b, &number);
            label(b, model, number, 2);
            probabilities(b, model, both, m.float, 2, options);
        }
        (Answer::Classes, _) => {
            let p = answer(b)?;
            let number = argmax(b, &p);
            label(b, model, number, n_outputs);
            probabilities(b, model, p, m.float, n_outputs, options);
        }
        (Answer::Class, Link::ArgMax) => {
            let number = argmax(b, &m.name);
            let shape = b.constant(from_i64s("", &[2], [-1, 1]));
            let column = b.op("Reshape", &[&number, &shape], vec![]);
            let to = DataType::Float as i64;
            let column = b.op("Cast", &[&column], vec![attribute("to", to)]);
            label(b, model, number, n_outputs);
            variable(b, column, Float::F32, 1, options);
        }
        (Answer::Class, Link::Step) if n_outputs == 1 => {
            let p = answer(b)?;
            let number = b.op("Cast", &[&p], vec![attribute("to", DataType::Int64 as i64)]);
            let number = flat(b, &number);
            label(b, model, number, 2);
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
                answer(b)?
            };
            variable(b, y, m.float, model.n_columns(), options);
        }
    }
    Ok(())
}

fn argmax(b: &mut Builder, x: &str) -> String {
    let attributes = vec![attribute("axis", 1_i64), attribute("keepdims", 0_i64)];
    b.op("ArgMax", &[x], attributes)
}

fn flat(b: &mut Builder, x: &str) -> String {
    let shape = b.constant(from_i64s("", &[1], [-1]));
    b.op("Reshape", &[x, &shape], vec![])
}

/// The output `label`: one name a row.
fn label(b: &mut Builder, model: &Model, number: String, n_classes: usize) {
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

/// The output `probabilities`: rows x classes, or a map a row with ZipMap.
fn probabilities(
    b: &mut Builder,
    model: &Model,
    p: String,
    float: Float,
    n_classes: usize,
    options: &LowerOptions,
) {
    let out = if options.double { float } else { Float::F32 };
    let p = cast(b, &p, float, out);
    if !options.zipmap {
        let dtype = super::input::dtype(out);
        b.publish(&p, value("probabilities", dtype, &[None, Some(n_classes)]));
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
    b.publish(&map, maps("probabilities", key));
}

/// The output `variable`: rows x columns.
fn variable(b: &mut Builder, y: String, float: Float, n_columns: usize, options: &LowerOptions) {
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
