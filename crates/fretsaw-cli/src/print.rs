//! What goes to stdout: tables, numbers, JSON.

use std::io::{self, Write as _};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::failure::{Failure, Result};

/// Writes bytes. A reader that went away is no error.
pub(crate) fn raw(bytes: &[u8]) -> Result {
    match io::stdout().lock().write_all(bytes) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::work(format!("cannot write to stdout: {e}")))
        }
        _ => Ok(()),
    }
}

/// Writes a line.
pub(crate) fn line(text: &str) -> Result {
    raw(format!("{text}\n").as_bytes())
}

/// Writes pretty JSON.
pub(crate) fn json(value: &impl Serialize) -> Result {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Failure::work(format!("cannot write JSON: {e}")))?;
    line(&text)
}

/// A table with a header; columns from the second on are aligned right where `right` says so.
pub(crate) fn table(header: &[&str], right: &[usize], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.to_vec());
    table.add_rows(rows);
    for &i in right {
        if let Some(column) = table.column_mut(i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines = table
        .lines()
        .map(|l| l.trim_end().to_string())
        .collect::<Vec<_>>();
    lines.join("\n")
}

/// A time in nanoseconds, readable.
pub(crate) fn time(ns: u64) -> String {
    let n = ns as f64;
    match n {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{} us", digits(n / 1e3)),
        n if n < 1e9 => format!("{} ms", digits(n / 1e6)),
        n => format!("{} s", digits(n / 1e9)),
    }
}

/// A size in bytes, readable.
pub(crate) fn bytes(n: u64) -> String {
    let n = n as f64;
    match n {
        n if n < 1e3 => format!("{n:.0} B"),
        n if n < 1e6 => format!("{} kB", digits(n / 1e3)),
        n if n < 1e9 => format!("{} MB", digits(n / 1e6)),
        n => format!("{} GB", digits(n / 1e9)),
    }
}

/// Three significant digits.
pub(crate) fn digits(x: f64) -> String {
    match x.abs() {
        a if a >= 100.0 => format!("{x:.0}"),
        a if a >= 10.0 => format!("{x:.1}"),
        _ => format!("{x:.2}"),
    }
}

/// An error, where zero is worth a word.
pub(crate) fn error(x: f64) -> String {
    if x == 0.0 {
        "0".into()
    } else {
        format!("{x:.2e}")
    }
}

/// A count with separators.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A time in microseconds since 1970, in UTC.
pub(crate) fn when(us: i64) -> String {
    jiff::Timestamp::from_microsecond(us).map_or_else(
        |_| us.to_string(),
        |t| t.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(time(999), "999 ns");
        assert_eq!(time(1_234), "1.23 us");
        assert_eq!(time(12_345_678), "12.3 ms");
        assert_eq!(bytes(1_500_000), "1.50 MB");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(12), "12");
        assert_eq!(error(0.0), "0");
        assert_eq!(when(0), "1970-01-01 00:00:00");
    }
}
