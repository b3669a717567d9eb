//! Nearest neighbours: what the stored rows nearest to a row say, and filling gaps from them.
//!
//! Of rows equally far the first stored counts as nearer.

/// Stored rows, and what each says.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbors {
    /// The distance.
    pub metric: Metric,
    /// How many are asked.
    pub k: usize,
    /// How their answers are weighted.
    pub weights: NeighborWeights,
    /// Values of a stored row.
    pub n_features: usize,
    /// Rows x `n_features`, row-major.
    pub vectors: Vec<f64>,
    /// What the rows say.
    pub targets: NeighborTargets,
}

/// A distance between rows.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Metric {
    /// The root of the sum of squares.
    Euclidean,
    /// The sum of sizes.
    Manhattan,
    /// The largest size.
    Chebyshev,
    /// The p-th root of the sum of p-th powers.
    Minkowski(f64),
    /// 1 less the cosine of the angle.
    Cosine,
}

/// How neighbours are weighted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeighborWeights {
    /// Alike.
    Uniform,
    /// By the reciprocal of the distance; those at distance 0, if any, count alone.
    Distance,
}

/// What stored rows say.
#[derive(Clone, Debug, PartialEq)]
pub enum NeighborTargets {
    /// Values; the answer is their weighted mean.
    Values {
        /// Values a row.
        width: usize,
        /// Rows x `width`.
        values: Vec<f64>,
    },
    /// Classes; the answer is the weight of each class among all.
    Classes {
        /// How many classes there are.
        n_classes: usize,
        /// One a row.
        classes: Vec<u32>,
    },
}

impl NeighborTargets {
    /// How many values the answer has.
    pub fn width(&self) -> usize {
        match self {
            Self::Values { width, .. } => *width,
            Self::Classes { n_classes, .. } => *n_classes,
        }
    }
}

impl Metric {
    /// The distance.
    pub fn of(self, x: &[f64], v: &[f64]) -> f64 {
        let differences = || x.iter().zip(v).map(|(x, v)| (x - v).abs());
        match self {
            Self::Euclidean => differences().fold(0.0, |sum, d| sum + d * d).sqrt(),
            Self::Manhattan => differences().fold(0.0, |sum, d| sum + d),
            Self::Chebyshev => differences().fold(0.0, f64::max),
            Self::Minkowski(p) => differences()
                .fold(0.0, |sum, d| sum + d.powf(p))
                .powf(1.0 / p),
            Self::Cosine => {
                let dot =
                    |a: &[f64], b: &[f64]| a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b);
                let size = |a: &[f64]| match dot(a, a) {
                    0.0 => 1.0,
                    square => square.sqrt(),
                };
                1.0 - dot(x, v) / (size(x) * size(v))
            }
        }
    }
}

impl Neighbors {
    /// What the neighbours of `x` say.
    pub fn of(&self, x: &[f64]) -> Vec<f64> {
        let rows = self.vectors.chunks_exact(self.n_features.max(1));
        let mut near: Vec<(f64, usize)> = rows
            .enumerate()
            .map(|(i, v)| (self.metric.of(x, v), i))
            .collect();
        nearest(&mut near, self.k);
        let weights = weights(&near, self.weights);
        let total = weights.iter().fold(0.0, |sum, w| sum + w);
        let mut out = vec![0.0; self.targets.width()];
        for (&(_, row), weight) in near.iter().zip(&weights) {
            match &self.targets {
                NeighborTargets::Values { width, values } => {
                    for (out, value) in out.iter_mut().zip(&values[row * width..]) {
                        *out += value * weight;
                    }
                }
                NeighborTargets::Classes { classes, .. } => out[classes[row] as usize] += weight,
            }
        }
        out.iter_mut().for_each(|v| *v /= total);
        out
    }
}

/// Keeps the `k` nearest, the first stored of equals, in the order of their distance. NaN is
/// farther than anything.
fn nearest(near: &mut Vec<(f64, usize)>, k: usize) {
    let order = |a: &(f64, usize), b: &(f64, usize)| {
        a.0.is_nan()
            .cmp(&b.0.is_nan())
            .then(a.0.partial_cmp(&b.0).unwrap_or(std::cmp::Ordering::Equal))
            .then(a.1.cmp(&b.1))
    };
    if k < near.len() {
        near.select_nth_unstable_by(k, order);
        near.truncate(k);
    }
    near.sort_unstable_by(order);
}

fn weights(near: &[(f64, usize)], by: NeighborWeights) -> Vec<f64> {
    match by {
        NeighborWeights::Uniform => vec![1.0; near.len()],
        NeighborWeights::Distance if near.iter().any(|n| n.0 == 0.0) => near
            .iter()
            .map(|n| f64::from(u8::from(n.0 == 0.0)))
            .collect(),
        NeighborWeights::Distance => near.iter().map(|n| 1.0 / n.0).collect(),
    }
}

/// Filling missing values from the nearest rows that have them: scikit-learn's `KNNImputer`.
#[derive(Clone, Debug)]
pub struct NeighborFill {
    /// How many rows are asked.
    pub k: usize,
    /// How their values are weighted.
    pub weights: NeighborWeights,
    /// Values of a row.
    pub n_features: usize,
    /// Rows x `n_features`, row-major; NaN where a value is missing.
    pub vectors: Vec<f64>,
}

impl PartialEq for NeighborFill {
    /// Missing values are equal here.
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
        (self.k, self.weights, self.n_features) == (other.k, other.weights, other.n_features)
            && self.vectors.len() == other.vectors.len()
            && self.vectors.iter().zip(&other.vectors).all(same)
    }
}

impl NeighborFill {
    /// The row with its gaps filled.
    ///
    /// The distance to a stored row is Euclidean over the values that both have, scaled up as if
    /// there were as many as features. Where none is shared with any row that has the value, the
    /// mean of the stored values stands in.
    pub fn of(&self, x: &[f64]) -> Vec<f64> {
        if !x.iter().any(|v| v.is_nan()) {
            return x.to_vec();
        }
        let rows = || self.vectors.chunks_exact(self.n_features.max(1));
        let distances: Vec<f64> = rows().map(|v| shared_distance(x, v)).collect();
        let fill = |column: usize| {
            let has = |(i, v): (usize, &[f64])| (!v[column].is_nan()).then_some((distances[i], i));
            let mut near: Vec<(f64, usize)> = rows().enumerate().filter_map(has).collect();
            let value = |row: usize| self.vectors[row * self.n_features + column];
            if near.iter().all(|n| n.0.is_nan()) {
                let sum = near.iter().fold(0.0, |sum, n| sum + value(n.1));
                return sum / near.len() as f64;
            }
            nearest(&mut near, self.k);
            near.retain(|n| !n.0.is_nan());
            let weights = weights(&near, self.weights);
            let pairs = near.iter().zip(&weights);
            let (sum, total) = pairs.fold((0.0, 0.0), |(sum, total), (n, w)| {
                (sum + value(n.1) * w, total + w)
            });
            sum / total
        };
        let one = |(i, v): (usize, &f64)| if v.is_nan() { fill(i) } else { *v };
        x.iter().enumerate().map(one).collect()
    }
}

/// NaN where the rows share no value.
fn shared_distance(x: &[f64], v: &[f64]) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for (x, v) in x.iter().zip(v) {
        if !x.is_nan() && !v.is_nan() {
            sum += (x - v) * (x - v);
            n += 1.0;
        }
    }
    (sum / n * x.len() as f64).sqrt()
}
