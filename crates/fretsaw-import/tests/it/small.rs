//! One model small enough to be read, and to be edited as text.

/// A model of two features and one tree: a split on feature 1, and two leaves.
pub(crate) const MODEL: &str = r#"{"learner":{"attributes":{},"feature_names":[],"feature_types":[],
"gradient_booster":{"model":{"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"1"},
"iteration_indptr":[0,1],"tree_info":[0],"trees":[{"categories":[],"categories_nodes":[],
"categories_segments":[],"categories_sizes":[],"default_left":[1,0,0],"left_children":[1,-1,-1],
"right_children":[2,-1,-1],"split_conditions":[5E-1,-1E0,2E0],"split_indices":[1,0,0],
"split_type":[0,0,0],"tree_param":{"num_deleted":"0","num_feature":"2","num_nodes":"3",
"size_leaf_vector":"1"}}]},"name":"gbtree"},"learner_model_param":{"base_score":"5E-1",
"num_class":"0","num_feature":"2","num_target":"1"},"objective":{"name":"reg:squarederror"}},
"version":[3,4,1]}"#;

/// The model with some of its text replaced.
pub(crate) fn with(edits: &[(&str, &str)]) -> String {
    let mut text = MODEL.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "the model has no {from}");
        text = text.replace(from, to);
    }
    text
}
