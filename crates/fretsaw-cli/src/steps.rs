//! The steps of a model in words: their names, the values a row has before and behind, their sizes.

use fretsaw::model::{KernelFunction, Link, NeighborTargets, NeighborWeights, Step, Tree, width};
use serde::Serialize;

use crate::print;

/// One step. Field names are stable.
#[derive(Serialize)]
pub(crate) struct StepFacts {
    /// How many branches it is within.
    depth: usize,
    name: &'static str,
    /// Values of a row before it.
    from: usize,
    /// Values of a row behind it.
    to: usize,
    /// What it is made of.
    what: String,
}

/// All steps in order; those of branches stand behind their branch, one deeper.
pub(crate) fn facts(steps: &[Step], n: usize) -> Vec<StepFacts> {
    let mut out = Vec::new();
    list(steps, n, 0, &mut out);
    out
}

fn list(steps: &[Step], mut from: usize, depth: usize, out: &mut Vec<StepFacts>) {
    for step in steps {
        let to = step.width(from);
        out.push(StepFacts {
            depth,
            name: name(step),
            from,
            to,
            what: what(step),
        });
        if let Step::Branches(branches) = step {
            for (i, branch) in branches.iter().enumerate() {
                out.push(StepFacts {
                    depth: depth + 1,
                    name: "branch",
                    from,
                    to: width(branch, from),
                    what: format!("number {i}"),
                });
                list(branch, from, depth + 2, out);
            }
        }
        from = to;
    }
}

impl StepFacts {
    /// One line of text.
    pub(crate) fn text(&self) -> String {
        let values = match self.from == self.to {
            true => format!("{} values", print::count(self.to as u64)),
            false => format!(
                "{} to {} values",
                print::count(self.from as u64),
                print::count(self.to as u64)
            ),
        };
        let indent = "  ".repeat(self.depth);
        let what = match self.what.is_empty() {
            true => String::new(),
            false => format!("; {}", self.what),
        };
        format!("{indent}{}: {values}{what}", self.name)
    }
}

/// A link in words.
pub(crate) fn link(link: &Link) -> String {
    match link {
        Link::Then(steps) => {
            let names: Vec<&str> = steps.iter().map(name).collect();
            format!("steps: {}", names.join(", "))
        }
        other => format!("{other:?}"),
    }
}

fn name(step: &Step) -> &'static str {
    match step {
        Step::MarkMissing { .. } => "mark missing",
        Step::FlushTiny { .. } => "flush tiny values",
        Step::Impute { .. } => "impute",
        Step::Scale { .. } => "scale",
        Step::Widen => "widen",
        Step::Derive(_) => "derive",
        Step::Select { .. } => "select",
        Step::Branches(_) => "branches",
        Step::Affine { .. } => "affine",
        Step::Map(_) => "map",
        Step::IsMissing { .. } => "is missing",
        Step::Power { .. } => "power",
        Step::Curves(_) => "curves",
        Step::Bins(_) => "bins",
        Step::Encode(_) => "encode",
        Step::Normalize(_) => "normalize",
        Step::Products(_) => "products",
        Step::Choose => "choose",
        Step::Linear(_) => "linear",
        Step::Ensemble(_) => "ensemble",
        Step::Link(_) => "link",
        Step::Kernel(_) => "kernel",
        Step::Neighbors(_) => "neighbours",
        Step::FillFromNeighbors(_) => "fill from neighbours",
        Step::Votes { .. } => "votes",
        Step::Couple(_) => "couple",
        Step::WeightedMedian { .. } => "weighted median",
        _ => "other",
    }
}

/// A step's sizes and settings; nothing where the widths say all.
fn what(step: &Step) -> String {
    let n = |n: usize| print::count(n as u64);
    let stored = |len: usize, width: usize| n(len / width.max(1));
    match step {
        Step::MarkMissing { value } => format!("value {value}"),
        Step::FlushTiny { limit } => format!("limit {limit:e}"),
        Step::Derive(d) => format!(
            "{} tables of {} keys",
            d.len(),
            n(d.iter().map(|d| d.keys.len()).sum())
        ),
        Step::Branches(branches) => format!("{} of them", branches.len()),
        Step::Map(function) => format!("{function:?}"),
        Step::Power { kind, .. } => format!("{kind:?}"),
        Step::Curves(curves) => format!("{} points", n(curves.iter().map(|c| c.x.len()).sum())),
        Step::Bins(edges) => format!("{} edges", n(edges.iter().map(Vec::len).sum())),
        Step::Encode(encoders) => {
            let refusing = encoders.iter().filter(|e| e.unknown.is_none()).count();
            format!(
                "{} encoders of {} categories, {refusing} refuse others",
                encoders.len(),
                n(encoders.iter().map(|e| e.keys.len()).sum())
            )
        }
        Step::Normalize(norm) => format!("{norm:?}"),
        Step::Linear(l) => format!("{} weights", n(l.weights.len())),
        Step::Ensemble(e) => {
            let leaves = e.trees.iter().map(|t: &Tree| t.stats().n_leaves).sum();
            format!("{} trees of {} leaves", n(e.trees.len()), n(leaves))
        }
        Step::Link(l) => link(l),
        Step::Kernel(k) => format!(
            "{}, {} stored rows",
            kernel(&k.function),
            stored(k.vectors.len(), k.n_features)
        ),
        Step::Neighbors(k) => format!(
            "{} of {} stored rows, {:?} distance, {}{}",
            k.k,
            stored(k.vectors.len(), k.n_features),
            k.metric,
            weighted(k.weights),
            match &k.targets {
                NeighborTargets::Values { .. } => "",
                NeighborTargets::Classes { .. } => ", of classes",
            }
        ),
        Step::FillFromNeighbors(k) => format!(
            "{} of {} stored rows, {}",
            k.k,
            stored(k.vectors.len(), k.n_features),
            weighted(k.weights)
        ),
        _ => String::new(),
    }
}

fn weighted(weights: NeighborWeights) -> &'static str {
    match weights {
        NeighborWeights::Uniform => "weighted alike",
        NeighborWeights::Distance => "weighted by distance",
    }
}

fn kernel(function: &KernelFunction) -> &'static str {
    match function {
        KernelFunction::Linear => "linear",
        KernelFunction::Polynomial { .. } => "polynomial",
        KernelFunction::Rbf { .. } => "RBF",
        KernelFunction::Sigmoid { .. } => "sigmoid",
        KernelFunction::Euclidean => "Euclidean distance",
        _ => "of a Gaussian process",
    }
}
