//! Promote, roll back, archive.

use fretsaw_store::{CHALLENGER, CHAMPION, ErrorKind, Status, Store};

use super::{new_version, with_versions};

/// The versions that hold the two aliases.
fn standing(store: &Store) -> (Option<u32>, Option<u32>) {
    let holder = |alias| {
        store
            .resolve(&format!("m@{alias}"))
            .ok()
            .map(|found| found.version)
    };
    (holder(CHAMPION), holder(CHALLENGER))
}

#[test]
fn promoting_moves_the_alias() {
    let (_folder, mut store) = with_versions(3);
    assert_eq!(standing(&store), (Some(1), Some(3)));

    let moved = store.promote("m", 3, CHAMPION, None).unwrap();
    assert_eq!((moved.from, moved.to), (Some(1), 3));
    assert_eq!(
        standing(&store),
        (Some(3), None),
        "the champion challenges nobody"
    );

    store.register(&new_version("m", 4)).unwrap();
    assert_eq!(standing(&store), (Some(3), Some(4)));

    // Promoting the champion changes nothing.
    let moves = store.show("m").unwrap().alias_moves.len();
    assert_eq!(
        store.promote("m", 3, CHAMPION, Some(3)).unwrap().from,
        Some(3)
    );
    assert_eq!(store.show("m").unwrap().alias_moves.len(), moves);

    // Another alias leaves the champion be.
    assert_eq!(store.promote("m", 3, "canary", None).unwrap().from, None);
    assert_eq!(
        store.resolve("m@canary").unwrap().aliases,
        ["canary", "champion"]
    );
}

#[test]
fn promotions_that_are_refused() {
    let (_folder, mut store) = with_versions(3);
    store.archive("m", 2).unwrap();
    for (version, alias, expected, kind, says) in [
        (9, CHAMPION, None, ErrorKind::NotFound, "no version 9"),
        (2, CHAMPION, None, ErrorKind::Conflict, "archived"),
        (
            3,
            CHAMPION,
            Some(2),
            ErrorKind::Conflict,
            "at version 1 by now",
        ),
        (3, "canary", Some(2), ErrorKind::Conflict, "free by now"),
        (3, "7", None, ErrorKind::InvalidInput, "not a number"),
        (3, "a b", None, ErrorKind::InvalidInput, "no alias"),
    ] {
        let error = store.promote("m", version, alias, expected).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(standing(&store), (Some(1), Some(3)));
    }
    assert_eq!(
        store.promote("x", 1, CHAMPION, None).unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[test]
fn rolling_back_goes_down_the_stack() {
    let (_folder, mut store) = with_versions(4);
    for version in [2, 3, 4] {
        store.promote("m", version, CHAMPION, None).unwrap();
    }
    let back = |store: &mut Store| {
        store
            .rollback("m", CHAMPION)
            .map(|moved| (moved.from, moved.to))
    };
    assert_eq!(back(&mut store).unwrap(), (Some(4), 3));
    assert_eq!(back(&mut store).unwrap(), (Some(3), 2));
    // A promotion in between is what the next rollback undoes.
    store.promote("m", 4, CHAMPION, None).unwrap();
    assert_eq!(back(&mut store).unwrap(), (Some(4), 2));
    assert_eq!(back(&mut store).unwrap(), (Some(2), 1));
    let error = back(&mut store).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("no earlier holder"), "{error}");
    assert_eq!(standing(&store).0, Some(1));
}

#[test]
fn rolling_back_passes_over_the_archived() {
    let (_folder, mut store) = with_versions(3);
    store.promote("m", 2, CHAMPION, None).unwrap();
    store.promote("m", 3, CHAMPION, None).unwrap();
    store.archive("m", 2).unwrap();
    assert_eq!(store.rollback("m", CHAMPION).unwrap().to, 1);
    assert_eq!(
        store.rollback("m", CHAMPION).unwrap_err().kind(),
        ErrorKind::Conflict
    );
}

#[test]
fn the_champion_never_challenges_itself() {
    let (_folder, mut store) = with_versions(3);
    let error = store.promote("m", 1, CHALLENGER, None).unwrap_err();
    assert!(
        error.to_string().contains("cannot challenge itself"),
        "{error}"
    );
    // Version 3 was challenger, became champion, and is passed over when the challenger is rolled
    // back.
    store.promote("m", 3, CHAMPION, None).unwrap();
    assert_eq!(standing(&store), (Some(3), None));
    let moved = store.rollback("m", CHALLENGER).unwrap();
    assert_eq!((moved.from, moved.to), (None, 2));
    assert_eq!(standing(&store), (Some(3), Some(2)));
}

#[test]
fn rolling_back_what_never_was() {
    let (_folder, mut store) = with_versions(2);
    for (name, alias) in [("m", "canary"), ("x", CHAMPION)] {
        let error = store.rollback(name, alias).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
}

#[test]
fn archiving() {
    let (_folder, mut store) = with_versions(3);
    let error = store.archive("m", 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("promote another"), "{error}");

    assert_eq!(store.archive("m", 3).unwrap(), [CHALLENGER]);
    assert!(store.archive("m", 3).unwrap().is_empty());
    assert_eq!(standing(&store), (Some(1), None));
    assert_eq!(store.resolve("m@3").unwrap().status, Status::Archived);

    // The last one standing may go; the next to come is champion again.
    store.archive("m", 2).unwrap();
    assert_eq!(store.archive("m", 1).unwrap(), [CHAMPION]);
    assert_eq!(store.resolve("m").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(
        store.register(&new_version("m", 9)).unwrap().aliases,
        [CHAMPION]
    );
    assert_eq!(
        store.archive("m", 77).unwrap_err().kind(),
        ErrorKind::NotFound
    );
}
