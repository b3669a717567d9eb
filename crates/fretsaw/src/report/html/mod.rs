//! The report as one self-contained HTML page.
//!
//! Nothing is fetched and nothing is run: the style sheet and the charts (SVG) are in the page, and
//! there is no script. What the charts show, the tables say too. The page adds no fact that
//! `report.json` lacks.

mod bars;
mod facts;
mod hero;
mod latency;
mod markup;
mod number;
mod pareto;
mod svg;
mod table;
#[cfg(test)]
mod tests;

use markup::{Markup, put};

use super::{Report, VariantReport};

/// Lays the report out as a page.
pub fn page(report: &Report) -> String {
    let mut out = Markup::new();
    put!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\
         <meta name=\"color-scheme\" content=\"light dark\"/>\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"/>\
         <link rel=\"icon\" href=\"data:,\"/>\
         <title>{} · fretsaw report</title><style>{}</style></head><body>",
        report.model.name,
        Markup::of(include_str!("style.css"))
    );
    put!(out, "{}<main>", hero::header(report));
    section(
        &mut out,
        "front",
        "Speed against error",
        pareto::section(report),
    );
    section(&mut out, "latency", "Latency", latency::section(report));
    section(
        &mut out,
        "cost",
        "Size, memory and loading",
        bars::section(report),
    );
    section(
        &mut out,
        "variants",
        "Every variant, figure by figure",
        table::figures(report),
    );
    section(
        &mut out,
        "why",
        "Why each won or lost",
        table::verdicts(report),
    );
    section(&mut out, "lineage", "Lineage", facts::lineage(report));
    section(
        &mut out,
        "circumstances",
        "Model, data and machine",
        facts::circumstances(report),
    );
    section(
        &mut out,
        "again",
        "How to make this again",
        facts::reproduce(report),
    );
    put!(out, "</main>{}</body></html>\n", facts::footer(report));
    out.into_string()
}

fn section(out: &mut Markup, id: &str, title: &str, body: Markup) {
    put!(
        out,
        "<section aria-labelledby=\"{}\"><h2 id=\"{}\">{}</h2>{}</section>",
        id,
        id,
        title,
        body
    );
}

impl Report {
    /// The chosen variant.
    fn winner(&self) -> Option<&VariantReport> {
        let named = || self.variants.iter().find(|v| v.name == self.chosen.variant);
        self.variants.iter().find(|v| v.chosen).or_else(named)
    }

    /// The variants that were measured, each with those that share its plan and so its figures.
    fn measured(&self) -> Vec<Vec<&VariantReport>> {
        let mut groups: Vec<Vec<&VariantReport>> = Vec::new();
        for v in self.variants.iter().filter(|v| !v.latency.is_empty()) {
            let with = |g: &&mut Vec<&VariantReport>| {
                v.measured_as
                    .as_ref()
                    .is_some_and(|name| g.iter().any(|other| other.name == *name))
            };
            match groups.iter_mut().find(with) {
                Some(group) => group.push(v),
                None => groups.push(vec![v]),
            }
        }
        // The chosen one is the one to read.
        groups.iter_mut().for_each(|g| g.sort_by_key(|v| !v.chosen));
        groups
    }
}

impl VariantReport {
    /// The geometric mean of its speed-ups over the batch sizes.
    fn mean_speedup(&self) -> Option<f64> {
        let logs: Vec<f64> = self
            .speedup
            .iter()
            .map(|s| s.times.ln())
            .filter(|t| t.is_finite())
            .collect();
        (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
    }
}

/// The names of variants that share their figures.
fn names(group: &[&VariantReport]) -> String {
    group
        .iter()
        .map(|v| v.name.as_str())
        .collect::<Vec<_>>()
        .join(" · ")
}
