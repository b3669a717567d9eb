//! The compact form of a tree ensemble: `fretsaw.TreeEnsemble`, version 1, one operator whose
//! attributes hold the trees in as few bytes as can be read at once.
//!
//! `docs/operator.md` specifies it. It says the same as the IR's [`Ensemble`](fretsaw_model::Ensemble), bit for bit; it is not
//! a format of its own, and it rounds nothing: what a variant gives up was given up in the IR, and
//! what is left is only stored in the smallest types that hold it exactly.

mod bits;
mod categories;
mod decode;
mod encode;
mod lower;
mod predicates;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

use crate::Error;
use crate::proto::{ModelProto, NodeProto};

pub use decode::decode;
pub use encode::encode;
pub use lower::lower;

/// The operator's domain.
pub const DOMAIN: &str = "fretsaw";
/// The operator's type.
pub const OP_TYPE: &str = "TreeEnsemble";
/// The version of the domain that the operator is of.
pub const VERSION: i64 = 1;

/// Domain and type, as messages name it.
pub(crate) const NAME: &str = "fretsaw.TreeEnsemble";

/// Whether a node is this operator, of whatever version.
pub(crate) fn is(node: &NodeProto) -> bool {
    (node.domain(), node.op_type()) == (DOMAIN, OP_TYPE)
}

/// Refuses a file that wants another version of the operator than this one.
pub(crate) fn check_version(file: &ModelProto) -> std::result::Result<(), Error> {
    let mut imports = file.opset_import.iter();
    match imports.find(|o| o.domain() == DOMAIN).map(|o| o.version()) {
        None | Some(VERSION) => Ok(()),
        Some(other) => Err(Error::unsupported(
            format!("version {other} of the domain {DOMAIN:?} (this is version {VERSION})"),
            "opset_import",
        )),
    }
}

/// A set is stored once but copied into each tree that uses it, so a small file could ask for much
/// memory. All copies together hold no more than this many categories.
const MAX_CATEGORIES: usize = 1 << 26;

/// What is wrong, without the node it is in: [`decode`] puts that in front.
type Result<T> = std::result::Result<T, String>;
