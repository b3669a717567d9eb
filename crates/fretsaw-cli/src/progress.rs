//! Progress on stderr, and the interrupt key.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fretsaw::measure::Effort;
use fretsaw::optimize::Observer;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failure::{Failure, Result};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on the interrupt key asks to stop; a second one stops at once.
pub(crate) fn listen_for_interrupt() {
    // Without a handler the key kills the process, which leaves nothing half-written either.
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(1);
        }
    });
}

/// Whether the interrupt key was pressed.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Fails where it was.
pub(crate) fn go_on() -> Result {
    if interrupted() {
        Err(Failure::work("interrupted; nothing was written"))
    } else {
        Ok(())
    }
}

/// How long to measure. `FRETSAW_EFFORT_MS` makes it shorter, for tests that look at everything but
/// the times.
pub(crate) fn effort() -> Effort {
    let ms = std::env::var("FRETSAW_EFFORT_MS")
        .ok()
        .and_then(|ms| ms.parse().ok());
    let default = Effort::default();
    Effort {
        time: ms.map_or(default.time, Duration::from_millis),
        ..default
    }
}

/// A bar on stderr where that is a terminal; else nothing.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new() -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(1), target);
        let style = ProgressStyle::with_template("{spinner} {bar:30} {pos}/{len} {elapsed} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Observer for Progress {
    fn step(&self, what: &str, done: usize, total: usize) {
        self.0.set_length(total as u64);
        self.0.set_position(done as u64);
        self.0.set_message(what.to_string());
    }

    fn cancelled(&self) -> bool {
        interrupted()
    }
}
