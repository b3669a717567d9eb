//! A flatbuffer, read without trust: tables, their fields, and vectors of either.
//!
//! Every offset is checked against the buffer when it is followed. A file may point at the same bytes
//! many times over, so what is read is counted: a model that unfolds to much more than its file is
//! refused. It knows no schema; which slot holds what stands in `binary`.

use std::cell::Cell;

use crate::Error;

/// How many times its own size a buffer may unfold to. Writers share only small tables.
const MAX_UNFOLDED: usize = 8;

/// The bytes, and how much may still be read from them.
pub(super) struct Buffer<'a> {
    bytes: &'a [u8],
    /// Where the bytes stand in the file, for messages.
    offset: usize,
    left: Cell<usize>,
}

impl<'a> Buffer<'a> {
    pub(super) fn new(bytes: &'a [u8], offset: usize) -> Self {
        Self {
            bytes,
            offset,
            left: Cell::new(bytes.len().saturating_mul(MAX_UNFOLDED)),
        }
    }

    /// The outermost table.
    pub(super) fn root(&self) -> Result<Table<'_>, Error> {
        self.table(0)
    }

    fn error(&self, at: usize, message: &str) -> Error {
        Error::syntax(self.offset.saturating_add(at), message)
    }

    fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], Error> {
        self.bytes
            .get(at..)
            .and_then(|rest| rest.first_chunk())
            .copied()
            .ok_or_else(|| self.error(at, "the model points beyond its end"))
    }

    /// Follows the offset that stands at `at`.
    fn target(&self, at: usize) -> Result<usize, Error> {
        let forward = u32::from_le_bytes(self.array(at)?) as usize;
        at.checked_add(forward)
            .filter(|&to| to < self.bytes.len())
            .ok_or_else(|| self.error(at, "the model points beyond its end"))
    }

    /// The table that the offset at `at` leads to.
    fn table(&self, at: usize) -> Result<Table<'_>, Error> {
        let at = self.target(at)?;
        let back = i64::from(i32::from_le_bytes(self.array(at)?));
        let vtable = usize::try_from(at as i64 - back)
            .map_err(|_| self.error(at, "a table's layout lies before the model"))?;
        let size = usize::from(u16::from_le_bytes(self.array(vtable)?));
        if size < 4 || vtable.saturating_add(size) > self.bytes.len() {
            return Err(self.error(vtable, "a table's layout does not fit the model"));
        }
        self.spend(at, 4)?;
        Ok(Table {
            buffer: self,
            at,
            vtable,
            size,
        })
    }

    /// The place and length of the vector that the offset at `at` leads to.
    fn vector(&self, at: usize, width: usize) -> Result<(usize, usize), Error> {
        let at = self.target(at)?;
        let n = u32::from_le_bytes(self.array(at)?) as usize;
        let first = at + 4;
        let fits = n
            .checked_mul(width)
            .is_some_and(|size| size <= self.bytes.len().saturating_sub(first));
        if !fits {
            return Err(self.error(at, &format!("a list of {n} does not fit the model")));
        }
        self.spend(at, n * width)?;
        Ok((first, n))
    }

    fn spend(&self, at: usize, size: usize) -> Result<(), Error> {
        match self.left.get().checked_sub(size) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(self.error(at, "the model repeats its parts more often than it may")),
        }
    }
}

/// A table: fields by slot, each of which may be absent.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    buffer: &'a Buffer<'a>,
    at: usize,
    vtable: usize,
    size: usize,
}

/// A value of a fixed size.
pub(super) trait Scalar: Sized {
    const SIZE: usize;
    fn read(bytes: &[u8]) -> Option<Self>;
}

macro_rules! scalar {
    ($($t:ty)*) => {$(
        impl Scalar for $t {
            const SIZE: usize = size_of::<$t>();
            fn read(bytes: &[u8]) -> Option<Self> {
                bytes.first_chunk().map(|b| <$t>::from_le_bytes(*b))
            }
        }
    )*};
}
scalar! { u8 u16 u32 i32 u64 f32 f64 }

/// Two values side by side, as a struct holds them.
impl<A: Scalar, B: Scalar> Scalar for (A, B) {
    const SIZE: usize = A::SIZE + B::SIZE;
    fn read(bytes: &[u8]) -> Option<Self> {
        Some((A::read(bytes)?, B::read(bytes.get(A::SIZE..)?)?))
    }
}

impl<'a> Table<'a> {
    /// Where the field in `slot` stands.
    fn field(&self, slot: usize) -> Result<Option<usize>, Error> {
        let entry = 4 + 2 * slot;
        if entry + 2 > self.size {
            return Ok(None);
        }
        let offset = usize::from(u16::from_le_bytes(self.buffer.array(self.vtable + entry)?));
        Ok((offset != 0).then_some(self.at + offset))
    }

    pub(super) fn scalar<T: Scalar>(&self, slot: usize, default: T) -> Result<T, Error> {
        let Some(at) = self.field(slot)? else {
            return Ok(default);
        };
        self.buffer
            .bytes
            .get(at..)
            .and_then(T::read)
            .ok_or_else(|| self.buffer.error(at, "a field lies beyond the model's end"))
    }

    pub(super) fn table(&self, slot: usize) -> Result<Option<Table<'a>>, Error> {
        self.field(slot)?
            .map(|at| self.buffer.table(at))
            .transpose()
    }

    pub(super) fn bytes(&self, slot: usize) -> Result<&'a [u8], Error> {
        let Some(at) = self.field(slot)? else {
            return Ok(&[]);
        };
        let (first, n) = self.buffer.vector(at, 1)?;
        Ok(&self.buffer.bytes[first..first + n])
    }

    /// Text; what is no UTF-8 in it is replaced.
    pub(super) fn text(&self, slot: usize) -> Result<String, Error> {
        Ok(String::from_utf8_lossy(self.bytes(slot)?).into_owned())
    }

    /// A list of scalars; an absent one is empty.
    pub(super) fn list<T: Scalar>(&self, slot: usize) -> Result<Vec<T>, Error> {
        let Some(at) = self.field(slot)? else {
            return Ok(Vec::new());
        };
        let (first, n) = self.buffer.vector(at, T::SIZE)?;
        Ok(self.buffer.bytes[first..first + n * T::SIZE]
            .chunks_exact(T::SIZE)
            .filter_map(T::read)
            .collect())
    }

    /// A list of texts.
    pub(super) fn texts(&self, slot: usize) -> Result<Vec<String>, Error> {
        let Some(at) = self.field(slot)? else {
            return Ok(Vec::new());
        };
        let (first, n) = self.buffer.vector(at, 4)?;
        let text = |i| {
            let (from, n) = self.buffer.vector(first + 4 * i, 1)?;
            Ok(String::from_utf8_lossy(&self.buffer.bytes[from..from + n]).into_owned())
        };
        (0..n).map(text).collect()
    }

    /// A list of tables, each turned into what is wanted.
    pub(super) fn tables<T>(
        &self,
        slot: usize,
        name: &str,
        mut read: impl FnMut(&Table<'a>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let Some(at) = self.field(slot)? else {
            return Ok(Vec::new());
        };
        let (first, n) = self.buffer.vector(at, 4)?;
        let mut items = Vec::new();
        for i in 0..n {
            let item = self
                .buffer
                .table(first + 4 * i)
                .and_then(|table| read(&table))
                .map_err(|e| e.item(i).under(name))?;
            items.push(item);
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A root table with one i32 field in slot 0 and a list of u16 in slot 2.
    fn sample() -> Vec<u8> {
        let mut b = vec![];
        b.extend(14_u32.to_le_bytes()); // the root, at 14
        b.extend([10_u16, 12, 4, 0, 8].iter().flat_map(|v| v.to_le_bytes())); // its layout, at 4
        b.extend(10_i32.to_le_bytes()); // back to the layout
        b.extend((-7_i32).to_le_bytes());
        b.extend(4_u32.to_le_bytes()); // the list, 4 on
        b.extend(2_u32.to_le_bytes());
        b.extend([3_u16, 500].iter().flat_map(|v| v.to_le_bytes()));
        b
    }

    #[test]
    fn fields_are_read_and_absent_ones_have_their_default() {
        let bytes = sample();
        let buffer = Buffer::new(&bytes, 0);
        let root = buffer.root().unwrap();
        assert_eq!(root.scalar(0, 1_i32).unwrap(), -7);
        assert_eq!(root.scalar(1, 1_i32).unwrap(), 1);
        assert_eq!(root.scalar(9, 2.5_f64).unwrap(), 2.5);
        assert_eq!(root.list::<u16>(2).unwrap(), [3, 500]);
        assert!(root.list::<u16>(1).unwrap().is_empty());
        assert_eq!(root.bytes(2).unwrap(), [3, 0]);
    }

    #[test]
    fn whatever_is_cut_or_changed_is_an_error_or_another_value() {
        let bytes = sample();
        let read = |bytes: &[u8]| -> Result<(i32, Vec<u64>), Error> {
            let buffer = Buffer::new(bytes, 0);
            let root = buffer.root()?;
            Ok((root.scalar(0, 0)?, root.list(2)?))
        };
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_err() || end > 26, "cut at {end}");
        }
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] = value;
                let _ = read(&bytes);
            }
        }
    }

    #[test]
    fn repeating_the_same_part_is_bounded() {
        let bytes = sample();
        let buffer = Buffer::new(&bytes, 0);
        let root = buffer.root().unwrap();
        let reads = (0..1000)
            .take_while(|_| root.list::<u16>(2).is_ok())
            .count();
        assert!((1..100).contains(&reads), "{reads}");
    }
}
