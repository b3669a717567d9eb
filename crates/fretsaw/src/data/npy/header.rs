//! The header of an `.npy` file: a Python dictionary as text.
//!
//! A small strict parser reads the one form that NumPy writes. It evaluates nothing and reads no
//! other Python.

use crate::data::quoted;
use crate::{Error, Result};

/// What the header says; a one-dimensional array is one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) big_endian: bool,
    pub(super) fortran: bool,
    pub(super) n_rows: usize,
    pub(super) n_columns: usize,
}

/// The types of the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
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
    pub(super) fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 | Self::F16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }
}

impl Header {
    /// Parses `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
    pub(super) fn parse(text: &[u8]) -> Result<Self> {
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
            return Err(refuse(what, &quoted(name)));
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
