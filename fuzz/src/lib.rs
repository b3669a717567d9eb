//! What every fuzz target asks of the code under test; the targets only say where bytes come from.

use fretsaw_import::Error;
use fretsaw_model::{Model, Rows};

/// A model that was imported is valid, and answers; a refusal is one line of a bearable length.
///
/// # Panics
/// When that does not hold.
pub fn check_import(result: Result<Model, Error>) {
    let model = match result {
        Ok(model) => model,
        Err(error) => {
            let line = error.to_string();
            assert!(!line.contains('\n') && line.len() < 6000, "{line:?}");
            return;
        }
    };
    let width = model.features.len();
    if width <= 4096 {
        for value in [0.0, f64::NAN, -1.5, f64::INFINITY] {
            let row = vec![value; width];
            let narrow: Vec<f32> = row.iter().map(|&v| v as f32).collect();
            let rows = if model.needs_double_rows() {
                Rows::f64(&row, width)
            } else {
                Rows::f32(&narrow, width)
            }
            .expect("one row is a whole number of rows");
            let answers =
                fretsaw_model::predict(&model, &rows).expect("the row has the model's width");
            assert_eq!(answers.len(), model.n_columns());
        }
    }
    assert!(model.into_draft().build().is_ok());
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
