//! Where a store can be, and what is said where it cannot: one line with the path and what to do,
//! and nothing changed.

use std::fs;
use std::path::Path;

use fretsaw_store::{Error, ErrorKind, LogRow, SCHEMA_VERSION, Store, Url};
use rusqlite::Connection;

use super::{new_version, store, url, with_versions};

/// Opens what must not open, and checks the shape of the error.
fn refused(path: &Path, kind: ErrorKind, says: &str) {
    let error = Store::open(&Url::file(path)).expect_err(says);
    check(&error, path, kind, says);
}

fn check(error: &Error, path: &Path, kind: ErrorKind, says: &str) {
    let line = error.to_string();
    assert_eq!(error.kind(), kind, "{line}");
    assert_eq!(error.path(), Some(path));
    assert!(
        line.contains(says) && line.contains(&format!("{path:?}")),
        "{line}"
    );
    assert!(
        !line.contains('\n') && line.contains(';'),
        "says what to do, in one line: {line}"
    );
}

#[test]
fn a_new_place_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep").join("er").join("s t%20o?re.db");
    for _ in 0..3 {
        let status = Store::open(&Url::file(&path)).unwrap().status().unwrap();
        assert_eq!(status.schema_version, SCHEMA_VERSION);
        assert_eq!(status.journal_mode, "wal");
        assert!(status.file_bytes > 0);
        assert_eq!(
            (status.model_versions, status.metric_rows, status.log_rows),
            (0, 0, 0)
        );
        assert_eq!((status.oldest_log_us, status.newest_log_us), (None, None));
    }
    assert!(path.is_file());
}

#[test]
fn an_empty_file_is_a_new_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.db");
    fs::write(&path, "").unwrap();
    Store::open(&Url::file(&path)).unwrap();
}

#[test]
fn a_folder() {
    let folder = tempfile::tempdir().unwrap();
    refused(folder.path(), ErrorKind::NotAStore, "a folder");
}

#[test]
fn files_that_are_something_else() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("short", b"hello".to_vec()),
        ("text", b"{\"learner\": {}}\n".repeat(1000)),
        ("zeros", vec![0; 8192]),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, &bytes).unwrap();
        refused(&path, ErrorKind::NotAStore, "not an SQLite database");
        assert_eq!(fs::read(&path).unwrap(), bytes, "{name} is left as it was");
    }
}

#[test]
fn another_program_s_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE \"bo\nokmarks\" (x)")
        .unwrap();
    let before = fs::read(&path).unwrap();
    refused(&path, ErrorKind::NotAStore, "another program's database");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_newer_database() {
    let (folder, store) = store();
    drop(store);
    let path = folder.path().join("store.db");
    let conn = Connection::open(&path).unwrap();
    conn.execute(
        "INSERT INTO fretsaw_schema VALUES ($1, 'later', 0)",
        [SCHEMA_VERSION + 6],
    )
    .unwrap();
    conn.close().unwrap();
    let before = fs::read(&path).unwrap();
    let says = format!("version {}", SCHEMA_VERSION + 6);
    refused(&path, ErrorKind::NewerSchema, &says);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn places_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    refused(
        &file.join("store.db"),
        ErrorKind::Unwritable,
        "folder cannot be made",
    );
    #[cfg(target_os = "linux")]
    {
        refused(
            Path::new("/proc/fretsaw.db"),
            ErrorKind::Unwritable,
            "cannot be opened",
        );
        refused(
            Path::new("/proc/fretsaw/x.db"),
            ErrorKind::Unwritable,
            "folder cannot be made",
        );
    }
}

#[cfg(unix)]
#[test]
fn a_read_only_file() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, store) = store();
    drop(store);
    let path = folder.path().join("store.db");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    if fs::OpenOptions::new().write(true).open(&path).is_ok() {
        println!("skipped: this user may write read-only files");
        return;
    }
    refused(&path, ErrorKind::Unwritable, "read-only");
}

#[cfg(unix)]
#[test]
fn a_read_only_folder() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, store) = store();
    drop(store);
    let mode = |mode| {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o555);
    if fs::write(folder.path().join("probe"), "x").is_ok() {
        println!("skipped: this user may write read-only folders");
        return;
    }
    for name in ["store.db", "new.db"] {
        let path = folder.path().join(name);
        refused(&path, ErrorKind::Unwritable, "cannot be opened for writing");
    }
    mode(0o755);
}

#[test]
fn a_damaged_database() {
    let (folder, mut store) = with_versions(3);
    let row = LogRow {
        model_name: "m".into(),
        client: Some("c".repeat(500)),
        ..LogRow::default()
    };
    store.log_inference(&vec![row; 200]).unwrap();
    drop(store);
    let path = folder.path().join("store.db");
    let whole = fs::read(&path).unwrap();

    // Every page but the first overwritten: the header says SQLite, the tables are gone.
    let mut bytes = whole.clone();
    bytes[4096..].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    refused(&path, ErrorKind::Corrupt, "damaged");

    // One page at a time: whatever is asked, the answer is right or an error of this kind, and
    // never a panic.
    let pages = whole.len() / 4096;
    let mut errors = 0;
    for page in 1..pages {
        let mut bytes = whole.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        fs::write(&path, &bytes).unwrap();
        let asked = Store::open(&url(&folder)).and_then(|mut store| {
            store.list()?;
            store.show("m")?;
            store.history(&Default::default())?;
            store.register(&new_version("m", 9))?;
            store.prune_logs(1)
        });
        if let Err(error) = asked {
            errors += 1;
            check(&error, &path, ErrorKind::Corrupt, "damaged");
        }
    }
    assert!(errors > pages / 2, "{errors} of {pages} pages were missed");

    // Cut short.
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error =
        Store::open(&url(&folder)).and_then(|store| store.history(&Default::default()).map(drop));
    check(&error.unwrap_err(), &path, ErrorKind::Corrupt, "damaged");
}

#[test]
fn a_value_that_no_build_wrote() {
    let (folder, store) = with_versions(1);
    let conn = Connection::open(folder.path().join("store.db")).unwrap();
    conn.execute(
        "UPDATE onnx_model_registry SET metadata = '{', version = version",
        [],
    )
    .unwrap();
    let error = store.show("m").unwrap_err();
    check(&error, store.path(), ErrorKind::Corrupt, "cannot be read");
}
