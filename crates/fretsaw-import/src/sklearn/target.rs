//! TransformedTargetRegressor: a regressor of a transformed target, whose predictions are transformed
//! back. The way back is a link, so that the regressor's own predictions stay the margins.

use fretsaw_model::{Curve, Function, Link, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::matrix::Matrix;
use super::part::{Part, linear, link_steps};
use super::{elementwise, estimator, pipeline};
use crate::Error;

/// Reads the estimator.
pub(super) fn read(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    let part = estimator::read(at.child("regressor_")?, cx, columns)?;
    let n = part.link.n_answers(part.body.n_outputs());
    let way_back = inverse(at.child("transformer_")?, n).map_err(|e| e.under("transformer_"))?;
    if way_back.is_empty() {
        return Ok(part);
    }
    let mut steps = link_steps(part.link.clone());
    steps.extend(way_back);
    Ok(Part {
        link: Link::Then(steps),
        class: Some(at.class().to_owned()),
        ..part
    })
}

/// `inverse_transform` of rows of `n` values.
fn inverse(at: Attributes<'_, '_>, n: usize) -> Result<Vec<Step>, Error> {
    let affine = |factor: Option<&str>, offset: Option<&str>| {
        let one_each = |name: Option<&str>, otherwise: f64| match name {
            Some(name) => at.one_each(name, n),
            None => Ok(vec![otherwise; n]),
        };
        // Adding -0.0 changes nothing, not even the sign of a zero.
        let (factor, offset) = (one_each(factor, 1.0)?, one_each(offset, -0.0)?);
        Ok(vec![Step::Affine { factor, offset }])
    };
    let set = |option: &str, name: &'static str| at.flag(option).then_some(name);
    match at.class() {
        "FunctionTransformer" => elementwise::inverse(at),
        "StandardScaler" => affine(set("with_std", "scale_"), set("with_mean", "mean_")),
        "RobustScaler" => affine(
            set("with_scaling", "scale_"),
            set("with_centering", "center_"),
        ),
        "MaxAbsScaler" => affine(Some("scale_"), None),
        "MinMaxScaler" => Ok(vec![Step::Scale {
            shift: at.one_each("min_", n)?,
            scale: at.one_each("scale_", n)?,
        }]),
        "PowerTransformer" => power(at, n),
        "QuantileTransformer" => quantile(at, n),
        "Pipeline" => {
            let mut steps = Vec::new();
            for transformer in pipeline::steps(at)?.into_iter().rev() {
                if transformer.class() == "Pipeline" {
                    return Err(transformer.unsupported("in a pipeline", "one will do"));
                }
                steps.extend(inverse(transformer, n)?);
            }
            Ok(steps)
        }
        _ => Err(at.unsupported(
            "as the transformer of a target",
            "scalers, functions, power and uniform quantile transformers are read there",
        )),
    }
}

/// The powers are taken as `expm1(ln1p(x * l) / l)`, which is SciPy's way for Box-Cox; for Yeo-Johnson
/// scikit-learn takes `(x * l + 1) ** (1 / l) - 1`, which is the same but for rounding.
fn power(at: Attributes<'_, '_>, n: usize) -> Result<Vec<Step>, Error> {
    let box_cox = match at.text("method") {
        Some("box-cox") => true,
        Some("yeo-johnson") => false,
        _ => return Err(at.unsupported("with another `method`", "two are known")),
    };
    let mut steps = match at.flag("standardize") {
        true => inverse(at.child("_scaler")?, n)?,
        false => Vec::new(),
    };
    let one = |(column, l): (usize, f64)| {
        let select = Step::Select {
            columns: vec![column as u32],
        };
        let mut steps = vec![select];
        if box_cox {
            // A zero alone is SciPy's special case.
            steps.extend(root(l, l == 0.0, Function::Exp));
            return steps;
        }
        // 0 becomes 0 on either side, so that the halves can be added.
        let mut above = vec![clip(0.0, f64::INFINITY)];
        above.extend(root(l, l.abs() < f64::EPSILON, Function::ExpM1));
        let mut below = vec![clip(f64::NEG_INFINITY, 0.0), Step::Map(Function::Negate)];
        let l = 2.0 - l;
        below.extend(root(l, l.abs() <= f64::EPSILON, Function::ExpM1));
        below.push(Step::Map(Function::Negate));
        steps.push(Step::Branches(vec![above, below]));
        steps.push(Step::Linear(linear(vec![1.0, 1.0], vec![0.0])));
        steps
    };
    let lambdas = at.one_each("lambdas_", n)?;
    steps.push(Step::Branches(
        lambdas.into_iter().enumerate().map(one).collect(),
    ));
    Ok(steps)
}

/// `last(ln1p(x * l) / l)`, or `last(x)` where `l` counts as zero.
fn root(l: f64, is_zero: bool, last: Function) -> Vec<Step> {
    let mut steps = Vec::new();
    if !is_zero {
        steps.push(Step::Affine {
            factor: vec![l],
            offset: vec![-0.0],
        });
        steps.push(Step::Map(Function::Ln1p));
        steps.push(Step::Scale {
            shift: vec![0.0],
            scale: vec![l],
        });
    }
    steps.push(Step::Map(last));
    steps
}

fn clip(low: f64, high: f64) -> Step {
    Step::Map(Function::Clip { low, high })
}

fn quantile(at: Attributes<'_, '_>, n: usize) -> Result<Vec<Step>, Error> {
    if at.text("output_distribution") != Some("uniform") {
        return Err(at.unsupported(
            "to a normal distribution, as the transformer of a target",
            "the way back needs the normal distribution function; a uniform one is read",
        ));
    }
    let references = at.floats("references_")?;
    let quantiles = Matrix::of(at, "quantiles_")?.shaped("quantiles_", references.len(), n)?;
    let curve = |column: usize| Curve {
        x: references.clone(),
        y: quantiles.column(column).collect(),
        both_ways: false,
        flat: None,
    };
    Ok(vec![Step::Curves((0..n).map(curve).collect())])
}
