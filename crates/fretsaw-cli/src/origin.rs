//! Which feature a value behind steps comes from, so that splits can be told by feature.
//!
//! It follows values that stay what they were or become another scale of it (also a category's
//! code); sums over several features come from none.

use fretsaw::model::{Body, Ensemble, Model, Step};

/// Rows wider than this are not followed.
const MAX_WIDTH: usize = 1 << 20;

/// The feature that each value of a row comes from, where it is one; values beyond the end are
/// unknown.
pub(crate) type Origins = Vec<Option<usize>>;

/// Calls `visit` with every ensemble of the model, those within its steps first, and the features
/// that its rows come from.
pub(crate) fn ensembles(model: &Model, visit: &mut dyn FnMut(&Ensemble, &Origins)) {
    let features = (0..model.features.len()).map(Some).collect();
    let origins = follow(&model.steps, features, model.features.len(), visit);
    if let Body::Ensemble(e) = &model.body {
        visit(e, &origins);
    }
}

fn follow(
    steps: &[Step],
    mut origins: Origins,
    mut n: usize,
    visit: &mut dyn FnMut(&Ensemble, &Origins),
) -> Origins {
    for step in steps {
        let width = step.width(n);
        let at = |c: &u32| origins.get(*c as usize).copied().flatten();
        origins = match step {
            _ if width > MAX_WIDTH => Vec::new(),
            Step::Select { columns } | Step::IsMissing { columns } => {
                columns.iter().map(at).collect()
            }
            Step::Branches(branches) => {
                let mut all = Vec::new();
                for branch in branches {
                    let to = fretsaw::model::width(branch, n);
                    let mut own = follow(branch, origins.clone(), n, visit);
                    own.resize(to, None);
                    all.append(&mut own);
                }
                all
            }
            Step::Encode(encoders) => encoders
                .iter()
                .flat_map(|e| std::iter::repeat_n(at(&e.column), e.codes.width()))
                .collect(),
            Step::Ensemble(e) => {
                visit(e, &origins);
                Vec::new()
            }
            Step::MarkMissing { .. }
            | Step::FlushTiny { .. }
            | Step::Impute { .. }
            | Step::Scale { .. }
            | Step::Widen
            | Step::Derive(_)
            | Step::Affine { .. }
            | Step::Map(_)
            | Step::Power { .. }
            | Step::Curves(_)
            | Step::Bins(_)
            | Step::FillFromNeighbors(_) => origins,
            _ => Vec::new(),
        };
        n = width;
    }
    origins
}

#[cfg(test)]
mod tests {
    use super::*;
    use fretsaw::model::{Codes, Encoder};

    #[test]
    fn values_are_followed_through_steps() {
        let encoder = Encoder {
            column: 1,
            keys: vec![],
            code_of: vec![],
            missing: None,
            unknown: Some(0),
            codes: Codes::OneHot { width: 2 },
        };
        let steps = vec![
            Step::Select {
                columns: vec![2, 0, 0],
            },
            Step::Branches(vec![
                vec![Step::Encode(vec![encoder])],
                vec![],
                vec![Step::Normalize(fretsaw::model::Norm::L2)],
                vec![Step::IsMissing { columns: vec![0] }],
            ]),
        ];
        let got = follow(&steps, vec![Some(0), Some(1), Some(2)], 3, &mut |_, _| {});
        let (a, c) = (Some(0), Some(2));
        assert_eq!(got, [a, a, c, a, a, None, None, None, c]);
    }
}
