//! An ensemble compiled: which trees are sliced, which are walked, and what both need.
//!
//! Where it runs is no matter here: it may be the body of a model or a step of its program.

use std::mem;

use fretsaw_model::{BaseOrder, Ensemble, Float, Node, Sum, Target, Tree};

use crate::circuit::{self, Routes};
use crate::cost::{self, Traits};
use crate::error::Error;
use crate::few::Few;
use crate::isa::Isa;
use crate::kernel;
use crate::leaves::{BATCH, Leaves};
use crate::plan::Strategy;
use crate::predicate::{Predicate, PredicateMap, Sets, canonical};
use crate::summary::Group;
use crate::table::Table;
use crate::walk::{Forest, Walk};

/// A compiled ensemble.
pub(crate) struct Trees {
    pub(crate) isa: Isa,
    pub(crate) compare: Float,
    pub(crate) finish: Finish,
    pub(crate) table: Table,
    pub(crate) routes: Routes,
    pub(crate) leaves: Leaves,
    pub(crate) walk: Walk,
    pub(crate) few: Few,
    pub(crate) segments: Vec<Segment>,
    /// Fewer rows than this go by `few`.
    pub(crate) crossing: usize,
    pub(crate) ns_per_row: f64,
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

/// Compiles ensembles alike, and keeps what a summary tells of them.
pub(crate) struct Compiler {
    pub(crate) isa: Isa,
    pub(crate) strategy: Strategy,
    pub(crate) blocks: Strategy,
    pub(crate) groups: Vec<Group>,
    /// Leaves of all trees so far.
    pub(crate) n_leaves: usize,
}

impl Compiler {
    /// Compiles one more ensemble.
    ///
    /// # Errors
    /// As [`Trees::compile`].
    pub(crate) fn trees(&mut self, e: &Ensemble) -> Result<Trees, Error> {
        // Of a tree's nodes one more than half are leaves.
        self.n_leaves += e.trees.iter().map(|t| t.nodes.len() / 2 + 1).sum::<usize>();
        let (trees, groups) = Trees::compile(e, self.isa, self.strategy, self.blocks)?;
        for group in groups {
            let same = |g: &&mut Group| g.strategy == group.strategy && g.reason == group.reason;
            match self.groups.iter_mut().find(same) {
                Some(known) => known.n_trees += group.n_trees,
                None => self.groups.push(group),
            }
        }
        Ok(trees)
    }
}

/// Rows from which on nothing but walks go by blocks.
const WALKED_ROWS: usize = 32;

impl Trees {
    /// Compiles `e`; tells which trees run in which way, and why.
    ///
    /// # Errors
    /// When it has more nodes than can be numbered.
    pub(crate) fn compile(
        e: &Ensemble,
        isa: Isa,
        strategy: Strategy,
        blocks: Strategy,
    ) -> Result<(Self, Vec<Group>), Error> {
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
        let by_blocks = match strategy {
            Strategy::Auto => blocks,
            asked => asked,
        };
        let mut choice = cost::choose(&traits, isa, e.sum, by_blocks);

        let mut table = Table::new(
            mem::take(&mut choice.predicates),
            e.compare,
            sets.into_tests(),
        );
        if kernel::wants_ladders(isa) {
            table = table.with_ladders();
        }
        let planes: PredicateMap<u32> = table.planes().collect();
        let plane_of = |p: &Predicate| planes.get(p).copied();

        let mut routes = Routes::new(table.n_planes());
        let mut leaves = Leaves::new(e.sum, kernel::held(isa));
        let mut walk = Walk::new(e);
        let mut segments: Vec<Segment> = Vec::new();
        let mut batch: Vec<(&Tree, Vec<u32>)> = Vec::new();
        let mut flush = |batch: &mut Vec<(&Tree, Vec<u32>)>,
                         routes: &mut Routes,
                         segments: &mut Vec<Segment>| {
            if batch.is_empty() {
                return;
            }
            let n = leaves.batches.len();
            leaves.push(routes.end_batch(), batch, e.n_outputs);
            batch.clear();
            match segments.last_mut() {
                Some(Segment::Sliced(range)) => range.end = n + 1,
                _ => segments.push(Segment::Sliced(n..n + 1)),
            }
        };
        for (i, (tree, nodes)) in e.trees.iter().zip(&canonical).enumerate() {
            walk.push(tree)?;
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

        let sliced_reason = match by_blocks {
            Strategy::BitSliced => cost::ASKED,
            _ => cost::SHARED,
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
        let few = match strategy {
            Strategy::Auto => Few::new(e, &canonical, &traits, &walk, isa)?,
            _ => Few::walk(e, &traits),
        };
        let mut walked = vec![false; e.trees.len()];
        let by_block = segments.iter().filter_map(|s| match s {
            Segment::Walked(range) => Some(range),
            Segment::Sliced(_) => None,
        });
        for range in by_block.chain(few.walked()) {
            walked[range.clone()].fill(true);
        }
        // The scalar kernels walk plain nodes: they are the specification.
        if isa != Isa::Scalar && strategy != Strategy::PlainWalk {
            let by_row: Vec<_> = few.walked().cloned().collect();
            walk.plant(e, &canonical, &walked, &by_row, isa);
        }
        if walk.forest.is_none() {
            walk.pack(&canonical, &walked)?;
        }
        let trees = Self {
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
                Strategy::PlainWalk => usize::MAX,
                // Blocks of nothing but walks keep rows in flight, fewer rows keep trees in flight.
                _ if leaves.batches.is_empty() => WALKED_ROWS,
                _ => choice.crossing(few.ns_per_row),
            },
            ns_per_row: choice.ns_per_row,
            table,
            routes,
            leaves,
            walk,
            few,
            segments,
        };
        Ok((trees, groups))
    }

    /// The forest, where there is nothing but its walks.
    pub(crate) fn only_walks(&self) -> Option<&Forest> {
        let walk = |s: &Segment| matches!(s, Segment::Walked(_));
        let forest = self.walk.forest.as_ref();
        forest.filter(|_| self.segments.iter().all(walk))
    }

    pub(crate) fn memory(&self) -> usize {
        self.table.memory()
            + self.routes.memory()
            + self.leaves.memory()
            + self.walk.memory()
            + self.few.memory()
    }
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
