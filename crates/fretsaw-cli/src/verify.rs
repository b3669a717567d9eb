//! `fretsaw verify`.

use fretsaw::model::Float;
use fretsaw::optimize::compare;
use fretsaw::session::{Predictions, Want};
use fretsaw::variant;
use serde::Serialize;

use crate::args;
use crate::failure::{Failure, Result};
use crate::{open, predict, print};

/// What `verify --json` prints. Field names are stable.
#[derive(Serialize)]
struct Verdict {
    a: String,
    b: String,
    rows: usize,
    tolerance: f64,
    /// Largest |difference| of an answer.
    max_error: f64,
    /// Mean |difference|.
    mean_error: f64,
    /// Rows with a difference above the tolerance.
    rows_over: usize,
    /// Rows whose class is another.
    class_flips: Option<usize>,
    /// Whether every answer has the same bits.
    bit_equal: bool,
    /// With `--prove`: the bound over all inputs, where it can be proved.
    proved: Option<variant::Bound>,
    agree: bool,
}

pub(crate) fn run(args: &args::Verify) -> Result {
    if args.tolerance.is_nan() || args.tolerance < 0.0 {
        return Err(Failure::usage(format!(
            "a tolerance of {} allows nothing",
            args.tolerance
        )));
    }
    let (first, second) = match &args.backend[..] {
        [both] => (both, both),
        [a, b] => (a, b),
        _ => {
            return Err(Failure::usage(
                "--backend takes one name, or one for each model",
            ));
        }
    };
    let data = open::data(&args.data)?;
    let mut answers = Vec::new();
    let mut models = Vec::new();
    for (reference, backend) in [(&args.a, first), (&args.b, second)] {
        let opened = open::model(reference, &args.store)?;
        let matrix = open::rows(&data, &opened.loaded.model)?;
        let mut session = predict::session(&opened, backend, open::cores())?;
        let mut out = Predictions::new(Float::F32, 1);
        session.run(&matrix.rows(), Want::Answers, &mut out)?;
        answers.push(out);
        models.push(opened.loaded.model);
    }
    let (a, b) = (&models[0], &models[1]);
    if answers[0].n_columns != answers[1].n_columns {
        return Err(Failure::work(format!(
            "the models answer different things: {} has {} columns, {} has {}",
            args.a, answers[0].n_columns, args.b, answers[1].n_columns
        )));
    }
    let error = compare(
        a,
        &answers[0].to_f64(),
        &answers[1].to_f64(),
        args.tolerance,
    );
    let proved = if args.prove {
        variant::prove(a, b)
    } else {
        None
    };
    let verdict = Verdict {
        a: args.a.clone(),
        b: args.b.clone(),
        rows: data.n_rows(),
        tolerance: args.tolerance,
        max_error: error.max,
        mean_error: error.mean,
        rows_over: error.rows_over,
        class_flips: error.class_flips,
        bit_equal: error.bit_equal,
        proved,
        agree: error.rows_over == 0,
    };
    if args.json {
        print::json(&verdict)?;
    } else {
        show(&verdict, args.prove)?;
    }
    if verdict.agree {
        return Ok(());
    }
    Err(Failure::work(format!(
        "{} and {} differ by up to {:e} on {} of {} rows, above the tolerance of {:e}",
        args.a, args.b, error.max, error.rows_over, verdict.rows, args.tolerance
    )))
}

fn show(v: &Verdict, prove: bool) -> Result {
    print::line(&format!("rows          {}", print::count(v.rows as u64)))?;
    let bits = if v.bit_equal {
        " (every bit is equal)"
    } else {
        ""
    };
    print::line(&format!(
        "max error     {}{bits}",
        print::error(v.max_error)
    ))?;
    print::line(&format!("mean error    {}", print::error(v.mean_error)))?;
    print::line(&format!(
        "rows over     {} (tolerance {:e})",
        print::count(v.rows_over as u64),
        v.tolerance
    ))?;
    if let Some(flips) = v.class_flips {
        print::line(&format!("class flips   {}", print::count(flips as u64)))?;
    }
    if prove {
        print::line(&match v.proved {
            Some(bound) => {
                let answer = bound
                    .answer
                    .map_or("no bound".into(), |a| format!("{a:.3e}"));
                format!(
                    "proved        margins within {:.3e}, answers within {answer}, over all inputs",
                    bound.margin
                )
            }
            None => {
                "proved        nothing: the two ensembles do not correspond tree by tree".into()
            }
        })?;
    }
    Ok(())
}
