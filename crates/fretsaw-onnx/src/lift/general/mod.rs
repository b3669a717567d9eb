//! Graphs that are more than one ensemble or linear model: read forwards, operator by operator, each
//! value as the steps that make it of the features.
//!
//! What the file computes in f32 is rounded to f32 after each operator here too. Selections, sums,
//! products, quotients by constants, comparisons, lookups and ensembles so give the file's bits, and
//! such values are *exact*; products of matrices, powers, exponentials and what is made of them are
//! within rounding of the file's. Where that could change more than the last places it is refused:
//! no ensemble, and no threshold other than 0, stands behind a value that is not exact. The sign of
//! such a value and the largest of several are taken, as any runtime takes them.
//!
//! An operator that is not understood is refused only if an output needs it.

mod answers;
mod arithmetic;
mod classical;
mod models;
mod operands;
mod reduce;
mod shapes;
mod sources;
mod svm;
mod value;

use std::collections::{HashMap, HashSet};

use fretsaw_model::Model;

use self::sources::Sources;
use self::value::{Class, Constant, Kind, Row, Value};
use super::graph::Op;
use crate::check::canonical;
use crate::graph::ML;
use crate::proto::{GraphProto, ModelProto, TensorProto};
use crate::{Error, compact, metadata};

/// Operators, each counted for every value that it reads.
const MAX_READS: usize = 1 << 15;

/// Reads a model out of a checked file.
pub(super) fn lift(onnx: &ModelProto, graph: &GraphProto) -> Result<Model, Error> {
    let reader = Reader::read(onnx, graph)?;
    let mut draft = answers::draft(&reader, graph, metadata::multilabel(onnx))?;
    draft.features = reader.sources.features();
    draft.provenance = metadata::provenance(onnx);
    draft
        .build()
        .map_err(|e| Error::unsupported(format!("what it computes ({e})"), "graph"))
}

/// The values of a graph, each with what it is or why it is not read.
struct Reader<'a> {
    sources: Sources<'a>,
    values: HashMap<&'a str, Result<Value, Error>>,
    /// The version of the standard operators.
    opset: i64,
    /// The version of `ai.onnx.ml`.
    ml_opset: i64,
}

impl<'a> Reader<'a> {
    fn read(onnx: &ModelProto, graph: &'a GraphProto) -> Result<Self, Error> {
        let version = |domain: &str| {
            let mut imports = onnx.opset_import.iter();
            let import = imports.find(|o| canonical(o.domain.as_deref()) == domain);
            import.and_then(|o| o.version).unwrap_or(1)
        };
        let mut reader = Self {
            sources: Sources::of(graph, metadata::named_features(onnx))?,
            values: HashMap::new(),
            opset: version(""),
            ml_opset: version(ML),
        };
        for source in &reader.sources.inputs {
            reader
                .values
                .insert(source.name, Ok(Value::Row(source.row.clone())));
        }
        for t in &graph.initializer {
            let name = t.name.as_deref().unwrap_or("");
            reader
                .values
                .insert(name, operands::constant(t).map(Value::Constant));
        }
        let needed = needed(graph);
        let inputs = graph.node.iter().map(|n| n.input.len().max(1));
        if inputs.fold(0, usize::saturating_add) > MAX_READS {
            return Err(Error::unsupported("a graph of so many operators", "graph"));
        }
        // The graph was checked: every node stands behind those that it reads.
        for (index, node) in graph.node.iter().enumerate() {
            for (i, output) in node.output.iter().enumerate() {
                if needed.contains(output.as_str()) {
                    let value = reader.node(Op::new(node, index, i));
                    reader.values.insert(output, value);
                }
            }
        }
        Ok(reader)
    }

    /// What a node's output is. One-line errors name the node; those of its inputs come first.
    fn node(&self, op: Op<'a>) -> Result<Value, Error> {
        for input in op.node.input.iter().filter(|i| !i.is_empty()) {
            if let Some(Err(e)) = self.values.get(input.as_str()) {
                return Err(e.clone());
            }
        }
        let domain = canonical(op.node.domain.as_deref());
        // onnxmltools leaves the domain of standard operators out, and sometimes of others.
        if !domain.is_empty() && domain != ML {
            return Err(match compact::is(op.node) {
                true => op.refuse("arithmetic around an operator that finishes its margins"),
                false => op.refuse(&format!("an operator of the domain {domain:?}")),
            });
        }
        let made = classical::operator(self, op)
            .or_else(|| models::operator(self, op))
            .or_else(|| shapes::operator(self, op))
            .or_else(|| reduce::operator(self, op))
            .or_else(|| arithmetic::operator(self, op));
        match made.unwrap_or_else(|| Err(op.refuse(op.name())))? {
            Value::Row(row) if row.is_too_large() => Err(op.refuse(&format!(
                "a row of {} values, or of so many steps,",
                row.width()
            ))),
            value => Ok(value),
        }
    }

    /// An input of a node; `None` where it is left out.
    fn input(&self, op: Op<'a>, i: usize) -> Option<&Value> {
        self.values.get(op.input(i))?.as_ref().ok()
    }

    /// An input that depends on the row.
    fn row(&self, op: Op<'a>, i: usize) -> Result<Row, Error> {
        match self.input(op, i) {
            Some(Value::Row(row)) => Ok(row.clone()),
            Some(Value::Class(class)) => {
                operands::class_number(class).ok_or_else(|| op.refuse("names of classes as values"))
            }
            _ => Err(op.refuse("an input that does not depend on the row, or is none,")),
        }
    }

    /// Numbers that do not depend on the row.
    fn constant(&self, op: Op<'a>, i: usize) -> Option<&Constant> {
        match self.input(op, i) {
            Some(Value::Constant(c)) => Some(c),
            _ => None,
        }
    }

    /// Whole numbers that do not depend on the row.
    fn ints(&self, op: Op<'a>, i: usize) -> Option<Vec<i64>> {
        let c = self.constant(op, i).filter(|c| c.kind == Kind::Int)?;
        Some(c.values.iter().map(|&v| v as i64).collect())
    }

    /// The class that an output or input is, if it is one.
    fn class(&self, op: Op<'a>, i: usize) -> Option<&Class> {
        match self.input(op, i) {
            Some(Value::Class(class)) => Some(class),
            _ => None,
        }
    }
}

/// The values that the outputs need.
fn needed(graph: &GraphProto) -> HashSet<&str> {
    let mut needed: HashSet<&str> = graph
        .output
        .iter()
        .filter_map(|o| o.name.as_deref())
        .collect();
    for node in graph.node.iter().rev() {
        if node.output.iter().any(|o| needed.contains(o.as_str())) {
            needed.extend(node.input.iter().map(String::as_str));
        }
    }
    needed
}
