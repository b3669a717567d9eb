//! The importer against XGBoost's own answers, and against files that mean harm.

mod catboost;
mod catboost_hostile;
mod damage;
mod golden;
mod hostile;
mod lightgbm;
mod never_boosted;
mod npy;
mod rules;
mod sklearn;
mod small;
mod support;
