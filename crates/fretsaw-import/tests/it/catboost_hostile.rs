//! CatBoost's files cut short, damaged or lying: each ends in one clear line, at once.

use std::fs;

use fretsaw_import::import;
use fretsaw_model::{Rows, margins};

use crate::golden::testdata;

/// One tree over a numeric and a categorical feature, the latter both one-hot and counted.
const MODEL: &str = r#"{"features_info":{"float_features":[{"feature_index":0,"flat_feature_index":0,
"has_nans":true,"nan_value_treatment":"AsTrue","borders":[0.5,1.5]}],"categorical_features":[
{"feature_index":0,"flat_feature_index":1,"values":[7,-3]}],"ctrs":[{"borders":[0.5],
"ctr_type":"Borders","elements":[{"combination_element":"cat_feature_value","cat_feature_index":0}],
"prior_numerator":0.5,"prior_denomerator":1,"shift":0,"scale":1,"target_border_idx":0}]},
"ctr_data":{"{\"identifier\":[{\"cat_feature_index\":0,\"combination_element\":\"cat_feature_value\"}],\"type\":\"Borders\"}":
{"counter_denominator":0,"hash_map":["18446744073709551615",0,0,"KEY",1,9],"hash_stride":3}},
"model_info":{"params":{"loss_function":{"type":"RMSE"}}},"oblivious_trees":[{"leaf_values":
[0,1,2,3,4,5,6,7],"splits":[{"split_index":1},{"split_index":3,"cat_feature_index":0,"value":-3},
{"split_index":4}]}],"scale_and_bias":[10,0.5]}"#;

fn with(edits: &[(&str, &str)]) -> String {
    let key = fretsaw_model::extend_key(0, 7).to_string();
    let mut text = MODEL.replace("KEY", &key);
    for (from, to) in edits {
        assert!(text.contains(from), "the model has no {from}");
        text = text.replace(from, to);
    }
    text
}

#[test]
fn the_small_model_answers_as_worked_out_by_hand() {
    let run = |edits: &[(&str, &str)], x: &[f64]| {
        let model = import(with(edits).as_bytes()).unwrap();
        margins(&model, &Rows::f64(x, 2).unwrap()).unwrap()
    };
    let minus_three = f64::from(-3_i32 as u32);
    // Bit 0: above 1.5; bit 1: category -3; bit 2: the statistic of category 7 is 9.5 / 11.
    let cases = [
        ([1.5, 1.0], 0.5),
        ([2.0, 1.0], 10.5),
        ([0.0, minus_three], 20.5),
        ([0.0, 7.0], 40.5),
        ([2.0, 7.0], 50.5),
        ([f64::NAN, 7.0], 50.5),
    ];
    for (x, want) in cases {
        assert_eq!(run(&[], &x), [want], "{x:?}");
    }
    let nan = [f64::NAN, 1.0];
    assert_eq!(run(&[("AsTrue", "AsFalse")], &nan), [0.5]);
    assert_eq!(run(&[("AsTrue", "AsIs")], &nan), [0.5]);
    assert_eq!(
        run(&[("\"has_nans\":true", "\"has_nans\":false")], &nan),
        [0.5]
    );
    // Never seen: 0.5 / 1, which is not above 0.5, and is above 0.25.
    assert_eq!(
        run(
            &[("\"borders\":[0.5],", "\"borders\":[0.25],")],
            &[0.0, 1.0]
        ),
        [40.5]
    );
}

#[test]
fn contradictions_are_named_with_their_place() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[("\"split_index\":1", "\"split_index\":5")],
            "trees[0]: split 5 of 5",
        ),
        (
            &[("\"split_index\":1", "\"split_index\":-1")],
            "trees[0]: split -1 of 5",
        ),
        (&[(",6,7]", ",6]")], "7 leaf values for 3 levels"),
        (&[(",6,7]", ",6,null]")], "leaf_values[7]"),
        (
            &[(
                "\"nan_value_treatment\":\"AsTrue\"",
                "\"nan_value_treatment\":\"AsMaybe\"",
            )],
            "`AsMaybe`",
        ),
        (
            &[("\"flat_feature_index\":1", "\"flat_feature_index\":0")],
            "two features in column 0",
        ),
        (
            &[("\"flat_feature_index\":1", "\"flat_feature_index\":-1")],
            "a feature in column -1",
        ),
        (
            &[(
                "\"flat_feature_index\":1",
                "\"flat_feature_index\":2000000000",
            )],
            "a feature in column 2000000000",
        ),
        (
            &[("\"value\":-3", "\"value\":4")],
            "left out when it wrote JSON",
        ),
        (
            &[("\"ctr_type\":\"Borders\"", "\"ctr_type\":\"Border\"")],
            "`Border` is no CTR type",
        ),
        (
            &[("\"ctr_type\":\"Borders\"", "\"ctr_type\":\"Buckets\"")],
            "no table for this statistic",
        ),
        (
            &[("\"hash_stride\":3", "\"hash_stride\":4")],
            "is no hash with 3 counts",
        ),
        (
            &[("\"hash_stride\":3", "\"hash_stride\":0")],
            "hash_stride is 0",
        ),
        (
            &[("\"hash_stride\":3", "\"hash_stride\":18446744073709551615")],
            "hash_stride",
        ),
        (
            &[("[\"18446744073709551615\"", "[\"1x\"")],
            "`1x` is no hash",
        ),
        (
            &[(
                "{\"combination_element\":\"cat_feature_value\",\"cat",
                "{\"combination_element\":\"float_feature\",\"cat",
            )],
            "is not known or incomplete",
        ),
        (
            &[("\"RMSE\"", "\"MyLoss\"")],
            "cannot import the loss `MyLoss`",
        ),
        (
            &[("\"RMSE\"", "\"MultiClass\"")],
            "the loss MultiClass with 1 outputs",
        ),
        (&[("[10,0.5]", "[10,[0.5,1]]")], "2 biases for 1 outputs"),
        (&[("[10,0.5]", "[NaN,0.5]")], "not finite"),
        (
            &[("\"oblivious_trees\"", "\"obvious_trees\"")],
            "missing field `oblivious_trees`",
        ),
        (
            &[(
                "\"ctrs\":[",
                "\"text_features\":[{\"feature_index\":0,\"flat_feature_index\":2}],\"ctrs\":[",
            )],
            "cannot import text features",
        ),
    ];
    for (edits, message) in cases {
        let line = import(with(edits).as_bytes())
            .expect_err(message)
            .to_string();
        assert!(line.contains(message), "wanted: {message}\ngot: {line}");
        assert!(!line.contains('\n'), "{line}");
    }
}

#[test]
fn a_model_without_features_is_refused() {
    let text = r#"{"features_info":{},"oblivious_trees":[{"leaf_values":[1],"splits":null}]}"#;
    let line = import(text.as_bytes()).unwrap_err().to_string();
    assert!(line.contains("no features"), "{line}");
}

#[test]
fn trees_grown_node_by_node_must_be_trees() {
    let tree = |trees: &str| {
        format!(
            r#"{{"features_info":{{"float_features":[{{"feature_index":0,"flat_feature_index":0,"borders":[1]}}]}},"trees":[{trees}]}}"#
        )
    };
    let at = |text: &str, x: f64| -> f64 {
        let model = import(tree(text).as_bytes()).unwrap();
        margins(&model, &Rows::f64(&[x], 1).unwrap()).unwrap()[0]
    };
    let two = r#"{"split":{"split_index":0},"left":{"value":2},"right":{"value":3}}"#;
    assert_eq!([at(two, 1.0), at(two, 1.5)], [2.0, 3.0]);
    // A node with one child is the leaf of the other way.
    let one = r#"{"split":{"split_index":0},"value":5,"right":{"value":3}}"#;
    assert_eq!([at(one, 1.0), at(one, 1.5)], [5.0, 3.0]);
    assert_eq!(at(r#"{"value":4}"#, 0.0), 4.0);

    let mut deep = r#"{"value":1}"#.to_owned();
    for _ in 0..5000 {
        deep = format!(r#"{{"split":{{"split_index":0}},"left":{{"value":1}},"right":{deep}}}"#);
    }
    let refused = [
        (deep.as_str(), "nested more than"),
        (
            r#"{"split":{"split_index":0},"left":{"value":2}}"#,
            "0 leaf values for 1 outputs",
        ),
        (
            r#"{"split":{"split_index":0},"left":{"value":[2,1]},"right":{"value":3}}"#,
            "leaf values for",
        ),
        (
            r#"{"left":{"value":2},"right":{"value":3}}"#,
            "split -1 of 1",
        ),
    ];
    for (text, message) in refused {
        let line = import(tree(text).as_bytes())
            .expect_err(message)
            .to_string();
        assert!(line.contains(message), "wanted: {message}\ngot: {line}");
    }
}

fn golden(path: &str) -> Vec<u8> {
    fs::read(testdata().join(path)).unwrap()
}

#[test]
fn a_lying_size_is_not_believed() {
    let bytes = golden("catboost-1.2.10/binary/model.cbm");
    // The size of the model, of 32 and of 64 bits.
    for size in [
        &u32::MAX.to_le_bytes()[..],
        &(u32::MAX - 1).to_le_bytes(),
        &[0; 4],
    ] {
        let mut lying = bytes.clone();
        lying[4..8].copy_from_slice(size);
        let error = import(&lying).unwrap_err().to_string();
        assert!(!error.contains('\n'), "{error}");
    }
}
