//! `fretsaw models`: the registry.

use std::path::Path;

use fretsaw::load;
use fretsaw::optimize::answer_name;
use fretsaw_store::{Artifact, NewVersion, Registered, Source, Status, now_us};

use crate::args::{Models, StoreJson};
use crate::failure::{Failure, Result};
use crate::{print, record};

pub(crate) fn run(command: Models) -> Result {
    match command {
        Models::List(options) => list(&options),
        Models::Show { name, options } => show(&name, &options),
        Models::Import {
            path,
            name,
            options,
        } => import(&path, name, &options),
        Models::Promote {
            version,
            alias,
            options,
        } => {
            let (name, number) = numbered(&version)?;
            let moved = options.store.open()?.promote(&name, number, &alias, None)?;
            told(
                &options,
                &moved,
                format!("{name}@{alias} is version {number} now"),
            )
        }
        Models::Rollback {
            name,
            alias,
            options,
        } => {
            let moved = options.store.open()?.rollback(&name, &alias)?;
            told(
                &options,
                &moved,
                format!("{name}@{alias} is version {} again", moved.to),
            )
        }
        Models::Archive { version, options } => {
            let (name, number) = numbered(&version)?;
            let aliases = options.store.open()?.archive(&name, number)?;
            let lost = if aliases.is_empty() {
                String::new()
            } else {
                format!("; it was {}", aliases.join(", "))
            };
            told(
                &options,
                &aliases,
                format!("{name}@{number} is archived{lost}"),
            )
        }
    }
}

fn told(options: &StoreJson, facts: &impl serde::Serialize, text: String) -> Result {
    if options.json {
        print::json(facts)
    } else {
        print::line(&text)
    }
}

/// `NAME@VERSION` with a number.
fn numbered(reference: &str) -> Result<(String, u32)> {
    reference
        .rsplit_once('@')
        .and_then(|(name, version)| Some((name.to_string(), version.parse().ok()?)))
        .ok_or_else(|| Failure::usage(format!("'{reference}' is not NAME@VERSION with a number")))
}

fn list(options: &StoreJson) -> Result {
    let versions = options.store.open()?.list()?;
    if options.json {
        return print::json(&versions);
    }
    if versions.is_empty() {
        return print::line("no models yet; 'fretsaw optimize' registers one");
    }
    let rows = versions
        .iter()
        .map(|v| {
            vec![
                v.name.clone(),
                v.version.to_string(),
                if v.status == Status::Archived {
                    "archived".into()
                } else {
                    v.aliases.join(", ")
                },
                v.source_format.clone(),
                v.task.clone(),
                v.variant.clone(),
                v.artifact_bytes.map_or("-".into(), print::bytes),
                print::when(v.created_us),
                print::count(v.use_count),
                v.last_used_us.map_or("never".into(), print::when),
            ]
        })
        .collect();
    let header = [
        "name",
        "version",
        "aliases",
        "from",
        "answers",
        "variant",
        "size",
        "created",
        "uses",
        "last used",
    ];
    print::line(&print::table(&header, &[1, 6, 8], rows))
}

fn show(name: &str, options: &StoreJson) -> Result {
    // NAME@VERSION is as good a name here.
    let bare = name.split('@').next().unwrap_or(name);
    let model = options.store.open()?.show(bare)?;
    if options.json {
        return print::json(&model);
    }
    print::line(&format!(
        "{} ({} versions)",
        model.name,
        model.versions.len()
    ))?;
    for v in &model.versions {
        let e = &v.entry;
        let state = if v.status == Status::Archived {
            "archived".into()
        } else {
            v.aliases.join(", ")
        };
        print::line(&format!("\nversion {}  {state}", v.version))?;
        let passes = e.passes.as_ref().map_or("none".into(), list_of);
        let facts = [
            ("created", print::when(e.created_us)),
            ("answers", e.task.clone()),
            (
                "variant",
                format!("{} ({}), passes: {passes}", e.variant, e.precision),
            ),
            (
                "source",
                file(
                    &e.source.format,
                    e.source.path.as_deref(),
                    &e.source.sha256,
                    e.source.size_bytes,
                ),
            ),
            (
                "parent",
                e.parent.as_ref().map_or("the source file".into(), |p| {
                    format!("{}@{}", p.name, p.version)
                }),
            ),
            (
                "file",
                file(
                    "onnx",
                    e.artifact.path.as_deref(),
                    &e.artifact.sha256,
                    e.artifact.size_bytes,
                ),
            ),
            ("run", e.run_id.clone().unwrap_or_else(|| "none".into())),
            (
                "used",
                format!(
                    "{} times, {} errors",
                    print::count(v.usage.requests),
                    print::count(v.usage.errors)
                ),
            ),
        ];
        for (what, value) in facts {
            print::line(&format!("  {what:<9}{value}"))?;
        }
        if let Some(summary) = &e.run_summary
            && let Some(verdict) = summary.get("verdict").and_then(|v| v.as_str())
        {
            print::line(&format!("  {:<9}{verdict}", "verdict"))?;
        }
    }
    print::line("\nalias moves")?;
    for m in &model.alias_moves {
        let to = m
            .version
            .map_or("nothing".into(), |v| format!("version {v}"));
        print::line(&format!(
            "  {}  {} -> {to}",
            print::when(m.moved_us),
            m.alias
        ))?;
    }
    Ok(())
}

fn list_of(passes: &serde_json::Value) -> String {
    let names: Vec<&str> = passes
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|p| p.as_str())
        .collect();
    if names.is_empty() {
        "none".into()
    } else {
        names.join(", ")
    }
}

fn file(format: &str, path: Option<&str>, sha256: &str, bytes: Option<u64>) -> String {
    let size = bytes.map_or(String::new(), |b| format!(", {}", print::bytes(b)));
    format!(
        "{} ({format}{size}, sha256 {}...)",
        path.unwrap_or("in the store"),
        &sha256[..sha256.len().min(12)]
    )
}

fn import(path: &Path, name: Option<String>, options: &StoreJson) -> Result {
    if let Some(name) = &name {
        fretsaw_store::check_name(name)?;
    }
    let bytes = load::read_file(path)?;
    let loaded = load::load_bytes(&bytes, path)?;
    let name = name.unwrap_or_else(|| record::registry_name(&loaded.name()));
    let absolute = std::path::absolute(path)
        .unwrap_or_else(|_| path.to_path_buf())
        .display()
        .to_string();
    let provenance = &loaded.model.provenance;
    let new = NewVersion {
        name,
        created_us: now_us(),
        task: answer_name(&loaded.model).into(),
        source: Source {
            format: provenance.format.clone(),
            framework_version: provenance.framework_version.clone(),
            sha256: loaded.sha256.clone(),
            path: Some(absolute.clone()),
            size_bytes: Some(loaded.bytes),
        },
        variant: "as given".into(),
        precision: "as given".into(),
        artifact: Artifact {
            sha256: loaded.sha256.clone(),
            path: Some(absolute),
            size_bytes: Some(loaded.bytes),
            content: Some(bytes).filter(|b| b.len() <= record::MAX_STORED_BYTES),
        },
        ..NewVersion::default()
    };
    let registered = options.store.open()?.register(&new)?;
    let text = describe(&registered);
    told(options, &registered, text)
}

/// What registering came to, in words.
pub(crate) fn describe(r: &Registered) -> String {
    let aliases = if r.aliases.is_empty() {
        String::new()
    } else {
        format!(" ({})", r.aliases.join(", "))
    };
    let known = if r.created {
        ""
    } else {
        ", as before: the same source and the same file"
    };
    format!("{}@{}{aliases}{known}", r.name, r.version)
}
