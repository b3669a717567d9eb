//! `fretsaw inspect`.

use fretsaw::model::{Body, Ensemble, FeatureKind, Missing, Model, Node, Test};
use fretsaw::onnx;
use fretsaw::optimize::answer_name;
use serde::Serialize;

use crate::args;
use crate::failure::Result;
use crate::steps::StepFacts;
use crate::{open, origin, print, steps};

/// Steps that the text lists.
const MAX_STEPS: usize = 40;

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
    /// Splits by what a missing value does: goes a default way, is compared as zero, or goes the
    /// default way together with zero.
    missing: MissingFacts,
    /// Operator sets that an ONNX file asks for.
    opsets: Vec<Opset>,
    compared_in: String,
    summed_in: String,
    base: Vec<f64>,
    steps: usize,
    /// Every step, those of branches too.
    step_list: Vec<StepFacts>,
    features: Vec<FeatureFacts>,
}

#[derive(Default, Serialize)]
struct MissingFacts {
    default_way: usize,
    as_zero: usize,
    with_zero: usize,
}

#[derive(Serialize)]
struct Opset {
    domain: String,
    version: i64,
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
    let mut facts = facts(
        &loaded.model,
        loaded.path.display().to_string(),
        loaded.bytes,
        &loaded.sha256,
    );
    if opened.is_onnx() {
        facts.opsets = onnx::opsets(&opened.bytes)?
            .into_iter()
            .map(|(domain, version)| Opset { domain, version })
            .collect();
    }
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
        link: steps::link(&model.link),
        n_features: model.features.len(),
        n_outputs: model.body.n_margins(),
        n_trees: 0,
        n_splits: 0,
        n_leaves: 0,
        max_depth: 0,
        category_splits: 0,
        missing: MissingFacts::default(),
        opsets: vec![],
        compared_in: "f64".into(),
        summed_in: String::new(),
        base: vec![],
        steps: model.steps.len(),
        step_list: steps::facts(&model.steps, model.features.len()),
        features: vec![],
    };
    match &model.body {
        Body::Ensemble(e) => {
            facts.kind = "tree ensemble";
            facts.base.clone_from(&e.base);
        }
        Body::Linear(l) => {
            facts.summed_in = format!("{:?}", l.sum).to_lowercase();
            facts.base.clone_from(&l.intercept);
        }
        _ => {
            facts.kind = "pipeline";
            facts.summed_in = "f64".into();
        }
    }
    origin::ensembles(model, &mut |e, origins| {
        let of = |feature: u32| origins.get(feature as usize).copied().flatten();
        add_trees(&mut facts, e, &mut |feature| {
            if let Some(feature) = of(feature) {
                splits[feature] += 1;
            }
        });
    });
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

/// Counts the trees of an ensemble; `split_on` is told the place that each split looks at.
fn add_trees(facts: &mut Facts, e: &Ensemble, split_on: &mut dyn FnMut(u32)) {
    facts.n_trees += e.trees.len();
    facts.compared_in = format!("{:?}", e.compare).to_lowercase();
    facts.summed_in = format!("{:?}", e.sum).to_lowercase();
    for tree in &e.trees {
        let stats = tree.stats();
        facts.n_splits += stats.n_splits;
        facts.n_leaves += stats.n_leaves;
        facts.max_depth = facts.max_depth.max(stats.depth);
        for node in &tree.nodes {
            if let Node::Split(split) = node {
                split_on(split.feature);
                facts.category_splits += usize::from(matches!(split.test, Test::In(_)));
                match split.missing {
                    Missing::Nan { .. } => facts.missing.default_way += 1,
                    Missing::AsZero => facts.missing.as_zero += 1,
                    Missing::ZeroOrNan { .. } => facts.missing.with_zero += 1,
                }
            }
        }
    }
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
    if !f.step_list.is_empty() {
        line("steps", f.steps.to_string());
    }
    for step in f.step_list.iter().take(MAX_STEPS) {
        line("", clip(&step.text(), 100));
    }
    if let Some(more) = f.step_list.len().checked_sub(MAX_STEPS + 1) {
        line("", format!("and {} more; --json lists them all", more + 1));
    }
    if f.n_trees > 0 {
        line("trees", print::count(f.n_trees as u64));
        line("leaves", print::count(f.n_leaves as u64));
        line("depth", f.max_depth.to_string());
        line(
            "precision",
            format!("compared in {}, summed in {}", f.compared_in, f.summed_in),
        );
        line("missing", missing_text(&f.missing));
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
    if !f.opsets.is_empty() {
        let name = |o: &Opset| match o.domain.as_str() {
            "" => format!("ai.onnx {}", o.version),
            domain => format!("{domain} {}", o.version),
        };
        line(
            "opsets",
            f.opsets.iter().map(name).collect::<Vec<_>>().join(", "),
        );
    }
    line("base", format!("{:?}", &f.base[..f.base.len().min(8)]));
    line("features", f.n_features.to_string());
    let used = f.features.iter().filter(|x| x.splits > 0).count();
    if f.kind == "tree ensemble" && used > 0 {
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

fn missing_text(m: &MissingFacts) -> String {
    let parts = [
        (m.default_way, "take a default way"),
        (m.as_zero, "compare it as 0"),
        (m.with_zero, "take a default way, with 0"),
    ];
    let some: Vec<String> = parts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{} splits {what}", print::count(*n as u64)))
        .collect();
    if some.is_empty() {
        "no splits".into()
    } else {
        some.join("; ")
    }
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
