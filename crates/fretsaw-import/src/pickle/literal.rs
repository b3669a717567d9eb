//! Numbers and text in the forms that only pickles have.

use std::borrow::Cow;

use super::Value;
use crate::Error;

/// An integer in decimal.
pub(super) fn integer<'a>(text: &str) -> Result<Value<'a>, Error> {
    if let Ok(i) = text.parse() {
        return Ok(Value::Int(i));
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        Ok(Value::BigInt)
    } else {
        Err(Error::invalid("a line that should be an integer"))
    }
}

/// Little-endian two's complement of any length.
pub(super) fn long<'a>(bytes: &[u8]) -> Value<'a> {
    if bytes.len() > 8 {
        return Value::BigInt;
    }
    let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
    let mut wide = [if negative { 0xff } else { 0 }; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    Value::Int(i64::from_le_bytes(wide))
}

/// A quoted string of Python 2, as protocol 0 writes `str`.
pub(super) fn python_literal<'a>(line: &'a str) -> Result<Value<'a>, Error> {
    let fault = || Error::invalid("a line that should be a quoted string");
    let inner = ['\'', '"']
        .iter()
        .find_map(|&q| line.strip_prefix(q)?.strip_suffix(q))
        .ok_or_else(fault)?;
    if !inner.contains('\\') {
        return Ok(Value::Str(Cow::Borrowed(inner)));
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner.bytes();
    while let Some(b) = rest.next() {
        if b != b'\\' {
            out.push(b);
            continue;
        }
        out.push(match rest.next().ok_or_else(fault)? {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b @ (b'\\' | b'\'' | b'"') => b,
            b'x' => {
                let mut digit = || {
                    let b = rest.next().ok_or_else(fault)?;
                    char::from(b).to_digit(16).ok_or_else(fault)
                };
                (digit()? * 16 + digit()?) as u8
            }
            _ => return Err(fault()),
        });
    }
    Ok(match String::from_utf8(out) {
        Ok(text) => Value::Str(Cow::Owned(text)),
        Err(e) => Value::Bytes(Cow::Owned(e.into_bytes())),
    })
}

/// Python's raw-unicode-escape: Latin-1, but for `\uXXXX` and `\UXXXXXXXX`.
pub(super) fn raw_unicode_escape(line: &[u8]) -> Result<Cow<'_, str>, Error> {
    if let Ok(text) = std::str::from_utf8(line)
        && text.is_ascii()
        && !text.contains('\\')
    {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = match (byte, tail.first()) {
            (b'\\', Some(b'u')) => 4,
            (b'\\', Some(b'U')) => 8,
            _ => {
                out.push(char::from(byte));
                rest = tail;
                continue;
            }
        };
        let c = tail
            .get(1..=digits)
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .and_then(char::from_u32)
            .ok_or_else(|| Error::invalid("a broken escape in a text"))?;
        out.push(c);
        rest = &tail[1 + digits..];
    }
    Ok(Cow::Owned(out))
}
