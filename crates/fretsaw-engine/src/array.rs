//! Arrays that a plan owns, or borrows from the bytes of a saved one.
//!
//! What kernels read is a slice either way; where it lies is settled once. An array grows only while
//! a plan is compiled.
//!
//! unsafe: slices of memory that is held beside them, and bytes taken as the numbers they are.
#![allow(unsafe_code)]

use std::mem::{align_of, size_of};
use std::ops::Deref;
use std::sync::Arc;

use crate::block::Plane;

/// The bytes of a saved plan, shared by what was loaded from them.
pub(crate) type Bytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// A value that is stored as it stands in memory.
///
/// # Safety
/// Any bytes are a value of it.
pub(crate) unsafe trait Stored: Copy + Send + Sync + 'static {
    /// Appends the value as it stands in memory, `size_of::<Self>()` bytes, padding as zeros.
    fn put(&self, out: &mut Vec<u8>);
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        // SAFETY: any bytes are a number.
        unsafe impl Stored for $number {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend(self.to_ne_bytes());
            }
        }
    )*};
}

numbers!(u8 u16 u32 u64 i32 f32 f64);

// SAFETY: an array is its elements, without padding between them.
unsafe impl<T: Stored, const N: usize> Stored for [T; N] {
    fn put(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|value| value.put(out));
    }
}

// SAFETY: a plane is its words.
unsafe impl Stored for Plane {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }
}

/// A struct of the C layout that is stored as it stands in memory. All of its fields are named, in
/// their order; the types are checked to be stored so themselves.
macro_rules! stored {
    ([$($generic:tt)*] $name:ty { $($field:ident),+ }) => {
        // SAFETY: all fields are of types of which any bytes are a value: `put` takes them all.
        #[allow(unsafe_code)]
        unsafe impl $($generic)* $crate::array::Stored for $name {
            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($field),+ } = self;
                let start = out.len();
                $(
                    out.resize(start + std::mem::offset_of!(Self, $field), 0);
                    $crate::array::Stored::put($field, out);
                )+
                out.resize(start + size_of::<Self>(), 0);
            }
        }
    };
}

pub(crate) use stored;

/// Values next to each other, owned or borrowed.
pub(crate) struct Array<T> {
    start: *const T,
    len: usize,
    held: Held<T>,
}

enum Held<T> {
    Own(Vec<T>),
    /// Kept for as long as `start` points into it.
    Shared {
        _bytes: Bytes,
    },
}

// SAFETY: an array is used as a shared slice of `T`, whose owner it holds.
unsafe impl<T: Send + Sync> Send for Array<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Array<T> {}

impl<T> Deref for Array<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: `start` and `len` are those of what is held, which nothing changes but `change`,
        // and that takes them anew.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

impl<T> From<Vec<T>> for Array<T> {
    fn from(own: Vec<T>) -> Self {
        Self {
            start: own.as_ptr(),
            len: own.len(),
            held: Held::Own(own),
        }
    }
}

impl<T> Default for Array<T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<T: Clone> Array<T> {
    /// Changes the values; those that are borrowed are copied first.
    pub(crate) fn change<R>(&mut self, how: impl FnOnce(&mut Vec<T>) -> R) -> R {
        let mut own = match std::mem::take(self).held {
            Held::Own(own) => own,
            Held::Shared { .. } => unreachable!("only plans in the making change"),
        };
        let result = how(&mut own);
        *self = own.into();
        result
    }

    pub(crate) fn change_last(&mut self, how: impl FnOnce(&mut T)) {
        self.change(|own| own.last_mut().map(how));
    }

    pub(crate) fn push(&mut self, value: T) {
        self.change(|own| own.push(value));
    }

    pub(crate) fn extend(&mut self, values: impl IntoIterator<Item = T>) {
        self.change(|own| own.extend(values));
    }
}

impl<T: Stored> Array<T> {
    /// The `len` values at `at` of the bytes: where they lie if they are aligned there, else copied.
    /// `None` where they end before.
    pub(crate) fn of(bytes: &Bytes, at: usize, len: usize) -> Option<Self> {
        let end = at.checked_add(len.checked_mul(size_of::<T>())?)?;
        // Asked once a loaded array, and what it gives lives as long as what is asked.
        let part = AsRef::<[u8]>::as_ref(&**bytes).get(at..end)?;
        let start = part.as_ptr();
        if start.align_offset(align_of::<T>()) == 0 {
            return Some(Self {
                start: start.cast(),
                len,
                held: Held::Shared {
                    _bytes: Arc::clone(bytes),
                },
            });
        }
        let mut own: Vec<T> = Vec::with_capacity(len);
        // SAFETY: there is room for `len` values, whose bytes `part` is; any bytes are values.
        unsafe {
            std::ptr::copy_nonoverlapping(start, own.as_mut_ptr().cast::<u8>(), part.len());
            own.set_len(len);
        }
        Some(own.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligned_values_stay_where_they_lie() {
        let room: Arc<Vec<u8>> = Arc::new((0..100).collect());
        let bytes: Bytes = Arc::clone(&room) as Bytes;
        let first = room.as_ptr().align_offset(4);
        let here = Array::<u32>::of(&bytes, first, 5).unwrap();
        assert_eq!(here.as_ptr().cast(), &raw const room[first]);
        assert!(matches!(here.held, Held::Shared { .. }));
        let copied = Array::<u32>::of(&bytes, first + 1, 5).unwrap();
        assert!(matches!(copied.held, Held::Own(_)));
        for (array, at) in [(here, first), (copied, first + 1)] {
            let want = room[at..at + 20].as_chunks().0.iter();
            assert!(
                want.map(|b| u32::from_ne_bytes(*b))
                    .eq(array.iter().copied())
            );
        }
        assert!(Array::<u32>::of(&bytes, 90, 3).is_none());
        assert!(Array::<u32>::of(&bytes, 4, usize::MAX / 2).is_none());
    }
}
