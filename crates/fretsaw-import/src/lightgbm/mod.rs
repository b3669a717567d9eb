//! LightGBM's own model, with LightGBM's field names, and what it means.
//!
//! `text` reads the model text of versions 2.1 to 4.x, `dump` the JSON of `dump_model`, `wrapper`
//! finds the Booster in a pickled scikit-learn estimator, `lift` turns the model into the IR. Only
//! what bears on predictions is kept: no gains, counts or weights, no training parameters.

mod categories;
mod dump;
mod lift;
mod objective;
mod text;
mod tree;
mod wrapper;

pub use dump::from_json;
pub(crate) use lift::lift;
pub use text::from_text;
pub(crate) use wrapper::from_pickle;

/// A model file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// The version of the file's layout: `v2` (2.1 to 2.2), `v3` (2.3 to 3.x) or `v4`.
    pub version: String,
    /// Classes of a multiclass model; 1 elsewhere.
    pub num_class: u32,
    /// Trees of an iteration: one an output.
    pub num_tree_per_iteration: u32,
    /// The number of the last column.
    pub max_feature_idx: u32,
    /// The objective and its parameters, such as `binary sigmoid:1`; none for a custom one.
    pub objective: Option<String>,
    /// Whether answers are means over the iterations (random forest mode).
    pub average_output: bool,
    /// Names of the columns.
    pub feature_names: Vec<String>,
    /// What training saw in each column; empty where the file does not say.
    pub feature_infos: Vec<FeatureInfo>,
    /// The columns that were named as categorical when it was trained, where the file says so.
    pub categorical_feature: Vec<u32>,
    /// Of each categorical column of the data frame it was trained on, the categories in the
    /// order of their codes; `None` for a column whose categories are neither text nor numbers.
    pub pandas_categorical: Vec<Option<fretsaw_model::Categories>>,
    /// The trees, iteration by iteration.
    pub trees: Vec<Tree>,
}

/// What training saw in a column.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum FeatureInfo {
    /// Nothing worth a split.
    #[default]
    None,
    /// Numbers.
    Numeric,
    /// Categories; -1 stands for a missing one.
    Categorical(Vec<i64>),
}

/// A tree. Arrays of splits have `num_leaves - 1` elements, arrays of leaves `num_leaves`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// Leaves.
    pub num_leaves: usize,
    /// Feature tested.
    pub split_feature: Vec<u32>,
    /// Threshold; of a categorical split, the place of its set in `cat_threshold`.
    pub threshold: Vec<f64>,
    /// Bit 0: categorical; bit 1: missing values go left; bits 2 and 3: what is missing
    /// (0 nothing, 1 zero and NaN, 2 NaN).
    pub decision_type: Vec<u8>,
    /// Child where the test holds: a split, or `!leaf`.
    pub left_child: Vec<i32>,
    /// The other child.
    pub right_child: Vec<i32>,
    /// Leaf values, with shrinkage, bias and DART's scale in them.
    pub leaf_value: Vec<f64>,
    /// The sets: categories that go left, ascending (`cat_boundaries` cuts the file's bits).
    pub cat_threshold: Vec<Vec<u32>>,
    /// Whether leaves are linear functions; the three arrays below are empty otherwise.
    pub is_linear: bool,
    /// Constant term of each leaf.
    pub leaf_const: Vec<f64>,
    /// Features of each leaf.
    pub leaf_features: Vec<Vec<u32>>,
    /// Their coefficients.
    pub leaf_coeff: Vec<Vec<f64>>,
}
