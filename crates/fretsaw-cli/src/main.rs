//! The command line: arguments in, the library called, results to stdout, progress to stderr.
//!
//! Exit status 0: done; 1: the work failed; 2: the command line is wrong. An error is one line.

mod args;
mod bench;
mod convert;
mod devices;
mod failure;
mod history;
mod inspect;
mod memory;
mod models;
mod open;
mod optimize;
mod origin;
mod predict;
mod print;
mod progress;
mod record;
mod steps;
mod store;
mod stream;
mod verify;

use std::io::Write as _;
use std::panic;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use args::{Cli, Command};
use failure::{Failure, Result};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version go to stdout with status 0; a wrong command line is one line.
            if !e.use_stderr() {
                return ended(print::raw(e.render().to_string().as_bytes()));
            }
            tell(&one_line(&e.render().to_string()));
            return ExitCode::from(2);
        }
    };
    quiet_panics();
    progress::listen_for_interrupt();
    let result = panic::catch_unwind(|| run(cli.command)).unwrap_or_else(|_| {
        Err(Failure::work(
            "fretsaw failed in a way that it should not; please report what you ran",
        ))
    });
    ended(result.and_then(|()| std::io::stdout().flush().map_err(Into::into)))
}

/// The exit status, and the error's line where there is one.
fn ended(result: Result) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            tell(&format!("error: {e}"));
            ExitCode::from(e.status())
        }
    }
}

/// A line on stderr. Where even that cannot be written, the exit status has to do.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn run(command: Command) -> Result {
    match command {
        Command::Optimize(args) => optimize::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Devices(args) => devices::run(&args),
        Command::Models(command) => models::run(command),
        Command::History(args) => history::run(&args),
        Command::Store(command) => store::run(command),
        Command::Completions { shell } => {
            let mut out = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "fretsaw", &mut out);
            print::raw(&out)
        }
    }
}

/// A panic is never shown as one. The Parquet library's, on damaged files, are caught where it is
/// called and become errors; any other is a fault of ours and still ends in one line.
fn quiet_panics() {
    panic::set_hook(Box::new(|_| {}));
}

/// The parser's message without its usage lines.
fn one_line(text: &str) -> String {
    let lines = text
        .lines()
        .map(str::trim)
        .take_while(|l| !l.starts_with("Usage:"));
    let lines: Vec<&str> = lines
        .filter(|l| !l.is_empty() && !l.starts_with("For more"))
        .collect();
    let text = lines.join(" ");
    // Help that was asked for by leaving a command out.
    let text = if text.starts_with("error: ") {
        text
    } else {
        "error: a command is needed".into()
    };
    format!("{text}; see --help")
}
