//! A native session's run allocates nothing and frees nothing after the first of its shape, answers
//! and margins alike. In a program of its own, since it counts what the whole program allocates.

#[path = "../../fretsaw-engine/tests/allocation/counted.rs"]
mod counted;

use counted::calls_of;
use fretsaw::model::{Answer, Decision, Float, Link, Rows, random};
use fretsaw::session::{Native, Predictions, Session, Want};

#[test]
fn native_sessions() {
    let mut n_links = std::collections::HashSet::new();
    for seed in 0..150 {
        let mut draft = random::model(seed).into_draft();
        if seed % 3 == 0 {
            draft.link = [Link::SoftmaxZero, Link::Probit][seed as usize % 2].clone();
            (draft.answer, draft.decision, draft.labels) = (Answer::Values, Decision::Answer, None);
        }
        let model = draft.build().unwrap();
        n_links.insert(std::mem::discriminant(&model.link));
        let values = random::rows(seed, &model, 70);
        let rows = Rows::f64(&values, model.features.len()).unwrap();
        let mut session = Native::new(&model, 1).unwrap();
        for want in [Want::Answers, Want::Margins] {
            let mut out = Predictions::new(Float::F32, 1);
            for n in [70, 1, 33] {
                let rows = rows.slice(0..n);
                let mut run = || session.run(&rows, want, &mut out).unwrap();
                run();
                let calls = calls_of(run);
                assert_eq!(
                    calls, 0,
                    "seed {seed}, {n} rows, {want:?}: {:?}",
                    model.link
                );
            }
        }
    }
    assert!(n_links.len() > 5, "{} kinds of links", n_links.len());
}
