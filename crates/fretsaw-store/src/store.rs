//! Opening a store, its transactions, its state, and pruning. What is kept in it is the business of
//! the other files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{
    Connection, ErrorCode, MAIN_DB, OpenFlags, Transaction, TransactionBehavior, params,
};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Fault, Result};
use crate::migrate::{self, MIGRATIONS, SCHEMA_VERSION};
use crate::sql::prepare;
use crate::url::Url;

/// How long a call waits for another process's write lock. Writes take milliseconds; this is for a
/// slow disk.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// An open store: one connection to one database.
///
/// It is `Send` and not `Sync`: writing takes `&mut self`, and each thread has its own or shares
/// one behind a lock.
#[derive(Debug)]
pub struct Store {
    conn: Connection,
    path: PathBuf,
    journal_mode: String,
}

/// The state of a store, as `store status` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// Where it is, as `sqlite://PATH`.
    pub url: String,
    /// The database and its version, such as `SQLite 3.54.0`.
    pub database: String,
    /// The schema's version. An open store is always at this build's own.
    pub schema_version: u32,
    /// SQLite's journal mode: `wal`, or what the file system allows instead.
    pub journal_mode: String,
    /// Size of the database with its write-ahead log, in bytes.
    pub file_bytes: u64,
    /// Of these, bytes that are free for new rows.
    pub free_bytes: u64,
    /// Rows of `onnx_model_registry`: versions of models.
    pub model_versions: u64,
    /// Rows of `onnx_optimization_metrics`: variants measured.
    pub metric_rows: u64,
    /// Rows of `onnx_performance_logs`: inference requests.
    pub log_rows: u64,
    /// Time of the oldest log row, in microseconds since 1970-01-01 UTC.
    pub oldest_log_us: Option<i64>,
    /// Time of the newest log row, in microseconds since 1970-01-01 UTC.
    pub newest_log_us: Option<i64>,
}

/// The time now, in microseconds since 1970-01-01 UTC.
pub fn now_us() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

impl Store {
    /// Opens the store at `url`, makes it (and its folder) where there is none, and brings its
    /// schema up to date.
    ///
    /// # Errors
    /// [`ErrorKind::NotAStore`], [`ErrorKind::NewerSchema`], [`ErrorKind::Corrupt`],
    /// [`ErrorKind::Unwritable`], [`ErrorKind::Full`] or [`ErrorKind::Busy`]. A database that is
    /// refused is left as it was.
    pub fn open(url: &Url) -> Result<Store> {
        let path = url.path().to_path_buf();
        prepare_place(&path)?;
        let (conn, journal_mode) = connect(&path).map_err(|fault| fault.at(&path))?;
        Ok(Store {
            conn,
            path,
            journal_mode,
        })
    }

    /// The SQLite file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Size, rows and versions of the store.
    ///
    /// # Errors
    /// The database's own.
    pub fn status(&self) -> Result<StoreStatus> {
        let file_bytes = [self.path.clone(), wal_of(&self.path)]
            .iter()
            .filter_map(|path| fs::metadata(path).ok())
            .map(|file| file.len())
            .sum();
        self.read(|conn| {
            let count = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, u64>(0));
            let (oldest_log_us, newest_log_us) = conn.query_row(
                // Two subqueries: each is then the first step of the index, not a walk over all of
                // it.
                "SELECT (SELECT MIN(time_us) FROM onnx_performance_logs),
                        (SELECT MAX(time_us) FROM onnx_performance_logs)",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            Ok(StoreStatus {
                url: Url::file(&self.path).to_string(),
                database: format!("SQLite {}", rusqlite::version()),
                schema_version: SCHEMA_VERSION,
                journal_mode: self.journal_mode.clone(),
                file_bytes,
                free_bytes: count("PRAGMA freelist_count")? * count("PRAGMA page_size")?,
                model_versions: count("SELECT COUNT(*) FROM onnx_model_registry")?,
                metric_rows: count("SELECT COUNT(*) FROM onnx_optimization_metrics")?,
                log_rows: count("SELECT COUNT(*) FROM onnx_performance_logs")?,
                oldest_log_us,
                newest_log_us,
            })
        })
    }

    /// Removes the log rows older than `before_us` and answers how many they were. Registry and
    /// metrics are never pruned. The file keeps its size; the room is used by later rows.
    ///
    /// # Errors
    /// The database's own.
    pub fn prune_logs(&mut self, before_us: i64) -> Result<u64> {
        self.write(|transaction| {
            let removed = prepare(
                transaction,
                "DELETE FROM onnx_performance_logs WHERE time_us < $1",
            )?
            .execute(params![before_us])?;
            Ok(removed as u64)
        })
    }

    /// Runs `work` in a transaction that holds the write lock from its start, so that what it reads
    /// cannot change under it.
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T> {
        let conn = &mut self.conn;
        let attempt = || {
            let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let answer = work(&transaction)?;
            transaction.commit()?;
            Ok(answer)
        };
        attempt().map_err(|fault: Fault| fault.at(&self.path))
    }

    /// Runs `work` on one snapshot of the database.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T> {
        let attempt = || {
            let transaction = self.conn.unchecked_transaction()?;
            work(&transaction)
        };
        attempt().map_err(|fault: Fault| fault.at(&self.path))
    }
}

/// Tells apart, before SQLite does in fewer words, the places where a store cannot be; makes its
/// folder.
fn prepare_place(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Err(Error::new(
            ErrorKind::NotAStore,
            "a folder, not a file; name a file in it, such as fretsaw.db",
        )
        .at(path));
    }
    let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    else {
        return Ok(());
    };
    fs::create_dir_all(folder).map_err(|error| {
        // Without the number that Rust puts behind the system's words.
        let text = error.to_string();
        let words = text
            .split(" (os error")
            .next()
            .unwrap_or_default()
            .to_lowercase();
        Error::new(
            ErrorKind::Unwritable,
            format!("its folder cannot be made ({words}); make it, or name another place"),
        )
        .at(path)
        .caused_by(error)
    })
}

fn connect(path: &Path) -> Result<(Connection, String), Fault> {
    // A relative path goes in as ./path: SQLite has a meaning of its own for names such as
    // ":memory:".
    let literal = if path.is_relative() {
        Path::new(".").join(path)
    } else {
        path.to_path_buf()
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(literal, flags)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    // Room for every statement that this crate has.
    conn.set_prepared_statement_cache_capacity(64);
    // Refuses what is not ours before anything is written.
    migrate::current(&conn, MIGRATIONS)?;
    // SQLite opens a file that it may not write as read-only, and says nothing.
    if conn.is_readonly(MAIN_DB)? {
        return Err(Error::new(
            ErrorKind::Unwritable,
            "read-only; make it and its folder writable, or name another place",
        )
        .into());
    }
    let journal_mode = enter_wal(&conn)?;
    conn.pragma_update(None, "synchronous", "NORMAL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    migrate::migrate(&mut conn, MIGRATIONS, now_us())?;
    Ok((conn, journal_mode))
}

/// Switches to write-ahead logging, where readers and the writer do not wait for each other, and
/// answers the mode in force. A file system without shared memory keeps the rollback journal:
/// slower, equally safe.
fn enter_wal(conn: &Connection) -> Result<String, Fault> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        let answer = conn.query_row("PRAGMA journal_mode = WAL", [], |row| {
            row.get::<_, String>(0)
        });
        match answer {
            Ok(mode) => return Ok(mode),
            // The switch needs the file for a moment alone, and SQLite does not always wait for
            // that by itself.
            Err(error) if is_busy(&error) && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn wal_of(path: &Path) -> PathBuf {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    PathBuf::from(wal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LogRow, Metric, Run, RunKind, RunModel};

    fn send<T: Send>() {}

    #[test]
    fn a_store_may_move_between_threads() {
        send::<Store>();
    }

    /// A store whose database cannot grow by more than `pages`.
    fn nearly_full(folder: &Path, pages: u64) -> Store {
        let store = Store::open(&Url::file(folder.join("full.db"))).unwrap();
        let used: u64 = store
            .conn
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .unwrap();
        store
            .conn
            .pragma_update(None, "max_page_count", used + pages)
            .unwrap();
        store
    }

    #[test]
    fn a_full_disk_keeps_all_of_a_request_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = nearly_full(folder.path(), 16);
        let row = LogRow {
            model_name: "m".into(),
            client: Some("c".repeat(2000)),
            ..LogRow::default()
        };
        let batch = vec![row; 10];
        let mut kept = 0;
        let error = loop {
            match store.log_inference(&batch) {
                Ok(()) => kept += 10,
                Err(error) => break error,
            }
        };
        assert!(kept > 0);
        assert_eq!(error.kind(), ErrorKind::Full);
        assert!(error.to_string().contains("full.db") && error.to_string().contains("prune"));
        assert_eq!(store.status().unwrap().log_rows, kept);

        let run = Run {
            run_id: "r".into(),
            time_us: 0,
            kind: RunKind::Bench,
            model: RunModel::Known {
                name: "m".into(),
                version: None,
            },
            metrics: vec![
                Metric {
                    reason: Some("r".repeat(3000)),
                    ..Metric::default()
                };
                50
            ],
        };
        assert_eq!(store.record_run(&run).unwrap_err().kind(), ErrorKind::Full);
        assert_eq!(store.status().unwrap().metric_rows, 0);

        // Pruning makes room, and the store goes on.
        assert_eq!(store.prune_logs(1).unwrap(), kept);
        store.log_inference(&batch).unwrap();
        assert_eq!(store.status().unwrap().log_rows, 10);
    }

    #[test]
    fn no_room_for_the_schema() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.db");
        let mut conn = Connection::open(&path).unwrap();
        conn.pragma_update(None, "max_page_count", 4).unwrap();
        let fault = migrate::migrate(&mut conn, MIGRATIONS, 0).unwrap_err();
        assert_eq!(fault.at(&path).kind(), ErrorKind::Full);
        drop(conn);
        Store::open(&Url::file(&path)).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_file_system_without_shared_memory() {
        // This way of locking has none, so there is no write-ahead log.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dotfile.db");
        let mut conn =
            Connection::open_with_flags_and_vfs(&path, OpenFlags::default(), c"unix-dotfile")
                .unwrap();
        assert_eq!(enter_wal(&conn).ok().as_deref(), Some("delete"));
        assert!(migrate::migrate(&mut conn, MIGRATIONS, 0).is_ok());
    }

    #[test]
    fn another_writer_that_does_not_finish() {
        let folder = tempfile::tempdir().unwrap();
        let url = Url::file(folder.path().join("busy.db"));
        let holder = Store::open(&url).unwrap();
        let mut store = Store::open(&url).unwrap();
        store.conn.busy_timeout(Duration::from_millis(20)).unwrap();
        holder.conn.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert_eq!(store.prune_logs(0).unwrap_err().kind(), ErrorKind::Busy);
        // Reading waits for nobody.
        assert_eq!(store.status().unwrap().log_rows, 0);
        holder.conn.execute_batch("ROLLBACK").unwrap();
        store.prune_logs(0).unwrap();
    }

    #[test]
    fn questions_over_time_use_their_indexes() {
        use crate::history::{MEASUREMENTS, MEASUREMENTS_OF_MODEL, REQUESTS, REQUESTS_OF_MODEL};
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Url::file(folder.path().join("plan.db"))).unwrap();
        for (sql, index) in [
            (
                MEASUREMENTS,
                "onnx_optimization_metrics_time (time_us>? AND time_us<?)",
            ),
            (
                MEASUREMENTS_OF_MODEL,
                "onnx_optimization_metrics_model (model_name=? AND time_us>? AND time_us<?)",
            ),
            (
                REQUESTS,
                "onnx_performance_logs_time (time_us>? AND time_us<?)",
            ),
            (
                REQUESTS_OF_MODEL,
                "onnx_performance_logs_model (model_name=? AND time_us>? AND time_us<?)",
            ),
        ] {
            let mut statement = store
                .conn
                .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
                .unwrap();
            let unbound = vec![None::<i64>; statement.parameter_count()];
            let plan: Vec<String> = statement
                .query_map(rusqlite::params_from_iter(unbound), |row| row.get("detail"))
                .unwrap()
                .map(|step| step.unwrap())
                .collect();
            assert_eq!(plan.len(), 1, "{plan:?} sorts");
            assert!(plan[0].contains(index), "{plan:?} is not by {index}");
        }
    }
}
