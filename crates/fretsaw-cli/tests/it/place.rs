//! A folder and a store for one test, the binary run in it, and what it said.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Where a test runs the binary. Gone when dropped.
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        Self { dir }
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file into it.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).expect("a file in the test's own folder");
        path
    }

    /// The binary with this place as folder and home, and with little time to measure.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fretsaw"));
        command
            .current_dir(self.dir.path())
            .env("HOME", self.dir.path())
            .env("XDG_DATA_HOME", self.path("data"))
            .env("ORT_DYLIB_PATH", "/nonexistent/libonnxruntime.so")
            .env("FRETSAW_EFFORT_MS", "1")
            .env_remove("FRETSAW_ORT")
            .env_remove("FRETSAW_STORE")
            .env_remove("FRETSAW_ISA")
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        Ran::of(self.command().args(args))
    }

    /// Runs the binary with arguments written in one line, separated by spaces.
    pub(crate) fn line(&self, args: &str) -> Ran {
        self.run(args.split_whitespace())
    }

    /// Every file and folder in it by its path, sorted; the store is left out.
    pub(crate) fn listing(&self) -> Vec<String> {
        let mut out = Vec::new();
        let mut folders = vec![self.dir.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a folder that can be read") {
                let path = entry.expect("an entry").path();
                if path == self.path("data") {
                    continue;
                }
                let name = path.strip_prefix(self.dir.path()).expect("inside");
                out.push(name.display().to_string());
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                }
            }
        }
        out.sort();
        out
    }
}

/// What a run said, and how it ended.
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    command: String,
}

impl Ran {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().expect("the binary starts");
        Self::ended(format!("{command:?}"), &output)
    }

    pub(crate) fn ended(command: String, output: &Output) -> Self {
        Self {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            command,
        }
    }

    /// It did what was asked, and said nothing on stderr.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.status, Some(0), "{}\n{}", self.command, self.stderr);
        assert_eq!(self.stderr, "", "{}", self.command);
        self
    }

    /// It ended with this status and one line that says why, in which each of `parts` stands.
    #[track_caller]
    pub(crate) fn failed(&self, status: i32, parts: &[&str]) {
        let said = format!("{}\nstderr: {:?}", self.command, self.stderr);
        assert_eq!(self.status, Some(status), "{said}");
        let line = self.stderr.strip_suffix('\n').expect(&said);
        assert!(line.starts_with("error: "), "{said}");
        assert!(line.len() > "error: ".len() + 5, "too short: {said}");
        assert!(!line.chars().any(char::is_control), "not one line: {said}");
        assert!(line.chars().count() < 600, "too long: {said}");
        for wrong in [
            "panicked",
            "RUST_BACKTRACE",
            "os error",
            "Error {",
            "unwrap",
        ] {
            assert!(!line.contains(wrong), "{wrong}: {said}");
        }
        for part in parts {
            assert!(line.contains(part), "no {part:?} in it: {said}");
        }
    }

    /// Stdout, all of which is JSON.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let ran = self.done();
        serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|e| panic!("{}: stdout is no JSON: {e}\n{}", ran.command, ran.stdout))
    }
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
        .canonicalize()
        .unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A file of the repository as an argument.
pub(crate) fn argument(path: &str) -> String {
    repository(path).to_str().expect("a path in UTF-8").into()
}

/// The example's model: 500 trees, 35 named features, two classes.
pub(crate) fn example_model() -> String {
    argument("examples/sp500/model.ubj")
}

/// The example's rows, 2,506 with labels.
pub(crate) fn example_rows() -> String {
    argument("examples/sp500/holdout.parquet")
}

/// A file of a small golden case: two classes, unnamed features.
pub(crate) fn small(file: &str) -> String {
    argument(&format!("testdata/xgboost-3.4.0/binary/{file}"))
}

/// An `.npy` file of f32, rows x columns.
pub(crate) fn npy(rows: usize, columns: usize, values: &[f32]) -> Vec<u8> {
    assert_eq!(values.len(), rows * columns);
    let mut out = npy_header("<f4", &format!("({rows}, {columns})"));
    out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    out
}

/// The head of an `.npy` file that claims this type and shape.
pub(crate) fn npy_header(kind: &str, shape: &str) -> Vec<u8> {
    let mut text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + text.len() + 1) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let length = u16::try_from(text.len()).expect("a short header");
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend(length.to_le_bytes());
    out.extend(text.as_bytes());
    out
}

/// Shape and values of an `.npy` file of f32 or f64 that the binary wrote.
pub(crate) fn read_npy(path: &Path) -> (Vec<usize>, Vec<f64>) {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(&bytes[..6], b"\x93NUMPY", "{}", path.display());
    let (start, length) = match bytes[6] {
        1 => (10, usize::from(u16::from_le_bytes([bytes[8], bytes[9]]))),
        _ => (
            12,
            u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]) as usize,
        ),
    };
    let header = String::from_utf8_lossy(&bytes[start..start + length]).into_owned();
    let (_, shape) = header.split_once('(').expect("a shape");
    let (shape, _) = shape.split_once(')').expect("a shape");
    let shape = shape.split(',').map(str::trim).filter(|n| !n.is_empty());
    let shape = shape.map(|n| n.parse().expect("a length")).collect();
    let data = &bytes[start + length..];
    let values = if header.contains("<f4") {
        let of = |b: &[u8]| f64::from(f32::from_le_bytes(b.try_into().expect("four bytes")));
        data.chunks_exact(4).map(of).collect()
    } else {
        assert!(header.contains("<f8"), "{header}");
        let of = |b: &[u8]| f64::from_le_bytes(b.try_into().expect("eight bytes"));
        data.chunks_exact(8).map(of).collect()
    };
    (shape, values)
}
