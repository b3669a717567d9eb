//! How deep the columns of a Parquet file nest, before the library builds them.
//!
//! The schema is a flat list in the footer, but the library turns it into a tree by recursion, and
//! a hostile file can nest deep enough to overflow the stack, which nothing can catch. So this
//! walks the list first: Thrift's compact encoding, only as much of it as finding the list takes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::data::cannot_read;
use crate::{Error, Result};

/// Deeper than any table of features; the library needs a few stack frames a level.
const LIMIT: usize = 100;

/// Fails when columns nest beyond the limit, or the footer is none.
pub(super) fn check(file: &mut File) -> Result<()> {
    let footer = read_footer(file).map_err(cannot_read)?;
    match footer.and_then(|f| Compact { bytes: &f, at: 0 }.depth()) {
        Some(depth) if depth <= LIMIT => Ok(()),
        Some(_) => Err(Error::data(format!(
            "columns nest more than {LIMIT} levels deep"
        ))),
        None => Err(Error::data(
            "the Parquet file cannot be read: its footer is broken; is the file cut off?",
        )),
    }
}

/// The bytes of the footer: they stand before their length and `PAR1` at the end of the file.
fn read_footer(file: &mut File) -> io::Result<Option<Vec<u8>>> {
    let len = file.metadata()?.len();
    let Some(end) = len.checked_sub(8) else {
        return Ok(None);
    };
    file.seek(SeekFrom::Start(end))?;
    let mut tail = [0; 8];
    file.read_exact(&mut tail)?;
    let [a, b, c, d, magic @ ..] = tail;
    let footer_len = u64::from(u32::from_le_bytes([a, b, c, d]));
    if magic != *b"PAR1" || footer_len > end {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(end - footer_len))?;
    let mut footer = Vec::new();
    file.take(footer_len).read_to_end(&mut footer)?;
    Ok(Some(footer))
}

/// Thrift's compact encoding; `None` is the end of the bytes, or what they cannot mean.
struct Compact<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Kinds of values that the walk tells apart.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;
const UUID: u8 = 13;

impl Compact<'_> {
    /// The depth of the tree in the footer's field 2, the list of schema elements.
    fn depth(&mut self) -> Option<usize> {
        let mut deepest = 0;
        let mut id = 0;
        while let Some(kind) = self.field(&mut id)? {
            if (id, kind) == (2, LIST) {
                deepest = deepest.max(self.schema()?);
            } else {
                self.skip(kind, 0)?;
            }
        }
        Some(deepest)
    }

    /// The elements come in the order of a walk, each with how many children follow it.
    fn schema(&mut self) -> Option<usize> {
        let (n, kind) = self.list()?;
        if kind != STRUCT {
            return None;
        }
        let mut open: Vec<u64> = Vec::new();
        let mut deepest = 0;
        for _ in 0..n {
            let children = self.children()?;
            while open.pop_if(|left| *left == 0).is_some() {}
            if let Some(left) = open.last_mut() {
                *left -= 1;
            }
            open.push(children);
            deepest = deepest.max(open.len());
        }
        Some(deepest)
    }

    /// Field 5 of one schema element; 0 without it.
    fn children(&mut self) -> Option<u64> {
        let mut children = 0;
        let mut id = 0;
        while let Some(kind) = self.field(&mut id)? {
            if id == 5 && (I16..=I64).contains(&kind) {
                children = self.varint()? >> 1;
            } else {
                self.skip(kind, 0)?;
            }
        }
        Some(children)
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied();
        self.at += 1;
        byte
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// Steps into the next field of a struct and gives its kind; the inner `None` is the end.
    fn field(&mut self, id: &mut u64) -> Option<Option<u8>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(None);
        }
        *id = match byte >> 4 {
            0 => self.varint()? >> 1,
            delta => id.checked_add(delta.into())?,
        };
        Some(Some(byte & 0x0f))
    }

    /// The length of a list and the kind of its values.
    fn list(&mut self) -> Option<(u64, u8)> {
        let byte = self.byte()?;
        let n = match byte >> 4 {
            15 => self.varint()?,
            n => n.into(),
        };
        Some((n, byte & 0x0f))
    }

    fn advance(&mut self, n: u64) -> Option<()> {
        let at = self.at.checked_add(usize::try_from(n).ok()?)?;
        self.at = (at <= self.bytes.len()).then_some(at)?;
        Some(())
    }

    /// Steps over a value; `depth` bounds the recursion.
    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > 32 {
            return None;
        }
        match kind {
            TRUE | FALSE => Some(()),
            BYTE => self.advance(1),
            I16..=I64 => self.varint().map(|_| ()),
            DOUBLE => self.advance(8),
            BINARY => {
                let n = self.varint()?;
                self.advance(n)
            }
            LIST | SET => {
                let (n, kind) = self.list()?;
                (0..n).try_for_each(|_| self.skip_element(kind, depth))
            }
            MAP => match self.varint()? {
                0 => Some(()),
                n => {
                    let kinds = self.byte()?;
                    (0..n).try_for_each(|_| {
                        self.skip_element(kinds >> 4, depth)?;
                        self.skip_element(kinds & 0x0f, depth)
                    })
                }
            },
            STRUCT => {
                let mut id = 0;
                while let Some(kind) = self.field(&mut id)? {
                    self.skip(kind, depth + 1)?;
                }
                Some(())
            }
            UUID => self.advance(16),
            _ => None,
        }
    }

    /// An element of a list or map: there a truth value is a byte of its own.
    fn skip_element(&mut self, kind: u8, depth: usize) -> Option<()> {
        match kind {
            TRUE | FALSE => self.advance(1),
            kind => self.skip(kind, depth + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(bytes: &[u8]) -> Option<usize> {
        Compact { bytes, at: 0 }.depth()
    }

    #[test]
    fn depth_of_the_tree() {
        // Elements: `0x55 n*2 0` has n children, `0` none.
        for (elements, n, want) in [
            (&[0x55, 4, 0, 0, 0][..], 3, 2),
            (&[0x55, 4, 0, 0x55, 2, 0, 0, 0], 4, 3),
            (&[0x55, 2, 0, 0x55, 2, 0, 0x55, 2, 0, 0], 4, 4),
        ] {
            let mut footer = vec![0x15, 2, 0x19, n << 4 | STRUCT];
            footer.extend(elements);
            // A double, a map of strings to truth values, the end.
            footer.extend([0x17, 0, 0, 0, 0, 0, 0, 0, 0, 0x1b, 1, 0x81, 1, b'a', 1, 0]);
            assert_eq!(depth(&footer), Some(want));
            for end in 0..footer.len() {
                assert_eq!(depth(&footer[..end]), None, "cut at {end}");
            }
        }
        assert_eq!(depth(&[0x2c; 100]), None, "structs in structs");
        assert_eq!(depth(&[0x19, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x0f]), None);
    }
}
