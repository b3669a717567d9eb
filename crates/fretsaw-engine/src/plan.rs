//! Compiling a model into a plan, and the plan's public face.

use std::fmt;

use fretsaw_model::{
    BaseOrder, Body, Ensemble, Float, HASHES_IN_F32, Model, Node, Rows, Step, Sum, Target, Tree,
};

use crate::block::ROWS;
use crate::circuit::{self, Routes};
use crate::cost::{self, Traits};
use crate::error::{Error, ErrorKind};
use crate::isa::Isa;
use crate::kernel;
use crate::leaves::{BATCH, Leaves};
use crate::linear::LinearPlan;
use crate::predicate::{Predicate, Sets, canonical};
use crate::run;
use crate::scratch::Scratch;
use crate::summary::{Group, Summary};
use crate::table::Table;
use crate::walk::{LANES, Walk};

/// How trees are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// What the cost model expects to be fastest, tree by tree and batch by batch.
    #[default]
    Auto,
    /// Every tree that can be is sliced, and always in blocks.
    BitSliced,
    /// Every tree is walked.
    Walk,
}

/// What a plan is compiled for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The instruction set; `None`: the best that this processor has.
    pub isa: Option<Isa>,
    /// How trees are run.
    pub strategy: Strategy,
}

impl Options {
    /// Options for one instruction set and strategy.
    pub fn new(isa: Option<Isa>, strategy: Strategy) -> Self {
        Self { isa, strategy }
    }
}

/// Where margins are written: `n_rows` x `n_outputs`, row-major, of the plan's
/// [`margin`](Plan::margin).
#[derive(Debug)]
pub enum MarginsMut<'a> {
    /// Single precision.
    F32(&'a mut [f32]),
    /// Double precision.
    F64(&'a mut [f64]),
}

impl<'a> MarginsMut<'a> {
    fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::F64(v) => v.len(),
        }
    }

    fn split_at(self, at: usize) -> (Self, Self) {
        match self {
            Self::F32(v) => {
                let (a, b) = v.split_at_mut(at);
                (Self::F32(a), Self::F32(b))
            }
            Self::F64(v) => {
                let (a, b) = v.split_at_mut(at);
                (Self::F64(a), Self::F64(b))
            }
        }
    }
}

/// A model compiled for one instruction set. Immutable; threads share it, each with a [`Scratch`]
/// of its own.
pub struct Plan {
    n_features: usize,
    /// Whether rows hold hashes, which f32 cannot.
    double_rows: bool,
    n_outputs: usize,
    margin: Float,
    pub(crate) steps: Vec<Step>,
    body: PlanBody,
    isa: Isa,
    groups: Vec<Group>,
    n_leaves: usize,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Plan").field(&self.summary()).finish()
    }
}

enum PlanBody {
    Trees(Box<Trees>),
    LinearF32(LinearPlan<f32>),
    LinearF64(LinearPlan<f64>),
}

/// A compiled ensemble.
pub(crate) struct Trees {
    pub(crate) isa: Isa,
    pub(crate) compare: Float,
    pub(crate) finish: Finish,
    pub(crate) table: Table,
    pub(crate) routes: Routes,
    pub(crate) leaves: Leaves,
    pub(crate) walk: Walk,
    pub(crate) segments: Vec<Segment>,
    /// Fewer rows than this are walked.
    pub(crate) crossing: usize,
    ns_per_row: f64,
}

/// What happens to a sum before and after the trees.
pub(crate) struct Finish {
    pub(crate) sum: Sum,
    pub(crate) base: Vec<f64>,
    pub(crate) base_order: BaseOrder,
    pub(crate) multiply: Vec<f64>,
    pub(crate) divide: f64,
}

/// Trees in a row that run the same way.
pub(crate) enum Segment {
    /// A range of batches.
    Sliced(std::ops::Range<usize>),
    /// A range of the walk's trees.
    Walked(std::ops::Range<usize>),
}

/// Time a thread must save to be worth starting.
const THREAD_NS: f64 = 200_000.0;

impl Plan {
    /// Compiles `model`: its steps and its body, not its link.
    ///
    /// # Errors
    /// When this processor lacks the instruction set, or the ensemble has more nodes than can be
    /// numbered.
    pub fn compile(model: &Model, options: &Options) -> Result<Self, Error> {
        let isa = options.isa.unwrap_or_else(Isa::detect);
        if !isa.is_available() {
            return Err(Error::new(
                ErrorKind::Isa,
                format!("this processor has no {isa}; leave the choice open or take `portable`"),
            ));
        }
        let mut groups = Vec::new();
        let mut n_leaves = 0;
        let body = match &model.body {
            Body::Ensemble(e) => {
                n_leaves = e.trees.iter().map(|t| t.stats().n_leaves).sum();
                let (trees, g) = compile_trees(e, isa, options.strategy)?;
                groups = g;
                PlanBody::Trees(Box::new(trees))
            }
            Body::Linear(l) if l.sum == Float::F32 => PlanBody::LinearF32(LinearPlan::new(l)),
            Body::Linear(l) => PlanBody::LinearF64(LinearPlan::new(l)),
            _ => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "a body that is neither an ensemble nor linear; run it by another backend",
                ));
            }
        };
        Ok(Self {
            n_features: model.features.len(),
            double_rows: model.needs_double_rows(),
            n_outputs: model.body.n_outputs(),
            margin: model.body.margin(),
            steps: model.steps.clone(),
            body,
            isa,
            groups,
            n_leaves,
        })
    }

    /// The precision of the margins.
    pub fn margin(&self) -> Float {
        self.margin
    }

    /// Features a row.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Margins a row.
    pub fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    /// Working memory for one thread.
    pub fn scratch(&self) -> Scratch {
        Scratch::default()
    }

    /// The margins of `rows`. Nothing is allocated after the first call of a shape.
    ///
    /// # Errors
    /// When the rows or the output do not fit the plan.
    pub fn margins(
        &self,
        rows: &Rows<'_>,
        out: MarginsMut<'_>,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        self.check(rows, &out)?;
        self.run(rows, out, scratch, false);
        Ok(())
    }

    /// The same over threads, one a scratch: whole blocks each, so that results do not depend on
    /// how many there are. Batches too small to pay for a thread stay on the caller's.
    ///
    /// # Errors
    /// When the rows or the output do not fit the plan, or there is no scratch.
    pub fn margins_threads(
        &self,
        rows: &Rows<'_>,
        out: MarginsMut<'_>,
        scratches: &mut [Scratch],
    ) -> Result<(), Error> {
        self.check(rows, &out)?;
        let n_blocks = rows.n_rows().div_ceil(ROWS);
        let work = rows.n_rows() as f64 * self.ns_per_row();
        let n_threads = scratches
            .len()
            .min(n_blocks)
            .min((work / THREAD_NS) as usize + 1);
        let Some((own, others)) = scratches.split_first_mut() else {
            return Err(Error::shape("no scratch; give one a thread"));
        };
        if n_threads <= 1 {
            self.run(rows, out, own, false);
            return Ok(());
        }
        let per_thread = n_blocks.div_ceil(n_threads) * ROWS;
        std::thread::scope(|scope| {
            let n_own = per_thread.min(rows.n_rows());
            let (own_out, mut rest) = out.split_at(n_own * self.n_outputs);
            let mut at = n_own;
            for scratch in others {
                let n = per_thread.min(rows.n_rows() - at);
                if n == 0 {
                    break;
                }
                let (out, after) = rest.split_at(n * self.n_outputs);
                rest = after;
                let part = rows.slice(at..at + n);
                at += n;
                scope.spawn(move || self.run(&part, out, scratch, false));
            }
            self.run(&rows.slice(0..n_own), own_out, own, false);
        });
        Ok(())
    }

    /// The same by the plainest walk: one row at a time, one tree after the other over the packed
    /// nodes. The engine's own baseline for speed-ups, where no other runtime is at hand.
    ///
    /// # Errors
    /// When the rows or the output do not fit the plan.
    pub fn walk_margins(
        &self,
        rows: &Rows<'_>,
        out: MarginsMut<'_>,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        self.check(rows, &out)?;
        self.run(rows, out, scratch, true);
        Ok(())
    }

    /// Bytes that the plan holds.
    pub fn memory(&self) -> usize {
        size_of::<Self>()
            + match &self.body {
                PlanBody::Trees(t) => {
                    t.table.memory() + t.routes.memory() + t.leaves.memory() + t.walk.memory()
                }
                PlanBody::LinearF32(l) => l.memory(),
                PlanBody::LinearF64(l) => l.memory(),
            }
    }

    /// What the plan is made of.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary {
            isa: self.isa,
            groups: self.groups.clone(),
            n_predicates: 0,
            n_leaves: self.n_leaves,
            n_operations: 0,
            leaf_type: match self.margin {
                Float::F32 => "f32",
                Float::F64 => "f64",
            },
            block_rows: ROWS,
            crossing_rows: 0,
            memory: self.memory(),
        };
        if let PlanBody::Trees(t) = &self.body {
            summary.n_predicates = t.table.predicates.len();
            summary.n_operations = t.routes.n_operations();
            summary.crossing_rows = t.crossing;
            if t.finish.sum == Sum::I32 {
                summary.leaf_type = "i32";
            }
        }
        summary
    }

    fn ns_per_row(&self) -> f64 {
        match &self.body {
            PlanBody::Trees(t) => t.ns_per_row,
            _ => 0.3 * (self.n_features * self.n_outputs) as f64,
        }
    }

    fn check(&self, rows: &Rows<'_>, out: &MarginsMut<'_>) -> Result<(), Error> {
        if rows.n_features() != self.n_features {
            return Err(Error::shape(format!(
                "the rows have {} features, the plan has {}",
                rows.n_features(),
                self.n_features
            )));
        }
        if self.double_rows && rows.float() == Float::F32 {
            return Err(Error::shape(HASHES_IN_F32));
        }
        let want = rows.n_rows().checked_mul(self.n_outputs);
        if want != Some(out.len()) {
            return Err(Error::shape(format!(
                "{} margins for {} rows of {} outputs",
                out.len(),
                rows.n_rows(),
                self.n_outputs
            )));
        }
        match (self.margin, out) {
            (Float::F32, MarginsMut::F32(_)) | (Float::F64, MarginsMut::F64(_)) => Ok(()),
            (Float::F32, _) => Err(Error::shape("the plan gives f32 margins, not f64")),
            (Float::F64, _) => Err(Error::shape("the plan gives f64 margins, not f32")),
        }
    }

    fn run(&self, rows: &Rows<'_>, out: MarginsMut<'_>, s: &mut Scratch, plain_walk: bool) {
        match (&self.body, out) {
            (PlanBody::Trees(t), out) => run::ensemble(t, &self.steps, rows, out, s, plain_walk),
            (PlanBody::LinearF32(l), MarginsMut::F32(out)) => {
                l.margins(rows, &self.steps, out, &mut s.narrow, &mut s.row);
            }
            (PlanBody::LinearF64(l), MarginsMut::F64(out)) => {
                l.margins(rows, &self.steps, out, &mut s.wide, &mut s.row);
            }
            _ => unreachable!("`check` compared the precisions"),
        }
    }
}

fn compile_trees(e: &Ensemble, isa: Isa, strategy: Strategy) -> Result<(Trees, Vec<Group>), Error> {
    let mut sets = Sets::default();
    let canonical: Vec<Vec<circuit::Node>> = e
        .trees
        .iter()
        .map(|tree| canonical_nodes(tree, e.compare, &mut sets))
        .collect();
    let traits: Vec<Traits> = e
        .trees
        .iter()
        .zip(&canonical)
        .map(|(tree, nodes)| {
            let width = match tree.target {
                Target::Output(_) => 1,
                Target::All => e.n_outputs,
            };
            Traits::new(nodes, !tree.linear.is_empty(), width)
        })
        .collect();
    let choice = cost::choose(&traits, isa, strategy);

    let predicates: Vec<Predicate> = canonical
        .iter()
        .zip(&choice.walked)
        .filter(|(_, walked)| walked.is_none())
        .flat_map(|(nodes, _)| nodes)
        .filter_map(|node| match node {
            circuit::Node::Split { predicate, .. } => Some(*predicate),
            circuit::Node::Leaf(_) => None,
        })
        .collect();
    let mut table = Table::new(predicates, e.compare, sets.into_tests());
    if kernel::wants_ranks(isa) {
        table = table.with_ranks();
    }
    let plane_of = |p: &Predicate| table.plane(p);

    let mut routes = Routes::new(table.n_planes());
    let mut leaves = Leaves::new(e.sum, kernel::wants_bytes(isa));
    let mut walk = Walk::new(e);
    let mut segments: Vec<Segment> = Vec::new();
    let mut batch: Vec<(&Tree, Vec<u32>)> = Vec::new();
    let mut first_route = 0;
    let mut flush =
        |batch: &mut Vec<(&Tree, Vec<u32>)>, routes: &mut Routes, segments: &mut Vec<Segment>| {
            if batch.is_empty() {
                return;
            }
            let n = leaves.batches.len();
            leaves.push(routes.end_batch(), first_route, batch, e.n_outputs);
            first_route += batch.len();
            batch.clear();
            match segments.last_mut() {
                Some(Segment::Sliced(range)) => range.end = n + 1,
                _ => segments.push(Segment::Sliced(n..n + 1)),
            }
        };
    for (i, (tree, nodes)) in e.trees.iter().zip(&canonical).enumerate() {
        walk.push(tree, nodes)?;
        let codes = match choice.walked[i] {
            None => routes.push(nodes, &plane_of),
            Some(_) => None,
        };
        if let Some(leaf_of_code) = codes {
            batch.push((tree, leaf_of_code));
            if batch.len() == BATCH {
                flush(&mut batch, &mut routes, &mut segments);
            }
        } else {
            flush(&mut batch, &mut routes, &mut segments);
            match segments.last_mut() {
                Some(Segment::Walked(range)) => range.end = i + 1,
                _ => segments.push(Segment::Walked(i..i + 1)),
            }
        }
    }
    flush(&mut batch, &mut routes, &mut segments);

    let sliced_reason = match strategy {
        Strategy::BitSliced => cost::ASKED,
        _ => "trees share its predicates, and its codes fit a byte",
    };
    let mut groups: Vec<Group> = Vec::new();
    for walked in &choice.walked {
        let (strategy, reason) = match walked {
            Some(reason) => (Strategy::Walk, *reason),
            None => (Strategy::BitSliced, sliced_reason),
        };
        match groups
            .iter_mut()
            .find(|g| g.strategy == strategy && g.reason == reason)
        {
            Some(group) => group.n_trees += 1,
            None => groups.push(Group {
                strategy,
                n_trees: 1,
                reason,
            }),
        }
    }
    let trees = Trees {
        isa,
        compare: e.compare,
        finish: Finish {
            sum: e.sum,
            base: e.base.clone(),
            base_order: e.base_order,
            multiply: e.multiply.clone(),
            divide: e.divide,
        },
        crossing: match strategy {
            Strategy::BitSliced => 0,
            // Blocks of nothing but walks keep rows in flight, fewer rows keep trees in flight.
            _ if leaves.batches.is_empty() => LANES,
            _ => choice.crossing,
        },
        ns_per_row: choice.ns_per_row,
        table,
        routes,
        leaves,
        walk,
        segments,
    };
    Ok((trees, groups))
}

fn canonical_nodes(tree: &Tree, compare: Float, sets: &mut Sets) -> Vec<circuit::Node> {
    tree.nodes
        .iter()
        .map(|node| match node {
            Node::Leaf(leaf) => circuit::Node::Leaf(*leaf),
            Node::Split(split) => {
                let (predicate, inverted) = canonical(split, tree, compare, sets);
                let (yes, no) = if inverted {
                    (split.no, split.yes)
                } else {
                    (split.yes, split.no)
                };
                circuit::Node::Split { predicate, yes, no }
            }
        })
        .collect()
}
