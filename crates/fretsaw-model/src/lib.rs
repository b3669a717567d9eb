//! The one model that every framework becomes, and the plainest way to predict with it.
//!
//! A [`Model`] is [`Step`]s, then a [`Body`] (a tree ensemble, a linear model, or what the steps
//! leave) that gives margins, then a [`Link`] that turns margins into what the framework answers, and
//! a [`Decision`] that names a class. It keeps the
//! *source framework's* meaning: its comparisons, its missing-value rules, the order and the
//! precision of its sums. Nothing here is rearranged for speed; that is the engine's plan.
//!
//! Models are made in one place: fill in a [`Draft`], call [`Draft::build`]. What comes out is
//! valid by construction (every child exists, every node is reached once, every feature is in
//! range), and is read-only; [`Model::into_draft`] opens it again for a pass that changes it.
//!
//! [`predict`] and [`margins`] are the specification for all else: the engine, the ONNX that is
//! written and every variant are compared with them.
//!
//! This crate does no I/O and has no `unsafe`.
#![forbid(unsafe_code)]

mod check_steps;
mod column;
mod derive;
mod draft;
mod encoder;
mod ensemble;
mod error;
mod feature;
mod function;
mod hash;
mod inputs;
mod kernel;
mod linear;
mod link;
mod model;
mod narrow;
mod neighbors;
pub mod normal;
mod pairwise;
mod predict;
#[cfg(feature = "random")]
pub mod random;
mod rows;
mod step;

pub use column::{Bits, Column};
pub use derive::{Derived, KeyPart, extend_key};
pub use encoder::{Codes, Encoder};
pub use ensemble::{
    BaseOrder, CategoryIndex, CategorySet, Ensemble, LinearLeaf, Missing, Node, Split, Sum, Target,
    Test, Tree, TreeStats,
};
pub use error::{Error, ErrorKind};
pub use feature::{Categories, Feature, FeatureKind};
pub use function::{Curve, Function, Norm, Power};
pub use hash::category_hash;
pub use inputs::InputUse;
pub use kernel::{Compared, Kernel, KernelFunction};
pub use linear::{InterceptOrder, Linear, LinearMissing};
pub use link::{Link, MeanLink};
pub use model::{Answer, Body, Decision, Draft, Float, Labels, Model, Provenance};
pub use narrow::{ceil32, floor32};
pub use neighbors::{Metric, NeighborFill, NeighborTargets, NeighborWeights, Neighbors};
pub use pairwise::PairwiseCoupling;
pub use predict::{
    HASHES_IN_F32, answers_f32, answers_f64, body_rows, labels, margins, predict, seen_margins,
};
pub use rows::{Columns, Rows, Values};
pub use step::{Step, apply, apply_steps, width};
