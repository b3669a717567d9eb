//! What must hold of walks: every node leads onwards within its tree, and every leaf has values.

use std::ops::Range;

use super::check::{Shape, can_ask, ensure, is_range};
use crate::array::Stored;
use crate::block::Value;
use crate::error::Error;
use crate::isa::Isa;
use crate::kernel;
use crate::walk::forest::{LEFT_OUT, MAX_TOP, TOGETHER, TOP_TOGETHER};
use crate::walk::ranks::{Feature, Features, Ranks};
use crate::walk::{Forest, KEYS, LEAF, NOT_PACKED, Node, Nodes, ODD, Search, Walk, WalkTree};

impl Walk {
    /// Whether there are such trees, as the nodes that walks go over.
    pub(super) fn has(&self, trees: &Range<usize>) -> bool {
        if !is_range(trees, self.trees.len()) {
            return false;
        }
        let trees = trees.clone();
        match &self.forest {
            Some(forest) => forest.places[trees].iter().all(|p| p.levels != LEFT_OUT),
            None => self.trees[trees].iter().all(|t| t.root != NOT_PACKED),
        }
    }

    /// Whether `at` is a leaf's place that [`add`](Walk::add) can take for the tree.
    pub(super) fn is_place(&self, tree: usize, at: u32) -> bool {
        let (tree, at) = (&self.trees[tree], at as usize);
        let width = match tree.target {
            Some(_) => 1,
            None => self.n_outputs,
        };
        let has_function = |(first, _): (usize, f64)| {
            let of_tree = at.checked_sub(tree.first_value as usize);
            let leaf = of_tree.and_then(|leaf| leaf.checked_add(first));
            leaf.is_some_and(|leaf| leaf < self.linear.len())
        };
        at + width <= self.values.len() && tree.linear.is_none_or(has_function)
    }

    pub(super) fn check(&self, shape: &Shape, isa: Isa) -> Result<(), Error> {
        ensure(self.n_outputs == shape.n_outputs, "outputs of walks")?;
        ensure(self.values.are_of(shape.sum), "the type of leaves")?;
        ensure(
            can_ask(&self.odd, shape.width, shape.n_sets),
            "a predicate of walks",
        )?;
        for leaf in &self.linear {
            let end = leaf.first.checked_add(leaf.len);
            let holds = end.is_some_and(|end| end <= self.terms.len());
            ensure(holds, "a linear leaf")?;
        }
        let is_known = |(feature, _): &(u32, f64)| (*feature as usize) < shape.width;
        ensure(self.terms.iter().all(is_known), "a linear leaf")?;
        let is_output = |target: Option<u32>| target.is_none_or(|k| (k as usize) < self.n_outputs);
        ensure(
            self.trees.iter().all(|tree| is_output(tree.target)),
            "a tree's output",
        )?;
        match &self.nodes {
            Nodes::F32(nodes) => self.check_nodes(nodes, shape)?,
            Nodes::F64(nodes) => self.check_nodes(nodes, shape)?,
        }
        match &self.forest {
            Some(forest) => forest.check(self, shape, isa),
            None => Ok(()),
        }
    }

    fn check_nodes<T: Value>(&self, nodes: &[Node<T>], shape: &Shape) -> Result<(), Error> {
        let packed = |(_, tree): &(usize, &WalkTree)| tree.root != NOT_PACKED;
        let mut trees = self.trees.iter().enumerate().filter(packed).peekable();
        while let Some((i, tree)) = trees.next() {
            let first = tree.root as usize;
            let end = trees
                .peek()
                .map_or(nodes.len(), |(_, next)| next.root as usize);
            ensure(first < end && end <= nodes.len(), "a tree")?;
            let is_right = |(at, node): (usize, &Node<T>)| {
                if node.info & LEAF != 0 {
                    return self.is_place(i, node.info & !LEAF);
                }
                let child = node.child as usize;
                let odd = (node.info & !ODD) as usize;
                child > first + at
                    && child + 1 < end
                    && (node.feature as usize) < shape.width
                    && (node.info & ODD == 0 || odd < self.odd.len())
            };
            let nodes = nodes[first..end].iter().enumerate();
            ensure(nodes.into_iter().all(is_right), "a node")?;
        }
        Ok(())
    }
}

impl Forest {
    /// `Nodes::new` has looked at the nodes by themselves.
    fn check(&self, walk: &Walk, shape: &Shape, isa: Isa) -> Result<(), Error> {
        self.ranks.check(shape)?;
        let n_columns = self.ranks.n_columns().max(1);
        ensure(self.nodes.n_columns() == n_columns, "columns of ranks")?;
        ensure(self.places.len() == walk.trees.len(), "places of trees")?;
        let steps = self.nodes.steps();
        for (i, place) in self.places.iter().enumerate() {
            let first = place.first as usize;
            let next = self.places.get(i + 1);
            let end = next.map_or(steps.len(), |next| next.first as usize);
            ensure(first <= end && end <= steps.len(), "a place of a tree")?;
            if place.levels == LEFT_OUT {
                continue;
            }
            let levels = usize::from(place.levels);
            let holds = levels <= MAX_TOP && end - first >= (2 << levels) - 1;
            ensure(holds, "the top of a tree")?;
            let is_right = |step: &kernel::Step| match step.cut {
                kernel::LEAF => walk.is_place(i, step.child),
                _ => (first..end - 1).contains(&(step.child as usize)),
            };
            ensure(steps[first..end].iter().all(is_right), "a compact node")?;
        }
        if self.tops.is_empty() {
            return Ok(());
        }
        let n_tops = self.places.len().div_ceil(TOGETHER);
        let holds = kernel::has_tops(isa) && self.tops.len() == n_tops;
        ensure(holds, "tops of trees")?;
        for (top, places) in self.tops.iter().zip(self.places.chunks(TOGETHER)) {
            // `LEFT_OUT` is above all levels.
            let holds = top.levels <= TOP_TOGETHER
                && top.asks.len() == (1 << top.levels) - 1
                && places.iter().all(|p| usize::from(p.levels) >= top.levels);
            ensure(holds, "tops of trees")?;
        }
        Ok(())
    }
}

impl Ranks {
    fn check(&self, shape: &Shape) -> Result<(), Error> {
        // Columns are numbered in 16 bits.
        ensure(self.n_columns <= 1 << 16, "columns of ranks")?;
        let is_column = |column: u16| usize::from(column) < self.n_columns;
        ensure(
            self.odd.iter().all(|(_, column)| is_column(*column)),
            "a column of ranks",
        )?;
        let odd = self.odd.iter().map(|(predicate, _)| predicate);
        ensure(
            can_ask(odd, shape.width, shape.n_sets),
            "a predicate of ranks",
        )?;
        match &self.features {
            Features::F32(features) => features
                .iter()
                .try_for_each(|f| f.check(shape.width, is_column)),
            Features::F64(features) => features
                .iter()
                .try_for_each(|f| f.check(shape.width, is_column)),
        }
    }
}

impl<T: Value + Stored> Feature<T> {
    fn check(&self, width: usize, is_column: impl Fn(u16) -> bool) -> Result<(), Error> {
        let pages = self.pages.iter().all(|page| is_column(page.column));
        ensure(self.feature < width && pages, "a feature of ranks")?;
        ensure(self.search.leads_on(), "a search")
    }
}

impl<T: Value> Search<T> {
    /// Whether each level's nodes lead to nodes of the next: to as many as have keys, and one more.
    fn leads_on(&self) -> bool {
        let mut n_reached = 1;
        for (level, &first) in self.levels.iter().enumerate() {
            let next = self.levels.get(level + 1);
            let end = next.map_or(self.nodes.len(), |&next| next as usize);
            let first = first as usize;
            if !is_range(&(first..end), self.nodes.len()) || end - first < n_reached {
                return false;
            }
            let beyond = |(at, keys): (usize, &[T; KEYS])| {
                let n_keys = keys.iter().filter(|key| !key.is_missing()).count();
                at * keys.len() + n_keys + 1
            };
            let nodes = self.nodes[first..end].iter().enumerate();
            n_reached = nodes.map(beyond).max().unwrap_or(1);
        }
        true
    }
}
