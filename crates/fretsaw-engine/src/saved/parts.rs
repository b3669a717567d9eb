//! What a plan is made of, as fields in the order they are saved. A change here, or of anything
//! named here, is another layout: see `LAYOUT`.

use fretsaw_model::{BaseOrder, CategoryIndex, CategorySet, Float, Missing, Sum};

use super::codec::{Reader, Saved, Writer, damaged, saved, saved_enum};
use crate::array::Stored;
use crate::circuit::{Group, Route, Routes};
use crate::cost;
use crate::error::Error;
use crate::few::bytes::{Line, Ranker, Search};
use crate::few::tables::{Levels, Pools};
use crate::few::{self, Few, Kind};
use crate::isa::Isa;
use crate::kernel::Nodes;
use crate::ladder::Ladder;
use crate::leaves::{Batch, Held, Job, JobRun, Leaves, Tables, Values};
use crate::plan::Strategy;
use crate::predicate::{Op, Predicate, SetTest};
use crate::summary;
use crate::table::{Run, Table};
use crate::trees::{Finish, Segment, Trees};
use crate::walk::forest::{Place, Top};
use crate::walk::ranks::{Feature, Features, Page, Ranks};
use crate::walk::{self, Forest, LinearLeaf, Walk, WalkTree};

saved_enum!([] Float { 0 => F32, 1 => F64 });
saved_enum!([] Sum { 0 => F32, 1 => F64, 2 => I32 });
saved_enum!([] BaseOrder { 0 => First, 1 => Last });
saved_enum!([] Missing { 0 => AsZero, 1 => ZeroOrNan { yes }, 2 => Nan { yes } });
saved_enum!([] CategoryIndex { 0 => Truncate, 1 => TruncateNonNegative, 2 => Exact });
saved!([] CategorySet { members, known, index });
saved_enum!([] Strategy { 0 => Auto, 1 => BitSliced, 2 => Walk, 3 => PlainWalk });

saved!([] Trees {
    isa, compare, finish, table, routes, leaves, walk, few, segments, crossing, ns_per_row
});
saved!([] Finish { sum, base, base_order, multiply, divide });
saved_enum!([] Segment { 0 => Sliced(range), 1 => Walked(range) });

saved_enum!([] Op { 0 => Less, 1 => Equal, 2 => LessZone, 3 => EqualZone, 4 => Member });
saved!([] Predicate { feature, op, nan, key });
saved!([] SetTest { set, missing, answers, beyond });
saved!([] Run { column, op, nan, first, len });
saved!([] Ladder { column, levels, narrow, wide, rungs });
saved!([] Table { predicates, runs, ladders, cut, features, narrow, wide, sets });

saved_enum!([] Route { 0 => Complete { depth, first }, 1 => Circuit { bits, outputs } });
saved!([] Group { first_op, n_ops, first_route, n_routes });

impl Saved for Routes {
    fn save(&self, to: &mut Writer) {
        self.routes.save(to);
        self.heap.save(to);
        self.ops.save(to);
        self.groups.save(to);
        self.n_planes.save(to);
        self.n_operations.save(to);
    }
    fn load(from: &mut Reader) -> Result<Self, Error> {
        // What is only there while routes are made stays empty.
        let mut routes = Self::new(0);
        routes.routes = Saved::load(from)?;
        routes.heap = Saved::load(from)?;
        routes.ops = Saved::load(from)?;
        routes.groups = Saved::load(from)?;
        routes.n_planes = Saved::load(from)?;
        routes.n_operations = Saved::load(from)?;
        Ok(routes)
    }
}

saved_enum!([] Values { 0 => F32(values), 1 => F64(values), 2 => I32(values) });
saved_enum!([] Held { 0 => Plain, 1 => Bytes, 2 => Words, 3 => WordsOrBytes });
saved_enum!([] Tables { 0 => Plain(values), 1 => Lines { lines, sum, held } });
saved!([] Job { slot, table });
saved!([] JobRun { output, width, bytes, weight, first, len });
saved!([] Batch { first_group, n_groups, first_run, n_runs });
saved!([] Leaves { batches, runs, jobs, tables });

saved_enum!([] walk::Nodes { 0 => F32(nodes), 1 => F64(nodes) });
saved!([] WalkTree { root, target, first_value, linear });
saved!([] LinearLeaf { constant, first, len });
saved!([] Place { first, levels, below, steps });
saved!([] Top { levels, asks });
saved!([] Forest { nodes, places, tops, ranks });
saved!([] Page { column, nan, first });
saved!([<T: Stored>] walk::Search<T> { nodes, levels });
saved!([<T: Stored>] Feature<T> { feature, search, pages });
saved_enum!([] Features { 0 => F32(features), 1 => F64(features) });
saved!([] Ranks { features, odd, n_columns });

impl Saved for Walk {
    fn save(&self, to: &mut Writer) {
        self.nodes.save(to);
        self.trees.save(to);
        self.values.save(to);
        self.odd.save(to);
        self.linear.save(to);
        self.terms.save(to);
        self.n_outputs.save(to);
        self.forest.save(to);
    }
    fn load(from: &mut Reader) -> Result<Self, Error> {
        Ok(Self {
            nodes: Saved::load(from)?,
            trees: Saved::load(from)?,
            values: Saved::load(from)?,
            odd: Saved::load(from)?,
            linear: Saved::load(from)?,
            terms: Saved::load(from)?,
            n_outputs: Saved::load(from)?,
            forest: Saved::load(from)?,
            // Made anew of the forest, when that has been checked.
            shallow: None,
        })
    }
}

impl Saved for Nodes {
    fn save(&self, to: &mut Writer) {
        self.n_columns().save(to);
        self.array().save(to);
    }
    fn load(from: &mut Reader) -> Result<Self, Error> {
        let n_columns = Saved::load(from)?;
        let nodes = Self::new(Saved::load(from)?, n_columns);
        nodes.ok_or_else(|| damaged("a node leads nowhere"))
    }
}

saved!([] Search { feature, first, n_pivot_lines, yes, no, n_pieces });
saved_enum!([] Kind { 0 => Table, 1 => Lines(n), 2 => Words, 3 => Walk });
saved!([] few::Segment { trees, kind, first });
saved!([<V: Stored>] Levels<V> { asks, lines });
saved!([<V: Stored>] Pools<V> { levels, leaves });
saved_enum!([] few::Leaves { 0 => F32(pools), 1 => F64(pools), 2 => I32(pools), 3 => Places(pools) });
saved!([] Few {
    ranker, segments, eights, firsts, words, turns, leaves, outputs, ns_per_row
});

impl<T: Saved> Saved for Line<T> {
    fn save(&self, to: &mut Writer) {
        self.0.save(to);
    }
    fn load(from: &mut Reader) -> Result<Self, Error> {
        Saved::load(from).map(Self)
    }
}

impl Saved for Ranker {
    fn save(&self, to: &mut Writer) {
        self.searches.save(to);
        self.narrow.save(to);
        self.wide.save(to);
        self.odd.save(to);
        self.n_columns.save(to);
    }
    fn load(from: &mut Reader) -> Result<Self, Error> {
        Ok(Self {
            searches: Saved::load(from)?,
            narrow: Saved::load(from)?,
            wide: Saved::load(from)?,
            odd: Saved::load(from)?,
            n_columns: Saved::load(from)?,
            ..Self::default()
        })
    }
}

impl Saved for Isa {
    fn save(&self, to: &mut Writer) {
        self.name().as_bytes().to_vec().save(to);
    }
    fn load(from: &mut Reader) -> Result<Self, Error> {
        let name = Vec::load(from)?;
        let isa = str::from_utf8(&name).ok().and_then(Self::parse);
        isa.ok_or_else(|| damaged("an unknown instruction set"))
    }
}

impl Saved for summary::Group {
    fn save(&self, to: &mut Writer) {
        self.strategy.save(to);
        self.n_trees.save(to);
        let known = cost::REASONS.iter().position(|r| *r == self.reason);
        known.unwrap_or(cost::REASONS.len()).save(to);
    }
    fn load(from: &mut Reader) -> Result<Self, Error> {
        Ok(Self {
            strategy: Saved::load(from)?,
            n_trees: Saved::load(from)?,
            reason: cost::REASONS
                .get(usize::load(from)?)
                .copied()
                .ok_or_else(|| damaged("an unknown reason"))?,
        })
    }
}
