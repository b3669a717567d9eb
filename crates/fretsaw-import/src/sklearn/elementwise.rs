//! Transformers that learn nothing: a row's norm, a threshold, a function of every value.
//!
//! `FunctionTransformer` may hold any Python function; those of NumPy and SciPy that the IR has too
//! are known by their names, and no other can be.

use fretsaw_model::{Function, Norm, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use crate::Error;
use crate::pickle::Value;

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
pub(super) fn normalizer(
    at: Attributes<'_, '_>,
    columns: Columns,
) -> Result<(Vec<Step>, Columns), Error> {
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
pub(super) fn binarizer(
    at: Attributes<'_, '_>,
    columns: Columns,
) -> Result<(Vec<Step>, Columns), Error> {
    let threshold = at.number("threshold")?;
    let steps = vec![Step::Map(Function::Above(threshold))];
    Ok((steps, Columns::computed(columns.width())))
}

/// `FunctionTransformer`: `func` of every value; the row itself where there is none.
pub(super) fn function(
    at: Attributes<'_, '_>,
    columns: Columns,
) -> Result<(Vec<Step>, Columns), Error> {
    let Some(id) = at.some("func") else {
        return Ok((Vec::new(), columns));
    };
    if let Some(arguments) = at.some("kw_args")
        && !matches!(at.pickle.get(arguments), Value::Dict(items) if items.is_empty())
    {
        return Err(at.unsupported("with `kw_args`", "functions are read without arguments"));
    }
    let known = match at.pickle.get(id) {
        Value::Global(global) => by_name(&global.module, &global.name),
        // NumPy before 1.20: `_ufunc_reconstruct(module, name)`.
        Value::Object(object) if object.callee.is("numpy.core", "_ufunc_reconstruct") => {
            match object
                .args
                .iter()
                .map(|&id| at.pickle.get(id))
                .collect::<Vec<_>>()[..]
            {
                [Value::Str(module), Value::Str(name)] => by_name(module, name),
                _ => None,
            }
        }
        _ => None,
    };
    let Some(function) = known else {
        let advice = format!(
            "of NumPy's functions these are known: {}",
            NUMPY.iter().map(|f| f.0).collect::<Vec<_>>().join(", ")
        );
        return Err(at.unsupported(&format!("with {}", at.pickle.describe(id)), advice));
    };
    Ok(match function {
        None => (Vec::new(), columns),
        Some(f) => (vec![Step::Map(f)], Columns::computed(columns.width())),
    })
}

/// What the name means: `None` of a name that is not known, and within it of the identity.
fn by_name(module: &str, name: &str) -> Option<Option<Function>> {
    let table = match module.split('.').next()? {
        "numpy" if name == "positive" => return Some(None),
        "numpy" => NUMPY,
        "scipy" if module.starts_with("scipy.special") => SCIPY,
        _ => return None,
    };
    let (_, function) = table.iter().find(|known| known.0 == name)?;
    Some(Some(*function))
}
