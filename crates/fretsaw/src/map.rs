//! A file's bytes as memory: mapped where the system can, read elsewhere.
//!
//! A mapping is a window on the file and no copy of it: pages come as they are looked at, and the
//! system may drop them again. Another process that writes into the file meanwhile is seen; one that
//! cuts it off ends this process when what is gone is looked at (SIGBUS). Nothing is locked.
#![allow(unsafe_code)]

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::ops::{Deref, Range};

use memmap2::Mmap;

/// The bytes of a file.
pub(crate) enum Bytes {
    Mapped(Mmap),
    Read(Vec<u8>),
}

impl Bytes {
    /// All of `file`.
    pub(crate) fn of(file: &mut File) -> io::Result<Self> {
        // SAFETY: the mapping is only read, as bytes or as numbers, of which any bytes are a value. What
        // is written into the file meanwhile changes numbers; nothing that indexes memory is taken from
        // here but what a parser has checked and copied.
        if let Ok(map) = unsafe { Mmap::map(&*file) } {
            // Read ahead further than usual; where that is refused, nothing is lost.
            #[cfg(unix)]
            let _ = map.advise(memmap2::Advice::Sequential);
            return Ok(Self::Mapped(map));
        }
        // An empty file, or a system without mappings for it.
        let mut bytes = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut bytes)?;
        Ok(Self::Read(bytes))
    }

    /// Gives memory back that holds some of it, where it is the system's to fetch it again.
    pub(crate) fn forget(&self, bytes: Range<usize>) {
        #[cfg(unix)]
        if let Self::Mapped(map) = self
            && bytes.end <= map.len()
            && !bytes.is_empty()
        {
            // SAFETY: the mapping is shared and never written to, so what is dropped is what the file
            // holds, and comes from there again when it is looked at.
            let _ = unsafe {
                map.unchecked_advise_range(
                    memmap2::UncheckedAdvice::DontNeed,
                    bytes.start,
                    bytes.len(),
                )
            };
        }
        #[cfg(not(unix))]
        let _ = bytes;
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Read(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

/// Numbers without padding, of which any bytes are a value. Implemented here and nowhere else.
pub(crate) trait Number: Copy {}

macro_rules! numbers {
    ($($t:ty)*) => {
        $(impl Number for $t {})*
    };
}

numbers!(f32 f64 i8 i16 i32 i64 u8 u16 u32 u64);

/// The numbers, in this machine's order, that `bytes` are; `None` where they are not aligned so, or
/// no whole number of them.
pub(crate) fn numbers<T: Number>(bytes: &[u8]) -> Option<&[T]> {
    // SAFETY: `Number` is implemented above for types of which any bytes are a value, and for no others.
    let (before, numbers, after) = unsafe { bytes.align_to::<T>() };
    (before.is_empty() && after.is_empty()).then_some(numbers)
}

/// The bytes of `numbers`, in this machine's order.
pub(crate) fn bytes<T: Number>(numbers: &[T]) -> &[u8] {
    // SAFETY: any byte is a u8, and `Number` is implemented above for types without padding only.
    unsafe { numbers.align_to::<u8>().1 }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn files_are_seen_whole() {
        for text in ["", "some bytes"] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let bytes = Bytes::of(&mut file).unwrap();
            assert_eq!(&*bytes, text.as_bytes());
            bytes.forget(0..text.len());
            bytes.forget(1..1000);
            assert_eq!(&*bytes, text.as_bytes(), "fetched again");
        }
    }

    #[test]
    fn numbers_are_their_bytes() {
        let values = [1.5_f32, f32::NAN, -0.0];
        let raw = bytes(&values);
        assert_eq!(raw[..4], 1.5_f32.to_ne_bytes());
        let back = numbers::<f32>(raw).unwrap();
        assert_eq!(bytes(back), raw);
        assert!(numbers::<f32>(&raw[1..9]).is_none(), "not aligned");
        assert!(numbers::<f32>(&raw[..11]).is_none(), "a part of one");
        assert_eq!(numbers::<f64>(&[]), Some(&[][..]));
    }
}
