//! The table of predicates: sorted, numbered, and laid out for the kernels that fill their planes.

use fretsaw_model::{Float, ceil32};

use crate::predicate::{Op, Predicate, SetTest};

/// Predicates of one feature and kind, next to each other in the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// The column of the feature.
    pub(crate) column: u32,
    pub(crate) op: Op,
    pub(crate) nan: bool,
    /// The first predicate of the run.
    pub(crate) first: u32,
    pub(crate) len: u32,
}

impl Run {
    /// Its predicates.
    pub(crate) fn range(&self) -> std::ops::Range<usize> {
        self.first as usize..self.first as usize + self.len as usize
    }
}

/// The cuts of a column as a search tree, for kernels that turn its values into ranks once and
/// compare bytes from then on: `x < cuts[i]` is `rank <= i`, where the rank is how many cuts are
/// not above `x`. This loses nothing.
pub(crate) struct Ranks {
    /// Levels of the tree, at least [`MIN_LEVELS`].
    pub(crate) levels: u32,
    /// `2^levels` cuts in breadth-first order from 1 on; the padding is NaN, which no value
    /// reaches.
    pub(crate) tree: Vec<f32>,
}

/// Cuts of a column that a byte can rank.
pub(crate) const MAX_CUTS: usize = 255;
/// Levels that cost the same as fewer.
pub(crate) const MIN_LEVELS: u32 = 5;
/// Predicates of a column that make ranks worth their search.
const MIN_RANKED: usize = 24;

impl Ranks {
    /// The ranks of a column with these predicates, and the cut that each is about.
    fn new(thresholds: &[f32]) -> Option<(Self, Vec<u8>)> {
        let mut cuts = thresholds.to_vec();
        cuts.sort_by(f32::total_cmp);
        cuts.dedup();
        if thresholds.len() < MIN_RANKED || cuts.len() > MAX_CUTS {
            return None;
        }
        let of = |t: &f32| cuts.partition_point(|c| c < t) as u8;
        let ranks = thresholds.iter().map(of).collect();
        let levels = (usize::BITS - cuts.len().leading_zeros()).max(MIN_LEVELS);
        let mut tree = vec![f32::NAN; 1 << levels];
        for (at, slot) in tree.iter_mut().enumerate().skip(1) {
            // The node's level from the top, and its place there, tell the cut it stands for.
            let level = at.ilog2();
            let place = at - (1 << level);
            let cut = (2 * place + 1) << (levels - 1 - level);
            *slot = cuts.get(cut - 1).copied().unwrap_or(f32::NAN);
        }
        Some((Self { levels, tree }, ranks))
    }
}

/// All predicates of the sliced trees, evaluated once a block.
#[derive(Default)]
pub(crate) struct Table {
    pub(crate) predicates: Vec<Predicate>,
    pub(crate) runs: Vec<Run>,
    /// The feature of each column.
    pub(crate) features: Vec<u32>,
    /// Thresholds for f32 columns.
    pub(crate) narrow: Vec<f32>,
    /// Thresholds for f64 columns: empty where rows are compared in f32.
    pub(crate) wide: Vec<f64>,
    /// For each column of f32, how to rank its values, where that pays; empty where the kernels
    /// do not.
    pub(crate) ranks: Vec<Option<Ranks>>,
    /// For each predicate of a ranked column, the number of its cut.
    pub(crate) cut: Vec<u8>,
    pub(crate) sets: Vec<SetTest>,
}

/// Planes before the first predicate's: all 0 and all 1.
pub(crate) const CONSTANT_PLANES: usize = 2;

impl Table {
    /// Sorts and numbers the predicates, each of which is there once.
    pub(crate) fn new(mut predicates: Vec<Predicate>, compare: Float, sets: Vec<SetTest>) -> Self {
        predicates.sort_unstable();
        let mut table = Self {
            sets,
            ..Self::default()
        };
        for (i, p) in predicates.iter().enumerate() {
            if table.features.last() != Some(&p.feature) {
                table.features.push(p.feature);
            }
            let column = table.features.len() as u32 - 1;
            match table.runs.last_mut() {
                Some(run) if run.column == column && run.op == p.op && run.nan == p.nan => {
                    run.len += 1;
                }
                _ => table.runs.push(Run {
                    column,
                    op: p.op,
                    nan: p.nan,
                    first: i as u32,
                    len: 1,
                }),
            }
            table.narrow.push(match p.op {
                Op::Less | Op::LessZone => ceil32(p.threshold()),
                // An f32 never equals what f32 cannot hold, and nothing equals NaN.
                Op::Equal | Op::EqualZone => Some(p.threshold() as f32)
                    .filter(|&t| f64::from(t) == p.threshold())
                    .unwrap_or(f32::NAN),
                Op::Member => 0.0,
            });
            if compare == Float::F64 {
                let threshold = if p.op == Op::Member {
                    0.0
                } else {
                    p.threshold()
                };
                table.wide.push(threshold);
            }
        }
        table.predicates = predicates;
        table
    }

    /// Prepares the columns to be ranked.
    pub(crate) fn with_ranks(mut self) -> Self {
        self.cut = vec![0; self.predicates.len()];
        for column in 0..self.features.len() {
            let runs = self
                .runs
                .iter()
                .filter(|run| run.column as usize == column && run.op == Op::Less);
            let which: Vec<usize> = runs.flat_map(Run::range).collect();
            let thresholds: Vec<f32> = which.iter().map(|&i| self.narrow[i]).collect();
            let ranks = Ranks::new(&thresholds).map(|(ranks, cuts)| {
                for (&i, cut) in which.iter().zip(cuts) {
                    self.cut[i] = cut;
                }
                ranks
            });
            self.ranks.push(ranks);
        }
        self
    }

    /// The predicates with the numbers of their planes.
    pub(crate) fn planes(&self) -> impl Iterator<Item = (Predicate, u32)> {
        self.predicates
            .iter()
            .copied()
            .zip(CONSTANT_PLANES as u32..)
    }

    /// Planes of the constants and the predicates.
    pub(crate) fn n_planes(&self) -> usize {
        self.predicates.len() + CONSTANT_PLANES
    }

    pub(crate) fn memory(&self) -> usize {
        let sets: usize = self.sets.iter().map(SetTest::memory).sum();
        size_of_val(&self.predicates[..])
            + size_of_val(&self.runs[..])
            + size_of_val(&self.features[..])
            + size_of_val(&self.narrow[..])
            + size_of_val(&self.wide[..])
            + size_of_val(&self.cut[..])
            + self
                .ranks
                .iter()
                .map(|r| r.as_ref().map_or(0, |r| 4 * r.tree.len()))
                .sum::<usize>()
            + sets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_answer_as_comparisons_do() {
        for n in [24, 31, 32, 100, 127, 128, 255] {
            let thresholds: Vec<f32> = (0..n).map(|i| i as f32 * 0.5 - 3.0).collect();
            let (ranks, cuts) = Ranks::new(&thresholds).expect("few enough cuts");
            for x in (-20..200).map(|i| i as f32 * 0.25) {
                let mut at = 1;
                for _ in 0..ranks.levels {
                    at = 2 * at + usize::from(x >= ranks.tree[at]);
                }
                let rank = at - (1 << ranks.levels);
                for (&t, &cut) in thresholds.iter().zip(&cuts) {
                    assert_eq!(rank <= usize::from(cut), x < t, "{x} < {t} of {n}");
                }
            }
        }
        assert!(Ranks::new(&(0..256).map(|i| i as f32).collect::<Vec<_>>()).is_none());
    }
}
