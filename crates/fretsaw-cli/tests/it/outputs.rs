//! Where `optimize` writes: refused before the work where it cannot, whole or not at all where it can.

use std::fs;

use crate::place::{Place, Ran, small};

fn optimize(place: &Place, out: &str) -> Ran {
    place.run([
        "optimize",
        &small("model.ubj"),
        "--data",
        &small("X.npy"),
        "--out",
        out,
    ])
}

#[test]
fn folders_that_cannot_be() {
    let place = Place::new();
    place.write("file", "in the way");
    for (out, part) in [
        ("file", "file"),
        ("file/out", "file"),
        ("missing/out", "missing"),
    ] {
        optimize(&place, out).failed(1, &[part]);
    }
    assert_eq!(place.listing(), ["file"]);
    assert_eq!(fs::read(place.path("file")).expect("a file"), b"in the way");
    // What failed is not on record either.
    assert_eq!(
        place.line("models list --json").json(),
        serde_json::json!([])
    );
    for out in ["", ".", "..", "/"] {
        let ran = optimize(&place, out);
        if ran.status != Some(0) {
            ran.failed(ran.status.unwrap_or(-1), &[]);
        }
    }
    for name in place.listing() {
        assert!(!name.starts_with('.'), "left behind: {name}");
    }
}

#[test]
fn a_folder_with_other_things_keeps_them() {
    let place = Place::new();
    fs::create_dir(place.path("out")).expect("the test's own folder");
    place.write("out/notes.txt", "mine");
    optimize(&place, "out").done();
    optimize(&place, "out/").done();
    assert_eq!(
        fs::read(place.path("out/notes.txt")).expect("notes"),
        b"mine"
    );
    assert!(place.path("out/model.onnx").is_file());
    assert!(
        !place.listing().iter().any(|n| n.starts_with('.')),
        "{:?}",
        place.listing()
    );
}

#[test]
fn a_folder_without_leave_to_write() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let closed = place.path("closed");
    fs::create_dir(&closed).expect("the test's own folder");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).expect("the test's own folder");
    if fs::write(closed.join("probe"), "").is_ok() {
        println!("skipped: this user may write everywhere");
        return;
    }
    optimize(&place, "closed/out").failed(1, &["closed"]);
}

/// A disk that is full in the middle of writing: nothing under the name, the store as it was.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    use std::process::Command;

    let place = Place::new();
    let disk = place.path("disk");
    fs::create_dir(&disk).expect("the test's own folder");
    // The disk lives in a mount namespace of its own, and goes with it.
    let in_full_disk = |script: &str| {
        let mut command = Command::new("unshare");
        let own = place.command();
        command
            .current_dir(place.path("."))
            .args(["--mount", "--", "sh", "-ec"])
            .arg(format!("mount -t tmpfs -o size=64k none disk; {script}"))
            .env("FRETSAW", own.get_program());
        for (name, value) in own.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    };
    let tried = in_full_disk("true").output();
    if !tried.is_ok_and(|o| o.status.success()) {
        println!("skipped: this user may not mount a small disk");
        return;
    }
    let (model, x) = (
        crate::place::example_model(),
        crate::place::argument("examples/sp500/holdout.csv"),
    );
    let status = "r=$?; ls -A disk >&3; exit $r";
    let run = |script: String| {
        let ran = Ran::of(&mut in_full_disk(&format!(
            "exec 3>left; set +e; {script}; {status}"
        )));
        let left = fs::read_to_string(place.path("left")).expect("a listing");
        (ran, left)
    };
    let (ran, left) = run(format!(
        r#""$FRETSAW" optimize {model} --data {x} --out disk/out"#
    ));
    ran.failed(1, &["disk/out", "space"]);
    assert_eq!(left, "");
    assert_eq!(
        place.line("models list --json").json(),
        serde_json::json!([])
    );

    let (ran, left) = run(format!(r#""$FRETSAW" convert {model} -o disk/model.onnx"#));
    ran.failed(1, &["disk/model.onnx", "space"]);
    assert_eq!(left, "");

    // A store that has no room: told, and nothing was written.
    let (ran, _) = run(format!(
        r#"XDG_DATA_HOME=$PWD/disk "$FRETSAW" optimize {model} --data {x} --out out"#
    ));
    ran.failed(1, &[]);
    assert!(!place.path("out").exists());
}
