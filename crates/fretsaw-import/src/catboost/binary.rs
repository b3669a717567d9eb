//! `.cbm`: four bytes of magic, the model as a flatbuffer, then its parts, of which the tables of
//! target statistics are read. The slots are those of CatBoost's schemas (`libs/model/flatbuffers`).

use super::flatbuffer::{Buffer, Table};
use super::info::InfoDocument;
use super::{
    CatFeature, CtrFeature, CtrType, CtrValueTable, FeatureCombination, FloatFeature, Model,
    ModelCtr, ModelCtrBase, NanValueTreatment, ObliviousTree, OneHotFeature, OtherFeature,
    StepNode, Trees,
};
use crate::Error;
use crate::error::shown;

const MAGIC: &[u8] = b"CBM1";
const FORMAT: &str = "FlabuffersModel_v1";
const CTR_PART: &str = "static_provider_v1";
/// As many classes or targets; each costs a bias.
const MAX_OUTPUTS: usize = 1 << 20;

/// Reads a `.cbm` file.
///
/// # Errors
/// When it is broken, contradicts itself, or has parts that are not known.
pub fn from_cbm(bytes: &[u8]) -> Result<Model, Error> {
    let mut rest = Rest { bytes, at: 0 };
    if rest.take(MAGIC.len())? != MAGIC {
        return Err(Error::syntax(
            0,
            "this is no .cbm file: it does not begin with CBM1",
        ));
    }
    let (offset, core) = rest.sized()?;
    let buffer = Buffer::new(core, offset);
    let core = buffer.root()?;
    let format = core.text(0)?;
    if format != FORMAT {
        return Err(Error::unsupported(
            format!("the .cbm format `{}`", shown(&format)),
            format!("only {FORMAT} is known"),
        ));
    }
    let trees = core
        .table(1)?
        .ok_or_else(|| Error::invalid("the model has no trees"))?;
    let mut model = model(&trees)?;
    let mut info = InfoDocument::default();
    core.tables(2, "InfoMap", |pair| {
        info.set(&pair.text(0)?, &pair.text(1)?)
    })?;
    model.info = info.into_info();
    for part in core.texts(3)? {
        if part != CTR_PART {
            // Text and embedding parts; what needs them is refused where it is used.
            break;
        }
        model.ctr_tables = ctr_tables(&mut rest)?;
    }
    Ok(model)
}

/// What has not been read of the file.
struct Rest<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Rest<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], Error> {
        let taken = self
            .at
            .checked_add(n)
            .and_then(|end| self.bytes.get(self.at..end))
            .ok_or_else(|| {
                let left = self.bytes.len() - self.at;
                Error::syntax(
                    self.at,
                    format!("{n} bytes should follow, the file has {left}"),
                )
            })?;
        self.at += n;
        Ok(taken)
    }

    /// A size: 32 bits, or 64 after a mark.
    fn size(&mut self) -> Result<usize, Error> {
        let at = self.at;
        let mut n = number::<4>(self.take(4)?).unwrap_or_default();
        if n == u64::from(u32::MAX) {
            n = number::<8>(self.take(8)?).unwrap_or_default();
        }
        usize::try_from(n).map_err(|_| Error::syntax(at, format!("a part of {n} bytes")))
    }

    /// A size and as many bytes, and where these begin.
    fn sized(&mut self) -> Result<(usize, &'a [u8]), Error> {
        let n = self.size()?;
        let at = self.at;
        Ok((at, self.take(n)?))
    }
}

fn model(t: &Table<'_>) -> Result<Model, Error> {
    let dimension: i32 = t.scalar(0, 0)?;
    let approx_dimension = match usize::try_from(dimension) {
        Ok(n @ 1..=MAX_OUTPUTS) => n,
        _ => return Err(Error::invalid(format!("ApproxDimension is {dimension}"))),
    };
    let float_features = t.tables(5, "FloatFeatures", |f| {
        Ok(FloatFeature {
            has_nans: f.scalar(0, 0_u8)? != 0,
            index: f.scalar(1, -1)?,
            flat_index: f.scalar(2, -1)?,
            borders: f.list(3)?,
            feature_id: f.text(4)?,
            nan_value_treatment: match f.scalar(5, 0_u8)? {
                0 => NanValueTreatment::AsIs,
                1 => NanValueTreatment::AsFalse,
                2 => NanValueTreatment::AsTrue,
                n => return Err(Error::invalid(format!("NanValueTreatment is {n}"))),
            },
        })
    })?;
    let cat_features = t.tables(4, "CatFeatures", |f| {
        Ok(CatFeature {
            index: f.scalar(0, -1)?,
            flat_index: f.scalar(1, -1)?,
            feature_id: f.text(2)?,
        })
    })?;
    let other = |kind| {
        move |f: &Table<'_>| {
            Ok(OtherFeature {
                kind,
                flat_index: f.scalar(1, -1)?,
                feature_id: f.text(2)?,
            })
        }
    };
    let mut other_features = t.tables(12, "TextFeatures", other("text"))?;
    other_features.extend(t.tables(18, "EmbeddingFeatures", other("embedding"))?);
    let one_hot_features = t.tables(6, "OneHotFeatures", |f| {
        Ok(OneHotFeature {
            index: f.scalar(0, -1)?,
            values: f.list(1)?,
        })
    })?;
    let ctr_features = t.tables(7, "CtrFeatures", |f| {
        let ctr = f.table(0)?.ok_or_else(|| Error::invalid("it has no Ctr"))?;
        Ok(CtrFeature {
            ctr: model_ctr(&ctr)?,
            borders: f.list(1)?,
        })
    })?;
    let bias: f64 = t.scalar(15, 0.0)?;
    let mut biases: Vec<f64> = t.list(16)?;
    if biases.is_empty() {
        biases = vec![bias; approx_dimension];
    }
    Ok(Model {
        approx_dimension,
        float_features,
        cat_features,
        other_features,
        has_estimated_features: !t.tables(13, "EstimatedFeatures", |_| Ok(()))?.is_empty(),
        one_hot_features,
        ctr_features,
        ctr_tables: Vec::new(),
        trees: trees(t, approx_dimension)?,
        scale: t.scalar(14, 1.0)?,
        bias: biases,
        info: Default::default(),
    })
}

fn model_ctr(t: &Table<'_>) -> Result<ModelCtr, Error> {
    let base = t
        .table(0)?
        .ok_or_else(|| Error::invalid("its Ctr has no Base"))?;
    Ok(ModelCtr {
        base: model_ctr_base(&base)?,
        target_border_idx: t.scalar(1, 0)?,
        prior_num: t.scalar(2, 0.0)?,
        prior_denom: t.scalar(3, 1.0)?,
        shift: t.scalar(4, 0.0)?,
        scale: t.scalar(5, 1.0)?,
    })
}

fn model_ctr_base(t: &Table<'_>) -> Result<ModelCtrBase, Error> {
    let projection = match t.table(0)? {
        Some(c) => FeatureCombination {
            cat_features: c.list(0)?,
            float_splits: c.list(1)?,
            one_hot_splits: c.list(2)?,
        },
        None => FeatureCombination::default(),
    };
    Ok(ModelCtrBase {
        projection,
        ctr_type: match t.scalar(1, 0_u8)? {
            0 => CtrType::Borders,
            1 => CtrType::Buckets,
            2 => CtrType::BinarizedTargetMeanValue,
            3 => CtrType::FloatTargetMeanValue,
            4 => CtrType::Counter,
            5 => CtrType::FeatureFreq,
            n => return Err(Error::invalid(format!("CtrType is {n}"))),
        },
        target_border_classifier_idx: t.scalar(2, 0)?,
    })
}

fn trees(t: &Table<'_>, dimension: usize) -> Result<Trees, Error> {
    let splits: Vec<i32> = t.list(1)?;
    let sizes: Vec<i32> = t.list(2)?;
    let values: Vec<f64> = t.list(8)?;
    let steps: Vec<(u16, u16)> = t.list(10)?;
    let leaf_ids: Vec<u32> = t.list(11)?;
    if !steps.is_empty() && (steps.len() != splits.len() || leaf_ids.len() != splits.len()) {
        return Err(Error::invalid(format!(
            "{} splits, {} nodes and {} places of leaves",
            splits.len(),
            steps.len(),
            leaf_ids.len()
        )));
    }
    let mut oblivious = Vec::new();
    let mut non_symmetric = Vec::new();
    let mut first = 0_usize;
    // Leaves stand tree by tree; of trees grown node by node each is named once.
    let mut used = 0_usize;
    for (i, &size) in sizes.iter().enumerate() {
        let fault = |message: &str| Error::invalid(message).item(i).under("TreeSizes");
        let nodes = usize::try_from(size)
            .ok()
            .and_then(|size| first.checked_add(size))
            .filter(|&end| end <= splits.len())
            .map(|end| first..end)
            .ok_or_else(|| fault(&format!("a tree of {size} splits, beyond their end")))?;
        first = nodes.end;
        if steps.is_empty() {
            let end = u32::try_from(size)
                .ok()
                .and_then(|size| 1_usize.checked_shl(size))
                .and_then(|leaves| leaves.checked_mul(dimension))
                .and_then(|n| used.checked_add(n))
                .filter(|&end| end <= values.len())
                .ok_or_else(|| fault(&format!("a tree of {size} levels has not enough leaves")))?;
            oblivious.push(ObliviousTree {
                splits: splits[nodes].to_vec(),
                leaf_values: values[used..end].to_vec(),
            });
            used = end;
            continue;
        }
        let mut tree = Vec::new();
        for (at, node) in nodes.clone().enumerate() {
            let (left, right) = steps[node];
            let child = |diff: u16| (diff != 0).then_some(at + usize::from(diff));
            let value = if left == 0 || right == 0 {
                used = used.saturating_add(dimension);
                let from = leaf_ids[node] as usize;
                from.checked_add(dimension)
                    .filter(|_| used <= values.len())
                    .and_then(|end| values.get(from..end))
                    .ok_or_else(|| fault(&format!("node {at} has no leaf value")))?
                    .to_vec()
            } else {
                Vec::new()
            };
            tree.push(StepNode {
                split: splits[node],
                left: child(left),
                right: child(right),
                value,
            });
        }
        non_symmetric.push(tree);
    }
    Ok(if steps.is_empty() {
        Trees::Oblivious(oblivious)
    } else {
        Trees::NonSymmetric(non_symmetric)
    })
}

fn ctr_tables(rest: &mut Rest<'_>) -> Result<Vec<CtrValueTable>, Error> {
    let n = rest.size()?;
    let mut tables = Vec::new();
    for i in 0..n {
        let (offset, bytes) = rest.sized()?;
        let buffer = Buffer::new(bytes, offset);
        let table = buffer
            .root()
            .and_then(|t| ctr_table(&t))
            .map_err(|e| e.item(i).under("ctr_data"))?;
        tables.push(table);
    }
    Ok(tables)
}

fn ctr_table(t: &Table<'_>) -> Result<CtrValueTable, Error> {
    const EMPTY: u64 = u64::MAX;
    let base = t
        .table(0)?
        .ok_or_else(|| Error::invalid("it has no ModelCtrBase"))?;
    let base = model_ctr_base(&base)?;
    let classes: i32 = t.scalar(4, 0)?;
    let classes = usize::try_from(classes)
        .map_err(|_| Error::invalid(format!("TargetClassesCount is {classes}")))?;
    let mean = matches!(
        base.ctr_type,
        CtrType::BinarizedTargetMeanValue | CtrType::FloatTargetMeanValue
    );
    let width = match base.ctr_type {
        CtrType::Borders => classes.max(2),
        CtrType::Buckets => classes.max(1),
        CtrType::Counter | CtrType::FeatureFreq => 1,
        _ => 2,
    };
    let blob = t.bytes(2)?;
    let size = width.saturating_mul(4);
    let n_rows = blob.len() / size;
    let mut table = CtrValueTable {
        base,
        keys: Vec::new(),
        width,
        counts: Vec::new(),
        counter_denominator: t.scalar(3, 0)?,
    };
    // Twelve bytes each: the hash of a combination, and its row of counts.
    for bucket in t.bytes(1)?.chunks_exact(12) {
        let (Some(key), Some(row)) = (number::<8>(bucket), number::<4>(&bucket[8..])) else {
            break;
        };
        if key == EMPTY {
            continue;
        }
        let row = usize::try_from(row)
            .ok()
            .filter(|&row| row < n_rows && table.keys.len() < n_rows)
            .ok_or_else(|| Error::invalid(format!("row {row} of {n_rows} in its counts")))?;
        table.keys.push(key);
        let counts = blob[row * size..][..size].as_chunks::<4>().0;
        table
            .counts
            .extend(counts.iter().enumerate().map(|(i, &b)| {
                if mean && i == 0 {
                    f64::from(f32::from_le_bytes(b))
                } else {
                    f64::from(i32::from_le_bytes(b))
                }
            }));
    }
    Ok(table)
}

/// The first `N` bytes as a number.
fn number<const N: usize>(bytes: &[u8]) -> Option<u64> {
    let bytes: &[u8; N] = bytes.first_chunk()?;
    Some(bytes.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
}
