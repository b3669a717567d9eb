//! Ascending lists of categories as bytes: gaps or a bitmap, whichever is shorter.
//!
//! A list is a head (its length times 2, plus its form) and then, if it is not empty, its first
//! category and
//! - form 0: for each next one, its distance from the one before, less 1;
//! - form 1: a number of bytes, then that many bytes of a bitmap whose bit 0 is the first category.
//!
//! Every number is LEB128: seven bits a byte, the low ones first, the top bit set on all but the
//! last byte.

use super::Result;

/// Appends a list.
pub(super) fn write(list: &[u32], out: &mut Vec<u8>) {
    let len = list.len() as u64;
    let (Some(&first), Some(&last)) = (list.first(), list.last()) else {
        out.push(0);
        return;
    };
    let mut gaps = Vec::new();
    for pair in list.windows(2) {
        write_number(u64::from(pair[1] - pair[0] - 1), &mut gaps);
    }
    let n_bytes = (last - first) as usize / 8 + 1;
    if n_bytes < gaps.len() {
        write_number(len << 1 | 1, out);
        write_number(first.into(), out);
        write_number(n_bytes as u64, out);
        let at = out.len();
        out.resize(at + n_bytes, 0);
        for c in list {
            out[at + (c - first) as usize / 8] |= 1 << ((c - first) % 8);
        }
    } else {
        write_number(len << 1, out);
        write_number(first.into(), out);
        out.append(&mut gaps);
    }
}

/// Takes a list off the front of `bytes`.
pub(super) fn read(bytes: &mut &[u8]) -> Result<Vec<u32>> {
    let head = read_number(bytes)?;
    let len = head >> 1;
    let mut list = Vec::new();
    if len == 0 {
        return if head == 0 {
            Ok(list)
        } else {
            Err("a bitmap of no categories".into())
        };
    }
    let too_large = || "a category beyond 32 bits".to_owned();
    let first = u32::try_from(read_number(bytes)?).map_err(|_| too_large())?;
    if head & 1 == 0 {
        // Grows with the bytes that are there, whatever length is declared.
        list.push(first);
        let mut at = first;
        for _ in 1..len {
            let gap = u32::try_from(read_number(bytes)?).map_err(|_| too_large())?;
            at = gap
                .checked_add(1)
                .and_then(|g| at.checked_add(g))
                .ok_or_else(too_large)?;
            list.push(at);
        }
        return Ok(list);
    }
    let n_bytes = read_number(bytes)?;
    let bitmap = usize::try_from(n_bytes)
        .ok()
        .and_then(|n| bytes.split_at_checked(n));
    let Some((bitmap, rest)) = bitmap else {
        return Err(format!(
            "a bitmap of {n_bytes} bytes where {} are left",
            bytes.len()
        ));
    };
    *bytes = rest;
    for (i, &byte) in bitmap.iter().enumerate() {
        for bit in 0..8 {
            if byte >> bit & 1 == 1 {
                let category = u64::from(first) + (i * 8 + bit) as u64;
                list.push(u32::try_from(category).map_err(|_| too_large())?);
            }
        }
    }
    if list.len() as u64 != len {
        return Err(format!(
            "a bitmap of {} categories where {len} are declared",
            list.len()
        ));
    }
    Ok(list)
}

fn write_number(mut n: u64, out: &mut Vec<u8>) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Every number here is below 2^33, so five bytes hold it.
fn read_number(bytes: &mut &[u8]) -> Result<u64> {
    let mut n = 0;
    for i in 0..5 {
        let Some((&byte, rest)) = bytes.split_first() else {
            return Err("the bytes end within a list".into());
        };
        *bytes = rest;
        n |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            return Ok(n);
        }
    }
    Err("a number of more than five bytes".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_come_back() {
        let dense: Vec<u32> = (1000..1100).filter(|c| c % 7 != 0).collect();
        let lists: [(&[u32], usize); 6] = [
            (&[], 1),
            (&[0], 2),
            (&[u32::MAX], 6),
            (&[0, u32::MAX], 7),
            (&[3, 4, 1000], 5),
            // A bitmap: 2 bytes of head, 2 of the first, 1 of length, 13 of bits.
            (&dense, 18),
        ];
        let mut bytes = Vec::new();
        for (list, size) in lists {
            let before = bytes.len();
            write(list, &mut bytes);
            assert_eq!(bytes.len() - before, size, "{list:?}");
        }
        let mut rest = &bytes[..];
        for (list, _) in lists {
            assert_eq!(read(&mut rest).unwrap(), list);
        }
        assert!(rest.is_empty());
    }

    #[test]
    fn lies_are_refused() {
        let cases: [(&[u8], &str); 8] = [
            (&[], "end within"),
            (&[0xff; 6], "more than five"),
            (&[1], "bitmap of no categories"),
            // A thousand million categories, and one there.
            (&[0x80, 0x80, 0x80, 0x80, 0x07, 1], "end within"),
            (&[4, 0xff, 0xff, 0xff, 0xff, 0x0f, 0], "beyond 32 bits"),
            (&[4, 0xff, 0xff, 0xff, 0xff, 0x1f, 0], "beyond 32 bits"),
            (&[3, 0, 9, 1], "9 bytes where 1 are left"),
            (&[5, 0, 1, 0b111], "3 categories where 2 are declared"),
        ];
        for (bytes, what) in cases {
            let error = read(&mut &*bytes).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
    }
}
