//! Files that other converters wrote: lifted, they answer what ONNX Runtime answers for them; and
//! lowered again, lifted again, they are the same model.

use std::fs;
use std::path::{Path, PathBuf};

use fretsaw_model::{Answer, Rows, labels, margins, predict};
use fretsaw_onnx::{LowerOptions, lift, lower, read};

/// Numbers of a .npy file and its columns.
fn npy(path: &Path) -> (Vec<f64>, usize) {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let len = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8_lossy(&bytes[10..10 + len]);
    assert!(header.contains("'fortran_order': False"), "{header}");
    let data = &bytes[10 + len..];
    let values: Vec<f64> = if header.contains("<f4") {
        let all = data.chunks_exact(4);
        all.map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap())))
            .collect()
    } else if header.contains("<f8") {
        let all = data.chunks_exact(8);
        all.map(|b| f64::from_le_bytes(b.try_into().unwrap()))
            .collect()
    } else if header.contains("<i8") {
        let all = data.chunks_exact(8);
        all.map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f64)
            .collect()
    } else {
        panic!("{}: {header}", path.display())
    };
    let shape = header.split_once('(').unwrap().1.split_once(')').unwrap().0;
    let mut dims = shape
        .split(',')
        .filter_map(|d| d.trim().parse::<usize>().ok());
    let n_rows = dims.next().unwrap_or(1);
    let width = dims.next().unwrap_or(1);
    assert_eq!(values.len(), n_rows * width, "{}", path.display());
    (values, width)
}

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    let mut found = Vec::new();
    for library in fs::read_dir(root).unwrap() {
        let library = library.unwrap().path();
        if library
            .file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("onnx-")
        {
            found.extend(fs::read_dir(library).unwrap().map(|c| c.unwrap().path()));
        }
    }
    found.sort();
    found
}

#[test]
fn lifted_files_answer_as_onnx_runtime_does() {
    let cases = cases();
    assert!(cases.len() >= 10, "{} cases", cases.len());
    for case in cases {
        let name = case.display();
        let onnx = read(fs::read(case.join("model.onnx")).unwrap()).unwrap();
        let model = lift(&onnx).unwrap_or_else(|e| panic!("{name}: {e}"));
        let (x, n_features) = npy(&case.join("X.npy"));
        let x: Vec<f32> = x.iter().map(|&v| v as f32).collect();
        let rows = Rows::f32(&x, n_features).unwrap();
        let got = predict(&model, &rows).unwrap();

        let (mut want, mut classes) = (None, None);
        for file in fs::read_dir(&case).unwrap() {
            let path = file.unwrap().path();
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            match file.strip_prefix("ort_") {
                Some(output) if output.contains("label") => classes = Some(npy(&path).0),
                Some(_) => want = Some(npy(&path)),
                None => {}
            }
        }
        let (want, width) = want.expect("a case has ONNX Runtime's answers");
        assert_eq!(width, model.n_columns(), "{name}");
        let exact = model.answer == Answer::Values || model.link == fretsaw_model::Link::Identity;
        for (i, (g, w)) in got.iter().zip(&want).enumerate() {
            let row = i / width;
            if exact && model.answer != Answer::Binary {
                assert_eq!(g, w, "{name}: row {row}");
            } else {
                assert!((g - w).abs() <= 1e-6, "{name}: row {row}: {g} for {w}");
            }
        }
        if let Some(classes) = classes {
            let numbers =
                labels(&model, &[], &got).expect("a file with a label lifts to a classifier");
            for (row, (k, want)) in numbers.into_iter().zip(classes).enumerate() {
                assert_eq!(model.class_name(k), want.to_string(), "{name}: row {row}");
            }
        }

        let again = lift(&lower(&model, &LowerOptions::default()).unwrap()).unwrap();
        assert_eq!(
            margins(&again, &rows).unwrap(),
            margins(&model, &rows).unwrap(),
            "{name}"
        );
        assert_eq!(again.labels, model.labels, "{name}");
        assert_eq!(again.answer, model.answer, "{name}");
    }
}
