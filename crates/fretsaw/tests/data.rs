//! Data files as a user meets them: every format read back, every fault named in one line.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, DictionaryArray, Float32Array, Float64Array,
    Int8Array, Int64Array, LargeStringArray, RecordBatch, StringArray, UInt64Array,
};
use fretsaw::data::{self, Matrix, check_output, read, read_labels, write_predictions};
use fretsaw::model::{
    Answer, BaseOrder, Body, Categories, Draft, Ensemble, Feature, FeatureKind, Float, Labels,
    Link, Model, Node, Provenance, Step, Sum, Target, Tree,
};
use fretsaw::session::{Buffer, Predictions};
use parquet::arrow::ArrowWriter;

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

fn rows_of(path: &Path, model: &Model) -> Result<Matrix, String> {
    read(path)
        .and_then(|data| data.rows_for(model, &["y"]))
        .map_err(|e| e.to_string())
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
fn csv_values() {
    let folder = Folder::new();
    let m = model(numeric(&["a", "b"]), Float::F64);
    let missing = None;
    for (text, want) in [
        (
            "a,b\n1,2\n3,4\n",
            vec![Some(1.0), Some(2.0), Some(3.0), Some(4.0)],
        ),
        ("b,a\r\n1,2\r\n", vec![Some(2.0), Some(1.0)]),
        ("\u{feff}a,b\n1,2", vec![Some(1.0), Some(2.0)]),
        ("y,b,id,a\n0,2,x,1\n", vec![Some(1.0), Some(2.0)]),
        ("a,b\n,NaN\nNA,\"\"\n", vec![missing; 4]),
        ("a,b\n\"1.5\",+1e5\n", vec![Some(1.5), Some(1e5)]),
        (
            "a,b\ninf,-inf\n",
            vec![Some(f64::INFINITY), Some(f64::NEG_INFINITY)],
        ),
        (
            "a,b\nTrue,false\n,true\n",
            vec![Some(1.0), Some(0.0), missing, Some(1.0)],
        ),
        ("\"a\",\"b\"\n0.1,1e-320\n", vec![Some(0.1), Some(1e-320)]),
        // Names of which the model knows none: by order, without the label.
        ("u,y,v\n1,9,2\n", vec![Some(1.0), Some(2.0)]),
    ] {
        let path = folder.file("x.csv", text);
        assert_eq!(cells(&rows_of(&path, &m).unwrap()), want, "{text:?}");
    }
}

#[test]
fn csv_faults() {
    let folder = Folder::new();
    let m = model(numeric(&["a", "b"]), Float::F32);
    for (text, parts) in [
        ("", &["empty", "header"][..]),
        ("a,b\n", &["no rows"]),
        ("a,b\n1,2\n3\n", &["line 3 has 1 cells, the header has 2"]),
        ("a,b\n1,2\n\n3,4,5\n", &["line 4 has 3 cells"]),
        ("a,b\n1,2\n3,\"x\n", &["line 3", "never closed"]),
        (
            "a,b\n1,2\n\n3,1_000\n",
            &["\"1_000\" is no number", "\"b\"", "row 2 (line 4)"],
        ),
        (
            "a,b\n1,True\n1,2\n",
            &["2\" in a column of both", "row 2 (line 3)"],
        ),
        ("0.5,1.5\n1,2\n", &["header"]),
        (
            "a,c\n1,2\n",
            &["2 features", "\"b\" is not among", "no feature: \"c\""],
        ),
        (
            "u,v,w\n1,2,3\n",
            &["2 features: there are 3", "\"a\", \"b\" are not among"],
        ),
        ("a,b,b\n1,2,3\n", &["two columns are called \"b\""]),
        ("a;b\n1;2\n", &["separated by commas, not ';'"]),
    ] {
        let path = folder.file("x.csv", text);
        assert_error(rows_of(&path, &m), &path, parts);
    }
    for (bytes, part) in [
        (
            &b"a,b\n1,2\n\xe4,3\n"[..],
            "line 3 holds bytes that are not UTF-8",
        ),
        (b"\xff\xfea\0", "UTF-16"),
    ] {
        let path = folder.file("x.csv", bytes);
        assert_error(rows_of(&path, &m), &path, &[part]);
    }
}

#[test]
fn categories_become_codes() {
    let folder = Folder::new();
    let texts = Categories::Strings(strings(&["red", "01", "1", "2.0", "True"]));
    let ints = Categories::Ints(vec![7, -3, i64::MAX]);
    let floats = Categories::Floats(vec![0.5, 0.0]);
    for (categories, cells_, want) in [
        (
            Some(&texts),
            "red,01,1,2.0,True,,NA",
            &[0.0, 1.0, 2.0, 3.0, 4.0][..],
        ),
        (
            Some(&ints),
            "-3,7.0,9223372036854775807,,",
            &[1.0, 0.0, 2.0],
        ),
        (Some(&floats), "-0,0.50,,", &[1.0, 0.0]),
        (None, "4,2,,", &[4.0, 2.0]),
    ] {
        let m = model(vec![category("c", categories.cloned())], Float::F64);
        // A second column, so that an empty cell is no empty line.
        let text = format!("c,id\n{},\n", cells_.replace(',', ",\n"));
        let got = cells(&rows_of(&folder.file("x.csv", text), &m).unwrap());
        let mut want: Vec<_> = want.iter().copied().map(Some).collect();
        want.resize(got.len(), None);
        assert_eq!(got, want, "{cells_}");
    }
    for (categories, cell, parts) in [
        (
            Some(&texts),
            "blue",
            &[
                "\"blue\" is no category",
                "\"c\"",
                "row 1 (line 2)",
                "\"red\"",
            ][..],
        ),
        (Some(&texts), "nan", &["\"nan\" is no category"]),
        (
            Some(&ints),
            "7.5",
            &["\"7.5\" is no category", "\"7\", \"-3\""],
        ),
        (Some(&ints), "red", &["\"red\" is no category"]),
        (None, "red", &["does not hold its categories"]),
    ] {
        let m = model(vec![category("c", categories.cloned())], Float::F64);
        let path = folder.file("x.csv", format!("c\n{cell}\n"));
        assert_error(rows_of(&path, &m), &path, parts);
    }
}

fn parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let file = fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn array(values: impl Array + 'static) -> ArrayRef {
    Arc::new(values)
}

#[test]
fn parquet_values_of_every_type() {
    let folder = Folder::new();
    let path = folder.path("x.pq");
    let colours: DictionaryArray<Int32Type> =
        vec![Some("red"), None, Some("blue")].into_iter().collect();
    parquet(
        &path,
        vec![
            ("when", array(Date32Array::from(vec![1, 2, 3]))),
            (
                "f64",
                array(Float64Array::from(vec![Some(0.1), None, Some(f64::NAN)])),
            ),
            ("f32", array(Float32Array::from(vec![0.1, -0.0, f32::MAX]))),
            ("i8", array(Int8Array::from(vec![-128, 0, 127]))),
            ("i64", array(Int64Array::from(vec![i64::MIN, 1, 1 << 53]))),
            ("u64", array(UInt64Array::from(vec![u64::MAX, 0, 1]))),
            (
                "flag",
                array(BooleanArray::from(vec![Some(true), None, Some(false)])),
            ),
            ("colour", array(colours)),
            ("large", array(LargeStringArray::from(vec!["a", "b", "a"]))),
            ("size", array(Int64Array::from(vec![10, 20, 10]))),
        ],
    );
    let names = |values: &[&str]| Some(Categories::Strings(strings(values)));
    let features = vec![
        category("large", names(&["a", "b"])),
        category("colour", names(&["blue", "red"])),
        Feature::numeric("u64"),
        Feature::numeric("i64"),
        Feature::numeric("f64"),
        Feature::numeric("f32"),
        Feature::numeric("i8"),
        Feature::numeric("flag"),
        category("size", names(&["10", "20"])),
    ];
    let got = rows_of(&path, &model(features, Float::F64)).unwrap();
    let want = [
        [
            0.0,
            1.0,
            u64::MAX as f64,
            i64::MIN as f64,
            0.1,
            0.1_f32.into(),
            -128.0,
            1.0,
            0.0,
        ]
        .map(Some),
        [
            Some(1.0),
            None,
            Some(0.0),
            Some(1.0),
            None,
            Some(-0.0),
            Some(0.0),
            None,
            Some(1.0),
        ],
        [
            Some(0.0),
            Some(0.0),
            Some(1.0),
            Some((1_u64 << 53) as f64),
            None,
            Some(f32::MAX.into()),
        ]
        .into_iter()
        .chain([Some(127.0), Some(0.0), Some(0.0)])
        .collect::<Vec<_>>()
        .try_into()
        .unwrap(),
    ];
    assert_eq!(cells(&got), want.concat());
    assert_eq!(got.rows().float(), Float::F64);

    for (name, parts) in [
        ("when", &["\"when\"", "holds times"][..]),
        (
            "colour",
            &["column \"colour\", row 1: \"red\" is no number"],
        ),
    ] {
        assert_error(
            rows_of(&path, &model(numeric(&[name]), Float::F64)),
            &path,
            parts,
        );
    }
}

#[test]
fn single_precision_only_where_nothing_is_lost() {
    let folder = Folder::new();
    let path = folder.path("x.parquet");
    parquet(
        &path,
        vec![
            ("single", array(Float32Array::from(vec![0.5]))),
            ("short", array(Int8Array::from(vec![1]))),
            ("double", array(Float64Array::from(vec![0.1]))),
        ],
    );
    for (names, compare, steps, want) in [
        (&["single", "double"], Float::F32, false, Float::F32),
        (&["single", "double"], Float::F64, false, Float::F64),
        (&["single", "double"], Float::F32, true, Float::F64),
        (&["single", "short"], Float::F64, true, Float::F32),
        (&["short", "double"], Float::F64, false, Float::F64),
    ] {
        let mut draft = draft(numeric(names), compare);
        if steps {
            draft.steps.push(Step::MarkMissing { value: -1.0 });
        }
        let got = rows_of(&path, &draft.build().unwrap()).unwrap();
        assert_eq!(got.rows().float(), want, "{names:?} {compare:?} {steps}");
    }
}

#[test]
fn damaged_parquet_is_an_error_not_a_crash() {
    let folder = Folder::new();
    let path = folder.path("x.parquet");
    parquet(
        &path,
        vec![
            (
                "a",
                array(Float32Array::from_iter_values((0..300).map(|i| i as f32))),
            ),
            (
                "b",
                array(StringArray::from_iter_values(
                    (0..300).map(|i| (i % 7).to_string()),
                )),
            ),
        ],
    );
    let whole = fs::read(&path).unwrap();
    let known = Categories::Strings((0..7).map(|i| i.to_string()).collect());
    let m = model(
        vec![Feature::numeric("a"), category("b", Some(known))],
        Float::F32,
    );
    rows_of(&path, &m).unwrap();
    for (bytes, part) in [
        (&whole[..whole.len() / 2], "cannot be read"),
        (b"PAR1", "cannot be read"),
        (b"PARE", "encrypted"),
        (b"", "no Parquet file"),
    ] {
        let path = folder.file("x.parquet", bytes);
        assert_error(rows_of(&path, &m), &path, &[part]);
    }
    // Whatever byte is wrong: an answer or an error, never the end of the process.
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for at in (0..whole.len()).step_by(11) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        let _ = rows_of(&folder.file("x.parquet", bytes), &m);
    }
    std::panic::set_hook(quiet);
}

/// An `.npy` file as NumPy writes it.
fn npy(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

#[test]
fn npy_values_of_every_type() {
    let folder = Folder::new();
    let m = model(numeric(&["a", "b"]), Float::F64);
    let want = vec![Some(1.0), Some(2.0), Some(3.0), Some(4.0)];
    macro_rules! bytes {
        ($t:ty, $to:ident) => {
            [1 as $t, 2 as $t, 3 as $t, 4 as $t].map(<$t>::$to).concat()
        };
    }
    let half = [0x3c00_u16, 0x4000, 0x4200, 0x4400]
        .map(u16::to_le_bytes)
        .concat();
    for (descr, data) in [
        ("'<f4'", bytes!(f32, to_le_bytes)),
        ("'>f4'", bytes!(f32, to_be_bytes)),
        ("'<f8'", bytes!(f64, to_le_bytes)),
        ("'>f8'", bytes!(f64, to_be_bytes)),
        ("'<f2'", half),
        ("'|i1'", bytes!(i8, to_le_bytes)),
        ("'|u1'", bytes!(u8, to_le_bytes)),
        ("'<i2'", bytes!(i16, to_le_bytes)),
        ("'>u2'", bytes!(u16, to_be_bytes)),
        ("'<i4'", bytes!(i32, to_le_bytes)),
        ("'<u4'", bytes!(u32, to_le_bytes)),
        ("'>i8'", bytes!(i64, to_be_bytes)),
        ("'<u8'", bytes!(u64, to_le_bytes)),
    ] {
        let path = folder.file("x.npy", npy(descr, "False", "(2, 2)", &data));
        assert_eq!(cells(&rows_of(&path, &m).unwrap()), want, "{descr}");
    }
    let path = folder.file("x.npy", npy("'|b1'", "False", "(1, 2)", &[1, 0]));
    assert_eq!(cells(&rows_of(&path, &m).unwrap()), [Some(1.0), Some(0.0)]);

    let data: Vec<u8> = [1.0_f32, 3.0, 5.0, 2.0, f32::NAN, 6.0]
        .map(f32::to_le_bytes)
        .concat();
    let path = folder.file("x.npy", npy("'<f4'", "True", "(3, 2)", &data));
    let got = rows_of(&path, &m).unwrap();
    assert_eq!(
        cells(&got),
        [Some(1.0), Some(2.0), Some(3.0), None, Some(5.0), Some(6.0)]
    );
    assert_eq!(got.slice(1..3).get(1, 0), 5.0);
    assert_eq!(got.rows().float(), Float::F32);

    // Cast once: 2^25 + 1 + 2^-40 lies just above half way between two f32, an f64 cannot hold it.
    let odd = (1_i64 << 62) + (1 << 38) + 1;
    let path = folder.file("x.npy", npy("'<i8'", "False", "(1,)", &odd.to_le_bytes()));
    let got = rows_of(&path, &model(numeric(&["a"]), Float::F32)).unwrap();
    assert_eq!(got.rows().get(0, 0), f64::from(odd as f32));
}

#[test]
fn npy_faults() {
    let folder = Folder::new();
    let m = model(numeric(&["a", "b"]), Float::F64);
    let whole = npy("'<f4'", "False", "(2, 2)", &[0; 16]);
    for (bytes, parts) in [
        (
            npy("'<f4'", "False", "(2, 3)", &[0; 24]),
            &["3 columns", "2 features"][..],
        ),
        (npy("'<f4'", "False", "(0, 2)", &[]), &["no rows"]),
        (
            npy("'<f4'", "False", "(9999999999999, 2)", &[0; 8]),
            &["9999999999999 x 2", "8 bytes"],
        ),
        (
            npy("'<f4'", "False", "(18446744073709551615, 2)", &[0; 8]),
            &["8 bytes"],
        ),
        (npy("'<f4'", "False", "(1, 2)", &[0; 9]), &["9 bytes"]),
        (npy("'|O'", "False", "(1, 2)", &[0; 9]), &["Python objects"]),
        (whole[..40].to_vec(), &["cut off"]),
        (whole[..9].to_vec(), &["cut off"]),
        (whole[..6].to_vec(), &["no .npy"]),
        (b"PK\x03\x04 an npz".to_vec(), &["no .npy"]),
    ] {
        let path = folder.file("x.npy", bytes);
        assert_error(rows_of(&path, &m), &path, parts);
    }
    let path = folder.path("absent.npy");
    assert_error(rows_of(&path, &m), &path, &["cannot read", "no such file"]);
    let path = folder.file("x.txt", "");
    assert_error(rows_of(&path, &m), &path, &[".npy, .csv, .parquet or .pq"]);
}

#[test]
fn labels_are_numbers_or_classes_as_the_model_says() {
    let folder = Folder::new();
    let mut named = draft(numeric(&["a"]), Float::F32);
    named.link = Link::Sigmoid { steepness: 1.0 };
    named.answer = Answer::Binary;
    named.labels = Some(Labels::Strings(strings(&["no", "1"])));
    let named = named.build().unwrap();
    let values = model(numeric(&["a"]), Float::F32);

    let path = folder.file("x.csv", "a,y,t\n1,1,no\n2,0.0,1\n");
    let data = read(&path).unwrap();
    assert_eq!(data.column("y").unwrap().numbers().unwrap(), [1.0, 0.0]);
    assert_eq!(data.column("t").unwrap().classes(&named).unwrap(), [0, 1]);
    let mut unnamed = named.to_draft();
    unnamed.labels = None;
    let unnamed = unnamed.build().unwrap();
    assert_eq!(data.column("y").unwrap().classes(&unnamed).unwrap(), [1, 0]);

    let message = |r: fretsaw::Result<Vec<f64>>| r.map_err(|e| e.to_string()).unwrap_err();
    let t = data.column("t").unwrap();
    assert!(message(t.numbers()).contains("\"no\" in column \"t\", row 1, is no number"));
    let unknown = t.classes(&unnamed).unwrap_err().to_string();
    assert!(
        unknown.contains("no class of the model, which knows \"0\", \"1\""),
        "{unknown}"
    );
    let y = data.column("y").unwrap();
    assert!(
        y.classes(&values)
            .unwrap_err()
            .to_string()
            .contains("not classes")
    );
    let absent = data.column("z").unwrap_err().to_string();
    assert!(
        absent.contains("no column \"z\"; the columns are \"a\", \"y\", \"t\""),
        "{absent}"
    );

    let path = folder.file("y.csv", "label\n3\n-1.5\n");
    assert_eq!(read_labels(&path).unwrap().numbers().unwrap(), [3.0, -1.5]);
    let path = folder.file(
        "y.npy",
        npy(
            "'<i8'",
            "False",
            "(2,)",
            &[1_i64, 0].map(i64::to_le_bytes).concat(),
        ),
    );
    assert_eq!(
        read_labels(&path).unwrap().classes(&unnamed).unwrap(),
        [1, 0]
    );
    let path = folder.path("y.parquet");
    parquet(
        &path,
        vec![("y", array(BooleanArray::from(vec![true, false])))],
    );
    assert_eq!(read_labels(&path).unwrap().numbers().unwrap(), [1.0, 0.0]);
    for (text, part) in [
        ("y,z\n1,2\n", "one column, this has 2 (\"y\", \"z\")"),
        ("y\n1\n\"\"\n", "row 2 (line 3): the label is missing"),
    ] {
        let path = folder.file("y.csv", text);
        let got = read_labels(&path).map_err(|e| e.to_string());
        assert_error(got, &path, &[part]);
    }
}

#[test]
fn predictions_come_back_to_the_bit() {
    let folder = Folder::new();
    let single = vec![0.1, 1e-40, f32::MAX, -0.0, f32::MIN_POSITIVE, 16_777_217.0];
    let double = vec![0.1, 5e-324, f64::MAX, -0.0, 1.0 / 3.0, 1e22];
    let names = strings(&["p_a", "p_\"b\",c"]);
    for values in [Buffer::F32(single), Buffer::F64(double)] {
        let float = match &values {
            Buffer::F32(_) => Float::F32,
            Buffer::F64(_) => Float::F64,
        };
        let predictions = Predictions {
            n_columns: 2,
            values,
        };
        let m = model(names.iter().map(Feature::numeric).collect(), float);
        for file in ["p.npy", "p.csv", "p.parquet"] {
            let path = folder.path(file);
            write_predictions(&path, &predictions, &names).unwrap();
            let back = rows_of(&path, &m).unwrap();
            assert_eq!(back.values(), &predictions.values, "{file}");
            let sign = back.rows().get(1, 1).is_sign_negative();
            assert!(sign, "{file}: minus zero");
        }
        let header = fs::read(folder.path("p.npy")).unwrap();
        assert_eq!(header[..8], *b"\x93NUMPY\x01\x00");
        assert_eq!((10 + usize::from(header[8])) % 64, 0);
    }
    let csv = fs::read_to_string(folder.path("p.csv")).unwrap();
    assert!(
        csv.starts_with("p_a,\"p_\"\"b\"\",c\"\n0.1,5e-324\n"),
        "{csv}"
    );
    let none = Predictions::new(Float::F32, 1);
    for file in ["none.npy", "none.csv", "none.parquet"] {
        write_predictions(&folder.path(file), &none, &strings(&["p"])).unwrap();
        assert_eq!(read(&folder.path(file)).unwrap().n_rows(), 0);
    }
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let folder = Folder::new();
    let path = folder.file("out.onnx", "before");
    let failed = data::write_atomically(&path, |w| {
        w.write_all(b"half")?;
        Err(std::io::Error::other("the disk is full"))
    });
    let message = failed.unwrap_err().to_string();
    assert!(
        message.contains("cannot write") && message.contains("disk is full"),
        "{message}"
    );
    assert_eq!(fs::read(&path).unwrap(), b"before");
    assert_eq!(folder.names(), ["out.onnx"]);

    let unwound = std::panic::catch_unwind(|| {
        data::write_atomically(&path, |_| std::panic::resume_unwind(Box::new(())))
    });
    assert!(unwound.is_err());
    assert_eq!(folder.names(), ["out.onnx"]);

    data::write_atomically(&path, |w| w.write_all(b"after")).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"after");
    assert_eq!(folder.names(), ["out.onnx"]);

    fs::create_dir(folder.path("dir.npy")).unwrap();
    for (name, part) in [
        ("dir.npy", "it is a folder"),
        ("absent/y.npy", "does not exist"),
        ("out.onnx/y.npy", "is not a folder"),
        ("y.onnx", ".npy, .csv"),
    ] {
        let message = check_output(&folder.path(name)).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    check_output(&folder.path("y.npy")).unwrap();
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_devices_left_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let real = folder.file("real.bin", "before");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.path("link.bin");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    data::write_atomically(&link, |w| w.write_all(b"after")).unwrap();
    assert_eq!(fs::read(&real).unwrap(), b"after");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(
        fs::metadata(&real).unwrap().permissions().mode() & 0o777,
        0o640
    );
    let device = data::write_atomically(Path::new("/dev/null"), |_| Ok(()));
    assert!(
        device
            .unwrap_err()
            .to_string()
            .contains("not a regular file")
    );
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
