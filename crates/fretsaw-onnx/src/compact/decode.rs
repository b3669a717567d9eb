//! The operator's attributes into an ensemble. The file is not trusted: every length follows from
//! bytes that are there, and every number is checked against what it points into.

use fretsaw_model::{BaseOrder, Ensemble, Float, LinearLeaf, Node, Sum, Target, Tree};

use super::bits::{BitReader, width};
use super::predicates::ReadTable;
use super::reader::{Codes, Reader, counted, required};
use super::{NAME, Result};
use crate::Error;
use crate::proto::NodeProto;

/// The ensemble that a node holds. Memory is bounded by the node's bytes (times a constant).
///
/// Features are not checked against a number of columns, nor the values of numbers (a divisor of 0):
/// [`Draft::build`](fretsaw_model::Draft::build) does that for the model as a whole.
///
/// # Errors
/// The first attribute that is missing, unknown, of a wrong type or length, or that points outside
/// what there is.
pub fn decode(node: &NodeProto) -> std::result::Result<Ensemble, Error> {
    if !super::is(node) {
        return Err(Error::unsupported(
            format!("operator {} of domain {:?}", node.op_type(), node.domain()),
            format!("node {:?}", node.name()),
        ));
    }
    read(node).map_err(|what| Error::invalid(format!("{NAME} node {:?}: {what}", node.name())))
}

fn read(node: &NodeProto) -> Result<Ensemble> {
    let mut attributes = Reader::new(node)?;
    let a = &mut attributes;
    let compare = a.word("compare", &[("FLOAT", Float::F32), ("DOUBLE", Float::F64)])?;
    let sum = a.word(
        "sum",
        &[
            ("FLOAT", Sum::F32),
            ("DOUBLE", Sum::F64),
            ("INT32", Sum::I32),
        ],
    )?;
    let orders = [("FIRST", BaseOrder::First), ("LAST", BaseOrder::Last)];
    let base_order = a.word("base_order", &orders)?;
    // A value an output, so that the number of outputs is one that is there, not one declared.
    let base = required("base", a.numbers("base")?)?;
    let n_outputs = base.len();
    if n_outputs == 0 {
        return Err("attribute `base` is empty: there is no output".into());
    }
    let multiply = match a.numbers("multiply")? {
        Some(values) => counted("multiply", n_outputs, values)?,
        None => vec![1.0; n_outputs],
    };
    let divide = match a.numbers("divide")? {
        Some(values) => counted("divide", 1, values)?[0],
        None => 1.0,
    };
    let trees = Trees::read(a, n_outputs)?;
    attributes.finish()?;
    Ok(Ensemble {
        n_outputs,
        compare,
        sum,
        base,
        base_order,
        multiply,
        divide,
        trees,
    })
}

/// The streams that the trees are read from, one after the other.
struct Trees<'a> {
    n_outputs: usize,
    table: ReadTable,
    nodes: BitReader<'a>,
    predicates: BitReader<'a>,
    predicate_width: u32,
    missing_yes: MissingYes<'a>,
    leaves: std::vec::IntoIter<f64>,
    linear: Option<Linear<'a>>,
}

enum MissingYes<'a> {
    All(bool),
    Each(BitReader<'a>),
}

struct Linear<'a> {
    trees: Codes<'a>,
    constants: std::vec::IntoIter<f64>,
    counts: std::vec::IntoIter<u32>,
    features: std::vec::IntoIter<u32>,
    coefficients: std::vec::IntoIter<f64>,
}

impl<'a> Trees<'a> {
    fn read(a: &mut Reader<'a>, n_outputs: usize) -> Result<Vec<Tree>> {
        let nodes = required("tree_nodes", a.bytes("tree_nodes")?)?;
        let n_trees = required("n_trees", a.int("n_trees")?)?;
        // Every tree has a node, and every node a bit.
        let n_trees = usize::try_from(n_trees)
            .ok()
            .filter(|&n| n <= nodes.len().saturating_mul(8))
            .ok_or_else(|| {
                format!(
                    "{n_trees} trees are declared, but `tree_nodes` has {} bytes",
                    nodes.len()
                )
            })?;
        let weights = match a.numbers("tree_weights")? {
            Some(values) => counted("tree_weights", n_trees, values)?,
            None => vec![1.0; n_trees],
        };
        let targets = if a.has("tree_targets") {
            a.uints_for("tree_targets", n_trees)?
        } else {
            vec![0; n_trees]
        };
        let table = ReadTable::read(a)?;
        let mut streams = Self {
            n_outputs,
            predicate_width: width(table.len()),
            table,
            nodes: BitReader::new(nodes),
            predicates: BitReader::new(a.bytes("split_predicates")?.unwrap_or_default()),
            missing_yes: match (a.int("missing_yes")?, a.bytes("split_missing_yes")?) {
                (None, Some(bits)) => MissingYes::Each(BitReader::new(bits)),
                (yes @ (None | Some(0 | 1)), None) => MissingYes::All(yes == Some(1)),
                (Some(_), Some(_)) => {
                    return Err(
                        "there are both attributes `missing_yes` and `split_missing_yes`".into(),
                    );
                }
                (Some(yes), None) => {
                    return Err(format!("attribute `missing_yes` is {yes}, not 0 or 1"));
                }
            },
            leaves: required("leaf_values", a.numbers("leaf_values")?)?.into_iter(),
            linear: Linear::read(a, n_trees)?,
        };
        let mut trees = Vec::new();
        for (number, (weight, target)) in weights.into_iter().zip(targets).enumerate() {
            let tree = streams.tree(number, weight, target);
            trees.push(tree.map_err(|what| format!("tree {number}: {what}"))?);
        }
        streams.finish()?;
        Ok(trees)
    }

    fn tree(&mut self, number: usize, weight: f64, target: u32) -> Result<Tree> {
        let (target, width) = match (target as usize).cmp(&self.n_outputs) {
            std::cmp::Ordering::Less => (Target::Output(target), 1),
            std::cmp::Ordering::Equal => (Target::All, self.n_outputs),
            std::cmp::Ordering::Greater => {
                return Err(format!(
                    "attribute `tree_targets`: output {target} of {}",
                    self.n_outputs
                ));
            }
        };
        let mut tree = Tree {
            weight,
            target,
            nodes: Vec::new(),
            leaves: Vec::new(),
            linear: Vec::new(),
            sets: Vec::new(),
        };
        let is_linear = match &self.linear {
            Some(linear) => linear.trees.meaning(number, &[false, true])?,
            None => false,
        };
        // Splits whose `no` side is still to come. Their `yes` side follows them at once.
        let mut open: Vec<usize> = Vec::new();
        let mut n_leaves = 0_u32;
        loop {
            let at = tree.nodes.len();
            if ended("tree_nodes", self.nodes.read(1))? == 1 {
                let next = u32::try_from(at + 1).map_err(|_| "more nodes than 32 bits count")?;
                let predicate = self.predicates.read(self.predicate_width);
                let predicate = ended("split_predicates", predicate)?;
                let yes = match &mut self.missing_yes {
                    MissingYes::All(yes) => *yes,
                    MissingYes::Each(bits) => ended("split_missing_yes", bits.read(1))? == 1,
                };
                let mut split =
                    self.table
                        .split(predicate as usize, yes, number, &mut tree.sets)?;
                split.yes = next;
                open.push(at);
                tree.nodes.push(Node::Split(split));
                continue;
            }
            tree.nodes.push(Node::Leaf(n_leaves));
            n_leaves += 1;
            let before = tree.leaves.len();
            tree.leaves.extend(self.leaves.by_ref().take(width));
            if tree.leaves.len() - before != width {
                return Err("attribute `leaf_values` ends too early".into());
            }
            if is_linear && let Some(linear) = &mut self.linear {
                tree.linear.push(linear.leaf()?);
            }
            let Some(split) = open.pop() else { break };
            let next =
                u32::try_from(tree.nodes.len()).map_err(|_| "more nodes than 32 bits count")?;
            if let Node::Split(split) = &mut tree.nodes[split] {
                split.no = next;
            }
        }
        Ok(tree)
    }

    /// Everything must have been used up.
    fn finish(self) -> Result<()> {
        let missing_done = match &self.missing_yes {
            MissingYes::All(_) => true,
            MissingYes::Each(bits) => bits.is_done(),
        };
        let linear_done = self.linear.is_none_or(|l| {
            l.constants.len() + l.counts.len() + l.features.len() + l.coefficients.len() == 0
        });
        for (name, done) in [
            ("tree_nodes", self.nodes.is_done()),
            ("split_predicates", self.predicates.is_done()),
            ("split_missing_yes", missing_done),
            ("leaf_values", self.leaves.len() == 0),
            ("linear_*", linear_done),
        ] {
            if !done {
                return Err(format!("attribute `{name}` goes on behind the last tree"));
            }
        }
        Ok(())
    }
}

impl<'a> Linear<'a> {
    fn read(a: &mut Reader<'a>, n_trees: usize) -> Result<Option<Self>> {
        let Some(constants) = a.numbers("linear_constants")? else {
            return Ok(None);
        };
        let trees = a.codes("linear_trees", n_trees)?;
        let counts = a.uints_for("linear_counts", constants.len())?;
        let features = required("linear_features", a.uints("linear_features")?)?;
        let coefficients = required("linear_coefficients", a.numbers("linear_coefficients")?)?;
        let coefficients = counted("linear_coefficients", features.len(), coefficients)?;
        Ok(Some(Self {
            trees,
            constants: constants.into_iter(),
            counts: counts.into_iter(),
            features: features.into_iter(),
            coefficients: coefficients.into_iter(),
        }))
    }

    fn leaf(&mut self) -> Result<LinearLeaf> {
        let constant = ended("linear_constants", self.constants.next())?;
        let count = ended("linear_counts", self.counts.next())?;
        let mut terms = Vec::new();
        for _ in 0..count {
            terms.push((
                ended("linear_features", self.features.next())?,
                ended("linear_coefficients", self.coefficients.next())?,
            ));
        }
        Ok(LinearLeaf { constant, terms })
    }
}

fn ended<T>(name: &str, next: Option<T>) -> Result<T> {
    next.ok_or_else(|| format!("attribute `{name}` ends too early"))
}
