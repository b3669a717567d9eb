//! Tree ensembles with the meaning of the framework that trained them.

use crate::Float;

/// A tree ensemble: its margins are sums of leaves, in a stated order and precision.
///
/// For each row and output the margin is, in the precision of [`Sum`]:
/// the base where [`BaseOrder::First`], then `+ leaf * weight` of each tree in order, then
/// `* multiply`, then `/ divide`, then the base where [`BaseOrder::Last`].
#[derive(Clone, Debug, PartialEq)]
pub struct Ensemble {
    /// How many margins a row gives.
    pub n_outputs: usize,
    /// Inputs are cast to this precision before any test.
    pub compare: Float,
    /// How leaves are summed.
    pub sum: Sum,
    /// One base value an output.
    pub base: Vec<f64>,
    /// When the base is added.
    pub base_order: BaseOrder,
    /// Factor on the finished sum (CatBoost's scale; the unit of integer leaves), one an output.
    /// All 1 elsewhere.
    pub multiply: Vec<f64>,
    /// Divisor of the finished sum (averaging: the number of trees); 1 elsewhere.
    pub divide: f64,
    /// The trees, in the order of the sum.
    pub trees: Vec<Tree>,
}

/// How leaves are summed, and so what precision the margins have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// In f32, tree after tree.
    F32,
    /// In f64, tree after tree.
    F64,
    /// Leaves and tree weights are whole numbers and are summed in i32, so order does not matter;
    /// then `sum * multiply + base` in f64, rounded once to the f32 margin. What an int8 variant
    /// does; no framework trains it.
    I32,
}

impl Sum {
    /// The precision of the margins.
    pub fn margin(self) -> Float {
        match self {
            Self::F32 | Self::I32 => Float::F32,
            Self::F64 => Float::F64,
        }
    }
}

/// When the base is added to the sum of leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseOrder {
    /// The sum starts from it (XGBoost, scikit-learn's gradient boosting).
    First,
    /// It is added to the finished sum (CatBoost's bias, ONNX Runtime).
    Last,
}

/// One tree. Node 0 is the root; every other node is the child of exactly one split.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// Factor on each leaf, multiplied in the precision of the sum before it is added (DART's
    /// weight, a learning rate that the framework keeps apart); 1 elsewhere.
    pub weight: f64,
    /// Which output the leaves add to.
    pub target: Target,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// Leaf values: one a leaf for [`Target::Output`], `n_outputs` a leaf for [`Target::All`].
    pub leaves: Vec<f64>,
    /// Linear leaves: empty, or one a leaf (then `leaves` holds what stands in for them where a
    /// value is missing). Only with [`Target::Output`].
    pub linear: Vec<LinearLeaf>,
    /// The sets that [`Test::In`] names.
    pub sets: Vec<CategorySet>,
}

/// Which margins the leaves of a tree add to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// One output.
    Output(u32),
    /// A vector leaf: every output.
    All,
}

/// A node of a tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Node {
    /// An inner node.
    Split(Split),
    /// A leaf, and its number.
    Leaf(u32),
}

/// An inner node: a test on one feature and the two ways on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// The feature tested.
    pub feature: u32,
    /// The test.
    pub test: Test,
    /// What a missing value does.
    pub missing: Missing,
    /// The node to go to where the test holds.
    pub yes: u32,
    /// The node to go to where it does not.
    pub no: u32,
}

/// A test of the value `x`, cast to [`Ensemble::compare`] and widened, against an exact threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Test {
    /// `x < t` (XGBoost).
    Less(f64),
    /// `x <= t` (LightGBM, scikit-learn).
    LessEq(f64),
    /// `x > t` (CatBoost).
    Greater(f64),
    /// `x >= t` (ONNX).
    GreaterEq(f64),
    /// `x == t` (ONNX).
    Equal(f64),
    /// `x != t` (ONNX).
    NotEqual(f64),
    /// `x` is a member of [`Tree::sets`]`[i]`.
    In(u32),
}

/// What a split does with a missing value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// NaN is compared as 0 (LightGBM's kind None).
    AsZero,
    /// NaN, and `|x| <= 1e-35f`, go to the default way (LightGBM's kind Zero).
    ZeroOrNan {
        /// Whether the default way is `yes`.
        yes: bool,
    },
    /// NaN goes to the default way.
    Nan {
        /// Whether the default way is `yes`.
        yes: bool,
    },
}

impl Missing {
    /// LightGBM's `kZeroThreshold`: `1e-35f` widened.
    pub const ZERO: f64 = 1e-35_f32 as f64;
}

/// A set of categories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategorySet {
    /// Its members, ascending, without repetition.
    pub members: Vec<u32>,
    /// The categories that the model knows, where one that it does not know counts as missing
    /// (scikit-learn's histogram gradient boosting); ascending.
    pub known: Option<Vec<u32>>,
    /// How a value becomes a category.
    pub index: CategoryIndex,
}

/// How a value becomes a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CategoryIndex {
    /// Truncated towards zero, so -0.5 is category 0 (LightGBM).
    Truncate,
    /// Truncated, and anything below zero is in no set (XGBoost).
    TruncateNonNegative,
    /// Only a whole number is a category (ONNX's equality).
    Exact,
}

impl CategorySet {
    /// The category that `x` stands for, if any.
    pub fn category(&self, x: f64) -> Option<u32> {
        let ok = match self.index {
            CategoryIndex::Truncate => x > -1.0,
            CategoryIndex::TruncateNonNegative => x >= 0.0,
            CategoryIndex::Exact => x >= 0.0 && x.trunc() == x,
        };
        (ok && x < 4_294_967_296.0).then_some(x as u32)
    }

    /// Whether `x` is a member.
    pub fn contains(&self, x: f64) -> bool {
        self.category(x)
            .is_some_and(|c| self.members.binary_search(&c).is_ok())
    }

    /// Whether `x` counts as missing, beyond NaN.
    pub fn is_unknown(&self, x: f64) -> bool {
        match (&self.known, self.category(x)) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(known), Some(c)) => known.binary_search(&c).is_err(),
        }
    }
}

/// A leaf that is a linear function (LightGBM's `linear_tree`), computed in f64.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearLeaf {
    /// The constant term.
    pub constant: f64,
    /// Feature and coefficient, in the order of the sum. If any of these features is NaN, the
    /// tree's plain leaf value stands in.
    pub terms: Vec<(u32, f64)>,
}

/// What a tree is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeStats {
    /// Leaves.
    pub n_leaves: usize,
    /// Inner nodes.
    pub n_splits: usize,
    /// Splits on the longest way from the root to a leaf.
    pub depth: usize,
}

impl Tree {
    /// Counts leaves, splits and depth.
    pub fn stats(&self) -> TreeStats {
        let mut stats = TreeStats::default();
        let mut stack = vec![(0_u32, 0_usize)];
        while let Some((at, depth)) = stack.pop() {
            match self.nodes[at as usize] {
                Node::Leaf(_) => {
                    stats.n_leaves += 1;
                    stats.depth = stats.depth.max(depth);
                }
                Node::Split(split) => {
                    stats.n_splits += 1;
                    stack.push((split.yes, depth + 1));
                    stack.push((split.no, depth + 1));
                }
            }
        }
        stats
    }
}
