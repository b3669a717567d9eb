//! ONNX as the IR, with the meaning that ONNX Runtime gives its operators.
//!
//! Two readers. A graph that is one ensemble or linear model, whatever converters put around it, is
//! read backwards from its answers and recognised whole, so that it comes back as the model that it
//! was. Any other graph is read forwards, operator by operator, as steps: `general`. Either way the
//! first operator that is not understood is named.

mod body;
mod classifier;
mod columns;
mod general;
mod graph;
mod link;
mod output;
mod raw;
mod trees;

use fretsaw_model::{Float, Model};

use self::columns::Source;
use self::graph::Graph;
use crate::check::check;
use crate::proto::tensor_proto::DataType;
use crate::proto::{GraphProto, ModelProto, ValueInfoProto, tensor_shape_proto, type_proto};
use crate::{Error, ErrorKind, compact, metadata};

/// Features are of declared number; no more are believed.
const MAX_FEATURES: i64 = 1 << 20;

/// Reads a model out of an ONNX file.
///
/// Margins are summed as ONNX Runtime does on one thread: f32 inputs in f32, f64 inputs in f64,
/// base values last. Where `ai.onnx.ml` 3 rounds an f64 margin to f32, the model here does not.
///
/// # Errors
/// `Invalid` for what [`check`] finds and for attributes that contradict each other;
/// `Unsupported`, with the node, for the first operator or rule that no model here has.
pub fn lift(onnx: &ModelProto) -> Result<Model, Error> {
    check(onnx)?;
    compact::check_version(onnx)?;
    let graph = onnx
        .graph
        .as_ref()
        .ok_or_else(|| Error::invalid("the model has no graph"))?;
    // One ensemble or linear model, as all converters write it, is read with everything that it
    // means; whatever else there is, operator by operator.
    match alone(onnx, graph) {
        Err(e) if e.kind() == ErrorKind::Unsupported => general::lift(onnx, graph),
        read => read,
    }
}

/// A graph that is one ensemble or linear model.
fn alone(onnx: &ModelProto, graph: &GraphProto) -> Result<Model, Error> {
    let g = Graph::new(graph)?;
    let source = source(graph)?;
    let mut draft = output::draft(&g, &source, graph, metadata::multilabel(onnx))?;
    draft.features = metadata::features(onnx, source.n_features as usize);
    draft.provenance = metadata::provenance(onnx);
    draft
        .build()
        .map_err(|e| Error::invalid(format!("the model in the graph is none: {e}")))
}

/// The one input that is no default of an initializer.
fn source(graph: &GraphProto) -> Result<Source<'_>, Error> {
    let constant = |i: &&ValueInfoProto| graph.initializer.iter().any(|t| t.name == i.name);
    let mut inputs = graph.input.iter().filter(|i| !constant(i));
    let (Some(input), None) = (inputs.next(), inputs.next()) else {
        return Err(Error::unsupported(
            format!("a graph of {} inputs", graph.input.len()),
            "graph",
        ));
    };
    let name = input.name.as_deref().unwrap_or("");
    let place = || format!("input {name:?}");
    let Some(type_proto::Value::TensorType(t)) =
        input.r#type.as_ref().and_then(|t| t.value.as_ref())
    else {
        return Err(Error::unsupported("an input that is no tensor", place()));
    };
    let float = match DataType::try_from(t.elem_type.unwrap_or(0)) {
        Ok(DataType::Float) => Float::F32,
        Ok(DataType::Double) => Float::F64,
        _ => {
            return Err(Error::unsupported(
                "an input that is not float or double",
                place(),
            ));
        }
    };
    let dims = t.shape.as_ref().map_or(&[][..], |s| &s.dim);
    let columns = match dims {
        [_, columns] => &columns.value,
        _ => {
            return Err(Error::unsupported(
                "an input that is not rows x features",
                place(),
            ));
        }
    };
    let n_features = match columns {
        Some(tensor_shape_proto::dimension::Value::DimValue(n)) => *n,
        _ => most_features(graph),
    };
    if !(1..=MAX_FEATURES).contains(&n_features) {
        return Err(Error::unsupported(
            format!("a row of {n_features} features"),
            place(),
        ));
    }
    Ok(Source {
        name,
        float,
        n_features: n_features as u32,
        n_steps: Default::default(),
    })
}

/// How many features the ensembles look at, where the input does not say how many there are.
fn most_features(graph: &GraphProto) -> i64 {
    let ids = graph
        .node
        .iter()
        .flat_map(|n| &n.attribute)
        .filter(|a| a.name.as_deref() == Some("nodes_featureids"))
        .flat_map(|a| &a.ints);
    ids.max().map_or(0, |m| m.saturating_add(1))
}
