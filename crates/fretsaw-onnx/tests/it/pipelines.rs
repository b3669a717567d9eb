//! Random pipelines: every step that computes in f64, in random order, in branches and behind links.
//! Shared by the property tests and the example that writes them for ONNX Runtime.

use fretsaw_model::random::{self, Rng, Shape};
use fretsaw_model::{
    Answer, Body, Codes, Curve, Decision, Draft, Encoder, Feature, Float, Function, InterceptOrder,
    Kernel, KernelFunction, Labels, Linear, LinearMissing, Link, Metric, Model, NeighborFill,
    NeighborTargets, NeighborWeights, Neighbors, Norm, PairwiseCoupling, Power, Provenance, Step,
    Sum,
};

/// A model for `seed`: with `only`, its one step is of that kind.
pub(crate) fn model(seed: u64, only: Option<usize>) -> Model {
    let mut r = Rng::new(seed.wrapping_mul(7919) ^ 0x51ab);
    let n_features = 1 + r.below(5);
    let mut width = n_features;
    let mut steps = Vec::new();
    if only.is_none() && r.one_in(4) {
        steps.push(Step::Impute {
            values: draws(&mut r, n_features),
        });
    }
    let n_steps = if only.is_some() { 1 } else { 1 + r.below(4) };
    for _ in 0..n_steps {
        let kind = only.unwrap_or_else(|| r.below(N_KINDS));
        let step = step(&mut r, kind, width, 2);
        if step.iter().fold(width, |n, s| s.width(n)) > 40 {
            continue;
        }
        width = step.iter().fold(width, |n, s| s.width(n));
        steps.extend(step);
    }
    let body = match r.below(4) {
        0 => {
            let shape = Shape {
                compare: Float::F64,
                sum: Sum::F64,
                ..shape(&mut r, width, 1 + seed as usize % 3)
            };
            random::ensemble(seed, &shape).into_draft().body
        }
        1 => {
            let n = 1 + r.below(3);
            Body::Linear(linear(&mut r, width, n))
        }
        _ => Body::Row {
            n_outputs: width,
            n_margins: 1 + r.below(width),
        },
    };
    let n = body.n_outputs();
    let decision = r.pick(&[
        Decision::Answer,
        Decision::Margin,
        Decision::MarginFromZero,
        Decision::LastMargin,
        Decision::Votes,
    ]);
    let (link, answer) = match r.below(7) {
        0 if n == 1 => (Link::Sigmoid { steepness: 1.0 }, Answer::Binary),
        1 if n == 1 => (Link::Identity, Answer::Score),
        2 if body.n_margins() > 1 => (Link::Then(vec![Step::Link(Link::Softmax)]), Answer::Classes),
        3 if n > 1 && body.n_margins() == n => (Link::ArgMax, Answer::Class),
        4 => (Link::Then(vec![Step::Map(Function::Tanh)]), Answer::Values),
        _ => (Link::Identity, Answer::Values),
    };
    // Which class the margins name must be one that the answers have.
    let names_all = body.n_margins() == n || body.n_margins() == 1;
    let draft = Draft {
        features: (0..n_features)
            .map(|i| Feature::numeric(format!("f{i}")))
            .collect(),
        steps,
        body,
        link,
        decision: if names_all {
            decision
        } else {
            Decision::Answer
        },
        labels: (answer == Answer::Score).then(|| Labels::Ints(vec![-1, 1])),
        answer,
        provenance: Provenance::default(),
    };
    draft.build().expect("what is drawn here is valid")
}

/// Kinds of steps that [`model`] draws.
pub(crate) const N_KINDS: usize = 21;

fn draws(r: &mut Rng, n: usize) -> Vec<f64> {
    (0..n)
        .map(|_| (r.unit() * 8.0).round() / 4.0 + r.pick(&[0.0, 0.1]))
        .collect()
}

fn shape(r: &mut Rng, n_features: usize, n_outputs: usize) -> Shape {
    Shape {
        n_features,
        n_outputs,
        n_trees: 1 + r.below(12),
        max_leaves: 12,
        n_cuts: 6,
        chain: 0,
        linear: false,
        vector: r.one_in(2),
        ..Shape::any(r.bits())
    }
}

fn linear(r: &mut Rng, n_features: usize, n_outputs: usize) -> Linear {
    Linear {
        n_outputs,
        sum: Float::F64,
        weights: draws(r, n_features * n_outputs),
        intercept: draws(r, n_outputs),
        intercept_order: r.pick(&[InterceptOrder::First, InterceptOrder::Last]),
        missing: r.pick(&[LinearMissing::Skip, LinearMissing::Propagate]),
    }
}

fn columns(r: &mut Rng, width: usize, n: usize) -> Vec<u32> {
    (0..n).map(|_| r.below(width) as u32).collect()
}

/// Steps that end with one of the kind.
fn step(r: &mut Rng, kind: usize, width: usize, depth: usize) -> Vec<Step> {
    let some = 1 + r.below(5);
    let n_rows = 1 + r.below(9);
    let one = match kind {
        0 => Step::Select {
            columns: columns(r, width, some),
        },
        1 if depth > 0 => {
            let branch = |r: &mut Rng| match r.below(5) {
                0 => vec![],
                _ => {
                    let kind = r.below(N_KINDS);
                    step(r, kind, width, depth - 1)
                }
            };
            Step::Branches((0..1 + r.below(3)).map(|_| branch(r)).collect())
        }
        2 => Step::Affine {
            factor: draws(r, width),
            offset: draws(r, width),
        },
        3 => Step::Map(function(r)),
        4 => Step::IsMissing {
            columns: columns(r, width, some),
        },
        5 => Step::Power {
            kind: r.pick(&[Power::BoxCox, Power::YeoJohnson, Power::YeoJohnsonPowers]),
            lambdas: (0..width)
                .map(|_| r.pick(&[0.0, 1.0, 2.0, 0.3, -1.2]))
                .collect(),
        },
        6 => Step::Curves((0..width).map(|_| curve(r)).collect()),
        7 => Step::Bins(
            (0..width)
                .map(|_| {
                    let n = r.below(20);
                    sorted(draws(r, n))
                })
                .collect(),
        ),
        8 => Step::Encode((0..some).map(|_| encoder(r, width)).collect()),
        9 => Step::Normalize(r.pick(&[Norm::L1, Norm::L2, Norm::Max, Norm::Shares])),
        10 => Step::Products(
            (0..some)
                .map(|_| {
                    let n = r.below(4);
                    columns(r, width, n)
                })
                .collect(),
        ),
        11 => Step::Linear(linear(r, width, some)),
        12 => {
            let shape = loop {
                let shape = shape(r, width, 1 + some % 3);
                // ONNX cannot compare in f64 and sum in f32.
                if shape.compare == Float::F32 || shape.sum == Sum::F64 {
                    break shape;
                }
            };
            match random::ensemble(r.bits(), &shape).into_draft().body {
                Body::Ensemble(e) => Step::Ensemble(e),
                _ => unreachable!("an ensemble was drawn"),
            }
        }
        13 => Step::Link(LINKS[r.below(LINKS.len())].clone()),
        14 => Step::Kernel(Kernel {
            function: kernel(r, width, 2),
            n_features: width,
            vectors: draws(r, n_rows * width),
        }),
        15 => Step::Neighbors(Neighbors {
            metric: r.pick(&[
                Metric::Euclidean,
                Metric::Manhattan,
                Metric::Chebyshev,
                Metric::Minkowski(3.0),
                Metric::Minkowski(1.5),
                Metric::Cosine,
            ]),
            k: 1 + r.below(n_rows),
            weights: r.pick(&[NeighborWeights::Uniform, NeighborWeights::Distance]),
            n_features: width,
            vectors: draws(r, n_rows * width),
            targets: match r.below(2) {
                0 => NeighborTargets::Values {
                    width: some,
                    values: draws(r, n_rows * some),
                },
                _ => NeighborTargets::Classes {
                    n_classes: some,
                    classes: columns(r, some, n_rows),
                },
            },
        }),
        16 => Step::FillFromNeighbors(NeighborFill {
            k: 1 + r.below(5),
            weights: r.pick(&[NeighborWeights::Uniform, NeighborWeights::Distance]),
            n_features: width,
            vectors: {
                let mut v = draws(r, n_rows * width);
                for v in &mut v[width..] {
                    if r.one_in(3) {
                        *v = f64::NAN;
                    }
                }
                v
            },
        }),
        17 | 18 => {
            let k = 2 + r.below(4);
            let pairs = k * (k - 1) / 2;
            let last = match kind {
                17 => Step::Votes {
                    n_classes: k as u32,
                },
                _ => Step::Couple(PairwiseCoupling {
                    n_classes: k as u32,
                    slope: draws(r, pairs),
                    offset: draws(r, pairs),
                }),
            };
            return vec![Step::Linear(linear(r, width, pairs)), last];
        }
        19 => Step::WeightedMedian {
            weights: draws(r, width).iter().map(|v| v.abs() + 0.25).collect(),
        },
        _ => Step::Scale {
            shift: draws(r, width),
            scale: draws(r, width).iter().map(|v| v.abs() + 0.25).collect(),
        },
    };
    vec![one]
}

const LINKS: [Link; 11] = [
    Link::Identity,
    Link::Sigmoid { steepness: 2.0 },
    Link::Softmax,
    Link::SoftmaxZero,
    Link::Probit,
    Link::Exp,
    Link::Log1pExp,
    Link::SignedSquare,
    Link::Step,
    Link::ArgMax,
    Link::CumulativeSoftplus,
];

fn function(r: &mut Rng) -> Function {
    const ALL: [Function; 21] = [
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
        Function::Above(0.25),
        Function::AtLeast(0.25),
        Function::Clip {
            low: -0.75,
            high: 1.25,
        },
        Function::NormalQuantile,
        Function::Clip {
            low: 1.0,
            high: -1.0,
        },
    ];
    ALL[r.below(ALL.len())]
}

fn sorted(mut v: Vec<f64>) -> Vec<f64> {
    v.sort_by(f64::total_cmp);
    v
}

fn curve(r: &mut Rng) -> Curve {
    let n = 1 + r.below(12);
    Curve {
        x: sorted(draws(r, n)),
        y: sorted(draws(r, n)),
        both_ways: r.one_in(2),
        flat: r.one_in(3).then(|| (r.unit() - 0.5, r.unit() + 0.5)),
    }
}

fn encoder(r: &mut Rng, width: usize) -> Encoder {
    let n = r.below(12);
    let mut keys = sorted(draws(r, n));
    keys.dedup();
    let n_codes = 1 + r.below(6);
    let codes = match r.below(2) {
        0 => Codes::OneHot {
            width: r.below(n_codes + 1) as u32,
        },
        _ => {
            let width = 1 + r.below(3);
            Codes::Values {
                width: width as u32,
                values: draws(r, n_codes * width),
            }
        }
    };
    Encoder {
        column: r.below(width) as u32,
        code_of: columns(r, n_codes, keys.len()),
        keys,
        missing: r.one_in(2).then(|| r.below(n_codes) as u32),
        unknown: Some(r.below(n_codes) as u32),
        codes,
    }
}

fn kernel(r: &mut Rng, width: usize, depth: usize) -> KernelFunction {
    let length = |r: &mut Rng| {
        let n = r.pick(&[1, width]);
        draws(r, n).iter().map(|v| v.abs() + 0.5).collect()
    };
    let inner = |r: &mut Rng| Box::new(kernel(r, width, depth - 1));
    match r.below(if depth > 0 { 14 } else { 11 }) {
        0 => KernelFunction::Linear,
        1 => KernelFunction::Polynomial {
            gamma: 0.5,
            coef0: 1.0,
            degree: f64::from(1 + r.below(4) as u32),
        },
        2 => KernelFunction::Rbf { gamma: 0.5 },
        3 => KernelFunction::Sigmoid {
            gamma: 0.25,
            coef0: 0.5,
        },
        4 => KernelFunction::Euclidean,
        5 => KernelFunction::Constant(0.75),
        6 => KernelFunction::Gaussian { length: length(r) },
        7 => KernelFunction::Matern {
            length: length(r),
            twice_nu: r.pick(&[1, 3, 5]),
        },
        8 => KernelFunction::RationalQuadratic {
            length: 1.5,
            alpha: 0.75,
        },
        9 => KernelFunction::ExpSineSquared {
            length: 1.5,
            periodicity: 2.5,
        },
        10 => KernelFunction::DotProduct { sigma_0: 0.5 },
        11 => KernelFunction::Sum(inner(r), inner(r)),
        12 => KernelFunction::Product(inner(r), inner(r)),
        _ => KernelFunction::Raised(inner(r), 2.0),
    }
}

/// Rows for `model`: quarters, on which much of what is drawn here lies, numbers beside them, and gaps.
pub(crate) fn rows(seed: u64, model: &Model, n_rows: usize) -> Vec<f64> {
    let mut r = Rng::new(seed ^ 0x77);
    let one = |r: &mut Rng| match r.below(10) {
        0 => f64::NAN,
        1..=5 => (r.unit() * 8.0).round() / 4.0,
        6 => (r.unit() * 8.0).round() / 4.0 + 0.1,
        _ => r.unit() * 3.0,
    };
    (0..n_rows * model.features.len())
        .map(|_| one(&mut r))
        .collect()
}
