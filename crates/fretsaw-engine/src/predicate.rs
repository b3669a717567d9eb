//! Predicates: every test of every framework in one canonical form, each distinct one once.
//!
//! All comparisons become `x < t` or `x == t` with the answer to NaN as part of the identity;
//! `>`, `>=` and `!=` are the same predicates with the two ways swapped, and `x <= t` is
//! `x < next_up(t)` in the precision that rows are compared in. Thresholds are narrowed without
//! loss, never rounded to the nearest.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use fretsaw_model::{CategorySet, Float, Missing, Split, Test, Tree, ceil32, floor32};

/// What is asked of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Op {
    /// `x < t`.
    Less,
    /// `x == t`.
    Equal,
    /// `x < t`, but values within [`Missing::ZERO`] of 0 are answered like NaN.
    LessZone,
    /// `x == t`, likewise.
    EqualZone,
    /// A category set.
    Member,
}

/// One distinct test. Its order is that of the table: by feature, then kind, then threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Predicate {
    pub(crate) feature: u32,
    pub(crate) op: Op,
    /// The answer to NaN (and to the zone).
    pub(crate) nan: bool,
    /// The threshold in an order-preserving form, or the number of the set.
    pub(crate) key: u64,
}

impl Predicate {
    /// The threshold; of no meaning for sets.
    pub(crate) fn threshold(&self) -> f64 {
        Self::threshold_of(self.key)
    }

    /// The threshold in an order-preserving form.
    pub(crate) fn key(&self) -> u64 {
        self.key
    }

    /// The threshold of this form.
    pub(crate) fn threshold_of(key: u64) -> f64 {
        let bits = if key >> 63 == 1 {
            key & !(1 << 63)
        } else {
            !key
        };
        f64::from_bits(bits)
    }

    pub(crate) fn set(&self) -> usize {
        self.key as usize
    }

    /// All of it, as numbers in the order of the table.
    fn order(&self) -> (u64, u64) {
        let kind = u64::from(self.op as u8) << 1 | u64::from(self.nan);
        (u64::from(self.feature) << 32 | kind, self.key)
    }

    /// The specification of a predicate.
    pub(crate) fn holds(&self, x: f64, sets: &[SetTest]) -> bool {
        let zone = matches!(self.op, Op::LessZone | Op::EqualZone) && x.abs() <= Missing::ZERO;
        match self.op {
            Op::Member => sets[self.set()].holds(x),
            _ if zone || x.is_nan() => self.nan,
            Op::Less | Op::LessZone => x < self.threshold(),
            Op::Equal | Op::EqualZone => x == self.threshold(),
        }
    }
}

impl Ord for Predicate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for Predicate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Predicate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (column_and_kind, key) = self.order();
        state.write_u64(column_and_kind);
        state.write_u64(key);
    }
}

/// Something for each of some predicates.
pub(crate) type PredicateMap<T> = HashMap<Predicate, T, Start>;

/// Makes hashes of few instructions: there are predicates as many as nodes. Where they start is
/// drawn at random, so that no file can be made whose predicates fall together.
pub(crate) struct Start(u64);

impl Default for Start {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0))
    }
}

impl BuildHasher for Start {
    type Hasher = Folded;

    fn build_hasher(&self) -> Folded {
        Folded(self.0)
    }
}

/// A hash of whole words: each is mixed in by a product whose two halves are folded.
pub(crate) struct Folded(u64);

impl Hasher for Folded {
    fn write_u64(&mut self, word: u64) {
        const ODD: u128 = 0x9e37_79b9_7f4a_7c15;
        let product = u128::from(self.0 ^ word) * ODD;
        self.0 = product as u64 ^ (product >> 64) as u64;
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// f64 bits that compare as the numbers do. `t` is never NaN; -0 is 0.
fn ordered(t: f64) -> u64 {
    let bits = (t + 0.0).to_bits();
    if bits >> 63 == 1 {
        !bits
    } else {
        bits | 1 << 63
    }
}

/// A category set with its missing rule, as a bitmap where that is small.
#[derive(Clone, Debug)]
pub(crate) struct SetTest {
    pub(crate) set: CategorySet,
    pub(crate) missing: Missing,
    /// The answer for each category below `64 * len`; empty where the set is too spread out.
    pub(crate) answers: Vec<u64>,
    /// The answer for the categories above.
    pub(crate) beyond: bool,
}

/// Categories up to here are looked up in a bitmap (8 KiB), sets with larger ones by search.
const BITMAP: u32 = 1 << 16;

impl SetTest {
    fn new(set: CategorySet, missing: Missing) -> Self {
        let last = |v: &[u32]| v.last().map_or(0, |&c| c.saturating_add(1));
        let n = last(&set.members).max(set.known.as_deref().map_or(0, last));
        let mut test = Self {
            set,
            missing,
            answers: Vec::new(),
            beyond: false,
        };
        if n <= BITMAP {
            let words = n.div_ceil(64);
            let word = |w| {
                (0..64).fold(0, |bits, b| {
                    bits | u64::from(test.slow(f64::from(64 * w + b))) << b
                })
            };
            test.answers = (0..words).map(word).collect();
            test.beyond = test.slow(f64::from(64 * words));
        }
        test
    }

    /// Whether `x` goes to `yes`.
    #[inline]
    pub(crate) fn holds(&self, x: f64) -> bool {
        // The bitmap answers whole categories; what is odd about other values is left to `slow`.
        if x >= 1.0 && x < f64::from(BITMAP) && x.trunc() == x && !self.answers.is_empty() {
            let c = x as usize;
            return self
                .answers
                .get(c / 64)
                .map_or(self.beyond, |word| word >> (c % 64) & 1 == 1);
        }
        self.slow(x)
    }

    pub(crate) fn memory(&self) -> usize {
        let known = self.set.known.as_ref().map_or(0, Vec::len);
        8 * self.answers.len() + 4 * (self.set.members.len() + known)
    }

    fn slow(&self, mut x: f64) -> bool {
        match self.missing {
            Missing::AsZero if x.is_nan() => x = 0.0,
            Missing::ZeroOrNan { yes } if x.is_nan() || x.abs() <= Missing::ZERO => return yes,
            Missing::Nan { yes } if x.is_nan() || self.set.is_unknown(x) => return yes,
            _ => {}
        }
        self.set.contains(x)
    }
}

/// The category sets met so far, each distinct one once.
#[derive(Default)]
pub(crate) struct Sets {
    tests: Vec<SetTest>,
    seen: HashMap<SetKey, u64>,
}

type SetKey = (Vec<u32>, Option<Vec<u32>>, u8, u8);

impl Sets {
    fn intern(&mut self, set: &CategorySet, missing: Missing) -> u64 {
        let rule = match missing {
            Missing::AsZero => 0,
            Missing::ZeroOrNan { yes } => 1 + u8::from(yes),
            Missing::Nan { yes } => 3 + u8::from(yes),
        };
        let key = (
            set.members.clone(),
            set.known.clone(),
            set.index as u8,
            rule,
        );
        *self.seen.entry(key).or_insert_with(|| {
            self.tests.push(SetTest::new(set.clone(), missing));
            self.tests.len() as u64 - 1
        })
    }

    pub(crate) fn into_tests(self) -> Vec<SetTest> {
        self.tests
    }
}

/// The canonical predicate of a split, and whether it holds where the split's test does not.
pub(crate) fn canonical(
    split: &Split,
    tree: &Tree,
    compare: Float,
    sets: &mut Sets,
) -> (Predicate, bool) {
    if let Test::In(set) = split.test {
        let key = sets.intern(&tree.sets[set as usize], split.missing);
        let predicate = Predicate {
            feature: split.feature,
            op: Op::Member,
            nan: false,
            key,
        };
        return (predicate, false);
    }
    let next = |t: f64| match compare {
        Float::F32 => f64::from((t as f32).next_up()),
        Float::F64 => t.next_up(),
    };
    let less = |t: f64| match compare {
        Float::F32 => f64::from(ceil32(t)),
        Float::F64 => t,
    };
    // x <= t, as x < t' or (only at infinity) the opposite of x < -infinity.
    let less_eq = |t: f64| {
        let t = match compare {
            Float::F32 => f64::from(floor32(t)),
            Float::F64 => t,
        };
        if t == f64::INFINITY {
            (f64::NEG_INFINITY, true)
        } else {
            (next(t), false)
        }
    };
    let (op, t, inverted, at_zero) = match split.test {
        Test::Less(t) => (Op::Less, less(t), false, 0.0 < t),
        Test::GreaterEq(t) => (Op::Less, less(t), true, 0.0 >= t),
        Test::LessEq(t) => {
            let (u, inverted) = less_eq(t);
            (Op::Less, u, inverted, 0.0 <= t)
        }
        Test::Greater(t) => {
            let (u, inverted) = less_eq(t);
            (Op::Less, u, !inverted, 0.0 > t)
        }
        // No value of the compared precision equals t: never true.
        Test::Equal(t) if compare.cast(t) != t => (Op::Less, f64::NEG_INFINITY, false, false),
        Test::NotEqual(t) if compare.cast(t) != t => (Op::Less, f64::NEG_INFINITY, true, true),
        Test::Equal(t) => (Op::Equal, t, false, t == 0.0),
        Test::NotEqual(t) => (Op::Equal, t, true, t != 0.0),
        Test::In(_) => unreachable!("answered above"),
    };
    let (missing_yes, zone) = match split.missing {
        Missing::AsZero => (at_zero, false),
        Missing::ZeroOrNan { yes } => (yes, true),
        Missing::Nan { yes } => (yes, false),
    };
    let nan = missing_yes ^ inverted;
    let (op, t) = match (op, zone) {
        (op, false) => (op, t),
        (Op::Less, true) => without_zone(t, nan, next(Missing::ZERO)),
        (_, true) => (Op::EqualZone, t),
    };
    let predicate = Predicate {
        feature: split.feature,
        op,
        nan,
        key: ordered(t),
    };
    (predicate, inverted)
}

/// `x < t` where all of the zone around 0 is answered `nan`: mostly a plain comparison after all.
fn without_zone(t: f64, nan: bool, above_zone: f64) -> (Op, f64) {
    let below = t <= -Missing::ZERO;
    let above = t > Missing::ZERO;
    match (below, above, nan) {
        (true, _, false) | (_, true, true) => (Op::Less, t),
        (false, false, false) => (Op::Less, -Missing::ZERO),
        (false, false, true) => (Op::Less, above_zone),
        _ => (Op::LessZone, t),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_survive_their_order() {
        let numbers = [
            f64::NEG_INFINITY,
            -1e300,
            -1.0,
            -1e-320,
            0.0,
            1e-320,
            2.5,
            f64::INFINITY,
        ];
        for pair in numbers.windows(2) {
            assert!(ordered(pair[0]) < ordered(pair[1]), "{pair:?}");
        }
        for t in numbers {
            let p = Predicate {
                feature: 0,
                op: Op::Less,
                nan: false,
                key: ordered(t),
            };
            assert_eq!(p.threshold().to_bits(), t.to_bits());
        }
        assert_eq!(ordered(-0.0), ordered(0.0));
    }

    #[test]
    fn narrowing_keeps_every_answer() {
        let numbers = [
            0.1,
            -0.1,
            1e300,
            -1e300,
            1e-320,
            -1e-320,
            16_777_217.0,
            f64::INFINITY,
        ];
        for t in numbers {
            for near in [t as f32, (t as f32).next_up(), (t as f32).next_down()] {
                assert_eq!(f64::from(near) < t, near < ceil32(t), "{near} < {t}");
                assert_eq!(f64::from(near) <= t, near <= floor32(t), "{near} <= {t}");
            }
        }
    }
}
