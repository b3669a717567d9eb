//! Constants, classes as numbers, and what two operands have in common: the shape of their result
//! and which value of each meets which.

use std::rc::Rc;

use fretsaw_model::{Codes, Encoder, Function, Labels, Link, Step};

use super::value::{Class, Constant, Kind, Row, Rule, width};
use super::*;
use crate::proto::tensor_proto::DataType;
use crate::tensor::Tensor;

/// Reads a constant.
pub(super) fn constant(t: &TensorProto) -> Result<Constant, Error> {
    let t = Tensor::new(t)?;
    let kind = kind(t.dtype());
    let names = match kind {
        Some(Kind::Int) => t.i64s().map(Labels::Ints),
        Some(Kind::Text) => t.strings().map(Labels::Strings),
        _ => None,
    };
    let values = t.f64s().map(|v| v.collect()).unwrap_or_default();
    Ok(Constant {
        dims: t.shape().to_vec(),
        values: Rc::new(values),
        kind: kind.ok_or_else(|| Error::unsupported("a constant of this type", "graph"))?,
        names: names.map(Rc::new),
    })
}

/// What an element type is here.
pub(super) fn kind(dtype: DataType) -> Option<Kind> {
    use DataType as D;
    Some(match dtype {
        D::Float => Kind::F32,
        D::Double => Kind::F64,
        D::Bool => Kind::Bool,
        D::String => Kind::Text,
        D::Int8 | D::Int16 | D::Int32 | D::Int64 | D::Uint8 | D::Uint16 | D::Uint32 | D::Uint64 => {
            Kind::Int
        }
        _ => return None,
    })
}

/// The number that names a row's class; `None` where text does.
pub(super) fn class_number(class: &Class) -> Option<Row> {
    let index = match &class.rule {
        Rule::Largest(row) => row.then(Step::Link(Link::ArgMax), class.dims.clone()),
        Rule::AboveZero(row) => row.then(Step::Map(Function::Above(0.0)), class.dims.clone()),
    }
    .of_kind(Kind::Int);
    match class.names.as_deref() {
        None => Some(index),
        Some(Labels::Ints(names)) => {
            let values = names.iter().map(|&n| n as f64).collect();
            Some(index.each(Step::Encode(vec![lookup(0, values)])))
        }
        Some(Labels::Strings(_)) => None,
    }
}

/// The value at the place that the number at `column` says; whatever else it says, the last.
pub(super) fn lookup(column: u32, values: Vec<f64>) -> Encoder {
    let n = values.len() as u32;
    Encoder {
        column,
        keys: (0..n).map(f64::from).collect(),
        code_of: (0..n).collect(),
        missing: None,
        unknown: n.checked_sub(1),
        codes: Codes::Values { width: 1, values },
    }
}

/// Axes of a constant as those of a row: none is that of the rows.
pub(super) fn axes(c: &Constant) -> Vec<Option<usize>> {
    c.dims.iter().map(|&d| Some(d)).collect()
}

/// The shape that two shapes give together; `None` where they do not fit.
pub(super) fn broadcast(a: &[Option<usize>], b: &[Option<usize>]) -> Option<Vec<Option<usize>>> {
    let n = a.len().max(b.len());
    let at = |dims: &[Option<usize>], i: usize| {
        (i + dims.len()).checked_sub(n).map_or(Some(1), |i| dims[i])
    };
    let mut all = Vec::new();
    for i in 0..n {
        all.push(match (at(a, i), at(b, i)) {
            (None, None | Some(1)) | (Some(1), None) => None,
            (Some(x), Some(y)) if x == y || y == 1 => Some(x),
            (Some(1), Some(y)) => Some(y),
            _ => return None,
        });
    }
    let rows = all.iter().filter(|d| d.is_none()).count();
    (rows <= 1 && width(&all) <= 1 << 20).then_some(all)
}

/// For each value of a row of the shape `to`, which value of the shape `from` meets it.
pub(super) fn meets(from: &[Option<usize>], to: &[Option<usize>]) -> Vec<usize> {
    let skip = to.len() - from.len();
    // How far apart neighbours along each axis of `from` are; 0 where one value serves for all.
    let mut apart = vec![0; to.len()];
    let mut step = 1;
    for (i, d) in from.iter().enumerate().rev() {
        if let Some(d) = *d {
            apart[skip + i] = if d == 1 { 0 } else { step };
            step *= d;
        }
    }
    (0..width(to))
        .map(|mut i| {
            let mut at = 0;
            for (d, apart) in to.iter().zip(&apart).rev() {
                if let Some(d) = *d {
                    at += i % d * apart;
                    i /= d;
                }
            }
            at
        })
        .collect()
}

/// An axis of an attribute or input, from 0.
pub(super) fn axis(axis: i64, n: usize) -> Option<usize> {
    let n = n as i64;
    usize::try_from(if axis < 0 { axis + n } else { axis })
        .ok()
        .filter(|&a| (a as i64) < n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_meet_as_in_onnx() {
        let (rows, two, three) = (None, Some(2), Some(3));
        type Shape<'a> = &'a [Option<usize>];
        let cases: [(Shape<'_>, Shape<'_>, Option<Shape<'_>>); 7] = [
            (&[rows, three], &[], Some(&[rows, three])),
            (&[rows, three], &[three], Some(&[rows, three])),
            (&[rows, Some(1)], &[Some(1), three], Some(&[rows, three])),
            (&[rows, three], &[rows, two], None),
            // Rows beside columns, and rows against rows of another axis.
            (&[rows], &[rows, Some(1)], None),
            (&[rows, three], &[two, three], None),
            (
                &[rows, Some(1), three],
                &[Some(1), two, three],
                Some(&[rows, two, three]),
            ),
        ];
        for (a, b, want) in cases {
            assert_eq!(broadcast(a, b).as_deref(), want, "{a:?} {b:?}");
            assert_eq!(broadcast(b, a).as_deref(), want, "{b:?} {a:?}");
        }
        let whole = [rows, two, three];
        assert_eq!(meets(&whole, &whole), [0, 1, 2, 3, 4, 5]);
        assert_eq!(meets(&[rows, two, Some(1)], &whole), [0, 0, 0, 1, 1, 1]);
        assert_eq!(meets(&[three], &whole), [0, 1, 2, 0, 1, 2]);
        assert_eq!(meets(&[], &whole), [0; 6]);
    }

    #[test]
    fn axes_count_from_either_end() {
        for (given, n, want) in [
            (0, 2, Some(0)),
            (-1, 2, Some(1)),
            (2, 2, None),
            (-3, 2, None),
        ] {
            assert_eq!(axis(given, n), want, "{given} of {n}");
        }
    }
}
