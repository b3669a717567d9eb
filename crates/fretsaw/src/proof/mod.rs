//! Whether two ensembles answer alike on *every* input: proved, or shown not to by a row.
//!
//! Each feature's values are cut into cells on which every test of both ensembles is constant
//! (`cells`); there are finitely many, and a missing value has its own. Trees are then compared in
//! pairs over all boxes of cells that lead to a pair of leaves (`pair`), so that what is said holds
//! for every value that the input type has, and a difference comes with a row that shows it. Trees
//! that do not stand in pairs are not taken apart further: rows from the cells are tried, and if none
//! differs the answer is that nothing is known.

mod cells;
mod pair;
#[cfg(test)]
mod tests;

use fretsaw_model::{Draft, Ensemble, Float, Model, Node, Rows, predict};

use crate::variant::{Bound, bound_of_sums};
use cells::{Cells, Side};
use pair::Pair;

/// Rows tried where a difference of trees may or may not show in the answers.
const TRIES: usize = 4096;
/// Tries with the other features' values for one box in which two trees differ.
const TRIES_PER_BOX: usize = 8;

/// What is known of two ensembles over all inputs of one type.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Proof {
    /// The inputs' type: `f32` or `f64`.
    pub inputs: &'static str,
    /// Whether every input gives the same margins, to the last bit.
    pub equal: bool,
    /// How far margins and answers can be apart on any input, where that can be bounded.
    pub bound: Option<Bound>,
    /// Pairs of trees that send every input to leaves of the same value.
    pub trees_alike: usize,
    /// Pairs of trees compared.
    pub trees: usize,
    /// Cells that the features' values fall into.
    pub cells: usize,
    /// An input that the two answer differently, beyond the tolerance.
    pub counterexample: Option<Counterexample>,
    /// Why nothing more is known.
    pub undecided: Option<String>,
}

/// An input that two models answer differently.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Counterexample {
    /// One value a feature; `None` is a missing one.
    pub row: Vec<Option<f64>>,
    /// What the first answers.
    pub a: Vec<f64>,
    /// What the second answers.
    pub b: Vec<f64>,
    /// The largest difference between the two.
    pub difference: f64,
}

/// Compares two models over all inputs of the precision `float`. Answers further apart than
/// `tolerance` count as a counterexample.
pub fn prove(a: &Model, b: &Model, float: Float, tolerance: f64) -> Proof {
    let mut proof = Proof {
        inputs: match float {
            Float::F32 => "f32",
            Float::F64 => "f64",
        },
        equal: false,
        bound: None,
        trees_alike: 0,
        trees: 0,
        cells: 0,
        counterexample: None,
        undecided: None,
    };
    if let Err(why) = decide(a, b, float, tolerance, &mut proof) {
        proof.undecided = Some(why);
    }
    proof
}

fn decide(
    a: &Model,
    b: &Model,
    float: Float,
    tolerance: f64,
    proof: &mut Proof,
) -> Result<(), String> {
    let (Some(ea), Some(eb)) = (a.ensemble(), b.ensemble()) else {
        return Err("only tree ensembles can be compared over all inputs".into());
    };
    if a.features.len() != b.features.len() {
        return Err(format!(
            "they have {} and {} features",
            a.features.len(),
            b.features.len()
        ));
    }
    if ea.n_outputs != eb.n_outputs {
        return Err(format!(
            "they give {} and {} margins",
            ea.n_outputs, eb.n_outputs
        ));
    }
    let sides = [Side::new(a)?, Side::new(b)?];
    let combined = sides.iter().any(|s| s.combines_features);
    if combined && a.steps != b.steps {
        return Err("steps that combine features stand in front, and not the same ones".into());
    }
    let cells = Cells::cut(&sides, float)?;
    proof.cells = cells.count();

    let (trees_a, trees_b) = (splitting(ea), splitting(eb));
    let mut search = Search {
        models: [a, b],
        cells: &cells,
        float,
        tolerance,
        random: 0x9e37_79b9_7f4a_7c15,
        best: None,
    };
    if trees_a.len() != trees_b.len() {
        if !combined {
            search.anywhere()?;
        }
        proof.counterexample = search.best;
        return match proof.counterexample {
            Some(_) => Ok(()),
            None => Err(format!(
                "they have {} and {} trees, which stand in no pairs, and {TRIES} rows on and beside their thresholds show no difference",
                trees_a.len(),
                trees_b.len()
            )),
        };
    }
    let mut margin = vec![0.0; ea.n_outputs];
    let mut boxes = Vec::new();
    let mut unpaired = 0;
    proof.trees = trees_a.len();
    for (&ta, &tb) in trees_a.iter().zip(&trees_b) {
        let mut pair = Pair::new(&cells, [(ea, 0, ta), (eb, 1, tb)]);
        match pair.walk() {
            Ok(()) => {}
            Err(()) => {
                unpaired += 1;
                continue;
            }
        }
        let largest = pair.largest.iter().copied().fold(0.0, f64::max);
        proof.trees_alike += usize::from(largest == 0.0);
        for (total, d) in margin.iter_mut().zip(&pair.largest) {
            *total += d;
        }
        boxes.extend(pair.worst.map(|b| (largest, b)));
    }
    if unpaired == 0 {
        let (bound, equal) = bound_of_sums(a, b, &margin);
        proof.equal = equal;
        proof.bound = Some(bound);
        if equal || boxes.is_empty() {
            return Ok(());
        }
    }
    if combined {
        return Err("trees differ, behind steps that combine features: whether an input reaches the difference is not known".into());
    }
    boxes.sort_by(|x, y| y.0.total_cmp(&x.0));
    for (_, which) in boxes.iter().take(TRIES / TRIES_PER_BOX) {
        search.within(which)?;
    }
    if search.best.is_none() && unpaired > 0 {
        search.anywhere()?;
    }
    proof.counterexample = search.best;
    if proof.counterexample.is_none() && unpaired > 0 {
        return Err(format!(
            "{unpaired} of {} pairs of trees differ in more ways than are looked at, and no row tried shows a difference",
            proof.trees
        ));
    }
    Ok(())
}

/// The trees that send inputs anywhere; others are constants.
fn splitting(e: &Ensemble) -> Vec<usize> {
    let splits = |&i: &usize| !matches!(e.trees[i].nodes[0], Node::Leaf(_));
    (0..e.trees.len()).filter(splits).collect()
}

/// Looking for the input with the largest difference.
struct Search<'a> {
    models: [&'a Model; 2],
    cells: &'a Cells,
    float: Float,
    tolerance: f64,
    random: u64,
    best: Option<Counterexample>,
}

impl Search<'_> {
    /// Rows of any cells.
    fn anywhere(&mut self) -> Result<(), String> {
        for _ in 0..TRIES {
            self.within(&[])?;
        }
        Ok(())
    }

    /// Rows whose values at the features named are in the cells named.
    fn within(&mut self, which: &[(u32, Vec<u64>)]) -> Result<(), String> {
        for _ in 0..if which.is_empty() { 1 } else { TRIES_PER_BOX } {
            let row: Vec<f64> = (0..self.cells.values.len())
                .map(|feature| {
                    let values = &self.cells.values[feature];
                    let set = which.iter().find(|(f, _)| *f as usize == feature);
                    let allowed: Vec<usize> = match set {
                        None => return values[self.below(values.len())],
                        Some((_, set)) => (0..values.len())
                            .filter(|&i| set[i / 64] >> (i % 64) & 1 != 0)
                            .collect(),
                    };
                    values[allowed[self.below(allowed.len())]]
                })
                .collect();
            self.try_row(row)?;
        }
        Ok(())
    }

    fn below(&mut self, n: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % n.max(1) as u64) as usize
    }

    fn try_row(&mut self, row: Vec<f64>) -> Result<(), String> {
        let narrow: Vec<f32> = row.iter().map(|&x| x as f32).collect();
        let answers = |model: &Draft, whole: &Model| {
            let n = model.features.len();
            let rows = match self.float {
                Float::F32 => Rows::f32(&narrow, n),
                Float::F64 => Rows::f64(&row, n),
            };
            rows.and_then(|rows| predict(whole, &rows))
                .map_err(|e| e.to_string())
        };
        let [a, b] = self.models;
        let (a, b) = (answers(a, a)?, answers(b, b)?);
        if a.len() != b.len() {
            return Err("they answer different things".into());
        }
        let apart = |(a, b): (&f64, &f64)| match (a.is_nan(), b.is_nan()) {
            (true, true) => 0.0,
            (false, false) if a == b => 0.0,
            (false, false) => (a - b).abs(),
            _ => f64::INFINITY,
        };
        let difference = a.iter().zip(&b).map(apart).fold(0.0, f64::max);
        let best = self.best.as_ref().map_or(self.tolerance, |b| b.difference);
        if difference > best {
            let value = |x: f64| (!x.is_nan()).then_some(x);
            self.best = Some(Counterexample {
                row: row.into_iter().map(value).collect(),
                a,
                b,
                difference,
            });
        }
        Ok(())
    }
}
