//! Variants of a tree ensemble: the same trees with thresholds and leaves held in fewer bits.
//!
//! A variant is again a [`Model`], so the reference predictor, the engine and the writer of ONNX
//! treat it like any other. What it may differ by is known twice: a [`Bound`] proved over all
//! inputs, and the error measured on rows that had no part in making it.

mod bound;
mod calibration;
mod fp16;
mod integer;

use fretsaw_model::{BaseOrder, Ensemble, Model, Sum, Target};

pub use bound::{Bound, prove};
pub(crate) use bound::{bound_of_sums, leaves_apart};
pub use calibration::Calibration;

use crate::{Error, ErrorKind, Result};

/// What a variant does to thresholds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thresholds {
    /// Nothing.
    Exact,
    /// Moved to an f16 value where the gap between calibration values allows it.
    F16,
}

/// What a variant does to leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaves {
    /// Nothing.
    Exact,
    /// Rounded to f16 where f16 can hold them.
    F16,
    /// 16-bit whole numbers times a scale.
    I16,
    /// 8-bit whole numbers times a scale.
    I8,
}

/// One way to make a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Thresholds.
    pub thresholds: Thresholds,
    /// Leaves.
    pub leaves: Leaves,
}

impl Form {
    const fn new(thresholds: Thresholds, leaves: Leaves) -> Self {
        Self { thresholds, leaves }
    }

    /// Whether it answers as the source does, to the bit.
    pub fn is_exact(self) -> bool {
        self == Self::new(Thresholds::Exact, Leaves::Exact)
    }

    /// In words.
    pub fn describe(self) -> &'static str {
        match (self.thresholds, self.leaves) {
            (Thresholds::Exact, Leaves::Exact) => "exact thresholds and leaves",
            (Thresholds::Exact, Leaves::F16) => "exact thresholds, f16 leaves",
            (Thresholds::Exact, Leaves::I16) => "exact thresholds, i16 leaves",
            (Thresholds::Exact, Leaves::I8) => "exact thresholds, i8 leaves",
            (Thresholds::F16, Leaves::Exact) => "f16 thresholds, exact leaves",
            (Thresholds::F16, Leaves::F16) => "f16 thresholds and leaves",
            (Thresholds::F16, Leaves::I16) => "f16 thresholds, i16 leaves",
            (Thresholds::F16, Leaves::I8) => "f16 thresholds, i8 leaves",
        }
    }

    /// The passes that make it, by name.
    pub fn passes(self) -> Vec<String> {
        let thresholds = match self.thresholds {
            Thresholds::Exact => None,
            Thresholds::F16 => Some("thresholds-f16"),
        };
        let leaves = match self.leaves {
            Leaves::Exact => None,
            Leaves::F16 => Some("leaves-f16"),
            Leaves::I16 => Some("leaves-i16"),
            Leaves::I8 => Some("leaves-i8"),
        };
        thresholds
            .into_iter()
            .chain(leaves)
            .map(String::from)
            .collect()
    }
}

/// A variant by name, and the forms to try for it, the least precise first: one that breaks the
/// budget gives way to the next.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// Its name.
    pub name: &'static str,
    /// Whether its file is the compact operator (thresholds as ranks among the feature's cuts).
    pub compact: bool,
    /// The forms to try.
    pub forms: &'static [Form],
}

/// Every variant there is, the exact one first.
pub const RECIPES: &[Recipe] = &[
    Recipe {
        name: "exact",
        compact: false,
        forms: &[Form::new(Thresholds::Exact, Leaves::Exact)],
    },
    Recipe {
        name: "int8-lossless",
        compact: true,
        forms: &[Form::new(Thresholds::Exact, Leaves::Exact)],
    },
    Recipe {
        name: "fp16",
        compact: true,
        forms: &[
            Form::new(Thresholds::F16, Leaves::F16),
            Form::new(Thresholds::Exact, Leaves::F16),
            Form::new(Thresholds::Exact, Leaves::Exact),
        ],
    },
    Recipe {
        name: "int8",
        compact: true,
        forms: &[
            Form::new(Thresholds::Exact, Leaves::I8),
            Form::new(Thresholds::Exact, Leaves::I16),
            Form::new(Thresholds::Exact, Leaves::Exact),
        ],
    },
    Recipe {
        name: "fp16+int8",
        compact: true,
        forms: &[
            Form::new(Thresholds::F16, Leaves::I8),
            Form::new(Thresholds::F16, Leaves::I16),
            Form::new(Thresholds::Exact, Leaves::I16),
            Form::new(Thresholds::Exact, Leaves::Exact),
        ],
    },
];

/// What making a variant did, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Changes {
    /// Distinct thresholds (feature, comparison, value).
    pub thresholds: usize,
    /// Of these, moved to another value that is an f16.
    pub thresholds_moved: usize,
    /// Of these, left in full precision because no f16 lies in their gap.
    pub thresholds_kept: usize,
    /// Leaf values.
    pub leaves: usize,
    /// Of these, left in full precision because f16 cannot hold them.
    pub leaves_kept: usize,
    /// Distinct scales of integer leaves.
    pub leaf_scales: usize,
}

/// Makes `model` in another form.
///
/// # Errors
/// When the model is no tree ensemble, or its trees hold something that the form cannot (linear
/// leaves as integers): named.
pub fn make(model: &Model, form: Form, calibration: &Calibration) -> Result<(Model, Changes)> {
    let Some(ensemble) = model.ensemble() else {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "only tree ensembles have variants so far",
        ));
    };
    let mut changes = Changes::default();
    let mut ensemble = ensemble.clone();
    if form.thresholds == Thresholds::F16 {
        fp16::move_thresholds(&mut ensemble, calibration, &mut changes);
    }
    match form.leaves {
        Leaves::Exact => {}
        Leaves::F16 => fp16::round_leaves(&mut ensemble, &mut changes)?,
        Leaves::I16 => {
            integer::quantize(&mut ensemble, i16::MAX.into(), calibration, &mut changes)?
        }
        Leaves::I8 => integer::quantize(&mut ensemble, i8::MAX.into(), calibration, &mut changes)?,
    }
    let mut draft = model.to_draft();
    draft.body = fretsaw_model::Body::Ensemble(ensemble);
    draft.provenance.passes.extend(form.passes());
    Ok((draft.build()?, changes))
}

/// The same answers with standard operators: integer leaves become f32 leaves, summed in f32, or in f64
/// where the file's input is `double`. Other models are as they are.
///
/// # Errors
/// When a leaf does not fit f32.
pub fn portable(model: &Model, double: bool) -> Result<Model> {
    let Some(ensemble) = model.ensemble().filter(|e| e.sum == Sum::I32) else {
        return Ok(model.clone());
    };
    let mut e = ensemble.clone();
    for tree in &mut e.trees {
        let weight = std::mem::replace(&mut tree.weight, 1.0);
        let target = tree.target;
        for (i, leaf) in tree.leaves.iter_mut().enumerate() {
            let k = match target {
                Target::All => i % e.multiply.len(),
                Target::Output(k) => k as usize,
            };
            *leaf = f64::from((*leaf * weight * e.multiply[k] / e.divide) as f32);
        }
    }
    e.base.iter_mut().for_each(|b| *b = f64::from(*b as f32));
    e.multiply.fill(1.0);
    e.divide = 1.0;
    e.sum = if double { Sum::F64 } else { Sum::F32 };
    e.base_order = BaseOrder::First;
    let mut draft = model.to_draft();
    draft.body = fretsaw_model::Body::Ensemble(e);
    let pass = if double {
        "portable-f64"
    } else {
        "portable-f32"
    };
    draft.provenance.passes.push(pass.into());
    Ok(draft.build()?)
}

/// Refuses trees whose leaves are linear functions.
fn plain_leaves(ensemble: &Ensemble, what: &str) -> Result<()> {
    match ensemble.trees.iter().position(|t| !t.linear.is_empty()) {
        Some(i) => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "{what}: the leaves of tree {i} are linear functions, which stay in full precision"
            ),
        )),
        None if ensemble.sum == Sum::I32 => Err(Error::new(
            ErrorKind::Unsupported,
            format!("{what}: the leaves are integers already"),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
