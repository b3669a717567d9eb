//! What a model's steps do with each of its input columns: whether anything reads it, and whether
//! categories are refused there. What the trees and weights behind the steps make of a column is not
//! looked at: to them every column that comes that far counts as read.

use crate::{Draft, Step};

/// What happens to an input column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InputUse {
    /// Whether the answers can depend on it. A pipeline may drop columns of its table, such as names
    /// of rows; these may hold anything.
    pub read: bool,
    /// Whether an encoder reads it, unchanged but for filled gaps, that refuses categories it does
    /// not know.
    pub closed: bool,
}

impl Draft {
    /// What happens to each input column.
    pub fn input_uses(&self) -> Vec<InputUse> {
        let n = self.features.len();
        let mut uses = vec![InputUse::default(); n];
        let left = walk(&self.steps, (0..n).map(Some).collect(), &mut uses);
        read(&left, &mut uses);
        uses
    }
}

/// Follows the steps from values that are, unchanged, these input columns; gives what is left of them.
fn walk(steps: &[Step], mut row: Vec<Option<usize>>, uses: &mut [InputUse]) -> Vec<Option<usize>> {
    for step in steps {
        row = match step {
            Step::Widen | Step::MarkMissing { .. } | Step::FlushTiny { .. } => row,
            Step::Impute { .. } => row,
            Step::Select { columns } => columns.iter().map(|&c| row[c as usize]).collect(),
            Step::Branches(branches) => {
                let branch = |b: &Vec<Step>| walk(b, row.clone(), uses);
                branches.iter().flat_map(branch).collect()
            }
            Step::IsMissing { columns } => {
                columns.iter().for_each(|&c| read(&[row[c as usize]], uses));
                vec![None; columns.len()]
            }
            Step::Encode(encoders) => {
                for encoder in encoders {
                    let origin = row[encoder.column as usize];
                    read(&[origin], uses);
                    if let Some(origin) = origin {
                        uses[origin].closed |= encoder.unknown.is_none();
                    }
                }
                vec![None; step.width(row.len())]
            }
            other => {
                read(&row, uses);
                vec![None; other.width(row.len())]
            }
        }
    }
    row
}

fn read(row: &[Option<usize>], uses: &mut [InputUse]) {
    row.iter().flatten().for_each(|&i| uses[i].read = true);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Answer, Body, Codes, Decision, Encoder, Feature, Link, Provenance, Step::Branches,
    };

    fn uses(n: usize, steps: Vec<Step>) -> String {
        let width = crate::width(&steps, n);
        let draft = Draft {
            features: (0..n).map(|i| Feature::numeric(format!("f{i}"))).collect(),
            steps,
            body: Body::Row {
                n_outputs: width,
                n_margins: width,
            },
            link: Link::Identity,
            answer: Answer::Values,
            decision: Decision::Answer,
            labels: None,
            provenance: Provenance::default(),
        };
        let mark = |u: InputUse| match (u.read, u.closed) {
            (false, _) => '.',
            (true, false) => 'r',
            (true, true) => 'c',
        };
        let model = draft.build().unwrap();
        model.input_uses().into_iter().map(mark).collect()
    }

    fn select(columns: &[u32]) -> Step {
        Step::Select {
            columns: columns.to_vec(),
        }
    }

    fn encode(column: u32, unknown: Option<u32>) -> Step {
        Step::Encode(vec![Encoder {
            column,
            keys: vec![0.0, 1.0],
            code_of: vec![0, 1],
            missing: None,
            unknown,
            codes: Codes::OneHot { width: 2 },
        }])
    }

    #[test]
    fn columns_are_followed_through_the_steps() {
        let impute = |n| Step::Impute {
            values: vec![0.0; n],
        };
        for (n, steps, want) in [
            (2, vec![], "rr"),
            (3, vec![select(&[2, 0])], "r.r"),
            (2, vec![encode(1, None)], ".c"),
            (2, vec![encode(1, Some(2))], ".r"),
            (
                3,
                vec![Step::Widen, impute(3), select(&[2, 1]), encode(0, None)],
                "..c",
            ),
            // Two encoders of a column, one of which refuses; and a column that nobody asks for.
            (
                3,
                vec![Branches(vec![
                    vec![select(&[1]), encode(0, Some(2))],
                    vec![select(&[1]), impute(1), encode(0, None)],
                    vec![Step::IsMissing { columns: vec![0] }],
                ])],
                "rc.",
            ),
            // What was computed is no longer the column, but the column was read.
            (
                2,
                vec![Step::Map(crate::Function::Round), encode(0, None)],
                "rr",
            ),
        ] {
            assert_eq!(uses(n, steps.clone()), want, "{steps:?}");
        }
    }
}
