//! From a table to the rows of a model's features: which column is which feature, and what its
//! values are worth there.

use std::collections::{HashMap, HashSet};

use arrow_array::{Array, ArrayRef};
use fretsaw_model::{Body, Column, Feature, FeatureKind, Float, InputUse, Model, category_hash};

use super::csv::{Csv, Number, number};
use super::lookup::Lookup;
use super::npy::Npy;
use super::parquet::{Batch, Parquet, column_of, visit_array};
use super::{At, Cell, Held, Matrix, Source, Visit, find_column, quoted, some_of};
use crate::session::Buffer;
use crate::{Error, Result};

pub(super) fn rows_for(source: &Source, model: &Model, exclude: &[&str]) -> Result<Matrix> {
    let matrix = match source {
        Source::Npy(npy) => npy.decode(0..npy.n_rows(), single(npy, model)?)?,
        Source::Csv(csv) => {
            let mut decoder = Decoder::of_csv(csv, model, exclude)?;
            decoder.matrix(0, |columns, f| csv.visit(columns, f))?
        }
        Source::Parquet(parquet) => {
            let mut decoder = Decoder::of_parquet(parquet, model, exclude)?;
            decoder.matrix(0, |columns, f| parquet.visit(columns, f))?
        }
    };
    if matrix.n_rows() == 0 {
        return Err(Error::data(NO_ROWS));
    }
    Ok(matrix)
}

pub(super) const NO_ROWS: &str = "there are no rows";

/// Whether an array's values are f32 to the model.
///
/// # Errors
/// When its columns are not as many as the model's features.
pub(super) fn single(npy: &Npy, model: &Model) -> Result<bool> {
    let n_features = model.features.len();
    if npy.n_columns() != n_features {
        return Err(Error::data(format!(
            "the array has {} columns, the model has {n_features} features",
            npy.n_columns()
        )));
    }
    Ok(casts_first(model) || npy.held() == Held::Single)
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

/// What a model makes of a table's columns.
pub(super) struct Decoder<'a> {
    n_features: usize,
    asked: Vec<Asked>,
    /// Of those that are asked for.
    columns: Vec<usize>,
    slots: Vec<Slot<'a>>,
    names: &'a [String],
    /// Whether values are held in f32.
    single: bool,
}

impl<'a> Decoder<'a> {
    pub(super) fn of_csv(csv: &'a Csv, model: &'a Model, exclude: &[&str]) -> Result<Self> {
        Self::new(model, csv.names(), exclude, |_| csv.held())
    }

    pub(super) fn of_parquet(
        parquet: &'a Parquet,
        model: &'a Model,
        exclude: &[&str],
    ) -> Result<Self> {
        let held = |column| parquet.held(column);
        Self::new(model, parquet.names(), exclude, held)
    }

    fn new(
        model: &'a Model,
        names: &'a [String],
        exclude: &[&str],
        held: impl Fn(usize) -> Held,
    ) -> Result<Self> {
        let asked = asked(model, names, exclude)?;
        let columns: Vec<usize> = asked.iter().map(|a| a.column).collect();
        let slot = |a: &Asked| Slot::new(&model.features[a.feature], a.closed);
        let slots: Vec<Slot<'_>> = asked.iter().map(slot).collect();
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
        Ok(Self {
            n_features: model.features.len(),
            asked,
            columns,
            slots,
            names,
            single: all_single || casts_first(model),
        })
    }

    /// The columns asked for.
    pub(super) fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// The precision that values are held in.
    pub(super) fn float(&self) -> Float {
        match self.single {
            true => Float::F32,
            false => Float::F64,
        }
    }

    /// The rows that `visit` visits, and counts, from the row `first` on; what no column gives stays
    /// missing.
    pub(super) fn matrix(
        &mut self,
        first: usize,
        visit: impl FnOnce(&[usize], &mut Visit<'_>) -> Result<usize>,
    ) -> Result<Matrix> {
        let n = self.n_features;
        let mut values = match self.single {
            true => Buffer::F32(Vec::new()),
            false => Buffer::F64(Vec::new()),
        };
        let columns = std::mem::take(&mut self.columns);
        let n_rows = visit(&columns, &mut |at: At, i, cell| {
            let value = self.value(at, i, columns[i], cell)?;
            // Grows with the rows that come, never by what a file declares.
            let row = at.row - first;
            let (end, at) = ((row + 1) * n, row * n + self.asked[i].feature);
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
        });
        self.columns = columns;
        n_rows?;
        Matrix::new(values, n)
    }

    /// The columns of a batch, one a feature: numbers as they are, the rest decoded.
    pub(super) fn batch(&mut self, batch: Batch) -> Result<Vec<Batched>> {
        let mut out = Vec::new();
        out.resize_with(self.n_features, || Batched::Missing);
        for (i, array) in batch.columns.into_iter().enumerate() {
            let is_number = matches!(self.slots[i], Slot::Number { .. });
            out[self.asked[i].feature] = if is_number && column_of(&array).is_some() {
                Batched::Array(array)
            } else {
                let mut values = Vec::with_capacity(array.len());
                let column = self.columns[i];
                visit_array(&array, &mut |row, cell| {
                    let row = batch.first + row;
                    let value = self.value(At { row, line: None }, i, column, cell)?;
                    values.push(match self.single {
                        true => value.f32().into(),
                        false => value.f64(),
                    });
                    Ok(())
                })?;
                Batched::Values(values)
            };
        }
        Ok(out)
    }

    fn value(&mut self, at: At, i: usize, column: usize, cell: Cell<'_>) -> Result<Value> {
        self.slots[i].value(cell).map_err(|why| {
            let name = quoted(&self.names[column]);
            Error::data(format!("column {name}, {at}: {why}"))
        })
    }
}

/// A column of a batch.
pub(super) enum Batched {
    /// As the file gives it; one that [`column_of`] takes.
    Array(ArrayRef),
    /// Codes and hashes, in the precision of the rows.
    Values(Vec<f64>),
    /// None for this feature.
    Missing,
}

impl Batched {
    /// Its `n_rows` values.
    pub(super) fn column(&self, n_rows: usize) -> Column<'_> {
        let column = match self {
            Self::Array(array) => column_of(array),
            Self::Values(values) => Some(Column::from(&values[..])),
            Self::Missing => None,
        };
        column.unwrap_or_else(|| Column::missing(n_rows))
    }
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
