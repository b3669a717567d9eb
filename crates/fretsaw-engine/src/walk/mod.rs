//! Walking: trees as nodes, for trees that do not suit circuits and for a few rows.
//!
//! The plain form is packed nodes that compare values ([`Nodes`]): one row, one tree, one node after
//! the other. It is the engine's own baseline, what the scalar kernels go by, and what remains for
//! ensembles whose tests do not suit ranks. All other walks go over a [`Forest`] of compact nodes
//! that compare ranks, and one row through the shallow ones of these over [`Shallow`]. A plan has
//! packed nodes or a forest, and only the trees that are walked in it.

pub(crate) mod forest;
pub(crate) mod ranks;
mod shallow;

use std::ops::Range;

use fretsaw_model::{Ensemble, Float, Target, Tree};

use self::forest::Planting;
pub(crate) use self::forest::{Forest, MAX_TOP, Walking};
pub(crate) use self::ranks::{Feature, KEYS, Search};
pub(crate) use self::shallow::{Padded, Shallow};
use crate::array::{Array, Stored, stored};
use crate::block::Value;
use crate::circuit;
use crate::error::{Error, ErrorKind};
use crate::isa::Isa;
use crate::leaves::{Leaf, Values};
use crate::predicate::{Op, Predicate, SetTest};

/// A leaf; the rest is the place of its first value.
pub(crate) const LEAF: u32 = 1 << 31;
/// A test that is not a plain comparison; the rest is the number of its predicate.
pub(crate) const ODD: u32 = 1 << 30;
/// The root of a tree that has no packed nodes.
pub(crate) const NOT_PACKED: u32 = u32::MAX;
/// Leaves and odd tests that can be numbered.
const MAX_NUMBER: usize = 1 << 30;

/// A node: `no` follows `yes` directly.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Node<T> {
    pub(crate) threshold: T,
    pub(crate) feature: u32,
    /// The `yes` child; a leaf is its own.
    pub(crate) child: u32,
    /// [`LEAF`], [`ODD`], or the answer to NaN.
    pub(crate) info: u32,
}

stored!([<T: Stored>] Node<T> { threshold, feature, child, info });

/// The nodes in the precision of comparisons.
pub(crate) enum Nodes {
    F32(Array<Node<f32>>),
    F64(Array<Node<f64>>),
}

/// A linear leaf: a constant, and `terms` of the walk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinearLeaf {
    pub(crate) constant: f64,
    pub(crate) first: usize,
    pub(crate) len: usize,
}

/// A tree of the walk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WalkTree {
    pub(crate) root: u32,
    /// The output, or `None` for vector leaves.
    pub(crate) target: Option<u32>,
    pub(crate) first_value: u32,
    /// Where its linear leaves start, if it has any, and the weight they then need.
    pub(crate) linear: Option<(usize, f64)>,
}

/// What walks need of the trees.
pub(crate) struct Walk {
    /// Those that are walked plainly.
    pub(crate) nodes: Nodes,
    pub(crate) trees: Vec<WalkTree>,
    pub(crate) values: Values,
    pub(crate) odd: Vec<Predicate>,
    pub(crate) linear: Vec<LinearLeaf>,
    pub(crate) terms: Vec<(u32, f64)>,
    pub(crate) n_outputs: usize,
    /// The trees as compact nodes, where their tests suit ranks.
    pub(crate) forest: Option<Forest>,
    /// Of those the shallow ones that a row meets by itself.
    pub(crate) shallow: Option<Shallow>,
}

impl WalkTree {
    pub(crate) fn root(&self) -> u32 {
        self.root
    }

    /// The output, or `None` for vector leaves.
    pub(crate) fn target(&self) -> Option<u32> {
        self.target
    }

    pub(crate) fn is_linear(&self) -> bool {
        self.linear.is_some()
    }
}

impl Walk {
    pub(crate) fn new(ensemble: &Ensemble) -> Self {
        Self {
            nodes: match ensemble.compare {
                Float::F32 => Nodes::F32(Array::default()),
                Float::F64 => Nodes::F64(Array::default()),
            },
            trees: Vec::new(),
            values: Values::new(ensemble.sum),
            odd: Vec::new(),
            linear: Vec::new(),
            terms: Vec::new(),
            n_outputs: ensemble.n_outputs,
            forest: None,
            shallow: None,
        }
    }

    /// Holds the trees that are `walked` as packed nodes.
    ///
    /// # Errors
    /// When there are more than can be numbered.
    pub(crate) fn pack(
        &mut self,
        trees: &[Vec<circuit::Node>],
        walked: &[bool],
    ) -> Result<(), Error> {
        for (i, nodes) in trees.iter().enumerate().filter(|&(i, _)| walked[i]) {
            let tree = &mut self.trees[i];
            let width = match tree.target {
                Some(_) => 1,
                None => self.n_outputs,
            };
            let (first_value, odd) = (tree.first_value as usize, &mut self.odd);
            let n_before = match &mut self.nodes {
                Nodes::F32(v) => v.change(|v| pack(v, nodes, first_value, width, odd)),
                Nodes::F64(v) => v.change(|v| pack(v, nodes, first_value, width, odd)),
            };
            if n_before + nodes.len() > MAX_NUMBER {
                return Err(too_many(i));
            }
            tree.root = n_before as u32;
        }
        Ok(())
    }

    /// Holds the trees that are `walked` as compact nodes, if they suit that; of these, the ranges
    /// `by_row` are what rows by themselves are walked through.
    pub(crate) fn plant(
        &mut self,
        e: &Ensemble,
        trees: &[Vec<circuit::Node>],
        walked: &[bool],
        by_row: &[Range<usize>],
        isa: Isa,
    ) {
        if !walked.contains(&true) {
            return;
        }
        let mut planting = Planting::new();
        for (i, (nodes, &walked)) in trees.iter().zip(walked).enumerate() {
            if !walked {
                planting.skip();
                continue;
            }
            let mut same = Same::new(&e.trees[i], self.n_outputs);
            if !planting.push(nodes, |leaf| self.place(i, same.as_before(leaf))) {
                return;
            }
        }
        self.forest = planting.finish(e.compare == Float::F64, isa);
        self.pad(by_row);
    }

    /// Holds the shallow ones of the trees in the forest once more, padded.
    pub(crate) fn pad(&mut self, by_row: &[Range<usize>]) {
        if let Some(forest) = &self.forest {
            let trees = by_row.iter().cloned().flatten();
            let plain = |tree: &usize| {
                let tree = &self.trees[*tree];
                tree.target.is_some() && !tree.is_linear()
            };
            self.shallow = forest.shallow(trees.filter(plain), &self.values);
        }
    }

    /// Adds the next tree, so far without its nodes.
    ///
    /// # Errors
    /// When it has more leaf values than can be numbered.
    pub(crate) fn push(&mut self, tree: &Tree) -> Result<(), Error> {
        let first_value = self.values.len();
        if first_value + tree.leaves.len() > MAX_NUMBER {
            return Err(too_many(self.trees.len()));
        }
        self.values.extend(tree.leaves.iter().copied(), tree.weight);
        let linear = (!tree.linear.is_empty()).then_some((self.linear.len(), tree.weight));
        for leaf in &tree.linear {
            self.linear.push(LinearLeaf {
                constant: leaf.constant,
                first: self.terms.len(),
                len: leaf.terms.len(),
            });
            self.terms.extend(&leaf.terms);
        }
        self.trees.push(WalkTree {
            root: NOT_PACKED,
            target: match tree.target {
                Target::Output(k) => Some(k),
                Target::All => None,
            },
            first_value: first_value as u32,
            linear,
        });
        Ok(())
    }

    /// Where the values of a tree's leaf start, as [`add`](Self::add) takes it.
    pub(crate) fn place(&self, tree: usize, leaf: u32) -> u32 {
        let tree = &self.trees[tree];
        let width = if tree.target.is_some() {
            1
        } else {
            self.n_outputs
        };
        tree.first_value + leaf * width as u32
    }

    pub(crate) fn values(&self) -> &Values {
        &self.values
    }

    pub(crate) fn memory(&self) -> usize {
        let nodes = match &self.nodes {
            Nodes::F32(v) => size_of_val(&v[..]),
            Nodes::F64(v) => size_of_val(&v[..]),
        };
        nodes
            + size_of_val(&self.trees[..])
            + self.values.memory()
            + size_of_val(&self.odd[..])
            + size_of_val(&self.linear[..])
            + size_of_val(&self.terms[..])
            + self.forest.as_ref().map_or(0, Forest::memory)
            + self.shallow.as_ref().map_or(0, Shallow::memory)
    }

    /// Adds what `tree` says of the row `x`, which came to the leaf whose values start at `at`.
    #[inline]
    pub(crate) fn add<R: Value, A: Leaf>(
        &self,
        tree: &WalkTree,
        values: &[A],
        at: u32,
        x: &[R],
        mut add: impl FnMut(usize, A),
    ) {
        let at = at as usize;
        match tree.target {
            Some(k) => {
                let value = match tree.linear {
                    None => values[at],
                    Some((first, weight)) => self
                        .linear_leaf(first + at - tree.first_value as usize, x)
                        .map_or(values[at], |v| A::weighted(v, weight)),
                };
                add(k as usize, value);
            }
            None => {
                for (k, &value) in values[at..at + self.n_outputs].iter().enumerate() {
                    add(k, value);
                }
            }
        }
    }

    /// The value of a linear leaf, unless one of its features is missing.
    fn linear_leaf<R: Value>(&self, leaf: usize, x: &[R]) -> Option<f64> {
        let leaf = self.linear[leaf];
        let terms = &self.terms[leaf.first..leaf.first + leaf.len];
        terms.iter().try_fold(leaf.constant, |sum, &(f, c)| {
            let v = x[f as usize].widen();
            (!v.is_nan()).then_some(sum + c * v)
        })
    }

    /// Where the values of the leaf start that `x` comes to, one node after the other.
    #[inline]
    pub(crate) fn one<R: Value, T: Value>(
        &self,
        nodes: &[Node<T>],
        sets: &[SetTest],
        root: u32,
        x: &[R],
    ) -> u32 {
        let mut node = &nodes[root as usize];
        while node.info & LEAF == 0 {
            let yes = self.goes_yes(node, sets, x);
            node = &nodes[node.child as usize + usize::from(!yes)];
        }
        node.info & !LEAF
    }

    #[inline(always)]
    fn goes_yes<R: Value, T: Value>(&self, node: &Node<T>, sets: &[SetTest], x: &[R]) -> bool {
        let x = x[node.feature as usize];
        if node.info & ODD == ODD {
            return self.odd[(node.info & !ODD) as usize].holds(x.widen(), sets);
        }
        let x = T::narrow(x.widen());
        (x < node.threshold) | ((node.info & 1 == 1) & x.is_missing())
    }
}

fn too_many(tree: usize) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "tree {tree}: more than {MAX_NUMBER} nodes or leaf values in one ensemble; split it"
        ),
    )
}

/// Finds leaves of a tree that say the same as one before: of a tree grown to the end most do, and
/// what is read for all of them is one line of memory.
struct Same<'a> {
    tree: &'a Tree,
    width: usize,
    /// Leaves met, by a hash of what they say; none where they are functions.
    met: Vec<u32>,
}

impl<'a> Same<'a> {
    fn new(tree: &'a Tree, n_outputs: usize) -> Self {
        let n = if tree.linear.is_empty() { 256 } else { 0 };
        Self {
            tree,
            width: match tree.target {
                Target::Output(_) => 1,
                Target::All => n_outputs,
            },
            met: vec![u32::MAX; n],
        }
    }

    /// A leaf that says what `leaf` does.
    fn as_before(&mut self, leaf: u32) -> u32 {
        if self.met.is_empty() {
            return leaf;
        }
        let says = |leaf: u32| {
            let first = leaf as usize * self.width;
            let values = &self.tree.leaves[first..first + self.width];
            values.iter().map(|v| v.to_bits())
        };
        let mix = |hash: u64, v: u64| {
            (hash ^ v)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(29)
        };
        let met = &mut self.met[(says(leaf).fold(0, mix) >> 32) as usize % 256];
        if *met == u32::MAX || !says(*met).eq(says(leaf)) {
            *met = leaf;
        }
        *met
    }
}

/// Appends a tree's nodes; gives how many there were before.
fn pack<T: Value>(
    out: &mut Vec<Node<T>>,
    nodes: &[circuit::Node],
    first_value: usize,
    width: usize,
    odd: &mut Vec<Predicate>,
) -> usize {
    let first = out.len();
    // Breadth first, the two children of a split next to each other.
    let mut order = vec![0_u32];
    let mut next = 0;
    while let Some(&at) = order.get(next) {
        next += 1;
        out.push(match nodes[at as usize] {
            circuit::Node::Leaf(leaf) => Node {
                threshold: T::default(),
                feature: 0,
                child: (first + next - 1) as u32,
                info: LEAF | (first_value + leaf as usize * width) as u32,
            },
            circuit::Node::Split { predicate, yes, no } => {
                let child = (first + order.len()) as u32;
                order.extend([yes, no]);
                let (threshold, info) = if predicate.op == Op::Less {
                    // Canonical thresholds are already exact in the compared precision.
                    (T::narrow(predicate.threshold()), u32::from(predicate.nan))
                } else {
                    odd.push(predicate);
                    (T::default(), ODD | (odd.len() - 1) as u32)
                };
                Node {
                    threshold,
                    feature: predicate.feature,
                    child,
                    info,
                }
            }
        });
    }
    first
}
