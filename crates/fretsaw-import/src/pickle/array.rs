//! NumPy arrays in a pickle, in joblib's stream or as a `.npy` file: any shape, plain elements or
//! records, in either byte order. Elements are copied out in C order; there is no arithmetic here.

use std::borrow::Cow;

use super::numpy::{Dtype, Elements, dtype, n_elements};
use super::{Id, Object, Pickle, Value};

/// Arrays of estimators have at most three dimensions.
const MAX_DIMENSIONS: usize = 4;

/// An array of numbers, text or records.
#[derive(Debug)]
pub(crate) struct Array<'p> {
    /// How long each dimension is.
    pub(crate) shape: Vec<usize>,
    dtype: Dtype,
    /// The fields of a record; empty where an element is plain.
    fields: Vec<Field>,
    /// Whether the first index moves fastest.
    fortran: bool,
    bytes: Cow<'p, [u8]>,
}

#[derive(Debug)]
struct Field {
    name: String,
    dtype: Dtype,
    offset: usize,
}

impl Array<'_> {
    /// Whether the elements are numbers in single precision.
    pub(crate) fn is_single(&self) -> bool {
        self.dtype.kind == b'f' && self.dtype.size == 4
    }

    /// Whether the elements are truth values.
    pub(crate) fn is_bool(&self) -> bool {
        self.dtype.kind == b'b'
    }

    /// The elements in C order; `None` where they are records.
    pub(crate) fn elements(&self) -> Option<Elements> {
        if !self.fields.is_empty() || self.dtype.size == 0 {
            return None;
        }
        let size = self.dtype.size;
        if !self.fortran || self.shape.iter().filter(|&&n| n > 1).count() < 2 {
            return self.dtype.elements_of(self.bytes.chunks_exact(size));
        }
        let n = self.bytes.len() / size;
        let at = |i| {
            let from = self.fortran_place(i) * size;
            self.bytes.get(from..from + size).unwrap_or_default()
        };
        self.dtype.elements_of((0..n).map(at))
    }

    /// One field of every record.
    pub(crate) fn field(&self, name: &str) -> Option<Elements> {
        let field = self.fields.iter().find(|f| f.name == name)?;
        let range = field.offset..field.offset.checked_add(field.dtype.size)?;
        if range.end > self.dtype.size || field.dtype.size == 0 {
            return None;
        }
        let records = self.bytes.chunks_exact(self.dtype.size);
        field.dtype.elements_of(records.map(|r| &r[range.clone()]))
    }

    /// Where the element stands that is number `i` in C order.
    fn fortran_place(&self, mut i: usize) -> usize {
        let mut strides = Vec::with_capacity(self.shape.len());
        let mut stride = 1;
        for n in &self.shape {
            strides.push(stride);
            stride *= n;
        }
        let mut place = 0;
        for (n, stride) in self.shape.iter().zip(strides).rev() {
            place += i % n * stride;
            i /= n;
        }
        place
    }

    /// The array, if it has as many bytes as its shape asks for.
    fn sound(self) -> Option<Self> {
        let n = self
            .shape
            .iter()
            .try_fold(self.dtype.size, |n, &d| n.checked_mul(d))?;
        let known = self.dtype.kind != b'O' && self.shape.len() <= MAX_DIMENSIONS;
        (known && n == self.bytes.len()).then_some(self)
    }
}

impl<'a> Pickle<'a> {
    /// An array of numbers, text or records.
    pub(crate) fn array(&self, id: Id) -> Option<Array<'_>> {
        let object = match self.get(id) {
            Value::Npy(bytes) => {
                self.spend(bytes.len())?;
                return npy(bytes)?.sound();
            }
            Value::Object(object) => object,
            _ => return None,
        };
        let (shape, dtype_id, fortran, content) =
            if object.callee.is("joblib.numpy_pickle", "NumpyArrayWrapper") {
                let fortran = self
                    .attribute(object, "order")
                    .is_some_and(|o| matches!(self.get(o), Value::Str(s) if s == "F"));
                (
                    self.attribute(object, "shape")?,
                    self.attribute(object, "dtype")?,
                    fortran,
                    object.payload?,
                )
            } else if object.callee.name == "_reconstruct" {
                let [shape, dtype, fortran, content] = self.reconstructed(object)?;
                (
                    shape,
                    dtype,
                    matches!(self.get(fortran), Value::Bool(true) | Value::Int(1)),
                    content,
                )
            } else if object.callee.name == "_frombuffer" {
                let [content, dtype, shape, order, ..] = object.args[..] else {
                    return None;
                };
                let fortran = matches!(self.get(order), Value::Str(s) if s == "F");
                (shape, dtype, fortran, content)
            } else {
                return None;
            };
        let bytes = self.bytes(content)?;
        self.spend(bytes.len())?;
        Array {
            shape: self.shape(shape)?,
            dtype: dtype(&self.values, dtype_id)?,
            fields: self.fields(dtype_id)?,
            fortran,
            bytes,
        }
        .sound()
    }

    /// The items of an array of objects, in C order, or of lists in a list.
    pub(crate) fn objects(&self, id: Id) -> Option<Vec<Id>> {
        let items = self.object_items(id)?;
        self.spend(size_of::<Id>().checked_mul(items.len())?)?;
        Some(items)
    }

    fn object_items(&self, id: Id) -> Option<Vec<Id>> {
        match self.get(id) {
            Value::List(items) => {
                let mut flat = Vec::new();
                for &item in items {
                    match self.get(item) {
                        Value::List(inner) => flat.extend(inner),
                        _ => flat.push(item),
                    }
                }
                Some(flat)
            }
            Value::Tuple(items) => Some(items.to_vec()),
            Value::Object(object) => {
                let inner = match object.payload.map(|id| self.get(id)) {
                    // Within joblib, an array of objects is a pickled array of objects.
                    Some(Value::Object(inner)) => inner,
                    _ => object,
                };
                if inner.callee.name != "_reconstruct" {
                    return None;
                }
                match self.get(self.reconstructed(inner)?[3]) {
                    Value::List(items) => Some(items.clone()),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Shape, element type, order and content out of `(version, shape, dtype, fortran, content)`.
    fn reconstructed(&self, object: &Object<'a>) -> Option<[Id; 4]> {
        match self.get(object.state?) {
            Value::Tuple(state) => state.get(1..5)?.try_into().ok(),
            _ => None,
        }
    }

    fn shape(&self, id: Id) -> Option<Vec<usize>> {
        match self.get(id) {
            Value::Tuple(dims) if dims.len() <= MAX_DIMENSIONS => {
                dims.iter().map(|&d| n_elements(&self.values, d)).collect()
            }
            Value::Int(_) => Some(vec![n_elements(&self.values, id)?]),
            _ => None,
        }
    }

    /// The fields of a record type: `(3, order, None, names, {name: (dtype, offset)}, ...)`.
    fn fields(&self, dtype_id: Id) -> Option<Vec<Field>> {
        let Value::Object(object) = self.get(dtype_id) else {
            return None;
        };
        let Some(Value::Tuple(state)) = object.state.map(|s| self.get(s)) else {
            return Some(Vec::new());
        };
        let Some(Value::Tuple(names)) = state.get(3).map(|&n| self.get(n)) else {
            return Some(Vec::new());
        };
        let all = *state.get(4)?;
        let field = |&name: &Id| {
            let Value::Str(name) = self.get(name) else {
                return None;
            };
            let Value::Tuple(field) = self.get(self.item(all, name)?) else {
                return None;
            };
            let (&dtype_id, &offset) = (field.first()?, field.get(1)?);
            Some(Field {
                name: name.clone().into_owned(),
                dtype: dtype(&self.values, dtype_id)?,
                offset: n_elements(&self.values, offset)?,
            })
        };
        names.iter().map(field).collect()
    }
}

/// A `.npy` file of version 1 or 2: magic, header length, a Python dictionary, the elements.
fn npy(bytes: &[u8]) -> Option<Array<'_>> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (&[major, _minor], rest) = rest.split_first_chunk::<2>()?;
    let (n, rest) = if major == 1 {
        let (n, rest) = rest.split_first_chunk::<2>()?;
        (usize::from(u16::from_le_bytes(*n)), rest)
    } else {
        let (n, rest) = rest.split_first_chunk::<4>()?;
        (usize::try_from(u32::from_le_bytes(*n)).ok()?, rest)
    };
    let (header, content) = rest.split_at_checked(n)?;
    let header = std::str::from_utf8(header).ok()?;
    let value = |key: &str| {
        let (_, rest) = header.split_once(&format!("'{key}':"))?;
        Some(rest.trim_start())
    };
    let shape = value("shape")?.strip_prefix('(')?.split(')').next()?;
    let shape = shape
        .split(',')
        .map(str::trim)
        .filter(|n| !n.is_empty())
        .map(|n| n.parse().ok())
        .collect::<Option<Vec<usize>>>()?;
    let descr = value("descr")?;
    let (dtype, fields) = if let Some(list) = descr.strip_prefix('[') {
        record(list.split(']').next()?)?
    } else {
        (Dtype::from_code(quoted(descr)?.0)?, Vec::new())
    };
    Some(Array {
        shape,
        dtype,
        fields,
        fortran: value("fortran_order")?.starts_with("True"),
        bytes: Cow::Borrowed(content),
    })
}

/// `('left_child', '<i8'), ('', '|V7')`: fields without gaps; what fills a gap has no name.
fn record(mut list: &str) -> Option<(Dtype, Vec<Field>)> {
    let mut fields = Vec::new();
    let mut offset = 0_usize;
    while let Some((_, rest)) = list.split_once('(') {
        let (name, rest) = quoted(rest.trim_start())?;
        let (code, rest) = quoted(rest.trim_start().strip_prefix(',')?.trim_start())?;
        let dtype = Dtype::from_code(code)?;
        if !name.is_empty() {
            fields.push(Field {
                name: name.to_owned(),
                dtype,
                offset,
            });
        }
        offset = offset.checked_add(dtype.size)?;
        list = rest;
    }
    let whole = Dtype {
        kind: b'V',
        size: offset,
        big_endian: false,
    };
    Some((whole, fields))
}

/// Text in single quotes, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('\'')?.split_once('\'')
}
