//! What the stages cost, and so which trees are sliced and which are walked.
//!
//! The figures are nanoseconds a row on one core of a recent server, good to a factor of two:
//! enough to tell a forest whose predicates are as many as its nodes from a boosted ensemble that
//! shares a few thousand. Results never depend on the choice.

use std::collections::HashMap;

use fretsaw_model::Sum;

use crate::block::ROWS;
use crate::circuit::{MAX_DEPTH, MAX_LEAVES, Node};
use crate::isa::Isa;
use crate::ladder::MAX_CUTS;
use crate::plan::Strategy;
use crate::predicate::{Predicate, PredicateMap};

/// Nanoseconds a row of a full block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Costs {
    /// One predicate,
    predicate: f64,
    /// and the column that it and others are about.
    column: f64,
    /// One node of an unrolled shape,
    node: f64,
    /// and one operation of a circuit.
    operation: f64,
    /// Writing the codes of one tree,
    codes: f64,
    /// and looking its leaves up for one output.
    leaf: f64,
}

/// What each step of a walk among many takes in a block,
const WALK_STEP: f64 = 0.85;
/// what it takes among the trees of one row,
const ROW_STEP: f64 = 1.8;
/// and what a walked tree takes beside its steps.
const WALK_TREE: f64 = 2.0;
/// Operations for a leaf of a tree that has no unrolled shape, about.
const OPERATIONS: f64 = 1.9;

impl Costs {
    pub(crate) fn of(isa: Isa, sum: Sum) -> Self {
        let (predicate, column, node, operation, codes) = match isa {
            Isa::Scalar => (1.0, 0.0, 1.5, 1.5, 1.0),
            Isa::Portable => (0.035, 0.0, 0.009, 0.009, 0.7),
            Isa::Avx2 => (0.005, 0.7, 0.0024, 0.0046, 0.09),
            Isa::Avx512 => (0.003, 0.42, 0.0009, 0.0035, 0.076),
            Isa::Avx512Vbmi => (0.003, 0.42, 0.0009, 0.0035, 0.017),
        };
        let leaf = match (isa, sum) {
            (Isa::Scalar, _) => 2.0,
            (Isa::Portable, _) => 0.4,
            (Isa::Avx2, Sum::F64) => 0.3,
            (Isa::Avx2, _) => 0.15,
            (_, Sum::F64) => 0.11,
            (_, Sum::F32) => 0.052,
            (_, Sum::I32) => 0.021,
        };
        Self {
            predicate,
            column,
            node,
            operation,
            codes,
            leaf,
        }
    }
}

/// The predicates that some sliced tree asks about, each with how many of them do.
#[derive(Default)]
struct Shares {
    predicates: Vec<Predicate>,
    trees: Vec<u32>,
    numbers: PredicateMap<u32>,
}

impl Shares {
    /// The numbers of the predicates of a tree, which becomes one of those that ask.
    fn take(&mut self, tree: &Traits) -> Vec<u32> {
        let number = |&p: &Predicate| {
            let number = *self.numbers.entry(p).or_insert_with(|| {
                self.predicates.push(p);
                self.trees.push(0);
                self.trees.len() as u32 - 1
            });
            self.trees[number as usize] += 1;
            number
        };
        tree.predicates.iter().map(number).collect()
    }

    fn shared(&self) -> impl Iterator<Item = Predicate> {
        let all = self.predicates.iter().zip(&self.trees);
        all.filter(|(_, trees)| **trees > 0).map(|(p, _)| *p)
    }

    /// How many predicates each feature has.
    fn by_feature(&self) -> HashMap<u32, usize> {
        let mut n = HashMap::new();
        for p in self.shared() {
            *n.entry(p.feature).or_default() += 1;
        }
        n
    }
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
            Some(LINEAR)
        } else if self.n_leaves > MAX_LEAVES {
            Some(TOO_MANY)
        } else {
            None
        }
    }

    /// Nanoseconds a row among many in a block.
    fn walk(&self) -> f64 {
        self.walk_by(WALK_STEP)
    }

    /// Nanoseconds for one row, among other trees.
    pub(crate) fn walk_alone(&self) -> f64 {
        self.walk_by(ROW_STEP)
    }

    fn walk_by(&self, step: f64) -> f64 {
        WALK_TREE + step * self.mean_depth + 0.3 * self.width as f64
    }

    /// From predicates to codes.
    fn route(&self, costs: Costs) -> f64 {
        let operations = if self.predicates.len() <= self.depth {
            // One test a level: its planes are the code.
            0.0
        } else if self.depth <= MAX_DEPTH {
            costs.node * (1 << self.depth) as f64
        } else {
            costs.operation * OPERATIONS * self.n_leaves as f64
        };
        operations + costs.codes
    }

    /// From codes to sums.
    fn look_up(&self, costs: Costs) -> f64 {
        let tables = self.n_leaves.div_ceil(64).next_power_of_two();
        costs.leaf * (tables * self.width) as f64
    }
}

/// Which trees are sliced.
pub(crate) struct Choice {
    /// For each tree, why it is walked; `None`: it is sliced.
    pub(crate) walked: Vec<Option<&'static str>>,
    /// Nanoseconds a row in full blocks.
    pub(crate) ns_per_row: f64,
    /// Of those: what goes by 64 rows. Walks go by the row, the rest by the block, however many
    /// rows it has.
    by_rows: f64,
    by_block: f64,
    /// What the sliced trees ask, each once, in no order.
    pub(crate) predicates: Vec<Predicate>,
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
pub(crate) const SHARED: &str = "trees share its predicates, and its codes fit a byte";
pub(crate) const ASKED: &str = "asked for";
const LINEAR: &str = "its leaves are linear functions";
const TOO_MANY: &str = "more leaves than a byte can number";
/// All reasons, by the numbers that saved plans know them by.
pub(crate) const REASONS: [&str; 5] = [TOO_DEAR, SHARED, ASKED, LINEAR, TOO_MANY];

pub(crate) fn choose(trees: &[Traits], isa: Isa, sum: Sum, strategy: Strategy) -> Choice {
    let costs = Costs::of(isa, sum);
    let mut walked: Vec<Option<&'static str>> = match strategy {
        Strategy::Walk | Strategy::PlainWalk => vec![Some(ASKED); trees.len()],
        _ => trees.iter().map(Traits::unsuitable).collect(),
    };
    let mut shares = Shares::default();
    let asked: Vec<Vec<u32>> = trees
        .iter()
        .zip(&walked)
        .map(|(tree, walked)| match walked {
            None => shares.take(tree),
            Some(_) => Vec::new(),
        })
        .collect();
    if strategy == Strategy::Auto {
        // A tree pays its share of each predicate; the more trees leave, the more the rest pay.
        let mut changed = true;
        for _ in 0..4 {
            if !std::mem::take(&mut changed) {
                break;
            }
            let by_feature = shares.by_feature();
            let price = |(p, &trees): (&Predicate, &u32)| {
                let own = by_feature
                    .get(&p.feature)
                    .map_or(0.0, |&n| costs.column / n as f64);
                (costs.predicate + own) / f64::from(trees.max(1))
            };
            let prices: Vec<f64> = shares
                .predicates
                .iter()
                .zip(&shares.trees)
                .map(price)
                .collect();
            for ((tree, asked), walked) in trees.iter().zip(&asked).zip(&mut walked) {
                if walked.is_some() {
                    continue;
                }
                let share: f64 = asked.iter().map(|&p| prices[p as usize]).sum();
                if tree.route(costs) + tree.look_up(costs) + share > tree.walk() {
                    *walked = Some(TOO_DEAR);
                    changed = true;
                    for &p in asked {
                        shares.trees[p as usize] -= 1;
                    }
                }
            }
        }
    }
    let predicates: Vec<Predicate> = shares.shared().collect();
    let of = |want_walked: bool| {
        trees
            .iter()
            .zip(&walked)
            .filter(move |(_, w)| w.is_some() == want_walked)
            .map(|(t, _)| t)
    };
    let by_feature = shares.by_feature();
    let n_ladders: usize = by_feature.values().map(|n| n.div_ceil(MAX_CUTS)).sum();
    // Predicates write whole lines, and only find the ranks row by row.
    let by_rows =
        costs.column * n_ladders as f64 + of(false).map(|t| t.look_up(costs)).sum::<f64>();
    let by_block =
        costs.predicate * predicates.len() as f64 + of(false).map(|t| t.route(costs)).sum::<f64>();
    let walk_rest: f64 = of(true).map(Traits::walk).sum();
    Choice {
        walked,
        ns_per_row: by_rows + by_block + walk_rest,
        predicates,
        by_rows,
        by_block,
    }
}
