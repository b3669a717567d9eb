//! What must hold of a plan whoever made it, so that no run of it reads where nothing is, takes
//! forever or panics. Whether it answers as its model does is not seen from it: that is the
//! checksum's part.

use std::ops::Range;

use fretsaw_model::{Float, Sum};

use super::codec::damaged;
use crate::circuit::{MAX_BITS, MAX_DEPTH, Route, Routes};
use crate::error::Error;
use crate::few::{self, Few};
use crate::kernel;
use crate::ladder::DIGITS;
use crate::leaves::{BATCH, Held, JobRun, Leaves, Tables, Values, WIDTHS};
use crate::predicate::{Op, Predicate};
use crate::table::Table;
use crate::trees::{Segment, Trees};

/// `what` is damaged unless `holds`.
pub(super) fn ensure(holds: bool, what: &str) -> Result<(), Error> {
    match holds {
        true => Ok(()),
        false => Err(damaged(what)),
    }
}

/// Whether `n` things from `first` on are among `of`.
pub(super) fn within(first: usize, n: usize, of: usize) -> bool {
    first.checked_add(n).is_some_and(|end| end <= of)
}

/// Whether a range of some of `of` things runs forward.
pub(super) fn is_range(range: &Range<usize>, of: usize) -> bool {
    range.start <= range.end && range.end <= of
}

/// Whether all of the predicates can be asked of rows of `width` values.
pub(super) fn can_ask<'a>(
    predicates: impl IntoIterator<Item = &'a Predicate>,
    width: usize,
    n_sets: usize,
) -> bool {
    predicates.into_iter().all(|p| {
        (p.feature as usize) < width
            && (p.op != Op::Member || usize::try_from(p.key()).is_ok_and(|set| set < n_sets))
    })
}

/// What all parts of an ensemble must agree on.
pub(super) struct Shape {
    /// Values of a row.
    pub(super) width: usize,
    pub(super) n_outputs: usize,
    pub(super) n_sets: usize,
    pub(super) compare: Float,
    pub(super) sum: Sum,
}

impl Shape {
    /// Values for f64 rows, of which there are `n` for f32 rows.
    pub(super) fn wide(&self, n: usize) -> usize {
        match self.compare {
            Float::F32 => 0,
            Float::F64 => n,
        }
    }
}

/// Nanoseconds that an estimate of a row may be.
const MAX_NS: f64 = 1e12;

impl Trees {
    /// The checks of an ensemble over rows of `width` values.
    pub(super) fn check(&self, width: usize, n_outputs: usize) -> Result<(), Error> {
        let finish = &self.finish;
        let shape = Shape {
            width,
            n_outputs,
            n_sets: self.table.sets.len(),
            compare: self.compare,
            sum: finish.sum,
        };
        let is_whole = finish.base.len() == n_outputs && finish.multiply.len() == n_outputs;
        ensure(is_whole && n_outputs > 0, "the base")?;
        ensure((0.0..=MAX_NS).contains(&self.ns_per_row), "an estimate")?;
        self.table.check(&shape)?;
        self.routes.check(self.table.n_planes())?;
        ensure(
            self.leaves.tables.held() == kernel::held(self.isa),
            "tables of leaves",
        )?;
        self.leaves.check(&shape, &self.routes)?;
        self.walk.check(&shape, self.isa)?;
        self.few.check(&shape, &self.walk)?;
        for segment in &self.segments {
            let holds = match segment {
                Segment::Sliced(batches) => is_range(batches, self.leaves.batches.len()),
                Segment::Walked(trees) => self.walk.has(trees),
            };
            ensure(holds, "a segment")?;
        }
        // What is nothing but walks takes all trees, whatever its segments say.
        let all = 0..self.walk.trees.len();
        ensure(self.only_walks().is_none() || self.walk.has(&all), "a walk")
    }
}

impl Table {
    fn check(&self, shape: &Shape) -> Result<(), Error> {
        let n = self.predicates.len();
        let n_columns = self.features.len();
        let is_known = |&feature: &u32| (feature as usize) < shape.width;
        ensure(self.features.iter().all(is_known), "a feature")?;
        ensure(
            can_ask(&self.predicates, shape.width, shape.n_sets),
            "a predicate",
        )?;
        ensure(
            self.narrow.len() == n && self.wide.len() == shape.wide(n),
            "thresholds",
        )?;
        for run in &self.runs {
            let holds = (run.column as usize) < n_columns
                && within(run.first as usize, run.len as usize, n);
            ensure(holds, "a run of predicates")?;
        }
        ensure(
            self.ladders.is_empty() || self.cut.len() == n,
            "cuts of ladders",
        )?;
        for ladder in &self.ladders {
            let holds = (ladder.column as usize) < n_columns
                && (5..=DIGITS as u32).contains(&ladder.levels)
                && ladder.narrow.len() == 1 << ladder.levels
                && ladder.wide.len() == shape.wide(1 << ladder.levels)
                && ladder.rungs.iter().all(|rungs| is_range(rungs, n));
            ensure(holds, "a ladder")?;
        }
        Ok(())
    }
}

impl Routes {
    /// `n_fixed` planes are there before any operation.
    fn check(&self, n_fixed: usize) -> Result<(), Error> {
        let n = self.n_planes;
        // No more than operations can need: a number alone takes no memory.
        let most = n_fixed + self.ops.len();
        ensure((n_fixed..=most).contains(&n), "the number of planes")?;
        let is_plane = |&plane: &u32| (plane as usize) < n;
        let all =
            |op: &crate::circuit::Mux| [op.select, op.yes, op.no, op.out].iter().all(is_plane);
        ensure(self.ops.iter().all(all), "an operation")?;
        ensure(self.heap.iter().all(is_plane), "a heap")?;
        for route in &self.routes {
            let holds = match route {
                Route::Complete { depth, first } => {
                    let (depth, first) = (usize::from(*depth), *first as usize);
                    (1..=MAX_DEPTH).contains(&depth)
                        && first > 0
                        && within(first - 1, 1 << depth, self.heap.len())
                }
                Route::Circuit { bits, outputs } => {
                    usize::from(*bits) <= MAX_BITS && outputs.iter().all(is_plane)
                }
            };
            ensure(holds, "a route")?;
        }
        for group in &self.groups {
            let (ops, routes) = (self.ops.len(), self.routes.len());
            let holds = within(group.first_op as usize, group.n_ops as usize, ops)
                && within(group.first_route as usize, group.n_routes as usize, routes);
            ensure(holds, "a group of routes")?;
        }
        Ok(())
    }
}

impl Values {
    /// Whether they are of the type of the sum.
    pub(super) fn are_of(&self, sum: Sum) -> bool {
        matches!(
            (self, sum),
            (Self::F32(_), Sum::F32) | (Self::F64(_), Sum::F64) | (Self::I32(_), Sum::I32)
        )
    }
}

impl Tables {
    fn held(&self) -> Held {
        match self {
            Self::Plain(_) => Held::Plain,
            Self::Lines { held, .. } => *held,
        }
    }

    /// How many entries there are, and how many a table of this run takes; `None` where kernels do
    /// not know such tables.
    fn room(&self, run: &JobRun) -> Option<(usize, usize)> {
        let width = usize::from(run.width);
        match self {
            Self::Plain(values) => Some((values.len(), width)),
            Self::Lines { lines, sum, held } => {
                let bytes = match (sum, run.bytes) {
                    (Sum::F32, _) | (Sum::I32, 4) => 4,
                    (Sum::F64, _) => 8,
                    (Sum::I32, 2) if matches!(held, Held::Words | Held::WordsOrBytes) => 2,
                    (Sum::I32, 1) if *held == Held::WordsOrBytes => 1,
                    _ => return None,
                };
                Some((lines.len(), width * bytes / 64))
            }
        }
    }
}

impl Leaves {
    fn check(&self, shape: &Shape, routes: &Routes) -> Result<(), Error> {
        let is_of_sum = match &self.tables {
            Tables::Plain(values) => values.are_of(shape.sum),
            Tables::Lines { sum, .. } => *sum == shape.sum,
        };
        ensure(is_of_sum, "the type of leaves")?;
        for batch in &self.batches {
            let (first, n) = (batch.first_group as usize, batch.n_groups as usize);
            let holds = within(first, n, routes.groups.len())
                && within(
                    batch.first_run as usize,
                    batch.n_runs as usize,
                    self.runs.len(),
                );
            ensure(holds, "a batch")?;
            let groups = routes.groups[first..first + n].iter();
            let n_routes: usize = groups.map(|group| group.n_routes as usize).sum();
            ensure(n_routes <= BATCH, "a batch")?;
        }
        for run in &self.runs {
            let (first, n) = (run.first as usize, run.len as usize);
            let holds = (run.output as usize) < shape.n_outputs
                && WIDTHS.contains(&usize::from(run.width))
                && within(first, n, self.jobs.len());
            ensure(holds, "a run of look-ups")?;
            let Some((all, of_table)) = self.tables.room(run) else {
                return Err(damaged("a run of look-ups"));
            };
            let is_right = |job: &crate::leaves::Job| {
                (job.slot as usize) < BATCH && within(job.table as usize, of_table, all)
            };
            ensure(
                self.jobs[first..first + n].iter().all(is_right),
                "a look-up",
            )?;
        }
        Ok(())
    }
}

impl Few {
    /// Whether the leaves are of the type of the sum, or places.
    pub(super) fn leaves_are_of(&self, sum: Sum) -> bool {
        matches!(
            (&self.leaves, sum),
            (few::Leaves::F32(_), Sum::F32)
                | (few::Leaves::F64(_), Sum::F64)
                | (few::Leaves::I32(_), Sum::I32)
                | (few::Leaves::Places(_), _)
        )
    }
}
