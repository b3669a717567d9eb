//! What every fuzz target asks of the code under test; the targets only say where bytes come from.

use fretsaw_import::Error;
use fretsaw_model::{Model, Rows};

/// A model that was imported is valid, and answers; a refusal is one line of a bearable length.
///
/// # Panics
/// When that does not hold.
pub fn check_import(result: Result<Model, Error>) {
    let model = match result {
        Ok(model) => model,
        Err(error) => {
            let line = error.to_string();
            assert!(!line.contains('\n') && line.len() < 6000, "{line:?}");
            return;
        }
    };
    let width = model.features.len();
    if width <= 4096 {
        for value in [0.0, f64::NAN, -1.5, f64::INFINITY] {
            let row = vec![value; width];
            let narrow: Vec<f32> = row.iter().map(|&v| v as f32).collect();
            let rows = if model.needs_double_rows() {
                Rows::f64(&row, width)
            } else {
                Rows::f32(&narrow, width)
            }
            .expect("one row is a whole number of rows");
            let answers =
                fretsaw_model::predict(&model, &rows).expect("the row has the model's width");
            assert_eq!(answers.len(), model.n_columns());
        }
    }
    assert!(model.into_draft().build().is_ok());
}
