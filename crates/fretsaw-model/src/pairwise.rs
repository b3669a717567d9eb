//! Decisions between each two classes: to scores, and to probabilities.

/// The scores of classes from the decisions between each two of them.
pub(crate) fn votes(x: &[f64], n_classes: usize) -> Vec<f64> {
    let mut votes = vec![0.0; n_classes];
    let mut sure = vec![0.0; n_classes];
    for ((i, j), &decision) in pairs(n_classes).zip(x) {
        sure[i] += decision;
        sure[j] -= decision;
        votes[if decision < 0.0 { j } else { i }] += 1.0;
    }
    let score = |(v, s): (&f64, &f64)| v + s / (3.0 * (s.abs() + 1.0));
    votes.iter().zip(&sure).map(score).collect()
}

pub(crate) fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |i| (i + 1..n).map(move |j| (i, j)))
}

/// Probabilities of classes from decisions between each two: a sigmoid for each pair, then the
/// distribution that fits all pairs best (Wu, Lin and Weng 2004, method 2), as libsvm iterates it: it
/// stops 0.005 over the number of classes short, so that even of two classes the answer is not the
/// sigmoid.
#[derive(Clone, Debug, PartialEq)]
pub struct PairwiseCoupling {
    /// The classes, at least 2.
    pub n_classes: u32,
    /// One a pair: the pair's probability is `1 / (1 + exp(slope * decision + offset))`.
    pub slope: Vec<f64>,
    /// One a pair.
    pub offset: Vec<f64>,
}

impl PairwiseCoupling {
    /// The probabilities for the decisions `x`.
    pub fn of(&self, x: &[f64]) -> Vec<f64> {
        let k = self.n_classes as usize;
        let mut r = vec![0.0; k * k];
        for (p, (i, j)) in pairs(k).enumerate() {
            let probability = sigmoid(x[p], self.slope[p], self.offset[p]).clamp(1e-7, 1.0 - 1e-7);
            r[i * k + j] = probability;
            r[j * k + i] = 1.0 - probability;
        }
        couple(&r, k)
    }
}

/// libsvm's `sigmoid_predict`.
fn sigmoid(decision: f64, slope: f64, offset: f64) -> f64 {
    let f = decision * slope + offset;
    if f >= 0.0 {
        (-f).exp() / (1.0 + (-f).exp())
    } else {
        1.0 / (1.0 + f.exp())
    }
}

/// libsvm's `multiclass_probability`: `r[i][j]` is the probability of i among i and j.
fn couple(r: &[f64], k: usize) -> Vec<f64> {
    let at = |i: usize, j: usize| i * k + j;
    let mut q = vec![0.0; k * k];
    for t in 0..k {
        for j in 0..t {
            q[at(t, t)] += r[at(j, t)] * r[at(j, t)];
            q[at(t, j)] = q[at(j, t)];
        }
        for j in t + 1..k {
            q[at(t, t)] += r[at(j, t)] * r[at(j, t)];
            q[at(t, j)] = -r[at(j, t)] * r[at(t, j)];
        }
    }
    let mut p = vec![1.0 / k as f64; k];
    let mut qp = vec![0.0; k];
    let eps = 0.005 / k as f64;
    for _ in 0..k.max(100) {
        let mut pqp = 0.0;
        for t in 0..k {
            qp[t] = (0..k).fold(0.0, |sum, j| sum + q[at(t, j)] * p[j]);
            pqp += p[t] * qp[t];
        }
        let worst = qp.iter().fold(0.0, |m: f64, v| m.max((v - pqp).abs()));
        if worst < eps {
            break;
        }
        for t in 0..k {
            let diff = (-qp[t] + pqp) / q[at(t, t)];
            p[t] += diff;
            pqp = (pqp + diff * (diff * q[at(t, t)] + 2.0 * qp[t])) / (1.0 + diff) / (1.0 + diff);
            for j in 0..k {
                qp[j] = (qp[j] + diff * q[at(t, j)]) / (1.0 + diff);
                p[j] /= 1.0 + diff;
            }
        }
    }
    p
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_of_nothing_is_a_vote_for_the_first() {
        assert_eq!(
            votes(&[0.0, -1.0, 0.0], 3),
            [1.0 - 1.0 / 6.0, 1.0, 1.0 + 1.0 / 6.0]
        );
    }

    #[test]
    fn two_classes_are_iterated_too() {
        let coupling = |offset: f64| PairwiseCoupling {
            n_classes: 2,
            slope: vec![1.0],
            offset: vec![offset],
        };
        // So near to even that the iteration stops where it starts.
        assert_eq!(coupling(-0.008).of(&[0.0]), [0.5, 0.5]);
        let far = coupling(-2.0).of(&[0.0]);
        let alone = sigmoid(0.0, 1.0, -2.0);
        assert!((far[0] - alone).abs() < 3e-3 && far[0] != alone, "{far:?}");
        assert!((far[0] + far[1] - 1.0).abs() < 1e-15);
    }
}
