//! `fretsaw history`.

use fretsaw_store::{Filter, now_us};
use jiff::civil;

use crate::args;
use crate::failure::{Failure, Result};
use crate::print;

pub(crate) fn run(args: &args::History) -> Result {
    let since_us = args.since.as_deref().map(since).transpose()?;
    let filter = Filter {
        since_us,
        model: args.model.clone(),
        limit: Some(args.limit as u32),
        ..Filter::default()
    };
    let history = args.options.store.open()?.history(&filter)?;
    if args.options.json {
        return print::json(&history);
    }
    if history.measurements.is_empty() && history.inference.is_empty() {
        return print::line(
            "nothing on record yet; 'fretsaw optimize' and 'fretsaw predict' write here",
        );
    }
    let opt = |x: Option<f64>, f: &dyn Fn(f64) -> String| x.map_or("-".into(), f);
    let rows = history
        .measurements
        .iter()
        .map(|m| {
            let version = m.model_version.map_or(String::new(), |v| format!("@{v}"));
            let latency = m.metric.latency.as_ref();
            vec![
                print::when(m.time_us),
                format!("{}{version}", m.model_name),
                format!("{:?}", m.kind).to_lowercase(),
                m.metric.variant.clone(),
                m.metric.batch_size.map_or("-".into(), |b| b.to_string()),
                latency.map_or("-".into(), |l| print::time(l.p50_ns)),
                latency.map_or("-".into(), |l| print::time(l.p99_ns)),
                opt(m.metric.speedup, &|s| format!("{}x", print::digits(s))),
                opt(m.metric.max_error, &print::error),
                m.metric.size_bytes.map_or("-".into(), print::bytes),
                if m.metric.chosen {
                    "chosen".into()
                } else {
                    String::new()
                },
            ]
        })
        .collect::<Vec<_>>();
    if !rows.is_empty() {
        let header = [
            "when (UTC)",
            "model",
            "run",
            "variant",
            "batch",
            "p50",
            "p99",
            "speed-up",
            "max error",
            "size",
            "",
        ];
        print::line(&print::table(&header, &[4, 5, 6, 7, 8, 9], rows))?;
    }
    let rows = history
        .inference
        .iter()
        .map(|s| {
            let version = s.model_version.map_or(String::new(), |v| format!("@{v}"));
            let time = |ns: Option<u64>| ns.map_or("-".into(), print::time);
            vec![
                format!("{}{version}", s.model_name),
                print::count(s.requests),
                print::count(s.rows),
                print::count(s.errors),
                time(s.p50_ns),
                time(s.p90_ns),
                time(s.p99_ns),
            ]
        })
        .collect::<Vec<_>>();
    if !rows.is_empty() {
        let header = ["served", "calls", "rows", "errors", "p50", "p90", "p99"];
        print::line(&print::table(&header, &[1, 2, 3, 4, 5, 6], rows))?;
    }
    Ok(())
}

/// A time or an age, as microseconds since 1970.
pub(crate) fn since(text: &str) -> Result<i64> {
    if let Some(us) = age(text) {
        return Ok(now_us().saturating_sub(us));
    }
    if let Ok(t) = text.parse::<jiff::Timestamp>() {
        return Ok(t.as_microsecond());
    }
    let date = text
        .parse::<civil::Date>()
        .ok()
        .and_then(|d| d.to_zoned(jiff::tz::TimeZone::UTC).ok());
    date.map(|d| d.timestamp().as_microsecond()).ok_or_else(|| {
        Failure::usage(format!(
            "'{text}' is no time; use 2026-01-31, 2026-01-31T12:00Z or an age such as 24h or 7d"
        ))
    })
}

/// `90m`, `24h`, `7d`, `2w` in microseconds.
pub(crate) fn age(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    let n: i64 = text[..text.len() - 1].parse().ok().filter(|n| *n >= 0)?;
    n.checked_mul(seconds)?.checked_mul(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_ages() {
        assert_eq!(age("90m"), Some(5_400_000_000));
        assert_eq!(age("7d"), Some(604_800_000_000));
        for bad in ["", "d", "-1d", "7y", "9223372036854775807d", "1.5h", "é"] {
            assert_eq!(age(bad), None, "{bad}");
        }
        assert_eq!(since("1970-01-02").unwrap(), 86_400_000_000);
        assert_eq!(since("1970-01-01T00:00:01Z").unwrap(), 1_000_000);
        assert_eq!(since("yesterday").unwrap_err().status(), 2);
    }
}
