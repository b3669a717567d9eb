//! Two trees compared over all boxes of cells.
//!
//! Where both test alike they are walked in step, and nothing else is looked at. Else every pair of
//! leaves is visited that a box of cells leads to; no box is empty, so each difference found has an
//! input that shows it.

use fretsaw_model::{Ensemble, Node, Target, Tree};

use super::cells::{Cells, Predicate};
use crate::variant::leaves_apart;

/// Pairs of nodes visited for one pair of trees, at most.
const MAX_VISITS: usize = 1 << 18;

/// For some features the cells that are left; any other feature may have any.
type Box_ = Vec<(u32, Vec<u64>)>;

/// Two trees.
pub(super) struct Pair<'a> {
    cells: &'a Cells,
    sides: [(&'a Ensemble, usize, usize); 2],
    /// For each output the largest difference of what the two add.
    pub(super) largest: Vec<f64>,
    /// Where the largest of all is.
    pub(super) worst: Option<Box_>,
}

impl<'a> Pair<'a> {
    /// Each side: the ensemble, its number, and the number of its tree.
    pub(super) fn new(cells: &'a Cells, sides: [(&'a Ensemble, usize, usize); 2]) -> Self {
        Self {
            cells,
            sides,
            largest: vec![0.0; sides[0].0.n_outputs],
            worst: None,
        }
    }

    fn tree(&self, side: usize) -> &'a Tree {
        &self.sides[side].0.trees[self.sides[side].2]
    }

    fn predicate(&self, side: usize, node: u32) -> Option<Predicate> {
        let (_, number, tree) = self.sides[side];
        self.cells.predicate(number, tree, node as usize)
    }

    /// Compares the two; an error where there is more to look at than allowed, or the two add to
    /// different outputs.
    pub(super) fn walk(&mut self) -> Result<(), ()> {
        if self.tree(0).target != self.tree(1).target {
            return Err(());
        }
        if self.in_step() { Ok(()) } else { self.boxes() }
    }

    /// Whether the two test alike everywhere and have the same leaves.
    fn in_step(&self) -> bool {
        let mut stack = vec![(0_u32, 0_u32)];
        while let Some((na, nb)) = stack.pop() {
            let nodes = (
                &self.tree(0).nodes[na as usize],
                &self.tree(1).nodes[nb as usize],
            );
            match nodes {
                (Node::Leaf(x), Node::Leaf(y)) => {
                    if self.differences(*x, *y).iter().any(|d| *d != 0.0) {
                        return false;
                    }
                }
                (Node::Split(x), Node::Split(y)) => {
                    let (Some(p), Some(q)) = (self.predicate(0, na), self.predicate(1, nb)) else {
                        return false;
                    };
                    if (p.feature, p.set) != (q.feature, q.set) {
                        return false;
                    }
                    stack.extend(if p.inverted == q.inverted {
                        [(x.yes, y.yes), (x.no, y.no)]
                    } else {
                        [(x.yes, y.no), (x.no, y.yes)]
                    });
                }
                _ => return false,
            }
        }
        true
    }

    fn boxes(&mut self) -> Result<(), ()> {
        let mut stack: Vec<(u32, u32, Box_)> = vec![(0, 0, Vec::new())];
        let mut visits = 0;
        while let Some((na, nb, cells)) = stack.pop() {
            visits += 1;
            if visits > MAX_VISITS {
                return Err(());
            }
            let nodes = (
                &self.tree(0).nodes[na as usize],
                &self.tree(1).nodes[nb as usize],
            );
            match nodes {
                (Node::Leaf(x), Node::Leaf(y)) => self.meet(*x, *y, cells),
                (Node::Split(split), _) => {
                    for (child, yes) in [(split.yes, true), (split.no, false)] {
                        if let Some(cells) = self.narrow(&cells, self.predicate(0, na), yes) {
                            stack.push((child, nb, cells));
                        }
                    }
                }
                (_, Node::Split(split)) => {
                    for (child, yes) in [(split.yes, true), (split.no, false)] {
                        if let Some(cells) = self.narrow(&cells, self.predicate(1, nb), yes) {
                            stack.push((na, child, cells));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The cells left behind a split; `None`: there are none.
    fn narrow(&self, cells: &Box_, predicate: Option<Predicate>, yes: bool) -> Option<Box_> {
        let p = predicate?;
        let set = &self.cells.sets[p.feature as usize][p.set as usize];
        let n = self.cells.values[p.feature as usize].len();
        let holds = yes != p.inverted;
        let mut cells = cells.clone();
        let at = match cells.iter().position(|c| c.0 == p.feature) {
            Some(at) => at,
            None => {
                let mut all = vec![u64::MAX; set.len()];
                if !n.is_multiple_of(64)
                    && let Some(last) = all.last_mut()
                {
                    *last = (1 << (n % 64)) - 1;
                }
                cells.push((p.feature, all));
                cells.len() - 1
            }
        };
        let mut any = false;
        for (word, &set) in cells[at].1.iter_mut().zip(set) {
            *word &= if holds { set } else { !set };
            any |= *word != 0;
        }
        any.then_some(cells)
    }

    fn meet(&mut self, x: u32, y: u32, cells: Box_) {
        let differences = self.differences(x, y);
        let before = self.largest.iter().copied().fold(0.0, f64::max);
        let now = differences.iter().copied().fold(0.0, f64::max);
        for (largest, d) in self.largest.iter_mut().zip(differences) {
            *largest = largest.max(d);
        }
        if now > before {
            self.worst = Some(cells);
        }
    }

    /// For each output how far apart two leaves are, as they add to the sums.
    fn differences(&self, x: u32, y: u32) -> Vec<f64> {
        let [(a, ..), (b, ..)] = self.sides;
        let n = a.n_outputs;
        let mut out = vec![0.0; n];
        let mut one = |k: usize, i: usize, j: usize| {
            out[k] = leaves_apart((a, self.tree(0), i), (b, self.tree(1), j), k);
        };
        match self.tree(0).target {
            Target::Output(k) => one(k as usize, x as usize, y as usize),
            Target::All => {
                (0..n).for_each(|k| one(k, x as usize * n + k, y as usize * n + k));
            }
        }
        out
    }
}
