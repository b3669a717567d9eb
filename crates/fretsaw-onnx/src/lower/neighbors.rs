//! The nearest of stored rows, and what they say: distances in the reference's order (`kernel`), then
//! `TopK`, which takes the first of equals as the reference does.

use fretsaw_model::{Metric, NeighborFill, NeighborTargets, NeighborWeights, Neighbors};

use super::kernel::{Stored, fold, squares};
use super::wide::Value;
use crate::Error;
use crate::graph::{attribute, value};
use crate::proto::tensor_proto::DataType;

pub(crate) fn neighbors<'b>(n: &Neighbors, x: &Value<'b>) -> Result<Value<'b>, Error> {
    let b = x.builder();
    let stored = Stored {
        n_features: n.n_features,
        vectors: &n.vectors,
    };
    let (distances, places) = distances(n.metric, x, stored)?.smallest(n.k);
    let weights = match n.weights {
        NeighborWeights::Uniform => distances.is_nan().choose(1.0, 1.0),
        NeighborWeights::Distance => reciprocals(&distances),
    };
    let total = weights.sum();
    // Rows x neighbours x 1, beside rows x neighbours x answers.
    let weights = weights.unsqueeze(2);
    let weighted = match &n.targets {
        NeighborTargets::Values { width, values } => {
            let table = Value::doubles(b, &[stored.n_rows(), *width], values);
            table.gather(&places, 0) * &weights
        }
        NeighborTargets::Classes { n_classes, classes } => {
            let table = Value::ints(b, &[classes.len()], classes.iter().map(|&c| i64::from(c)));
            let own = table.gather(&places, 0).unsqueeze(2);
            let numbers = Value::ints(b, &[1, 1, *n_classes], 0..*n_classes as i64);
            own.equals(&numbers).choose(&weights, 0.0)
        }
    };
    Ok(weighted.sum().squeeze(1) / &total)
}

/// Of ascending distances: 1 for those that are 0, if any is, else reciprocals.
fn reciprocals<'b>(distances: &Value<'b>) -> Value<'b> {
    let zero = distances.equals(0.0);
    let alone = zero.double();
    let any = alone.max().above(0.5);
    any.choose(&alone, distances.unary("Reciprocal"))
}

fn distances<'b>(metric: Metric, x: &Value<'b>, stored: Stored<'_>) -> Result<Value<'b>, Error> {
    let b = x.builder();
    let name = |v: Value<'_>| [v.name().to_string()];
    let [sum] = match metric {
        Metric::Euclidean => return Ok(squares(x, stored).sqrt()),
        Metric::Manhattan => fold(x, stored, |[sum], x, v| name(&sum + (x - &v).abs())),
        Metric::Chebyshev => fold(x, stored, |[most], x, v| {
            let d = (x - &v).abs();
            // Not ONNX's Max: the reference's passes over NaN.
            name(d.above(&most).choose(&d, &most))
        }),
        Metric::Minkowski(p) => {
            let [sum] = fold(x, stored, |[sum], x, v| name(&sum + (x - &v).abs().pow(p)));
            return Ok(sum.pow(1.0 / p));
        }
        Metric::Cosine => {
            let [dot] = fold(x, stored, |[sum], x, v| name(&sum + x * &v));
            let own = x.square().sum();
            let own = own.equals(0.0).choose(1.0, own.sqrt());
            let sizes: Vec<f64> = stored
                .vectors
                .chunks_exact(stored.n_features.max(1))
                .map(|v| match v.iter().fold(0.0, |sum, v| sum + v * v) {
                    0.0 => 1.0,
                    square => square.sqrt(),
                })
                .collect();
            let shares = dot / (own * &sizes[..]);
            return Ok(Value::doubles(b, &[], &[1.0]) - &shares);
        }
        other => {
            return Err(Error::unsupported(
                format!("the distance {other:?}"),
                "model",
            ));
        }
    };
    Ok(sum)
}

/// Fills gaps column by column, by a `Scan` over the columns: all see the distances to all stored rows,
/// and each asks those that have a value of it.
pub(crate) fn fill<'b>(fill: &NeighborFill, x: &Value<'b>) -> Value<'b> {
    let b = x.builder();
    let n = fill.n_features;
    let stored = Stored {
        n_features: n,
        vectors: &fill.vectors,
    };
    let n_rows = stored.n_rows();
    let [sum, shared] = fold(x, stored, |[sum, shared], x, v| {
        let gap = Value::of("Or", &[&x.is_nan(), &v.is_nan()]);
        let d = x - &v;
        let sum = &sum + gap.choose(0.0, &(&d * &d));
        let shared = &shared + gap.choose(0.0, 1.0);
        [sum, shared].map(|v| v.name().to_string())
    });
    // NaN where the rows share no value.
    let distances = (sum / shared * n as f64).sqrt();

    let column = |f: usize| (0..n_rows).map(move |r| fill.vectors[r * n + f]);
    let means: Vec<f64> = (0..n)
        .map(|f| {
            let has = || column(f).filter(|v| !v.is_nan());
            has().fold(0.0, |sum, v| sum + v) / has().count() as f64
        })
        .collect();
    let vectors = Value::doubles(b, &[n_rows, n], &fill.vectors);
    let means = Value::doubles(b, &[n], &means);
    let body = b.inner(|b| {
        let (values, mean) = (b.fresh("values"), b.fresh("mean"));
        let own = Value::new(b, values.clone());
        let distances = Value::new(b, distances.name());
        let absent = own.is_nan();
        let (near, places) = absent
            .choose(f64::INFINITY, &distances)
            .smallest(fill.k.min(n_rows));
        // What is infinitely far is there only because nothing else is.
        let there = near.less(f64::INFINITY);
        let weights = match fill.weights {
            NeighborWeights::Uniform => there.double(),
            NeighborWeights::Distance => there.choose(reciprocals(&near), 0.0),
        };
        let said = there.choose(own.gather(&places, 0), 0.0) * &weights;
        let average = said.sum() / weights.sum();
        let none = there.double().max().less(0.5);
        let filled = none
            .choose(Value::new(b, mean.clone()), &average)
            .squeeze(1);
        let inputs = vec![
            value(&values, DataType::Double, &[Some(n_rows)]),
            value(&mean, DataType::Double, &[]),
        ];
        let output = value(filled.name(), DataType::Double, &[None]);
        (inputs, vec![output])
    });
    let attributes = vec![
        attribute("num_scan_inputs", 2_i64),
        attribute("scan_input_axes", vec![1_i64, 0]),
        attribute("scan_output_axes", vec![1_i64]),
    ];
    let inputs = [vectors.name(), means.name()];
    let [filled] = Value::control("Scan", &inputs, body, b, attributes);
    x.is_nan().choose(&filled, x)
}
