//! Random models beyond what `fretsaw_model::random` draws: every link, answer, step and body that
//! ONNX can say. Shared by the property tests and the example that writes them for ONNX Runtime.

use fretsaw_model::random::{self, Rng};
use fretsaw_model::{
    Answer, Body, Draft, Float, InterceptOrder, Labels, Linear, LinearMissing, Link, Model, Step,
    Sum,
};

/// A model for `seed`.
pub(crate) fn model(seed: u64) -> Model {
    let mut draft = random::model(seed).into_draft();
    let mut r = Rng::new(seed.wrapping_mul(977));
    let n_features = draft.features.len();
    if r.one_in(8) {
        draft.body = linear(&mut r, n_features, draft.body.n_outputs());
    }
    if let Body::Ensemble(e) = &mut draft.body {
        for tree in &mut e.trees {
            // ONNX's trees have constant leaves.
            tree.linear.clear();
        }
        if e.sum == Sum::I32 && r.one_in(2) {
            // Beyond what an f32 sum holds.
            e.trees.iter_mut().for_each(|t| t.weight = 8192.0);
        }
    }
    link(&mut r, &mut draft);
    let each = |r: &mut Rng| (0..n_features).map(|_| r.unit()).collect::<Vec<_>>();
    match r.below(12) {
        0 => draft.steps.push(Step::Impute {
            values: each(&mut r),
        }),
        1 => draft.steps.push(Step::Scale {
            shift: each(&mut r),
            scale: each(&mut r).iter().map(|v| v.abs() + 0.5).collect(),
        }),
        2 => draft.steps.push(Step::FlushTiny { limit: 1e-35 }),
        // Comparing in f64 and summing in f32 is more than ONNX can say.
        3 if draft
            .ensemble()
            .is_none_or(|e| e.compare == Float::F32 || e.sum == Sum::F64) =>
        {
            draft.steps.push(Step::Widen);
            draft.steps.push(Step::Scale {
                shift: each(&mut r),
                scale: each(&mut r).iter().map(|v| v.abs() + 0.5).collect(),
            });
        }
        _ => {}
    }
    draft.build().expect("what is drawn here is valid")
}

fn linear(r: &mut Rng, n_features: usize, n_outputs: usize) -> Body {
    let sum = r.pick(&[fretsaw_model::Float::F32, fretsaw_model::Float::F64]);
    // Small, so that the order of the sum does not show in what exp makes of it.
    let mut draw = |n: usize| {
        (0..n)
            .map(|_| sum.cast(r.unit() / 16.0))
            .collect::<Vec<_>>()
    };
    Body::Linear(Linear {
        n_outputs,
        sum,
        weights: draw(n_features * n_outputs),
        intercept: draw(n_outputs),
        intercept_order: InterceptOrder::First,
        missing: LinearMissing::Skip,
    })
}

fn link(r: &mut Rng, draft: &mut Draft) {
    let n = draft.body.n_outputs();
    let names = |n: usize| Some(Labels::Strings((0..n).map(|i| format!("c{i}")).collect()));
    (draft.link, draft.answer, draft.labels) = match r.below(14) {
        0 if n == 1 => (
            Link::Sigmoid { steepness: 2.0 },
            Answer::Binary,
            Some(Labels::Ints(vec![-1, 1])),
        ),
        1 if n == 1 => (Link::Identity, Answer::Binary, names(2)),
        2 if n == 1 => (Link::Step, Answer::Class, None),
        3 => (Link::Log1pExp, Answer::Values, None),
        4 => (Link::SignedSquare, Answer::Values, None),
        5 if n > 1 => (Link::Sorted, Answer::Values, None),
        6 if n > 1 => (Link::CumulativeSoftplus, Answer::Values, None),
        7 => (Link::Sigmoid { steepness: 1.0 }, Answer::Labels, names(n)),
        8 if n > 1 => (
            Link::Sigmoid { steepness: 1.0 },
            Answer::Classes,
            Some(Labels::Ints((10..10 + n as i64).collect())),
        ),
        _ => return,
    };
}

/// Rows for `model` as f32 (the precision of most inputs), on its edges.
pub(crate) fn rows(seed: u64, model: &Model, n_rows: usize) -> Vec<f32> {
    let extreme = matches!(model.body, Body::Linear(_));
    random::rows(seed, model, n_rows)
        .into_iter()
        // A product with an infinity is no test of a sum.
        .map(|v| {
            if extreme && v.abs() > 4.0 {
                3.5
            } else {
                v as f32
            }
        })
        .collect()
}

/// Whether ONNX Runtime's margin on one thread is the reference's to the last bit.
#[allow(dead_code)] // not for all who share this file
pub(crate) fn bits(model: &Model) -> bool {
    model.ensemble().is_some_and(|e| e.sum != Sum::F64)
}
