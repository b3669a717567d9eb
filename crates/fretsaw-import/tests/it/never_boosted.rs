//! Files with no trees: what the base score is depends on whether it was given.

use fretsaw_import::import;
use fretsaw_model::{Rows, margins};

/// What XGBoost 3.2 answers as margin for such a file, by `boost_from_average` and objective.
#[test]
fn a_base_score_that_was_never_found_is_a_margin() {
    let cases = [
        ("binary:logistic", "5E-1", 1, 0.5),
        (
            "binary:logistic",
            "3E-1",
            0,
            f64::from(-(1.0_f32 / 0.3 - 1.0).ln()),
        ),
        ("count:poisson", "5E-1", 1, 0.5),
        ("count:poisson", "3E-1", 0, f64::from(0.3_f32.ln())),
    ];
    for (objective, base_score, found, want) in cases {
        let file = format!(
            r#"{{"learner":{{"attributes":{{}},"feature_names":[],"feature_types":[],
            "gradient_booster":{{"model":{{"gbtree_model_param":{{"num_parallel_tree":"1","num_trees":"0"}},
            "iteration_indptr":[0],"tree_info":[],"trees":[]}},"name":"gbtree"}},
            "learner_model_param":{{"base_score":"[{base_score}]","boost_from_average":"{found}",
            "num_class":"0","num_feature":"2","num_target":"1"}},
            "objective":{{"name":"{objective}"}}}},"version":[3,2,0]}}"#
        );
        let model = import(file.as_bytes()).expect(objective);
        let got = margins(&model, &Rows::f32(&[1.0, 2.0], 2).expect("a row")).expect("its margin");
        assert_eq!(got, [want], "{objective}, boost_from_average {found}");
    }
}
