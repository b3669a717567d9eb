//! `.npy` files of every type, and headers that lie.

use fretsaw::model::Float;

use crate::{Folder, assert_error, cells, model, numeric, rows_of};

/// An `.npy` file as NumPy writes it.
pub(crate) fn npy(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

#[test]
fn npy_values_of_every_type() {
    let folder = Folder::new();
    let m = model(numeric(&["a", "b"]), Float::F64);
    let want = vec![Some(1.0), Some(2.0), Some(3.0), Some(4.0)];
    macro_rules! bytes {
        ($t:ty, $to:ident) => {
            [1 as $t, 2 as $t, 3 as $t, 4 as $t].map(<$t>::$to).concat()
        };
    }
    let half = [0x3c00_u16, 0x4000, 0x4200, 0x4400]
        .map(u16::to_le_bytes)
        .concat();
    for (descr, data) in [
        ("'<f4'", bytes!(f32, to_le_bytes)),
        ("'>f4'", bytes!(f32, to_be_bytes)),
        ("'<f8'", bytes!(f64, to_le_bytes)),
        ("'>f8'", bytes!(f64, to_be_bytes)),
        ("'<f2'", half),
        ("'|i1'", bytes!(i8, to_le_bytes)),
        ("'|u1'", bytes!(u8, to_le_bytes)),
        ("'<i2'", bytes!(i16, to_le_bytes)),
        ("'>u2'", bytes!(u16, to_be_bytes)),
        ("'<i4'", bytes!(i32, to_le_bytes)),
        ("'<u4'", bytes!(u32, to_le_bytes)),
        ("'>i8'", bytes!(i64, to_be_bytes)),
        ("'<u8'", bytes!(u64, to_le_bytes)),
    ] {
        let path = folder.file("x.npy", npy(descr, "False", "(2, 2)", &data));
        assert_eq!(cells(&rows_of(&path, &m).unwrap()), want, "{descr}");
        let path = folder.file("x.npy", npy(descr, "True", "(2, 2)", &data));
        let got = cells(&rows_of(&path, &m).unwrap());
        assert_eq!(got, [0, 2, 1, 3].map(|i| want[i]), "{descr}, by columns");
    }
    let path = folder.file("x.npy", npy("'|b1'", "False", "(1, 2)", &[1, 0]));
    assert_eq!(cells(&rows_of(&path, &m).unwrap()), [Some(1.0), Some(0.0)]);

    let data: Vec<u8> = [1.0_f32, 3.0, 5.0, 2.0, f32::NAN, 6.0]
        .map(f32::to_le_bytes)
        .concat();
    let path = folder.file("x.npy", npy("'<f4'", "True", "(3, 2)", &data));
    let got = rows_of(&path, &m).unwrap();
    assert_eq!(
        cells(&got),
        [Some(1.0), Some(2.0), Some(3.0), None, Some(5.0), Some(6.0)]
    );
    assert_eq!(got.slice(1..3).get(1, 0), 5.0);
    assert_eq!(got.rows().float(), Float::F32);

    // Just above half way between two f32, by less than an f64 can tell: cast once, not twice.
    let odd = (1_i64 << 62) + (1 << 38) + 1;
    let path = folder.file("x.npy", npy("'<i8'", "False", "(1,)", &odd.to_le_bytes()));
    let got = rows_of(&path, &model(numeric(&["a"]), Float::F32)).unwrap();
    assert_eq!(got.rows().get(0, 0), f64::from(odd as f32));
    assert_ne!(odd as f32, odd as f64 as f32);
}

#[test]
fn npy_faults() {
    let folder = Folder::new();
    let m = model(numeric(&["a", "b"]), Float::F64);
    let whole = npy("'<f4'", "False", "(2, 2)", &[0; 16]);
    for (bytes, parts) in [
        (
            npy("'<f4'", "False", "(2, 3)", &[0; 24]),
            &["3 columns", "2 features"][..],
        ),
        (npy("'<f4'", "False", "(0, 2)", &[]), &["no rows"]),
        (
            npy("'<f4'", "False", "(9999999999999, 2)", &[0; 8]),
            &["9999999999999 x 2", "8 bytes"],
        ),
        (
            npy("'<f4'", "False", "(18446744073709551615, 2)", &[0; 8]),
            &["8 bytes"],
        ),
        (npy("'<f4'", "False", "(1, 2)", &[0; 9]), &["9 bytes"]),
        (npy("'|O'", "False", "(1, 2)", &[0; 9]), &["Python objects"]),
        (whole[..40].to_vec(), &["cut off"]),
        (whole[..9].to_vec(), &["cut off"]),
        (whole[..6].to_vec(), &["no .npy"]),
        (b"PK\x03\x04 an npz".to_vec(), &["no .npy"]),
    ] {
        let path = folder.file("x.npy", bytes);
        assert_error(rows_of(&path, &m), &path, parts);
    }
    let path = folder.path("absent.npy");
    assert_error(rows_of(&path, &m), &path, &["cannot read", "no such file"]);
    let path = folder.file("x.txt", "");
    assert_error(rows_of(&path, &m), &path, &[".npy, .csv, .parquet or .pq"]);
}
