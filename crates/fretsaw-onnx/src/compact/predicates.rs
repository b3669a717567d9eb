//! The table of predicates: every distinct question that splits ask, each stored once.
//!
//! First the *cuts*, feature by feature and ascending within each, so that a cut's place in the table
//! is its rank among the feature's cuts plus where the feature starts; then the category sets. What
//! a split keeps for itself is its predicate's number and its default direction.

use std::collections::HashMap;

use fretsaw_model::{CategoryIndex, CategorySet, Ensemble, Missing, Node, Split, Test, Tree};

use super::reader::{Reader, required};
use super::writer::Writer;
use super::{MAX_CATEGORIES, Result, categories};

/// What a missing value does, but for the direction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
enum MissingKind {
    Nan,
    ZeroOrNan,
    AsZero,
}

const MISSING: [MissingKind; 3] = [
    MissingKind::Nan,
    MissingKind::ZeroOrNan,
    MissingKind::AsZero,
];

/// `x OP value` on one feature. Ordered as the table is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cut {
    feature: u32,
    /// The value, as [`place`] puts it on a line of whole numbers.
    place: u64,
    /// `mode` of ONNX's own TreeEnsemble.
    op: u8,
    missing: MissingKind,
}

/// Membership of one feature in a category set. Ordered as the table is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Membership<'a> {
    feature: u32,
    members: &'a [u32],
    known: Option<&'a [u32]>,
    index: u8,
    missing: MissingKind,
}

/// The predicates of an ensemble, in order.
pub(super) struct Table<'a> {
    cuts: Vec<Cut>,
    sets: Vec<Membership<'a>>,
    set_numbers: HashMap<Membership<'a>, usize>,
}

/// `-inf .. -0, 0 .. inf` as whole numbers in that order.
fn place(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 {
        !bits
    } else {
        bits | 1 << 63
    }
}

fn value(place: u64) -> f64 {
    f64::from_bits(if place >> 63 == 1 {
        place & !(1 << 63)
    } else {
        !place
    })
}

/// What a split asks: a comparison, or the number of a category set.
fn ask(split: &Split) -> std::result::Result<Cut, u32> {
    let (op, value) = match split.test {
        Test::LessEq(t) => (0, t),
        Test::Less(t) => (1, t),
        Test::GreaterEq(t) => (2, t),
        Test::Greater(t) => (3, t),
        Test::Equal(t) => (4, t),
        Test::NotEqual(t) => (5, t),
        Test::In(set) => return Err(set),
    };
    Ok(Cut {
        feature: split.feature,
        place: place(value),
        op,
        missing: kind(split.missing),
    })
}

/// The tests of `op` 0 to 5.
const COMPARISONS: [fn(f64) -> Test; 6] = [
    Test::LessEq,
    Test::Less,
    Test::GreaterEq,
    Test::Greater,
    Test::Equal,
    Test::NotEqual,
];

fn kind(missing: Missing) -> MissingKind {
    match missing {
        Missing::AsZero => MissingKind::AsZero,
        Missing::ZeroOrNan { .. } => MissingKind::ZeroOrNan,
        Missing::Nan { .. } => MissingKind::Nan,
    }
}

const INDEX: [CategoryIndex; 3] = [
    CategoryIndex::Truncate,
    CategoryIndex::TruncateNonNegative,
    CategoryIndex::Exact,
];

fn membership<'a>(split: &Split, set: &'a CategorySet) -> Membership<'a> {
    Membership {
        feature: split.feature,
        members: &set.members,
        known: set.known.as_deref(),
        index: match set.index {
            CategoryIndex::Truncate => 0,
            CategoryIndex::TruncateNonNegative => 1,
            CategoryIndex::Exact => 2,
        },
        missing: kind(split.missing),
    }
}

impl<'a> Table<'a> {
    /// Collects what the splits of `e` ask.
    pub(super) fn of(e: &'a Ensemble) -> Self {
        let mut cuts = Vec::new();
        let mut sets = Vec::new();
        for tree in &e.trees {
            for node in &tree.nodes {
                let Node::Split(split) = node else { continue };
                match ask(split) {
                    Ok(cut) => cuts.push(cut),
                    Err(set) => sets.push(membership(split, &tree.sets[set as usize])),
                }
            }
        }
        cuts.sort_unstable();
        cuts.dedup();
        sets.sort_unstable();
        sets.dedup();
        let set_numbers = sets.iter().enumerate().map(|(i, &s)| (s, i)).collect();
        Self {
            cuts,
            sets,
            set_numbers,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.cuts.len() + self.sets.len()
    }

    /// The number of the predicate that a split of `tree` asks.
    pub(super) fn number(&self, tree: &'a Tree, split: &Split) -> usize {
        match ask(split) {
            Ok(cut) => self.cuts.partition_point(|c| *c < cut),
            Err(set) => {
                self.cuts.len() + self.set_numbers[&membership(split, &tree.sets[set as usize])]
            }
        }
    }

    /// How many categories the copy of a set holds that each tree using predicate `number` makes,
    /// when it is read.
    pub(super) fn n_categories(&self, number: usize) -> usize {
        number.checked_sub(self.cuts.len()).map_or(0, |i| {
            self.sets[i].members.len() + self.sets[i].known.map_or(0, <[_]>::len)
        })
    }

    /// Writes the table.
    pub(super) fn write(&self, out: &mut Writer) {
        if !self.cuts.is_empty() {
            let mut features = Vec::new();
            let mut counts = Vec::new();
            for run in self.cuts.chunk_by(|a, b| a.feature == b.feature) {
                features.push(run[0].feature);
                counts.push(run.len() as u32);
            }
            out.uints("cut_features", &features);
            out.uints("cut_counts", &counts);
            let values: Vec<f64> = self.cuts.iter().map(|c| value(c.place)).collect();
            out.numbers("cut_values", &values);
            out.codes("cut_modes", self.cuts.iter().map(|c| c.op).collect());
        }
        if !self.sets.is_empty() {
            let mut lists: Vec<&[u32]> = self.sets.iter().map(|s| s.members).collect();
            lists.extend(self.sets.iter().filter_map(|s| s.known));
            lists.sort_unstable();
            lists.dedup();
            let number = |list: &[u32]| lists.partition_point(|l| *l < list) as u32;
            let mut stream = Vec::new();
            for list in &lists {
                categories::write(list, &mut stream);
            }
            out.bytes("categories", stream);
            let all =
                |f: &dyn Fn(&Membership<'_>) -> u32| self.sets.iter().map(f).collect::<Vec<_>>();
            out.uints("set_features", &all(&|s| s.feature));
            out.uints("set_members", &all(&|s| number(s.members)));
            if self.sets.iter().any(|s| s.known.is_some()) {
                out.uints("set_known", &all(&|s| s.known.map_or(0, |k| number(k) + 1)));
            }
            out.codes("set_indices", self.sets.iter().map(|s| s.index).collect());
        }
        if self.len() > 0 {
            let cuts = self.cuts.iter().map(|c| c.missing);
            let sets = self.sets.iter().map(|s| s.missing);
            out.codes(
                "predicate_missing",
                cuts.chain(sets).map(|m| m as u8).collect(),
            );
        }
    }
}

/// A predicate as it is read; a test of membership names its set in the table.
struct Predicate {
    feature: u32,
    test: Test,
    missing: MissingKind,
}

/// A category set as it is read: lists by number.
struct SetRef {
    members: usize,
    known: Option<usize>,
    index: CategoryIndex,
    /// The last tree that asked for it, and its number there.
    last_use: Option<(usize, u32)>,
}

/// The table as it is read.
pub(super) struct ReadTable {
    predicates: Vec<Predicate>,
    sets: Vec<SetRef>,
    lists: Vec<Vec<u32>>,
    n_categories: usize,
}

impl ReadTable {
    /// Reads and checks the table.
    pub(super) fn read(attributes: &mut Reader<'_>) -> Result<Self> {
        let mut tests = read_cuts(attributes)?;
        let lists = read_lists(attributes)?;
        let mut sets = Vec::new();
        for (i, (feature, set)) in (0..).zip(read_sets(attributes, lists.len())?) {
            tests.push((feature, Test::In(i)));
            sets.push(set);
        }
        let codes = attributes.codes("predicate_missing", tests.len())?;
        let mut predicates = Vec::new();
        for (i, (feature, test)) in tests.into_iter().enumerate() {
            predicates.push(Predicate {
                feature,
                test,
                missing: codes.meaning(i, &MISSING)?,
            });
        }
        Ok(Self {
            predicates,
            sets,
            lists,
            n_categories: 0,
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.predicates.len()
    }

    /// The split of tree `tree_number` that asks predicate `number`, its children not yet known. A
    /// category set that it needs is added to the tree's `sets`, once a tree.
    pub(super) fn split(
        &mut self,
        number: usize,
        yes: bool,
        tree_number: usize,
        sets: &mut Vec<CategorySet>,
    ) -> Result<Split> {
        let Some(predicate) = self.predicates.get(number) else {
            return Err(format!(
                "attribute `split_predicates` names predicate {number} of {}",
                self.predicates.len()
            ));
        };
        let (feature, missing) = (predicate.feature, predicate.missing);
        let test = match predicate.test {
            Test::In(set) => Test::In(self.copy_set(set as usize, tree_number, sets)?),
            comparison => comparison,
        };
        Ok(Split {
            feature,
            test,
            missing: match missing {
                MissingKind::Nan => Missing::Nan { yes },
                MissingKind::ZeroOrNan => Missing::ZeroOrNan { yes },
                MissingKind::AsZero => Missing::AsZero,
            },
            yes: 0,
            no: 0,
        })
    }

    fn copy_set(
        &mut self,
        number: usize,
        tree_number: usize,
        sets: &mut Vec<CategorySet>,
    ) -> Result<u32> {
        let set = &mut self.sets[number];
        if let Some((tree, there)) = set.last_use
            && tree == tree_number
        {
            return Ok(there);
        }
        let members = &self.lists[set.members];
        let known = set.known.map(|k| &self.lists[k]);
        self.n_categories += members.len() + known.map_or(0, Vec::len);
        if self.n_categories > MAX_CATEGORIES {
            return Err(format!(
                "the category sets of all trees hold more than {MAX_CATEGORIES} categories"
            ));
        }
        let there = sets.len() as u32;
        set.last_use = Some((tree_number, there));
        sets.push(CategorySet {
            members: members.clone(),
            known: known.cloned(),
            index: set.index,
        });
        Ok(there)
    }
}

fn read_cuts(attributes: &mut Reader<'_>) -> Result<Vec<(u32, Test)>> {
    let mut cuts = Vec::new();
    let Some(values) = attributes.numbers("cut_values")? else {
        return Ok(cuts);
    };
    let features = required("cut_features", attributes.uints("cut_features")?)?;
    let counts = attributes.uints_for("cut_counts", features.len())?;
    let modes = attributes.codes("cut_modes", values.len())?;
    if !features.windows(2).all(|w| w[0] < w[1]) {
        return Err("attribute `cut_features` is not ascending".into());
    }
    let total: u64 = counts.iter().map(|&c| u64::from(c)).sum();
    if total != values.len() as u64 {
        return Err(format!(
            "attribute `cut_counts` adds up to {total}, but there are {} cut values",
            values.len()
        ));
    }
    let mut rest = &values[..];
    for (&feature, &count) in features.iter().zip(&counts) {
        let (run, after) = rest.split_at(count as usize);
        rest = after;
        if let Some(pair) = run.windows(2).find(|w| place(w[0]) > place(w[1])) {
            return Err(format!(
                "attribute `cut_values`: {} stands before {} for feature {feature}",
                pair[0], pair[1]
            ));
        }
        for &value in run {
            let compare = modes.meaning(cuts.len(), &COMPARISONS)?;
            cuts.push((feature, compare(value)));
        }
    }
    Ok(cuts)
}

fn read_lists(attributes: &mut Reader<'_>) -> Result<Vec<Vec<u32>>> {
    let mut bytes = attributes.bytes("categories")?.unwrap_or_default();
    let mut lists = Vec::new();
    while !bytes.is_empty() {
        let list = categories::read(&mut bytes);
        lists.push(
            list.map_err(|what| format!("attribute `categories`, list {}: {what}", lists.len()))?,
        );
    }
    Ok(lists)
}

fn read_sets(attributes: &mut Reader<'_>, n_lists: usize) -> Result<Vec<(u32, SetRef)>> {
    let mut sets = Vec::new();
    let Some(features) = attributes.uints("set_features")? else {
        return Ok(sets);
    };
    let n = features.len();
    let members = attributes.uints_for("set_members", n)?;
    let known = if attributes.has("set_known") {
        attributes.uints_for("set_known", n)?
    } else {
        vec![0; n]
    };
    let indices = attributes.codes("set_indices", n)?;
    let list = |name: &str, number: u32| {
        if (number as usize) < n_lists {
            Ok(number as usize)
        } else {
            Err(format!(
                "attribute `{name}` names list {number} of {n_lists}"
            ))
        }
    };
    for (i, feature) in features.into_iter().enumerate() {
        let set = SetRef {
            members: list("set_members", members[i])?,
            known: match known[i].checked_sub(1) {
                Some(number) => Some(list("set_known", number)?),
                None => None,
            },
            index: indices.meaning(i, &INDEX)?,
            last_use: None,
        };
        sets.push((feature, set));
    }
    Ok(sets)
}
