//! What the tests of this module share.

mod file;
mod hostile;
mod lists;
mod round_trip;

use fretsaw_model::Ensemble;

use super::encode;
use crate::proto::tensor_proto::DataType;
use crate::proto::{AttributeProto, NodeProto, TensorProto};

fn node(e: &Ensemble) -> NodeProto {
    encode(e, "x", "y").unwrap()
}

fn attribute<'a>(node: &'a mut NodeProto, name: &str) -> &'a mut AttributeProto {
    let mut attributes = node.attribute.iter_mut();
    attributes
        .find(|a| a.name() == name)
        .unwrap_or_else(|| panic!("no {name}"))
}

fn tensor<'a>(node: &'a mut NodeProto, name: &str) -> &'a mut TensorProto {
    attribute(node, name).t.as_mut().unwrap()
}

fn set(node: &mut NodeProto, name: &str, dtype: DataType, n: i64, bytes: &[u8]) {
    let t = tensor(node, name);
    t.dims = vec![n];
    t.data_type = Some(dtype.into());
    t.raw_data = Some(bytes.to_vec().into());
}
