//! `models` and `history`: versions, aliases and where they move; what is asked for by name.

use serde_json::{Value, json};

use crate::place::{Place, argument, small};

/// Imports two files under one name: version 1 is the champion, 2 the challenger.
fn two_versions() -> Place {
    let place = Place::new();
    let other = argument("testdata/xgboost-3.4.0/binary_base_score/model.ubj");
    for (file, version) in [(small("model.ubj"), 1), (other, 2)] {
        let made = place
            .run(["models", "import", &file, "--name", "signal", "--json"])
            .json();
        assert_eq!(made["version"], version);
        assert_eq!(made["created"], true);
    }
    place
}

/// The aliases of each version, as `models show` tells them.
fn aliases(place: &Place) -> Vec<Value> {
    let shown = place.line("models show signal --json").json();
    let versions = shown["versions"].as_array().expect("versions").iter();
    versions.map(|v| v["aliases"].clone()).collect()
}

#[test]
fn aliases_move_and_come_back() {
    let place = two_versions();
    assert_eq!(
        aliases(&place),
        [json!(["champion"]), json!(["challenger"])]
    );

    let moved = place.line("models promote signal@2 --json").json();
    assert_eq!((&moved["from"], &moved["to"]), (&json!(1), &json!(2)));
    assert_eq!(aliases(&place), [json!([]), json!(["champion"])]);

    place.line("models rollback signal").done();
    assert_eq!(aliases(&place)[0], json!(["champion"]));

    place.line("models promote signal@2 --alias canary").done();
    assert!(
        aliases(&place)[1]
            .as_array()
            .is_some_and(|a| a.contains(&json!("canary")))
    );

    place.line("models archive signal@2").done();
    let list = place.line("models list --json").json();
    assert_eq!(list[1]["status"], "archived");
    assert_eq!(list[1]["aliases"], json!([]));
    place
        .line("models promote signal@2")
        .failed(1, &["signal", "2", "archived"]);
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let place = two_versions();
    let x = small("X.npy");
    for (args, parts) in [
        ("models show none", &["none", "signal"][..]),
        ("models promote signal@7", &["signal", "7"]),
        ("models rollback none", &["none"]),
        ("models archive none@1", &["none"]),
        ("inspect signal@7", &["signal", "7"]),
        ("inspect signal@nobody", &["nobody"]),
        ("inspect none@1", &["none"]),
    ] {
        place.line(args).failed(1, parts);
    }
    place
        .line(&format!("predict none@champion --input {x} --output y.npy"))
        .failed(1, &["none"]);
    for args in ["models promote signal", "models archive signal@champion"] {
        place.line(args).failed(2, &["NAME@VERSION"]);
    }
    assert_eq!(place.listing(), [""; 0]);
}

#[test]
fn a_name_is_a_model_anywhere() {
    let place = two_versions();
    let x = small("X.npy");
    for (model, version) in [("signal", 1), ("signal@2", 2), ("signal@challenger", 2)] {
        place
            .line(&format!("predict {model} --input {x} --output y.npy"))
            .done();
        let history = place.line("history signal --json").json();
        let used = history["inference"].as_array().expect("inference").iter();
        assert!(
            used.clone().any(|u| u["model_version"] == version),
            "{history}"
        );
    }
    let facts = place.line("inspect signal@1 --json").json();
    assert_eq!(facts["kind"], "tree ensemble");
    place.line("convert signal@challenger -o out.onnx").done();
    assert!(place.path("out.onnx").is_file());
}

#[test]
fn a_version_outlives_its_file_and_knows_when_it_was_changed() {
    let place = Place::new();
    let bytes = std::fs::read(small("model.ubj")).expect("a model");
    let file = place.write("mine.ubj", &bytes);
    place.line("models import mine.ubj").done();
    std::fs::remove_file(&file).expect("the test's own file");
    place.line("inspect mine@1 --json").json();
    // Another file under the old name is not the version.
    place.write("mine.ubj", b"{}");
    let facts = place.line("inspect mine@1 --json").json();
    assert_eq!(facts["bytes"], bytes.len());
}

#[test]
fn names_that_are_none_are_refused_before_the_work() {
    let place = Place::new();
    let (model, x) = (small("model.ubj"), small("X.npy"));
    for name in ["a@b", "a/b", "", " a", "line\nbreak"] {
        let ran = place.run(["models", "import", &model, "--name", name]);
        assert!(matches!(ran.status, Some(1 | 2)), "{name:?}");
        ran.failed(ran.status.unwrap_or(0), &["name"]);
        let ran = place.run([
            "optimize", &model, "--data", &x, "--out", "out", "--name", name,
        ]);
        ran.failed(ran.status.unwrap_or(0), &["name"]);
        assert!(matches!(ran.status, Some(1 | 2)), "{name:?}");
    }
    assert_eq!(place.listing(), [""; 0]);
}

#[test]
fn the_store_can_be_elsewhere() {
    let place = Place::new();
    let model = small("model.ubj");
    place
        .line(&format!(
            "models import {model} --name there --store sqlite://other.db"
        ))
        .done();
    assert!(place.path("other.db").is_file());
    assert_eq!(place.line("models list --json").json(), json!([]));
    let by_variable = crate::place::Ran::of(
        place
            .command()
            .args(["models", "list", "--json"])
            .env("FRETSAW_STORE", "sqlite://other.db"),
    );
    assert_eq!(by_variable.json()[0]["name"], "there");
    let status = place
        .line("store status --json --store sqlite://other.db")
        .json();
    assert!(
        status["schema_version"].as_u64().is_some_and(|v| v >= 1),
        "{status}"
    );
    place.line("store migrate --store sqlite://other.db").done();
    place
        .line("store prune --older-than 1d --store sqlite://other.db")
        .done();
}

#[test]
fn a_store_that_is_none_is_told() {
    let place = Place::new();
    place.write(
        "text.db",
        "this is no database, and long enough that nobody takes it for one\n".repeat(30),
    );
    place
        .line("models list --store sqlite://text.db")
        .failed(1, &["text.db"]);
    place
        .line("models list --store mysql://host/db")
        .failed(2, &["sqlite://PATH"]);
    let secret = place.line("models list --store postgres://user:hunter2@host/db");
    secret.failed(2, &["PostgreSQL"]);
    assert!(!secret.stderr.contains("hunter2"));
    place.write("file", "");
    let inside = place.line("models list --store sqlite://file/in/it.db");
    assert_eq!(inside.status, Some(1));
    assert!(inside.stderr.starts_with("error: "), "{}", inside.stderr);
    assert_eq!(inside.stderr.lines().count(), 1, "{}", inside.stderr);
}
