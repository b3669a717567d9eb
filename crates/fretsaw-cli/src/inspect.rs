//! `fretsaw inspect`.

use fretsaw::model::{Body, FeatureKind, Model, Node, Test};
use fretsaw::optimize::answer_name;
use serde::Serialize;

use crate::args;
use crate::failure::Result;
use crate::{open, print};

/// What `inspect --json` prints. Field names are stable.
#[derive(Serialize)]
struct Facts {
    path: String,
    bytes: u64,
    sha256: String,
    source_sha256: Option<String>,
    format: String,
    framework: String,
    framework_version: Option<String>,
    objective: Option<String>,
    passes: Vec<String>,
    answer: &'static str,
    classes: Vec<String>,
    kind: &'static str,
    link: String,
    n_features: usize,
    n_outputs: usize,
    n_trees: usize,
    n_splits: usize,
    n_leaves: usize,
    max_depth: usize,
    category_splits: usize,
    compared_in: String,
    summed_in: String,
    base: Vec<f64>,
    steps: usize,
    features: Vec<FeatureFacts>,
}

#[derive(Serialize)]
struct FeatureFacts {
    name: String,
    kind: &'static str,
    categories: Option<usize>,
    /// Splits that test it.
    splits: usize,
}

pub(crate) fn run(args: &args::Inspect) -> Result {
    let opened = open::model(&args.model, &args.store)?;
    let loaded = &opened.loaded;
    let facts = facts(
        &loaded.model,
        loaded.path.display().to_string(),
        loaded.bytes,
        &loaded.sha256,
    );
    if args.json {
        print::json(&facts)
    } else {
        print::raw(text(&facts).as_bytes())
    }
}

fn facts(model: &Model, path: String, bytes: u64, sha256: &str) -> Facts {
    let mut splits = vec![0; model.features.len()];
    let mut facts = Facts {
        path,
        bytes,
        sha256: sha256.into(),
        source_sha256: model.provenance.source_sha256.clone(),
        format: model.provenance.format.clone(),
        framework: model.provenance.framework.clone(),
        framework_version: model.provenance.framework_version.clone(),
        objective: model.provenance.objective.clone(),
        passes: model.provenance.passes.clone(),
        answer: answer_name(model),
        classes: (0..model.n_classes())
            .map(|i| model.class_name(i))
            .collect(),
        kind: "linear",
        link: format!("{:?}", model.link),
        n_features: model.features.len(),
        n_outputs: model.body.n_outputs(),
        n_trees: 0,
        n_splits: 0,
        n_leaves: 0,
        max_depth: 0,
        category_splits: 0,
        compared_in: "f64".into(),
        summed_in: String::new(),
        base: vec![],
        steps: model.steps.len(),
        features: vec![],
    };
    match &model.body {
        Body::Ensemble(e) => {
            facts.kind = "tree ensemble";
            facts.n_trees = e.trees.len();
            facts.compared_in = format!("{:?}", e.compare).to_lowercase();
            facts.summed_in = format!("{:?}", e.sum).to_lowercase();
            facts.base.clone_from(&e.base);
            for tree in &e.trees {
                let stats = tree.stats();
                facts.n_splits += stats.n_splits;
                facts.n_leaves += stats.n_leaves;
                facts.max_depth = facts.max_depth.max(stats.depth);
                for node in &tree.nodes {
                    if let Node::Split(split) = node {
                        splits[split.feature as usize] += 1;
                        facts.category_splits += usize::from(matches!(split.test, Test::In(_)));
                    }
                }
            }
        }
        Body::Linear(l) => {
            facts.summed_in = format!("{:?}", l.sum).to_lowercase();
            facts.base.clone_from(&l.intercept);
        }
        _ => facts.kind = "other",
    }
    let feature = |(f, &splits): (&fretsaw::model::Feature, &usize)| FeatureFacts {
        name: f.name.clone(),
        kind: if f.kind == FeatureKind::Numeric {
            "numeric"
        } else {
            "categorical"
        },
        categories: match &f.kind {
            FeatureKind::Categorical {
                categories: Some(c),
            } => Some(c.len()),
            _ => None,
        },
        splits,
    };
    facts.features = model.features.iter().zip(&splits).map(feature).collect();
    facts
}

fn text(f: &Facts) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| out.push_str(&format!("{name:<14}{value}\n"));
    let version = f
        .framework_version
        .as_deref()
        .unwrap_or("version not stated");
    line(
        "file",
        format!(
            "{} ({}, sha256 {}...)",
            f.path,
            print::bytes(f.bytes),
            &f.sha256[..12]
        ),
    );
    line(
        "format",
        format!("{} ({} {version})", f.format, f.framework),
    );
    if let Some(objective) = &f.objective {
        line("objective", objective.clone());
    }
    if !f.passes.is_empty() {
        line("passes", f.passes.join(", "));
    }
    line("kind", f.kind.into());
    let classes = if f.classes.is_empty() {
        String::new()
    } else {
        format!(": {}", f.classes.join(", "))
    };
    line("answers", format!("{}{}", f.answer, clip(&classes, 80)));
    line("link", f.link.clone());
    line("outputs", f.n_outputs.to_string());
    if f.n_trees > 0 {
        line("trees", print::count(f.n_trees as u64));
        line("leaves", print::count(f.n_leaves as u64));
        line("depth", f.max_depth.to_string());
        line(
            "precision",
            format!("compared in {}, summed in {}", f.compared_in, f.summed_in),
        );
        if f.category_splits > 0 {
            line(
                "categories",
                format!(
                    "{} splits on category sets",
                    print::count(f.category_splits as u64)
                ),
            );
        }
    }
    line("base", format!("{:?}", &f.base[..f.base.len().min(8)]));
    line("features", f.n_features.to_string());
    let used = f.features.iter().filter(|x| x.splits > 0).count();
    if f.n_trees > 0 {
        line("  in use", used.to_string());
    }
    let mut by_use: Vec<_> = f.features.iter().collect();
    by_use.sort_by_key(|x| std::cmp::Reverse(x.splits));
    for x in by_use.iter().take(10).filter(|x| x.splits > 0) {
        let kind = x
            .categories
            .map_or_else(String::new, |n| format!(", {n} categories"));
        line(
            "",
            format!(
                "{} ({} splits{kind})",
                clip(&x.name, 40),
                print::count(x.splits as u64)
            ),
        );
    }
    out
}

fn clip(text: &str, n: usize) -> String {
    let short: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(n)
        .collect();
    if short.len() < text.len() {
        format!("{short}...")
    } else {
        short
    }
}
