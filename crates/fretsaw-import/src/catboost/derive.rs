//! One-hot values and target statistics as look-ups of the IR.
//!
//! A one-hot feature becomes the place of the category among those that splits compare with. A target
//! statistic becomes a table from the hash of its combination to the finished number, computed here
//! once for each key in f32, as CatBoost computes it for each row (`TModelCtr::Calc`).

use fretsaw_model::{Derived, KeyPart, Missing, Step, Test, extend_key};

use super::lift::Cut;
use super::{CtrFeature, CtrType, CtrValueTable, Model, ModelCtr, OneHotFeature};
use crate::Error;

/// Derived features: one for each one-hot feature, then one for each target statistic, behind the
/// model's own.
pub(super) struct Derivation {
    first: u32,
    derived: Vec<Derived>,
}

impl Derivation {
    pub(super) fn of(model: &Model, n_features: usize) -> Result<Self, Error> {
        let mut derived = Vec::new();
        for (i, feature) in model.one_hot_features.iter().enumerate() {
            let one = one_hot(model, feature);
            derived.push(one.map_err(|e| e.item(i).under("one_hot_features"))?);
        }
        for (i, feature) in model.ctr_features.iter().enumerate() {
            let one = statistic(model, feature);
            derived.push(one.map_err(|e| e.item(i).under("ctrs"))?);
        }
        let last = n_features.saturating_add(derived.len());
        if u32::try_from(last).is_err() {
            return Err(Error::invalid(format!("{last} features are too many")));
        }
        Ok(Self {
            first: n_features as u32,
            derived,
        })
    }

    /// The splits on these features, in the order of their numbers.
    pub(super) fn cuts(&self, model: &Model) -> Result<Vec<Cut>, Error> {
        let mut cuts = Vec::new();
        let mut feature = self.first;
        let mut cut = |feature, test| {
            cuts.push(Cut {
                feature,
                test,
                missing: Missing::Nan { yes: false },
            });
        };
        for one_hot in &model.one_hot_features {
            for value in &one_hot.values {
                let first = one_hot.values.iter().position(|v| v == value);
                cut(feature, Test::Equal(first.unwrap_or_default() as f64));
            }
            feature += 1;
        }
        for ctr in &model.ctr_features {
            for &border in &ctr.borders {
                if border.is_nan() {
                    return Err(Error::invalid("a border of a target statistic is NaN"));
                }
                cut(feature, Test::Greater(border.into()));
            }
            feature += 1;
        }
        Ok(cuts)
    }

    pub(super) fn into_steps(self) -> Vec<Step> {
        if self.derived.is_empty() {
            Vec::new()
        } else {
            vec![Step::Derive(self.derived)]
        }
    }
}

fn cat_column(model: &Model, index: i32) -> Result<u32, Error> {
    model
        .cat_features
        .iter()
        .find(|f| f.index == index)
        .and_then(|f| u32::try_from(f.flat_index).ok())
        .ok_or_else(|| Error::invalid(format!("there is no categorical feature {index}")))
}

fn one_hot(model: &Model, feature: &OneHotFeature) -> Result<Derived, Error> {
    let part = KeyPart::Category {
        feature: cat_column(model, feature.index)?,
    };
    let rows = feature.values.iter().enumerate();
    let rows = rows.map(|(i, &hash)| (extend_key(0, hash as u64), i as f64));
    Ok(table(vec![part], rows.collect(), -1.0))
}

/// The first of equal keys counts.
fn table(parts: Vec<KeyPart>, mut rows: Vec<(u64, f64)>, otherwise: f64) -> Derived {
    rows.sort_by_key(|&(key, _)| key);
    rows.dedup_by_key(|&mut (key, _)| key);
    let (keys, values) = rows.into_iter().unzip();
    Derived {
        parts,
        keys,
        values,
        otherwise,
    }
}

fn statistic(model: &Model, feature: &CtrFeature) -> Result<Derived, Error> {
    let ctr = &feature.ctr;
    let projection = &ctr.base.projection;
    let mut parts = Vec::new();
    for &index in &projection.cat_features {
        parts.push(KeyPart::Category {
            feature: cat_column(model, index)?,
        });
    }
    for &(index, border) in &projection.float_splits {
        let (feature, missing) = model
            .float_column(index)
            .ok_or_else(|| Error::invalid(format!("there is no numeric feature {index}")))?;
        parts.push(KeyPart::Above {
            feature,
            border,
            missing: missing && border < f32::INFINITY,
        });
    }
    for &(index, hash) in &projection.one_hot_splits {
        parts.push(KeyPart::Is {
            feature: cat_column(model, index)?,
            category: hash as u32,
        });
    }
    let counts = model
        .ctr_tables
        .iter()
        .find(|t| t.base == ctr.base)
        .ok_or_else(|| Error::invalid("the model has no table for this target statistic"))?;
    let value = calculation(ctr, counts)?;
    let rows = counts
        .keys
        .iter()
        .zip(counts.counts.chunks_exact(counts.width));
    let rows = rows.map(|(&key, counts)| (key, value(Some(counts)).into()));
    Ok(table(parts, rows.collect(), value(None).into()))
}

/// The number that the counts of a key come to; `None` for a key never seen.
fn calculation<'a>(
    ctr: &'a ModelCtr,
    table: &CtrValueTable,
) -> Result<impl Fn(Option<&[f64]>) -> f32 + 'a, Error> {
    let kind = ctr.base.ctr_type;
    let border = usize::try_from(ctr.target_border_idx).unwrap_or(usize::MAX);
    let fits = match kind {
        CtrType::Buckets => border < table.width,
        // Of two classes the second one is good, whatever the border.
        CtrType::Borders => table.width == 2 || border.saturating_add(1) < table.width,
        CtrType::BinarizedTargetMeanValue | CtrType::FloatTargetMeanValue => table.width == 2,
        CtrType::Counter | CtrType::FeatureFreq => table.width == 1,
    };
    if !fits {
        return Err(Error::invalid(format!(
            "{} counts a key and target border {} for a statistic of kind {kind:?}",
            table.width, ctr.target_border_idx
        )));
    }
    let first_good = if table.width == 2 {
        1
    } else {
        border.saturating_add(1)
    };
    let all = f64::from(table.counter_denominator);
    Ok(move |counts: Option<&[f64]>| {
        let (good, total) = match (kind, counts) {
            (CtrType::Counter | CtrType::FeatureFreq, counts) => {
                (counts.map_or(0.0, |c| c[0]), all)
            }
            (_, None) => (0.0, 0.0),
            (CtrType::Borders, Some(c)) => (c[first_good..].iter().sum(), c.iter().sum()),
            (CtrType::Buckets, Some(c)) => (c[border], c.iter().sum()),
            (_, Some(c)) => (c[0], c[1]),
        };
        // Whole numbers become f32 only now.
        let mean = (good as f32 + ctr.prior_num) / (total as f32 + ctr.prior_denom);
        (mean + ctr.shift) * ctr.scale
    })
}
