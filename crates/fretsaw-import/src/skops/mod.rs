//! skops files: a zip archive with `schema.json`, which says what every value is, and the arrays as
//! `.npy` files beside it.
//!
//! The values become those of a [`Pickle`], so that an estimator is read the same from either. No
//! class is looked up and nothing is called: a class is a name here. What `__id__` ties together
//! is read once for each place it stands at, as the file repeats it there.

mod zip;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use crate::Error;
use crate::document;
use crate::error::shown;
use crate::format::Format;
use crate::pickle::{Global, Id, Object, Pickle, Value};

const SCHEMA: &str = "schema.json";
/// Names are copied wherever they are used.
const LONGEST_NAME: usize = 200;

/// Reads a skops file.
pub(crate) fn read(bytes: &[u8]) -> Result<Pickle<'static>, Error> {
    let mut archive = zip::Archive::open(bytes)?;
    if !archive.has(SCHEMA) {
        return Err(Format::Zip.refusal());
    }
    let schema = archive.read(SCHEMA)?;
    let n_schema = schema.len();
    let schema: Json = document::read(document::Json::new(&schema)).map_err(|e| e.under(SCHEMA))?;
    let mut reader = Reader {
        archive,
        values: Vec::new(),
        files: HashMap::new(),
    };
    let root = reader.node(schema).map_err(|e| e.under(SCHEMA))?;
    let n_bytes = reader.values.iter().map(|value| match value {
        Value::Npy(bytes) | Value::Bytes(bytes) => bytes.len(),
        _ => 0,
    });
    let n_bytes = n_bytes.sum::<usize>() + n_schema;
    Ok(Pickle::new(reader.values, root, n_bytes))
}

/// A JSON value. Its numbers bear on nothing here: what counts stands in text.
enum Json {
    Other,
    Text(String),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Json;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Other)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
                Ok(Json::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
                Ok(Json::Other)
            }

            fn visit_f32<E>(self, _: f32) -> Result<Json, E> {
                Ok(Json::Other)
            }

            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(Json::Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Json, E> {
                Ok(Json::Text(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
                let mut out = Vec::new();
                while let Some(item) = items.next_element()? {
                    out.push(item);
                }
                Ok(Json::List(out))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
                let mut out = Vec::new();
                while let Some(item) = items.next_entry()? {
                    out.push(item);
                }
                Ok(Json::Map(out))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// What a node of the schema says, taken out of its map.
#[derive(Default)]
struct Node {
    module: String,
    class: String,
    loader: String,
    content: Option<Json>,
    file: Option<String>,
    args: Option<Json>,
}

impl Node {
    fn of(items: Vec<(String, Json)>) -> Self {
        let mut node = Self::default();
        for (key, value) in items {
            match (key.as_str(), value) {
                ("__module__", Json::Text(text)) => node.module = text,
                ("__class__", Json::Text(text)) => node.class = text,
                ("__loader__", Json::Text(text)) => node.loader = text,
                ("file", Json::Text(text)) => node.file = Some(text),
                ("content", value) => node.content = Some(value),
                ("__reduce__", Json::Map(reduce)) => {
                    node.args = reduce
                        .into_iter()
                        .find(|(k, _)| k == "args")
                        .map(|(_, v)| v);
                }
                _ => {}
            }
        }
        node
    }
}

struct Reader<'z> {
    archive: zip::Archive<'z>,
    values: Vec<Value<'static>>,
    /// Members that were read already, and how.
    files: HashMap<(String, bool), Id>,
}

impl Reader<'_> {
    fn put(&mut self, value: Value<'static>) -> Id {
        self.values.push(value);
        Id(self.values.len() - 1)
    }

    /// A node. Recursion ends where that of the JSON reader did.
    fn node(&mut self, json: Json) -> Result<Id, Error> {
        let node = match json {
            Json::Map(items) if items.iter().any(|(key, _)| key == "__loader__") => Node::of(items),
            // Values without a loader: a generator's state, a slice's ends.
            Json::Map(items) => return self.dict(items),
            Json::Text(text) => return Ok(self.put(Value::Str(Cow::Owned(text)))),
            Json::List(items) => {
                let items = self.nodes(items)?;
                return Ok(self.put(Value::List(items)));
            }
            Json::Other => return Ok(self.put(Value::None)),
        };
        match (node.loader.as_str(), node.content) {
            ("JsonNode", Some(Json::Text(text))) => {
                let value = literal(&text)?;
                Ok(self.put(value))
            }
            (
                "DictNode" | "DefaultDictNode" | "_DictWithDeprecatedKeysNode",
                Some(Json::Map(items)),
            ) => self.dict(items),
            ("ListNode" | "NdArrayNode", Some(Json::List(items))) => {
                let items = self.nodes(items)?;
                Ok(self.put(Value::List(items)))
            }
            ("SetNode", Some(Json::List(items))) => {
                let items = self.nodes(items)?;
                Ok(self.put(Value::Set(items)))
            }
            ("TupleNode", Some(Json::List(items))) => {
                let items = self.nodes(items)?;
                Ok(self.put(Value::Tuple(items.into())))
            }
            ("NdArrayNode" | "BytesNode" | "BytearrayNode", _) => {
                let file = node
                    .file
                    .ok_or_else(|| Error::invalid("an array or bytes without `file`"))?;
                self.file(file, node.loader == "NdArrayNode")
            }
            ("FunctionNode" | "TypeNode", _) => {
                let global = global(node.module, node.class)?;
                Ok(self.put(Value::Global(global)))
            }
            (_, content) => {
                let callee = global(node.module, node.class)?;
                let args = match node.args {
                    Some(args) => self.node(args)?,
                    None => self.put(Value::None),
                };
                let args: Rc<[Id]> = match &self.values[args.0] {
                    Value::Tuple(args) => Rc::clone(args),
                    _ => Rc::from([]),
                };
                let state = match content {
                    Some(content @ Json::Map(_)) => Some(self.node(content)?),
                    _ => None,
                };
                Ok(self.put(Value::Object(Object {
                    callee,
                    args,
                    state,
                    items: Vec::new(),
                    payload: None,
                })))
            }
        }
    }

    fn nodes(&mut self, items: Vec<Json>) -> Result<Vec<Id>, Error> {
        let node = |(i, item)| self.node(item).map_err(|e: Error| e.item(i));
        items.into_iter().enumerate().map(node).collect()
    }

    fn dict(&mut self, items: Vec<(String, Json)>) -> Result<Id, Error> {
        let mut out = Vec::new();
        for (key, value) in items {
            let value = self.node(value).map_err(|e| e.under(&key))?;
            let key = self.put(Value::Str(Cow::Owned(key)));
            out.push((key, value));
        }
        Ok(self.put(Value::Dict(out)))
    }

    fn file(&mut self, file: String, is_array: bool) -> Result<Id, Error> {
        let key = (file, is_array);
        if let Some(&id) = self.files.get(&key) {
            return Ok(id);
        }
        let bytes = Cow::Owned(self.archive.read(&key.0)?);
        let id = self.put(if is_array {
            Value::Npy(bytes)
        } else {
            Value::Bytes(bytes)
        });
        self.files.insert(key, id);
        Ok(id)
    }
}

fn global(module: String, name: String) -> Result<Global<'static>, Error> {
    if module.len().max(name.len()) > LONGEST_NAME {
        return Err(Error::invalid(format!(
            "a name is longer than {LONGEST_NAME} bytes: `{}`",
            shown(&name)
        )));
    }
    Ok(Global {
        module: Cow::Owned(module),
        name: Cow::Owned(name),
    })
}

/// JSON within the text of a node.
fn literal(text: &str) -> Result<Value<'static>, Error> {
    Ok(match text.trim() {
        "null" => Value::None,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "NaN" => Value::Float(f64::NAN),
        "Infinity" => Value::Float(f64::INFINITY),
        "-Infinity" => Value::Float(f64::NEG_INFINITY),
        text if text.starts_with('"') => {
            let text: String = document::read(document::Json::new(text.as_bytes()))?;
            Value::Str(Cow::Owned(text))
        }
        text if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
            if let Ok(i) = text.parse() {
                Value::Int(i)
            } else if text.bytes().all(|b| b == b'-' || b.is_ascii_digit()) {
                Value::BigInt
            } else {
                let x = text.parse();
                Value::Float(
                    x.map_err(|_| Error::invalid(format!("`{}` is not a number", shown(text))))?,
                )
            }
        }
        // A list or a dictionary within text: no attribute that is read has one.
        _ => Value::None,
    })
}

#[cfg(test)]
mod tests;
