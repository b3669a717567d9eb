//! Members of other models: reading them, what they can be asked, and sums of what they answer.
//!
//! Sums go in the order of the members and start from 0, as scikit-learn's do.

use fretsaw_model::{Answer, Codes, Encoder, Feature, FeatureKind, Labels, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::part::{Part, linear};
use super::{estimator, pipeline};
use crate::Error;

/// Wrappers in wrappers, when looking for the estimator that answers.
const MAX_WRAPPERS: usize = 24;
/// Elements of a matrix that the file does not hold but implies.
const MAX_ELEMENTS: usize = 1 << 22;

/// Reads members that all belong to one model.
pub(super) struct Members<'c, 'a> {
    pub(super) cx: &'c Context<'a>,
    pub(super) columns: &'c Columns,
    /// The kinds of the columns, of a member that has a say in them.
    features: Option<Vec<Feature>>,
}

impl<'c, 'a> Members<'c, 'a> {
    pub(super) fn new(cx: &'c Context<'a>, columns: &'c Columns) -> Self {
        Self {
            cx,
            columns,
            features: None,
        }
    }

    /// Reads a member that sees all columns.
    pub(super) fn read(&mut self, at: Attributes<'_, '_>) -> Result<Part, Error> {
        let mut part = estimator::read(at, self.cx, self.columns)?;
        self.agree(at, part.features.take())?;
        Ok(part)
    }

    /// Reads a member that sees the columns at these places.
    pub(super) fn read_some(
        &mut self,
        at: Attributes<'_, '_>,
        places: &[usize],
    ) -> Result<Part, Error> {
        let n = self.columns.width();
        if places.iter().copied().eq(0..n) {
            return self.read(at);
        }
        if let Some(place) = places.iter().find(|&&p| p >= n) {
            return Err(Error::invalid(format!("it sees column {place} of {n}")));
        }
        let columns = self.columns.select(places);
        let mut part = estimator::read(at, self.cx, &columns)?;
        let kinds = part.features.take();
        if kinds.is_some_and(|f| f.iter().any(|f| f.kind != FeatureKind::Numeric)) {
            return Err(at.unsupported(
                "with categories, in a model that shows it only some columns",
                "let it see all columns",
            ));
        }
        let columns = places.iter().map(|&p| p as u32).collect();
        Ok(part.behind(vec![Step::Select { columns }]))
    }

    /// Members must not take one column for different things.
    fn agree(&mut self, at: Attributes<'_, '_>, new: Option<Vec<Feature>>) -> Result<(), Error> {
        let Some(new) = new else { return Ok(()) };
        let Some(known) = &mut self.features else {
            self.features = Some(new);
            return Ok(());
        };
        for (known, new) in known.iter_mut().zip(new) {
            if known.kind == FeatureKind::Numeric {
                *known = new;
            } else if new.kind != FeatureKind::Numeric && new.kind != known.kind {
                return Err(at.unsupported(
                    "beside a member with other categories",
                    "train all members on columns with the same categories",
                ));
            }
        }
        Ok(())
    }

    /// The whole model, of a part that was made of the members.
    pub(super) fn done(self, part: Part) -> Part {
        Part {
            features: self.features,
            ..part
        }
    }
}

/// Whether the fitted estimator has `decision_function`.
pub(super) fn has_decision_function(mut at: Attributes<'_, '_>) -> Result<bool, Error> {
    for _ in 0..MAX_WRAPPERS {
        if !at.is_sklearn() {
            // LightGBM's has it since 4.7, which is the first to keep this attribute.
            let is_new = at.some("_fitted_with_feature_names").is_some();
            return Ok(at.class() == "LGBMClassifier" && is_new);
        }
        if let Some((inner, _)) = estimator::wrapped(at)? {
            at = inner;
            continue;
        }
        at = match at.class() {
            "Pipeline" => match pipeline::steps(at)?.pop() {
                Some(last) => last,
                None => return Ok(false),
            },
            "StackingClassifier" => at.child("final_estimator_")?,
            "BaggingClassifier" | "OneVsRestClassifier" => {
                match at.objects("estimators_")?.first() {
                    Some(&first) => first,
                    None => return Ok(false),
                }
            }
            "RFE" | "RFECV" => at.child("estimator_")?,
            class => return Ok(DECIDING.contains(&class)),
        };
    }
    Err(Error::unsupported(
        format!("wrappers nested more than {MAX_WRAPPERS} deep"),
        "a model so built is not taken",
    ))
}

/// Classes with `decision_function` of their own.
const DECIDING: &[&str] = &[
    "AdaBoostClassifier",
    "GradientBoostingClassifier",
    "HistGradientBoostingClassifier",
    "IsolationForest",
    "LinearDiscriminantAnalysis",
    "LinearSVC",
    "LogisticRegression",
    "LogisticRegressionCV",
    "NuSVC",
    "OneVsOneClassifier",
    "PassiveAggressiveClassifier",
    "Perceptron",
    "QuadraticDiscriminantAnalysis",
    "RidgeClassifier",
    "RidgeClassifierCV",
    "SGDClassifier",
    "SVC",
    "_ConstantPredictor",
];

/// The steps that give the probability of the second of two classes; `None` where there is none.
pub(super) fn positive(part: Part) -> Option<Vec<Step>> {
    if part.probabilities && part.answer == Answer::Binary {
        return Some(part.into_answers());
    }
    if part.n_classes() != 2 {
        return None;
    }
    let mut steps = part.into_probabilities()?;
    steps.push(Step::Select { columns: vec![1] });
    Some(steps)
}

/// For each class of a member that was trained on numbers of classes the class that it is, of `n`.
pub(super) fn numbers(part: &Part, n: usize) -> Result<Vec<usize>, Error> {
    let fault = || Error::invalid(format!("its classes are not among the numbers below {n}"));
    let numbers: Vec<usize> = match &part.labels {
        None => (0..part.n_classes()).collect(),
        Some(Labels::Ints(v)) => v
            .iter()
            .map(|&v| usize::try_from(v).ok())
            .collect::<Option<_>>()
            .ok_or_else(fault)?,
        Some(Labels::Strings(_)) => return Err(fault()),
    };
    match numbers.iter().all(|&c| c < n) {
        true => Ok(numbers),
        false => Err(fault()),
    }
}

/// From the number of a class to values of its own, `width` for each of them.
pub(super) fn table(width: usize, values: Vec<f64>) -> Step {
    let n = values.len() / width.max(1);
    Step::Encode(vec![Encoder {
        column: 0,
        keys: (0..n).map(|k| k as f64).collect(),
        code_of: (0..n as u32).collect(),
        missing: None,
        // No class has another number; and if one had, it would not be refused.
        unknown: Some(0),
        codes: Codes::Values {
            width: width as u32,
            values,
        },
    }])
}

/// A table with `vote(number of the class, place)`.
pub(super) fn votes(
    n_classes: usize,
    width: usize,
    mut vote: impl FnMut(usize, usize) -> f64,
) -> Result<Step, Error> {
    check_size(n_classes, width)?;
    let mut values = Vec::with_capacity(n_classes * width);
    for class in 0..n_classes {
        values.extend((0..width).map(|place| vote(class, place)));
    }
    Ok(table(width, values))
}

/// What a member adds to a sum.
pub(super) struct Term {
    /// What gives its values.
    pub(super) steps: Vec<Step>,
    /// For each value the output that it adds to.
    pub(super) outputs: Vec<usize>,
    /// Each value times this.
    pub(super) weight: f64,
}

/// The sum of the terms for each of `n` outputs, then divided.
pub(super) fn sum(terms: Vec<Term>, n: usize, divide: f64) -> Result<Vec<Step>, Error> {
    let n_values: usize = terms.iter().map(|t| t.outputs.len()).sum();
    check_size(n_values, n)?;
    let mut weights = vec![0.0; n_values * n];
    let places = terms
        .iter()
        .flat_map(|t| t.outputs.iter().map(|&k| (k, t.weight)));
    for (i, (k, weight)) in places.enumerate() {
        weights[i * n + k] = weight;
    }
    let mut steps = vec![
        Step::Branches(terms.into_iter().map(|t| t.steps).collect()),
        Step::Linear(linear(weights, vec![0.0; n])),
    ];
    if divide != 1.0 {
        steps.push(divided(n, divide));
    }
    Ok(steps)
}

/// Each of `n` values divided by the same.
pub(super) fn divided(n: usize, by: f64) -> Step {
    Step::Scale {
        shift: vec![0.0; n],
        scale: vec![by; n],
    }
}

/// Each of `n` values less their mean, times the factor.
pub(super) fn centred(n: usize, factor: f64) -> Result<Step, Error> {
    check_size(n, n)?;
    let weight = |i: usize| f64::from(u8::from(i.is_multiple_of(n + 1))) - 1.0 / n as f64;
    let weights = (0..n * n).map(|i| factor * weight(i)).collect();
    Ok(Step::Linear(linear(weights, vec![0.0; n])))
}

/// Refuses a matrix that is large, however small the file that implies it.
pub(super) fn check_size(rows: usize, columns: usize) -> Result<(), Error> {
    match rows.checked_mul(columns) {
        Some(n) if n <= MAX_ELEMENTS => Ok(()),
        _ => Err(Error::unsupported(
            format!("{rows} values of members for {columns} outputs"),
            "so many members of so many classes are not taken",
        )),
    }
}
