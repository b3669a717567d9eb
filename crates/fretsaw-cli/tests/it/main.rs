//! The command line as its users see it: arguments in; exit status, one line on stderr, and files
//! out. What the numbers are worth is tested where they are made, not here.
//!
//! Every test has a folder and a store of its own. Measuring is cut short by `FRETSAW_EFFORT_MS`, and
//! no ONNX Runtime is looked for, so that a test does the same on every machine.

mod bad_data;
mod bad_models;
mod convert;
mod flow;
mod outputs;
mod place;
mod predict;
mod processes;
mod registry;
mod usage;
