//! What a file says of the training: the loss, the classes' names, the version.
//!
//! A `.cbm` holds it as texts of JSON, a `.json` as JSON within; versions before 0.24 had the classes
//! of a multiclass model elsewhere than later ones. The parameters of a loss change no answer.

use std::fmt;

use fretsaw_model::Labels;
use serde::de::{
    self, Deserialize, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer,
};

use super::Info;
use crate::Error;
use crate::document::{self, Json};

/// The map under `model_info`.
#[derive(Default, serde::Deserialize)]
pub(super) struct InfoDocument {
    params: Option<Text<Params>>,
    class_params: Option<Text<ClassParams>>,
    multiclass_params: Option<Text<ClassParams>>,
    catboost_version_info: Option<String>,
}

impl InfoDocument {
    /// Takes one pair of a `.cbm`'s map.
    pub(super) fn set(&mut self, key: &str, value: &str) -> Result<(), Error> {
        fn parsed<T: for<'de> Deserialize<'de>>(
            key: &str,
            value: &str,
        ) -> Result<Option<Text<T>>, Error> {
            let value = document::read(Json::new(value.as_bytes()));
            value.map(|v| Some(Text(v))).map_err(|e| e.under(key))
        }
        match key {
            "params" => self.params = parsed(key, value)?,
            "class_params" => self.class_params = parsed(key, value)?,
            "multiclass_params" => self.multiclass_params = parsed(key, value)?,
            "catboost_version_info" => self.catboost_version_info = Some(value.into()),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn into_info(self) -> Info {
        let (loss_function, old_names) = match self.params {
            Some(Text(p)) => (
                p.loss_function.map(|l| l.r#type),
                p.data_processing_options.and_then(|d| d.class_names),
            ),
            None => (None, None),
        };
        let class_names = self
            .class_params
            .or(self.multiclass_params)
            .and_then(|p| p.0.into_names())
            .or(old_names);
        Info {
            loss_function,
            class_names: class_names.and_then(ClassNames::into_labels),
            version: self.catboost_version_info.as_deref().and_then(version),
        }
    }
}

/// The release among the lines of build information.
fn version(text: &str) -> Option<String> {
    let (_, tail) = text.split_once("Branch: tags/v")?;
    let end = tail
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .unwrap_or(tail.len());
    Some(tail[..end.min(20)].to_owned()).filter(|v| !v.is_empty())
}

#[derive(serde::Deserialize)]
struct Params {
    loss_function: Option<LossFunction>,
    data_processing_options: Option<DataProcessingOptions>,
}

#[derive(serde::Deserialize)]
struct LossFunction {
    r#type: String,
}

#[derive(serde::Deserialize)]
struct DataProcessingOptions {
    class_names: Option<ClassNames>,
}

#[derive(serde::Deserialize)]
struct ClassParams {
    class_names: Option<ClassNames>,
    class_to_label: Option<Vec<f32>>,
}

impl ClassParams {
    /// Where classes have no names, they are called by their labels.
    fn into_names(self) -> Option<ClassNames> {
        let labels = || {
            let label = |&x: &f32| (x.trunc() == x).then_some(Name::Int(x as i64));
            Some(ClassNames(
                self.class_to_label
                    .as_ref()?
                    .iter()
                    .map(label)
                    .collect::<Option<_>>()?,
            ))
        };
        match self.class_names {
            Some(names) if !names.0.is_empty() => Some(names),
            _ => labels(),
        }
    }
}

/// A class's name: whole, or anything else as text.
enum Name {
    Int(i64),
    Text(String),
}

#[derive(serde::Deserialize)]
#[serde(transparent)]
struct ClassNames(Vec<Name>);

impl ClassNames {
    fn into_labels(self) -> Option<Labels> {
        if self.0.is_empty() {
            return None;
        }
        let ints = self.0.iter().map(|n| match n {
            Name::Int(i) => Some(*i),
            Name::Text(_) => None,
        });
        if let Some(ints) = ints.collect::<Option<Vec<i64>>>() {
            return Some(Labels::Ints(ints));
        }
        let text = |n| match n {
            Name::Int(i) => i.to_string(),
            Name::Text(s) => s,
        };
        Some(Labels::Strings(self.0.into_iter().map(text).collect()))
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a class's name")
    }

    fn visit_i64<E: de::Error>(self, i: i64) -> Result<Name, E> {
        Ok(Name::Int(i))
    }

    fn visit_bool<E: de::Error>(self, b: bool) -> Result<Name, E> {
        Ok(Name::Text(if b { "True" } else { "False" }.into()))
    }

    fn visit_f32<E: de::Error>(self, x: f32) -> Result<Name, E> {
        Ok(if x.trunc() == x && x.abs() < 1e9 {
            Name::Int(x as i64)
        } else {
            Name::Text(x.to_string())
        })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Name, E> {
        Ok(Name::Text(text.into()))
    }
}

/// A value that may stand as itself or as a text of JSON.
struct Text<T>(T);

impl<'de, T: for<'a> Deserialize<'a>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor(std::marker::PhantomData))
    }
}

struct TextVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: for<'a> Deserialize<'a>> Visitor<'de> for TextVisitor<T> {
    type Value = Text<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, or a text of JSON")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<T>, E> {
        document::read(Json::new(text.as_bytes()))
            .map(Text)
            .map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Text<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_of_several_layouts() {
        let info = |pairs: &[(&str, &str)]| {
            let mut d = InfoDocument::default();
            for (key, value) in pairs {
                d.set(key, value).unwrap();
            }
            d.into_info()
        };
        let ints = |v: &[i64]| Some(Labels::Ints(v.to_vec()));
        let texts = |v: &[&str]| Some(Labels::Strings(v.iter().map(|s| s.to_string()).collect()));
        let class = |text| info(&[("class_params", text)]).class_names;
        assert_eq!(class(r#"{"class_names":[0,1]}"#), ints(&[0, 1]));
        assert_eq!(class(r#"{"class_names":["a",1]}"#), texts(&["a", "1"]));
        assert_eq!(
            class(r#"{"class_names":[false,true]}"#),
            texts(&["False", "True"])
        );
        assert_eq!(
            class(r#"{"class_names":[],"class_to_label":[1.0,2.0]}"#),
            ints(&[1, 2])
        );
        assert_eq!(class(r#"{"class_names":[]}"#), None);
        let old = r#"{"loss_function":{"type":"RMSE","params":{}},"data_processing_options":{"class_names":["x","y"]}}"#;
        let old = info(&[
            ("params", old),
            ("catboost_version_info", "Branch: tags/v1.2.10\n"),
        ]);
        assert_eq!(old.class_names, texts(&["x", "y"]));
        assert_eq!(old.loss_function.as_deref(), Some("RMSE"));
        assert_eq!(old.version.as_deref(), Some("1.2.10"));
        assert!(InfoDocument::default().set("params", "{").is_err());
    }
}
