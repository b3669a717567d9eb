//! The bytes of a pickle, taken piece by piece; nothing is taken that is not there.

use std::borrow::Cow;

use crate::Error;

/// What is left of a pickle.
pub(super) struct Input<'a> {
    bytes: &'a [u8],
    /// The byte that is read next.
    pub(super) at: usize,
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn take(&mut self, n: usize) -> Result<&'a [u8], Error> {
        let rest = &self.bytes[self.at..];
        match rest.get(..n) {
            Some(taken) => {
                self.at += n;
                Ok(taken)
            }
            None => Err(Error::syntax(
                self.at,
                format!("{n} bytes should follow, the pickle has {}", rest.len()),
            )),
        }
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Error> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u32(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<usize, Error> {
        // What does not fit is beyond the input in any case.
        Ok(usize::try_from(u64::from_le_bytes(self.array()?)).unwrap_or(usize::MAX))
    }

    pub(super) fn text(&mut self, n: usize) -> Result<Cow<'a, str>, Error> {
        let at = self.at;
        match std::str::from_utf8(self.take(n)?) {
            Ok(s) => Ok(Cow::Borrowed(s)),
            Err(e) => Err(Error::syntax(
                at + e.valid_up_to(),
                "text that is not UTF-8",
            )),
        }
    }

    pub(super) fn raw_line(&mut self) -> Result<&'a [u8], Error> {
        let from = self.at;
        let Some(n) = self.bytes[from..].iter().position(|&b| b == b'\n') else {
            return Err(Error::syntax(from, "the pickle ends within a line"));
        };
        self.at += n + 1;
        Ok(&self.bytes[from..from + n])
    }

    pub(super) fn line(&mut self) -> Result<&'a str, Error> {
        let from = self.at;
        std::str::from_utf8(self.raw_line()?)
            .map_err(|_| Error::syntax(from, "text that is not UTF-8"))
    }

    pub(super) fn line_as<T: std::str::FromStr>(&mut self) -> Result<T, Error> {
        let from = self.at;
        self.line()?
            .parse()
            .map_err(|_| Error::syntax(from, "a line that should be a number"))
    }
}
