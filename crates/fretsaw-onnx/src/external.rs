//! External data: tensors whose bytes lie in files beside the model.
//!
//! This crate opens no files. The caller gives a function from a relative path to its bytes; paths
//! that would leave the model's folder never reach it.

use std::collections::BTreeMap;

use prost::bytes::Bytes;

use crate::Error;
use crate::proto::tensor_proto::{DataLocation, DataType};
use crate::proto::{GraphProto, ModelProto, TensorProto};
use crate::tensor::{shape_of, width};

/// How deep graphs may nest inside attributes.
const MAX_DEPTH: usize = 32;

/// Brings the data of every external tensor into the model. `open` is given a path relative to the
/// model's folder, with `/` between its parts, once for each file.
///
/// # Errors
/// When a path is absolute or climbs out of the folder, `open` fails, or the place in the file
/// does not exist or does not fit the tensor's type and shape.
pub fn load_external(
    model: &mut ModelProto,
    open: impl Fn(&str) -> Result<Bytes, String>,
) -> Result<(), Error> {
    let mut files = Files {
        open: &open,
        opened: BTreeMap::new(),
    };
    match &mut model.graph {
        Some(graph) => files.graph(graph, 0),
        None => Ok(()),
    }
}

struct Files<'a, F> {
    open: &'a F,
    opened: BTreeMap<String, Bytes>,
}

impl<F: Fn(&str) -> Result<Bytes, String>> Files<'_, F> {
    fn graph(&mut self, graph: &mut GraphProto, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(Error::invalid(format!(
                "graphs nest more than {MAX_DEPTH} deep"
            )));
        }
        for t in &mut graph.initializer {
            self.tensor(t)?;
        }
        for node in &mut graph.node {
            for a in &mut node.attribute {
                for t in a.t.iter_mut().chain(&mut a.tensors) {
                    self.tensor(t)?;
                }
                for g in a.g.iter_mut().chain(&mut a.graphs) {
                    self.graph(g, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    fn tensor(&mut self, t: &mut TensorProto) -> Result<(), Error> {
        if t.data_location != Some(DataLocation::External as i32) {
            return Ok(());
        }
        let name = t.name.clone().unwrap_or_default();
        let data = self
            .fetch(t)
            .map_err(|e| e.at(format!("external tensor {name:?}")))?;
        t.raw_data = Some(data);
        t.external_data.clear();
        t.data_location = None;
        Ok(())
    }

    fn fetch(&mut self, t: &TensorProto) -> Result<Bytes, Error> {
        let (_, len) = shape_of(t)?;
        let dtype = DataType::try_from(t.data_type.unwrap_or(0)).unwrap_or(DataType::Undefined);
        let need = width(dtype)
            .ok_or_else(|| Error::unsupported(dtype.as_str_name(), "data type"))?
            .checked_mul(len)
            .ok_or_else(|| Error::invalid(format!("the shape {:?} is too large", t.dims)))?;
        let entry = |key: &str| {
            t.external_data
                .iter()
                .find(|e| e.key.as_deref() == Some(key))
                .and_then(|e| e.value.as_deref())
        };
        let number = |key: &str| match entry(key) {
            None => Ok(None),
            Some(v) => v
                .parse::<usize>()
                .map(Some)
                .map_err(|_| Error::invalid(format!("its {key} {v:?} is no size"))),
        };
        let path = entry("location").ok_or_else(|| Error::invalid("it names no file"))?;
        inside(path)?;
        let offset = number("offset")?.unwrap_or(0);
        let length = number("length")?;
        if let Some(length) = length.filter(|&l| l != need) {
            return Err(Error::invalid(format!(
                "it takes {length} bytes of {path:?}, its type and shape need {need}"
            )));
        }
        if !self.opened.contains_key(path) {
            let bytes = (self.open)(path)
                .map_err(|e| Error::external(format!("{path:?} cannot be read: {e}")))?;
            self.opened.insert(path.to_string(), bytes);
        }
        let file = &self.opened[path];
        match offset.checked_add(need) {
            Some(end) if end <= file.len() && (length.is_some() || end == file.len()) => {
                Ok(file.slice(offset..end))
            }
            Some(end) if end <= file.len() => Err(Error::invalid(format!(
                "it gives no length, and {path:?} has {} bytes from offset {offset} where its \
                 shape needs {need}",
                file.len() - offset
            ))),
            _ => Err(Error::invalid(format!(
                "it needs {need} bytes of {path:?} from offset {offset}, the file has {}",
                file.len()
            ))),
        }
    }
}

/// Refuses any path that does not stay in the model's folder, on any operating system.
fn inside(path: &str) -> Result<(), Error> {
    let parts: Vec<&str> = path.split(['/', '\\']).collect();
    if path.is_empty()
        || path.contains([':', '\0'])
        || parts.iter().any(|p| p.is_empty() || *p == "..")
    {
        return Err(Error::invalid(format!(
            "the path {path:?} does not stay in the model's folder"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;
    use crate::proto::StringStringEntryProto;
    use crate::tensor::from_f32s;

    fn model(entries: &[(&str, &str)]) -> ModelProto {
        let mut t = from_f32s("w", &[2], []);
        t.raw_data = None;
        t.data_location = Some(DataLocation::External as i32);
        t.external_data = entries
            .iter()
            .map(|(k, v)| StringStringEntryProto {
                key: Some((*k).to_string()),
                value: Some((*v).to_string()),
            })
            .collect();
        ModelProto {
            graph: Some(GraphProto {
                initializer: vec![t],
                ..GraphProto::default()
            }),
            ..ModelProto::default()
        }
    }

    fn open(path: &str) -> Result<Bytes, String> {
        match path {
            "data/w.bin" => Ok((0..16).collect::<Vec<u8>>().into()),
            _ => Err("no such file".into()),
        }
    }

    #[test]
    fn a_slice_of_a_file_becomes_the_tensor() {
        let mut m = model(&[("location", "data/w.bin"), ("offset", "4"), ("length", "8")]);
        load_external(&mut m, open).unwrap();
        let t = &m.graph.unwrap().initializer[0];
        let want = [[4, 5, 6, 7], [8, 9, 10, 11]].map(f32::from_le_bytes);
        let view = Tensor::new(t).unwrap();
        assert_eq!(view.f32s().unwrap().collect::<Vec<_>>(), want);
    }

    #[test]
    fn places_outside_the_folder_or_the_file_are_refused() {
        let cases: [(&[(&str, &str)], &str); 9] = [
            (&[("location", "../w.bin")], "does not stay"),
            (&[("location", "/etc/passwd")], "does not stay"),
            (&[("location", "a\\..\\..\\w")], "does not stay"),
            (&[("location", "C:\\w")], "does not stay"),
            (&[], "names no file"),
            (&[("location", "gone.bin")], "no such file"),
            (&[("location", "data/w.bin"), ("length", "12")], "need 8"),
            (
                &[("location", "data/w.bin"), ("length", "8"), ("offset", "9")],
                "the file has 16",
            ),
            (
                &[
                    ("location", "data/w.bin"),
                    ("offset", "18446744073709551615"),
                ],
                "the file has 16",
            ),
        ];
        for (entries, want) in cases {
            let got = load_external(&mut model(entries), open)
                .unwrap_err()
                .to_string();
            assert!(got.contains(want), "{got:?} does not say {want:?}");
        }
    }
}
