//! Gaussian mixtures: how likely each component is.
//!
//! Of the shapes of covariance those are read whose distances are computed as sums of squares (full and
//! tied). For the others scikit-learn multiplies the square out, and what is left of it depends on the
//! order of its matrix products.

use fretsaw_model::{Answer, Function, Labels, Link, Step};

use super::attributes::Attributes;
use super::matrix::Matrix;
use super::part::{Part, linear, row};
use crate::Error;

/// `GaussianMixture`: `predict_proba`.
pub(super) fn read(at: Attributes<'_, '_>) -> Result<Part, Error> {
    let means = Matrix::of(at, "means_")?;
    let (k, n) = (means.rows, means.columns);
    let tied = match at.text("covariance_type") {
        Some("full") => false,
        Some("tied") => true,
        other => {
            let what = format!(
                "with covariance_type=`{}`",
                crate::error::shown(other.unwrap_or_default())
            );
            return Err(at.unsupported(&what, "full and tied are read"));
        }
    };
    let weights = at.floats("weights_")?;
    let cholesky = at.floats("precisions_cholesky_")?;
    let size = n.checked_mul(n).filter(|&size| size > 0);
    let fits = |size: usize| cholesky.len() == if tied { size } else { size * k };
    let Some(size) = size.filter(|&s| k > 0 && weights.len() == k && fits(s)) else {
        return Err(Error::invalid(
            "`weights_`, `means_` and `precisions_cholesky_` do not fit each other",
        ));
    };
    let component = |i: usize| {
        let cholesky = match tied {
            true => &cholesky[..],
            false => &cholesky[i * size..][..size],
        };
        let mean = means.row(i);
        let offset = |j: usize| -(0..n).fold(0.0, |sum, f| sum + mean[f] * cholesky[f * n + j]);
        let log_det = (0..n).fold(0.0, |sum, j| sum + cholesky[j * n + j].ln());
        let constant = -0.5 * (n as f64 * (2.0 * std::f64::consts::PI).ln()) + log_det;
        vec![
            Step::Linear(linear(cholesky.to_vec(), (0..n).map(offset).collect())),
            Step::Map(Function::Square),
            Step::Linear(linear(vec![-0.5; n], vec![constant + weights[i].ln()])),
        ]
    };
    let steps = vec![Step::Branches((0..k).map(component).collect())];
    let labels = Labels::Ints((0..k as i64).collect());
    let answer = (Link::Softmax, Answer::Classes);
    // `predict` compares the logarithms, some of which differ where probabilities no longer do.
    Ok(Part::classifier(at, steps, row(k), answer, labels).by_margins())
}
