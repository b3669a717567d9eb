//! An ensemble into the operator's attributes.

use fretsaw_model::{BaseOrder, Ensemble, Float, Missing, Node, Sum, Target, Tree};

use super::bits::{BitWriter, width};
use super::predicates::Table;
use super::writer::Writer;
use super::{DOMAIN, MAX_CATEGORIES, OP_TYPE};
use crate::Error;
use crate::proto::NodeProto;

/// The node that computes `output` (margins) from `input` (features).
///
/// [`decode`](super::decode) gives the ensemble back: nodes, leaves and category sets of each tree
/// may be numbered anew, in the order that a walk meets them (yes before no), and everything else is
/// the same to the bit.
///
/// # Errors
/// When the trees' category sets hold more categories than the format allows.
///
/// # Panics
/// When a number in `e` points to nothing: [`Model`](fretsaw_model::Model) has checked that none does.
pub fn encode(e: &Ensemble, input: &str, output: &str) -> Result<NodeProto, Error> {
    let table = Table::of(e);
    let mut trees = Trees::new(e, &table);
    for tree in &e.trees {
        trees.add(tree);
    }
    if trees.n_categories > MAX_CATEGORIES {
        return Err(Error::unsupported(
            format!(
                "a total of {} categories, more than {MAX_CATEGORIES},",
                trees.n_categories
            ),
            "the category sets of all trees",
        ));
    }

    let mut out = Writer::default();
    out.text(
        "compare",
        match e.compare {
            Float::F32 => "FLOAT",
            Float::F64 => "DOUBLE",
        },
    );
    out.text(
        "sum",
        match e.sum {
            Sum::F32 => "FLOAT",
            Sum::F64 => "DOUBLE",
            Sum::I32 => "INT32",
        },
    );
    out.text(
        "base_order",
        match e.base_order {
            BaseOrder::First => "FIRST",
            BaseOrder::Last => "LAST",
        },
    );
    out.numbers("base", &e.base);
    if !all_one(&e.multiply) {
        out.numbers("multiply", &e.multiply);
    }
    if !all_one(&[e.divide]) {
        out.numbers("divide", &[e.divide]);
    }
    out.int("n_trees", e.trees.len() as i64);
    let weights: Vec<f64> = e.trees.iter().map(|t| t.weight).collect();
    if !all_one(&weights) {
        out.numbers("tree_weights", &weights);
    }
    let targets: Vec<u32> = e.trees.iter().map(|t| target(t, e.n_outputs)).collect();
    if targets.iter().any(|&t| t != 0) {
        out.uints("tree_targets", &targets);
    }
    table.write(&mut out);
    trees.write(&mut out);
    Ok(NodeProto {
        name: Some(OP_TYPE.into()),
        op_type: Some(OP_TYPE.into()),
        domain: Some(DOMAIN.into()),
        input: vec![input.into()],
        output: vec![output.into()],
        attribute: out.finish(),
        ..NodeProto::default()
    })
}

fn all_one(values: &[f64]) -> bool {
    values.iter().all(|&v| v == 1.0)
}

/// The output that a tree adds to; `n_outputs` where it adds to every one.
fn target(tree: &Tree, n_outputs: usize) -> u32 {
    match tree.target {
        Target::Output(k) => k,
        Target::All => n_outputs as u32,
    }
}

/// The nodes and leaves of all trees, as a walk meets them.
struct Trees<'a> {
    e: &'a Ensemble,
    table: &'a Table<'a>,
    predicate_width: u32,
    /// 1 a split, 0 a leaf.
    nodes: BitWriter,
    predicates: BitWriter,
    /// Whether missing values go to `yes`: one bit a split.
    missing_yes: BitWriter,
    /// How many splits there are for each answer.
    n_missing: [usize; 2],
    leaves: Vec<f64>,
    linear: Linear,
    n_categories: usize,
    /// For each predicate, the last tree that uses it, counted from 1.
    last_use: Vec<usize>,
    n_trees: usize,
}

/// The linear leaves of all trees.
#[derive(Default)]
struct Linear {
    /// Whether a tree has them.
    trees: Vec<u8>,
    constants: Vec<f64>,
    counts: Vec<u32>,
    features: Vec<u32>,
    coefficients: Vec<f64>,
}

impl<'a> Trees<'a> {
    fn new(e: &'a Ensemble, table: &'a Table<'a>) -> Self {
        Self {
            e,
            table,
            predicate_width: width(table.len()),
            nodes: BitWriter::default(),
            predicates: BitWriter::default(),
            missing_yes: BitWriter::default(),
            n_missing: [0; 2],
            leaves: Vec::new(),
            linear: Linear::default(),
            n_categories: 0,
            last_use: vec![0; table.len()],
            n_trees: 0,
        }
    }

    fn add(&mut self, tree: &'a Tree) {
        self.n_trees += 1;
        self.linear.trees.push(u8::from(!tree.linear.is_empty()));
        let width = match tree.target {
            Target::Output(_) => 1,
            Target::All => self.e.n_outputs,
        };
        let mut stack = vec![0_u32];
        while let Some(at) = stack.pop() {
            match &tree.nodes[at as usize] {
                Node::Split(split) => {
                    self.nodes.push(1, 1);
                    let number = self.table.number(tree, split);
                    self.predicates.push(number as u32, self.predicate_width);
                    if self.last_use[number] != self.n_trees {
                        self.last_use[number] = self.n_trees;
                        self.n_categories += self.table.n_categories(number);
                    }
                    let yes = match split.missing {
                        Missing::Nan { yes } | Missing::ZeroOrNan { yes } => yes,
                        Missing::AsZero => false,
                    };
                    self.missing_yes.push(yes.into(), 1);
                    self.n_missing[usize::from(yes)] += 1;
                    stack.extend([split.no, split.yes]);
                }
                Node::Leaf(leaf) => {
                    let leaf = *leaf as usize;
                    self.nodes.push(0, 1);
                    let values = tree.leaves[leaf * width..(leaf + 1) * width].iter();
                    // Integers have one zero: + 0.0 turns -0 into it.
                    let integers = self.e.sum == Sum::I32;
                    self.leaves
                        .extend(values.map(|&v| if integers { v + 0.0 } else { v }));
                    if let Some(linear) = tree.linear.get(leaf) {
                        self.linear.constants.push(linear.constant);
                        self.linear.counts.push(linear.terms.len() as u32);
                        for &(feature, coefficient) in &linear.terms {
                            self.linear.features.push(feature);
                            self.linear.coefficients.push(coefficient);
                        }
                    }
                }
            }
        }
    }

    fn write(self, out: &mut Writer) {
        out.bits("tree_nodes", self.nodes);
        if self.n_missing != [0, 0] {
            out.bits("split_predicates", self.predicates);
            match self.n_missing {
                [_, 0] => out.int("missing_yes", 0),
                [0, _] => out.int("missing_yes", 1),
                _ => out.bits("split_missing_yes", self.missing_yes),
            }
        }
        out.numbers("leaf_values", &self.leaves);
        if !self.linear.constants.is_empty() {
            out.codes("linear_trees", self.linear.trees);
            out.numbers("linear_constants", &self.linear.constants);
            out.uints("linear_counts", &self.linear.counts);
            out.uints("linear_features", &self.linear.features);
            out.numbers("linear_coefficients", &self.linear.coefficients);
        }
    }
}
