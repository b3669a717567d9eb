//! The columns of the rows at some place in a pipeline: how many, their names, and which of them are
//! still the model's own input columns.

/// The columns of the rows that an estimator sees.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Columns {
    /// For each column the input column that it is, unchanged but for filled gaps; `None` where it
    /// is computed. Text can only be understood in such a column.
    pub(super) origins: Vec<Option<usize>>,
    /// Whether the library holds the rows as a sparse matrix, which makes no difference but to
    /// those who take what is not stored, every zero, for missing.
    pub(super) sparse: bool,
    names: Vec<String>,
    /// How many columns the model's own input has.
    n_inputs: usize,
}

impl Columns {
    /// The model's own input. No names: the rows had none.
    pub(super) fn of_rows(n: usize, names: Vec<String>) -> Self {
        Self {
            origins: (0..n).map(Some).collect(),
            sparse: false,
            names,
            n_inputs: n,
        }
    }

    /// `n` columns that were computed.
    pub(super) fn computed(n: usize) -> Self {
        Self {
            origins: vec![None; n],
            sparse: false,
            names: Vec::new(),
            n_inputs: usize::MAX,
        }
    }

    /// The columns at these places.
    ///
    /// # Panics
    /// When a place is beyond the columns.
    pub(super) fn select(&self, places: &[usize]) -> Self {
        Self {
            origins: places.iter().map(|&c| self.origins[c]).collect(),
            names: match self.names.is_empty() {
                true => Vec::new(),
                false => places.iter().map(|&c| self.names[c].clone()).collect(),
            },
            ..*self
        }
    }

    /// Columns side by side, without names.
    pub(super) fn join<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let mut joined = Self::computed(0);
        for columns in all {
            joined.origins.extend(&columns.origins);
            joined.sparse |= columns.sparse;
            joined.n_inputs = joined.n_inputs.min(columns.n_inputs);
        }
        joined
    }

    /// How many there are.
    pub(super) fn width(&self) -> usize {
        self.origins.len()
    }

    /// The names, one a column; empty where the rows had none.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The place of the column of this name.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n == name)
    }

    /// Whether they are the model's input columns, all of them and in order.
    pub(super) fn are_input(&self) -> bool {
        let in_order = |(i, o): (usize, &Option<usize>)| *o == Some(i);
        self.width() == self.n_inputs && self.origins.iter().enumerate().all(in_order)
    }
}
