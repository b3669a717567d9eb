//! Where an ONNX Runtime library may lie on this machine.
//!
//! Looks at file names only: nothing is run and nothing is loaded here, so a name that is found may
//! still turn out to be no ONNX Runtime (see [`super::Runtime`]).

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Who pointed at a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The caller's setting, `FRETSAW_ORT` or `ORT_DYLIB_PATH`.
    Setting,
    /// An installed Python package `onnxruntime` (or one of its GPU editions).
    PythonPackage,
    /// A folder that the system's loader searches.
    System,
}

/// A library that may be ONNX Runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The file.
    pub path: PathBuf,
    /// Who pointed at it.
    pub source: Source,
}

/// The libraries found, in the order in which they are to be tried.
///
/// A setting (the argument, else `FRETSAW_ORT`, else `ORT_DYLIB_PATH`) is the only candidate: what
/// somebody asked for by name is never silently replaced by something else. It may name the
/// library or the folder that holds it.
pub fn find(setting: Option<&str>) -> Vec<Candidate> {
    Search::new(setting).candidates
}

/// What was found, and which folders were looked into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// In the order in which they are to be tried.
    pub candidates: Vec<Candidate>,
    /// The setting, or the folders that exist and were looked into.
    pub looked: Vec<PathBuf>,
}

impl Search {
    /// Searches as [`find`] does.
    pub fn new(setting: Option<&str>) -> Self {
        Self::within(&Surroundings::here(setting))
    }

    fn within(here: &Surroundings) -> Self {
        let mut found = Self::default();
        if let Some(setting) = &here.setting {
            found.look(setting, Source::Setting);
            if found.candidates.is_empty() {
                // Kept though it is no library: loading it says what is wrong with it.
                let path = setting.clone();
                found.candidates.push(Candidate {
                    path,
                    source: Source::Setting,
                });
            }
            found.looked = vec![setting.clone()];
            return found;
        }
        for packages in here.python_packages() {
            found.look(&packages.join("onnxruntime/capi"), Source::PythonPackage);
        }
        for folder in here.loader_folders() {
            found.look(&folder, Source::System);
        }
        found
    }

    /// Adds the libraries in `place`, or `place` itself where it is a file.
    fn look(&mut self, place: &Path, source: Source) {
        if self.looked.iter().any(|p| p == place) {
            return;
        }
        let mut paths = if place.is_file() {
            vec![place.to_path_buf()]
        } else {
            libraries(place)
        };
        if place.is_dir() {
            self.looked.push(place.to_path_buf());
        }
        // A folder holds the same file under several names (`.so`, `.so.1`, `.so.1.32.0`).
        paths.retain(|path| {
            let real = fs::canonicalize(path).ok();
            !self
                .candidates
                .iter()
                .any(|c| fs::canonicalize(&c.path).ok() == real)
        });
        let mut seen = Vec::new();
        for path in paths {
            let real = fs::canonicalize(&path).ok();
            if !seen.contains(&real) {
                seen.push(real);
                self.candidates.push(Candidate { path, source });
            }
        }
    }
}

/// Whether a file of this name is ONNX Runtime by its name.
fn is_library_name(name: &str) -> bool {
    if cfg!(windows) {
        return name.eq_ignore_ascii_case("onnxruntime.dll");
    }
    let Some(rest) = name.strip_prefix("libonnxruntime") else {
        return false;
    };
    if cfg!(target_os = "macos") {
        // `libonnxruntime.dylib`, `libonnxruntime.1.32.0.dylib`; not `libonnxruntime_providers_*`.
        return rest.starts_with('.') && rest.ends_with(".dylib");
    }
    rest == ".so" || rest.starts_with(".so.")
}

/// The libraries in a folder, the longest name (with the fullest version) last in the alphabet
/// first.
fn libraries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = entries(folder)
        .into_iter()
        .filter(|p| {
            p.file_name()
                .and_then(|n| n.to_str())
                .is_some_and(is_library_name)
                && p.is_file()
        })
        .collect();
    paths.sort_by_key(|p| std::cmp::Reverse(numbers(p)));
    paths
}

/// The folders in `folder` whose names start with `prefix`, the highest version first.
fn folders(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = entries(folder)
        .into_iter()
        .filter(|p| {
            p.file_name()
                .and_then(|n| n.to_str())
                .is_some_and(|n| n.starts_with(prefix))
                && p.is_dir()
        })
        .collect();
    paths.sort_by_key(|p| std::cmp::Reverse(numbers(p)));
    paths
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path())
        .collect()
}

/// The numbers in a file's name, so that 1.9 sorts before 1.32.
fn numbers(path: &Path) -> Vec<u64> {
    let name = path
        .file_name()
        .and_then(|n| n.to_str())
        .unwrap_or_default();
    name.split(|c: char| !c.is_ascii_digit())
        .filter_map(|part| part.parse().ok())
        .collect()
}

/// What the search depends on, apart from the files.
struct Surroundings {
    setting: Option<PathBuf>,
    /// `VIRTUAL_ENV` and `CONDA_PREFIX`.
    python_prefixes: Vec<PathBuf>,
    path: Vec<PathBuf>,
    loader_path: Vec<PathBuf>,
    home: Option<PathBuf>,
    root: PathBuf,
}

impl Surroundings {
    fn here(setting: Option<&str>) -> Self {
        let current = env::current_dir().unwrap_or_default();
        let variable = |name: &str| env::var_os(name).filter(|v| !v.is_empty());
        let paths = |name: &str| {
            variable(name)
                .map(|v| env::split_paths(&v).collect())
                .unwrap_or_default()
        };
        let loader = if cfg!(target_os = "macos") {
            "DYLD_LIBRARY_PATH"
        } else {
            "LD_LIBRARY_PATH"
        };
        let setting = setting
            .filter(|s| !s.is_empty())
            .map(Into::into)
            .or_else(|| variable("FRETSAW_ORT"))
            .or_else(|| variable("ORT_DYLIB_PATH"));
        Self {
            setting: setting.map(|s| current.join(s)),
            python_prefixes: ["VIRTUAL_ENV", "CONDA_PREFIX"]
                .into_iter()
                .filter_map(variable)
                .map(Into::into)
                .collect(),
            path: paths("PATH"),
            loader_path: paths(loader),
            home: env::home_dir(),
            root: "/".into(),
        }
    }

    /// The folders into which Python packages are installed: environments first, then the
    /// `python3` on `PATH`, then the user's, then the system's.
    fn python_packages(&self) -> Vec<PathBuf> {
        let mut prefixes = self.python_prefixes.clone();
        for folder in &self.path {
            for name in ["python3", "python", "python.exe"] {
                let python = folder.join(name);
                if !python.is_file() {
                    continue;
                }
                // In a virtual environment the name is a link to the Python outside it.
                prefixes.extend(prefix(&python));
                prefixes.extend(fs::canonicalize(&python).ok().as_deref().and_then(prefix));
            }
        }
        prefixes.extend(self.home.as_ref().map(|home| home.join(".local")));
        prefixes.extend([self.root.join("usr/local"), self.root.join("usr")]);
        let mut packages = Vec::new();
        for prefix in prefixes {
            packages.push(prefix.join("Lib/site-packages"));
            for python in folders(&prefix.join("lib"), "python3") {
                packages.extend([python.join("site-packages"), python.join("dist-packages")]);
            }
        }
        packages
    }

    /// The folders that the system's loader searches.
    fn loader_folders(&self) -> Vec<PathBuf> {
        let mut found = self.loader_path.clone();
        let mut listed = entries(&self.root.join("etc/ld.so.conf.d"));
        listed.sort();
        listed.push(self.root.join("etc/ld.so.conf"));
        for file in listed {
            let text = fs::read_to_string(file).unwrap_or_default();
            let lines = text
                .lines()
                .map(|l| l.split('#').next().unwrap_or_default().trim());
            found.extend(
                lines
                    .filter(|l| l.starts_with('/'))
                    .map(|l| self.root.join(&l[1..])),
            );
        }
        let fixed = [
            "usr/local/lib",
            "usr/lib",
            "usr/lib64",
            "lib",
            "opt/homebrew/lib",
            "opt/onnxruntime/lib",
        ];
        found.extend(fixed.map(|f| self.root.join(f)));
        found
    }
}

/// `/usr` for `/usr/bin/python3`; on Windows, the folder of `python.exe` itself.
fn prefix(python: &Path) -> Option<PathBuf> {
    let folder = python.parent()?;
    let inside = folder
        .file_name()
        .is_some_and(|n| n == "bin" || n == "Scripts");
    if inside {
        folder.parent().map(Path::to_path_buf)
    } else {
        Some(folder.to_path_buf())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn touch(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"").unwrap();
    }

    fn surroundings(root: &Path) -> Surroundings {
        Surroundings {
            setting: None,
            python_prefixes: vec![root.join("venv")],
            path: vec![root.join("opt/py/bin")],
            loader_path: vec![],
            home: Some(root.join("home")),
            root: root.to_path_buf(),
        }
    }

    #[test]
    fn finds_every_kind_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let expected = [
            (
                "venv/lib/python3.12/site-packages/onnxruntime/capi/libonnxruntime.so.1.32.0",
                Source::PythonPackage,
            ),
            (
                "venv/lib/python3.9/site-packages/onnxruntime/capi/libonnxruntime.so.1.9.0",
                Source::PythonPackage,
            ),
            (
                "opt/py/lib/python3.11/site-packages/onnxruntime/capi/libonnxruntime.so.1.30.0",
                Source::PythonPackage,
            ),
            (
                "home/.local/lib/python3.11/site-packages/onnxruntime/capi/libonnxruntime.so.1.30.0",
                Source::PythonPackage,
            ),
            (
                "usr/lib/python3/dist-packages/onnxruntime/capi/libonnxruntime.so.1.21",
                Source::PythonPackage,
            ),
            ("usr/lib/special/libonnxruntime.so.1.32", Source::System),
            ("usr/lib/special/libonnxruntime.so.1.9", Source::System),
            ("usr/lib/libonnxruntime.so", Source::System),
        ];
        let expected = expected.map(|(path, source)| {
            let path = if cfg!(target_arch = "aarch64") {
                path.replace("x64", "arm64")
            } else {
                path.into()
            };
            Candidate {
                path: root.join(path),
                source,
            }
        });
        for c in &expected {
            touch(&c.path);
        }
        touch(&root.join("opt/py/bin/python3"));
        touch(&root.join("usr/lib/libonnxruntime_providers_shared.so"));
        touch(&root.join("etc/ld.so.conf.d/x.conf"));
        fs::write(
            root.join("etc/ld.so.conf.d/x.conf"),
            "# here\n/usr/lib/special\n",
        )
        .unwrap();

        let found = Search::within(&surroundings(root));
        assert_eq!(found.candidates, expected);
        assert!(found.looked.contains(&root.join("usr/lib")));
    }

    #[test]
    fn one_file_under_several_names_is_one_candidate() {
        let dir = tempfile::tempdir().unwrap();
        let lib = dir.path().join("usr/lib");
        touch(&lib.join("libonnxruntime.so.1.32.0"));
        std::os::unix::fs::symlink("libonnxruntime.so.1.32.0", lib.join("libonnxruntime.so"))
            .unwrap();
        let found = Search::within(&surroundings(dir.path()));
        assert_eq!(found.candidates.len(), 1, "{found:?}");
    }

    #[test]
    fn a_setting_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        touch(&root.join("usr/lib/libonnxruntime.so"));
        touch(&root.join("mine/libonnxruntime.so.1.32.0"));
        for (setting, path) in [
            ("absent/libonnxruntime.so", "absent/libonnxruntime.so"),
            ("mine", "mine/libonnxruntime.so.1.32.0"),
            (
                "mine/libonnxruntime.so.1.32.0",
                "mine/libonnxruntime.so.1.32.0",
            ),
        ] {
            let here = Surroundings {
                setting: Some(root.join(setting)),
                ..surroundings(root)
            };
            let found = Search::within(&here);
            let expected = Candidate {
                path: root.join(path),
                source: Source::Setting,
            };
            assert_eq!(found.candidates, [expected], "{setting}");
        }
    }
}
