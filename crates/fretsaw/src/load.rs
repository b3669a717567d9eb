//! From a path to a model: any format that an importer or the ONNX reader knows.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use fretsaw_import::Format;
use fretsaw_model::Model;
use sha2::{Digest, Sha256};

use crate::{Error, ErrorKind, Result};

/// A model as it was loaded.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The file.
    pub path: PathBuf,
    /// The model.
    pub model: Model,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
    /// Size of the file.
    pub bytes: u64,
}

impl Loaded {
    /// The name that the file gives the model: its stem.
    pub fn name(&self) -> String {
        let stem = |p: &Path| p.file_stem().map(|s| s.to_string_lossy().into_owned());
        stem(&self.path).unwrap_or_else(|| "model".into())
    }
}

/// Reads and imports the model at `path`; its format is detected.
///
/// # Errors
/// When the file cannot be read, is no model of a known format, is broken, or holds something that
/// cannot be represented exactly (named).
pub fn load(path: &Path) -> Result<Loaded> {
    load_owned(read_file(path)?, path)
}

/// All bytes of the regular file at `path`.
///
/// # Errors
/// When it cannot be read, or is something else: a pipe or a device may never end.
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    read_regular(path).map_err(|e| Error::io("cannot read", path, e))
}

fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    // Asked before opening, which would wait for a pipe's other end.
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::Error::other("it is a folder; name the file in it"));
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    fs::read(path)
}

/// Imports a model that is in memory already; `path` names it in errors, and external data of an
/// ONNX file are read from beside it.
///
/// # Errors
/// As [`load`].
pub fn load_bytes(bytes: &[u8], path: &Path) -> Result<Loaded> {
    let model = match is_onnx(bytes) {
        true => onnx(bytes.to_vec(), path),
        false => fretsaw_import::import(bytes).map_err(imported),
    };
    let model = model.map_err(|e| e.in_file(path))?;
    Ok(loaded(model, path, sha256(bytes), bytes.len()))
}

/// As [`load_bytes`], but lets go of the bytes as soon as it can: a large model then need not be in
/// memory next to its file.
///
/// # Errors
/// As [`load`].
pub fn load_owned(bytes: Vec<u8>, path: &Path) -> Result<Loaded> {
    let (sha256, n_bytes) = (sha256(&bytes), bytes.len());
    let model = match is_onnx(&bytes) {
        true => onnx(bytes, path),
        false => fretsaw_import::import_owned(bytes).map_err(imported),
    };
    let model = model.map_err(|e| e.in_file(path))?;
    Ok(loaded(model, path, sha256, n_bytes))
}

fn loaded(model: Model, path: &Path, sha256: String, n_bytes: usize) -> Loaded {
    Loaded {
        path: path.to_path_buf(),
        // A variant that we wrote carries its source's hash; any other file is its own source.
        model: model.of_source(&sha256),
        sha256,
        bytes: n_bytes as u64,
    }
}

/// Whether the bytes look like an ONNX file.
pub fn is_onnx(bytes: &[u8]) -> bool {
    fretsaw_import::detect(bytes) == Format::Onnx
}

fn onnx(bytes: Vec<u8>, path: &Path) -> Result<Model> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let external = |name: &str| read_regular(&folder.join(name));
    crate::onnx::read_owned(bytes, &external)
}

fn imported(e: fretsaw_import::Error) -> Error {
    let kind = match e.kind() {
        fretsaw_import::ErrorKind::Unsupported { .. } => ErrorKind::Unsupported,
        _ => ErrorKind::Model,
    };
    Error::new(kind, e.to_string()).with_source(e)
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 of all that `reader` gives, in lower-case hexadecimal.
///
/// # Errors
/// The reader's own.
pub fn sha256_of(mut reader: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            n => hash.update(&buffer[..n]),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
