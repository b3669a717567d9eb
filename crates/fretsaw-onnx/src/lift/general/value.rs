//! What a value of the graph is here: a row of numbers that steps make of the features, a constant,
//! or the class of a row.
//!
//! A tensor has one axis of rows; what stands along its other axes is laid out in the row, the last
//! axis fastest. Shapes are therefore all that tells a matrix from a tensor of more axes.

use std::rc::Rc;

use fretsaw_model::{Function, Labels, Step};

use crate::Error;

/// Values a row may have.
const MAX_WIDTH: usize = 1 << 20;
/// Steps that a model may have, each counted as often as it stands in it, and for every so many of its
/// numbers once more: what two values share is copied when the model is made.
const MAX_STEPS: usize = 1 << 17;
const NUMBERS_A_STEP: usize = 256;
/// Steps of one value in a row.
const MAX_LENGTH: usize = 1 << 10;

/// The type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    F32,
    F64,
    /// Any of the integers.
    Int,
    /// 0 or 1.
    Bool,
    Text,
}

impl Kind {
    pub(super) fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }
}

/// A step, or branches of such; shared, so that what two values begin with can be seen.
#[derive(Debug)]
pub(super) enum Piece {
    Step(Step),
    Branches(Vec<Vec<Rc<Piece>>>),
}

impl Piece {
    /// How many steps it is.
    fn size(&self) -> usize {
        match self {
            Self::Step(step) => 1 + numbers(step) / NUMBERS_A_STEP,
            Self::Branches(all) => all
                .iter()
                .flatten()
                .fold(1, |n: usize, p| n.saturating_add(p.size())),
        }
    }

    /// Whether it rounds to f32.
    pub(super) fn is_narrow(&self) -> bool {
        matches!(self, Self::Step(Step::Map(Function::Narrow)))
    }

    fn step(&self) -> Step {
        match self {
            Self::Step(step) => step.clone(),
            Self::Branches(all) => Step::Branches(all.iter().map(|b| steps(b)).collect()),
        }
    }
}

/// How many numbers a step holds, about.
fn numbers(step: &Step) -> usize {
    match step {
        Step::Ensemble(e) => e.trees.iter().map(|t| t.nodes.len() + t.leaves.len()).sum(),
        Step::Linear(l) => l.weights.len(),
        Step::Kernel(k) => k.vectors.len(),
        Step::Encode(all) => all.iter().map(|e| 2 * e.keys.len()).sum(),
        Step::Select { columns } => columns.len(),
        Step::Affine { factor, .. } => factor.len(),
        _ => 0,
    }
}

/// The steps themselves.
pub(super) fn steps(pieces: &[Rc<Piece>]) -> Vec<Step> {
    pieces.iter().map(|p| p.step()).collect()
}

/// A value that depends on the row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// What makes it of the features.
    pub(super) pieces: Vec<Rc<Piece>>,
    size: usize,
    /// The axes; `None` is that of the rows.
    pub(super) dims: Vec<Option<usize>>,
    pub(super) kind: Kind,
    /// Whether it is the file's value to the bit, and not only within rounding.
    pub(super) exact: bool,
    /// For text: which feature each column is.
    pub(super) features: Vec<u32>,
}

impl Row {
    /// The features at these places of the model's row, as one input of the graph has them.
    pub(super) fn input(
        columns: std::ops::Range<u32>,
        kind: Kind,
        dims: Vec<Option<usize>>,
    ) -> Self {
        let row = Self {
            pieces: vec![],
            size: 0,
            dims: dims.clone(),
            kind,
            exact: true,
            features: match kind {
                Kind::Text => columns.clone().collect(),
                _ => vec![],
            },
        };
        let row = row.then(
            Step::Select {
                columns: columns.collect(),
            },
            dims,
        );
        row.rounded()
    }

    /// How many values the row has.
    pub(super) fn width(&self) -> usize {
        width(&self.dims)
    }

    /// Rows x columns, or one value a row.
    pub(super) fn columns(&self) -> Option<usize> {
        match self.dims[..] {
            [None] => Some(1),
            [None, Some(n)] => Some(n),
            _ => None,
        }
    }

    /// What the step makes of it.
    pub(super) fn then(&self, step: Step, dims: Vec<Option<usize>>) -> Self {
        let mut row = self.clone();
        row.pieces.push(Rc::new(Piece::Step(step)));
        let size = row.pieces.last().map_or(0, |p| p.size());
        row.size = row.size.saturating_add(size);
        row.dims = dims;
        row
    }

    /// The same of as many values.
    pub(super) fn each(&self, step: Step) -> Self {
        self.then(step, self.dims.clone())
    }

    /// One function of every value.
    pub(super) fn map(&self, function: Function) -> Self {
        self.each(Step::Map(function))
    }

    /// The values at these places.
    pub(super) fn select(&self, columns: &[usize], dims: Vec<Option<usize>>) -> Self {
        if columns.len() == self.width() && columns.iter().copied().eq(0..self.width()) {
            return Self {
                dims,
                ..self.clone()
            };
        }
        let mut row = self.then(
            Step::Select {
                columns: columns.iter().map(|&c| c as u32).collect(),
            },
            dims,
        );
        if self.kind == Kind::Text {
            row.features = columns.iter().map(|&c| self.features[c]).collect();
        }
        row
    }

    /// Rounded to f32, if that is what the file computes in.
    pub(super) fn rounded(self) -> Self {
        let already = self.pieces.last().is_some_and(|p| p.is_narrow());
        match self.kind {
            Kind::F32 if !already => self.map(Function::Narrow),
            _ => self,
        }
    }

    /// What these of its steps make.
    pub(super) fn with_pieces(&self, pieces: &[Rc<Piece>]) -> Self {
        Self {
            pieces: pieces.to_vec(),
            ..self.clone()
        }
    }

    /// The same values along other axes.
    pub(super) fn shaped(mut self, dims: Vec<Option<usize>>) -> Self {
        self.dims = dims;
        self
    }

    pub(super) fn of_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// No more than near the file's value.
    pub(super) fn near(mut self) -> Self {
        self.exact = false;
        self
    }

    /// Whether it is wider, or made of more steps, than is read here.
    pub(super) fn is_too_large(&self) -> bool {
        self.width() > MAX_WIDTH || self.size > MAX_STEPS || self.pieces.len() > MAX_LENGTH
    }

    /// The rest of its steps behind those of `other`, where it begins with them.
    pub(super) fn behind(&self, other: &Self) -> Option<&[Rc<Piece>]> {
        let n = other.pieces.len();
        (common(&[&self.pieces, &other.pieces]) == n).then(|| &self.pieces[n..])
    }
}

/// How many values a row of this shape has.
pub(super) fn width(dims: &[Option<usize>]) -> usize {
    dims.iter().flatten().fold(1, |n, &d| n.saturating_mul(d))
}

/// How many pieces all begin with.
fn common(all: &[&Vec<Rc<Piece>>]) -> usize {
    let Some((first, rest)) = all.split_first() else {
        return 0;
    };
    let same = |i: usize| {
        rest.iter()
            .all(|p| p.get(i).is_some_and(|p| Rc::ptr_eq(p, &first[i])))
    };
    (0..first.len()).find(|&i| !same(i)).unwrap_or(first.len())
}

/// The values of all rows side by side, as one axis.
///
/// # Errors
/// When the row would be too wide or the steps too many.
pub(super) fn join(rows: &[&Row]) -> Result<Row, Error> {
    let Some(first) = rows.first() else {
        return Err(Error::unsupported("a join of nothing", "graph"));
    };
    let n = rows
        .iter()
        .fold(0, |n: usize, r| n.saturating_add(r.width()));
    let mut joined = (*first).clone();
    joined.exact = rows.iter().all(|r| r.exact);
    joined.dims = vec![None, Some(n)];
    joined.features = rows.iter().flat_map(|r| r.features.clone()).collect();
    if rows.len() > 1 {
        let shared = common(&rows.iter().map(|r| &r.pieces).collect::<Vec<_>>());
        let rests = rows.iter().map(|r| r.pieces[shared..].to_vec()).collect();
        joined.pieces.truncate(shared);
        joined.pieces.push(Rc::new(Piece::Branches(rests)));
        joined.size = joined
            .pieces
            .iter()
            .fold(0, |n: usize, p| n.saturating_add(p.size()));
    }
    if joined.is_too_large() {
        return Err(Error::unsupported(
            format!("so many joins ({} steps for {n} values a row)", joined.size),
            "graph",
        ));
    }
    Ok(joined)
}

/// A constant of numbers or truth values.
#[derive(Clone, Debug)]
pub(super) struct Constant {
    pub(super) dims: Vec<usize>,
    pub(super) values: Rc<Vec<f64>>,
    pub(super) kind: Kind,
    /// Text or whole numbers, as names of classes.
    pub(super) names: Option<Rc<Labels>>,
}

impl Constant {
    /// Whether f64, in which everything here is done, holds its values.
    pub(super) fn is_whole(&self) -> bool {
        self.kind != Kind::Int || self.values.iter().all(|v| v.abs() < (1_u64 << 53) as f64)
    }
}

/// The class of a row.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) rule: Rule,
    /// The classes' names; `None`: numbered from 0.
    pub(super) names: Option<Rc<Labels>>,
    /// The axes: rows alone, or rows x 1.
    pub(super) dims: Vec<Option<usize>>,
}

/// What names the class of a row.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    /// The largest value, the first of equals.
    Largest(Row),
    /// The second class where the one value is above 0.
    AboveZero(Row),
}

impl Rule {
    /// Whether it is the same rule of the same values.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Largest(a), Self::Largest(b)) | (Self::AboveZero(a), Self::AboveZero(b)) => {
                a.behind(b).is_some_and(<[_]>::is_empty) && a.dims == b.dims
            }
            _ => false,
        }
    }
}

/// A value of the graph.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Row(Row),
    Constant(Constant),
    Class(Class),
    /// The shape of a value that depends on the row.
    Shape(Row),
}
