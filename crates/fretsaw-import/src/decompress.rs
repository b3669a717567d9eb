//! What joblib may have packed a file with, bounded: a small file may become a large one, but not any
//! size that it likes.

use std::io::{self, Read};

use bzip2::read::MultiBzDecoder;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use lz4_flex::frame::FrameDecoder;
use lzma_rust2::{LzmaReader, XzReader};

use crate::{Error, Format};

/// The largest model that is unpacked from a file of a size that a model may have.
pub(crate) const MAX_BYTES: u64 = 1 << 30;
/// In KiB, what xz and LZMA may keep to look back at: enough for their strongest preset, 64 MiB.
const MAX_DICTIONARY: u32 = 66 << 10;

/// Unpacks a file in one of the compressed formats; `None` for any other.
pub(crate) fn unpack(format: Format, bytes: &[u8]) -> Option<Result<Vec<u8>, Error>> {
    let unpacked = match format {
        Format::Zlib => read(bytes, ZlibDecoder::new(bytes)),
        Format::Gzip => read(bytes, MultiGzDecoder::new(bytes)),
        Format::Bzip2 => read(bytes, MultiBzDecoder::new(bytes)),
        Format::Xz => read(bytes, XzReader::new_mem_limit(bytes, true, MAX_DICTIONARY)),
        Format::Lzma => LzmaReader::new_mem_limit(bytes, MAX_DICTIONARY, None)
            .and_then(|decoder| read(bytes, decoder)),
        Format::Lz4 => read(bytes, FrameDecoder::new(bytes)),
        _ => return None,
    };
    Some(unpacked.map_err(|e| Error::invalid(format!("the file cannot be unpacked: {e}"))))
}

/// How large a file of `n` bytes may become. Forests take a tenth of their size at best; arrays of
/// one number repeated take far less, but are no models of any size.
fn limit(n: usize) -> u64 {
    const TIMES: u64 = 256;
    const AT_LEAST: u64 = 16 << 20;
    let n = n as u64;
    let at_most = MAX_BYTES.max(n.saturating_mul(16));
    n.saturating_mul(TIMES).clamp(AT_LEAST, at_most)
}

fn read(bytes: &[u8], decoder: impl Read) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let limit = limit(bytes.len());
    let n = decoder.take(limit + 1).read_to_end(&mut out)?;
    if n as u64 > limit {
        return Err(io::Error::other(format!(
            "its {} bytes become more than {limit}; unpack it first, if it is to be trusted",
            bytes.len()
        )));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};
    use std::io::Write;

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn bzip2(text: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), Default::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn lz4(text: &[u8]) -> Vec<u8> {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// `"booster " * 100` by Python's `lzma`, whose two formats nothing here can write.
    const XZ: &[u8] = b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4F\x02\0!\x01\x16\0\0\0t/\xe5\xa3\xe0\x03\x1f\0\x12]\x001\x1b\xec\xe6w\xbc=\x0d\xdeq\xf6\xf9\x05\x04\x15\x03\0\0\0\0\0^@S\xccu\x86\0'\0\x01.\xa0\x06\0\0\0\xd1p\xbf\xab\xb1\xc4g\xfb\x02\0\0\0\0\x04YZ";
    const LZMA: &[u8] = b"]\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\x001\x1b\xec\xe6w\xbc=\x0d\xdeq\xf6\xf9\x05\x04K\xa9\x9b\xff\xff\xe7\x16\0\0";

    #[test]
    fn what_was_packed_is_unpacked_and_what_was_cut_is_refused() {
        let text = b"booster ".repeat(100);
        let cases = [
            (Format::Zlib, zlib(&text)),
            (Format::Gzip, gzip(&text)),
            (Format::Bzip2, bzip2(&text)),
            (Format::Lz4, lz4(&text)),
            (Format::Xz, XZ.to_vec()),
            (Format::Lzma, LZMA.to_vec()),
        ];
        for (format, packed) in cases {
            assert_eq!(crate::detect(&packed), format);
            assert_eq!(
                unpack(format, &packed).unwrap().unwrap(),
                text,
                "{format:?}"
            );
            for n in 1..packed.len() {
                let cut = unpack(format, &packed[..n]).unwrap();
                // A frame of LZ4 that is cut between its blocks counts as whole: what was packed is
                // then cut short, and whoever reads it will notice.
                let prefix = |cut: Vec<u8>| format == Format::Lz4 && text.starts_with(&cut);
                assert!(cut.map_or(true, prefix), "{format:?}: {n} bytes are enough");
            }
        }
        assert!(unpack(Format::Pickle, &text).is_none());
    }

    #[test]
    fn a_file_does_not_become_any_size_that_it_likes() {
        let zeros = vec![0; (16 << 20) + 1];
        for (format, packed) in [(Format::Zlib, zlib(&zeros)), (Format::Bzip2, bzip2(&zeros))] {
            let line = unpack(format, &packed).unwrap().unwrap_err().to_string();
            assert!(line.contains("become more than 16777216"), "{line}");
        }
        // A dictionary of 4 GiB less one byte is refused before it is made.
        let mut lzma = LZMA.to_vec();
        lzma[1..5].fill(0xff);
        assert!(unpack(Format::Lzma, &lzma).unwrap().is_err());
        assert_eq!(
            [limit(1 << 10), limit(1 << 20), limit(1 << 27)],
            [1 << 24, 1 << 28, 1 << 31]
        );
    }
}
