//! Model files that are missing, broken or hostile: each is one line, and nothing is written.

use std::fs;

use crate::place::{Place, small};

/// Every command that takes a model must refuse this one in one line that names `part`.
fn refused(place: &Place, model: &str, part: &str) {
    let x = small("X.npy");
    let before = place.listing();
    for args in [
        vec!["inspect", model],
        vec!["convert", model, "-o", "out.onnx"],
        vec!["predict", model, "--input", &x, "--output", "y.npy"],
        vec!["optimize", model, "--data", &x, "--out", "out"],
        vec!["verify", model, model, "--data", &x],
        vec!["bench", model, "--data", &x],
    ] {
        place.run(args).failed(1, &[part]);
    }
    place.run(["models", "import", model]).failed(1, &[part]);
    assert_eq!(place.listing(), before);
}

#[test]
fn files_that_are_none() {
    let place = Place::new();
    fs::create_dir(place.path("folder")).expect("the test's own folder");
    place.write("empty.ubj", "");
    place.write("text.json", "not JSON at all");
    place.write("other.json", r#"{"a": [1, 2, 3]}"#);
    refused(&place, "missing.ubj", "missing.ubj");
    refused(&place, "nowhere/model.ubj", "nowhere/model.ubj");
    refused(&place, "folder", "folder");
    refused(&place, "empty.ubj", "empty.ubj");
    refused(&place, "text.json", "text.json");
    refused(&place, "other.json", "other.json");
}

/// A pipe that nobody writes to and a device that never ends are no files to wait for.
#[test]
#[cfg(unix)]
fn what_never_ends_is_not_read() {
    let place = Place::new();
    let made = std::process::Command::new("mkfifo")
        .args(["pipe.ubj", "pipe.npy"].map(|p| place.path(p)))
        .status();
    assert!(made.is_ok_and(|s| s.success()), "mkfifo is in every Unix");
    std::os::unix::fs::symlink("/dev/zero", place.path("endless.onnx")).expect("a link");
    refused(&place, "pipe.ubj", "pipe.ubj");
    refused(&place, "endless.onnx", "not a regular file");
    place
        .run([
            "predict",
            &small("model.ubj"),
            "--input",
            "pipe.npy",
            "--output",
            "y.npy",
        ])
        .failed(1, &["pipe.npy", "not a regular file"]);
}

#[test]
fn a_file_without_leave_to_read_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let file = place.write("model.ubj", fs::read(small("model.ubj")).expect("a model"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).expect("the test's own file");
    if fs::File::open(&file).is_ok() {
        println!("skipped: this user may read every file");
        return;
    }
    refused(&place, "model.ubj", "model.ubj");
}

#[test]
fn truncated_files() {
    let place = Place::new();
    for file in ["model.ubj", "model.json"] {
        let bytes = fs::read(small(file)).expect("a model");
        let n = bytes.len();
        for length in [1, 2, 10, 100, n / 3, n / 2, n - 100, n - 1] {
            let name = format!("cut-{file}");
            place.write(&name, &bytes[..length]);
            place.run(["inspect", &name]).failed(1, &[&name]);
            fs::remove_file(place.path(&name)).expect("the test's own file");
        }
    }
    let onnx = place.path("whole.onnx");
    place
        .run(["convert", &small("model.ubj"), "-o", "whole.onnx"])
        .done();
    let bytes = fs::read(onnx).expect("a model");
    for length in [1, 10, bytes.len() / 2, bytes.len() - 1] {
        place.write("cut.onnx", &bytes[..length]);
        place.run(["inspect", "cut.onnx"]).failed(1, &["cut.onnx"]);
    }
}

/// Random bytes, alone and behind each format's first bytes.
#[test]
fn random_bytes() {
    let place = Place::new();
    let mut state = 1_u64;
    let mut noise = move || {
        // Steele and Vigna's SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let heads: [&[u8]; 8] = [
        b"",
        b"{",
        b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner{",
        b"{\"learner\": ",
        b"\x80\x04\x95",
        b"\x08\x08\x12\x07",
        b"\x1f\x8b\x08",
        b"\x78\x9c",
    ];
    for (i, head) in heads.into_iter().cycle().take(24).enumerate() {
        let mut bytes = head.to_vec();
        bytes.extend((0..200).flat_map(|_| noise().to_le_bytes()));
        let name = format!("noise-{i}.bin");
        place.write(&name, &bytes);
        place.run(["inspect", &name]).failed(1, &[&name]);
    }
}

/// Bytes of a good file changed: it may still be a model, but never a crash.
#[test]
fn flipped_bytes() {
    let place = Place::new();
    let good = fs::read(small("model.ubj")).expect("a model");
    for at in (0..good.len()).step_by(good.len() / 60) {
        let mut bytes = good.clone();
        bytes[at] ^= 0xff;
        place.write("flipped.ubj", &bytes);
        let ran = place.run(["inspect", "flipped.ubj"]);
        if ran.status != Some(0) {
            ran.failed(1, &["flipped.ubj"]);
        }
    }
}

/// JSON and UBJSON that claim what they do not hold, nest without end, or point in circles.
#[test]
fn files_that_lie() {
    let place = Place::new();
    let deep = format!("{{\"learner\": {}", "[".repeat(1_000_000));
    place.write("deep.json", deep);
    place
        .run(["inspect", "deep.json"])
        .failed(1, &["deep.json"]);
    let mut deep = b"{L\0\0\0\0\0\0\0\x07learner".to_vec();
    deep.extend(vec![b'['; 1_000_000]);
    place.write("deep.ubj", deep);
    place.run(["inspect", "deep.ubj"]).failed(1, &["deep.ubj"]);
    let mut huge = b"{L\0\0\0\0\0\0\0\x07learner[$d#L".to_vec();
    huge.extend(i64::MAX.to_be_bytes());
    place.write("huge.ubj", huge);
    place.run(["inspect", "huge.ubj"]).failed(1, &["huge.ubj"]);

    let good = fs::read_to_string(small("model.json")).expect("a model");
    let mut model: serde_json::Value = serde_json::from_str(&good).expect("JSON");
    let tree = &mut model["learner"]["gradient_booster"]["model"]["trees"][0];
    assert!(
        tree["left_children"][0].as_i64().is_some_and(|n| n > 0),
        "a split at the root"
    );
    let mut broken = |what: &str, field: &str, value: serde_json::Value| {
        let tree = &mut model["learner"]["gradient_booster"]["model"]["trees"][0];
        let before = std::mem::replace(&mut tree[field][0], value);
        place.write("lie.json", model.to_string());
        let tree = &mut model["learner"]["gradient_booster"]["model"]["trees"][0];
        tree[field][0] = before;
        let ran = place.run(["inspect", "lie.json"]);
        assert_eq!(ran.status, Some(1), "{what}: {}", ran.stderr);
        ran.failed(1, &["lie.json", "tree"]);
    };
    broken("its own child", "left_children", 0.into());
    broken("a child outside", "right_children", 1_000_000.into());
    broken("a feature outside", "split_indices", 10_000.into());
    broken("a threshold of text", "split_conditions", "high".into());
}

#[test]
fn headers_with_nothing_behind_them_are_refused() {
    let place = Place::new();
    for (bytes, name) in [
        (&b"tree\nversion=v4\nnum_class=1\n"[..], "LightGBM"),
        (b"CBM1\x00\x00\x00\x00", "the model points beyond its end"),
        (b"PK\x03\x04skops", "zip"),
        (b"BZh91AY&SY", "the file cannot be unpacked"),
        (b"binf", "136 bytes should follow, the file has 0"),
    ] {
        place.write("other.model", bytes);
        place
            .run(["inspect", "other.model"])
            .failed(1, &["other.model", name]);
    }
}

/// A name, a feature or a class may hold anything; an error stays one line without control characters.
#[test]
fn hostile_names_stay_on_one_line() {
    let place = Place::new();
    for name in [
        "a\nb.ubj",
        "a\tb.ubj",
        "\x1b[31mred.ubj",
        "a\r\nerror: b.ubj",
        "\u{202e}x.ubj",
        "-.ubj",
    ] {
        let name = format!("./{name}");
        place.run(["inspect", &name]).failed(1, &["no such file"]);
        place.write(&name, "{}");
        place.run(["inspect", &name]).failed(1, &[]);
        fs::remove_file(place.path(&name)).expect("the test's own file");
    }
    // A feature's name that tries to be a line of its own.
    let good = fs::read_to_string(small("model.json")).expect("a model");
    let mut model: serde_json::Value = serde_json::from_str(&good).expect("JSON");
    let n = model["learner"]["learner_model_param"]["num_feature"]
        .as_str()
        .and_then(|n| n.parse::<usize>().ok())
        .expect("a number");
    let names: Vec<String> = (0..n)
        .map(|i| format!("f{i}\n\x1b[2Jerror: gone"))
        .collect();
    model["learner"]["feature_names"] = names.into();
    place.write("hostile.json", model.to_string());
    let head = format!("{}\n", vec!["a"; n + 1].join(","));
    let cells = format!("{}\n", vec!["1"; n + 1].join(","));
    place.write("rows.csv", format!("{head}{cells}"));
    place
        .run([
            "predict",
            "hostile.json",
            "--input",
            "rows.csv",
            "--output",
            "y.npy",
        ])
        .failed(1, &["rows.csv"]);
    let text = place.run(["inspect", "hostile.json"]).done().stdout;
    assert!(!text.contains('\x1b'), "{text:?}");
}
