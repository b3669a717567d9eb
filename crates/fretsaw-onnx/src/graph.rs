//! Small pieces for putting a graph together: attributes, value infos, and a builder that names
//! values and keeps constants.

use crate::proto::attribute_proto::AttributeType;
use crate::proto::tensor_proto::DataType;
use crate::proto::tensor_shape_proto::{Dimension, dimension};
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
    Text(String),
    Ints(Vec<i64>),
    Floats(Vec<f32>),
    Texts(Vec<String>),
    Tensor(TensorProto),
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
attr_from!(i64 => Int, &str => Text, Vec<i64> => Ints, Vec<f32> => Floats, Vec<String> => Texts,
           TensorProto => Tensor);

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
            a.strings = v.into_iter().map(String::into_bytes).collect();
            T::Strings
        }
        Attr::Tensor(v) => {
            a.t = Some(v);
            T::Tensor
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
#[derive(Default)]
pub(crate) struct Builder {
    pub(crate) graph: GraphProto,
    n_values: usize,
}

impl Builder {
    /// A name not used yet.
    pub(crate) fn fresh(&mut self, stem: &str) -> String {
        self.n_values += 1;
        format!("{}_{}", stem.to_lowercase(), self.n_values)
    }

    /// Adds a standard operator of one output, and names that output.
    pub(crate) fn op(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> String {
        let output = self.fresh(op);
        self.node("", op, inputs, std::slice::from_ref(&output), attributes);
        output
    }

    /// Adds any operator.
    pub(crate) fn node(
        &mut self,
        domain: &str,
        op: &str,
        inputs: &[&str],
        outputs: &[String],
        attribute: Vec<AttributeProto>,
    ) {
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(|s| (*s).to_string()).collect(),
            output: outputs.to_vec(),
            name: Some(format!("{op}_{}", self.graph.node.len())),
            op_type: Some(op.to_string()),
            domain: Some(domain.to_string()),
            attribute,
            ..NodeProto::default()
        });
    }

    /// Keeps a constant; its name is made here.
    pub(crate) fn constant(&mut self, mut t: TensorProto) -> String {
        let name = self.fresh("const");
        t.name = Some(name.clone());
        self.graph.initializer.push(t);
        name
    }

    /// Makes the value `name` an output of the graph, under the output's own name.
    pub(crate) fn publish(&mut self, name: &str, output: ValueInfoProto) {
        let public = output.name.clone().unwrap_or_default();
        let made_here = self
            .graph
            .node
            .iter()
            .any(|n| n.output.iter().any(|o| o == name));
        let taken = self
            .graph
            .output
            .iter()
            .any(|o| o.name.as_deref() == Some(name));
        self.graph.output.push(output);
        if !made_here || taken {
            // An input, a constant or another output keeps its name.
            self.node("", "Identity", &[name], &[public], vec![]);
            return;
        }
        for node in &mut self.graph.node {
            for value in node.input.iter_mut().chain(&mut node.output) {
                if value == name {
                    value.clone_from(&public);
                }
            }
        }
    }
}
