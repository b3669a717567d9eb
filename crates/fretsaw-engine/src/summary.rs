//! What a plan is made of, in plain numbers, for reports.

use crate::isa::Isa;
use crate::plan::Strategy;

/// What a plan is made of.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// The instruction set of its kernels.
    pub isa: Isa,
    /// Steps that run as a program, those within branches too; 0: there is none.
    pub n_steps: usize,
    /// Trees by the way they run and why, those of steps too.
    pub groups: Vec<Group>,
    /// Distinct predicates of the body's sliced trees.
    pub n_predicates: usize,
    /// Leaves of all trees.
    pub n_leaves: usize,
    /// Ternary operations of the body's circuits, a block.
    pub n_operations: usize,
    /// The type of leaves and sums: `f32`, `f64` or `i32`.
    pub leaf_type: &'static str,
    /// Rows of a block.
    pub block_rows: usize,
    /// Batches (and remainders of batches) of fewer rows than this are taken row by row by the body.
    pub crossing_rows: usize,
    /// Bytes of the plan.
    pub memory: usize,
}

/// Trees that run the same way for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// How they run: [`Strategy::BitSliced`] or [`Strategy::Walk`].
    pub strategy: Strategy,
    /// How many.
    pub n_trees: usize,
    /// Why.
    pub reason: &'static str,
}

impl Group {
    /// Whether the cost model chose the way, rather than the trees or the caller.
    pub fn is_choice(&self) -> bool {
        self.reason == crate::cost::TOO_DEAR || self.reason == crate::cost::SHARED
    }
}
