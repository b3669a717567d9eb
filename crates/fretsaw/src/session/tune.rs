//! Checks by measurement what a plan's cost model only estimates: how trees are run in whole blocks,
//! and from how many rows on a block pays.
//!
//! Answers do not depend on either. What is measured is the plan on the user's own rows, on this
//! machine, for some hundredths of a second.

use std::time::Instant;

use fretsaw_engine::{MarginsMut, Options, Plan, Strategy};
use fretsaw_model::{Float, Model, Rows};

use super::native::{Native, backend, engine_options};
use crate::Result;

/// What was measured of a plan; one thread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuned {
    /// Nanoseconds a row, one by one.
    pub row_ns: f64,
    /// Nanoseconds a row of a whole block.
    pub block_ns: f64,
    /// From how many rows on a block pays,
    pub crossing: usize,
    /// and what the cost model had thought of that.
    pub estimated_crossing: usize,
    /// Another way to run the trees of whole blocks than the one that was estimated to be best, and
    /// its nanoseconds a row. The faster of the two is taken.
    pub other: Option<(Strategy, f64)>,
}

/// Rows of a word: what a block takes at once.
const WORD: usize = 64;
/// How often each figure is taken; the least is kept.
const TRIES: usize = 5;
/// How much faster another way must be than the estimated one.
const CLEARLY: f64 = 0.95;

impl Native {
    /// Like [`new`](Self::new), with the plan's choices checked on `rows`, where there are enough of
    /// them to fill a block.
    ///
    /// # Errors
    /// When the engine cannot run the model, or the rows do not fit it.
    pub fn tuned(model: &Model, threads: usize, rows: &Rows<'_>) -> Result<Self> {
        let mut options = engine_options()?;
        let mut native = Self::with_options(model, threads, &options)?;
        let summary = native.summary();
        // A body without trees crosses nowhere.
        if rows.n_rows() < summary.block_rows || summary.crossing_rows == 0 {
            return Ok(native);
        }
        let mut bench = Bench::new(*rows, summary.block_rows);
        let mut block_ns = bench.block(&mut native.plan, summary.block_rows)?;
        let mut other = None;
        if let Some(way) = alternative(&native.plan, &options) {
            options.blocks = way;
            let mut plan = Plan::compile(model, &options).map_err(backend)?;
            let ns = bench.block(&mut plan, summary.block_rows)?;
            other = Some((way, ns));
            if ns < CLEARLY * block_ns {
                (native.plan, block_ns) = (plan, ns);
            }
        }
        let estimated_crossing = native.plan.summary().crossing_rows;
        let row_ns = bench.one_by_one(&mut native.plan)?;
        let crossing = bench.crossing(&mut native.plan, row_ns, summary.block_rows)?;
        native.plan.set_crossing(crossing);
        native.tuned = Some(Tuned {
            row_ns,
            block_ns,
            crossing,
            estimated_crossing,
            other,
        });
        Ok(native)
    }

    /// What was measured, if anything was.
    pub fn measured(&self) -> Option<&Tuned> {
        self.tuned.as_ref()
    }
}

/// The way that the cost model thought worse for some of the trees.
fn alternative(plan: &Plan, options: &Options) -> Option<Strategy> {
    if options.strategy != Strategy::Auto {
        return None;
    }
    let groups = plan.summary().groups;
    let most = groups.iter().max_by_key(|g| g.n_trees)?;
    match most.strategy {
        Strategy::BitSliced => Some(Strategy::Walk),
        _ if most.is_choice() => Some(Strategy::BitSliced),
        _ => None,
    }
}

/// Times plans over blocks of rows.
struct Bench<'a> {
    rows: Rows<'a>,
    f32s: Vec<f32>,
    f64s: Vec<f64>,
}

impl<'a> Bench<'a> {
    fn new(rows: Rows<'a>, block_rows: usize) -> Self {
        Self {
            rows: rows.slice(0..rows.n_rows() / block_rows * block_rows),
            f32s: Vec::new(),
            f64s: Vec::new(),
        }
    }

    /// Nanoseconds a row for blocks of `n` rows, another one each time.
    fn block(&mut self, plan: &mut Plan, n: usize) -> Result<f64> {
        plan.set_crossing(0);
        self.time(plan, n, n)
    }

    /// Nanoseconds a row where each is taken by itself.
    fn one_by_one(&mut self, plan: &mut Plan) -> Result<f64> {
        plan.set_crossing(usize::MAX);
        self.time(plan, WORD, 1)
    }

    /// The fewest rows that are cheaper as a block.
    fn crossing(&mut self, plan: &mut Plan, row_ns: f64, block_rows: usize) -> Result<usize> {
        // A block takes rows by the word: one of 70 rows costs what one of 128 does.
        for n in (WORD..=block_rows).step_by(WORD) {
            let block = self.block(plan, n)? * n as f64;
            let fewest = (block / row_ns).ceil() as usize;
            if fewest <= n {
                return Ok(fewest.max(n - WORD + 1));
            }
        }
        Ok(block_rows)
    }

    /// The least time a row, of `n` rows in calls of `per_call`.
    fn time(&mut self, plan: &Plan, n: usize, per_call: usize) -> Result<f64> {
        let mut scratch = plan.scratch();
        let len = per_call * plan.n_outputs();
        self.f32s.resize(len, 0.0);
        self.f64s.resize(len, 0.0);
        let mut least = f64::INFINITY;
        // The first time is not counted: memory is touched, scratch is made.
        for attempt in 0..=TRIES {
            let first = attempt * n % (self.rows.n_rows() - n + 1);
            let start = Instant::now();
            for at in (first..first + n).step_by(per_call) {
                let out = match plan.margin() {
                    Float::F32 => MarginsMut::F32(&mut self.f32s),
                    Float::F64 => MarginsMut::F64(&mut self.f64s),
                };
                plan.margins(&self.rows.slice(at..at + per_call), out, &mut scratch)
                    .map_err(backend)?;
            }
            let ns = start.elapsed().as_nanos() as f64 / n as f64;
            if attempt > 0 {
                least = least.min(ns);
            }
        }
        Ok(least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Predictions, Session, Want};
    use fretsaw_model::random::{self, Shape};

    /// Whatever was measured, the answers are the same, and the figures make sense.
    #[test]
    fn tuning_changes_no_answer() {
        for (seed, max_leaves) in [(1, 16), (2, 64), (3, 300)] {
            let shape = Shape {
                max_leaves,
                n_trees: 30,
                ..Shape::default()
            };
            let model = random::ensemble(seed, &shape);
            let values = random::rows(seed, &model, 1030);
            let rows = Rows::f64(&values, model.features.len()).unwrap();
            let mut plain = Native::new(&model, 1).unwrap();
            let mut tuned = Native::tuned(&model, 1, &rows).unwrap();
            let facts = *tuned.measured().expect("enough rows to measure");
            assert!(facts.row_ns > 0.0 && facts.block_ns > 0.0, "{facts:?}");
            assert_eq!(tuned.summary().crossing_rows, facts.crossing);
            assert!(facts.crossing <= tuned.summary().block_rows, "{facts:?}");
            for n in [1, facts.crossing.max(2) - 1, facts.crossing, 700] {
                let [mut want, mut got] = [(); 2].map(|()| Predictions::new(Float::F32, 1));
                let rows = rows.slice(0..n);
                plain.run(&rows, Want::Margins, &mut want).unwrap();
                tuned.run(&rows, Want::Margins, &mut got).unwrap();
                let bits =
                    |p: &Predictions| p.to_f64().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&got), bits(&want), "seed {seed}, {n} rows");
            }
            let few = Native::tuned(&model, 1, &rows.slice(0..20)).unwrap();
            assert!(few.measured().is_none(), "20 rows fill no block");
        }
    }
}
