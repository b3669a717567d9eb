//! The graph's inputs: one matrix, or, where a feature is text, an input a feature.
//!
//! A matrix has one type, so a model that takes text has an input of rows x 1 for every feature, as
//! skl2onnx writes such models: string for categories of text, the matrix's type for anything else. They
//! stand in the order of the features and are named for them. Texts become the codes that stand for
//! them in rows of numbers, and from there on the graph is that of a matrix.
//!
//! An empty text is a missing value, unless it is a category. A text that is no category is -1 where the
//! model takes any ([`FeatureKind::Text`]); where it knows all there are ([`FeatureKind::Categorical`])
//! ONNX Runtime fails on it, since its place is beyond the table that `Gather` reads.

use std::collections::HashSet;

use fretsaw_model::{Categories, Feature, FeatureKind, Float};

use super::input::{cast, constant, dtype};
use crate::Error;
use crate::graph::{Builder, ML, attribute, value};
use crate::proto::tensor_proto::DataType;

/// Names that the graph's outputs have.
const OUTPUTS: [&str; 4] = ["label", "probabilities", "scores", "variable"];

/// Codes up to here are exact in f32.
const LARGEST: usize = 1 << 24;

/// Declares the inputs; gives the matrix that they are or become, whose precision is `float`. With
/// `strings`, a closed list of texts is a reason for an input a feature too.
pub(crate) fn inputs(
    b: &mut Builder,
    features: &[Feature],
    float: Float,
    strings: bool,
) -> Result<String, Error> {
    let is_reason = |f: &Feature| {
        matches!(f.kind, FeatureKind::Text { .. }) || strings && texts(&f.kind).is_some()
    };
    if !features.iter().any(is_reason) {
        let dims = [None, Some(features.len())];
        b.input(value("input", dtype(float), &dims));
        return Ok("input".into());
    }
    let names = names(features);
    for (name, feature) in names.iter().zip(features) {
        let dtype = match texts(&feature.kind) {
            Some(_) => DataType::String,
            None => dtype(float),
        };
        b.input(value(name, dtype, &[None, Some(1)]));
    }
    let mut columns = Vec::new();
    for (name, feature) in names.into_iter().zip(features) {
        columns.push(match texts(&feature.kind) {
            Some(known) if known.len() >= LARGEST => {
                return Err(Error::unsupported(
                    format!("a feature of {} texts", known.len()),
                    format!("feature {:?}", feature.name),
                ));
            }
            Some(known) => {
                let closed = matches!(feature.kind, FeatureKind::Categorical { .. });
                codes(b, known, closed, float, &name)
            }
            None => name,
        });
    }
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    Ok(b.op("Concat", &columns, vec![attribute("axis", 1_i64)]))
}

/// The texts that a feature knows, in the order of their codes.
fn texts(kind: &FeatureKind) -> Option<&[String]> {
    match kind {
        FeatureKind::Text { known }
        | FeatureKind::Categorical {
            categories: Some(Categories::Strings(known)),
        } => Some(known),
        _ => None,
    }
}

/// The features' names as ONNX takes them, letters and digits, each another.
fn names(features: &[Feature]) -> Vec<String> {
    let mut taken: HashSet<String> = OUTPUTS.map(str::to_string).into();
    let name = |feature: &Feature| {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let mut name: String = feature.name.chars().map(plain).collect();
        if name.chars().next().is_none_or(|c| c.is_ascii_digit()) {
            name.insert(0, '_');
        }
        while !taken.insert(name.clone()) {
            name.push('_');
        }
        name
    };
    features.iter().map(name).collect()
}

/// The codes of the texts `x`.
fn codes(b: &Builder, known: &[String], closed: bool, float: Float, x: &str) -> String {
    let n = known.len();
    let (mut keys, mut codes) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    // The first of equals counts, as in tables.
    for (code, text) in known.iter().enumerate() {
        if seen.insert(text.as_str()) {
            keys.push(text.clone());
            codes.push(code as i64);
        }
    }
    if !seen.contains("") {
        keys.push(String::new());
        codes.push(n as i64);
    }
    let place = b.fresh("place");
    let attributes = vec![
        attribute("keys_strings", keys),
        attribute("values_int64s", codes),
        attribute("default_int64", n as i64 + 1),
    ];
    let output = std::slice::from_ref(&place);
    b.node(ML, "LabelEncoder", &[x], output, attributes);
    let mut table: Vec<f64> = (0..n).map(|code| code as f64).collect();
    table.push(f64::NAN);
    if !closed {
        table.push(-1.0);
    }
    let table = constant(b, Float::F32, &[table.len()], &table);
    let code = b.op("Gather", &[&table, &place], vec![]);
    cast(b, &code, Float::F32, float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_each_another() {
        let features = ["a b", "a_b", "", "9", "label", "größe", "a-b"].map(Feature::numeric);
        assert_eq!(
            names(&features),
            ["a_b", "a_b_", "_", "_9", "label_", "gr__e", "a_b__"]
        );
    }
}
