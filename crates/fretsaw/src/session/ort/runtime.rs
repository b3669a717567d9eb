//! Loads ONNX Runtime, at most once a process, and keeps what came of it.
//!
//! A file is looked at before it is loaded, since loading runs its code: a text file, a truncated
//! download or somebody else's library is refused without that. It does not search
//! ([`super::find`] does) and opens no model.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ::ort::LoadDynamicError;
use ::ort::environment::Environment;
use ::ort::logging::LogLevel;

use super::find::{Candidate, Search, Source};
use crate::{Error, ErrorKind};

/// The oldest ONNX Runtime that can be used.
pub const OLDEST: &str = "1.24";

/// ONNX Runtime, loaded into this process.
pub struct Runtime {
    path: PathBuf,
    source: Source,
    version: String,
    environment: Environment,
}

/// Why there is no ONNX Runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// Libraries that were tried, each with what is wrong with it.
    pub tried: Vec<(PathBuf, String)>,
    /// The setting, or the folders that were looked into.
    pub looked: Vec<PathBuf>,
}

static RUNTIME: OnceLock<Result<Runtime, Absent>> = OnceLock::new();

impl Runtime {
    /// The process's ONNX Runtime: the first that [`super::find`] finds and that loads.
    ///
    /// The first call decides for the whole process; a later call's `setting` changes nothing.
    ///
    /// # Errors
    /// When there is none, or none that can be used.
    pub fn get(setting: Option<&str>) -> Result<&'static Self, &'static Absent> {
        RUNTIME
            .get_or_init(|| Self::load(Search::new(setting)))
            .as_ref()
    }

    fn load(search: Search) -> Result<Self, Absent> {
        let mut tried = Vec::new();
        for candidate in search.candidates {
            match attempt(&candidate) {
                Ok(runtime) => return Ok(runtime),
                Err(refusal) => {
                    tried.push((candidate.path, refusal.reason));
                    if refusal.is_final {
                        break;
                    }
                }
            }
        }
        Err(Absent {
            tried,
            looked: search.looked,
        })
    }

    /// The library's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Who pointed at the library.
    pub fn source(&self) -> Source {
        self.source
    }

    /// Its version, such as `1.32.0`; `1.24 or later` where the file does not tell.
    pub fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ONNX Runtime {} ({})", self.version, self.path.display())
    }
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tried.first() {
            Some((path, reason)) => write!(f, "no ONNX Runtime: {}: {reason}", path.display())?,
            None => f.write_str("no ONNX Runtime found")?,
        }
        write!(
            f,
            "; install the Python package onnxruntime, {OLDEST} or later, or point FRETSAW_ORT at the library"
        )
    }
}

impl std::error::Error for Absent {}

impl From<&Absent> for Error {
    fn from(e: &Absent) -> Self {
        Self::new(ErrorKind::Backend, e.to_string()).with_source(e.clone())
    }
}

/// Why a library is not used.
#[derive(Debug)]
struct Refusal {
    /// In one line.
    reason: String,
    /// Whether the binding took it up before it failed: it takes up only one a process, so that no
    /// other can be tried.
    is_final: bool,
}

/// Loads the library, or says why not.
fn attempt(candidate: &Candidate) -> Result<Runtime, Refusal> {
    let path = candidate.path.as_path();
    let refused = |is_final| move |reason| Refusal { reason, is_final };
    let version = examine(path).map_err(refused(false))?;
    // The binding asserts that the library's table of functions is there.
    let environment = panic::catch_unwind(|| {
        let builder = ::ort::init_from(path).map_err(|e| refused(false)(describe(&e)))?;
        // Failures are returned, not logged, and nothing is sent anywhere.
        let builder = builder.with_name("fretsaw").with_telemetry(false);
        builder
            .build()
            .map_err(|e| refused(true)(super::one_line(e.message())))
    })
    .unwrap_or_else(|_| Err(refused(true)("its table of functions is broken".into())))?;
    environment.set_log_level(LogLevel::Fatal);
    let version = version
        .or_else(|| version_in_name(path))
        .unwrap_or_else(|| format!("{OLDEST} or later"));
    Ok(Runtime {
        path: path.to_path_buf(),
        source: candidate.source,
        version,
        environment,
    })
}

fn describe(e: &LoadDynamicError) -> String {
    match e {
        LoadDynamicError::Dlopen { error, .. } => {
            format!(
                "the system cannot load it: {}",
                super::one_line(&error.to_string())
            )
        }
        LoadDynamicError::MissingApi { .. } => NOT_ONNX_RUNTIME.into(),
        LoadDynamicError::BadVersion { version_str, .. } => {
            format!("version {version_str} is too old: {OLDEST} or later is needed")
        }
        LoadDynamicError::InvalidVersionString => "its version is no text".into(),
    }
}

const ENTRY: &[u8] = b"OrtGetApiBase";
const NOT_ONNX_RUNTIME: &str =
    "a shared library, but not ONNX Runtime (it exports no OrtGetApiBase)";

/// Reads the file at `path` as far as needed to know that it is ONNX Runtime, and gives the version
/// that it names, if it does.
fn examine(path: &Path) -> Result<Option<String>, String> {
    if path.is_dir() {
        return Err("a folder that holds no ONNX Runtime library".into());
    }
    let unreadable = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => format!("cannot read: {e}"),
    };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        // Opening a pipe would wait for somebody to write.
        return Err("not a file".into());
    }
    let len = metadata.len();
    let mut file = File::open(path).map_err(unreadable)?;
    let mut head = Vec::new();
    (&file)
        .take(64)
        .read_to_end(&mut head)
        .map_err(unreadable)?;
    match head.get(..4) {
        Some(b"\x7fELF") if elf_end(&head).is_some_and(|end| end > len) => {
            return Err(format!(
                "truncated: {len} bytes, which is less than its header tells"
            ));
        }
        Some(b"\x7fELF" | b"\xcf\xfa\xed\xfe" | b"\xca\xfe\xba\xbe") => {}
        Some([b'M', b'Z', ..]) => {}
        _ => return Err("not a shared library".into()),
    }
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    match window_with(&mut file, ENTRY).map_err(unreadable)? {
        Some(window) => Ok(version_tag(&window)),
        None => Err(NOT_ONNX_RUNTIME.into()),
    }
}

/// Where a 64-bit little-endian ELF file's section headers end, by its own header. They stand last,
/// and the loader, which does not look at them, would map a shorter file and die reading it.
fn elf_end(head: &[u8]) -> Option<u64> {
    if head.len() < 64 || head[4] != 2 || head[5] != 1 {
        return None;
    }
    let offset = u64::from_le_bytes(head[40..48].try_into().ok()?);
    let size = u16::from_le_bytes(head[58..60].try_into().ok()?);
    let count = u16::from_le_bytes(head[60..62].try_into().ok()?);
    offset.checked_add(u64::from(size) * u64::from(count))
}

/// The part of the file around the first `needle`.
fn window_with(file: &mut File, needle: &[u8]) -> io::Result<Option<Vec<u8>>> {
    const STEP: u64 = 1 << 18;
    let mut window = Vec::new();
    loop {
        // What a needle on the border needs, and the names next to it, are kept.
        let keep = window.len().saturating_sub(1 << 14);
        window.drain(..keep);
        if file.take(STEP).read_to_end(&mut window)? == 0 {
            return Ok(None);
        }
        if window.windows(needle.len()).any(|w| w == needle) {
            file.take(1 << 14).read_to_end(&mut window)?;
            return Ok(Some(window));
        }
    }
}

/// On Linux ONNX Runtime's names carry its version: `VERS_1.32.0`.
fn version_tag(window: &[u8]) -> Option<String> {
    let tag = b"VERS_";
    let at = window.windows(tag.len()).position(|w| w == tag)? + tag.len();
    let digits = window[at..]
        .iter()
        .take_while(|b| b.is_ascii_digit() || **b == b'.');
    let version: String = digits.map(|&b| char::from(b)).collect();
    (!version.is_empty()).then_some(version)
}

/// `1.32.0` in `libonnxruntime.so.1.32.0` or `libonnxruntime.1.32.0.dylib`, links followed.
fn version_in_name(path: &Path) -> Option<String> {
    let real = path.canonicalize().ok()?;
    let name = real.file_name()?.to_str()?;
    let numbers: Vec<&str> = name
        .split('.')
        .filter(|part| part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty())
        .collect();
    (numbers.len() > 1).then(|| numbers.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 64-bit ELF header whose section headers end at `end`.
    fn elf(end: u64) -> Vec<u8> {
        let mut head = vec![0; 64];
        head[..6].copy_from_slice(b"\x7fELF\x02\x01");
        head[40..48].copy_from_slice(&end.to_le_bytes());
        head
    }

    fn refused(path: &Path) -> String {
        attempt(&Candidate {
            path: path.to_path_buf(),
            source: Source::Setting,
        })
        .unwrap_err()
        .reason
    }

    #[test]
    fn what_is_not_onnx_runtime_is_refused_unloaded() {
        let dir = tempfile::tempdir().unwrap();
        let other = [elf(64), b"some_other_symbol".to_vec()].concat();
        for (name, bytes, reason) in [
            ("empty", vec![], "not a shared library"),
            (
                "text",
                b"hello, this is no library".to_vec(),
                "not a shared library",
            ),
            ("cut", elf(35_000_000), "truncated: 64 bytes"),
            ("other", other, "not ONNX Runtime"),
        ] {
            let path = dir.path().join(name);
            fs::write(&path, bytes).unwrap();
            let message = refused(&path);
            assert!(message.contains(reason), "{name}: {message}");
        }
        assert_eq!(refused(&dir.path().join("absent")), "no such file");
        assert!(refused(dir.path()).contains("folder"));
    }

    #[test]
    fn what_the_loader_refuses_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("libonnxruntime.so");
        fs::write(&path, [elf(64), ENTRY.to_vec()].concat()).unwrap();
        let message = refused(&path);
        assert!(
            message.contains("cannot load") && !message.contains('\n'),
            "{message}"
        );
    }

    #[test]
    fn the_entry_is_found_across_reads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        for before in [0, (1 << 18) - 5, 1 << 18, 600_000] {
            let bytes = [
                vec![b'.'; before],
                ENTRY.to_vec(),
                b"\0VERS_1.30.2\0".to_vec(),
            ]
            .concat();
            fs::write(&path, bytes).unwrap();
            let window = window_with(&mut File::open(&path).unwrap(), ENTRY)
                .unwrap()
                .unwrap();
            assert_eq!(version_tag(&window).as_deref(), Some("1.30.2"), "{before}");
        }
    }

    #[test]
    fn versions_in_names() {
        let dir = tempfile::tempdir().unwrap();
        for (name, version) in [
            ("libonnxruntime.so.1.32.0", Some("1.32.0")),
            ("libonnxruntime.1.32.0.dylib", Some("1.32.0")),
            ("libonnxruntime.so", None),
            ("libonnxruntime.so.1", None),
        ] {
            let path = dir.path().join(name);
            fs::write(&path, b"").unwrap();
            assert_eq!(version_in_name(&path).as_deref(), version, "{name}");
        }
    }

    #[test]
    fn absence_is_one_line_with_what_to_do() {
        let none = Absent {
            tried: vec![],
            looked: vec!["/usr/lib".into()],
        };
        assert!(none.to_string().contains("FRETSAW_ORT"));
        let old = Absent {
            tried: vec![("/x.so".into(), "version 1.2 is too old".into())],
            looked: vec![],
        };
        assert!(
            Error::from(&old)
                .to_string()
                .starts_with("no ONNX Runtime: /x.so: version 1.2 is too old")
        );
    }
}
