//! Registering versions and finding them again.

use fretsaw_store::{Artifact, ErrorKind, NewVersion, Parent, Source, Status, Store};
use serde_json::json;

use super::{new_version, sha256, store, url, with_versions};

/// Every field filled.
fn full(name: &str) -> NewVersion {
    NewVersion {
        name: name.into(),
        created_us: -5,
        created_by: Some("someone \"quoted\" \u{1F980}".into()),
        task: "multiclass".into(),
        source: Source {
            format: "xgboost".into(),
            framework_version: Some("3.1.0".into()),
            sha256: sha256(11),
            path: Some("/models/a b.ubj".into()),
            size_bytes: Some(i64::MAX as u64),
        },
        parent: None,
        passes: Some(json!(["ranks", {"int8": {"scale": 0.1}}])),
        variant: "int8".into(),
        precision: "int8".into(),
        artifact: Artifact {
            sha256: sha256(12),
            path: Some("out/model.onnx".into()),
            size_bytes: Some(0),
            content: None,
        },
        inputs: Some(json!([{"name": "X", "shape": [null, 4]}])),
        outputs: Some(json!([])),
        run_id: Some("run".into()),
        run_summary: Some(json!({"speedup": 21.5})),
        // The shortest texts of floats that are easily read one unit off.
        golden_rows: Some(json!([[
            0.1,
            1e-45,
            5e-324,
            1.7976931348623157e308,
            -0.0,
            0.30000000000000004,
            null
        ]])),
        reference_histograms: Some(json!({"f0": {"cuts": [1.5], "counts": [1, 2], "missing": 3}})),
        metadata: Some(json!({"'; DROP TABLE onnx_model_registry; --": "\u{0}\n"})),
    }
}

#[test]
fn what_goes_in_comes_out() {
    let (folder, mut store) = store();
    let new = full("all");
    store.register(&new).unwrap();
    drop(store);
    let store = Store::open(&url(&folder)).unwrap();
    let version = store.resolve("all").unwrap();
    assert_eq!(version.entry, new);
    assert_eq!((version.version, version.status), (1, Status::Active));
    assert_eq!(version.aliases, ["champion"]);
    assert_eq!(version.usage, Default::default());

    // And through JSON.
    let text = serde_json::to_string(&version).unwrap();
    assert_eq!(
        serde_json::from_str::<fretsaw_store::Version>(&text).unwrap(),
        version
    );
    let shown: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&shown["name"], &shown["source"]["format"]),
        (&json!("all"), &json!("xgboost"))
    );
}

#[test]
fn numbers_and_first_aliases() {
    let (_folder, mut store) = store();
    for (name, content, version, aliases) in [
        ("a", 1, 1, &["champion"][..]),
        ("b", 1, 1, &["champion"]),
        ("a", 2, 2, &["challenger"]),
        ("a", 3, 3, &["challenger"]),
        ("b", 9, 2, &["challenger"]),
    ] {
        let registered = store.register(&new_version(name, content)).unwrap();
        assert_eq!((registered.version, registered.created), (version, true));
        assert_eq!(registered.aliases, aliases, "{name}");
    }
    let listed: Vec<_> = store
        .list()
        .unwrap()
        .into_iter()
        .map(|v| (v.name, v.version, v.aliases.join("+")))
        .collect();
    let expected = [
        ("a", 1, "champion"),
        ("a", 2, ""),
        ("a", 3, "challenger"),
        ("b", 1, "champion"),
        ("b", 2, "challenger"),
    ];
    assert_eq!(
        listed,
        expected.map(|(name, version, alias)| (name.into(), version, alias.into()))
    );
}

#[test]
fn the_same_content_is_the_same_version() {
    let (_folder, mut store) = with_versions(2);
    let mut again = new_version("m", 1);
    again.created_us = 99;
    again.artifact.path = Some("moved.onnx".into());
    let registered = store.register(&again).unwrap();
    assert_eq!((registered.version, registered.created), (1, false));
    assert_eq!(registered.aliases, ["champion"]);
    let kept = store.resolve("m@1").unwrap().entry;
    assert_eq!(
        (kept.created_us, kept.artifact.path.as_deref()),
        (1_001, Some("moved.onnx"))
    );
    // A path that is not told does not wipe the one that is known.
    store.register(&new_version("m", 1)).unwrap();
    assert_eq!(
        store.resolve("m@1").unwrap().entry.artifact.path.as_deref(),
        Some("moved.onnx")
    );

    // Another source, another name or an archived twin: a version of its own.
    let mut other = new_version("m", 1);
    other.source.sha256 = sha256(77);
    assert_eq!(store.register(&other).unwrap().version, 3);
    assert!(store.register(&new_version("n", 1)).unwrap().created);
    store.archive("m", 2).unwrap();
    assert_eq!(store.register(&new_version("m", 2)).unwrap().version, 4);
}

#[test]
fn references() {
    let (_folder, store) = with_versions(3);
    for (reference, version) in [
        ("m", 1),
        ("m@champion", 1),
        ("m@challenger", 3),
        ("m@2", 2),
        ("m@03", 3),
    ] {
        assert_eq!(
            store.resolve(reference).unwrap().version,
            version,
            "{reference}"
        );
    }
    for (reference, says) in [
        (
            "m@4",
            "\"m\" has no version 4; it has versions 3 (challenger), 2, 1 (champion)",
        ),
        ("m@0", "no version 0"),
        (
            "m@canary",
            "no version of \"m\" is its canary; it has versions 3 (challenger), 2, 1 (champion)",
        ),
        ("other", "no model \"other\"; there is model \"m\""),
        ("other@2", "no model \"other\""),
    ] {
        let error = store.resolve(reference).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains(says), "{reference}: {error}");
    }
    assert_eq!(store.show("other").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(
        store.resolve("m@").unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
}

#[test]
fn an_empty_store_says_so() {
    let (_folder, store) = store();
    let error = store.resolve("m").unwrap_err();
    assert!(
        error.to_string().contains("none is registered yet"),
        "{error}"
    );
    assert!(store.list().unwrap().is_empty());
}

#[test]
fn long_lists_are_cut() {
    let (_folder, store) = with_versions(15);
    let error = store.resolve("m@99").unwrap_err().to_string();
    assert!(
        error.contains("15 (challenger), 14") && error.ends_with("6 and 5 more"),
        "{error}"
    );
}

#[test]
fn names_that_look_like_sql_are_names() {
    let (_folder, mut store) = store();
    let names = [
        "Robert'); DROP TABLE onnx_model_registry;--",
        "\" OR 1=1 --",
        "$1",
        "%_",
        "名前\u{200f}",
    ];
    for name in names {
        store.register(&full(name)).unwrap();
        assert_eq!(store.resolve(name).unwrap().entry, full(name));
        assert_eq!(store.show(name).unwrap().versions.len(), 1);
        store.promote(name, 1, "canary", None).unwrap();
        assert_eq!(
            store.resolve(&format!("{name}@canary")).unwrap().entry.name,
            name
        );
    }
    assert_eq!(store.list().unwrap().len(), names.len());
}

#[test]
fn what_is_no_version() {
    let (_folder, mut store) = store();
    let mut bad_sha = new_version("m", 1);
    bad_sha.source.sha256 = "XYZ".into();
    let mut too_large = new_version("m", 1);
    too_large.artifact.size_bytes = Some(u64::MAX);
    for new in [
        new_version("", 1),
        new_version("a@b", 1),
        new_version("a\nb", 1),
        bad_sha,
        too_large,
    ] {
        let error = store.register(&new).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    assert!(store.list().unwrap().is_empty());
}

#[test]
fn parents() {
    let (_folder, mut store) = with_versions(1);
    let mut child = new_version("child", 5);
    child.parent = Some(Parent {
        name: "m".into(),
        version: 1,
    });
    store.register(&child).unwrap();
    assert_eq!(store.resolve("child").unwrap().entry.parent, child.parent);
    let mut orphan = new_version("orphan", 6);
    orphan.parent = Some(Parent {
        name: "m".into(),
        version: 2,
    });
    let error = store.register(&orphan).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("no version 2"), "{error}");
}

#[test]
fn artifacts() {
    let (_folder, mut store) = store();
    let mut new = new_version("m", 3);
    new.artifact.content = Some(vec![0, 159, 255]);
    store.register(&new).unwrap();
    new.name = "n".into();
    store.register(&new).unwrap();
    assert_eq!(store.artifact(&sha256(3)).unwrap(), Some(vec![0, 159, 255]));
    assert_eq!(store.artifact(&sha256(4)).unwrap(), None);
    // It is not dragged along with the version.
    assert_eq!(store.resolve("m").unwrap().entry.artifact.content, None);

    let names = |store: &Store, content| {
        let found = store.find_artifact(&sha256(content)).unwrap();
        found
            .into_iter()
            .map(|found| found.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&store, 3), ["m", "n"]);
    store.archive("m", 1).unwrap();
    assert_eq!(names(&store, 3), ["n"]);
    assert!(names(&store, 4).is_empty());
}
