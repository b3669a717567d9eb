//! Leaf tables and the order in which they are added up.
//!
//! Sliced trees are taken in batches: first the codes of all trees of a batch, then, output by
//! output, the leaves that the codes look up, in the framework's order. Trees of different
//! outputs may change places (their sums never meet); trees of one output never do.

use fretsaw_model::{Sum, Target, Tree};

use crate::block::{Plane, ROWS};

/// Trees whose codes are kept before their leaves are added: 8 KiB of codes.
pub(crate) const BATCH: usize = 16;
/// Codes of a narrow table: what a register permutes at once.
pub(crate) const NARROW: usize = 64;
/// Codes of a wide table: all that a byte can be.
pub(crate) const WIDE: usize = 256;

/// A leaf value as it is added to the sum.
pub(crate) trait Leaf: Copy + Default + PartialEq + Send + Sync + 'static {
    /// `value * weight` in the precision of the sum.
    fn weighted(value: f64, weight: f64) -> Self;
    fn plus(self, other: Self) -> Self;
}

impl Leaf for f32 {
    #[inline(always)]
    fn weighted(value: f64, weight: f64) -> Self {
        value as f32 * weight as f32
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self + other
    }
}

impl Leaf for f64 {
    #[inline(always)]
    fn weighted(value: f64, weight: f64) -> Self {
        value * weight
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self + other
    }
}

impl Leaf for i32 {
    #[inline(always)]
    fn weighted(value: f64, weight: f64) -> Self {
        (value * weight) as i32
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        // The model's check bounds every sum; what a block's unused rows hold may wrap.
        self.wrapping_add(other)
    }
}

/// Values in the type of the sum.
pub(crate) enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I32(Vec<i32>),
}

impl Values {
    pub(crate) fn new(sum: Sum) -> Self {
        match sum {
            Sum::F32 => Self::F32(Vec::new()),
            Sum::F64 => Self::F64(Vec::new()),
            Sum::I32 => Self::I32(Vec::new()),
        }
    }

    pub(crate) fn extend(&mut self, values: impl Iterator<Item = f64>, weight: f64) {
        match self {
            Self::F32(v) => v.extend(values.map(|x| f32::weighted(x, weight))),
            Self::F64(v) => v.extend(values.map(|x| f64::weighted(x, weight))),
            Self::I32(v) => v.extend(values.map(|x| i32::weighted(x, weight))),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::F64(v) => v.len(),
            Self::I32(v) => v.len(),
        }
    }

    pub(crate) fn memory(&self) -> usize {
        match self {
            Self::F32(v) => 4 * v.len(),
            Self::F64(v) => 8 * v.len(),
            Self::I32(v) => 4 * v.len(),
        }
    }
}

/// The tables of all sliced trees.
pub(crate) enum Tables {
    /// [`NARROW`] or [`WIDE`] values each.
    Plain(Values),
    /// Byte `j` of 64 values is one line, so that a value is looked up a byte at a time: 4 or 8
    /// lines for a narrow table, in order of `j`; for a wide one 4 lines (codes 0..64, 64..128,
    /// ...) for each `j`.
    Bytes { lines: Vec<Plane>, sum: Sum },
}

impl Tables {
    pub(crate) fn memory(&self) -> usize {
        match self {
            Self::Plain(v) => v.memory(),
            Self::Bytes { lines, .. } => size_of_val(&lines[..]),
        }
    }

    /// Adds the table of one output of a tree and gives where it starts.
    fn push(&mut self, leaf_of_code: &[u32], value: impl Fn(u32) -> f64, weight: f64) -> usize {
        let n = if leaf_of_code.len() <= NARROW {
            NARROW
        } else {
            WIDE
        };
        // Codes beyond the tree's own never come up.
        let of_code = (0..n).map(|c| leaf_of_code.get(c).map_or(0.0, |&leaf| value(leaf)));
        match self {
            Self::Plain(values) => {
                let at = values.len();
                values.extend(of_code, weight);
                at
            }
            Self::Bytes { lines, sum } => {
                let at = lines.len();
                match sum {
                    Sum::F32 => slice(
                        lines,
                        of_code.map(|x| f32::weighted(x, weight).to_le_bytes()),
                    ),
                    Sum::F64 => slice(
                        lines,
                        of_code.map(|x| f64::weighted(x, weight).to_le_bytes()),
                    ),
                    Sum::I32 => slice(
                        lines,
                        of_code.map(|x| i32::weighted(x, weight).to_le_bytes()),
                    ),
                }
                at
            }
        }
    }
}

fn slice<const N: usize>(lines: &mut Vec<Plane>, values: impl Iterator<Item = [u8; N]>) {
    let values: Vec<[u8; N]> = values.collect();
    for j in 0..N {
        for chunk in values.chunks_exact(64) {
            lines.push(Plane(std::array::from_fn(|w| {
                u64::from_le_bytes(std::array::from_fn(|b| chunk[8 * w + b][j]))
            })));
        }
    }
}

/// One look-up: the codes of a tree of the batch in one table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    /// The tree's place in the batch.
    pub(crate) slot: u32,
    /// Where the table starts.
    pub(crate) table: u32,
}

/// Look-ups that add to one output, in order, in tables of one width.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JobRun {
    pub(crate) output: u32,
    pub(crate) wide: bool,
    pub(crate) first: u32,
    pub(crate) len: u32,
}

/// Some trees: their routes, then their look-ups.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    pub(crate) first_route: u32,
    pub(crate) n_routes: u32,
    pub(crate) first_run: u32,
    pub(crate) n_runs: u32,
}

/// All batches and what they point into.
pub(crate) struct Leaves {
    pub(crate) batches: Vec<Batch>,
    pub(crate) runs: Vec<JobRun>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) tables: Tables,
}

impl Leaves {
    pub(crate) fn new(sum: Sum, bytes: bool) -> Self {
        let tables = if bytes {
            Tables::Bytes {
                lines: Vec::new(),
                sum,
            }
        } else {
            Tables::Plain(Values::new(sum))
        };
        Self {
            batches: Vec::new(),
            runs: Vec::new(),
            jobs: Vec::new(),
            tables,
        }
    }

    /// Adds a batch of at most [`BATCH`] trees, whose routes start at `first_route`.
    pub(crate) fn push(&mut self, first_route: usize, trees: &[(&Tree, Vec<u32>)], width: usize) {
        let mut jobs = Vec::new();
        for (slot, (tree, leaf_of_code)) in trees.iter().enumerate() {
            let wide = leaf_of_code.len() > NARROW;
            let mut job = |output: usize, stride: usize, k: usize| {
                let value = |leaf: u32| tree.leaves[leaf as usize * stride + k];
                let table = self.tables.push(leaf_of_code, value, tree.weight);
                let job = Job {
                    slot: slot as u32,
                    table: table as u32,
                };
                jobs.push((output as u32, wide, job));
            };
            match tree.target {
                Target::Output(k) => job(k as usize, 1, 0),
                Target::All => (0..width).for_each(|k| job(k, width, k)),
            }
        }
        // Stable: trees of one output keep their order.
        jobs.sort_by_key(|&(output, ..)| output);
        let first_run = self.runs.len();
        for (output, wide, job) in jobs {
            match self.runs[first_run..].last_mut() {
                Some(run) if run.output == output && run.wide == wide => run.len += 1,
                _ => self.runs.push(JobRun {
                    output,
                    wide,
                    first: self.jobs.len() as u32,
                    len: 1,
                }),
            }
            self.jobs.push(job);
        }
        self.batches.push(Batch {
            first_route: first_route as u32,
            n_routes: trees.len() as u32,
            first_run: first_run as u32,
            n_runs: (self.runs.len() - first_run) as u32,
        });
    }

    pub(crate) fn memory(&self) -> usize {
        size_of_val(&self.batches[..])
            + size_of_val(&self.runs[..])
            + size_of_val(&self.jobs[..])
            + self.tables.memory()
    }
}

/// Where the kernel that looks bytes up keeps the sum of a row: interleaving bytes within
/// 128-bit lanes leaves groups of rows in another order, always the same within 64.
pub(crate) fn byte_slot(row: usize, value_bytes: usize) -> usize {
    let (chunk, lane, within) = (row / 64, row / 16 % 4, row % 16);
    let per_lane = 16 / value_bytes;
    let slot =
        chunk * 64 + within / per_lane * (64 / value_bytes) + lane * per_lane + within % per_lane;
    debug_assert!(slot < ROWS);
    slot
}
