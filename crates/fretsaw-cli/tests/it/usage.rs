//! The command line itself: what is wrong is one line and status 2, what is asked is on stdout.

use crate::place::{Place, small};

#[test]
fn a_wrong_command_line_is_one_line_and_status_2() {
    let place = Place::new();
    let (model, x) = (small("model.ubj"), small("X.npy"));
    for (args, parts) in [
        ("nonsense".into(), &["nonsense"][..]),
        ("--nonsense".into(), &["--nonsense"]),
        ("predict".into(), &[]),
        (format!("predict {model}"), &["--input", "--output"]),
        (
            format!("predict {model} --input {x} --output y.npy --threads 0"),
            &["--threads"],
        ),
        (
            format!("predict {model} --input {x} --output y.npy --threads -1"),
            &[],
        ),
        (
            format!("predict {model} --input {x} --output y.npy --bogus"),
            &["--bogus"],
        ),
        (format!("optimize {model}"), &["--data"]),
        (
            format!("optimize {model} --data {x} --objective speed"),
            &["speed", "latency"],
        ),
        (format!("optimize {model} --data {x} --max-error -1"), &[]),
        (
            format!("optimize {model} --data {x} --max-error NaN"),
            &["NaN"],
        ),
        (
            format!("optimize {model} --data {x} --max-error lots"),
            &["lots"],
        ),
        (
            format!("optimize {model} --data {x} --batch 0"),
            &["--batch"],
        ),
        (
            format!("optimize {model} --data {x} --batch 1,two"),
            &["two"],
        ),
        (format!("convert {model}"), &["--output"]),
        ("bench --data rows.npy".into(), &[]),
        ("models promote".into(), &[]),
        ("history --since yesterday".into(), &["yesterday"]),
        ("history --limit 0".into(), &["--limit"]),
        ("store prune --older-than never".into(), &["never"]),
        ("completions dos".into(), &["dos"]),
    ] {
        let ran = place.line(&args);
        ran.failed(2, parts);
        assert_eq!(ran.stdout, "", "{args}");
    }
    assert_eq!(place.listing(), [""; 0]);
}

/// Nothing to do is a wrong command line too.
#[test]
fn commands_without_their_command() {
    let place = Place::new();
    for args in ["", "models", "store"] {
        let ran = place.line(args);
        assert_eq!(ran.status, Some(2), "{args:?}");
        assert_eq!(ran.stdout, "", "{args:?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{args:?}: {}", ran.stderr);
    }
}

#[test]
fn arguments_that_are_no_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let place = Place::new();
    let name = OsStr::from_bytes(b"caf\xe9.ubj");
    let ran = place.run([OsStr::new("inspect"), name]);
    assert!(matches!(ran.status, Some(1 | 2)));
    ran.failed(ran.status.unwrap_or(0), &[]);
}

#[test]
fn help_shows_an_example_for_every_command() {
    let place = Place::new();
    let help = place.line("--help").done().stdout;
    let commands = [
        "optimize",
        "convert",
        "predict",
        "inspect",
        "verify",
        "bench",
        "devices",
        "models",
        "history",
        "store",
        "completions",
    ];
    for command in commands {
        assert!(help.contains(&format!("  {command} ")), "{command}: {help}");
        let help = place.line(&format!("{command} --help")).done().stdout;
        assert!(
            help.contains(&format!("fretsaw {command}")),
            "{command}: {help}"
        );
        assert!(help.contains("Example:"), "{command}: {help}");
    }
}

#[test]
fn version_names_commit_and_instruction_sets() {
    let place = Place::new();
    let version = place.line("--version").done().stdout;
    assert!(version.starts_with("fretsaw 0."), "{version}");
    for what in ["commit", "instruction sets", "scalar"] {
        assert!(version.contains(what), "{version}");
    }
}

#[test]
fn completions_for_every_shell() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = place.line(&format!("completions {shell}")).done().stdout;
        assert!(script.contains("optimize"), "{shell}");
    }
}

/// `--json` prints JSON and nothing else, also where there is nothing yet.
#[test]
fn json_is_all_that_is_printed() {
    let place = Place::new();
    for args in [
        "models list --json",
        "history --json",
        "store status --json",
        "store migrate --json",
        "store prune --json",
        "devices --json",
    ] {
        place.line(args).json();
    }
    for args in ["models list", "history", "store status", "store prune"] {
        assert!(!place.line(args).done().stdout.is_empty(), "{args}");
    }
}

/// A negative number is a value to refuse, not an option to look for.
#[test]
fn budgets_below_zero_are_told() {
    let place = Place::new();
    let (model, x) = (small("model.ubj"), small("X.npy"));
    place
        .line(&format!("optimize {model} --data {x} --max-error -1"))
        .failed(2, &["budget of -1"]);
    place
        .line("verify a.ubj b.ubj --data x.npy --tolerance -1")
        .failed(2, &["tolerance of -1"]);
}

/// Where not even the error can be written, its status is still told.
#[test]
#[cfg(target_os = "linux")]
fn streams_that_take_nothing() {
    let full = || std::fs::File::create("/dev/full").expect("a device of Linux");
    let place = Place::new();
    for (args, status) in [("inspect missing.ubj", 1), ("no-such-command", 2)] {
        let mut command = place.command();
        let ended = command
            .args(args.split_whitespace())
            .stderr(full())
            .status();
        assert_eq!(ended.expect("it starts").code(), Some(status), "{args}");
    }
    let ended = place.command().arg("--help").stdout(full()).output();
    assert_eq!(ended.expect("it starts").status.code(), Some(1));
}
