//! The body: an ensemble operator, or a matrix product, and what of the sum the operator cannot
//! say itself.
//!
//! ONNX Runtime's regressor sums f32 inputs in f32 and f64 inputs in f64, in tree order for one
//! row or one thread, from 0, and adds base values last. A base that comes first is therefore a
//! tree of one leaf in front: then the f32 sum has the source's bits.

use fretsaw_model::{BaseOrder, Ensemble, Float, Linear, LinearMissing, Link, Sum};

use super::LowerOptions;
use super::branch::Condition;
use super::flat::{FlatNode, FlatTree, Layout, flatten};
use super::input::{cast, columns, constant};
use super::leaves;
use super::operator::{Operator, Post};
use crate::Error;
use crate::graph::Builder;

/// Whole numbers up to here are exact in f32, and so are sums of them.
const EXACT_IN_F32: f64 = 16_777_216.0;

/// The margins in the graph: rows x outputs.
pub(crate) struct Margins {
    pub(crate) name: String,
    pub(crate) float: Float,
    /// Whether the operator has applied the link as well.
    pub(crate) linked: bool,
}

/// Writes a linear model. A matrix product sums in an order of its own: a bound, not bits.
pub(crate) fn linear(b: &Builder, l: &Linear, n_features: usize, x: &str, input: Float) -> Margins {
    let mut x = cast(b, x, input, l.sum);
    if l.missing == LinearMissing::Skip {
        let zero = constant(b, l.sum, &[], &[0.0]);
        let hit = b.op("IsNaN", &[&x], vec![]);
        x = b.op("Where", &[&hit, &zero, &x], vec![]);
    }
    let weights = constant(b, l.sum, &[n_features, l.n_outputs], &l.weights);
    let intercept = constant(b, l.sum, &[l.n_outputs], &l.intercept);
    Margins {
        name: b.op("Gemm", &[&x, &weights, &intercept], vec![]),
        float: l.sum,
        linked: false,
    }
}

/// Writes the ensemble of a step, behind f64 values and before others: its margins are f64. They are
/// those of the reference to the bit but for the f64 sums of `ai.onnx.ml` 3, which come in two parts.
pub(crate) fn nested(
    b: &Builder,
    e: &Ensemble,
    options: &LowerOptions,
    n_features: usize,
    x: &str,
) -> Result<String, Error> {
    let margins = ensemble(b, e, None, true, options, n_features, x, Float::F64)?;
    Ok(cast(b, &margins.name, margins.float, Float::F64))
}

/// Writes a tree ensemble, behind the casts and columns that its tests need. `link` is applied where
/// only the ensemble operators know it; with `precise`, f64 sums are f64 whatever the operator answers.
#[allow(clippy::too_many_arguments)]
pub(crate) fn ensemble(
    b: &Builder,
    e: &Ensemble,
    link: Option<&Link>,
    precise: bool,
    options: &LowerOptions,
    n_features: usize,
    x: &str,
    input: Float,
) -> Result<Margins, Error> {
    let version_3 = options.ml_opset < 5;
    let compare = if input == Float::F64 {
        e.compare
    } else {
        Float::F32
    };
    let large = e.sum == Sum::I32 && largest_sum(e) > EXACT_IN_F32;
    // Version 5 answers f64 for f64 inputs, which holds any such sum; version 3 sums it in halves.
    let wide = e.sum == Sum::F64 || compare == Float::F64 || (large && !version_3);
    if wide && e.sum == Sum::F32 {
        return Err(Error::unsupported(
            "comparing in f64 and summing in f32 (write it for f32 inputs instead)",
            "ensemble",
        ));
    }
    let tests = if wide { Float::F64 } else { Float::F32 };
    let mut x = cast(b, x, input, compare);
    x = cast(b, &x, compare, tests);
    if e.trees.iter().any(|t| !t.linear.is_empty()) {
        let x = cast(b, &x, tests, Float::F64);
        return leaves::ensemble(b, e, n_features, options, &x);
    }
    let layout = Layout::of(e, n_features, wide);
    x = columns(b, &layout, tests, &x);

    let trees = flatten(e, &layout, wide);
    if !version_3 {
        check_sets(&trees)?;
    }
    if wide && version_3 && e.sum == Sum::F64 && precise {
        let trees = with_base_first(e, trees);
        let sums = leaves::numbers(b, options.ml_opset, trees, e.n_outputs, &x);
        let last = e.base_order == BaseOrder::Last && e.base.iter().any(|&v| v != 0.0);
        return Ok(Margins {
            name: finish(b, e, Float::F64, last, sums),
            float: Float::F64,
            linked: false,
        });
    }
    if wide && version_3 && e.sum == Sum::F64 {
        return Ok(wide_3(b, e, trees, &x));
    }
    if large && version_3 {
        return halves(b, e, trees, wide, &x);
    }
    Ok(sum_then_finish(b, e, link, options, trees, wide, &x))
}

/// ONNX Runtime (1.32) takes sets apart into equalities where they lie in 0..=30; for others it has
/// a code path of its own that answers differently from run to run. A chain of equalities of our own,
/// as in version 3, shares a child, which version 5 does not allow.
pub(super) fn check_sets(trees: &[FlatTree<'_>]) -> Result<(), Error> {
    let large = |node: &FlatNode| {
        matches!(node, FlatNode::Branch { condition: Condition::Member(values), .. }
            if values.iter().any(|&v| v > LARGEST_MEMBER))
    };
    match trees.iter().position(|t| t.nodes().iter().any(large)) {
        Some(i) => Err(Error::unsupported(
            "a set of categories beyond 0..=30 in ai.onnx.ml 5 (ONNX Runtime misreads it; use ai.onnx.ml 3)",
            format!("tree {i}"),
        )),
        None => Ok(()),
    }
}

/// The largest category that a set may hold in `ai.onnx.ml` 5.
const LARGEST_MEMBER: f64 = 30.0;

/// Whether every set of categories can be written in `ai.onnx.ml` 5.
pub(super) fn sets_fit(e: &Ensemble) -> bool {
    let fits = |set: &fretsaw_model::CategorySet| {
        let known = set.known.iter().flatten();
        set.members
            .iter()
            .chain(known)
            .all(|&c| f64::from(c) <= LARGEST_MEMBER)
    };
    e.trees.iter().flat_map(|t| &t.sets).all(fits)
}

/// The largest magnitude that integer leaves can sum to.
fn largest_sum(e: &Ensemble) -> f64 {
    let of_tree = |t: &fretsaw_model::Tree| {
        t.leaves.iter().fold(0.0_f64, |m, v| m.max(v.abs())) * t.weight.abs()
    };
    e.trees.iter().map(of_tree).sum()
}

/// The base as a tree in front, if it comes first and is not 0; and a tree of zeros where an output
/// has no other.
fn with_base_first<'a>(e: &Ensemble, mut trees: Vec<FlatTree<'a>>) -> Vec<FlatTree<'a>> {
    let first = e.base_order == BaseOrder::First && e.sum != Sum::I32;
    if first && e.base.iter().any(|&v| v != 0.0) {
        trees.insert(0, FlatTree::constant(&e.base));
        return trees;
    }
    // ONNX Runtime answers 0 for an output that no tree has added to, whatever its base is.
    let mut hit = vec![false; e.n_outputs];
    for tree in &trees {
        for &k in &tree.targets {
            hit[k] = true;
        }
    }
    if !hit.into_iter().all(|h| h) {
        trees.insert(0, FlatTree::constant(&vec![0.0; e.n_outputs]));
    }
    trees
}

/// An f64 sum in version 3, which answers f32: everything is put into the operator, so that the
/// margin is rounded once.
fn wide_3(b: &Builder, e: &Ensemble, trees: Vec<FlatTree<'_>>, x: &str) -> Margins {
    let mut trees = with_base_first(e, trees);
    let average = e.divide != 1.0 && e.divide == trees.len() as f64;
    let divide = if average { 1.0 } else { e.divide };
    for tree in &mut trees {
        for own in tree.leaves.chunks_exact_mut(tree.targets.len()) {
            for (leaf, &k) in own.iter_mut().zip(&tree.targets) {
                *leaf = *leaf * e.multiply[k] / divide;
            }
        }
    }
    let last = e.base_order == BaseOrder::Last && e.base.iter().any(|&v| v != 0.0);
    Margins {
        name: operator(
            b,
            3,
            Operator {
                trees: &trees,
                n_outputs: e.n_outputs,
                wide: true,
                base: if last { &e.base } else { &[] },
                average,
                post: Post::None,
            },
            x,
        ),
        float: Float::F32,
        linked: false,
    }
}

/// A plain sum by the operator; scale, divisor and a last base by operators of their own, in the
/// order and precision of the source.
fn sum_then_finish(
    b: &Builder,
    e: &Ensemble,
    link: Option<&Link>,
    options: &LowerOptions,
    trees: Vec<FlatTree<'_>>,
    wide: bool,
    x: &str,
) -> Margins {
    let trees = with_base_first(e, trees);
    let scaled = e.multiply.iter().any(|&v| v != 1.0);
    let divided = e.divide != 1.0;
    let last =
        (e.base_order == BaseOrder::Last || e.sum == Sum::I32) && e.base.iter().any(|&v| v != 0.0);
    let plain = !scaled && !divided && e.sum != Sum::I32;
    let own_base = plain && last && options.ml_opset < 5;
    // Only the ensemble operators know these two.
    let post = match link {
        Some(Link::SoftmaxZero) if plain && (!last || own_base) => Post::SoftmaxZero,
        Some(Link::Probit) if plain && (!last || own_base) => Post::Probit,
        _ => Post::None,
    };
    let mut name = operator(
        b,
        options.ml_opset,
        Operator {
            trees: &trees,
            n_outputs: e.n_outputs,
            wide,
            base: if own_base { &e.base } else { &[] },
            average: false,
            post,
        },
        x,
    );
    let mut float = if wide && options.ml_opset >= 5 {
        Float::F64
    } else {
        Float::F32
    };
    if e.sum == Sum::I32 {
        name = cast(b, &name, float, Float::F64);
        float = Float::F64;
    }
    name = finish(b, e, float, last && !own_base, name);
    if e.sum == Sum::I32 {
        name = cast(b, &name, float, Float::F32);
        float = Float::F32;
    }
    Margins {
        name,
        float,
        linked: post != Post::None,
    }
}

/// Scale, divisor and (`based`) the last base, where they change anything.
pub(super) fn finish(b: &Builder, e: &Ensemble, float: Float, based: bool, sum: String) -> String {
    let mut name = sum;
    if e.multiply.iter().any(|&v| v != 1.0) {
        let c = constant(b, float, &[e.n_outputs], &e.multiply);
        name = b.op("Mul", &[&name, &c], vec![]);
    }
    if e.divide != 1.0 {
        let c = constant(b, float, &[], &[e.divide]);
        name = b.op("Div", &[&name, &c], vec![]);
    }
    if based {
        let c = constant(b, float, &[e.n_outputs], &e.base);
        name = b.op("Add", &[&name, &c], vec![]);
    }
    name
}

/// An integer sum beyond what f32 holds, in version 3: each leaf is a multiple of 4096 and a rest,
/// each summed exactly in f32 as an output of its own, and put together in f64.
fn halves(
    b: &Builder,
    e: &Ensemble,
    trees: Vec<FlatTree<'_>>,
    wide: bool,
    x: &str,
) -> Result<Margins, Error> {
    const UNIT: f64 = 4096.0;
    if trees.len() as f64 * (UNIT / 2.0) > EXACT_IN_F32 {
        return Err(Error::unsupported(
            "an integer sum of more than 8192 trees in ai.onnx.ml 3 (use ai.onnx.ml 5)",
            "ensemble",
        ));
    }
    let n = e.n_outputs;
    let mut trees = with_base_first(e, trees);
    for tree in &mut trees {
        let split = |own: &[f64]| {
            let high: Vec<f64> = own.iter().map(|v| (v / UNIT).round()).collect();
            let low = own.iter().zip(&high).map(|(v, h)| v - h * UNIT);
            low.chain(high.iter().copied()).collect::<Vec<_>>()
        };
        let width = tree.targets.len();
        tree.leaves = tree.leaves.chunks_exact(width).flat_map(split).collect();
        let high = tree.targets.iter().map(|k| n + k).collect::<Vec<_>>();
        tree.targets.extend(high);
    }
    let parts = operator(
        b,
        3,
        Operator {
            trees: &trees,
            n_outputs: 2 * n,
            wide,
            base: &[],
            average: false,
            post: Post::None,
        },
        x,
    );
    let parts = cast(b, &parts, Float::F32, Float::F64);
    let mut weights = vec![0.0; 2 * n * n];
    for k in 0..n {
        weights[k * n + k] = 1.0;
        weights[(n + k) * n + k] = UNIT;
    }
    let weights = constant(b, Float::F64, &[2 * n, n], &weights);
    let sum = b.op("MatMul", &[&parts, &weights], vec![]);
    let name = finish(b, e, Float::F64, e.base.iter().any(|&v| v != 0.0), sum);
    Ok(Margins {
        name: cast(b, &name, Float::F64, Float::F32),
        float: Float::F32,
        linked: false,
    })
}

pub(super) fn operator(b: &Builder, ml_opset: i64, op: Operator<'_>, x: &str) -> String {
    let (domain, kind, attributes) = op.write(ml_opset, b.packed);
    let output = b.fresh("margin");
    b.node(
        domain,
        kind,
        &[x],
        std::slice::from_ref(&output),
        attributes,
    );
    output
}
