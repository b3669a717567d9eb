//! What this machine has, and what of it can be used: processor, memory, ONNX Runtime, providers.
//!
//! Detection never fails: what cannot be read is `None`, what is not there is an empty list, and
//! what is there but unusable says why. Everything is read from files and from the loaded library;
//! no program is run. Laying it out for a reader is the caller's work.

mod cgroup;
mod cpu;
mod gpu;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use cpu::{Cache, Cpu};
pub use gpu::{Gpu, Gpus};

use crate::engine::Isa;
use crate::session::ort::{Absent, OLDEST, Provider, Runtime, Source};

/// What this machine has. The fields' names are stable; more may come.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Devices {
    /// The operating system.
    pub system: System,
    /// The processor.
    pub cpu: Cpu,
    /// What our own engine makes of it.
    pub engine: Engine,
    /// The memory.
    pub memory: Memory,
    /// ONNX Runtime.
    pub onnx_runtime: OnnxRuntime,
    /// ONNX Runtime's execution providers, all that are known; none is usable without the library.
    pub providers: Vec<ProviderStatus>,
    /// Graphics processors.
    pub gpus: Gpus,
}

/// The operating system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct System {
    /// Its name and version, such as `Debian GNU/Linux 12 (bookworm)`, else its kind, such as
    /// `macos`.
    pub os: String,
    /// The kernel's release.
    pub kernel: Option<String>,
    /// The architecture that this program was built for, such as `x86_64`.
    pub arch: String,
}

/// What our own engine makes of the processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Engine {
    /// The instruction set whose kernels run by default.
    pub instruction_set: String,
    /// All whose kernels can run here, the plainest first.
    pub available: Vec<String>,
}

/// The memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// All of the machine's.
    pub total: Option<u64>,
    /// What can be had without swapping.
    pub available: Option<u64>,
    /// What this process's control group may use, where there is a limit.
    pub limit: Option<u64>,
}

/// ONNX Runtime: where it is, or why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OnnxRuntime {
    /// Whether it is loaded.
    pub usable: bool,
    /// The library.
    pub path: Option<PathBuf>,
    /// Who pointed at the library.
    pub source: Option<Source>,
    /// The library's version.
    pub version: Option<String>,
    /// The oldest version that can be used.
    pub oldest: String,
    /// Why it is not usable, in one line, and what to do.
    pub why_not: Option<String>,
    /// Libraries that were refused, each with the reason.
    pub refused: Vec<Refused>,
    /// Where it was looked for, when none was found.
    pub looked_in: Vec<PathBuf>,
}

/// A library that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The library.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// One of ONNX Runtime's execution providers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProviderStatus {
    /// Its name, such as `CUDA`.
    pub name: String,
    /// Whether the library was compiled with it.
    pub compiled_in: bool,
    /// Whether it was registered and ran a small model.
    pub usable: bool,
    /// Why it is not usable, in one line.
    pub why_not: Option<String>,
}

/// Looks at this machine. Loads ONNX Runtime where that has not been done, and tries each provider
/// that it has; with GPUs this may take seconds.
pub fn detect() -> Devices {
    let root = Path::new("/");
    let isas = Isa::available();
    let runtime = Runtime::get(None);
    Devices {
        system: System::detect(root),
        cpu: Cpu::detect(root),
        engine: Engine {
            instruction_set: Isa::detect().name().to_owned(),
            available: isas.iter().map(|isa| isa.name().to_owned()).collect(),
        },
        memory: Memory::detect(root),
        onnx_runtime: OnnxRuntime::of(runtime),
        providers: Provider::ALL
            .into_iter()
            .map(|p| ProviderStatus::of(p, runtime))
            .collect(),
        gpus: Gpus::detect(root),
    }
}

impl System {
    fn detect(root: &Path) -> Self {
        let release = read(root, "etc/os-release").unwrap_or_default();
        let name = release.lines().find_map(|l| l.strip_prefix("PRETTY_NAME="));
        Self {
            os: name
                .map_or(env::consts::OS, |n| n.trim_matches('"'))
                .to_owned(),
            kernel: read(root, "proc/sys/kernel/osrelease"),
            arch: env::consts::ARCH.to_owned(),
        }
    }
}

impl Memory {
    fn detect(root: &Path) -> Self {
        let text = read(root, "proc/meminfo").unwrap_or_default();
        let bytes = |name: &str| -> Option<u64> {
            let rest = text
                .lines()
                .find_map(|l| l.strip_prefix(name)?.strip_prefix(':'))?;
            rest.trim()
                .strip_suffix("kB")?
                .trim()
                .parse::<u64>()
                .ok()?
                .checked_mul(1024)
        };
        let total = bytes("MemTotal");
        // Without a limit, version 1 of control groups names a number beyond any memory.
        let limit =
            cgroup::memory_limit(root).filter(|&limit| total.is_none_or(|total| limit < total));
        Self {
            total,
            available: bytes("MemAvailable"),
            limit,
        }
    }
}

impl OnnxRuntime {
    fn of(outcome: Result<&Runtime, &Absent>) -> Self {
        let none = Self {
            usable: false,
            path: None,
            source: None,
            version: None,
            oldest: OLDEST.to_owned(),
            why_not: None,
            refused: Vec::new(),
            looked_in: Vec::new(),
        };
        match outcome {
            Ok(runtime) => Self {
                usable: true,
                path: Some(runtime.path().to_path_buf()),
                source: Some(runtime.source()),
                version: Some(runtime.version().to_owned()),
                ..none
            },
            Err(absent) => Self {
                why_not: Some(absent.to_string()),
                refused: absent
                    .tried
                    .iter()
                    .map(|(path, reason)| Refused {
                        path: path.clone(),
                        reason: reason.clone(),
                    })
                    .collect(),
                looked_in: absent.looked.clone(),
                ..none
            },
        }
    }
}

impl ProviderStatus {
    fn of(provider: Provider, outcome: Result<&Runtime, &Absent>) -> Self {
        let (compiled_in, tried) = match outcome {
            Ok(runtime) => (provider.is_compiled_in(runtime), provider.probe(runtime)),
            Err(_) => (false, Err("no ONNX Runtime".to_owned())),
        };
        Self {
            name: provider.name().to_owned(),
            compiled_in,
            usable: tried.is_ok(),
            why_not: tried.err(),
        }
    }
}

/// A small text file's content without the space around it; nothing for an empty one.
fn read(root: &Path, path: &str) -> Option<String> {
    let text = fs::read_to_string(root.join(path)).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_machine_is_described_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(System::detect(dir.path()).os, env::consts::OS);
        assert_eq!(
            Memory::detect(dir.path()),
            Memory {
                total: None,
                available: None,
                limit: None
            }
        );
        assert_eq!(
            Gpus::detect(dir.path()),
            Gpus {
                nvidia: vec![],
                nvidia_driver: None
            }
        );
        let cpu = Cpu::detect(dir.path());
        assert!(cpu.model.is_none() && cpu.caches.is_empty() && cpu.usable >= 1);
    }

    #[test]
    fn files_of_linux_are_read() {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in [
            (
                "etc/os-release",
                "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
            ),
            ("proc/sys/kernel/osrelease", "6.1.0-42\n"),
            (
                "proc/meminfo",
                "MemTotal:       16000 kB\nMemFree: 1 kB\nMemAvailable:    8000 kB\n",
            ),
        ] {
            fs::create_dir_all(dir.path().join(path).parent().unwrap()).unwrap();
            fs::write(dir.path().join(path), text).unwrap();
        }
        let system = System::detect(dir.path());
        assert_eq!(system.os, "Debian GNU/Linux 12 (bookworm)");
        assert_eq!(system.kernel.as_deref(), Some("6.1.0-42"));
        let memory = Memory::detect(dir.path());
        assert_eq!(
            (memory.total, memory.available),
            (Some(16_384_000), Some(8_192_000))
        );
    }
}
