//! What the stages cost, and so which trees are sliced and which are walked.
//!
//! The figures are nanoseconds a row on one core of a recent server, good to a factor of two:
//! enough to tell a forest whose predicates are as many as its nodes from a boosted ensemble that
//! shares a few thousand. Results never depend on the choice.

use std::collections::HashMap;

use crate::block::ROWS;
use crate::circuit::{MAX_DEPTH, MAX_LEAVES, Node};
use crate::isa::Isa;
use crate::ladder::MAX_CUTS;
use crate::predicate::{Predicate, PredicateMap};

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

    fn cuts_per_feature(&self) -> HashMap<u32, usize> {
        let mut cuts = HashMap::new();
        for p in self.shared() {
            *cuts.entry(p.feature).or_default() += 1;
        }
        cuts
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

pub(crate) fn choose(trees: &[Traits], isa: Isa, strategy: crate::Strategy) -> Choice {
    use crate::Strategy;
    let costs = Costs::of(isa);
    let mut walked: Vec<Option<&'static str>> = match strategy {
        Strategy::Walk => vec![Some(ASKED); trees.len()],
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
            let cuts = shares.cuts_per_feature();
            let price = |(p, &trees): (&Predicate, &u32)| {
                costs.predicate(p, &cuts) / f64::from(trees.max(1))
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
                if tree.slice(costs) + share > tree.walk() {
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
    let by_rows = costs.predicate * predicates.len() as f64
        + of(false).map(|t| costs.leaf * t.width as f64).sum::<f64>();
    let by_block: f64 = of(false).map(|t| costs.operation * t.operations()).sum();
    let walk_rest: f64 = of(true).map(Traits::walk).sum();
    Choice {
        walked,
        ns_per_row: by_rows + by_block + walk_rest,
        predicates,
        by_rows,
        by_block,
    }
}
