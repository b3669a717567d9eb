//! Saved plans: a compiled plan as bytes, and a plan that runs over such bytes where they lie.
//!
//! A plan is tied to what compiled it: this engine's version, its layout of memory, the instruction
//! set and the byte order. It is no format to keep models in; another machine compiles the model
//! again. Bytes are not trusted: a checksum tells what is damaged, and what kernels index with is
//! checked against what is there (`check`), whoever made the checksum. Files are the caller's.

mod check;
mod codec;
mod few;
mod parts;
mod walks;

use std::sync::Arc;

use fretsaw_model::{Float, Step, Sum};

use self::check::ensure;
use self::codec::{Reader, Saved, Writer, damaged, saved_enum};
use crate::error::{Error, ErrorKind};
use crate::isa::Isa;
use crate::plan::{Front, Plan, PlanBody};

/// The first bytes of a saved plan.
const MAGIC: [u8; 8] = *b"fretsaw\x1a";
/// Counts the layouts of saved plans within a version.
const LAYOUT: u32 = 1;
/// Where the sum over all that follows stands, and where that begins.
const SUM: usize = 8;
const SUMMED: usize = 12;
/// Bytes before the plan, a line.
const HEADER: usize = 64;

/// What stands behind the sum: how long all is, and what it is tied to.
fn header(len: usize) -> Vec<u8> {
    let mut header = (len as u64).to_le_bytes().to_vec();
    header.extend(LAYOUT.to_le_bytes());
    header.extend(1_u16.to_ne_bytes());
    header.push(size_of::<usize>() as u8);
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    header.extend(&version[..version.len().min(HEADER - SUMMED - header.len())]);
    header.resize(HEADER - SUMMED, 0);
    header
}

impl Plan {
    /// The plan as bytes, for [`load`](Plan::load).
    ///
    /// # Errors
    /// When the plan has a part that is not saved: steps beside the simplest, or a linear body.
    pub fn save(&self) -> Result<Vec<u8>, Error> {
        let unsupported = |what: &str| {
            Error::new(
                ErrorKind::Unsupported,
                format!("{what} cannot be saved in a plan; keep the model file"),
            )
        };
        let PlanBody::Trees(trees) = &self.body else {
            return Err(unsupported("a model that is not a tree ensemble"));
        };
        let Front::Steps(steps) = &self.front else {
            return Err(unsupported("a pipeline's steps"));
        };
        let steps: Option<Vec<Simple>> = steps.iter().map(Simple::of).collect();
        let steps = steps.ok_or_else(|| unsupported("features derived from tables"))?;
        if self.n_features == 0 || self.n_outputs == 0 {
            return Err(unsupported("a model without features or outputs"));
        }
        let mut to = Writer(vec![0; HEADER]);
        self.n_features.save(&mut to);
        self.n_outputs.save(&mut to);
        self.margin.save(&mut to);
        self.isa.save(&mut to);
        self.groups.save(&mut to);
        self.n_leaves.save(&mut to);
        steps.save(&mut to);
        trees.save(&mut to);
        let mut bytes = to.0;
        let header = header(bytes.len());
        bytes[..SUM].copy_from_slice(&MAGIC);
        bytes[SUMMED..HEADER].copy_from_slice(&header);
        let sum = crc32fast::hash(&bytes[SUMMED..]);
        bytes[SUM..SUMMED].copy_from_slice(&sum.to_le_bytes());
        Ok(bytes)
    }

    /// The plan that [`save`](Plan::save) made these bytes of. Its large arrays stay where they lie
    /// if the bytes are aligned to 64, as those of a mapped file are, and are copied if not. The bytes
    /// must not change for as long as the plan is there.
    ///
    /// # Errors
    /// When these are no such bytes, when they are damaged, were saved by another version or on
    /// another kind of machine, or when this processor lacks the plan's instruction set.
    pub fn load(bytes: Arc<dyn AsRef<[u8]> + Send + Sync>) -> Result<Self, Error> {
        check_header(AsRef::<[u8]>::as_ref(&*bytes))?;
        let end = AsRef::<[u8]>::as_ref(&*bytes).len();
        let mut from = Reader { bytes, at: HEADER };
        let plan = Self::read(&mut from)?;
        ensure(from.at == end, "it goes on behind its end")?;
        Ok(plan)
    }

    fn read(from: &mut Reader) -> Result<Self, Error> {
        let (n_features, n_outputs) = (usize::load(from)?, usize::load(from)?);
        let (margin, isa) = (Float::load(from)?, Isa::load(from)?);
        if !isa.is_available() {
            let message =
                format!("a plan for {isa}, which this processor lacks; compile the model again");
            return Err(Error::new(ErrorKind::Isa, message));
        }
        let groups = Saved::load(from)?;
        let n_leaves = Saved::load(from)?;
        let steps: Vec<Simple> = Saved::load(from)?;
        let mut trees = Box::<crate::trees::Trees>::new(Saved::load(from)?);
        let is_counted = (1..=u32::MAX as usize).contains(&n_features);
        ensure(is_counted, "the number of features")?;
        ensure(trees.isa == isa, "two instruction sets")?;
        let of_sum = match trees.finish.sum {
            Sum::F32 | Sum::I32 => Float::F32,
            Sum::F64 => Float::F64,
        };
        ensure(margin == of_sum, "the type of margins")?;
        ensure(steps.iter().all(|s| s.suits(n_features)), "a step")?;
        trees.check(n_features, n_outputs)?;
        let by_row: Vec<_> = trees.few.walked().cloned().collect();
        trees.walk.pad(&by_row);
        Ok(Self {
            n_features,
            // Hashes are derived from tables, which are not saved.
            double_rows: false,
            n_outputs,
            margin,
            front: Front::Steps(steps.into_iter().map(Step::from).collect()),
            body: PlanBody::Trees(trees),
            isa,
            groups,
            n_leaves,
        })
    }
}

fn check_header(bytes: &[u8]) -> Result<(), Error> {
    let refused = |message: &str| Err(Error::new(ErrorKind::Saved, message));
    if !bytes.starts_with(&MAGIC) {
        return refused("no saved plan; give one that `save` made");
    }
    if bytes.len() < HEADER {
        return Err(damaged("it ends too early"));
    }
    let want = header(bytes.len());
    let (len, ties) = bytes[SUMMED..HEADER].split_at(size_of::<u64>());
    if len != &want[..len.len()] {
        return Err(damaged("its length is another"));
    }
    let sum = crc32fast::hash(&bytes[SUMMED..]).to_le_bytes();
    if bytes[SUM..SUMMED] != sum {
        return Err(damaged("its checksum does not match"));
    }
    if ties != &want[len.len()..] {
        return refused(
            "a plan saved by another version or on another kind of machine; compile the model again",
        );
    }
    Ok(())
}

/// A step that keeps the width of a row and holds but numbers.
enum Simple {
    MarkMissing { value: f64 },
    FlushTiny { limit: f64 },
    Impute { values: Vec<f64> },
    Scale { shift: Vec<f64>, scale: Vec<f64> },
    Widen,
}

saved_enum!([] Simple {
    0 => MarkMissing { value },
    1 => FlushTiny { limit },
    2 => Impute { values },
    3 => Scale { shift, scale },
    4 => Widen,
});

impl Simple {
    fn of(step: &Step) -> Option<Self> {
        Some(match step {
            Step::MarkMissing { value } => Self::MarkMissing { value: *value },
            Step::FlushTiny { limit } => Self::FlushTiny { limit: *limit },
            Step::Impute { values } => Self::Impute {
                values: values.clone(),
            },
            Step::Scale { shift, scale } => Self::Scale {
                shift: shift.clone(),
                scale: scale.clone(),
            },
            Step::Widen => Self::Widen,
            _ => return None,
        })
    }

    /// Whether it has as many numbers as rows have features.
    fn suits(&self, n_features: usize) -> bool {
        match self {
            Self::Impute { values } => values.len() == n_features,
            Self::Scale { shift, scale } => shift.len() == n_features && scale.len() == n_features,
            _ => true,
        }
    }
}

impl From<Simple> for Step {
    fn from(step: Simple) -> Self {
        match step {
            Simple::MarkMissing { value } => Self::MarkMissing { value },
            Simple::FlushTiny { limit } => Self::FlushTiny { limit },
            Simple::Impute { values } => Self::Impute { values },
            Simple::Scale { shift, scale } => Self::Scale { shift, scale },
            Simple::Widen => Self::Widen,
        }
    }
}
