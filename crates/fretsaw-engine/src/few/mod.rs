//! One row, or a few: no block of rows to share work over, so the lanes are tests of trees.
//!
//! The row becomes bytes once (`bytes`). Trees are then asked eight or 64 tests at a time:
//! shallow and even ones by `tables`, lopsided ones of up to 64 nodes by `words`, and what suits
//! neither is walked. The trees are taken in order, in segments of one kind, and each leaf is added
//! as soon as it is known, so that sums are the framework's to the bit; the processor finds the
//! leaves of the trees to come while the chain of additions is waited for, which for even trees
//! is the longest wait there is.

pub(crate) mod bytes;
mod choose;
pub(crate) mod run;
pub(crate) mod tables;
pub(crate) mod words;

use std::ops::Range;

use fretsaw_model::{Ensemble, Sum, Target};

use crate::array::Array;
use crate::circuit::Node;
use crate::cost::Traits;
use crate::error::Error;
use crate::isa::Isa;
use crate::leaves::Leaf;
use crate::walk::Walk;

use self::bytes::{Census, Ranker};
use self::choose::{Costs, Way};
use self::tables::{Ask, Complete, Pools, Questions, SLOTS, Table};
use self::words::{Turns, Word};

/// An ensemble for few rows.
#[derive(Default)]
pub(crate) struct Few {
    pub(crate) ranker: Ranker,
    pub(crate) segments: Vec<Segment>,
    /// The first tests of eight trees each,
    pub(crate) eights: Array<Questions>,
    /// and where the leaves or lines of each start.
    pub(crate) firsts: Array<[u32; SLOTS]>,
    /// All tests of eight trees each, and what becomes of the answers.
    pub(crate) words: Array<[Questions; SLOTS]>,
    pub(crate) turns: Array<Turns>,
    pub(crate) leaves: Leaves,
    /// The output of each tree; empty where there is but one.
    pub(crate) outputs: Vec<u32>,
    pub(crate) ns_per_row: f64,
}

/// Trees in a row that are run alike.
pub(crate) struct Segment {
    pub(crate) trees: Range<usize>,
    pub(crate) kind: Kind,
    /// The first of its `eights` or `words`.
    pub(crate) first: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The answers to eight tests look up a leaf.
    Table,
    /// Complete trees of three levels and as many lines.
    Lines(usize),
    /// All tests at once.
    Words,
    /// Left to the walk.
    Walk,
}

/// The leaves in the type of the sum, or where the walk has them.
pub(crate) enum Leaves {
    F32(Pools<f32>),
    F64(Pools<f64>),
    I32(Pools<i32>),
    /// Leaves that are vectors or functions.
    Places(Pools<u32>),
}

impl Default for Leaves {
    fn default() -> Self {
        Self::Places(Pools::new())
    }
}

impl Few {
    /// Compiles `e`, whose trees are `nodes` with these `traits`, and of which `walk` has the
    /// leaves.
    pub(crate) fn new(
        e: &Ensemble,
        nodes: &[Vec<Node>],
        traits: &[Traits],
        walk: &Walk,
        isa: Isa,
    ) -> Result<Self, Error> {
        let mut census = Census::default();
        let walked: Vec<bool> = traits
            .iter()
            .zip(nodes)
            .map(|(tree, nodes)| {
                !choose::suits(tree, nodes.len()) || !census.admit(&tree.predicates)
            })
            .collect();
        let mut few = Self {
            ranker: census.ranker(e.compare)?,
            ..Self::default()
        };
        let costs = Costs::of(isa, few.ranker.n_columns());
        let ways: Vec<Vec<(Way, f64)>> = traits
            .iter()
            .zip(nodes)
            .zip(walked)
            .map(|((tree, nodes), walked)| {
                let mut ways = choose::ways(tree, nodes.len(), costs);
                if walked {
                    ways.retain(|(way, _)| *way == Way::Walk);
                }
                ways
            })
            .collect();
        let (segments, ns) = choose::segments(&ways);
        few.ns_per_row = ns + costs.rank * few.ranker.n_searches() as f64;
        if e.n_outputs > 1 {
            let output = |tree: &fretsaw_model::Tree| match tree.target {
                Target::Output(k) => k,
                Target::All => 0,
            };
            few.outputs = e.trees.iter().map(output).collect();
        }
        let by_place = e
            .trees
            .iter()
            .any(|tree| !tree.linear.is_empty() || (tree.target == Target::All && e.n_outputs > 1));
        few.leaves = if by_place {
            let leaf = |tree: usize, leaf| walk.place(tree, leaf);
            Leaves::Places(few.build(&segments, nodes, traits, leaf)?)
        } else {
            match e.sum {
                Sum::F32 => Leaves::F32(few.build(&segments, nodes, traits, weighted(e))?),
                Sum::F64 => Leaves::F64(few.build(&segments, nodes, traits, weighted(e))?),
                Sum::I32 => Leaves::I32(few.build(&segments, nodes, traits, weighted(e))?),
            }
        };
        few.ranker.seal();
        Ok(few)
    }

    /// Nothing but the walk.
    pub(crate) fn walk(e: &Ensemble, traits: &[Traits]) -> Self {
        Self {
            segments: vec![Segment {
                trees: 0..e.trees.len(),
                kind: Kind::Walk,
                first: 0,
            }],
            ns_per_row: traits.iter().map(Traits::walk_alone).sum(),
            ..Self::default()
        }
    }

    fn build<V: Copy>(
        &mut self,
        segments: &[(Way, Range<usize>)],
        nodes: &[Vec<Node>],
        traits: &[Traits],
        leaf: impl Fn(usize, u32) -> V,
    ) -> Result<Pools<V>, Error> {
        let mut pools = Pools::new();
        for (way, trees) in segments {
            let (kind, first) = match *way {
                Way::Walk => (Kind::Walk, 0),
                Way::Table => (Kind::Table, self.eights.len()),
                Way::Lines(n) => (Kind::Lines(n), self.eights.len()),
                Way::Word => (Kind::Words, self.words.len()),
            };
            for (i, t) in trees.clone().enumerate() {
                let (nodes, tree) = (&nodes[t], &traits[t]);
                match kind {
                    Kind::Walk => {}
                    Kind::Table => {
                        let Some(table) = Table::of(nodes, &tree.predicates, tree.depth) else {
                            unreachable!("`choose` looked at the number of tests");
                        };
                        let ask = tables::ask(&table.tests, &self.ranker);
                        self.put(i, &ask, pools.leaves.len())?;
                        pools
                            .leaves
                            .extend(table.leaves.iter().map(|&l| leaf(t, l)));
                    }
                    Kind::Lines(n) => {
                        let mut ask = Ask::NOTHING;
                        let complete = Complete::new(nodes, &self.ranker);
                        let below = complete.top(tree.depth, n, &mut ask);
                        let first = complete.lines(below, n, &mut pools, |l| leaf(t, l));
                        self.put(i, &ask, first)?;
                    }
                    Kind::Words => {
                        let Some(word) = Word::of(nodes, &self.ranker) else {
                            unreachable!("`choose` looked at the number of leaves");
                        };
                        if i.is_multiple_of(SLOTS) {
                            self.words.push([Questions::NONE; SLOTS]);
                            self.turns.push(Turns::NONE);
                        }
                        let first = number(pools.leaves.len())?;
                        self.words
                            .change_last(|words| words[i % SLOTS] = word.questions);
                        self.turns
                            .change_last(|turns| turns.put(i % SLOTS, &word, first));
                        pools.leaves.extend(word.leaves.iter().map(|&l| leaf(t, l)));
                    }
                }
            }
            self.segments.push(Segment {
                trees: trees.clone(),
                kind,
                first,
            });
        }
        Ok(pools)
    }

    /// Puts what the tree number `i` of a segment asks first, and where its leaves or lines start.
    fn put(&mut self, i: usize, ask: &Ask, first: usize) -> Result<(), Error> {
        if i.is_multiple_of(SLOTS) {
            self.eights.push(Questions::NONE);
            self.firsts.push([0; SLOTS]);
        }
        let first = number(first)?;
        self.eights
            .change_last(|eight| tables::put(eight, i % SLOTS, ask));
        self.firsts.change_last(|firsts| firsts[i % SLOTS] = first);
        Ok(())
    }

    /// The trees that are walked.
    pub(crate) fn walked(&self) -> impl Iterator<Item = &Range<usize>> {
        let walked = self.segments.iter().filter(|s| s.kind == Kind::Walk);
        walked.map(|s| &s.trees)
    }

    pub(crate) fn memory(&self) -> usize {
        self.ranker.memory()
            + size_of_val(&self.segments[..])
            + size_of_val(&self.eights[..])
            + size_of_val(&self.firsts[..])
            + size_of_val(&self.words[..])
            + size_of_val(&self.turns[..])
            + size_of_val(&self.outputs[..])
            + match &self.leaves {
                Leaves::F32(p) => p.memory(),
                Leaves::F64(p) => p.memory(),
                Leaves::I32(p) => p.memory(),
                Leaves::Places(p) => p.memory(),
            }
    }
}

fn weighted<V: Leaf>(e: &Ensemble) -> impl Fn(usize, u32) -> V {
    |tree, leaf| {
        let tree = &e.trees[tree];
        V::weighted(tree.leaves[leaf as usize], tree.weight)
    }
}

fn number(n: usize) -> Result<u32, Error> {
    u32::try_from(n).map_err(|_| {
        Error::new(
            crate::error::ErrorKind::Unsupported,
            "more leaves in one ensemble than can be numbered; split it",
        )
    })
}

#[cfg(test)]
mod tests {
    use fretsaw_model::Body;
    use fretsaw_model::random::{self, Shape};

    use super::*;
    use crate::plan::Strategy;
    use crate::trees::Trees;

    /// What the tests against the reference predictor rest on: each kind of segment comes up.
    #[test]
    fn random_trees_go_every_way() {
        let mut seen = Vec::new();
        for (seed, max_leaves) in [2, 6, 12, 30, 64, 300].into_iter().enumerate() {
            let shape = Shape {
                max_leaves,
                n_trees: 60,
                n_features: 20,
                n_cuts: 10,
                ..Shape::default()
            };
            let model = random::ensemble(seed as u64, &shape);
            let Body::Ensemble(e) = &model.body else {
                unreachable!("an ensemble was asked for")
            };
            let auto = Strategy::Auto;
            let (trees, _) = Trees::compile(e, Isa::detect(), auto, auto).unwrap();
            assert_eq!(trees.few.segments.last().map(|s| s.trees.end), Some(60));
            seen.extend(trees.few.segments.iter().map(|s| s.kind));
        }
        for kind in [Kind::Table, Kind::Lines(1), Kind::Words, Kind::Walk] {
            assert!(seen.contains(&kind), "no {kind:?} among {seen:?}");
        }
    }
}
