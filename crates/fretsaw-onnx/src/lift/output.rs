//! The graph's outputs: which tensor is the answer, which the label, and whether the label is the
//! one that the answer says.

use fretsaw_model::{Answer, Body, Decision, Draft, Labels, Link, Provenance};

use super::body::trees;
use super::classifier::of_trees;
use super::columns::Source;
use super::graph::{Graph, Made, Op};
use super::link::{Linked, linked};
use crate::Error;
use crate::lower::link::cut;
use crate::proto::tensor_proto::DataType;
use crate::proto::{GraphProto, ValueInfoProto, type_proto};
use crate::tensor::Tensor;
use fretsaw_model::ceil32;

/// The model behind the outputs, without features and provenance.
pub(super) fn draft<'a>(
    g: &Graph<'a>,
    source: &Source<'a>,
    graph: &'a GraphProto,
    multilabel: Option<Option<Labels>>,
) -> Result<Draft, Error> {
    let (answer, label) = outputs(graph)?;
    let mut answer = answer;
    // Names that ZipMap gives are the label's too.
    if let Some(map) = g.op(answer, "ZipMap") {
        answer = map.input(0);
    }
    answer = unscaled(g, answer);
    let label = label.map(|l| Label::of(g, l)).transpose()?;

    if let Ok(Made::Node(op)) = g.made(answer)
        && op.name() == "TreeEnsembleClassifier"
    {
        return from_classifier(g, source, op, label.as_ref());
    }
    if let Some(number) = class_number(g, answer) {
        return class(g, source, number, label.as_ref());
    }
    if let Some(p) = pair(g, answer) {
        let l = linked(g, source, p)?;
        let decision = match &label {
            Some(label) => label.of_two(g, &l, p)?,
            None => Decision::Answer,
        };
        let names = label.and_then(|l| l.names);
        return Ok(Draft {
            decision,
            ..make(l, Answer::Binary, names)
        });
    }
    let l = linked(g, source, answer)?;
    match (&label, multilabel) {
        (Some(label), _) if l.link == Link::Step => {
            label.is_step(g, answer)?;
            let names = label.names.clone();
            Ok(make(l, Answer::Class, names))
        }
        (Some(label), _) => {
            let decision = label.of_several(g, &l, answer)?;
            let names = label.names.clone();
            Ok(Draft {
                decision,
                ..make(l, Answer::Classes, names)
            })
        }
        (None, Some(names)) => Ok(make(l, Answer::Labels, names)),
        (None, None) => Ok(make(l, Answer::Values, None)),
    }
}

fn make(l: Linked<'_>, answer: Answer, labels: Option<Labels>) -> Draft {
    Draft {
        features: vec![],
        steps: l.margin.steps,
        body: l.margin.body,
        link: l.link,
        answer,
        decision: Decision::Answer,
        labels,
        provenance: Provenance::default(),
    }
}

/// The output with the answers (the last of floats or maps), and the one with labels.
pub(super) fn outputs(graph: &GraphProto) -> Result<(&str, Option<&str>), Error> {
    let name = |v: &'_ ValueInfoProto| v.name.clone().unwrap_or_default();
    let numbers = |v: &&ValueInfoProto| match v.r#type.as_ref().and_then(|t| t.value.as_ref()) {
        Some(type_proto::Value::TensorType(t)) => matches!(
            DataType::try_from(t.elem_type.unwrap_or(0)),
            Ok(DataType::Float | DataType::Double)
        ),
        Some(type_proto::Value::SequenceType(_)) => true,
        _ => false,
    };
    let answer = graph
        .output
        .iter()
        .rfind(numbers)
        .ok_or_else(|| Error::unsupported("a graph whose outputs hold no numbers", "graph"))?;
    let mut others = graph.output.iter().filter(|o| o.name != answer.name);
    let label = others.next();
    if let Some(other) = others.next().or(label.filter(numbers)) {
        return Err(Error::unsupported(
            format!("a further output {:?}", name(other)),
            "graph",
        ));
    }
    Ok((
        answer.name.as_deref().unwrap_or(""),
        label.map(|l| l.name.as_deref().unwrap_or("")),
    ))
}

/// Looks through a product with 1, which onnxmltools puts behind LightGBM.
fn unscaled<'a>(g: &Graph<'a>, mut value: &'a str) -> &'a str {
    while let Some(op) = g.op(value, "Mul") {
        if g.number(op.input(1)) != Some(1.0) {
            break;
        }
        value = op.input(0);
    }
    value
}

fn from_classifier<'a>(
    g: &Graph<'a>,
    source: &Source<'a>,
    op: Op<'a>,
    label: Option<&Label<'a>>,
) -> Result<Draft, Error> {
    if op.output != 1 {
        return Err(op.refuse("the label as the answer"));
    }
    if let Some(label) = label {
        match g.made(label.number) {
            Ok(Made::Node(l)) if std::ptr::eq(l.node, op.node) && l.output == 0 => {}
            _ => return Err(op.refuse("a label that is not the classifier's")),
        }
    }
    let t = trees(g, source, op)?;
    let steps = t.input.steps.clone();
    let c = of_trees(op, t)?;
    let numbered = matches!(&c.labels, Labels::Ints(v) if v.iter().copied().eq(0..v.len() as i64));
    Ok(Draft {
        features: vec![],
        steps,
        body: Body::Ensemble(c.ensemble),
        link: c.link,
        answer: c.answer,
        decision: Decision::Answer,
        labels: (!numbered).then_some(c.labels),
        provenance: Provenance::default(),
    })
}

/// The `p` of `[1 - p, p]`.
fn pair<'a>(g: &Graph<'a>, value: &'a str) -> Option<&'a str> {
    let value = g.op(value, "Cast").map_or(value, |c| c.input(0));
    let both = g.op(value, "Concat")?;
    let rest = g.op(both.input(0), "Sub")?;
    let p = both.input(1);
    let same = g.root(rest.input(1)) == g.root(p) && g.number(rest.input(0)) == Some(1.0);
    (same && both.node.input.len() == 2).then_some(p)
}

/// `ArgMax` behind a cast and a reshape: the number of the class as the answer.
fn class_number<'a>(g: &Graph<'a>, value: &'a str) -> Option<&'a str> {
    let cast = g.op(value, "Cast")?;
    let inner = g
        .op(cast.input(0), "Cast")
        .map_or(cast.input(0), |c| c.input(0));
    let number = g.op(inner, "Reshape").map_or(inner, |r| r.input(0));
    g.op(number, "ArgMax").map(|_| number)
}

fn class<'a>(
    g: &Graph<'a>,
    source: &Source<'a>,
    number: &'a str,
    label: Option<&Label<'a>>,
) -> Result<Draft, Error> {
    let best = g
        .op(number, "ArgMax")
        .filter(|op| first_of_columns(*op))
        .ok_or_else(|| Error::unsupported("an ArgMax of this kind", format!("{number:?}")))?;
    if let Some(label) = label
        && g.root(label.number) != g.root(number)
    {
        return Err(best.refuse("a label that is not the class"));
    }
    let mut l = linked(g, source, best.input(0))?;
    if l.link != Link::Identity {
        return Err(best.refuse("the class of answers behind a link"));
    }
    l.link = Link::ArgMax;
    Ok(make(l, Answer::Class, label.and_then(|l| l.names.clone())))
}

fn first_of_columns(op: Op<'_>) -> bool {
    matches!(op.int("axis"), Some(1 | -1)) && op.int("select_last_index").unwrap_or(0) == 0
}

/// The label output: the number of a class, and the classes' names.
struct Label<'a> {
    number: &'a str,
    names: Option<Labels>,
}

impl<'a> Label<'a> {
    fn of(g: &Graph<'a>, value: &'a str) -> Result<Self, Error> {
        let mut value = value;
        let mut names = None;
        loop {
            match g.made(value)? {
                Made::Node(op) if op.name() == "Gather" && names.is_none() => {
                    let t = g
                        .constant(op.input(0))
                        .ok_or_else(|| op.refuse("class names that are no constant"))?;
                    let t = Tensor::new(t)?;
                    names = match (t.strings(), t.i64s()) {
                        (Some(text), _) => Some(Labels::Strings(text)),
                        (_, Some(whole)) => Some(Labels::Ints(whole)),
                        _ => return Err(op.refuse("class names that are no text and no integers")),
                    };
                    value = op.input(1);
                }
                Made::Node(op) if op.name() == "Cast" && whole(op) => {
                    // A cast of a truth value is the number itself.
                    if matches!(g.made(op.input(0))?, Made::Node(t)
                        if ["GreaterOrEqual", "Greater"].contains(&t.name()))
                    {
                        break;
                    }
                    value = op.input(0);
                }
                Made::Node(op) if op.name() == "Reshape" => value = op.input(0),
                _ => break,
            }
        }
        Ok(Self {
            number: value,
            names,
        })
    }

    fn refuse(&self, what: &str) -> Error {
        Error::unsupported(what, format!("label {:?}", self.number))
    }

    /// What names one of two classes: `p > 0.5`, or the sign of the margin.
    fn of_two(&self, g: &Graph<'a>, l: &Linked<'a>, p: &'a str) -> Result<Decision, Error> {
        let of_zero = |name: &str| {
            let cast = g.op(self.number, "Cast")?;
            let test = g.op(cast.input(0), name)?;
            let zero = g.number(test.input(1))? == 0.0;
            (zero && g.root(test.input(0)) == l.margin_name).then_some(())
        };
        let rule = || {
            let cast = g.op(self.number, "Cast")?;
            let test = g.op(cast.input(0), "GreaterOrEqual")?;
            let at = g.number(test.input(1))?;
            let x = g.root(test.input(0));
            let margin = l.margin.body.margin();
            let of_margin = cut(&l.link, margin).is_some_and(|c| {
                at == c || at == f64::from(ceil32(c)) || (c.is_nan() && at.is_nan())
            });
            let half = at == 0.5_f64.next_up() || at == f64::from(0.5_f32.next_up());
            let ok = (x == l.margin_name && of_margin) || (x == g.root(p) && half);
            ok.then_some(())
        };
        if rule().is_some() {
            Ok(Decision::Answer)
        } else if of_zero("Greater").is_some() {
            Ok(Decision::Margin)
        } else if of_zero("GreaterOrEqual").is_some() {
            Ok(Decision::MarginFromZero)
        } else {
            Err(self.refuse("a label that is not the class above one half"))
        }
    }

    /// What names one of several classes: the largest of `answer`, or of the margins.
    fn of_several(
        &self,
        g: &Graph<'a>,
        l: &Linked<'a>,
        answer: &'a str,
    ) -> Result<Decision, Error> {
        let answer = g.op(answer, "Cast").map_or(answer, |c| c.input(0));
        match g
            .op(self.number, "ArgMax")
            .filter(|&op| first_of_columns(op))
        {
            Some(op) if same(g, op.input(0), answer) => Ok(Decision::Answer),
            Some(op) if same(g, op.input(0), l.margin_name) => Ok(Decision::Margin),
            _ => Err(self.refuse("a label that is not the class with the largest answer")),
        }
    }

    /// Whether the label is the answer itself, 0 or 1.
    fn is_step(&self, g: &Graph<'a>, answer: &'a str) -> Result<(), Error> {
        if same(g, self.number, answer) {
            Ok(())
        } else {
            Err(self.refuse("a label that is not the answer"))
        }
    }
}

/// Whether two values are one, but for casts between floating-point types.
fn same<'a>(g: &Graph<'a>, a: &'a str, b: &'a str) -> bool {
    let bare = |mut v: &'a str| {
        while let Some(cast) = g.op(v, "Cast") {
            v = cast.input(0);
        }
        g.root(v)
    };
    bare(a) == bare(b)
}

fn whole(op: Op<'_>) -> bool {
    op.int("to") == Some(DataType::Int64 as i64)
}
