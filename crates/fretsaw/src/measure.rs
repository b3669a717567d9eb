//! Measuring sessions: latency by batch size, several sessions in turn.
//!
//! Sessions that are compared are measured in short rounds one after the other, so that a slow
//! moment of the machine falls on all of them.

use std::time::{Duration, Instant};

use fretsaw_model::{Float, Rows, Values};

use crate::session::{Predictions, Session, Want};
use crate::{Error, ErrorKind, Result};

/// How long and how often to measure.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Time for each session and batch size, about.
    pub time: Duration,
    /// Rounds that it is spread over.
    pub rounds: u32,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            time: Duration::from_millis(400),
            rounds: 8,
        }
    }
}

/// Latency of one session at one batch size.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Latency {
    /// Rows a call.
    pub batch: usize,
    /// Calls timed.
    pub calls: usize,
    /// Median time of a call, in nanoseconds.
    pub p50_ns: u64,
    /// 90th percentile.
    pub p90_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// 99.9th percentile.
    pub p999_ns: u64,
    /// The slowest call.
    pub max_ns: u64,
    /// The median over rounds of the round's own 99th percentile: what variants are compared by, since
    /// one disturbed round does not move it.
    pub p99_steady_ns: u64,
    /// Rows a second at the median.
    pub rows_per_second: f64,
    /// The distribution: upper edge of a bin in nanoseconds, and calls in it. Bins are an eighth
    /// of a factor of two wide; empty ones are left out.
    pub histogram: Vec<(u64, usize)>,
}

impl Latency {
    /// Sums up the times of calls, in nanoseconds, round by round.
    ///
    /// # Panics
    /// When there are none.
    pub fn of(batch: usize, rounds: &[Vec<u64>]) -> Self {
        let mut ns: Vec<u64> = rounds.concat();
        ns.sort_unstable();
        let mut round_p99: Vec<u64> = rounds
            .iter()
            .filter(|round| !round.is_empty())
            .map(|round| {
                let mut round = round.clone();
                round.sort_unstable();
                quantile(&round, 0.99)
            })
            .collect();
        round_p99.sort_unstable();
        let p50_ns = quantile(&ns, 0.5);
        let mut histogram: Vec<(u64, usize)> = Vec::new();
        for &t in &ns {
            let edge = ((t.max(1) as f64).log2() * 8.0).floor() + 1.0;
            let edge = (edge / 8.0).exp2().round() as u64;
            match histogram.last_mut() {
                Some((last, n)) if *last == edge => *n += 1,
                _ => histogram.push((edge, 1)),
            }
        }
        Self {
            batch,
            calls: ns.len(),
            p50_ns,
            p90_ns: quantile(&ns, 0.9),
            p99_ns: quantile(&ns, 0.99),
            p999_ns: quantile(&ns, 0.999),
            max_ns: quantile(&ns, 1.0),
            p99_steady_ns: quantile(&round_p99, 0.5),
            rows_per_second: batch as f64 * 1e9 / p50_ns.max(1) as f64,
            histogram,
        }
    }
}

/// The smallest time that at least this share of the calls stay within.
fn quantile(sorted: &[u64], q: f64) -> u64 {
    sorted[((sorted.len() as f64 * q).ceil() as usize).clamp(1, sorted.len()) - 1]
}

/// Measures every session at every batch size, in turn; the result is sessions x batches.
/// Different rows are used from call to call. `pause` is asked between rounds whether to go on.
///
/// # Errors
/// When a session fails, there are no rows, or `pause` says stop.
pub fn latencies(
    sessions: &mut [&mut dyn Session],
    rows: &Rows<'_>,
    batches: &[usize],
    effort: Effort,
    pause: &mut dyn FnMut() -> Result<()>,
) -> Result<Vec<Vec<Latency>>> {
    if rows.n_rows() == 0 {
        return Err(Error::data("no rows to measure on"));
    }
    let mut out = vec![Vec::new(); sessions.len()];
    for &batch in batches {
        if batch == 0 {
            return Err(Error::new(
                ErrorKind::Config,
                "a batch of 0 rows cannot be measured",
            ));
        }
        // Fewer rows than a batch: they repeat.
        let (mut f32s, mut f64s) = (Vec::new(), Vec::new());
        let all = if batch <= rows.n_rows() {
            *rows
        } else {
            repeat(rows, batch, &mut f32s, &mut f64s)?
        };
        let mut times: Vec<Vec<Vec<u64>>> = vec![Vec::new(); sessions.len()];
        let mut predictions = vec![Predictions::new(Float::F32, 1); sessions.len()];
        for round in 0..effort.rounds.max(1) {
            for ((session, times), out) in sessions.iter_mut().zip(&mut times).zip(&mut predictions)
            {
                pause()?;
                if round == 0 {
                    // Twice unmeasured: first use, then warm.
                    session.run(&all.slice(0..batch), Want::Answers, out)?;
                    session.run(&all.slice(0..batch), Want::Answers, out)?;
                }
                let before = times.iter().map(Vec::len).sum();
                let time = effort.time / effort.rounds.max(1);
                times.push(time_round(*session, &all, batch, time, before, out)?);
            }
        }
        for (out, times) in out.iter_mut().zip(times) {
            out.push(Latency::of(batch, &times));
        }
    }
    Ok(out)
}

fn repeat<'a>(
    rows: &Rows<'_>,
    n_rows: usize,
    f32s: &'a mut Vec<f32>,
    f64s: &'a mut Vec<f64>,
) -> Result<Rows<'a>> {
    let n = n_rows * rows.n_features();
    let n_features = rows.n_features();
    Ok(match rows.values() {
        Values::F32(v) => {
            f32s.extend(v.iter().cycle().take(n));
            Rows::f32(f32s, n_features)?
        }
        Values::F64(v) => {
            f64s.extend(v.iter().cycle().take(n));
            Rows::f64(f64s, n_features)?
        }
        Values::Columns(_) => {
            let values: Vec<f64> = rows.row_major().collect();
            let values = values.into_iter().cycle().take(n);
            match rows.float() {
                Float::F32 => {
                    f32s.extend(values.map(|x| x as f32));
                    Rows::f32(f32s, n_features)?
                }
                Float::F64 => {
                    f64s.extend(values);
                    Rows::f64(f64s, n_features)?
                }
            }
        }
    })
}

/// One round's times. Calls that follow each other see other rows; a round begins where the one
/// before, of about as many calls, ended.
fn time_round(
    session: &mut dyn Session,
    rows: &Rows<'_>,
    batch: usize,
    time: Duration,
    calls_before: usize,
    out: &mut Predictions,
) -> Result<Vec<u64>> {
    /// More samples would only take memory.
    const MAX_CALLS: usize = 100_000;
    let places = rows.n_rows() - batch + 1;
    let start = Instant::now();
    let mut times = Vec::new();
    let mut at = calls_before.wrapping_mul(batch) % places;
    while times.len() < MAX_CALLS {
        let slice = rows.slice(at..at + batch);
        let begun = Instant::now();
        session.run(&slice, Want::Answers, out)?;
        let ended = Instant::now();
        times.push((ended - begun).as_nanos() as u64);
        at = (at + batch) % places;
        if times.len() > 1 && ended - start >= time {
            break;
        }
    }
    Ok(times)
}

/// What a call that does nothing would be said to take: the clock's own share of every time, in
/// nanoseconds, at the median.
pub fn empty_call_ns() -> u64 {
    let call = |_| {
        let begun = Instant::now();
        (Instant::now() - begun).as_nanos() as u64
    };
    let mut times: Vec<u64> = (0..10_000).map(call).collect();
    times.sort_unstable();
    quantile(&times, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_whole_calls() {
        let l = Latency::of(2, &[(1..=1000).rev().collect(), vec![]]);
        assert_eq!(
            (l.p50_ns, l.p90_ns, l.p99_ns, l.p999_ns, l.max_ns),
            (500, 900, 990, 999, 1000)
        );
        assert_eq!(l.rows_per_second, 2.0 * 1e9 / 500.0);
        assert_eq!(l.histogram.iter().map(|b| b.1).sum::<usize>(), 1000);
        assert!(l.histogram.windows(2).all(|w| w[0].0 < w[1].0));
        // One disturbed round of three does not move the steady figure.
        let rounds = [(1..=100).collect(), (1..=100).collect(), vec![5000; 100]];
        assert_eq!(Latency::of(1, &rounds).p99_steady_ns, 99);
        let one = Latency::of(1, &[vec![7]]);
        assert_eq!((one.p50_ns, one.p999_ns, one.calls), (7, 7, 1));
    }
}
