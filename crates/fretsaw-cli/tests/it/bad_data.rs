//! Rows that do not fit: shapes, names, cells, empty files, lying headers. One line, nothing written.

use std::fs;

use crate::place::{Place, Ran, argument, example_model, npy, npy_header, small};

fn predict(place: &Place, model: &str, input: &str) -> Ran {
    place.run(["predict", model, "--input", input, "--output", "y.npy"])
}

/// Features of the small golden model.
const N: usize = 6;

#[test]
fn npy_files() {
    let place = Place::new();
    let model = small("model.ubj");
    let header = npy_header;
    let with = |mut head: Vec<u8>, body: &[u8]| {
        head.extend(body);
        head
    };
    for (name, bytes) in [
        ("wide.npy", npy(2, N + 1, &[0.0; 2 * (N + 1)])),
        ("narrow.npy", npy(2, N - 1, &[0.0; 2 * (N - 1)])),
        ("empty.npy", npy(0, N, &[])),
        ("nothing.npy", Vec::new()),
        ("magic.npy", b"\x93NUMPY".to_vec()),
        ("noise.npy", b"\x93NUMPY\x01\x00\xff\xffnoise".to_vec()),
        ("text.npy", b"these are no rows\n".to_vec()),
        (
            "short.npy",
            with(header("<f4", &format!("(3, {N})")), &[0; 4 * N]),
        ),
        (
            "huge.npy",
            with(header("<f4", &format!("(1000000000000, {N})")), &[0; 4 * N]),
        ),
        (
            "wraps.npy",
            with(header("<f4", &format!("({}, {N})", u64::MAX)), &[0; 4 * N]),
        ),
        (
            "negative.npy",
            with(header("<f4", &format!("(-1, {N})")), &[0; 4 * N]),
        ),
        (
            "cube.npy",
            with(header("<f4", &format!("(1, 1, {N})")), &[0; 4 * N]),
        ),
        (
            "object.npy",
            with(header("|O", &format!("(1, {N})")), &[0; 8 * N]),
        ),
        (
            "words.npy",
            with(header("<U4", &format!("(1, {N})")), &[0; 16 * N]),
        ),
        (
            "complex.npy",
            with(header("<c8", &format!("(1, {N})")), &[0; 8 * N]),
        ),
    ] {
        place.write(name, bytes);
        predict(&place, &model, name).failed(1, &[name]);
    }
    assert!(!place.path("y.npy").exists());
    predict(&place, &model, "wide.npy").failed(1, &["7", "6"]);
}

#[test]
fn csv_files() {
    let place = Place::new();
    let model = example_model();
    let good = fs::read_to_string(argument("examples/sp500/holdout.csv")).expect("rows");
    let mut lines = good.lines();
    let header = lines.next().expect("a header");
    let first = lines.next().expect("a row");
    let rest = first.split_once(',').expect("cells").1;
    let without = |text: &str, n: usize| text.split(',').skip(n).collect::<Vec<_>>().join(",");
    for (name, text, parts) in [
        ("header.csv", format!("{header}\n"), &["rows"][..]),
        ("empty.csv", String::new(), &[]),
        ("lines.csv", "\n\n\n".into(), &[]),
        // The line and the column are told.
        (
            "text.csv",
            format!("{header}\n{first}\nhigh,{rest}\n"),
            &["ret_lag0", "high", "3"],
        ),
        ("short.csv", format!("{header}\n{first}\n1,2,3\n"), &["3"]),
        ("long.csv", format!("{header}\n{first},1\n"), &["2"]),
        (
            "fewer.csv",
            format!("{}\n{}\n", without(header, 4), without(first, 4)),
            &["ret_lag0"],
        ),
        ("one.csv", "ret_lag0\n1\n".into(), &["ret_lag1"]),
        (
            "twice.csv",
            format!("ret_lag0,{header}\n1,{first}\n"),
            &["ret_lag0"],
        ),
        ("binary.csv", "a,b\n\0\u{1},\u{7f}\n".into(), &[]),
    ] {
        place.write(name, text);
        let mut parts = parts.to_vec();
        parts.push(name);
        predict(&place, &model, name).failed(1, &parts);
    }
    // Not UTF-8.
    let mut bytes = format!("{header}\n").into_bytes();
    bytes.extend(b"\xff\xfe,");
    bytes.extend(rest.as_bytes());
    place.write("latin.csv", bytes);
    predict(&place, &model, "latin.csv").failed(1, &["latin.csv"]);
    assert!(!place.path("y.npy").exists());
}

#[test]
fn parquet_files() {
    let place = Place::new();
    let model = example_model();
    let good = fs::read(argument("examples/sp500/holdout.parquet")).expect("rows");
    let n = good.len();
    for length in [0, 3, 4, 100, n / 2, n - 4, n - 1] {
        place.write("cut.parquet", &good[..length]);
        predict(&place, &model, "cut.parquet").failed(1, &["cut.parquet"]);
    }
    for at in (0..n).step_by(n / 40) {
        let mut bytes = good.clone();
        bytes[at] ^= 0xff;
        place.write("flipped.parquet", &bytes);
        let ran = predict(&place, &model, "flipped.parquet");
        if ran.status != Some(0) {
            ran.failed(1, &["flipped.parquet"]);
        }
    }
}

#[test]
fn files_that_are_no_rows() {
    let place = Place::new();
    let model = small("model.ubj");
    fs::create_dir(place.path("folder.npy")).expect("the test's own folder");
    place.write("rows.txt", "1,2,3\n");
    predict(&place, &model, "missing.npy").failed(1, &["missing.npy"]);
    predict(&place, &model, "folder.npy").failed(1, &["folder.npy"]);
    predict(&place, &model, "rows.txt").failed(2, &["rows.txt", ".npy"]);
    for data in ["missing.csv", "folder.npy"] {
        place
            .run(["optimize", &model, "--data", data, "--out", "out"])
            .failed(1, &[data]);
        place
            .run(["verify", &model, &model, "--data", data])
            .failed(1, &[data]);
        place
            .run(["bench", &model, "--data", data])
            .failed(1, &[data]);
    }
    assert_eq!(place.listing(), ["folder.npy", "rows.txt"]);
}

#[test]
fn labels() {
    let place = Place::new();
    let (model, csv) = (example_model(), argument("examples/sp500/holdout.csv"));
    place.write("few.csv", "label\n0\n1\n");
    place.write("words.csv", format!("label\n{}", "perhaps\n".repeat(50)));
    place.write("many.csv", format!("label\n{}", "7\n".repeat(50)));
    place.write("gaps.csv", format!("label\n{}", ",\n".repeat(50)));
    for (labels, parts) in [
        ("none", &["none", "label"][..]),
        ("few.csv", &["few.csv", "2", "50"]),
        ("words.csv", &["perhaps"]),
        ("many.csv", &["7"]),
        ("gaps.csv", &["gaps.csv"]),
    ] {
        place
            .run([
                "optimize", &model, "--data", &csv, "--labels", labels, "--out", "out",
            ])
            .failed(1, parts);
    }
    assert!(!place.path("out").exists());
    // A drop of a metric that nothing can be measured with.
    place
        .run([
            "optimize",
            &model,
            "--data",
            &csv,
            "--max-metric-drop",
            "0.1",
            "--out",
            "out",
        ])
        .failed(2, &["--labels"]);
}

/// One row cannot both set and verify.
#[test]
fn too_few_rows() {
    let place = Place::new();
    let model = small("model.ubj");
    place.write("one.npy", npy(1, N, &[0.0; N]));
    place.write("none.npy", npy(0, N, &[]));
    let report = place
        .run([
            "optimize", &model, "--data", "one.npy", "--out", "out", "--json",
        ])
        .json();
    assert_eq!(report["data"]["rows_setting"], 0);
    assert_eq!(report["data"]["rows_verified"], 1);
    place
        .run(["optimize", &model, "--data", "none.npy", "--out", "none"])
        .failed(1, &["rows"]);
    assert!(!place.path("none").exists());
}
