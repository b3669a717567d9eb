//! XGBoost's own model, with XGBoost's field names, and what it means.
//!
//! `parse` reads JSON and UBJSON of versions 1.0 to 3.x, `binary` the format from before, `wrapper`
//! finds the Booster in a pickled scikit-learn estimator, `lift` turns the model into the IR. Only what bears on predictions is
//! kept: no training statistics, no parameters of the objective (none of them changes an answer).

mod binary;
mod lift;
mod objective;
mod parse;
mod tree;
mod wrapper;

use std::collections::BTreeMap;

pub use binary::from_binary;
pub(crate) use binary::is_binary;
pub(crate) use lift::lift;
pub use parse::{from_json, from_ubjson};
pub(crate) use wrapper::from_pickle;

/// A model file.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Everything that was learned.
    pub learner: Learner,
    /// Major, minor and patch number of the XGBoost that wrote the file; empty where it did not
    /// say. The binary format has no patch number, and before 1.0 just the 0.
    pub version: Vec<u32>,
}

/// Everything that was learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Learner {
    /// Text that the user or the wrapper attached; `best_iteration` among it.
    pub attributes: BTreeMap<String, String>,
    /// Names of the columns; empty in files before 1.4, and where none were given.
    pub feature_names: Vec<String>,
    /// Types of the columns: `float`, `int`, `i`, `q`, `c`; empty where none were given.
    pub feature_types: Vec<String>,
    /// The booster.
    pub gradient_booster: GradientBooster,
    /// Numbers of features and outputs, and the base score.
    pub learner_model_param: LearnerModelParam,
    /// The objective's name, such as `binary:logistic`.
    pub objective: String,
}

/// Numbers of features and outputs, and the base score.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnerModelParam {
    /// In user space (a probability for logistic objectives), before 1.0 a margin: one value, or,
    /// since 3.1, one an output.
    pub base_score: Vec<f32>,
    /// Whether the base score was to be found from the labels (1), or was given (0).
    pub boost_from_average: u32,
    /// Classes of a multiclass model; 0 elsewhere.
    pub num_class: u32,
    /// Columns.
    pub num_feature: u32,
    /// Targets of a multi-output model; 1 elsewhere.
    pub num_target: u32,
}

/// The booster.
#[derive(Clone, Debug, PartialEq)]
pub enum GradientBooster {
    /// Trees; DART too.
    Gbtree(GbtreeModel),
    /// A linear model.
    Gblinear(GblinearModel),
}

/// Trees.
#[derive(Clone, Debug, PartialEq)]
pub struct GbtreeModel {
    /// Trees that each iteration makes for each output.
    pub num_parallel_tree: u32,
    /// The trees, iteration by iteration.
    pub trees: Vec<RegTree>,
    /// The output that each tree adds to.
    pub tree_info: Vec<i32>,
    /// Where each iteration starts in `trees`, and the end; empty in files before 2.0.
    pub iteration_indptr: Vec<u32>,
    /// DART's factor of each tree; empty elsewhere.
    pub weight_drop: Vec<f32>,
    /// The categories of each feature, since 3.1; empty elsewhere.
    pub cats: Vec<CatColumn>,
}

/// A linear model.
#[derive(Clone, Debug, PartialEq)]
pub struct GblinearModel {
    /// `num_feature` rows of one weight an output, then one bias an output. Empty stands for zeros.
    pub weights: Vec<f32>,
}

/// A tree, as arrays with one element a node.
#[derive(Clone, Debug, PartialEq)]
pub struct RegTree {
    /// Nodes in the arrays, deleted ones too.
    pub num_nodes: usize,
    /// Outputs of a leaf, where it has more than 1; 0 or 1 elsewhere.
    pub size_leaf_vector: u32,
    /// Left child; -1 for a leaf.
    pub left_children: Vec<i32>,
    /// Right child. Since 3.2, of a leaf that is a vector: its place in `leaf_weights`.
    pub right_children: Vec<i32>,
    /// Feature tested.
    pub split_indices: Vec<u32>,
    /// Threshold; of a leaf that is no vector, its value.
    pub split_conditions: Vec<f32>,
    /// Whether a missing value goes left.
    pub default_left: Vec<bool>,
    /// 1 for a categorical split. Empty in files before 1.3.
    pub split_type: Vec<u8>,
    /// The nodes that have a categorical split.
    pub categories_nodes: Vec<i32>,
    /// Where the set of each of them starts in `categories`.
    pub categories_segments: Vec<u64>,
    /// How many categories it has.
    pub categories_sizes: Vec<u64>,
    /// The sets: categories that go right.
    pub categories: Vec<i32>,
    /// Weights of every node: `size_leaf_vector` each. Vector leaves are here before 3.2.
    pub base_weights: Vec<f32>,
    /// Vector leaves since 3.2.
    pub leaf_weights: Vec<f32>,
}

/// The categories of one feature in the order of their codes.
#[derive(Clone, Debug, PartialEq)]
pub enum CatColumn {
    /// The feature is not categorical.
    None,
    /// Text.
    Strings(Vec<String>),
    /// Whole numbers.
    Ints(Vec<i64>),
}
