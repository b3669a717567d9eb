//! UBJSON as XGBoost writes it: big-endian, lengths as 64-bit integers, arrays of numbers typed.
//!
//! Counted objects and high-precision numbers are not in that dialect and are refused.

use std::borrow::Cow;

use super::{Array, Syntax, Token};
use crate::Error;

/// Reads UBJSON.
pub(crate) struct Ubjson<'de> {
    bytes: &'de [u8],
    at: usize,
}

impl<'de> Ubjson<'de> {
    pub(crate) fn new(bytes: &'de [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn error(&self, message: impl Into<String>) -> Error {
        Error::syntax(self.at, message)
    }

    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        match self.bytes[self.at..].first_chunk() {
            Some(chunk) => {
                self.at += N;
                Ok(*chunk)
            }
            None => Err(self.error("the file ends within a value")),
        }
    }

    fn peek(&self) -> Result<u8, Error> {
        match self.bytes.get(self.at) {
            Some(&b) => Ok(b),
            None => Err(self.error("the file ends where a value should stand")),
        }
    }

    /// A scalar without its marker, or `None` where the marker is none of a number's.
    fn scalar(&mut self, marker: u8) -> Result<Option<Token<'de>>, Error> {
        Ok(Some(match marker {
            b'i' => Token::Int(i8::from_be_bytes(self.take()?).into()),
            b'U' | b'C' => Token::Int(u8::from_be_bytes(self.take()?).into()),
            b'I' => Token::Int(i16::from_be_bytes(self.take()?).into()),
            b'l' => Token::Int(i32::from_be_bytes(self.take()?).into()),
            b'L' => Token::Int(i64::from_be_bytes(self.take()?)),
            b'd' => Token::Float(f32::from_be_bytes(self.take()?)),
            b'D' => Token::Double(f64::from_be_bytes(self.take()?)),
            _ => return Ok(None),
        }))
    }

    /// A length: an integer with its marker, held against the bytes that are left.
    fn length(&mut self, size: usize) -> Result<usize, Error> {
        let [marker] = self.take()?;
        let from = self.at - 1;
        let Some(Token::Int(n)) = self.scalar(marker)? else {
            return Err(Error::syntax(from, "a length is not an integer"));
        };
        match usize::try_from(n) {
            Ok(n) if n <= self.left() / size => Ok(n),
            _ => Err(Error::syntax(
                from,
                format!("a length of {n} where {} bytes are left", self.left()),
            )),
        }
    }

    fn string(&mut self) -> Result<Cow<'de, str>, Error> {
        let n = self.length(1)?;
        let from = self.at;
        self.at += n;
        match std::str::from_utf8(&self.bytes[from..self.at]) {
            Ok(s) => Ok(Cow::Borrowed(s)),
            Err(e) => Err(Error::syntax(
                from + e.valid_up_to(),
                "a string is not UTF-8",
            )),
        }
    }

    /// The head of an array, after its bracket.
    fn array(&mut self) -> Result<Array, Error> {
        match self.peek()? {
            b'$' => {
                self.at += 1;
                let [marker] = self.take()?;
                let size = match marker {
                    b'i' | b'U' | b'C' => 1,
                    b'I' => 2,
                    b'l' | b'd' => 4,
                    b'L' | b'D' => 8,
                    _ => {
                        return Err(Error::syntax(
                            self.at - 1,
                            format!("an array of type `{}`", char::from(marker).escape_default()),
                        ));
                    }
                };
                if self.take()? != *b"#" {
                    return Err(Error::syntax(self.at - 1, "a typed array without a length"));
                }
                let left = self.length(size)?;
                Ok(Array::Counted {
                    left,
                    marker: Some(marker),
                })
            }
            b'#' => {
                self.at += 1;
                let left = self.length(1)?;
                Ok(Array::Counted { left, marker: None })
            }
            _ => Ok(Array::Open { first: true }),
        }
    }
}

impl<'de> Syntax<'de> for Ubjson<'de> {
    fn offset(&self) -> usize {
        self.at
    }

    fn value(&mut self) -> Result<Token<'de>, Error> {
        let from = self.at;
        let marker = self.peek()?;
        self.at += 1;
        match marker {
            b'{' => Ok(Token::Object),
            b'[' => Ok(Token::Array(self.array()?)),
            b'Z' => Ok(Token::Null),
            b'T' => Ok(Token::Bool(true)),
            b'F' => Ok(Token::Bool(false)),
            b'S' => Ok(Token::Str(self.string()?)),
            _ => match self.scalar(marker)? {
                Some(token) => Ok(token),
                None => Err(Error::syntax(
                    from,
                    format!(
                        "`{}` stands where a value should",
                        char::from(marker).escape_default()
                    ),
                )),
            },
        }
    }

    fn element(&mut self, array: &mut Array) -> Result<Option<Token<'de>>, Error> {
        match array {
            Array::Counted { left: 0, .. } => Ok(None),
            Array::Counted { left, marker } => {
                *left -= 1;
                match *marker {
                    Some(marker) => self.scalar(marker),
                    None => self.value().map(Some),
                }
            }
            Array::Open { .. } if self.peek()? == b']' => {
                self.at += 1;
                Ok(None)
            }
            Array::Open { .. } => self.value().map(Some),
        }
    }

    fn key(&mut self, _first: bool) -> Result<Option<Cow<'de, str>>, Error> {
        if self.peek()? == b'}' {
            self.at += 1;
            return Ok(None);
        }
        self.string().map(Some)
    }

    fn end(&mut self) -> Result<(), Error> {
        match self.left() {
            0 => Ok(()),
            n => Err(self.error(format!("{n} bytes follow the document"))),
        }
    }
}
