//! JSON as XGBoost writes it: standard, with `NaN`, `Infinity` and `-Infinity` besides.

use std::borrow::Cow;

use super::{Array, Syntax, Token};
use crate::Error;

/// Reads JSON text.
pub(crate) struct Json<'de> {
    bytes: &'de [u8],
    at: usize,
}

impl<'de> Json<'de> {
    pub(crate) fn new(bytes: &'de [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn peek(&mut self) -> Option<u8> {
        while let Some(&b) = self.bytes.get(self.at) {
            if !matches!(b, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(b);
            }
            self.at += 1;
        }
        None
    }

    fn error(&self, message: impl Into<String>) -> Error {
        Error::syntax(self.at, message)
    }

    fn unexpected(&mut self, wanted: &str) -> Error {
        match self.peek() {
            None => self.error(format!("the file ends where {wanted} should stand")),
            Some(b) => self.error(format!(
                "`{}` stands where {wanted} should",
                char::from(b).escape_default()
            )),
        }
    }

    fn word(&mut self, word: &str, token: Token<'de>) -> Result<Token<'de>, Error> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(token)
        } else {
            Err(self.unexpected("a value"))
        }
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at - from
    }

    fn number(&mut self) -> Result<Token<'de>, Error> {
        let from = self.at;
        if self.bytes[self.at] == b'-' {
            self.at += 1;
            if self.bytes.get(self.at) == Some(&b'I') {
                return self.word("Infinity", Token::Float(f32::NEG_INFINITY));
            }
        }
        let mut whole = true;
        if self.digits() == 0 {
            return Err(self.unexpected("a digit"));
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            whole = false;
            if self.digits() == 0 {
                return Err(self.unexpected("a digit"));
            }
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            whole = false;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.unexpected("a digit"));
            }
        }
        // The bytes are all ASCII.
        let text = std::str::from_utf8(&self.bytes[from..self.at]).unwrap_or_default();
        match text.parse() {
            Ok(i) if whole => Ok(Token::Int(i)),
            _ => Ok(Token::Number(text)),
        }
    }

    /// The rest of a string, after its opening quote.
    fn string(&mut self) -> Result<Cow<'de, str>, Error> {
        let from = self.at;
        let mut escaped = false;
        loop {
            match self.bytes.get(self.at) {
                None => return Err(self.error("the file ends within a string")),
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(_) => self.at += 1,
            }
        }
        let raw = std::str::from_utf8(&self.bytes[from..self.at])
            .map_err(|e| Error::syntax(from + e.valid_up_to(), "a string is not UTF-8"))?;
        self.at += 1;
        if escaped {
            unescape(raw)
                .map(Cow::Owned)
                .ok_or_else(|| Error::syntax(from, "a string holds an unknown escape"))
        } else {
            Ok(Cow::Borrowed(raw))
        }
    }
}

fn unescape(raw: &str) -> Option<String> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let mut chars = rest[at + 1..].chars();
        match chars.next()? {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            c @ ('"' | '\\' | '/') => out.push(c),
            'u' => {
                let high = hex4(chars.as_str())?;
                chars = chars.as_str().get(4..)?.chars();
                let c = match high {
                    0xd800..0xdc00 => {
                        let low = hex4(chars.as_str().strip_prefix("\\u")?)?;
                        chars = chars.as_str().get(6..)?.chars();
                        let low = low.checked_sub(0xdc00).filter(|&l| l < 0x400)?;
                        0x10000 + ((high - 0xd800) << 10) + low
                    }
                    c => c,
                };
                out.push(char::from_u32(c)?);
            }
            _ => return None,
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    Some(out)
}

fn hex4(text: &str) -> Option<u32> {
    let digits = text.get(..4)?;
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok()
}

impl<'de> Syntax<'de> for Json<'de> {
    fn offset(&self) -> usize {
        self.at
    }

    fn value(&mut self) -> Result<Token<'de>, Error> {
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'"') => {
                self.at += 1;
                Ok(Token::Str(self.string()?))
            }
            Some(b'[') => {
                self.at += 1;
                Ok(Token::Array(Array::Open { first: true }))
            }
            Some(b'{') => {
                self.at += 1;
                Ok(Token::Object)
            }
            Some(b't') => self.word("true", Token::Bool(true)),
            Some(b'f') => self.word("false", Token::Bool(false)),
            Some(b'n') => self.word("null", Token::Null),
            Some(b'N') => self.word("NaN", Token::Float(f32::NAN)),
            Some(b'I') => self.word("Infinity", Token::Float(f32::INFINITY)),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn element(&mut self, array: &mut Array) -> Result<Option<Token<'de>>, Error> {
        let first = matches!(array, Array::Open { first: true });
        match self.peek() {
            Some(b']') => {
                self.at += 1;
                return Ok(None);
            }
            Some(b',') if !first => self.at += 1,
            _ if first => *array = Array::Open { first: false },
            _ => return Err(self.unexpected("`,` or `]`")),
        }
        self.value().map(Some)
    }

    fn key(&mut self, first: bool) -> Result<Option<Cow<'de, str>>, Error> {
        match self.peek() {
            Some(b'}') => {
                self.at += 1;
                return Ok(None);
            }
            Some(b',') if !first => self.at += 1,
            _ if first => {}
            _ => return Err(self.unexpected("`,` or `}`")),
        }
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a key"));
        }
        self.at += 1;
        let key = self.string()?;
        if self.peek() != Some(b':') {
            return Err(self.unexpected("`:`"));
        }
        self.at += 1;
        Ok(Some(key))
    }

    fn end(&mut self) -> Result<(), Error> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.unexpected("the end of the file")),
        }
    }
}
