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

use crate::circuit::Node;
use crate::cost::Traits;
use crate::error::Error;
use crate::isa::Isa;
use crate::leaves::Leaf;
use crate::walk::Walk;

use self::bytes::{Census, Ranker};
use self::choose::Way;
use self::tables::{Ask, Complete, MAX_LINES, Pools, Questions, SLOTS, Table};
use self::words::{Masks, Turns, Word};

/// An ensemble for few rows.
pub(crate) struct Few {
    pub(crate) ranker: Ranker,
    pub(crate) segments: Vec<Segment>,
    /// Of the segments of tables: eight trees each; of words: one tree each.
    pub(crate) questions: Vec<Questions>,
    /// Of each tree with lines: the first, within its segment.
    pub(crate) first_line: Vec<u32>,
    pub(crate) turns: Vec<Turns>,
    pub(crate) masks: Vec<Masks>,
    pub(crate) leaves: Leaves,
    /// The output of each tree; empty where there is but one.
    pub(crate) outputs: Vec<u32>,
    pub(crate) ns_per_row: f64,
}

/// Trees in a row that are run alike.
pub(crate) struct Segment {
    pub(crate) trees: Range<usize>,
    /// The first of its questions.
    pub(crate) questions: usize,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Tables of `1 << bits` leaves from `leaves` on.
    Table { bits: u32, leaves: usize },
    /// Complete trees of three levels: eight leaves each from `leaves` on.
    Top { leaves: usize },
    /// Complete trees of three levels and `n` lines below them: where each level starts in the
    /// pools, and the first of `first_line`.
    Lines {
        n: usize,
        asks: [usize; MAX_LINES - 1],
        lines: usize,
        first: usize,
    },
    /// Words that take this many turns at most; the first of `turns` and `masks`.
    Words { n_turns: usize, first: usize },
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
        let ways: Vec<Vec<(Way, f64)>> = traits
            .iter()
            .zip(nodes)
            .map(|(tree, nodes)| {
                let mut ways = choose::ways(tree, nodes.len(), isa);
                if ways.len() > 1 && !census.admit(&tree.predicates) {
                    ways.retain(|(way, _)| *way == Way::Walk);
                }
                ways
            })
            .collect();
        let mut few = Self {
            ranker: census.ranker(e.compare)?,
            segments: Vec::new(),
            questions: Vec::new(),
            first_line: Vec::new(),
            turns: Vec::new(),
            masks: Vec::new(),
            leaves: Leaves::Places(Pools::new()),
            outputs: Vec::new(),
            ns_per_row: 0.0,
        };
        let (segments, ns) = choose::segments(&ways);
        few.ns_per_row = ns + choose::rank_ns(isa) * few.ranker.n_searches() as f64;
        if e.n_outputs > 1 {
            let output = |tree: &fretsaw_model::Tree| match tree.target {
                Target::Output(k) => k,
                Target::All => 0,
            };
            few.outputs = e.trees.iter().map(output).collect();
        }
        let by_place = e.trees.iter().any(|tree| {
            !tree.linear.is_empty() || (tree.target == Target::All && e.n_outputs > 1)
        });
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
            ranker: Ranker::default(),
            segments: vec![Segment {
                trees: 0..e.trees.len(),
                questions: 0,
                kind: Kind::Walk,
            }],
            questions: Vec::new(),
            first_line: Vec::new(),
            turns: Vec::new(),
            masks: Vec::new(),
            leaves: Leaves::Places(Pools::new()),
            outputs: Vec::new(),
            ns_per_row: traits.iter().map(Traits::walk).sum(),
        }
    }

    fn build<V: Copy + Default>(
        &mut self,
        segments: &[(Way, Range<usize>)],
        nodes: &[Vec<Node>],
        traits: &[Traits],
        leaf: impl Fn(usize, u32) -> V,
    ) -> Result<Pools<V>, Error> {
        let mut pools = Pools::new();
        for (way, trees) in segments {
            let questions = self.questions.len();
            let kind = match *way {
                Way::Walk => Kind::Walk,
                Way::Table(bits) => self.tables(bits, trees.clone(), nodes, traits, &leaf, &mut pools),
                Way::Lines(n) => self.lines(n, trees.clone(), nodes, traits, &leaf, &mut pools)?,
                Way::Word => self.words(trees.clone(), nodes, &leaf, &mut pools)?,
            };
            self.segments.push(Segment {
                trees: trees.clone(),
                questions,
                kind,
            });
        }
        Ok(pools)
    }

    fn tables<V: Copy>(
        &mut self,
        bits: usize,
        trees: Range<usize>,
        nodes: &[Vec<Node>],
        traits: &[Traits],
        leaf: &impl Fn(usize, u32) -> V,
        pools: &mut Pools<V>,
    ) -> Kind {
        let leaves = pools.leaves.len();
        for (i, t) in trees.enumerate() {
            let tree = &traits[t];
            if let Some(table) = Table::of(&nodes[t], &tree.predicates, tree.depth) {
                self.put(i, &tables::ask(&table.tests, &self.ranker));
                let mask = table.leaves.len() - 1;
                let of = |answers: usize| leaf(t, table.leaves[answers & mask]);
                pools.leaves.extend((0..1 << bits).map(of));
            }
        }
        Kind::Table {
            bits: bits as u32,
            leaves,
        }
    }

    fn lines<V: Copy>(
        &mut self,
        n: usize,
        trees: Range<usize>,
        nodes: &[Vec<Node>],
        traits: &[Traits],
        leaf: &impl Fn(usize, u32) -> V,
        pools: &mut Pools<V>,
    ) -> Result<Kind, Error> {
        let kind = if n == 0 {
            Kind::Top {
                leaves: pools.leaves.len(),
            }
        } else {
            Kind::Lines {
                n,
                asks: std::array::from_fn(|level| pools.asks[level].len()),
                lines: pools.lines.len(),
                first: self.first_line.len(),
            }
        };
        let mut first_line = 0;
        for (i, t) in trees.enumerate() {
            let mut ask = Ask::NOTHING;
            let complete = Complete::new(&nodes[t], &self.ranker);
            let below = complete.top(traits[t].depth, n, &mut ask);
            let n_below = below.len();
            complete.lines(below, n, pools, |l| leaf(t, l));
            self.put(i, &ask);
            if n > 0 {
                self.first_line.push(number(first_line)?);
                first_line += n_below;
            }
        }
        Ok(kind)
    }

    fn words<V: Copy>(
        &mut self,
        trees: Range<usize>,
        nodes: &[Vec<Node>],
        leaf: &impl Fn(usize, u32) -> V,
        pools: &mut Pools<V>,
    ) -> Result<Kind, Error> {
        let first = self.turns.len();
        let mut n_turns = 0;
        for t in trees {
            let Some(word) = Word::of(&nodes[t], &self.ranker) else {
                unreachable!("`choose` looked at the size, and the census took its tests");
            };
            n_turns = n_turns.max(word.n_turns);
            self.questions.push(word.questions);
            self.turns.push(word.turns);
            self.masks.push(Masks {
                flip: word.flip,
                ends: word.ends,
                first_leaf: number(pools.leaves.len())?,
            });
            pools.leaves.extend(word.leaves.iter().map(|&l| leaf(t, l)));
        }
        Ok(Kind::Words { n_turns, first })
    }

    /// Puts what the tree number `i` of a segment asks at its place.
    fn put(&mut self, i: usize, ask: &Ask) {
        if i % SLOTS == 0 {
            self.questions.push(Questions::NONE);
        }
        if let Some(questions) = self.questions.last_mut() {
            tables::put(questions, i % SLOTS, ask);
        }
    }

    pub(crate) fn memory(&self) -> usize {
        self.ranker.memory()
            + size_of_val(&self.segments[..])
            + size_of_val(&self.questions[..])
            + size_of_val(&self.first_line[..])
            + size_of_val(&self.turns[..])
            + size_of_val(&self.masks[..])
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
