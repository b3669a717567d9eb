//! Labels from tables and from files of their own.

use arrow_array::BooleanArray;
use fretsaw::data::{read, read_labels};
use fretsaw::model::{Answer, Float, Labels, Link};

use crate::npy::npy;
use crate::parquet::{array, write as parquet};
use crate::{Folder, assert_error, draft, model, numeric, strings};

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
