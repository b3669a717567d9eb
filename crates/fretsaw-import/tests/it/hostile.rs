//! Model files that are cut short, lie, or make no sense: each ends in one clear line, at once.

use std::fs;

use fretsaw_import::{ErrorKind, import};

use crate::golden::testdata;
use crate::small::with;

#[test]
fn contradictions_are_named_with_their_place() {
    let tree = "trees[0]";
    let cases: &[(&[(&str, &str)], &str)] = &[
        // Children.
        (
            &[("[1,-1,-1]", "[0,-1,-1]")],
            "trees[0].node[0]: it is the child of two nodes",
        ),
        (
            &[("[2,-1,-1]", "[1,-1,-1]")],
            "trees[0].node[1]: it is the child of two nodes",
        ),
        (
            &[("[1,-1,-1]", "[1,0,-1]"), ("[2,-1,-1]", "[2,0,-1]")],
            "it is the child of two nodes",
        ),
        (
            &[("[1,-1,-1]", "[3,-1,-1]")],
            "trees[0].node[0]: its child 3 does not exist",
        ),
        (
            &[("[1,-1,-1]", "[-2,-1,-1]")],
            "its child -2 does not exist",
        ),
        (
            &[("[2,-1,-1]", "[-1,-1,-1]")],
            "its child -1 does not exist",
        ),
        (
            &[("[1,-1,-1]", "[1e99,-1,-1]")],
            "left_children[0]: `1e99` is not a number of type i64",
        ),
        (
            &[("[1,-1,-1]", "[4294967297,-1,-1]")],
            "left_children[0]: invalid value",
        ),
        // Lengths.
        (
            &[("[1,-1,-1]", "[1,-1]")],
            "num_nodes is 3, left_children has 2",
        ),
        (
            &[("[2,-1,-1]", "[2,-1,-1,-1]")],
            "num_nodes is 3, right_children has 4",
        ),
        (
            &[("[5E-1,-1E0,2E0]", "[]")],
            "num_nodes is 3, split_conditions has 0",
        ),
        (
            &[("[0,0,0],\"tree_param", "[0],\"tree_param")],
            "num_nodes is 3, split_type has 1",
        ),
        (
            &[(
                "\"num_nodes\":\"3\"",
                "\"num_nodes\":\"1152921504606846976\"",
            )],
            "left_children has 3",
        ),
        (
            &[("\"num_nodes\":\"3\"", "\"num_nodes\":\"-3\"")],
            "num_nodes: invalid value: integer `-3`",
        ),
        (
            &[("\"num_trees\":\"1\"", "\"num_trees\":\"2\"")],
            "num_trees is 2, trees has 1",
        ),
        (
            &[("\"tree_info\":[0]", "\"tree_info\":[]")],
            "num_trees is 1, tree_info has 0",
        ),
        // Values.
        (
            &[("\"tree_info\":[0]", "\"tree_info\":[1]")],
            "tree_info is 1 in a model of 1 outputs",
        ),
        (
            &[("\"tree_info\":[0]", "\"tree_info\":[-1]")],
            "tree_info is -1",
        ),
        (
            &[("[1,0,0],\n\"split_type", "[2,0,0],\n\"split_type")],
            "feature 2 of 2",
        ),
        (
            &[("[1,0,0],\n\"split_type", "[2147483647,0,0],\n\"split_type")],
            "feature 2147483647 of 2",
        ),
        (&[("[5E-1,", "[NaN,")], "its threshold is NaN"),
        (&[("-1E0", "NaN")], "leaf value 0 is NaN"),
        (
            &[("\"size_leaf_vector\":\"1\"", "\"size_leaf_vector\":\"2\"")],
            "leaves of 2 values in a model of 1 outputs",
        ),
        // Vector leaves that are not there.
        (
            &[
                ("\"size_leaf_vector\":\"1\"", "\"size_leaf_vector\":\"2\""),
                ("\"num_target\":\"1\"", "\"num_target\":\"2\""),
            ],
            "node[1]: its leaf vector does not exist",
        ),
        (
            &[
                ("\"size_leaf_vector\":\"1\"", "\"size_leaf_vector\":\"2\""),
                ("\"num_target\":\"1\"", "\"num_target\":\"2\""),
                (
                    "\"categories\":[]",
                    "\"categories\":[],\"leaf_weights\":[1E0,2E0]",
                ),
            ],
            "node[1]: its leaf vector does not exist",
        ),
        // Categories.
        (
            &[("[0,0,0],\"tree_param", "[1,0,0],\"tree_param")],
            "node[0]: its categories do not exist",
        ),
        (
            &[("\"categories_nodes\":[]", "\"categories_nodes\":[0]")],
            "1 categories_nodes, 0 categories_segments",
        ),
        (
            &[("\"categories_segments\":[]", "\"categories_segments\":[-1]")],
            "categories_segments[0]: invalid value",
        ),
        // The learner.
        (
            &[(
                "\"num_feature\":\"2\",\"num_target",
                "\"num_feature\":\"0\",\"num_target",
            )],
            "the model was never trained",
        ),
        (
            &[(
                "\"num_feature\":\"2\",\"num_target",
                "\"num_feature\":\"4294967295\",\"num_target",
            )],
            "a model of 4294967295 features",
        ),
        (
            &[(
                "\"num_feature\":\"2\",\"num_target",
                "\"num_feature\":\"99999999999\",\"num_target",
            )],
            "num_feature: invalid value",
        ),
        (
            &[("\"num_class\":\"0\"", "\"num_class\":\"4294967295\"")],
            "4294967295 outputs",
        ),
        (
            &[
                ("\"num_class\":\"0\"", "\"num_class\":\"3\""),
                ("\"num_target\":\"1\"", "\"num_target\":\"2\""),
            ],
            "3 classes and 2 targets",
        ),
        (
            &[("\"feature_names\":[]", "\"feature_names\":[\"a\"]")],
            "num_feature is 2, feature_names has 1",
        ),
        (
            &[(
                "\"feature_types\":[]",
                "\"feature_types\":[\"c\",\"c\",\"c\"]",
            )],
            "feature_types has 3",
        ),
        (
            &[("\"5E-1\"", "\"half\"")],
            "base_score: `half` is no base score",
        ),
        (
            &[("\"5E-1\"", "\"[]\"")],
            "base_score: `[]` is no base score",
        ),
        (
            &[("\"5E-1\"", "\"[1,2]\"")],
            "learner.learner_model_param.base_score: 2 base scores for 1 outputs",
        ),
        (
            &[("\"5E-1\"", "NaN")],
            "base_score 0 is NaN, not a finite number",
        ),
        (
            &[
                ("\"5E-1\"", "\"2E0\""),
                ("reg:squarederror", "binary:logistic"),
            ],
            "base_score 0 is 2, not a probability",
        ),
        (
            &[
                ("\"5E-1\"", "\"-1E0\""),
                ("reg:squarederror", "count:poisson"),
            ],
            "base_score 0 is -1, not positive",
        ),
        (
            &[
                ("\"5E-1\"", "\"1E0\""),
                ("reg:squarederror", "reg:logistic"),
                ("[3,4,1]", "[2,0,0]"),
            ],
            "not a probability",
        ),
        (
            &[("reg:squarederror", "reg:magic")],
            "cannot import the objective `reg:magic`",
        ),
        (
            &[("\"name\":\"gbtree\"", "\"name\":\"gbforest\"")],
            "`gbforest` is no booster of XGBoost",
        ),
        (
            &[("\"name\":\"gbtree\"", "\"name\":\"gblinear\"")],
            "missing field `weights`",
        ),
        (
            &[
                ("\"name\":\"gbtree\"", "\"name\":\"gblinear\""),
                ("\"model\":{", "\"model\":{\"weights\":[1E0],"),
            ],
            "1 weights for 2 features and 1 outputs",
        ),
        (
            &[(
                "\"tree_info\":[0]",
                "\"tree_info\":[0],\"weight_drop\":[1E0,1E0]",
            )],
            "2 weights in weight_drop for 1 trees",
        ),
        (
            &[(
                "\"tree_info\":[0]",
                "\"tree_info\":[0],\"weight_drop\":[NaN]",
            )],
            "weight is NaN",
        ),
        (&[("\"trees\"", "\"threes\"")], "missing field `trees`"),
        (&[("\"learner\"", "\"Model\"")], "missing field `learner`"),
        // Categories of the features.
        (
            &[(
                "\"tree_info\":[0]",
                "\"tree_info\":[0],\"cats\":{\"enc\":[{\"offsets\":[0,9],\"values\":[97]},{}]}",
            )],
            "cats.enc[0]: the categories' offsets do not cut UTF-8 text",
        ),
        (
            &[(
                "\"tree_info\":[0]",
                "\"tree_info\":[0],\"cats\":{\"enc\":[{\"offsets\":[1,0],\"values\":[97]},{}]}",
            )],
            "cats.enc[0]: the categories' offsets",
        ),
        (
            &[(
                "\"tree_info\":[0]",
                "\"tree_info\":[0],\"cats\":{\"enc\":[{\"type\":7,\"values\":[1]},{}]}",
            )],
            "cats.enc[0]: categories of type Some(7)",
        ),
        (
            &[(
                "\"tree_info\":[0]",
                "\"tree_info\":[0],\"cats\":{\"enc\":[{}]}",
            )],
            "num_feature is 2, cats.enc has 1",
        ),
    ];
    for (edits, message) in cases {
        let error = import(with(edits).as_bytes()).expect_err(message);
        let line = error.to_string();
        assert!(line.contains(message), "wanted: {message}\ngot: {line}");
        assert!(!line.contains('\n') && line.len() < 300, "{line}");
    }
    let error = import(with(&[("[1,-1,-1]", "[7,-1,-1]")]).as_bytes()).unwrap_err();
    assert_eq!(error.path().as_deref(), Some("trees[0].node[0]"));
    assert!(error.to_string().starts_with(tree));
}

#[test]
fn category_sets_must_be_in_range() {
    let set = |node: i32, from: i64, size: i64, categories: &str| {
        with(&[
            ("[0,0,0],\"tree_param", "[1,0,0],\"tree_param"),
            (
                "\"categories_nodes\":[]",
                &format!("\"categories_nodes\":[{node}]"),
            ),
            (
                "\"categories_segments\":[]",
                &format!("\"categories_segments\":[{from}]"),
            ),
            (
                "\"categories_sizes\":[]",
                &format!("\"categories_sizes\":[{size}]"),
            ),
            (
                "\"categories\":[]",
                &format!("\"categories\":[{categories}]"),
            ),
        ])
    };
    let model = import(set(0, 0, 2, "3,1").as_bytes()).unwrap();
    let sets = &model.ensemble().unwrap().trees[0].sets;
    assert_eq!(sets[0].members, [1, 3]);
    let cases = [
        (set(1, 0, 2, "3,1"), "its categories do not exist"),
        (set(0, 0, 3, "3,1"), "its categories do not exist"),
        (set(0, 3, 1, "3,1"), "its categories do not exist"),
        (set(0, 0, 0, "3,1"), "its categories do not exist"),
        (
            set(0, i64::MAX, i64::MAX, "3,1"),
            "its categories do not exist",
        ),
        (
            set(0, 0, 1, "-1"),
            "category -1 is not between 0 and 16777215",
        ),
        (set(0, 0, 1, "16777216"), "category 16777216 is not between"),
    ];
    for (text, message) in cases {
        let line = import(text.as_bytes()).expect_err(message).to_string();
        assert!(line.contains(message), "wanted: {message}\ngot: {line}");
    }
    // XGBoost 1.6 needs every category that it knows spelled out.
    let old = set(0, 0, 1, "16777215").replace("[3,4,1]", "[1,6,2]");
    let error = import(old.as_bytes()).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Unsupported { .. }),
        "{error}"
    );
}

#[test]
fn pickles_that_hold_no_model_are_refused_by_name() {
    let cases: &[(&[u8], &str)] = &[
        (b"\x80\x04N.", "cannot import None"),
        (b"\x80\x04]\x94.", "cannot import a list"),
        (
            b"\x80\x02cxgboost.core\nBooster\n.",
            "cannot import `xgboost.core.Booster`",
        ),
        (
            b"\x80\x02cxgboost.core\nBooster\n)\x81.",
            "the Booster has no `handle`",
        ),
        (
            b"\x80\x02cxgboost.core\nBooster\n)\x81}X\x06\0\0\0handleNsb.",
            "the Booster has no `handle`",
        ),
        (
            b"\x80\x02cxgboost.core\nBooster\n)\x81}X\x06\0\0\0handleK\x01sb.",
            "the Booster's handle is an int",
        ),
        (
            b"\x80\x03cxgboost.core\nBooster\n)\x81}X\x06\0\0\0handleC\x04binfsb.",
            "handle: 136 bytes should follow, the file has 0 (byte 4)",
        ),
        (
            b"\x80\x03cxgboost.core\nBooster\n)\x81}X\x06\0\0\0handleC\x0eCONFIG-offset:sb.",
            "handle: 8 bytes should follow, the file has 0 (byte 14)",
        ),
        (
            b"\x80\x02cxgboost.sklearn\nXGBClassifier\n)\x81}b.",
            "it was never fitted",
        ),
        (
            b"\x80\x02csklearn.gaussian_process._gpc\nGaussianProcessClassifier\n)\x81}b.",
            "cannot import `sklearn.gaussian_process._gpc.GaussianProcessClassifier`",
        ),
        (
            b"\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R.",
            "cannot import `os.system`",
        ),
    ];
    for (bytes, message) in cases {
        let line = import(bytes).expect_err(message).to_string();
        assert!(line.contains(message), "wanted: {message}\ngot: {line}");
    }
}

/// A kernel that is twice the one before it, again and again: the file is small, the kernel is not.
#[test]
fn kernels_that_share_their_parts_are_counted() {
    let part = |text: &str| {
        [
            &[b'X'][..],
            &(text.len() as u32).to_le_bytes(),
            text.as_bytes(),
        ]
        .concat()
    };
    let regressor = |doublings: usize| {
        let mut bytes = b"\x80\x02".to_vec();
        bytes.extend(b"csklearn.gaussian_process.kernels\nWhiteKernel\n)\x81}bq\0");
        for _ in 0..doublings {
            bytes.extend(b"csklearn.gaussian_process.kernels\nSum\n)\x81}(");
            bytes.extend([&*part("k1"), b"h\0", &*part("k2"), b"h\0ubq\0"].concat());
        }
        bytes.extend(b"csklearn.gaussian_process._gpr\nGaussianProcessRegressor\n)\x81}(");
        bytes.extend(
            [
                &*part("n_features_in_"),
                b"K\x03",
                &*part("X_train_"),
                b"K\x01",
            ]
            .concat(),
        );
        bytes.extend([&*part("kernel_"), b"h\0ub."].concat());
        bytes
    };
    for (doublings, message) in [
        (5, "`X_train_`"),
        (23, "up to 64 kernels"),
        (5000, "up to 64 kernels"),
    ] {
        let line = import(&regressor(doublings))
            .expect_err(message)
            .to_string();
        assert!(line.contains(message), "wanted: {message}\ngot: {line}");
    }
}

/// The fields of a binary file of 0.90: one tree follows another, the first node of the first at 481.
#[test]
fn contradictions_in_the_binary_format_are_named() {
    let golden = fs::read(testdata().join("xgboost-0.90/binary/model.bin")).unwrap();
    let word = |n: i32| n.to_le_bytes();
    let cases: &[(usize, &[u8], &str)] = &[
        (4, &word(0), "num_feature is 0"),
        (4, &word(1), "node 0: feature 1 of 1"),
        (4, &word(-1), "a model of 4294967295 features"),
        (8, &word(-1), "a model of 4294967295 outputs"),
        (0, &f32::NAN.to_le_bytes(), "base_score 0 is NaN"),
        (144, b"binary:logistik", "the objective `binary:logistik`"),
        (
            167,
            b"gbtrex",
            "`gbtrex` is no booster of XGBoost (byte 173)",
        ),
        (159, &word(7), "no model file that is known"),
        (
            173,
            &word(0),
            "attributes[8]: 18446462598732840960 bytes should follow",
        ),
        (173, &word(-1), "trees[5]: "),
        (201, &word(2), "vector leaves of XGBoost before 1.0"),
        (333, &word(2), "a tree with 2 roots"),
        (337, &word(0), "the tree has no nodes"),
        (337, &word(-1), "trees[0]: 85899345900 bytes should follow"),
        (353, &word(3), "leaves of 3 values"),
        (
            485,
            &word(0),
            "trees[0].node[0]: it is the child of two nodes",
        ),
        (
            485,
            &word(99),
            "trees[0].node[0]: its child 99 does not exist",
        ),
        (
            489,
            &word(-1),
            "trees[0].node[0]: its child -1 does not exist",
        ),
        (497, &f32::NAN.to_le_bytes(), "its threshold is NaN"),
    ];
    for (at, bytes, message) in cases {
        let mut edited = golden.clone();
        edited[*at..at + bytes.len()].copy_from_slice(bytes);
        let line = import(&edited).expect_err(message).to_string();
        assert!(line.contains(message), "wanted: {message}\ngot: {line}");
        // A header changes nothing.
        assert!(import(&[b"binf", &*edited].concat()).is_err());
    }
    import(&[b"binf", &*golden].concat()).unwrap();
    // The first releases had four bytes more in front of the objective's length.
    let old = [&golden[..136], &[0; 4], &golden[136..]].concat();
    assert_eq!(import(&old).unwrap(), import(&golden).unwrap());

    let line = import(b"bs64\tAAAA").unwrap_err().to_string();
    assert!(line.contains("XGBoost's base64 format"), "{line}");
    let snapshot = |n: i64| [b"CONFIG-offset:", &n.to_le_bytes()[..], &*golden, b"{}"].concat();
    let n = golden.len() as i64;
    assert_eq!(import(&snapshot(n)).unwrap(), import(&golden).unwrap());
    for (n, message) in [
        (-1, "the model should end at byte"),
        (n + 3, "the model should end at byte"),
        (100, "136 bytes should follow, the file has 100"),
    ] {
        let line = import(&snapshot(n)).expect_err(message).to_string();
        assert!(line.contains(message), "wanted: {message}\ngot: {line}");
    }
}

#[test]
fn other_formats_are_refused_by_name() {
    let cases: &[(&[u8], &str)] = &[
        (b"", "no model file that is known"),
        (b"tree\nversion=v4\n", "this is no LightGBM model"),
        (b"CBM1", "4 bytes should follow, the file has 0"),
        (b"BZh91AY", "the file cannot be unpacked"),
        (b"\xfd7zXZ\0", "the file cannot be unpacked"),
        (b"\x08\x0a\x3a\x00", "an ONNX model"),
    ];
    for (bytes, message) in cases {
        let line = import(bytes).expect_err(message).to_string();
        assert!(line.contains(message), "wanted: {message}\ngot: {line}");
    }
}
