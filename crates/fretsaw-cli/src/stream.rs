//! Rows in, predictions out, some at a time: reading, running and writing one after the other, or
//! side by side where there are threads for it.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use fretsaw::data::{Block, Blocks, Writer};
use fretsaw::model::Float;
use fretsaw::session::Predictions;

use crate::failure::Result;
use crate::progress;

/// Where predictions go.
pub(crate) struct Output<'a> {
    pub(crate) path: &'a Path,
    /// The names of so many columns.
    pub(crate) names: &'a (dyn Fn(usize) -> Vec<String> + Sync),
}

/// Gives `run` each block, and writes what it makes of them to one file, which appears when it is
/// whole. With more than one thread what is read next and what was made before are decoded and
/// written meanwhile.
pub(crate) fn stream(
    blocks: Blocks<'_>,
    output: &Output<'_>,
    threads: usize,
    run: &mut dyn FnMut(&Block<'_>, &mut Predictions) -> Result,
) -> Result {
    let n_rows = blocks.n_rows();
    if threads > 1 {
        return side_by_side(blocks, output, n_rows, run);
    }
    let mut out = Predictions::new(Float::F32, 1);
    let mut writer = None;
    for block in blocks {
        progress::go_on()?;
        run(&block?, &mut out)?;
        write(&mut writer, output, n_rows, &out)?;
    }
    finish(writer)
}

fn side_by_side(
    blocks: Blocks<'_>,
    output: &Output<'_>,
    n_rows: usize,
    run: &mut dyn FnMut(&Block<'_>, &mut Predictions) -> Result,
) -> Result {
    thread::scope(|scope| {
        let (read, to_run) = sync_channel(1);
        let (ran, to_write) = sync_channel(1);
        // Written predictions come back, so that their memory is used again.
        let (written, spare) = sync_channel(2);
        scope.spawn(move || {
            for block in blocks {
                if read.send(block).is_err() {
                    break;
                }
            }
        });
        let writing = scope.spawn(move || write_all(output, n_rows, &to_write, &written));
        let running = run_all(run, &to_run, &ran, &spare);
        // What could not be read or run is never finished: the writer learns of the end only when all
        // rows have come.
        drop((to_run, ran));
        let writing = match writing.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        running.and(writing)
    })
}

type Read<'a> = fretsaw::Result<Block<'a>>;

fn run_all(
    run: &mut dyn FnMut(&Block<'_>, &mut Predictions) -> Result,
    to_run: &Receiver<Read<'_>>,
    ran: &SyncSender<Predictions>,
    spare: &Receiver<Predictions>,
) -> Result {
    for block in to_run {
        progress::go_on()?;
        let new = || Predictions::new(Float::F32, 1);
        let mut out = spare.try_recv().unwrap_or_else(|_| new());
        run(&block?, &mut out)?;
        // A writer that is gone has failed, and tells why.
        if ran.send(out).is_err() {
            break;
        }
    }
    Ok(())
}

fn write_all(
    output: &Output<'_>,
    n_rows: usize,
    to_write: &Receiver<Predictions>,
    written: &SyncSender<Predictions>,
) -> Result {
    let mut writer = None;
    let mut n_left = n_rows;
    for predictions in to_write {
        write(&mut writer, output, n_rows, &predictions)?;
        n_left -= predictions.n_rows().min(n_left);
        let _ = written.try_send(predictions);
    }
    // Fewer rows than there are: whoever ran them tells why.
    match n_left {
        0 => finish(writer),
        _ => Ok(()),
    }
}

/// The file is begun with the first predictions, which tell their precision and their columns.
fn write(
    writer: &mut Option<Writer>,
    output: &Output<'_>,
    n_rows: usize,
    predictions: &Predictions,
) -> Result {
    let writer = match writer {
        Some(writer) => writer,
        None => writer.insert(Writer::create(
            output.path,
            predictions,
            n_rows,
            &(output.names)(predictions.n_columns),
        )?),
    };
    Ok(writer.write(predictions)?)
}

fn finish(writer: Option<Writer>) -> Result {
    writer.map_or(Ok(()), |writer| Ok(writer.finish()?))
}
