//! Random drafts are valid, and cover what they claim to.
#![cfg(feature = "random")]

use std::collections::BTreeMap;

use fretsaw_model::{
    Body, Float, Link, Missing, Model, Node, Rows, Step, Sum, Target, margins, predict, random,
};

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

/// Counts the steps by name, those of branches too.
fn count(steps: &[Step], seen: &mut BTreeMap<String, usize>) {
    for step in steps {
        let name = format!("{step:?}");
        let name: String = name
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        *seen.entry(name).or_default() += 1;
        if let Step::Branches(branches) = step {
            branches.iter().for_each(|b| count(b, seen));
        }
    }
}

#[test]
fn composite_models_have_every_step_and_body() {
    let mut seen = BTreeMap::new();
    let (mut refused, mut numbers, mut fewer) = (0, 0, 0);
    for seed in 0..600 {
        let model: Model = random::composite(seed);
        count(&model.steps, &mut seen);
        if let Link::Then(steps) = &model.link {
            count(steps, &mut seen);
            *seen.entry("Then".into()).or_default() += 1;
        }
        let body = match &model.body {
            Body::Ensemble(_) => "ensemble body",
            Body::Linear(_) => "linear body",
            _ => "row body",
        };
        *seen.entry(body.into()).or_default() += 1;
        *seen
            .entry(format!("{:?} answer", model.answer))
            .or_default() += 1;
        *seen
            .entry(format!("{:?} decision", model.decision))
            .or_default() += 1;
        fewer += usize::from(model.body.n_margins() < model.body.n_outputs());
        let x = random::composite_rows(seed, &model, 20);
        let rows = Rows::f64(&x, model.features.len()).unwrap();
        match predict(&model, &rows) {
            Ok(answers) => {
                assert_eq!(answers.len(), 20 * model.n_columns());
                numbers += usize::from(answers.iter().any(|a| a.is_finite()));
            }
            Err(e) => {
                assert!(seed % 3 == 0, "seed {seed}: {e}");
                refused += 1;
            }
        }
    }
    assert!(
        refused > 20 && numbers > 500 && fewer > 30,
        "{refused} {numbers} {fewer}"
    );
    // Steps, the link of steps, bodies, answers and decisions.
    let too_few: Vec<_> = seen.iter().filter(|(_, n)| **n < 10).collect();
    assert!(
        too_few.is_empty() && seen.len() == 27 + 1 + 3 + 6 + 5,
        "{seen:?}"
    );
}
