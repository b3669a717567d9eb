//! Links as standard operators, in the precision of the margins.
//!
//! ONNX's `Sigmoid` is not used: ONNX Runtime's is a rational approximation that is off by a
//! quarter of the answer below 1e-6. `1 / (1 + exp(-x))` written out stays within two units in the
//! last place everywhere.

use fretsaw_model::{Float, Link};

use super::LowerOptions;
use super::input::{cast, constant};
use super::steps::steps;
use super::wide::Value;
use crate::Error;
use crate::graph::{Builder, attribute};
use crate::tensor::from_i64s;

/// Applies `link` to the margins `m` (rows x `n_outputs`). `ArgMax` is not one: the outputs of the
/// graph say it.
pub(crate) fn link(
    b: &Builder,
    link: &Link,
    options: &LowerOptions,
    float: Float,
    n_outputs: usize,
    m: &str,
) -> Result<String, Error> {
    Ok(match link {
        Link::Identity => m.to_string(),
        Link::Then(then) => {
            let wide = cast(b, m, float, Float::F64);
            let (y, _) = steps(b, then, options, Float::F64, n_outputs, &wide)?;
            cast(b, &y, Float::F64, float)
        }
        Link::SoftmaxZero if float == Float::F64 => softmax_zero(&Value::new(b, m)),
        Link::Probit if float == Float::F64 => probit(&Value::new(b, m)),
        Link::Mean { n, then } => {
            let n = constant(b, float, &[], &[*n]);
            let mean = b.op("Div", &[m, &n], vec![]);
            return self::link(b, &then.link(), options, float, n_outputs, &mean);
        }
        Link::Sigmoid { steepness } => {
            let minus = if *steepness == 1.0 {
                b.op("Neg", &[m], vec![])
            } else {
                let c = constant(b, float, &[], &[-steepness]);
                b.op("Mul", &[m, &c], vec![])
            };
            let e = b.op("Exp", &[&minus], vec![]);
            let one = constant(b, float, &[], &[1.0]);
            let sum = b.op("Add", &[&e, &one], vec![]);
            b.op("Reciprocal", &[&sum], vec![])
        }
        Link::Softmax => b.op("Softmax", &[m], vec![attribute("axis", 1_i64)]),
        Link::Exp => b.op("Exp", &[m], vec![]),
        Link::Log1pExp => softplus(b, float, m),
        Link::SignedSquare => {
            let size = b.op("Abs", &[m], vec![]);
            b.op("Mul", &[m, &size], vec![])
        }
        Link::Step => {
            let zero = constant(b, float, &[], &[0.0]);
            let yes = b.op("Greater", &[m, &zero], vec![]);
            let to = super::input::dtype(float) as i64;
            b.op("Cast", &[&yes], vec![attribute("to", to)])
        }
        Link::Sorted => {
            let k = b.constant(from_i64s("", &[1], [n_outputs as i64]));
            let outputs = [b.fresh("sorted"), b.fresh("order")];
            let attributes = vec![attribute("axis", 1_i64), attribute("largest", 0_i64)];
            b.node("", "TopK", &[m, &k], &outputs, attributes);
            let [sorted, _] = outputs;
            sorted
        }
        Link::CumulativeSoftplus => {
            if n_outputs == 1 {
                return Ok(m.to_string());
            }
            let columns = |from: i64, to: i64| [from, to, 1].map(|v| from_i64s("", &[1], [v]));
            let slice = |from, to| {
                let [from, to, axis] = columns(from, to).map(|t| b.constant(t));
                b.op("Slice", &[m, &from, &to, &axis], vec![])
            };
            let (first, rest) = (slice(0, 1), slice(1, n_outputs as i64));
            let grown = softplus(b, float, &rest);
            let least = constant(b, float, &[], &[1e-6]);
            let grown = b.op("Add", &[&grown, &least], vec![]);
            let parts = b.op("Concat", &[&first, &grown], vec![attribute("axis", 1_i64)]);
            let axis = b.constant(from_i64s("", &[], [1]));
            b.op("CumSum", &[&parts, &axis], vec![])
        }
        other => {
            return Err(Error::unsupported(
                format!("the link {other:?} behind this body"),
                "link",
            ));
        }
    })
}

/// ONNX's SOFTMAX_ZERO: what is within 1e-7 of zero is scaled like the softmax and counts not in it.
fn softmax_zero(x: &Value<'_>) -> String {
    let most = x.max();
    let tiny = x.abs().with("LessOrEqual", 1e-7);
    let e = (x - &most).exp();
    let sum = tiny.choose(0.0, &e).sum();
    let scaled = tiny.choose(&(x * (-most).exp()), &e);
    (scaled / &sum).name().to_string()
}

/// ONNX's PROBIT, with ONNX Runtime's approximation of the inverse error function.
fn probit(x: &Value<'_>) -> String {
    let y = x * 2.0 - 1.0;
    let ln = ((-(&y - 1.0)) * (&y + 1.0)).ln();
    let a = &ln * 0.5 + 2.0 / (std::f64::consts::PI * 0.147);
    let size = ((a.square() - &ln / 0.147).sqrt() - &a).sqrt() * std::f64::consts::SQRT_2;
    let signed = y.less(0.0).choose(&-&size, &size);
    signed.name().to_string()
}

/// `ln(1 + exp(x))`. ONNX Runtime has `Softplus` for f32 only, and Log, which cannot see below
/// 2^-53 beside 1, is exact enough in f64.
fn softplus(b: &Builder, float: Float, x: &str) -> String {
    if float == Float::F32 {
        return b.op("Softplus", &[x], vec![]);
    }
    let zero = constant(b, float, &[], &[0.0]);
    let one = constant(b, float, &[], &[1.0]);
    let size = b.op("Abs", &[x], vec![]);
    let minus = b.op("Neg", &[&size], vec![]);
    let e = b.op("Exp", &[&minus], vec![]);
    let sum = b.op("Add", &[&e, &one], vec![]);
    let log = b.op("Log", &[&sum], vec![]);
    let above = b.op("Max", &[x, &zero], vec![]);
    b.op("Add", &[&above, &log], vec![])
}

/// The smallest margin whose answer is above 0.5, in the margins' own precision; NaN: none is.
/// `None`: the link does not grow with the margin.
///
/// A label taken from the margin by this cut is the source's on every row, whatever the runtime
/// makes of `exp`.
pub(crate) fn cut(link: &Link, float: Float) -> Option<f64> {
    match link.parts().1 {
        Link::Identity
        | Link::Sigmoid { .. }
        | Link::Exp
        | Link::Log1pExp
        | Link::SignedSquare
        | Link::Step => {}
        _ => return None,
    }
    Some(match float {
        Float::F32 => {
            let above = |x: f32| {
                let mut out = [0.0];
                link.apply_f32(&[x], &mut out);
                out[0] > 0.5
            };
            // All f32 in ascending order, as numbers.
            let at = |i: i64| {
                f32::from_bits(if i < 0 {
                    0x8000_0000 | !i as u32
                } else {
                    i as u32
                })
            };
            let last = i64::from(f32::INFINITY.to_bits());
            bisect(-last - 1, last, |i| above(at(i))).map_or(f64::NAN, |i| f64::from(at(i)))
        }
        Float::F64 => {
            let above = |x: f64| {
                let mut out = [0.0];
                link.apply_f64(&[x], &mut out);
                out[0] > 0.5
            };
            let at = |i: i64| f64::from_bits(if i < 0 { 1 << 63 | !i as u64 } else { i as u64 });
            let last = f64::INFINITY.to_bits() as i64;
            bisect(-last - 1, last, |i| above(at(i))).map_or(f64::NAN, at)
        }
    })
}

/// The first number of `low..=high` for which `holds`, which holds from there on.
fn bisect(mut low: i64, mut high: i64, holds: impl Fn(i64) -> bool) -> Option<i64> {
    if !holds(high) {
        return None;
    }
    while low < high {
        // The average, rounded down, of numbers whose difference may not fit.
        let middle = (low & high) + ((low ^ high) >> 1);
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_is_the_first_margin_above_a_half() {
        let sigmoid = Link::Sigmoid { steepness: 1.0 };
        for (link, float) in [
            (sigmoid.clone(), Float::F32),
            (sigmoid, Float::F64),
            (Link::Sigmoid { steepness: 2.0 }, Float::F64),
            (Link::Identity, Float::F32),
            (Link::Exp, Float::F64),
        ] {
            let cut = cut(&link, float).unwrap();
            let answer = |x: f64| {
                let (mut narrow, mut wide) = ([0.0], [0.0]);
                link.apply_f32(&[x as f32], &mut narrow);
                link.apply_f64(&[x], &mut wide);
                if float == Float::F32 {
                    f64::from(narrow[0])
                } else {
                    wide[0]
                }
            };
            let below = match float {
                Float::F32 => f64::from((cut as f32).next_down()),
                Float::F64 => cut.next_down(),
            };
            assert!(answer(cut) > 0.5 && answer(below) <= 0.5, "{link:?} {cut}");
        }
        assert_eq!(cut(&Link::Identity, Float::F64), Some(0.5_f64.next_up()));
        assert_eq!(cut(&Link::Softmax, Float::F64), None);
    }
}
