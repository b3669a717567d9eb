//! Values to bytes and back, in the order of their fields; arrays as they stand in memory, each at
//! the next cache line.
//!
//! Reading makes sure of nothing but that bytes are there and enums are one of their variants: what
//! values mean together is checked by `check`.

use std::ops::Range;

use crate::array::{Array, Bytes, Stored};
use crate::error::{Error, ErrorKind};

/// What arrays are aligned to, counted from the first byte.
const LINE: usize = 64;

/// The reason in one line: what is wrong, and what to do.
pub(super) fn damaged(what: &str) -> Error {
    Error::new(
        ErrorKind::Saved,
        format!("a damaged plan ({what}); compile the model again"),
    )
}

/// A plan's bytes as far as they are written.
pub(super) struct Writer(pub(super) Vec<u8>);

/// A plan's bytes, and how far they are read.
pub(super) struct Reader {
    pub(super) bytes: Bytes,
    pub(super) at: usize,
}

impl Reader {
    /// The next `n` bytes.
    fn take(&mut self, n: usize) -> Result<&[u8], Error> {
        let all = AsRef::<[u8]>::as_ref(&*self.bytes);
        let end = self.at.checked_add(n);
        let part = end.and_then(|end| all.get(self.at..end));
        self.at = self.at.saturating_add(n);
        part.ok_or_else(|| damaged("it ends too early"))
    }

    /// A count of things of at least a byte each.
    fn count(&mut self) -> Result<usize, Error> {
        let n = usize::load(self)?;
        let all = AsRef::<[u8]>::as_ref(&*self.bytes).len();
        match n <= all.saturating_sub(self.at) {
            true => Ok(n),
            false => Err(damaged("it ends too early")),
        }
    }
}

/// A value that can be written and read.
pub(super) trait Saved: Sized {
    fn save(&self, to: &mut Writer);
    fn load(from: &mut Reader) -> Result<Self, Error>;
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Saved for $number {
            fn save(&self, to: &mut Writer) {
                to.0.extend(self.to_ne_bytes());
            }
            fn load(from: &mut Reader) -> Result<Self, Error> {
                let bytes = from.take(size_of::<Self>())?;
                let bytes = bytes.try_into().map_err(|_| damaged("a number"))?;
                Ok(Self::from_ne_bytes(bytes))
            }
        }
    )*};
}

numbers!(u8 u16 u32 u64 usize i32 f32 f64);

impl Saved for bool {
    fn save(&self, to: &mut Writer) {
        u8::from(*self).save(to);
    }
    fn load(from: &mut Reader) -> Result<Self, Error> {
        match u8::load(from)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(damaged("neither yes nor no")),
        }
    }
}

impl<T: Saved> Saved for Option<T> {
    fn save(&self, to: &mut Writer) {
        self.is_some().save(to);
        if let Some(value) = self {
            value.save(to);
        }
    }
    fn load(from: &mut Reader) -> Result<Self, Error> {
        match bool::load(from)? {
            true => T::load(from).map(Some),
            false => Ok(None),
        }
    }
}

impl<T: Saved, U: Saved> Saved for (T, U) {
    fn save(&self, to: &mut Writer) {
        self.0.save(to);
        self.1.save(to);
    }
    fn load(from: &mut Reader) -> Result<Self, Error> {
        Ok((T::load(from)?, U::load(from)?))
    }
}

impl<T: Saved> Saved for Range<T> {
    fn save(&self, to: &mut Writer) {
        self.start.save(to);
        self.end.save(to);
    }
    fn load(from: &mut Reader) -> Result<Self, Error> {
        Ok(T::load(from)?..T::load(from)?)
    }
}

impl<T: Saved, const N: usize> Saved for [T; N] {
    fn save(&self, to: &mut Writer) {
        self.iter().for_each(|value| value.save(to));
    }
    fn load(from: &mut Reader) -> Result<Self, Error> {
        let values: Vec<T> = (0..N).map(|_| T::load(from)).collect::<Result<_, _>>()?;
        values.try_into().map_err(|_| damaged("an array"))
    }
}

impl<T: Saved> Saved for Vec<T> {
    fn save(&self, to: &mut Writer) {
        self.len().save(to);
        self.iter().for_each(|value| value.save(to));
    }
    fn load(from: &mut Reader) -> Result<Self, Error> {
        // Not reserved: a count alone takes no memory.
        let n = from.count()?;
        let mut values = Vec::new();
        for _ in 0..n {
            values.push(T::load(from)?);
        }
        Ok(values)
    }
}

impl<T: Stored> Saved for Array<T> {
    fn save(&self, to: &mut Writer) {
        self.len().save(to);
        to.0.resize(to.0.len().next_multiple_of(LINE), 0);
        to.0.reserve(size_of_val(&self[..]));
        self.iter().for_each(|value| value.put(&mut to.0));
    }
    fn load(from: &mut Reader) -> Result<Self, Error> {
        let n = from.count()?;
        let at = from.at.next_multiple_of(LINE);
        let array = Array::of(&from.bytes, at, n).ok_or_else(|| damaged("it ends too early"))?;
        from.at = at + size_of_val(&array[..]);
        Ok(array)
    }
}

/// A struct, field by field.
macro_rules! saved {
    ([$($generic:tt)*] $name:ty { $($field:ident),+ }) => {
        impl $($generic)* $crate::saved::codec::Saved for $name {
            fn save(&self, to: &mut $crate::saved::codec::Writer) {
                let Self { $($field),+ } = self;
                $( $field.save(to); )+
            }
            fn load(
                from: &mut $crate::saved::codec::Reader,
            ) -> Result<Self, $crate::error::Error> {
                $( let $field = $crate::saved::codec::Saved::load(from)?; )+
                Ok(Self { $($field),+ })
            }
        }
    };
}

/// An enum: the number of the variant, and what it holds.
macro_rules! saved_enum {
    ([$($generic:tt)*] $name:ty {
        $( $number:literal => $variant:ident $( ( $inner:ident ) )? $( { $($field:ident),+ } )? ),+ $(,)?
    }) => {
        impl $($generic)* $crate::saved::codec::Saved for $name {
            fn save(&self, to: &mut $crate::saved::codec::Writer) {
                match self {
                    $( Self::$variant $( ( $inner ) )? $( { $($field),+ } )? => {
                        to.0.push($number);
                        $( $inner.save(to); )?
                        $( $($field.save(to);)+ )?
                    } )+
                }
            }
            fn load(
                from: &mut $crate::saved::codec::Reader,
            ) -> Result<Self, $crate::error::Error> {
                Ok(match <u8 as $crate::saved::codec::Saved>::load(from)? {
                    $( $number => {
                        $( let $inner = $crate::saved::codec::Saved::load(from)?; )?
                        $( $(let $field = $crate::saved::codec::Saved::load(from)?;)+ )?
                        Self::$variant $( ( $inner ) )? $( { $($field),+ } )?
                    } )+
                    _ => return Err($crate::saved::codec::damaged(
                        concat!("an unknown ", stringify!($name)),
                    )),
                })
            }
        }
    };
}

pub(super) use {saved, saved_enum};
