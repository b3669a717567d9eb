//! Random steps that hold rows (kernels, neighbours) or decide between pairs of classes.

use super::Rng;
use super::composite::grid;
use crate::{
    Kernel, KernelFunction, Metric, NeighborFill, NeighborTargets, NeighborWeights, Neighbors,
    PairwiseCoupling, Step,
};

fn grids(r: &mut Rng, n: usize) -> Vec<f64> {
    (0..n).map(|_| grid(r)).collect()
}

pub(super) fn kernel(r: &mut Rng, n: usize) -> Kernel {
    let n_vectors = 1 + r.below(9);
    Kernel {
        function: kernel_function(r, n, 2),
        n_features: n,
        vectors: grids(r, n_vectors * n),
    }
}

fn kernel_function(r: &mut Rng, n: usize, depth: usize) -> KernelFunction {
    use KernelFunction as K;
    let length = |r: &mut Rng| match r.one_in(2) {
        true => vec![1.5],
        false => (0..n).map(|_| 0.5 + r.unit().abs()).collect(),
    };
    let of = |r: &mut Rng| Box::new(kernel_function(r, n, depth - 1));
    match r.below(if depth == 0 { 11 } else { 14 }) {
        0 => K::Linear,
        1 => K::Polynomial {
            gamma: 0.5,
            coef0: 1.0,
            degree: r.pick(&[2.0, 3.0, 0.5]),
        },
        2 => K::Rbf { gamma: 0.3 },
        3 => K::Sigmoid {
            gamma: 0.2,
            coef0: -0.5,
        },
        4 => K::Euclidean,
        5 => K::Constant(1.25),
        6 => K::Gaussian { length: length(r) },
        7 => K::Matern {
            length: length(r),
            twice_nu: r.pick(&[1, 3, 5]),
        },
        8 => K::RationalQuadratic {
            length: 1.2,
            alpha: 0.7,
        },
        9 => K::ExpSineSquared {
            length: 1.1,
            periodicity: 2.0,
        },
        10 => K::DotProduct { sigma_0: 0.5 },
        11 => K::Sum(of(r), of(r)),
        12 => K::Product(of(r), of(r)),
        _ => K::Raised(of(r), 2.0),
    }
}

fn weights(r: &mut Rng) -> NeighborWeights {
    r.pick(&[NeighborWeights::Uniform, NeighborWeights::Distance])
}

pub(super) fn neighbors(r: &mut Rng, n: usize) -> Neighbors {
    let rows = 1 + r.below(12);
    Neighbors {
        metric: r.pick(&[
            Metric::Euclidean,
            Metric::Manhattan,
            Metric::Chebyshev,
            Metric::Minkowski(3.0),
            Metric::Cosine,
        ]),
        k: 1 + r.below(rows),
        weights: weights(r),
        n_features: n,
        vectors: grids(r, rows * n),
        targets: if r.one_in(2) {
            let width = 1 + r.below(3);
            NeighborTargets::Values {
                width,
                values: grids(r, rows * width),
            }
        } else {
            let n_classes = 1 + r.below(4);
            NeighborTargets::Classes {
                n_classes,
                classes: (0..rows).map(|_| r.below(n_classes) as u32).collect(),
            }
        },
    }
}

pub(super) fn fill(r: &mut Rng, n: usize) -> NeighborFill {
    let rows = 1 + r.below(8);
    let mut vectors = grids(r, rows * n);
    // The first row has every value, so that each column has one.
    for v in &mut vectors[n..] {
        if r.one_in(4) {
            *v = f64::NAN;
        }
    }
    NeighborFill {
        k: 1 + r.below(rows + 2),
        weights: weights(r),
        n_features: n,
        vectors,
    }
}

/// Votes or coupled probabilities of 2 to 4 classes, from as many places of the row as they need.
pub(super) fn pairwise(r: &mut Rng, steps: &mut Vec<Step>, n: usize) {
    let n_classes = 2 + r.below(3);
    let pairs = n_classes * (n_classes - 1) / 2;
    steps.push(Step::Select {
        columns: (0..pairs).map(|_| r.below(n) as u32).collect(),
    });
    let n_classes = n_classes as u32;
    steps.push(if r.one_in(2) {
        Step::Votes { n_classes }
    } else {
        Step::Couple(PairwiseCoupling {
            n_classes,
            slope: grids(r, pairs),
            offset: grids(r, pairs),
        })
    });
}
