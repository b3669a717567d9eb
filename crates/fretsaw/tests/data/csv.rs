//! CSV: what is read, and every fault with its line.

use fretsaw::model::{Categories, Feature, FeatureKind, Float};

use crate::{Folder, assert_error, category, cells, model, numeric, rows_of, strings};

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

#[test]
fn categories_known_by_hash_only_take_any_text() {
    let folder = Folder::new();
    let hashed = Feature {
        name: "c".into(),
        kind: FeatureKind::Hashed,
    };
    let m = model(vec![hashed, Feature::numeric("x")], Float::F64);
    let path = folder.file("x.csv", "c,x\nred,1\n7,NA\nNA,2\n,3\n\"a,b\",4\n");
    let rows = rows_of(&path, &m).unwrap();
    assert_eq!(rows.rows().float(), Float::F64, "f32 cannot hold a hash");
    let hash = |text| Some(f64::from(fretsaw::model::category_hash(text)));
    assert_eq!(
        cells(&rows),
        [
            hash("red"),
            Some(1.0),
            hash("7"),
            None,
            hash("NA"),
            Some(2.0),
            hash(""),
            Some(3.0),
            hash("a,b"),
            Some(4.0)
        ]
    );
}
