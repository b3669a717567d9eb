//! What is made of decisions between each two classes, and of the votes of regressors.

use fretsaw_model::PairwiseCoupling;

use super::wide::Value;
use crate::graph::{attribute, value};
use crate::proto::tensor_proto::DataType;
use crate::tensor::{from_bools, from_i64s};

fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |i| (i + 1..n).map(move |j| (i, j)))
}

/// Votes, which are whole, and a fraction by how sure the decisions are.
pub(crate) fn votes<'b>(k: usize, x: &Value<'b>) -> Value<'b> {
    let b = x.builder();
    let n_pairs = pairs(k).count();
    let (mut first, mut second) = (vec![0.0; n_pairs * k], vec![0.0; n_pairs * k]);
    let mut signed = vec![0.0; n_pairs * k];
    for (p, (i, j)) in pairs(k).enumerate() {
        first[p * k + i] = 1.0;
        second[p * k + j] = 1.0;
        (signed[p * k + i], signed[p * k + j]) = (1.0, -1.0);
    }
    let matrix = |values: &[f64]| Value::doubles(b, &[n_pairs, k], values);
    let for_second = x.less(0.0).double();
    let for_first = -(&for_second - 1.0);
    let votes = for_first.matmul(&matrix(&first)) + for_second.matmul(&matrix(&second));
    let sure = x.matmul(&matrix(&signed));
    &votes + &sure / ((sure.abs() + 1.0) * 3.0)
}

/// Probabilities from decisions. The iteration is libsvm's, also of two classes, where it stops short
/// of the pair's own probability: a `Loop` whose steps each row takes until it has converged, over a
/// `Scan` through the classes.
pub(crate) fn couple<'b>(c: &PairwiseCoupling, x: &Value<'b>) -> Value<'b> {
    let k = c.n_classes as usize;
    let f = x * &c.slope[..] + &c.offset[..];
    // One sign of the exponent for each side, so that neither overflows.
    let e = (-f.abs()).exp();
    let below = f.less(0.0);
    let p = below.choose(1.0, &e) / (&e + 1.0);
    let p = p.less(1e-7).choose(1e-7, &p);
    let p = p.above(1.0 - 1e-7).choose(1.0 - 1e-7, &p);
    let rest = -(&p - 1.0);
    // r[i][j] is pair (i, j)'s probability above the diagonal and the rest of pair (j, i)'s below it.
    let n_pairs = pairs(k).count();
    let zero = 2 * n_pairs as i64;
    let mut places = vec![zero; k * k];
    for (at, (i, j)) in pairs(k).enumerate() {
        places[i * k + j] = at as i64;
        places[j * k + i] = (n_pairs + at) as i64;
    }
    let turned = (0..k * k).map(|at| places[at % k * k + at / k]);
    let all = Value::concat(&[p.clone(), rest, p.zeros(1)]);
    let square = [-1, k as i64, k as i64];
    let r_turned = all.columns(turned).reshape(&square);
    let r = all.columns(places).reshape(&square);
    // q[t][t] is the sum over j of r[j][t]^2, q[t][j] is -r[j][t] r[t][j].
    let diagonal = r.square().running_sum().last();
    let eye: Vec<f64> = (0..k * k)
        .map(|i| f64::from(u8::from(i / k == i % k)))
        .collect();
    let eye = Value::doubles(x.builder(), &[k, k], &eye);
    let q = &eye * diagonal - &r_turned * &r;
    iterate(k, &q, &eye, x)
}

fn iterate<'b>(k: usize, q: &Value<'b>, eye: &Value<'b>, x: &Value<'b>) -> Value<'b> {
    let b = x.builder();
    // Within a loop ONNX Runtime wants to know the shapes.
    let rows = |name: &str, n: usize| value(name, DataType::Double, &[None, Some(n)]);
    let body = b.inner(|b| {
        let [i, go, p] = ["i", "go", "p"].map(|n| b.fresh(n));
        let old = Value::new(b, p.clone());
        let (q, eye) = (Value::new(b, q.name()), Value::new(b, eye.name()));
        let qp = q.matmul(&old.unsqueeze(2)).squeeze(2);
        let pqp = (&old * &qp).sum();
        let worst = (&qp - &pqp).abs().max();
        let active = worst.at_least(0.005 / k as f64);
        // Through the classes, with the row of q of each and its place.
        let inner = b.inner(|b| {
            let names = ["p", "qp", "pqp", "row", "place"].map(|n| b.fresh(n));
            let [p, qp, pqp, row, place] = std::array::from_fn(|i| Value::new(b, names[i].clone()));
            let at = |v: &Value<'_>| (v * &place).sum().name().to_string();
            let own = Value::new(b, at(&qp));
            let diagonal = Value::new(b, at(&row));
            let diff = (&pqp - &own) / &diagonal;
            let grown = &diff + 1.0;
            let p = (&p + &diff * &place) / &grown;
            let pqp = (&pqp + &diff * (&diff * &diagonal + &own * 2.0)) / &grown / &grown;
            let qp = (&qp + &diff * &row) / &grown;
            let widths = [k, k, 1, k];
            let mut inputs: Vec<_> = names.iter().zip(widths).map(|(n, w)| rows(n, w)).collect();
            inputs.push(value(&names[4], DataType::Double, &[Some(k)]));
            let outputs = [(&p, k), (&qp, k), (&pqp, 1)].map(|(v, n)| rows(v.name(), n));
            (inputs, outputs.to_vec())
        });
        let attributes = vec![
            attribute("num_scan_inputs", 2_i64),
            attribute("scan_input_axes", vec![1_i64, 0]),
        ];
        let inputs = [&old, &qp, &pqp, &q, &eye].map(Value::name);
        let [new, _, _] = Value::control("Scan", &inputs, inner, b, attributes);
        let new = active.choose(&new, &old);
        let any = b.op(
            "ReduceMax",
            &[active.double().name()],
            vec![attribute("keepdims", 0_i64)],
        );
        let any = Value::new(b, any).above(0.5);
        let inputs = vec![
            value(&i, DataType::Int64, &[]),
            value(&go, DataType::Bool, &[]),
            rows(&p, k),
        ];
        let outputs = vec![value(any.name(), DataType::Bool, &[]), rows(new.name(), k)];
        (inputs, outputs)
    });
    let most = b.constant(from_i64s("", &[], [k.max(100) as i64]));
    let go = b.constant(from_bools("", &[], &[true]));
    let even = x.zeros(k) + 1.0 / k as f64;
    let inputs = [most.as_str(), go.as_str(), even.name()];
    let [p] = Value::control("Loop", &inputs, body, b, vec![]);
    p
}

/// The first value, ascending, at which the weights sum to half of all or more.
pub(crate) fn weighted_median<'b>(weights: &[f64], x: &Value<'b>) -> Value<'b> {
    let n = weights.len();
    let (_, places) = x.smallest(n);
    let weights = Value::doubles(x.builder(), &[n], weights);
    let sums = weights.gather(&places, 0).running_sum();
    let reached = sums.at_least(sums.last() * 0.5).double();
    let place = places.gather_in_rows(&reached.argmax(n));
    x.gather_in_rows(&place)
}
