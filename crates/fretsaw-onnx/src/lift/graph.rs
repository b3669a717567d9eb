//! A graph read backwards: from a value to the node that makes it.

use std::collections::HashMap;

use crate::check::{canonical, node_name};
use crate::proto::{AttributeProto, GraphProto, NodeProto, TensorProto};
use crate::tensor::Tensor;
use crate::{Error, compact, graph::ML};

/// What makes a value.
#[derive(Clone, Copy)]
pub(super) enum Made<'a> {
    /// The graph's input of this name.
    Input,
    /// A constant.
    Constant(&'a TensorProto),
    /// A node.
    Node(Op<'a>),
}

/// A node, and which of its outputs was asked for.
#[derive(Clone, Copy)]
pub(super) struct Op<'a> {
    pub(super) node: &'a NodeProto,
    index: usize,
    pub(super) output: usize,
}

impl<'a> Op<'a> {
    /// Output `output` of the node at `index`.
    pub(super) fn new(node: &'a NodeProto, index: usize, output: usize) -> Self {
        Self {
            node,
            index,
            output,
        }
    }

    /// The operator's name; those of `ai.onnx.ml` share one name space with the standard ones here,
    /// since no two have the same. Our own has its domain in front.
    pub(super) fn name(self) -> &'a str {
        if compact::is(self.node) {
            compact::NAME
        } else {
            self.node.op_type.as_deref().unwrap_or("")
        }
    }

    /// The place for messages.
    pub(super) fn place(self) -> String {
        node_name(self.index, self.node)
    }

    /// The name of an input; empty where it is left out.
    pub(super) fn input(self, i: usize) -> &'a str {
        self.node.input.get(i).map_or("", String::as_str)
    }

    /// An attribute by name.
    pub(super) fn attribute(self, name: &str) -> Option<&'a AttributeProto> {
        self.node
            .attribute
            .iter()
            .find(|a| a.name.as_deref() == Some(name))
    }

    /// A whole-number attribute.
    pub(super) fn int(self, name: &str) -> Option<i64> {
        self.attribute(name).and_then(|a| a.i)
    }

    /// A text attribute.
    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        let a = self.attribute(name)?;
        std::str::from_utf8(a.s.as_deref()?).ok()
    }

    /// A list of whole numbers; empty where there is none.
    pub(super) fn ints(self, name: &str) -> &'a [i64] {
        self.attribute(name).map_or(&[][..], |a| &a.ints)
    }

    /// A list of numbers; empty where there is none.
    pub(super) fn floats(self, name: &str) -> Vec<f64> {
        let list = self.attribute(name).map_or(&[][..], |a| &a.floats);
        list.iter().map(|&v| f64::from(v)).collect()
    }

    /// A number.
    pub(super) fn float(self, name: &str) -> Option<f64> {
        self.attribute(name).and_then(|a| a.f).map(f64::from)
    }

    /// A list of texts; empty where there is none, `None` where one is not UTF-8.
    pub(super) fn texts(self, name: &str) -> Option<Vec<String>> {
        let list = self.attribute(name).map_or(&[][..], |a| &a.strings);
        list.iter()
            .map(|s| String::from_utf8(s.to_vec()).ok())
            .collect()
    }

    /// Refuses this operator here.
    pub(super) fn refuse(self, what: &str) -> Error {
        Error::unsupported(what, self.place())
    }
}

/// The nodes and constants of a checked graph, by the values they make.
pub(super) struct Graph<'a> {
    made: HashMap<&'a str, Made<'a>>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(graph: &'a GraphProto) -> Result<Self, Error> {
        let mut made = HashMap::new();
        for input in &graph.input {
            made.insert(input.name.as_deref().unwrap_or(""), Made::Input);
        }
        for t in &graph.initializer {
            made.insert(t.name.as_deref().unwrap_or(""), Made::Constant(t));
        }
        for (index, node) in graph.node.iter().enumerate() {
            let domain = canonical(node.domain.as_deref());
            let op = |output| Op {
                node,
                index,
                output,
            };
            // onnxmltools leaves the domain of standard operators out; ONNX means the same.
            if !domain.is_empty() && domain != ML && !compact::is(node) {
                return Err(op(0).refuse(&format!("an operator of the domain {domain:?}")));
            }
            let constant = node
                .attribute
                .iter()
                .find(|a| a.name.as_deref() == Some("value"))
                .and_then(|a| a.t.as_ref())
                .filter(|_| op(0).name() == "Constant");
            for (i, output) in node.output.iter().enumerate() {
                made.insert(output, constant.map_or(Made::Node(op(i)), Made::Constant));
            }
        }
        Ok(Self { made })
    }

    /// What makes `value`, looking through `Identity`.
    pub(super) fn made(&self, mut value: &'a str) -> Result<Made<'a>, Error> {
        // The graph was checked to be acyclic, so this ends.
        loop {
            match self.made.get(value) {
                Some(Made::Node(op)) if op.name() == "Identity" => value = op.input(0),
                Some(made) => return Ok(*made),
                None => return Err(Error::invalid(format!("nothing makes the value {value:?}"))),
            }
        }
    }

    /// The name of `value` behind any `Identity`, by which two uses of it can be told equal.
    pub(super) fn root(&self, mut value: &'a str) -> &'a str {
        while let Some(Made::Node(op)) = self.made.get(value) {
            if op.name() != "Identity" {
                break;
            }
            value = op.input(0);
        }
        value
    }

    /// The node of this operator that makes `value`, if one does.
    pub(super) fn op(&self, value: &'a str, name: &str) -> Option<Op<'a>> {
        match self.made(value) {
            Ok(Made::Node(op)) if op.name() == name => Some(op),
            _ => None,
        }
    }

    /// The numbers of a constant.
    pub(super) fn numbers(&self, value: &'a str) -> Option<Vec<f64>> {
        match self.made(value) {
            Ok(Made::Constant(t)) => Some(Tensor::new(t).ok()?.f64s()?.collect()),
            _ => None,
        }
    }

    /// The one number of a constant.
    pub(super) fn number(&self, value: &'a str) -> Option<f64> {
        match self.numbers(value)?[..] {
            [x] => Some(x),
            _ => None,
        }
    }

    /// A constant.
    pub(super) fn constant(&self, value: &'a str) -> Option<&'a TensorProto> {
        match self.made(value) {
            Ok(Made::Constant(t)) => Some(t),
            _ => None,
        }
    }
}
