//! Numbers of a few bits each, packed without gaps: the lowest bit of the first byte comes first.

/// Packs numbers into bytes.
#[derive(Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits not yet in `bytes`, fewer than 8 between calls.
    pending: u64,
    n_pending: u32,
}

impl BitWriter {
    /// Appends the lowest `width` bits of `value`, which has no others.
    pub(super) fn push(&mut self, value: u32, width: u32) {
        debug_assert!(u64::from(value) < 1 << width);
        self.pending |= u64::from(value) << self.n_pending;
        self.n_pending += width;
        while self.n_pending >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.n_pending -= 8;
        }
    }

    /// The bytes, the last one filled up with zeros.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.n_pending > 0 {
            self.bytes.push(self.pending as u8);
        }
        self.bytes
    }
}

/// Unpacks what [`BitWriter`] packed.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    pending: u64,
    n_pending: u32,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            pending: 0,
            n_pending: 0,
        }
    }

    /// The next `width` bits, at most 32; `None` where fewer are left.
    pub(super) fn read(&mut self, width: u32) -> Option<u32> {
        while self.n_pending < width {
            let (&byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            self.pending |= u64::from(byte) << self.n_pending;
            self.n_pending += 8;
        }
        let value = self.pending & ((1 << width) - 1);
        self.pending >>= width;
        self.n_pending -= width;
        Some(value as u32)
    }

    /// Whether nothing is left but the zeros that fill the last byte.
    pub(super) fn is_done(&self) -> bool {
        self.bytes.is_empty() && self.n_pending < 8 && self.pending == 0
    }
}

/// How many bits tell `n` things apart.
pub(super) fn width(n: usize) -> u32 {
    n.saturating_sub(1)
        .checked_ilog2()
        .map_or(0, |bits| bits + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_width_come_back() {
        let items = [
            (1, 1),
            (0, 1),
            (5, 3),
            (0, 0),
            (u32::MAX, 32),
            (8191, 13),
            (1, 32),
        ];
        let mut w = BitWriter::default();
        for (value, width) in items {
            w.push(value, width);
        }
        let bytes = w.finish();
        assert_eq!(bytes.len(), 11); // 82 bits
        let mut r = BitReader::new(&bytes);
        for (value, width) in items {
            assert!(!r.is_done() || width == 0);
            assert_eq!(r.read(width), Some(value));
        }
        assert!(r.is_done());
        assert_eq!(r.read(7), None);
    }

    #[test]
    fn first_bit_is_the_lowest() {
        let mut w = BitWriter::default();
        w.push(1, 1);
        w.push(0b10, 2);
        assert_eq!(w.finish(), [0b101]);
    }

    #[test]
    fn what_is_left_over_shows() {
        assert!(!BitReader::new(&[0]).is_done());
        let mut r = BitReader::new(&[0b100]);
        r.read(1);
        assert!(!r.is_done());
        r.read(2);
        assert!(r.is_done());
    }

    #[test]
    fn widths() {
        for (n, bits) in [
            (0, 0),
            (1, 0),
            (2, 1),
            (3, 2),
            (256, 8),
            (257, 9),
            (1 << 32, 32),
        ] {
            assert_eq!(width(n), bits, "{n}");
        }
    }
}
