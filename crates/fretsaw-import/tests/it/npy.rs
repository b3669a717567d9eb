//! Enough of `.npy` to read the cases: version 1 headers, little-endian f4, f8 and i8.

use std::fs;
use std::path::Path;

/// A matrix, or a vector as a matrix of one column.
pub(crate) struct Npy {
    pub(crate) columns: usize,
    pub(crate) values: Vec<f64>,
    /// Whether the file holds f32.
    pub(crate) single: bool,
}

impl Npy {
    pub(crate) fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert!(bytes.starts_with(b"\x93NUMPY\x01"), "{}", path.display());
        let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let (header, data) = bytes[10..].split_at(header);
        let header = std::str::from_utf8(header).unwrap();
        let fortran = header.contains("'fortran_order': True");
        let shape = header
            .split("'shape': (")
            .nth(1)
            .unwrap()
            .split(')')
            .next()
            .unwrap();
        let shape: Vec<usize> = shape
            .split(',')
            .filter(|n| !n.trim().is_empty())
            .map(|n| n.trim().parse().unwrap())
            .collect();
        let descr = header
            .split("'descr': '")
            .nth(1)
            .unwrap()
            .split('\'')
            .next()
            .unwrap();
        let values: Vec<f64> = match descr {
            "<f4" => data
                .chunks_exact(4)
                .map(|c| f32::from_le_bytes(c.try_into().unwrap()).into())
                .collect(),
            "<f8" => data
                .chunks_exact(8)
                .map(|c| f64::from_le_bytes(c.try_into().unwrap()))
                .collect(),
            "<i8" => data
                .chunks_exact(8)
                .map(|c| i64::from_le_bytes(c.try_into().unwrap()) as f64)
                .collect(),
            other => panic!("{}: elements of type {other}", path.display()),
        };
        let rows = shape.first().copied().unwrap_or(1);
        assert_eq!(values.len(), shape.iter().product::<usize>());
        let columns = values.len() / rows.max(1);
        let values = if fortran {
            let place = |i: usize| i % columns * rows + i / columns;
            (0..values.len()).map(|i| values[place(i)]).collect()
        } else {
            values
        };
        Self {
            columns,
            values,
            single: descr == "<f4",
        }
    }
}
