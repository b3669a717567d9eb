//! Projections: to principal and other components, to discriminants, to distances from centres.
//!
//! Each class subtracts its mean before the product or after it, which differs in the last places,
//! and where the mean is large in more.

use fretsaw_model::{Kernel, KernelFunction, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::kernel;
use super::matrix::Matrix;
use super::part::linear;
use super::transformer::Transformed;
use crate::Error;

/// `PCA` and `IncrementalPCA`. Since 1.5 the mean is subtracted behind the product, and before from
/// sparse matrices only.
pub(super) fn principal(at: Attributes<'_, '_>, cx: &Context<'_>, columns: Columns) -> Transformed {
    let components = components(at, &columns)?;
    let n = components.rows;
    let mean = match at.some("mean_") {
        Some(_) => at.one_each("mean_", columns.width())?,
        None => vec![0.0; columns.width()],
    };
    let mut steps = Vec::new();
    if cx.since(1, 5) || columns.sparse {
        if at.array("components_")?.is_single()
            && at.some("mean_").is_some()
            && at.array("mean_")?.is_single()
        {
            return Err(at.unsupported(
                "trained on float32",
                "scikit-learn rounds the projection of its mean to float32; train it on float64",
            ));
        }
        let offset = (0..n).map(|row| {
            let terms = components.row(row).iter().zip(&mean);
            -terms.fold(0.0, |sum, (c, m)| sum + m * c)
        });
        let offset = offset.collect();
        steps.push(project(&components, offset));
    } else {
        steps.push(shift(mean));
        steps.push(project(&components, vec![0.0; n]));
    }
    if at.flag("whiten") {
        // Since 1.5 a variance of almost nothing is held above that.
        let least = if cx.since(1, 5) { f64::EPSILON } else { 0.0 };
        let variances = at.one_each("explained_variance_", n)?;
        steps.push(Step::Scale {
            shift: vec![0.0; n],
            scale: variances.iter().map(|v| v.sqrt().max(least)).collect(),
        });
    }
    Ok((steps, Columns::computed(n)))
}

/// `TruncatedSVD`, `GaussianRandomProjection`: the product alone.
pub(super) fn product(at: Attributes<'_, '_>, columns: Columns) -> Transformed {
    let components = components(at, &columns)?;
    let n = components.rows;
    let steps = vec![project(&components, vec![0.0; n])];
    Ok((steps, Columns::computed(n)))
}

/// `FastICA`: the mean is subtracted first, where `whiten` is set.
pub(super) fn independent(at: Attributes<'_, '_>, columns: Columns) -> Transformed {
    let components = components(at, &columns)?;
    let n = components.rows;
    let mut steps = Vec::new();
    // True, or the name of a kind of whitening.
    if at.flag("whiten") || at.text("whiten").is_some() {
        steps.push(shift(at.one_each("mean_", columns.width())?));
    }
    steps.push(project(&components, vec![0.0; n]));
    Ok((steps, Columns::computed(n)))
}

/// `LinearDiscriminantAnalysis` as a transformer.
pub(super) fn discriminants(at: Attributes<'_, '_>, columns: Columns) -> Transformed {
    let n = columns.width();
    let scalings = Matrix::of(at, "scalings_")?;
    if scalings.rows != n {
        return Err(Error::invalid(format!(
            "`scalings_` has {} rows for {n} columns",
            scalings.rows
        )));
    }
    let mut steps = match at.text("solver") {
        Some("svd") => vec![shift(at.one_each("xbar_", n)?)],
        Some("eigen") => Vec::new(),
        _ => return Err(at.unsupported("of this solver as a transformer", "svd and eigen are")),
    };
    let kept = scalings.columns.min(at.count("_max_components")?);
    let rows = scalings.values.chunks_exact(scalings.columns);
    let weights = rows.flat_map(|row| &row[..kept]).copied().collect();
    steps.push(Step::Linear(linear(weights, vec![0.0; kept])));
    Ok((steps, Columns::computed(kept)))
}

/// `KMeans` and `MiniBatchKMeans` as transformers: the distance to each centre.
pub(super) fn distances(at: Attributes<'_, '_>, columns: Columns) -> Transformed {
    let n = columns.width();
    let name = "cluster_centers_";
    let centers = Matrix::of(at, name)?.of_width(name, n)?;
    let width = centers.rows;
    let steps = vec![Step::Kernel(Kernel {
        function: KernelFunction::Euclidean,
        n_features: n,
        vectors: centers.values,
    })];
    Ok((steps, Columns::computed(width)))
}

/// `Nystroem`: the kernel with stored rows, then a product.
pub(super) fn nystroem(at: Attributes<'_, '_>, columns: Columns) -> Transformed {
    let n = columns.width();
    if at.some("kernel_params").is_some() {
        return Err(at.unsupported("with `kernel_params`", "give gamma, degree and coef0"));
    }
    let or = |name: &str, default: f64| match at.some(name) {
        Some(_) => at.number(name),
        None => Ok(default),
    };
    let rows = components(at, &columns)?;
    let name = "normalization_";
    let normalization = Matrix::of(at, name)?.of_width(name, rows.rows)?;
    let width = normalization.rows;
    let kernel = kernel::step(at, rows, |parameter| match parameter {
        "gamma" => or("gamma", 1.0 / n as f64),
        "degree" => or("degree", 3.0),
        _ => or("coef0", 1.0),
    })?;
    let steps = vec![kernel, project(&normalization, vec![0.0; width])];
    Ok((steps, Columns::computed(width)))
}

/// `FactorAnalysis`: the expected factors of a row.
pub(super) fn factors(at: Attributes<'_, '_>, columns: Columns) -> Transformed {
    let n = columns.width();
    let loadings = components(at, &columns)?;
    let noise = at.one_each("noise_variance_", n)?;
    let k = loadings.rows;
    if k > n {
        return Err(Error::invalid(format!("{k} factors of {n} columns")));
    }
    let mut weighted = loadings.clone();
    for row in weighted.values.chunks_exact_mut(n) {
        row.iter_mut()
            .zip(&noise)
            .for_each(|(v, noise)| *v /= noise);
    }
    // The covariance of the factors, given a row: the inverse of this.
    let mut precision = vec![0.0; k * k];
    for (i, slot) in precision.iter_mut().enumerate() {
        let (row, column) = (i / k, i % k);
        let terms = weighted.row(row).iter().zip(loadings.row(column));
        let one = if row == column { 1.0 } else { 0.0 };
        *slot = one + terms.fold(0.0, |sum, (w, l)| sum + w * l);
    }
    let covariance = inverse(precision, k)
        .ok_or_else(|| Error::invalid("the covariance of the factors has no inverse"))?;
    let steps = vec![
        shift(at.one_each("mean_", n)?),
        project(&weighted, vec![0.0; k]),
        Step::Linear(linear(covariance, vec![0.0; k])),
    ];
    Ok((steps, Columns::computed(k)))
}

/// The inverse of a symmetric positive definite `k` x `k` matrix, by elimination.
fn inverse(mut a: Vec<f64>, k: usize) -> Option<Vec<f64>> {
    let mut out = vec![0.0; k * k];
    (0..k).for_each(|i| out[i * k + i] = 1.0);
    for pivot in 0..k {
        let divisor = a[pivot * k + pivot];
        if !(divisor > 0.0 && divisor.is_finite()) {
            return None;
        }
        for m in [&mut a, &mut out] {
            m[pivot * k..][..k].iter_mut().for_each(|v| *v /= divisor);
        }
        for row in (0..k).filter(|&row| row != pivot) {
            let factor = a[row * k + pivot];
            for m in [&mut a, &mut out] {
                for column in 0..k {
                    m[row * k + column] -= factor * m[pivot * k + column];
                }
            }
        }
    }
    Some(out)
}

/// `components_`, a row each, for rows of these columns.
fn components(at: Attributes<'_, '_>, columns: &Columns) -> Result<Matrix, Error> {
    Matrix::of(at, "components_")?.of_width("components_", columns.width())
}

fn shift(mean: Vec<f64>) -> Step {
    Step::Scale {
        scale: vec![1.0; mean.len()],
        shift: mean,
    }
}

/// The product with each row of the matrix.
fn project(rows: &Matrix, offset: Vec<f64>) -> Step {
    Step::Linear(linear(rows.transposed(), offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_times_its_inverse_is_one() {
        let a = vec![4.0, 1.0, 0.5, 1.0, 3.0, -0.25, 0.5, -0.25, 2.0];
        let b = inverse(a.clone(), 3).unwrap();
        for (i, j) in (0..3).flat_map(|i| (0..3).map(move |j| (i, j))) {
            let dot: f64 = (0..3).map(|k| a[i * 3 + k] * b[k * 3 + j]).sum();
            assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-15);
        }
        assert_eq!(inverse(vec![1.0, 1.0, 1.0, 1.0], 2), None);
    }
}
