//! The walk that one would write for AVX-512 by hand: sixteen trees at a time, a level at a time, and
//! three gathers a level for the node's feature, its cut and the row's value. A baseline, not part of
//! the engine: it knows nothing but complete trees of plain comparisons and a sum of f32.
#![allow(unsafe_code)]

use fretsaw_model::{Node, Test, Tree};

const LANES: usize = 16;

pub(crate) struct Walk {
    groups: Vec<Group>,
    /// Of all splits of all trees.
    features: Vec<i32>,
    cuts: Vec<f32>,
    leaves: Vec<f32>,
}

/// Trees that are walked together; a shorter tree stays where it is at its last level.
struct Group {
    n_trees: usize,
    depths: [i32; LANES],
    first_split: [i32; LANES],
    first_leaf: [i32; LANES],
}

impl Walk {
    /// `None` where this processor has no AVX-512.
    pub(crate) fn new(trees: &[Tree]) -> Option<Self> {
        if !cfg!(target_arch = "x86_64") || !available() {
            return None;
        }
        let mut walk = Self {
            groups: Vec::new(),
            features: Vec::new(),
            cuts: Vec::new(),
            leaves: Vec::new(),
        };
        for trees in trees.chunks(LANES) {
            let mut group = Group {
                n_trees: trees.len(),
                depths: [0; LANES],
                first_split: [0; LANES],
                first_leaf: [0; LANES],
            };
            for (lane, tree) in trees.iter().enumerate() {
                group.depths[lane] = tree.leaves.len().ilog2() as i32;
                group.first_split[lane] = walk.cuts.len() as i32;
                group.first_leaf[lane] = walk.leaves.len() as i32;
                for node in &tree.nodes {
                    if let Node::Split(split) = node
                        && let Test::Less(cut) = split.test
                    {
                        walk.features.push(split.feature as i32);
                        walk.cuts.push(cut as f32);
                    }
                }
                walk.leaves.extend(tree.leaves.iter().map(|&v| v as f32));
            }
            walk.groups.push(group);
        }
        Some(walk)
    }

    #[cfg(target_arch = "x86_64")]
    pub(crate) fn margin(&self, row: &[f32]) -> f32 {
        // SAFETY: `new` gives no walk where there is no AVX-512.
        unsafe { self.gather(row) }
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) fn margin(&self, _row: &[f32]) -> f32 {
        unreachable!("`new` gives no walk here")
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn gather(&self, row: &[f32]) -> f32 {
        use std::arch::x86_64::*;
        let (one, two) = (_mm512_set1_epi32(1), _mm512_set1_epi32(2));
        let mut sum = 0.0;
        for group in &self.groups {
            let mut values = [0.0_f32; LANES];
            // SAFETY: every load and store is of 16 values of a group or of `values`. A lane gathers
            // splits only above its own depth, of its own tree, and features below the row's length,
            // which the model's check asserts; then a leaf of its own tree. Lanes without a tree
            // have depth 0 and gather the first leaf.
            unsafe {
                let load = |from: &[i32; LANES]| _mm512_loadu_si512(from.as_ptr().cast());
                let (depths, splits) = (load(&group.depths), load(&group.first_split));
                let mut at = _mm512_setzero_si512();
                let mut level = _mm512_setzero_si512();
                loop {
                    let going = _mm512_cmplt_epi32_mask(level, depths);
                    if going == 0 {
                        break;
                    }
                    let node = _mm512_add_epi32(splits, at);
                    let zero = _mm512_setzero_si512();
                    let features = self.features.as_ptr().cast();
                    let feature = _mm512_mask_i32gather_epi32::<4>(zero, going, node, features);
                    let none = _mm512_setzero_ps();
                    let cuts = self.cuts.as_ptr().cast();
                    let cut = _mm512_mask_i32gather_ps::<4>(none, going, node, cuts);
                    let x = row.as_ptr().cast();
                    let x = _mm512_mask_i32gather_ps::<4>(none, going, feature, x);
                    let yes = _mm512_mask_cmp_ps_mask::<_CMP_LT_OQ>(going, x, cut);
                    // 2i + 1 for yes, 2i + 2 for no.
                    let child = _mm512_add_epi32(at, at);
                    let no = _mm512_mask_add_epi32(at, going, child, two);
                    at = _mm512_mask_add_epi32(no, yes, child, one);
                    level = _mm512_add_epi32(level, one);
                }
                let n_splits = _mm512_sub_epi32(_mm512_sllv_epi32(one, depths), one);
                let leaf = _mm512_sub_epi32(at, n_splits);
                let leaf = _mm512_add_epi32(leaf, load(&group.first_leaf));
                let leaves = self.leaves.as_ptr().cast();
                let gathered = _mm512_i32gather_ps::<4>(leaf, leaves);
                _mm512_storeu_ps(values.as_mut_ptr(), gathered);
            }
            for value in &values[..group.n_trees] {
                sum += value;
            }
        }
        sum
    }
}

fn available() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}
