//! Margins, followed back through scale, divisor and base to the operator that sums.

use fretsaw_model::{
    Body, Ensemble, Float, InterceptOrder, Linear, LinearMissing, Link, Step, Sum, Target,
};

use super::columns::{Input, Source, input};
use super::graph::{Graph, Made, Op};
use super::raw::{self, Aggregate, Post};
use super::trees::{base_first, ensemble};
use crate::lower::branch::Column;
use crate::proto::tensor_proto::DataType;
use crate::{Error, compact};

/// What a margin comes from.
#[derive(Debug)]
pub(super) struct Margin {
    pub(super) steps: Vec<Step>,
    pub(super) body: Body,
    /// The link that the operator itself applies.
    pub(super) link: Link,
}

/// Operators between the sum and the margin, as they are met going back.
#[derive(Default)]
struct Finish {
    base: Option<Vec<f64>>,
    divide: Option<f64>,
    multiply: Option<Vec<f64>>,
    /// A product with a constant matrix right behind the trees, `n` x `k`.
    mix: Option<Vec<f64>>,
    /// Cast to f32 at the end.
    narrowed: bool,
    /// Cast to f64 before it.
    widened: bool,
}

/// Follows the margin `value` back to the graph's input.
pub(super) fn margin<'a>(
    g: &Graph<'a>,
    source: &Source<'a>,
    value: &'a str,
) -> Result<Margin, Error> {
    let mut finish = Finish::default();
    let mut value = value;
    loop {
        let Made::Node(op) = g.made(value)? else {
            return Err(Error::unsupported(
                "an answer that no model gives",
                format!("value {value:?}"),
            ));
        };
        let constant = |i: usize| g.numbers(op.input(i));
        match op.name() {
            "Cast" => {
                match op.int("to") {
                    Some(t) if t == DataType::Float as i64 && !finish.any() => {
                        finish.narrowed = true;
                    }
                    Some(t) if t == DataType::Double as i64 && !finish.widened => {
                        finish.widened = true;
                    }
                    _ => return Err(op.refuse("a cast of margins like this")),
                }
                value = op.input(0);
            }
            "Mul" if finish.multiply.is_none() => {
                finish.multiply = constant(1);
                if finish.multiply.is_none() {
                    return Err(op.refuse("a product of margins"));
                }
                value = op.input(0);
            }
            "Div" if finish.multiply.is_none() && finish.divide.is_none() => {
                match constant(1).as_deref() {
                    Some(&[d]) => finish.divide = Some(d),
                    _ => return Err(op.refuse("a division of margins by other than one number")),
                }
                value = op.input(0);
            }
            "Add"
                if finish.multiply.is_none()
                    && finish.divide.is_none()
                    && finish.base.is_none() =>
            {
                finish.base = constant(1);
                if finish.base.is_none() {
                    return Err(op.refuse("a sum of two models"));
                }
                value = op.input(0);
            }
            "TreeEnsembleRegressor" | "TreeEnsemble" => {
                return finish.ensemble(op, trees(g, source, op)?);
            }
            compact::NAME => return compact_trees(g, source, op, &finish),
            "MatMul" if of_trees(g, op) => {
                finish.mix = constant(1);
                value = op.input(0);
            }
            "Gemm" | "MatMul" => return linear(g, source, op, finish),
            _ => return Err(op.refuse(op.name())),
        }
    }
}

/// Whether the left side of a product is an ensemble's sums, widened.
fn of_trees<'a>(g: &Graph<'a>, op: Op<'a>) -> bool {
    let cast = g.op(op.input(0), "Cast");
    cast.is_some_and(|c| g.op(c.input(0), "TreeEnsembleRegressor").is_some())
        && g.numbers(op.input(1)).is_some()
}

/// An ensemble with its input.
pub(super) struct Trees {
    pub(super) raw: raw::Ensemble,
    pub(super) input: Input,
    pub(super) ensemble: Ensemble,
    /// Whether some tree adds to each output on every row.
    pub(super) hit: Vec<bool>,
}

/// Reads an ensemble operator and what is in front of it.
pub(super) fn trees<'a>(g: &Graph<'a>, source: &Source<'a>, op: Op<'a>) -> Result<Trees, Error> {
    let input = input(g, source, op.input(0))?;
    let raw = if op.name() == "TreeEnsemble" {
        raw::version_5(op)?
    } else {
        raw::version_3(op, input.float)?
    };
    let (ensemble, hit) = ensemble(&raw, &input).map_err(|e| e.at(op.place()))?;
    Ok(Trees {
        raw,
        input,
        ensemble,
        hit,
    })
}

impl Finish {
    fn any(&self) -> bool {
        self.base.is_some() || self.divide.is_some() || self.multiply.is_some() || self.widened
    }

    fn ensemble(self, op: Op<'_>, t: Trees) -> Result<Margin, Error> {
        if matches!(t.raw.aggregate, Aggregate::Min | Aggregate::Max) {
            return Err(op.refuse("the least or the largest of trees as one ensemble"));
        }
        let mut e = t.ensemble;
        if let Some(mix) = &self.mix {
            let mixed = self.narrowed && self.widened && t.raw.post == Post::None;
            e = mixed
                .then(|| mix_outputs(e, mix))
                .flatten()
                .ok_or_else(|| {
                    op.refuse("a product of margins that is no sum of whole numbers in parts")
                })?;
        }
        let n = e.n_outputs;
        let link = match t.raw.post {
            Post::None => Link::Identity,
            // With one output ONNX Runtime applies PROBIT only.
            Post::Probit => Link::Probit,
            _ if n == 1 => Link::Identity,
            Post::Softmax => Link::Softmax,
            Post::Logistic => Link::Sigmoid { steepness: 1.0 },
            Post::SoftmaxZero => Link::SoftmaxZero,
        };
        let based = e.base.iter().any(|&b| b != 0.0);
        if based && n > 1 && t.hit.contains(&false) {
            return Err(op.refuse(
                "a base value of an output that not every row adds to (ONNX Runtime drops it there)",
            ));
        }
        if link != Link::Identity && self.any() {
            return Err(op.refuse("arithmetic behind the operator's own post_transform"));
        }
        // Whole leaves, summed, then finished in f64 and rounded once: an integer sum.
        let finished_wide = self.narrowed && (self.widened || e.sum == Sum::F64);
        let bare = e.divide == 1.0 && !based;
        // (No trees at all are a sum of whole numbers only where it is widened: else it is an f64 sum.)
        let summed = self.widened || !e.trees.is_empty();
        let whole = if finished_wide && bare && summed {
            integral(&e)
        } else {
            None
        };
        if let Some(whole) = whole {
            e = whole;
        } else if self.widened {
            return Err(op.refuse("margins widened to f64 that are no sums of whole numbers"));
        }
        let spread = |v: Vec<f64>| match v[..] {
            [one] => Ok(vec![one; n]),
            _ if v.len() == n => Ok(v),
            _ => Err(op.refuse("arithmetic on margins by constants of another width")),
        };
        if let Some(multiply) = self.multiply {
            e.multiply = spread(multiply)?;
        }
        if let Some(divide) = self.divide {
            if e.divide != 1.0 {
                return Err(op.refuse("an average divided again"));
            }
            e.divide = divide;
        }
        if based && (self.base.is_some() || e.multiply.iter().any(|&m| m != 1.0)) {
            return Err(op.refuse("arithmetic behind base_values"));
        }
        if let Some(base) = self.base {
            e.base = spread(base)?;
        } else if e.sum != Sum::I32 {
            base_first(&mut e);
        }
        Ok(Margin {
            steps: t.input.steps,
            body: Body::Ensemble(e),
            link,
        })
    }
}

/// The ensemble whose leaves are those of `e` (rows of `n`) times the matrix `mix` (`n` x `k`).
/// Exact for whole numbers; `None` where something else stands in the way.
fn mix_outputs(mut e: Ensemble, mix: &[f64]) -> Option<Ensemble> {
    let n = e.n_outputs;
    let k = mix.len() / n;
    if k == 0 || k * n != mix.len() || e.base.iter().any(|&b| b != 0.0) || e.divide != 1.0 {
        return None;
    }
    for tree in &mut e.trees {
        let rows: Vec<&[f64]> = match tree.target {
            Target::All => mix.chunks_exact(k).collect(),
            Target::Output(i) => mix.chunks_exact(k).skip(i as usize).take(1).collect(),
        };
        let times = |leaf: &[f64]| {
            let column = |j: usize| {
                leaf.iter()
                    .zip(&rows)
                    .map(|(v, row)| v * row[j])
                    .sum::<f64>()
            };
            (0..k).map(column).collect::<Vec<_>>()
        };
        let leaves: Vec<f64> = tree
            .leaves
            .chunks_exact(rows.len())
            .flat_map(times)
            .collect();
        // A tree that adds to one output only says so.
        let adds = |j: &usize| leaves.iter().skip(*j).step_by(k).any(|&v| v != 0.0);
        let mut outputs = (0..k).filter(adds);
        (tree.target, tree.leaves) = match (outputs.next().unwrap_or(0), outputs.next()) {
            (_, Some(_)) => (Target::All, leaves),
            (j, None) => {
                let own = leaves.iter().skip(j).step_by(k).copied().collect();
                (Target::Output(j as u32), own)
            }
        };
    }
    e.n_outputs = k;
    e.base = vec![0.0; k];
    e.multiply = vec![1.0; k];
    Some(e)
}

/// The largest leaf of an integer sum.
const MAX_INTEGER_LEAF: f64 = 32_768.0;

/// The same ensemble as an integer sum, if all its leaves are whole numbers that one can hold; a
/// factor common to a tree's leaves becomes its weight where they are too large without.
fn integral(e: &Ensemble) -> Option<Ensemble> {
    let mut e = e.clone();
    let mut largest = 0.0;
    for tree in &mut e.trees {
        let most = tree.leaves.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        largest += most;
        if tree.leaves.iter().any(|v| v.trunc() != *v) || largest > f64::from(i32::MAX) {
            return None;
        }
        if most > MAX_INTEGER_LEAF {
            let common = tree.leaves.iter().fold(0, |g, &v| gcd(g, v.abs() as u64));
            let power = 1_u64 << common.trailing_zeros().min(15);
            let fits = |f: &f64| *f <= MAX_INTEGER_LEAF && most / f <= MAX_INTEGER_LEAF;
            let factor = [common as f64, power as f64].into_iter().find(fits)?;
            tree.weight = factor;
            tree.leaves.iter_mut().for_each(|v| *v /= factor);
        }
    }
    e.sum = Sum::I32;
    Some(e)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Our own operator says all of the sum itself.
fn compact_trees<'a>(
    g: &Graph<'a>,
    source: &Source<'a>,
    op: Op<'a>,
    finish: &Finish,
) -> Result<Margin, Error> {
    if finish.any() {
        return Err(op.refuse("arithmetic behind an operator that finishes its margins"));
    }
    let input = input(g, source, op.input(0))?;
    let plain = |(i, (c, f)): (usize, &(Column, u32))| *c == Column::default() && *f as usize == i;
    let uncast = (input.compare, input.float) == (source.float, source.float);
    if !input.columns.iter().enumerate().all(plain) || !uncast {
        return Err(op.refuse("prepared features in front of an operator that prepares them"));
    }
    Ok(Margin {
        steps: input.steps,
        body: Body::Ensemble(compact::decode(op.node)?),
        link: Link::Identity,
    })
}

fn linear<'a>(
    g: &Graph<'a>,
    source: &Source<'a>,
    op: Op<'a>,
    finish: Finish,
) -> Result<Margin, Error> {
    if finish.multiply.is_some() || finish.divide.is_some() || finish.widened {
        return Err(op.refuse("arithmetic behind a linear model"));
    }
    let odd = ["alpha", "beta"]
        .iter()
        .any(|a| op.attribute(a).is_some_and(|a| a.f != Some(1.0)))
        || ["transA", "transB"]
            .iter()
            .any(|a| op.int(a).unwrap_or(0) != 0);
    let (Some(weights), Some(shape)) = (g.numbers(op.input(1)), g.constant(op.input(1))) else {
        return Err(op.refuse("a product that is not by constants"));
    };
    let [_, n_outputs] = shape.dims[..] else {
        return Err(op.refuse("a product by other than a matrix"));
    };
    if odd {
        return Err(op.refuse("a scaled or transposed product"));
    }
    let n_outputs = n_outputs as usize;
    let mut intercept = finish.base;
    if op.name() == "Gemm" && !op.input(2).is_empty() {
        if intercept.is_some() {
            return Err(op.refuse("an intercept added twice"));
        }
        intercept = g.numbers(op.input(2));
        if intercept.is_none() {
            return Err(op.refuse("an intercept that is no constant"));
        }
    }
    let intercept = match intercept {
        None => vec![0.0; n_outputs],
        Some(v) if v.len() == 1 => vec![v[0]; n_outputs],
        Some(v) => v,
    };
    // Missing values become 0, which adds nothing, right in front of the product.
    let mut x = op.input(0);
    let mut missing = LinearMissing::Propagate;
    if let Some(choice) = g.op(x, "Where")
        && let Some(test) = g.op(choice.input(0), "IsNaN")
        && g.number(choice.input(1)) == Some(0.0)
        && g.root(test.input(0)) == g.root(choice.input(2))
    {
        missing = LinearMissing::Skip;
        x = choice.input(2);
    }
    let input = input(g, source, x)?;
    let plain = |(i, (c, f)): (usize, &(Column, u32))| *c == Column::default() && *f as usize == i;
    let narrowed_between = source.float == Float::F64 && input.compare != input.float;
    if !input.columns.iter().enumerate().all(plain) || narrowed_between {
        return Err(op.refuse("a linear model of prepared features"));
    }
    Ok(Margin {
        steps: input.steps,
        body: Body::Linear(Linear {
            n_outputs,
            sum: input.float,
            weights,
            intercept,
            intercept_order: InterceptOrder::Last,
            missing,
        }),
        link: Link::Identity,
    })
}
