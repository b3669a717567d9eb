//! Which columns a member of a ColumnTransformer sees: whole numbers, names, slices of either, and
//! masks. Callables are not here: what they gave is in what was fitted.

use std::collections::HashMap;

use super::attributes::Attributes;
use super::columns::Columns;
use crate::Error;
use crate::pickle::numpy::Elements;
use crate::pickle::{Id, Value};

/// The places of the columns that the member `name` was given as `key`.
pub(super) fn of(
    at: Attributes<'_, '_>,
    name: &str,
    key: Id,
    columns: &Columns,
) -> Result<Vec<usize>, Error> {
    // Since 1.0 the estimator keeps them in numbers.
    let numbers = at
        .some("_transformer_to_input_indices")
        .and_then(|dict| at.pickle.item(dict, name));
    of_key(at, numbers.unwrap_or(key), columns)
}

fn of_key(at: Attributes<'_, '_>, key: Id, columns: &Columns) -> Result<Vec<usize>, Error> {
    let pickle = at.pickle;
    let unknown = || {
        Error::unsupported(
            format!("columns given as {}", pickle.describe(key)),
            "numbers, names, slices and masks are taken",
        )
    };
    let n = columns.width();
    match pickle.get(key) {
        Value::None => return Ok(Vec::new()),
        Value::Str(name) => return Ok(vec![named(name, columns)?]),
        Value::Int(i) => return Ok(vec![numbered(*i, n)?]),
        Value::Object(object) if object.callee.name == "slice" => {
            let &[start, stop, step] = &object.args[..] else {
                return Err(unknown());
            };
            return slice(at, [start, stop, step], columns);
        }
        Value::List(items) if items.is_empty() => return Ok(Vec::new()),
        _ => {}
    }
    let is_mask = match pickle.get(key) {
        Value::List(items) => items
            .iter()
            .all(|&id| matches!(pickle.get(id), Value::Bool(_))),
        _ => pickle.array(key).is_some_and(|a| a.is_bool()),
    };
    match pickle.elements(key).ok_or_else(unknown)? {
        Elements::Ints(mask) if is_mask && mask.len() == n => {
            Ok((0..n).filter(|&i| mask[i] != 0).collect())
        }
        Elements::Ints(places) if !is_mask => places.iter().map(|&i| numbered(i, n)).collect(),
        Elements::Strings(names) => {
            let all = columns.names().iter().enumerate();
            let places: HashMap<&str, usize> = all.map(|(i, n)| (n.as_str(), i)).collect();
            let place = |name: &String| places.get(&**name).copied().ok_or_else(|| absent(name));
            names.iter().map(place).collect()
        }
        _ => Err(unknown()),
    }
}

/// As Python slices lists; of names, the last is included.
fn slice(
    at: Attributes<'_, '_>,
    [start, stop, step]: [Id; 3],
    columns: &Columns,
) -> Result<Vec<usize>, Error> {
    let n = columns.width();
    let end = |id: Id, otherwise: usize, included: usize| match at.pickle.get(id) {
        Value::None => Ok(otherwise),
        Value::Int(i) if *i < 0 => Ok(n.saturating_sub(i.unsigned_abs() as usize)),
        Value::Int(i) => Ok(usize::try_from(*i).unwrap_or(n).min(n)),
        Value::Str(name) => Ok(named(name, columns)? + included),
        _ => Err(Error::unsupported(
            format!("columns sliced by {}", at.pickle.describe(id)),
            "numbers and names are taken",
        )),
    };
    let step = match at.pickle.get(step) {
        Value::None => 1,
        Value::Int(i) if *i > 0 => usize::try_from(*i).unwrap_or(usize::MAX),
        _ => {
            return Err(Error::unsupported(
                format!("columns sliced in steps of {}", at.pickle.describe(step)),
                "whole numbers above 0 are taken",
            ));
        }
    };
    Ok((end(start, 0, 0)?..end(stop, n, 1)?)
        .step_by(step)
        .collect())
}

/// A place; negative ones count from the end.
fn numbered(i: i64, n: usize) -> Result<usize, Error> {
    let from_end = |i: i64| n.checked_sub(usize::try_from(i.unsigned_abs()).ok()?);
    let place = match i < 0 {
        true => from_end(i),
        false => usize::try_from(i).ok(),
    };
    place
        .filter(|&p| p < n)
        .ok_or_else(|| Error::invalid(format!("column {i} of {n}")))
}

fn named(name: &str, columns: &Columns) -> Result<usize, Error> {
    columns.place(name).ok_or_else(|| absent(name))
}

fn absent(name: &str) -> Error {
    Error::invalid(format!(
        "no column has the name `{}`",
        crate::error::shown(name)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pickle::Pickle;

    /// An object `sklearn.C` with the attribute `key`, written as a pickle of protocol 0.
    fn places(key: &str) -> Result<Vec<usize>, String> {
        let pickle = format!(
            "ccopyreg\n_reconstructor\n(csklearn.c\nC\nc__builtin__\nset\nNtR(dVkey\n{key}sb."
        );
        let pickle = Pickle::read(pickle.as_bytes()).map_err(|e| e.to_string())?;
        let at = Attributes::of(&pickle, pickle.root).map_err(|e| e.to_string())?;
        let names = ["a", "b", "c", "d"].map(String::from).to_vec();
        let key = at.some("key").map_or(pickle.root, |id| id);
        of(at, "member", key, &Columns::of_rows(4, names)).map_err(|e| e.to_string())
    }

    #[test]
    fn columns_are_named_in_every_way() {
        let slice = "c__builtin__\nslice\n";
        for (key, want) in [
            ("I2\n", vec![2]),
            ("I-1\n", vec![3]),
            ("Vb\n", vec![1]),
            ("(l", vec![]),
            ("(lI3\naI-4\na", vec![3, 0]),
            ("(lVd\naVa\na", vec![3, 0]),
            ("(lI01\naI00\naI00\naI01\na", vec![0, 3]),
            (&format!("{slice}(I1\nNNtR"), vec![1, 2, 3]),
            (&format!("{slice}(NI-1\nI2\ntR"), vec![0, 2]),
            (&format!("{slice}(I-9\nI9\nNtR"), vec![0, 1, 2, 3]),
            (&format!("{slice}(I3\nI1\nNtR"), vec![]),
            // Of names the last is included.
            (&format!("{slice}(Vb\nVc\nNtR"), vec![1, 2]),
        ] {
            assert_eq!(places(key), Ok(want), "{key}");
        }
    }

    #[test]
    fn columns_that_are_not_there_are_refused() {
        let slice = "c__builtin__\nslice\n";
        for (key, part) in [
            ("I4\n", "column 4 of 4"),
            ("I-5\n", "column -5 of 4"),
            (
                "I-9223372036854775808\n",
                "column -9223372036854775808 of 4",
            ),
            ("Ve\n", "no column has the name `e`"),
            ("(lVa\naVe\na", "no column has the name `e`"),
            ("(lI01\naI00\na", "columns given as a list"),
            ("F0.5\n", "columns given as a float"),
            (&format!("{slice}(NNI-1\ntR"), "in steps of an int"),
            (&format!("{slice}(F0.5\nNNtR"), "sliced by a float"),
            (
                &format!("{slice}(NtR"),
                "columns given as `__builtin__.slice`",
            ),
        ] {
            let message = places(key).unwrap_err();
            assert!(message.contains(part), "{key}: {message}");
        }
    }
}
