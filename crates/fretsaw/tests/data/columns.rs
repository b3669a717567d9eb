//! Columns of tables as pipelines take them: text, closed lists of categories, columns nobody reads.

use std::path::Path;

use fretsaw::data::read;
use fretsaw::model::{Body, Codes, Encoder, Feature, FeatureKind, Float, Model, Step};

use super::{Folder, assert_error, cells, draft, numeric, rows_of, strings};

fn text(name: &str, known: &[&str]) -> Feature {
    Feature {
        name: name.into(),
        kind: FeatureKind::Text {
            known: strings(known),
        },
    }
}

fn encoder(column: u32, unknown: Option<u32>) -> Encoder {
    Encoder {
        column,
        keys: vec![0.0, 1.0],
        code_of: vec![0, 1],
        missing: Some(2),
        unknown,
        codes: Codes::OneHot { width: 2 },
    }
}

/// A model that encodes `open` and `closed`, reads `x`, and drops `note`.
fn pipeline() -> Model {
    let features = vec![
        Feature::numeric("note"),
        text("open", &["S", "L"]),
        text("closed", &["red", "blue"]),
        Feature::numeric("x"),
    ];
    let mut draft = draft(features, Float::F64);
    draft.steps = vec![Step::Branches(vec![
        vec![Step::Encode(vec![encoder(1, Some(2)), encoder(2, None)])],
        vec![Step::Select { columns: vec![3] }],
    ])];
    draft.body = Body::Row {
        n_outputs: 5,
        n_margins: 5,
    };
    draft.build().unwrap()
}

#[test]
fn text_becomes_codes_and_what_nobody_reads_may_be_anything_or_absent() {
    let folder = Folder::new();
    let m = pipeline();
    let want = [
        (None, Some(1.0), Some(0.0), Some(1.5)),
        (None, Some(-1.0), None, None),
    ];
    let want: Vec<Option<f64>> = want.iter().flat_map(|r| [r.0, r.1, r.2, r.3]).collect();
    for (name, table) in [
        (
            "order.csv",
            "x,closed,note,open\n1.5,red,\"a, b\",L\n,,2020-01-01,XL\n",
        ),
        ("absent.csv", "closed,open,x\nred,L,1.5\nNA,XL,NaN\n"),
        // Without any of the names the order counts, and then every column must be there.
        ("unnamed.csv", "a,b,c,d\n?,L,red,1.5\n?,XL,,\n"),
    ] {
        let path = folder.file(name, table);
        assert_eq!(cells(&rows_of(&path, &m).unwrap()), want, "{name}");
    }
}

#[test]
fn a_category_that_is_refused_is_named_with_its_column() {
    let folder = Folder::new();
    let m = pipeline();
    let path = folder.file("x.csv", "open,closed,x\nS,red,1\nS,green,2\n");
    let parts = [
        "column \"closed\", row 2 (line 3)",
        "\"green\" is no category",
        "\"red\", \"blue\"",
    ];
    assert_error(rows_of(&path, &m), &path, &parts);
    let path = folder.file("y.csv", "open,x,note\nS,1,2\n");
    assert_error(rows_of(&path, &m), &path, &["\"closed\" is not among them"]);
}

#[test]
fn a_pipeline_answers_a_table_as_the_library_does() {
    let case =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/sklearn-1.9.1/columns_text");
    let m = fretsaw::load::load(&case.join("model.joblib.z"))
        .unwrap()
        .model;
    let rows = rows_of(&case.join("X.csv"), &m).unwrap();
    let got = fretsaw::model::predict(&m, &rows.rows()).unwrap();
    // The answers as a table, which an array of two columns is.
    let two = super::model(numeric(&["no", "yes"]), Float::F64);
    let want = read(&case.join("pred.npy")).unwrap();
    let want = cells(&want.rows_for(&two, &[]).unwrap());
    assert_eq!(got.len(), want.len());
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let off = (got - want.unwrap()).abs();
        assert!(off <= 1e-15, "row {}: off by {off}", i / 2);
    }
}
