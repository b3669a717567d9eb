//! Blocks: 512 rows at a time, aligned to cache lines.
//!
//! A [`Plane`] is one bit of each row of a block (64 bytes, one line, one AVX-512 register); a
//! [`Block`] is one value of each row.

/// Rows of a block.
pub(crate) const ROWS: usize = 512;
/// 64-bit words of a plane.
pub(crate) const WORDS: usize = ROWS / 64;

/// One bit of each row: bit `r % 64` of word `r / 64`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub(crate) struct Plane(pub(crate) [u64; WORDS]);

impl Plane {
    pub(crate) const ZERO: Self = Self([0; WORDS]);
    pub(crate) const ONE: Self = Self([u64::MAX; WORDS]);
}

/// One value of each row.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Block<T>(pub(crate) [T; ROWS]);

impl<T: Copy + Default> Default for Block<T> {
    fn default() -> Self {
        Self([T::default(); ROWS])
    }
}

/// The precision of a column of values.
pub(crate) trait Value: Copy + Default + PartialOrd + Send + Sync + 'static {
    fn widen(self) -> f64;
    fn narrow(x: f64) -> Self;
    fn is_missing(self) -> bool;
}

impl Value for f32 {
    #[inline(always)]
    fn widen(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn narrow(x: f64) -> Self {
        x as f32
    }
    #[inline(always)]
    fn is_missing(self) -> bool {
        self.is_nan()
    }
}

impl Value for f64 {
    #[inline(always)]
    fn widen(self) -> f64 {
        self
    }
    #[inline(always)]
    fn narrow(x: f64) -> Self {
        x
    }
    #[inline(always)]
    fn is_missing(self) -> bool {
        self.is_nan()
    }
}

/// Columns of a block in the precision they are compared in.
#[derive(Clone, Copy)]
pub(crate) enum Columns<'a> {
    F32(&'a [Block<f32>]),
    F64(&'a [Block<f64>]),
}
