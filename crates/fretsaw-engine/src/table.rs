//! The table of predicates: sorted, numbered, and laid out for the kernels that fill their planes.

use fretsaw_model::{Float, ceil32};

use crate::ladder::{self, Ladder};
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

/// All predicates of the sliced trees, evaluated once a block.
#[derive(Default)]
pub(crate) struct Table {
    pub(crate) predicates: Vec<Predicate>,
    /// Those that are evaluated one by one,
    pub(crate) runs: Vec<Run>,
    /// and those that are answered together,
    pub(crate) ladders: Vec<Ladder>,
    /// with the number of each one's cut on its ladder; empty where there are no ladders.
    pub(crate) cut: Vec<u8>,
    /// The feature of each column.
    pub(crate) features: Vec<u32>,
    /// Thresholds for f32 columns.
    pub(crate) narrow: Vec<f32>,
    /// Thresholds for f64 columns: empty where rows are compared in f32.
    pub(crate) wide: Vec<f64>,
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

    /// Moves comparisons from runs to ladders where that pays.
    pub(crate) fn with_ladders(mut self) -> Self {
        self.cut = vec![0; self.predicates.len()];
        let threshold = |p: &Predicate| match p.op {
            Op::Less => p.threshold(),
            _ => 0.0,
        };
        let thresholds: Vec<f64> = self.predicates.iter().map(threshold).collect();
        let mut runs = Vec::new();
        for of_column in self.runs.chunk_by(|a, b| a.column == b.column) {
            let column = of_column[0].column;
            let side = |nan: bool| {
                let run = of_column.iter().find(|r| r.op == Op::Less && r.nan == nan);
                run.map_or((0, &[][..]), |r| (r.range().start, &thresholds[r.range()]))
            };
            let sides = [side(false), side(true)];
            let (ladders, rest) =
                ladder::ladders(column, sides, !self.wide.is_empty(), &mut self.cut);
            self.ladders.extend(ladders);
            for (nan, ranges) in [false, true].into_iter().zip(rest) {
                runs.extend(ranges.into_iter().filter(|r| !r.is_empty()).map(|r| Run {
                    column,
                    op: Op::Less,
                    nan,
                    first: r.start as u32,
                    len: r.len() as u32,
                }));
            }
            runs.extend(of_column.iter().filter(|r| r.op != Op::Less));
        }
        self.runs = runs;
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
            + self.ladders.iter().map(Ladder::memory).sum::<usize>()
            + sets
    }
}
