//! Every golden case of LightGBM: margins to the last bit, also of f64 rows beside the thresholds;
//! and LightGBM files that are cut short, lie, or make no sense. `FRETSAW_CASES` may name a folder
//! with further cases in the same layout.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use fretsaw_import::{ErrorKind, import};
use fretsaw_model::{Categories, FeatureKind, Labels, Link, Model, Rows};

use crate::golden::{folders, name, testdata};
use crate::npy::Npy;

const FILES: &[&str] = &[
    "model.txt",
    "model.json",
    "model.pkl",
    "model.p2.pkl",
    "model.p4.pkl",
    "model.joblib",
];

/// Checks every model file of a case; gives their number, and what is wrong with them.
fn check(case: &Path) -> (usize, Vec<String>) {
    let mut faults = Vec::new();
    let mut n = 0;
    for file in FILES.iter().filter(|f| case.join(f).exists()) {
        n += 1;
        let fault = match import(&fs::read(case.join(file)).unwrap()) {
            Ok(model) => compare(&model, case).err(),
            Err(e) => Some(e.to_string()),
        };
        faults.extend(fault.map(|f| format!("{}/{file}: {f}", name(case))));
    }
    (n, faults)
}

fn compare(model: &Model, case: &Path) -> Result<(), String> {
    for suffix in ["", "64"] {
        let file = |what: &str| case.join(format!("{what}{suffix}.npy"));
        if !file("X").exists() {
            continue;
        }
        let x = Npy::read(&file("X"));
        let narrow: Vec<f32> = x.values.iter().map(|&v| v as f32).collect();
        let rows = if x.single {
            Rows::f32(&narrow, x.columns).unwrap()
        } else {
            Rows::f64(&x.values, x.columns).unwrap()
        };
        let margins = fretsaw_model::margins(model, &rows).unwrap();
        same(&margins, &Npy::read(&file("raw")), 0.0)?;
        let answers = fretsaw_model::predict(model, &rows).unwrap();
        let pred = Npy::read(&file("pred"));
        let second: Vec<f64> = answers.chunks(2).map(|pair| pair[pair.len() - 1]).collect();
        // A Booster answers with the probability of the second class only.
        let one = answers.len() == 2 * pred.values.len();
        let got = if one { &second } else { &answers };
        let exp = !matches!(model.link.parts().1, Link::Identity | Link::SignedSquare);
        same(got, &pred, if exp { 1e-15 } else { 0.0 })?;
        if case.join("label.npy").exists() && name(case).starts_with("sklearn") {
            let labels = fretsaw_model::labels(model, &[], &answers).ok_or("no labels")?;
            let want = Npy::read(&case.join("label.npy")).values;
            if !labels.iter().map(|&l| l as f64).eq(want) {
                return Err("the labels differ".into());
            }
        }
    }
    Ok(())
}

fn same(got: &[f64], want: &Npy, slack: f64) -> Result<(), String> {
    if got.len() != want.values.len() {
        return Err(format!("{} numbers for {}", got.len(), want.values.len()));
    }
    for (i, (got, value)) in got.iter().zip(&want.values).enumerate() {
        let near = got == value || (got - value).abs() <= slack * value.abs().max(1.0);
        if !near {
            let row = i / want.columns;
            return Err(format!("row {row}: {got:?}, LightGBM says {value:?}"));
        }
    }
    Ok(())
}

#[test]
fn golden_cases_answer_to_the_bit() {
    let mut n = 0;
    let mut faults = Vec::new();
    for version in folders(&testdata()) {
        if !name(&version).starts_with("lightgbm-") {
            continue;
        }
        for case in folders(&version) {
            let (files, wrong) = check(&case);
            n += files;
            faults.extend(wrong.iter().map(|f| format!("{}/{f}", name(&version))));
        }
    }
    let shown = faults.join("\n");
    assert!(faults.is_empty(), "{} of {n}:\n{shown}", faults.len());
    assert!(n >= 90, "only {n} files were found");
}

#[test]
fn further_cases_answer_to_the_bit() {
    let Ok(root) = std::env::var("FRETSAW_CASES") else {
        println!("skipped: FRETSAW_CASES names no folder with further cases");
        return;
    };
    let mut n = 0;
    let mut faults = Vec::new();
    for case in folders(Path::new(&root)) {
        if name(&case).starts_with("lgb_") || name(&case).starts_with("perf_lgb") {
            let (files, wrong) = check(&case);
            n += files;
            faults.extend(wrong);
        }
    }
    let shown = faults.join("\n");
    assert!(faults.is_empty(), "{} of {n}:\n{shown}", faults.len());
    assert!(n > 0, "no case was found");
}

fn read(path: &str) -> Model {
    import(&fs::read(testdata().join(path)).unwrap()).unwrap()
}

#[test]
fn text_and_dump_say_the_same() {
    let mut n = 0;
    for version in folders(&testdata()) {
        for case in folders(&version) {
            if !name(&version).starts_with("lightgbm-") || !case.join("model.json").exists() {
                continue;
            }
            let model = |file: &str| import(&fs::read(case.join(file)).unwrap()).unwrap();
            let (text, dump) = (model("model.txt"), model("model.json"));
            assert_eq!(text.features, dump.features, "{}", case.display());
            assert_eq!(text.link, dump.link);
            n += 1;
        }
    }
    assert!(n >= 8, "only {n} dumps were found");
}

#[test]
fn names_categories_and_classes_come_along() {
    let model = read("lightgbm-4.6.0/categorical_strings/model.txt");
    let strings = |names: &[&str]| FeatureKind::Categorical {
        categories: Some(Categories::Strings(
            names.iter().map(|n| n.to_string()).collect(),
        )),
    };
    assert_eq!(model.features[0].name, "size");
    assert_eq!(
        model.features[1].kind,
        strings(&["round", "square", "oval", "flat"])
    );
    assert_eq!(
        model.features[2].kind,
        strings(&["blue", "green", "red", "violet", "white", "yellow"])
    );
    assert_eq!(model.features[3].kind, FeatureKind::Numeric);
    assert_eq!(model.provenance.format, "lightgbm-text");

    let model = read("lightgbm-2.2.3/sklearn_strings/model.p2.pkl");
    let names = ["down", "flat", "up"].map(String::from).to_vec();
    assert_eq!(model.labels, Some(Labels::Strings(names)));
    assert_eq!(model.provenance.format, "lightgbm-pickle");
}

#[test]
fn a_pickle_stops_at_its_best_iteration() {
    let case = testdata().join("lightgbm-4.6.0/booster_early");
    let json = fs::read_to_string(case.join("case.json")).unwrap();
    let number = |key: &str| -> usize {
        let (_, rest) = json.split_once(&format!("\"{key}\": ")).unwrap();
        rest.split([',', '\n']).next().unwrap().parse().unwrap()
    };
    assert!(number("best_iteration") < number("trees"));
    let model = read("lightgbm-4.6.0/booster_early/model.p4.pkl");
    assert_eq!(
        model.ensemble().unwrap().trees.len(),
        number("best_iteration")
    );
}

/// A model of two features and one tree of three leaves, the second split categorical.
const MODEL: &str = "tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=regression
feature_names=a b
feature_infos=[0:9] 0:1:2:3
tree_sizes=300

Tree=0
num_leaves=3
num_cat=1
split_feature=0 1
split_gain=1 1
threshold=0.5 0
decision_type=10 1
left_child=1 -1
right_child=-2 -3
leaf_value=1 2 3
cat_boundaries=0 1
cat_threshold=10
is_linear=0
shrinkage=1


end of trees
";

const DUMP: &str = r#"{"name":"tree","version":"v4","num_class":1,"num_tree_per_iteration":1,
"max_feature_idx":1,"objective":"regression","average_output":false,"feature_names":["a","b"],
"feature_infos":{"a":{"min_value":0,"max_value":9,"values":[]},"b":{"values":[0,1,2,3]}},
"tree_info":[{"tree_index":0,"num_leaves":3,"num_cat":1,"tree_structure":{"split_feature":0,
"threshold":0.5,"decision_type":"<=","default_left":true,"missing_type":"NaN","left_child":{
"split_feature":1,"threshold":"1||3","decision_type":"==","default_left":false,"missing_type":"None",
"left_child":{"leaf_value":1},"right_child":{"leaf_value":3}},"right_child":{"leaf_value":2}}}],
"pandas_categorical":null}"#;

fn with(text: &str, edits: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "the model has no {from}");
        text = text.replace(from, to);
    }
    text
}

#[test]
fn small_models_mean_what_they_say() {
    let rows = [
        0.5,
        1.0,
        0.5,
        3.9,
        0.5,
        0.0,
        0.5,
        f64::NAN,
        f64::NAN,
        1.0,
        0.6,
        1.0,
    ];
    for text in [MODEL, DUMP, &MODEL.replace('\n', "\r\n")] {
        let model = import(text.as_bytes()).unwrap();
        let rows = Rows::f64(&rows, 2).unwrap();
        let margins = fretsaw_model::margins(&model, &rows).unwrap();
        assert_eq!(margins, [1.0, 1.0, 3.0, 3.0, 1.0, 2.0]);
    }
    // JSON has no infinity; everything but NaN is up to it.
    for x in [f64::MAX, f64::INFINITY] {
        let text = with(DUMP, &[("\"threshold\":0.5", "\"threshold\":1e+300")]);
        let rows = [x, 1.0];
        let rows = Rows::f64(&rows, 2).unwrap();
        let margins = fretsaw_model::margins(&import(text.as_bytes()).unwrap(), &rows).unwrap();
        assert_eq!(margins, [1.0], "{x}");
    }
    // Up to 2.1 nothing said that the trees were over.
    let old = with(MODEL, &[("end of trees\n", ""), ("=v4", "=v2")]);
    assert!(import(old.as_bytes()).is_ok());
    // No objective: a custom one.
    let custom = with(MODEL, &[("objective=regression\n", "")]);
    assert_eq!(import(custom.as_bytes()).unwrap().link, Link::Identity);
}

#[test]
fn contradictions_are_named_with_their_place() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[("left_child=1 -1", "left_child=0 -1")],
            "node 0 is reached twice",
        ),
        (
            &[("left_child=1 -1", "left_child=2 -1")],
            "Tree[0].split[0]: its child 2 does not exist",
        ),
        (
            &[("right_child=-2 -3", "right_child=-2 -4")],
            "Tree[0].split[1]: its child -4 does not exist",
        ),
        (
            &[("right_child=-2 -3", "right_child=-2 -2147483648")],
            "its child -2147483648 does not exist",
        ),
        (
            &[("right_child=-2 -3", "right_child=-2 -1")],
            "reached twice",
        ),
        (
            &[("left_child=1 -1", "left_child=1e9 -1")],
            "Tree[0].left_child: `1e9` is no number",
        ),
        (
            &[("left_child=1 -1", "left_child=1")],
            "num_leaves is 3, left_child has 1 elements, not 2",
        ),
        (
            &[("num_leaves=3", "num_leaves=4294967296")],
            "leaf_value has 3",
        ),
        (&[("num_leaves=3", "num_leaves=0")], "num_leaves is 0"),
        (&[("num_leaves=3\n", "")], "num_leaves is missing"),
        (
            &[("leaf_value=1 2 3", "leaf_value=1 nan 3")],
            "leaf value 1 is NaN",
        ),
        (
            &[("threshold=0.5 0", "threshold=nan 0")],
            "its threshold is NaN",
        ),
        (
            &[("threshold=0.5 0", "threshold=0.5 1")],
            "Tree[0].split[1]: its set 1 does not exist",
        ),
        (
            &[("threshold=0.5 0", "threshold=0.5 -1")],
            "its set -1 does not exist",
        ),
        (
            &[("cat_boundaries=0 1", "cat_boundaries=0 2")],
            "cat_boundaries do not cut the 1 words",
        ),
        (
            &[("cat_boundaries=0 1", "cat_boundaries=1 0")],
            "cat_boundaries do not cut",
        ),
        (
            &[(
                "cat_boundaries=0 1",
                "cat_boundaries=0 18446744073709551615",
            )],
            "cat_boundaries do not cut",
        ),
        (
            &[("decision_type=10 1", "decision_type=14 1")],
            "its decision_type is 14, which means nothing",
        ),
        (
            &[("split_feature=0 1", "split_feature=0 2")],
            "feature 2 of 2",
        ),
        (
            &[("split_feature=0 1", "split_feature=0 -1")],
            "split_feature: `-1` is no number",
        ),
        (&[("is_linear=0", "is_linear=1")], "leaf_const has 0"),
        (
            &[(
                "is_linear=0",
                "is_linear=1\nleaf_const=1 2 3\nnum_features=1 0 0\nleaf_features=0\nleaf_coeff=1 2",
            )],
            "num_features do not cut the 2 numbers of leaf_coeff",
        ),
        (
            &[(
                "is_linear=0",
                "is_linear=1\nleaf_const=1 2 3\nnum_features=1 0 0\nleaf_features=7\nleaf_coeff=1",
            )],
            "feature 7 of 2",
        ),
        (
            &[("max_feature_idx=1", "max_feature_idx=4294967295")],
            "max_feature_idx is 4294967295, feature_names has 2",
        ),
        (
            &[("max_feature_idx=1", "max_feature_idx=-1")],
            "max_feature_idx: `-1` is no number",
        ),
        (
            &[("feature_infos=[0:9] 0:1:2:3", "feature_infos=none")],
            "feature_infos has 1",
        ),
        (
            &[("feature_names=a b\n", "")],
            "the line `feature_names=` is missing",
        ),
        (&[("num_class=1\n", "")], "the line `num_class=` is missing"),
        (
            &[("num_tree_per_iteration=1", "num_tree_per_iteration=0")],
            "a model of 0 outputs",
        ),
        (
            &[(
                "num_tree_per_iteration=1",
                "num_tree_per_iteration=4294967295",
            )],
            "4294967295 outputs",
        ),
        (
            &[("num_tree_per_iteration=1", "num_tree_per_iteration=2")],
            "num_tree_per_iteration is 2, not 1",
        ),
        (
            &[
                ("num_tree_per_iteration=1", "num_tree_per_iteration=2"),
                ("=regression", "=custom"),
            ],
            "1 trees are no whole number of iterations of 2",
        ),
        (
            &[("=regression", "=magic")],
            "cannot import the objective `magic`",
        ),
        (
            &[("=regression", "=binary sigmoid:-1")],
            "it should say `sigmoid:`",
        ),
        (
            &[("=regression", "=multiclass num_class:3")],
            "num_tree_per_iteration is 1",
        ),
        (
            &[("tree_sizes=300", "tree_sizes=300 300")],
            "tree_sizes lists 2 trees, 1 are there",
        ),
        (&[("end of trees\n", "")], "`end of trees` is missing"),
        (
            &[("shrinkage=1\n\n\n", "shrinkage\n\n\n")],
            "a line of a tree has no `=`",
        ),
        (
            &[(
                "end of trees\n",
                "end of trees\npandas_categorical:[[\"a\"]",
            )],
            "pandas_categorical: the file ends",
        ),
    ];
    for (edits, message) in cases {
        refused(&with(MODEL, edits), message);
    }
}

#[test]
fn contradictions_in_a_dump_are_named_with_their_place() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[("\"num_leaves\":3", "\"num_leaves\":4")],
            "tree_info[0]: num_leaves is 4, the tree has 3",
        ),
        (
            &[("\"leaf_value\":3", "\"leaf\":3")],
            "a node has no `leaf_value`",
        ),
        (
            &[("\"split_feature\":1,", "")],
            "a node has no `split_feature`",
        ),
        (
            &[(",\"right_child\":{\"leaf_value\":3}", "")],
            "a node has no `right_child`",
        ),
        (
            &[("\"left_child\":{\"leaf_value\":1},", "")],
            "a left child and then a right one",
        ),
        (
            &[("\"left_child\":{\"leaf_value\":1}", "\"left_child\":7")],
            "a left child and then",
        ),
        (&[("\"1||3\"", "\"1||x\"")], "threshold: `x` is no category"),
        (&[("\"1||3\"", "\"-1\"")], "`-1` is no category"),
        (
            &[("\"1||3\"", "0.5")],
            "threshold and decision_type do not fit",
        ),
        (
            &[("\"<=\"", "\"<>\"")],
            "cannot import the decision_type `<>`",
        ),
        (
            &[("\"missing_type\":\"NaN\"", "\"missing_type\":\"Odd\"")],
            "cannot import the missing_type `Odd`",
        ),
        (
            &[("\"split_feature\":0", "\"split_feature\":-1")],
            "a number from 0 upwards should",
        ),
        (
            &[("\"max_feature_idx\":1,", "")],
            "missing field `max_feature_idx`",
        ),
        (
            &[("\"objective\":\"regression\",", ""), ("\"v4\"", "\"v2\"")],
            "does not name its objective",
        ),
        (
            &[("\"tree_structure\"", "\"structure\"")],
            "missing field `tree_structure`",
        ),
        (&[("null}", "[[\"a\",")], "pandas_categorical"),
    ];
    for (edits, message) in cases {
        refused(&with(DUMP, edits), message);
    }
}

fn refused(text: &str, message: &str) {
    let line = import(text.as_bytes()).expect_err(message).to_string();
    assert!(line.contains(message), "wanted: {message}\ngot: {line}");
    assert!(!line.contains('\n') && line.len() < 300, "{line}");
}

#[test]
fn a_tree_as_high_as_the_file_is_long_is_read() {
    let n = 20_000;
    let mut text = String::from(
        r#"{"version":"v4","num_class":1,"max_feature_idx":0,"feature_names":["a"],"tree_info":[{"tree_structure":"#,
    );
    for i in 0..n {
        write!(
            text,
            r#"{{"split_feature":0,"threshold":{i},"decision_type":"<=","left_child":{{"leaf_value":{i}}},"right_child":"#
        )
        .unwrap();
    }
    text += r#"{"leaf_value":-1}"#;
    text += &"}".repeat(n);
    text += "}]}";
    let model = import(text.as_bytes()).unwrap();
    assert_eq!(model.ensemble().unwrap().trees[0].leaves.len(), n + 1);
    // What is not read may not nest so deep.
    let error = import(text.replace("tree_structure", "other").as_bytes()).unwrap_err();
    assert!(error.to_string().contains("nested more than"), "{error}");
}

#[test]
fn what_is_unknown_is_unsupported_by_name() {
    let error = import(MODEL.replace("=regression", "=magic").as_bytes()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unsupported { what, .. } if what.contains("magic")));
}
