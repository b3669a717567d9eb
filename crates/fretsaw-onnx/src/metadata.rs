//! What a file says about itself beyond its graph: where the model comes from, what its features
//! are called, what their categories are. Kept in `metadata_props` under `fretsaw.` keys.
//!
//! Nothing here changes an answer: a file without it predicts the same.

use fretsaw_model::{Answer, Categories, Draft, Feature, FeatureKind, Labels, Provenance};
use serde_json::{Value, json};

use crate::proto::{ModelProto, StringStringEntryProto};

const FRAMEWORK: &str = "fretsaw.framework";
const FRAMEWORK_VERSION: &str = "fretsaw.framework_version";
const FORMAT: &str = "fretsaw.format";
const OBJECTIVE: &str = "fretsaw.objective";
const SOURCE: &str = "fretsaw.source_sha256";
const PASSES: &str = "fretsaw.passes";
/// The key of a file's metadata that lists its features, for [`features_in`].
pub const FEATURES: &str = "fretsaw.features";
const LABELS: &str = "fretsaw.multilabel";

/// One line for `doc_string`.
pub(crate) fn summary(model: &Draft) -> String {
    let p = &model.provenance;
    let passes = if p.passes.is_empty() {
        String::new()
    } else {
        format!("; passes: {}", p.passes.join(", "))
    };
    format!(
        "{} {}{passes}",
        p.framework,
        p.objective.as_deref().unwrap_or("model")
    )
}

/// The entries for a model, in a fixed order.
pub(crate) fn write(model: &Draft) -> Vec<StringStringEntryProto> {
    let p = &model.provenance;
    let mut entries = Vec::new();
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            entries.push(StringStringEntryProto {
                key: Some(key.to_string()),
                value: Some(value),
            });
        }
    };
    put(FRAMEWORK, Some(p.framework.clone()));
    put(FRAMEWORK_VERSION, p.framework_version.clone());
    put(FORMAT, Some(p.format.clone()));
    put(OBJECTIVE, p.objective.clone());
    put(SOURCE, p.source_sha256.clone());
    put(PASSES, Some(json!(p.passes).to_string()));
    let features: Vec<Value> = model.features.iter().map(feature).collect();
    put(FEATURES, Some(Value::from(features).to_string()));
    if model.answer == Answer::Labels {
        let names = match &model.labels {
            None => Value::Null,
            Some(Labels::Ints(v)) => json!(v),
            Some(Labels::Strings(v)) => json!(v),
        };
        put(LABELS, Some(names.to_string()));
    }
    entries
}

/// A numeric feature is its name; a categorical one is an object.
fn feature(f: &Feature) -> Value {
    match &f.kind {
        FeatureKind::Numeric => json!(f.name),
        FeatureKind::Hashed => json!({ "name": f.name, "hashed": true }),
        FeatureKind::Text { known } => json!({ "name": f.name, "text": known }),
        FeatureKind::Categorical { categories } => json!({
            "name": f.name,
            "categories": match categories {
                None => Value::Null,
                Some(Categories::Strings(v)) => json!(v),
                Some(Categories::Ints(v)) => json!(v),
                Some(Categories::Floats(v)) => json!(v),
            },
        }),
    }
}

fn get<'a>(model: &'a ModelProto, key: &str) -> Option<&'a str> {
    model
        .metadata_props
        .iter()
        .find(|e| e.key.as_deref() == Some(key))
        .and_then(|e| e.value.as_deref())
}

/// Where a file comes from; a file of another maker comes from ONNX.
pub(crate) fn provenance(model: &ModelProto) -> Provenance {
    let text = |key| get(model, key).map(str::to_string);
    let passes = get(model, PASSES).and_then(|p| serde_json::from_str(p).ok());
    match text(FRAMEWORK) {
        Some(framework) => Provenance {
            framework,
            framework_version: text(FRAMEWORK_VERSION),
            format: text(FORMAT).unwrap_or_default(),
            objective: text(OBJECTIVE),
            source_sha256: text(SOURCE),
            passes: passes.unwrap_or_default(),
        },
        None => Provenance {
            framework: "onnx".into(),
            framework_version: model.producer_name.as_ref().map(|name| {
                let version = model.producer_version.as_deref().unwrap_or("");
                format!("{name} {version}").trim_end().to_string()
            }),
            format: "onnx".into(),
            ..Provenance::default()
        },
    }
}

/// The features, where the file names `n` of them; otherwise `f0`, `f1`, ...
pub(crate) fn features(model: &ModelProto, n: usize) -> Vec<Feature> {
    named_features(model)
        .filter(|v| v.len() == n)
        .unwrap_or_else(|| (0..n).map(|i| Feature::numeric(format!("f{i}"))).collect())
}

/// The features as the file names them, if it does.
pub(crate) fn named_features(model: &ModelProto) -> Option<Vec<Feature>> {
    features_in(get(model, FEATURES)?)
}

/// The features that the metadata under [`FEATURES`] list; `None` where it is no such list.
pub fn features_in(text: &str) -> Option<Vec<Feature>> {
    let features: Vec<Value> = serde_json::from_str(text).ok()?;
    features.iter().map(read_feature).collect()
}

fn read_feature(v: &Value) -> Option<Feature> {
    if let Some(name) = v.as_str() {
        return Some(Feature::numeric(name));
    }
    if v.get("hashed").and_then(Value::as_bool) == Some(true) {
        return Some(Feature {
            name: v.get("name")?.as_str()?.to_string(),
            kind: FeatureKind::Hashed,
        });
    }
    if let Some(known) = v.get("text").and_then(Value::as_array) {
        let text = |v: &Value| v.as_str().map(str::to_string);
        return Some(Feature {
            name: v.get("name")?.as_str()?.to_string(),
            kind: FeatureKind::Text {
                known: known.iter().map(text).collect::<Option<_>>()?,
            },
        });
    }
    let categories = match v.get("categories")? {
        Value::Null => None,
        Value::Array(values) => Some(if values.iter().all(Value::is_string) {
            Categories::Strings(
                values
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_string)
                    .collect(),
            )
        } else if values.iter().all(Value::is_i64) {
            Categories::Ints(values.iter().filter_map(Value::as_i64).collect())
        } else {
            Categories::Floats(values.iter().map(Value::as_f64).collect::<Option<_>>()?)
        }),
        _ => return None,
    };
    Some(Feature {
        name: v.get("name")?.as_str()?.to_string(),
        kind: FeatureKind::Categorical { categories },
    })
}

/// Whether the answers are independent labels, and their names.
pub(crate) fn multilabel(model: &ModelProto) -> Option<Option<Labels>> {
    let names: Value = serde_json::from_str(get(model, LABELS)?).ok()?;
    Some(names.as_array().and_then(|names| {
        if names.iter().all(Value::is_i64) {
            Some(Labels::Ints(
                names.iter().filter_map(Value::as_i64).collect(),
            ))
        } else {
            let names: Option<_> = names
                .iter()
                .map(|n| n.as_str().map(str::to_string))
                .collect();
            names.map(Labels::Strings)
        }
    }))
}
