//! Interrupted, killed, two at once, a reader that went away.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::place::{Place, Ran, small};

/// Long enough for any machine; waiting ends as soon as what is waited for is there.
const PATIENCE: Duration = Duration::from_secs(60);

/// An optimise job that measures until it is stopped, started and at work.
fn endless(place: &Place) -> Child {
    let child = place
        .command()
        .args([
            "optimize",
            &small("model.ubj"),
            "--data",
            &small("X.npy"),
            "--out",
            "out",
        ])
        .env("FRETSAW_EFFORT_MS", "600000")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // The store is opened after the handler of signals is in place, and before the work.
    let store = place.path("data/fretsaw/fretsaw.db");
    let start = Instant::now();
    while !store.exists() {
        assert!(start.elapsed() < PATIENCE, "no store appeared");
        sleep(Duration::from_millis(10));
    }
    sleep(Duration::from_millis(300));
    child
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("sh")
        .arg("-c")
        .arg(format!("kill -{name} {}", child.id()))
        .status();
    assert!(sent.is_ok_and(|s| s.success()), "cannot send SIG{name}");
}

fn ended(mut child: Child) -> Ran {
    let start = Instant::now();
    while child.try_wait().expect("a child of ours").is_none() {
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("it did not end");
        }
        sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().expect("its output");
    Ran::ended("interrupted".into(), &output)
}

/// The store answers, and knows nothing of a run that did not end.
fn store_is_whole(place: &Place) {
    assert_eq!(place.line("models list --json").json(), json!([]));
    assert_eq!(
        place.line("history --json").json()["measurements"],
        json!([])
    );
    place
        .run([
            "optimize",
            &small("model.ubj"),
            "--data",
            &small("X.npy"),
            "--out",
            "out",
        ])
        .done();
    assert_eq!(place.line("models list --json").json()[0]["version"], 1);
}

#[cfg(unix)]
#[test]
fn interrupted() {
    for name in ["INT", "TERM"] {
        let place = Place::new();
        let child = endless(&place);
        signal(&child, name);
        let ran = ended(child);
        ran.failed(1, &["error: interrupted"]);
        assert_eq!(ran.stdout, "");
        assert_eq!(place.listing(), [""; 0], "SIG{name}");
        store_is_whole(&place);
    }
}

#[test]
fn killed() {
    let place = Place::new();
    let mut child = endless(&place);
    child.kill().expect("a child of ours");
    let ran = ended(child);
    assert_eq!(ran.status, None, "no exit status: it was killed");
    assert!(!place.path("out").exists());
    store_is_whole(&place);
}

#[test]
fn several_at_once() {
    let place = Place::new();
    let start = |out: &str| {
        place
            .command()
            .args([
                "optimize",
                &small("model.ubj"),
                "--data",
                &small("X.npy"),
                "--objective",
                "size",
            ])
            .args(["--out", out, "--name", out])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts")
    };
    let children: Vec<Child> = ["one", "two", "three"].map(start).into();
    for child in children {
        ended(child).done();
    }
    for out in ["one", "two", "three"] {
        assert!(place.path(out).join("model.onnx").is_file(), "{out}");
    }
    let list = place.line("models list --json").json();
    let names: Vec<_> = list
        .as_array()
        .expect("models")
        .iter()
        .map(|m| &m["name"])
        .collect();
    assert_eq!(names, ["one", "three", "two"]);
}

/// `fretsaw ... | head -1` ends quietly.
#[test]
fn a_reader_that_went_away() {
    let place = Place::new();
    for args in [
        &["completions", "bash"][..],
        &["--help"],
        &["devices", "--json"],
        &["models", "list"],
    ] {
        let mut child = place
            .command()
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        drop(child.stdout.take());
        let mut said = String::new();
        let mut stderr = child.stderr.take().expect("a pipe");
        stderr.read_to_string(&mut said).expect("text");
        let status = child.wait().expect("a child of ours");
        assert_eq!(said, "", "{args:?}");
        assert!(status.code().is_some(), "{args:?}: {status}");
    }
}
