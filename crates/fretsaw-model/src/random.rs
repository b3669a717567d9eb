//! Random models, and rows that sit on their edges: what property tests in the crates above run on.
//!
//! Everything is drawn from a seed, so that a failing case is named by one number.

use crate::{
    Answer, BaseOrder, Body, CategoryIndex, CategorySet, Decision, Draft, Ensemble, Feature,
    FeatureKind, Float, Labels, LinearLeaf, Link, Missing, Model, Node, Provenance, Split, Step,
    Sum, Target, Test, Tree,
};

mod composite;
mod stored;

pub use composite::{composite, composite_rows};

/// A small generator (SplitMix64): repeatable, and good enough to draw test cases.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A generator for `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 where `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        if n == 0 {
            0
        } else {
            (self.bits() % n as u64) as usize
        }
    }

    /// True one time in `n`.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// A number in -1..1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    /// One of `items`.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// What random ensembles may hold.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Features, 1 or more.
    pub n_features: usize,
    /// Margins a row, 1 or more.
    pub n_outputs: usize,
    /// Trees.
    pub n_trees: usize,
    /// Leaves a tree, at most; each tree draws 1 to this many.
    pub max_leaves: usize,
    /// Distinct thresholds a feature, about.
    pub n_cuts: usize,
    /// One tree in `chain` is a chain; 0: none.
    pub chain: usize,
    /// Whether there are category splits.
    pub categories: bool,
    /// Whether there are linear leaves (f64 sums of single outputs only).
    pub linear: bool,
    /// Whether leaves may be vectors.
    pub vector: bool,
    /// The sum.
    pub sum: Sum,
    /// The precision of comparisons.
    pub compare: Float,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            n_features: 7,
            n_outputs: 1,
            n_trees: 9,
            max_leaves: 20,
            n_cuts: 12,
            chain: 5,
            categories: false,
            linear: false,
            vector: false,
            sum: Sum::F32,
            compare: Float::F32,
        }
    }
}

impl Shape {
    /// A shape drawn from `seed`: over many seeds it covers all that the IR can hold.
    pub fn any(seed: u64) -> Self {
        let mut r = Rng::new(seed);
        let sum = r.pick(&[Sum::F32, Sum::F64, Sum::F64, Sum::F32, Sum::I32]);
        Self {
            n_features: 1 + r.below(12),
            n_outputs: r.pick(&[1, 1, 1, 2, 3, 5]),
            n_trees: r.pick(&[0, 1, 2, 7, 30]),
            max_leaves: r.pick(&[1, 2, 8, 40, 64, 65, 300]),
            n_cuts: r.pick(&[1, 3, 20, 300]),
            chain: r.pick(&[0, 0, 3]),
            categories: r.one_in(3),
            linear: sum == Sum::F64 && r.one_in(4),
            vector: r.one_in(3),
            sum,
            compare: r.pick(&[Float::F32, Float::F64]),
        }
    }
}

/// A random ensemble of this shape, with an identity link.
///
/// # Panics
/// When the shape has no feature or no output.
pub fn ensemble(seed: u64, shape: &Shape) -> Model {
    let mut r = Rng::new(seed);
    let cuts: Vec<Vec<f64>> = (0..shape.n_features)
        .map(|_| {
            (0..shape.n_cuts.max(1))
                .map(|_| cut(&mut r, shape.compare))
                .collect()
        })
        .collect();
    let ensemble = draw_ensemble(&mut r, shape, &cuts);
    let category = category(shape);
    let kind = |i| {
        if Some(i) == category {
            FeatureKind::Categorical { categories: None }
        } else {
            FeatureKind::Numeric
        }
    };
    Draft {
        features: (0..shape.n_features)
            .map(|i| Feature {
                name: format!("f{i}"),
                kind: kind(i),
            })
            .collect(),
        steps: vec![],
        body: Body::Ensemble(ensemble),
        link: Link::Identity,
        answer: Answer::Values,
        decision: Decision::Answer,
        labels: None,
        provenance: Provenance {
            framework: "random".into(),
            ..Provenance::default()
        },
    }
    .build()
    .expect("what is drawn here is valid")
}

/// The last feature holds categories, where any does.
fn category(shape: &Shape) -> Option<usize> {
    shape.categories.then_some(shape.n_features - 1)
}

fn draw_ensemble(r: &mut Rng, shape: &Shape, cuts: &[Vec<f64>]) -> Ensemble {
    let category = category(shape);
    let trees = (0..shape.n_trees)
        .map(|_| tree(r, shape, cuts, category))
        .collect();
    let exact = |r: &mut Rng| {
        if shape.sum == Sum::F32 {
            f64::from(r.unit() as f32)
        } else {
            r.unit()
        }
    };
    Ensemble {
        n_outputs: shape.n_outputs,
        compare: shape.compare,
        sum: shape.sum,
        base: (0..shape.n_outputs).map(|_| exact(r)).collect(),
        base_order: r.pick(&[BaseOrder::First, BaseOrder::Last]),
        multiply: (0..shape.n_outputs)
            .map(|_| {
                if shape.sum == Sum::I32 {
                    0.01
                } else {
                    r.pick(&[1.0, 1.0, 0.5])
                }
            })
            .collect(),
        divide: if r.one_in(3) && shape.sum != Sum::I32 {
            shape.n_trees.max(1) as f64
        } else {
            1.0
        },
        trees,
    }
}

/// A random ensemble of any shape, with steps in front and a link behind it.
pub fn model(seed: u64) -> Model {
    let shape = Shape::any(seed);
    let mut draft = ensemble(seed, &shape).into_draft();
    let mut r = Rng::new(!seed);
    let n = shape.n_outputs;
    (draft.link, draft.answer) = match r.below(6) {
        0 if n == 1 => (Link::Sigmoid { steepness: 1.0 }, Answer::Binary),
        1 if n > 1 => (Link::Softmax, Answer::Classes),
        2 if n > 1 => (Link::ArgMax, Answer::Class),
        3 => (Link::Exp, Answer::Values),
        _ => (Link::Identity, Answer::Values),
    };
    if draft.answer == Answer::Classes && r.one_in(2) {
        draft.labels = Some(Labels::Strings(
            (0..n).map(|i| format!("class {i}")).collect(),
        ));
    }
    if r.one_in(4) {
        draft.steps.push(Step::MarkMissing { value: -999.0 });
    }
    draft.build().expect("what is drawn here is valid")
}

fn cut(r: &mut Rng, compare: Float) -> f64 {
    let t = match r.below(12) {
        0 => 0.0,
        1 => Missing::ZERO,
        2 => r.unit() * 1e30,
        3 => (r.unit() * 4.0).round(),
        _ => r.unit() * 3.0,
    };
    // f64 thresholds against f32 inputs are a case of their own (scikit-learn).
    if compare == Float::F32 && !r.one_in(4) {
        f64::from(t as f32)
    } else {
        t
    }
}

fn tree(r: &mut Rng, shape: &Shape, cuts: &[Vec<f64>], category: Option<usize>) -> Tree {
    let n_leaves = 1 + r.below(shape.max_leaves);
    let chain = shape.chain > 0 && r.one_in(shape.chain);
    let mut sets = Vec::new();
    // Grow by splitting open nodes; children get the next numbers.
    let mut nodes = vec![Node::Leaf(0)];
    let mut open = vec![0_usize];
    while open.len() < n_leaves {
        let pick = if chain {
            open.len() - 1
        } else {
            r.below(open.len())
        };
        let at = open.swap_remove(pick);
        let (yes, no) = (nodes.len() as u32, nodes.len() as u32 + 1);
        nodes[at] = Node::Split(split(r, cuts, category, &mut sets, yes, no));
        nodes.extend([Node::Leaf(0), Node::Leaf(0)]);
        open.extend([yes as usize, no as usize]);
    }
    let mut numbers: Vec<u32> = (0..n_leaves as u32).collect();
    for node in &mut nodes {
        if let Node::Leaf(k) = node {
            *k = numbers.swap_remove(r.below(numbers.len()));
        }
    }
    let target = if shape.vector && r.one_in(2) {
        Target::All
    } else {
        Target::Output(r.below(shape.n_outputs) as u32)
    };
    let width = if target == Target::All {
        shape.n_outputs
    } else {
        1
    };
    let leaf = |r: &mut Rng| match shape.sum {
        Sum::F32 => f64::from(r.unit() as f32),
        Sum::F64 => r.unit(),
        Sum::I32 => (r.unit() * 127.0).round(),
    };
    let linear = if shape.linear && target != Target::All && r.one_in(2) {
        let n_features = shape.n_features;
        let terms = |r: &mut Rng| {
            (0..r.below(3))
                .map(|_| (r.below(n_features) as u32, r.unit()))
                .collect()
        };
        (0..n_leaves)
            .map(|_| LinearLeaf {
                constant: r.unit(),
                terms: terms(r),
            })
            .collect()
    } else {
        vec![]
    };
    Tree {
        weight: if shape.sum == Sum::I32 {
            r.pick(&[1.0, 2.0, 8.0])
        } else {
            r.pick(&[1.0, 1.0, 0.25])
        },
        target,
        nodes,
        leaves: (0..n_leaves * width).map(|_| leaf(r)).collect(),
        linear,
        sets,
    }
}

fn split(
    r: &mut Rng,
    cuts: &[Vec<f64>],
    category: Option<usize>,
    sets: &mut Vec<CategorySet>,
    yes: u32,
    no: u32,
) -> Split {
    let feature = r.below(cuts.len());
    let default = r.one_in(2);
    let mut missing = match r.below(6) {
        0 => Missing::AsZero,
        1 => Missing::ZeroOrNan { yes: default },
        _ => Missing::Nan { yes: default },
    };
    let test = if category == Some(feature) {
        missing = Missing::Nan { yes: default };
        let some = |r: &mut Rng, n: usize| (0..70_u32).filter(|_| r.one_in(n)).collect::<Vec<_>>();
        let members = some(r, 3);
        let known = r.one_in(3).then(|| {
            let mut known = some(r, 2);
            known.extend(&members);
            known.sort_unstable();
            known.dedup();
            known
        });
        let index = r.pick(&[
            CategoryIndex::Truncate,
            CategoryIndex::TruncateNonNegative,
            CategoryIndex::Exact,
        ]);
        sets.push(CategorySet {
            members,
            known,
            index,
        });
        Test::In(sets.len() as u32 - 1)
    } else {
        let t = cuts[feature][r.below(cuts[feature].len())];
        match r.below(12) {
            0 => Test::Equal(t),
            1 => Test::NotEqual(t),
            2 => Test::GreaterEq(t),
            3 | 4 => Test::Greater(t),
            5..=7 => Test::LessEq(t),
            _ => Test::Less(t),
        }
    };
    Split {
        feature: feature as u32,
        test,
        missing,
        yes,
        no,
    }
}

/// `n_rows` rows for `model`, row-major: on its thresholds, one step beside them, missing,
/// infinite, signed zeros, denormals, categories in and out of range, and plain numbers.
pub fn rows(seed: u64, model: &Model, n_rows: usize) -> Vec<f64> {
    let mut r = Rng::new(seed.wrapping_mul(31).wrapping_add(7));
    let mut cuts = vec![Vec::new(); model.width()];
    for tree in model.ensemble().map_or(&[][..], |e| &e.trees) {
        for node in &tree.nodes {
            if let Node::Split(Split { feature, test, .. }) = node
                && let Test::Less(t)
                | Test::LessEq(t)
                | Test::Greater(t)
                | Test::GreaterEq(t)
                | Test::Equal(t)
                | Test::NotEqual(t) = test
            {
                cuts[*feature as usize].push(*t);
            }
        }
    }
    cuts.truncate(model.features.len());
    let special = [
        0.0,
        -0.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1e-40,
        -1e-40,
        1e30,
        -999.0,
        -0.5,
        1e300,
    ];
    let mut out = Vec::with_capacity(n_rows * cuts.len());
    for _ in 0..n_rows {
        for (i, cuts) in cuts.iter().enumerate() {
            let categorical = matches!(model.features[i].kind, FeatureKind::Categorical { .. });
            out.push(match r.below(8) {
                0 => f64::NAN,
                1 => r.pick(&special),
                2 | 3 if !cuts.is_empty() => {
                    let t = cuts[r.below(cuts.len())];
                    let f = t as f32;
                    r.pick(&[
                        t,
                        t.next_up(),
                        t.next_down(),
                        f64::from(f.next_up()),
                        f64::from(f.next_down()),
                    ])
                }
                _ if categorical => r.below(80) as f64 + r.pick(&[0.0, 0.0, 0.5]),
                _ => r.unit() * 4.0,
            });
        }
    }
    out
}
