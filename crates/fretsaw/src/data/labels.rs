//! Labels: the true answers, as numbers or as classes. What they are is for the model to say.

use fretsaw_model::Model;

use super::csv::{Number, number};
use super::lookup::Lookup;
use super::{At, Cell, Source, find_column, quoted, some_of};
use crate::{Error, Result};

/// A column of labels, one a row; none is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelColumn {
    /// The file's name of it; empty for `.npy`.
    name: String,
    values: Vec<Label>,
}

#[derive(Clone, Debug, PartialEq)]
enum Label {
    Int(i128),
    Float(f64),
    Text(String),
    /// As a CSV has it: a number or text, whichever is needed. Truth values, too.
    Written(String),
}

impl Label {
    fn cell(&self) -> Cell<'_> {
        match self {
            Self::Int(i) => Cell::Int(*i),
            Self::Float(x) => Cell::F64(*x),
            Self::Text(s) => Cell::Text(s),
            Self::Written(s) => Cell::Written(s),
        }
    }
}

pub(super) fn column(source: &Source, name: &str) -> Result<LabelColumn> {
    match source.names() {
        None => Err(Error::data(format!(
            "an .npy file has no column names, so no column {}; give the labels as a file",
            quoted(name)
        ))),
        Some(names) => read(source, find_column(names, name)?),
    }
}

pub(super) fn only_column(source: &Source) -> Result<LabelColumn> {
    let n_columns = match source {
        Source::Npy(npy) => npy.n_columns(),
        Source::Csv(csv) => csv.names().len(),
        Source::Parquet(parquet) => parquet.names().len(),
    };
    if n_columns == 1 {
        return read(source, 0);
    }
    let names = source.names().unwrap_or_default();
    let names = match names {
        [] => String::new(),
        names => format!(" ({})", some_of(names.iter())),
    };
    Err(Error::data(format!(
        "a file of labels has one column, this has {n_columns}{names}"
    )))
}

fn read(source: &Source, column: usize) -> Result<LabelColumn> {
    let name = source.names().map_or("", |names| &names[column]).to_owned();
    let mut values = Vec::new();
    let mut put = |at: At, _, cell: Cell<'_>| {
        values.push(match cell.or_missing() {
            Cell::Int(i) => Label::Int(i),
            Cell::F32(x) if !x.is_nan() => Label::Float(x.into()),
            Cell::F64(x) if !x.is_nan() => Label::Float(x),
            Cell::Text(s) => Label::Text(s.to_owned()),
            Cell::Written(s) => Label::Written(s.to_owned()),
            Cell::Bool(true) => Label::Written("True".to_owned()),
            Cell::Bool(false) => Label::Written("False".to_owned()),
            Cell::Missing | Cell::F32(_) | Cell::F64(_) => {
                return Err(Error::data(format!("{at}: the label is missing")));
            }
        });
        Ok(())
    };
    match source {
        Source::Csv(csv) => csv.visit(&[column], &mut put).map(drop)?,
        Source::Parquet(parquet) => parquet.visit(&[column], &mut put).map(drop)?,
        Source::Npy(npy) => {
            let values = npy.decode(0..npy.n_rows(), false)?;
            for (row, x) in values.rows().row_major().enumerate() {
                put(At { row, line: None }, 0, Cell::F64(x))?;
            }
        }
    }
    Ok(LabelColumn { name, values })
}

impl LabelColumn {
    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The labels as numbers; truth values are 0 and 1.
    ///
    /// # Errors
    /// When one is text, naming it.
    pub fn numbers(&self) -> Result<Vec<f64>> {
        let of = |(row, label): (usize, &Label)| match label {
            Label::Int(i) => Ok(*i as f64),
            Label::Float(x) => Ok(*x),
            Label::Written(s) | Label::Text(s) => match (label, number(s)) {
                (Label::Written(_), Some(Number::Float(x))) if !x.is_nan() => Ok(x),
                (Label::Written(_), Some(Number::Bool(b))) => Ok(f64::from(u8::from(b))),
                _ => Err(self.error(row, "is no number")),
            },
        };
        self.values.iter().enumerate().map(of).collect()
    }

    /// The labels as positions among the model's classes: by the classes' names, or by their
    /// numbers from 0 where the model names none.
    ///
    /// # Errors
    /// When the model has no classes, or a label is none of them, naming it.
    pub fn classes(&self, model: &Model) -> Result<Vec<usize>> {
        if model.n_classes() == 0 {
            return Err(Error::data("the model answers values, not classes"));
        }
        let lookup = Lookup::classes(model);
        let of = |(row, label): (usize, &Label)| {
            lookup.find(label.cell()).ok_or_else(|| {
                let known = lookup.some_known();
                self.error(
                    row,
                    &format!("is no class of the model, which knows {known}"),
                )
            })
        };
        self.values.iter().enumerate().map(of).collect()
    }

    fn error(&self, row: usize, why: &str) -> Error {
        let label = self.values[row].cell();
        let name = match &*self.name {
            "" => String::new(),
            name => format!(" in column {}", quoted(name)),
        };
        Error::data(format!("the label {label}{name}, row {}, {why}", row + 1))
    }
}
