//! Python pickles, read as data and never run.
//!
//! A pickle is a program: loading one in Python can run any code. The [`machine`] here knows the
//! instructions but no Python: what a pickle would call it writes down as an [`Object`] (the name
//! of the callee, its arguments, its state), and only names on the list in [`allow`] get that far.
//! Every other is refused by name. Whoever reads an estimator looks its attributes up in the
//! result and interprets the few classes it knows, as [`numpy`] does for arrays.
//!
//! Values live in an arena and refer to each other by [`Id`], since pickles share values and may
//! be cyclic: walk them with that in mind.

mod allow;
pub(crate) mod array;
mod input;
mod literal;
mod machine;
pub(crate) mod numpy;

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;

use crate::Error;
use crate::error::shown;

/// The place of a value in its pickle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id(pub(crate) usize);

/// A Python value.
#[derive(Debug)]
pub(crate) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits: kept as a mark, its digits are nobody's business.
    BigInt,
    Float(f64),
    Str(Cow<'a, str>),
    /// `bytes`, and `bytearray` too.
    Bytes(Cow<'a, [u8]>),
    List(Vec<Id>),
    /// Shared, since every call that is given it keeps it.
    Tuple(Rc<[Id]>),
    Set(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// An array as a `.npy` file, which is how skops keeps one.
    Npy(Cow<'a, [u8]>),
    /// A class or a function, by name.
    Global(Global<'a>),
    /// What a call would have made.
    Object(Object<'a>),
}

/// A class or a function, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Global<'a> {
    pub(crate) module: Cow<'a, str>,
    pub(crate) name: Cow<'a, str>,
}

impl Global<'_> {
    pub(crate) fn is(&self, module: &str, name: &str) -> bool {
        self.module == module && self.name == name
    }

    /// The qualified name, fit for a message.
    pub(crate) fn shown(&self) -> String {
        shown(&format!("{}.{}", self.module, self.name)).into_owned()
    }
}

/// What a call would have made.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    /// What was called: a class, or a function that makes one thing.
    pub(crate) callee: Global<'a>,
    /// The arguments; of one of copyreg's constructors, its own, so that the class comes first.
    pub(crate) args: Rc<[Id]>,
    /// What `__setstate__` would get.
    pub(crate) state: Option<Id>,
    /// The items that were put in, of a dictionary of another class.
    pub(crate) items: Vec<(Id, Id)>,
    /// What joblib keeps in the stream behind the object: an array's bytes, or a list of its items.
    pub(crate) payload: Option<Id>,
}

/// A pickle, read; or a skops file, which holds the same values in another form.
#[derive(Debug)]
pub(crate) struct Pickle<'a> {
    values: Vec<Value<'a>>,
    pub(crate) root: Id,
    /// How many bytes of arrays and lists may still be copied out. A file may point at one array
    /// from any number of places, and each would cost its length.
    budget: Cell<usize>,
}

impl<'a> Pickle<'a> {
    /// Values that came from a file of so many bytes.
    pub(crate) fn new(values: Vec<Value<'a>>, root: Id, n_bytes: usize) -> Self {
        const TIMES: usize = 8;
        const AT_LEAST: usize = 1 << 20;
        let mut pickle = Self {
            values,
            root,
            budget: Cell::new(n_bytes.saturating_mul(TIMES).saturating_add(AT_LEAST)),
        };
        pickle.unwrap_texts();
        pickle
    }

    /// Takes `n` bytes off what may be copied out; `None` where that is too much.
    pub(crate) fn spend(&self, n: usize) -> Option<()> {
        self.budget.set(self.budget.get().checked_sub(n)?);
        Some(())
    }

    /// Reads a pickle of protocol 0 to 5, or what joblib writes without compression.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        machine::run(bytes)
    }

    /// The package that the object's class is from.
    pub(crate) fn package(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Value::Object(object) => object.callee.module.split('.').next(),
            _ => None,
        }
    }

    pub(crate) fn get(&self, id: Id) -> &Value<'a> {
        self.values.get(id.0).unwrap_or(&Value::None)
    }

    /// The object's attributes: its state where that is a dictionary.
    pub(crate) fn attribute(&self, object: &Object<'a>, name: &str) -> Option<Id> {
        self.item(object.state?, name)
    }

    /// The value of a text key, in a dictionary.
    pub(crate) fn item(&self, dict: Id, name: &str) -> Option<Id> {
        let items = match self.get(dict) {
            Value::Dict(items) => items,
            Value::Object(object) => &object.items,
            _ => return None,
        };
        // The last of equal keys wins, as in Python.
        items
            .iter()
            .rev()
            .find(|(key, _)| matches!(self.get(*key), Value::Str(s) if s == name))
            .map(|&(_, value)| value)
    }

    /// The object's attribute, unless it is absent or `None`.
    pub(crate) fn some_attribute(&self, object: &Object<'a>, name: &str) -> Option<Id> {
        self.attribute(object, name)
            .filter(|&id| !matches!(self.get(id), Value::None))
    }

    /// Bytes, also where they stand as `bytearray(...)` or as text to be encoded in Latin-1, as
    /// protocols below 3 have it.
    pub(crate) fn bytes(&self, id: Id) -> Option<Cow<'_, [u8]>> {
        match self.get(id) {
            Value::Bytes(bytes) => Some(Cow::Borrowed(bytes)),
            Value::Object(o) if allow::is_bytes(&o.callee) => match o.args[..] {
                [] => Some(Cow::Borrowed(&[])),
                [text] | [text, _] => match self.get(text) {
                    Value::Str(text) => latin1(text),
                    Value::Bytes(bytes) => Some(Cow::Borrowed(bytes)),
                    // `bytearray(_codecs.encode(text, 'latin1'))`; nothing nests deeper.
                    Value::Object(inner) if inner.callee.is("_codecs", "encode") => {
                        match inner.args.first().map(|&text| self.get(text)) {
                            Some(Value::Str(text)) => latin1(text),
                            _ => None,
                        }
                    }
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }
}

fn latin1(text: &str) -> Option<Cow<'static, [u8]>> {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
    bytes.map(Cow::Owned)
}

#[cfg(test)]
mod tests;
