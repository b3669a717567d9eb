//! Linear leaves, which ONNX's trees have not: the ensemble answers constants and coefficients, and
//! operators behind it multiply and add. A bound, not bits: terms are added in another order.
//!
//! Each output's constant is one target of the ensemble, each of its coefficients another. A leaf
//! whose features may be missing stands behind a test of each of them for NaN, with the tree's
//! plain leaf on the other way. What no leaf has multiplied stays out of the sum, so that an
//! infinite or missing value of it changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use fretsaw_model::{
    BaseOrder, Ensemble, Float, LinearLeaf, Missing, Node, Split, Sum, Target, Test, Tree,
};

use super::LowerOptions;
use super::body::{Margins, check_sets, finish, operator};
use super::flat::{FlatTree, Layout, flatten};
use super::input::{cast, columns, constant};
use super::operator::{Operator, Post};
use crate::Error;
use crate::graph::{Builder, attribute};
use crate::tensor::from_i64s;

/// Writes an ensemble with linear leaves behind `x`, which holds f64.
pub(super) fn ensemble(
    b: &Builder,
    e: &Ensemble,
    n_features: usize,
    options: &LowerOptions,
    x: &str,
) -> Result<Margins, Error> {
    let Some(features) = features(e).filter(|_| e.sum == Sum::F64) else {
        return Err(Error::unsupported(
            "a linear leaf in a sum that is not f64",
            "ensemble",
        ));
    };
    let mut guarded = e.clone();
    let leaves: Vec<Vec<Option<usize>>> = guarded.trees.iter_mut().map(guard).collect();
    let layout = Layout::of(&guarded, n_features, true);
    let prepared = columns(b, &layout, Float::F64, x);
    let mut trees = flatten(&guarded, &layout, true);
    for ((flat, tree), sources) in trees.iter_mut().zip(&e.trees).zip(&leaves) {
        spread(flat, tree, sources, e.n_outputs, &features);
    }
    if options.ml_opset >= 5 {
        check_sets(&trees)?;
    }
    if e.base_order == BaseOrder::First && e.base.iter().any(|&v| v != 0.0) {
        trees.insert(0, FlatTree::constant(&e.base));
    }
    let n = e.n_outputs * (1 + features.len());
    let numbers = numbers(b, options.ml_opset, trees, n, &prepared);

    let k = e.n_outputs as i64;
    let constants = slice(b, &numbers, 0, k);
    let coefficients = slice(b, &numbers, k, n as i64);
    let shaped = |b: &Builder, x: &str, dims: [i64; 3]| {
        let dims = b.constant(from_i64s("", &[3], dims));
        b.op("Reshape", &[x, &dims], vec![])
    };
    let width = features.len() as i64;
    let coefficients = shaped(b, &coefficients, [-1, k, width]);
    let which = features.keys().map(|&f| i64::from(f));
    let which = b.constant(from_i64s("", &[features.len()], which));
    let factors = b.op("Gather", &[x, &which], vec![attribute("axis", 1_i64)]);
    let factors = shaped(b, &factors, [-1, 1, width]);
    let terms = b.op("Mul", &[&coefficients, &factors], vec![]);
    let zero = constant(b, Float::F64, &[], &[0.0]);
    let unused = b.op("Equal", &[&coefficients, &zero], vec![]);
    let terms = b.op("Where", &[&unused, &zero, &terms], vec![]);
    let axis = b.constant(from_i64s("", &[1], [2]));
    let sum = b.op(
        "ReduceSum",
        &[&terms, &axis],
        vec![attribute("keepdims", 0_i64)],
    );
    let sum = b.op("Add", &[&constants, &sum], vec![]);
    let last = e.base_order == BaseOrder::Last && e.base.iter().any(|&v| v != 0.0);
    Ok(Margins {
        name: finish(b, e, Float::F64, last, sum),
        float: Float::F64,
        linked: false,
    })
}

/// The features that some leaf multiplies, and their places among them; `None`: there are none.
fn features(e: &Ensemble) -> Option<BTreeMap<u32, usize>> {
    let used: BTreeSet<u32> = e
        .trees
        .iter()
        .flat_map(|tree| &tree.linear)
        .flat_map(|leaf| leaf.terms.iter().map(|&(f, _)| f))
        .collect();
    // A leaf without terms is a constant; one feature more does no harm.
    let used = if used.is_empty() { [0].into() } else { used };
    let any = e.trees.iter().any(|tree| !tree.linear.is_empty());
    any.then(|| used.into_iter().enumerate().map(|(i, f)| (f, i)).collect())
}

/// Puts tests for NaN in front of the linear leaves and makes all leaves plain ones. Gives for each
/// leaf of the new tree the linear leaf that it is, if it is one.
fn guard(tree: &mut Tree) -> Vec<Option<usize>> {
    let mut sources = vec![None; tree.leaves.len()];
    if tree.linear.is_empty() {
        return sources;
    }
    for at in 0..tree.nodes.len() {
        let Node::Leaf(leaf) = tree.nodes[at] else {
            continue;
        };
        let k = leaf as usize;
        sources[k] = Some(k);
        let mut here = at;
        let tested: BTreeSet<u32> = tree.linear[k].terms.iter().map(|&(f, _)| f).collect();
        for feature in tested {
            let plain = Node::Leaf(tree.leaves.len() as u32);
            tree.leaves.push(tree.leaves[k]);
            sources.push(None);
            let (yes, no) = (tree.nodes.len(), tree.nodes.len() + 1);
            tree.nodes[here] = Node::Split(Split {
                feature,
                test: Test::LessEq(f64::INFINITY),
                missing: Missing::Nan { yes: false },
                yes: yes as u32,
                no: no as u32,
            });
            tree.nodes.extend([Node::Leaf(leaf), plain]);
            here = yes;
        }
    }
    tree.linear.clear();
    sources
}

/// Gives each leaf of `flat` its constant and its coefficients.
fn spread(
    flat: &mut FlatTree<'_>,
    tree: &Tree,
    sources: &[Option<usize>],
    n_outputs: usize,
    features: &BTreeMap<u32, usize>,
) {
    let (Target::Output(output), false) = (tree.target, tree.linear.is_empty()) else {
        return;
    };
    let output = output as usize;
    let used: BTreeSet<u32> = tree.linear.iter().flat_map(own_features).collect();
    let used: Vec<u32> = used.into_iter().collect();
    flat.targets = vec![output];
    flat.targets.extend(
        used.iter()
            .map(|f| n_outputs + output * features.len() + features[f]),
    );
    let width = flat.targets.len();
    let mut rows = vec![0.0; sources.len() * width];
    for ((row, source), plain) in rows.chunks_exact_mut(width).zip(sources).zip(&flat.leaves) {
        let Some(source) = source else {
            row[0] = *plain;
            continue;
        };
        let leaf = &tree.linear[*source];
        row[0] = leaf.constant * tree.weight;
        for &(f, coefficient) in &leaf.terms {
            if let Ok(i) = used.binary_search(&f) {
                row[1 + i] += coefficient * tree.weight;
            }
        }
    }
    flat.leaves = rows;
}

fn own_features(leaf: &LinearLeaf) -> impl Iterator<Item = u32> {
    leaf.terms.iter().map(|&(f, _)| f)
}

/// The operator's sums in f64. Version 3 answers f32, so there each number is in two parts: a
/// multiple of a unit, whose sums f32 holds exactly, and a rest.
pub(super) fn numbers(
    b: &Builder,
    ml_opset: i64,
    mut trees: Vec<FlatTree<'_>>,
    n: usize,
    x: &str,
) -> String {
    let version_3 = ml_opset < 5;
    if version_3 {
        let units = units(&trees, n);
        for tree in &mut trees {
            let width = tree.targets.len();
            let parts = |own: &[f64]| {
                let high = own.iter().zip(&tree.targets).map(|(v, &t)| match units[t] {
                    0.0 => 0.0,
                    unit => (v / unit).round() * unit,
                });
                let high: Vec<f64> = high.collect();
                let low = own.iter().zip(&high).map(|(v, h)| v - h);
                low.chain(high.iter().copied()).collect::<Vec<_>>()
            };
            tree.leaves = tree.leaves.chunks_exact(width).flat_map(parts).collect();
            let high: Vec<usize> = tree.targets.iter().map(|t| n + t).collect();
            tree.targets.extend(high);
        }
    }
    let op = Operator {
        trees: &trees,
        n_outputs: if version_3 { 2 * n } else { n },
        wide: true,
        base: &[],
        average: false,
        post: Post::None,
    };
    let sums = operator(b, ml_opset, op, x);
    if !version_3 {
        return sums;
    }
    let sums = cast(b, &sums, Float::F32, Float::F64);
    let low = slice(b, &sums, 0, n as i64);
    let high = slice(b, &sums, n as i64, 2 * n as i64);
    b.op("Add", &[&high, &low], vec![])
}

/// For each target a power of two, of which no sum is more than 2^23 times as large.
fn units(trees: &[FlatTree<'_>], n: usize) -> Vec<f64> {
    let mut largest = vec![0.0_f64; n];
    for tree in trees {
        let width = tree.targets.len();
        for (i, &t) in tree.targets.iter().enumerate() {
            let own = tree.leaves.iter().skip(i).step_by(width);
            largest[t] += own.fold(0.0_f64, |m, v| m.max(v.abs()));
        }
    }
    let unit = |sum: f64| match (sum / 4_194_304.0).log2().ceil().exp2() {
        unit if unit.is_normal() => unit,
        _ => 0.0,
    };
    largest.into_iter().map(unit).collect()
}

fn slice(b: &Builder, x: &str, from: i64, to: i64) -> String {
    let [from, to, axis] = [from, to, 1].map(|v| b.constant(from_i64s("", &[1], [v])));
    b.op("Slice", &[x, &from, &to, &axis], vec![])
}

#[cfg(test)]
mod tests {
    use super::*;
    use fretsaw_model::{Float, Rows, random};

    /// Constants and coefficients, multiplied out as the graph does it, give the margins.
    #[test]
    fn constants_and_coefficients_add_up_to_the_margins() {
        let mut linear = 0;
        for seed in 0..60 {
            let shape = random::Shape {
                n_outputs: 1 + seed as usize % 3,
                categories: seed % 2 == 0,
                linear: true,
                sum: Sum::F64,
                compare: Float::F64,
                ..random::Shape::default()
            };
            let model = random::ensemble(seed, &shape);
            let e = model.ensemble().unwrap();
            let Some(features) = features(e) else {
                continue;
            };
            let values = random::rows(seed, &model, 40);
            let rows = Rows::f64(&values, shape.n_features).unwrap();
            let want = fretsaw_model::margins(&model, &rows).unwrap();
            for (row, want) in values
                .chunks_exact(shape.n_features)
                .zip(want.chunks_exact(e.n_outputs))
            {
                let mut sum = vec![0.0; e.n_outputs];
                let mut size = vec![1.0; e.n_outputs];
                for tree in &e.trees {
                    let mut guarded = tree.clone();
                    let sources = guard(&mut guarded);
                    let mut flat = FlatTree::constant(&guarded.leaves);
                    flat.targets = match tree.target {
                        Target::Output(k) => vec![k as usize],
                        Target::All => (0..e.n_outputs).collect(),
                    };
                    flat.leaves.iter_mut().for_each(|v| *v *= tree.weight);
                    spread(&mut flat, tree, &sources, e.n_outputs, &features);
                    linear += usize::from(!tree.linear.is_empty());
                    let width = flat.targets.len();
                    let own = &flat.leaves[guarded.leaf_of(row) * width..][..width];
                    for (&v, &t) in own.iter().zip(&flat.targets) {
                        let (k, term) = match t.checked_sub(e.n_outputs) {
                            None => (t, v),
                            Some(_) if v == 0.0 => continue,
                            Some(c) => {
                                let f = features.keys().nth(c % features.len()).unwrap();
                                (c / features.len(), v * row[*f as usize])
                            }
                        };
                        sum[k] += term;
                        size[k] += term.abs();
                    }
                }
                for k in 0..e.n_outputs {
                    let mut got = sum[k];
                    if e.base_order == BaseOrder::First {
                        got += e.base[k];
                    }
                    got = got * e.multiply[k] / e.divide;
                    if e.base_order == BaseOrder::Last {
                        got += e.base[k];
                    }
                    let near = (got - want[k]).abs() <= 1e-9 * size[k];
                    assert!(
                        near || !want[k].is_finite(),
                        "seed {seed}: {got} {}",
                        want[k]
                    );
                    assert!(!got.is_nan() || !want[k].is_finite(), "seed {seed}");
                }
            }
        }
        assert!(linear > 1000);
    }

    #[test]
    fn parts_of_numbers_are_exact_in_f32_and_add_up() {
        let leaf = |values: &[f64]| FlatTree::constant(values);
        let trees = [leaf(&[0.1, 1e9, 0.0]), leaf(&[1.0 / 3.0, -1e-9, 0.0])];
        for (t, unit) in units(&trees, 3).into_iter().enumerate() {
            let high = |v: f64| {
                if unit == 0.0 {
                    0.0
                } else {
                    (v / unit).round() * unit
                }
            };
            let sum: f64 = trees.iter().map(|tree| high(tree.leaves[t])).sum();
            assert_eq!(f64::from(sum as f32), sum);
            for tree in &trees {
                let v = tree.leaves[t];
                assert_eq!(high(v) + (v - high(v)), v);
                assert!((v - high(v)).abs() <= unit);
            }
        }
    }
}
