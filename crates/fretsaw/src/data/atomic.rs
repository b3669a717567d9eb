//! Files that appear under their name when complete, or not at all.
//!
//! The bytes go to a temporary file in the same folder, are flushed to the disk, and the file is
//! renamed. A process that is killed in between may leave the temporary file; it never leaves a
//! part of the output under its name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Error, ErrorKind, Result};

/// Writes a file through `write`; whatever stood under the name is replaced in one step.
///
/// A link is followed and its target replaced; permissions of a file that is replaced are kept.
///
/// # Errors
/// When the folder does not exist, something other than a regular file has the name, or writing
/// fails; then nothing has changed under the name and the temporary file is gone.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
) -> Result<()> {
    let target = check_target(path)?;
    let written = Staged::create(target).and_then(|mut staged| {
        write(&mut staged)?;
        staged.finish()
    });
    written.map_err(|e| Error::io("cannot write", path, e))
}

/// The file to replace, links followed.
///
/// # Errors
/// When a file cannot appear there.
pub(super) fn check_target(path: &Path) -> Result<PathBuf> {
    let cannot = |why: String| {
        Error::new(
            ErrorKind::Io,
            format!("cannot write {}: {why}", path.display()),
        )
    };
    if path.file_name().is_none() {
        return Err(cannot("this names no file".into()));
    }
    let folder = folder_of(path);
    match fs::metadata(folder) {
        Ok(m) if m.is_dir() => {}
        Ok(_) => return Err(cannot(format!("{} is not a folder", folder.display()))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(cannot(format!(
                "the folder {} does not exist",
                folder.display()
            )));
        }
        Err(e) => return Err(Error::io("cannot write", path, e)),
    }
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(path.to_owned()),
        Err(e) => Err(Error::io("cannot write", path, e)),
        Ok(_) => {
            let target = fs::canonicalize(path).map_err(|e| Error::io("cannot write", path, e))?;
            match fs::metadata(&target) {
                Ok(m) if m.is_file() => Ok(target),
                Ok(m) if m.is_dir() => Err(cannot("it is a folder".into())),
                Ok(_) => Err(cannot("it is not a regular file".into())),
                Err(e) => Err(Error::io("cannot write", path, e)),
            }
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
}

/// A file on its way: what is written goes to a temporary file, and appears under the name at the
/// end, or never.
pub(super) struct Staged {
    out: BufWriter<File>,
    temporary: Temporary,
    target: PathBuf,
}

impl Staged {
    /// Begins the file that is to be called `target`, of which [`check_target`] knows.
    pub(super) fn create(target: PathBuf) -> io::Result<Self> {
        let (temporary, file) = Temporary::create(folder_of(&target))?;
        Ok(Self {
            out: BufWriter::new(file),
            temporary,
            target,
        })
    }

    /// Puts it under its name.
    pub(super) fn finish(self) -> io::Result<()> {
        let Self {
            out,
            mut temporary,
            target,
        } = self;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        if let Ok(metadata) = fs::metadata(&target) {
            file.set_permissions(metadata.permissions())?;
        }
        file.sync_all()?;
        drop(file);
        fs::rename(&temporary.path, &target)?;
        temporary.renamed = true;
        // The rename itself is made durable where the system can; where it cannot, the file is whole.
        if cfg!(unix)
            && let Ok(folder) = File::open(folder_of(&target))
        {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A file that is removed when dropped, unless it was renamed.
struct Temporary {
    path: PathBuf,
    renamed: bool,
}

impl Temporary {
    fn create(folder: &Path) -> io::Result<(Self, File)> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!(".fretsaw-{}-{n}.tmp", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                // Left by a process of the same number that was killed.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
                Ok(file) => {
                    let renamed = false;
                    return Ok((Self { path, renamed }, file));
                }
            }
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = fs::remove_file(&self.path);
        }
    }
}
