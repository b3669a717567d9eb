//! Zip archives as skops writes them: stored or deflated members, found by the central directory.
//! No ZIP64, no encryption, no parts; what else a zip may hold is refused.

use std::io::Read;

use flate2::Crc;
use flate2::read::DeflateDecoder;

use crate::Error;
use crate::decompress::MAX_BYTES;
use crate::error::shown;

/// An archive, its directory read.
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    members: Vec<Entry<'a>>,
    /// How many bytes may still be unpacked, whatever the members claim.
    left: u64,
}

/// A member, as the central directory has it.
struct Entry<'a> {
    name: &'a [u8],
    flags: u16,
    method: u16,
    crc: u32,
    packed: u32,
    size: u32,
    header: u32,
}

const END: &[u8] = b"PK\x05\x06";
const END_SIZE: usize = 22;
const CENTRAL: &[u8] = b"PK\x01\x02";
const CENTRAL_SIZE: usize = 46;
const LOCAL: &[u8] = b"PK\x03\x04";
const LOCAL_SIZE: usize = 30;
const LONGEST_COMMENT: usize = 65_535;

fn fault(at: usize, what: &str) -> Error {
    Error::syntax(at, format!("the zip archive is broken: {what}"))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    let two = bytes.get(at..at + 2).and_then(|b| b.try_into().ok());
    u16::from_le_bytes(two.unwrap_or_default())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
    u32::from_le_bytes(four.unwrap_or_default())
}

impl<'a> Archive<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Error> {
        let from = bytes.len().saturating_sub(END_SIZE + LONGEST_COMMENT);
        let tail = &bytes[from..];
        let end = tail
            .windows(END.len())
            .rposition(|w| w == END)
            .filter(|at| tail.len() - at >= END_SIZE)
            .ok_or_else(|| fault(bytes.len(), "its end is missing; is the file cut short?"))?;
        let end = from + end;
        let n = u16_at(bytes, end + 10);
        let mut at = u32_at(bytes, end + 16) as usize;
        let mut members = Vec::new();
        for _ in 0..n {
            let short = || fault(at, "its directory is cut short");
            let entry = bytes.get(at..).ok_or_else(short)?;
            if entry.len() < CENTRAL_SIZE || !entry.starts_with(CENTRAL) {
                return Err(short());
            }
            let name = usize::from(u16_at(entry, 28));
            let more = usize::from(u16_at(entry, 30)) + usize::from(u16_at(entry, 32));
            members.push(Entry {
                name: entry
                    .get(CENTRAL_SIZE..CENTRAL_SIZE + name)
                    .ok_or_else(short)?,
                flags: u16_at(entry, 8),
                method: u16_at(entry, 10),
                crc: u32_at(entry, 16),
                packed: u32_at(entry, 20),
                size: u32_at(entry, 24),
                header: u32_at(entry, 42),
            });
            at += CENTRAL_SIZE + name + more;
        }
        members.sort_by_key(|m| m.name);
        Ok(Self {
            bytes,
            members,
            left: MAX_BYTES,
        })
    }

    /// Whether there is a member of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<&Entry<'a>> {
        let at = self
            .members
            .binary_search_by_key(&name.as_bytes(), |m| m.name);
        self.members.get(at.ok()?)
    }

    /// Unpacks a member.
    pub(super) fn read(&mut self, name: &str) -> Result<Vec<u8>, Error> {
        let entry = self.find(name).ok_or_else(|| {
            Error::invalid(format!("the zip archive has no member `{}`", shown(name)))
        })?;
        let at = entry.header as usize;
        let local = self.bytes.get(at..).unwrap_or_default();
        if local.len() < LOCAL_SIZE || !local.starts_with(LOCAL) {
            return Err(fault(at, "a member is not where the directory says"));
        }
        let skip = LOCAL_SIZE + usize::from(u16_at(local, 26)) + usize::from(u16_at(local, 28));
        let packed = local
            .get(skip..)
            .and_then(|rest| rest.get(..entry.packed as usize))
            .ok_or_else(|| fault(at, "a member is cut short"))?;
        // Bit 0: encrypted.
        if entry.flags & 1 != 0 || !matches!(entry.method, 0 | 8) {
            return Err(Error::unsupported(
                format!("a zip archive with compression method {}", entry.method),
                "plain and deflated members are read; is it encrypted?",
            ));
        }
        let size = u64::from(entry.size);
        if size > self.left {
            return Err(Error::invalid(format!(
                "the zip archive unpacks to more than {MAX_BYTES} bytes"
            )));
        }
        let crc = entry.crc;
        let mut out = Vec::new();
        let read = if entry.method == 0 {
            packed.take(size + 1).read_to_end(&mut out)
        } else {
            DeflateDecoder::new(packed)
                .take(size + 1)
                .read_to_end(&mut out)
        };
        read.map_err(|e| fault(at, &format!("a member cannot be unpacked: {e}")))?;
        let mut sum = Crc::new();
        sum.update(&out);
        if out.len() as u64 != size || sum.sum() != crc {
            return Err(fault(at, "a member is not what the directory says"));
        }
        self.left -= size;
        Ok(out)
    }
}
