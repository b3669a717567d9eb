//! XGBoost's first file format, which it wrote from 2014 until 3.0: C structs one after the other, all
//! numbers little-endian. A file ending in `.model`, `.bst` or `.bin` is one, and so is what a pickled
//! Booster holds up to 1.2.
//!
//! The structs kept their sizes throughout; fields that came later stand where 0 was reserved. What
//! the format cannot hold (names, categories, vector leaves) XGBoost refuses to write. Not read are
//! base64 (`bs64`, of the first releases), and what follows the attributes: before 1.0 a text for
//! `count:poisson` and names of metrics, which bear on training only.

use std::collections::BTreeMap;

use super::{
    GblinearModel, GbtreeModel, GradientBooster, Learner, LearnerModelParam, Model, RegTree,
};
use crate::Error;
use crate::error::shown;

/// In front of what a pickle of 1.0 to 1.2 holds: where the training configuration begins behind the
/// model.
const SNAPSHOT: &[u8] = b"CONFIG-offset:";
/// The sizes of `LearnerModelParam`, `GBTreeModelParam`, `TreeParam`, `GBLinearModelParam` and
/// `RTreeNodeStat`, all of which end in reserved fields.
const LEARNER_PARAM: usize = 136;
const GBTREE_PARAM: usize = 160;
const TREE_PARAM: usize = 148;
const GBLINEAR_PARAM: usize = 136;
const NODE: usize = 20;
const NODE_STAT: usize = 16;
/// Of a node's `sindex`: whether a missing value goes left. The rest is the feature.
const DEFAULT_LEFT: u32 = 1 << 31;

/// Whether the bytes begin like a file in this format, with its header or without.
pub(crate) fn is_binary(bytes: &[u8]) -> bool {
    if [SNAPSHOT, b"binf", b"bs64\t"]
        .iter()
        .any(|header| bytes.starts_with(header))
    {
        return true;
    }
    // Without a header there are the names of the objective and the booster behind the parameters.
    let mut input = Input { bytes, at: 0 };
    let mut names = || {
        input.take(LEARNER_PARAM).ok()?;
        Some((input.objective().ok()?, input.text().ok()?))
    };
    let letters = |name: &str| {
        name.bytes()
            .all(|b| b.is_ascii_lowercase() || b":_".contains(&b))
    };
    names().is_some_and(|(objective, booster)| {
        letters(&objective) && objective.contains(':') && letters(&booster) && !booster.is_empty()
    })
}

/// Reads a model in the binary format, or the snapshot of it that a pickle holds.
///
/// # Errors
/// When it is broken, or has something that the format cannot hold.
pub fn from_binary(bytes: &[u8]) -> Result<Model, Error> {
    if bytes.starts_with(b"bs64\t") {
        return Err(Error::unsupported(
            "XGBoost's base64 format",
            "decode what follows `bs64` and a tab, or save the model as binary",
        ));
    }
    let mut input = Input { bytes, at: 0 };
    if bytes.starts_with(SNAPSHOT) {
        input.at = SNAPSHOT.len();
        let end = input.u64()?.saturating_add(input.at);
        input.bytes = bytes
            .get(..end)
            .ok_or_else(|| input.fault(format!("the model should end at byte {end}")))?;
    }
    if input.rest().starts_with(b"binf") {
        input.at += 4;
    }
    input.model()
}

/// What is left of a file; nothing is taken that is not there.
struct Input<'a> {
    bytes: &'a [u8],
    /// The byte that is read next.
    at: usize,
}

impl<'a> Input<'a> {
    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn fault(&self, message: impl Into<String>) -> Error {
        Error::syntax(self.at, message)
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], Error> {
        let rest = self.rest();
        let taken = rest.get(..n).ok_or_else(|| {
            self.fault(format!(
                "{n} bytes should follow, the file has {}",
                rest.len()
            ))
        })?;
        self.at += n;
        Ok(taken)
    }

    /// The next so many structs of a fixed size.
    fn structs<const SIZE: usize>(&mut self, n: usize) -> Result<&'a [[u8; SIZE]], Error> {
        Ok(self.take(n.saturating_mul(SIZE))?.as_chunks().0)
    }

    fn u64(&mut self) -> Result<usize, Error> {
        let n = word::<8>(self.take(8)?, 0);
        // What does not fit is beyond the input in any case.
        Ok(usize::try_from(u64::from_le_bytes(n)).unwrap_or(usize::MAX))
    }

    fn text(&mut self) -> Result<String, Error> {
        let n = self.u64()?;
        self.text_of(n)
    }

    fn text_of(&mut self, n: usize) -> Result<String, Error> {
        let at = self.at;
        String::from_utf8(self.take(n)?.to_vec())
            .map_err(|e| Error::syntax(at + e.utf8_error().valid_up_to(), "text that is not UTF-8"))
    }

    /// The objective's name. The first releases had four bytes more in front of its length, which
    /// XGBoost tells by a length that cannot be.
    fn objective(&mut self) -> Result<String, Error> {
        let mut n = self.u64()?;
        if n >= u32::MAX as usize {
            self.take(4)?;
            n >>= 32;
        }
        self.text_of(n)
    }

    fn floats(&mut self) -> Result<Vec<f32>, Error> {
        let n = self.u64()?;
        let words = self.structs::<4>(n)?;
        Ok(words.iter().map(|&w| f32::from_le_bytes(w)).collect())
    }

    fn model(&mut self) -> Result<Model, Error> {
        let param = self.take(LEARNER_PARAM)?;
        let base_score = f32::from_le_bytes(word(param, 0));
        let [num_feature, num_class, extra_attrs] = [4, 8, 12].map(|at| u32_at(param, at));
        let [major, minor, num_target, boost_from_average] =
            [20, 24, 28, 32].map(|at| u32_at(param, at));
        let version = match major {
            0 => vec![0],
            _ => vec![major, minor],
        };
        let objective = self.objective()?;
        let booster = self.text()?;
        let gradient_booster = match booster.as_str() {
            "gbtree" => GradientBooster::Gbtree(self.gbtree(&version)?),
            "dart" => {
                let mut gbtree = self.gbtree(&version)?;
                if !gbtree.trees.is_empty() {
                    gbtree.weight_drop = self.floats()?;
                }
                GradientBooster::Gbtree(gbtree)
            }
            "gblinear" => {
                self.take(GBLINEAR_PARAM)?;
                GradientBooster::Gblinear(GblinearModel {
                    weights: self.floats()?,
                })
            }
            other => {
                return Err(
                    Error::invalid(format!("`{}` is no booster of XGBoost", shown(other)))
                        .at(self.at),
                );
            }
        };
        let attributes = match extra_attrs {
            0 => BTreeMap::new(),
            _ => self.attributes()?,
        };
        Ok(Model {
            learner: Learner {
                attributes,
                feature_names: Vec::new(),
                feature_types: Vec::new(),
                gradient_booster,
                learner_model_param: LearnerModelParam {
                    base_score: vec![base_score],
                    boost_from_average,
                    num_class,
                    num_feature,
                    num_target: num_target.max(1),
                },
                objective,
            },
            version,
        })
    }

    fn gbtree(&mut self, version: &[u32]) -> Result<GbtreeModel, Error> {
        let param = self.take(GBTREE_PARAM)?;
        if u32_at(param, 28) != 0 {
            return Err(Error::unsupported(
                "vector leaves of XGBoost before 1.0",
                "GBTreeModelParam.size_leaf_vector",
            ));
        }
        let n_trees = u32_at(param, 0) as usize;
        let mut trees = Vec::new();
        for i in 0..n_trees {
            trees.push(self.tree(version).map_err(|e| e.item(i).under("trees"))?);
        }
        let tree_info = self.structs::<4>(n_trees)?;
        Ok(GbtreeModel {
            // Before 1.6 the number of roots, which was 1.
            num_parallel_tree: u32_at(param, 4).max(1),
            trees,
            tree_info: tree_info.iter().map(|&w| i32::from_le_bytes(w)).collect(),
            iteration_indptr: Vec::new(),
            weight_drop: Vec::new(),
            cats: Vec::new(),
        })
    }

    fn tree(&mut self, version: &[u32]) -> Result<RegTree, Error> {
        let param = self.take(TREE_PARAM)?;
        let [num_roots, num_nodes, size_leaf_vector] = [0, 4, 20].map(|at| u32_at(param, at));
        if num_roots > 1 {
            return Err(Error::unsupported(
                format!("a tree with {num_roots} roots"),
                "TreeParam.num_roots",
            ));
        }
        // To 0.82 the vectors would follow; since 2.0 a single value counts as 1.
        if size_leaf_vector > u32::from(version != [0]) {
            return Err(Error::unsupported(
                format!("leaves of {size_leaf_vector} values in the binary format"),
                "TreeParam.size_leaf_vector",
            ));
        }
        if num_nodes == 0 {
            return Err(self.fault("the tree has no nodes"));
        }
        let num_nodes = num_nodes as usize;
        let nodes = self.structs::<NODE>(num_nodes)?;
        self.structs::<NODE_STAT>(num_nodes)?;
        let signed = |at| move |n: &[u8; NODE]| i32::from_le_bytes(word(n, at));
        let sindex = |n: &[u8; NODE]| u32_at(n, 12);
        Ok(RegTree {
            num_nodes,
            size_leaf_vector,
            left_children: nodes.iter().map(signed(4)).collect(),
            right_children: nodes.iter().map(signed(8)).collect(),
            split_indices: nodes.iter().map(|n| sindex(n) & !DEFAULT_LEFT).collect(),
            split_conditions: nodes
                .iter()
                .map(|n| f32::from_le_bytes(word(n, 16)))
                .collect(),
            default_left: nodes
                .iter()
                .map(|n| sindex(n) & DEFAULT_LEFT != 0)
                .collect(),
            split_type: Vec::new(),
            categories_nodes: Vec::new(),
            categories_segments: Vec::new(),
            categories_sizes: Vec::new(),
            categories: Vec::new(),
            base_weights: Vec::new(),
            leaf_weights: Vec::new(),
        })
    }

    fn attributes(&mut self) -> Result<BTreeMap<String, String>, Error> {
        let n = self.u64()?;
        let mut attributes = BTreeMap::new();
        for i in 0..n {
            let mut pair = || Ok((self.text()?, self.text()?));
            let (key, value) = pair().map_err(|e: Error| e.item(i).under("attributes"))?;
            attributes.insert(key, value);
        }
        Ok(attributes)
    }
}

/// The `N` bytes of a struct from `at` on.
fn word<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(word(bytes, at))
}
