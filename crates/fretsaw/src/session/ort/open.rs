//! One ONNX model, opened and run by ONNX Runtime.
//!
//! Takes models of one input, rows x features, or of an input a feature, and gives the columns of the
//! last output that holds floats. Networks with inputs of other ranks are refused by name.

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use ::ort::session::builder::{AutoDevicePolicy, SessionBuilder};
use ::ort::session::{HasSelectedOutputs, OutputSelector, RunOptions, Session};
use ::ort::value::{TensorElementType, ValueType};
use fretsaw_model::{Labels, Model, Rows};
use fretsaw_onnx::{FEATURES, features_in};

use super::input::{Input, Scratch};
use super::signature::Answers;
use super::{Provider, Runtime, failed, unopened, unsupported};
use crate::session::{Buffer, Predictions, SessionInfo, Want};
use crate::{Error, ErrorKind, Result};

/// How a model is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Threads that one operator may use, the caller's among them; 0 is taken as 1. Operators run
    /// one after another.
    pub threads: usize,
    /// Where it is to run.
    pub provider: Provider,
    /// Whether idle threads spin for a while before they sleep. ONNX Runtime's own default is yes,
    /// which is faster under steady load and wastes processors otherwise.
    pub spinning: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: 1,
            provider: Provider::Cpu,
            spinning: false,
        }
    }
}

/// A model opened by ONNX Runtime.
pub struct OrtSession {
    session: Session,
    info: SessionInfo,
    memory: Option<usize>,
    input: Input,
    answers: Answers,
    /// Columns of the answers, as declared or as last seen.
    n_columns: Option<usize>,
    labels: Option<LabelOutput>,
    /// Asks for the answers only: what only the labels need is not computed.
    select: RunOptions<HasSelectedOutputs>,
    scratch: Scratch,
    /// Where the label is the answer: the classes' names, none where they are their numbers.
    classes: Option<Vec<i64>>,
}

struct LabelOutput {
    strings: bool,
    /// Asks for the answers, then the labels.
    select: RunOptions<HasSelectedOutputs>,
}

impl OrtSession {
    /// Opens the model in `bytes` (an ONNX file; tensors kept in other files are not found).
    ///
    /// # Errors
    /// When the file is broken, or needs what ONNX Runtime or this session cannot do (named), or
    /// the provider cannot be used.
    pub fn open(runtime: &Runtime, bytes: &[u8], options: &Options) -> Result<Self> {
        Self::commit(runtime, options, |b| b.commit_from_memory(bytes))
    }

    /// Opens the model file at `path`, and the tensors kept beside it.
    ///
    /// # Errors
    /// As [`OrtSession::open`], and when the file cannot be read.
    pub fn open_file(runtime: &Runtime, path: &Path, options: &Options) -> Result<Self> {
        fs::metadata(path).map_err(|e| Error::io("cannot read", path, e))?;
        Self::commit(runtime, options, |b| b.commit_from_file(path)).map_err(|e| e.in_file(path))
    }

    fn commit(
        runtime: &Runtime,
        options: &Options,
        commit: impl Fn(&mut SessionBuilder) -> ::ort::Result<Session>,
    ) -> Result<Self> {
        let before = resident_bytes();
        let (session, actual_provider) = if options.provider == Provider::Cpu {
            (
                create(runtime, options, false, &commit)?,
                Provider::Cpu.name().to_owned(),
            )
        } else {
            // A provider that cannot take a node leaves it to the CPU without a word; asked to fail
            // then, it shows whether it took them all.
            let name = options.provider.name();
            match create(runtime, options, true, &commit) {
                Ok(session) => (session, name.to_owned()),
                Err(_) => (
                    create(runtime, options, false, &commit)?,
                    format!("{name} with CPU"),
                ),
            }
        };
        let memory = before
            .zip(resident_bytes())
            .map(|(before, after)| after.saturating_sub(before));

        let features = session.metadata().map_err(failed)?.custom(FEATURES);
        let features = features.as_deref().and_then(features_in);
        let input = Input::of(session.inputs(), features)?;
        let (name, answers, n_columns) = Answers::of(session.outputs())?;
        let labels = session.outputs().iter().find_map(|output| {
            let strings = match output.dtype() {
                ValueType::Tensor {
                    ty: TensorElementType::Int64,
                    ..
                } => false,
                ValueType::Tensor {
                    ty: TensorElementType::String,
                    ..
                } => true,
                _ => return None,
            };
            Some((output.name().to_owned(), strings))
        });
        let labels = match labels {
            Some((label, strings)) => Some(LabelOutput {
                strings,
                select: select(&[&name, &label])?,
            }),
            None => None,
        };
        let info = SessionInfo {
            backend: "ort".into(),
            backend_version: runtime.version().into(),
            requested_provider: options.provider.name().into(),
            actual_provider,
            threads: options.threads.max(1),
        };
        Ok(Self {
            select: select(&[&name])?,
            session,
            info,
            memory,
            input,
            answers,
            n_columns,
            labels,
            classes: None,
            scratch: Scratch::default(),
        })
    }

    /// Makes the session answer as `model` does, which its file was written from: where that is a
    /// class with scores beside it, the file's label is the answer, as the number of its class.
    pub fn answering_as(mut self, model: &Model) -> Self {
        if model.answers_class_with_scores() {
            self.classes = Some(match &model.labels {
                Some(Labels::Ints(names)) => names.clone(),
                _ => Vec::new(),
            });
        }
        self
    }

    /// Whether the model also gives a label for every row.
    pub fn has_labels(&self) -> bool {
        self.labels.is_some()
    }

    /// The features of a row, where the file tells.
    pub fn n_features(&self) -> Option<usize> {
        self.input.n_features()
    }

    /// Runs all `rows`, replaces what `out` held by the answers, and gives each row's label.
    ///
    /// # Errors
    /// As [`run`](crate::session::Session::run), and when the model gives no labels.
    pub fn run_with_labels(&mut self, rows: &Rows<'_>, out: &mut Predictions) -> Result<Labels> {
        let Some(output) = &self.labels else {
            return Err(unsupported(
                "the model has no output of labels (int64 or string)",
            ));
        };
        let none = match output.strings {
            true => Labels::Strings(Vec::new()),
            false => Labels::Ints(Vec::new()),
        };
        Ok(self.call(rows, true, out)?.unwrap_or(none))
    }

    /// The labels are `None` where they are not asked for, and for no rows.
    fn call(
        &mut self,
        rows: &Rows<'_>,
        labelled: bool,
        out: &mut Predictions,
    ) -> Result<Option<Labels>> {
        let n_rows = rows.n_rows();
        self.input.check(rows)?;
        if n_rows == 0 {
            out.n_columns = self.n_columns.unwrap_or(0);
            self.answers.clear(out);
            return Ok(None);
        }
        let inputs = self.input.values(rows, &mut self.scratch)?;
        let labels = self.labels.as_ref().filter(|_| labelled);
        let select = labels.map_or(&self.select, |l| &l.select);
        let outputs = self
            .session
            .run_with_options(&inputs[..], select)
            .map_err(failed)?;
        let mut values = outputs.values();
        let mut next = || {
            values
                .next()
                .ok_or_else(|| Error::new(ErrorKind::Backend, "ONNX Runtime gave no output"))
        };

        let n_columns = self.answers.read(&*next()?, n_rows, out)?;
        self.n_columns = Some(n_columns);
        let Some(labels) = labels else {
            return Ok(None);
        };
        let value = next()?;
        let found = if labels.strings {
            Labels::Strings(value.try_extract_strings().map_err(failed)?.1)
        } else {
            Labels::Ints(
                value
                    .try_extract_tensor::<i64>()
                    .map_err(failed)?
                    .1
                    .to_vec(),
            )
        };
        if found.len() != n_rows {
            return Err(Error::new(
                ErrorKind::Model,
                format!("the model gave {} labels for {n_rows} rows", found.len()),
            ));
        }
        Ok(Some(found))
    }
}

impl crate::session::Session for OrtSession {
    fn info(&self) -> &SessionInfo {
        &self.info
    }

    /// By how much the process's resident memory grew while the model was opened: what ONNX Runtime
    /// keeps of it, whatever another thread allocated meanwhile, and no less than 0. Unknown
    /// outside Linux.
    fn memory(&self) -> Option<usize> {
        self.memory
    }

    /// Rows in double precision are rounded to single where the model takes single.
    fn run(&mut self, rows: &Rows<'_>, want: Want, out: &mut Predictions) -> Result<()> {
        if want == Want::Margins {
            return Err(unsupported(
                "an ONNX file gives answers, not margins; run it natively for those",
            ));
        }
        let Some(names) = &self.classes else {
            return self.call(rows, false, out).map(drop);
        };
        let names = names.clone();
        let found = self.run_with_labels(rows, out)?;
        let place = |name: i64| match names.is_empty() {
            true => Some(name as f64),
            false => names.iter().position(|&n| n == name).map(|i| i as f64),
        };
        let classes = match found {
            Labels::Ints(found) => found.into_iter().map(place).collect::<Option<Vec<f64>>>(),
            Labels::Strings(_) => None,
        };
        let classes =
            classes.ok_or_else(|| unsupported("a label that is no class of the model"))?;
        out.n_columns = 1;
        out.values = Buffer::F64(classes);
        Ok(())
    }
}

fn create(
    runtime: &Runtime,
    options: &Options,
    whole: bool,
    commit: impl Fn(&mut SessionBuilder) -> ::ort::Result<Session>,
) -> Result<Session> {
    let threads = options.threads.max(1);
    let prepare = || -> ::ort::Result<SessionBuilder> {
        let builder = Session::builder(runtime.environment())?
            .with_intra_threads(threads)?
            .with_inter_threads(1)?
            .with_parallel_execution(false)?
            .with_intra_op_spinning(options.spinning)?
            .with_log_level(::ort::logging::LogLevel::Fatal)?
            // Else the binding lets ONNX Runtime prefer an NPU by itself.
            .with_auto_device(AutoDevicePolicy::PreferCPU)?;
        Ok(if whole {
            builder.with_disable_cpu_fallback()?
        } else {
            builder
        })
    };
    let provider = options.provider;
    let mut builder = provider
        .register(runtime, prepare().map_err(failed)?)
        .map_err(|why| {
            Error::new(
                ErrorKind::Backend,
                format!("the provider {provider} cannot be used: {why}"),
            )
        })?;
    // The binding panics on types of inputs and outputs that it does not know.
    panic::catch_unwind(AssertUnwindSafe(|| commit(&mut builder)))
        .map_err(|_| unsupported("the model has an input or output of an unknown type"))?
        .map_err(unopened)
}

fn select(names: &[&str]) -> Result<RunOptions<HasSelectedOutputs>> {
    let selector = names
        .iter()
        .fold(OutputSelector::no_default(), |s, &name| s.with(name));
    Ok(RunOptions::new().map_err(failed)?.with_outputs(selector))
}

/// The process's resident memory.
fn resident_bytes() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}
