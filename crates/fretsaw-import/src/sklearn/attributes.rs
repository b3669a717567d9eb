//! An estimator's attributes by name, each with its name in the error when it is not as it should be.

use fretsaw_model::Labels;

use crate::Error;
use crate::error::shown;
use crate::pickle::array::Array;
use crate::pickle::numpy::Elements;
use crate::pickle::{Id, Object, Pickle, Value};

/// An object of a pickle, and the pickle it is in.
#[derive(Clone, Copy)]
pub(super) struct Attributes<'p, 'a> {
    pub(super) pickle: &'p Pickle<'a>,
    pub(super) id: Id,
    pub(super) object: &'p Object<'a>,
}

impl<'p, 'a> Attributes<'p, 'a> {
    /// The object, if it is one.
    pub(super) fn of(pickle: &'p Pickle<'a>, id: Id) -> Result<Self, Error> {
        match pickle.get(id) {
            Value::Object(object) => Ok(Self { pickle, id, object }),
            _ => Err(Error::unsupported(
                pickle.describe(id),
                "an estimator should stand here",
            )),
        }
    }

    /// The class's name without its module.
    pub(super) fn class(&self) -> &'p str {
        &self.object.callee.name
    }

    /// Whether the class is scikit-learn's.
    pub(super) fn is_sklearn(&self) -> bool {
        self.object.callee.module.starts_with("sklearn.")
    }

    /// The attribute, unless it is absent or None.
    pub(super) fn some(&self, name: &str) -> Option<Id> {
        self.pickle.some_attribute(self.object, name)
    }

    /// An attribute that a fitted estimator has.
    pub(super) fn get(&self, name: &str) -> Result<Id, Error> {
        self.some(name).ok_or_else(|| {
            Error::invalid(format!(
                "the `{}` has no `{name}`: it was never fitted, or is of a version that is not known",
                self.object.callee.shown()
            ))
        })
    }

    /// An attribute that is an object too.
    pub(super) fn child(&self, name: &str) -> Result<Self, Error> {
        Self::of(self.pickle, self.get(name)?).map_err(|e| e.under(name))
    }

    /// An array or a list of objects, in C order.
    pub(super) fn objects(&self, name: &str) -> Result<Vec<Self>, Error> {
        let id = self.get(name)?;
        let items = self
            .pickle
            .objects(id)
            .ok_or_else(|| self.fault(name, id, "a list of objects"))?;
        let child = |(i, id)| Self::of(self.pickle, id).map_err(|e: Error| e.item(i).under(name));
        items.into_iter().enumerate().map(child).collect()
    }

    /// An array of numbers, text or records.
    pub(super) fn array(&self, name: &str) -> Result<Array<'p>, Error> {
        let id = self.get(name)?;
        self.pickle
            .array(id)
            .ok_or_else(|| self.fault(name, id, "an array as long as its shape says"))
    }

    /// The elements of an array or a list.
    pub(super) fn elements(&self, name: &str) -> Result<Elements, Error> {
        let id = self.get(name)?;
        self.pickle
            .elements(id)
            .ok_or_else(|| self.fault(name, id, "an array of numbers or text"))
    }

    /// Numbers: an array, a list, or one.
    pub(super) fn floats(&self, name: &str) -> Result<Vec<f64>, Error> {
        let id = self.get(name)?;
        if let Ok(one) = self.pickle.number(id) {
            return Ok(vec![one]);
        }
        self.elements(name)?
            .floats()
            .ok_or_else(|| self.fault(name, id, "an array of numbers"))
    }

    /// Numbers, as many as these.
    pub(super) fn one_each(&self, name: &str, n: usize) -> Result<Vec<f64>, Error> {
        let values = self.floats(name)?;
        match values.len() == n {
            true => Ok(values),
            false => Err(Error::invalid(format!(
                "{} numbers in `{name}`, not {n}",
                values.len()
            ))),
        }
    }

    /// The same, or one number that counts for all.
    pub(super) fn one_each_or_all(&self, name: &str, n: usize) -> Result<Vec<f64>, Error> {
        match self.floats(name)?[..] {
            [one] => Ok(vec![one; n]),
            _ => self.one_each(name, n),
        }
    }

    /// One number.
    pub(super) fn number(&self, name: &str) -> Result<f64, Error> {
        let id = self.get(name)?;
        self.pickle.number(id).map_err(|e| e.under(name))
    }

    /// A number that counts something.
    pub(super) fn count(&self, name: &str) -> Result<usize, Error> {
        let n = self.number(name)?;
        if n >= 0.0 && n.trunc() == n && n < 4_294_967_296.0 {
            Ok(n as usize)
        } else {
            Err(Error::invalid(format!(
                "`{name}` is {n}, which counts nothing"
            )))
        }
    }

    /// Text; `None` where it is something else.
    pub(super) fn text(&self, name: &str) -> Option<&'p str> {
        match self.pickle.get(self.some(name)?) {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Whether the attribute is True, as NumPy's truth values and numbers but 0 are. Text is not:
    /// where it stands for a truth value it says that the parameter is deprecated.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.some(name).is_some_and(|id| match self.pickle.get(id) {
            Value::Bool(flag) => *flag,
            _ => self.pickle.number(id).is_ok_and(|number| number != 0.0),
        })
    }

    /// `classes_` of a classifier of one output.
    pub(super) fn classes(&self) -> Result<Labels, Error> {
        let id = self.get("classes_")?;
        let several = match self.pickle.get(id) {
            Value::List(items) => items
                .first()
                .is_some_and(|&first| self.pickle.elements(first).is_some()),
            _ => false,
        };
        if several {
            return Err(self.unsupported(
                "with several outputs",
                "its answers are a list of tables; train one classifier an output",
            ));
        }
        let labels = self.elements("classes_")?.into_labels();
        if labels.is_empty() {
            return Err(Error::invalid("`classes_` is empty"));
        }
        Ok(labels)
    }

    /// A refusal that names the class.
    pub(super) fn unsupported(&self, what: &str, advice: impl Into<String>) -> Error {
        let name = self.object.callee.shown();
        let what = if what.is_empty() {
            format!("`{name}`")
        } else {
            format!("`{name}` {what}")
        };
        Error::unsupported(what, advice)
    }

    /// That the attribute is something else than wanted.
    pub(super) fn fault(&self, name: &str, id: Id, wanted: &str) -> Error {
        Error::invalid(format!(
            "`{}` is {}, not {wanted}",
            shown(name),
            self.pickle.describe(id)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_of_numpy_count_as_pythons_own() {
        // Text of one byte a character, the number of bytes in front.
        let scalar = |code: &str, size: u8, content: &str| {
            let dtype =
                format!("cnumpy\ndtype\n(V{code}\nI0\nI1\ntR(I3\nV<\nNNNI{size}\nI4\nI8\ntb");
            let size = char::from(size);
            format!("cnumpy.core.multiarray\nscalar\n({dtype}C{size}{content}tR")
        };
        let text = scalar("U2", 8, "l\0\0\x001\0\0\0");
        for (value, flag, text) in [
            ("I01\n", true, None),
            ("I00\n", false, None),
            ("I1\n", true, None),
            ("I0\n", false, None),
            ("F0.5\n", true, None),
            ("N", false, None),
            ("Vdeprecated\n", false, Some("deprecated")),
            (&scalar("b1", 1, "\x01"), true, None),
            (&scalar("b1", 1, "\0"), false, None),
            (&text, false, Some("l1")),
        ] {
            let pickle = format!(
                "ccopyreg\n_reconstructor\n(csklearn.c\nC\nc__builtin__\nset\nNtR(dVkey\n{value}sb."
            );
            let pickle = Pickle::read(pickle.as_bytes()).unwrap();
            let at = Attributes::of(&pickle, pickle.root).unwrap();
            assert_eq!((at.flag("key"), at.text("key")), (flag, text), "{value:?}");
        }
    }
}
