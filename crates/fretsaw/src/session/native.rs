//! Our own engine as a backend.

use fretsaw_engine::{Isa, MarginsMut, Options, Plan, Scratch, Strategy, Summary};
use fretsaw_model::{Draft, Float, Model, Rows, answers_f32, answers_f64};

use super::tune::Tuned;
use super::{Buffer, Predictions, Session, SessionInfo, Want};
use crate::{Error, ErrorKind, Result};

/// A model compiled to a plan.
pub struct Native {
    /// The model's link; the plan holds the rest.
    head: Draft,
    pub(super) plan: Plan,
    /// What was measured of the plan, if anything was.
    pub(super) tuned: Option<Tuned>,
    scratch: Vec<Scratch>,
    f32s: Vec<f32>,
    f64s: Vec<f64>,
    info: SessionInfo,
}

impl Native {
    /// Compiles `model` for at most `threads` threads a run (at least 1).
    ///
    /// # Errors
    /// When the engine cannot run the model.
    pub fn new(model: &Model, threads: usize) -> Result<Self> {
        Self::with_options(model, threads, &engine_options()?)
    }

    /// The same with options of one's own.
    ///
    /// # Errors
    /// When the engine cannot run the model.
    pub fn with_options(model: &Model, threads: usize, options: &Options) -> Result<Self> {
        let plan = Plan::compile(model, options).map_err(backend)?;
        let threads = threads.max(1);
        let scratch = (0..threads).map(|_| plan.scratch()).collect();
        Ok(Self {
            info: info(threads),
            head: model.head(),
            plan,
            tuned: None,
            scratch,
            f32s: Vec::new(),
            f64s: Vec::new(),
        })
    }

    /// What the plan is like.
    pub fn summary(&self) -> Summary {
        self.plan.summary()
    }
}

/// The engine's options: its own choice of instruction set, unless `FRETSAW_ISA` names another that
/// this processor has.
///
/// # Errors
/// When `FRETSAW_ISA` names none, or one that this processor lacks.
pub fn engine_options() -> Result<Options> {
    let Ok(name) = std::env::var("FRETSAW_ISA") else {
        return Ok(Options::default());
    };
    match Isa::parse(&name).filter(|isa| Isa::available().contains(isa)) {
        Some(isa) => Ok(Options::new(Some(isa), Strategy::default())),
        None => {
            let available: Vec<&str> = Isa::available().into_iter().map(Isa::name).collect();
            Err(Error::new(
                ErrorKind::Config,
                format!(
                    "FRETSAW_ISA={name}: this processor has {}",
                    available.join(", ")
                ),
            ))
        }
    }
}

fn info(threads: usize) -> SessionInfo {
    SessionInfo {
        backend: "native".into(),
        backend_version: env!("CARGO_PKG_VERSION").into(),
        requested_provider: "CPU".into(),
        actual_provider: "CPU".into(),
        threads,
    }
}

pub(super) fn backend(e: fretsaw_engine::Error) -> Error {
    let kind = match e.kind() {
        fretsaw_engine::ErrorKind::Row => ErrorKind::Data,
        _ => ErrorKind::Backend,
    };
    Error::new(kind, e.message()).in_row(e.row()).with_source(e)
}

impl Session for Native {
    fn info(&self) -> &SessionInfo {
        &self.info
    }

    fn memory(&self) -> Option<usize> {
        Some(self.plan.memory())
    }

    fn run(&mut self, rows: &Rows<'_>, want: Want, out: &mut Predictions) -> Result<()> {
        let Self {
            head,
            plan,
            scratch,
            f32s,
            f64s,
            ..
        } = self;
        let n = rows.n_rows() * plan.n_outputs();
        let n_margins = head.body.n_margins();
        // What the body gives is the margins, but for what a row of values has behind them.
        let direct = want == Want::Margins && n_margins == plan.n_outputs();
        match plan.margin() {
            Float::F32 => {
                let values = out.f32s();
                let margins = if direct { &mut *values } else { &mut *f32s };
                margins.resize(n, 0.0);
                plan.margins_threads(rows, MarginsMut::F32(margins), scratch)
                    .map_err(backend)?;
                match want {
                    Want::Answers => answers_f32(head, f32s, values),
                    Want::Margins if direct => {}
                    Want::Margins => seen(f32s, plan.n_outputs(), n_margins, values),
                }
            }
            Float::F64 => {
                let values = out.f64s();
                let margins = if direct { &mut *values } else { &mut *f64s };
                margins.resize(n, 0.0);
                plan.margins_threads(rows, MarginsMut::F64(margins), scratch)
                    .map_err(backend)?;
                match want {
                    Want::Answers => answers_f64(head, f64s, values),
                    Want::Margins if direct => {}
                    Want::Margins => seen(f64s, plan.n_outputs(), n_margins, values),
                }
            }
        }
        out.n_columns = match want {
            Want::Answers => head.n_columns(),
            Want::Margins => n_margins,
        };
        Ok(())
    }
}

/// The first `n_margins` of each row of `n_outputs` values.
fn seen<T: Copy>(rows: &[T], n_outputs: usize, n_margins: usize, out: &mut Vec<T>) {
    out.clear();
    out.extend(
        rows.chunks_exact(n_outputs)
            .flat_map(|row| &row[..n_margins]),
    );
}

impl Predictions {
    /// The values as f32, empty or as they were.
    fn f32s(&mut self) -> &mut Vec<f32> {
        if matches!(self.values, Buffer::F64(_)) {
            self.values = Buffer::F32(Vec::new());
        }
        match &mut self.values {
            Buffer::F32(v) => v,
            Buffer::F64(_) => unreachable!("set above"),
        }
    }

    fn f64s(&mut self) -> &mut Vec<f64> {
        if matches!(self.values, Buffer::F32(_)) {
            self.values = Buffer::F64(Vec::new());
        }
        match &mut self.values {
            Buffer::F64(v) => v,
            Buffer::F32(_) => unreachable!("set above"),
        }
    }
}

/// The baseline where there is no ONNX Runtime: the exact model walked one row at a time.
pub struct Baseline(Native);

impl Baseline {
    /// Compiles `model`; it runs on the caller's thread.
    ///
    /// # Errors
    /// When the engine cannot run the model.
    pub fn new(model: &Model) -> Result<Self> {
        let options = Options {
            strategy: Strategy::PlainWalk,
            ..engine_options()?
        };
        let mut native = Native::with_options(model, 1, &options)?;
        native.info.backend = "native one-row walk".into();
        Ok(Self(native))
    }
}

impl Session for Baseline {
    fn info(&self) -> &SessionInfo {
        self.0.info()
    }

    fn memory(&self) -> Option<usize> {
        self.0.memory()
    }

    fn run(&mut self, rows: &Rows<'_>, want: Want, out: &mut Predictions) -> Result<()> {
        self.0.run(rows, want, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fretsaw_model::{body_rows, margins, predict, random};

    fn assert_same(got: &[f64], want: &[f64], what: &str) {
        assert_eq!(got.len(), want.len(), "{what}");
        let same = |(g, w): (&f64, &f64)| g.to_bits() == w.to_bits() || (g.is_nan() && w.is_nan());
        assert!(got.iter().zip(want).all(same), "{what}: {got:?} {want:?}");
    }

    /// Pipelines of every kind answer as the reference does, and refuse the rows that it refuses.
    #[test]
    fn composite_models() {
        let mut fewer = 0;
        let mut out = Predictions::new(Float::F32, 1);
        for seed in 0..200 {
            let model = random::composite(seed);
            let mut session = Native::new(&model, 2).unwrap();
            let values = random::composite_rows(seed, &model, 40);
            let rows = Rows::f64(&values, model.features.len()).unwrap();
            fewer += usize::from(model.body.n_margins() < model.body.n_outputs());
            for want in [Want::Answers, Want::Margins] {
                let (expected, n_columns) = match want {
                    Want::Answers => (predict(&model, &rows), model.n_columns()),
                    Want::Margins => (margins(&model, &rows), model.body.n_margins()),
                };
                match (session.run(&rows, want, &mut out), expected) {
                    (Ok(()), Ok(expected)) => {
                        assert_same(&out.to_f64(), &expected, &format!("seed {seed} {want:?}"));
                        assert_eq!(out.n_columns, n_columns);
                    }
                    (Err(got), Err(expected)) => {
                        assert_eq!(got.to_string(), expected.to_string());
                        assert_eq!(got.kind(), ErrorKind::Data);
                        let behind = got.after_rows(1000).to_string();
                        let row = expected.row().unwrap() + 1000;
                        assert!(behind.starts_with(&format!("row {row}: ")), "{behind}");
                    }
                    (got, expected) => panic!("seed {seed}: {got:?}, not {expected:?}"),
                }
            }
            let mut baseline = Baseline::new(&model).unwrap();
            if body_rows(&model, &rows).is_ok() {
                baseline.run(&rows, Want::Answers, &mut out).unwrap();
                let expected = predict(&model, &rows).unwrap();
                assert_same(&out.to_f64(), &expected, &format!("seed {seed}, baseline"));
            }
        }
        assert!(fewer > 5, "{fewer} with values that are no margins");
    }
}
