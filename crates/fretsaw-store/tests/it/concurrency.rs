//! Several threads, several processes, and a process that is killed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fretsaw_store::{CHAMPION, ErrorKind, LogRow, Store, Url};

use super::{new_version, url, with_versions};

/// Runs `work` in as many threads as asked for, all at once.
fn at_once<T: Send>(threads: u64, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let start = std::sync::Barrier::new(threads as usize);
    std::thread::scope(|scope| {
        let (start, work) = (&start, &work);
        let running: Vec<_> = (0..threads)
            .map(|i| {
                scope.spawn(move || {
                    start.wait();
                    work(i)
                })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

#[test]
fn threads_that_open_a_new_store_together() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let opened = at_once(8, |i| {
            Store::open(&url(&folder))
                .and_then(|mut store| store.register(&new_version("m", i + 1)))
        });
        let versions: BTreeSet<u32> = opened.into_iter().map(|new| new.unwrap().version).collect();
        assert_eq!(
            versions,
            (1..=8).collect(),
            "every version has a number of its own"
        );
        let champions = Store::open(&url(&folder)).unwrap().list().unwrap();
        let champions = champions
            .iter()
            .filter(|v| v.aliases.iter().any(|alias| alias == CHAMPION));
        assert_eq!(champions.count(), 1);
    }
}

#[test]
fn the_same_content_registered_together() {
    let (folder, _store) = with_versions(1);
    let made = at_once(6, |_| {
        Store::open(&url(&folder))
            .unwrap()
            .register(&new_version("m", 2))
            .unwrap()
    });
    assert!(made.iter().all(|new| new.version == 2), "{made:?}");
    assert_eq!(made.iter().filter(|new| new.created).count(), 1);
}

#[test]
fn promotions_together() {
    let (folder, store) = with_versions(6);
    // Without a word on the holder, all go through, one after the other: each was told the one that
    // it replaced.
    let moved = at_once(5, |i| {
        Store::open(&url(&folder))
            .unwrap()
            .promote("m", i as u32 + 2, CHAMPION, None)
            .unwrap()
    });
    let replaced: BTreeSet<u32> = moved.iter().map(|moved| moved.from.unwrap()).collect();
    assert_eq!(
        replaced.len(),
        5,
        "nobody replaced the same champion twice: {moved:?}"
    );
    let champion = store.resolve("m").unwrap().version;
    assert!(!replaced.contains(&champion));

    // With one, the first wins and the others are told.
    let rivals: Vec<u32> = (1..=6).filter(|version| *version != champion).collect();
    let raced = at_once(5, |i| {
        Store::open(&url(&folder)).unwrap().promote(
            "m",
            rivals[i as usize],
            CHAMPION,
            Some(champion),
        )
    });
    let (won, told): (Vec<_>, Vec<_>) = raced.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), told.len()), (1, 4));
    assert!(
        told.into_iter()
            .all(|lost| lost.unwrap_err().kind() == ErrorKind::Conflict)
    );
    assert_eq!(
        store.resolve("m").unwrap().version,
        won[0].as_ref().unwrap().to
    );
}

#[test]
fn rollbacks_and_archives_beside_promotions() {
    let (folder, store) = with_versions(5);
    at_once(6, |i| {
        let mut store = Store::open(&url(&folder)).unwrap();
        for version in 1..=5 {
            // Refusals are fine; what must hold holds afterwards.
            let _ = match i % 3 {
                0 => store.promote("m", version, CHAMPION, None).map(drop),
                1 => store.rollback("m", CHAMPION).map(drop),
                _ => store.archive("m", version).map(drop),
            };
        }
    });
    let model = store.show("m").unwrap();
    let champions: Vec<_> = model
        .versions
        .iter()
        .filter(|v| v.aliases.iter().any(|alias| alias == CHAMPION))
        .collect();
    // A champion may be archived only as the last active version: there is one exactly where there
    // is anything to serve.
    let active =
        |version: &&fretsaw_store::Version| version.status == fretsaw_store::Status::Active;
    assert_eq!(
        champions.len(),
        usize::from(model.versions.iter().any(|v| active(&v)))
    );
    assert!(champions.iter().all(active));
    let seqs: Vec<u32> = model
        .alias_moves
        .iter()
        .filter(|m| m.alias == CHAMPION)
        .map(|m| m.seq)
        .collect();
    assert!(seqs.iter().copied().eq(1..=seqs.len() as u32), "{seqs:?}");
}

const CHILD: &str = "FRETSAW_STORE_TEST_CHILD";
const BATCH: u64 = 50;

/// Not a test by itself: what the processes of the tests below do.
#[test]
fn child() {
    let Some(path) = std::env::var_os(CHILD) else {
        return;
    };
    let mut store = Store::open(&Url::file(PathBuf::from(path))).unwrap();
    let row = LogRow {
        model_name: "m".into(),
        model_version: Some(1),
        ..LogRow::default()
    };
    store
        .register(&new_version("m", u64::from(std::process::id())))
        .unwrap();
    loop {
        store
            .log_inference(&vec![row.clone(); BATCH as usize])
            .unwrap();
        // SQLite's waiting is not fair: leave the others their turn.
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn spawn_child(url: &Url) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "concurrency::child", "--nocapture"])
        .env(CHILD, url.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn processes_that_open_together_and_are_killed() {
    let folder = tempfile::tempdir().unwrap();
    let url = url(&folder);
    let mut children: Vec<Child> = (0..3).map(|_| spawn_child(&url)).collect();
    let store = Store::open(&url).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let busy = |store: &Store| {
        let status = store.status().unwrap();
        status.model_versions == 3 && status.log_rows >= 20 * BATCH
    };
    while !busy(&store) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    let was_busy = busy(&store);
    let alive = children
        .iter_mut()
        .all(|child| child.try_wait().unwrap().is_none());
    for child in &mut children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(was_busy && alive);
    drop(store);

    // No batch is half there, the counts agree with the rows, and the file is sound.
    let store = Store::open(&url).unwrap();
    let rows = store.status().unwrap().log_rows;
    assert_eq!(rows % BATCH, 0);
    assert_eq!(store.resolve("m@1").unwrap().usage.requests, rows);
    let conn = rusqlite::Connection::open(url.path()).unwrap();
    let verdict: String = conn
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
}
