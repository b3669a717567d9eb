//! The steps of walks over compact nodes: many in flight, and none waited for.
//!
//! Walks are taken eight at a time for as many steps as most of them need; those that are then not
//! yet at a leaf are listed and taken again, a few steps each time. Nothing here depends on how a
//! walk goes but how many lists there are. The same loop serves the rows of a block in one tree and
//! the trees of one row: only the distance between their ranks differs.
//!
//! unsafe: nodes and ranks are read without bounds checks.
#![allow(unsafe_code)]

/// A compact node: on to `child` where the rank of `column` is at most `cut`, else to the node
/// after it.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(8))]
pub(crate) struct Step {
    pub(crate) cut: u16,
    pub(crate) column: u16,
    pub(crate) child: u32,
}

/// Nodes that lead to nodes, and name columns that there are.
pub(crate) struct Nodes {
    steps: Vec<Step>,
    n_columns: usize,
}

impl Nodes {
    /// # Panics
    /// When a node leads to one that is not there, or names a column that is not.
    pub(crate) fn new(steps: Vec<Step>, n_columns: usize) -> Self {
        for (at, step) in steps.iter().enumerate() {
            let child = step.child as usize;
            // A leaf leads to itself and nowhere else; all others lead onwards.
            let leaf = child == at && step.cut == u16::MAX;
            assert!(leaf || (child > at && child + 1 < steps.len()));
            assert!(usize::from(step.column) < n_columns);
        }
        Self { steps, n_columns }
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }
}

/// Takes the walks `at` (places of nodes) to their leaves, `LANES` at a time. Walk `i` reads the
/// ranks from `i * stride` on. `rounds` are the steps to take before leaves are first looked for,
/// and then each time again. `meanwhile` is called for each group of lanes of the first round.
pub(crate) fn walk<const LANES: usize>(
    nodes: &Nodes,
    ranks: &[u16],
    stride: usize,
    at: &mut [u32],
    rounds: [usize; 2],
    todo: &mut Vec<u16>,
    mut meanwhile: impl FnMut(),
) {
    let n = at.len();
    if n == 0 {
        return;
    }
    assert!(n <= 1 << 15 && ranks.len() >= (n - 1) * stride + nodes.n_columns);
    assert!(at.iter().all(|&at| (at as usize) < nodes.len()));
    let mut walks = Walks {
        nodes,
        ranks,
        stride,
        at,
    };
    // The list is filled up to whole groups by walks that are on it anyway.
    let whole = n.next_multiple_of(LANES);
    if todo.len() < whole {
        todo.resize(whole, 0);
    }
    let mut left = 0;
    for first in (0..whole).step_by(LANES) {
        meanwhile();
        let group: [u16; LANES] = std::array::from_fn(|lane| (first + lane).min(n - 1) as u16);
        left = walks.group(group, rounds[0], todo, left);
    }
    while left > 0 {
        let last = todo[left - 1];
        let whole = left.next_multiple_of(LANES);
        todo[left..whole].fill(last);
        left = 0;
        for first in (0..whole).step_by(LANES) {
            let group: [u16; LANES] = std::array::from_fn(|lane| todo[first + lane]);
            left = walks.group(group, rounds[1], todo, left);
        }
    }
}

struct Walks<'a> {
    nodes: &'a Nodes,
    ranks: &'a [u16],
    stride: usize,
    at: &'a mut [u32],
}

impl Walks<'_> {
    /// Takes a group of walks some steps on, and lists those that are not at a leaf.
    #[inline(always)]
    fn group<const LANES: usize>(
        &mut self,
        group: [u16; LANES],
        rounds: usize,
        todo: &mut [u16],
        mut left: usize,
    ) -> usize {
        let nodes = self.nodes.steps.as_ptr();
        let mut at = group.map(|walk| self.at[usize::from(walk)]);
        let rows = group.map(|walk| &raw const self.ranks[usize::from(walk) * self.stride]);
        for _ in 0..rounds {
            for (at, row) in at.iter_mut().zip(rows) {
                // SAFETY: `walk` asserts that it begins at nodes that there are, and `Nodes::new`
                // that nodes lead to nodes that there are and name columns below `n_columns`, as
                // many as `walk` asserts to follow from the start of every walk's ranks.
                unsafe {
                    let step = &*nodes.add(*at as usize);
                    let rank = *row.add(usize::from(step.column));
                    *at = step.child + u32::from(rank > step.cut);
                }
            }
        }
        for (walk, at) in group.into_iter().zip(at) {
            self.at[usize::from(walk)] = at;
            // SAFETY: as above.
            let child = unsafe { (*nodes.add(at as usize)).child };
            todo[left] = walk;
            left += usize::from(child != at);
        }
        left
    }
}

/// Asks for the line of memory at `at`, which is soon needed.
#[inline(always)]
pub(crate) fn fetch<T>(at: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: every processor of this kind has the instruction, and it reads nothing that the
        // program could see.
        unsafe { _mm_prefetch::<_MM_HINT_T1>((&raw const *at).cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}
