//! Rules that no golden case shows: layouts that CPU training does not write, what an estimator adds,
//! versions in between.

use fretsaw_import::import;
use fretsaw_model::{Categories, FeatureKind, Model, Rows, Step};

use crate::small::{MODEL, with};

fn margins(model: &Model, values: &[f32]) -> Vec<f64> {
    let rows = Rows::f32(values, 2).unwrap();
    fretsaw_model::margins(model, &rows).unwrap()
}

fn read(edits: &[(&str, &str)]) -> Model {
    import(with(edits).as_bytes()).unwrap()
}

#[test]
fn the_small_model_is_sound() {
    let model = read(&[]);
    let rows = [0.0, 0.25, 0.0, 0.5, 0.0, f32::NAN];
    assert_eq!(margins(&model, &rows), [-0.5, 2.5, -0.5]);
}

/// Where the training gradient was reduced, the weights of a node are not those of its leaf.
#[test]
fn vector_leaves_have_their_own_weights_since_3_2() {
    let two = [
        ("\"size_leaf_vector\":\"1\"", "\"size_leaf_vector\":\"2\""),
        ("\"num_target\":\"1\"", "\"num_target\":\"2\""),
        ("\"5E-1\"", "\"0E0\""),
    ];
    let base = "\"categories\":[],\"base_weights\":[9E0,9E0,1E0,2E0,3E0,4E0]";
    let old = read(&[&two[..], &[("\"categories\":[]", base)]].concat());
    assert_eq!(margins(&old, &[0.0, 0.0, 0.0, 1.0]), [1.0, 2.0, 3.0, 4.0]);
    let leaf = format!("{base},\"leaf_weights\":[5E0,6E0,7E0,8E0]");
    let edits = [
        ("\"categories\":[]", leaf.as_str()),
        ("[2,-1,-1]", "[2,1,0]"),
    ];
    let new = read(&[&two[..], &edits].concat());
    assert_eq!(margins(&new, &[0.0, 0.0, 0.0, 1.0]), [7.0, 8.0, 5.0, 6.0]);
}

#[test]
fn nodes_that_no_parent_points_at_are_left_out() {
    let model = read(&[
        ("[1,-1,-1]", "[3,-1,-1,-1]"),
        ("[2,-1,-1]", "[2,-1,-1,-1]"),
        ("[1,0,0],\"left", "[1,0,0,0],\"left"),
        ("[5E-1,-1E0,2E0]", "[5E-1,NaN,2E0,-1E0]"),
        (
            "[1,0,0],\n\"split_type",
            "[1,2147483647,0,0],\n\"split_type",
        ),
        ("[0,0,0],\"tree_param", "[0,0,0,0],\"tree_param"),
        ("\"num_nodes\":\"3\"", "\"num_nodes\":\"4\""),
    ]);
    assert_eq!(model.ensemble().unwrap().trees[0].nodes.len(), 3);
    assert_eq!(margins(&model, &[0.0, 0.25, 0.0, 0.5]), [-0.5, 2.5]);
}

/// `src/common/categorical.h` in 1.5, 1.6 and 1.7: categories 0, 1 and 3 go right.
#[test]
fn categories_follow_the_version_that_wrote_the_file() {
    let answers = |version: &str, default_left: &str| {
        let model = read(&[
            ("[3,4,1]", version),
            ("[1,0,0],\"left", default_left),
            ("[0,0,0],\"tree_param", "[1,0,0],\"tree_param"),
            ("\"categories_nodes\":[]", "\"categories_nodes\":[0]"),
            ("\"categories_segments\":[]", "\"categories_segments\":[0]"),
            ("\"categories_sizes\":[]", "\"categories_sizes\":[3]"),
            ("\"categories\":[]", "\"categories\":[3,1,0]"),
        ]);
        assert_eq!(
            model.features[1].kind,
            FeatureKind::Categorical { categories: None }
        );
        let values = [
            0.0,
            1.0,
            2.0,
            3.9,
            -0.5,
            -1.0,
            31.5,
            32.0,
            16_777_216.0,
            f32::NAN,
        ];
        values.map(|v| {
            if margins(&model, &[0.0, v])[0] < 0.0 {
                'L'
            } else {
                'R'
            }
        })
    };
    let (left, right) = ("[1,0,0],\"left", "[0,0,0],\"left");
    // 0, 1, 2, 3.9, -0.5, -1, 31.5, 32, 2^24, missing
    let cases = [
        ("[3,4,1]", left, "RRLRLLLLLL"),
        ("[1,7,0]", right, "RRLRLLLLLR"),
        ("[1,6,2]", left, "RRLRLLLLLL"),
        ("[1,6,2]", right, "RRLRRRLRRR"),
        ("[1,5,2]", right, "RRLRRLLLLR"),
    ];
    for (version, default_left, want) in cases {
        let got: String = answers(version, default_left).iter().collect();
        assert_eq!(got, want, "{version} {default_left}");
    }
}

#[test]
fn categories_of_every_width_come_along() {
    let categories = |column: &str| {
        let model = read(&[(
            "\"tree_info\":[0]",
            &format!(
                "\"tree_info\":[0],\"cats\":{{\"enc\":[{column},{{\"offsets\":[],\"values\":[]}}]}}"
            ),
        )]);
        assert_eq!(model.features[1].kind, FeatureKind::Numeric);
        match &model.features[0].kind {
            FeatureKind::Categorical { categories } => categories.clone(),
            _ => None,
        }
    };
    let ints = |v: &[i64]| Some(Categories::Ints(v.to_vec()));
    let strings = |v: &[&str]| {
        Some(Categories::Strings(
            v.iter().map(|s| s.to_string()).collect(),
        ))
    };
    let cases = [
        ("{\"type\":13,\"values\":[-5,7]}", ints(&[-5, 7])),
        ("{\"type\":12,\"values\":[-1,7]}", ints(&[65535, 7])),
        ("{\"type\":14,\"values\":[-1]}", ints(&[4_294_967_295])),
        (
            "{\"type\":15,\"values\":[-9007199254740993]}",
            ints(&[-9_007_199_254_740_993]),
        ),
        // "é" is -61, -87 as signed bytes; the empty text is a category too.
        (
            "{\"offsets\":[0,1,1,3],\"values\":[97,-61,-87]}",
            strings(&["a", "", "é"]),
        ),
    ];
    for (column, want) in cases {
        assert_eq!(categories(column), want, "{column}");
    }
}

#[test]
fn base_scores_follow_the_version_that_wrote_the_file() {
    let margin = |objective: &str, base: &str, version: &str| {
        let model = read(&[
            ("reg:squarederror", objective),
            ("\"5E-1\"", base),
            ("[3,4,1]", version),
            ("[5E-1,-1E0,2E0]", "[5E-1,0E0,0E0]"),
        ]);
        margins(&model, &[0.0, 0.0])[0] as f32
    };
    let logit = |p: f32| -(1.0 / p - 1.0).ln();
    let cases = [
        ("binary:logistic", "\"2E-1\"", "[1,0,0]", logit(0.2)),
        ("binary:logistic", "\"1E-8\"", "[3,1,0]", logit(1e-8)),
        ("binary:logistic", "\"1E-8\"", "[3,2,0]", logit(1e-6)),
        ("binary:logistic", "\"1E0\"", "[3,2,0]", logit(1.0 - 1e-6)),
        ("binary:logitraw", "\"2E-1\"", "[1,2,1]", logit(0.2)),
        ("binary:logitraw", "\"2E-1\"", "[1,3,0]", 0.2),
        ("count:poisson", "0.25", "[1,0,0]", 0.25_f32.ln()),
        ("reg:tweedie", "[2]", "[3,4,0]", 2.0_f32.ln()),
        ("rank:ndcg", "\"(7E0)\"", "[3,4,0]", 7.0),
    ];
    for (objective, base, version, want) in cases {
        let got = margin(objective, base, version);
        assert_eq!(
            got.to_bits(),
            want.to_bits(),
            "{objective} {base} {version}: {got}"
        );
    }
}

#[test]
fn a_linear_model_that_was_never_boosted_is_all_zeros() {
    let model = read(&[
        ("\"name\":\"gbtree\"", "\"name\":\"gblinear\""),
        ("\"model\":{", "\"model\":{\"weights\":[],"),
    ]);
    assert_eq!(margins(&model, &[3.0, f32::NAN]), [0.5]);
}

/// An `XGBClassifier` around the small model, with more attributes.
fn estimator(attributes: &[u8], model: &str) -> Vec<u8> {
    let mut out = b"\x80\x03cxgboost.sklearn\nXGBClassifier\n)\x81}(".to_vec();
    out.extend(attributes);
    out.extend(b"X\x08\0\0\0_Boostercxgboost.core\nBooster\n)\x81}(");
    out.extend(b"X\x0d\0\0\0feature_names](X\x01\0\0\0aX\x01\0\0\0be");
    out.extend(b"X\x06\0\0\0handlecbuiltins\nbytearray\nB");
    out.extend((model.len() as u32).to_le_bytes());
    out.extend(model.as_bytes());
    out.extend(b"\x85Rubub.");
    out
}

#[test]
fn an_estimator_adds_its_missing_value_and_its_names() {
    let logistic = with(&[("reg:squarederror", "binary:logistic")]);
    let model = import(&estimator(b"", MODEL)).unwrap();
    assert!(model.steps.is_empty() && model.labels.is_none());
    assert_eq!(model.features[1].name, "b");
    assert_eq!(model.provenance.format, "xgboost-pickle");

    let missing = [
        b"X\x07\0\0\0missingG".to_vec(),
        0.5_f64.to_be_bytes().to_vec(),
    ]
    .concat();
    let model = import(&estimator(&missing, MODEL)).unwrap();
    assert_eq!(model.steps, [Step::MarkMissing { value: 0.5 }]);
    assert_eq!(margins(&model, &[0.0, 0.5, 0.0, 0.75]), [-0.5, 2.5]);

    let classes = |text: &[u8]| {
        [
            b"X\x08\0\0\0classes_](".to_vec(),
            text.to_vec(),
            b"e".to_vec(),
        ]
        .concat()
    };
    let model = import(&estimator(&classes(b"K\x05K\x07"), &logistic)).unwrap();
    assert_eq!([model.class_name(0), model.class_name(1)], ["5", "7"]);
    let model = import(&estimator(&classes(b"K\x00K\x01"), &logistic)).unwrap();
    assert!(model.labels.is_none());
    let line = import(&estimator(&classes(b"K\x00"), &logistic))
        .unwrap_err()
        .to_string();
    assert!(
        line.contains("names 1 classes, its Booster has 2"),
        "{line}"
    );
}

#[test]
fn an_estimator_stops_at_its_best_iteration_where_files_count_trees() {
    let best = |value: &str, indptr: &str| {
        let model = with(&[
            (
                "\"attributes\":{}",
                &format!("\"attributes\":{{\"best_iteration\":\"{value}\"}}"),
            ),
            ("\"iteration_indptr\":[0,1],", indptr),
        ]);
        import(&estimator(b"", &model)).map(|m| m.ensemble().unwrap().trees.len())
    };
    assert_eq!(best("0", "").unwrap(), 1);
    assert_eq!(best("0", "\"iteration_indptr\":[0,1],").unwrap(), 1);
    for (value, indptr) in [
        ("1", ""),
        ("1", "\"iteration_indptr\":[0,1],"),
        ("0", "\"iteration_indptr\":[0,9],"),
        ("18446744073709551615", ""),
        ("-1", ""),
    ] {
        let line = best(value, indptr).unwrap_err().to_string();
        assert!(line.contains("best_iteration is"), "{value}: {line}");
    }
}
