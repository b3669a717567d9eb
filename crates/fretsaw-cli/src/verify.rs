//! `fretsaw verify`.

use fretsaw::model::{Float, Rows};
use fretsaw::optimize::compare;
use fretsaw::proof::{self, Counterexample, Proof};
use fretsaw::session::{Predictions, Session, Want};
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
    /// Of f64 data: rows that the first model itself answers otherwise, beyond the tolerance, once
    /// their values are rounded to f32.
    rows_changed_by_f32: Option<usize>,
    /// With `--prove`: what is known over all inputs, of f64 and, where those differ, of f32.
    proved: Vec<Proof>,
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
    let mut single = true;
    let mut rounded = None;
    for (reference, backend) in [(&args.a, first), (&args.b, second)] {
        let found = open::model_or_file(reference, &args.store)?;
        let (matrix, mut session): (_, Box<dyn Session>) = match &found {
            Ok(opened) => (
                open::rows(&data, &opened.loaded.model)?,
                predict::session(opened, backend, open::cores())?,
            ),
            Err(file) => (
                open::rows(&data, &file.row)?,
                Box::new(file.session(backend, open::cores())?),
            ),
        };
        let mut out = Predictions::new(Float::F32, 1);
        session.run(&matrix.rows(), Want::Answers, &mut out)?;
        single &= matrix.rows().float() == Float::F32;
        if let Ok(opened) = &found
            && answers.is_empty()
            && !opened.loaded.model.needs_double_rows()
        {
            rounded = in_f32(&matrix.rows(), session.as_mut())?;
        }
        answers.push(out);
        models.push(match found {
            Ok(opened) => Ok(opened.loaded.model),
            Err(file) => Err(file.why),
        });
    }
    let second = models.pop();
    let (a, b) = match (models.pop(), second) {
        (Some(Ok(a)), Some(Ok(b))) => (a, Some(b)),
        // What ONNX Runtime alone understands is compared, and not proved.
        (Some(Ok(_)), Some(Err(why))) if args.prove => {
            return Err(Failure::work(format!(
                "nothing can be proved: {why}; without --prove the answers are compared"
            )));
        }
        (Some(Ok(a)), Some(Err(_))) => (a, None),
        (Some(Err(why)), _) | (None, Some(Err(why))) => return Err(why),
        (None, _) | (_, None) => return Err(Failure::work("two models are compared")),
    };
    if answers[0].n_columns != answers[1].n_columns {
        return Err(Failure::work(format!(
            "the models answer different things: {} has {} columns, {} has {}",
            args.a, answers[0].n_columns, args.b, answers[1].n_columns
        )));
    }
    let error = compare(
        &a,
        &answers[0].to_f64(),
        &answers[1].to_f64(),
        args.tolerance,
    );
    let proved = match b {
        Some(b) if args.prove => proofs(&a, &b, args.tolerance),
        _ => Vec::new(),
    };
    // Shown to differ on an input of the type that the data came in.
    let data_type = if single { "f32" } else { "f64" };
    let shown = proved
        .iter()
        .find(|p| p.inputs == data_type)
        .and_then(|p| p.counterexample.clone());
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
        rows_changed_by_f32: rounded
            .map(|r| compare(&a, &answers[0].to_f64(), &r.to_f64(), args.tolerance).rows_over),
        proved,
        agree: error.rows_over == 0 && shown.is_none(),
    };
    if args.json {
        print::json(&verdict)?;
    } else {
        show(&verdict)?;
    }
    if verdict.agree {
        return Ok(());
    }
    if let Some(c) = shown.filter(|_| error.rows_over == 0) {
        return Err(Failure::work(format!(
            "{} and {} agree on these rows, but differ by {:e} on the {data_type} input shown",
            args.a, args.b, c.difference
        )));
    }
    Err(Failure::work(format!(
        "{} and {} differ by up to {:e} on {} of {} rows, above the tolerance of {:e}",
        args.a, args.b, error.max, error.rows_over, verdict.rows, args.tolerance
    )))
}

fn show(v: &Verdict) -> Result {
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
    if let Some(n) = v.rows_changed_by_f32 {
        let n = print::count(n as u64);
        print::line(&format!(
            "f32 rounding  changes {n} rows of the first model's own answers"
        ))?;
    }
    if let Some(flips) = v.class_flips {
        print::line(&format!("class flips   {}", print::count(flips as u64)))?;
    }
    for proof in &v.proved {
        for (i, line) in said(proof).into_iter().enumerate() {
            let name = if i == 0 {
                format!("{} inputs", proof.inputs)
            } else {
                String::new()
            };
            print::line(&format!("{name:<14}{line}"))?;
        }
    }
    Ok(())
}

/// What the session answers to rows of f64 once they are rounded to f32; `None` for rows of f32.
fn in_f32(rows: &Rows<'_>, session: &mut dyn Session) -> Result<Option<Predictions>> {
    if rows.float() == Float::F32 {
        return Ok(None);
    }
    let narrow: Vec<f64> = rows.row_major().map(|x| f64::from(x as f32)).collect();
    let rows = Rows::f64(&narrow, rows.n_features()).map_err(fretsaw::Error::from)?;
    let mut out = Predictions::new(Float::F32, 1);
    session.run(&rows, Want::Answers, &mut out)?;
    Ok(Some(out))
}

/// Over f64 inputs, which hold the f32 ones; where those differ, over f32 inputs first.
fn proofs(a: &fretsaw::model::Model, b: &fretsaw::model::Model, tolerance: f64) -> Vec<Proof> {
    let wide = proof::prove(a, b, Float::F64, tolerance);
    if wide.equal {
        return vec![wide];
    }
    vec![proof::prove(a, b, Float::F32, tolerance), wide]
}

/// What a proof says, a line each.
fn said(proof: &Proof) -> Vec<String> {
    let mut lines = Vec::new();
    let looked = format!(
        "{} of {} trees alike over {} cells",
        print::count(proof.trees_alike as u64),
        print::count(proof.trees as u64),
        print::count(proof.cells as u64)
    );
    match (&proof.bound, proof.equal) {
        (Some(bound), true) if bound.answer.is_none() => lines.push(format!(
            "proved margins equal to the last bit ({looked}); what is made of them differs"
        )),
        (_, true) => lines.push(format!(
            "proved equal to the last bit, whatever the values ({looked})"
        )),
        (Some(bound), false) => {
            let answer = bound
                .answer
                .map_or("no bound".into(), |a| format!("{a:.3e}"));
            lines.push(format!(
                "proved margins within {:.3e}, answers within {answer} ({looked})",
                bound.margin
            ));
        }
        (None, false) => {}
    }
    if let Some(c) = &proof.counterexample {
        lines.push(format!(
            "differ by {:.3e} on the row {}",
            c.difference,
            row(c)
        ));
        lines.push(format!(
            "  there the first answers {:?}, the second {:?}",
            c.a, c.b
        ));
    }
    if let Some(why) = &proof.undecided {
        lines.push(format!("cannot be decided: {why}"));
    }
    lines
}

/// A row as CSV would have it.
fn row(c: &Counterexample) -> String {
    let value = |v: &Option<f64>| v.map_or("nan".into(), |x| format!("{x:?}"));
    c.row.iter().map(value).collect::<Vec<String>>().join(",")
}
