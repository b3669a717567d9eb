//! The processor: how many cores this process may use, what they can do, and their caches.
//!
//! Which kernels of our engine run is the engine's to say; this lists what the processor reports.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;

use serde::Serialize;

use super::{cgroup, read};

/// The processor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cpu {
    /// Its name.
    pub model: Option<String>,
    /// Threads of the hardware, this process's or not.
    pub logical: Option<usize>,
    /// Threads that this process can keep busy: by its affinity and its control group's quota. At
    /// least 1.
    pub usable: usize,
    /// Cores that the threads in its affinity belong to.
    pub physical_usable: Option<usize>,
    /// Processors' worth of time that its control group allows, where there is a limit.
    pub quota: Option<f64>,
    /// Instruction set extensions that matter for numbers, the oldest first.
    pub instruction_sets: Vec<String>,
    /// The caches of the threads in its affinity, from level 1.
    pub caches: Vec<Cache>,
}

/// All caches of one level and kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cache {
    /// 1 to 3 (or 4).
    pub level: u32,
    /// `data`, `instruction` or `unified`.
    pub kind: String,
    /// Bytes of each.
    pub bytes: u64,
    /// How many there are.
    pub count: usize,
}

impl Cpu {
    pub(super) fn detect(root: &Path) -> Self {
        let affinity = affinity(root);
        Self {
            model: model(root),
            logical: read(root, "sys/devices/system/cpu/online")
                .map(|l| parse_list(&l).len())
                .filter(|&n| n > 0),
            usable: thread::available_parallelism().map_or(1, usize::from),
            physical_usable: physical(root, &affinity),
            quota: cgroup::cpu_quota(root),
            instruction_sets: instruction_sets(),
            caches: caches(root, &affinity),
        }
    }
}

fn model(root: &Path) -> Option<String> {
    let text = read(root, "proc/cpuinfo")?;
    let of = |name: &str| {
        text.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == name && !value.trim().is_empty()).then(|| value.trim().to_owned())
        })
    };
    of("model name")
        .or_else(|| of("Model"))
        .or_else(|| of("Hardware"))
}

/// The threads of the hardware on which this process may run.
fn affinity(root: &Path) -> Vec<u32> {
    let status = read(root, "proc/self/status").unwrap_or_default();
    let list = status
        .lines()
        .find_map(|l| l.strip_prefix("Cpus_allowed_list:"));
    let online: BTreeSet<u32> =
        parse_list(&read(root, "sys/devices/system/cpu/online").unwrap_or_default())
            .into_iter()
            .collect();
    let mut cpus = parse_list(list.unwrap_or_default());
    // The list may name threads that the machine does not have.
    cpus.retain(|cpu| online.is_empty() || online.contains(cpu));
    cpus
}

fn physical(root: &Path, cpus: &[u32]) -> Option<usize> {
    let mut cores = BTreeSet::new();
    for cpu in cpus {
        let topology = format!("sys/devices/system/cpu/cpu{cpu}/topology");
        let core = read(root, &format!("{topology}/core_id"))?;
        cores.insert((read(root, &format!("{topology}/physical_package_id")), core));
    }
    (!cores.is_empty()).then_some(cores.len())
}

fn caches(root: &Path, cpus: &[u32]) -> Vec<Cache> {
    let mut seen = BTreeSet::new();
    let mut found: Vec<Cache> = Vec::new();
    for cpu in cpus {
        let folder = format!("sys/devices/system/cpu/cpu{cpu}/cache");
        let mut indices: Vec<String> = fs::read_dir(root.join(&folder))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|e| {
                e.file_name()
                    .into_string()
                    .ok()
                    .filter(|n| n.starts_with("index"))
            })
            .collect();
        indices.sort();
        for index in indices {
            let field = |name: &str| read(root, &format!("{folder}/{index}/{name}"));
            let (Some(level), Some(kind), Some(bytes)) = (
                field("level").and_then(|l| l.parse().ok()),
                field("type").map(|k| k.to_lowercase()),
                field("size").and_then(|s| parse_size(&s)),
            ) else {
                continue;
            };
            // Threads that share a cache all list it.
            let shared_by = field("shared_cpu_list").unwrap_or_else(|| cpu.to_string());
            if !seen.insert((level, kind.clone(), shared_by)) {
                continue;
            }
            match found
                .iter_mut()
                .find(|c| (c.level, &c.kind, c.bytes) == (level, &kind, bytes))
            {
                Some(cache) => cache.count += 1,
                None => found.push(Cache {
                    level,
                    kind,
                    bytes,
                    count: 1,
                }),
            }
        }
    }
    found.sort_by(|a, b| (a.level, &a.kind).cmp(&(b.level, &b.kind)));
    found
}

/// `0-2,5` as 0, 1, 2, 5.
fn parse_list(text: &str) -> Vec<u32> {
    /// More than any machine has; a damaged list must not fill the memory.
    const MOST: u32 = 1 << 16;
    let mut cpus = Vec::new();
    for part in text.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.trim().parse::<u32>(), last.trim().parse::<u32>()) {
            cpus.extend(first..=last.min(MOST));
        }
    }
    cpus
}

/// `32K` as 32768.
fn parse_size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

macro_rules! detected {
    ($ask:ident: $($name:tt)*) => {
        [$(($name, std::arch::$ask!($name))),*]
            .into_iter()
            .filter_map(|(name, has)| has.then(|| name.to_owned()))
            .collect()
    };
}

#[cfg(target_arch = "x86_64")]
fn instruction_sets() -> Vec<String> {
    detected!(is_x86_feature_detected:
        "sse4.1" "sse4.2" "popcnt" "avx" "f16c" "fma" "bmi1" "bmi2" "avx2" "gfni" "avxvnni"
        "avx512f" "avx512cd" "avx512bw" "avx512dq" "avx512vl" "avx512ifma" "avx512vbmi"
        "avx512vbmi2" "avx512vnni" "avx512bitalg" "avx512vpopcntdq" "avx512bf16" "avx512fp16")
}

#[cfg(target_arch = "aarch64")]
fn instruction_sets() -> Vec<String> {
    detected!(is_aarch64_feature_detected: "neon" "fp16" "dotprod" "i8mm" "bf16" "sve" "sve2")
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn instruction_sets() -> Vec<String> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_sizes() {
        assert_eq!(parse_list("0-2,5\n"), [0, 1, 2, 5]);
        assert_eq!(parse_list(""), [0u32; 0]);
        assert_eq!(parse_list("3-1,x,7"), [7]);
        assert!(parse_list("0-4294967295").len() < 100_000);
        for (text, bytes) in [
            ("32K", Some(32768)),
            ("1M", Some(1 << 20)),
            ("7", Some(7)),
            ("3X", None),
            ("", None),
        ] {
            assert_eq!(parse_size(text), bytes, "{text}");
        }
    }

    #[test]
    fn shared_caches_and_cores_count_once() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: String, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "proc/cpuinfo".into(),
            "processor\t: 0\nmodel name\t: AMD EPYC\n",
        );
        write(
            "proc/self/status".into(),
            "Name:\tx\nCpus_allowed_list:\t0-3,64\n",
        );
        write("sys/devices/system/cpu/online".into(), "0-7\n");
        for cpu in 0..4 {
            let folder = format!("sys/devices/system/cpu/cpu{cpu}");
            let pair = if cpu < 2 { "0-1" } else { "2-3" };
            write(
                format!("{folder}/topology/core_id"),
                if cpu < 2 { "0" } else { "1" },
            );
            write(format!("{folder}/topology/physical_package_id"), "0");
            for (index, level, kind, size, shared) in [
                (0, "1", "Data", "32K", pair),
                (1, "2", "Unified", "1024K", pair),
                (2, "3", "Unified", "32M", "0-7"),
            ] {
                let cache = format!("{folder}/cache/index{index}");
                for (name, text) in [
                    ("level", level),
                    ("type", kind),
                    ("size", size),
                    ("shared_cpu_list", shared),
                ] {
                    write(format!("{cache}/{name}"), text);
                }
            }
        }
        let cpu = Cpu::detect(dir.path());
        assert_eq!(cpu.model.as_deref(), Some("AMD EPYC"));
        assert_eq!((cpu.logical, cpu.physical_usable), (Some(8), Some(2)));
        let cache = |level, kind: &str, bytes, count| Cache {
            level,
            kind: kind.into(),
            bytes,
            count,
        };
        let expected = [
            cache(1, "data", 32 << 10, 2),
            cache(2, "unified", 1 << 20, 2),
            cache(3, "unified", 32 << 20, 1),
        ];
        assert_eq!(cpu.caches, expected);
    }
}
