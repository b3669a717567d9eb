//! The steps of walks over compact nodes: many in flight, and none waited for.
//!
//! Walks are taken eight at a time for as many steps as most of them need; those that are then not
//! yet at a leaf are listed and taken again, a few steps each time. Nothing here depends on how a
//! walk goes but how many lists there are. The same loop serves the rows of a block in one tree and
//! the trees of one row: only the distance between their ranks differs.
//!
//! unsafe: nodes and ranks are read without bounds checks.
#![allow(unsafe_code)]

use std::hint::select_unpredictable;

use crate::array::{Array, stored};

/// A compact node: on to `child` where the rank of `column` is at most `cut`, else to the node
/// after it; or a leaf, whose cut is [`LEAF`] and whose `child` says where its values start.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(8))]
pub(crate) struct Step {
    pub(crate) cut: u16,
    pub(crate) column: u16,
    pub(crate) child: u32,
}

stored!([] Step { cut, column, child });

/// The cut of a leaf: no rank is above it.
pub(crate) const LEAF: u16 = u16::MAX;

/// What the same node of the complete tops of 32 trees asks.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Ask {
    pub(crate) columns: [u16; 32],
    pub(crate) cuts: [u16; 32],
}

stored!([] Ask { columns, cuts });

/// Nodes that lead to nodes, and name columns that there are.
pub(crate) struct Nodes {
    steps: Array<Step>,
    n_columns: usize,
}

impl Nodes {
    /// `None` where a node leads to one that is not there, or names a column that is not.
    pub(crate) fn new(steps: Array<Step>, n_columns: usize) -> Option<Self> {
        let n = steps.len();
        let is_right = |(at, step): (usize, &Step)| {
            let child = step.child as usize;
            // Onwards, so that every walk ends.
            let leads_on = child > at && child + 1 < n;
            (step.cut == LEAF || leads_on) && usize::from(step.column) < n_columns
        };
        let all = steps.iter().enumerate().all(is_right);
        all.then_some(Self { steps, n_columns })
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.n_columns
    }

    pub(crate) fn array(&self) -> &Array<Step> {
        &self.steps
    }

    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }
}

/// Takes the walks `at` (places of nodes) to their leaves, `LANES` at a time, and from there to
/// where the values start. Walk `i` reads the
/// ranks from `i * stride` on, or all of them the same where they are of `ONE_ROW`. `rounds` are the steps to take before leaves are first looked for,
/// and then each time again. `meanwhile` is called for each group of lanes of the first round.
pub(crate) fn walk<const LANES: usize, const ONE_ROW: bool>(
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
    let stride = if ONE_ROW { 0 } else { stride };
    assert!(n <= 1 << 15 && ranks.len() >= (n - 1) * stride + nodes.n_columns);
    assert!(at.iter().fold(0, |most, &at| most.max(at)) < nodes.len() as u32);
    // The list is filled up to whole groups by walks that are on it anyway.
    let whole = n.next_multiple_of(LANES);
    if todo.len() < whole {
        todo.resize(whole, 0);
    }
    let mut walks = Walks {
        nodes: nodes.steps.as_ptr(),
        ranks: ranks.as_ptr(),
        stride,
        at: at.as_mut_ptr(),
        todo: todo.as_mut_ptr(),
        left: 0,
    };
    for first in (0..whole).step_by(LANES) {
        meanwhile();
        let mut group = [0; LANES];
        for (lane, walk) in group.iter_mut().enumerate() {
            *walk = (first + lane).min(n - 1) as u16;
        }
        // SAFETY: the assertions above are what it asks for; the walks are below `n`, and no
        // more of them than `todo` has room for.
        unsafe { walks.group::<LANES, ONE_ROW>(&group, rounds[0]) }
    }
    while walks.left > 0 {
        let left = std::mem::take(&mut walks.left);
        for first in (0..left).step_by(LANES) {
            let mut group = [0; LANES];
            for (lane, walk) in group.iter_mut().enumerate() {
                // SAFETY: `left` walks are listed, all of them below `n`.
                *walk = unsafe { *walks.todo.add((first + lane).min(left - 1)) };
            }
            // SAFETY: as above; the list is written behind where it is read.
            unsafe { walks.group::<LANES, ONE_ROW>(&group, rounds[1]) }
        }
    }
    for at in at {
        *at = nodes.steps[*at as usize].child;
    }
}

struct Walks {
    nodes: *const Step,
    ranks: *const u16,
    stride: usize,
    at: *mut u32,
    /// Walks that are not yet at a leaf,
    todo: *mut u16,
    /// and how many.
    left: usize,
}

impl Walks {
    /// Takes a group of walks some steps on, and lists those that are not at a leaf.
    ///
    /// # Safety
    /// `at` has a place in `nodes` for every walk of the group, `ranks` as many columns as
    /// `Nodes::new` was told from `stride` times the walk's number on, and `todo` room for
    /// `LANES` more.
    #[inline(always)]
    unsafe fn group<const LANES: usize, const ONE_ROW: bool>(
        &mut self,
        group: &[u16; LANES],
        rounds: usize,
    ) {
        let mut at = [0_u32; LANES];
        let mut rows = [self.ranks; LANES];
        // SAFETY: what the function asks for; and `Nodes::new` looked that nodes lead to nodes
        // that there are, and name columns that there are.
        unsafe {
            for lane in 0..LANES {
                let walk = usize::from(group[lane]);
                at[lane] = *self.at.add(walk);
                rows[lane] = self.ranks.add(walk * self.stride);
            }
            for _ in 0..rounds {
                for lane in 0..LANES {
                    let step = self.nodes.add(at[lane] as usize);
                    let row = if ONE_ROW { self.ranks } else { rows[lane] };
                    let rank = *row.add(usize::from((*step).column));
                    let next = (*step).child.wrapping_add(u32::from(rank > (*step).cut));
                    // A leaf is stayed at; which lanes are there is not to be guessed.
                    at[lane] = select_unpredictable((*step).cut == LEAF, at[lane], next);
                }
            }
            for lane in 0..LANES {
                *self.at.add(usize::from(group[lane])) = at[lane];
                *self.todo.add(self.left) = group[lane];
                self.left += usize::from((*self.nodes.add(at[lane] as usize)).cut != LEAF);
            }
        }
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
