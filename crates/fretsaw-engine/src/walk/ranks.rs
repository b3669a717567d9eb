//! Ranks: a row as whole numbers of 16 bits, so that a node of a walk compares two of them.
//!
//! The rank of a value is how many cuts of its feature are not above it, and `x < cuts[i]` is
//! `rank <= i`: nothing is lost. A column is what one kind of node asks: a feature, the answer to
//! NaN, and a page of the feature's cuts where they are more than a column can tell apart. A test
//! that is no plain comparison has a column of its own, which holds its answer.

use std::collections::HashMap;

use crate::array::Array;
use crate::block::Value;
use crate::isa::Isa;
use crate::kernel;
use crate::predicate::{Op, Predicate, SetTest};

/// Cuts of a column: what stands for a leaf is not among them.
const PAGE: usize = 0xfff0;
/// The rank of NaN where the answer is no: above every cut.
const NO: u16 = u16::MAX;
/// Tests that are no plain comparison, at most: every row pays for all of them.
const MAX_ODD: usize = 256;

/// Keys of one node of a search.
pub(crate) const KEYS: usize = 16;

/// The cuts of a feature as a search tree of [`KEYS`] keys a node: the lowest level holds the
/// cuts, each above it the last key of every node below. What is left over is NaN, which no value
/// reaches.
pub(crate) struct Search<T> {
    /// The nodes, level by level, the top first.
    pub(crate) nodes: Array<[T; KEYS]>,
    /// Where each level starts.
    pub(crate) levels: Vec<u32>,
}

impl<T: Value> Search<T> {
    /// The search for ascending cuts.
    fn new(cuts: &[T]) -> Self {
        let nan = T::narrow(f64::NAN);
        let mut levels: Vec<Vec<[T; KEYS]>> = Vec::new();
        let mut keys = cuts.to_vec();
        loop {
            // One key more than there are, so that a value above all of them has a place to go.
            let n_full = keys.len() / KEYS;
            keys.resize((n_full + 1) * KEYS, nan);
            let level = keys.as_chunks().0.to_vec();
            keys = level[..n_full].iter().map(|node| node[KEYS - 1]).collect();
            levels.push(level);
            if n_full == 0 {
                break;
            }
        }
        let (mut nodes, mut starts) = (Vec::new(), Vec::new());
        for level in levels.into_iter().rev() {
            starts.push(nodes.len() as u32);
            nodes.extend(level);
        }
        Self {
            nodes: nodes.into(),
            levels: starts,
        }
    }

    /// How many cuts are not above `x`.
    #[inline(always)]
    pub(crate) fn rank(&self, x: T) -> usize {
        let mut at = 0;
        for &first in &self.levels {
            at = at * KEYS + not_above(&self.nodes[first as usize + at], x);
        }
        at
    }
}

/// How many of the keys are not above `x`.
#[inline(always)]
fn not_above<T: Value>(keys: &[T; KEYS], x: T) -> usize {
    keys.iter().map(|&key| usize::from(x >= key)).sum()
}

/// A column of a feature's cuts.
pub(crate) struct Page {
    pub(crate) column: u16,
    /// The answer to NaN.
    pub(crate) nan: bool,
    /// The first cut.
    pub(crate) first: usize,
}

/// The columns of one feature.
pub(crate) struct Feature<T> {
    pub(crate) feature: usize,
    pub(crate) search: Search<T>,
    pub(crate) pages: Vec<Page>,
}

/// The features in the precision of comparisons.
pub(crate) enum Features {
    F32(Vec<Feature<f32>>),
    F64(Vec<Feature<f64>>),
}

/// All columns.
pub(crate) struct Ranks {
    pub(crate) features: Features,
    /// The tests that are no plain comparison, with their columns.
    pub(crate) odd: Vec<(Predicate, u16)>,
    pub(crate) n_columns: usize,
}

/// The tests of nodes, gathered until all are known.
#[derive(Default)]
pub(crate) struct Asked {
    /// For each feature the order-preserving form of a cut, the node, and the answer to NaN.
    less: Vec<Vec<(u64, u32, bool)>>,
    odd: HashMap<Predicate, Vec<u32>>,
}

impl Asked {
    /// A node's test.
    pub(crate) fn push(&mut self, node: u32, predicate: &Predicate) {
        if predicate.op != Op::Less {
            self.odd.entry(*predicate).or_default().push(node);
            return;
        }
        let feature = predicate.feature as usize;
        if self.less.len() <= feature {
            self.less.resize_with(feature + 1, Vec::new);
        }
        self.less[feature].push((predicate.key(), node, predicate.nan));
    }

    /// The columns, if there are few enough of them; `set(node, column, cut)` is called for each
    /// node.
    pub(crate) fn columns(self, double: bool, mut set: impl FnMut(u32, u16, u16)) -> Option<Ranks> {
        if self.odd.len() > MAX_ODD {
            return None;
        }
        let mut n_columns = 0_usize;
        let mut features = if double {
            Features::F64(Vec::new())
        } else {
            Features::F32(Vec::new())
        };
        for (feature, mut asked) in self.less.into_iter().enumerate() {
            if asked.is_empty() {
                continue;
            }
            asked.sort_unstable();
            let mut cuts: Vec<f64> = Vec::new();
            let mut pages: Vec<Page> = Vec::new();
            let mut last = None;
            for &(key, node, nan) in &asked {
                if last != Some(key) {
                    last = Some(key);
                    cuts.push(Predicate::threshold_of(key));
                }
                let cut = cuts.len() - 1;
                let first = cut / PAGE * PAGE;
                let same = |p: &&Page| p.nan == nan && p.first == first;
                let column = match pages.iter().find(same) {
                    Some(page) => page.column,
                    None => {
                        let column = u16::try_from(n_columns).ok()?;
                        n_columns += 1;
                        pages.push(Page { column, nan, first });
                        column
                    }
                };
                set(node, column, (cut - first) as u16);
            }
            match &mut features {
                Features::F32(all) => all.push(Feature::new(feature, &cuts, pages)),
                Features::F64(all) => all.push(Feature::new(feature, &cuts, pages)),
            }
        }
        let mut asked: Vec<(Predicate, Vec<u32>)> = self.odd.into_iter().collect();
        asked.sort_unstable();
        let mut odd = Vec::with_capacity(asked.len());
        for (predicate, nodes) in asked {
            let column = u16::try_from(n_columns).ok()?;
            n_columns += 1;
            for node in nodes {
                set(node, column, 0);
            }
            odd.push((predicate, column));
        }
        Some(Ranks {
            features,
            odd,
            n_columns,
        })
    }
}

impl<T: Value> Feature<T> {
    fn new(feature: usize, cuts: &[f64], pages: Vec<Page>) -> Self {
        // Canonical cuts are already exact in the compared precision.
        let cuts: Vec<T> = cuts.iter().map(|&cut| T::narrow(cut)).collect();
        Self {
            feature,
            search: Search::new(&cuts),
            pages,
        }
    }

    #[inline(always)]
    fn write(&self, x: T, rank: usize, mut put: impl FnMut(usize, u16)) {
        for page in &self.pages {
            let rank = match x.is_missing() {
                true if page.nan => 0,
                true => NO,
                false => rank.saturating_sub(page.first).min(PAGE) as u16,
            };
            put(usize::from(page.column), rank);
        }
    }
}

impl Ranks {
    /// Columns, which are all that a node may name.
    pub(crate) fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Ranks the rows `x` of `width` values, feature by feature; `put(row, column, rank)` is
    /// called for each row and column.
    pub(crate) fn rank<R: Value>(
        &self,
        isa: Isa,
        x: &[R],
        width: usize,
        sets: &[SetTest],
        mut put: impl FnMut(usize, usize, u16),
    ) {
        match &self.features {
            Features::F32(features) => {
                for f in features {
                    let values = x[f.feature..].iter().step_by(width);
                    let narrow = values.map(|x| f32::narrow(x.widen()));
                    kernel::ranks_f32(isa, &f.search, narrow, |row, x, rank| {
                        f.write(x, rank, |column, rank| put(row, column, rank));
                    });
                }
            }
            Features::F64(features) => {
                for f in features {
                    let values = x[f.feature..].iter().step_by(width);
                    let wide = values.map(|x| x.widen());
                    kernel::ranks_f64(isa, &f.search, wide, |row, x, rank| {
                        f.write(x, rank, |column, rank| put(row, column, rank));
                    });
                }
            }
        }
        for (predicate, column) in &self.odd {
            let values = x[predicate.feature as usize..].iter().step_by(width);
            for (row, x) in values.enumerate() {
                let holds = predicate.holds(x.widen(), sets);
                put(row, usize::from(*column), u16::from(!holds));
            }
        }
    }

    /// Ranks one row; `put(column, rank)` is called for each column.
    pub(crate) fn rank_row<R: Value>(
        &self,
        isa: Isa,
        x: &[R],
        sets: &[SetTest],
        mut put: impl FnMut(usize, u16),
    ) {
        match &self.features {
            Features::F32(features) => {
                kernel::rank_row_f32(isa, features, x, |f, x, rank| f.write(x, rank, &mut put));
            }
            Features::F64(features) => {
                kernel::rank_row_f64(isa, features, x, |f, x, rank| f.write(x, rank, &mut put));
            }
        }
        for (predicate, column) in &self.odd {
            let holds = predicate.holds(x[predicate.feature as usize].widen(), sets);
            put(usize::from(*column), u16::from(!holds));
        }
    }

    pub(crate) fn memory(&self) -> usize {
        fn of<T>(features: &[Feature<T>]) -> usize {
            let each = |f: &Feature<T>| {
                size_of_val(&f.search.nodes[..])
                    + size_of_val(&f.search.levels[..])
                    + size_of_val(&f.pages[..])
            };
            size_of_val(features) + features.iter().map(each).sum::<usize>()
        }
        let features = match &self.features {
            Features::F32(features) => of(features),
            Features::F64(features) => of(features),
        };
        features + size_of_val(&self.odd[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_count_the_cuts_not_above() {
        for n in [0, 1, 15, 16, 17, 255, 256, 257, 300, 4095, 4096, 4097] {
            let cuts: Vec<f32> = (0..n).map(|i| i as f32 * 0.5 - 3.0).collect();
            let search = Search::new(&cuts);
            let x = (-20..40).map(|i| i as f32 * 0.25).chain([
                n as f32 * 0.5 - 3.5,
                f32::NEG_INFINITY,
                f32::INFINITY,
            ]);
            for x in x {
                let want = cuts.iter().filter(|&&cut| x >= cut).count();
                assert_eq!(search.rank(x), want, "{x} among {n}");
            }
        }
    }
}
