//! Leaf tables and the order in which they are added up.
//!
//! Sliced trees are taken in batches: first the codes of all trees of a batch, then, output by
//! output, the leaves that the codes look up, in the framework's order. Trees of different
//! outputs may change places (their sums never meet); trees of one output never do, unless the
//! sum is of integers: then trees of one weight and size of leaf are put together, so that they
//! are added in 16 bits and weighted once.

use fretsaw_model::{Sum, Target, Tree};

use crate::array::Array;
use crate::block::{Plane, ROWS};

/// Trees whose codes are kept before their leaves are added: 8 KiB of codes.
pub(crate) const BATCH: usize = 16;
/// Codes of a table: what two registers of words hold, twice as many, or all that a byte can be.
pub(crate) const WIDTHS: [usize; 3] = [64, 128, 256];

/// The width of the table of a tree with so many codes.
fn width_for(n_codes: usize) -> usize {
    let widest = WIDTHS[WIDTHS.len() - 1];
    WIDTHS.into_iter().find(|&n| n_codes <= n).unwrap_or(widest)
}

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
    F32(Array<f32>),
    F64(Array<f64>),
    I32(Array<i32>),
}

impl Values {
    pub(crate) fn new(sum: Sum) -> Self {
        match sum {
            Sum::F32 => Self::F32(Array::default()),
            Sum::F64 => Self::F64(Array::default()),
            Sum::I32 => Self::I32(Array::default()),
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

/// How a kernel wants values held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Plain,
    /// A byte at a time,
    Bytes,
    /// or 16 bits,
    Words,
    /// and integers of one byte as such.
    WordsOrBytes,
}

/// The tables of all sliced trees.
pub(crate) enum Tables {
    /// One of [`WIDTHS`] values each.
    Plain(Values),
    /// Word `j` of 32 values is one line, so that a value is looked up 16 bits at a time: for each
    /// word of a value the lines of codes 0..32, 32..64 and so on. Or byte `j` of 64 values, and
    /// the lines of codes 0..64, 64..128 and so on.
    Lines {
        lines: Array<Plane>,
        sum: Sum,
        held: Held,
    },
}

impl Tables {
    pub(crate) fn memory(&self) -> usize {
        match self {
            Self::Plain(v) => v.memory(),
            Self::Lines { lines, .. } => size_of_val(&lines[..]),
        }
    }

    /// Adds the table of one output of a tree and gives where it starts.
    fn push(&mut self, leaf_of_code: &[u32], value: impl Fn(u32) -> f64, form: Form) -> usize {
        let n = width_for(leaf_of_code.len());
        // Codes beyond the tree's own never come up.
        let of_code = (0..n).map(|c| leaf_of_code.get(c).map_or(0.0, |&leaf| value(leaf)));
        match self {
            Self::Plain(values) => {
                let at = values.len();
                values.extend(of_code, form.in_table);
                at
            }
            Self::Lines { lines, sum, held } => {
                let unit = if *held == Held::Bytes { 1 } else { 2 };
                let at = lines.len();
                let w = form.in_table;
                match (sum, form.bytes) {
                    (Sum::F32, _) => {
                        slice(
                            lines,
                            unit,
                            of_code.map(|x| f32::weighted(x, w).to_le_bytes()),
                        );
                    }
                    (Sum::F64, _) => {
                        slice(
                            lines,
                            unit,
                            of_code.map(|x| f64::weighted(x, w).to_le_bytes()),
                        );
                    }
                    (Sum::I32, 1) => slice(lines, 1, of_code.map(|x| (x as i8).to_le_bytes())),
                    (Sum::I32, 2) => slice(lines, 2, of_code.map(|x| (x as i16).to_le_bytes())),
                    (Sum::I32, _) => {
                        slice(
                            lines,
                            unit,
                            of_code.map(|x| i32::weighted(x, w).to_le_bytes()),
                        );
                    }
                }
                at
            }
        }
    }

    /// How a tree's values for one output are held.
    fn form(&self, values: impl Iterator<Item = f64>, weight: f64) -> Form {
        let whole = Form {
            bytes: 4,
            in_table: weight,
            after: 1,
            largest: 0,
        };
        let bytes = match self {
            Self::Lines {
                sum: Sum::I32,
                held: held @ (Held::Words | Held::WordsOrBytes),
                ..
            } => *held == Held::WordsOrBytes,
            _ => return whole,
        };
        let (low, high) = values.fold((0.0_f64, 0.0_f64), |(low, high), v| {
            (low.min(v), high.max(v))
        });
        let short = Form {
            bytes: 2,
            in_table: 1.0,
            after: weight as i32,
            largest: high.max(-low) as i32,
        };
        if bytes && low >= f64::from(i8::MIN) && high <= f64::from(i8::MAX) {
            Form { bytes: 1, ..short }
        } else if short.largest <= i32::from(i16::MAX) / FEWEST {
            short
        } else {
            whole
        }
    }
}

/// Trees that must fit a sum of 16 bits for it to pay.
const FEWEST: i32 = 4;

/// How the values of a table are held and summed.
#[derive(Clone, Copy, Debug)]
struct Form {
    /// Bytes of a value, where an integer's may be fewer than four.
    bytes: u8,
    /// The weight that the values in the table already have,
    in_table: f64,
    /// and the one that their sum is multiplied by.
    after: i32,
    /// The largest magnitude of an integer of one or two bytes.
    largest: i32,
}

/// Adds the lines of `values`, `unit` bytes of each value at a time.
fn slice<const N: usize>(
    lines: &mut Array<Plane>,
    unit: usize,
    values: impl Iterator<Item = [u8; N]>,
) {
    let values: Vec<[u8; N]> = values.collect();
    for j in (0..N).step_by(unit) {
        for chunk in values.chunks_exact(64 / unit) {
            let byte = |at: usize| chunk[at / unit][j + at % unit];
            lines.push(Plane(std::array::from_fn(|w| {
                u64::from_le_bytes(std::array::from_fn(|b| byte(8 * w + b)))
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
    /// Codes of a table, one of [`WIDTHS`].
    pub(crate) width: u16,
    /// Bytes of an integer in the tables: those of 1 or 2 are summed in 16 bits, which the run is
    /// short enough for, and weighted afterwards.
    pub(crate) bytes: u8,
    pub(crate) weight: i32,
    pub(crate) first: u32,
    pub(crate) len: u32,
}

/// Some trees: the groups of their routes, then their look-ups.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    pub(crate) first_group: u32,
    pub(crate) n_groups: u32,
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
    pub(crate) fn new(sum: Sum, held: Held) -> Self {
        let tables = match held {
            Held::Plain => Tables::Plain(Values::new(sum)),
            held => Tables::Lines {
                lines: Array::default(),
                sum,
                held,
            },
        };
        Self {
            batches: Vec::new(),
            runs: Vec::new(),
            jobs: Vec::new(),
            tables,
        }
    }

    /// Adds a batch of at most [`BATCH`] trees, whose routes are those of `groups`; `width` is how
    /// many outputs vector leaves have.
    pub(crate) fn push(
        &mut self,
        groups: std::ops::Range<usize>,
        trees: &[(&Tree, Vec<u32>)],
        width: usize,
    ) {
        let mut jobs = Vec::new();
        for (slot, (tree, leaf_of_code)) in trees.iter().enumerate() {
            let width_of_table = width_for(leaf_of_code.len()) as u16;
            let mut job = |output: usize, stride: usize, k: usize| {
                let form = self.tables.form(
                    tree.leaves.iter().skip(k).step_by(stride).copied(),
                    tree.weight,
                );
                let value = |leaf: u32| tree.leaves[leaf as usize * stride + k];
                let table = self.tables.push(leaf_of_code, value, form);
                let job = Job {
                    slot: slot as u32,
                    table: table as u32,
                };
                let run = JobRun {
                    output: output as u32,
                    width: width_of_table,
                    bytes: form.bytes,
                    weight: form.after,
                    first: 0,
                    len: 1,
                };
                jobs.push((run, form.largest, job));
            };
            match tree.target {
                Target::Output(k) => job(k as usize, 1, 0),
                Target::All => (0..width).for_each(|k| job(k, width, k)),
            }
        }
        // Stable: trees of one output keep their order, unless they are added as integers.
        match &self.tables {
            Tables::Lines { sum: Sum::I32, .. } => {
                jobs.sort_by_key(|(run, ..)| (run.output, run.weight, run.bytes, run.width));
            }
            _ => jobs.sort_by_key(|(run, ..)| run.output),
        }
        let first_run = self.runs.len();
        let mut total = 0;
        for (mut run, largest, job) in jobs {
            let key = |r: &JobRun| (r.output, r.weight, r.bytes, r.width);
            total += largest;
            match self.runs[first_run..].last_mut() {
                Some(last) if key(last) == key(&run) && total <= i32::from(i16::MAX) => {
                    last.len += 1;
                }
                _ => {
                    total = largest;
                    run.first = self.jobs.len() as u32;
                    self.runs.push(run);
                }
            }
            self.jobs.push(job);
        }
        self.batches.push(Batch {
            first_group: groups.start as u32,
            n_groups: groups.len() as u32,
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

/// Where the kernel that looks bytes up keeps the sum of a row: joining bytes within 128-bit lanes
/// leaves groups of rows in another order, always the same within 32.
pub(crate) fn byte_slot(row: usize, value_bytes: usize) -> usize {
    let (chunk, lane, within) = (row / 32, row / 16 % 2, row % 16);
    let per_lane = 16 / value_bytes;
    let slot = chunk * 32 + (within / per_lane * 2 + lane) * per_lane + within % per_lane;
    debug_assert!(slot < ROWS);
    slot
}

/// Where the kernels that look words up keep the sum of a row: even rows and odd ones apart, and
/// joining words within 128-bit lanes leaves them in another order, always the same within 64.
pub(crate) fn line_slot(row: usize, value_bytes: usize) -> usize {
    let (chunk, odd, pair) = (row / 64, row % 2, row % 64 / 2);
    let (lane, within) = (pair / 8, pair % 8);
    let per_lane = 16 / value_bytes;
    let register = odd * (8 / per_lane) + within / per_lane;
    let slot = chunk * 64 + (register * 4 + lane) * per_lane + within % per_lane;
    debug_assert!(slot < ROWS);
    slot
}
