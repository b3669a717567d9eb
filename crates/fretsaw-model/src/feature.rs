//! Features: names, kinds, and the categories a model was trained with.

/// One input column of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// Its name, as the framework stored it; generated (`f0`, `f1`, ...) where it stored none.
    pub name: String,
    /// What its values are.
    pub kind: FeatureKind,
}

impl Feature {
    /// A numeric feature.
    pub fn numeric(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind: FeatureKind::Numeric,
        }
    }
}

/// What the values of a feature are.
#[derive(Clone, Debug, PartialEq)]
pub enum FeatureKind {
    /// A number.
    Numeric,
    /// A category. In rows of numbers it stands as its code; in a table of named columns it may
    /// stand as itself, and is looked up in `categories` (its position there is the code).
    Categorical {
        /// The categories in the order of their codes, where the model holds them.
        categories: Option<Categories>,
    },
    /// A category that the model knows by the hash of its text only. In rows of numbers, which must
    /// then be f64, it stands as its [`category_hash`](crate::category_hash); in a table of named
    /// columns as itself.
    Hashed,
    /// A category as text, of which the model may see others than it knows. In rows of numbers it
    /// stands as its position in `known`, and any other as -1.
    Text {
        /// The categories in the order of their codes.
        known: Vec<String>,
    },
}

/// Category values in the order of their codes.
#[derive(Clone, Debug, PartialEq)]
pub enum Categories {
    /// Text.
    Strings(Vec<String>),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// Numbers.
    Floats(Vec<f64>),
}

impl Categories {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Strings(v) => v.len(),
            Self::Ints(v) => v.len(),
            Self::Floats(v) => v.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
