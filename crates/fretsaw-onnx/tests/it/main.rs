//! Properties of the conversion both ways, hostile files, and files of other converters.

mod cases;
mod composite;
mod foreign;
mod hostile;
mod pipelines;
mod readback;
mod roundtrip;
