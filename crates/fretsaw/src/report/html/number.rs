//! Numbers as people read them: three significant digits, a fitting unit, zero said as zero.

/// Shown where there is no figure.
pub(super) const NONE: &str = "–";

/// Three significant digits, powers of ten where the number is very small or large.
pub(super) fn short(x: f64) -> String {
    if x.is_nan() {
        return "NaN".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { "∞" } else { "−∞" }.into();
    }
    if x == 0.0 {
        return "0".into();
    }
    let x = three(x);
    let text = match x.abs() {
        // A budget of 0.001 is not one of 0.00100.
        a if (1e-3..0.1).contains(&a) => digits(x).trim_end_matches('0').into(),
        a if (0.1..1e6).contains(&a) => digits(x),
        // Trailing zeros of a power of ten say nothing: 1e-6, not 1.00e-6.
        _ => {
            let text = format!("{x:.2e}");
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            format!(
                "{}e{exponent}",
                mantissa.trim_end_matches('0').trim_end_matches('.')
            )
        }
    };
    text.replacen('-', if text.starts_with('-') { "−" } else { "-" }, 1)
}

/// Rounded to three significant digits, so that the unit is chosen by the figure that is shown.
fn three(x: f64) -> f64 {
    format!("{x:.2e}").parse().unwrap_or(x)
}

/// A number of three significant digits without an exponent.
fn digits(x: f64) -> String {
    let magnitude = x.abs().log10().floor();
    if magnitude >= 3.0 {
        return format!(
            "{}{}",
            if x < 0.0 { "-" } else { "" },
            count(x.abs().round() as u64)
        );
    }
    format!("{x:.*}", (2.0 - magnitude).clamp(0.0, 6.0) as usize)
}

/// The first unit in which the figure is below a thousand.
fn scaled(x: f64, units: &[(&str, f64)]) -> String {
    if !x.is_finite() {
        return short(x);
    }
    let x = three(x);
    let &(unit, scale) = units
        .iter()
        .find(|(_, scale)| x.abs() < scale * 1e3)
        .or(units.last())
        .unwrap_or(&("", 1.0));
    let number = if x == 0.0 {
        "0".into()
    } else {
        digits(x / scale)
    };
    format!("{number}\u{a0}{unit}")
}

/// A time given in nanoseconds.
pub(super) fn time(ns: f64) -> String {
    if ns < 1e3 && ns == ns.trunc() {
        return format!("{ns}\u{a0}ns");
    }
    scaled(ns, &[("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)])
}

/// A time given in milliseconds.
pub(super) fn millis(ms: f64) -> String {
    time(ms * 1e6)
}

/// A size in bytes, in decimal units.
pub(super) fn bytes(n: u64) -> String {
    if n < 1000 {
        return format!("{n}\u{a0}B");
    }
    scaled(
        n as f64,
        &[("B", 1.0), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9)],
    )
}

/// How many times as fast.
pub(super) fn times(x: f64) -> String {
    format!("{}×", short(x))
}

/// Something a second.
pub(super) fn rate(x: f64) -> String {
    if x < 1e6 {
        short(x)
    } else {
        scaled(x, &[("M", 1e6), ("G", 1e9)])
    }
}

/// A whole number, in groups of three.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// "1 row", "2 rows".
pub(super) fn counted(n: usize, one: &str, many: &str) -> String {
    format!(
        "{}\u{a0}{}",
        count(n as u64),
        if n == 1 { one } else { many }
    )
}

/// The difference from a ratio of 1, in percent: "−78%", "+3%".
pub(super) fn change(ratio: f64) -> String {
    if !ratio.is_finite() {
        return NONE.into();
    }
    let percent = (ratio - 1.0) * 100.0;
    match percent {
        p if p.abs() < 0.05 => "±0%".into(),
        // "-100%" is for what is gone.
        p if p < -99.0 || p.abs() < 9.95 => format!("{p:+.1}%").replace('-', "−"),
        p => format!("{p:+.0}%").replace('-', "−"),
    }
}

/// A metric: enough digits to tell two good models apart.
pub(super) fn metric(x: f64) -> String {
    if x.is_finite() && (x == 0.0 || (1e-3..1e4).contains(&x.abs())) {
        format!("{x:.5}").replace('-', "−")
    } else {
        short(x)
    }
}

/// A power of ten, for an axis: "10⁻³".
pub(super) fn power_of_ten(exponent: i32) -> String {
    match exponent {
        0 => return "1".into(),
        1 => return "10".into(),
        -1 => return "0.1".into(),
        _ => {}
    }
    let raise = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        c => c
            .to_digit(10)
            .and_then(|d| char::from_u32(0x2070 + d))
            .unwrap_or(c),
    };
    format!(
        "10{}",
        exponent.to_string().chars().map(raise).collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_a_unit() {
        let cases: &[(String, &str)] = &[
            (short(0.0), "0"),
            (short(-0.0), "0"),
            (short(0.001), "0.001"),
            (short(9.996), "10.0"),
            (short(1234.0), "1,230"),
            (short(-1234.0), "−1,230"),
            (short(1e-6), "1e-6"),
            (short(-2.346e-7), "−2.35e-7"),
            (short(f64::NAN), "NaN"),
            (short(f64::NEG_INFINITY), "−∞"),
            (time(812.0), "812\u{a0}ns"),
            (time(999_600.0), "1.00\u{a0}ms"),
            (time(12_345.0), "12.3\u{a0}µs"),
            (time(7.2e13), "72,000\u{a0}s"),
            (time(f64::INFINITY), "∞"),
            (millis(0.0), "0\u{a0}ns"),
            (bytes(999), "999\u{a0}B"),
            (bytes(4_130_000), "4.13\u{a0}MB"),
            (bytes(999_999), "1.00\u{a0}MB"),
            (times(19.44), "19.4×"),
            (rate(1_732_000.0), "1.73\u{a0}M"),
            (rate(664_200.0), "664,000"),
            (count(1_234_567), "1,234,567"),
            (counted(1, "row", "rows"), "1\u{a0}row"),
            (change(0.22), "−78%"),
            (change(0.0012), "−99.9%"),
            (change(1.0), "±0%"),
            (change(1.034), "+3.4%"),
            (change(f64::NAN), "–"),
            (metric(0.871_234_5), "0.87123"),
            (metric(f64::NAN), "NaN"),
            (power_of_ten(-13), "10⁻¹³"),
            (power_of_ten(0), "1"),
        ];
        for (got, want) in cases {
            assert_eq!(got, want);
        }
    }
}
