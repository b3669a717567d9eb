//! The structural rules of the ONNX specification that everything downstream relies on.
//!
//! Not a type checker: whether an operator takes these types and shapes is for the runtime to say.
//! What is checked is what makes a graph a graph: names, order, scopes, payloads, attribute types.

use std::collections::{HashMap, HashSet};

use crate::Error;
use crate::proto::attribute_proto::AttributeType;
use crate::proto::type_proto::Value;
use crate::proto::{
    AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, TypeProto,
    ValueInfoProto,
};
use crate::tensor::Tensor;

/// The IR versions of ONNX that can be read. 3 is the first with operator sets; the newest that
/// ONNX 1.23 knows is 14.
const IR_VERSIONS: std::ops::RangeInclusive<i64> = 3..=14;
/// How deep graphs may nest inside attributes.
const MAX_DEPTH: usize = 32;

/// Checks a model's structure.
///
/// # Errors
/// The first rule broken, with the node or tensor that breaks it. External tensors must have been
/// loaded ([`load_external`](crate::load_external)).
pub fn check(model: &ModelProto) -> Result<(), Error> {
    let version = model.ir_version.unwrap_or(0);
    if !IR_VERSIONS.contains(&version) {
        return Err(Error::invalid(format!(
            "ir_version is {version}; {} to {} can be read",
            IR_VERSIONS.start(),
            IR_VERSIONS.end()
        )));
    }
    let mut domains = HashSet::new();
    let mut versions: HashMap<&str, i64> = HashMap::new();
    for import in &model.opset_import {
        let domain = canonical(import.domain.as_deref());
        let version = import.version.unwrap_or(0);
        if version < 1 {
            return Err(Error::invalid(format!(
                "the import of operator set {domain:?} has no version"
            )));
        }
        // skl2onnx imports a set twice, at one version; that harms nobody.
        if versions
            .insert(domain, version)
            .is_some_and(|v| v != version)
        {
            return Err(Error::invalid(format!(
                "operator set {domain:?} is imported at two versions"
            )));
        }
        domains.insert(domain);
    }
    if domains.is_empty() {
        return Err(Error::invalid("no operator set is imported"));
    }
    // Functions are operators of their own domain, which needs no import of its own.
    for f in &model.functions {
        domains.insert(canonical(f.domain.as_deref()));
    }
    let graph = model
        .graph
        .as_ref()
        .ok_or_else(|| Error::invalid("the model has no graph"))?;
    let checker = Checker { domains };
    checker.graph(graph, &mut Scope::default(), 0)?;
    for f in &model.functions {
        checker
            .function(f)
            .map_err(|e| e.at(format!("function {:?}", f.name.as_deref().unwrap_or(""))))?;
    }
    Ok(())
}

/// `ai.onnx` and the empty string are the same domain.
pub(crate) fn canonical(domain: Option<&str>) -> &str {
    match domain {
        None | Some("ai.onnx") => "",
        Some(d) => d,
    }
}

/// A node as messages name it: its operator, and its name or first output.
pub(crate) fn node_name(i: usize, node: &NodeProto) -> String {
    let op = node.op_type.as_deref().unwrap_or("");
    match node.name.as_deref().filter(|n| !n.is_empty()) {
        Some(name) => format!("node {i} ({op} {name:?})"),
        None => format!("node {i} ({op})"),
    }
}

/// The value names visible at a point: those of the graph itself, then those of outer graphs.
#[derive(Default)]
struct Scope<'a> {
    names: Vec<HashSet<&'a str>>,
}

impl<'a> Scope<'a> {
    fn contains(&self, name: &str) -> bool {
        self.names.iter().any(|s| s.contains(name))
    }

    fn define(&mut self, name: &'a str, what: &str) -> Result<(), Error> {
        // Single assignment holds across nested graphs too.
        if self.contains(name) {
            return Err(Error::invalid(format!("{what} {name:?} is defined twice")));
        }
        if let Some(top) = self.names.last_mut() {
            top.insert(name);
        }
        Ok(())
    }
}

struct Checker<'a> {
    domains: HashSet<&'a str>,
}

impl<'a> Checker<'a> {
    fn graph(&self, g: &'a GraphProto, scope: &mut Scope<'a>, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(Error::invalid(format!(
                "graphs nest more than {MAX_DEPTH} deep"
            )));
        }
        if g.name.as_deref().unwrap_or("").is_empty() {
            return Err(Error::invalid("a graph has no name"));
        }
        scope.names.push(HashSet::new());
        for input in &g.input {
            scope.define(value_info(input, "input", depth == 0)?, "input")?;
        }
        for t in &g.initializer {
            let name = t.name.as_deref().unwrap_or("");
            if name.is_empty() {
                return Err(Error::invalid("an initializer has no name"));
            }
            tensor(t)?;
            // An initializer may be the default of an input of the same name.
            if !g.input.iter().any(|i| i.name.as_deref() == Some(name)) {
                scope.define(name, "initializer")?;
            }
        }
        for t in &g.sparse_initializer {
            match t.values.as_ref().and_then(|v| v.name.as_deref()) {
                Some(name) if !name.is_empty() => scope.define(name, "sparse initializer")?,
                _ => return Err(Error::invalid("a sparse initializer has no name")),
            }
        }
        self.nodes(&g.node, scope, depth)?;
        for output in &g.output {
            let name = value_info(output, "output", depth == 0)?;
            if !scope.contains(name) {
                return Err(Error::invalid(format!("no node gives the output {name:?}")));
            }
        }
        scope.names.pop();
        Ok(())
    }

    fn function(&self, f: &'a FunctionProto) -> Result<(), Error> {
        let mut scope = Scope::default();
        scope.names.push(HashSet::new());
        for input in &f.input {
            scope.define(input, "input")?;
        }
        let mut domains = self.domains.clone();
        domains.extend(
            f.opset_import
                .iter()
                .map(|o| canonical(o.domain.as_deref())),
        );
        Checker { domains }.nodes(&f.node, &mut scope, 0)?;
        match f.output.iter().find(|o| !scope.contains(o)) {
            Some(o) => Err(Error::invalid(format!("no node gives the output {o:?}"))),
            None => Ok(()),
        }
    }

    fn nodes(
        &self,
        nodes: &'a [NodeProto],
        scope: &mut Scope<'a>,
        depth: usize,
    ) -> Result<(), Error> {
        for (i, node) in nodes.iter().enumerate() {
            self.node(node, scope, depth)
                .map_err(|e| e.at(node_name(i, node)))?;
        }
        Ok(())
    }

    fn node(&self, node: &'a NodeProto, scope: &mut Scope<'a>, depth: usize) -> Result<(), Error> {
        if node.op_type.as_deref().unwrap_or("").is_empty() {
            return Err(Error::invalid("it has no operator type"));
        }
        let domain = canonical(node.domain.as_deref());
        if !self.domains.contains(domain) {
            return Err(Error::invalid(format!(
                "its operator set {domain:?} is not imported"
            )));
        }
        if let Some(name) = node
            .input
            .iter()
            .find(|name| !name.is_empty() && !scope.contains(name))
        {
            // A later node may define it: that is a cycle, or nodes out of order.
            return Err(Error::invalid(format!(
                "its input {name:?} is not defined before it (a cycle, or nodes out of order)"
            )));
        }
        let mut seen = HashSet::new();
        for a in &node.attribute {
            let name = a.name.as_deref().unwrap_or("");
            if name.is_empty() || !seen.insert(name) {
                return Err(Error::invalid(format!(
                    "attribute {name:?} is unnamed or stands twice"
                )));
            }
            self.attribute(a, scope, depth)
                .map_err(|e| e.at(format!("attribute {name:?}")))?;
        }
        for output in node.output.iter().filter(|o| !o.is_empty()) {
            scope.define(output, "value")?;
        }
        Ok(())
    }

    fn attribute(
        &self,
        a: &'a AttributeProto,
        scope: &mut Scope<'a>,
        depth: usize,
    ) -> Result<(), Error> {
        use AttributeType as T;
        if a.ref_attr_name.as_deref().is_some_and(|r| !r.is_empty()) {
            return Ok(());
        }
        let stated = T::try_from(a.r#type.unwrap_or(0)).unwrap_or(T::Undefined);
        let present = [
            (T::Float, a.f.is_some()),
            (T::Int, a.i.is_some()),
            (T::String, a.s.is_some()),
            (T::Tensor, a.t.is_some()),
            (T::Graph, a.g.is_some()),
            (T::SparseTensor, a.sparse_tensor.is_some()),
            (T::TypeProto, a.tp.is_some()),
            (T::Floats, !a.floats.is_empty()),
            (T::Ints, !a.ints.is_empty()),
            (T::Strings, !a.strings.is_empty()),
            (T::Tensors, !a.tensors.is_empty()),
            (T::Graphs, !a.graphs.is_empty()),
            (T::SparseTensors, !a.sparse_tensors.is_empty()),
            (T::TypeProtos, !a.type_protos.is_empty()),
        ];
        if stated == T::Undefined {
            return Err(Error::invalid("it has no type"));
        }
        if let Some((other, _)) = present.iter().find(|(t, here)| *here && *t != stated) {
            return Err(Error::invalid(format!(
                "its type is {}, it holds {}",
                stated.as_str_name(),
                other.as_str_name()
            )));
        }
        // Scalars that are absent have their default; messages have none.
        let needs = matches!(
            stated,
            T::Tensor | T::Graph | T::SparseTensor | T::TypeProto
        );
        if needs && !present.iter().any(|(t, here)| *here && *t == stated) {
            return Err(Error::invalid(format!(
                "its type is {}, it holds none",
                stated.as_str_name()
            )));
        }
        for t in a.t.iter().chain(&a.tensors) {
            tensor(t)?;
        }
        for g in a.g.iter().chain(&a.graphs) {
            self.graph(g, scope, depth + 1)?;
        }
        Ok(())
    }
}

/// Types that [`Tensor`] cannot view are legal; only a payload that contradicts is a fault here.
fn tensor(t: &TensorProto) -> Result<(), Error> {
    match Tensor::new(t) {
        Err(e) if e.kind() == crate::ErrorKind::Unsupported => Ok(()),
        other => other.map(drop),
    }
}

/// The name, where there is one and (`typed`) a type too.
fn value_info<'a>(v: &'a ValueInfoProto, what: &str, typed: bool) -> Result<&'a str, Error> {
    let name = v.name.as_deref().unwrap_or("");
    if name.is_empty() {
        return Err(Error::invalid(format!("an {what} has no name")));
    }
    if typed && !v.r#type.as_ref().is_some_and(has_type) {
        return Err(Error::invalid(format!("the {what} {name:?} has no type")));
    }
    Ok(name)
}

fn has_type(t: &TypeProto) -> bool {
    match &t.value {
        Some(Value::TensorType(t)) => t.elem_type.is_some_and(|e| e > 0),
        other => other.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{attribute, value};
    use crate::proto::OperatorSetIdProto;
    use crate::proto::tensor_proto::DataType;
    use crate::tensor::from_f32s;

    fn node(op: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
        NodeProto {
            op_type: Some(op.into()),
            input: inputs.iter().map(|s| (*s).to_string()).collect(),
            output: outputs.iter().map(|s| (*s).to_string()).collect(),
            ..NodeProto::default()
        }
    }

    fn model() -> ModelProto {
        ModelProto {
            ir_version: Some(8),
            opset_import: vec![OperatorSetIdProto {
                domain: Some(String::new()),
                version: Some(17),
            }],
            graph: Some(GraphProto {
                name: Some("g".into()),
                node: vec![
                    node("Add", &["x", "w"], &["a"]),
                    node("Neg", &["a"], &["y"]),
                ],
                input: vec![value("x", DataType::Float, &[None])],
                output: vec![value("y", DataType::Float, &[None])],
                initializer: vec![from_f32s("w", &[1], [1.0])],
                ..GraphProto::default()
            }),
            ..ModelProto::default()
        }
    }

    fn g(m: &mut ModelProto) -> &mut GraphProto {
        m.graph.as_mut().unwrap()
    }

    #[test]
    fn broken_rules_are_named() {
        check(&model()).unwrap();
        type Break = fn(&mut ModelProto);
        let cases: [(Break, &str); 17] = [
            (|m| m.ir_version = None, "ir_version is 0"),
            (|m| m.opset_import.clear(), "no operator set"),
            (|m| m.opset_import[0].version = None, "has no version"),
            (
                |m| {
                    m.opset_import.push(m.opset_import[0].clone());
                    m.opset_import[1].version = Some(18);
                },
                "imported at two versions",
            ),
            (|m| g(m).name = None, "no name"),
            (|m| g(m).node.swap(0, 1), "not defined before it"),
            (
                |m| g(m).node[0].input[1] = "y".into(),
                "node 0 (Add): its input \"y\" is not defined before it",
            ),
            (|m| g(m).node[1].output[0] = "a".into(), "defined twice"),
            (|m| g(m).node[1].op_type = None, "no operator type"),
            (
                |m| g(m).node[1].domain = Some("ai.onnx.ml".into()),
                "\"ai.onnx.ml\" is not imported",
            ),
            (|m| g(m).input[0].r#type = None, "has no type"),
            (|m| g(m).output[0].name = Some("z".into()), "no node gives"),
            (|m| g(m).initializer[0].dims = vec![3], "needs 3"),
            (
                |m| g(m).initializer[0].name = None,
                "initializer has no name",
            ),
            (
                |m| {
                    let mut a = attribute("k", 1_i64);
                    a.r#type = Some(AttributeType::Float as i32);
                    g(m).node[0].attribute.push(a);
                },
                "its type is FLOAT, it holds INT",
            ),
            (
                |m| {
                    g(m).node[0].attribute = vec![attribute("k", 1_i64), attribute("k", 2_i64)];
                },
                "stands twice",
            ),
            (
                |m| {
                    let mut inner = GraphProto {
                        name: Some("leaf".into()),
                        ..GraphProto::default()
                    };
                    for _ in 0..40 {
                        let mut n = node("If", &[], &[]);
                        n.attribute = vec![AttributeProto {
                            name: Some("then_branch".into()),
                            r#type: Some(AttributeType::Graph as i32),
                            g: Some(inner),
                            ..AttributeProto::default()
                        }];
                        inner = GraphProto {
                            name: Some("g".into()),
                            node: vec![n],
                            ..GraphProto::default()
                        };
                    }
                    g(m).node.insert(0, inner.node.remove(0));
                },
                "nest more than",
            ),
        ];
        for (change, want) in cases {
            let mut m = model();
            change(&mut m);
            let got = check(&m).unwrap_err().to_string();
            assert!(got.contains(want), "{got:?} does not say {want:?}");
        }
    }
}
