//! scikit-learn's own model, with scikit-learn's attribute names, and what it means.
//!
//! `parse` finds the estimator in a pickle, a joblib file or a skops file and takes what bears on
//! predictions out of it; `lift` turns that into the IR. Tree ensembles are read, alone or behind
//! wrappers and steps that the IR can hold exactly; every other class is refused by its name.

mod attributes;
mod hist;
mod init;
mod lift;
mod parse;
mod tree;

use fretsaw_model::{Labels, Step};

pub(crate) use lift::lift;
pub(crate) use parse::from_pickle;

/// A fitted estimator and what stands in front of it.
#[derive(Debug)]
pub(crate) struct Model {
    /// The class of the estimator that answers, without its module.
    class: String,
    /// `_sklearn_version`: major and minor number.
    version: (u32, u32),
    /// The same, in full.
    version_text: Option<String>,
    /// How many columns the rows have.
    n_features: usize,
    /// `feature_names_in_`; empty where the rows had no names.
    feature_names: Vec<String>,
    /// What a pipeline does to the rows first.
    steps: Vec<Step>,
    /// The estimator.
    estimator: Estimator,
}

/// An estimator by the rule of its sum.
#[derive(Debug)]
enum Estimator {
    Trees(Trees),
    GradientBoosting(GradientBoosting),
    HistGradientBoosting(hist::HistGradientBoosting),
    /// Another library's, at the end of a pipeline.
    Foreign(Box<fretsaw_model::Model>),
}

/// One tree, or the mean of several.
#[derive(Debug)]
struct Trees {
    trees: Vec<Member>,
    /// What the sum is divided by; `None` of a single tree, whose leaf is the answer.
    n_estimators: Option<usize>,
    /// `classes_` of a classifier.
    classes: Option<Labels>,
}

/// A tree of a mean.
#[derive(Debug)]
struct Member {
    tree_: tree::Tree,
    /// The columns that the tree sees, where bagging shows it only some.
    features: Option<Vec<usize>>,
}

/// Gradient boosting: trees added to an initial margin.
#[derive(Debug)]
struct GradientBoosting {
    /// Stage by stage, one tree an output.
    estimators: Vec<tree::Tree>,
    learning_rate: f64,
    /// `init_` in the scale of the margins: one value an output.
    init: Vec<f64>,
    /// The loss's name.
    loss: String,
    classes: Option<Labels>,
}

impl Model {
    /// Whether it was written by this version or a later one.
    fn since(&self, major: u32, minor: u32) -> bool {
        self.version >= (major, minor)
    }
}
