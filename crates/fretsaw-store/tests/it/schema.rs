//! The schema as the database holds it, against a committed dump: a released migration is never
//! edited, and this tells. `FRETSAW_BLESS=1` writes the dump anew.

use rusqlite::Connection;

use super::store;

#[test]
fn dump() {
    let (folder, store) = store();
    drop(store);
    let conn = Connection::open(folder.path().join("store.db")).unwrap();
    let mut statement = conn
        .prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC, name")
        .unwrap();
    let dump: String = statement
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap()
        .map(|sql| sql.unwrap() + ";\n\n")
        .collect();
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/schema.sql");
    if std::env::var_os("FRETSAW_BLESS").is_some() {
        std::fs::write(golden, &dump).unwrap();
    }
    assert!(
        std::fs::read_to_string(golden).unwrap() == dump,
        "the schema differs from {golden}; if that is meant, run again with FRETSAW_BLESS=1"
    );
}

#[test]
fn every_table_is_strict_and_has_the_mission_s_name() {
    let (folder, store) = store();
    drop(store);
    let conn = Connection::open(folder.path().join("store.db")).unwrap();
    let tables: Vec<(String, bool)> = conn
        .prepare(
            "SELECT name, strict FROM pragma_table_list
             WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
        )
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(|row| row.unwrap())
        .collect();
    let names: Vec<&str> = tables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "fretsaw_schema",
            "onnx_model_alias_moves",
            "onnx_model_artifacts",
            "onnx_model_registry",
            "onnx_optimization_metrics",
            "onnx_performance_logs",
        ]
    );
    assert!(tables.iter().all(|(_, strict)| *strict), "{tables:?}");
}
