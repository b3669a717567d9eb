//! Random composite models: steps of every kind in front of any body, and links of steps behind it.
//!
//! Constants and rows are mostly drawn from one coarse grid, so that values fall on edges, categories
//! are met, and stored rows are equally far. It promises no sensible model: only a valid one.

use super::{Rng, Shape, draw_ensemble};
use crate::{
    Answer, Body, Codes, Curve, Decision, Derived, Draft, Encoder, Ensemble, Feature, FeatureKind,
    Float, Function, InterceptOrder, KeyPart, Labels, Linear, LinearMissing, Link, MeanLink, Model,
    Norm, Power, Provenance, Step, Sum, extend_key,
};

/// Categories that every encoder which refuses others knows.
pub(super) const CATEGORIES: usize = 6;
/// Rows grow no wider than about this.
const WIDE: usize = 20;

/// A random composite model: over many seeds it has steps of every kind, in branches too, every
/// body, link and answer, and encoders that refuse categories.
pub fn composite(seed: u64) -> Model {
    let mut r = Rng::new(seed ^ 0x00c0_5701);
    let features: Vec<Feature> = (0..1 + r.below(6)).map(|i| feature(&mut r, i)).collect();
    let raw: Vec<bool> = features
        .iter()
        .map(|f| f.kind != FeatureKind::Numeric)
        .collect();
    let mut steps = Vec::new();
    let n = grow(&mut r, &mut steps, features.len(), 2, Some(&raw));
    let body = match r.below(4) {
        0 => Body::Ensemble(ensemble(&mut r, n)),
        1 => {
            let sum = r.pick(&[Float::F64, Float::F32]);
            let n_outputs = 1 + r.below(3);
            Body::Linear(linear(&mut r, n, n_outputs, sum))
        }
        _ => {
            let n_margins = if r.one_in(3) { 1 + r.below(n) } else { n };
            Body::Row {
                n_outputs: n,
                n_margins,
            }
        }
    };
    let (link, answer) = link(&mut r, &body);
    let mut draft = Draft {
        features,
        steps,
        body,
        link,
        answer,
        decision: Decision::Answer,
        labels: None,
        provenance: Provenance {
            framework: "random".into(),
            ..Provenance::default()
        },
    };
    let n_classes = draft.n_classes();
    let n_margins = draft.body.n_margins();
    draft.decision = match answer {
        Answer::Binary | Answer::Score if n_margins <= 2 => {
            r.pick(&[Decision::Answer, Decision::Margin, Decision::MarginFromZero])
        }
        Answer::Classes if n_margins == n_classes && n_classes > 1 => r.pick(&[
            Decision::Answer,
            Decision::Margin,
            Decision::LastMargin,
            Decision::Votes,
        ]),
        _ => Decision::Answer,
    };
    if n_classes > 0 {
        draft.labels = match r.below(3) {
            0 => Some(Labels::Strings(
                (0..n_classes).map(|i| format!("class {i}")).collect(),
            )),
            1 => Some(Labels::Ints(
                (0..n_classes as i64).map(|i| 3 * i - 2).collect(),
            )),
            _ => None,
        };
    }
    draft.build().expect("what is drawn here is valid")
}

/// `n_rows` rows for a [`composite`] model, row-major: mostly on the grid that its constants are
/// drawn from. Two seeds of three give known categories only, which no encoder refuses; the
/// others have unknown and missing ones too.
pub fn composite_rows(seed: u64, model: &Model, n_rows: usize) -> Vec<f64> {
    let mut r = Rng::new(seed.wrapping_mul(31).wrapping_add(0x5eed));
    let unknown = seed.is_multiple_of(3);
    let missing = !r.one_in(3);
    let special = [-0.0, 1e-36, 1e30, f64::INFINITY, f64::NEG_INFINITY, -999.0];
    let mut out = Vec::with_capacity(n_rows * model.features.len());
    for _ in 0..n_rows {
        for feature in &model.features {
            out.push(match feature.kind {
                FeatureKind::Numeric => match r.below(24) {
                    0 | 1 if missing => f64::NAN,
                    2 => r.pick(&special),
                    3..=8 => r.unit() * 3.0,
                    _ => grid(&mut r),
                },
                _ if unknown && r.one_in(12) => r.pick(&[-1.0, f64::NAN, 2.5, 77.0]),
                _ => r.below(CATEGORIES) as f64,
            });
        }
    }
    out
}

fn feature(r: &mut Rng, i: usize) -> Feature {
    let known = || (0..CATEGORIES).map(|c| format!("c{c}")).collect();
    Feature {
        name: format!("f{i}"),
        kind: match r.below(6) {
            0 => FeatureKind::Categorical { categories: None },
            1 => FeatureKind::Text { known: known() },
            _ => FeatureKind::Numeric,
        },
    }
}

/// A multiple of 1/2 in -2..=2.
pub(super) fn grid(r: &mut Rng) -> f64 {
    r.below(9) as f64 / 2.0 - 2.0
}

/// Most often a value of the grid.
fn constant(r: &mut Rng) -> f64 {
    if r.one_in(3) { r.unit() } else { grid(r) }
}

fn many(r: &mut Rng, n: usize, one: impl Fn(&mut Rng) -> f64) -> Vec<f64> {
    (0..n).map(|_| one(r)).collect()
}

fn columns(r: &mut Rng, n: usize, len: usize) -> Vec<u32> {
    (0..len).map(|_| r.below(n) as u32).collect()
}

/// Appends steps for rows of `n` values; gives what they leave. `raw` tells, where the row is still
/// the model's features, which of them are categories.
fn grow(
    r: &mut Rng,
    steps: &mut Vec<Step>,
    mut n: usize,
    depth: usize,
    mut raw: Option<&[bool]>,
) -> usize {
    for _ in 0..r.below(4) + usize::from(depth == 2) {
        let first = steps.len();
        step(r, steps, n, depth, raw);
        n = crate::width(&steps[first..], n);
        raw = None;
    }
    if n > WIDE {
        let keep = 1 + r.below(WIDE);
        steps.push(Step::Select {
            columns: columns(r, n, keep),
        });
        n = keep;
    }
    n
}

fn step(r: &mut Rng, steps: &mut Vec<Step>, n: usize, depth: usize, raw: Option<&[bool]>) {
    // Most often categories are encoded first.
    let has_categories = raw.is_some_and(|raw| raw.contains(&true));
    let kind = if has_categories && !r.one_in(3) {
        11
    } else {
        r.below(29)
    };
    let one = match kind {
        0 => {
            let len = 1 + r.below(6);
            Step::Select {
                columns: columns(r, n, len),
            }
        }
        1..=3 if depth > 0 => Step::Branches(
            (0..1 + r.below(3))
                .map(|_| {
                    let mut branch = Vec::new();
                    grow(r, &mut branch, n, depth - 1, raw);
                    branch
                })
                .collect(),
        ),
        4 => Step::Affine {
            factor: many(r, n, constant),
            offset: many(r, n, constant),
        },
        5 | 6 => Step::Map(function(r)),
        7 => {
            let len = 1 + r.below(4);
            Step::IsMissing {
                columns: columns(r, n, len),
            }
        }
        8 => Step::Power {
            kind: r.pick(&[Power::BoxCox, Power::YeoJohnson, Power::YeoJohnsonPowers]),
            lambdas: many(r, n, constant),
        },
        9 => Step::Curves((0..n).map(|_| curve(r)).collect()),
        10 => Step::Bins(
            (0..n)
                .map(|_| {
                    let len = r.below(5);
                    ascending(r, len)
                })
                .collect(),
        ),
        11 | 12 => Step::Encode((0..1 + r.below(3)).map(|_| encoder(r, n, raw)).collect()),
        13 => Step::Normalize(r.pick(&[Norm::L1, Norm::L2, Norm::Max, Norm::Shares])),
        14 => Step::Products(
            (0..1 + r.below(6))
                .map(|_| {
                    let len = r.below(4);
                    columns(r, n, len)
                })
                .collect(),
        ),
        15 => {
            let n_outputs = 1 + r.below(9);
            Step::Linear(linear(r, n, n_outputs, Float::F64))
        }
        16 | 17 => Step::Ensemble(ensemble(r, n)),
        18 => Step::Link(any_link(r, n)),
        19 => Step::Kernel(super::stored::kernel(r, n)),
        20 => Step::Neighbors(super::stored::neighbors(r, n)),
        21 => Step::FillFromNeighbors(super::stored::fill(r, n)),
        22 => return super::stored::pairwise(r, steps, n),
        23 => Step::WeightedMedian {
            weights: many(r, n, |r| r.unit().abs()),
        },
        24 => Step::Scale {
            shift: many(r, n, constant),
            scale: many(r, n, |r| r.pick(&[0.5, 2.0, -1.5, 0.3])),
        },
        25 => Step::Impute {
            values: many(r, n, constant),
        },
        26 => match r.below(3) {
            0 => Step::MarkMissing { value: -1.0 },
            1 => Step::FlushTiny { limit: 0.5 },
            _ => Step::Widen,
        },
        27 => {
            let len = 3 * (1 + r.below(3));
            steps.push(Step::Select {
                columns: columns(r, n, len),
            });
            Step::Choose
        }
        _ => Step::Derive(vec![derived(r, n)]),
    };
    steps.push(one);
}

fn function(r: &mut Rng) -> Function {
    r.pick(&[
        Function::Relu,
        Function::Tanh,
        Function::Logistic,
        Function::Exp,
        Function::Exp2,
        Function::ExpM1,
        Function::Ln,
        Function::Log2,
        Function::Log10,
        Function::Ln1p,
        Function::Sqrt,
        Function::Square,
        Function::Abs,
        Function::Negate,
        Function::Reciprocal,
        Function::Round,
        Function::Narrow,
        Function::Floor,
        Function::Truncate,
        Function::Above(0.5),
        Function::AtLeast(0.5),
        Function::Clip {
            low: -1.0,
            high: 1.5,
        },
        Function::NormalQuantile,
    ])
}

fn ascending(r: &mut Rng, n: usize) -> Vec<f64> {
    let mut values = many(r, n, grid);
    values.sort_unstable_by(f64::total_cmp);
    values
}

fn curve(r: &mut Rng) -> Curve {
    let n = 1 + r.below(6);
    Curve {
        x: ascending(r, n),
        y: many(r, n, constant),
        both_ways: r.one_in(2),
        flat: r.one_in(3).then(|| (grid(r), grid(r))),
    }
}

fn encoder(r: &mut Rng, n: usize, raw: Option<&[bool]>) -> Encoder {
    let first = r.below(n);
    let is_category = |c: usize| raw.is_some_and(|raw| raw[c]);
    let category = (first..n).chain(0..first).find(|&c| is_category(c));
    let column = category.filter(|_| !r.one_in(4)).unwrap_or(first);
    let refuses = is_category(column) && r.one_in(2);
    let keys: Vec<f64> = if refuses {
        (0..CATEGORIES).map(|c| c as f64).collect()
    } else {
        let mut keys = ascending(r, CATEGORIES);
        keys.dedup();
        keys
    };
    let n_codes = 1 + r.below(CATEGORIES);
    let code = |r: &mut Rng| r.below(n_codes) as u32;
    let width = 1 + r.below(3) as u32;
    Encoder {
        column: column as u32,
        code_of: keys.iter().map(|_| code(r)).collect(),
        missing: r.one_in(2).then(|| code(r)),
        unknown: (!refuses).then(|| code(r)),
        codes: if r.one_in(2) {
            Codes::OneHot {
                width: n_codes.max(2) as u32 - 1,
            }
        } else {
            Codes::Values {
                width,
                values: many(r, n_codes * width as usize, constant),
            }
        },
        keys,
    }
}

fn linear(r: &mut Rng, n: usize, n_outputs: usize, sum: Float) -> Linear {
    Linear {
        n_outputs,
        sum,
        weights: many(r, n * n_outputs, |r| constant(r) / 2.0),
        intercept: many(r, n_outputs, constant),
        intercept_order: r.pick(&[InterceptOrder::First, InterceptOrder::Last]),
        missing: r.pick(&[LinearMissing::Skip, LinearMissing::Propagate]),
    }
}

fn ensemble(r: &mut Rng, n: usize) -> Ensemble {
    let sum = r.pick(&[Sum::F64, Sum::F32, Sum::I32]);
    let shape = Shape {
        n_features: n,
        n_outputs: r.pick(&[1, 1, 2, 4]),
        n_trees: r.pick(&[0, 1, 3, 12]),
        max_leaves: r.pick(&[2, 8, 70]),
        n_cuts: 0,
        chain: r.pick(&[0, 3]),
        categories: r.one_in(3),
        linear: sum == Sum::F64 && r.one_in(4),
        vector: r.one_in(3),
        sum,
        compare: r.pick(&[Float::F32, Float::F64]),
    };
    let cuts: Vec<Vec<f64>> = (0..n).map(|_| many(r, 4, constant)).collect();
    draw_ensemble(r, &shape, &cuts)
}

/// A link that may stand between steps.
fn any_link(r: &mut Rng, n: usize) -> Link {
    let links = [
        Link::Identity,
        Link::Sigmoid { steepness: 1.5 },
        Link::Softmax,
        Link::SoftmaxZero,
        Link::Probit,
        Link::Exp,
        Link::Log1pExp,
        Link::SignedSquare,
        Link::Mean {
            n: 3.0,
            then: MeanLink::Softmax,
        },
        Link::Step,
        Link::Sorted,
        Link::CumulativeSoftplus,
        Link::ArgMax,
    ];
    // The number of a class says less than the row: rarer.
    let n_links = links.len() - usize::from(n > 1 && !r.one_in(3));
    links[r.below(n_links)].clone()
}

fn link(r: &mut Rng, body: &Body) -> (Link, Answer) {
    let n = body.n_outputs();
    let all_seen = n == body.n_margins();
    let last = |r: &mut Rng, rest: Step| {
        let mut steps = Vec::new();
        let width = grow(r, &mut steps, n, 1, None);
        let place = r.below(width) as u32;
        steps.push(Step::Select {
            columns: vec![place],
        });
        steps.push(rest);
        Link::Then(steps)
    };
    match r.below(10) {
        0 if n == 1 => (Link::Sigmoid { steepness: 1.0 }, Answer::Binary),
        1 if n == 1 => (Link::Identity, Answer::Score),
        2 if n == 1 => (Link::Step, Answer::Class),
        0 => (last(r, Step::Map(Function::Logistic)), Answer::Binary),
        1 => (last(r, Step::Map(Function::Negate)), Answer::Score),
        2 if all_seen => (Link::ArgMax, Answer::Class),
        3 => (Link::Softmax, Answer::Classes),
        4 => (Link::Sigmoid { steepness: 1.0 }, Answer::Labels),
        5 | 6 => {
            let mut steps = Vec::new();
            grow(r, &mut steps, n, 1, None);
            let answer = r.pick(&[Answer::Classes, Answer::Values, Answer::Labels]);
            (Link::Then(steps), answer)
        }
        _ => (any_link(r, n), Answer::Values),
    }
}

fn derived(r: &mut Rng, n: usize) -> Derived {
    let part = KeyPart::Above {
        feature: r.below(n) as u32,
        border: grid(r) as f32,
        missing: r.one_in(2),
    };
    let mut keys = vec![extend_key(0, 0), extend_key(0, 1)];
    keys.sort_unstable();
    keys.truncate(1 + r.below(2));
    Derived {
        parts: vec![part],
        values: many(r, keys.len(), constant),
        keys,
        otherwise: vec![constant(r)],
    }
}
