//! Quadratic discriminant analysis: a rotation and a scaling for each class. The linear one is a
//! [linear classifier](super::linear_classifier).

use fretsaw_model::{Answer, Body, Function, Link, Step};

use super::attributes::Attributes;
use super::columns::Columns;
use super::matrix::Matrix;
use super::part::{Part, linear, row};
use crate::Error;

/// QuadraticDiscriminantAnalysis. Of two classes `decision_function` is the difference of their
/// likelihoods, and `predict_proba` needs both.
pub(super) fn quadratic(at: Attributes<'_, '_>, columns: &Columns) -> Result<Part, Error> {
    let labels = at.classes()?;
    let (k, n) = (labels.len(), columns.width());
    let means = Matrix::of(at, "means_")?.shaped("means_", k, n)?;
    let rotations = Matrix::list(at, "rotations_")?;
    let scalings = Matrix::list(at, "scalings_")?;
    let priors = at.floats("priors_")?;
    if [rotations.len(), scalings.len(), priors.len()] != [k; 3] {
        return Err(Error::invalid(format!(
            "{} rotations, {} scalings and {} priors for {k} classes",
            rotations.len(),
            scalings.len(),
            priors.len()
        )));
    }
    let mut classes = Vec::new();
    for (i, (rotation, scaling)) in rotations.into_iter().zip(scalings).enumerate() {
        let rank = rotation.columns;
        let rotation = rotation.shaped("rotations_", n, rank);
        let rotation = rotation.map_err(|e| e.item(i))?;
        let scaling = scaling.shaped("scalings_", 1, rank);
        let scaling = scaling.map_err(|e| e.item(i))?.values;
        let mut turned = rotation.values;
        for row in turned.chunks_exact_mut(rank) {
            for (r, s) in row.iter_mut().zip(&scaling) {
                *r *= s.powf(-0.5);
            }
        }
        let logs: f64 = scaling.iter().map(|s| s.ln()).sum();
        let constant = -0.5 * logs + priors[i].ln();
        classes.push(vec![
            Step::Affine {
                factor: vec![1.0; n],
                offset: means.row(i).iter().map(|m| -m).collect(),
            },
            Step::Linear(linear(turned, vec![0.0; rank])),
            Step::Map(Function::Square),
            Step::Linear(linear(vec![-0.5; rank], vec![constant])),
        ]);
    }
    let mut steps = vec![Step::Branches(classes)];
    if k != 2 {
        let answer = (Link::Softmax, Answer::Classes);
        return Ok(Part::classifier(at, steps, row(k), answer, labels).by_margins());
    }
    let difference = Step::Linear(linear(vec![-1.0, 1.0], vec![0.0]));
    steps.push(Step::Branches(vec![vec![difference], Vec::new()]));
    let body = Body::Row {
        n_outputs: 3,
        n_margins: 1,
    };
    let both = Step::Select {
        columns: vec![1, 2],
    };
    let link = Link::Then(vec![both, Step::Link(Link::Softmax)]);
    Ok(Part::classifier(at, steps, body, (link, Answer::Classes), labels).by_margins())
}
