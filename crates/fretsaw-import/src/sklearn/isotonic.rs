//! Isotonic regression: a rising (or falling) line through points.

use fretsaw_model::{Curve, Step};

use super::attributes::Attributes;
use super::part::{Part, row};
use crate::Error;

/// The regressor by itself.
pub(super) fn read(at: Attributes<'_, '_>) -> Result<Part, Error> {
    let steps = vec![Step::Curves(vec![curve(at)?])];
    Ok(Part::values(at, steps, row(1)))
}

/// The line. Beyond its ends it must be flat.
pub(super) fn curve(at: Attributes<'_, '_>) -> Result<Curve, Error> {
    match at.text("out_of_bounds") {
        Some("clip") => {}
        other => {
            let what = format!(
                "with out_of_bounds=`{}`",
                crate::error::shown(other.unwrap_or("nan"))
            );
            return Err(at.unsupported(&what, "only \"clip\" has a value for every row"));
        }
    }
    // Before 0.24 the points were kept for SciPy's function alone.
    let (x, y) = match at.some("X_thresholds_") {
        Some(_) => ("X_thresholds_", "y_thresholds_"),
        None => ("_necessary_X_", "_necessary_y_"),
    };
    if at.array(x).is_ok_and(|a| a.is_single()) {
        return Err(at.unsupported(
            "of numbers in single precision",
            "train it on what answers in double precision",
        ));
    }
    let (x, y) = (at.floats(x)?, at.floats(y)?);
    if x.is_empty() || x.len() != y.len() || !x.is_sorted() {
        return Err(Error::invalid(
            "`X_thresholds_` and `y_thresholds_` are no points in ascending order",
        ));
    }
    Ok(Curve {
        x,
        y,
        both_ways: false,
        flat: None,
    })
}
