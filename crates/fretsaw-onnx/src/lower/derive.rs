//! Features that are looked up by a key of others: the key in int64, whose products wrap as the
//! reference's do, the table's row by `LabelEncoder`, its values by `Gather`.

use fretsaw_model::{Derived, Float, KeyPart};

use super::encode::LARGEST;
use super::input::{cast, constant};
use super::wide::Value;
use crate::Error;
use crate::graph::{Builder, ML, attribute};

/// The multiplier of the reference's `extend_key`.
const M: i64 = 0x4906_ba49_4954_cb65;

/// Appends the derived features, each seeing those before it.
pub(crate) fn derive(
    b: &Builder,
    derived: &[Derived],
    float: Float,
    mut width: usize,
    x: &str,
) -> Result<String, Error> {
    let mut x = x.to_string();
    for (i, d) in derived.iter().enumerate() {
        if d.keys.len() as f64 > LARGEST {
            return Err(Error::unsupported(
                format!(
                    "a table of {} keys (LabelEncoder answers f32)",
                    d.keys.len()
                ),
                format!("table {i}"),
            ));
        }
        let own = values(b, d, float, width, &x);
        x = b.op("Concat", &[&x, &own], vec![attribute("axis", 1_i64)]);
        width += d.otherwise.len();
    }
    Ok(x)
}

fn values(b: &Builder, d: &Derived, float: Float, width: usize, x: &str) -> String {
    let x = Value::new(b, cast(b, x, float, Float::F64));
    let place = place(d, width, &x);
    let n = d.otherwise.len();
    let table: Vec<f64> = d.values.iter().chain(&d.otherwise).copied().collect();
    let table = constant(b, float, &[d.keys.len() + 1, n], &table);
    let taken = b.op("Gather", &[&table, place.name()], vec![]);
    let shape = Value::ints(b, &[2], [-1, n as i64]);
    b.op("Reshape", &[&taken, shape.name()], vec![])
}

/// The row of the table for each row's key: one column of whole numbers, the last for no key.
fn place<'b>(d: &Derived, width: usize, x: &Value<'b>) -> Value<'b> {
    let b = x.builder();
    let int = |v: i64| Value::ints(b, &[], [v]);
    let mut key: Option<Value<'b>> = None;
    let mut valid: Option<Value<'b>> = None;
    for part in &d.parts {
        debug_assert!((part.feature() as usize) < width);
        let v = x.columns([i64::from(part.feature())]);
        if part.is_hashed() {
            let whole = v.equals(v.unary("Floor"));
            let range = Value::of("And", &[&v.at_least(0.0), &v.less(4_294_967_296.0)]);
            let own = Value::of("And", &[&whole, &range]);
            valid = Some(match valid {
                Some(valid) => Value::of("And", &[&valid, &own]),
                None => own,
            });
        }
        let number = match *part {
            // The hash counts as a signed number of 32 bits.
            KeyPart::Category { .. } => {
                let v = v.is_nan().choose(0.0, &v);
                let signed = v
                    .at_least(2_147_483_648.0)
                    .choose(&(&v - 4_294_967_296.0), &v);
                signed.int()
            }
            KeyPart::Is { category, .. } => v.equals(f64::from(category)).int(),
            KeyPart::Above {
                border, missing, ..
            } => {
                let narrow = Value::new(b, cast(b, v.name(), Float::F64, Float::F32));
                let narrow = narrow.name();
                let border = constant(b, Float::F32, &[], &[f64::from(border)]);
                let above = Value::new(b, b.op("Greater", &[narrow, &border], vec![])).int();
                match missing {
                    true => v.is_nan().choose(int(1), &above),
                    false => above,
                }
            }
        };
        let part = number * &int(M);
        let sum = match key {
            Some(key) => key + &part,
            None => part,
        };
        key = Some(sum * &int(M));
    }
    let n = d.keys.len();
    let Some(key) = key.filter(|_| n > 0) else {
        // A key of nothing is 0; and no key is in an empty table.
        let at = d.keys.binary_search(&0).unwrap_or(n);
        return x.zeros(1).int() + &int(at as i64);
    };
    let found = b.fresh("place");
    let keys: Vec<i64> = d.keys.iter().map(|&k| k as i64).collect();
    let attributes = vec![
        attribute("keys_int64s", keys),
        attribute(
            "values_floats",
            (0..n).map(|i| i as f32).collect::<Vec<_>>(),
        ),
        attribute("default_float", n as f32),
    ];
    b.node(
        ML,
        "LabelEncoder",
        &[key.name()],
        std::slice::from_ref(&found),
        attributes,
    );
    let found = Value::new(b, found).int();
    match valid {
        Some(valid) => valid.choose(&found, int(n as i64)),
        None => found,
    }
}
