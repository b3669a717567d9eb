//! One IR split as an ONNX test: `(x OP t) or (tracks_true and x is NaN)` on a column of the
//! ensemble's input, with the branches the right way round.
//!
//! What the IR says about missing values, zeros and categories is turned into three things that
//! ONNX has: a column prepared in front of the ensemble, a test, and the way of NaN.

use fretsaw_model::{CategoryIndex, CategorySet, Float, Missing, Split, Test, Tree};

use fretsaw_model::{ceil32, floor32};

/// How a column of the ensemble's input is made from a feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Column {
    /// `|x| <= 1e-35` becomes NaN (LightGBM's kind Zero).
    pub(crate) zero_is_nan: bool,
    /// Then a category is made of it.
    pub(crate) index: Rounding,
}

/// How a category is made of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rounding {
    /// Not at all.
    #[default]
    None,
    /// Downwards: numbers below 0 stay below 0 (XGBoost).
    Floor,
    /// Towards zero (LightGBM).
    Truncate,
}

/// A comparison of ONNX. Codes and names are those of `TreeEnsemble`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    LessEq = 0,
    Less = 1,
    GreaterEq = 2,
    Greater = 3,
    Equal = 4,
}

impl Mode {
    /// Its name in `ai.onnx.ml` 3.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::LessEq => "BRANCH_LEQ",
            Self::Less => "BRANCH_LT",
            Self::GreaterEq => "BRANCH_GTE",
            Self::Greater => "BRANCH_GT",
            Self::Equal => "BRANCH_EQ",
        }
    }
}

/// The test of a node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    /// A comparison with a threshold, which the tensor's type holds exactly.
    Compare(Mode, f64),
    /// Equal to one of two or more values.
    Member(Vec<f64>),
}

impl Condition {
    /// Never true: then only NaN can go the true way.
    const NEVER: Self = Self::Compare(Mode::Less, f64::NEG_INFINITY);
}

/// A split as ONNX has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Branch {
    pub(crate) column: Column,
    pub(crate) condition: Condition,
    /// Where NaN goes: `nodes_missing_value_tracks_true`.
    pub(crate) nan_true: bool,
    /// The IR node on the true way.
    pub(crate) on_true: u32,
    /// The IR node on the false way.
    pub(crate) on_false: u32,
}

impl Branch {
    /// Translates `split` of `tree`. With `wide`, thresholds are f64; otherwise f32, for inputs
    /// that are f32 whatever `compare` says.
    pub(crate) fn new(split: &Split, tree: &Tree, compare: Float, wide: bool) -> Self {
        if let Test::In(set) = split.test {
            return member(split, &tree.sets[set as usize], wide);
        }
        let holds = |x: f64| holds(split.test, compare.cast(x));
        let (nan_yes, zero_is_nan) = match split.missing {
            Missing::AsZero => (holds(0.0), false),
            Missing::Nan { yes } => (yes, false),
            Missing::ZeroOrNan { yes } => {
                // Where zeros go the default way by themselves, only NaN is left to say.
                let monotone = !matches!(split.test, Test::Equal(_) | Test::NotEqual(_));
                let same = monotone && holds(-Missing::ZERO) == yes && holds(Missing::ZERO) == yes;
                (yes, !same)
            }
        };
        let exact = |t: f64| wide || f64::from(t as f32) == t;
        let down = |t| if wide { t } else { f64::from(floor32(t)) };
        let up = |t| if wide { t } else { f64::from(ceil32(t)) };
        let equal = |t| {
            if exact(t) {
                Condition::Compare(Mode::Equal, t)
            } else {
                Condition::NEVER
            }
        };
        let condition = match split.test {
            Test::Less(t) => Condition::Compare(Mode::Less, up(t)),
            Test::LessEq(t) => Condition::Compare(Mode::LessEq, down(t)),
            Test::Greater(t) => Condition::Compare(Mode::Greater, down(t)),
            Test::GreaterEq(t) => Condition::Compare(Mode::GreaterEq, up(t)),
            Test::Equal(t) | Test::NotEqual(t) => equal(t),
            Test::In(_) => Condition::NEVER,
        };
        // ONNX's own NEQ sends NaN to the true way whatever the flag says; EQ turned round does not.
        let turned = matches!(split.test, Test::NotEqual(_));
        let column = Column {
            zero_is_nan,
            index: Rounding::None,
        };
        Self::oriented(split, column, condition, nan_yes, turned)
    }

    fn oriented(
        split: &Split,
        column: Column,
        condition: Condition,
        nan_yes: bool,
        turned: bool,
    ) -> Self {
        let (on_true, on_false) = if turned {
            (split.no, split.yes)
        } else {
            (split.yes, split.no)
        };
        Self {
            column,
            condition,
            nan_true: nan_yes != turned,
            on_true,
            on_false,
        }
    }
}

fn member(split: &Split, set: &CategorySet, wide: bool) -> Branch {
    let nan_yes = match split.missing {
        Missing::AsZero => set.contains(0.0),
        Missing::Nan { yes } | Missing::ZeroOrNan { yes } => yes,
    };
    let mut column = Column {
        zero_is_nan: matches!(split.missing, Missing::ZeroOrNan { .. }),
        index: match set.index {
            CategoryIndex::Exact => Rounding::None,
            CategoryIndex::TruncateNonNegative => Rounding::Floor,
            CategoryIndex::Truncate => Rounding::Truncate,
        },
    };
    // Unknown categories are missing: one way then holds known members only, the other the rest.
    let (members, turned): (Vec<u32>, bool) = match (&set.known, split.missing) {
        (Some(known), Missing::Nan { yes }) => {
            let keep = |c: &&u32| set.members.binary_search(c).is_ok() != yes;
            (known.iter().filter(keep).copied().collect(), yes)
        }
        _ => (set.members.clone(), false),
    };
    let values: Vec<f64> = members
        .into_iter()
        .map(f64::from)
        // A category that f32 cannot hold is no f32 input's.
        .filter(|&c| wide || f64::from(c as f32) == c)
        .collect();
    let condition = match values[..] {
        [] => {
            column.index = Rounding::None;
            Condition::NEVER
        }
        [one] => Condition::Compare(Mode::Equal, one),
        _ => Condition::Member(values),
    };
    Branch::oriented(split, column, condition, nan_yes, turned)
}

/// The reference's comparison, on a value that is no NaN.
fn holds(test: Test, x: f64) -> bool {
    match test {
        Test::Less(t) => x < t,
        Test::LessEq(t) => x <= t,
        Test::Greater(t) => x > t,
        Test::GreaterEq(t) => x >= t,
        Test::Equal(t) => x == t,
        Test::NotEqual(t) => x != t,
        Test::In(_) => false,
    }
}
