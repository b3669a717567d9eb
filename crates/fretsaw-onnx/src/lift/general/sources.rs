//! The graph's inputs as features: the columns of all inputs, in the order of the inputs.

use std::cell::RefCell;
use std::collections::HashMap;

use fretsaw_model::{Feature, FeatureKind};

use super::value::{Kind, Row};
use crate::Error;
use crate::proto::tensor_proto::DataType;
use crate::proto::{GraphProto, ValueInfoProto, tensor_shape_proto::dimension, type_proto};

/// Features are of declared number; no more are believed.
const MAX_FEATURES: i64 = 1 << 20;

/// One input of the graph: its name and what its columns are.
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) row: Row,
}

/// All of them, and the features that they are.
pub(super) struct Sources<'a> {
    pub(super) inputs: Vec<Source<'a>>,
    names: Vec<String>,
    /// The features as the file itself tells of them.
    named: Option<Vec<Feature>>,
    /// Text columns, and the categories that some operator knows of them.
    text: RefCell<Vec<Option<HashMap<String, usize>>>>,
}

impl<'a> Sources<'a> {
    /// The inputs that are no defaults of initializers.
    ///
    /// # Errors
    /// `Unsupported` for an input that is not rows of numbers or text.
    pub(super) fn of(graph: &'a GraphProto, named: Option<Vec<Feature>>) -> Result<Self, Error> {
        let constant = |i: &&ValueInfoProto| graph.initializer.iter().any(|t| t.name == i.name);
        let own: Vec<_> = graph.input.iter().filter(|i| !constant(i)).collect();
        let mut all = Self {
            inputs: vec![],
            names: vec![],
            named: None,
            text: RefCell::default(),
        };
        for input in &own {
            let name = input.name.as_deref().unwrap_or("");
            let (kind, columns) = input_type(input).map_err(|e| e.at(format!("input {name:?}")))?;
            let width = columns.unwrap_or(1);
            let first = all.names.len();
            for i in 0..width {
                all.names.push(match (own.len(), columns) {
                    (1, _) if kind != Kind::Text => format!("f{i}"),
                    (_, None | Some(1)) => name.to_string(),
                    _ => format!("{name}_{i}"),
                });
            }
            if all.names.len() as i64 > MAX_FEATURES {
                return Err(Error::unsupported("so many features", "graph"));
            }
            let text = (kind == Kind::Text).then(HashMap::new);
            all.text.get_mut().extend(std::iter::repeat_n(text, width));
            let mut dims = vec![None];
            dims.extend(columns.map(Some));
            let places = first as u32..all.names.len() as u32;
            all.inputs.push(Source {
                name,
                row: Row::input(places, kind, dims),
            });
        }
        if all.names.is_empty() {
            return Err(Error::unsupported("a graph without inputs", "graph"));
        }
        all.named = named.filter(|n| n.len() == all.names.len());
        // Codes stand in the order that the file tells, where it does.
        for (i, feature) in all.named.iter().flatten().enumerate() {
            if let FeatureKind::Text { known } = &feature.kind {
                let codes: HashMap<String, usize> = known.iter().cloned().zip(0..).collect();
                if codes.len() == known.len() {
                    all.text.get_mut()[i] = Some(codes);
                }
            }
        }
        Ok(all)
    }

    /// The code of a category of a text feature, which the feature knows from now on. No text at all
    /// is a missing value, unless the file lists it among the categories.
    pub(super) fn code(&self, feature: u32, category: &str) -> f64 {
        let mut text = self.text.borrow_mut();
        let Some(Some(known)) = text.get_mut(feature as usize) else {
            return f64::NAN;
        };
        let next = known.len();
        match known.get(category) {
            Some(&code) => code as f64,
            None if category.is_empty() => f64::NAN,
            None => {
                known.insert(category.to_string(), next);
                next as f64
            }
        }
    }

    /// The features, with the categories that turned up.
    pub(super) fn features(self) -> Vec<Feature> {
        let own = self.names.into_iter().map(Feature::numeric).collect();
        let mut features = self.named.unwrap_or(own);
        for (feature, known) in features.iter_mut().zip(self.text.into_inner()) {
            if let Some(codes) = known {
                let mut known = vec![String::new(); codes.len()];
                for (category, code) in codes {
                    known[code] = category;
                }
                feature.kind = FeatureKind::Text { known };
            }
        }
        features
    }
}

/// An input's type, and how many columns it has; `None` for one value a row.
fn input_type(input: &ValueInfoProto) -> Result<(Kind, Option<usize>), Error> {
    let of = input.r#type.as_ref().and_then(|t| t.value.as_ref());
    let Some(type_proto::Value::TensorType(t)) = of else {
        return Err(Error::unsupported("an input that is no tensor", "it"));
    };
    let kind = match DataType::try_from(t.elem_type.unwrap_or(0)) {
        Ok(DataType::Float) => Kind::F32,
        Ok(DataType::Double) => Kind::F64,
        Ok(DataType::Int64 | DataType::Int32) => Kind::Int,
        Ok(DataType::Bool) => Kind::Bool,
        Ok(DataType::String) => Kind::Text,
        _ => return Err(Error::unsupported("an input of this type", "it")),
    };
    let dims = t.shape.as_ref().map_or(&[][..], |s| &s.dim);
    match dims {
        [_] => Ok((kind, None)),
        [_, columns] => match columns.value {
            Some(dimension::Value::DimValue(n)) if (1..=MAX_FEATURES).contains(&n) => {
                Ok((kind, Some(n as usize)))
            }
            Some(dimension::Value::DimValue(n)) => {
                Err(Error::unsupported(format!("a row of {n} features"), "it"))
            }
            _ => Err(Error::unsupported(
                "rows of a number of features that is not told",
                "it",
            )),
        },
        _ => Err(Error::unsupported(
            format!(
                "an input of {} axes, which is not rows x features,",
                dims.len()
            ),
            "it",
        )),
    }
}
