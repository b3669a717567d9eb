//! What it takes to make a model ready, in time and in resident memory, beside ONNX Runtime.
//!
//! `cargo bench -p fretsaw --bench load -- MODEL...`; without models the example's is taken.
//!
//! Times are of the processor, the least of several, all ways in turn: from the framework's own
//! file, from the ONNX file that `fretsaw convert` writes of it, and ONNX Runtime's session from the
//! same file. Memory is by how much a fresh process's resident set grew until it had a session and
//! had run one row. Where there is no ONNX Runtime its columns are left out.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use fretsaw::load;
use fretsaw::model::{Float, Model, Rows};
use fretsaw::onnx::{self, Lower};
use fretsaw::session::ort::{Options, OrtSession, Runtime};
use fretsaw::session::{Native, Predictions, Session, Want};
use rustix::time::{ClockId, clock_gettime};

const REPEATS: usize = 7;
/// Further repeats are not begun after this.
const ENOUGH: Duration = Duration::from_secs(20);

/// A way from a file to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The engine, from whatever file.
    Native,
    /// ONNX Runtime.
    Ort,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Ort => "ort",
        }
    }

    fn open(self, path: &Path) -> Box<dyn Session> {
        match self {
            Self::Native => {
                let model = load::load(path).expect("a model").model;
                Box::new(Native::new(&model, 1).expect("a plan"))
            }
            Self::Ort => {
                let runtime = Runtime::get(None).expect("ONNX Runtime");
                let session = OrtSession::open_file(runtime, path, &Options::default());
                Box::new(session.expect("a session"))
            }
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    if let [flag, way, path, n_features, float] = &args[..]
        && flag == "--memory"
    {
        let n_features = n_features.parse().expect("a number");
        return memory(way, Path::new(path), n_features, float);
    }
    let example = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/sp500/model.ubj"
    );
    let paths = match args.is_empty() {
        true => vec![example.into()],
        false => args,
    };
    let runtime = Runtime::get(None);
    match runtime {
        Ok(runtime) => println!("ONNX Runtime {}", runtime.version()),
        Err(absent) => println!("{absent}"),
    }
    for path in paths {
        compare(Path::new(&path), runtime.is_ok());
    }
}

fn compare(path: &Path, with_ort: bool) {
    let model = load::load(path).expect("a model").model;
    let folder = tempfile::tempdir().expect("a folder");
    let onnx = folder.path().join("model.onnx");
    let options = Lower {
        ml_opset: onnx::ml_opset_for(&model, false),
        ..Lower::default()
    };
    fs::write(&onnx, onnx::write(&model, &options).expect("an ONNX file")).expect("written");

    let mut ways = vec![("own file", Way::Native, path.to_path_buf())];
    ways.push(("ONNX", Way::Native, onnx.clone()));
    if with_ort {
        ways.push(("ONNX Runtime", Way::Ort, onnx));
    }
    println!("{}", path.display());
    let times = times(&ways);
    for ((name, way, path), time) in ways.iter().zip(times) {
        println!(
            "  {name:<14} {:>9.2} ms {:>9.2} MiB ({:.1} MiB file)",
            time.as_secs_f64() * 1e3,
            grown(*way, path, &model) as f64 / 1048576.0,
            fs::metadata(path).map_or(0, |m| m.len()) as f64 / 1048576.0,
        );
    }
}

/// The least time of each way, taken in turn.
fn times(ways: &[(&str, Way, PathBuf)]) -> Vec<Duration> {
    let mut least = vec![Duration::MAX; ways.len()];
    let begun = Instant::now();
    for _ in 0..REPEATS {
        for ((_, way, path), least) in ways.iter().zip(&mut least) {
            let before = processor_time();
            black_box(way.open(path));
            *least = (*least).min(processor_time() - before);
        }
        if begun.elapsed() > ENOUGH {
            break;
        }
    }
    least
}

/// What this thread has used of a processor.
fn processor_time() -> Duration {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(used.tv_sec as u64, used.tv_nsec as u32)
}

/// Bytes by which a fresh process grows.
fn grown(way: Way, path: &Path, model: &Model) -> u64 {
    let float = if model.needs_double_rows() {
        "f64"
    } else {
        "f32"
    };
    let me = std::env::current_exe().expect("this program");
    let output = Command::new(me)
        .args(["--memory", way.name()])
        .arg(path)
        .args([&model.features.len().to_string(), float])
        .output()
        .expect("a process");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().unwrap_or(0)
}

/// The fresh process: prints by how much it grew.
fn memory(way: &str, path: &Path, n_features: usize, float: &str) {
    let way = match way {
        "native" => Way::Native,
        _ => Way::Ort,
    };
    if way == Way::Ort {
        // The library itself is not the model's.
        black_box(Runtime::get(None).is_ok());
    }
    let (f32s, f64s) = (vec![0.5_f32; n_features], vec![0.5; n_features]);
    let row = match float {
        "f64" => Rows::f64(&f64s, n_features),
        _ => Rows::f32(&f32s, n_features),
    };
    let row = row.expect("a row");
    let mut out = Predictions::new(Float::F32, 1);
    let before = resident();
    let mut session = way.open(path);
    session.run(&row, Want::Answers, &mut out).expect("answers");
    println!("{}", resident().saturating_sub(before));
}

/// Bytes of this process that are in memory.
fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text
        .split(' ')
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    pages * 4096
}
