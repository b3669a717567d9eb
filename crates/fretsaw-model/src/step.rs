//! Preprocessing steps in front of a model, and the functions that pipelines are made of.
//!
//! A step is a function from a row of values to a row of values. The first few keep the precision
//! that the rows came in; all others compute in f64 and so give f64, as does everything behind them.
//! A model inside a model (a member of a vote, a stage of a stack) is steps too: a
//! [`Step::Ensemble`] and a [`Step::Link`] in a branch of [`Step::Branches`].

use crate::{
    Curve, Derived, Encoder, Ensemble, Error, Float, Function, Kernel, Linear, Link, NeighborFill,
    Neighbors, Norm, PairwiseCoupling, Power,
};

/// One step; steps run in order, each on all values of a row.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// A value equal to `value` becomes missing (NaN): XGBoost's `missing` parameter.
    MarkMissing {
        /// The marker.
        value: f64,
    },
    /// `|x| <= limit` becomes 0: LightGBM drops such values when it predicts from a matrix.
    FlushTiny {
        /// The limit, included.
        limit: f64,
    },
    /// A missing value becomes `values[feature]`.
    Impute {
        /// One value a feature.
        values: Vec<f64>,
    },
    /// `(x - shift[feature]) / scale[feature]`.
    Scale {
        /// One shift a feature.
        shift: Vec<f64>,
        /// One divisor a feature, never 0.
        scale: Vec<f64>,
    },
    /// From here on values are f64, whatever the rows came as: scikit-learn's transformers, whose
    /// constants are f64, as they treat rows of Python's numbers.
    Widen,
    /// Appends features that are looked up in tables, each seeing those before it.
    Derive(Vec<Derived>),

    /// The values at these places, in this order.
    Select {
        /// Places in the row; any of them any number of times.
        columns: Vec<u32>,
    },
    /// Each branch sees the whole row; what they give stands side by side.
    Branches(Vec<Vec<Step>>),
    /// `x * factor[i] + offset[i]`, each rounded.
    Affine {
        /// One factor a value.
        factor: Vec<f64>,
        /// One offset a value.
        offset: Vec<f64>,
    },
    /// Of a row in three equal parts: the second part's value where the first part's is above 0,
    /// else (missing too) the third's.
    Choose,
    /// One function of every value.
    Map(Function),
    /// 1 where the value at the place is missing, else 0.
    IsMissing {
        /// Places in the row.
        columns: Vec<u32>,
    },
    /// A power transform of each value, one parameter a value.
    Power {
        /// Which transform.
        kind: Power,
        /// Its exponents.
        lambdas: Vec<f64>,
    },
    /// A piecewise linear function of each value, one a value.
    Curves(Vec<Curve>),
    /// How many of the value's edges are at or below it, one ascending list a value. NaN is in
    /// bin 0.
    Bins(Vec<Vec<f64>>),
    /// Categories become numbers; columns that no encoder names are dropped.
    Encode(Vec<Encoder>),
    /// The row divided by its norm.
    Normalize(Norm),
    /// Each output is the product of the values at these places, from the left; 1 of none.
    Products(Vec<Vec<u32>>),
    /// A matrix product and an offset, summed in f64.
    Linear(Linear),
    /// The margins of a tree ensemble.
    Ensemble(Ensemble),
    /// A link, in f64.
    Link(Link),
    /// How similar the row is to each of some stored rows.
    Kernel(Kernel),
    /// What the nearest of some stored rows say.
    Neighbors(Neighbors),
    /// Missing values become what the nearest rows that have them say.
    FillFromNeighbors(NeighborFill),
    /// Decisions between each two of `n_classes` classes, (0,1), (0,2), ..., (1,2), ..., below 0 for
    /// the second, become a score for each class: its votes, and a fraction below a third by how
    /// sure they are (scikit-learn's `_ovr_decision_function`).
    Votes {
        /// The classes.
        n_classes: u32,
    },
    /// Such decisions become a probability for each class.
    Couple(PairwiseCoupling),
    /// The weighted median of the row: one value.
    WeightedMedian {
        /// One weight a value.
        weights: Vec<f64>,
    },
}

impl Step {
    /// How many values a row has behind this step, of one that had `n`.
    pub fn width(&self, n: usize) -> usize {
        match self {
            Self::Derive(derived) => derived.iter().fold(n, |n, d| n + d.otherwise.len()),
            Self::Select { columns } | Self::IsMissing { columns } => columns.len(),
            Self::Branches(branches) => branches.iter().map(|b| width(b, n)).sum(),
            Self::Encode(encoders) => encoders.iter().map(|e| e.codes.width()).sum(),
            Self::Choose => n / 3,
            Self::Products(products) => products.len(),
            Self::Linear(l) => l.n_outputs,
            Self::Ensemble(e) => e.n_outputs,
            Self::Link(link) => link.n_answers(n),
            Self::Kernel(k) => k.n_vectors(),
            Self::Neighbors(k) => k.targets.width(),
            Self::Votes { n_classes } => *n_classes as usize,
            Self::Couple(c) => c.n_classes as usize,
            Self::WeightedMedian { .. } => 1,
            _ => n,
        }
    }

    /// Whether it computes value by value in the precision that the rows came in.
    pub fn keeps_precision(&self) -> bool {
        matches!(
            self,
            Self::MarkMissing { .. }
                | Self::FlushTiny { .. }
                | Self::Impute { .. }
                | Self::Scale { .. }
                | Self::Derive(_)
        )
    }
}

/// How many values a row has behind all of these steps, of one that had `n`.
pub fn width(steps: &[Step], n: usize) -> usize {
    steps.iter().fold(n, |n, step| step.width(n))
}

/// Runs steps on one row, in the precision that the rows came in, or in f64 behind the first step
/// that gives it. The row changes its length by what the steps give.
///
/// # Errors
/// When a value is a category that an encoder refuses.
pub fn apply_steps(steps: &[Step], mut float: Float, x: &mut Vec<f64>) -> Result<(), Error> {
    for step in steps {
        if step.keeps_precision() {
            value_by_value(step, float, x);
        } else {
            float = Float::F64;
            *x = apply(step, x)?;
        }
    }
    Ok(())
}

fn value_by_value(step: &Step, float: Float, x: &mut Vec<f64>) {
    if let Step::Derive(derived) = step {
        for d in derived {
            let values = d.values_of(x).iter().map(|&v| float.cast(v));
            x.extend(values);
        }
        return;
    }
    for (i, v) in x.iter_mut().enumerate() {
        *v = float.cast(match step {
            Step::MarkMissing { value } if *v == float.cast(*value) => f64::NAN,
            Step::FlushTiny { limit } if v.abs() <= *limit => 0.0,
            Step::Impute { values } if v.is_nan() => values[i],
            Step::Scale { shift, scale } => {
                float.cast(*v - float.cast(shift[i])) / float.cast(scale[i])
            }
            _ => *v,
        });
    }
}

/// One step of those that compute in f64, on the row `x`.
///
/// # Errors
/// When a value is a category that an encoder refuses.
pub fn apply(step: &Step, x: &[f64]) -> Result<Vec<f64>, Error> {
    let at = |columns: &[u32]| columns.iter().map(|&c| x[c as usize]).collect::<Vec<f64>>();
    Ok(match step {
        Step::Select { columns } => at(columns),
        Step::Branches(branches) => {
            let mut all = Vec::new();
            for steps in branches {
                let mut row = x.to_vec();
                apply_steps(steps, Float::F64, &mut row)?;
                all.append(&mut row);
            }
            all
        }
        Step::Affine { factor, offset } => {
            let terms = x.iter().zip(factor).zip(offset);
            terms.map(|((x, f), o)| x * f + o).collect()
        }
        Step::Choose => {
            let (condition, rest) = x.split_at(x.len() / 3);
            let (yes, no) = rest.split_at(condition.len());
            let choices = condition.iter().zip(yes).zip(no);
            choices
                .map(|((&c, &yes), &no)| if c > 0.0 { yes } else { no })
                .collect()
        }
        Step::Map(function) => x.iter().map(|&x| function.of(x)).collect(),
        Step::IsMissing { columns } => {
            let is = |x: f64| f64::from(u8::from(x.is_nan()));
            at(columns).into_iter().map(is).collect()
        }
        Step::Power { kind, lambdas } => x
            .iter()
            .zip(lambdas)
            .map(|(&x, &l)| kind.of(x, l))
            .collect(),
        Step::Curves(curves) => curves.iter().zip(x).map(|(c, &x)| c.of(x)).collect(),
        Step::Bins(edges) => {
            let bin = |(edges, x): (&Vec<f64>, &f64)| edges.partition_point(|e| e <= x) as f64;
            edges.iter().zip(x).map(bin).collect()
        }
        Step::Encode(encoders) => {
            let mut all = Vec::new();
            for encoder in encoders {
                encoder.apply(x, &mut all)?;
            }
            all
        }
        Step::Normalize(norm) => {
            let mut row = x.to_vec();
            norm.divide(&mut row);
            row
        }
        Step::Products(products) => {
            let product = |p: &Vec<u32>| at(p).into_iter().reduce(|a, b| a * b).unwrap_or(1.0);
            products.iter().map(product).collect()
        }
        Step::Linear(l) => {
            let mut out = Vec::new();
            crate::predict::linear(l, x, &mut out);
            out
        }
        Step::Ensemble(e) => {
            let mut out = Vec::new();
            crate::predict::ensemble(e, &mut x.to_vec(), &mut out);
            out
        }
        Step::Link(link) => {
            let mut out = vec![0.0; link.n_answers(x.len())];
            link.apply_f64(x, &mut out);
            out
        }
        Step::Kernel(kernel) => kernel.of(x),
        Step::Neighbors(neighbors) => neighbors.of(x),
        Step::FillFromNeighbors(fill) => fill.of(x),
        Step::Votes { n_classes } => crate::pairwise::votes(x, *n_classes as usize),
        Step::Couple(coupling) => coupling.of(x),
        Step::WeightedMedian { weights } => vec![weighted_median(x, weights)],
        // Those that keep the precision do in f64 what they do in any; `Widen` does nothing there.
        other => {
            let mut row = x.to_vec();
            value_by_value(other, Float::F64, &mut row);
            row
        }
    })
}

/// The first value, in ascending order, at which the weights sum to half of all or more:
/// scikit-learn's `AdaBoostRegressor`.
fn weighted_median(x: &[f64], weights: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
    let mut sums = Vec::with_capacity(order.len());
    let mut sum = 0.0;
    for &i in &order {
        sum += weights[i];
        sums.push(sum);
    }
    let at = sums.iter().position(|&s| s >= 0.5 * sum).unwrap_or(0);
    x[order[at]]
}
