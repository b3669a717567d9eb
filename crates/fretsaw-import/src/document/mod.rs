//! One reader for the two document formats, JSON and UBJSON: both feed the same
//! `#[derive(Deserialize)]` structs.
//!
//! A [`Syntax`] turns bytes into [`Token`]s; [`Reader`] turns tokens into serde's calls. Two things
//! are done here and not by `serde_json`: XGBoost's JSON has bare `NaN` and `Infinity`, and its
//! numbers stand as numbers in one version and as strings in another. So the type that a field asks
//! for decides: an `f32` field takes `5E-1`, `1`, `NaN` and `"0.5"`, each rounded once, to f32; an
//! `f64` field rounds to f64.
//!
//! Errors get their path (`learner.gradient_booster.model.trees[3]`) on the way up, so keeping
//! track of it costs nothing while all is well. It is no general JSON library: what is skipped is
//! checked for its brackets and strings only as far as is needed to find its end.

mod json;
mod ubjson;

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::Error;
use crate::error::shown;
pub(crate) use json::Json;
pub(crate) use ubjson::Ubjson;

/// Documents nest about nine deep; recursion stops far before the stack does.
const MAX_DEPTH: usize = 64;

/// One value, or the opening of an array or object.
#[derive(Debug)]
pub(crate) enum Token<'de> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f32),
    Double(f64),
    /// A number as written, not yet rounded to the type that the field has.
    Number(&'de str),
    Str(Cow<'de, str>),
    Array(Array),
    Object,
}

/// How far an array has been read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Array {
    /// It ends with a bracket.
    Open {
        /// Whether nothing of it has been read.
        first: bool,
    },
    /// It says how many elements it has.
    Counted {
        /// How many are still to come; never more than there are bytes left.
        left: usize,
        /// The type of all of them, where it is given once.
        marker: Option<u8>,
    },
}

/// A format's grammar.
pub(crate) trait Syntax<'de> {
    /// The byte that is read next.
    fn offset(&self) -> usize;
    /// The next value.
    fn value(&mut self) -> Result<Token<'de>, Error>;
    /// The next element of an array, or `None` at its end.
    fn element(&mut self, array: &mut Array) -> Result<Option<Token<'de>>, Error>;
    /// The next key of an object, or `None` at its end.
    fn key(&mut self, first: bool) -> Result<Option<Cow<'de, str>>, Error>;
    /// That nothing follows the document.
    fn end(&mut self) -> Result<(), Error>;
}

/// Reads a whole document as a `T`.
pub(crate) fn read<'de, S: Syntax<'de>, T: Deserialize<'de>>(mut syntax: S) -> Result<T, Error> {
    let token = syntax.value()?;
    let value = T::deserialize(Value {
        syntax: &mut syntax,
        token,
        depth: 0,
    })?;
    syntax.end()?;
    Ok(value)
}

/// The first key of a document's outermost object that `known` recognises.
///
/// # Errors
/// When the document is broken before that key, or is no object.
pub(crate) fn find_key<'de, S: Syntax<'de>, T>(
    mut syntax: S,
    known: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Error> {
    let Token::Object = syntax.value()? else {
        return Ok(None);
    };
    let mut first = true;
    while let Some(key) = syntax.key(first)? {
        if let Some(found) = known(&key) {
            return Ok(Some(found));
        }
        let token = syntax.value()?;
        skip(&mut syntax, token, 1)?;
        first = false;
    }
    Ok(None)
}

/// Passes over the rest of a value whose first token has been read, `depth` deep in the document.
pub(crate) fn skip<'de, S: Syntax<'de>>(
    syntax: &mut S,
    token: Token<'de>,
    depth: usize,
) -> Result<(), Error> {
    match token {
        Token::Array(mut array) => {
            check_depth(depth, syntax.offset())?;
            while let Some(token) = syntax.element(&mut array)? {
                skip(syntax, token, depth + 1)?;
            }
        }
        Token::Object => {
            check_depth(depth, syntax.offset())?;
            let mut first = true;
            while syntax.key(first)?.is_some() {
                let token = syntax.value()?;
                skip(syntax, token, depth + 1)?;
                first = false;
            }
        }
        _ => {}
    }
    Ok(())
}

fn check_depth(depth: usize, offset: usize) -> Result<(), Error> {
    if depth < MAX_DEPTH {
        Ok(())
    } else {
        Err(Error::syntax(
            offset,
            format!("nested more than {MAX_DEPTH} deep"),
        ))
    }
}

/// A value whose first token has been read.
struct Value<'a, 'de, S> {
    syntax: &'a mut S,
    token: Token<'de>,
    depth: usize,
}

impl<'de, S: Syntax<'de>> Value<'_, 'de, S> {
    fn number<T: std::str::FromStr>(&self, text: &str, name: &str) -> Result<T, Error> {
        text.trim().parse().map_err(|_| {
            Error::invalid(format!("`{}` is not a number of type {name}", shown(text)))
                .at(self.syntax.offset())
        })
    }

    fn float(self) -> Result<Self, Error> {
        let token = match &self.token {
            Token::Int(i) => Token::Float(*i as f32),
            Token::Number(text) => Token::Float(self.number(text, "f32")?),
            Token::Str(text) => Token::Float(self.number(text, "f32")?),
            _ => return Ok(self),
        };
        Ok(Self { token, ..self })
    }

    fn double(self) -> Result<Self, Error> {
        let token = match &self.token {
            Token::Int(i) => Token::Double(*i as f64),
            Token::Number(text) => Token::Double(self.number(text, "f64")?),
            Token::Str(text) => Token::Double(self.number(text, "f64")?),
            _ => return Ok(self),
        };
        Ok(Self { token, ..self })
    }

    fn integer(self) -> Result<Self, Error> {
        let token = match &self.token {
            Token::Bool(b) => Token::Int(i64::from(*b)),
            Token::Number(text) => Token::Int(self.number(text, "i64")?),
            Token::Str(text) => Token::Int(self.number(text, "i64")?),
            _ => return Ok(self),
        };
        Ok(Self { token, ..self })
    }

    fn visit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.token {
            Token::Null => visitor.visit_unit(),
            Token::Bool(b) => visitor.visit_bool(b),
            Token::Int(i) => visitor.visit_i64(i),
            Token::Float(x) => visitor.visit_f32(x),
            Token::Double(x) => visitor.visit_f64(x),
            Token::Number(text) => visitor.visit_f32(self.number(text, "f32")?),
            Token::Str(Cow::Borrowed(s)) => visitor.visit_borrowed_str(s),
            Token::Str(Cow::Owned(s)) => visitor.visit_string(s),
            Token::Array(array) => {
                check_depth(self.depth, self.syntax.offset())?;
                let mut elements = Elements {
                    syntax: self.syntax,
                    array,
                    depth: self.depth + 1,
                    index: 0,
                    ended: false,
                };
                let value = visitor.visit_seq(&mut elements)?;
                if elements.ended || elements.syntax.element(&mut elements.array)?.is_none() {
                    Ok(value)
                } else {
                    Err(Error::invalid(
                        "the array has more elements than belong there",
                    ))
                }
            }
            Token::Object => {
                check_depth(self.depth, self.syntax.offset())?;
                visitor.visit_map(Fields {
                    syntax: self.syntax,
                    depth: self.depth + 1,
                    key: None,
                    first: true,
                })
            }
        }
    }

    fn boolean(self) -> Self {
        let token = match self.token {
            Token::Int(0) => Token::Bool(false),
            Token::Int(1) => Token::Bool(true),
            other => other,
        };
        Self { token, ..self }
    }
}

impl<'de, S: Syntax<'de>> Deserializer<'de> for Value<'_, 'de, S> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let offset = self.syntax.offset();
        self.visit(visitor).map_err(|e| e.at(offset))
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.float()?.deserialize_any(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.double()?.deserialize_any(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.integer()?.deserialize_any(visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.integer()?.deserialize_any(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.integer()?.deserialize_any(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.integer()?.deserialize_any(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.integer()?.deserialize_any(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.boolean().deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.token {
            Token::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        skip(self.syntax, self.token, self.depth)?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u16 u128 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier
    }
}

struct Elements<'a, S> {
    syntax: &'a mut S,
    array: Array,
    depth: usize,
    index: usize,
    ended: bool,
}

impl<'de, S: Syntax<'de>> SeqAccess<'de> for &mut Elements<'_, S> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        if self.ended {
            return Ok(None);
        }
        let Some(token) = self
            .syntax
            .element(&mut self.array)
            .map_err(|e| e.item(self.index))?
        else {
            self.ended = true;
            return Ok(None);
        };
        let value = seed
            .deserialize(Value {
                syntax: self.syntax,
                token,
                depth: self.depth,
            })
            .map_err(|e| e.item(self.index))?;
        self.index += 1;
        Ok(Some(value))
    }

    fn size_hint(&self) -> Option<usize> {
        match self.array {
            Array::Open { .. } => None,
            Array::Counted { left, .. } => Some(left),
        }
    }
}

struct Fields<'a, 'de, S> {
    syntax: &'a mut S,
    depth: usize,
    key: Option<Cow<'de, str>>,
    first: bool,
}

impl<'de, S: Syntax<'de>> MapAccess<'de> for Fields<'_, 'de, S> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.key = self.syntax.key(self.first)?;
        self.first = false;
        match &self.key {
            None => Ok(None),
            Some(key) => {
                let key = serde::de::value::CowStrDeserializer::<Error>::new(Cow::clone(key));
                seed.deserialize(key).map(Some)
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let key = self.key.take().unwrap_or_default();
        let token = self.syntax.value().map_err(|e| e.under(&key))?;
        seed.deserialize(Value {
            syntax: self.syntax,
            token,
            depth: self.depth,
        })
        .map_err(|e| e.under(&key))
    }
}

#[cfg(test)]
mod tests;
