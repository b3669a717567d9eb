//! Making one variant: the first of its forms that keeps the budget, verified, with its files.

use std::time::Instant;

use fretsaw_model::{Float, Model, Rows, predict};

use super::choose::Choice;
use super::verify::{Truth, compare};
use super::{File, Options};
use crate::measure::Latency;
use crate::report::{ErrorFacts, Fallback, MetricFacts, RuntimeCheck, Speedup, VariantReport};
use crate::session::ort::{Options as OrtOptions, OrtSession, Runtime};
use crate::session::{Native, Predictions, Session, Want};
use crate::variant::{self, Bound, Calibration, Changes, Form, Recipe};
use crate::{Error, ErrorKind, Result, onnx};

/// Rows that the engine is held against the reference predictor on, at most, for each variant.
const REFERENCE_ROWS: usize = 2_000;

/// Rows that a file is run on in ONNX Runtime, at most.
const RUNTIME_ROWS: usize = 20_000;

/// A recipe carried out, or why it could not be.
pub(super) struct Built {
    pub(super) recipe: &'static Recipe,
    /// The variant; absent where no form could be made.
    pub(super) made: Option<Made>,
    pub(super) fell_back: Vec<Fallback>,
    pub(super) make_ms: f64,
    /// An earlier variant that this one came to equal.
    pub(super) measured_as: Option<&'static str>,
    pub(super) latency: Vec<Latency>,
    pub(super) speedup: Vec<Speedup>,
    pub(super) memory: u64,
    pub(super) plan: String,
    /// What the process grew by when ONNX Runtime first loaded the portable file.
    pub(super) runtime_memory: Option<usize>,
}

/// A variant that keeps the budget.
pub(super) struct Made {
    pub(super) form: Form,
    pub(super) model: Model,
    pub(super) changes: Changes,
    pub(super) error: ErrorFacts,
    pub(super) metric: Option<MetricFacts>,
    pub(super) bound: Option<Bound>,
    /// Why it breaks the budget: only an exact one may, by a metric that it does not improve.
    pub(super) over: Option<String>,
    /// Its file with standard operators only.
    pub(super) portable: Vec<u8>,
    /// Its compact file, with our operator; absent for models that have no compact form.
    pub(super) compact: Option<Vec<u8>>,
    pub(super) load_ms: f64,
    pub(super) runtime: Option<RuntimeCheck>,
}

/// Tries the recipe's forms, the least precise first.
pub(super) fn build(
    recipe: &'static Recipe,
    truth: &Truth<'_>,
    calibration: &Calibration,
    options: &Options,
) -> Result<Built> {
    let start = Instant::now();
    let mut fell_back = Vec::new();
    let mut made = None;
    let nothing_to_do = recipe.compact && truth.model.ensemble().is_none();
    if nothing_to_do {
        fell_back.push(Fallback {
            form: recipe.name.into(),
            why: "only tree ensembles have less precise forms, and the model does not end in one"
                .into(),
            max_error: None,
        });
    }
    let forms = if nothing_to_do { &[] } else { recipe.forms };
    for &form in forms {
        match attempt(form, truth, calibration, options) {
            Ok(Attempt::Kept(m)) => {
                made = Some(*m);
                break;
            }
            Ok(Attempt::Over { why, max_error }) => {
                fell_back.push(Fallback {
                    form: form.describe().into(),
                    why,
                    max_error: Some(max_error),
                });
            }
            // The exact variant is the ground everything stands on: its failure is the job's.
            Err(e) if e.kind() == ErrorKind::Unsupported && recipe.compact => {
                fell_back.push(Fallback {
                    form: form.describe().into(),
                    why: e.to_string(),
                    max_error: None,
                });
            }
            Err(e) => return Err(e),
        }
    }
    if recipe.compact && made.as_ref().is_some_and(|m| m.compact.is_none()) {
        fell_back.push(Fallback {
            form: recipe.name.into(),
            why: "the model has no compact form".into(),
            max_error: None,
        });
        made = None;
    }
    Ok(Built {
        recipe,
        measured_as: made
            .as_ref()
            .filter(|m| m.form.is_exact() && recipe.compact)
            .map(|_| "exact"),
        made,
        fell_back,
        make_ms: start.elapsed().as_secs_f64() * 1e3,
        latency: Vec::new(),
        speedup: Vec::new(),
        memory: 0,
        plan: String::new(),
        runtime_memory: None,
    })
}

enum Attempt {
    Kept(Box<Made>),
    Over { why: String, max_error: f64 },
}

fn attempt(
    form: Form,
    truth: &Truth<'_>,
    calibration: &Calibration,
    options: &Options,
) -> Result<Attempt> {
    let (model, changes) = if form.is_exact() {
        (truth.model.clone(), Changes::default())
    } else {
        variant::make(truth.model, form, calibration)?
    };
    let mut session = Native::new(&model, options.threads)?;
    let mut got = Predictions::new(Float::F32, 1);
    session.run(truth.rows, Want::Answers, &mut got)?;
    let got = got.to_f64();

    // The engine must be the reference predictor, to the bit.
    let n = if form.is_exact() {
        truth.rows.n_rows()
    } else {
        truth.rows.n_rows().min(REFERENCE_ROWS)
    };
    let specified = if form.is_exact() {
        truth.answers.to_vec()
    } else {
        predict(&model, &truth.rows.slice(0..n))?
    };
    let check = compare(&model, &specified, &got[..specified.len()], 0.0);
    if !check.bit_equal {
        return Err(Error::new(
            ErrorKind::Backend,
            format!(
                "{}: the engine differs from the reference predictor by {} on {} of {n} rows; \
                 this is a fault of fretsaw, please report it",
                form.describe(),
                check.max,
                check.rows_over
            ),
        ));
    }

    let (error, metric, over) = truth.judge(&got);
    if let Some(why) = over.clone().filter(|_| !form.is_exact()) {
        return Ok(Attempt::Over {
            why,
            max_error: error.max,
        });
    }
    let standard = variant::portable(&model, truth.double)?;
    let portable = if truth.double {
        onnx::portable_double(&standard)?
    } else {
        onnx::portable(&standard)?
    };
    // Nobody else reads our operator: a file that we do not read again is none.
    let no_external = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let read_again = |bytes: Vec<u8>| onnx::read(&bytes, &no_external).map(|_| bytes);
    let compact = match onnx::compact(&model, truth.double).and_then(read_again) {
        Ok(bytes) => Some(bytes),
        Err(e) if e.kind() == ErrorKind::Unsupported => None,
        Err(e) => return Err(e),
    };
    let bound = if form.is_exact() {
        Some(Bound {
            margin: 0.0,
            answer: Some(0.0),
        })
    } else {
        variant::prove(truth.model, &model)
    };
    let made = Made {
        form,
        model,
        changes,
        error,
        metric,
        bound,
        over,
        portable,
        compact,
        load_ms: 0.0,
        runtime: None,
    };
    Ok(Attempt::Kept(Box::new(made)))
}

/// Runs every portable file in ONNX Runtime and holds it against the source.
pub(super) fn check_in_runtime(
    built: &mut [Built],
    truth: &Truth<'_>,
    runtime: &std::result::Result<&'static Runtime, String>,
    notices: &mut Vec<String>,
) -> Result<()> {
    let runtime = match runtime {
        Ok(runtime) => *runtime,
        Err(why) => {
            notices.push(format!("no file was run in ONNX Runtime: {why}"));
            return Ok(());
        }
    };
    let n = truth.rows.n_rows().min(RUNTIME_ROWS);
    let want = &truth.answers[..n * truth.model.n_columns()];
    for b in built.iter_mut() {
        let Some(made) = &mut b.made else { continue };
        let mut session = OrtSession::open(runtime, &made.portable, &OrtOptions::default())?
            .answering_as(truth.model);
        b.runtime_memory = session.memory();
        let mut got = Predictions::new(Float::F32, 1);
        session.run(&truth.rows.slice(0..n), Want::Answers, &mut got)?;
        let error = compare(truth.model, want, &got.to_f64(), truth.budget.max_error);
        // The link is computed by other code there: a few units in the last place are no fault.
        let allowed = made.error.max + 1e-5 * want.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
        if error.max > allowed {
            notices.push(format!(
                "{}: its file differs from the source by {} in ONNX Runtime {}",
                b.recipe.name,
                error.max,
                runtime.version()
            ));
        }
        made.runtime = Some(RuntimeCheck {
            version: runtime.version().into(),
            max_error: error.max,
            class_flips: error.class_flips,
        });
    }
    Ok(())
}

impl Built {
    /// A session that runs the variant, its plan checked by measurement on `rows`.
    ///
    /// # Panics
    /// When it was not made.
    pub(super) fn session(&self, threads: usize, rows: &Rows<'_>) -> Result<Native> {
        let made = self
            .made
            .as_ref()
            .expect("asked for variants that were made");
        Native::tuned(&made.model, threads, rows)
    }

    /// The variant, or the exact model where it could not be made.
    pub(super) fn model(&self, exact: &Model) -> Model {
        self.made
            .as_ref()
            .map_or_else(|| exact.clone(), |m| m.model.clone())
    }

    /// Whether its file, as it would be written, needs our operator.
    pub(super) fn needs_operator(&self, options: &Options) -> bool {
        self.recipe.compact && !(options.portable && self.can_be_portable())
    }

    /// Whether the plan is the same when the file holds standard operators only: integer sums have
    /// none, and ranks alone are nothing that a standard file could hold.
    pub(super) fn can_be_portable(&self) -> bool {
        self.made.as_ref().is_some_and(|m| {
            m.model
                .ensemble()
                .is_none_or(|e| e.sum != fretsaw_model::Sum::I32)
                && !(self.recipe.compact && m.form.is_exact())
        })
    }

    /// Its file's bytes.
    pub(super) fn file(&self, needs_operator: bool) -> &[u8] {
        match &self.made {
            Some(Made {
                compact: Some(compact),
                ..
            }) if needs_operator => compact,
            Some(made) => &made.portable,
            None => &[],
        }
    }

    pub(super) fn report(&self, exact: &Built, choice: &Choice) -> VariantReport {
        let chosen = choice.name == self.recipe.name;
        let at = crate::variant::RECIPES
            .iter()
            .position(|r| r.name == self.recipe.name);
        let made = self.made.as_ref();
        let needs_operator =
            self.recipe.compact && !choice.portable_names.contains(&self.recipe.name);
        let file_bytes = self.file(needs_operator).len() as u64;
        VariantReport {
            name: self.recipe.name.into(),
            made: made.is_some(),
            form: made
                .map_or("none", |m| match m.model.ensemble() {
                    Some(_) => m.form.describe(),
                    None => "exact",
                })
                .into(),
            passes: made.map(|m| m.form.passes()).unwrap_or_default(),
            fell_back_from: self.fell_back.clone(),
            changes: made.map(|m| m.changes).unwrap_or_default(),
            error: made.map(|m| m.error).unwrap_or_default(),
            bound: made.and_then(|m| m.bound),
            metric: made.and_then(|m| m.metric),
            operator: if needs_operator {
                "fretsaw"
            } else {
                "ai.onnx.ml"
            }
            .into(),
            file_bytes,
            portable_bytes: self.file(false).len() as u64,
            size_ratio: file_bytes as f64 / exact.file(false).len().max(1) as f64,
            memory_bytes: self.memory,
            load_ms: made.map_or(0.0, |m| m.load_ms),
            make_ms: self.make_ms,
            latency: self.latency.clone(),
            measured_as: self.measured_as.map(String::from),
            speedup: self.speedup.clone(),
            plan: self.plan.clone(),
            onnx_runtime: made.and_then(|m| m.runtime.clone()),
            within_budget: made.is_some_and(|m| m.over.is_none()),
            chosen,
            why: at
                .and_then(|i| choice.why.get(i))
                .cloned()
                .unwrap_or_default(),
        }
    }
}

impl File {
    pub(super) fn new(name: impl Into<String>, bytes: &[u8]) -> Self {
        Self {
            name: name.into(),
            bytes: bytes.to_vec(),
        }
    }
}
