//! `predict`: every format in and out, names and order of columns, classes and margins.

use std::fs;

use crate::place::{
    Place, Ran, argument, example_model, example_rows, npy, read_npy, repository, small,
};

fn predict(place: &Place, model: &str, input: &str, output: &str, more: &str) -> Ran {
    place.line(&format!(
        "predict {model} --input {input} --output {output} {more}"
    ))
}

#[test]
fn formats_in_and_out_agree() {
    let place = Place::new();
    let (model, csv) = (example_model(), argument("examples/sp500/holdout.csv"));
    predict(&place, &model, &csv, "y.npy", "").done();
    let (shape, answers) = read_npy(&place.path("y.npy"));
    assert_eq!(shape, [50, 2]);
    for row in answers.chunks(2) {
        assert!((row[0] + row[1] - 1.0).abs() < 1e-6, "{row:?}");
    }
    // CSV gives back every bit.
    predict(&place, &model, &csv, "y.csv", "").done();
    let text = fs::read_to_string(place.path("y.csv")).expect("answers");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("p_0,p_1"));
    let read: Vec<f64> = lines
        .flat_map(|l| l.split(','))
        .map(|cell| f64::from(cell.parse::<f32>().expect("a number")))
        .collect();
    assert_eq!(read, answers);
    // The same rows are the first of the Parquet file.
    predict(&place, &model, &example_rows(), "all.npy", "").done();
    let (shape, all) = read_npy(&place.path("all.npy"));
    assert_eq!(shape, [2506, 2]);
    assert_eq!(all[..100], answers);
    predict(&place, &model, &csv, "y.parquet", "").done();
    let parquet = fs::read(place.path("y.parquet")).expect("answers");
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    // A number of threads changes no bit.
    predict(&place, &model, &example_rows(), "one.npy", "--threads 1").done();
    let bytes = |name| fs::read(place.path(name)).expect("answers");
    assert_eq!(bytes("all.npy"), bytes("one.npy"));
}

#[test]
fn margins_are_the_library_s_to_the_bit() {
    let place = Place::new();
    for (case, columns, head) in [
        ("binary", 1, "margin"),
        ("multi_softprob", 3, "margin_0,margin_1,margin_2"),
        ("reg_squarederror", 1, "margin"),
    ] {
        let file = |name: &str| argument(&format!("testdata/xgboost-3.4.0/{case}/{name}"));
        for model in ["model.json", "model.ubj"] {
            predict(&place, &file(model), &file("X.npy"), "raw.npy", "--raw").done();
            let (shape, raw) = read_npy(&place.path("raw.npy"));
            let (_, expected) = read_npy(&repository(&format!(
                "testdata/xgboost-3.4.0/{case}/raw.npy"
            )));
            assert_eq!(shape, [expected.len() / columns, columns], "{case}");
            let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&raw), bits(&expected), "{case}/{model}");
        }
        predict(
            &place,
            &file("model.ubj"),
            &file("X.npy"),
            "raw.csv",
            "--raw",
        )
        .done();
        let text = fs::read_to_string(place.path("raw.csv")).expect("margins");
        assert_eq!(text.lines().next(), Some(head));
    }
}

#[test]
fn columns_are_matched_by_name_else_by_order() {
    let place = Place::new();
    let (model, csv) = (example_model(), argument("examples/sp500/holdout.csv"));
    predict(&place, &model, &csv, "straight.npy", "").done();
    let text = fs::read_to_string(csv).expect("rows");
    // The label is last; the columns reversed, and one more that the model does not know.
    let reversed: String = text
        .lines()
        .enumerate()
        .map(|(i, line)| {
            let cells: Vec<&str> = line.split(',').rev().collect();
            let extra = if i == 0 { "unknown" } else { "text" };
            format!("{extra},{}\n", cells.join(","))
        })
        .collect();
    place.write("reversed.csv", reversed);
    predict(&place, &model, "reversed.csv", "reversed.npy", "").done();
    // No name known: in order, without the label.
    let renamed: String = text
        .lines()
        .enumerate()
        .map(|(i, line)| {
            let cells: Vec<&str> = line.split(',').collect();
            let cells = &cells[..cells.len() - 1];
            if i == 0 {
                let names: Vec<String> = (0..cells.len()).map(|c| format!("c{c}")).collect();
                format!("{}\n", names.join(","))
            } else {
                format!("{}\n", cells.join(","))
            }
        })
        .collect();
    place.write("renamed.csv", renamed);
    predict(&place, &model, "renamed.csv", "renamed.npy", "").done();
    let bytes = |name| fs::read(place.path(name)).expect("answers");
    assert_eq!(bytes("straight.npy"), bytes("reversed.npy"));
    assert_eq!(bytes("straight.npy"), bytes("renamed.npy"));
}

#[test]
fn an_output_is_replaced_whole() {
    let place = Place::new();
    place.write("y.npy", "an older file");
    predict(&place, &small("model.ubj"), &small("X.npy"), "y.npy", "").done();
    let (shape, _) = read_npy(&place.path("y.npy"));
    assert_eq!(shape[1], 2);
    // A run that fails leaves what was there.
    let before = fs::read(place.path("y.npy")).expect("answers");
    place.write("bad.npy", npy(1, 1, &[0.0]));
    predict(&place, &small("model.ubj"), "bad.npy", "y.npy", "").failed(1, &["bad.npy"]);
    assert_eq!(fs::read(place.path("y.npy")).expect("answers"), before);
    assert_eq!(place.listing(), ["bad.npy", "y.npy"]);
}

#[test]
fn outputs_that_cannot_be_written() {
    let place = Place::new();
    let (model, x) = (small("model.ubj"), small("X.npy"));
    fs::create_dir(place.path("folder.npy")).expect("the test's own folder");
    place.write("file", "");
    for (output, status) in [
        ("folder.npy", 1),
        ("missing/y.npy", 1),
        ("file/y.npy", 1),
        ("y.txt", 2),
        ("y", 2),
    ] {
        predict(&place, &model, &x, output, "")
            .failed(status, &[output.split('/').next().unwrap_or(output)]);
    }
    assert_eq!(place.listing(), ["file", "folder.npy"]);
    predict(&place, &model, &x, "y.npy", "--backend nobody").failed(2, &["nobody", "native"]);
    predict(&place, &model, &x, "y.npy", "--backend ort").failed(1, &["ONNX Runtime"]);
    assert!(!place.path("y.npy").exists());
}

/// A device that is full, behind a link that looks like a file.
#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_one_line() {
    let place = Place::new();
    std::os::unix::fs::symlink("/dev/full", place.path("full.npy")).expect("a link");
    predict(&place, &small("model.ubj"), &small("X.npy"), "full.npy", "").failed(1, &["full.npy"]);
    assert_eq!(place.listing(), ["full.npy"]);
    // Stdout that is full is a failure, too.
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("/dev/full");
    let ran = Ran::of(place.command().args(["devices", "--json"]).stdout(full));
    assert_eq!(ran.status, Some(1), "{}", ran.stderr);
    assert!(
        ran.stderr.starts_with("error: ") && ran.stderr.lines().count() == 1,
        "{}",
        ran.stderr
    );
}

#[test]
fn a_file_of_ours_that_is_not_read_is_left_to_onnx_runtime() {
    let place = Place::new();
    let file = |name: &str| argument(&format!("testdata/xgboost-3.4.0/binary/{name}"));
    place
        .line(&format!("convert {} -o m.onnx", file("model.json")))
        .done();
    // An operator that nobody knows, in as many letters.
    let mut bytes = fs::read(place.path("m.onnx")).expect("a model");
    let name = b"TreeEnsembleRegressor";
    for end in name.len()..bytes.len() {
        if bytes[..end].ends_with(name) {
            bytes[end - 1] = b'X';
        }
    }
    fs::write(place.path("m.onnx"), bytes).expect("a file");
    let cases = [
        (
            "--backend native",
            ["TreeEnsembleRegressoX", "--backend ort"],
        ),
        // There is no ONNX Runtime here.
        ("", ["TreeEnsembleRegressoX", "ONNX Runtime"]),
        ("--raw", ["TreeEnsembleRegressoX", "no margins"]),
    ];
    for (more, parts) in cases {
        predict(&place, "m.onnx", &file("X.npy"), "y.npy", more).failed(1, &parts);
    }
    assert!(!place.path("y.npy").exists());
}
