//! Where a store is: `sqlite://PATH` for now. Parsing only: nothing is opened, no environment is
//! read.
//!
//! A path is taken as written: no percent-decoding, no query. What is refused is never echoed
//! beyond its scheme, since an address may hold a password.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// The address of a store.
///
/// ```
/// use fretsaw_store::Url;
/// let url = Url::parse("sqlite:///var/lib/fretsaw.db")?;
/// assert_eq!(url.path(), std::path::Path::new("/var/lib/fretsaw.db"));
/// assert!(Url::parse("postgres://app:secret@db/fretsaw").is_err());
/// # Ok::<(), fretsaw_store::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    path: PathBuf,
}

impl Url {
    /// Reads `sqlite://PATH` (relative to the current folder) or `sqlite:///absolute.db`. The
    /// scheme's case is free.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for `postgres://` and `postgresql://`, [`ErrorKind::InvalidUrl`]
    /// for everything else.
    pub fn parse(url: &str) -> Result<Url> {
        let invalid = |what: &str| {
            Error::new(
                ErrorKind::InvalidUrl,
                format!("{what}; write sqlite://PATH, or sqlite:///PATH for an absolute path"),
            )
        };
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(invalid("the store's address has no scheme"));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "sqlite" if rest.is_empty() => Err(invalid("the store's address has no path")),
            "sqlite" if rest.contains('\0') => {
                Err(invalid("the store's path holds a NUL character"))
            }
            "sqlite" if rest.ends_with('/') => {
                Err(invalid("the store's path names a folder, not a file"))
            }
            "sqlite" => Ok(Url::file(rest)),
            "postgres" | "postgresql" => Err(Error::new(
                ErrorKind::Unsupported,
                "this build has the embedded store only, not PostgreSQL; write sqlite://PATH",
            )),
            _ => Err(invalid(
                "the store's address has a scheme that is not known",
            )),
        }
    }

    /// The store in the SQLite file at `path`.
    pub fn file(path: impl Into<PathBuf>) -> Url {
        Url { path: path.into() }
    }

    /// Where the store is when nobody says: `fretsaw/fretsaw.db` in the user's data folder, which
    /// is `xdg_data_home` (the value of `XDG_DATA_HOME`) where that is an absolute path, as its
    /// specification asks, and else `.local/share` in `home`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidUrl`] where neither names a folder.
    pub fn default_location(xdg_data_home: Option<&OsStr>, home: Option<&OsStr>) -> Result<Url> {
        let folder =
            |value: Option<&OsStr>| value.map(PathBuf::from).filter(|path| path.is_absolute());
        let data = folder(xdg_data_home)
            .or_else(|| folder(home).map(|home| home.join(".local/share")))
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidUrl,
                    "no place for the store: neither XDG_DATA_HOME nor HOME is an absolute path; \
                     name one as sqlite://PATH",
                )
            })?;
        Ok(Url::file(data.join("fretsaw").join("fretsaw.db")))
    }

    /// The SQLite file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sqlite://{}", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (url, path) in [
            ("sqlite://a.db", "a.db"),
            ("sqlite://dir/a b%20?x=1.db", "dir/a b%20?x=1.db"),
            ("sqlite:///abs/a.db", "/abs/a.db"),
            ("SQLite://a.db", "a.db"),
        ] {
            assert_eq!(Url::parse(url).unwrap().path(), Path::new(path), "{url}");
        }
        assert_eq!(
            Url::parse("sqlite://a.db").unwrap().to_string(),
            "sqlite://a.db"
        );
    }

    #[test]
    fn refused_addresses_keep_their_secrets() {
        use ErrorKind::*;
        for (url, kind, says) in [
            ("", InvalidUrl, "no scheme"),
            ("a.db", InvalidUrl, "no scheme"),
            ("user:hunter2@db/x", InvalidUrl, "no scheme"),
            ("sqlite:a.db", InvalidUrl, "no scheme"),
            ("sqlite://", InvalidUrl, "no path"),
            ("sqlite:///", InvalidUrl, "folder"),
            ("sqlite://a\0b", InvalidUrl, "NUL"),
            ("mysql://u:hunter2@db/x", InvalidUrl, "not known"),
            ("hunter2://x", InvalidUrl, "not known"),
            (
                "postgres://u:hunter2@db/x",
                Unsupported,
                "embedded store only",
            ),
            (
                "PostgreSQL://u:hunter2@db",
                Unsupported,
                "embedded store only",
            ),
        ] {
            let error = Url::parse(url).unwrap_err();
            assert_eq!(error.kind(), kind, "{url}");
            for text in [error.to_string(), format!("{error:?}")] {
                assert!(text.contains(says), "{url}: {text}");
                assert!(!text.contains("hunter2"), "{url}: {text}");
            }
        }
    }

    #[test]
    fn default_location() {
        for (xdg, home, path) in [
            (
                Some("/data"),
                Some("/home/u"),
                Some("/data/fretsaw/fretsaw.db"),
            ),
            (
                None,
                Some("/home/u"),
                Some("/home/u/.local/share/fretsaw/fretsaw.db"),
            ),
            (
                Some(""),
                Some("/home/u"),
                Some("/home/u/.local/share/fretsaw/fretsaw.db"),
            ),
            (
                Some("relative"),
                Some("/h"),
                Some("/h/.local/share/fretsaw/fretsaw.db"),
            ),
            (Some("relative"), None, None),
            (None, Some(""), None),
            (None, None, None),
        ] {
            let found = Url::default_location(xdg.map(OsStr::new), home.map(OsStr::new));
            match path {
                Some(path) => assert_eq!(found.unwrap().path(), Path::new(path)),
                None => assert_eq!(found.unwrap_err().kind(), ErrorKind::InvalidUrl),
            }
        }
    }
}
