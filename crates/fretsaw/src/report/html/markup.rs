//! Markup that cannot be broken by what is put into it.
//!
//! Names, paths and notices come from files of strangers. [`put!`](put) therefore escapes every
//! argument that is not [`Markup`] already. This is no template engine: there is no syntax beyond
//! that of `write!`.

use std::fmt::{self, Display, Formatter, Write};

/// A piece of finished markup.
#[derive(Clone, Debug, Default)]
pub(super) struct Markup(String);

impl Markup {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Markup that was written here, in the source.
    pub(super) fn of(literal: &'static str) -> Self {
        Self(literal.into())
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

impl Write for Markup {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.0.push_str(s);
        Ok(())
    }
}

/// What can be put into markup. Floating-point numbers cannot: they want a format first.
pub(super) trait Show {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result;
}

impl Show for Markup {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Show for str {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            '\t' | '\n' | '\r' => f.write_char(' '),
            // Not allowed in XML; and marks that turn the direction of the text around them.
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                f.write_char('\u{fffd}')
            }
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => f.write_char('\u{fffd}'),
            c => f.write_char(c),
        })
    }
}

impl Show for String {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.as_str().show(f)
    }
}

impl<T: Show + ?Sized> Show for &T {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        (**self).show(f)
    }
}

/// A length or place in a drawing, to a tenth of a pixel.
#[derive(Clone, Copy)]
pub(super) struct Px(pub(super) f64);

impl Show for Px {
    fn show(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // Infinite places would end the drawing; none should arise.
        let tenths = (if self.0.is_finite() { self.0 } else { 0.0 } * 10.0).round();
        write!(f, "{}", if tenths == 0.0 { 0.0 } else { tenths / 10.0 })
    }
}

/// Makes an argument of `write!` of what can be shown.
pub(super) struct Shown<'a, T: Show + ?Sized>(pub(super) &'a T);

impl<T: Show + ?Sized> Display for Shown<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.show(f)
    }
}

/// `put!(markup, "<b>{}</b>", text)`: like `write!`, with every argument escaped. Arguments are
/// given by place; a name inside the braces would pass unescaped.
macro_rules! put {
    ($out:expr, $format:literal $(, $arg:expr)* $(,)?) => {{
        use std::fmt::Write as _;
        // Writing to a string does not fail.
        let _ = write!($out, $format $(, $crate::report::html::markup::Shown(&$arg))*);
    }};
}
pub(super) use put;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_markup_is_not() {
        let mut out = Markup::new();
        put!(
            out,
            "<p title=\"{}\">{}{}</p>",
            "a\"b'",
            "<i>&\u{202e}\0\n",
            Markup::of("<br/>")
        );
        assert_eq!(
            out.into_string(),
            "<p title=\"a&quot;b&#39;\">&lt;i&gt;&amp;\u{fffd}\u{fffd} <br/></p>"
        );
    }

    #[test]
    fn places_are_short_and_finite() {
        for (x, want) in [
            (1.04, "1"),
            (2.25, "2.3"),
            (-0.01, "0"),
            (f64::NAN, "0"),
            (f64::INFINITY, "0"),
        ] {
            assert_eq!(Shown(&Px(x)).to_string(), want);
        }
    }
}
