//! How a model is named: `NAME`, `NAME@VERSION`, `NAME@ALIAS`; and what may be a name. Text only,
//! no database.

use crate::error::{Error, ErrorKind, Result};

/// The alias that a bare `NAME` means: the version in use.
pub const CHAMPION: &str = "champion";
/// The alias of the newest version that was not promoted yet.
pub const CHALLENGER: &str = "challenger";

const MAX_NAME_BYTES: usize = 255;
const MAX_ALIAS_BYTES: usize = 64;

/// Which version of a model is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// A version's number.
    Version(u32),
    /// The version that an alias stands at.
    Alias(String),
}

/// A model's name, and which version of it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The model's name.
    pub name: String,
    /// The version meant; [`CHAMPION`] where none was written.
    pub selector: Selector,
}

impl Reference {
    /// Reads `NAME`, `NAME@VERSION` or `NAME@ALIAS`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] where the name or the alias cannot be one.
    pub fn parse(text: &str) -> Result<Reference> {
        let (name, selector) = match text.rsplit_once('@') {
            None => (text, Selector::Alias(CHAMPION.to_string())),
            Some((name, which)) if is_number(which) => {
                let version = which.parse().map_err(|_| {
                    invalid(format!(
                        "version {which:?} is too large; versions count from 1"
                    ))
                })?;
                (name, Selector::Version(version))
            }
            Some((name, which)) => {
                check_alias(which)?;
                (name, Selector::Alias(which.to_string()))
            }
        };
        check_name(name)?;
        Ok(Reference {
            name: name.to_string(),
            selector,
        })
    }
}

/// A name goes into references (`@`), URLs and file names (`/`, `\`), and one line of text (control
/// characters). Everything else is a name: no character is special to the database.
///
/// # Errors
/// When the registry would not take the name: why.
pub fn check_name(name: &str) -> Result<()> {
    let fault = if name.is_empty() {
        "is empty"
    } else if name.len() > MAX_NAME_BYTES {
        "is longer than 255 bytes"
    } else if name.contains(['@', '/', '\\']) || name.contains(char::is_control) {
        "holds '@', '/', '\\' or a control character"
    } else if name.trim() != name {
        "begins or ends with a space"
    } else {
        return Ok(());
    };
    let shown: String = name.chars().take(80).collect();
    Err(invalid(format!(
        "model name {shown:?} {fault}; choose another"
    )))
}

/// An alias is a plain word, and no number, which would be a version.
pub(crate) fn check_alias(alias: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if alias.is_empty()
        || alias.len() > MAX_ALIAS_BYTES
        || !alias.chars().all(plain)
        || is_number(alias)
    {
        let shown: String = alias.chars().take(80).collect();
        return Err(invalid(format!(
            "{shown:?} is no alias: up to 64 letters, digits, '_', '-' and '.', and not a number"
        )));
    }
    Ok(())
}

/// A SHA-256 as text: 64 hexadecimal digits in lower case, so that equal hashes are equal text.
pub(crate) fn check_sha256(what: &str, sha256: &str) -> Result<()> {
    let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    if sha256.len() == 64 && sha256.bytes().all(hex) {
        return Ok(());
    }
    Err(invalid(format!(
        "the {what}'s SHA-256 must be 64 hexadecimal digits in lower case"
    )))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        let alias = |alias: &str| Selector::Alias(alias.to_string());
        for (text, name, selector) in [
            ("m", "m", alias(CHAMPION)),
            ("m@3", "m", Selector::Version(3)),
            ("m@007", "m", Selector::Version(7)),
            ("m@champion", "m", alias("champion")),
            ("m@v2.1-rc", "m", alias("v2.1-rc")),
            (
                "a model; DROP TABLE x; --@1",
                "a model; DROP TABLE x; --",
                Selector::Version(1),
            ),
            ("Modèle", "Modèle", alias(CHAMPION)),
        ] {
            let read = Reference::parse(text).unwrap();
            assert_eq!(
                (read.name.as_str(), read.selector),
                (name, selector),
                "{text}"
            );
        }
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "@1",
            "m@",
            "m@ ",
            "a@b@c",
            "m@99999999999",
            "a/b",
            "a\\b",
            "a\nb",
            "a\0",
            " m",
            "m ",
            "m@é",
            "m@x y",
        ] {
            let error = Reference::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text:?}");
            assert!(!error.to_string().contains('\n'), "{text:?}");
        }
        assert!(check_name(&"n".repeat(255)).is_ok());
        assert!(check_name(&"n".repeat(256)).is_err());
        assert!(check_alias(&"a".repeat(65)).is_err());
        for sha256 in ["", &"g".repeat(64), &"A".repeat(64), &"a".repeat(63)] {
            assert!(check_sha256("source", sha256).is_err(), "{sha256}");
        }
    }
}
