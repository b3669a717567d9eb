//! Every kernel and strategy against the reference predictor, bit for bit.

mod exact;
mod plan;
