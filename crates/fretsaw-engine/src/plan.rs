//! Compiling a model into a plan, and the plan's public face.

use std::fmt;

use fretsaw_model::{Body, Float, HASHES_IN_F32, Model, Rows, Step, Sum};

use crate::block::{ROWS, Value};
use crate::error::{Error, ErrorKind};
use crate::isa::Isa;
use crate::linear::LinearPlan;
use crate::parts::Parts;
use crate::program::{Program, Refusal, with_rows};
use crate::run;
use crate::scratch::Scratch;
use crate::summary::{Group, Summary};
use crate::trees::{Compiler, Trees};

/// How trees are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// What the cost model expects to be fastest, tree by tree and batch by batch.
    #[default]
    Auto,
    /// Every tree that can be is sliced, and always in blocks.
    BitSliced,
    /// Every tree is walked.
    Walk,
    /// The plainest walk, row by row and one tree after the other: the engine's own baseline for
    /// speed-ups, where no other runtime is at hand.
    PlainWalk,
}

/// What a plan is compiled for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The instruction set; `None`: the best that this processor has.
    pub isa: Option<Isa>,
    /// How trees are run.
    pub strategy: Strategy,
    /// How trees are run in whole blocks, where `strategy` leaves it open: for a caller who has
    /// measured it.
    pub blocks: Strategy,
}

impl Options {
    /// Options for one instruction set and strategy.
    pub fn new(isa: Option<Isa>, strategy: Strategy) -> Self {
        Self {
            isa,
            strategy,
            blocks: Strategy::Auto,
        }
    }
}

/// Where margins are written: `n_rows` x `n_outputs`, row-major, of the plan's
/// [`margin`](Plan::margin).
#[derive(Debug)]
pub enum MarginsMut<'a> {
    /// Single precision.
    F32(&'a mut [f32]),
    /// Double precision.
    F64(&'a mut [f64]),
}

impl<'a> MarginsMut<'a> {
    fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::F64(v) => v.len(),
        }
    }

    pub(crate) fn split_at(self, at: usize) -> (Self, Self) {
        match self {
            Self::F32(v) => {
                let (a, b) = v.split_at_mut(at);
                (Self::F32(a), Self::F32(b))
            }
            Self::F64(v) => {
                let (a, b) = v.split_at_mut(at);
                (Self::F64(a), Self::F64(b))
            }
        }
    }
}

/// A model compiled for one instruction set. Immutable; threads share it, each with a [`Scratch`]
/// of its own.
pub struct Plan {
    pub(crate) n_features: usize,
    /// Whether rows hold hashes, which f32 cannot.
    pub(crate) double_rows: bool,
    pub(crate) n_outputs: usize,
    pub(crate) margin: Float,
    pub(crate) front: Front,
    pub(crate) body: PlanBody,
    pub(crate) isa: Isa,
    pub(crate) groups: Vec<Group>,
    pub(crate) n_leaves: usize,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Plan").field(&self.summary()).finish()
    }
}

/// What stands in front of the body.
pub(crate) enum Front {
    /// Steps that the body applies to each row as it takes it in, in the rows' own precision.
    Steps(Vec<Step>),
    /// Steps of any kind; the body gets what they leave, in f64.
    Program(Program),
}

pub(crate) enum PlanBody {
    Trees(Box<Trees>),
    LinearF32(LinearPlan<f32>),
    LinearF64(LinearPlan<f64>),
    /// What the program leaves.
    Row,
}

/// Time a thread must save to be worth starting.
const THREAD_NS: f64 = 200_000.0;

impl Plan {
    /// Compiles `model`: its steps and its body, not its link.
    ///
    /// # Errors
    /// When this processor lacks the instruction set, or the ensemble has more nodes than can be
    /// numbered.
    pub fn compile(model: &Model, options: &Options) -> Result<Self, Error> {
        let isa = options.isa.unwrap_or_else(Isa::detect);
        if !isa.is_available() {
            return Err(Error::new(
                ErrorKind::Isa,
                format!("this processor has no {isa}; leave the choice open or take `portable`"),
            ));
        }
        let mut compiler = Compiler {
            isa,
            strategy: options.strategy,
            blocks: options.blocks,
            groups: Vec::new(),
            n_leaves: 0,
        };
        let simple = |s: &Step| s.keeps_precision() || *s == Step::Widen;
        let is_row = matches!(model.body, Body::Row { .. });
        let front = if !is_row && model.steps.iter().all(simple) {
            Front::Steps(model.steps.clone())
        } else {
            let n_features = model.features.len();
            Front::Program(Program::compile(&model.steps, n_features, &mut compiler)?)
        };
        let body = match &model.body {
            Body::Ensemble(e) => PlanBody::Trees(Box::new(compiler.trees(e)?)),
            Body::Linear(l) if l.sum == Float::F32 => PlanBody::LinearF32(LinearPlan::new(l, isa)),
            Body::Linear(l) => PlanBody::LinearF64(LinearPlan::new(l, isa)),
            Body::Row { .. } => PlanBody::Row,
            _ => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "a body that the engine does not know; run it by another backend",
                ));
            }
        };
        Ok(Self {
            n_features: model.features.len(),
            double_rows: model.needs_double_rows(),
            n_outputs: model.body.n_outputs(),
            margin: model.body.margin(),
            front,
            body,
            isa,
            groups: compiler.groups,
            n_leaves: compiler.n_leaves,
        })
    }

    /// The precision of the margins.
    pub fn margin(&self) -> Float {
        self.margin
    }

    /// Takes fewer than `n_rows` rows one by one instead of as a block, for a caller who has measured
    /// what pays; 0: never, `usize::MAX`: always. Results do not depend on it. A plan whose body has
    /// no trees has nothing to choose.
    pub fn set_crossing(&mut self, n_rows: usize) {
        if let PlanBody::Trees(t) = &mut self.body {
            t.crossing = n_rows;
        }
    }

    /// Features a row.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// What the link sees of a row: its margins, and where the body is no model of its own
    /// ([`Body::Row`]) what it has besides.
    pub fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    /// Working memory for one thread.
    pub fn scratch(&self) -> Scratch {
        Scratch::default()
    }

    /// The margins of `rows`, [`n_outputs`](Plan::n_outputs) each: `fretsaw_model::body_rows`.
    /// Nothing is allocated after the first call of a shape, but by steps that are slow anyway
    /// (neighbours, medians, pairwise coupling).
    ///
    /// # Errors
    /// When the rows or the output do not fit the plan, or the model refuses a row: the first one.
    pub fn margins(
        &self,
        rows: &Rows<'_>,
        out: MarginsMut<'_>,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        self.check(rows, &out)?;
        Ok(self.run(rows, out, scratch)?)
    }

    /// The same over threads, one a scratch: whole blocks at a time, so that results do not depend on
    /// how many there are. Batches too small to pay for a thread stay on the caller's.
    ///
    /// # Errors
    /// As [`margins`](Plan::margins), or when there is no scratch.
    pub fn margins_threads(
        &self,
        rows: &Rows<'_>,
        out: MarginsMut<'_>,
        scratches: &mut [Scratch],
    ) -> Result<(), Error> {
        self.check(rows, &out)?;
        let n_blocks = rows.n_rows().div_ceil(ROWS);
        let work = rows.n_rows() as f64 * self.ns_per_row();
        let n_threads = scratches
            .len()
            .min(n_blocks)
            .min((work / THREAD_NS) as usize + 1);
        let Some((own, others)) = scratches.split_first_mut() else {
            return Err(Error::shape("no scratch; give one a thread"));
        };
        if n_threads <= 1 {
            return Ok(self.run(rows, out, own)?);
        }
        let parts = Parts::new(rows.n_rows(), self.n_outputs, out, n_threads);
        let work = |scratch: &mut Scratch| {
            while let Some((range, out)) = parts.next() {
                let first = range.start;
                self.run(&rows.slice(range), out, scratch)
                    .map_err(|refusal| {
                        parts.stop();
                        refusal.after(first)
                    })?;
            }
            Ok(())
        };
        let results: Vec<Result<(), Refusal>> = std::thread::scope(|scope| {
            let work = &work;
            let threads: Vec<_> = others[..n_threads - 1]
                .iter_mut()
                .map(|scratch| scope.spawn(move || work(scratch)))
                .collect();
            let own = work(own);
            let joined = threads.into_iter().map(|thread| match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            std::iter::once(own).chain(joined).collect()
        });
        // Parts are handed out in order, so that the first row refused is among these.
        match results
            .into_iter()
            .filter_map(Result::err)
            .min_by_key(Refusal::row)
        {
            Some(refusal) => Err(refusal.into()),
            None => Ok(()),
        }
    }

    /// Bytes that the plan holds.
    pub fn memory(&self) -> usize {
        let front = match &self.front {
            Front::Steps(_) => 0,
            Front::Program(p) => p.memory(),
        };
        let body = match &self.body {
            PlanBody::Trees(t) => t.memory(),
            PlanBody::LinearF32(l) => l.memory(),
            PlanBody::LinearF64(l) => l.memory(),
            PlanBody::Row => 0,
        };
        size_of::<Self>() + front + body
    }

    /// What the plan is made of.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary {
            isa: self.isa,
            n_steps: match &self.front {
                Front::Steps(_) => 0,
                Front::Program(p) => p.n_steps(),
            },
            groups: self.groups.clone(),
            n_predicates: 0,
            n_leaves: self.n_leaves,
            n_operations: 0,
            leaf_type: match self.margin {
                Float::F32 => "f32",
                Float::F64 => "f64",
            },
            block_rows: ROWS,
            crossing_rows: 0,
            memory: self.memory(),
        };
        if let PlanBody::Trees(t) = &self.body {
            summary.n_predicates = t.table.predicates.len();
            summary.n_operations = t.routes.n_operations();
            summary.crossing_rows = t.crossing;
            if t.finish.sum == Sum::I32 {
                summary.leaf_type = "i32";
            }
        }
        summary
    }

    fn ns_per_row(&self) -> f64 {
        let body = match &self.body {
            PlanBody::Trees(t) => t.ns_per_row,
            PlanBody::Row => 0.0,
            _ => 0.3 * (self.width() * self.n_outputs) as f64,
        };
        match &self.front {
            Front::Steps(_) => body,
            Front::Program(p) => p.ns_per_row() + body,
        }
    }

    /// About how many values a row has behind the steps.
    fn width(&self) -> usize {
        match &self.front {
            Front::Steps(_) => self.n_features,
            Front::Program(p) => p.width(),
        }
    }

    fn check(&self, rows: &Rows<'_>, out: &MarginsMut<'_>) -> Result<(), Error> {
        if rows.n_features() != self.n_features {
            return Err(Error::shape(format!(
                "the rows have {} features, the plan has {}",
                rows.n_features(),
                self.n_features
            )));
        }
        if self.double_rows && rows.float() == Float::F32 {
            return Err(Error::shape(HASHES_IN_F32));
        }
        let want = rows.n_rows().checked_mul(self.n_outputs);
        if want != Some(out.len()) {
            return Err(Error::shape(format!(
                "{} margins for {} rows of {} outputs",
                out.len(),
                rows.n_rows(),
                self.n_outputs
            )));
        }
        match (self.margin, out) {
            (Float::F32, MarginsMut::F32(_)) | (Float::F64, MarginsMut::F64(_)) => Ok(()),
            (Float::F32, _) => Err(Error::shape("the plan gives f32 margins, not f64")),
            (Float::F64, _) => Err(Error::shape("the plan gives f64 margins, not f32")),
        }
    }

    fn run(&self, rows: &Rows<'_>, out: MarginsMut<'_>, s: &mut Scratch) -> Result<(), Refusal> {
        let program = match &self.front {
            Front::Steps(steps) => {
                self.run_steps(steps, rows, out, s);
                return Ok(());
            }
            Front::Program(program) => program,
        };
        let mut block = std::mem::take(&mut s.block);
        let mut rest = out;
        for at in (0..rows.n_rows()).step_by(program.block_rows()) {
            let n = program.block_rows().min(rows.n_rows() - at);
            let (out, after) = rest.split_at(n * self.n_outputs);
            rest = after;
            program
                .run(&rows.slice(at..at + n), &mut block, s)
                .map_err(|refusal| refusal.after(at))?;
            self.run_body(&block, n, out, s);
        }
        s.block = block;
        Ok(())
    }

    /// Steps that keep their precision, and the body.
    fn run_steps(&self, steps: &[Step], rows: &Rows<'_>, out: MarginsMut<'_>, s: &mut Scratch) {
        match (&self.body, out) {
            (PlanBody::Trees(t), out) => run::ensemble(t, steps, rows, out, s),
            (PlanBody::LinearF32(l), MarginsMut::F32(out)) => {
                l.margins(rows, steps, out, &mut s.narrow, &mut s.row);
            }
            (PlanBody::LinearF64(l), MarginsMut::F64(out)) => {
                l.margins(rows, steps, out, &mut s.wide, &mut s.row);
            }
            _ => unreachable!("`check` compared the precisions"),
        }
    }

    /// The body behind a program that has left `n` rows in `x`.
    fn run_body(&self, x: &[f64], n: usize, out: MarginsMut<'_>, s: &mut Scratch) {
        match (&self.body, out) {
            (PlanBody::Trees(t), out) => with_rows(x, n, self.width(), |rows| {
                run::ensemble(t, &[], rows, out, s);
            }),
            (PlanBody::LinearF32(l), MarginsMut::F32(out)) => {
                let narrow = &mut s.narrow.prepared;
                narrow.clear();
                narrow.extend(x.iter().map(|&x| f32::narrow(x)));
                l.block(narrow, out);
            }
            (PlanBody::LinearF64(l), MarginsMut::F64(out)) => l.block(x, out),
            (PlanBody::Row, MarginsMut::F64(out)) => out.copy_from_slice(x),
            _ => unreachable!("`check` compared the precisions"),
        }
    }
}
