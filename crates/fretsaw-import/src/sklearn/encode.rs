//! Encoders of categories: one-hot, ordinal and target encoding.
//!
//! Rare categories may share one code, which comes last; the file holds the code of each place. What
//! is unknown is refused, or has the code that the estimator's options say.

use fretsaw_model::{Codes, Step};

use super::attributes::Attributes;
use super::categories::{self, Keys};
use super::columns::Columns;
use super::context::Context;
use super::transformer::Transformed;
use crate::Error;
use crate::pickle::numpy::Elements;
use crate::pickle::{Id, Value};

/// A column for each category.
pub(super) fn one_hot(at: Attributes<'_, '_>, cx: &Context<'_>, columns: Columns) -> Transformed {
    if at.flag("_legacy_mode") {
        return Err(at.unsupported(
            "in the mode of 0.19",
            "train it with `categories='auto'` instead of `n_values`",
        ));
    }
    let known = categories::of(at, columns.width())?;
    let rare = rare(at, known.len())?;
    let dropped = dropped(at, known.len())?;
    let handle_unknown = handle_unknown(at);
    let mut encoders = Vec::new();
    for (i, known) in known.iter().enumerate() {
        let grouped = grouped(at, rare[i].as_deref(), known.len())?;
        let n_codes = match grouped {
            None => known.len(),
            Some(codes) => n_codes(codes),
        };
        let width = n_codes - usize::from(dropped[i].is_some_and(|d| d < n_codes));
        // What is dropped has the code behind the last, which sets nothing.
        let column_of = |code: usize| match dropped[i] {
            Some(d) if code == d => width,
            Some(d) if code > d => code - 1,
            _ => code,
        };
        let unknown = match handle_unknown {
            "error" => None,
            "ignore" => Some(width),
            "infrequent_if_exist" | "warn" => match grouped {
                // Until 1.7 `warn` sets nothing, though its warning says that it does.
                Some(_) if handle_unknown != "warn" || cx.since(1, 8) => {
                    Some(column_of(n_codes - 1))
                }
                _ => Some(width),
            },
            other => return Err(unknown_option(at, other)),
        };
        let code = |place: usize| column_of(grouped.map_or(place, |codes| codes[place]));
        let keys = Keys::of(at, cx, columns.origins[i], known);
        let keys = keys.map_err(|e| e.item(i).under("categories_"))?;
        let codes = Codes::OneHot {
            width: width as u32,
        };
        encoders.push(keys.encoder(i, code, unknown, codes));
    }
    Ok(encode(encoders))
}

/// A number for each category, in one column.
pub(super) fn ordinal(at: Attributes<'_, '_>, cx: &Context<'_>, columns: Columns) -> Transformed {
    let known = categories::of(at, columns.width())?;
    let rare = rare(at, known.len())?;
    let unknown = match handle_unknown(at) {
        "error" => None,
        "use_encoded_value" => Some(at.number("unknown_value")?),
        other => return Err(unknown_option(at, other)),
    };
    // Before 1.1 there is no such option; a missing value stays one.
    let missing = match at.some("encoded_missing_value") {
        Some(_) => at.number("encoded_missing_value")?,
        None => f64::NAN,
    };
    let mut encoders = Vec::new();
    for (i, known) in known.iter().enumerate() {
        let keys = Keys::of(at, cx, columns.origins[i], known);
        let keys = keys.map_err(|e| e.item(i).under("categories_"))?;
        // A missing value is never rare, and comes last.
        let n = known.len() - usize::from(keys.missing().is_some());
        let grouped = grouped(at, rare[i].as_deref(), n)?;
        let value = |place: usize| match keys.missing() {
            Some(m) if m == place => missing,
            _ => grouped.map_or(place, |codes| codes.get(place).copied().unwrap_or(place)) as f64,
        };
        let mut values: Vec<f64> = (0..known.len()).map(value).collect();
        values.extend(unknown);
        let unknown = unknown.map(|_| known.len());
        check_dtype(at, &values)?;
        let codes = Codes::Values { width: 1, values };
        encoders.push(keys.encoder(i, |place| place, unknown, codes));
    }
    Ok(encode(encoders))
}

/// Refuses a `dtype` that does not hold the values as they are.
fn check_dtype(at: Attributes<'_, '_>, values: &[f64]) -> Result<(), Error> {
    let name = match at.some("dtype").map(|id| at.pickle.get(id)) {
        None => return Ok(()),
        Some(Value::Global(global)) => &global.name,
        Some(Value::Str(name)) => name,
        Some(_) => "",
    };
    let same = |v: f64| match name {
        "float64" | "float" => v,
        "float32" => f64::from(v as f32),
        "int64" | "int" => v as i64 as f64,
        "int32" => f64::from(v as i32),
        "int16" => f64::from(v as i16),
        "int8" => f64::from(v as i8),
        "uint8" => f64::from(v as u8),
        // Of no other are the values known.
        _ => f64::INFINITY,
    };
    let holds = |&v: &f64| same(v) == v || (v.is_nan() && name.starts_with("float"));
    match values.iter().all(holds) {
        true => Ok(()),
        false => Err(at.unsupported(
            "with a `dtype` that changes its codes",
            "float64 holds all of them",
        )),
    }
}

/// The target's mean for each category; of several classes, one for each class.
pub(super) fn target(at: Attributes<'_, '_>, cx: &Context<'_>, columns: Columns) -> Transformed {
    let known = categories::of(at, columns.width())?;
    let means = at.floats("target_mean_")?;
    let width = means.len();
    let n = width
        .checked_mul(known.len())
        .filter(|&n| n > 0)
        .ok_or_else(|| Error::invalid("`target_mean_` is empty"))?;
    let encodings = categories::lists(at, "encodings_", n)?;
    let mut encoders = Vec::new();
    for (i, (known, encodings)) in known.iter().zip(encodings.chunks_exact(width)).enumerate() {
        let of_class = |&id: &Id| {
            let values = at.pickle.elements(id).and_then(Elements::floats);
            values
                .filter(|values| values.len() == known.len())
                .ok_or_else(|| Error::invalid("no list of one number a category"))
        };
        let of_class = |id| of_class(id).map_err(|e| e.item(i).under("encodings_"));
        let by_class: Vec<Vec<f64>> = encodings.iter().map(of_class).collect::<Result<_, _>>()?;
        let of_category = |place: usize| by_class.iter().map(move |values| values[place]);
        let mut values: Vec<f64> = (0..known.len()).flat_map(of_category).collect();
        values.extend(&means);
        let codes = Codes::Values {
            width: width as u32,
            values,
        };
        let keys = Keys::of(at, cx, columns.origins[i], known);
        let keys = keys.map_err(|e| e.item(i).under("categories_"))?;
        encoders.push(keys.encoder(i, |place| place, Some(known.len()), codes));
    }
    Ok(encode(encoders))
}

fn encode(encoders: Vec<fretsaw_model::Encoder>) -> (Vec<Step>, Columns) {
    let width = encoders.iter().map(|e| e.codes.width()).sum();
    (vec![Step::Encode(encoders)], Columns::computed(width))
}

fn handle_unknown<'p>(at: Attributes<'p, '_>) -> &'p str {
    at.text("handle_unknown").unwrap_or("error")
}

fn unknown_option(at: Attributes<'_, '_>, option: &str) -> Error {
    let option = crate::error::shown(option);
    at.unsupported(
        &format!("with handle_unknown `{option}`"),
        "it is not known so far",
    )
}

/// For each column, where rare categories share a code, the code of each place.
fn rare(at: Attributes<'_, '_>, width: usize) -> Result<Vec<Option<Vec<usize>>>, Error> {
    const NAME: &str = "_default_to_infrequent_mappings";
    if !at.flag("_infrequent_enabled") {
        return Ok(vec![None; width]);
    }
    let of_column = |(i, &id): (usize, &Id)| match at.pickle.get(id) {
        Value::None => Ok(None),
        _ => {
            let codes = at.pickle.elements(id).and_then(Elements::ints);
            let codes = codes.and_then(|codes| {
                let codes = codes.iter().map(|&c| usize::try_from(c).ok());
                codes.collect::<Option<Vec<usize>>>()
            });
            let fault = || Error::invalid("no list of codes").item(i).under(NAME);
            codes.map(Some).ok_or_else(fault)
        }
    };
    let columns = categories::lists(at, NAME, width)?;
    columns.iter().enumerate().map(of_column).collect()
}

/// The codes, if there are as many as places, and no code is left out.
fn grouped<'c>(
    at: Attributes<'_, '_>,
    codes: Option<&'c [usize]>,
    n: usize,
) -> Result<Option<&'c [usize]>, Error> {
    match codes {
        Some(codes) if codes.len() != n || codes.is_empty() || n_codes(codes) > n => {
            Err(Error::invalid(format!(
                "the codes of rare categories of the `{}` do not fit its {n} categories",
                at.class()
            )))
        }
        codes => Ok(codes),
    }
}

fn n_codes(codes: &[usize]) -> usize {
    codes.iter().max().map_or(0, |&last| last.saturating_add(1))
}

/// For each column the code that has no column of its own.
fn dropped(at: Attributes<'_, '_>, width: usize) -> Result<Vec<Option<usize>>, Error> {
    // `drop_idx_` counts categories since 1.2; before, codes, as the other one does now.
    let name = match at.some("_drop_idx_after_grouping") {
        Some(_) => "_drop_idx_after_grouping",
        None => "drop_idx_",
    };
    let Some(id) = at.some(name) else {
        return Ok(vec![None; width]);
    };
    let fault = || Error::invalid(format!("`{name}` does not fit {width} columns"));
    let place = |x: f64| match x >= 0.0 && x.trunc() == x && x < 4_294_967_296.0 {
        true => Ok(Some(x as usize)),
        false => Err(fault()),
    };
    let dropped: Vec<Option<usize>> = match at.pickle.objects(id) {
        Some(items) => {
            let item = |id: Id| match at.pickle.get(id) {
                Value::None => Ok(None),
                _ => at.pickle.number(id).and_then(place),
            };
            items.into_iter().map(item).collect::<Result<_, _>>()?
        }
        None => at
            .floats(name)?
            .into_iter()
            .map(place)
            .collect::<Result<_, _>>()?,
    };
    match dropped.len() == width {
        true => Ok(dropped),
        false => Err(fault()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pickle::Pickle;

    #[test]
    fn a_dtype_must_hold_the_codes() {
        for (dtype, values, fits) in [
            ("N", &[0.5, f64::NAN][..], true),
            ("cnumpy\nfloat64\n", &[0.1, f64::NAN], true),
            ("cnumpy\nfloat32\n", &[3.0, f64::NAN], true),
            ("cnumpy\nfloat32\n", &[0.1], false),
            ("cnumpy\nint64\n", &[0.0, -1.0, 7.0], true),
            ("cnumpy\nint64\n", &[f64::NAN], false),
            ("Vint8\n", &[127.0], true),
            ("Vint8\n", &[128.0], false),
            ("cnumpy\nuint8\n", &[-1.0], false),
            ("cnumpy\nfloat16\n", &[1.0], false),
        ] {
            let pickle = format!(
                "ccopyreg\n_reconstructor\n(csklearn.c\nC\nc__builtin__\nset\nNtR(dVdtype\n{dtype}sb."
            );
            let pickle = Pickle::read(pickle.as_bytes()).unwrap();
            let at = Attributes::of(&pickle, pickle.root).unwrap();
            assert_eq!(
                check_dtype(at, values).is_ok(),
                fits,
                "{dtype:?} {values:?}"
            );
        }
    }
}
