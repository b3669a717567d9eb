//! What the stages cost, and so which trees are sliced and which are walked.
//!
//! The figures are nanoseconds a row on one core of a recent server, good to a factor of two:
//! enough to tell a forest whose predicates are as many as its nodes from a boosted ensemble that
//! shares a few thousand. Results never depend on the choice.

use std::collections::HashMap;

use crate::block::ROWS;
use crate::circuit::{MAX_DEPTH, MAX_LEAVES, Node};
use crate::isa::Isa;
use crate::predicate::Predicate;
use crate::table::MAX_CUTS;

/// Nanoseconds a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Costs {
    /// One predicate,
    predicate: f64,
    /// and one of a feature with more cuts than can be ranked.
    unranked: f64,
    /// One operation of a circuit or node of an unrolled shape.
    operation: f64,
    /// Codes and leaf of one tree and output.
    leaf: f64,
}

/// One step of a walk among many.
const WALK_STEP: f64 = 0.85;
/// A walked tree, beside its steps.
const WALK_TREE: f64 = 2.0;

impl Costs {
    pub(crate) fn of(isa: Isa) -> Self {
        let (predicate, unranked, operation, leaf) = match isa {
            Isa::Scalar => (1.0, 1.0, 1.5, 2.0),
            Isa::Portable => (0.15, 0.15, 0.013, 1.0),
            Isa::Avx2 => (0.038, 0.038, 0.003, 0.5),
            Isa::Avx512 => (0.009, 0.03, 0.0014, 0.13),
            Isa::Avx512Vbmi => (0.009, 0.03, 0.0014, 0.05),
        };
        Self {
            predicate,
            unranked,
            operation,
            leaf,
        }
    }

    fn predicate(&self, predicate: &Predicate, cuts: &HashMap<u32, usize>) -> f64 {
        // Each cut may come twice, once for each answer to NaN.
        match cuts.get(&predicate.feature) {
            Some(&n) if n > 2 * MAX_CUTS => self.unranked,
            _ => self.predicate,
        }
    }
}

fn cuts_per_feature(predicates: &HashMap<Predicate, u32>) -> HashMap<u32, usize> {
    let mut cuts = HashMap::new();
    for p in predicates.keys() {
        *cuts.entry(p.feature).or_default() += 1;
    }
    cuts
}

/// What the cost model needs to know of a tree.
pub(crate) struct Traits {
    pub(crate) n_leaves: usize,
    pub(crate) depth: usize,
    /// Splits on the way to a leaf, on average over the leaves.
    mean_depth: f64,
    linear: bool,
    width: usize,
    /// Its distinct predicates.
    pub(crate) predicates: Vec<Predicate>,
}

impl Traits {
    pub(crate) fn new(nodes: &[Node], linear: bool, width: usize) -> Self {
        let (mut n_leaves, mut depth, mut total) = (0, 0, 0_usize);
        let mut predicates = Vec::new();
        let mut stack = vec![(0_u32, 0_usize)];
        while let Some((at, level)) = stack.pop() {
            match nodes[at as usize] {
                Node::Leaf(_) => {
                    n_leaves += 1;
                    depth = depth.max(level);
                    total += level;
                }
                Node::Split { predicate, yes, no } => {
                    predicates.push(predicate);
                    stack.extend([(yes, level + 1), (no, level + 1)]);
                }
            }
        }
        predicates.sort_unstable();
        predicates.dedup();
        Self {
            n_leaves,
            depth,
            mean_depth: total as f64 / f64::from(n_leaves.max(1) as u32),
            linear,
            width,
            predicates,
        }
    }

    /// Why the tree cannot be sliced, if so.
    fn unsuitable(&self) -> Option<&'static str> {
        if self.linear {
            Some("its leaves are linear functions")
        } else if self.n_leaves > MAX_LEAVES {
            Some("more leaves than a byte can number")
        } else {
            None
        }
    }

    /// Nanoseconds for one row, among eight trees.
    pub(crate) fn walk(&self) -> f64 {
        WALK_TREE + WALK_STEP * self.mean_depth + 0.3 * self.width as f64
    }

    fn operations(&self) -> f64 {
        if self.depth <= MAX_DEPTH {
            (1 << self.depth) as f64
        } else {
            // Interpreted operations; about 1.7 a split.
            3.0 * 1.7 * self.n_leaves as f64
        }
    }

    fn slice(&self, costs: Costs) -> f64 {
        let tables = if self.n_leaves > 64 { 2.0 } else { 1.0 };
        costs.operation * self.operations() + costs.leaf * tables * self.width as f64
    }
}

/// Which trees are sliced.
pub(crate) struct Choice {
    /// For each tree, why it is walked; `None`: it is sliced.
    pub(crate) walked: Vec<Option<&'static str>>,
    /// Nanoseconds a row in full blocks.
    pub(crate) ns_per_row: f64,
    /// Of those: what goes by 64 rows,
    by_rows: f64,
    /// and what goes by blocks.
    by_block: f64,
}

impl Choice {
    /// Fewest rows for which a block pays, where one row by itself takes `row_ns`.
    pub(crate) fn crossing(&self, row_ns: f64) -> usize {
        let walks = self.ns_per_row - self.by_rows - self.by_block;
        let block = |n: usize| {
            let words = n.div_ceil(64) as f64;
            self.by_rows * words * 64.0 + self.by_block * ROWS as f64 + walks * n as f64
        };
        (1..=ROWS)
            .find(|&n| block(n) <= row_ns * n as f64)
            .unwrap_or(ROWS)
    }
}

pub(crate) const TOO_DEAR: &str = "walking it costs less than its predicates and operations";
pub(crate) const ASKED: &str = "asked for";

pub(crate) fn choose(trees: &[Traits], isa: Isa, strategy: crate::Strategy) -> Choice {
    use crate::Strategy;
    let costs = Costs::of(isa);
    let mut walked: Vec<Option<&'static str>> = match strategy {
        Strategy::Walk => vec![Some(ASKED); trees.len()],
        _ => trees.iter().map(Traits::unsuitable).collect(),
    };
    let mut shares: HashMap<Predicate, u32> = HashMap::new();
    for (tree, _) in trees.iter().zip(&walked).filter(|(_, w)| w.is_none()) {
        for &p in &tree.predicates {
            *shares.entry(p).or_default() += 1;
        }
    }
    if strategy == Strategy::Auto {
        // A tree pays its share of each predicate; the more trees leave, the more the rest pay.
        let mut changed = true;
        for _ in 0..4 {
            if !std::mem::take(&mut changed) {
                break;
            }
            let before = shares.clone();
            let cuts = cuts_per_feature(&shares);
            for (tree, walked) in trees.iter().zip(&mut walked) {
                if walked.is_some() {
                    continue;
                }
                let share: f64 = tree
                    .predicates
                    .iter()
                    .map(|p| costs.predicate(p, &cuts) / f64::from(before[p]))
                    .sum();
                if tree.slice(costs) + share > tree.walk() {
                    *walked = Some(TOO_DEAR);
                    changed = true;
                    for p in &tree.predicates {
                        if let Some(n) = shares.get_mut(p) {
                            *n -= 1;
                        }
                    }
                }
            }
            shares.retain(|_, n| *n > 0);
        }
    }
    let of = |want_walked: bool| {
        trees
            .iter()
            .zip(&walked)
            .filter(move |(_, w)| w.is_some() == want_walked)
            .map(|(t, _)| t)
    };
    let by_rows = costs.predicate * shares.len() as f64
        + of(false).map(|t| costs.leaf * t.width as f64).sum::<f64>();
    let by_block: f64 = of(false).map(|t| costs.operation * t.operations()).sum();
    let walk_rest: f64 = of(true).map(Traits::walk).sum();
    Choice {
        walked,
        ns_per_row: by_rows + by_block + walk_rest,
        by_rows,
        by_block,
    }
}
