//! `IterativeImputer`: missing values are filled in at first as by a `SimpleImputer`, then column by
//! column with what a regressor says from the others, as often as in training.
//!
//! A row is carried as two parts side by side: its values as filled so far, and 1 where a value was
//! missing. (A batch of nothing but missing values is special; here it is not, as its rows may stand
//! in any batch.)

use fretsaw_model::{Answer, Function, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::transformer::Transformed;
use super::{estimator, impute};
use crate::Error;
use crate::pickle::{Id, Value};

/// Places in all rounds together: each round puts the whole row together anew, and a file may name
/// one round any number of times.
const MAX_PLACES: usize = 1 << 24;

pub(super) fn iterative(at: Attributes<'_, '_>, cx: &Context<'_>, columns: Columns) -> Transformed {
    if at.flag("sample_posterior") {
        return Err(at.unsupported(
            "with `sample_posterior`",
            "it draws its values at random; fit it without",
        ));
    }
    let first = at.child("initial_imputer_")?;
    let values = first.one_each("statistics_", columns.width())?;
    let empty = empty_features(at, &values)?;
    let keeps = at.flag("keep_empty_features");
    let kept: Vec<usize> = (0..values.len()).filter(|&c| keeps || !empty[c]).collect();
    let n = kept.len() as u32;
    let mut filled = Vec::new();
    if at.count("n_iter_")? == 0 || n == 0 {
        filled.extend(impute::filled(values, &kept));
    } else {
        filled.push(Step::Branches(vec![
            impute::filled(values, &kept),
            vec![Step::IsMissing {
                columns: kept.iter().map(|&c| c as u32).collect(),
            }],
        ]));
        let limits = [at.floats("_min_value")?, at.floats("_max_value")?];
        let id = at.get("imputation_sequence_")?;
        let rounds = at
            .pickle
            .objects(id)
            .ok_or_else(|| Error::invalid("`imputation_sequence_` is no list"))?;
        if rounds.len().saturating_mul(kept.len()) > MAX_PLACES {
            return Err(at.unsupported(
                &format!("of {} rounds over {n} columns", rounds.len()),
                format!("up to {MAX_PLACES} columns in all rounds are taken"),
            ));
        }
        for (i, round) in rounds.into_iter().enumerate() {
            let round = Round::read(at, round, n)
                .and_then(|round| match empty[kept[round.column as usize]] {
                    true => Ok(Vec::new()),
                    false => round.steps(at, cx, n, &limits),
                })
                .map_err(|e| e.item(i).under("imputation_sequence_"))?;
            filled.extend(round);
        }
        filled.push(Step::Select {
            columns: (0..n).collect(),
        });
    }
    let indicator = impute::indicator(at, &columns)?;
    let mut steps = impute::mark_missing(at)?;
    let behind = Columns::computed(kept.len());
    impute::beside(&mut steps, filled, behind, indicator)
}

/// Whether no row had a value in training, of each column; such columns are dropped, or kept as
/// the first imputer fills them.
fn empty_features(at: Attributes<'_, '_>, statistics: &[f64]) -> Result<Vec<bool>, Error> {
    if at.some("_is_empty_feature").is_some() {
        let flags = at.one_each("_is_empty_feature", statistics.len())?;
        return Ok(flags.iter().map(|&f| f != 0.0).collect());
    }
    if at.flag("keep_empty_features") {
        return Err(at.unsupported(
            "with `keep_empty_features` before 1.6",
            "fit it with a later scikit-learn",
        ));
    }
    Ok(statistics.iter().map(|v| v.is_nan()).collect())
}

/// One entry of `imputation_sequence_`.
struct Round {
    column: u32,
    /// The columns that the regressor sees.
    neighbors: Vec<u32>,
    estimator: Id,
}

impl Round {
    /// Of a named tuple: `(feat_idx, neighbor_feat_idx, estimator)`, for rows of `n` values.
    fn read(at: Attributes<'_, '_>, id: Id, n: u32) -> Result<Self, Error> {
        let fault = || Error::invalid("neither a column, other columns and an estimator");
        let items = match at.pickle.get(id) {
            Value::Object(object) => &object.args[..],
            Value::Tuple(items) => &items[..],
            _ => return Err(fault()),
        };
        let &[column, neighbors, estimator] = items else {
            return Err(fault());
        };
        let place =
            |c: f64| ((0.0..f64::from(n)).contains(&c) && c.trunc() == c).then_some(c as u32);
        let neighbors = at.pickle.elements(neighbors).and_then(|e| e.floats());
        let neighbors = neighbors.ok_or_else(fault)?.into_iter().map(place);
        Ok(Self {
            column: place(at.pickle.number(column)?).ok_or_else(fault)?,
            neighbors: neighbors.collect::<Option<_>>().ok_or_else(fault)?,
            estimator,
        })
    }

    /// The steps that put what the regressor says in the place of a missing value.
    fn steps(
        self,
        at: Attributes<'_, '_>,
        cx: &Context<'_>,
        n: u32,
        [least, most]: &[Vec<f64>; 2],
    ) -> Result<Vec<Step>, Error> {
        let estimator = Attributes::of(at.pickle, self.estimator)?;
        let sees = Columns::computed(self.neighbors.len());
        let part = estimator::read(estimator, cx, &sees)?;
        if part.answer != Answer::Values || part.body.n_outputs() != 1 {
            return Err(estimator.unsupported("in an IterativeImputer", "regressors are read"));
        }
        let mut said = vec![Step::Select {
            columns: self.neighbors,
        }];
        said.extend(part.into_answers());
        let limit = |limits: &[f64]| {
            let limit = limits.get(self.column as usize).copied();
            limit.ok_or_else(|| Error::invalid("a column without a limit"))
        };
        let (low, high) = (limit(least)?, limit(most)?);
        if low > f64::NEG_INFINITY || high < f64::INFINITY {
            said.push(Step::Map(Function::Clip { low, high }));
        }
        let c = self.column;
        let at_place = |columns| vec![Step::Select { columns }];
        let new = vec![
            Step::Branches(vec![at_place(vec![n + c]), said, at_place(vec![c])]),
            Step::Choose,
        ];
        let mut columns: Vec<u32> = (0..2 * n).collect();
        columns[c as usize] = 2 * n;
        Ok(vec![
            Step::Branches(vec![Vec::new(), new]),
            Step::Select { columns },
        ])
    }
}
