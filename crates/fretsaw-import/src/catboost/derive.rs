//! One-hot values and target statistics as look-ups of the IR.
//!
//! A one-hot feature becomes the place of the category among those that splits compare with. A target
//! statistic becomes a table from the hash of its combination to the finished number, computed here
//! once for each key in f32, as CatBoost computes it for each row (`TModelCtr::Calc`).

use std::collections::BTreeMap;

use fretsaw_model::{Derived, KeyPart, Missing, Step, Test, extend_key};

use super::lift::Cut;
use super::{CtrFeature, CtrType, CtrValueTable, Model, ModelCtr, ModelCtrBase, OneHotFeature};
use crate::Error;

/// Values that the tables of one model may come to, for each of their keys.
const MAX_UNFOLDED: usize = 256;

/// Derived features behind the model's own: one for each one-hot feature, then those of the target
/// statistics, table by table.
pub(super) struct Derivation {
    derived: Vec<Derived>,
    /// The place of each one-hot feature, then of each target statistic, among all features.
    places: Vec<u32>,
}

impl Derivation {
    pub(super) fn of(model: &Model, n_features: usize) -> Result<Self, Error> {
        let columns = Columns::of(model);
        let mut derived = Vec::new();
        let mut places = Vec::new();
        for (i, feature) in model.one_hot_features.iter().enumerate() {
            let one = one_hot(&columns, feature);
            derived.push(one.map_err(|e| e.item(i).under("one_hot_features"))?);
            places.push(n_features + i);
        }
        let first = n_features + derived.len();

        // Statistics of one table are looked up together.
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut group_of = BTreeMap::new();
        for (i, feature) in model.ctr_features.iter().enumerate() {
            let group = *group_of
                .entry(identity(&feature.ctr.base))
                .or_insert_with(|| {
                    groups.push(Vec::new());
                    groups.len() - 1
                });
            groups[group].push(i);
        }
        let mut tables = BTreeMap::new();
        for table in &model.ctr_tables {
            tables.entry(identity(&table.base)).or_insert(table);
        }
        let n_keys: usize = model.ctr_tables.iter().map(|t| t.keys.len()).sum();
        let mut left = n_keys.saturating_mul(MAX_UNFOLDED);
        let mut next = first;
        places.resize(first - n_features + model.ctr_features.len(), 0);
        for group in groups {
            let features: Vec<&CtrFeature> =
                group.iter().map(|&i| &model.ctr_features[i]).collect();
            let at = |e: Error| e.item(group[0]).under("ctrs");
            let table = tables
                .get(&identity(&features[0].ctr.base))
                .ok_or_else(|| at(Error::invalid("the model has no table for this statistic")))?;
            left = table
                .keys
                .len()
                .checked_mul(features.len())
                .and_then(|n| left.checked_sub(n))
                .ok_or_else(|| {
                    at(Error::unsupported(
                        format!("{} statistics of one table", features.len()),
                        format!("about {MAX_UNFOLDED} are taken"),
                    ))
                })?;
            derived.push(statistics(&columns, &features, table).map_err(at)?);
            for (k, &i) in group.iter().enumerate() {
                places[first - n_features + i] = next + k;
            }
            next += group.len();
        }
        let places = places.into_iter().map(u32::try_from);
        Ok(Self {
            derived,
            places: places
                .collect::<Result<_, _>>()
                .map_err(|_| Error::invalid("more features than can be numbered"))?,
        })
    }

    /// The splits on these features, in the order of their numbers.
    pub(super) fn cuts(&self, model: &Model) -> Result<Vec<Cut>, Error> {
        let mut cuts = Vec::new();
        let mut cut = |feature, test| {
            cuts.push(Cut {
                feature,
                test,
                missing: Missing::Nan { yes: false },
            });
        };
        let (one_hots, ctrs) = self.places.split_at(model.one_hot_features.len());
        for (one_hot, &place) in model.one_hot_features.iter().zip(one_hots) {
            // Of equal categories the first one is what the look-up gives; splits on others of them
            // are splits on it.
            let mut first = BTreeMap::new();
            for (i, &value) in one_hot.values.iter().enumerate() {
                cut(place, Test::Equal(*first.entry(value).or_insert(i) as f64));
            }
        }
        for (ctr, &place) in model.ctr_features.iter().zip(ctrs) {
            for &border in &ctr.borders {
                if border.is_nan() {
                    return Err(Error::invalid("a border of a target statistic is NaN"));
                }
                cut(place, Test::Greater(border.into()));
            }
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

/// What a table counts by, as something to look up: numbers, with their lengths in front.
fn identity(base: &ModelCtrBase) -> Vec<u64> {
    let c = &base.projection;
    let mut id = vec![
        base.ctr_type as u64,
        base.target_border_classifier_idx as u64,
        c.cat_features.len() as u64,
        c.float_splits.len() as u64,
    ];
    id.extend(c.cat_features.iter().map(|&f| f as u64));
    // Zeros are equal.
    let float = |&(f, b): &(i32, f32)| [f as u64, u64::from((b + 0.0).to_bits())];
    id.extend(c.float_splits.iter().flat_map(float));
    let one_hot = |&(f, v): &(i32, i32)| [f as u64, v as u64];
    id.extend(c.one_hot_splits.iter().flat_map(one_hot));
    id
}

/// Columns by the numbers of features.
struct Columns {
    cats: BTreeMap<i32, u32>,
    floats: BTreeMap<i32, (u32, bool)>,
}

impl Columns {
    fn of(model: &Model) -> Self {
        // `lift` has looked at the columns.
        let cats = model.cat_features.iter();
        let floats = model.float_features.iter();
        Self {
            cats: cats.map(|f| (f.index, f.flat_index as u32)).collect(),
            floats: floats
                .map(|f| (f.index, (f.flat_index as u32, f.missing_is_above())))
                .collect(),
        }
    }

    fn cat(&self, index: i32) -> Result<u32, Error> {
        let column = self.cats.get(&index).copied();
        column.ok_or_else(|| Error::invalid(format!("there is no categorical feature {index}")))
    }
}

fn one_hot(columns: &Columns, feature: &OneHotFeature) -> Result<Derived, Error> {
    let part = KeyPart::Category {
        feature: columns.cat(feature.index)?,
    };
    let rows = feature.values.iter().enumerate();
    let mut rows: Vec<_> = rows
        .map(|(i, &hash)| (extend_key(0, hash as u64), i as f64))
        .collect();
    // The first of equal ones counts.
    rows.sort_by_key(|&(key, _)| key);
    rows.dedup_by_key(|&mut (key, _)| key);
    let (keys, values) = rows.into_iter().unzip();
    Ok(Derived {
        parts: vec![part],
        keys,
        values,
        otherwise: vec![-1.0],
    })
}

/// The statistics of one table.
fn statistics(
    columns: &Columns,
    features: &[&CtrFeature],
    table: &CtrValueTable,
) -> Result<Derived, Error> {
    let projection = &table.base.projection;
    let mut parts = Vec::new();
    for &index in &projection.cat_features {
        parts.push(KeyPart::Category {
            feature: columns.cat(index)?,
        });
    }
    for &(index, border) in &projection.float_splits {
        let (feature, missing) = *columns
            .floats
            .get(&index)
            .ok_or_else(|| Error::invalid(format!("there is no numeric feature {index}")))?;
        parts.push(KeyPart::Above {
            feature,
            border,
            missing: missing && border < f32::INFINITY,
        });
    }
    for &(index, hash) in &projection.one_hot_splits {
        parts.push(KeyPart::Is {
            feature: columns.cat(index)?,
            category: hash as u32,
        });
    }
    let calculations: Vec<_> = features
        .iter()
        .map(|f| calculation(&f.ctr, table))
        .collect::<Result<_, _>>()?;
    let mut rows: Vec<(u64, &[f64])> = table
        .keys
        .iter()
        .copied()
        .zip(table.counts.chunks_exact(table.width))
        .collect();
    rows.sort_by_key(|&(key, _)| key);
    rows.dedup_by_key(|&mut (key, _)| key);
    let values = rows.iter().flat_map(|&(_, counts)| {
        let value = move |f: &Calculation<'_>| f64::from(f.value(Some(counts)));
        calculations.iter().map(value)
    });
    Ok(Derived {
        parts,
        values: values.collect(),
        otherwise: calculations.iter().map(|f| f.value(None).into()).collect(),
        keys: rows.iter().map(|&(key, _)| key).collect(),
    })
}

/// One statistic of a table.
struct Calculation<'a> {
    ctr: &'a ModelCtr,
    border: usize,
    /// Of `Borders`: the first class that counts as good.
    first_good: usize,
    denominator: f64,
}

fn calculation<'a>(ctr: &'a ModelCtr, table: &CtrValueTable) -> Result<Calculation<'a>, Error> {
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
    Ok(Calculation {
        ctr,
        border,
        first_good: if table.width == 2 {
            1
        } else {
            border.saturating_add(1)
        },
        denominator: table.counter_denominator.into(),
    })
}

impl Calculation<'_> {
    /// What the counts of a key come to; `None` for a key never seen.
    fn value(&self, counts: Option<&[f64]>) -> f32 {
        let (good, total): (f64, f64) = match (self.ctr.base.ctr_type, counts) {
            (CtrType::Counter | CtrType::FeatureFreq, counts) => {
                (counts.map_or(0.0, |c| c[0]), self.denominator)
            }
            (_, None) => (0.0, 0.0),
            (CtrType::Borders, Some(c)) => (c[self.first_good..].iter().sum(), c.iter().sum()),
            (CtrType::Buckets, Some(c)) => (c[self.border], c.iter().sum()),
            (_, Some(c)) => (c[0], c[1]),
        };
        // Whole numbers become f32 only now.
        let mean = (good as f32 + self.ctr.prior_num) / (total as f32 + self.ctr.prior_denom);
        (mean + self.ctr.shift) * self.ctr.scale
    }
}
