//! The importer against XGBoost's own answers.

mod golden;
mod npy;
