//! `.json`: the same model as text. Splits are taken by their numbers, as CatBoost itself does; what
//! else the file says of them is for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use super::info::InfoDocument;
use super::{
    CatFeature, CtrFeature, CtrType, CtrValueTable, FeatureCombination, FloatFeature, Model,
    ModelCtr, ModelCtrBase, NanValueTreatment, ObliviousTree, OneHotFeature, OtherFeature,
    StepNode, Trees,
};
use crate::Error;
use crate::document::{self, Json};
use crate::error::shown;

/// Reads a JSON model file.
///
/// # Errors
/// When it is broken or lacks something.
pub fn from_json(bytes: &[u8]) -> Result<Model, Error> {
    document::read::<_, Document>(Json::new(bytes))?.into_model()
}

#[derive(serde::Deserialize)]
struct Document {
    features_info: FeaturesInfo,
    #[serde(default)]
    model_info: InfoDocument,
    oblivious_trees: Option<Vec<ObliviousDocument>>,
    trees: Option<Vec<NodeDocument>>,
    #[serde(default)]
    ctr_data: BTreeMap<String, TableDocument>,
    scale_and_bias: Option<ScaleAndBias>,
}

#[derive(serde::Deserialize)]
struct FeaturesInfo {
    #[serde(default)]
    float_features: Option<Vec<FloatDocument>>,
    #[serde(default)]
    categorical_features: Option<Vec<ColumnDocument>>,
    #[serde(default)]
    text_features: Option<Vec<ColumnDocument>>,
    #[serde(default)]
    embedding_features: Option<Vec<ColumnDocument>>,
    #[serde(default)]
    estimated_features: Option<Vec<de::IgnoredAny>>,
    #[serde(default)]
    ctrs: Option<Vec<CtrDocument>>,
}

#[derive(serde::Deserialize)]
struct FloatDocument {
    #[serde(default)]
    has_nans: bool,
    feature_index: i32,
    flat_feature_index: i32,
    borders: Option<Vec<f32>>,
    nan_value_treatment: Option<String>,
    #[serde(alias = "feature_name")]
    feature_id: Option<String>,
}

#[derive(serde::Deserialize)]
struct ColumnDocument {
    feature_index: i32,
    flat_feature_index: i32,
    /// Of a categorical one: the hashes that splits compare with.
    values: Option<Vec<i32>>,
    #[serde(alias = "feature_name")]
    feature_id: Option<String>,
}

#[derive(serde::Deserialize)]
struct CtrDocument {
    borders: Option<Vec<f32>>,
    ctr_type: String,
    elements: Vec<ElementDocument>,
    prior_numerator: f32,
    prior_denomerator: f32,
    shift: f32,
    scale: f32,
    target_border_idx: i32,
}

#[derive(Debug, serde::Deserialize)]
struct ElementDocument {
    combination_element: String,
    cat_feature_index: Option<i32>,
    float_feature_index: Option<i32>,
    border: Option<f32>,
    value: Option<i32>,
}

/// What a table's key in `ctr_data` says, as JSON within the text.
#[derive(serde::Deserialize)]
struct BaseDocument {
    identifier: Vec<ElementDocument>,
    r#type: String,
}

#[derive(serde::Deserialize)]
struct TableDocument {
    #[serde(default)]
    counter_denominator: i32,
    hash_map: Vec<Entry>,
    hash_stride: usize,
}

#[derive(serde::Deserialize)]
struct ObliviousDocument {
    leaf_values: Vec<f64>,
    splits: Option<Vec<SplitDocument>>,
}

#[derive(serde::Deserialize)]
struct SplitDocument {
    split_index: i32,
    cat_feature_index: Option<i32>,
    value: Option<i32>,
}

#[derive(serde::Deserialize)]
struct NodeDocument {
    split: Option<SplitDocument>,
    left: Option<Box<NodeDocument>>,
    right: Option<Box<NodeDocument>>,
    value: Option<Numbers>,
}

impl Document {
    fn into_model(self) -> Result<Model, Error> {
        let info = self.features_info;
        let under = |name: &'static str| move |e: Error| e.under(name).under("features_info");
        let columns = info.categorical_features.unwrap_or_default();
        let one_hot_features = columns.iter().filter_map(|c| {
            Some(OneHotFeature {
                index: c.feature_index,
                values: c.values.clone()?,
            })
        });
        let one_hot_features: Vec<OneHotFeature> = one_hot_features.collect();
        let cat_features = columns.into_iter().map(|c| CatFeature {
            index: c.feature_index,
            flat_index: c.flat_feature_index,
            feature_id: c.feature_id.unwrap_or_default(),
        });
        let other = |kind, columns: Option<Vec<ColumnDocument>>| {
            columns
                .unwrap_or_default()
                .into_iter()
                .map(move |c| OtherFeature {
                    kind,
                    flat_index: c.flat_feature_index,
                    feature_id: c.feature_id.unwrap_or_default(),
                })
        };
        let lost = self.oblivious_trees.iter().flatten().any(|t| {
            let splits = t.splits.iter().flatten();
            splits.into_iter().any(|s| s.is_lost(&one_hot_features))
        });
        if lost {
            return Err(Error::unsupported(
                "categories that CatBoost before 0.20 left out when it wrote JSON",
                "save the model as .cbm",
            ));
        }
        let trees = match (self.oblivious_trees, self.trees) {
            (Some(trees), None) => Trees::Oblivious(trees.into_iter().map(oblivious).collect()),
            (None, Some(trees)) => Trees::NonSymmetric(trees.into_iter().map(flat).collect()),
            (None, None) => return Err(Error::invalid("missing field `oblivious_trees`")),
            _ => return Err(Error::invalid("both `oblivious_trees` and `trees`")),
        };
        let (scale, mut bias) = match self.scale_and_bias {
            Some(ScaleAndBias(scale, bias)) => (scale, bias.0),
            None => (1.0, Vec::new()),
        };
        let approx_dimension = dimension(&trees).unwrap_or(bias.len().max(1));
        if bias.is_empty() {
            bias = vec![0.0; approx_dimension];
        }
        let mut ctr_tables = Vec::new();
        for (key, table) in self.ctr_data {
            let table = table
                .into_table(&key)
                .map_err(|e| e.under(&key).under("ctr_data"))?;
            ctr_tables.push(table);
        }
        let ctrs = info.ctrs.unwrap_or_default();
        let model_info = self.model_info.into_info();
        if let Some(at) = mixed(&ctrs, model_info.loss_function.as_deref()) {
            let e = Error::unsupported(
                "target statistics of several targets or borders, of which CatBoost keeps one table when it writes JSON",
                "save the model as .cbm",
            );
            return Err(e.item(at).under("ctrs").under("features_info"));
        }
        let ctrs = ctrs.into_iter().enumerate();
        Ok(Model {
            approx_dimension,
            float_features: info
                .float_features
                .unwrap_or_default()
                .into_iter()
                .enumerate()
                .map(|(i, f)| f.into_feature().map_err(|e| e.item(i)))
                .collect::<Result<_, _>>()
                .map_err(under("float_features"))?,
            cat_features: cat_features.collect(),
            other_features: other("text", info.text_features)
                .chain(other("embedding", info.embedding_features))
                .collect(),
            has_estimated_features: info.estimated_features.is_some_and(|e| !e.is_empty()),
            one_hot_features,
            ctr_features: ctrs
                .map(|(i, c)| c.into_feature().map_err(|e| e.item(i)))
                .collect::<Result<_, _>>()
                .map_err(under("ctrs"))?,
            ctr_tables,
            trees,
            scale,
            bias,
            info: model_info,
        })
    }
}

/// The first statistic whose table may be another one's.
///
/// A table belongs to a combination, a type and a division of the target (one for each target, and for
/// each number of its borders), and JSON leaves the last out: of the tables that then share a name one
/// is kept, and CatBoost itself reads a model that answers otherwise than the one that was written.
fn mixed(ctrs: &[CtrDocument], loss: Option<&str>) -> Option<usize> {
    let several = [
        "MultiRMSE",
        "MultiRMSEWithMissingValues",
        "MultiLogloss",
        "MultiCrossEntropy",
    ];
    if loss.is_some_and(|name| several.contains(&name)) {
        let counts = ["Counter", "FeatureFreq"];
        return ctrs.iter().position(|c| !counts.contains(&&c.ctr_type[..]));
    }
    // The same statistic twice can only be of two divisions.
    let mut seen = BTreeSet::new();
    ctrs.iter().position(|c| !seen.insert(c.identity()))
}

/// How many values a leaf has, by the first one that tells.
fn dimension(trees: &Trees) -> Option<usize> {
    match trees {
        Trees::Oblivious(trees) => trees.first().and_then(|t| {
            let leaves = u32::try_from(t.splits.len())
                .ok()
                .and_then(|depth| 1_usize.checked_shl(depth))?;
            Some(t.leaf_values.len() / leaves)
        }),
        Trees::NonSymmetric(trees) => trees
            .iter()
            .flatten()
            .map(|n| n.value.len())
            .find(|&n| n > 0),
    }
    .filter(|&n| n > 0)
}

impl SplitDocument {
    /// Whether it compares with a category that the file does not list, so that the numbers of splits
    /// mean nothing.
    fn is_lost(&self, listed: &[OneHotFeature]) -> bool {
        let (Some(cat), Some(value)) = (self.cat_feature_index, self.value) else {
            return false;
        };
        let is_there = |f: &OneHotFeature| f.index == cat && f.values.contains(&value);
        !listed.iter().any(is_there)
    }
}

fn oblivious(tree: ObliviousDocument) -> ObliviousTree {
    let splits = tree.splits.unwrap_or_default();
    ObliviousTree {
        splits: splits.into_iter().map(|s| s.split_index).collect(),
        leaf_values: tree.leaf_values,
    }
}

/// Nodes in the order of a walk; how deep they nest is bounded by the document's reader.
fn flat(root: NodeDocument) -> Vec<StepNode> {
    let mut nodes = Vec::new();
    let mut stack = vec![(root, None)];
    while let Some((node, parent)) = stack.pop() {
        let at = nodes.len();
        if let Some((parent, is_right)) = parent {
            let parent: &mut StepNode = &mut nodes[parent];
            *(if is_right {
                &mut parent.right
            } else {
                &mut parent.left
            }) = Some(at);
        }
        nodes.push(StepNode {
            split: node.split.map_or(-1, |s| s.split_index),
            left: None,
            right: None,
            value: node.value.map(|v| v.0).unwrap_or_default(),
        });
        stack.extend(node.right.map(|right| (*right, Some((at, true)))));
        stack.extend(node.left.map(|left| (*left, Some((at, false)))));
    }
    nodes
}

impl FloatDocument {
    fn into_feature(self) -> Result<FloatFeature, Error> {
        let nan_value_treatment = match self.nan_value_treatment.as_deref() {
            None | Some("AsIs") => NanValueTreatment::AsIs,
            Some("AsFalse") => NanValueTreatment::AsFalse,
            Some("AsTrue") => NanValueTreatment::AsTrue,
            Some(other) => {
                return Err(Error::invalid(format!(
                    "`{}` is no nan_value_treatment",
                    shown(other)
                )));
            }
        };
        Ok(FloatFeature {
            has_nans: self.has_nans,
            index: self.feature_index,
            flat_index: self.flat_feature_index,
            borders: self.borders.unwrap_or_default(),
            feature_id: self.feature_id.unwrap_or_default(),
            nan_value_treatment,
        })
    }
}

fn base(elements: Vec<ElementDocument>, ctr_type: &str) -> Result<ModelCtrBase, Error> {
    let mut projection = FeatureCombination::default();
    for (i, e) in elements.into_iter().enumerate() {
        let kind = e.combination_element.as_str();
        match (
            kind,
            e.cat_feature_index,
            e.float_feature_index,
            e.border,
            e.value,
        ) {
            ("cat_feature_value", Some(cat), ..) => projection.cat_features.push(cat),
            ("float_feature", _, Some(float), Some(border), _) => {
                projection.float_splits.push((float, border));
            }
            ("cat_feature_exact_value", Some(cat), _, _, Some(value)) => {
                projection.one_hot_splits.push((cat, value));
            }
            _ => {
                return Err(Error::invalid(format!(
                    "element {i} of a combination, a `{}`, is not known or incomplete",
                    shown(kind)
                )));
            }
        }
    }
    let ctr_type = match ctr_type {
        "Borders" => CtrType::Borders,
        "Buckets" => CtrType::Buckets,
        "BinarizedTargetMeanValue" => CtrType::BinarizedTargetMeanValue,
        "FloatTargetMeanValue" => CtrType::FloatTargetMeanValue,
        "Counter" => CtrType::Counter,
        "FeatureFreq" => CtrType::FeatureFreq,
        other => return Err(Error::invalid(format!("`{}` is no CTR type", shown(other)))),
    };
    Ok(ModelCtrBase {
        projection,
        ctr_type,
        target_border_classifier_idx: 0,
    })
}

impl CtrDocument {
    /// All that tells it from other statistics, as text.
    fn identity(&self) -> String {
        format!(
            "{} {:?} {:?} {:?} {:?} {} {:?}",
            self.ctr_type,
            self.prior_numerator,
            self.prior_denomerator,
            self.shift,
            self.scale,
            self.target_border_idx,
            self.elements
        )
    }

    fn into_feature(self) -> Result<CtrFeature, Error> {
        Ok(CtrFeature {
            ctr: ModelCtr {
                base: base(self.elements, &self.ctr_type)?,
                target_border_idx: self.target_border_idx,
                prior_num: self.prior_numerator,
                prior_denom: self.prior_denomerator,
                shift: self.shift,
                scale: self.scale,
            },
            borders: self.borders.unwrap_or_default(),
        })
    }
}

impl TableDocument {
    fn into_table(self, key: &str) -> Result<CtrValueTable, Error> {
        let of: BaseDocument = document::read(Json::new(key.as_bytes()))?;
        let width = match self.hash_stride.checked_sub(1) {
            Some(width @ 1..) => width,
            _ => {
                return Err(Error::invalid(format!(
                    "hash_stride is {}",
                    self.hash_stride
                )));
            }
        };
        let mut table = CtrValueTable {
            base: base(of.identifier, &of.r#type)?,
            keys: Vec::new(),
            width,
            counts: Vec::new(),
            counter_denominator: self.counter_denominator,
        };
        for (i, row) in self.hash_map.chunks(self.hash_stride).enumerate() {
            let fault = || {
                Error::invalid(format!("row {i} is no hash with {width} counts")).under("hash_map")
            };
            let (Entry::Key(key), counts) = row.split_first().ok_or_else(fault)? else {
                return Err(fault());
            };
            if counts.len() != width {
                return Err(fault());
            }
            if *key == u64::MAX {
                // An empty place of the hash table.
                continue;
            }
            table.keys.push(*key);
            for count in counts {
                let Entry::Count(count) = count else {
                    return Err(fault());
                };
                table.counts.push(*count);
            }
        }
        Ok(table)
    }
}

/// One element of a `hash_map`: a text is a key, a number a count.
enum Entry {
    Key(u64),
    Count(f64),
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor)
    }
}

struct EntryVisitor;

impl Visitor<'_> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a hash as text, or a count")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Entry, E> {
        text.parse()
            .map(Entry::Key)
            .map_err(|_| E::custom(format!("`{}` is no hash", shown(text))))
    }

    fn visit_i64<E: de::Error>(self, count: i64) -> Result<Entry, E> {
        Ok(Entry::Count(count as f64))
    }

    fn visit_f32<E: de::Error>(self, sum: f32) -> Result<Entry, E> {
        Ok(Entry::Count(sum.into()))
    }
}

/// `[scale, bias]`, where the bias is a number or a list.
struct ScaleAndBias(f64, Numbers);

impl<'de> Deserialize<'de> for ScaleAndBias {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (scale, bias) = Deserialize::deserialize(deserializer)?;
        Ok(Self(scale, bias))
    }
}

/// A number, or a list of numbers.
struct Numbers(Vec<f64>);

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_f64(NumbersVisitor)
    }
}

struct NumbersVisitor;

impl<'de> Visitor<'de> for NumbersVisitor {
    type Value = Numbers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or a list of numbers")
    }

    fn visit_f64<E: de::Error>(self, x: f64) -> Result<Numbers, E> {
        Ok(Numbers(vec![x]))
    }

    fn visit_f32<E: de::Error>(self, x: f32) -> Result<Numbers, E> {
        Ok(Numbers(vec![x.into()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Numbers, A::Error> {
        let mut list = Vec::new();
        while let Some(x) = seq.next_element()? {
            list.push(x);
        }
        Ok(Numbers(list))
    }
}
