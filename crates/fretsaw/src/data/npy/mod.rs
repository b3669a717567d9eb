//! NumPy's `.npy`: one array of numbers, versions 1 to 3 of the format.
//!
//! Pickled objects are never touched. The shape is believed only when the file is exactly as long
//! as it says.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

use half::f16;

use self::header::{Header, Kind};
use super::{Held, cannot_read};
use crate::session::Buffer;
use crate::{Error, Result};

mod header;

const MAGIC: &[u8] = b"\x93NUMPY";

/// An `.npy` file whose header fits its length.
#[derive(Debug)]
pub(super) struct Npy {
    /// Locked because reading moves its position.
    file: Mutex<File>,
    data_at: u64,
    header: Header,
}

impl Npy {
    /// Checks the header against the file's length `len`.
    pub(super) fn open(mut file: File, len: u64) -> Result<Self> {
        let mut start = Vec::new();
        take(&mut file, 8, &mut start)?;
        if !start.starts_with(MAGIC) || start.len() < 8 {
            return Err(Error::data(
                "this is no .npy file: it does not begin as NumPy's arrays do",
            ));
        }
        let width = match start[6] {
            1 => 2,
            2 | 3 => 4,
            version => {
                return Err(Error::data(format!(
                    "version {version} of the .npy format; 1 to 3 are known"
                )));
            }
        };
        take(&mut file, width, &mut start)?;
        let header_len = match start[8..] {
            [a, b] => u64::from(u16::from_le_bytes([a, b])),
            [a, b, c, d] => u64::from(u32::from_le_bytes([a, b, c, d])),
            _ => return Err(cut_off()),
        };
        let data_at = 8 + width + header_len;
        if data_at > len {
            return Err(cut_off());
        }
        let mut text = Vec::new();
        take(&mut file, header_len, &mut text)?;
        let header = Header::parse(&text)?;
        let values = header.n_rows.checked_mul(header.n_columns);
        let size = values.and_then(|n| n.checked_mul(header.kind.size()));
        let held = len - data_at;
        if size.is_none_or(|size| size as u64 != held) {
            return Err(Error::data(format!(
                "the header says {} x {} values of {} bytes, but {held} bytes follow it",
                header.n_rows,
                header.n_columns,
                header.kind.size()
            )));
        }
        Ok(Self {
            file: Mutex::new(file),
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

    /// All values, row-major, in single precision or in double.
    pub(super) fn values(&self, single: bool) -> Result<Buffer> {
        Ok(if single {
            Buffer::F32(self.decode()?)
        } else {
            Buffer::F64(self.decode()?)
        })
    }

    fn decode<T: Target>(&self) -> Result<Vec<T>> {
        let h = &self.header;
        let size = h.kind.size();
        // Held against the file's length by `open`.
        let n = h.n_rows * h.n_columns;
        let mut out = vec![T::default(); n];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.data_at))
            .map_err(cannot_read)?;
        let mut chunk = vec![0; size * 65_536];
        let mut at = 0;
        while at < n {
            let count = (n - at).min(65_536);
            let chunk = &mut chunk[..count * size];
            file.read_exact(chunk).map_err(cannot_read)?;
            if h.big_endian {
                chunk.chunks_exact_mut(size).for_each(<[u8]>::reverse);
            }
            if h.fortran {
                let place = |i: usize| i % h.n_rows * h.n_columns + i / h.n_rows;
                convert(h.kind, chunk, |i, v| out[place(at + i)] = v);
            } else {
                let out = &mut out[at..at + count];
                convert(h.kind, chunk, |i, v| out[i] = v);
            }
            at += count;
        }
        Ok(out)
    }
}

/// What values are decoded to. Each type is cast directly, as NumPy's `astype` does: an i64 that
/// went through f64 to f32 would be rounded twice.
trait Target: Copy + Default {
    fn from_int(x: i128) -> Self;
    fn from_f32(x: f32) -> Self;
    fn from_f64(x: f64) -> Self;
}

impl Target for f32 {
    fn from_int(x: i128) -> Self {
        x as f32
    }
    fn from_f32(x: f32) -> Self {
        x
    }
    fn from_f64(x: f64) -> Self {
        x as f32
    }
}

impl Target for f64 {
    fn from_int(x: i128) -> Self {
        x as f64
    }
    fn from_f32(x: f32) -> Self {
        f64::from(x)
    }
    fn from_f64(x: f64) -> Self {
        x
    }
}

/// Decodes little-endian `bytes` and gives each value with its position.
fn convert<T: Target>(kind: Kind, bytes: &[u8], mut put: impl FnMut(usize, T)) {
    macro_rules! each {
        ($n:literal, $decode:expr) => {
            for (i, &b) in bytes.as_chunks::<$n>().0.iter().enumerate() {
                put(i, $decode(b));
            }
        };
    }
    match kind {
        Kind::Bool => each!(1, |[b]: [u8; 1]| T::from_int(i128::from(b != 0))),
        Kind::I8 => each!(1, |b| T::from_int(i8::from_le_bytes(b).into())),
        Kind::I16 => each!(2, |b| T::from_int(i16::from_le_bytes(b).into())),
        Kind::I32 => each!(4, |b| T::from_int(i32::from_le_bytes(b).into())),
        Kind::I64 => each!(8, |b| T::from_int(i64::from_le_bytes(b).into())),
        Kind::U8 => each!(1, |b| T::from_int(u8::from_le_bytes(b).into())),
        Kind::U16 => each!(2, |b| T::from_int(u16::from_le_bytes(b).into())),
        Kind::U32 => each!(4, |b| T::from_int(u32::from_le_bytes(b).into())),
        Kind::U64 => each!(8, |b| T::from_int(u64::from_le_bytes(b).into())),
        Kind::F16 => each!(2, |b| T::from_f32(f16::from_le_bytes(b).to_f32())),
        Kind::F32 => each!(4, |b| T::from_f32(f32::from_le_bytes(b))),
        Kind::F64 => each!(8, |b| T::from_f64(f64::from_le_bytes(b))),
    }
}

/// Appends the next `n` bytes, or what there is of them; memory grows with what is read.
fn take(file: &mut File, n: u64, into: &mut Vec<u8>) -> Result<()> {
    file.take(n).read_to_end(into).map_err(cannot_read)?;
    Ok(())
}

fn cut_off() -> Error {
    Error::data("the file is cut off in its header")
}

/// Writes `n_columns` wide rows as a two-dimensional array, little-endian.
pub(super) fn write(out: &mut dyn Write, values: &Buffer, n_columns: usize) -> io::Result<()> {
    let (descr, len) = match values {
        Buffer::F32(v) => ("<f4", v.len()),
        Buffer::F64(v) => ("<f8", v.len()),
    };
    let n_rows = len / n_columns;
    let mut header = format!(
        "{{'descr': '{descr}', 'fortran_order': False, 'shape': ({n_rows}, {n_columns}), }}"
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
    out.write_all(header.as_bytes())?;
    match values {
        Buffer::F32(v) => v.iter().try_for_each(|x| out.write_all(&x.to_le_bytes())),
        Buffer::F64(v) => v.iter().try_for_each(|x| out.write_all(&x.to_le_bytes())),
    }
}
