//! Functions of one value, in f64.
//!
//! ONNX has neither `ln(1 + x)` nor `e^x - 1`, and what it has loses their digits near 0: both are
//! made of `Log` and `Exp` by Kahan's corrections, which bring back what rounding took. `Sigmoid` is
//! not used (see `link`).

use fretsaw_model::{Function, Power, normal};

use super::wide::Value;

/// One function of every value.
pub(crate) fn map<'b>(function: Function, x: &Value<'b>) -> Option<Value<'b>> {
    Some(match function {
        Function::Relu => x.less(0.0).choose(0.0, x),
        Function::Tanh => x.unary("Tanh"),
        Function::Logistic => ((-x).exp() + 1.0).unary("Reciprocal"),
        Function::Exp => x.exp(),
        Function::Exp2 => Value::doubles(x.builder(), &[], &[2.0]).pow(x),
        Function::ExpM1 => exp_m1(x),
        Function::Ln => x.ln(),
        Function::Log2 => x.ln() / std::f64::consts::LN_2,
        Function::Log10 => x.ln() / std::f64::consts::LN_10,
        Function::Ln1p => ln_1p(x),
        Function::Sqrt => x.sqrt(),
        Function::Square => x.square(),
        Function::Abs => x.abs(),
        Function::Negate => -x,
        Function::Reciprocal => x.unary("Reciprocal"),
        Function::Round => x.unary("Round"),
        Function::Narrow => x.single().double(),
        Function::Floor => x.unary("Floor"),
        Function::Truncate => {
            let up = x.unary("Ceil");
            x.less(0.0).choose(&up, x.unary("Floor"))
        }
        Function::Above(t) => x.above(t).double(),
        Function::AtLeast(t) => x.at_least(t).double(),
        Function::Clip { low, high } => {
            let below_high = x.above(high).choose(high, x);
            x.less(low).choose(low, &below_high)
        }
        Function::NormalQuantile => normal_quantile(x),
        _ => return None,
    })
}

/// `ln(1 + x)`: `ln u * x / (u - 1)` of `u = 1 + x`.
pub(crate) fn ln_1p<'b>(x: &Value<'b>) -> Value<'b> {
    let u = x + 1.0;
    let added = &u - 1.0;
    // Nothing is added to 1, or the sum is infinite.
    let plain = added.equals(x);
    let ln = u.ln();
    let corrected = &ln * (x / &added);
    let exact = plain.choose(&ln, &corrected);
    added.equals(0.0).choose(x, &exact)
}

/// `e^x - 1`: `(u - 1) * x / ln u` of `u = e^x`.
pub(crate) fn exp_m1<'b>(x: &Value<'b>) -> Value<'b> {
    let u = x.exp();
    let less = &u - 1.0;
    let corrected = &less * (x / u.ln());
    // Far from 0 there is nothing to correct, and the correction divides infinities.
    let far = x.abs().above(1.0).choose(&less, &corrected);
    less.equals(0.0).choose(x, &far)
}

/// A power transform, one exponent a column.
pub(crate) fn power<'b>(kind: Power, lambdas: &[f64], x: &Value<'b>) -> Value<'b> {
    let or_one = |flat: &[bool], exponents: &[f64]| -> Vec<f64> {
        let one = |(&flat, &l): (&bool, &f64)| if flat { 1.0 } else { l };
        flat.iter().zip(exponents).map(one).collect()
    };
    let mask =
        |flat: &[bool]| -> Vec<f64> { flat.iter().map(|&f| f64::from(u8::from(f))).collect() };
    match kind {
        Power::BoxCox => {
            let flat: Vec<bool> = lambdas.iter().map(|l| l.abs() < 1e-19).collect();
            let exponent = or_one(&flat, lambdas);
            let ln = x.ln();
            let curved = exp_m1(&(&ln * &exponent[..])) / &exponent[..];
            constant_mask(x, &mask(&flat)).choose(&ln, &curved)
        }
        _ => {
            let mirrored: Vec<f64> = lambdas.iter().map(|l| 2.0 - l).collect();
            let up: Vec<bool> = lambdas.iter().map(|l| l.abs() < f64::EPSILON).collect();
            let down: Vec<bool> = lambdas
                .iter()
                .map(|l| (l - 2.0).abs() <= f64::EPSILON)
                .collect();
            let above = x.at_least(0.0);
            let ln = ln_1p(&x.abs());
            let exponent = above.choose(&or_one(&up, lambdas)[..], &or_one(&down, &mirrored)[..]);
            let flat = above.choose(&mask(&up)[..], &mask(&down)[..]);
            let raised = match kind {
                Power::YeoJohnsonPowers => (x.abs() + 1.0).pow(&exponent) - 1.0,
                _ => exp_m1(&(&exponent * &ln)),
            };
            let curved = raised / &exponent;
            let size = flat.above(0.5).choose(&ln, &curved);
            above.choose(&size, &-&size)
        }
    }
}

/// Truth values, one a column.
fn constant_mask<'b>(x: &Value<'b>, mask: &[f64]) -> Value<'b> {
    Value::doubles(x.builder(), &[1, mask.len()], mask).above(0.5)
}

/// Cephes' rational approximations, each computed of every value, and the one that is meant chosen.
fn normal_quantile<'b>(p: &Value<'b>) -> Value<'b> {
    let horner = |x: &Value<'b>, first: Option<f64>, coefficients: &[f64]| {
        let (start, rest) = match first {
            Some(_) => (x + coefficients[0], &coefficients[1..]),
            None => (x * coefficients[0] + coefficients[1], &coefficients[2..]),
        };
        rest.iter().fold(start, |sum, &c| sum * x + c)
    };
    let ratio = |x: &Value<'b>, over: &[f64], under: &[f64]| {
        horner(x, None, over) / horner(x, Some(1.0), under)
    };
    let upper = p.above(1.0 - normal::EDGE);
    let y = upper.choose(&(-(p - 1.0)), p);
    let middle = {
        let y = &y - 0.5;
        let y2 = y.square();
        let curve = &y2 * ratio(&y2, &normal::P0, &normal::Q0);
        (&y + &y * curve) * normal::SQRT_2_PI
    };
    let tail = {
        let x = (y.ln() * -2.0).sqrt();
        let x0 = &x - x.ln() / &x;
        let z = x.unary("Reciprocal");
        let near = &z * ratio(&z, &normal::P1, &normal::Q1);
        let far = &z * ratio(&z, &normal::P2, &normal::Q2);
        let size = &x0 - x.less(8.0).choose(&near, &far);
        upper.choose(&size, &-&size)
    };
    let inside = y.above(normal::EDGE).choose(&middle, &tail);
    // 0 and 1 are infinite, and the logarithms of what is beyond are NaN already.
    let low = p.equals(0.0).choose(f64::NEG_INFINITY, &inside);
    p.equals(1.0).choose(f64::INFINITY, &low)
}
