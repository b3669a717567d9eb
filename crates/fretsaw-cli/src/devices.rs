//! `fretsaw devices`.

use fretsaw::devices::{self, Devices};

use crate::args;
use crate::failure::Result;
use crate::print;

pub(crate) fn run(args: &args::Json) -> Result {
    let devices = devices::detect();
    if args.json {
        return print::json(&devices);
    }
    print::raw(text(&devices).as_bytes())
}

fn text(d: &Devices) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| out.push_str(&format!("{name:<16}{value}\n"));
    let kernel = d.system.kernel.as_deref().unwrap_or("");
    line(
        "system",
        format!("{}, {kernel}, {}", d.system.os, d.system.arch),
    );
    let cpu = &d.cpu;
    line(
        "processor",
        cpu.model.clone().unwrap_or_else(|| "unknown".into()),
    );
    let mut threads = format!("{} usable", cpu.usable);
    if let Some(n) = cpu.logical {
        threads.push_str(&format!(" of {n}"));
    }
    if let Some(quota) = cpu.quota {
        threads.push_str(&format!(", held to {quota:.2} by the control group"));
    }
    line("threads", threads);
    let caches: Vec<String> = cpu
        .caches
        .iter()
        .map(|c| {
            format!(
                "L{} {} {} x {}",
                c.level,
                c.kind,
                print::bytes(c.bytes),
                c.count
            )
        })
        .collect();
    if !caches.is_empty() {
        line("caches", caches.join(", "));
    }
    let memory = |bytes: Option<u64>| bytes.map_or("unknown".into(), print::bytes);
    let limit = d
        .memory
        .limit
        .map_or(String::new(), |l| format!(", held to {}", print::bytes(l)));
    line(
        "memory",
        format!(
            "{}, {} available{limit}",
            memory(d.memory.total),
            memory(d.memory.available)
        ),
    );
    let available = d.engine.available.join(", ");
    line(
        "engine",
        format!("{} (can run {available})", d.engine.instruction_set),
    );
    let ort = &d.onnx_runtime;
    match (&ort.version, &ort.path) {
        (Some(version), Some(path)) => {
            line("onnx runtime", format!("{version}, {}", path.display()))
        }
        _ => line(
            "onnx runtime",
            ort.why_not.clone().unwrap_or_else(|| "not usable".into()),
        ),
    }
    for refused in &ort.refused {
        line(
            "",
            format!("refused {}: {}", refused.path.display(), refused.reason),
        );
    }
    if !ort.usable && !ort.looked_in.is_empty() {
        let looked: Vec<String> = ort
            .looked_in
            .iter()
            .map(|p| p.display().to_string())
            .collect();
        line("", format!("looked in {}", looked.join(", ")));
    }
    let mut name = "providers";
    for p in &d.providers {
        let state = match (&p.why_not, p.usable) {
            (_, true) => "usable".to_string(),
            (Some(why), false) => format!("no: {why}"),
            (None, false) => "no".into(),
        };
        line(name, format!("{:<10}{state}", p.name));
        name = "";
    }
    let gpus: Vec<String> = d
        .gpus
        .nvidia
        .iter()
        .map(|g| format!("{} at {}", g.name.as_deref().unwrap_or("NVIDIA"), g.bus))
        .collect();
    line(
        "gpus",
        if gpus.is_empty() {
            "none found".into()
        } else {
            gpus.join(", ")
        },
    );
    out
}
