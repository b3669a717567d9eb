//! Which format a file is in, from its first bytes. It tells formats apart that cannot be read too,
//! so that a refusal can name what was given and say what to do.

use crate::document::{self, Json, Ubjson};
use crate::{Error, xgboost};

/// A model file's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// XGBoost's JSON, or the JSON snapshot of a pickled Booster.
    XgboostJson,
    /// XGBoost's UBJSON, or the snapshot in it.
    XgboostUbjson,
    /// The binary format that XGBoost had until 3.1.
    XgboostBinary,
    /// LightGBM's text.
    LightgbmText,
    /// LightGBM's JSON dump.
    LightgbmJson,
    /// CatBoost's `.cbm`.
    CatboostBinary,
    /// CatBoost's JSON.
    CatboostJson,
    /// ONNX.
    Onnx,
    /// A Python pickle, or what joblib writes without compression.
    Pickle,
    /// Compressed by zlib, as joblib does by default.
    Zlib,
    /// Compressed by gzip.
    Gzip,
    /// Compressed by bzip2.
    Bzip2,
    /// Compressed by xz.
    Xz,
    /// Compressed by LZMA, the older container of xz.
    Lzma,
    /// Compressed by LZ4.
    Lz4,
    /// A zip archive, such as skops writes.
    Zip,
    /// None of these.
    Unknown,
}

/// Tells a file's format from its content. Never fails, and reads little of the file.
pub fn detect(bytes: &[u8]) -> Format {
    const MAGIC: &[(&[u8], Format)] = &[
        (b"CBM1", Format::CatboostBinary),
        (b"\x1f\x8b", Format::Gzip),
        (b"BZh", Format::Bzip2),
        (b"\xfd7zXZ\0", Format::Xz),
        (b"]\0\0", Format::Lzma),
        (b"\x04\x22\x4d\x18", Format::Lz4),
        (b"PK\x03\x04", Format::Zip),
        (b"tree\n", Format::LightgbmText),
        (b"tree\r\n", Format::LightgbmText),
    ];
    // Before all others, since it may begin with any number.
    if xgboost::is_binary(bytes) {
        return Format::XgboostBinary;
    }
    if let Some((_, format)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return *format;
    }
    match bytes {
        [0x80, 0..=5, ..] => Format::Pickle,
        [0x78, flags, ..] if (0x7800 + u16::from(*flags)) % 31 == 0 => Format::Zlib,
        [b'{', b'L' | b'l' | b'I' | b'U' | b'i', ..] => ubjson(bytes),
        _ if bytes.trim_ascii_start().starts_with(b"{") => json(bytes),
        _ if is_old_pickle(bytes) => Format::Pickle,
        _ if is_onnx(bytes) => Format::Onnx,
        _ => Format::Unknown,
    }
}

fn json(bytes: &[u8]) -> Format {
    let known = |key: &str| match key {
        "learner" | "Model" => Some(Format::XgboostJson),
        "oblivious_trees" | "features_info" | "model_info" => Some(Format::CatboostJson),
        "tree_info" => Some(Format::LightgbmJson),
        _ => None,
    };
    match document::find_key(Json::new(bytes), known) {
        Ok(Some(format)) => format,
        _ => Format::Unknown,
    }
}

fn ubjson(bytes: &[u8]) -> Format {
    let known = |key: &str| matches!(key, "learner" | "Model").then_some(Format::XgboostUbjson);
    match document::find_key(Ubjson::new(bytes), known) {
        Ok(Some(format)) => format,
        _ => Format::Unknown,
    }
}

/// Protocols 0 and 1 have no header; every object in them begins with a name on two lines.
fn is_old_pickle(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(b"c") else {
        return false;
    };
    let mut lines = rest.split(|&b| b == b'\n');
    let is_name = |line: Option<&[u8]>| {
        line.is_some_and(|l| {
            !l.is_empty()
                && l.len() < 200
                && l.iter()
                    .all(|b| b.is_ascii_alphanumeric() || b"_.".contains(b))
        })
    };
    is_name(lines.next()) && is_name(lines.next()) && lines.next().is_some()
}

/// Whether the bytes begin like a serialized `onnx.ModelProto` and get as far as its graph.
fn is_onnx(bytes: &[u8]) -> bool {
    const GRAPH: u64 = 7;
    let mut rest = bytes;
    let varint = |rest: &mut &[u8]| {
        let mut value = 0_u64;
        for shift in (0..63).step_by(7) {
            let (&b, tail) = rest.split_first()?;
            *rest = tail;
            value |= u64::from(b & 0x7f) << shift;
            if b & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    };
    while let Some(tag) = varint(&mut rest) {
        let Some(value) = varint(&mut rest) else {
            return false;
        };
        match (tag >> 3, tag & 7) {
            (1 | 5, 0) => {}
            (GRAPH, 2) => return true,
            (2..=4 | 6 | 8 | 14 | 20 | 25 | 26, 2) => {
                match usize::try_from(value).ok().and_then(|n| rest.get(n..)) {
                    Some(tail) => rest = tail,
                    None => return false,
                }
            }
            _ => return false,
        }
    }
    false
}

impl Format {
    /// Why a file of this format is not imported here.
    pub(crate) fn refusal(self) -> Error {
        let (what, advice) = match self {
            Self::Onnx => ("an ONNX model", "it needs no import"),
            Self::Zip => (
                "a zip archive that is no skops file",
                "it has no schema.json; give the model file itself",
            ),
            Self::Zlib | Self::Gzip | Self::Bzip2 | Self::Xz | Self::Lzma | Self::Lz4 => {
                ("a file compressed twice", "decompress it first")
            }
            Self::Pickle
            | Self::XgboostJson
            | Self::XgboostUbjson
            | Self::XgboostBinary
            | Self::LightgbmText
            | Self::LightgbmJson
            | Self::CatboostBinary
            | Self::CatboostJson => ("a model within a model", "save it by itself"),
            Self::Unknown => {
                return Error::unknown_format(
                    "this is no model file that is known: expected XGBoost's JSON, UBJSON or binary format, \
                     LightGBM's text or JSON, CatBoost's .cbm or JSON, \
                     a pickle or joblib file of an estimator, or ONNX",
                );
            }
        };
        Error::unsupported(what, advice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_content() {
        let old_xgboost = {
            let mut bytes = vec![0; 136];
            bytes.extend(15_u64.to_le_bytes());
            bytes.extend(b"binary:logistic");
            bytes.extend(6_u64.to_le_bytes());
            bytes.extend(b"gbtree");
            bytes
        };
        let cases: &[(&[u8], Format)] = &[
            (b"", Format::Unknown),
            (b"hello, world", Format::Unknown),
            (b"{}", Format::Unknown),
            (b"{\"learner", Format::Unknown),
            (b"{\"learner\":", Format::XgboostJson),
            (
                b"\n { \"Config\": {\"a\":[1,{}]}, \"Model\": 1",
                Format::XgboostJson,
            ),
            (b"{\"model_info\":{}", Format::CatboostJson),
            (
                b"{\"name\":\"tree\",\"tree_info\":[]}",
                Format::LightgbmJson,
            ),
            (b"{L\0\0\0\0\0\0\0\x07learner{", Format::XgboostUbjson),
            (b"{L\0\0\0\0\0\0\0\x07learn", Format::Unknown),
            (b"{L\x7f\xff\xff\xff\xff\xff\xff\xff", Format::Unknown),
            (b"\x80\x04\x95", Format::Pickle),
            (b"\x80\x09", Format::Unknown),
            (b"ccopy_reg\n_reconstructor\np0\n", Format::Pickle),
            (b"cat and dog\nmouse\n", Format::Unknown),
            (b"\x78\x9c\x01", Format::Zlib),
            (b"\x78\x00", Format::Unknown),
            (b"\x1f\x8b\x08", Format::Gzip),
            (b"BZh9", Format::Bzip2),
            (b"\xfd7zXZ\0", Format::Xz),
            (b"]\0\0\x80", Format::Lzma),
            (b"\x04\x22\x4d\x18", Format::Lz4),
            (b"PK\x03\x04", Format::Zip),
            (b"tree\nversion=v4\n", Format::LightgbmText),
            (b"CBM1", Format::CatboostBinary),
            (b"binf", Format::XgboostBinary),
            (b"CONFIG-offset:", Format::XgboostBinary),
            (b"bs64\tAAAA", Format::XgboostBinary),
            (&old_xgboost, Format::XgboostBinary),
            (&old_xgboost[..old_xgboost.len() - 1], Format::Unknown),
            (b"\x08\x0a\x12\x02ab\x3a\x05", Format::Onnx),
            (b"\x3a\x80\x01", Format::Onnx),
            (b"\x08\x0a\x12\xff\x01ab", Format::Unknown),
            (b"\x08\x0a", Format::Unknown),
        ];
        for (bytes, format) in cases {
            assert_eq!(detect(bytes), *format, "{}", bytes.escape_ascii());
        }
    }
}
