//! The values of each feature, cut into cells on which every test of both ensembles is constant.
//!
//! A test can change its answer only at its threshold, at the ends of a category, at a constant of a
//! step in front of it, or where a cast rounds the other way. Each of these places is found in the
//! input's own numbers by bisection through the very steps that the model runs, and a value on either
//! side of it is taken. Values that no test tells apart are then one cell.

use std::collections::{BTreeSet, HashMap};

use fretsaw_model::{Draft, Ensemble, Float, Missing, Node, Split, Step, Test, Tree, apply_steps};

/// Cells of a feature, at most.
const MAX_CELLS: usize = 1 << 20;
/// Bits of answers of all tests to all cells of a feature, at most.
const MAX_BITS: usize = 1 << 32;

/// One of the two ensembles, and how each column that it tests comes from one feature.
pub(super) struct Side<'a> {
    pub(super) ensemble: &'a Ensemble,
    columns: Vec<Column>,
    n_features: usize,
    /// Whether the columns themselves stand for features, since steps combine several.
    pub(super) combines_features: bool,
}

/// A column as a function of one feature.
struct Column {
    feature: usize,
    /// On rows of one value.
    steps: Vec<Step>,
}

impl<'a> Side<'a> {
    pub(super) fn new(model: &'a Draft) -> Result<Self, String> {
        let ensemble = model.ensemble().ok_or("the model is no tree ensemble")?;
        if ensemble.trees.iter().any(|t| !t.linear.is_empty()) {
            return Err("linear leaves have no finite number of cells".into());
        }
        let columns = columns(model);
        let combines_features = columns.is_none();
        let own = |feature| Column {
            feature,
            steps: Vec::new(),
        };
        let columns = columns.unwrap_or_else(|| (0..model.width()).map(own).collect());
        Ok(Self {
            ensemble,
            n_features: match combines_features {
                true => columns.len(),
                false => model.features.len(),
            },
            columns,
            combines_features,
        })
    }
}

/// The columns, where each is made of one feature by steps that keep values in order.
fn columns(model: &Draft) -> Option<Vec<Column>> {
    let mut columns: Vec<Column> = (0..model.features.len())
        .map(|feature| Column {
            feature,
            steps: Vec::new(),
        })
        .collect();
    for step in &model.steps {
        if let Step::Select { columns: places } = step {
            let at = |&c: &u32| {
                let from = &columns[c as usize];
                let mut steps = from.steps.clone();
                steps.push(Step::Widen);
                Column {
                    feature: from.feature,
                    steps,
                }
            };
            columns = places.iter().map(at).collect();
            continue;
        }
        for (i, column) in columns.iter_mut().enumerate() {
            column.steps.push(match step {
                Step::MarkMissing { .. } | Step::FlushTiny { .. } | Step::Widen => step.clone(),
                Step::Impute { values } => Step::Impute {
                    values: vec![values[i]],
                },
                Step::Scale { shift, scale } if shift[i].is_finite() && scale[i].is_finite() => {
                    Step::Scale {
                        shift: vec![shift[i]],
                        scale: vec![scale[i]],
                    }
                }
                _ => return None,
            });
        }
    }
    Some(columns)
}

impl Column {
    /// What becomes of the input `x` behind the first `n` steps.
    fn behind(&self, n: usize, float: Float, x: f64) -> f64 {
        let mut row = vec![x];
        // Steps value by value refuse nothing.
        let _ = apply_steps(&self.steps[..n], float, &mut row);
        row[0]
    }

    /// Adds the inputs on either side of each place where the value behind the first `n` steps, cast
    /// to `cast`, comes to `t` or goes beyond.
    fn cut(&self, n: usize, float: Float, cast: Float, t: f64, out: &mut BTreeSet<i64>) {
        let order = Order(float);
        // A marker stands at one value; around it the steps keep the order of values.
        let plain: Vec<Step> = self.steps[..n]
            .iter()
            .filter(|s| !matches!(s, Step::MarkMissing { .. }))
            .cloned()
            .collect();
        let value = |i: i64| {
            let mut row = vec![order.value(i)];
            let _ = apply_steps(&plain, float, &mut row);
            cast.cast(row[0])
        };
        let (low, high) = (
            order.place(f64::NEG_INFINITY) + 1,
            order.place(f64::INFINITY) - 1,
        );
        for reached in [true, false] {
            let there = |i: i64| {
                let v = value(i);
                if reached { v >= t } else { v > t }
            };
            let last = there(high);
            if there(low) == last {
                continue;
            }
            let (mut a, mut b) = (low, high);
            while a < b {
                // The average, rounded down, of numbers whose sum may not fit.
                let middle = (a & b) + ((a ^ b) >> 1);
                if there(middle) == last {
                    b = middle;
                } else {
                    a = middle + 1;
                }
            }
            out.extend([a - 1, a]);
        }
    }
}

/// The numbers of a precision in their order, as whole numbers.
#[derive(Clone, Copy)]
struct Order(Float);

impl Order {
    fn place(self, x: f64) -> i64 {
        match self.0 {
            Float::F32 => {
                let bits = (x as f32).to_bits();
                if bits >> 31 == 0 {
                    i64::from(bits)
                } else {
                    -i64::from(bits & 0x7fff_ffff)
                }
            }
            Float::F64 => {
                let bits = x.to_bits();
                if bits >> 63 == 0 {
                    bits as i64
                } else {
                    -((bits & (u64::MAX >> 1)) as i64)
                }
            }
        }
    }

    fn value(self, i: i64) -> f64 {
        let size = i.unsigned_abs();
        let x = match self.0 {
            Float::F32 => f64::from(f32::from_bits(size as u32)),
            Float::F64 => f64::from_bits(size),
        };
        if i < 0 { -x } else { x }
    }
}

/// A test of a feature, by the cells on which it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Predicate {
    pub(super) feature: u32,
    /// Which set of cells, among the feature's.
    pub(super) set: u32,
    /// Whether it holds where the set does not.
    pub(super) inverted: bool,
}

/// The cells of every feature, and every test of both ensembles over them.
pub(super) struct Cells {
    /// For each feature one value of each cell; the first is missing.
    pub(super) values: Vec<Vec<f64>>,
    /// For each feature the distinct sets of cells, none of which holds the first cell.
    pub(super) sets: Vec<Vec<Vec<u64>>>,
    /// For each side, tree and node the predicate of a split.
    predicates: [Vec<Vec<Option<Predicate>>>; 2],
}

impl Cells {
    pub(super) fn cut(sides: &[Side<'_>; 2], float: Float) -> Result<Self, String> {
        let float = if sides.iter().any(|s| s.combines_features) {
            Float::F64
        } else {
            float
        };
        let n_features = sides[0].n_features;
        let mut places = vec![BTreeSet::new(); n_features];
        for side in sides {
            side.places(float, &mut places);
        }
        let order = Order(float);
        let mut cells = Self {
            values: Vec::new(),
            sets: vec![Vec::new(); n_features],
            predicates: [Vec::new(), Vec::new()],
        };
        for (feature, places) in places.iter().enumerate() {
            if places.len() > MAX_CELLS {
                return Err(format!("feature {feature} has more than {MAX_CELLS} cells"));
            }
            let numbers = places.iter().map(|&i| order.value(i));
            cells
                .values
                .push(std::iter::once(f64::NAN).chain(numbers).collect());
        }
        let mut known: Vec<HashMap<Vec<u64>, u32>> = vec![HashMap::new(); n_features];
        for (which, side) in sides.iter().enumerate() {
            cells.predicates[which] = side.predicates(float, &cells.values, &mut known)?;
        }
        for (sets, known) in cells.sets.iter_mut().zip(known) {
            let mut all: Vec<(Vec<u64>, u32)> = known.into_iter().collect();
            all.sort_unstable_by_key(|s| s.1);
            *sets = all.into_iter().map(|s| s.0).collect();
        }
        for feature in 0..n_features {
            cells.merge(feature);
        }
        Ok(cells)
    }

    /// The predicate of a split.
    pub(super) fn predicate(&self, side: usize, tree: usize, node: usize) -> Option<Predicate> {
        self.predicates[side][tree][node]
    }

    /// Of all features together.
    pub(super) fn count(&self) -> usize {
        self.values.iter().map(Vec::len).sum()
    }

    /// Makes one of the cells that no test tells apart.
    fn merge(&mut self, feature: usize) {
        let (values, sets) = (&mut self.values[feature], &mut self.sets[feature]);
        let mut kept: Vec<usize> = Vec::new();
        let mut last: Vec<bool> = Vec::new();
        // Cells side by side suffice: an interval that is cut by nothing is one.
        for i in 0..values.len() {
            let answers: Vec<bool> = sets
                .iter()
                .map(|s| s[i / 64] >> (i % 64) & 1 != 0)
                .collect();
            if i < 2 || answers != last {
                kept.push(i);
                last = answers;
            }
        }
        for set in sets.iter_mut() {
            let mut new = vec![0_u64; kept.len().div_ceil(64)];
            for (to, &from) in kept.iter().enumerate() {
                new[to / 64] |= (set[from / 64] >> (from % 64) & 1) << (to % 64);
            }
            *set = new;
        }
        *values = kept.iter().map(|&i| values[i]).collect();
    }
}

impl Side<'_> {
    /// The inputs that may be told apart from their neighbours.
    fn places(&self, float: Float, places: &mut [BTreeSet<i64>]) {
        let order = Order(float);
        for place in places.iter_mut() {
            place.extend([f64::NEG_INFINITY, 0.0, f64::INFINITY].map(|x| order.place(x)));
        }
        let compare = self.ensemble.compare;
        // Constants of steps, and around values that they turn into missing ones.
        for column in &self.columns {
            for (n, step) in column.steps.iter().enumerate() {
                let own = match step {
                    Step::MarkMissing { value } => vec![*value],
                    Step::FlushTiny { limit } => vec![*limit, -*limit],
                    _ => continue,
                };
                for t in own {
                    column.cut(n, float, Float::F64, t, &mut places[column.feature]);
                    // In f32 the constant is rounded too.
                    column.cut(
                        n,
                        float,
                        Float::F64,
                        Float::F32.cast(t),
                        &mut places[column.feature],
                    );
                }
            }
        }
        let mut thresholds: Vec<BTreeSet<i64>> = vec![BTreeSet::new(); self.columns.len()];
        let wide = Order(Float::F64);
        for tree in &self.ensemble.trees {
            for node in &tree.nodes {
                if let Node::Split(split) = node {
                    let own = &mut thresholds[split.feature as usize];
                    own.extend(cuts(tree, split).into_iter().map(|t| wide.place(t)));
                }
            }
        }
        for (column, thresholds) in self.columns.iter().zip(thresholds) {
            for t in thresholds {
                let n = column.steps.len();
                let place = &mut places[column.feature];
                column.cut(n, float, compare, wide.value(t), place);
            }
        }
    }

    /// The predicate of each split, by the cells on which it holds.
    fn predicates(
        &self,
        float: Float,
        values: &[Vec<f64>],
        known: &mut [HashMap<Vec<u64>, u32>],
    ) -> Result<Vec<Vec<Option<Predicate>>>, String> {
        // What the trees see of each cell, column by column.
        let seen: Vec<Vec<f64>> = self
            .columns
            .iter()
            .map(|c| {
                let of = |&x: &f64| {
                    self.ensemble
                        .compare
                        .cast(c.behind(c.steps.len(), float, x))
                };
                values[c.feature].iter().map(of).collect()
            })
            .collect();
        let mut all = Vec::new();
        for tree in &self.ensemble.trees {
            let mut own = Vec::new();
            for node in &tree.nodes {
                let Node::Split(split) = node else {
                    own.push(None);
                    continue;
                };
                let seen = &seen[split.feature as usize];
                let mut set = vec![0_u64; seen.len().div_ceil(64)];
                for (i, &x) in seen.iter().enumerate() {
                    set[i / 64] |= u64::from(tree.goes_yes(split, x)) << (i % 64);
                }
                let inverted = set[0] & 1 != 0;
                if inverted {
                    set.iter_mut().for_each(|word| *word = !*word);
                    if !seen.len().is_multiple_of(64)
                        && let Some(last) = set.last_mut()
                    {
                        *last &= (1 << (seen.len() % 64)) - 1;
                    }
                }
                let feature = self.columns[split.feature as usize].feature;
                let known = &mut known[feature];
                let next = known.len() as u32;
                let set = *known.entry(set).or_insert(next);
                if known.len().saturating_mul(seen.len()) > MAX_BITS {
                    return Err(format!("feature {feature} has too many cells and tests"));
                }
                own.push(Some(Predicate {
                    feature: feature as u32,
                    set,
                    inverted,
                }));
            }
            all.push(own);
        }
        Ok(all)
    }
}

/// Values at or beyond which the split may answer otherwise.
fn cuts(tree: &Tree, split: &Split) -> Vec<f64> {
    let mut cuts = match split.test {
        Test::Less(t)
        | Test::LessEq(t)
        | Test::Greater(t)
        | Test::GreaterEq(t)
        | Test::Equal(t)
        | Test::NotEqual(t) => vec![t],
        Test::In(set) => {
            let set = &tree.sets[set as usize];
            let ends = |&c: &u32| [f64::from(c), f64::from(c) + 1.0];
            let mut cuts: Vec<f64> = set.members.iter().flat_map(ends).collect();
            cuts.extend(set.known.iter().flatten().flat_map(ends));
            cuts.extend([-1.0, 0.0, 16_777_216.0, 4_294_967_296.0]);
            cuts
        }
    };
    if let Missing::ZeroOrNan { .. } = split.missing {
        cuts.extend([-Missing::ZERO, Missing::ZERO]);
    }
    cuts
}
