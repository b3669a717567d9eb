//! Clusters by their centres: the number of the nearest.

use fretsaw_model::{Answer, Function, Kernel, KernelFunction, Link, Step};

use super::attributes::Attributes;
use super::part::{Part, row};
use crate::Error;

/// `KMeans` and `MiniBatchKMeans`: `predict`, with the distances of `transform` as margins.
pub(super) fn read(at: Attributes<'_, '_>) -> Result<Part, Error> {
    let &[n_clusters, n_features] = &at.array("cluster_centers_")?.shape[..] else {
        return Err(Error::invalid("`cluster_centers_` is no table"));
    };
    let centers = Kernel {
        function: KernelFunction::Euclidean,
        n_features,
        vectors: at.floats("cluster_centers_")?,
    };
    let nearest = vec![Step::Map(Function::Negate), Step::Link(Link::ArgMax)];
    Ok(Part {
        link: Link::Then(nearest),
        answer: Answer::Class,
        ..Part::values(at, vec![Step::Kernel(centers)], row(n_clusters))
    })
}
