//! Matrices among an estimator's attributes: coefficients, support vectors, training rows.
//!
//! A vector counts as one row, and SciPy's compressed rows are filled with zeros to dense ones. There
//! is no arithmetic here.

use super::attributes::Attributes;
use crate::Error;
use crate::pickle::numpy::Elements;
use crate::pickle::{Id, Object, Pickle, Value};

/// Weights that are laid out with zeros may be so many times those of the file, or [`FREE`].
const GROWTH: usize = 64;
const FREE: usize = 1 << 20;

/// The number of weights that `stored` numbers of the file become, unless it is out of proportion.
pub(super) fn laid_out(
    at: Attributes<'_, '_>,
    n: Option<usize>,
    stored: usize,
) -> Result<usize, Error> {
    n.filter(|&n| n <= stored.saturating_mul(GROWTH).max(FREE))
        .ok_or_else(|| at.unsupported("of so many classes", "up to 64 are always taken"))
}

/// Numbers in rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Matrix {
    pub(super) rows: usize,
    /// At least one, as are the rows.
    pub(super) columns: usize,
    /// Row by row.
    pub(super) values: Vec<f64>,
}

impl Matrix {
    /// The attribute of this name.
    pub(super) fn of(at: Attributes<'_, '_>, name: &str) -> Result<Self, Error> {
        let id = at.get(name)?;
        matrix(at.pickle, id).ok_or_else(|| at.fault(name, id, "a matrix of numbers"))
    }

    /// An attribute that is a list of them.
    pub(super) fn list(at: Attributes<'_, '_>, name: &str) -> Result<Vec<Self>, Error> {
        let id = at.get(name)?;
        let wanted = "a list of matrices of numbers";
        let items = at.pickle.objects(id);
        items
            .ok_or_else(|| at.fault(name, id, wanted))?
            .into_iter()
            .map(|item| matrix(at.pickle, item).ok_or_else(|| at.fault(name, item, wanted)))
            .collect()
    }

    /// The same, refused where it is not of this shape.
    pub(super) fn shaped(self, name: &str, rows: usize, columns: usize) -> Result<Self, Error> {
        match (self.rows, self.columns) == (rows, columns) {
            true => Ok(self),
            false => Err(Error::invalid(format!(
                "`{name}` is {} x {}, not {rows} x {columns}",
                self.rows, self.columns
            ))),
        }
    }

    /// The same, refused where its rows are not of so many values.
    pub(super) fn of_width(self, name: &str, columns: usize) -> Result<Self, Error> {
        let rows = self.rows;
        self.shaped(name, rows, columns)
    }

    /// The values column by column.
    pub(super) fn transposed(&self) -> Vec<f64> {
        (0..self.columns).flat_map(|c| self.column(c)).collect()
    }

    /// The values of a column.
    pub(super) fn column(&self, i: usize) -> impl Iterator<Item = f64> {
        self.values.iter().skip(i).step_by(self.columns).copied()
    }

    /// The values of a row.
    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.columns..][..self.columns]
    }
}

fn matrix(pickle: &Pickle<'_>, id: Id) -> Option<Matrix> {
    if let Value::Object(object) = pickle.get(id)
        && object.callee.module.starts_with("scipy.sparse")
    {
        return compressed_rows(pickle, object);
    }
    let array = pickle.array(id)?;
    let (rows, columns) = match array.shape[..] {
        [columns] => (1, columns),
        [rows, columns] => (rows, columns),
        _ => return None,
    };
    let values = array.elements()?.floats()?;
    (!values.is_empty()).then_some(Matrix {
        rows,
        columns,
        values,
    })
}

/// SciPy's `csr_matrix` or `csr_array`.
fn compressed_rows<'a>(pickle: &Pickle<'a>, object: &Object<'a>) -> Option<Matrix> {
    if !object.callee.name.starts_with("csr_") {
        return None;
    }
    let elements = |name| pickle.elements(pickle.attribute(object, name)?);
    let counts = |name| places(elements(name)?);
    let [rows, columns] = places(pickle.elements(pickle.attribute(object, "_shape")?)?)?[..] else {
        return None;
    };
    let (data, indices, starts) = (
        elements("data")?.floats()?,
        counts("indices")?,
        counts("indptr")?,
    );
    if rows == 0 || columns == 0 || starts.len() != rows.checked_add(1)? {
        return None;
    }
    let n = rows.checked_mul(columns)?;
    pickle.spend(n.checked_mul(size_of::<f64>())?)?;
    let mut values = vec![0.0; n];
    for (row, bounds) in values.chunks_exact_mut(columns).zip(starts.windows(2)) {
        let range = bounds[0]..bounds[1];
        let (data, indices) = (data.get(range.clone())?, indices.get(range)?);
        for (&value, &column) in data.iter().zip(indices) {
            *row.get_mut(column)? += value;
        }
    }
    Some(Matrix {
        rows,
        columns,
        values,
    })
}

/// Whole numbers from 0.
pub(super) fn places(elements: Elements) -> Option<Vec<usize>> {
    let place = |i: i64| usize::try_from(i).ok();
    elements.ints()?.into_iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_rows() {
        let matrix = Matrix {
            rows: 2,
            columns: 3,
            values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        };
        assert_eq!(matrix.transposed(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(matrix.row(1), [4.0, 5.0, 6.0]);
        assert!(matrix.shaped("coef_", 3, 2).is_err());
    }
}
