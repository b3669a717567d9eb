//! Columns of values as tables hold them in memory: slices of one type, and bits for what is there.
//!
//! This is the layout of Arrow's primitive arrays, and of each column of an array in Fortran order,
//! borrowed; nothing is copied or converted before a predictor reads it. It is no table: names, types
//! of text and chunks are the caller's.

use crate::{Error, Float};

/// One feature's values, borrowed. NaN and what is marked as not there are missing values.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    values: Values<'a>,
    valid: Option<Bits<'a>>,
}

#[derive(Clone, Copy, Debug)]
enum Values<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
    I8(&'a [i8]),
    I16(&'a [i16]),
    I32(&'a [i32]),
    I64(&'a [i64]),
    U8(&'a [u8]),
    U16(&'a [u16]),
    U32(&'a [u32]),
    U64(&'a [u64]),
    Bool(Bits<'a>),
    /// So many missing values.
    None(usize),
}

/// Bits, the least significant of each byte first.
#[derive(Clone, Copy, Debug)]
pub struct Bits<'a> {
    bytes: &'a [u8],
    first: usize,
    len: usize,
}

impl<'a> Bits<'a> {
    /// `len` bits of `bytes`, from the bit `first` on.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn new(bytes: &'a [u8], first: usize, len: usize) -> Result<Self, Error> {
        match first.checked_add(len) {
            Some(end) if end.div_ceil(8) <= bytes.len() => Ok(Self { bytes, first, len }),
            _ => Err(Error::rows(format!(
                "{} bytes are not {len} bits from bit {first} on",
                bytes.len()
            ))),
        }
    }

    fn get(self, at: usize) -> bool {
        assert!(at < self.len, "a bit within the column");
        let at = self.first + at;
        self.bytes[at / 8] >> (at % 8) & 1 == 1
    }

    /// The 64 bits from `at` on; those beyond the end are of no meaning.
    fn word(self, at: usize) -> u64 {
        let at = self.first + at;
        let byte = |i: usize| u64::from(self.bytes.get(at / 8 + i).copied().unwrap_or(0));
        let low = (0..8).fold(0, |word, i| word | byte(i) << (8 * i));
        match at % 8 {
            0 => low,
            shift => low >> shift | byte(8) << (64 - shift),
        }
    }

    fn slice(self, first: usize, len: usize) -> Self {
        assert!(
            first <= self.len && len <= self.len - first,
            "bits within the column"
        );
        let first = self.first + first;
        Self { first, len, ..self }
    }
}

macro_rules! columns_of {
    ($($kind:ident $t:ty),*) => {
        $(impl<'a> From<&'a [$t]> for Column<'a> {
            fn from(values: &'a [$t]) -> Self {
                Self { values: Values::$kind(values), valid: None }
            }
        })*

        impl<'a> Column<'a> {
            /// How many values it holds.
            pub fn len(&self) -> usize {
                match self.values {
                    $(Values::$kind(v) => v.len(),)*
                    Values::Bool(bits) => bits.len,
                    Values::None(n) => n,
                }
            }

            /// Some of it, without a copy.
            ///
            /// # Panics
            /// When it is shorter.
            pub fn slice(&self, first: usize, len: usize) -> Self {
                let values = match self.values {
                    $(Values::$kind(v) => Values::$kind(&v[first..first + len]),)*
                    Values::Bool(bits) => Values::Bool(bits.slice(first, len)),
                    Values::None(n) => {
                        assert!(first <= n && len <= n - first, "values within the column");
                        Values::None(len)
                    }
                };
                let valid = self.valid.map(|bits| bits.slice(first, len));
                Self { values, valid }
            }

            /// One value, cast to `float` and widened.
            ///
            /// # Panics
            /// When it is shorter.
            pub fn get(&self, at: usize, float: Float) -> f64 {
                if self.valid.is_some_and(|bits| !bits.get(at)) {
                    return f64::NAN;
                }
                match self.values {
                    $(Values::$kind(v) => v[at].cast(float),)*
                    Values::Bool(bits) => f64::from(u8::from(bits.get(at))),
                    Values::None(n) => {
                        assert!(at < n, "a value within the column");
                        f64::NAN
                    }
                }
            }

            /// Writes `of` each value, cast to `float` and widened, to `out`, as far as both go.
            pub fn write<'o, T: 'o>(
                &self,
                float: Float,
                out: impl Iterator<Item = &'o mut T>,
                of: impl Fn(f64) -> T,
            ) {
                match self.values {
                    $(Values::$kind(v) => write(v, self.valid, float, out, of),)*
                    Values::Bool(bits) => {
                        for (at, out) in (0..bits.len).zip(out) {
                            *out = of(self.get(at, float));
                        }
                    }
                    Values::None(n) => out.take(n).for_each(|out| *out = of(f64::NAN)),
                }
            }
        }

        $(impl Number for $t {
            #[inline(always)]
            fn cast(self, float: Float) -> f64 {
                match float {
                    Float::F32 => f64::from(self as f32),
                    Float::F64 => self as f64,
                }
            }
        })*
    };
}

columns_of!(
    F32 f32, F64 f64, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64
);

/// A number that is cast once: an i64 that went to f32 through f64 would be rounded twice.
trait Number: Copy {
    fn cast(self, float: Float) -> f64;
}

fn write<'o, N: Number, T: 'o>(
    values: &[N],
    valid: Option<Bits<'_>>,
    float: Float,
    mut out: impl Iterator<Item = &'o mut T>,
    of: impl Fn(f64) -> T,
) {
    match (valid, float) {
        // Apart, so that the precision is known within the loop.
        (None, Float::F32) => {
            for (x, out) in values.iter().zip(out) {
                *out = of(x.cast(Float::F32));
            }
        }
        (None, Float::F64) => {
            for (x, out) in values.iter().zip(out) {
                *out = of(x.cast(Float::F64));
            }
        }
        (Some(valid), _) => {
            for (first, values) in (0..).step_by(64).zip(values.chunks(64)) {
                let word = valid.word(first);
                for (i, (x, out)) in values.iter().zip(&mut out).enumerate() {
                    let is_there = word >> i & 1 == 1;
                    *out = of(if is_there { x.cast(float) } else { f64::NAN });
                }
            }
        }
    }
}

impl<'a> Column<'a> {
    /// Truth values: 0 and 1.
    pub fn bools(bits: Bits<'a>) -> Self {
        Self {
            values: Values::Bool(bits),
            valid: None,
        }
    }

    /// `len` missing values.
    pub fn missing(len: usize) -> Self {
        Self {
            values: Values::None(len),
            valid: None,
        }
    }

    /// The same with a bit a value that tells whether it is there: Arrow's validity.
    ///
    /// # Errors
    /// When there is another number of bits than of values.
    pub fn with_validity(self, bits: Bits<'a>) -> Result<Self, Error> {
        if bits.len != self.len() {
            return Err(Error::rows(format!(
                "{} bits of validity for {} values",
                bits.len,
                self.len()
            )));
        }
        Ok(Self {
            valid: Some(bits),
            ..self
        })
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether every value that it may hold is exact in f32.
    pub fn fits_f32(&self) -> bool {
        !matches!(
            self.values,
            Values::F64(_) | Values::I32(_) | Values::I64(_) | Values::U32(_) | Values::U64(_)
        )
    }

    /// Whether it is of f32.
    pub fn is_f32(&self) -> bool {
        matches!(self.values, Values::F32(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_arrow_s() {
        let bytes = [0b1010_0110, 0xff, 0x00, 1, 2, 3, 4, 5, 6, 7];
        for first in 0..20 {
            let bits = Bits::new(&bytes, first, 60).unwrap();
            for at in 0..60 {
                assert_eq!(bits.word(0) >> at & 1 == 1, bits.get(at), "{first} {at}");
                assert_eq!(bits.slice(at, 1).get(0), bits.get(at));
            }
        }
        let bits = Bits::new(&bytes, 0, 80).unwrap();
        assert!(!bits.get(0) && bits.get(1) && bits.get(8) && !bits.get(16));
        Bits::new(&bytes, 1, 80).unwrap_err();
        Bits::new(&bytes, usize::MAX, 2).unwrap_err();
    }

    /// Each type is cast once, to the precision asked for.
    #[test]
    fn numbers_are_cast_once() {
        // Halfway between two f32 but for its last bit, which f64 does not hold.
        let values = [(1_i64 << 60) + (1 << 36) + 1];
        let (x, column) = (values[0], Column::from(&values[..]));
        assert_eq!(column.get(0, Float::F32), f64::from(x as f32));
        assert_ne!(column.get(0, Float::F32), f64::from(x as f64 as f32));
        let mut got = [0.0; 2];
        column.write(Float::F32, got.iter_mut(), |x| x);
        assert_eq!(got, [f64::from(x as f32), 0.0]);
    }

    #[test]
    fn what_is_not_there_is_missing() {
        let values: Vec<u16> = (0..150).collect();
        let bytes = [0b0101_0101; 20];
        let column = Column::from(&values[..]);
        column
            .with_validity(Bits::new(&bytes, 0, 149).unwrap())
            .unwrap_err();
        let column = column
            .with_validity(Bits::new(&bytes, 1, 150).unwrap())
            .unwrap()
            .slice(3, 140);
        let mut got = [0.0; 140];
        column.write(Float::F64, got.iter_mut(), |x| x);
        for (at, x) in got.iter().enumerate() {
            let want = if at % 2 == 0 {
                (at + 3) as f64
            } else {
                f64::NAN
            };
            assert_eq!(x.to_bits(), want.to_bits(), "{at}");
            assert_eq!(column.get(at, Float::F64).to_bits(), want.to_bits(), "{at}");
        }
        let bools = Column::bools(Bits::new(&[0b10], 0, 2).unwrap());
        assert_eq!([0, 1].map(|i| bools.get(i, Float::F32)), [0.0, 1.0]);
        assert!(Column::missing(1).get(0, Float::F32).is_nan());
    }
}
