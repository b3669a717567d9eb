//! The pickle machine: protocols 0 to 5, and the arrays that joblib puts between instructions.
//!
//! Bounded by its input: every instruction takes at least one byte and makes at most one value,
//! lengths are held against the bytes that are left, bytes and text are borrowed. It has no way to
//! import or call anything (see [`allow`]).

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use super::input::Input;
use super::literal::{integer, long, python_literal, raw_unicode_escape};
use super::{Global, Id, Object, Pickle, Value, allow, numpy};
use crate::Error;

/// joblib keeps arrays of objects as pickles within the pickle.
const MAX_NESTING: usize = 4;

pub(super) fn run(bytes: &[u8]) -> Result<Pickle<'_>, Error> {
    let mut machine = Machine {
        input: Input::new(bytes),
        values: Vec::new(),
    };
    let root = machine.pickle(0)?;
    Ok(Pickle::new(machine.values, root, bytes.len()))
}

struct Machine<'a> {
    input: Input<'a>,
    values: Vec<Value<'a>>,
}

/// What one pickle keeps while it is read. (A pickle within a pickle has its own.)
#[derive(Default)]
struct Frame {
    stack: Vec<Id>,
    /// Where each open mark stands in the stack.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl Frame {
    fn underflow() -> Error {
        Error::invalid("an instruction of the pickle finds nothing to work on")
    }

    fn pop(&mut self) -> Result<Id, Error> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(Self::underflow());
        }
        self.stack.pop().ok_or_else(Self::underflow)
    }

    fn top(&self) -> Result<Id, Error> {
        self.stack.last().copied().ok_or_else(Self::underflow)
    }

    fn since_mark(&mut self) -> Result<Vec<Id>, Error> {
        let mark = self.marks.pop().ok_or_else(Self::underflow)?;
        Ok(self.stack.drain(mark..).collect())
    }

    fn memo(&self, key: u32) -> Result<Id, Error> {
        self.memo.get(&key).copied().ok_or_else(|| {
            Error::invalid(format!(
                "the pickle recalls value {key} that it never stored"
            ))
        })
    }
}

fn pairs(flat: Vec<Id>) -> Result<Vec<(Id, Id)>, Error> {
    let (pairs, []) = flat.as_chunks::<2>() else {
        return Err(Error::invalid(
            "a dictionary of the pickle has a key without a value",
        ));
    };
    Ok(pairs.iter().map(|&[k, v]| (k, v)).collect())
}

/// Names are copied wherever they are used, so a long one could be made to fill the memory.
fn global<'a>(module: Cow<'a, str>, name: Cow<'a, str>) -> Result<Global<'a>, Error> {
    const LONGEST: usize = 200;
    if module.len().max(name.len()) > LONGEST {
        return Err(Error::invalid(format!(
            "a name in the pickle is longer than {LONGEST} bytes"
        )));
    }
    Ok(Global { module, name })
}

impl<'a> Machine<'a> {
    fn put(&mut self, value: Value<'a>) -> Id {
        self.values.push(value);
        Id(self.values.len() - 1)
    }

    fn push(&mut self, frame: &mut Frame, value: Value<'a>) {
        let id = self.put(value);
        frame.stack.push(id);
    }

    fn tuple(&self, id: Id) -> Result<Rc<[Id]>, Error> {
        match &self.values[id.0] {
            Value::Tuple(items) => Ok(Rc::clone(items)),
            _ => Err(Error::invalid("arguments that are no tuple")),
        }
    }

    /// Writes down a call.
    fn call(&mut self, frame: &mut Frame, callee: Id, args: Rc<[Id]>) -> Result<(), Error> {
        let function = match &self.values[callee.0] {
            Value::Global(function) => Some(function),
            // `functools.partial(f, ...)(...)` calls `f`.
            Value::Object(partial) if partial.callee.is("functools", "partial") => {
                match partial.args.first().map(|id| &self.values[id.0]) {
                    Some(Value::Global(function)) => Some(function),
                    _ => None,
                }
            }
            _ => None,
        };
        let Some(function) = function else {
            return Err(Error::invalid(
                "the pickle calls what is neither class nor function",
            ));
        };
        let callee = match args.first().map(|id| &self.values[id.0]) {
            Some(Value::Global(class)) if allow::is_constructor(function) => class.clone(),
            _ => function.clone(),
        };
        // A method is named by what it is of, which must be of a known name itself.
        let allowed = match args.first().map(|id| &self.values[id.0]) {
            _ if !allow::is_getattr(&callee) => allow::allows(&callee),
            Some(Value::Object(_)) => true,
            Some(Value::Global(class)) => allow::allows(class),
            _ => false,
        };
        if !allowed {
            return Err(Error::unsupported(
                format!("`{}`", callee.shown()),
                "the pickle calls it; a pickle is read as data and never run, and this name is not among those known",
            ));
        }
        self.push(
            frame,
            Value::Object(Object {
                callee,
                args,
                state: None,
                items: Vec::new(),
                payload: None,
            }),
        );
        Ok(())
    }

    fn extend(&mut self, target: Id, more: Vec<Id>) -> Result<(), Error> {
        match &mut self.values[target.0] {
            Value::List(items) | Value::Set(items) => items.extend(more),
            // A list of another class, a deque say: none that is read has one.
            Value::Object(_) => {}
            _ => return Err(Error::invalid("the pickle appends to what is no list")),
        }
        Ok(())
    }

    fn set_items(&mut self, target: Id, more: Vec<(Id, Id)>) -> Result<(), Error> {
        match &mut self.values[target.0] {
            Value::Dict(items) => items.extend(more),
            Value::Object(object) => object.items.extend(more),
            _ => {
                return Err(Error::invalid(
                    "the pickle sets an item of what is no dictionary",
                ));
            }
        }
        Ok(())
    }

    /// Runs one pickle to its `STOP`.
    fn pickle(&mut self, nesting: usize) -> Result<Id, Error> {
        let mut frame = Frame::default();
        loop {
            let at = self.input.at;
            let op = self.input.u8()?;
            if op == b'.' {
                return frame.pop().map_err(|e| e.at(at));
            }
            self.step(op, &mut frame, nesting).map_err(|e| e.at(at))?;
        }
    }

    fn step(&mut self, op: u8, frame: &mut Frame, nesting: usize) -> Result<(), Error> {
        match op {
            // Protocol and framing.
            0x80 => match self.input.u8()? {
                0..=5 => {}
                p => {
                    return Err(Error::unsupported(
                        format!("pickle protocol {p}"),
                        "0 to 5 are known",
                    ));
                }
            },
            0x95 => {
                self.input.u64()?;
            }
            // Constants and numbers.
            b'N' => self.push(frame, Value::None),
            0x88 => self.push(frame, Value::Bool(true)),
            0x89 => self.push(frame, Value::Bool(false)),
            b'J' => {
                let i = i32::from_le_bytes(self.input.array()?);
                self.push(frame, Value::Int(i.into()));
            }
            b'K' => {
                let i = self.input.u8()?;
                self.push(frame, Value::Int(i.into()));
            }
            b'M' => {
                let i = u16::from_le_bytes(self.input.array()?);
                self.push(frame, Value::Int(i.into()));
            }
            b'I' => {
                let value = match self.input.line()? {
                    "00" => Value::Bool(false),
                    "01" => Value::Bool(true),
                    text => integer(text)?,
                };
                self.push(frame, value);
            }
            b'L' => {
                let value = integer(self.input.line()?.trim_end_matches('L'))?;
                self.push(frame, value);
            }
            0x8a => {
                let n = self.input.u8()?.into();
                let value = long(self.input.take(n)?);
                self.push(frame, value);
            }
            0x8b => {
                let n = self.input.u32()? as usize;
                let value = long(self.input.take(n)?);
                self.push(frame, value);
            }
            b'F' => {
                let x = self.input.line_as()?;
                self.push(frame, Value::Float(x));
            }
            b'G' => {
                let x = f64::from_be_bytes(self.input.array()?);
                self.push(frame, Value::Float(x));
            }
            // Text and bytes.
            b'S' => {
                let value = python_literal(self.input.line()?)?;
                self.push(frame, value);
            }
            b'V' => {
                let text = raw_unicode_escape(self.input.raw_line()?)?;
                self.push(frame, Value::Str(text));
            }
            0x8c | b'X' | 0x8d => {
                let n = match op {
                    0x8c => self.input.u8()?.into(),
                    b'X' => self.input.u32()? as usize,
                    _ => self.input.u64()?,
                };
                let text = self.input.text(n)?;
                self.push(frame, Value::Str(text));
            }
            b'C' | b'B' | 0x8e | 0x96 | b'U' | b'T' => {
                let n = match op {
                    b'C' | b'U' => self.input.u8()?.into(),
                    b'B' | b'T' => self.input.u32()? as usize,
                    _ => self.input.u64()?,
                };
                let bytes = self.input.take(n)?;
                // `U` and `T` are Python 2's strings, which were both.
                let value = match std::str::from_utf8(bytes) {
                    Ok(text) if matches!(op, b'U' | b'T') => Value::Str(Cow::Borrowed(text)),
                    _ => Value::Bytes(Cow::Borrowed(bytes)),
                };
                self.push(frame, value);
            }
            // Containers.
            b']' => self.push(frame, Value::List(Vec::new())),
            b')' => self.push(frame, Value::Tuple(Rc::from([]))),
            b'}' => self.push(frame, Value::Dict(Vec::new())),
            0x8f => self.push(frame, Value::Set(Vec::new())),
            b'(' => frame.marks.push(frame.stack.len()),
            b'l' => {
                let items = frame.since_mark()?;
                self.push(frame, Value::List(items));
            }
            b't' => {
                let items = frame.since_mark()?;
                self.push(frame, Value::Tuple(items.into()));
            }
            0x91 => {
                let items = frame.since_mark()?;
                self.push(frame, Value::Set(items));
            }
            b'd' => {
                let items = pairs(frame.since_mark()?)?;
                self.push(frame, Value::Dict(items));
            }
            0x85..=0x87 => {
                let mut items = Vec::new();
                for _ in 0x84..op {
                    items.push(frame.pop()?);
                }
                items.reverse();
                self.push(frame, Value::Tuple(items.into()));
            }
            b'a' => {
                let item = frame.pop()?;
                self.extend(frame.top()?, vec![item])?;
            }
            b'e' | 0x90 => {
                let items = frame.since_mark()?;
                self.extend(frame.top()?, items)?;
            }
            b's' => {
                let value = frame.pop()?;
                let key = frame.pop()?;
                self.set_items(frame.top()?, vec![(key, value)])?;
            }
            b'u' => {
                let items = pairs(frame.since_mark()?)?;
                self.set_items(frame.top()?, items)?;
            }
            // The stack and the memo.
            b'0' => {
                // At a mark, Python pops the mark.
                if frame.marks.last() == Some(&frame.stack.len()) {
                    frame.marks.pop();
                } else {
                    frame.pop()?;
                }
            }
            b'1' => {
                frame.since_mark()?;
            }
            b'2' => frame.stack.push(frame.top()?),
            b'p' | b'q' | b'r' | 0x94 => {
                let key = match op {
                    b'p' => self.input.line_as()?,
                    b'q' => self.input.u8()?.into(),
                    b'r' => self.input.u32()?,
                    _ => u32::try_from(frame.memo.len()).unwrap_or(u32::MAX),
                };
                frame.memo.insert(key, frame.top()?);
            }
            b'g' | b'h' | b'j' => {
                let key = match op {
                    b'g' => self.input.line_as()?,
                    b'h' => self.input.u8()?.into(),
                    _ => self.input.u32()?,
                };
                frame.stack.push(frame.memo(key)?);
            }
            // Names and what they would make.
            b'c' => {
                let module = Cow::Borrowed(self.input.line()?);
                let name = Cow::Borrowed(self.input.line()?);
                let global = global(module, name)?;
                self.push(frame, Value::Global(global));
            }
            0x93 => {
                let (name, module) = (frame.pop()?, frame.pop()?);
                match (&self.values[module.0], &self.values[name.0]) {
                    (Value::Str(module), Value::Str(name)) => {
                        let global = global(module.clone(), name.clone())?;
                        self.push(frame, Value::Global(global));
                    }
                    _ => return Err(Error::invalid("a name in the pickle is no text")),
                }
            }
            b'R' | 0x81 => {
                let args = frame.pop()?;
                let args = self.tuple(args)?;
                let callee = frame.pop()?;
                self.call(frame, callee, args)?;
            }
            0x92 => {
                let (_keywords, args) = (frame.pop()?, frame.pop()?);
                let args = self.tuple(args)?;
                let callee = frame.pop()?;
                self.call(frame, callee, args)?;
            }
            b'o' => {
                let mut items = frame.since_mark()?;
                if items.is_empty() {
                    return Err(Frame::underflow());
                }
                let callee = items.remove(0);
                self.call(frame, callee, items.into())?;
            }
            b'i' => {
                let module = Cow::Borrowed(self.input.line()?);
                let name = Cow::Borrowed(self.input.line()?);
                let args = frame.since_mark()?.into();
                let callee = self.put(Value::Global(global(module, name)?));
                self.call(frame, callee, args)?;
            }
            b'b' => {
                let state = frame.pop()?;
                self.build(frame.top()?, state, nesting)?;
            }
            b'P' | b'Q' => {
                return Err(Error::unsupported(
                    "a persistent reference",
                    "the pickle refers to something outside of itself",
                ));
            }
            0x82..=0x84 => {
                return Err(Error::unsupported(
                    "a copyreg extension code",
                    "in the pickle",
                ));
            }
            0x97 | 0x98 => {
                return Err(Error::unsupported(
                    "an out-of-band buffer",
                    "save the pickle without buffer_callback",
                ));
            }
            _ => {
                return Err(Error::invalid(format!(
                    "{op:#04x} is no instruction of a pickle"
                )));
            }
        }
        Ok(())
    }

    fn build(&mut self, target: Id, state: Id, nesting: usize) -> Result<(), Error> {
        let Value::Object(object) = &mut self.values[target.0] else {
            return Err(Error::invalid(
                "the pickle gives a state to what is no object",
            ));
        };
        object.state = Some(state);
        if object.callee.is("joblib.numpy_pickle", "NumpyArrayWrapper") {
            let payload = self.joblib_array(target, nesting)?;
            if let Value::Object(object) = &mut self.values[target.0] {
                object.payload = Some(payload);
            }
        }
        Ok(())
    }

    /// The array that joblib puts behind its wrapper object: raw bytes, or a pickle of the items.
    fn joblib_array(&mut self, wrapper: Id, nesting: usize) -> Result<Id, Error> {
        let layout = numpy::joblib_layout(&self.values, wrapper)?;
        if layout.aligned {
            let padding = self.input.u8()?.into();
            self.input.take(padding)?;
        }
        match layout.n_bytes {
            Some(n) => {
                let bytes = self.input.take(n)?;
                Ok(self.put(Value::Bytes(Cow::Borrowed(bytes))))
            }
            None if nesting < MAX_NESTING => self.pickle(nesting + 1),
            None => Err(Error::invalid("joblib arrays nested too deep")),
        }
    }
}
