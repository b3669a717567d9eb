//! The operators of `ai.onnx.ml` that prepare features, with the arithmetic of ONNX Runtime.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use fretsaw_model::{Codes, Encoder, Function, Labels, Norm, Step};

use super::arithmetic::{against, choose, decided};
use super::operands::{constant, kind};
use super::shapes::side_by_side;
use super::value::{Class, Kind, Row, Value};
use super::{Op, Reader};
use crate::Error;
use crate::proto::tensor_proto::DataType;

/// Categories, each counted for every column that they are looked up for.
const MAX_KEYS: usize = 1 << 22;

/// The operators of this file; `None` for others.
pub(super) fn operator<'a>(r: &Reader<'a>, op: Op<'a>) -> Option<Result<Value, Error>> {
    Some(match op.name() {
        "Scaler" => scaler(r, op).map(Value::Row),
        "Imputer" => imputer(r, op).map(Value::Row),
        "Normalizer" => normalizer(r, op).map(Value::Row),
        "Binarizer" => binarizer(r, op).map(Value::Row),
        "OneHotEncoder" => one_hot(r, op).map(Value::Row),
        "LabelEncoder" => label_encoder(r, op),
        "FeatureVectorizer" => vectorizer(r, op).map(Value::Row),
        "ZipMap" => match r.input(op, 0) {
            // The names of its keys are looked at where it is an output.
            Some(value) => Ok(value.clone()),
            None => Err(op.refuse("a map of nothing")),
        },
        _ => return None,
    })
}

/// Rows of numbers, and how many columns they have.
fn table<'a>(r: &Reader<'a>, op: Op<'a>, i: usize) -> Result<(Row, usize), Error> {
    let row = r.row(op, i)?;
    match row.columns() {
        Some(n) if row.kind != Kind::Text => Ok((row, n)),
        _ => Err(op.refuse("an input that is not rows of numbers")),
    }
}

/// One value a column, of a list that has one value for all or one each.
fn each(op: Op<'_>, values: Vec<f64>, n: usize) -> Result<Vec<f64>, Error> {
    match values[..] {
        [one] => Ok(vec![one; n]),
        _ if values.len() == n => Ok(values),
        _ => Err(
            Error::invalid(format!("{} constants for {n} features", values.len())).at(op.place()),
        ),
    }
}

/// `(x - offset) * scale`, each rounded for f32; of other numbers it is made in f64, then rounded.
fn scaler<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let (row, n) = table(r, op, 0)?;
    let offset = each(op, op.floats("offset"), n)?;
    let scale = each(op, op.floats("scale"), n)?;
    let moved = row.each(Step::Affine {
        factor: vec![1.0; n],
        offset: offset.iter().map(|o| -o).collect(),
    });
    let scaled = moved.rounded().each(Step::Affine {
        factor: scale,
        offset: vec![-0.0; n],
    });
    Ok(scaled.of_kind(Kind::F32).rounded())
}

fn imputer<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let (row, n) = table(r, op, 0)?;
    let whole = op
        .ints("imputed_value_int64s")
        .iter()
        .map(|&v| v as f64)
        .collect::<Vec<_>>();
    let (values, marker) = match row.kind {
        Kind::Int => (whole, op.int("replaced_value_int64").unwrap_or(0) as f64),
        _ => (
            op.floats("imputed_value_floats"),
            op.float("replaced_value_float").unwrap_or(0.0),
        ),
    };
    let values = each(op, values, n)?;
    if marker.is_nan() {
        return Ok(row.each(Step::Impute { values }));
    }
    if !row.exact {
        return Err(op.refuse("a marker among values that are known within rounding only"));
    }
    let marked = against(&row, "Equal", &vec![marker; n])?;
    let fill = marked.each(Step::Affine {
        factor: vec![0.0; n],
        offset: values,
    });
    choose(&marked, &fill, &row)
}

fn normalizer<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let (row, _) = table(r, op, 0)?;
    let norm = match op.text("norm").unwrap_or("MAX") {
        "L1" => Norm::L1,
        "L2" => Norm::L2,
        // ONNX Runtime divides by the largest value, which may be below 0, and not the largest size.
        other => return Err(op.refuse(&format!("the norm {other}"))),
    };
    Ok(row
        .each(Step::Normalize(norm))
        .of_kind(Kind::F32)
        .rounded()
        .near())
}

fn binarizer<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let threshold = op.float("threshold").unwrap_or(0.0);
    let row = match threshold {
        0.0 => r.row(op, 0)?,
        _ => decided(r, op, 0)?,
    };
    Ok(row.map(Function::Above(threshold)))
}

/// 1 at the place of the category; a new last axis.
fn one_hot<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let row = r.row(op, 0)?;
    if !row.exact {
        return Err(op.refuse("categories made of values that are known within rounding only"));
    }
    let unknown = op.int("zeros").unwrap_or(1) != 0;
    let whole = op.ints("cats_int64s");
    let text = op
        .texts("cats_strings")
        .ok_or_else(|| op.refuse("a category that is not UTF-8"))?;
    let width = whole.len().max(text.len()) as u32;
    if (width as usize).saturating_mul(row.width()) > MAX_KEYS {
        return Err(op.refuse("so many categories of so many columns"));
    }
    let encoder = |column: usize| -> Result<Encoder, Error> {
        let keys: Vec<f64> = match row.kind {
            Kind::Text => text
                .iter()
                .map(|t| r.sources.code(row.features[column], t))
                .collect(),
            _ => whole.iter().map(|&c| c as f64).collect(),
        };
        let missing = keys.iter().position(|k| k.is_nan()).map(|i| i as u32);
        let present = keys.iter().map(|&k| Key(k)).zip(0..);
        let values: BTreeMap<Key, u32> = present.filter(|(k, _)| !k.0.is_nan()).collect();
        if values.len() + usize::from(missing.is_some()) != width as usize || width == 0 {
            let what = "its categories are of another type than its input, or not distinct";
            return Err(Error::invalid(what).at(op.place()));
        }
        Ok(Encoder {
            column: column as u32,
            keys: values.keys().map(|k| k.0 + 0.0).collect(),
            code_of: values.into_values().collect(),
            missing,
            unknown: unknown.then_some(width),
            codes: Codes::OneHot { width },
        })
    };
    let encoders = (0..row.width()).map(encoder).collect::<Result<_, _>>()?;
    // ONNX Runtime makes whole numbers of others before it looks them up.
    let input = match row.kind {
        Kind::F32 | Kind::F64 => row.map(Function::Truncate),
        _ => row.clone(),
    };
    let mut dims = row.dims.clone();
    dims.push(Some(width as usize));
    Ok(input.then(Step::Encode(encoders), dims).of_kind(Kind::F32))
}

/// A number as a key of an ordered map.
#[derive(Clone, Copy, PartialEq)]
struct Key(f64);

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // -0 is 0 to a lookup.
        (self.0 + 0.0).total_cmp(&(other.0 + 0.0))
    }
}

/// The lists of a `LabelEncoder`.
enum List {
    Numbers(Vec<f64>, Kind),
    Texts(Vec<String>),
}

impl List {
    fn len(&self) -> usize {
        match self {
            Self::Numbers(v, _) => v.len(),
            Self::Texts(v) => v.len(),
        }
    }
}

fn list(op: Op<'_>, what: &str) -> Result<List, Error> {
    if let Some(t) = op
        .attribute(&format!("{what}_tensor"))
        .and_then(|a| a.t.as_ref())
    {
        let kind = DataType::try_from(t.data_type.unwrap_or(0))
            .ok()
            .and_then(kind);
        let c = constant(t).map_err(|e| e.at(op.place()))?;
        return Ok(match (c.names.as_deref(), kind) {
            (Some(Labels::Strings(text)), _) => List::Texts(text.clone()),
            _ if !c.is_whole() => return Err(op.refuse("whole numbers beyond 2^53")),
            (_, Some(kind)) => List::Numbers(c.values.to_vec(), kind),
            _ => return Err(op.refuse("a list of this type")),
        });
    }
    let text = op
        .texts(&format!("{what}_strings"))
        .ok_or_else(|| op.refuse("text that is not UTF-8"))?;
    let floats = op.floats(&format!("{what}_floats"));
    let ints = op.ints(&format!("{what}_int64s"));
    if ints.iter().any(|v| v.unsigned_abs() >= 1 << 53) {
        return Err(op.refuse("whole numbers beyond 2^53"));
    }
    Ok(match (text.is_empty(), floats.is_empty()) {
        (false, _) => List::Texts(text),
        (_, false) => List::Numbers(floats, Kind::F32),
        _ => List::Numbers(ints.iter().map(|&v| v as f64).collect(), Kind::Int),
    })
}

/// A lookup of numbers or text; of classes it gives other names to them.
fn label_encoder<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Value, Error> {
    if op.attribute("classes_strings").is_some() {
        return Err(op.refuse("a LabelEncoder of ai.onnx.ml 1"));
    }
    let (keys, values) = (list(op, "keys")?, list(op, "values")?);
    if keys.len() != values.len() || keys.len() == 0 {
        return Err(
            Error::invalid(format!("{} keys for {} values", keys.len(), values.len()))
                .at(op.place()),
        );
    }
    if let Some(class) = r.class(op, 0) {
        return renamed(op, class, &keys, &values).map(Value::Class);
    }
    let row = r.row(op, 0)?;
    if !row.exact {
        return Err(op.refuse("a lookup of values that are known within rounding only"));
    }
    let List::Numbers(mut table, kind) = values else {
        return Err(op.refuse("text made of features"));
    };
    table.push(default(op, kind)?);
    let other = table.len() as u32 - 1;
    if table.len().saturating_mul(row.width()) > MAX_KEYS {
        return Err(op.refuse("so many keys for so many columns"));
    }
    let encoder = |column: usize| -> Result<Encoder, Error> {
        let own: Vec<f64> = match (&keys, row.kind) {
            (List::Texts(text), Kind::Text) => text
                .iter()
                .map(|t| r.sources.code(row.features[column], t))
                .collect(),
            (List::Numbers(numbers, _), kind) if kind != Kind::Text => numbers.clone(),
            _ => {
                return Err(
                    Error::invalid("its keys are of another type than its input").at(op.place()),
                );
            }
        };
        let missing = own.iter().position(|k| k.is_nan()).map(|i| i as u32);
        if missing.is_some() && row.kind != Kind::Text && r.ml_opset < 4 {
            return Err(
                op.refuse("a missing value as a key before ai.onnx.ml 4 (it is never found)")
            );
        }
        let known = own
            .iter()
            .map(|&k| Key(k))
            .zip(0..)
            .filter(|(k, _)| !k.0.is_nan());
        // The first of equal keys counts.
        let mut codes = BTreeMap::new();
        for (key, code) in known {
            codes.entry(key).or_insert(code);
        }
        Ok(Encoder {
            column: column as u32,
            keys: codes.keys().map(|k| k.0 + 0.0).collect(),
            code_of: codes.into_values().collect(),
            missing,
            unknown: Some(other),
            codes: Codes::Values {
                width: 1,
                values: table.clone(),
            },
        })
    };
    let encoders = (0..row.width()).map(encoder).collect::<Result<_, _>>()?;
    Ok(Value::Row(row.each(Step::Encode(encoders)).of_kind(kind)))
}

/// What a key that is not known becomes.
fn default(op: Op<'_>, kind: Kind) -> Result<f64, Error> {
    if op.attribute("default_tensor").is_some() {
        return match list(op, "default")? {
            List::Numbers(v, _) if v.len() == 1 => Ok(v[0]),
            _ => Err(Error::invalid("its default is no number").at(op.place())),
        };
    }
    Ok(match kind {
        Kind::Int => op.int("default_int64").unwrap_or(-1) as f64,
        _ => op.float("default_float").unwrap_or(-0.0),
    })
}

fn renamed(op: Op<'_>, class: &Class, keys: &List, values: &List) -> Result<Class, Error> {
    let lost = || op.refuse("a class that has no new name");
    // Classes that are numbered have the numbers of the keys that there are.
    let numbers = |v: &[f64]| v.iter().map(|&k| k as i64).collect::<Vec<_>>();
    let places: Vec<usize> = match (class.names.as_deref(), keys) {
        (Some(Labels::Strings(names)), List::Texts(keys)) => {
            let at: HashMap<&String, usize> = keys.iter().zip(0..).collect();
            names
                .iter()
                .map(|n| at.get(n).copied())
                .collect::<Option<_>>()
        }
        (names, List::Numbers(keys, Kind::Int)) => {
            let at: HashMap<i64, usize> = numbers(keys).into_iter().zip(0..).collect();
            let own = match names {
                Some(Labels::Ints(own)) => own.clone(),
                None => (0..keys.len() as i64).collect(),
                _ => return Err(lost()),
            };
            own.iter().map(|n| at.get(n).copied()).collect()
        }
        _ => None,
    }
    .ok_or_else(lost)?;
    let names = match values {
        List::Texts(v) => Labels::Strings(places.iter().map(|&i| v[i].clone()).collect()),
        List::Numbers(v, Kind::Int) => Labels::Ints(places.iter().map(|&i| v[i] as i64).collect()),
        List::Numbers(..) => return Err(op.refuse("classes named by fractions")),
    };
    Ok(Class {
        names: Some(Rc::new(names)),
        ..class.clone()
    })
}

/// Its inputs side by side, as f32.
fn vectorizer<'a>(r: &Reader<'a>, op: Op<'a>) -> Result<Row, Error> {
    let n = op.node.input.len();
    let tables = (0..n)
        .map(|i| table(r, op, i))
        .collect::<Result<Vec<_>, _>>()?;
    let rows: Vec<Row> = tables
        .into_iter()
        .map(|(row, n)| row.shaped(vec![None, Some(n)]).of_kind(Kind::F32).rounded())
        .collect();
    side_by_side(op, &rows, 1)
}
