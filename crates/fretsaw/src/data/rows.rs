//! From a table to the rows of a model's features: which column is which feature, and what its
//! values are worth there.

use std::collections::{HashMap, HashSet};

use fretsaw_model::{Body, Feature, FeatureKind, Float, InputUse, Model, category_hash};

use super::csv::{Number, number};
use super::lookup::Lookup;
use super::{At, Cell, Held, Matrix, Source, Visit, find_column, quoted, some_of};
use crate::session::Buffer;
use crate::{Error, Result};

pub(super) fn rows_for(source: &Source, model: &Model, exclude: &[&str]) -> Result<Matrix> {
    let n_features = model.features.len();
    let values = match source {
        Source::Npy(npy) => {
            if npy.n_columns() != n_features {
                return Err(Error::data(format!(
                    "the array has {} columns, the model has {n_features} features",
                    npy.n_columns()
                )));
            }
            let single = casts_first(model) || npy.held() == Held::Single;
            npy.values(single)?
        }
        Source::Csv(csv) => {
            let asked = asked(model, csv.names(), exclude)?;
            let visit = |columns: &[usize], f: &mut Visit<'_>| csv.visit(columns, f);
            table(model, &asked, csv.names(), |_| csv.held(), visit)?
        }
        Source::Parquet(parquet) => {
            let asked = asked(model, parquet.names(), exclude)?;
            let held = |column| parquet.held(column);
            let visit = |columns: &[usize], f: &mut Visit<'_>| parquet.visit(columns, f);
            table(model, &asked, parquet.names(), held, visit)?
        }
    };
    let matrix = Matrix::new(values, n_features)?;
    if matrix.n_rows() == 0 {
        return Err(Error::data("there are no rows"));
    }
    Ok(matrix)
}

/// Whether the model casts every input to f32 before anything else, so that f32 inputs are all it
/// ever sees.
fn casts_first(model: &Model) -> bool {
    let float = match &model.body {
        Body::Ensemble(e) => e.compare,
        Body::Linear(l) => l.sum,
        _ => Float::F64,
    };
    float == Float::F32 && model.steps.is_empty()
}

/// A feature that the model reads.
struct Asked {
    feature: usize,
    /// Its column.
    column: usize,
    /// Whether the model refuses categories that it does not know.
    closed: bool,
}

/// The features that the model reads and their columns. The others may hold anything, and need not
/// be there.
fn asked(model: &Model, names: &[String], exclude: &[&str]) -> Result<Vec<Asked>> {
    let uses = model.input_uses();
    let columns = columns_of(model, &uses, names, exclude)?;
    let asked = |(feature, (used, column)): (usize, (&InputUse, Option<usize>))| {
        let column = column.filter(|_| used.read)?;
        let closed = used.closed;
        Some(Asked {
            feature,
            column,
            closed,
        })
    };
    let all = uses.iter().zip(columns).enumerate();
    Ok(all.filter_map(asked).collect())
}

/// The column of each feature; only those that the model does not read may have none.
fn columns_of(
    model: &Model,
    uses: &[InputUse],
    names: &[String],
    exclude: &[&str],
) -> Result<Vec<Option<usize>>> {
    let features = &model.features;
    let n_read = uses.iter().filter(|used| used.read).count();
    // pandas keeps its row index in a column of this name.
    let is_index = |name: &str| name.starts_with("__index_level_");
    let candidates: Vec<usize> = (0..names.len())
        .filter(|&i| !exclude.contains(&names[i].as_str()))
        .collect();
    let known: HashSet<&str> = candidates.iter().map(|&i| names[i].as_str()).collect();
    let missing: Vec<&str> = features
        .iter()
        .zip(uses)
        .filter(|(_, used)| used.read)
        .map(|(f, _)| f.name.as_str())
        .filter(|name| !known.contains(name))
        .collect();
    let wanted: HashMap<&str, usize> = features
        .iter()
        .enumerate()
        .map(|(i, f)| (f.name.as_str(), i))
        .collect();
    let distinct = wanted.len() == features.len();
    if missing.is_empty() && distinct {
        let column = |(f, used): (&Feature, &InputUse)| match used.read {
            true => find_column(names, &f.name).map(Some),
            false => Ok(None),
        };
        return features.iter().zip(uses).map(column).collect();
    }
    let extra: Vec<&str> = candidates
        .iter()
        .map(|&i| names[i].as_str())
        .filter(|name| !wanted.contains_key(name) && !is_index(name))
        .collect();
    // Named features of which some are there are no table of other names: an error, not an order.
    if missing.len() == n_read || !distinct {
        let in_order: Vec<usize> = candidates
            .iter()
            .copied()
            .filter(|&i| !is_index(&names[i]))
            .collect();
        if in_order.len() == features.len() {
            return Ok(in_order.into_iter().map(Some).collect());
        }
    }
    let mut message = format!(
        "the columns do not fit the model's {} features: there are {}",
        features.len(),
        candidates.len()
    );
    if !distinct {
        message += ", and features of the same name can only be matched by order";
    } else if !missing.is_empty() {
        message += &format!(", and {} not among them", is_are(&missing));
    }
    if !extra.is_empty() {
        message += &format!("; columns that are no feature: {}", some_of(extra.iter()));
    }
    if let Some(name) = missing.iter().find(|m| exclude.contains(m)) {
        message += &format!("; {} is taken as a label", quoted(name));
    }
    if let [only] = names
        && let Some(other) = only.chars().find(|c| ";\t|".contains(*c))
    {
        message += &format!("; cells must be separated by commas, not {other:?}");
    }
    Err(Error::data(message))
}

fn is_are(names: &[&str]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", some_of(names.iter()))
}

/// Decodes the columns of a table; what no column gives stays missing.
fn table(
    model: &Model,
    asked: &[Asked],
    names: &[String],
    held: impl Fn(usize) -> Held,
    visit: impl FnOnce(&[usize], &mut Visit<'_>) -> Result<()>,
) -> Result<Buffer> {
    let n = model.features.len();
    let columns: Vec<usize> = asked.iter().map(|a| a.column).collect();
    let slot = |a: &Asked| Slot::new(&model.features[a.feature], a.closed);
    let mut slots: Vec<Slot<'_>> = asked.iter().map(slot).collect();
    let helds: Vec<Held> = slots
        .iter()
        .zip(&columns)
        .map(|(slot, &column)| match slot {
            // A code, whatever its column holds.
            Slot::Category(_) | Slot::Text { .. } => Held::Short,
            Slot::Hash => Held::Double,
            Slot::Number { .. } => held(column),
        })
        .collect();
    let all_single = !helds.contains(&Held::Double) && helds.contains(&Held::Single);
    let mut values = if all_single || casts_first(model) {
        Buffer::F32(Vec::new())
    } else {
        Buffer::F64(Vec::new())
    };
    visit(&columns, &mut |at: At, i, cell| {
        let name = &names[columns[i]];
        let value = slots[i]
            .value(cell)
            .map_err(|why| Error::data(format!("column {}, {at}: {why}", quoted(name))))?;
        // Grows with the rows that come, never by what a file declares.
        let (end, at) = ((at.row + 1) * n, at.row * n + asked[i].feature);
        match &mut values {
            Buffer::F32(v) => {
                if v.len() < end {
                    v.resize(end, f32::NAN);
                }
                v[at] = value.f32();
            }
            Buffer::F64(v) => {
                if v.len() < end {
                    v.resize(end, f64::NAN);
                }
                v[at] = value.f64();
            }
        }
        Ok(())
    })?;
    Ok(values)
}

/// A value on its way to a precision: cast once, as the frameworks do.
enum Value {
    Int(i128),
    F32(f32),
    F64(f64),
}

impl Value {
    const MISSING: Self = Self::F32(f32::NAN);

    fn f32(&self) -> f32 {
        match *self {
            Self::Int(i) => i as f32,
            Self::F32(x) => x,
            Self::F64(x) => x as f32,
        }
    }

    fn f64(&self) -> f64 {
        match *self {
            Self::Int(i) => i as f64,
            Self::F32(x) => x.into(),
            Self::F64(x) => x,
        }
    }
}

/// What a feature makes of its column's values.
enum Slot<'a> {
    /// A number, or a code where the model does not hold the categories.
    Number {
        is_code: bool,
        /// Whether the written values so far are truth values; they do not mix with numbers.
        bools: Option<bool>,
    },
    Category(Lookup<'a>),
    /// A category as text; one that is not known is -1, or refused.
    Text {
        known: Lookup<'a>,
        closed: bool,
    },
    /// The hash of a category's text.
    Hash,
}

impl<'a> Slot<'a> {
    fn new(feature: &'a Feature, closed: bool) -> Self {
        match &feature.kind {
            FeatureKind::Categorical {
                categories: Some(categories),
            } => Self::Category(Lookup::categories(categories)),
            FeatureKind::Text { known } => Self::Text {
                known: Lookup::texts(known),
                closed,
            },
            FeatureKind::Hashed => Self::Hash,
            kind => Self::Number {
                is_code: *kind != FeatureKind::Numeric,
                bools: None,
            },
        }
    }

    fn value(&mut self, cell: Cell<'_>) -> std::result::Result<Value, String> {
        match (self, cell.or_missing()) {
            // Any text is a category, the empty one too.
            (Self::Hash, _) => hash(cell).map(Value::Int),
            (_, Cell::Missing) => Ok(Value::MISSING),
            (Self::Category(_) | Self::Text { .. }, Cell::F32(x)) if x.is_nan() => {
                Ok(Value::MISSING)
            }
            (Self::Category(_) | Self::Text { .. }, Cell::F64(x)) if x.is_nan() => {
                Ok(Value::MISSING)
            }
            (Self::Category(known) | Self::Text { known, .. }, cell)
                if let Some(code) = known.find(cell) =>
            {
                Ok(Value::Int(code as i128))
            }
            (Self::Text { closed: false, .. }, _) => Ok(Value::Int(-1)),
            (Self::Category(known) | Self::Text { known, .. }, cell) => Err(format!(
                "{cell} is no category of the model, which knows {}",
                known.some_known()
            )),
            (Self::Number { .. }, Cell::Bool(b)) => Ok(Value::Int(b.into())),
            (Self::Number { .. }, Cell::Int(i)) => Ok(Value::Int(i)),
            (Self::Number { .. }, Cell::F32(x)) => Ok(Value::F32(x)),
            (Self::Number { .. }, Cell::F64(x)) => Ok(Value::F64(x)),
            (Self::Number { is_code, bools }, Cell::Written(text)) => {
                let (is_bool, value) = match number(text) {
                    Some(Number::Bool(b)) => (true, Value::Int(b.into())),
                    Some(Number::Float(x)) => (false, Value::F64(x)),
                    None => return Err(no_number(cell, *is_code)),
                };
                if *bools.get_or_insert(is_bool) != is_bool {
                    return Err(format!(
                        "{cell} in a column of both numbers and truth values"
                    ));
                }
                Ok(value)
            }
            (Self::Number { is_code, .. }, Cell::Text(_)) => Err(no_number(cell, *is_code)),
        }
    }
}

/// What stands for a category in the model: the hash of its text, a whole number's digits among them.
fn hash(cell: Cell<'_>) -> std::result::Result<i128, String> {
    let text = match cell {
        Cell::Written(text) | Cell::Text(text) => return Ok(category_hash(text).into()),
        Cell::Int(i) => i.to_string(),
        Cell::Bool(true) => "True".into(),
        Cell::Bool(false) => "False".into(),
        Cell::Missing => {
            return Err(
                "a missing category; write the text that stood for it when the model was trained"
                    .into(),
            );
        }
        Cell::F32(_) | Cell::F64(_) => {
            return Err(format!(
                "{cell} is a number where a category should be: give it as text or a whole number"
            ));
        }
    };
    Ok(category_hash(&text).into())
}

fn no_number(cell: Cell<'_>, is_code: bool) -> String {
    if is_code {
        format!("{cell} is no number; the model does not hold its categories, so give their codes")
    } else {
        format!("{cell} is no number")
    }
}
