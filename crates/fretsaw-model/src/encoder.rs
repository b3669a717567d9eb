//! Categories to numbers: one-hot, ordinal and target encoding.

use crate::Error;

/// What one column's categories become.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoder {
    /// The column's place in the row.
    pub column: u32,
    /// The categories known, ascending, without repetition. Text stands as its code.
    pub keys: Vec<f64>,
    /// The code of each.
    pub code_of: Vec<u32>,
    /// The code of a missing value; `None`: it is one more unknown category.
    pub missing: Option<u32>,
    /// The code of any other category; `None`: the row is refused.
    pub unknown: Option<u32>,
    /// What a code becomes.
    pub codes: Codes,
}

/// What a code becomes.
#[derive(Clone, Debug, PartialEq)]
pub enum Codes {
    /// 1 at the code's place and 0 elsewhere; all 0 where the code is `width` or above.
    OneHot {
        /// How many values.
        width: u32,
    },
    /// Values of its own.
    Values {
        /// How many.
        width: u32,
        /// `width` for each code.
        values: Vec<f64>,
    },
}

impl Codes {
    /// How many values a category becomes.
    pub fn width(&self) -> usize {
        match self {
            Self::OneHot { width } | Self::Values { width, .. } => *width as usize,
        }
    }
}

impl Encoder {
    /// The code of the value `x`; `None` where it is refused.
    pub fn code(&self, x: f64) -> Option<u32> {
        if x.is_nan() && self.missing.is_some() {
            return self.missing;
        }
        match self
            .keys
            .binary_search_by(|k| k.partial_cmp(&x).unwrap_or(std::cmp::Ordering::Less))
        {
            Ok(i) => Some(self.code_of[i]),
            Err(_) => self.unknown,
        }
    }

    /// Appends what the row's value at the column becomes.
    ///
    /// # Errors
    /// When the category is refused.
    ///
    /// # Panics
    /// When the row has no such column.
    pub fn apply(&self, x: &[f64], out: &mut Vec<f64>) -> Result<(), Error> {
        let value = x[self.column as usize];
        let Some(code) = self.code(value) else {
            return Err(Error::rows(format!(
                "{value} is no category that the model knows of value {} of its encoder; it was trained to refuse others",
                self.column
            )));
        };
        match &self.codes {
            Codes::OneHot { width } => {
                let first = out.len();
                out.resize(first + *width as usize, 0.0);
                if code < *width {
                    out[first + code as usize] = 1.0;
                }
            }
            Codes::Values { width, values } => {
                let width = *width as usize;
                out.extend(&values[code as usize * width..][..width]);
            }
        }
        Ok(())
    }
}
