//! `fretsaw store`.

use fretsaw_store::now_us;
use serde_json::json;

use crate::args::StoreCommand;
use crate::failure::{Failure, Result};
use crate::{history, print};

pub(crate) fn run(command: StoreCommand) -> Result {
    match command {
        StoreCommand::Migrate(options) => {
            // Opening brings the schema up to date.
            let status = options.store.open()?.status()?;
            if options.json {
                return print::json(&status);
            }
            print::line(&format!(
                "the store has schema version {}",
                status.schema_version
            ))
        }
        StoreCommand::Status(options) => {
            let status = options.store.open()?.status()?;
            if options.json {
                return print::json(&status);
            }
            let facts = serde_json::to_value(&status).map_err(|e| Failure::work(e.to_string()))?;
            for (name, value) in facts.as_object().into_iter().flatten() {
                let text = match (value.as_i64(), name.as_str()) {
                    _ if value.is_null() => "-".into(),
                    (Some(n), name) if name.ends_with("_us") => print::when(n),
                    (Some(n), name) if name.ends_with("_bytes") => print::bytes(n as u64),
                    (Some(n), _) => print::count(n as u64),
                    _ => value
                        .as_str()
                        .map_or_else(|| value.to_string(), String::from),
                };
                print::line(&format!(
                    "{:<28}{text}",
                    name.trim_end_matches("_us")
                        .trim_end_matches("_bytes")
                        .replace('_', " ")
                ))?;
            }
            Ok(())
        }
        StoreCommand::Prune {
            older_than,
            options,
        } => {
            let us = history::age(&older_than).ok_or_else(|| {
                Failure::usage(format!("'{older_than}' is no age; use 90d, 24h, ..."))
            })?;
            let deleted = options
                .store
                .open()?
                .prune_logs(now_us().saturating_sub(us))?;
            if options.json {
                return print::json(&json!({ "deleted": deleted }));
            }
            print::line(&format!("{} log rows deleted", print::count(deleted)))
        }
    }
}
