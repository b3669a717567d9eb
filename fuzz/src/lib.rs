//! What every fuzz target asks of the code under test; the targets only say where bytes come from.

mod ways;

use fretsaw_model::{FeatureKind, Model, Rows};

/// Features of a model that is also run and written: beyond, one input would take seconds.
const MAX_WIDTH: usize = 4096;

/// A model that was imported is valid and answers, the engine as the reference does; written as ONNX
/// and read back it is the same model or refused. A refusal is one line of a bearable length.
///
/// # Panics
/// When that does not hold.
pub fn check_import<E: std::fmt::Display>(result: Result<Model, E>) {
    let model = match result {
        Ok(model) => model,
        Err(error) => return check_line(&error),
    };
    let width = model.features.len();
    if width <= MAX_WIDTH && widest(&model) <= MAX_WIDTH {
        let wide = rows_of(&model);
        let narrow: Vec<f32> = wide.iter().map(|&v| v as f32).collect();
        ways::agree(&model, &Rows::f64(&wide, width).expect("whole rows"));
        if !model.needs_double_rows() {
            ways::agree(&model, &Rows::f32(&narrow, width).expect("whole rows"));
        }
        ways::there_and_back(&model, &wide, &narrow);
    }
    assert!(model.into_draft().build().is_ok());
}

/// A refusal is one line, and bearable.
///
/// # Panics
/// When it is not.
pub fn check_line(error: &impl std::fmt::Display) {
    let line = error.to_string();
    assert!(!line.contains('\n') && line.len() < 6000, "{line:?}");
}

/// The most values that a row has anywhere on the way through the model's outer steps.
fn widest(model: &Model) -> usize {
    let mut n = model.features.len();
    let steps = model.steps.iter().map(|step| {
        n = step.width(n);
        n
    });
    steps.max().unwrap_or(0).max(model.body.n_outputs())
}

/// Rows of one value each, and one that counts; text stands as the number of a known one, or -1.
fn rows_of(model: &Model) -> Vec<f64> {
    let width = model.features.len();
    let mut rows = Vec::new();
    for value in [0.0, f64::NAN, -1.5, f64::INFINITY, 2.0] {
        rows.resize(rows.len() + width, value);
    }
    rows.extend((0..width).map(|i| i as f64 * 0.37 - 1.0));
    for row in rows.chunks_exact_mut(width) {
        for (v, feature) in row.iter_mut().zip(&model.features) {
            if let FeatureKind::Text { known } = &feature.kind
                && !(0..known.len()).any(|code| *v == code as f64)
                && !v.is_nan()
            {
                *v = -1.0;
            }
        }
    }
    rows
}

/// A zip archive of members that are stored as they are, their checksums right.
///
/// # Panics
/// When a member is beyond what a zip archive can say.
pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in members {
        let size = u32::try_from(content.len()).expect("members are small");
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend(crc32(content).to_le_bytes());
        common.extend(size.to_le_bytes());
        common.extend(size.to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend((out.len() as u32).to_le_bytes());
        directory.extend(name.as_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(*content);
    }
    let from = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    let n = members.len() as u16;
    out.extend(n.to_le_bytes());
    out.extend(n.to_le_bytes());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(from.to_le_bytes());
    out.extend([0, 0]);
    out
}

/// CRC-32 of zip, a bit at a time.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, &b| {
        (0..8).fold(crc ^ u32::from(b), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}
