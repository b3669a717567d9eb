//! What a command works on: a model by path or by name, rows for it, and the store.

use std::path::{Path, PathBuf};

use fretsaw::data::{self, Data, Matrix};
use fretsaw::load::{self, Loaded};
use fretsaw::model::Model;
use fretsaw::session::ort::{self, OrtSession, Runtime};
use fretsaw::{ErrorKind, onnx};
use fretsaw_store::{Store, Url};

use crate::args::StoreUrl;
use crate::failure::{Failure, Result};

impl StoreUrl {
    fn location(&self) -> Result<Url> {
        match self.url.as_deref() {
            Some(url) => Url::parse(url).map_err(|e| Failure::usage(e.to_string())),
            None => {
                let var = std::env::var_os;
                Ok(Url::default_location(
                    var("XDG_DATA_HOME").as_deref(),
                    var("HOME").as_deref(),
                )?)
            }
        }
    }

    /// Opens the store, and makes it where there is none.
    pub(crate) fn open(&self) -> Result<Store> {
        Ok(Store::open(&self.location()?)?)
    }
}

/// A model and what the registry knows of it.
pub(crate) struct Opened {
    pub(crate) loaded: Loaded,
    /// Name and version, where it came by name.
    pub(crate) registered: Option<(String, u32)>,
    /// The file's bytes, for backends that take files.
    pub(crate) bytes: Vec<u8>,
}

impl Opened {
    /// Whether the file itself is ONNX, whatever the model in it came from.
    pub(crate) fn is_onnx(&self) -> bool {
        load::is_onnx(&self.bytes)
    }
}

/// An ONNX file of ours whose graph our reader does not know again: ONNX Runtime can run it.
pub(crate) struct Unread {
    pub(crate) bytes: Vec<u8>,
    /// Its features, as [`onnx::row`] gives them.
    pub(crate) row: Model,
    /// What was not understood.
    pub(crate) why: Failure,
}

impl Unread {
    /// The file in ONNX Runtime, where `backend` allows it; else why it was not read.
    pub(crate) fn session(&self, backend: &str, threads: usize) -> Result<OrtSession> {
        let why = &self.why;
        if !matches!(backend, "auto" | "ort") {
            return Err(Failure::work(format!(
                "{why}; --backend ort runs it in ONNX Runtime"
            )));
        }
        let runtime = Runtime::get(None).map_err(|absent| {
            Failure::work(format!(
                "{why}; ONNX Runtime, which would run it, is not to be had: {absent}"
            ))
        })?;
        let options = ort::Options {
            threads,
            ..ort::Options::default()
        };
        Ok(OrtSession::open(runtime, &self.bytes, &options)?)
    }
}

/// As [`model`], but a file of ours that cannot be read is left to ONNX Runtime.
pub(crate) fn model_or_file(
    reference: &str,
    store: &StoreUrl,
) -> Result<std::result::Result<Opened, Box<Unread>>> {
    let found = find(reference, store)?;
    match load::load_bytes(&found.bytes, &found.path) {
        Ok(loaded) => Ok(Ok(Opened {
            loaded,
            registered: found.registered,
            bytes: found.bytes,
        })),
        Err(e) if e.kind() == ErrorKind::Unsupported && load::is_onnx(&found.bytes) => {
            let Some(row) = onnx::row(&found.bytes)? else {
                return Err(e.into());
            };
            Ok(Err(Box::new(Unread {
                bytes: found.bytes,
                row,
                why: e.into(),
            })))
        }
        Err(e) => Err(e.into()),
    }
}

/// Loads a model by path, `NAME@VERSION`, `NAME@ALIAS` or `NAME`.
pub(crate) fn model(reference: &str, store: &StoreUrl) -> Result<Opened> {
    let found = find(reference, store)?;
    Ok(Opened {
        loaded: load::load_bytes(&found.bytes, &found.path)?,
        registered: found.registered,
        bytes: found.bytes,
    })
}

/// As [`model`], without the file's bytes.
pub(crate) fn model_only(reference: &str, store: &StoreUrl) -> Result<Loaded> {
    let found = find(reference, store)?;
    Ok(load::load_owned(found.bytes, &found.path)?)
}

/// A model's file.
struct Found {
    bytes: Vec<u8>,
    path: PathBuf,
    registered: Option<(String, u32)>,
}

fn find(reference: &str, store: &StoreUrl) -> Result<Found> {
    let path = Path::new(reference);
    if path.exists() {
        return Ok(Found {
            bytes: load::read_file(path)?,
            path: path.to_path_buf(),
            registered: None,
        });
    }
    // A path that is not there should not be looked for in a registry.
    if reference.contains(['/', '\\']) || (path.extension().is_some() && !reference.contains('@')) {
        return Err(Failure::work(format!(
            "cannot read {reference}: no such file"
        )));
    }
    let store = store.open()?;
    let version = store
        .resolve(reference)
        .map_err(|e| Failure::work(format!("{reference} is no file, and in the registry: {e}")))?;
    let name = version.entry.name.clone();
    let artifact = &version.entry.artifact;
    // The file where it was, if it is still the same; else the store's own copy.
    let on_disk = artifact
        .path
        .as_ref()
        .map(PathBuf::from)
        .and_then(|p| Some((load::read_file(&p).ok()?, p)));
    let on_disk = on_disk.filter(|(bytes, _)| load::sha256(bytes) == artifact.sha256);
    let (bytes, path) = match on_disk {
        Some(found) => found,
        None => match store.artifact(&artifact.sha256)? {
            Some(bytes) => (bytes, PathBuf::from(format!("{name}@{}", version.version))),
            None => {
                let path = artifact.path.as_deref().unwrap_or("nowhere");
                return Err(Failure::work(format!(
                    "{name}@{}: its file ({path}) is gone or was changed, and the store holds no copy",
                    version.version
                )));
            }
        },
    };
    Ok(Found {
        bytes,
        path,
        registered: Some((name, version.version)),
    })
}

/// Reads a file of rows.
pub(crate) fn data(path: &Path) -> Result<Data> {
    Ok(data::read(path)?)
}

/// The rows of a file as a model takes them.
pub(crate) fn rows(data: &Data, model: &Model) -> Result<Matrix> {
    Ok(data.rows_for(model, &[])?)
}

/// All cores that this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
