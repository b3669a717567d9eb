//! Transformers that learn nothing: a row's norm, a threshold, a function of every value.
//!
//! `FunctionTransformer` may hold any Python function; those of NumPy and SciPy that the IR has too
//! are known by their names, and no other can be.

use fretsaw_model::{Function, Norm, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::transformer::Transformed;
use crate::Error;
use crate::pickle::{Global, Value};

/// NumPy's functions of one value, by the names that they have there.
const NUMPY: &[(&str, Function)] = &[
    ("abs", Function::Abs),
    ("absolute", Function::Abs),
    ("around", Function::Round),
    ("exp", Function::Exp),
    ("exp2", Function::Exp2),
    ("expm1", Function::ExpM1),
    ("fabs", Function::Abs),
    ("log", Function::Ln),
    ("log10", Function::Log10),
    ("log1p", Function::Ln1p),
    ("log2", Function::Log2),
    ("negative", Function::Negate),
    ("reciprocal", Function::Reciprocal),
    ("rint", Function::Round),
    ("round", Function::Round),
    ("round_", Function::Round),
    ("sqrt", Function::Sqrt),
    ("square", Function::Square),
    ("tanh", Function::Tanh),
];

/// SciPy's, of `scipy.special`.
const SCIPY: &[(&str, Function)] = &[
    ("exp2", Function::Exp2),
    ("expit", Function::Logistic),
    ("expm1", Function::ExpM1),
    ("log1p", Function::Ln1p),
    ("ndtri", Function::NormalQuantile),
];

/// `Normalizer`: each row divided by its norm.
pub(super) fn normalizer(at: Attributes<'_, '_>, columns: Columns) -> Transformed {
    let norm = match at.text("norm") {
        Some("l1") => Norm::L1,
        Some("l2") => Norm::L2,
        Some("max") => Norm::Max,
        _ => return Err(at.unsupported("with another `norm`", "l1, l2 and max are read")),
    };
    let n = columns.width();
    Ok((vec![Step::Normalize(norm)], Columns::computed(n)))
}

/// `Binarizer`: 1 above `threshold`, else 0.
pub(super) fn binarizer(at: Attributes<'_, '_>, columns: Columns) -> Transformed {
    let threshold = at.number("threshold")?;
    let steps = vec![Step::Map(Function::Above(threshold))];
    Ok((steps, Columns::computed(columns.width())))
}

/// `FunctionTransformer`: `func` of every value; the row itself where there is none.
pub(super) fn function(at: Attributes<'_, '_>, columns: Columns) -> Transformed {
    Ok(match named(at, "func", "kw_args")? {
        None => (Vec::new(), columns),
        Some(f) => (vec![Step::Map(f)], Columns::computed(columns.width())),
    })
}

/// `FunctionTransformer`'s way back: `inverse_func` of every value.
pub(super) fn inverse(at: Attributes<'_, '_>) -> Result<Vec<Step>, Error> {
    let function = named(at, "inverse_func", "inv_kw_args")?;
    Ok(function.map(Step::Map).into_iter().collect())
}

/// The function that the attribute names; `None` of the identity.
fn named(at: Attributes<'_, '_>, name: &str, arguments: &str) -> Result<Option<Function>, Error> {
    let Some(id) = at.some(name) else {
        return Ok(None);
    };
    if let Some(arguments) = at.some(arguments)
        && !matches!(at.pickle.get(arguments), Value::Dict(items) if items.is_empty())
    {
        return Err(at.unsupported("with `kw_args`", "functions are read without arguments"));
    }
    at.pickle
        .function(id)
        .as_ref()
        .and_then(by_name)
        .ok_or_else(|| {
            let advice = "take one of NumPy's functions of one value, such as numpy.log1p";
            at.unsupported(&format!("with {}", at.pickle.describe(id)), advice)
        })
}

/// What the name means: `None` of a name that is not known, and within it of the identity.
fn by_name(global: &Global<'_>) -> Option<Option<Function>> {
    let table = match global.module.split('.').next()? {
        "numpy" if global.name == "positive" => return Some(None),
        "numpy" => NUMPY,
        "scipy" if global.module.starts_with("scipy.special") => SCIPY,
        _ => return None,
    };
    let known = table.iter().find(|(name, _)| *name == global.name)?;
    Some(Some(known.1))
}
