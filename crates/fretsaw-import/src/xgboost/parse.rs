//! From a document to [`Model`]: where the versions' layouts meet.
//!
//! What the versions differ in: numbers as strings (`learner_model_param`), a base score that is one
//! number or a list, booleans as 0 and 1, DART's trees one level deeper with the weights beside them
//! (before 3.3), fields that came later. It checks shapes of single values; what the arrays say
//! together is checked by `lift`.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use super::{
    CatColumn, GblinearModel, GbtreeModel, GradientBooster, Learner, LearnerModelParam, Model,
    RegTree,
};
use crate::Error;
use crate::document::{self, Json, Ubjson};
use crate::error::shown;

/// Reads a JSON model file.
///
/// # Errors
/// When it is broken, lacks something, or holds a booster that XGBoost has not.
pub fn from_json(bytes: &[u8]) -> Result<Model, Error> {
    document::read::<_, Document>(Json::new(bytes))?.into_model()
}

/// Reads a UBJSON model file.
///
/// # Errors
/// When it is broken, lacks something, or holds a booster that XGBoost has not.
pub fn from_ubjson(bytes: &[u8]) -> Result<Model, Error> {
    document::read::<_, Document>(Ubjson::new(bytes))?.into_model()
}

/// A model file, or the snapshot that a pickled Booster holds: the model and its configuration.
#[derive(serde::Deserialize)]
struct Document {
    learner: Option<Learner>,
    #[serde(default)]
    version: Vec<u32>,
    #[serde(rename = "Model")]
    snapshot: Option<Box<Document>>,
}

impl Document {
    fn into_model(self) -> Result<Model, Error> {
        match (self.learner, self.snapshot) {
            (Some(learner), _) => Ok(Model {
                learner,
                version: self.version,
            }),
            (None, Some(inner)) if inner.snapshot.is_none() => inner.into_model(),
            _ => Err(Error::invalid(
                "missing field `learner`: this is no XGBoost model",
            )),
        }
    }
}

#[derive(serde::Deserialize)]
struct LearnerDocument {
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default)]
    feature_names: Vec<String>,
    #[serde(default)]
    feature_types: Vec<String>,
    gradient_booster: GradientBooster,
    learner_model_param: LearnerModelParam,
    objective: ObjectiveDocument,
}

#[derive(serde::Deserialize)]
struct ObjectiveDocument {
    name: String,
}

impl<'de> Deserialize<'de> for Learner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let d = LearnerDocument::deserialize(deserializer)?;
        Ok(Self {
            attributes: d.attributes,
            feature_names: d.feature_names,
            feature_types: d.feature_types,
            gradient_booster: d.gradient_booster,
            learner_model_param: d.learner_model_param,
            objective: d.objective.name,
        })
    }
}

#[derive(serde::Deserialize)]
struct LearnerModelParamDocument {
    base_score: BaseScore,
    #[serde(default)]
    boost_from_average: u32,
    #[serde(default)]
    num_class: u32,
    num_feature: u32,
    #[serde(default = "one")]
    num_target: u32,
}

fn one() -> u32 {
    1
}

impl<'de> Deserialize<'de> for LearnerModelParam {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let d = LearnerModelParamDocument::deserialize(deserializer)?;
        Ok(Self {
            base_score: d.base_score.0,
            boost_from_average: d.boost_from_average,
            num_class: d.num_class,
            num_feature: d.num_feature,
            num_target: d.num_target,
        })
    }
}

/// `"5E-1"`, `"[1E0,-2E0]"`, or a number.
struct BaseScore(Vec<f32>);

impl<'de> Deserialize<'de> for BaseScore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BaseScoreVisitor)
    }
}

struct BaseScoreVisitor;

impl<'de> Visitor<'de> for BaseScoreVisitor {
    type Value = BaseScore;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a base score: a number, or a list of numbers")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<BaseScore, E> {
        let list = text.trim();
        let list = list.strip_prefix(['[', '(']).unwrap_or(list);
        let list = list.strip_suffix([']', ')']).unwrap_or(list);
        list.split(',')
            .map(|number| number.trim().parse())
            .collect::<Result<_, _>>()
            .map(BaseScore)
            .map_err(|_| E::custom(format!("`{}` is no base score", shown(text))))
    }

    fn visit_f32<E: de::Error>(self, x: f32) -> Result<BaseScore, E> {
        Ok(BaseScore(vec![x]))
    }

    fn visit_f64<E: de::Error>(self, x: f64) -> Result<BaseScore, E> {
        Ok(BaseScore(vec![x as f32]))
    }

    fn visit_i64<E: de::Error>(self, x: i64) -> Result<BaseScore, E> {
        Ok(BaseScore(vec![x as f32]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<BaseScore, A::Error> {
        let mut list = Vec::new();
        while let Some(x) = seq.next_element()? {
            list.push(x);
        }
        Ok(BaseScore(list))
    }
}

#[derive(serde::Deserialize)]
struct BoosterDocument {
    name: String,
    model: Option<ModelDocument>,
    /// Before 3.3: where DART keeps its trees,
    gbtree: Option<Box<BoosterDocument>>,
    /// and their weights.
    weight_drop: Option<Vec<f32>>,
}

/// What a `gbtree` and what a `gblinear` has under `model`.
#[derive(serde::Deserialize)]
struct ModelDocument {
    gbtree_model_param: Option<GbtreeModelParam>,
    trees: Option<Vec<RegTree>>,
    #[serde(default)]
    tree_info: Vec<i32>,
    #[serde(default)]
    iteration_indptr: Vec<u32>,
    weight_drop: Option<Vec<f32>>,
    cats: Option<CatsDocument>,
    weights: Option<Vec<f32>>,
}

#[derive(serde::Deserialize)]
struct GbtreeModelParam {
    num_trees: usize,
    #[serde(default = "one")]
    num_parallel_tree: u32,
}

#[derive(serde::Deserialize)]
struct CatsDocument {
    #[serde(default)]
    enc: Vec<CatColumn>,
}

impl<'de> Deserialize<'de> for GradientBooster {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let outer = BoosterDocument::deserialize(deserializer)?;
        let missing = de::Error::missing_field;
        let mut weight_drop = outer.weight_drop;
        let (name, model) = match (outer.name.as_str(), outer.gbtree) {
            ("dart", Some(inner)) => (inner.name, inner.model),
            _ => (outer.name, outer.model),
        };
        let model = model.ok_or_else(|| missing("model"))?;
        match name.as_str() {
            "gbtree" | "dart" => {
                let trees = model.trees.ok_or_else(|| missing("trees"))?;
                let param = model
                    .gbtree_model_param
                    .ok_or_else(|| missing("gbtree_model_param"))?;
                for (name, n) in [("trees", trees.len()), ("tree_info", model.tree_info.len())] {
                    if n != param.num_trees {
                        return Err(de::Error::custom(format!(
                            "num_trees is {}, {name} has {n}",
                            param.num_trees
                        )));
                    }
                }
                Ok(Self::Gbtree(GbtreeModel {
                    num_parallel_tree: param.num_parallel_tree,
                    trees,
                    tree_info: model.tree_info,
                    iteration_indptr: model.iteration_indptr,
                    weight_drop: weight_drop.take().or(model.weight_drop).unwrap_or_default(),
                    cats: model.cats.map(|c| c.enc).unwrap_or_default(),
                }))
            }
            "gblinear" => Ok(Self::Gblinear(GblinearModel {
                weights: model.weights.ok_or_else(|| missing("weights"))?,
            })),
            other => Err(de::Error::custom(format!(
                "`{}` is no booster of XGBoost",
                shown(other)
            ))),
        }
    }
}

#[derive(serde::Deserialize)]
struct TreeParam {
    num_nodes: usize,
    #[serde(default)]
    size_leaf_vector: u32,
}

#[derive(serde::Deserialize)]
struct TreeDocument {
    tree_param: TreeParam,
    left_children: Vec<i32>,
    right_children: Vec<i32>,
    split_indices: Vec<u32>,
    split_conditions: Vec<f32>,
    default_left: Vec<bool>,
    #[serde(default)]
    split_type: Vec<u8>,
    #[serde(default)]
    categories_nodes: Vec<i32>,
    #[serde(default)]
    categories_segments: Vec<u64>,
    #[serde(default)]
    categories_sizes: Vec<u64>,
    #[serde(default)]
    categories: Vec<i32>,
    #[serde(default)]
    base_weights: Vec<f32>,
    #[serde(default)]
    leaf_weights: Vec<f32>,
}

impl<'de> Deserialize<'de> for RegTree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let d = TreeDocument::deserialize(deserializer)?;
        Ok(Self {
            num_nodes: d.tree_param.num_nodes,
            size_leaf_vector: d.tree_param.size_leaf_vector,
            left_children: d.left_children,
            right_children: d.right_children,
            split_indices: d.split_indices,
            split_conditions: d.split_conditions,
            default_left: d.default_left,
            split_type: d.split_type,
            categories_nodes: d.categories_nodes,
            categories_segments: d.categories_segments,
            categories_sizes: d.categories_sizes,
            categories: d.categories,
            // Of a tree without vector leaves they are statistics.
            base_weights: if d.tree_param.size_leaf_vector > 1 {
                d.base_weights
            } else {
                Vec::new()
            },
            leaf_weights: d.leaf_weights,
        })
    }
}

/// Text as `offsets` into `values` (bytes), or numbers with their `type`.
#[derive(serde::Deserialize)]
struct CatColumnDocument {
    offsets: Option<Vec<u32>>,
    r#type: Option<u32>,
    #[serde(default)]
    values: Vec<i64>,
}

impl<'de> Deserialize<'de> for CatColumn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let d = CatColumnDocument::deserialize(deserializer)?;
        if d.values.is_empty() && d.offsets.as_ref().is_none_or(|o| o.len() < 2) {
            return Ok(Self::None);
        }
        let Some(offsets) = d.offsets else {
            // UBJSON has no unsigned type beyond 8 bits: XGBoost writes the same bits as signed.
            let widen: fn(i64) -> i64 = match d.r#type {
                Some(9 | 10 | 11 | 13 | 15 | 16) => |v| v,
                Some(12) => |v| if v < 0 { i64::from(v as u16) } else { v },
                Some(14) => |v| if v < 0 { i64::from(v as u32) } else { v },
                other => {
                    return Err(de::Error::custom(format!(
                        "categories of type {other:?} (known: integers and text)"
                    )));
                }
            };
            return Ok(Self::Ints(d.values.into_iter().map(widen).collect()));
        };
        let bytes: Vec<u8> = d.values.iter().map(|&v| v as u8).collect();
        let text = |range: &[u32]| {
            let bytes = bytes.get(range[0] as usize..range[1] as usize)?;
            std::str::from_utf8(bytes).ok().map(str::to_owned)
        };
        offsets
            .windows(2)
            .map(text)
            .collect::<Option<_>>()
            .map(Self::Strings)
            .ok_or_else(|| de::Error::custom("the categories' offsets do not cut UTF-8 text"))
    }
}
