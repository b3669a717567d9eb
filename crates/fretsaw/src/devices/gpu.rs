//! NVIDIA's graphics processors, as their kernel driver lists them. No library of theirs is loaded,
//! so nothing is told of their memory or load, and no other maker's are listed.

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::read;

/// Graphics processors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gpus {
    /// NVIDIA's, in the order of their bus addresses; empty where the driver lists none.
    pub nvidia: Vec<Gpu>,
    /// The version of NVIDIA's kernel driver.
    pub nvidia_driver: Option<String>,
}

/// A graphics processor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Gpu {
    /// Its bus address, such as `0000:01:00.0`.
    pub bus: String,
    /// Its name, such as `NVIDIA H100 80GB HBM3`.
    pub name: Option<String>,
}

impl Gpus {
    pub(super) fn detect(root: &Path) -> Self {
        let entries = fs::read_dir(root.join("proc/driver/nvidia/gpus"))
            .into_iter()
            .flatten()
            .flatten();
        let mut nvidia: Vec<Gpu> = entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .map(|bus| {
                let text = read(root, &format!("proc/driver/nvidia/gpus/{bus}/information"))
                    .unwrap_or_default();
                let name = text.lines().find_map(|l| l.strip_prefix("Model:"));
                Gpu {
                    bus,
                    name: name.map(|n| n.trim().to_owned()),
                }
            })
            .collect();
        nvidia.sort();
        // `NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue ...`
        let version = read(root, "proc/driver/nvidia/version").unwrap_or_default();
        let mut words = version
            .lines()
            .next()
            .unwrap_or_default()
            .split_whitespace();
        let is_version =
            |w: &&str| w.contains('.') && w.split('.').all(|p| p.parse::<u32>().is_ok());
        Self {
            nvidia,
            nvidia_driver: words.find(is_version).map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_lists_them() {
        let dir = tempfile::tempdir().unwrap();
        let driver = dir.path().join("proc/driver/nvidia");
        for (bus, text) in [
            (
                "0000:02:00.0",
                "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 35\n",
            ),
            ("0000:01:00.0", ""),
        ] {
            fs::create_dir_all(driver.join("gpus").join(bus)).unwrap();
            fs::write(driver.join("gpus").join(bus).join("information"), text).unwrap();
        }
        let version = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build\nGCC version: 12.2.0\n";
        fs::write(driver.join("version"), version).unwrap();
        let gpus = Gpus::detect(dir.path());
        let names: Vec<_> = gpus.nvidia.iter().map(|g| g.name.as_deref()).collect();
        assert_eq!(names, [None, Some("NVIDIA H100 80GB HBM3")]);
        assert_eq!(gpus.nvidia_driver.as_deref(), Some("580.95.05"));
    }
}
