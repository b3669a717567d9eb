//! Ensembles and linear models compiled to a [`Plan`] and run by SIMD kernels.
//!
//! ```text
//! Model -> canonical predicates -> circuits over predicate planes -> leaf tables   (sliced)
//!                               -> ranks -> tops by planes -> compact nodes         (walked)
//!                               -> tables, lines and words of tests                (few rows)
//! ```
//!
//! Rows are taken in blocks of 512. Each distinct test of the ensemble is evaluated once a row,
//! as a bit of a plane (`predicate`); trees are circuits of multiplexers over those planes, which
//! give each row the code of its leaf (`circuit`); codes look leaves up in registers, and leaves
//! are added tree by tree in the framework's own order and precision (`leaves`). Trees that do not
//! suit this are walked, many at once, over compact nodes that compare ranks (`walk`). Batches of
//! few rows go row by row, with many tests of trees at once in place of many rows (`few`).
//! Which trees go which way is decided by a cost model (`cost`), and told in the [`Summary`].
//!
//! Steps that compute in f64 are a program over the same blocks (`program`): a table of rows goes
//! from step to step, and ensembles within steps are compiled as bodies are.
//!
//! A plan of trees can be saved as bytes, and run over them where they lie (`saved`).
//!
//! What comes out is that of `fretsaw_model::body_rows`, bit for bit, whatever the instruction set,
//! the strategy, the batch size or the number of threads. The link is not applied here. Nothing is
//! read from the environment and no machine code is generated.

mod array;
mod block;
mod circuit;
mod cost;
mod deal;
mod error;
mod few;
mod isa;
mod kernel;
mod ladder;
mod leaves;
mod linear;
mod parts;
mod plan;
mod predicate;
mod prepare;
mod program;
mod run;
mod saved;

mod scratch;
mod summary;
mod table;
mod trees;
mod walk;

pub use error::{Error, ErrorKind};
pub use isa::Isa;
pub use plan::{MarginsMut, Options, Plan, Strategy};
pub use scratch::Scratch;
pub use summary::{Group, Summary};
