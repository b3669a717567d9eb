//! NumPy's `.npy`: one array of numbers, versions 1 to 3 of the format.
//!
//! The header is a Python literal; a small strict parser reads the one form that NumPy writes and
//! nothing else. Pickled objects are never touched. The shape is believed only when the file is
//! exactly as long as it says.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

use half::f16;

use super::Held;
use crate::session::Buffer;
use crate::{Error, ErrorKind, Result};

const MAGIC: &[u8] = b"\x93NUMPY";

/// An `.npy` file whose header fits its length.
#[derive(Debug)]
pub(super) struct Npy {
    /// Locked because reading moves its position.
    file: Mutex<File>,
    data_at: u64,
    header: Header,
}

/// What the header says; a one-dimensional array is one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    kind: Kind,
    big_endian: bool,
    fortran: bool,
    n_rows: usize,
    n_columns: usize,
}

/// The types of the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    F32,
    F64,
}

impl Kind {
    fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 | Self::F16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }
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
        file.seek(SeekFrom::Start(self.data_at)).map_err(cannot)?;
        let mut chunk = vec![0; size * 65_536];
        let mut at = 0;
        while at < n {
            let count = (n - at).min(65_536);
            let chunk = &mut chunk[..count * size];
            file.read_exact(chunk).map_err(cannot)?;
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
    file.take(n).read_to_end(into).map_err(cannot)?;
    Ok(())
}

fn cannot(e: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot read: {e}")).with_source(e)
}

fn cut_off() -> Error {
    Error::data("the file is cut off in its header")
}

impl Header {
    /// Parses `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
    fn parse(text: &[u8]) -> Result<Self> {
        let mut literal = Literal { text, at: 0 };
        let (mut kind, mut fortran, mut shape) = (None, None, None);
        literal.expect(b'{')?;
        while !literal.accept(b'}') {
            let key = literal.string()?;
            literal.expect(b':')?;
            match key {
                "descr" if kind.is_none() => kind = Some(descr(&mut literal)?),
                "fortran_order" if fortran.is_none() => fortran = Some(literal.boolean()?),
                "shape" if shape.is_none() => shape = Some(literal.shape()?),
                _ => return Err(literal.error("a key that NumPy does not write")),
            }
            if !literal.accept(b',') {
                literal.expect(b'}')?;
                break;
            }
        }
        if literal.peek().is_some() {
            return Err(literal.error("text behind the dictionary"));
        }
        let (Some((kind, big_endian)), Some(fortran), Some(shape)) = (kind, fortran, shape) else {
            return Err(literal.error("a dictionary without descr, fortran_order or shape"));
        };
        let (n_rows, n_columns) = match shape[..] {
            [n] => (n, 1),
            [n, m] => (n, m),
            _ => {
                return Err(Error::data(format!(
                    "the array has {} dimensions; rows x features has 2",
                    shape.len()
                )));
            }
        };
        if n_columns == 0 {
            return Err(Error::data("the array has no columns"));
        }
        Ok(Self {
            kind,
            big_endian,
            fortran,
            n_rows,
            n_columns,
        })
    }
}

/// The type of the values, and whether they are big-endian.
fn descr(literal: &mut Literal<'_>) -> Result<(Kind, bool)> {
    let refuse = |what: &str, name: &str| {
        Error::data(format!(
            "the array holds {what}{name}; real numbers are needed, such as float32 (see astype)"
        ))
    };
    if literal.peek() == Some(b'[') {
        return Err(refuse("records of several fields", ""));
    }
    let name = literal.string()?;
    let (order, code) = name.split_at_checked(1).unwrap_or(("", name));
    let kind = match (order, code) {
        ("|" | "<" | ">", "b1") => Kind::Bool,
        ("|" | "<" | ">", "i1") => Kind::I8,
        ("|" | "<" | ">", "u1") => Kind::U8,
        ("<" | ">", "i2") => Kind::I16,
        ("<" | ">", "i4") => Kind::I32,
        ("<" | ">", "i8") => Kind::I64,
        ("<" | ">", "u2") => Kind::U16,
        ("<" | ">", "u4") => Kind::U32,
        ("<" | ">", "u8") => Kind::U64,
        ("<" | ">", "f2") => Kind::F16,
        ("<" | ">", "f4") => Kind::F32,
        ("<" | ">", "f8") => Kind::F64,
        _ => {
            let what = match code.as_bytes().first() {
                Some(b'O') => "Python objects, type ",
                Some(b'U' | b'S') => "strings, type ",
                Some(b'c') => "complex numbers, type ",
                Some(b'M' | b'm') => "times, type ",
                Some(b'f') => "numbers of a precision that is not read, type ",
                _ => "values of the unknown type ",
            };
            return Err(refuse(what, &super::quoted(name)));
        }
    };
    Ok((kind, order == ">"))
}

/// The few Python literals of a header.
struct Literal<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Literal<'a> {
    fn error(&self, what: &str) -> Error {
        Error::data(format!(
            "the header is not as NumPy writes it: {what} at byte {} of the dictionary",
            self.at
        ))
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.accept(byte) {
            return Ok(());
        }
        Err(self.error(&format!("no {:?}", char::from(byte))))
    }

    /// What follows up to the first byte for which `ends` holds.
    fn until(&mut self, ends: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = &self.text[self.at..];
        let end = rest.iter().position(|&b| ends(b)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn string(&mut self) -> Result<&'a str> {
        let quote = match self.peek() {
            Some(quote @ (b'\'' | b'"')) => quote,
            _ => return Err(self.error("no string")),
        };
        self.at += 1;
        let text = self.until(|b| b == quote || b == b'\\');
        if self.text.get(self.at) != Some(&quote) {
            return Err(self.error("a string without an end"));
        }
        self.at += 1;
        str::from_utf8(text).map_err(|_| self.error("a string that is not UTF-8 before"))
    }

    fn boolean(&mut self) -> Result<bool> {
        self.peek();
        match self.until(|b| !b.is_ascii_alphabetic()) {
            b"True" => Ok(true),
            b"False" => Ok(false),
            _ => Err(self.error("neither True nor False before")),
        }
    }

    fn shape(&mut self) -> Result<Vec<usize>> {
        let mut shape = Vec::new();
        self.expect(b'(')?;
        while !self.accept(b')') {
            self.peek();
            let digits = self.until(|b| !b.is_ascii_digit());
            let size = str::from_utf8(digits).ok().and_then(|d| d.parse().ok());
            shape.push(size.ok_or_else(|| self.error("no dimension that fits in 64 bits"))?);
            // Python 2 wrote long integers so.
            self.accept(b'L');
            if !self.accept(b',') {
                self.expect(b')')?;
                break;
            }
        }
        Ok(shape)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_as_numpy_writes_them() {
        let plain = Header {
            kind: Kind::F32,
            big_endian: false,
            fortran: false,
            n_rows: 3,
            n_columns: 4,
        };
        let cases = [
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }   \n",
                plain,
            ),
            (
                "{\"shape\":(3,4),\"descr\":\"<f4\",\"fortran_order\":False}",
                plain,
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 4L), }",
                plain,
            ),
            (
                "{'descr': '>i8', 'fortran_order': True, 'shape': (5,), }",
                Header {
                    kind: Kind::I64,
                    big_endian: true,
                    fortran: true,
                    n_rows: 5,
                    n_columns: 1,
                },
            ),
        ];
        for (text, want) in cases {
            assert_eq!(Header::parse(text.as_bytes()).unwrap(), want, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for (text, why) in [
            ("", "no '{'"),
            ("{'descr': '<f4'", "no '}'"),
            ("{'descr': '<f4', 'fortran_order': False}", "without"),
            ("{'descr': '<f4', 'descr': '<f4'}", "key"),
            (
                "{'descr': '|O', 'fortran_order': False, 'shape': (3,)}",
                "Python objects",
            ),
            (
                "{'descr': '<c8', 'fortran_order': False, 'shape': (3,)}",
                "complex",
            ),
            (
                "{'descr': '<U5', 'fortran_order': False, 'shape': (3,)}",
                "strings",
            ),
            (
                "{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (3,)}",
                "times",
            ),
            (
                "{'descr': '<f16', 'fortran_order': False, 'shape': (3,)}",
                "precision",
            ),
            (
                "{'descr': '', 'fortran_order': False, 'shape': (3,)}",
                "unknown",
            ),
            ("{'descr': [('a', '<f4')], 'shape': (3,)}", "fields"),
            (
                "{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}",
                "True",
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}",
                "dimension",
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
                "64",
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': ()}",
                "0 dimensions",
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3)}",
                "3 dimensions",
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (9, 0)}",
                "no columns",
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)} x",
                "behind",
            ),
        ] {
            let message = Header::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(message.contains(why), "{text}: {message}");
        }
    }
}
