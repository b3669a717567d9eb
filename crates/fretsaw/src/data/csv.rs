//! CSV: a table of text. A header line, commas, quotes as of RFC 4180, UTF-8.
//!
//! The scanner is our own because its errors are the point: it knows the line of every record
//! whatever the line ends are, and it refuses what a lenient reader mends in silence (a quote that
//! is never closed swallows the rest of a torn file; text behind a closing quote). It guesses
//! neither separators nor types; empty lines are skipped.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;

use super::{At, Cell, Held, Visit, cannot_read, quoted};
use crate::{Error, Result};

/// A CSV file, whole in memory and known to be well-formed.
#[derive(Debug)]
pub(super) struct Csv {
    text: String,
    /// Where the records begin, and in which line.
    body: (usize, usize),
    names: Vec<String>,
    n_rows: usize,
}

impl Csv {
    pub(super) fn open(mut file: File) -> Result<Self> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(cannot_read)?;
        Self::parse(bytes)
    }

    fn parse(bytes: Vec<u8>) -> Result<Self> {
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(Error::data("this is UTF-16; save it as UTF-8"));
        }
        let text = String::from_utf8(bytes).map_err(|e| {
            let before = &e.as_bytes()[..e.utf8_error().valid_up_to()];
            let line = 1 + before.iter().filter(|&&b| b == b'\n').count();
            Error::data(format!(
                "line {line} holds bytes that are not UTF-8; save the file as UTF-8"
            ))
        })?;
        let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
        let mut records = Records::new(&text, (start, 1));
        let mut cells = Vec::new();
        if records.next(&mut cells)?.is_none() {
            return Err(Error::data(
                "the file is empty; a CSV needs a header line with the columns' names",
            ));
        }
        let is_number = |c: &Cow<'_, str>| c.trim().parse::<f64>().is_ok();
        let is_whole = |c: &Cow<'_, str>| c.trim().parse::<i64>().is_ok();
        if cells.iter().all(is_number) && !cells.iter().all(is_whole) {
            return Err(Error::data(
                "the first line is all numbers; a CSV needs a header line with the columns' names",
            ));
        }
        let names: Vec<String> = cells.drain(..).map(Cow::into_owned).collect();
        let body = (records.at, records.line);
        let mut n_rows = 0;
        while let Some(line) = records.next(&mut cells)? {
            if cells.len() != names.len() {
                return Err(Error::data(format!(
                    "line {line} has {} cells, the header has {}",
                    cells.len(),
                    names.len()
                )));
            }
            n_rows += 1;
        }
        Ok(Self {
            text,
            body,
            names,
            n_rows,
        })
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Text is read as f64, as the frameworks' users read it.
    pub(super) fn held(&self) -> Held {
        Held::Double
    }

    /// Visits the `columns`, row by row.
    pub(super) fn visit(&self, columns: &[usize], visit: &mut Visit<'_>) -> Result<usize> {
        self.cursor().visit(columns, usize::MAX, visit)
    }

    /// The records from the first on.
    pub(super) fn cursor(&self) -> Cursor<'_> {
        Cursor {
            records: Records::new(&self.text, self.body),
            cells: Vec::new(),
            row: 0,
        }
    }
}

/// A place among the records.
pub(super) struct Cursor<'a> {
    records: Records<'a>,
    cells: Vec<Cow<'a, str>>,
    row: usize,
}

impl Cursor<'_> {
    /// Visits the `columns` of the next `most` rows, or what there is of them, and tells how many.
    pub(super) fn visit(
        &mut self,
        columns: &[usize],
        most: usize,
        visit: &mut Visit<'_>,
    ) -> Result<usize> {
        let first = self.row;
        while self.row - first < most
            && let Some(line) = self.records.next(&mut self.cells)?
        {
            let (row, line) = (self.row, Some(line));
            for (position, &column) in columns.iter().enumerate() {
                visit(
                    At { row, line },
                    position,
                    Cell::Written(&self.cells[column]),
                )?;
            }
            self.row += 1;
        }
        Ok(self.row - first)
    }
}

/// What a written number may be: a decimal number, `inf`, `nan`, or a truth value.
pub(super) enum Number {
    Float(f64),
    Bool(bool),
}

/// The number that `text` writes, if it does; spaces around it do not matter.
pub(super) fn number(text: &str) -> Option<Number> {
    match text.trim_ascii() {
        "true" | "True" | "TRUE" => Some(Number::Bool(true)),
        "false" | "False" | "FALSE" => Some(Number::Bool(false)),
        text => text.parse().ok().map(Number::Float),
    }
}

/// The records of a text, one after another.
struct Records<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Records<'a> {
    fn new(text: &'a str, (at, line): (usize, usize)) -> Self {
        Self { text, at, line }
    }

    /// Replaces `cells` with the next record's and tells the line it begins in; `None` at the end.
    fn next(&mut self, cells: &mut Vec<Cow<'a, str>>) -> Result<Option<usize>> {
        cells.clear();
        while self.end_line() {}
        if self.at == self.text.len() {
            return Ok(None);
        }
        let line = self.line;
        loop {
            let cell = if self.peek() == Some(b'"') {
                self.quoted_cell()?
            } else {
                self.plain_cell()
            };
            cells.push(cell);
            if self.peek() == Some(b',') {
                self.at += 1;
            } else {
                self.end_line();
                return Ok(Some(line));
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over one line end (`\n`, `\r\n` or `\r`), if there is one.
    fn end_line(&mut self) -> bool {
        let length = match &self.text.as_bytes()[self.at..] {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => return false,
        };
        self.at += length;
        self.line += 1;
        true
    }

    /// A cell up to the next comma or line end.
    fn plain_cell(&mut self) -> Cow<'a, str> {
        let rest = &self.text[self.at..];
        let is_end = |b: u8| matches!(b, b',' | b'\n' | b'\r');
        let end = rest.bytes().position(is_end).unwrap_or(rest.len());
        self.at += end;
        Cow::Borrowed(&rest[..end])
    }

    /// A cell in quotes; two quotes within stand for one.
    fn quoted_cell(&mut self) -> Result<Cow<'a, str>> {
        let opened = self.line;
        let mut cell = Cow::Borrowed("");
        self.at += 1;
        loop {
            let rest = &self.text[self.at..];
            let Some(end) = rest.find('"') else {
                return Err(Error::data(format!(
                    "the quote opened in line {opened} is never closed; is the file cut off?"
                )));
            };
            let part = &rest[..end];
            self.line += part.bytes().filter(|&b| b == b'\n').count();
            self.at += end + 1;
            match &mut cell {
                Cow::Borrowed("") => cell = Cow::Borrowed(part),
                cell => cell.to_mut().push_str(part),
            }
            match self.peek() {
                Some(b'"') => {
                    cell.to_mut().push('"');
                    self.at += 1;
                }
                None | Some(b',' | b'\n' | b'\r') => return Ok(cell),
                Some(_) => {
                    return Err(Error::data(format!(
                        "line {}: there is text behind the closing quote of {}",
                        self.line,
                        quoted(&cell)
                    )));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>> {
        let mut records = Records::new(text, (0, 1));
        let (mut cells, mut out) = (Vec::new(), Vec::new());
        while let Some(line) = records.next(&mut cells)? {
            out.push((line, cells.iter().map(|c| c.to_string()).collect()));
        }
        Ok(out)
    }

    #[test]
    fn lines_are_counted_whatever_ends_them() {
        let cases = [
            ("a\nb\n", vec![(1, vec!["a"]), (2, vec!["b"])]),
            ("a\r\nb\r\n", vec![(1, vec!["a"]), (2, vec!["b"])]),
            ("a\rb", vec![(1, vec!["a"]), (2, vec!["b"])]),
            ("a\n\n\r\nb", vec![(1, vec!["a"]), (4, vec!["b"])]),
            (
                "\"a\nb\",c\nd,",
                vec![(1, vec!["a\nb", "c"]), (3, vec!["d", ""])],
            ),
            (
                "\"\"\"\",\"\",\"x\"\"y\"",
                vec![(1, vec!["\"", "", "x\"y"])],
            ),
            (" \"a\" ,5\"", vec![(1, vec![" \"a\" ", "5\""])]),
            (",\n", vec![(1, vec!["", ""])]),
            ("", vec![]),
            ("\n\n", vec![]),
        ];
        for (text, want) in cases {
            let got = records(text).unwrap();
            let got: Vec<_> = got
                .iter()
                .map(|(line, cells)| (*line, cells.iter().map(String::as_str).collect()))
                .collect();
            assert_eq!(got, want, "{text:?}");
        }
    }

    #[test]
    fn torn_quotes_are_errors() {
        for text in ["a,\"b\nc,d\n", "\"", "\"a\"b,c", "\"a\" ,b"] {
            records(text).expect_err(text);
        }
    }

    #[test]
    fn only_numbers_are_numbers() {
        for (text, want) in [
            ("+1e5", Some(1e5)),
            ("-.5", Some(-0.5)),
            (" 1 ", Some(1.0)),
            ("inf", Some(f64::INFINITY)),
            ("True", Some(1.0)),
            ("1_000", None),
            ("0x10", None),
            ("1,5", None),
            ("1.5kg", None),
            ("", None),
        ] {
            let got = number(text).map(|n| match n {
                Number::Float(x) => x,
                Number::Bool(b) => f64::from(u8::from(b)),
            });
            assert_eq!(got, want, "{text:?}");
        }
    }
}
