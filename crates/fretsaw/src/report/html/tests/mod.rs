//! The page's structure: well-formed, self-contained, nothing hostile gets through, everything shown.
//!
//! `FRETSAW_REPORT_SAMPLES=FOLDER` writes the pages of these tests there, to be looked at.

mod sample;

use super::page;
use sample::{all_exact, alone, hostile, odd, reports, sample};

/// Checks that tags nest, that attributes are quoted and that ids are unique; gives the page's text.
fn well_formed(name: &str, page: &str) -> String {
    const VOID: &[&str] = &["meta", "link"];
    let mut rest = page.strip_prefix("<!DOCTYPE html>\n").expect("a doctype");
    let (mut open, mut ids, mut text) =
        (Vec::new(), std::collections::HashSet::new(), String::new());
    while let Some(at) = rest.find('<') {
        assert!(
            !rest[..at].contains('>') || open.last() == Some(&"style"),
            "{name}: '>' in text: {}",
            &rest[..at]
        );
        if open.last() != Some(&"style") {
            text += &rest[..at];
        }
        let tag = &rest[at + 1..];
        // No attribute holds '>': it is escaped.
        let end = tag
            .find('>')
            .unwrap_or_else(|| panic!("{name}: '<' without '>'"));
        rest = &tag[end + 1..];
        let tag = &tag[..end];
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{name}: wrong end");
            continue;
        }
        let own_end = tag.strip_suffix('/');
        let tag = own_end.unwrap_or(tag);
        let element = tag.split(' ').next().unwrap_or_default();
        assert!(
            element.chars().all(|c| c.is_ascii_alphanumeric()),
            "{name}: element {element}"
        );
        assert!(
            tag.matches('"').count().is_multiple_of(2),
            "{name}: quotes in {tag}"
        );
        for attribute in tag[element.len()..]
            .split('"')
            .step_by(2)
            .filter(|a| !a.is_empty())
        {
            assert!(
                attribute.starts_with(' ') && attribute.ends_with('='),
                "{name}: attribute {attribute} in {tag}"
            );
        }
        if let Some(id) = tag.split(" id=\"").nth(1).and_then(|t| t.split('"').next()) {
            assert!(ids.insert(id.to_string()), "{name}: two ids {id}");
        }
        assert_eq!(
            own_end.is_some(),
            VOID.contains(&element) || SHAPES.contains(&element),
            "{name}: {tag}"
        );
        if own_end.is_none() {
            open.push(element);
        }
    }
    assert!(open.is_empty(), "{name}: left open: {open:?}");
    for label in page.split("aria-labelledby=\"").skip(1) {
        for id in label.split('"').next().unwrap_or_default().split(' ') {
            assert!(ids.contains(id), "{name}: no element has the id {id}");
        }
    }
    text
}

/// Elements of SVG that hold nothing.
const SHAPES: &[&str] = &["line", "rect", "circle", "path"];

#[test]
fn every_page_is_well_formed_and_stands_alone() {
    for (name, report) in reports() {
        let page = page(&report);
        if let Some(folder) = std::env::var_os("FRETSAW_REPORT_SAMPLES") {
            std::fs::write(
                std::path::Path::new(&folder).join(format!("{name}.html")),
                &page,
            )
            .unwrap();
        }
        well_formed(name, &page);
        let markup = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        for outside in [
            "src=",
            "@import",
            "url(",
            "<script",
            "<iframe",
            "javascript:",
            "style=\"background",
        ] {
            assert!(!markup.contains(outside), "{name}: {outside}");
        }
        if name != "hostile" {
            assert!(
                !markup.contains("http://") && !markup.contains("https://"),
                "{name} refers to elsewhere"
            );
        }
        for attribute in markup.split("href=\"").skip(1) {
            assert!(
                attribute.starts_with("data:,\""),
                "{name}: a link leads out"
            );
        }
        for place in markup
            .split(" d=\"")
            .skip(1)
            .chain(markup.split(" x=\"").skip(1))
        {
            let place = place.split('"').next().unwrap();
            assert!(
                !place.contains("NaN") && !place.contains("inf"),
                "{name}: {place}"
            );
        }
    }
}

#[test]
fn hostile_text_stays_text() {
    let page = page(&hostile());
    assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    assert!(
        !page.contains("<script")
            && !page.contains("<!--")
            && !page.contains('\0')
            && !page.contains('\u{202e}')
    );
}

#[test]
fn the_verdict_names_winner_baseline_speed_error_and_budget() {
    let text = well_formed("sample", &page(&sample()));
    for part in [
        "times as fast",
        "ONNX Runtime 1.24.4 on the exact FP32 file",
        "6.4e-5",
        "budget 0.001",
        "6.40% of the budget",
        "−77%",
        "error 0.00312 on 41 rows is over the budget",
        "0.56123",
        "the first 5,000",
    ] {
        assert!(
            text.contains(part) || text.replace('\u{a0}', " ").contains(part),
            "'{part}' is missing"
        );
    }
    let report = sample();
    for v in &report.variants {
        // In charts, in the table's head, in the words below.
        assert!(text.matches(&v.name).count() >= 4, "{}", v.name);
        assert!(text.contains(&v.why));
    }
    for sha in report
        .files
        .iter()
        .map(|f| &f.sha256)
        .chain([&report.model.sha256])
    {
        assert!(text.contains(sha));
    }
}

#[test]
fn charts_show_what_there_is() {
    let count = |page: &str, what: &str| page.matches(what).count();
    let page_of_sample = page(&sample());
    // Two sizes of the front, three panels of latency, three of cost.
    assert_eq!(count(&page_of_sample, "role=\"img\""), 8);
    assert_eq!(count(&page_of_sample, "<line class=\"budget\""), 2);
    assert_eq!(count(&page_of_sample, "circle class=\"point chosen\""), 2);
    assert_eq!(
        count(&page_of_sample, "given up: exact thresholds, i8 leaves"),
        2
    );
    // Baseline and four plans (two variants share one), at three batch sizes.
    assert_eq!(count(&page_of_sample, "path class=\"ridge"), 15);

    let exact = page(&all_exact());
    assert!(exact.contains("0, to the bit"));
    assert!(exact.contains(">not made</span>"));
    assert_eq!(
        count(&exact, "path class=\"ridge"),
        6,
        "one plan and the baseline"
    );

    let odd = page(&odd());
    assert_eq!(
        count(&odd, "<line class=\"budget\""),
        0,
        "no budget to draw"
    );
    assert!(odd.contains("∞") && odd.contains("NaN"));
    assert!(page(&alone()).contains("the choice was among the exact ones"));
}

#[test]
fn a_budget_of_nothing_is_the_border_of_the_lane() {
    let mut report = sample();
    report.budget.max_error = 0.0;
    assert_eq!(page(&report).matches("<line class=\"budget\"").count(), 2);
}
