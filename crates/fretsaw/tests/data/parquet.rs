//! Parquet files written here, whole and damaged.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, DictionaryArray, Float32Array, Float64Array,
    Int8Array, Int64Array, LargeStringArray, RecordBatch, StringArray, UInt64Array, new_null_array,
};
use arrow_schema::{DataType, Field, Schema};
use fretsaw::data::read;
use fretsaw::model::{Categories, Feature, Float, Step};
use parquet::arrow::ArrowWriter;

use crate::{
    Folder, assert_error, category, cells, draft, in_blocks, model, numeric, rows_of, strings,
};

pub(crate) fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let file = fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

pub(crate) fn array(values: impl Array + 'static) -> ArrayRef {
    Arc::new(values)
}

#[test]
fn parquet_values_of_every_type() {
    let folder = Folder::new();
    let path = folder.path("x.pq");
    let colours: DictionaryArray<Int32Type> =
        vec![Some("red"), None, Some("blue")].into_iter().collect();
    write(
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
    write(
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
    write(
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
        // Which error it is may depend on how much is read at a time.
        if let Ok(data) = read(&folder.file("x.parquet", bytes)) {
            let _ = (data.rows_for(&m, &[]), in_blocks(&data, &m, 7));
        }
    }
    std::panic::set_hook(quiet);
}

#[test]
fn nested_columns_are_ignored_unless_asked_for_and_never_overflow_the_stack() {
    let folder = Folder::new();
    let path = folder.path("x.parquet");
    let nested = |depth: usize| {
        let path = path.clone();
        // The writer needs more stack for such a file than a test has.
        let writer = std::thread::Builder::new().stack_size(256 << 20);
        let write = move || write_nested(&path, depth);
        writer.spawn(write).unwrap().join().unwrap();
    };
    nested(3);
    let flat = model(numeric(&["a"]), Float::F32);
    assert_eq!(
        cells(&rows_of(&path, &flat).unwrap()),
        [Some(1.0), Some(2.0)]
    );
    let deep = model(numeric(&["g"]), Float::F32);
    assert_error(rows_of(&path, &deep), &path, &["\"g\"", "is nested"]);
    // The root and the leaf are levels, too.
    nested(98);
    assert_eq!(
        cells(&rows_of(&path, &flat).unwrap()),
        [Some(1.0), Some(2.0)]
    );
    nested(99);
    assert_error(rows_of(&path, &flat), &path, &["nest more than 100 levels"]);
}

fn write_nested(path: &Path, depth: usize) {
    let leaf = Field::new("x", DataType::Float32, true);
    let field = (0..depth).fold(leaf, |f, _| {
        Field::new("g", DataType::Struct(vec![f].into()), true)
    });
    let flat = Field::new("a", DataType::Float32, true);
    let schema = Arc::new(Schema::new(vec![field, flat]));
    let file = fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, schema.clone(), None).unwrap();
    let deep = new_null_array(schema.field(0).data_type(), 2);
    let flat = array(Float32Array::from(vec![1.0, 2.0]));
    let batch = RecordBatch::try_new(schema, vec![deep, flat]).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}
