//! Transformers side by side: ColumnTransformer, whose members see some of the columns, and
//! FeatureUnion, whose members see all. What they give stands in the order of the members.

use fretsaw_model::Step;

use super::attributes::Attributes;
use super::columns::Columns;
use super::context::Context;
use super::transformer::Transformed;
use super::{places, transformer};
use crate::Error;
use crate::pickle::{Id, Value};

/// Columns that transformers side by side may give.
const MAX_WIDTH: usize = 1 << 22;

/// What a member does, and the columns that it gives.
type Branch = (Vec<Step>, Columns);

/// A transformer, or what stands for one.
enum Member<'p, 'a> {
    Drop,
    Keep,
    Transform(Attributes<'p, 'a>),
}

/// A ColumnTransformer.
pub(super) fn columns(at: Attributes<'_, '_>, cx: &Context<'_>, columns: Columns) -> Transformed {
    let (mut branches, mut width) = (Vec::new(), 0);
    for (i, &item) in list(at, "transformers_")?.iter().enumerate() {
        let read = || {
            let [name, member, key] = tuple(at, item)? else {
                return Err(Error::invalid("no name, transformer and columns"));
            };
            let member = self::member(at, *member)?;
            if matches!(member, Member::Drop) {
                return Ok(None);
            }
            let name = text(at, *name)?;
            let places = places::of(at, name, *key, &columns)?;
            // Members without columns were never fitted.
            if places.is_empty() {
                return Ok(None);
            }
            let seen = columns.select(&places);
            let mut steps = Vec::new();
            if !places.iter().copied().eq(0..columns.width()) {
                let columns = places.iter().map(|&c| c as u32).collect();
                steps.push(Step::Select { columns });
            }
            branch(at, cx, name, member, steps, seen).map(Some)
        };
        let read = read().and_then(|branch| within(&mut width, branch));
        branches.extend(read.map_err(|e| e.item(i).under("transformers_"))?);
    }
    let (steps, mut out) = side_by_side(branches)?;
    out.sparse = at.flag("sparse_output_");
    Ok((steps, out))
}

/// A FeatureUnion.
pub(super) fn union(at: Attributes<'_, '_>, cx: &Context<'_>, columns: Columns) -> Transformed {
    let (mut branches, mut width) = (Vec::new(), 0);
    for (i, &item) in list(at, "transformer_list")?.iter().enumerate() {
        let read = || {
            let [name, member] = tuple(at, item)? else {
                return Err(Error::invalid("no name and transformer"));
            };
            let member = self::member(at, *member)?;
            if matches!(member, Member::Drop) {
                return Ok(None);
            }
            let name = text(at, *name)?;
            branch(at, cx, name, member, Vec::new(), columns.clone()).map(Some)
        };
        let read = read().and_then(|branch| within(&mut width, branch));
        branches.extend(read.map_err(|e| e.item(i).under("transformer_list"))?);
    }
    side_by_side(branches)
}

/// The steps of a member behind those that choose its columns, and its weight.
fn branch(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    name: &str,
    member: Member<'_, '_>,
    mut steps: Vec<Step>,
    seen: Columns,
) -> Transformed {
    let (more, mut out) = match member {
        Member::Transform(transformer) => transformer::read(transformer, cx, seen)?,
        Member::Drop | Member::Keep => (Vec::new(), seen),
    };
    steps.extend(more);
    let weight = at.some("transformer_weights");
    if let Some(weight) = weight.and_then(|dict| at.pickle.item(dict, name))
        && !matches!(at.pickle.get(weight), Value::None)
    {
        let weight = at.pickle.number(weight);
        let weight = weight.map_err(|e| e.under("transformer_weights"))?;
        let n = out.width();
        steps.push(Step::Affine {
            factor: vec![weight; n],
            // Adding this changes nothing, not even the sign of a zero.
            offset: vec![-0.0; n],
        });
        let sparse = out.sparse;
        out = Columns::computed(n);
        out.sparse = sparse;
    }
    Ok((steps, out))
}

/// Counts a branch's columns. Every member may keep them all, and a file may have any number of
/// members.
fn within(width: &mut usize, branch: Option<Branch>) -> Result<Option<Branch>, Error> {
    *width += branch.as_ref().map_or(0, |(_, columns)| columns.width());
    match *width <= MAX_WIDTH {
        true => Ok(branch),
        false => Err(Error::unsupported(
            "transformers side by side that give so many columns",
            format!("up to {MAX_WIDTH} are taken"),
        )),
    }
}

fn side_by_side(mut branches: Vec<Branch>) -> Transformed {
    let columns = Columns::join(branches.iter().map(|(_, columns)| columns));
    if columns.width() == 0 {
        return Err(Error::invalid("every column is dropped"));
    }
    let steps = match &mut branches[..] {
        [(steps, _)] => std::mem::take(steps),
        _ => vec![Step::Branches(
            branches.into_iter().map(|(steps, _)| steps).collect(),
        )],
    };
    Ok((steps, columns))
}

fn member<'p, 'a>(at: Attributes<'p, 'a>, id: Id) -> Result<Member<'p, 'a>, Error> {
    Ok(match at.pickle.get(id) {
        // Before 0.22 a union's member could be None.
        Value::None => Member::Drop,
        Value::Str(text) if text == "drop" => Member::Drop,
        Value::Str(text) if text == "passthrough" => Member::Keep,
        _ => {
            let transformer = Attributes::of(at.pickle, id)?;
            // Since 1.4 this stands for 'passthrough' in what was fitted.
            let same = transformer.is_sklearn()
                && transformer.class() == "FunctionTransformer"
                && transformer.some("func").is_none();
            match same {
                true => Member::Keep,
                false => Member::Transform(transformer),
            }
        }
    })
}

fn list<'p>(at: Attributes<'p, '_>, name: &str) -> Result<&'p [Id], Error> {
    match at.pickle.get(at.get(name)?) {
        Value::List(items) => Ok(items),
        _ => Err(Error::invalid(format!("`{name}` is no list"))),
    }
}

fn tuple<'p>(at: Attributes<'p, '_>, id: Id) -> Result<&'p [Id], Error> {
    match at.pickle.get(id) {
        Value::Tuple(items) => Ok(items),
        Value::List(items) => Ok(items),
        _ => Err(Error::invalid(format!(
            "{} where a tuple should be",
            at.pickle.describe(id)
        ))),
    }
}

fn text<'p>(at: Attributes<'p, '_>, id: Id) -> Result<&'p str, Error> {
    match at.pickle.get(id) {
        Value::Str(text) => Ok(text),
        _ => Err(Error::invalid(format!(
            "{} where a name should be",
            at.pickle.describe(id)
        ))),
    }
}
