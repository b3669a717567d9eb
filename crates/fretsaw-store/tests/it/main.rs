//! The store as its users see it: through its public interface, on real files, from several threads
//! and processes.

mod aliases;
mod concurrency;
mod logs;
mod places;
mod registry;
mod runs;
mod schema;

use fretsaw_store::{Artifact, NewVersion, Source, Store, Url};
use tempfile::TempDir;

/// A new store in a folder of its own.
fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).unwrap();
    (folder, store)
}

fn url(folder: &TempDir) -> Url {
    Url::file(folder.path().join("store.db"))
}

/// A text that looks like a SHA-256, one for each `seed`.
fn sha256(seed: u64) -> String {
    format!("{seed:064x}")
}

/// A version whose artifact is `content`.
fn new_version(name: &str, content: u64) -> NewVersion {
    NewVersion {
        name: name.into(),
        created_us: 1_000 + content as i64,
        task: "binary".into(),
        variant: "exact".into(),
        precision: "fp32".into(),
        source: Source {
            format: "xgboost".into(),
            sha256: sha256(1),
            ..Source::default()
        },
        artifact: Artifact {
            sha256: sha256(content),
            ..Artifact::default()
        },
        ..NewVersion::default()
    }
}

/// A store with versions 1 to `n` of `m`.
fn with_versions(n: u64) -> (TempDir, Store) {
    let (folder, mut store) = store();
    for content in 1..=n {
        assert_eq!(
            u64::from(store.register(&new_version("m", content)).unwrap().version),
            content
        );
    }
    (folder, store)
}
