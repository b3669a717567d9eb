//! The whole model, and the draft it is made from.

use std::ops::Deref;

use crate::{Ensemble, Error, Feature, Linear, Link, Step};

/// A floating-point precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Float {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
}

impl Float {
    /// `x` rounded to this precision, widened again.
    pub fn cast(self, x: f64) -> f64 {
        match self {
            Self::F32 => f64::from(x as f32),
            Self::F64 => x,
        }
    }
}

/// What gives the margins.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Body {
    /// A tree ensemble.
    Ensemble(Ensemble),
    /// A linear model.
    Linear(Linear),
    /// What the steps leave, in f64: of models that are no single ensemble or linear model.
    Row {
        /// How many values they leave: what the link sees.
        n_outputs: usize,
        /// How many of these, from the first, are the margins that a user sees.
        n_margins: usize,
    },
}

impl Body {
    /// How many values a row gives the link: its margins, and for [`Body::Row`] what it has besides.
    pub fn n_outputs(&self) -> usize {
        match self {
            Self::Ensemble(e) => e.n_outputs,
            Self::Linear(l) => l.n_outputs,
            Self::Row { n_outputs, .. } => *n_outputs,
        }
    }

    /// How many margins a row gives.
    pub fn n_margins(&self) -> usize {
        match self {
            Self::Row { n_margins, .. } => *n_margins,
            _ => self.n_outputs(),
        }
    }

    /// The precision of the margins.
    pub fn margin(&self) -> Float {
        match self {
            Self::Ensemble(e) => e.sum.margin(),
            Self::Linear(l) => l.sum,
            Self::Row { .. } => Float::F64,
        }
    }
}

/// What the numbers behind the link are, and so how `predict` lays them out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Values: one column an output.
    Values,
    /// The probability of the second of two classes. `predict` gives two columns, the first is
    /// `1 - p`; the label is the second class where `p > 0.5`.
    Binary,
    /// A score of the second of two classes: one column, above 0 for the second.
    Score,
    /// A probability or score for each class; the label is the largest, the first of equals.
    Classes,
    /// An independent probability for each label.
    Labels,
    /// The number of a class: one column.
    Class,
}

/// What names a row's class, where the answers are classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// The answer: the largest, the first of equals; of two classes the second where its
    /// probability is above 0.5, or its score above 0.
    #[default]
    Answer,
    /// The margins: the largest, the first of equals; one margin names the second class above 0.
    Margin,
    /// The same, but of equal margins the last counts.
    LastMargin,
    /// The same as [`Margin`](Self::Margin), but one margin names the second class at 0 too.
    MarginFromZero,
    /// The margins rounded to whole votes: the largest, the first of equals.
    Votes,
}

/// Names of classes (or of labels, where a row may have several).
#[derive(Clone, Debug, PartialEq)]
pub enum Labels {
    /// Whole numbers.
    Ints(Vec<i64>),
    /// Text.
    Strings(Vec<String>),
}

impl Labels {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Ints(v) => v.len(),
            Self::Strings(v) => v.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of class `i`, as text.
    pub fn name(&self, i: usize) -> String {
        match self {
            Self::Ints(v) => v[i].to_string(),
            Self::Strings(v) => v[i].clone(),
        }
    }
}

/// Where a model comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The framework that trained it: `xgboost`, `lightgbm`, `catboost`, `sklearn`, `onnx`.
    pub framework: String,
    /// Its version, where the file tells.
    pub framework_version: Option<String>,
    /// The file's format, such as `xgboost-json`.
    pub format: String,
    /// The framework's name of the objective or estimator.
    pub objective: Option<String>,
    /// SHA-256 of the source file, lower-case hexadecimal.
    pub source_sha256: Option<String>,
    /// The passes that made this variant of it, in order; empty for the exact model.
    pub passes: Vec<String>,
}

/// A model not yet checked: set the fields, then [`build`](Draft::build).
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The input columns, in order.
    pub features: Vec<Feature>,
    /// Preprocessing, in order.
    pub steps: Vec<Step>,
    /// What gives the margins.
    pub body: Body,
    /// What turns margins into answers.
    pub link: Link,
    /// What the answers are.
    pub answer: Answer,
    /// What names the class.
    pub decision: Decision,
    /// The classes' names; `None`: they are numbered from 0.
    pub labels: Option<Labels>,
    /// Where the model comes from.
    pub provenance: Provenance,
}

/// A valid model. Its fields are those of [`Draft`], read-only.
#[derive(Clone, Debug, PartialEq)]
pub struct Model(Draft);

impl Deref for Model {
    type Target = Draft;

    fn deref(&self) -> &Draft {
        &self.0
    }
}

impl Draft {
    /// Checks everything and makes the model.
    ///
    /// # Errors
    /// The first contradiction found, with the tree and node it is in.
    pub fn build(self) -> Result<Model, Error> {
        self.check()?;
        Ok(Model(self))
    }

    /// How many values a row has behind the steps: what the body sees.
    pub fn width(&self) -> usize {
        crate::width(&self.steps, self.features.len())
    }

    /// Whether rows must be f64, since they hold hashes that f32 cannot.
    pub fn needs_double_rows(&self) -> bool {
        fn any(steps: &[Step]) -> bool {
            steps.iter().any(|step| match step {
                Step::Derive(derived) => {
                    let mut parts = derived.iter().flat_map(|d| &d.parts);
                    parts.any(|part| part.is_hashed())
                }
                Step::Branches(branches) => branches.iter().any(|b| any(b)),
                _ => false,
            })
        }
        any(&self.steps)
    }

    /// What is needed to make answers and classes of margins, and no more: the model without its
    /// features, its steps and what its body holds.
    pub fn head(&self) -> Self {
        Self {
            features: Vec::new(),
            steps: Vec::new(),
            body: match &self.body {
                Body::Ensemble(e) => Body::Ensemble(Ensemble {
                    trees: Vec::new(),
                    base: e.base.clone(),
                    multiply: e.multiply.clone(),
                    ..*e
                }),
                Body::Linear(l) => Body::Linear(Linear {
                    weights: Vec::new(),
                    intercept: Vec::new(),
                    ..*l
                }),
                Body::Row {
                    n_outputs,
                    n_margins,
                } => Body::Row {
                    n_outputs: *n_outputs,
                    n_margins: *n_margins,
                },
            },
            link: self.link.clone(),
            answer: self.answer,
            decision: self.decision,
            labels: self.labels.clone(),
            provenance: Provenance::default(),
        }
    }

    /// How many columns [`predict`](crate::predict) gives.
    pub fn n_columns(&self) -> usize {
        match self.answer {
            Answer::Binary => 2,
            _ => self.link.n_answers(self.body.n_outputs()),
        }
    }

    /// Whether the answer is a class that no framework's own margin rule names: a clusterer's or an
    /// outlier detector's, whose margins are scores that a user wants beside it.
    pub fn answers_class_with_scores(&self) -> bool {
        self.answer == Answer::Class && matches!(self.link, Link::Then(_))
    }

    /// How many classes there are; 0 where the answers are no classes.
    pub fn n_classes(&self) -> usize {
        match self.answer {
            Answer::Values => 0,
            Answer::Binary | Answer::Score => 2,
            Answer::Classes | Answer::Labels => self.n_columns(),
            // One margin, as a hinge's or an outlier detector's, names one of two.
            Answer::Class if self.link != Link::ArgMax && self.body.n_margins() == 1 => 2,
            Answer::Class => self.body.n_margins(),
        }
    }

    /// The name of class `i`, as text.
    pub fn class_name(&self, i: usize) -> String {
        self.labels
            .as_ref()
            .map_or_else(|| i.to_string(), |l| l.name(i))
    }

    /// The tree ensemble, where the body is one.
    pub fn ensemble(&self) -> Option<&Ensemble> {
        match &self.body {
            Body::Ensemble(e) => Some(e),
            Body::Linear(_) | Body::Row { .. } => None,
        }
    }
}

impl Model {
    /// Opens the model to change it.
    pub fn into_draft(self) -> Draft {
        self.0
    }

    /// The same model, which comes from the file of this hash where it does not name another.
    pub fn of_source(mut self, sha256: &str) -> Self {
        let source = &mut self.0.provenance.source_sha256;
        source.get_or_insert_with(|| sha256.to_owned());
        self
    }

    /// A copy to change.
    pub fn to_draft(&self) -> Draft {
        self.0.clone()
    }
}
