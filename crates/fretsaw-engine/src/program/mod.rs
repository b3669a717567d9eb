//! A program: steps of any kind, run over blocks of rows in f64.
//!
//! What keeps the rows' own precision and stands first is applied to each row as it comes in;
//! behind that a block is a table of f64, row-major, and each step makes it another one, or changes
//! it in place. Ensembles within steps are plans of their own, so that they run on the same kernels
//! as any other. A program rearranges nothing: it gives the bits of
//! `fretsaw_model::apply_steps`.

mod step;

use std::mem;

use fretsaw_model::{Compared, KernelFunction, Rows, Step, Sum, Values, width};

use crate::block::ROWS;
use crate::error::Error;
use crate::isa::Isa;
use crate::kernel::{self, Term, Tiles};
use crate::linear::LinearPlan;
use crate::plan::MarginsMut;
use crate::prepare::prepared;
use crate::run;
use crate::scratch::Scratch;
use crate::trees::{Compiler, Trees};

/// Values of a block that the inner caches hold together.
const CACHED: usize = 1 << 15;
/// Steps on fewer rows at a time cost more than they save.
const FEWEST: usize = 16;

/// Steps compiled.
pub(crate) struct Program {
    /// The first steps, which run in the rows' own precision.
    front: Vec<Step>,
    chain: Chain,
    /// Rows that are run together, at most.
    block_rows: usize,
}

/// A row that a step refuses, counted from the first of those that were run.
pub(crate) struct Refusal {
    row: usize,
    why: fretsaw_model::Error,
}

impl Refusal {
    pub(crate) fn row(&self) -> usize {
        self.row
    }

    /// The same row, counted from one that stands `rows` before.
    pub(crate) fn after(self, rows: usize) -> Self {
        Self {
            row: self.row + rows,
            ..self
        }
    }
}

impl From<Refusal> for Error {
    fn from(r: Refusal) -> Self {
        Self::row_refused(r.row, &r.why)
    }
}

/// Steps one behind the other.
struct Chain {
    stages: Vec<Stage>,
    /// Values a row has behind the last.
    to: usize,
    /// The most values that a row has before, between or behind them.
    widest: usize,
}

/// A step, for rows of `from` values that become `to`.
struct Stage {
    op: Op,
    from: usize,
    to: usize,
}

enum Op {
    Branches(Vec<Chain>),
    Ensemble(Box<Trees>),
    Linear(LinearPlan<f64>),
    Kernel(Box<KernelPlan>),
    Other(Step),
}

/// A kernel of plain sums over features.
struct KernelPlan {
    isa: Isa,
    vectors: Tiles<f64>,
    term: Term,
    function: KernelFunction,
}

/// What steps need while they run.
struct Run<'a> {
    scratch: &'a mut Scratch,
    n_rows: usize,
}

impl Program {
    pub(crate) fn compile(
        steps: &[Step],
        n_features: usize,
        compiler: &mut Compiler,
    ) -> Result<Self, Error> {
        let n_front = steps.iter().take_while(|s| s.keeps_precision()).count();
        let (front, rest) = steps.split_at(n_front);
        let chain = Chain::compile(rest, width(front, n_features), compiler)?;
        Ok(Self {
            front: front.to_vec(),
            block_rows: if chain.has_trees() {
                ROWS
            } else {
                (CACHED / chain.widest.max(1)).clamp(FEWEST, ROWS)
            },
            chain,
        })
    }

    /// Rows that [`run`](Program::run) takes at most; never more than a block of the kernels.
    pub(crate) fn block_rows(&self) -> usize {
        self.block_rows
    }

    /// Values a row has behind the steps.
    pub(crate) fn width(&self) -> usize {
        self.chain.to
    }

    /// What the steps make of `rows`, row-major, in place of what `block` held.
    ///
    /// # Errors
    /// The first row that is refused, and the first step that refuses it, as if rows were run one
    /// by one.
    pub(crate) fn run(
        &self,
        rows: &Rows<'_>,
        block: &mut Vec<f64>,
        scratch: &mut Scratch,
    ) -> Result<(), Refusal> {
        let mut n = rows.n_rows();
        let mut refused = Ok(());
        // A later step may refuse an earlier row: the rows in front of a refused one are run again.
        while let Err(e) = self.attempt(&rows.slice(0..n), block, scratch) {
            n = e.row;
            refused = Err(e);
        }
        refused
    }

    fn attempt(
        &self,
        rows: &Rows<'_>,
        block: &mut Vec<f64>,
        scratch: &mut Scratch,
    ) -> Result<(), Refusal> {
        let mut run = Run {
            n_rows: rows.n_rows(),
            scratch,
        };
        block.clear();
        if self.front.is_empty()
            && let Values::F64(x) = rows.values()
        {
            return self.chain.run_on(x, block, 0, &mut run);
        }
        prepared(rows, &self.front, block, &mut run.scratch.row);
        self.chain.run(&self.chain.stages, block, 0, &mut run)
    }

    /// How many steps it runs, those of branches too.
    pub(crate) fn n_steps(&self) -> usize {
        self.front.len() + self.chain.n_steps()
    }

    pub(crate) fn memory(&self) -> usize {
        self.chain.memory() + self.front.iter().map(step::memory).sum::<usize>()
    }

    /// About how long a row takes.
    pub(crate) fn ns_per_row(&self) -> f64 {
        10.0 * self.front.len() as f64 + self.chain.ns_per_row()
    }
}

impl Chain {
    fn compile(steps: &[Step], n: usize, compiler: &mut Compiler) -> Result<Self, Error> {
        let (mut to, mut widest) = (n, n);
        let mut stages = Vec::with_capacity(steps.len());
        for step in steps {
            let from = to;
            to = step.width(from);
            let op = match step {
                Step::Widen => continue,
                Step::Branches(branches) => Op::Branches(
                    branches
                        .iter()
                        .map(|b| Self::compile(b, from, compiler))
                        .collect::<Result<_, _>>()?,
                ),
                Step::Ensemble(e) => Op::Ensemble(Box::new(compiler.trees(e)?)),
                Step::Linear(l) => Op::Linear(LinearPlan::new(l, compiler.isa)),
                other => match KernelPlan::new(other, compiler.isa) {
                    Some(kernel) => Op::Kernel(Box::new(kernel)),
                    None => Op::Other(other.clone()),
                },
            };
            widest = widest.max(to);
            stages.push(Stage { op, from, to });
        }
        Ok(Self { stages, to, widest })
    }

    /// Runs on rows of `x`, into `row`, which is empty.
    fn run_on(
        &self,
        x: &[f64],
        row: &mut Vec<f64>,
        level: usize,
        run: &mut Run<'_>,
    ) -> Result<(), Refusal> {
        row.reserve(run.n_rows * self.widest);
        let stages = match self.stages.split_first() {
            Some((first, rest)) if !first.is_in_place() => {
                first.run(x, row, level, run)?;
                rest
            }
            _ => {
                row.extend_from_slice(x);
                &self.stages
            }
        };
        self.run(stages, row, level, run)
    }

    /// Runs some of its stages on rows of `x`, in their place. Each level of branches has two
    /// buffers of its own: the next table, and a branch's.
    fn run(
        &self,
        stages: &[Stage],
        x: &mut Vec<f64>,
        level: usize,
        run: &mut Run<'_>,
    ) -> Result<(), Refusal> {
        if stages.iter().all(Stage::is_in_place) {
            stages.iter().for_each(|s| s.change(x));
            return Ok(());
        }
        // Both are as large as either ever is, so that no later run finds the one too small that
        // stands in the other's place.
        let most = run.n_rows * self.widest;
        let mut next = run.take(2 * level);
        next.clear();
        next.reserve(most);
        x.reserve(most.saturating_sub(x.len()));
        for stage in stages {
            if stage.is_in_place() {
                stage.change(x);
            } else {
                next.clear();
                stage.run(x, &mut next, level, run)?;
                mem::swap(x, &mut next);
            }
        }
        run.put(2 * level, next);
        Ok(())
    }

    fn has_trees(&self) -> bool {
        self.stages.iter().any(|s| match &s.op {
            Op::Ensemble(_) => true,
            Op::Branches(chains) => chains.iter().any(Self::has_trees),
            _ => false,
        })
    }

    fn n_steps(&self) -> usize {
        let within = |s: &Stage| match &s.op {
            Op::Branches(chains) => chains.iter().map(Self::n_steps).sum(),
            _ => 1,
        };
        self.stages.iter().map(within).sum()
    }

    fn memory(&self) -> usize {
        let stages = self.stages.iter().map(|s| match &s.op {
            Op::Branches(chains) => chains.iter().map(Self::memory).sum(),
            Op::Ensemble(t) => t.memory(),
            Op::Linear(l) => l.memory(),
            Op::Kernel(k) => k.vectors.memory(),
            Op::Other(step) => step::memory(step),
        });
        size_of_val(&self.stages[..]) + stages.sum::<usize>()
    }

    fn ns_per_row(&self) -> f64 {
        let stages = self.stages.iter().map(|s| match &s.op {
            Op::Branches(chains) => chains.iter().map(Self::ns_per_row).sum(),
            Op::Ensemble(t) => t.ns_per_row,
            Op::Linear(_) => 0.3 * (s.from * s.to) as f64,
            Op::Kernel(_) => (0.3 * s.from as f64 + 10.0) * s.to as f64,
            Op::Other(step) => step::ns_per_row(step, s.from, s.to),
        });
        stages.sum()
    }
}

impl KernelPlan {
    /// `None` where the step is no such kernel.
    fn new(step: &Step, isa: Isa) -> Option<Self> {
        let Step::Kernel(k) = step else { return None };
        let term = match k.function.compared()? {
            Compared::Dot => Term::Product,
            Compared::Squares => Term::Square,
        };
        let n = k.n_features;
        let at = |f: usize, v: usize| k.vectors[v * n + f];
        Some(Self {
            isa,
            vectors: Tiles::new(n, k.n_vectors(), at),
            term,
            function: k.function.clone(),
        })
    }
}

impl Stage {
    fn is_in_place(&self) -> bool {
        matches!(&self.op, Op::Other(step) if step::is_in_place(step))
    }

    /// Changes rows in place.
    fn change(&self, x: &mut [f64]) {
        if let Op::Other(step) = &self.op
            && self.from > 0
        {
            step::change(step, x, self.from);
        }
    }

    /// Appends what becomes of the rows `x` to `out`, which is empty.
    fn run(
        &self,
        x: &[f64],
        out: &mut Vec<f64>,
        level: usize,
        run: &mut Run<'_>,
    ) -> Result<(), Refusal> {
        let n = run.n_rows;
        match &self.op {
            Op::Branches(chains) => {
                out.resize(n * self.to, 0.0);
                let mut row = run.take(2 * level + 1);
                let mut at = 0;
                for chain in chains {
                    row.clear();
                    chain.run_on(x, &mut row, level + 1, run)?;
                    for r in 0..n {
                        out[r * self.to + at..][..chain.to]
                            .copy_from_slice(&row[r * chain.to..][..chain.to]);
                    }
                    at += chain.to;
                }
                run.put(2 * level + 1, row);
            }
            Op::Ensemble(trees) => {
                with_rows(x, n, self.from, |rows| run.ensemble(trees, rows, out));
            }
            Op::Linear(l) => {
                out.resize(n * self.to, 0.0);
                l.block(x, out);
            }
            Op::Kernel(k) => {
                out.resize(n * self.to, 0.0);
                kernel::add_terms_f64(k.isa, &k.vectors, k.term, x, out);
                out.iter_mut().for_each(|v| *v = k.function.of_compared(*v));
            }
            Op::Other(step) => {
                for row in 0..n {
                    let x = &x[row * self.from..][..self.from];
                    step::append(step, x, out).map_err(|why| Refusal { row, why })?;
                }
            }
        }
        Ok(())
    }
}

impl Run<'_> {
    fn take(&mut self, slot: usize) -> Vec<f64> {
        let tables = &mut self.scratch.tables;
        if tables.len() <= slot {
            tables.resize_with(slot + 1, Vec::new);
        }
        mem::take(&mut tables[slot])
    }

    fn put(&mut self, slot: usize, table: Vec<f64>) {
        self.scratch.tables[slot] = table;
    }

    fn ensemble(&mut self, trees: &Trees, rows: &Rows<'_>, out: &mut Vec<f64>) {
        let n = rows.n_rows() * trees.finish.base.len();
        if trees.finish.sum == Sum::F64 {
            out.resize(n, 0.0);
            let out = MarginsMut::F64(out);
            run::ensemble(trees, &[], rows, out, self.scratch);
            return;
        }
        let mut margins = mem::take(&mut self.scratch.margins);
        margins.resize(n, 0.0);
        let narrow = MarginsMut::F32(&mut margins);
        run::ensemble(trees, &[], rows, narrow, self.scratch);
        out.extend(margins.iter().map(|&m| f64::from(m)));
        self.scratch.margins = margins;
    }
}

/// `n` rows of `width` values, at most a block of them. Rows of nothing, which trees without splits
/// can stand behind, get a value that nobody looks at, so that they can be counted.
pub(crate) fn with_rows<T>(x: &[f64], n: usize, width: usize, f: impl FnOnce(&Rows<'_>) -> T) -> T {
    const NOTHING: [f64; ROWS] = [0.0; ROWS];
    let (x, width) = match width {
        0 => (&NOTHING[..n], 1),
        _ => (&x[..n * width], width),
    };
    f(&Rows::f64(x, width).expect("a whole number of rows"))
}
