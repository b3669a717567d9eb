//! Data files as a user meets them: every format read back, every fault named in one line.

use std::fs;
use std::path::{Path, PathBuf};

use fretsaw::data::{Data, Matrix, read};
use fretsaw::model::{
    Answer, BaseOrder, Body, Categories, Decision, Draft, Ensemble, Feature, FeatureKind, Float,
    Link, Model, Node, Provenance, Sum, Target, Tree,
};
use fretsaw::session::Buffer;

mod columns;
mod csv;
mod labels;
mod npy;
mod parquet;
mod write;

/// A model of these features that compares in `float`; what it answers does not matter here.
fn model(features: Vec<Feature>, float: Float) -> Model {
    draft(features, float).build().unwrap()
}

fn draft(features: Vec<Feature>, compare: Float) -> Draft {
    let tree = Tree {
        weight: 1.0,
        target: Target::Output(0),
        nodes: vec![Node::Leaf(0)],
        leaves: vec![0.5],
        linear: Vec::new(),
        sets: Vec::new(),
    };
    Draft {
        features,
        steps: Vec::new(),
        body: Body::Ensemble(Ensemble {
            n_outputs: 1,
            compare,
            sum: Sum::F64,
            base: vec![0.0],
            base_order: BaseOrder::First,
            multiply: vec![1.0],
            divide: 1.0,
            trees: vec![tree],
        }),
        link: Link::Identity,
        answer: Answer::Values,
        decision: Decision::Answer,
        labels: None,
        provenance: Provenance::default(),
    }
}

fn numeric(names: &[&str]) -> Vec<Feature> {
    names.iter().map(|&n| Feature::numeric(n)).collect()
}

fn category(name: &str, categories: Option<Categories>) -> Feature {
    Feature {
        name: name.into(),
        kind: FeatureKind::Categorical { categories },
    }
}

fn strings(values: &[&str]) -> Vec<String> {
    values.iter().map(|s| s.to_string()).collect()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path()).unwrap();
        names
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect()
    }
}

/// The values, widened; `None` is missing.
fn cells(matrix: &Matrix) -> Vec<Option<f64>> {
    let rows = matrix.rows();
    (0..rows.n_rows() * rows.n_features())
        .map(|i| rows.get(i / rows.n_features(), i % rows.n_features()))
        .map(|x| (!x.is_nan()).then_some(x))
        .collect()
}

/// All rows at once; in blocks of any size they must be the same, or wrong in the same way.
fn rows_of(path: &Path, model: &Model) -> Result<Matrix, String> {
    let data = read(path).map_err(|e| e.to_string())?;
    let whole = data.rows_for(model, &["y"]).map_err(|e| e.to_string());
    for most in [1, 2, 1000] {
        let float = whole.as_ref().map_or(Float::F64, |m| m.rows().float());
        let bits = |x: f64| match x.is_nan() {
            true => None,
            false => Some(float.cast(x).to_bits()),
        };
        let blocks = in_blocks(&data, model, most);
        let blocks = blocks.map(|values| values.into_iter().map(bits).collect::<Vec<_>>());
        let rows = whole.as_ref().map(|m| m.rows().row_major().map(bits));
        let rows = rows.map(Iterator::collect).map_err(Clone::clone);
        assert_eq!(blocks, rows, "{}, {most} rows a block", path.display());
    }
    whole
}

fn in_blocks(data: &Data, model: &Model, most: usize) -> Result<Vec<f64>, String> {
    let mut values = Vec::new();
    let blocks = data.blocks(model, &["y"], most);
    for block in blocks.map_err(|e| e.to_string())? {
        let block = block.map_err(|e| e.to_string())?;
        assert_eq!(values.len(), block.first_row() * model.features.len());
        block.with_rows(|rows| {
            assert!((1..=most).contains(&rows.n_rows()));
            values.extend(rows.row_major());
        });
    }
    Ok(values)
}

/// One line that names the file and holds every one of `parts`.
fn assert_error<T: std::fmt::Debug>(result: Result<T, String>, path: &Path, parts: &[&str]) {
    let message = result.unwrap_err();
    assert!(!message.contains('\n'), "{message}");
    let file = path.display().to_string();
    for part in parts.iter().chain([&&*file]) {
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
}

#[test]
fn the_example_reads_alike_from_pandas_parquet_and_csv() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/sp500");
    let parquet = read(&folder.join("holdout.parquet")).unwrap();
    let csv = read(&folder.join("holdout.csv")).unwrap();
    assert_eq!((parquet.n_rows(), csv.n_rows()), (2506, 50));
    assert_eq!(parquet.column_names(), csv.column_names());
    let names: Vec<&str> = csv
        .column_names()
        .unwrap()
        .iter()
        .map(String::as_str)
        .collect();
    let (label, features) = names.split_last().unwrap();
    assert_eq!((features.len(), *label), (35, "label"));

    let m = model(numeric(features), Float::F32);
    let whole = parquet.rows_for(&m, &["label"]).unwrap();
    let start = csv.rows_for(&m, &["label"]).unwrap();
    assert_eq!((whole.n_rows(), start.n_rows()), (2506, 50));
    let (Buffer::F32(whole), Buffer::F32(start)) = (whole.values(), start.values()) else {
        panic!("the model compares in f32");
    };
    let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&whole[..start.len()]), bits(start));
    assert_eq!(start[0], -0.008_901_413_5);
    let missing = whole.iter().filter(|x| x.is_nan()).count();
    assert!(
        (200..400).contains(&missing),
        "{missing} values are missing"
    );

    let labels = parquet.column("label").unwrap().numbers().unwrap();
    assert_eq!(
        labels[..50],
        csv.column("label").unwrap().numbers().unwrap()
    );
    assert_eq!(labels.len(), 2506);
}
