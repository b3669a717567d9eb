//! `fretsaw devices`.

use fretsaw::devices;

use crate::args;
use crate::failure::{Failure, Result};
use crate::print;

pub(crate) fn run(args: &args::Json) -> Result {
    let devices = devices::detect();
    if args.json {
        return print::json(&devices);
    }
    let value = serde_json::to_value(&devices).map_err(|e| Failure::work(e.to_string()))?;
    print::raw(text(&value, 0).as_bytes())
}

/// Facts as indented lines.
fn text(value: &serde_json::Value, depth: usize) -> String {
    let mut out = String::new();
    let pad = "  ".repeat(depth);
    for (name, value) in value.as_object().into_iter().flatten() {
        let name = name.replace('_', " ");
        out.push_str(&format!("{pad}{name}: {value}\n"));
    }
    out
}
