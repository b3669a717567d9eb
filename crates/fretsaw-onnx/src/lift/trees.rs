//! Raw trees as the IR's: chains of equalities become sets, prepared columns become the missing
//! rules and category rules that they were prepared for, constant trees in front become the base.

use fretsaw_model::{
    BaseOrder, CategoryIndex, CategorySet, Ensemble, Float, Missing, Node, Split, Sum, Target,
    Test, Tree,
};

use super::columns::Input;
use super::raw::{self, Aggregate, Mode};
use crate::Error;
use crate::lower::branch::{Column, Rounding};

/// Dense vector leaves may take this many times the memory of the file's own weights.
const MAX_DENSITY: usize = 64;

/// Makes the ensemble that `raw` is, reading `input`; and says for each output whether some tree
/// adds to it on every row.
pub(super) fn ensemble(raw: &raw::Ensemble, input: &Input) -> Result<(Ensemble, Vec<bool>), Error> {
    let sum = match input.float {
        Float::F32 => Sum::F32,
        Float::F64 => Sum::F64,
    };
    let mut used = vec![false; raw.nodes.len()];
    let mut hit = vec![false; raw.n_outputs];
    let mut trees = Vec::new();
    for (i, &root) in raw.roots.iter().enumerate() {
        let tree = Builder {
            raw,
            input,
            used: &mut used,
            hit: &mut hit,
        }
        .tree(root)
        .map_err(|e| e.at(format!("tree {i}")))?;
        trees.push(tree);
    }
    let divide = if raw.aggregate == Aggregate::Average {
        trees.len() as f64
    } else {
        1.0
    };
    let base = match raw.base.len() {
        0 => vec![0.0; raw.n_outputs],
        1 => vec![raw.base[0]; raw.n_outputs],
        _ => raw.base.clone(),
    };
    let ensemble = Ensemble {
        n_outputs: raw.n_outputs,
        compare: input.compare,
        sum,
        base,
        base_order: BaseOrder::Last,
        multiply: vec![1.0; raw.n_outputs],
        // A file of no trees at all averages nothing.
        divide: divide.max(1.0),
        trees,
    };
    Ok((ensemble, hit))
}

/// Makes trees in front that only add a constant the base that comes first, where none comes last.
pub(super) fn base_first(e: &mut Ensemble) {
    if e.base.iter().all(|&v| v == 0.0) {
        e.base_order = BaseOrder::First;
        e.trees.drain(..constant_base(&e.trees, &mut e.base));
    }
}

/// How many trees in front only add a constant to outputs that have none yet; they become `base`.
fn constant_base(trees: &[Tree], base: &mut [f64]) -> usize {
    let mut taken = vec![false; base.len()];
    for (i, tree) in trees.iter().enumerate() {
        let width = if tree.target == Target::All {
            base.len()
        } else {
            1
        };
        let mut leaves = tree.leaves.chunks_exact(width);
        let Some(first) = leaves.next() else { return i };
        if leaves.any(|l| l != first) {
            return i;
        }
        let outputs = match tree.target {
            Target::Output(k) => k as usize..k as usize + 1,
            Target::All => 0..base.len(),
        };
        if taken[outputs.clone()].contains(&true) {
            return i;
        }
        taken[outputs.clone()].fill(true);
        for (b, &v) in base[outputs].iter_mut().zip(first) {
            // The sum starts from +0.
            *b = v + 0.0;
        }
    }
    trees.len()
}

struct Builder<'a> {
    raw: &'a raw::Ensemble,
    input: &'a Input,
    /// Which raw nodes have a parent already.
    used: &'a mut [bool],
    /// The outputs that some tree adds to whatever leaf is reached.
    hit: &'a mut [bool],
}

impl Builder<'_> {
    fn tree(&mut self, root: usize) -> Result<Tree, Error> {
        let mut nodes: Vec<Node> = Vec::new();
        let mut sets = Vec::new();
        let mut leaves = Vec::new();
        let mut stack = vec![(root, None)];
        while let Some((at, parent)) = stack.pop() {
            let here = nodes.len() as u32;
            if let Some((parent, yes)) = parent
                && let Node::Split(split) = &mut nodes[parent]
            {
                *(if yes { &mut split.yes } else { &mut split.no }) = here;
            }
            self.take(at)?;
            match &self.raw.nodes[at] {
                raw::Node::Leaf(_) => {
                    nodes.push(Node::Leaf(leaves.len() as u32));
                    leaves.push(at);
                }
                raw::Node::Split { .. } => {
                    let (split, others, yes, no) = self
                        .split(at, &mut sets)
                        .map_err(|e| e.at(format!("node {at}")))?;
                    // Several tests have one yes-way, which is a leaf: each gets a copy of it.
                    for test in others {
                        let here = nodes.len() as u32;
                        nodes.push(Node::Split(Split {
                            test,
                            yes: here + 1,
                            no: here + 2,
                            ..split
                        }));
                        nodes.push(Node::Leaf(leaves.len() as u32));
                        leaves.push(yes);
                    }
                    let here = nodes.len();
                    stack.push((no, Some((here, false))));
                    stack.push((yes, Some((here, true))));
                    nodes.push(Node::Split(split));
                }
            }
        }
        let (target, leaves) = self.leaves(&leaves)?;
        Ok(Tree {
            weight: 1.0,
            target,
            nodes,
            leaves,
            linear: vec![],
            sets,
        })
    }

    fn take(&mut self, at: usize) -> Result<(), Error> {
        if std::mem::replace(&mut self.used[at], true) {
            return Err(Error::invalid(format!(
                "node {at} has two parents (a cycle, or a branch shared other than by a set)"
            )));
        }
        Ok(())
    }

    /// The split at a raw node, and the raw nodes of its two ways. Where its test is a set that no
    /// category set can be, there are other tests in front of it, of which any sends a row to the
    /// first way.
    fn split(
        &mut self,
        at: usize,
        sets: &mut Vec<CategorySet>,
    ) -> Result<(Split, Vec<Test>, usize, usize), Error> {
        let raw::Node::Split {
            mode,
            column,
            value,
            members,
            nan_true,
            on_true,
            on_false,
        } = self.raw.nodes[at]
        else {
            return Err(Error::invalid("a leaf where a branch was seen"));
        };
        let Some(&(made, feature)) = self.input.columns.get(column as usize) else {
            return Err(Error::invalid(format!(
                "it tests feature {column} of {}",
                self.input.columns.len()
            )));
        };
        let (on_true, mut on_false) = (on_true as usize, on_false as usize);
        let mut others = Vec::new();
        let test = match mode {
            Mode::Less if value == f64::NEG_INFINITY => Test::Less(value),
            Mode::Equal => {
                let mut values = vec![value];
                self.chain(column, on_true, nan_true, &mut on_false, &mut values)?;
                self.members(&values, made, on_true, sets, &mut others)?
            }
            Mode::Member => {
                let values = members.of(&self.raw.members);
                self.members(values, made, on_true, sets, &mut others)?
            }
            _ if made.index != Rounding::None => {
                return Err(Error::unsupported(
                    "a comparison of a rounded feature",
                    "it",
                ));
            }
            Mode::LessEq => Test::LessEq(value),
            Mode::Less => Test::Less(value),
            Mode::GreaterEq => Test::GreaterEq(value),
            Mode::Greater => Test::Greater(value),
            Mode::NotEqual => Test::NotEqual(value),
        };
        // NEQ sends NaN to the true way whatever the flag says.
        let yes = nan_true || mode == Mode::NotEqual;
        let missing = if made.zero_is_nan {
            Missing::ZeroOrNan { yes }
        } else {
            Missing::Nan { yes }
        };
        let split = Split {
            feature,
            test,
            missing,
            yes: 0,
            no: 0,
        };
        Ok((split, others, on_true, on_false))
    }

    /// The test for one of these values: an equality, a set of categories, or several equalities in
    /// front of a leaf, all but the last of which are `others`.
    fn members(
        &self,
        values: &[f64],
        made: Column,
        on_true: usize,
        sets: &mut Vec<CategorySet>,
        others: &mut Vec<Test>,
    ) -> Result<Test, Error> {
        let plain = made.index == Rounding::None;
        if plain && values.len() == 1 {
            return Ok(Test::Equal(values[0]));
        }
        let category = |v: &f64| v.trunc() == *v && (0.0..4_294_967_296.0).contains(v);
        let leaf = matches!(self.raw.nodes[on_true], raw::Node::Leaf(_));
        if let Some((&last, front)) = values.split_last()
            && plain
            && leaf
            && !values.iter().all(category)
        {
            others.extend(front.iter().map(|&v| Test::Equal(v)));
            return Ok(Test::Equal(last));
        }
        set(values, made, sets)
    }

    /// Follows a chain of equalities on one column whose true ways meet in one node.
    fn chain(
        &mut self,
        first: u32,
        yes: usize,
        nan: bool,
        no: &mut usize,
        values: &mut Vec<f64>,
    ) -> Result<(), Error> {
        while let raw::Node::Split {
            mode: Mode::Equal,
            column,
            value,
            nan_true,
            on_true,
            on_false,
            ..
        } = self.raw.nodes[*no]
        {
            if column != first || on_true as usize != yes || nan_true != nan {
                break;
            }
            self.take(*no)?;
            values.push(value);
            *no = on_false as usize;
        }
        Ok(())
    }

    /// What the leaves add: one value each to one output, or a vector each.
    fn leaves(&mut self, leaves: &[usize]) -> Result<(Target, Vec<f64>), Error> {
        let raw = self.raw;
        let own = |at: usize| match raw.nodes[at] {
            raw::Node::Leaf(own) => own.of(&raw.weights),
            raw::Node::Split { .. } => &[],
        };
        if let Some(&at) = leaves.iter().find(|&&at| own(at).is_empty()) {
            return Err(Error::invalid(format!("leaf node {at} has no weight")));
        }
        let first = own(leaves[0])[0].0;
        let single = |&at: &usize| matches!(own(at), [(k, _)] if *k == first);
        if leaves.iter().all(single) {
            let values = leaves.iter().map(|&at| own(at)[0].1).collect();
            self.hit[first] = true;
            return Ok((Target::Output(first as u32), values));
        }
        let width = raw.n_outputs;
        let given: usize = leaves.iter().map(|&at| own(at).len()).sum();
        let dense = leaves.len().saturating_mul(width);
        if dense > given.saturating_mul(MAX_DENSITY).max(1 << 16) {
            return Err(Error::unsupported(
                format!("{given} weights spread over {width} outputs"),
                "leaves",
            ));
        }
        let mut values = vec![0.0; dense];
        let mut counts = vec![0; width];
        // The leaf that last had a weight for an output.
        let mut last = vec![usize::MAX; width];
        for (leaf, &at) in leaves.iter().enumerate() {
            for &(k, value) in own(at) {
                if std::mem::replace(&mut last[k], leaf) == leaf {
                    return Err(Error::unsupported(
                        format!("a leaf with two weights for output {k}"),
                        format!("node {at}"),
                    ));
                }
                values[leaf * width + k] = value;
                counts[k] += 1;
            }
        }
        for (hit, n) in self.hit.iter_mut().zip(counts) {
            *hit |= n == leaves.len();
        }
        Ok((Target::All, values))
    }
}

/// A set of categories among the values that a column is equal to.
fn set(values: &[f64], made: Column, sets: &mut Vec<CategorySet>) -> Result<Test, Error> {
    let index = match made.index {
        Rounding::None => CategoryIndex::Exact,
        Rounding::Floor => CategoryIndex::TruncateNonNegative,
        Rounding::Truncate => CategoryIndex::Truncate,
    };
    let mut members = Vec::new();
    for &v in values {
        if v.trunc() == v && (0.0..4_294_967_296.0).contains(&v) {
            members.push(v as u32);
        } else {
            return Err(Error::unsupported(
                format!("{v} in a set of categories"),
                "it",
            ));
        }
    }
    members.sort_unstable();
    members.dedup();
    sets.push(CategorySet {
        members,
        known: None,
        index,
    });
    Ok(Test::In(sets.len() as u32 - 1))
}
