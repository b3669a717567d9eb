//! CatBoost's own model, with CatBoost's field names, and what it means.
//!
//! `binary` reads `.cbm` (a flatbuffer, by the bounded reader in `flatbuffer`), `json` reads `.json`;
//! `loss` says what a loss does to the margins, `derive` turns one-hot and target-statistic features
//! into look-ups, `lift` puts everything into the IR; `wrapper` finds a pickled one. Only what bears on predictions is kept: no leaf
//! weights, no training statistics. Text and embedding features are refused by name.

mod binary;
mod derive;
mod flatbuffer;
mod info;
mod json;
mod lift;
mod loss;
mod wrapper;

pub use binary::from_cbm;
pub use json::from_json;
pub(crate) use lift::lift;
pub(crate) use wrapper::from_pickle;

/// A model file.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Margins a row gives.
    pub approx_dimension: usize,
    /// Numeric features, ascending by `index`.
    pub float_features: Vec<FloatFeature>,
    /// Categorical features.
    pub cat_features: Vec<CatFeature>,
    /// Columns of text or embeddings, which only their place is known of.
    pub other_features: Vec<OtherFeature>,
    /// Whether splits look at features that are computed from text or embeddings.
    pub has_estimated_features: bool,
    /// The categories that splits compare with.
    pub one_hot_features: Vec<OneHotFeature>,
    /// Target statistics that splits look at.
    pub ctr_features: Vec<CtrFeature>,
    /// Tables of the target statistics.
    pub ctr_tables: Vec<CtrValueTable>,
    /// The trees.
    pub trees: Trees,
    /// Factor on the sum of leaves.
    pub scale: f64,
    /// Added last, one an output.
    pub bias: Vec<f64>,
    /// What the file says of the training.
    pub info: Info,
}

/// A numeric feature.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatFeature {
    /// Whether NaN was seen in training; only then is it replaced.
    pub has_nans: bool,
    /// Its number among numeric features.
    pub index: i32,
    /// Its column.
    pub flat_index: i32,
    /// The borders that splits use, ascending.
    pub borders: Vec<f32>,
    /// Its name; empty where none was given.
    pub feature_id: String,
    /// What NaN becomes.
    pub nan_value_treatment: NanValueTreatment,
}

/// What NaN becomes in a feature that had some in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NanValueTreatment {
    /// It stays, and is above no border.
    AsIs,
    /// Minus infinity.
    AsFalse,
    /// Infinity.
    AsTrue,
}

/// A categorical feature.
#[derive(Clone, Debug, PartialEq)]
pub struct CatFeature {
    /// Its number among categorical features.
    pub index: i32,
    /// Its column.
    pub flat_index: i32,
    /// Its name; empty where none was given.
    pub feature_id: String,
}

/// A column of text or of embeddings.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherFeature {
    /// `text` or `embedding`.
    pub kind: &'static str,
    /// Its column.
    pub flat_index: i32,
    /// Its name; empty where none was given.
    pub feature_id: String,
}

/// The categories of a feature that splits compare with.
#[derive(Clone, Debug, PartialEq)]
pub struct OneHotFeature {
    /// The number of the categorical feature.
    pub index: i32,
    /// Hashes of the categories.
    pub values: Vec<i32>,
}

/// A target statistic and the borders that splits use.
#[derive(Clone, Debug, PartialEq)]
pub struct CtrFeature {
    /// The statistic.
    pub ctr: ModelCtr,
    /// Its borders, ascending.
    pub borders: Vec<f32>,
}

/// A target statistic: `((good + prior_num) / (total + prior_denom) + shift) * scale`, in f32.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelCtr {
    /// Which table it is taken from.
    pub base: ModelCtrBase,
    /// The class, or the first of the classes, that counts as good.
    pub target_border_idx: i32,
    /// Added to the good ones.
    pub prior_num: f32,
    /// Added to all.
    pub prior_denom: f32,
    /// Added to the quotient.
    pub shift: f32,
    /// Factor on the result.
    pub scale: f32,
}

/// What a table of target statistics counts by.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelCtrBase {
    /// The features whose values are counted together.
    pub projection: FeatureCombination,
    /// What is counted.
    pub ctr_type: CtrType,
    /// Which way of cutting the target into classes.
    pub target_border_classifier_idx: i32,
}

/// Features whose values are counted together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeatureCombination {
    /// Numbers of categorical features.
    pub cat_features: Vec<i32>,
    /// Numbers of numeric features, and borders of theirs.
    pub float_splits: Vec<(i32, f32)>,
    /// Numbers of categorical features, and hashes of categories of theirs.
    pub one_hot_splits: Vec<(i32, i32)>,
}

/// What a table of target statistics counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CtrType {
    /// Rows of each class; good are those above a class.
    Borders,
    /// Rows of each class; good are those of one class.
    Buckets,
    /// Sum of the target's class (scaled to 0 to 1), and rows.
    BinarizedTargetMeanValue,
    /// Sum of the target, and rows.
    FloatTargetMeanValue,
    /// Rows, against the largest number of rows.
    Counter,
    /// Rows, against all rows.
    FeatureFreq,
}

/// A table of target statistics: `width` counts for each key.
#[derive(Clone, Debug, PartialEq)]
pub struct CtrValueTable {
    /// What it counts by.
    pub base: ModelCtrBase,
    /// Hashes of the combinations seen in training.
    pub keys: Vec<u64>,
    /// Counts a key.
    pub width: usize,
    /// `width` counts for each key.
    pub counts: Vec<f64>,
    /// What `Counter` and `FeatureFreq` divide by.
    pub counter_denominator: i32,
}

/// The trees, of either kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Trees {
    /// Symmetric trees: one split a level.
    Oblivious(Vec<ObliviousTree>),
    /// Trees grown node by node (`Depthwise`, `Lossguide`).
    NonSymmetric(Vec<Vec<StepNode>>),
}

/// A symmetric tree.
#[derive(Clone, Debug, PartialEq)]
pub struct ObliviousTree {
    /// Numbers of splits; split `i` sets bit `i` of the leaf's number where it holds.
    pub splits: Vec<i32>,
    /// `approx_dimension` values for each leaf.
    pub leaf_values: Vec<f64>,
}

/// A node of a tree grown node by node; the first one is the root.
#[derive(Clone, Debug, PartialEq)]
pub struct StepNode {
    /// The number of its split; of a node without children nothing.
    pub split: i32,
    /// The child where the split does not hold; `None`: the way ends at this node.
    pub left: Option<usize>,
    /// The child where it holds.
    pub right: Option<usize>,
    /// `approx_dimension` values, where a way ends here.
    pub value: Vec<f64>,
}

/// What the file says of the training.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Info {
    /// The loss's name; `None` where the file holds none.
    pub loss_function: Option<String>,
    /// The classes' names.
    pub class_names: Option<fretsaw_model::Labels>,
    /// The version of CatBoost.
    pub version: Option<String>,
}
