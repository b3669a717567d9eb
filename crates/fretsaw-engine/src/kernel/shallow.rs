//! One row in many shallow trees: two lines of memory a tree, and each asked for long before it is
//! needed.
//!
//! A line is a complete heap of four levels, so there are no references to children: a step doubles
//! the place and adds the answer. The first lines of all trees stand in a row; the line below and
//! its leaves are known as soon as the first is answered, and by the time that the trees between have
//! been finished they are there. Not for trees of more than eight levels.
//!
//! unsafe: tests and ranks are read without bounds checks.
#![allow(unsafe_code)]

use std::ops::Range;

use super::walk::{LEAF, fetch};

/// Levels of a line.
pub(crate) const LEVELS: usize = 4;
/// Ways out of a line.
pub(crate) const WAYS: usize = 1 << LEVELS;
/// Trees between asking for a line and reading it.
const AHEAD: usize = 32;

/// On to the second of two places where the rank of `column` is above `cut`.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(4))]
pub(crate) struct Test {
    pub(crate) cut: u16,
    pub(crate) column: u16,
}

impl Test {
    /// No rank is above it.
    const NONE: Self = Self {
        cut: LEAF,
        column: 0,
    };
}

/// A complete heap of tests: the children of test `i` are `2 * i` and `2 * i + 1`.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Line {
    /// In a tree's first line: the line below its first way out.
    pub(crate) below: u32,
    /// From 1 on.
    tests: [Test; WAYS - 1],
}

impl Line {
    pub(crate) const NONE: Self = Self {
        below: 0,
        tests: [Test::NONE; WAYS - 1],
    };

    pub(crate) fn put(&mut self, at: usize, test: Test) {
        self.tests[at - 1] = test;
    }

    /// The way out that a row takes.
    ///
    /// # Safety
    /// `ranks` has all columns of the tests.
    #[inline(always)]
    unsafe fn way(&self, ranks: &[u16]) -> usize {
        let mut at = 1;
        for _ in 0..LEVELS {
            // SAFETY: below four levels `at` is below 16; and what the function asks for.
            unsafe {
                let test = self.tests.get_unchecked(at - 1);
                let rank = *ranks.get_unchecked(usize::from(test.column));
                at = 2 * at + usize::from(rank > test.cut);
            }
        }
        at - WAYS
    }
}

/// The leaves below a line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Below<V>(pub(crate) [V; WAYS]);

/// Lines that name columns that there are.
pub(crate) struct Lines {
    first: Vec<Line>,
    below: Vec<Line>,
    n_columns: usize,
}

impl Lines {
    /// # Panics
    /// When a test names a column that is not there.
    pub(crate) fn new(first: Vec<Line>, below: Vec<Line>, n_columns: usize) -> Self {
        let mut tests = first.iter().chain(&below).flat_map(|line| &line.tests);
        assert!(tests.all(|test| usize::from(test.column) < n_columns));
        Self {
            first,
            below,
            n_columns,
        }
    }

    pub(crate) fn memory(&self) -> usize {
        size_of_val(&self.first[..]) + size_of_val(&self.below[..])
    }
}

/// Finds the leaves of the trees whose first lines are `trees`, in order: `add` gets the tree's
/// place in the range and its leaf.
pub(crate) fn shallow<V: Copy, S>(
    lines: &Lines,
    trees: Range<usize>,
    leaves: &[Below<V>],
    ranks: &[u16],
    mut sum: S,
    mut add: impl FnMut(S, usize, V) -> S,
) -> S {
    assert!(ranks.len() >= lines.n_columns);
    let first = &lines.first[trees];
    let ask = |tree: &Line| {
        // SAFETY: `Lines::new` looked at the columns, and the assertion that they are there.
        let line = tree.below as usize + unsafe { tree.way(ranks) };
        fetch(&lines.below[line]);
        fetch(&leaves[line]);
        line as u32
    };
    let mut asked = [0_u32; AHEAD];
    for (asked, tree) in asked.iter_mut().zip(first) {
        *asked = ask(tree);
    }
    for i in 0..first.len() {
        let asked = &mut asked[i % AHEAD];
        let line = *asked as usize;
        if let Some(tree) = first.get(i + AHEAD) {
            *asked = ask(tree);
        }
        // SAFETY: as above.
        let way = unsafe { lines.below[line].way(ranks) };
        sum = add(sum, i, leaves[line].0[way % WAYS]);
    }
    sum
}
