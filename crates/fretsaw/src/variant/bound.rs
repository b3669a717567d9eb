//! How far a variant can be from the exact model, over *all* inputs: proved, not sampled.
//!
//! Both ensembles are walked together, tree by tree and split by split. Where a threshold moved, a
//! value between its old and its new place sends the two different ways, and every pair of leaves
//! that can then be reached counts. The bound is the sum over trees of the largest difference so
//! found, plus what rounding of both sums can add.
//!
//! Trees need not be written alike: children may be swapped with the test, nodes numbered otherwise,
//! and a constant may stand as a tree of one leaf. Below nodes that test different things all pairs
//! of leaves count, which is larger and still right.
//!
//! It is a worst case over inputs that no market will ever produce, so it is often far above the
//! error measured; it is what may be relied on.

use fretsaw_model::{
    BaseOrder, Draft, Ensemble, Float, Link, Missing, Model, Node, Split, Sum, Target, Test, Tree,
    ceil32, floor32,
};

/// Pairs of nodes looked at below one moved threshold, at most; beyond that the spread of all
/// leaves below stands in, which is larger and still right.
const MAX_PAIRS: usize = 2_000;

/// A proved bound on a variant's error.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Bound {
    /// Largest possible difference of a margin.
    pub margin: f64,
    /// Largest possible difference in what `predict` answers, where the link allows a bound.
    pub answer: Option<f64>,
}

/// Proves how far `variant` can be from `exact`.
///
/// `None` where the two do not correspond tree by tree (other outputs, another precision of
/// comparisons, another number of trees, linear leaves), so that nothing is proved.
pub fn prove(exact: &Model, variant: &Model) -> Option<Bound> {
    let (a, b) = (exact.ensemble()?, variant.ensemble()?);
    if a.n_outputs != b.n_outputs || a.compare != b.compare || exact.steps != variant.steps {
        return None;
    }
    let splitting = |e: &'_ Ensemble| -> Vec<usize> {
        (0..e.trees.len())
            .filter(|&i| !matches!(e.trees[i].nodes[0], Node::Leaf(_)))
            .collect()
    };
    let (trees_a, trees_b) = (splitting(a), splitting(b));
    if trees_a.len() != trees_b.len() {
        return None;
    }
    let mut margin = vec![0.0; a.n_outputs];
    for (&ta, &tb) in trees_a.iter().zip(&trees_b) {
        let mut pair = TreePair::new(a, b, &a.trees[ta], &b.trees[tb])?;
        pair.walk();
        for (total, d) in margin.iter_mut().zip(pair.largest) {
            *total += d;
        }
    }
    Some(bound_of_sums(exact, variant, &margin).0)
}

/// The bound that follows where the trees of the two, pair by pair, add values to each output that
/// are at most `trees` apart in all; and whether not a bit of a margin differs.
///
/// # Panics
/// When either is no ensemble of as many outputs.
pub(crate) fn bound_of_sums(exact: &Model, variant: &Model, trees: &[f64]) -> (Bound, bool) {
    let ensembles = exact.ensemble().zip(variant.ensemble());
    let (a, b) = ensembles.expect("two ensembles");
    let mut margin = trees.to_vec();
    let same_trees = margin.iter().all(|&m| m == 0.0);
    if same_trees && same_sums(a, b) {
        let bound = Bound {
            margin: 0.0,
            answer: (exact.link == variant.link).then_some(0.0),
        };
        return (bound, true);
    }
    let (sum_a, sum_b) = (Sums::of(a), Sums::of(b));
    for (k, total) in margin.iter_mut().enumerate() {
        let constant = (sum_a.constant[k] - sum_b.constant[k]).abs();
        // The sums of bounds are themselves rounded.
        *total = (*total + constant + sum_a.rounding[k] + sum_b.rounding[k]) * (1.0 + 1e-9);
    }
    let answer = if exact.link == variant.link {
        answer_bound(exact, &margin, &sum_a)
    } else {
        None
    };
    let bound = Bound {
        margin: margin.into_iter().fold(0.0, f64::max),
        answer,
    };
    (bound, false)
}

/// Whether two ensembles of the same trees also add them up alike, so that not a bit differs.
fn same_sums(a: &Ensemble, b: &Ensemble) -> bool {
    // Where the sum stands before the first tree that splits; none where a constant comes later.
    let start = |e: &Ensemble, k: usize| {
        let mut sum = if e.base_order == BaseOrder::First {
            e.base[k]
        } else {
            0.0
        };
        let mut split = false;
        for tree in &e.trees {
            let Node::Leaf(_) = tree.nodes[0] else {
                split = true;
                continue;
            };
            if split {
                return None;
            }
            match tree.target {
                Target::Output(own) if own as usize != k => {}
                Target::Output(_) => {
                    sum = e.sum.margin().cast(sum + weighted(e, tree, tree.leaves[0]))
                }
                Target::All => sum = e.sum.margin().cast(sum + weighted(e, tree, tree.leaves[k])),
            }
        }
        Some(sum)
    };
    let end = |e: &Ensemble, k: usize| {
        if e.base_order == BaseOrder::Last {
            e.base[k]
        } else {
            0.0
        }
    };
    a == b
        || (a.sum == b.sum
            && a.sum != Sum::I32
            && a.multiply == b.multiply
            && a.divide == b.divide
            && (0..a.n_outputs).all(|k| {
                start(a, k).is_some() && start(a, k) == start(b, k) && end(a, k) == end(b, k)
            }))
}

/// The range that each margin can have, and what rounding its sum can add.
struct Sums {
    /// What every row has: the base and the trees of one leaf.
    constant: Vec<f64>,
    range: Vec<(f64, f64)>,
    rounding: Vec<f64>,
}

impl Sums {
    fn of(e: &Ensemble) -> Self {
        let unit = match e.sum {
            Sum::F32 => f64::from(f32::EPSILON) / 2.0,
            Sum::F64 => f64::EPSILON / 2.0,
            Sum::I32 => 0.0,
        };
        let first = e.base_order == BaseOrder::First && e.sum != Sum::I32;
        let scale = |k: usize| e.multiply[k] / e.divide;
        let start = |k: usize| if first { e.base[k] } else { 0.0 };
        let mut range: Vec<(f64, f64)> = (0..e.n_outputs).map(|k| (start(k), start(k))).collect();
        let mut rounding = vec![0.0_f64; e.n_outputs];
        let mut constant: Vec<f64> = (0..e.n_outputs).map(start).collect();
        for tree in &e.trees {
            for k in 0..e.n_outputs {
                let Some((lo, hi)) = spread(e, tree, k) else {
                    continue;
                };
                if let Node::Leaf(_) = tree.nodes[0] {
                    constant[k] += lo;
                }
                range[k] = (range[k].0 + lo, range[k].1 + hi);
                // One rounding of the partial sum, itself off by what was rounded before.
                rounding[k] += unit * (range[k].0.abs().max(range[k].1.abs()) + rounding[k]);
            }
        }
        for k in 0..e.n_outputs {
            let (lo, hi) = (range[k].0 * scale(k), range[k].1 * scale(k));
            let add = if first { 0.0 } else { e.base[k] };
            range[k] = (lo.min(hi) + add, lo.max(hi) + add);
            constant[k] = constant[k] * scale(k) + add;
            let last = match e.sum {
                Sum::I32 => f64::from(f32::EPSILON) / 2.0,
                _ if scale(k) == 1.0 && add == 0.0 => 0.0,
                // Factor, divisor and base: a rounding each.
                _ => 3.0 * unit,
            };
            let size = range[k].0.abs().max(range[k].1.abs()).max(add.abs());
            rounding[k] = rounding[k] * scale(k).abs() + last * (size + rounding[k]);
        }
        Self {
            constant,
            range,
            rounding,
        }
    }
}

/// What a leaf adds to the sum, as the sum's precision has it.
pub(crate) fn weighted(e: &Ensemble, tree: &Tree, value: f64) -> f64 {
    match e.sum {
        Sum::F32 => Float::F32.cast(Float::F32.cast(value) * Float::F32.cast(tree.weight)),
        Sum::F64 | Sum::I32 => value * tree.weight,
    }
}

/// How far apart two leaf values are in the finished sum of output `k`: 0 only where the sums cannot
/// tell them apart. Each is given with its ensemble and tree.
pub(crate) fn leaves_apart(
    (a, ta, i): (&Ensemble, &Tree, usize),
    (b, tb, j): (&Ensemble, &Tree, usize),
    k: usize,
) -> f64 {
    let (x, y) = (weighted(a, ta, ta.leaves[i]), weighted(b, tb, tb.leaves[j]));
    let apart = (x * a.multiply[k] / a.divide - y * b.multiply[k] / b.divide).abs();
    let alike = a.multiply[k] == b.multiply[k] && a.divide == b.divide;
    match alike {
        true if x == y => 0.0,
        // The scaled values may round to the same where the sums still differ.
        true => apart.max(f64::MIN_POSITIVE),
        // An infinite leaf is as far from itself as from nothing.
        false if apart.is_nan() => f64::INFINITY,
        false => apart,
    }
}

/// The smallest and the largest that the tree adds to the sum of output `k`.
fn spread(e: &Ensemble, tree: &Tree, k: usize) -> Option<(f64, f64)> {
    let values = |first: usize, step: usize| {
        tree.leaves
            .iter()
            .skip(first)
            .step_by(step)
            .map(|&v| weighted(e, tree, v))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| {
                (lo.min(v), hi.max(v))
            })
    };
    match tree.target {
        Target::All => Some(values(k, e.n_outputs)),
        Target::Output(own) if own as usize == k => Some(values(0, 1)),
        Target::Output(_) => None,
    }
}

/// What is known of one feature's value: an interval, and whether it may be missing instead.
#[derive(Clone, Copy)]
struct Known {
    feature: u32,
    low: f64,
    high: f64,
    may_be_missing: bool,
}

/// One tree of each model, walked together.
struct TreePair<'a> {
    a: &'a Ensemble,
    b: &'a Ensemble,
    ta: &'a Tree,
    tb: &'a Tree,
    /// The largest difference found, for each output.
    largest: Vec<f64>,
}

impl<'a> TreePair<'a> {
    fn new(a: &'a Ensemble, b: &'a Ensemble, ta: &'a Tree, tb: &'a Tree) -> Option<Self> {
        let same = ta.target == tb.target && ta.linear.is_empty() && tb.linear.is_empty();
        same.then(|| Self {
            a,
            b,
            ta,
            tb,
            largest: vec![0.0; a.n_outputs],
        })
    }

    /// Visits in step what corresponds, and all that lies below where the ways part.
    fn walk(&mut self) {
        let mut stack = vec![(0_u32, 0_u32)];
        while let Some((na, nb)) = stack.pop() {
            let (Node::Split(x), Node::Split(y)) =
                (&self.ta.nodes[na as usize], &self.tb.nodes[nb as usize])
            else {
                self.diverge(na, nb, None);
                continue;
            };
            let (x, y) = (Way::of(x, self.a.compare), Way::of(y, self.b.compare));
            let missing = x.feature == y.feature && x.missing == y.missing;
            match (x.test, y.test) {
                (Test::Less(s), Test::Less(t)) if missing => {
                    stack.extend([(x.yes, y.yes), (x.no, y.no)]);
                    if s != t {
                        // In [low, high): not below the smaller threshold, below the larger.
                        let (low, high) = (s.min(t), s.max(t).next_down());
                        let (na, nb) = if s > t { (x.yes, y.no) } else { (x.no, y.yes) };
                        let known = Known {
                            feature: x.feature,
                            low,
                            high,
                            may_be_missing: false,
                        };
                        self.diverge(na, nb, Some(known));
                    }
                }
                (Test::In(i), Test::In(j))
                    if missing && self.ta.sets[i as usize] == self.tb.sets[j as usize] =>
                {
                    stack.extend([(x.yes, y.yes), (x.no, y.no)]);
                }
                (s, t) if missing && s == t && !matches!(s, Test::In(_)) => {
                    stack.extend([(x.yes, y.yes), (x.no, y.no)]);
                }
                _ => self.diverge(na, nb, None),
            }
        }
    }

    /// Every pair of leaves below two different nodes that some input can reach together.
    fn diverge(&mut self, na: u32, nb: u32, first: Option<Known>) {
        let mut stack = vec![(na, nb, first.into_iter().collect::<Vec<_>>())];
        let mut pairs = 0;
        while let Some((na, nb, known)) = stack.pop() {
            pairs += 1;
            if pairs > MAX_PAIRS {
                self.compare_all(na, nb);
                continue;
            }
            match (&self.ta.nodes[na as usize], &self.tb.nodes[nb as usize]) {
                (Node::Leaf(x), Node::Leaf(y)) => self.compare(*x, *y),
                (Node::Split(s), _) => {
                    for (child, yes) in [(s.yes, true), (s.no, false)] {
                        if let Some(known) = narrow(&known, s, yes) {
                            stack.push((child, nb, known));
                        }
                    }
                }
                (_, Node::Split(s)) => {
                    for (child, yes) in [(s.yes, true), (s.no, false)] {
                        if let Some(known) = narrow(&known, s, yes) {
                            stack.push((na, child, known));
                        }
                    }
                }
            }
        }
    }

    fn compare(&mut self, x: u32, y: u32) {
        let mut one = |k: usize, i: usize, j: usize| {
            let d = leaves_apart((self.a, self.ta, i), (self.b, self.tb, j), k);
            self.largest[k] = self.largest[k].max(d);
        };
        match self.ta.target {
            Target::Output(k) => one(k as usize, x as usize, y as usize),
            Target::All => {
                let n = self.a.n_outputs;
                (0..n).for_each(|k| one(k, x as usize * n + k, y as usize * n + k));
            }
        }
    }

    /// As if every leaf below the one node could meet every leaf below the other.
    fn compare_all(&mut self, na: u32, nb: u32) {
        let below = |tree: &Tree, root: u32| {
            let (mut stack, mut leaves) = (vec![root], Vec::new());
            while let Some(at) = stack.pop() {
                match &tree.nodes[at as usize] {
                    Node::Leaf(k) => leaves.push(*k),
                    Node::Split(s) => stack.extend([s.yes, s.no]),
                }
            }
            leaves
        };
        let (la, lb) = (below(self.ta, na), below(self.tb, nb));
        // The extremes of each output are enough.
        let n = self.a.n_outputs;
        let width = if self.ta.target == Target::All { n } else { 1 };
        for i in 0..width {
            let ends = |leaves: &[u32], tree: &Tree| {
                let value = |k: &u32| tree.leaves[*k as usize * width + i] * tree.weight;
                let low = leaves
                    .iter()
                    .copied()
                    .min_by(|x, y| value(x).total_cmp(&value(y)));
                let high = leaves
                    .iter()
                    .copied()
                    .max_by(|x, y| value(x).total_cmp(&value(y)));
                [low, high].into_iter().flatten().collect::<Vec<_>>()
            };
            for &x in &ends(&la, self.ta) {
                for &y in &ends(&lb, self.tb) {
                    self.compare(x, y);
                }
            }
        }
    }
}

/// A split in one of the ways it could be written: the complement of a test is the test with its
/// children exchanged, and both kinds of threshold become `x < t`.
struct Way {
    feature: u32,
    test: Test,
    missing: Missing,
    yes: u32,
    no: u32,
}

impl Way {
    fn of(split: &Split, compare: Float) -> Self {
        let &Split {
            feature,
            test,
            missing,
            yes,
            no,
        } = split;
        let exchanged = match missing {
            Missing::Nan { yes } => Missing::Nan { yes: !yes },
            Missing::ZeroOrNan { yes } => Missing::ZeroOrNan { yes: !yes },
            Missing::AsZero => Missing::AsZero,
        };
        let (test, missing, yes, no) = match test {
            Test::GreaterEq(t) => (Test::Less(t), exchanged, no, yes),
            Test::Greater(t) => (Test::LessEq(t), exchanged, no, yes),
            Test::NotEqual(t) => (Test::Equal(t), exchanged, no, yes),
            test => (test, missing, yes, no),
        };
        let test = match (test, compare) {
            (Test::Less(t), Float::F32) => Test::Less(f64::from(ceil32(t))),
            (Test::LessEq(t), Float::F32) if t < f64::from(f32::MAX) => {
                Test::Less(f64::from(floor32(t).next_up()))
            }
            (Test::LessEq(t), Float::F64) if t < f64::MAX => Test::Less(t.next_up()),
            (test, _) => test,
        };
        Self {
            feature,
            test,
            missing,
            yes,
            no,
        }
    }
}

/// What is known after a split went `yes` or not; `None`: it cannot have.
fn narrow(known: &[Known], split: &Split, yes: bool) -> Option<Vec<Known>> {
    let mut known = known.to_vec();
    let Missing::Nan { yes: default } = split.missing else {
        return Some(known); // Kinds with a rule for zero: nothing concluded.
    };
    let (low, high) = match (split.test, yes) {
        (Test::Less(t), true) | (Test::GreaterEq(t), false) => (f64::NEG_INFINITY, t.next_down()),
        (Test::Less(t), false) | (Test::GreaterEq(t), true) => (t, f64::INFINITY),
        (Test::LessEq(t), true) | (Test::Greater(t), false) => (f64::NEG_INFINITY, t),
        (Test::LessEq(t), false) | (Test::Greater(t), true) => (t.next_up(), f64::INFINITY),
        _ => return Some(known),
    };
    let at = known
        .iter()
        .position(|k| k.feature == split.feature)
        .unwrap_or_else(|| {
            known.push(Known {
                feature: split.feature,
                low: f64::NEG_INFINITY,
                high: f64::INFINITY,
                may_be_missing: true,
            });
            known.len() - 1
        });
    let k = &mut known[at];
    k.low = k.low.max(low);
    k.high = k.high.min(high);
    k.may_be_missing &= default == yes;
    (k.low <= k.high || k.may_be_missing).then_some(known)
}

/// The largest change of an answer when each margin may move by its bound.
fn answer_bound(model: &Draft, margin: &[f64], sums: &Sums) -> Option<f64> {
    let (n, link) = model.link.parts();
    let largest = margin.iter().copied().fold(0.0, f64::max) / n;
    // The link's own arithmetic is a few roundings of the margin's precision.
    let eps = match model.body.margin() {
        Float::F32 => f64::from(f32::EPSILON),
        Float::F64 => f64::EPSILON,
    } * 8.0;
    let size = sums
        .range
        .iter()
        .fold(0.0_f64, |m, r| m.max(r.0.abs()).max(r.1.abs()))
        / n
        + largest;
    Some(match link {
        // The division rounds too.
        Link::Identity if n != 1.0 => largest + eps * size,
        Link::Identity | Link::Sorted => largest,
        Link::Sigmoid { steepness } => (steepness * largest / 4.0).tanh() + eps,
        Link::Softmax => (largest / 2.0).tanh() + eps,
        Link::Exp => {
            let top = sums
                .range
                .iter()
                .map(|r| r.1)
                .fold(f64::NEG_INFINITY, f64::max)
                / n
                + largest;
            top.exp() * (-(-largest).exp_m1() + eps)
        }
        Link::Log1pExp => largest + eps * (size + 1.0),
        Link::SignedSquare => 2.0 * size * largest + eps * size * size,
        Link::CumulativeSoftplus => {
            margin.iter().sum::<f64>() + eps * (size + 1.0) * margin.len() as f64
        }
        Link::Step => 1.0,
        Link::ArgMax => margin.len() as f64 - 1.0,
        _ => return None,
    })
}
