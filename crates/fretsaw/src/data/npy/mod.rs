//! NumPy's `.npy`: one array of numbers, versions 1 to 3 of the format.
//!
//! Pickled objects are never touched. The shape is believed only when the file is exactly as long
//! as it says. Values stay in the file: they are looked at where they are if this machine can, and
//! decoded if it cannot (other byte orders, half precision, integers).

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;

use fretsaw_model::{Column, Rows};
use half::f16;

use self::header::{Header, Kind};
use super::{Held, Matrix, cannot_read};
use crate::map::{self, Bytes, numbers};
use crate::session::Buffer;
use crate::{Error, Result};

mod header;

const MAGIC: &[u8] = b"\x93NUMPY";

/// An `.npy` file whose header fits its length.
#[derive(Debug)]
pub(super) struct Npy {
    bytes: Bytes,
    data_at: usize,
    header: Header,
}

impl Npy {
    pub(super) fn open(mut file: File) -> Result<Self> {
        let bytes = Bytes::of(&mut file).map_err(cannot_read)?;
        if !bytes.starts_with(MAGIC) || bytes.len() < 8 {
            return Err(Error::data(
                "this is no .npy file: it does not begin as NumPy's arrays do",
            ));
        }
        let width = match bytes[6] {
            1 => 2,
            2 | 3 => 4,
            version => {
                return Err(Error::data(format!(
                    "version {version} of the .npy format; 1 to 3 are known"
                )));
            }
        };
        let header_len = match *bytes.get(8..8 + width).ok_or_else(cut_off)? {
            [a, b] => usize::from(u16::from_le_bytes([a, b])),
            [a, b, c, d] => u32::from_le_bytes([a, b, c, d]) as usize,
            _ => return Err(cut_off()),
        };
        let data_at = 8 + width + header_len;
        // A copy: text that another process changes would be no text.
        let text = bytes.get(8 + width..data_at).ok_or_else(cut_off)?.to_vec();
        let header = Header::parse(&text)?;
        let values = header.n_rows.checked_mul(header.n_columns);
        let size = values.and_then(|n| n.checked_mul(header.kind.size()));
        let held = bytes.len() - data_at;
        if size != Some(held) {
            return Err(Error::data(format!(
                "the header says {} x {} values of {} bytes, but {held} bytes follow it",
                header.n_rows,
                header.n_columns,
                header.kind.size()
            )));
        }
        Ok(Self {
            bytes,
            data_at,
            header,
        })
    }

    pub(super) fn n_rows(&self) -> usize {
        self.header.n_rows
    }

    pub(super) fn n_columns(&self) -> usize {
        self.header.n_columns
    }

    pub(super) fn held(&self) -> Held {
        match self.header.kind {
            Kind::F16 | Kind::F32 => Held::Single,
            Kind::Bool | Kind::I8 | Kind::I16 | Kind::U8 | Kind::U16 => Held::Short,
            _ => Held::Double,
        }
    }

    /// The values where they are, if they are rows that a predictor takes.
    pub(super) fn rows(&self) -> Option<Rows<'_>> {
        let h = &self.header;
        if !self.is_native() || (h.fortran && h.n_columns > 1) {
            return None;
        }
        let values = &self.bytes[self.data_at..];
        match h.kind {
            Kind::F32 => Rows::f32(numbers(values)?, h.n_columns).ok(),
            Kind::F64 => Rows::f64(numbers(values)?, h.n_columns).ok(),
            _ => None,
        }
    }

    /// The values where they are, if they are columns that a predictor takes.
    pub(super) fn columns(&self) -> Option<Vec<Column<'_>>> {
        let h = &self.header;
        if !self.is_native() || !h.fortran {
            return None;
        }
        (0..h.n_columns)
            .map(|column| {
                let bytes = self.part(column * h.n_rows..(column + 1) * h.n_rows);
                Some(match h.kind {
                    Kind::I8 => Column::from(numbers::<i8>(bytes)?),
                    Kind::I16 => Column::from(numbers::<i16>(bytes)?),
                    Kind::I32 => Column::from(numbers::<i32>(bytes)?),
                    Kind::I64 => Column::from(numbers::<i64>(bytes)?),
                    Kind::U8 => Column::from(numbers::<u8>(bytes)?),
                    Kind::U16 => Column::from(numbers::<u16>(bytes)?),
                    Kind::U32 => Column::from(numbers::<u32>(bytes)?),
                    Kind::U64 => Column::from(numbers::<u64>(bytes)?),
                    Kind::F32 => Column::from(numbers::<f32>(bytes)?),
                    Kind::F64 => Column::from(numbers::<f64>(bytes)?),
                    Kind::Bool | Kind::F16 => return None,
                })
            })
            .collect()
    }

    /// Gives back memory that holds these rows; they can be looked at again.
    pub(super) fn forget(&self, rows: Range<usize>) {
        let h = &self.header;
        let bytes = |values: Range<usize>| {
            let size = h.kind.size();
            self.data_at + values.start * size..self.data_at + values.end * size
        };
        if h.fortran {
            for at in (0..h.n_columns).map(|column| column * h.n_rows) {
                self.bytes.forget(bytes(at + rows.start..at + rows.end));
            }
        } else {
            let n = h.n_columns;
            self.bytes.forget(bytes(rows.start * n..rows.end * n));
        }
    }

    /// Some rows decoded, in single precision or in double.
    pub(super) fn decode(&self, rows: Range<usize>, single: bool) -> Result<Matrix> {
        let values = match single {
            true => Buffer::F32(self.decoded(rows)),
            false => Buffer::F64(self.decoded(rows)),
        };
        Matrix::new(values, self.header.n_columns)
    }

    fn decoded<T: Target>(&self, rows: Range<usize>) -> Vec<T> {
        let Header {
            kind,
            big_endian,
            fortran,
            n_rows,
            n_columns,
        } = self.header;
        // Held against the file's length by `open`.
        let mut out = vec![T::default(); rows.len() * n_columns];
        if fortran {
            for column in 0..n_columns {
                let bytes = self.part(column * n_rows + rows.start..column * n_rows + rows.end);
                let put = |i: usize, v| out[i * n_columns + column] = v;
                convert(kind, big_endian, bytes, put);
            }
        } else {
            let bytes = self.part(rows.start * n_columns..rows.end * n_columns);
            convert(kind, big_endian, bytes, |i, v| out[i] = v);
        }
        out
    }

    /// The bytes of some values, in the order of the file.
    fn part(&self, values: Range<usize>) -> &[u8] {
        let size = self.header.kind.size();
        &self.bytes[self.data_at..][values.start * size..values.end * size]
    }

    fn is_native(&self) -> bool {
        self.header.kind.size() == 1 || self.header.big_endian == cfg!(target_endian = "big")
    }
}

/// What values are decoded to. Each type is cast directly, as NumPy's `astype` does: an i64 that
/// went through f64 to f32 would be rounded twice.
trait Target: Copy + Default {
    /// Of a value cast to either.
    fn of(single: f32, double: f64) -> Self;
}

impl Target for f32 {
    fn of(single: f32, _: f64) -> Self {
        single
    }
}

impl Target for f64 {
    fn of(_: f32, double: f64) -> Self {
        double
    }
}

/// Decodes `bytes` and gives each value with its position.
fn convert<T: Target>(kind: Kind, big_endian: bool, bytes: &[u8], mut put: impl FnMut(usize, T)) {
    macro_rules! each {
        ($n:literal, $decode:expr) => {
            for (i, &b) in bytes.as_chunks::<$n>().0.iter().enumerate() {
                let mut b: [u8; $n] = b;
                if big_endian {
                    b.reverse();
                }
                let x = $decode(b);
                put(i, T::of(x as f32, x as f64));
            }
        };
    }
    match kind {
        Kind::Bool => each!(1, |[b]: [u8; 1]| u8::from(b != 0)),
        Kind::I8 => each!(1, i8::from_le_bytes),
        Kind::I16 => each!(2, i16::from_le_bytes),
        Kind::I32 => each!(4, i32::from_le_bytes),
        Kind::I64 => each!(8, i64::from_le_bytes),
        Kind::U8 => each!(1, u8::from_le_bytes),
        Kind::U16 => each!(2, u16::from_le_bytes),
        Kind::U32 => each!(4, u32::from_le_bytes),
        Kind::U64 => each!(8, u64::from_le_bytes),
        Kind::F16 => each!(2, |b| f16::from_le_bytes(b).to_f32()),
        Kind::F32 => each!(4, f32::from_le_bytes),
        Kind::F64 => each!(8, f64::from_le_bytes),
    }
}

fn cut_off() -> Error {
    Error::data("the file is cut off in its header")
}

/// Begins a two-dimensional array of this machine's byte order.
pub(super) fn write_header(
    out: &mut dyn Write,
    double: bool,
    n_rows: usize,
    n_columns: usize,
) -> io::Result<()> {
    let order = if cfg!(target_endian = "big") {
        '>'
    } else {
        '<'
    };
    let size = if double { 8 } else { 4 };
    let mut header = format!(
        "{{'descr': '{order}f{size}', 'fortran_order': False, 'shape': ({n_rows}, {n_columns}), }}"
    );
    // Spaces up to a line end at a multiple of 64 bytes; the ten before are magic and lengths.
    while !(10 + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    out.write_all(MAGIC)?;
    out.write_all(&[1, 0])?;
    // At most 10 + 20 + 20 digits around 60 letters.
    out.write_all(&(header.len() as u16).to_le_bytes())?;
    out.write_all(header.as_bytes())
}

/// Writes some of its values.
pub(super) fn write_values(out: &mut dyn Write, values: &Buffer) -> io::Result<()> {
    match values {
        Buffer::F32(v) => out.write_all(map::bytes(v)),
        Buffer::F64(v) => out.write_all(map::bytes(v)),
    }
}
