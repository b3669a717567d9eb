//! Margins, followed back through scale, divisor and base to the operator that sums.

use fretsaw_model::{
    Body, Ensemble, Float, InterceptOrder, Linear, LinearMissing, Link, Step, Sum,
};

use super::columns::{Input, Source, input};
use super::graph::{Graph, Made, Op};
use super::raw::{self, Post};
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
            "Gemm" | "MatMul" => return linear(g, source, op, finish),
            _ => return Err(op.refuse(op.name())),
        }
    }
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
        let mut e = t.ensemble;
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
        if n > 1 && based && t.hit.contains(&false) {
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
        if finished_wide && bare && summed && integral(&e) {
            e.sum = Sum::I32;
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

/// Whether all leaves are whole numbers that an integer sum can hold.
fn integral(e: &Ensemble) -> bool {
    let mut largest = 0.0;
    for tree in &e.trees {
        let most = tree.leaves.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        if most > 32_768.0 || tree.leaves.iter().any(|v| v.trunc() != *v) {
            return false;
        }
        largest += most;
    }
    largest <= f64::from(i32::MAX)
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
