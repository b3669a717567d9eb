//! ONNX Runtime as a backend, on small models assembled here byte by byte.
//!
//! Needs a library: point `FRETSAW_ORT` or `ORT_DYLIB_PATH` at one, or have the Python package
//! installed. Without one the tests say so and pass.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fretsaw::devices;
use fretsaw::model::{Labels, Rows};
use fretsaw::session::ort::{Options, OrtSession, Provider, Runtime};
use fretsaw::session::{Buffer, Predictions, Session, Want};
use fretsaw::{ErrorKind, model::Float};

/// The runtime, or a note that the test is skipped.
fn runtime() -> Option<&'static Runtime> {
    match Runtime::get(None) {
        Ok(runtime) => Some(runtime),
        Err(absent) => {
            println!("skipped: {absent}");
            None
        }
    }
}

/// A length-delimited protobuf field.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    out.extend(varint(bytes.len() as u64));
    out.extend(bytes);
    out
}

fn number(number: u8, value: u64) -> Vec<u8> {
    let mut out = vec![number << 3];
    out.extend(varint(value));
    out
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

const FLOAT: u64 = 1;
const INT64: u64 = 7;
const DOUBLE: u64 = 11;

/// A `ValueInfoProto`: `elem` tensor; `None` is a dimension of any size.
fn tensor(name: &str, elem: u64, shape: &[Option<u64>]) -> Vec<u8> {
    let dims = shape
        .iter()
        .map(|d| field(1, &d.map_or_else(Vec::new, |d| number(1, d))));
    let shape: Vec<u8> = dims.collect::<Vec<_>>().concat();
    let tensor = [number(1, elem), field(2, &shape)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

/// An output whose type the checker is left to infer.
fn untyped(name: &str) -> Vec<u8> {
    field(1, name.as_bytes())
}

fn node(
    op: &str,
    domain: &str,
    inputs: &[&str],
    outputs: &[&str],
    attributes: &[Vec<u8>],
) -> Vec<u8> {
    let mut out = Vec::new();
    inputs
        .iter()
        .for_each(|i| out.extend(field(1, i.as_bytes())));
    outputs
        .iter()
        .for_each(|o| out.extend(field(2, o.as_bytes())));
    out.extend(field(4, op.as_bytes()));
    attributes.iter().for_each(|a| out.extend(field(5, a)));
    out.extend(field(7, domain.as_bytes()));
    out
}

fn ints(name: &str, values: &[u64]) -> Vec<u8> {
    let packed: Vec<u8> = values.iter().flat_map(|&v| varint(v)).collect();
    let kind = [0xa0, 0x01, 7]; // field 20, type INTS
    [field(1, name.as_bytes()), field(8, &packed), kind.to_vec()].concat()
}

fn int(name: &str, value: u64) -> Vec<u8> {
    [
        field(1, name.as_bytes()),
        number(3, value),
        vec![0xa0, 0x01, 2],
    ]
    .concat()
}

fn floats(name: &str, values: &[f32]) -> Vec<u8> {
    let packed: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    [
        field(1, name.as_bytes()),
        field(7, &packed),
        vec![0xa0, 0x01, 6],
    ]
    .concat()
}

fn strings(name: &str, values: &[&str]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|v| field(9, v.as_bytes())).collect();
    [field(1, name.as_bytes()), values, vec![0xa0, 0x01, 8]].concat()
}

fn model(nodes: &[Vec<u8>], inputs: &[Vec<u8>], outputs: &[Vec<u8>]) -> Vec<u8> {
    let mut graph: Vec<u8> = nodes.iter().flat_map(|n| field(1, n)).collect();
    graph.extend(field(2, b"g"));
    inputs.iter().for_each(|i| graph.extend(field(11, i)));
    outputs.iter().for_each(|o| graph.extend(field(12, o)));
    let opset = |domain: &str, version| {
        field(
            8,
            &[field(1, domain.as_bytes()), number(2, version)].concat(),
        )
    };
    [
        number(1, 8),
        field(7, &graph),
        opset("", 13),
        opset("ai.onnx.ml", 3),
    ]
    .concat()
}

/// One stump on feature 0 of 2: `x < 0.5 ? 1.25 : -2.5`, a missing value goes right.
fn stump() -> Vec<u8> {
    let attributes = [
        ints("nodes_treeids", &[0, 0, 0]),
        ints("nodes_nodeids", &[0, 1, 2]),
        ints("nodes_featureids", &[0, 0, 0]),
        floats("nodes_values", &[0.5, 0.0, 0.0]),
        strings("nodes_modes", &["BRANCH_LT", "LEAF", "LEAF"]),
        ints("nodes_truenodeids", &[1, 0, 0]),
        ints("nodes_falsenodeids", &[2, 0, 0]),
        ints("target_treeids", &[0, 0]),
        ints("target_nodeids", &[1, 2]),
        ints("target_ids", &[0, 0]),
        floats("target_weights", &[1.25, -2.5]),
        int("n_targets", 1),
    ];
    let tree = node(
        "TreeEnsembleRegressor",
        "ai.onnx.ml",
        &["x"],
        &["y"],
        &attributes,
    );
    model(
        &[tree],
        &[tensor("x", FLOAT, &[None, Some(2)])],
        &[tensor("y", FLOAT, &[None, Some(1)])],
    )
}

/// `y = -x`, both of type `elem` and shape `shape`.
fn negation(elem: u64, shape: &[Option<u64>]) -> Vec<u8> {
    model(
        &[node("Neg", "", &["x"], &["y"], &[])],
        &[tensor("x", elem, shape)],
        &[tensor("y", elem, shape)],
    )
}

/// A label (the arg max) and a `ZipMap` over the classes 7 and 3, as other converters write them.
fn zipmap() -> Vec<u8> {
    let nodes = [
        node(
            "ArgMax",
            "",
            &["x"],
            &["label"],
            &[int("axis", 1), int("keepdims", 0)],
        ),
        node(
            "ZipMap",
            "ai.onnx.ml",
            &["x"],
            &["p"],
            &[ints("classlabels_int64s", &[7, 3])],
        ),
    ];
    let map = field(
        5,
        &[number(1, INT64), field(2, &field(1, &number(1, FLOAT)))].concat(),
    );
    let sequence = [field(1, b"p"), field(2, &field(4, &field(1, &map)))].concat();
    model(
        &nodes,
        &[tensor("x", FLOAT, &[None, Some(2)])],
        &[tensor("label", INT64, &[None]), sequence],
    )
}

fn open(bytes: &[u8]) -> Option<fretsaw::Result<OrtSession>> {
    runtime().map(|r| OrtSession::open(r, bytes, &Options::default()))
}

fn empty() -> Predictions {
    Predictions::new(Float::F64, 9)
}

#[test]
fn a_stump_answers_as_it_says() {
    let Some(session) = open(&stump()) else {
        return;
    };
    let mut session = session.unwrap();
    let mut out = empty();
    let rows = [0.0, 9.0, 0.5, 9.0, f32::NAN, 9.0, 0.499_999_97, 9.0];
    session
        .run(&Rows::f32(&rows, 2).unwrap(), Want::Answers, &mut out)
        .unwrap();
    let expected = Predictions {
        n_columns: 1,
        values: Buffer::F32(vec![1.25, -2.5, -2.5, 1.25]),
    };
    assert_eq!(out, expected);

    // Double precision is rounded to the model's single.
    let rows = [0.5 - 1e-12, 0.0, 0.4, 0.0];
    session
        .run(&Rows::f64(&rows, 2).unwrap(), Want::Answers, &mut out)
        .unwrap();
    assert_eq!(out.values, Buffer::F32(vec![-2.5, 1.25]));

    session
        .run(&Rows::f32(&[], 2).unwrap(), Want::Answers, &mut out)
        .unwrap();
    assert_eq!((out.n_rows(), out.n_columns), (0, 1));

    let info = session.info();
    assert_eq!(
        (
            info.backend.as_str(),
            info.actual_provider.as_str(),
            info.threads
        ),
        ("ort", "CPU", 1)
    );
    assert_eq!(session.n_features(), Some(2));
    assert_eq!(session.memory().is_some(), cfg!(target_os = "linux"));
}

#[test]
fn threads_give_the_same_answers() {
    let Some(runtime) = runtime() else { return };
    let rows: Vec<f32> = (0..2000).map(|i| i as f32 / 1000.0).collect();
    let rows = Rows::f32(&rows, 2).unwrap();
    let answers = [1, 2, 3].map(|threads| {
        let options = Options {
            threads,
            ..Options::default()
        };
        let mut session = OrtSession::open(runtime, &stump(), &options).unwrap();
        let mut out = empty();
        session.run(&rows, Want::Answers, &mut out).unwrap();
        assert_eq!(session.info().threads, threads);
        out
    });
    assert!(answers.windows(2).all(|w| w[0] == w[1]));
}

#[test]
fn double_stays_double() {
    let Some(session) = open(&negation(DOUBLE, &[None, Some(2)])) else {
        return;
    };
    let mut out = Predictions::new(Float::F32, 1);
    session
        .unwrap()
        .run(
            &Rows::f64(&[0.1, -3.0], 2).unwrap(),
            Want::Answers,
            &mut out,
        )
        .unwrap();
    assert_eq!(
        out,
        Predictions {
            n_columns: 2,
            values: Buffer::F64(vec![-0.1, 3.0])
        }
    );
}

#[test]
fn maps_become_columns_and_labels_are_there() {
    let Some(session) = open(&zipmap()) else {
        return;
    };
    let mut session = session.unwrap();
    let mut out = empty();
    // Classes 7 and 3: the columns come in ascending order of class.
    let rows = Rows::f32(&[0.75, 0.25, 0.125, 0.875], 2).unwrap();
    let labels = session.run_with_labels(&rows, &mut out).unwrap();
    assert_eq!(labels, Labels::Ints(vec![0, 1]));
    assert_eq!(
        out,
        Predictions {
            n_columns: 2,
            values: Buffer::F32(vec![0.25, 0.75, 0.875, 0.125])
        }
    );
    session.run(&rows, Want::Answers, &mut out).unwrap();
    assert_eq!(out.n_rows(), 2);
}

#[test]
fn models_that_cannot_be_run_are_named() {
    let Some(runtime) = runtime() else { return };
    let whole = stump();
    let add = node("Add", "", &["a", "b"], &["y"], &[]);
    let two = model(
        &[add],
        &[
            tensor("a", FLOAT, &[None, Some(2)]),
            tensor("b", FLOAT, &[None, Some(2)]),
        ],
        &[tensor("y", FLOAT, &[None, Some(2)])],
    );
    let unknown = model(
        &[node("Frobnicate", "", &["x"], &["y"], &[])],
        &[tensor("x", FLOAT, &[None, Some(1)])],
        &[untyped("y")],
    );
    for (case, bytes, kind, words) in [
        ("empty", vec![], ErrorKind::Model, ""),
        ("text", b"this is no model".to_vec(), ErrorKind::Model, ""),
        (
            "truncated",
            whole[..whole.len() / 2].to_vec(),
            ErrorKind::Model,
            "",
        ),
        (
            "integers",
            negation(INT64, &[None, Some(2)]),
            ErrorKind::Unsupported,
            "input `x` is of type",
        ),
        (
            "rank 3",
            negation(FLOAT, &[None, Some(2), Some(2)]),
            ErrorKind::Unsupported,
            "rows x features",
        ),
        (
            "two inputs",
            two,
            ErrorKind::Unsupported,
            "of several inputs, rows x 1 are run",
        ),
        ("unknown operator", unknown, ErrorKind::Model, "Frobnicate"),
    ] {
        let Err(e) = OrtSession::open(runtime, &bytes, &Options::default()) else {
            panic!("{case}: opened")
        };
        let line = e.to_string();
        assert!(
            e.kind() == kind && line.contains(words) && !line.contains('\n'),
            "{case}: {:?}: {line}",
            e.kind()
        );
    }
}

#[test]
fn an_input_a_feature_is_a_row() {
    let Some(runtime) = runtime() else { return };
    let add = node("Sub", "", &["a", "b"], &["y"], &[]);
    let bytes = model(
        &[add],
        &[
            tensor("a", FLOAT, &[None, Some(1)]),
            tensor("b", FLOAT, &[None, Some(1)]),
        ],
        &[tensor("y", FLOAT, &[None, Some(1)])],
    );
    let mut session = OrtSession::open(runtime, &bytes, &Options::default()).unwrap();
    assert_eq!(session.n_features(), Some(2));
    let mut out = Predictions::new(Float::F32, 1);
    let rows = Rows::f64(&[3.0, 1.0, 0.5, 2.0], 2).unwrap();
    session.run(&rows, Want::Answers, &mut out).unwrap();
    assert_eq!(out.to_f64(), [2.0, -1.5]);
}

#[test]
fn runs_that_do_not_fit_are_named() {
    let Some(session) = open(&stump()) else {
        return;
    };
    let mut session = session.unwrap();
    let mut out = empty();
    let three = Rows::f32(&[1.0, 2.0, 3.0], 3).unwrap();
    let e = session.run(&three, Want::Answers, &mut out).unwrap_err();
    assert_eq!(
        e.to_string(),
        "the model takes 2 features a row, the data have 3"
    );
    assert_eq!(e.kind(), ErrorKind::Data);

    let two = Rows::f32(&[1.0, 2.0], 2).unwrap();
    assert_eq!(
        session
            .run(&two, Want::Margins, &mut out)
            .unwrap_err()
            .kind(),
        ErrorKind::Unsupported
    );
    assert_eq!(
        session.run_with_labels(&two, &mut out).unwrap_err().kind(),
        ErrorKind::Unsupported
    );

    let mut one_row = open(&negation(FLOAT, &[Some(1), Some(2)]))
        .unwrap()
        .unwrap();
    let e = one_row
        .run(&Rows::f32(&[0.0; 4], 2).unwrap(), Want::Answers, &mut out)
        .unwrap_err();
    assert!(e.to_string().contains("takes 1 rows a call"), "{e}");
}

#[test]
fn files_are_opened_and_named_in_errors() {
    let Some(runtime) = runtime() else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stump.onnx");
    let open = || OrtSession::open_file(runtime, &path, &Options::default());
    assert_eq!(open().err().unwrap().kind(), ErrorKind::Io);
    fs::write(&path, b"junk").unwrap();
    let line = open().err().unwrap().to_string();
    assert!(line.contains("stump.onnx"), "{line}");
    fs::write(&path, stump()).unwrap();
    open().unwrap();
}

#[test]
fn providers_are_asked_not_believed() {
    let Some(runtime) = runtime() else { return };
    for provider in Provider::ALL {
        let compiled_in = provider.is_compiled_in(runtime);
        match provider.probe(runtime) {
            Ok(()) => assert!(compiled_in, "{provider}"),
            Err(why) => assert!(!why.is_empty() && !why.contains('\n'), "{provider}: {why}"),
        }
        if !compiled_in {
            let options = Options {
                provider,
                ..Options::default()
            };
            let e = OrtSession::open(runtime, &stump(), &options).err().unwrap();
            assert!(
                e.kind() == ErrorKind::Backend && e.to_string().contains(provider.name()),
                "{e}"
            );
        }
    }
    assert_eq!(Provider::Cpu.probe(runtime), Ok(()));
}

#[test]
fn this_machine_is_described() {
    let devices = devices::detect();
    assert!(
        devices
            .engine
            .available
            .contains(&devices.engine.instruction_set)
    );
    assert_eq!(devices.providers.len(), Provider::ALL.len());
    assert_eq!(
        devices.onnx_runtime.usable,
        devices.onnx_runtime.why_not.is_none()
    );
    assert_eq!(devices.providers[0].usable, devices.onnx_runtime.usable);
    for p in &devices.providers {
        assert_eq!(p.usable, p.why_not.is_none(), "{p:?}");
    }
    println!("{}", serde_json::to_string_pretty(&devices).unwrap());
}

/// Prints what came of loading; run by [`libraries_that_cannot_be_used_are_named`] in a process of
/// its own, since a process loads ONNX Runtime once.
#[test]
#[ignore = "a part of another test"]
fn load_and_tell() {
    match Runtime::get(None) {
        Ok(runtime) => println!("outcome: {runtime:?}"),
        Err(absent) => println!("outcome: {absent}"),
    }
}

#[test]
fn libraries_that_cannot_be_used_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().join("text.so");
    fs::write(&text, "no library\n").unwrap();
    let mut cases = vec![
        (text, "not a shared library"),
        (dir.path().join("absent.so"), "no such file"),
        (dir.path().to_path_buf(), "a folder that holds no"),
    ];
    for (name, version, words) in [
        (
            "old",
            "1.10.0",
            "version 1.10.0 is too old: 1.24 or later is needed",
        ),
        ("broken", "1.99.0", "its table of functions is broken"),
    ] {
        match fake_library(dir.path(), name, version) {
            Some(path) => cases.push((path, words)),
            None => println!("skipped: no C compiler for the library of version {version}"),
        }
    }
    for (path, words) in cases {
        let output = Command::new(env::current_exe().unwrap())
            .args(["--ignored", "--exact", "load_and_tell", "--nocapture"])
            .env("FRETSAW_ORT", &path)
            .output()
            .unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        let outcome = stdout
            .lines()
            .find_map(|l| l.split_once("outcome: "))
            .unwrap_or_default()
            .1;
        let expected = format!("no ONNX Runtime: {}: {words}", path.display());
        assert!(
            output.status.success() && outcome.starts_with(&expected),
            "{words}: {stdout}"
        );
    }
}

/// A library with ONNX Runtime's entry point, of this version and without functions.
fn fake_library(dir: &Path, name: &str, version: &str) -> Option<PathBuf> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let (source, library) = (
        dir.join(name).with_extension("c"),
        dir.join(name).with_extension("so"),
    );
    let code = r#"
        static const void *api(unsigned version) { return 0; }
        static const char *version(void) { return "VERSION"; }
        static const struct { const void *(*api)(unsigned); const char *(*version)(void); } base = {api, version};
        const void *OrtGetApiBase(void) { return &base; }
    "#;
    fs::write(&source, code.replace("VERSION", version)).unwrap();
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .output()
        .ok()?;
    compiled.status.success().then_some(library)
}

/// The values of a little-endian npy file of `N`-byte items.
fn npy<const N: usize>(path: &Path) -> Vec<[u8; N]> {
    let bytes = fs::read(path).unwrap();
    let start = 10 + usize::from(bytes[8]) + 256 * usize::from(bytes[9]);
    bytes[start..]
        .chunks_exact(N)
        .map(|c| c.try_into().unwrap())
        .collect()
}

#[test]
fn other_converters_files_answer_as_recorded() {
    let Some(runtime) = runtime() else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    let folders = |path: &Path| {
        fs::read_dir(path)
            .into_iter()
            .flatten()
            .map(|e| e.unwrap().path())
            .collect::<Vec<_>>()
    };
    let cases: Vec<PathBuf> = folders(&root)
        .iter()
        .filter(|p| {
            p.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("onnx-")
        })
        .flat_map(|p| folders(p))
        .collect();
    for case in &cases {
        let name = case.display();
        let mut session =
            OrtSession::open_file(runtime, &case.join("model.onnx"), &Options::default()).unwrap();
        let x: Vec<f32> = npy(&case.join("X.npy"))
            .into_iter()
            .map(f32::from_le_bytes)
            .collect();
        let rows = Rows::f32(&x, session.n_features().unwrap_or(6)).unwrap();
        let mut out = empty();
        let is_label = |p: &Path| p.to_string_lossy().ends_with("label.npy");
        let recorded: Vec<PathBuf> = folders(case)
            .into_iter()
            .filter(|p| p.file_name().unwrap().to_string_lossy().starts_with("ort_"))
            .collect();
        match recorded.iter().find(|p| is_label(p)) {
            Some(path) => {
                let expected = npy(path).into_iter().map(i64::from_le_bytes).collect();
                assert_eq!(
                    session.run_with_labels(&rows, &mut out).unwrap(),
                    Labels::Ints(expected),
                    "{name}"
                );
            }
            None => {
                assert!(!session.has_labels(), "{name}");
                session.run(&rows, Want::Answers, &mut out).unwrap();
            }
        }
        let path = recorded.iter().find(|p| !is_label(p)).unwrap();
        let expected: Vec<f32> = npy(path).into_iter().map(f32::from_le_bytes).collect();
        let Buffer::F32(found) = &out.values else {
            panic!("{name}: double")
        };
        assert_eq!(
            (found.len(), out.n_rows()),
            (expected.len(), rows.n_rows()),
            "{name}"
        );
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            // Another version may take another exponential.
            let close = (found - expected).abs() <= 1e-6 * expected.abs().max(1.0);
            assert!(close, "{name}: value {at}: {found} for {expected}");
        }
    }
    println!("{} cases", cases.len());
}
