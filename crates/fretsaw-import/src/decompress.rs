//! zlib and gzip, bounded: a file may not say how large it becomes.

use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use crate::Error;

/// The largest model that is unpacked.
pub(crate) const MAX_BYTES: u64 = 1 << 30;

pub(crate) fn zlib(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    read(ZlibDecoder::new(bytes), "zlib")
}

pub(crate) fn gzip(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    read(MultiGzDecoder::new(bytes), "gzip")
}

fn read(decoder: impl Read, name: &str) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let n = decoder
        .take(MAX_BYTES + 1)
        .read_to_end(&mut out)
        .map_err(|e| Error::syntax(out.len(), format!("{name} cannot unpack the file: {e}")))?;
    if n as u64 > MAX_BYTES {
        return Err(Error::invalid(format!(
            "{name} unpacks to more than {MAX_BYTES} bytes"
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

    #[test]
    fn what_was_packed_is_unpacked_and_what_was_cut_is_refused() {
        let text = b"booster ".repeat(100);
        let mut z = ZlibEncoder::new(Vec::new(), Compression::default());
        z.write_all(&text).unwrap();
        let z = z.finish().unwrap();
        let mut g = GzEncoder::new(Vec::new(), Compression::default());
        g.write_all(&text).unwrap();
        let g = g.finish().unwrap();
        assert_eq!(zlib(&z).unwrap(), text);
        assert_eq!(gzip(&g).unwrap(), text);
        for n in 0..z.len() {
            assert!(zlib(&z[..n]).is_err(), "{n} bytes");
        }
        for n in 1..g.len() {
            assert!(gzip(&g[..n]).is_err(), "{n} bytes");
        }
    }
}
