//! Small pieces for putting a graph together: attributes, value infos, and a builder that names
//! values and keeps constants.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use crate::proto::attribute_proto::AttributeType;
use crate::proto::tensor_proto::DataType;
use crate::proto::tensor_shape_proto::{Dimension, dimension};
use crate::proto::wire::Wire;
use crate::proto::{
    AttributeProto, GraphProto, NodeProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, type_proto,
};

/// The domain of the classical operators.
pub(crate) const ML: &str = "ai.onnx.ml";

/// What an attribute can hold here.
#[allow(clippy::large_enum_variant)] // never kept, only passed on
pub(crate) enum Attr {
    Int(i64),
    Float(f32),
    Text(String),
    Ints(Vec<i64>),
    Floats(Vec<f32>),
    Texts(Vec<String>),
    Tensor(TensorProto),
    Graph(GraphProto),
    /// Elements of a list of this type, for a file that is only written.
    Wire(AttributeType, Wire),
}

macro_rules! attr_from {
    ($($from:ty => $to:ident),*) => {$(
        impl From<$from> for Attr {
            fn from(v: $from) -> Self {
                Self::$to(v.into())
            }
        }
    )*};
}
attr_from!(i64 => Int, f32 => Float, &str => Text, Vec<i64> => Ints, Vec<f32> => Floats, Vec<String> => Texts,
           TensorProto => Tensor, GraphProto => Graph);

/// A named attribute.
pub(crate) fn attribute(name: &str, value: impl Into<Attr>) -> AttributeProto {
    use AttributeType as T;
    let mut a = AttributeProto {
        name: Some(name.to_string()),
        ..AttributeProto::default()
    };
    let kind = match value.into() {
        Attr::Int(v) => {
            a.i = Some(v);
            T::Int
        }
        Attr::Float(v) => {
            a.f = Some(v);
            T::Float
        }
        Attr::Text(v) => {
            a.s = Some(v.into_bytes());
            T::String
        }
        Attr::Ints(v) => {
            a.ints = v;
            T::Ints
        }
        Attr::Floats(v) => {
            a.floats = v;
            T::Floats
        }
        Attr::Texts(v) => {
            a.strings = v.into_iter().map(Into::into).collect();
            T::Strings
        }
        Attr::Tensor(v) => {
            a.t = Some(v);
            T::Tensor
        }
        Attr::Graph(v) => {
            a.g = Some(v);
            T::Graph
        }
        Attr::Wire(kind, v) => {
            a.wire = Some(v);
            kind
        }
    };
    a.r#type = Some(kind as i32);
    a
}

/// A tensor-typed input or output; `None` is a free dimension (the rows).
pub(crate) fn value(name: &str, dtype: DataType, dims: &[Option<usize>]) -> ValueInfoProto {
    let dim = |d: &Option<usize>| Dimension {
        value: Some(match d {
            Some(n) => dimension::Value::DimValue(*n as i64),
            None => dimension::Value::DimParam("N".into()),
        }),
        ..Dimension::default()
    };
    ValueInfoProto {
        name: Some(name.to_string()),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(type_proto::Tensor {
                elem_type: Some(dtype as i32),
                shape: Some(TensorShapeProto {
                    dim: dims.iter().map(dim).collect(),
                }),
            })),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}

/// A graph that grows node by node. Values are named for the operator that makes them.
///
/// Shared while it grows: a value knows the builder that it is in, so that arithmetic can be written
/// as such.
pub(crate) struct Builder {
    graph: RefCell<GraphProto>,
    n_values: Cell<usize>,
    /// Names that values made here must not have.
    taken: HashSet<String>,
    /// The version of the standard operator set: some operators changed their form.
    pub(crate) opset: i64,
    /// Whether the graph is only to be written, so that long lists may be in wire form.
    pub(crate) packed: bool,
}

impl Builder {
    /// An empty graph.
    pub(crate) fn new(opset: i64, packed: bool) -> Self {
        Self {
            graph: RefCell::default(),
            n_values: Cell::new(0),
            taken: HashSet::new(),
            opset,
            packed,
        }
    }

    /// An input of the graph, whose name no other value then has.
    pub(crate) fn input(&mut self, input: ValueInfoProto) {
        self.taken.insert(input.name.clone().unwrap_or_default());
        self.graph.get_mut().input.push(input);
    }

    /// The graph.
    pub(crate) fn finish(self, name: &str) -> GraphProto {
        GraphProto {
            name: Some(name.to_string()),
            ..self.graph.into_inner()
        }
    }

    /// A graph for an attribute of an operator here, which sees the values of this one. `body` gives
    /// its inputs and outputs.
    pub(crate) fn inner(
        &self,
        body: impl FnOnce(&Self) -> (Vec<ValueInfoProto>, Vec<ValueInfoProto>),
    ) -> GraphProto {
        let inner = Self {
            graph: RefCell::default(),
            n_values: Cell::new(self.n_values.get()),
            taken: self.taken.clone(),
            opset: self.opset,
            packed: self.packed,
        };
        let (input, output) = body(&inner);
        self.n_values.set(inner.n_values.get());
        GraphProto {
            input,
            output,
            ..inner.finish("body")
        }
    }

    /// A name not used yet.
    pub(crate) fn fresh(&self, stem: &str) -> String {
        loop {
            self.n_values.set(self.n_values.get() + 1);
            let name = format!("{}_{}", stem.to_lowercase(), self.n_values.get());
            if !self.taken.contains(&name) {
                return name;
            }
        }
    }

    /// Adds a standard operator of one output, and names that output.
    pub(crate) fn op(&self, op: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> String {
        let output = self.fresh(op);
        self.node("", op, inputs, std::slice::from_ref(&output), attributes);
        output
    }

    /// Adds any operator.
    pub(crate) fn node(
        &self,
        domain: &str,
        op: &str,
        inputs: &[&str],
        outputs: &[String],
        attribute: Vec<AttributeProto>,
    ) {
        let name = format!("{op}_{}", self.graph.borrow().node.len());
        self.push(NodeProto {
            input: inputs.iter().map(|s| (*s).to_string()).collect(),
            output: outputs.to_vec(),
            name: Some(name),
            op_type: Some(op.to_string()),
            domain: Some(domain.to_string()),
            attribute,
            ..NodeProto::default()
        });
    }

    /// Adds a node that is made already.
    pub(crate) fn push(&self, node: NodeProto) {
        self.graph.borrow_mut().node.push(node);
    }

    /// Keeps a constant; its name is made here.
    pub(crate) fn constant(&self, mut t: TensorProto) -> String {
        let name = self.fresh("const");
        t.name = Some(name.clone());
        self.graph.borrow_mut().initializer.push(t);
        name
    }

    /// Makes the value `name` an output of the graph, under the output's own name.
    pub(crate) fn publish(&self, name: &str, output: ValueInfoProto) {
        let public = output.name.clone().unwrap_or_default();
        let (made_here, taken) = {
            let graph = self.graph.borrow();
            let made = |n: &NodeProto| n.output.iter().any(|o| o == name);
            let out = |o: &ValueInfoProto| o.name.as_deref() == Some(name);
            (graph.node.iter().any(made), graph.output.iter().any(out))
        };
        self.graph.borrow_mut().output.push(output);
        if !made_here || taken {
            // An input, a constant or another output keeps its name.
            self.node("", "Identity", &[name], &[public], vec![]);
            return;
        }
        rename(&mut self.graph.borrow_mut(), name, &public);
    }
}

/// Renames a value wherever it is made or read, in graphs within operators too.
fn rename(graph: &mut GraphProto, from: &str, to: &str) {
    for node in &mut graph.node {
        for value in node.input.iter_mut().chain(&mut node.output) {
            if value == from {
                *value = to.to_string();
            }
        }
        for inner in node.attribute.iter_mut().filter_map(|a| a.g.as_mut()) {
            rename(inner, from, to);
        }
    }
}
