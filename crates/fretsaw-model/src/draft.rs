//! The checks that make a model valid. Everything downstream relies on them: the kernels index
//! without looking because of what is checked here.

use crate::check_steps::{check_steps, refuses};
use crate::{
    Answer, Body, CategorySet, Draft, Ensemble, Error, FeatureKind, Linear, Link, Node, Split, Sum,
    Target, Test, Tree,
};

/// Whole numbers beyond this are not exact leaves of an integer sum.
const MAX_INTEGER_LEAF: f64 = 32_768.0;

impl Draft {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let n_features = self.features.len();
        if u32::try_from(n_features).is_err() {
            return Err(Error::invalid(format!(
                "{n_features} features are more than can be numbered"
            )));
        }
        for (i, feature) in self.features.iter().enumerate() {
            if let FeatureKind::Categorical {
                categories: Some(c),
            } = &feature.kind
                && u32::try_from(c.len()).is_err()
            {
                return Err(Error::invalid(format!(
                    "feature {i} has {} categories",
                    c.len()
                )));
            }
        }
        let width = check_steps(&self.steps, n_features).map_err(Error::invalid)?;
        if u32::try_from(width).is_err() {
            return Err(Error::invalid(format!(
                "{width} features behind the steps are more than can be numbered"
            )));
        }
        match &self.body {
            Body::Ensemble(e) => check_ensemble(e, width)?,
            Body::Linear(l) => check_linear(l, width)?,
            Body::Row {
                n_outputs,
                n_margins,
            } => {
                check_outputs(*n_margins)?;
                if *n_outputs != width || n_margins > n_outputs {
                    return Err(Error::invalid(format!(
                        "{n_margins} margins of {n_outputs} outputs, and the steps leave {width}"
                    )));
                }
            }
        }
        self.check_answer()
    }

    fn check_answer(&self) -> Result<(), Error> {
        let n_outputs = self.body.n_outputs();
        if let Link::Then(steps) = &self.link {
            check_steps(steps, n_outputs).map_err(|e| Error::invalid(format!("link: {e}")))?;
            if refuses(steps) {
                return Err(Error::invalid(
                    "an encoder in the link that refuses categories",
                ));
            }
        }
        let n_answers = self.link.n_answers(n_outputs);
        match self.answer {
            Answer::Binary | Answer::Score if n_answers != 1 => {
                return Err(Error::invalid(format!(
                    "a binary answer needs 1 value a row, not {n_answers}"
                )));
            }
            Answer::Class if n_answers != 1 || self.link == Link::Identity => {
                return Err(Error::invalid(
                    "an answer that is a class needs a link that gives one",
                ));
            }
            Answer::Classes | Answer::Labels if self.link == Link::ArgMax => {
                return Err(Error::invalid(
                    "the link gives a class, not a value for each",
                ));
            }
            _ => {}
        }
        if let Some(labels) = &self.labels {
            let n_classes = self.n_classes();
            if labels.len() != n_classes {
                return Err(Error::invalid(format!(
                    "{} class names for {n_classes} classes",
                    labels.len()
                )));
            }
        }
        let (n, link) = self.link.parts();
        if !(n.is_finite() && n > 0.0) {
            return Err(Error::invalid(format!(
                "the link takes the mean of {n}, not of a positive number"
            )));
        }
        if let Link::Sigmoid { steepness } = link
            && !(steepness.is_finite() && steepness > 0.0)
        {
            return Err(Error::invalid(format!(
                "the sigmoid's steepness is {steepness}, not a positive number"
            )));
        }
        Ok(())
    }
}

pub(crate) fn check_linear(l: &Linear, n_features: usize) -> Result<(), Error> {
    check_outputs(l.n_outputs)?;
    let want = n_features.checked_mul(l.n_outputs);
    if want != Some(l.weights.len()) {
        return Err(Error::invalid(format!(
            "{} weights for {n_features} features and {} outputs",
            l.weights.len(),
            l.n_outputs
        )));
    }
    if l.intercept.len() != l.n_outputs {
        return Err(Error::invalid(format!(
            "{} intercepts for {} outputs",
            l.intercept.len(),
            l.n_outputs
        )));
    }
    Ok(())
}

fn check_outputs(n_outputs: usize) -> Result<(), Error> {
    if n_outputs == 0 || u32::try_from(n_outputs).is_err() {
        return Err(Error::invalid(format!("a model of {n_outputs} outputs")));
    }
    Ok(())
}

pub(crate) fn check_ensemble(e: &Ensemble, n_features: usize) -> Result<(), Error> {
    check_outputs(e.n_outputs)?;
    for (name, values) in [("base values", &e.base), ("factors", &e.multiply)] {
        if values.len() != e.n_outputs {
            return Err(Error::invalid(format!(
                "{} {name} for {} outputs",
                values.len(),
                e.n_outputs
            )));
        }
    }
    if e.divide.is_nan() || e.divide == 0.0 {
        return Err(Error::invalid(format!(
            "the sum is divided by {}",
            e.divide
        )));
    }
    let mut seen = Vec::new();
    let mut largest = 0.0_f64;
    for (i, tree) in e.trees.iter().enumerate() {
        check_tree(tree, e, n_features, &mut seen)
            .map_err(|what| Error::invalid(format!("tree {i}: {what}")))?;
        if e.sum == Sum::I32 {
            largest +=
                check_integer(tree).map_err(|what| Error::invalid(format!("tree {i}: {what}")))?;
        }
    }
    if largest > f64::from(i32::MAX) {
        return Err(Error::invalid(
            "the integer leaves can sum to more than 32 bits hold",
        ));
    }
    Ok(())
}

/// Gives the largest magnitude that the tree can add.
fn check_integer(tree: &Tree) -> Result<f64, String> {
    let whole = |x: f64| x.trunc() == x && x.abs() <= MAX_INTEGER_LEAF;
    if !whole(tree.weight) || !tree.linear.is_empty() {
        return Err(format!(
            "weight {} or a linear leaf in an integer sum",
            tree.weight
        ));
    }
    match tree.leaves.iter().position(|&v| !whole(v)) {
        Some(i) => Err(format!(
            "leaf {i} is {}, not a 16-bit whole number",
            tree.leaves[i]
        )),
        None => Ok(tree
            .leaves
            .iter()
            .fold(0.0_f64, |m, v| m.max((v * tree.weight).abs()))),
    }
}

fn check_tree(
    tree: &Tree,
    e: &Ensemble,
    n_features: usize,
    seen: &mut Vec<bool>,
) -> Result<(), String> {
    if tree.nodes.is_empty() {
        return Err("no nodes".into());
    }
    if u32::try_from(tree.nodes.len()).is_err() {
        return Err(format!(
            "{} nodes are more than can be numbered",
            tree.nodes.len()
        ));
    }
    if tree.weight.is_nan() {
        return Err("its weight is NaN".into());
    }
    let width = match tree.target {
        Target::All => e.n_outputs,
        Target::Output(k) if (k as usize) < e.n_outputs => 1,
        Target::Output(k) => return Err(format!("adds to output {k} of {}", e.n_outputs)),
    };
    if !tree.leaves.len().is_multiple_of(width) {
        return Err(format!(
            "{} leaf values for leaves of {width}",
            tree.leaves.len()
        ));
    }
    let n_leaves = tree.leaves.len() / width;
    if let Some(i) = tree.leaves.iter().position(|v| v.is_nan()) {
        return Err(format!("leaf value {i} is NaN"));
    }
    check_linear_leaves(tree, n_leaves, n_features)?;
    for (i, set) in tree.sets.iter().enumerate() {
        check_set(set).map_err(|what| format!("category set {i}: {what}"))?;
    }

    // Every node is reached exactly once: no cycle, no shared child, nothing lost.
    seen.clear();
    seen.resize(tree.nodes.len(), false);
    let mut leaf_seen = vec![false; n_leaves];
    let mut stack = vec![0_u32];
    let mut reached = 0_usize;
    while let Some(at) = stack.pop() {
        match seen.get_mut(at as usize) {
            None => {
                return Err(format!(
                    "node {at} does not exist; there are {}",
                    tree.nodes.len()
                ));
            }
            Some(true) => return Err(format!("node {at} is reached twice")),
            Some(slot) => *slot = true,
        }
        reached += 1;
        match tree.nodes[at as usize] {
            Node::Leaf(k) => match leaf_seen.get_mut(k as usize) {
                None => return Err(format!("node {at}: leaf {k} of {n_leaves}")),
                Some(true) => return Err(format!("node {at}: leaf {k} is reached twice")),
                Some(slot) => *slot = true,
            },
            Node::Split(split) => {
                check_split(&split, tree, n_features)
                    .map_err(|what| format!("node {at}: {what}"))?;
                stack.push(split.no);
                stack.push(split.yes);
            }
        }
    }
    if reached != tree.nodes.len() {
        let lost = seen.iter().position(|s| !s).unwrap_or_default();
        return Err(format!("node {lost} is never reached"));
    }
    match leaf_seen.iter().position(|s| !s) {
        Some(k) => Err(format!("leaf {k} is never reached")),
        None => Ok(()),
    }
}

fn check_split(split: &Split, tree: &Tree, n_features: usize) -> Result<(), String> {
    if split.feature as usize >= n_features {
        return Err(format!("feature {} of {n_features}", split.feature));
    }
    match split.test {
        Test::In(set) if set as usize >= tree.sets.len() => {
            Err(format!("category set {set} of {}", tree.sets.len()))
        }
        Test::Less(t)
        | Test::LessEq(t)
        | Test::Greater(t)
        | Test::GreaterEq(t)
        | Test::Equal(t)
        | Test::NotEqual(t)
            if t.is_nan() =>
        {
            Err("its threshold is NaN".into())
        }
        _ => Ok(()),
    }
}

fn check_linear_leaves(tree: &Tree, n_leaves: usize, n_features: usize) -> Result<(), String> {
    if tree.linear.is_empty() {
        return Ok(());
    }
    if tree.target == Target::All || tree.linear.len() != n_leaves {
        return Err(format!(
            "{} linear leaves for {n_leaves} single ones",
            tree.linear.len()
        ));
    }
    for (i, leaf) in tree.linear.iter().enumerate() {
        if let Some((f, _)) = leaf.terms.iter().find(|(f, _)| *f as usize >= n_features) {
            return Err(format!("linear leaf {i}: feature {f} of {n_features}"));
        }
    }
    Ok(())
}

fn check_set(set: &CategorySet) -> Result<(), String> {
    let ascending = |v: &[u32]| v.windows(2).all(|w| w[0] < w[1]);
    if !ascending(&set.members) || !set.known.as_deref().is_none_or(ascending) {
        return Err("its categories are not in ascending order".into());
    }
    Ok(())
}
