//! Memory that a run needs, kept between runs so that none is allocated after the first of a shape.

use std::fmt;

use crate::block::{Block, Plane};
use crate::walk::Walking;

/// Working memory of one thread. It grows to what a run needs and is then reused; any scratch
/// serves any plan.
#[derive(Default)]
pub struct Scratch {
    pub(crate) narrow: Staged<f32>,
    pub(crate) wide: Staged<f64>,
    /// One row while steps are applied.
    pub(crate) row: Vec<f64>,
    pub(crate) planes: Vec<Plane>,
    pub(crate) codes: Vec<Block<u8>>,
    pub(crate) walking: Walking,
    pub(crate) sums_f32: Sums<f32>,
    pub(crate) sums_f64: Sums<f64>,
    pub(crate) sums_i32: Sums<i32>,
    /// The table that a program gives the body.
    pub(crate) block: Vec<f64>,
    /// Tables of a program's steps, by number.
    pub(crate) tables: Vec<Vec<f64>>,
    /// f32 margins of an ensemble within a program.
    pub(crate) margins: Vec<f32>,
}

/// Rows on their way in.
#[derive(Default)]
pub(crate) struct Staged<R> {
    pub(crate) prepared: Vec<R>,
    pub(crate) columns: Vec<Block<R>>,
}

/// Sums on their way out, one an output.
#[derive(Default)]
pub(crate) struct Sums<A> {
    pub(crate) blocks: Vec<Block<A>>,
    pub(crate) few: Vec<A>,
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scratch({} bytes)", self.memory())
    }
}

impl Scratch {
    /// Bytes held.
    pub fn memory(&self) -> usize {
        fn staged<R>(s: &Staged<R>) -> usize {
            s.prepared.capacity() * size_of::<R>() + s.columns.capacity() * size_of::<Block<R>>()
        }
        fn sums<A>(s: &Sums<A>) -> usize {
            s.blocks.capacity() * size_of::<Block<A>>() + s.few.capacity() * size_of::<A>()
        }
        staged(&self.narrow)
            + staged(&self.wide)
            + self.row.capacity() * size_of::<f64>()
            + self.planes.capacity() * size_of::<Plane>()
            + self.codes.capacity() * size_of::<Block<u8>>()
            + self.walking.memory()
            + sums(&self.sums_f32)
            + sums(&self.sums_f64)
            + sums(&self.sums_i32)
            + self.block.capacity() * size_of::<f64>()
            + self.margins.capacity() * size_of::<f32>()
            + self
                .tables
                .iter()
                .map(|t| t.capacity() * size_of::<f64>())
                .sum::<usize>()
    }
}
