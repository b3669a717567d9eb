//! Choosing among measured variants: deterministic, and it says why.

use std::cmp::Ordering;

use crate::{Error, ErrorKind, Result};

/// What is to be small (or large).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Objective {
    /// The 99th percentile of a call's time: the median over rounds of each round's own.
    Latency,
    /// Rows a second.
    Throughput,
    /// Memory of the loaded model.
    Memory,
    /// Size of the file.
    Size,
}

impl Objective {
    /// Reads a name as the command line has it.
    ///
    /// # Errors
    /// When there is no such objective.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "latency" => Ok(Self::Latency),
            "throughput" => Ok(Self::Throughput),
            "memory" => Ok(Self::Memory),
            "size" => Ok(Self::Size),
            _ => Err(Error::new(
                ErrorKind::Config,
                format!("no objective is called '{name}'; use latency, throughput, memory or size"),
            )),
        }
    }

    fn describe(self, value: f64) -> String {
        match self {
            Self::Latency => format!("mean p99 of {}", time(value)),
            Self::Throughput => format!("{:.3} us a row", value / 1e3),
            Self::Memory => format!("{} of memory", bytes(value)),
            Self::Size => format!("a file of {}", bytes(value)),
        }
    }
}

/// A time in nanoseconds, readable.
fn time(ns: f64) -> String {
    match ns {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.1} us", n / 1e3),
        n => format!("{:.2} ms", n / 1e6),
    }
}

fn bytes(n: f64) -> String {
    match n {
        n if n < 1e3 => format!("{n:.0} B"),
        n if n < 1e6 => format!("{:.1} kB", n / 1e3),
        n => format!("{:.2} MB", n / 1e6),
    }
}

/// One variant as the choice sees it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// Why it cannot win: over budget, not portable, not made.
    pub excluded: Option<String>,
    /// What is to be small: the p99 in nanoseconds, nanoseconds a row, bytes. Over several batch
    /// sizes the geometric mean.
    pub cost: f64,
    /// Largest error on the verification rows.
    pub max_error: f64,
    /// Size of its file, in bytes.
    pub file_bytes: u64,
}

/// The choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The winner's place among the candidates.
    pub winner: usize,
    /// For every candidate, why it won or lost.
    pub why: Vec<String>,
}

/// Costs this close are one: no measurement on a shared machine tells them apart.
pub const NOISE: f64 = 0.05;

/// Chooses the candidate of the lowest cost. Among those within [`NOISE`] of it: the smaller
/// error, then the smaller file, then the first.
///
/// `None` where every candidate is excluded.
pub fn select(candidates: &[Candidate], objective: Objective) -> Option<Selection> {
    let open = || {
        candidates
            .iter()
            .enumerate()
            .filter(|(_, c)| c.excluded.is_none() && !c.cost.is_nan())
    };
    let best = open().map(|(_, c)| c.cost).min_by(f64::total_cmp)?;
    let (winner, won) = open()
        .filter(|(_, c)| c.cost <= best * (1.0 + noise(objective)))
        .min_by(|(i, a), (j, b)| prefer(a, b).then(i.cmp(j)))?;
    let why = candidates
        .iter()
        .enumerate()
        .map(|(i, c)| match &c.excluded {
            Some(why) => why.clone(),
            None if i == winner => reason(candidates, objective, winner),
            None if c.cost > best * (1.0 + noise(objective)) => {
                let (own, other) = (objective.describe(c.cost), objective.describe(won.cost));
                format!(
                    "{:.2} times {}: {own} against {other}",
                    c.cost / won.cost,
                    won.name
                )
            }
            None if c.max_error > won.max_error => {
                format!(
                    "as good as {} within noise, but with a larger error",
                    won.name
                )
            }
            None if c.file_bytes > won.file_bytes => {
                format!("as good as {} within noise, but a larger file", won.name)
            }
            None => format!("as good as {}, which comes first", won.name),
        })
        .collect();
    Some(Selection { winner, why })
}

/// Sizes are exact; times are not.
fn noise(objective: Objective) -> f64 {
    match objective {
        Objective::Latency | Objective::Throughput => NOISE,
        Objective::Memory | Objective::Size => 0.0,
    }
}

fn prefer(a: &Candidate, b: &Candidate) -> Ordering {
    a.max_error
        .total_cmp(&b.max_error)
        .then(a.file_bytes.cmp(&b.file_bytes))
}

fn reason(candidates: &[Candidate], objective: Objective, winner: usize) -> String {
    let won = &candidates[winner];
    let figure = objective.describe(won.cost);
    let open = candidates.iter().filter(|c| c.excluded.is_none()).count();
    if open == 1 {
        return format!("the only one within budget: {figure}");
    }
    let tied = candidates.iter().enumerate().any(|(i, c)| {
        i != winner && c.excluded.is_none() && c.cost <= won.cost * (1.0 + noise(objective))
    });
    if tied {
        format!("{figure}; within noise of the best, with the smaller error, then the smaller file")
    } else {
        format!("the best within budget: {figure}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str, cost: f64, max_error: f64, file_bytes: u64) -> Candidate {
        Candidate {
            name: name.into(),
            excluded: None,
            cost,
            max_error,
            file_bytes,
        }
    }

    #[test]
    fn the_cheapest_within_budget_wins_and_every_loser_is_told_why() {
        let mut all = vec![
            candidate("exact", 1000.0, 0.0, 900),
            candidate("fp16", 700.0, 1e-4, 300),
            candidate("int8", 500.0, 1e-2, 200),
        ];
        all[2].excluded = Some("error 0.01 over the budget of 0.001".into());
        let chosen = select(&all, Objective::Latency).unwrap();
        assert_eq!(chosen.winner, 1);
        assert_eq!(chosen.why[2], "error 0.01 over the budget of 0.001");
        assert!(
            chosen.why[0].contains("1.43 times fp16"),
            "{}",
            chosen.why[0]
        );
        assert!(chosen.why[1].contains("700 ns"), "{}", chosen.why[1]);
        assert_eq!(
            select(&all, Objective::Latency),
            Some(chosen),
            "the same measurements, the same choice"
        );
    }

    #[test]
    fn within_noise_precision_then_size_decide() {
        let all = [
            candidate("exact", 1000.0, 0.0, 900),
            candidate("int8-lossless", 1000.0, 0.0, 300),
            candidate("fp16", 990.0, 1e-4, 200),
        ];
        let chosen = select(&all, Objective::Latency).unwrap();
        assert_eq!(chosen.winner, 1);
        assert!(chosen.why[0].contains("larger file"), "{}", chosen.why[0]);
        assert!(chosen.why[2].contains("larger error"), "{}", chosen.why[2]);
        // Sizes are no noisy thing.
        assert_eq!(select(&all[1..], Objective::Size).unwrap().winner, 1);
    }

    #[test]
    fn nothing_to_choose_from() {
        let mut one = candidate("exact", 1.0, 0.0, 1);
        one.excluded = Some("not portable".into());
        assert_eq!(select(&[one], Objective::Size), None);
        assert_eq!(select(&[], Objective::Size), None);
    }
}
