//! A row as bytes: for every feature the number of cuts that its value has reached.
//!
//! A tree of a few dozen nodes asks a handful of features about at most 255 cuts each, so the
//! answers to all of its tests are in one byte a feature: `x < cuts[i]` is `rank <= i`, where the
//! rank is how many cuts are not above `x`. This loses nothing. Finding a rank is a search of two
//! levels, sixteen cuts at a time; it is done once a row, whatever the number of trees.
//!
//! A column is one such byte. A feature has one column for each answer to a missing value that its
//! tests give, and where it has more cuts than a byte counts, one for every 255 of them. A test
//! that is no plain comparison has a column of its own, 0 where it holds and 1 where not.

use std::collections::{HashMap, HashSet};

use fretsaw_model::{Float, ceil32};

use crate::error::{Error, ErrorKind};
use crate::predicate::{Op, Predicate, PredicateMap, SetTest, Start};
use crate::prepare::Row;

/// Columns of a row.
pub(crate) const MAX_COLUMNS: usize = 256;
/// Cuts that a byte counts.
const CUTS: usize = 255;
/// Cuts that are compared at once.
const LINE: usize = 16;
/// Where a rank is put that nobody asks for.
pub(crate) const NOWHERE: usize = MAX_COLUMNS;

/// The row, and room for ranks that nobody asks for.
#[repr(C, align(64))]
pub(crate) struct RowBytes(pub(crate) [u8; MAX_COLUMNS + 64]);

impl RowBytes {
    pub(crate) fn new() -> Self {
        Self([0; MAX_COLUMNS + 64])
    }
}

/// Sixteen cuts, ascending. What is left over is NaN, which no value reaches.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Line<T>(pub(crate) [T; LINE]);

/// How to rank the values of one feature.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search {
    pub(crate) feature: u32,
    /// The first line: of pivots (the last cut of each full line), then of all cuts.
    pub(crate) first: u32,
    pub(crate) n_pivot_lines: u16,
    /// Where the ranks go: by whether a missing value is answered yes or no.
    pub(crate) yes: u16,
    pub(crate) no: u16,
    /// Columns for each of the two.
    pub(crate) n_pieces: u16,
}

/// How to turn rows into bytes.
#[derive(Default)]
pub(crate) struct Ranker {
    pub(crate) searches: Vec<Search>,
    pub(crate) narrow: Vec<Line<f32>>,
    /// Empty where rows are compared in f32.
    pub(crate) wide: Vec<Line<f64>>,
    pub(crate) odd: Vec<(Predicate, u16)>,
    pub(crate) n_columns: usize,
    /// For each feature its search, and for each odd test its column.
    pub(crate) places: Places,
}

#[derive(Default)]
pub(crate) struct Places {
    cuts: HashMap<u32, (Search, Vec<f64>), Start>,
    odd: PredicateMap<u16>,
}

/// A row in either precision.
pub(crate) enum Slice<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
}

/// A value that can be ranked.
pub(crate) trait Ranked: Row {
    fn slice(x: &[Self]) -> Slice<'_>;
    fn lines(ranker: &Ranker) -> &[Line<Self>];
}

impl Ranked for f32 {
    fn slice(x: &[Self]) -> Slice<'_> {
        Slice::F32(x)
    }
    fn lines(ranker: &Ranker) -> &[Line<Self>] {
        &ranker.narrow
    }
}

impl Ranked for f64 {
    fn slice(x: &[Self]) -> Slice<'_> {
        Slice::F64(x)
    }
    fn lines(ranker: &Ranker) -> &[Line<Self>] {
        &ranker.wide
    }
}

/// The tests that trees ask, as long as they fit in the columns of a row.
#[derive(Default)]
pub(crate) struct Census {
    seen: HashSet<(u32, u64), Start>,
    features: HashMap<u32, Asked, Start>,
    odd: HashSet<Predicate, Start>,
    n_columns: usize,
}

#[derive(Clone, Copy, Default)]
struct Asked {
    n_cuts: usize,
    /// The answers to a missing value that are asked for.
    yes: bool,
    no: bool,
}

impl Asked {
    fn n_columns(self) -> usize {
        self.n_cuts.div_ceil(CUTS) * (usize::from(self.yes) + usize::from(self.no))
    }
}

impl Census {
    /// Takes the tests of one tree, all or (false: there are too many) none.
    pub(crate) fn admit(&mut self, predicates: &[Predicate]) -> bool {
        let mut features: HashMap<u32, Asked, Start> = HashMap::default();
        let (mut cuts, mut odd) = (Vec::new(), Vec::new());
        for p in predicates {
            if p.op != Op::Less {
                if !self.odd.contains(p) {
                    odd.push(*p);
                }
                continue;
            }
            let known = self.features.get(&p.feature).copied().unwrap_or_default();
            let asked = features.entry(p.feature).or_insert(known);
            let cut = (p.feature, p.threshold().to_bits());
            if self.seen.insert(cut) {
                cuts.push(cut);
                asked.n_cuts += 1;
            }
            asked.yes |= p.nan;
            asked.no |= !p.nan;
        }
        let grown: usize = features
            .iter()
            .map(|(f, asked)| {
                asked.n_columns() - self.features.get(f).map_or(0, |known| known.n_columns())
            })
            .sum();
        if self.n_columns + grown + odd.len() > MAX_COLUMNS {
            for cut in &cuts {
                self.seen.remove(cut);
            }
            return false;
        }
        self.n_columns += grown + odd.len();
        self.features.extend(features);
        self.odd.extend(odd);
        true
    }

    /// Numbers the columns.
    pub(crate) fn ranker(self, compare: Float) -> Result<Ranker, Error> {
        let mut cuts: Vec<(u32, f64)> = self
            .seen
            .into_iter()
            .map(|(feature, bits)| (feature, f64::from_bits(bits)))
            .collect();
        cuts.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut ranker = Ranker::default();
        for of_feature in cuts.chunk_by(|a, b| a.0 == b.0) {
            let feature = of_feature[0].0;
            let cuts: Vec<f64> = of_feature.iter().map(|&(_, t)| t).collect();
            let asked = self.features[&feature];
            let n_pieces = cuts.len().div_ceil(CUTS);
            let mut columns = |used: bool| {
                if !used {
                    return NOWHERE as u16;
                }
                ranker.n_columns += n_pieces;
                (ranker.n_columns - n_pieces) as u16
            };
            let (yes, no) = (columns(asked.yes), columns(asked.no));
            let n_pivots = cuts.len() / LINE;
            let search = Search {
                feature,
                first: u32::try_from(ranker.narrow.len()).map_err(|_| {
                    Error::new(ErrorKind::Unsupported, "too many cuts to be numbered")
                })?,
                n_pivot_lines: n_pivots.div_ceil(LINE).max(1) as u16,
                yes,
                no,
                n_pieces: n_pieces as u16,
            };
            let narrow = |t: f64| ceil32(t);
            lines(
                &mut ranker.narrow,
                &cuts,
                search.n_pivot_lines,
                f32::NAN,
                narrow,
            );
            if compare == Float::F64 {
                lines(
                    &mut ranker.wide,
                    &cuts,
                    search.n_pivot_lines,
                    f64::NAN,
                    |t| t,
                );
            }
            ranker.searches.push(search);
            ranker.places.cuts.insert(feature, (search, cuts));
        }
        let mut odd: Vec<Predicate> = self.odd.into_iter().collect();
        odd.sort_unstable();
        for p in odd {
            ranker.odd.push((p, ranker.n_columns as u16));
            ranker.places.odd.insert(p, ranker.n_columns as u16);
            ranker.n_columns += 1;
        }
        debug_assert_eq!(ranker.n_columns, self.n_columns);
        Ok(ranker)
    }
}

/// Appends the pivots of `cuts`, then the cuts; the last line is never full.
fn lines<T: Copy>(
    out: &mut Vec<Line<T>>,
    cuts: &[f64],
    n_pivot_lines: u16,
    nan: T,
    of: impl Fn(f64) -> T,
) {
    let pivots = cuts.chunks_exact(LINE).map(|line| line[LINE - 1]);
    let mut of_pivots = vec![Line([nan; LINE]); usize::from(n_pivot_lines)];
    for (i, pivot) in pivots.enumerate() {
        of_pivots[i / LINE].0[i % LINE] = of(pivot);
    }
    let mut of_cuts = vec![Line([nan; LINE]); cuts.len() / LINE + 1];
    for (i, &cut) in cuts.iter().enumerate() {
        of_cuts[i / LINE].0[i % LINE] = of(cut);
    }
    out.extend(of_pivots);
    out.extend(of_cuts);
}

impl Ranker {
    /// The column and the rank that a test asks about: it holds where `column <= rank`.
    pub(crate) fn question(&self, p: &Predicate) -> Option<(u8, u8)> {
        if p.op != Op::Less {
            return self.places.odd.get(p).map(|&column| (column as u8, 0));
        }
        let (search, cuts) = self.places.cuts.get(&p.feature)?;
        let t = p.threshold();
        let cut = cuts.binary_search_by(|c| c.total_cmp(&t)).ok()?;
        let first = if p.nan { search.yes } else { search.no };
        let column = usize::from(first) + cut / CUTS;
        (column < MAX_COLUMNS).then_some((column as u8, (cut % CUTS) as u8))
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Nothing is asked any more.
    pub(crate) fn seal(&mut self) {
        self.places = Places::default();
    }

    pub(crate) fn n_searches(&self) -> usize {
        self.searches.len() + self.odd.len()
    }

    pub(crate) fn memory(&self) -> usize {
        size_of_val(&self.searches[..])
            + size_of_val(&self.narrow[..])
            + size_of_val(&self.wide[..])
            + size_of_val(&self.odd[..])
    }

    /// Fills the columns for the row `x`. `count` is how many of a line's cuts a value reaches.
    #[inline(always)]
    pub(crate) fn rank<R: Ranked>(
        &self,
        x: &[R],
        sets: &[SetTest],
        bytes: &mut RowBytes,
        count: impl Fn(&Line<R>, R) -> u32,
    ) {
        let lines = R::lines(self);
        for search in &self.searches {
            let x = x[search.feature as usize];
            let lines = &lines[search.first as usize..];
            let n_pivot_lines = usize::from(search.n_pivot_lines);
            let missing = x.is_missing();
            let (yes, no) = (usize::from(search.yes), usize::from(search.no));
            if search.n_pieces == 1 {
                let line = count(&lines[0], x) as usize;
                let rank = (LINE * line) as u32 + count(&lines[1 + line], x);
                bytes.0[yes] = rank as u8;
                bytes.0[no] = rank as u8 | 0_u8.wrapping_sub(u8::from(missing));
                continue;
            }
            let (pivots, cuts) = lines.split_at(n_pivot_lines);
            let line: u32 = pivots.iter().map(|line| count(line, x)).sum();
            let rank = LINE as u32 * line + count(&cuts[line as usize], x);
            for piece in 0..usize::from(search.n_pieces) {
                let rank = rank.saturating_sub((CUTS * piece) as u32).min(255) as u8;
                // One of the two may be nowhere, which is a single place.
                bytes.0[(yes + piece).min(NOWHERE)] = rank;
                bytes.0[(no + piece).min(NOWHERE)] = if missing { 255 } else { rank };
            }
        }
        for (p, column) in &self.odd {
            let holds = p.holds(x[p.feature as usize].widen(), sets);
            bytes.0[usize::from(*column)] = u8::from(!holds);
        }
    }
}
