//! Clusters by their centres: the number of the nearest.

use fretsaw_model::{Answer, Function, Kernel, KernelFunction, Link, Step};

use super::attributes::Attributes;
use super::matrix::Matrix;
use super::part::{Part, row};
use crate::Error;

/// `KMeans` and `MiniBatchKMeans`: `predict`, with the distances of `transform` as margins.
pub(super) fn read(at: Attributes<'_, '_>) -> Result<Part, Error> {
    let centers = Matrix::of(at, "cluster_centers_")?;
    let n_clusters = centers.rows;
    let centers = Kernel {
        function: KernelFunction::Euclidean,
        n_features: centers.columns,
        vectors: centers.values,
    };
    let nearest = vec![Step::Map(Function::Negate), Step::Link(Link::ArgMax)];
    Ok(Part {
        link: Link::Then(nearest),
        answer: Answer::Class,
        ..Part::values(at, vec![Step::Kernel(centers)], row(n_clusters))
    })
}
