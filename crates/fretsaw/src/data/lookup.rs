//! Looking up a value among the names that a model knows: a feature's categories, its classes.

use std::collections::HashMap;

use fretsaw_model::{Categories, Labels, Model};

use super::csv::{Number, number};
use super::{Cell, some_of};

/// Known values and their positions.
#[derive(Debug)]
pub(super) enum Lookup<'a> {
    Texts(HashMap<&'a str, usize>, &'a [String]),
    Ints(HashMap<i128, usize>, Vec<i64>),
    /// By their bits, zeros alike.
    Floats(HashMap<u64, usize>, &'a [f64]),
}

impl<'a> Lookup<'a> {
    /// The categories of a feature.
    pub(super) fn categories(categories: &'a Categories) -> Self {
        match categories {
            Categories::Strings(v) => Self::texts(v),
            Categories::Ints(v) => Self::ints(v.clone()),
            Categories::Floats(v) => {
                Self::Floats(positions(v.iter().map(|x| (x + 0.0).to_bits())), v)
            }
        }
    }

    /// The classes of a model; numbers from 0 where it names none.
    pub(super) fn classes(model: &'a Model) -> Self {
        match &model.labels {
            Some(Labels::Strings(v)) => Self::texts(v),
            Some(Labels::Ints(v)) => Self::ints(v.clone()),
            None => Self::ints((0..model.n_classes()).map(|i| i as i64).collect()),
        }
    }

    /// Text.
    pub(super) fn texts(known: &'a [String]) -> Self {
        Self::Texts(positions(known.iter().map(String::as_str)), known)
    }

    fn ints(known: Vec<i64>) -> Self {
        Self::Ints(positions(known.iter().map(|&i| i.into())), known)
    }

    /// The position of the value, if it is known.
    ///
    /// A number is found among texts by its textual forms (`1.0` and `1`), a written number among
    /// numbers by its value.
    pub(super) fn find(&self, cell: Cell<'_>) -> Option<usize> {
        match self {
            Self::Texts(known, _) => {
                let get = |text: &str| known.get(text).copied();
                match cell {
                    Cell::Missing => None,
                    Cell::Written(s) | Cell::Text(s) => get(s),
                    Cell::Bool(true) => get("True").or_else(|| get("true")),
                    Cell::Bool(false) => get("False").or_else(|| get("false")),
                    Cell::Int(i) => get(&i.to_string()),
                    Cell::F32(x) => get(&format!("{x:?}")).or_else(|| get(&x.to_string())),
                    Cell::F64(x) => get(&format!("{x:?}")).or_else(|| get(&x.to_string())),
                }
            }
            Self::Ints(known, _) => {
                let whole = match cell {
                    Cell::Int(i) => i,
                    // Beyond 2^53 an integer as text is not what its double would be.
                    Cell::Written(s) => match s.trim_ascii().parse() {
                        Ok(i) => i,
                        Err(_) => whole(value(cell)?)?,
                    },
                    _ => whole(value(cell)?)?,
                };
                known.get(&whole).copied()
            }
            Self::Floats(known, _) => known.get(&(value(cell)? + 0.0).to_bits()).copied(),
        }
    }

    /// Some of the known values, for a message.
    pub(super) fn some_known(&self) -> String {
        match self {
            Self::Texts(_, v) => some_of(v.iter()),
            Self::Ints(_, v) => some_of(v.iter().map(i64::to_string)),
            Self::Floats(_, v) => some_of(v.iter().map(|x| format!("{x:?}"))),
        }
    }
}

/// The first of equals counts.
fn positions<K: std::hash::Hash + Eq>(keys: impl Iterator<Item = K>) -> HashMap<K, usize> {
    let mut map = HashMap::new();
    for (i, key) in keys.enumerate() {
        map.entry(key).or_insert(i);
    }
    map
}

/// The value of a number, a truth value or a written number.
fn value(cell: Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Missing | Cell::Text(_) => None,
        Cell::Written(s) => number(s).map(|n| match n {
            Number::Float(x) => x,
            Number::Bool(b) => f64::from(u8::from(b)),
        }),
        Cell::Bool(b) => Some(f64::from(u8::from(b))),
        Cell::Int(i) => Some(i as f64),
        Cell::F32(x) => Some(x.into()),
        Cell::F64(x) => Some(x),
    }
}

/// The integer that `x` is, if it is one.
fn whole(x: f64) -> Option<i128> {
    (x.trunc() == x && x.abs() < 1e30).then_some(x as i128)
}
