//! Every kernel and strategy against the reference predictor, bit for bit.

mod composite;
mod exact;
mod few;
mod layouts;
mod plan;
mod saved;
mod walks;
