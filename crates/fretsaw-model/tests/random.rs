//! Random drafts are valid, and cover what they claim to.
#![cfg(feature = "random")]

use fretsaw_model::{Float, Missing, Node, Rows, Sum, Target, margins, predict, random};

#[test]
fn models_are_valid_and_varied() {
    let (mut linear, mut vector, mut sets, mut as_zero, mut integer, mut f64s) = (0, 0, 0, 0, 0, 0);
    for seed in 0..300 {
        let model = random::model(seed);
        let x = random::rows(seed, &model, 5);
        let rows = Rows::f64(&x, model.features.len()).unwrap();
        assert_eq!(predict(&model, &rows).unwrap().len(), 5 * model.n_columns());
        assert!(
            margins(&model, &rows).unwrap().iter().all(|m| !m.is_nan())
                || model.ensemble().is_some()
        );
        let e = model.ensemble().unwrap();
        integer += usize::from(e.sum == Sum::I32);
        f64s += usize::from(e.compare == Float::F64);
        for tree in &e.trees {
            linear += tree.linear.len();
            vector += usize::from(tree.target == Target::All);
            sets += tree.sets.len();
            as_zero += tree
                .nodes
                .iter()
                .filter(|n| matches!(n, Node::Split(s) if s.missing == Missing::AsZero))
                .count();
        }
    }
    for (what, n) in [
        ("linear", linear),
        ("vector", vector),
        ("sets", sets),
        ("as zero", as_zero),
        ("i32", integer),
        ("f64", f64s),
    ] {
        assert!(n > 20, "{what}: only {n}");
    }
}
