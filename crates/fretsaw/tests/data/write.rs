//! Predictions written and read back, and files that appear whole or not at all.

use std::fs;
use std::path::Path;

use fretsaw::data::{Writer, check_output, read, write_atomically, write_predictions};
use fretsaw::model::{Feature, Float};
use fretsaw::session::{Buffer, Predictions};

use crate::{Folder, model, rows_of, strings};

#[test]
fn predictions_come_back_to_the_bit() {
    let folder = Folder::new();
    let single = vec![0.1, 1e-40, f32::MAX, -0.0, f32::MIN_POSITIVE, 16_777_217.0];
    let double = vec![0.1, 5e-324, f64::MAX, -0.0, 1.0 / 3.0, 1e22];
    let names = strings(&["p_a", "p_\"b\",c"]);
    for values in [Buffer::F32(single), Buffer::F64(double)] {
        let float = match &values {
            Buffer::F32(_) => Float::F32,
            Buffer::F64(_) => Float::F64,
        };
        let predictions = Predictions {
            n_columns: 2,
            values,
        };
        let m = model(names.iter().map(Feature::numeric).collect(), float);
        for file in ["p.npy", "p.csv", "p.parquet"] {
            let path = folder.path(file);
            write_predictions(&path, &predictions, &names).unwrap();
            let back = rows_of(&path, &m).unwrap();
            assert_eq!(back.values(), &predictions.values, "{file}");
            let sign = back.rows().get(1, 1).is_sign_negative();
            assert!(sign, "{file}: minus zero");
        }
        let header = fs::read(folder.path("p.npy")).unwrap();
        assert_eq!(header[..8], *b"\x93NUMPY\x01\x00");
        assert_eq!((10 + usize::from(header[8])) % 64, 0);
    }
    let csv = fs::read_to_string(folder.path("p.csv")).unwrap();
    assert!(
        csv.starts_with("p_a,\"p_\"\"b\"\",c\"\n0.1,5e-324\n"),
        "{csv}"
    );
    let none = Predictions::new(Float::F32, 1);
    for file in ["none.npy", "none.csv", "none.parquet"] {
        write_predictions(&folder.path(file), &none, &strings(&["p"])).unwrap();
        assert_eq!(read(&folder.path(file)).unwrap().n_rows(), 0);
    }
}

#[test]
fn a_file_written_in_parts_is_the_same_and_appears_when_it_is_whole() {
    let folder = Folder::new();
    let part = |values: &[f32]| Predictions {
        n_columns: 1,
        values: Buffer::F32(values.to_vec()),
    };
    let (all, names) = (part(&[1.0, 2.5, -0.0]), strings(&["p"]));
    for file in ["p.npy", "p.csv", "p.parquet"] {
        let path = folder.path(file);
        let mut writer = Writer::create(&path, &all, 3, &names).unwrap();
        writer.write(&part(&[1.0, 2.5])).unwrap();
        assert!(!path.exists());
        writer.write(&part(&[])).unwrap();
        writer.write(&part(&[3.0, 4.0])).unwrap_err();
        writer.write(&Predictions::new(Float::F64, 1)).unwrap_err();
        writer.write(&part(&[-0.0])).unwrap();
        writer.finish().unwrap();
        let m = model(vec![Feature::numeric("p")], Float::F32);
        let back = rows_of(&path, &m).unwrap();
        assert_eq!(back.values(), &all.values, "{file}");
    }
    let short = Writer::create(&folder.path("short.npy"), &all, 3, &names).unwrap();
    short.finish().unwrap_err();
    let left = Writer::create(&folder.path("left.npy"), &all, 3, &names).unwrap();
    drop(left);
    assert_eq!(folder.names().len(), 3, "{:?}", folder.names());
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let folder = Folder::new();
    let path = folder.file("out.onnx", "before");
    let failed = write_atomically(&path, |w| {
        w.write_all(b"half")?;
        Err(std::io::Error::other("the disk is full"))
    });
    let message = failed.unwrap_err().to_string();
    assert!(
        message.contains("cannot write") && message.contains("disk is full"),
        "{message}"
    );
    assert_eq!(fs::read(&path).unwrap(), b"before");
    assert_eq!(folder.names(), ["out.onnx"]);

    let unwound = std::panic::catch_unwind(|| {
        write_atomically(&path, |_| std::panic::resume_unwind(Box::new(())))
    });
    assert!(unwound.is_err());
    assert_eq!(folder.names(), ["out.onnx"]);

    write_atomically(&path, |w| w.write_all(b"after")).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"after");
    assert_eq!(folder.names(), ["out.onnx"]);

    fs::create_dir(folder.path("dir.npy")).unwrap();
    for (name, part) in [
        ("dir.npy", "it is a folder"),
        ("absent/y.npy", "does not exist"),
        ("out.onnx/y.npy", "is not a folder"),
        ("y.onnx", ".npy, .csv"),
    ] {
        let message = check_output(&folder.path(name)).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    check_output(&folder.path("y.npy")).unwrap();
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_devices_left_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let real = folder.file("real.bin", "before");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.path("link.bin");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    write_atomically(&link, |w| w.write_all(b"after")).unwrap();
    assert_eq!(fs::read(&real).unwrap(), b"after");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(
        fs::metadata(&real).unwrap().permissions().mode() & 0o777,
        0o640
    );
    let device = write_atomically(Path::new("/dev/null"), |_| Ok(()));
    assert!(
        device
            .unwrap_err()
            .to_string()
            .contains("not a regular file")
    );
}
