//! Our own engine as a backend.

use fretsaw_engine::{Isa, MarginsMut, Options, Plan, Scratch, Strategy, Summary};
use fretsaw_model::{Float, Model, Rows, answers_f32, answers_f64};

use super::{Buffer, Predictions, Session, SessionInfo, Want};
use crate::{Error, ErrorKind, Result};

/// A model compiled to a plan.
pub struct Native {
    model: Model,
    plan: Plan,
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
        let mut model = model.clone().into_draft();
        // The plan holds the trees; the model is kept for its link.
        if let fretsaw_model::Body::Ensemble(e) = &mut model.body {
            e.trees = Vec::new();
        }
        let model = model.build()?;
        Ok(Self {
            info: info(threads),
            model,
            plan,
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

fn backend(e: fretsaw_engine::Error) -> Error {
    Error::new(ErrorKind::Backend, e.to_string()).with_source(e)
}

impl Session for Native {
    fn info(&self) -> &SessionInfo {
        &self.info
    }

    fn memory(&self) -> Option<usize> {
        Some(self.plan.memory())
    }

    fn run(&mut self, rows: &Rows<'_>, want: Want, out: &mut Predictions) -> Result<()> {
        let n = rows.n_rows() * self.plan.n_outputs();
        let scratch = &mut self.scratch[..];
        match self.plan.margin() {
            Float::F32 => {
                let values = out.f32s();
                let margins = if want == Want::Margins {
                    &mut *values
                } else {
                    &mut self.f32s
                };
                margins.resize(n, 0.0);
                self.plan
                    .margins_threads(rows, MarginsMut::F32(margins), scratch)
                    .map_err(backend)?;
                if want == Want::Answers {
                    answers_f32(&self.model, &self.f32s, values);
                }
            }
            Float::F64 => {
                let values = out.f64s();
                let margins = if want == Want::Margins {
                    &mut *values
                } else {
                    &mut self.f64s
                };
                margins.resize(n, 0.0);
                self.plan
                    .margins_threads(rows, MarginsMut::F64(margins), scratch)
                    .map_err(backend)?;
                if want == Want::Answers {
                    answers_f64(&self.model, &self.f64s, values);
                }
            }
        }
        out.n_columns = match want {
            Want::Answers => self.model.n_columns(),
            Want::Margins => self.plan.n_outputs(),
        };
        Ok(())
    }
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
        let mut native = Native::new(model, 1)?;
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
        let Native {
            model,
            plan,
            scratch,
            f32s,
            f64s,
            ..
        } = &mut self.0;
        if want == Want::Margins {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the baseline gives answers only",
            ));
        }
        let n = rows.n_rows() * plan.n_outputs();
        match plan.margin() {
            Float::F32 => {
                f32s.resize(n, 0.0);
                plan.walk_margins(rows, MarginsMut::F32(f32s), &mut scratch[0])
                    .map_err(backend)?;
                answers_f32(model, f32s, out.f32s());
            }
            Float::F64 => {
                f64s.resize(n, 0.0);
                plan.walk_margins(rows, MarginsMut::F64(f64s), &mut scratch[0])
                    .map_err(backend)?;
                answers_f64(model, f64s, out.f64s());
            }
        }
        out.n_columns = model.n_columns();
        Ok(())
    }
}
