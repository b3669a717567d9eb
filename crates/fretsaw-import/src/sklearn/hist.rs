//! Histogram gradient boosting: f64 comparisons, missing values, and categories.
//!
//! Up to 1.3 a category was its value, cut to a whole number. Since 1.4 an `OrdinalEncoder` in the
//! estimator numbers the categories first, and the categorical columns come first. Here trees test
//! the rows as the user has them, so columns are put back and numbers turned into values again.

use fretsaw_model::{
    BaseOrder, Body, CategoryIndex, CategorySet, Codes, Decision, Encoder, Ensemble, Feature,
    FeatureKind, Float, Missing, Node, Split, Step, Sum, Target, Test, Tree,
};

use super::attributes::Attributes;
use super::boosting;
use super::categories::{self, Category, in_computed};
use super::columns::Columns;
use super::context::Context;
use super::part::Part;
use super::tree::{int_field, no_field};
use crate::Error;
use crate::pickle::Value;
use crate::pickle::array::Array;
use crate::pickle::numpy::Elements;

/// Bins, and so categories, have numbers of one byte.
const MAX_CATEGORIES: usize = 256;
/// A set of categories is a bit set of this many words of 32.
const WORDS: usize = 8;

/// The estimator.
#[derive(Debug)]
struct HistGradientBoosting {
    /// Iteration by iteration, one tree an output.
    predictors: Vec<TreePredictor>,
    /// `_baseline_prediction`: one margin an output.
    baseline: Vec<f64>,
    /// For each column of the trees the column of the rows; empty where they are the same.
    columns: Vec<usize>,
    /// For each column of the rows its categories.
    categories: Vec<Option<Known>>,
    /// Columns whose categories are any numbers, and these, ascending: trees see their places.
    numbered: Vec<(usize, Vec<f64>)>,
}

/// The categories of a column.
#[derive(Clone, Debug)]
enum Known {
    /// Values that are their own numbers, cut to whole ones as `index` says.
    Values {
        values: Vec<u32>,
        index: CategoryIndex,
    },
    /// The value of each number that the encoder gives; of text, its code.
    Encoded(Vec<u32>),
}

/// A tree, as arrays with one element a node.
#[derive(Debug)]
struct TreePredictor {
    value: Vec<f64>,
    feature_idx: Vec<i64>,
    num_threshold: Vec<f64>,
    missing_go_to_left: Vec<i64>,
    left: Vec<i64>,
    right: Vec<i64>,
    is_leaf: Vec<i64>,
    is_categorical: Vec<i64>,
    bitset_idx: Vec<i64>,
    /// `WORDS` a set.
    raw_left_cat_bitsets: Vec<i64>,
}

/// Reads the estimator.
pub(super) fn read(
    at: Attributes<'_, '_>,
    cx: &Context<'_>,
    columns: &Columns,
) -> Result<Part, Error> {
    let classifier = at.class() == "HistGradientBoostingClassifier";
    let classes = classifier.then(|| at.classes()).transpose()?;
    let answer = boosting::answer(at.text("loss").unwrap_or_default(), classes.as_ref())?;
    let n_outputs = boosting::n_outputs(classes.as_ref());
    let boosting = HistGradientBoosting::of(at, cx, columns, n_outputs)?;
    let features = columns.are_input().then(|| boosting.features(columns));
    let numbering = boosting.numbering(columns.width());
    let body = Body::Ensemble(boosting.lift(n_outputs)?);
    // Up to 1.4 a class was named by its probability.
    let decision = match cx.since(1, 5) {
        true => Decision::Margin,
        false => Decision::Answer,
    };
    let mut part = boosting::part(at, body, answer, decision, classes);
    part.features = features;
    Ok(part.behind(numbering))
}

impl HistGradientBoosting {
    fn of(
        at: Attributes<'_, '_>,
        cx: &Context<'_>,
        columns: &Columns,
        n_outputs: usize,
    ) -> Result<Self, Error> {
        let mut predictors = Vec::new();
        for (i, predictor) in at.objects("_predictors")?.into_iter().enumerate() {
            let predictor = TreePredictor::of(predictor);
            predictors.push(predictor.map_err(|e| e.item(i).under("_predictors"))?);
        }
        let (columns, categories, numbered) = if at.some("_preprocessor").is_some() {
            encoded(at, cx, columns)?
        } else {
            (Vec::new(), plain(at, cx)?, Vec::new())
        };
        Ok(Self {
            predictors,
            baseline: at.one_each("_baseline_prediction", n_outputs)?,
            columns,
            categories,
            numbered,
        })
    }

    /// The steps that put the place of a category, or a missing value for one that is not known, where
    /// the category is no whole number from 0.
    fn numbering(&self, n_columns: usize) -> Vec<Step> {
        if self.numbered.is_empty() {
            return Vec::new();
        }
        let encode = |(column, keys): &(usize, Vec<f64>)| {
            let n = keys.len() as u32;
            let places = (0..n).map(f64::from).chain([f64::NAN]);
            vec![Step::Encode(vec![Encoder {
                column: *column as u32,
                keys: keys.clone(),
                code_of: (0..n).collect(),
                missing: Some(n),
                unknown: Some(n),
                codes: Codes::Values {
                    width: 1,
                    values: places.collect(),
                },
            }])]
        };
        let mut branches = Vec::new();
        let mut next = 0;
        let rest = |from: usize, to: usize, branches: &mut Vec<Vec<Step>>| {
            if from < to {
                let columns = (from as u32..to as u32).collect();
                branches.push(vec![Step::Select { columns }]);
            }
        };
        for numbered in &self.numbered {
            rest(next, numbered.0, &mut branches);
            branches.push(encode(numbered));
            next = numbered.0 + 1;
        }
        rest(next, n_columns, &mut branches);
        vec![Step::Branches(branches)]
    }

    /// The columns of the rows; text is known by the context.
    fn features(&self, columns: &Columns) -> Vec<Feature> {
        let kind = |i: usize| match self.categories.get(i) {
            Some(Some(_)) if self.numbered.iter().all(|n| n.0 != i) => {
                FeatureKind::Categorical { categories: None }
            }
            _ => FeatureKind::Numeric,
        };
        let feature = |i| Feature {
            name: format!("f{i}"),
            kind: kind(i),
        };
        (0..columns.width()).map(feature).collect()
    }

    fn lift(self, n_outputs: usize) -> Result<Ensemble, Error> {
        let mut trees = Vec::new();
        for (i, predictor) in self.predictors.into_iter().enumerate() {
            let target = Target::Output((i % n_outputs) as u32);
            let tree = predictor.lift(target, &self.columns, &self.categories);
            trees.push(tree.map_err(|e| e.item(i).under("_predictors"))?);
        }
        Ok(Ensemble {
            n_outputs,
            compare: Float::F64,
            sum: Sum::F64,
            base: self.baseline,
            base_order: BaseOrder::First,
            multiply: vec![1.0; n_outputs],
            divide: 1.0,
            trees,
        })
    }
}

/// Up to 1.3: the mapper of bins has the categories' values in place of thresholds.
fn plain(at: Attributes<'_, '_>, cx: &Context<'_>) -> Result<Vec<Option<Known>>, Error> {
    if at.some("is_categorical_").is_none() {
        return Ok(Vec::new());
    }
    let is_categorical = ints(at, "is_categorical_")?;
    let mapper = at.child("_bin_mapper")?;
    let id = mapper.get("bin_thresholds_")?;
    let values = at.pickle.objects(id).unwrap_or_default();
    if values.len() != is_categorical.len() {
        return Err(Error::invalid(
            "`bin_thresholds_` does not fit `is_categorical_`",
        ));
    }
    // Negative values count as missing since 1.2; before, -0.5 was cut to category 0.
    let index = if cx.since(1, 2) {
        CategoryIndex::TruncateNonNegative
    } else {
        CategoryIndex::Truncate
    };
    let mut known = Vec::new();
    for (i, (&categorical, id)) in is_categorical.iter().zip(values).enumerate() {
        known.push(if categorical == 0 {
            None
        } else {
            let values = at.pickle.elements(id).and_then(|v| v.floats());
            let values = values.and_then(|v| whole(&v)).ok_or_else(|| unfit(at, i))?;
            Some(Known::Values { values, index })
        });
    }
    Ok(known)
}

/// The columns of the trees, the categories of the rows' columns, and columns of any numbers.
type Encoded = (Vec<usize>, Vec<Option<Known>>, Vec<(usize, Vec<f64>)>);

/// Since 1.4: the columns in the order of the trees, and the encoder's categories.
fn encoded(at: Attributes<'_, '_>, cx: &Context<'_>, rows: &Columns) -> Result<Encoded, Error> {
    let mut numbered = Vec::new();
    let is_categorical = ints(at, "is_categorical_")?;
    if is_categorical.len() != rows.width() {
        return Err(Error::invalid(format!(
            "`is_categorical_` does not fit {} columns",
            rows.width()
        )));
    }
    let which = |wanted: bool| {
        let all = is_categorical.iter().enumerate();
        all.filter(move |(_, c)| (**c != 0) == wanted)
            .map(|(i, _)| i)
    };
    let columns: Vec<usize> = which(true).chain(which(false)).collect();

    let preprocessor = at.child("_preprocessor")?;
    let id = preprocessor.get("transformers_")?;
    let first = match at.pickle.get(id) {
        Value::List(items) => items.first().map(|&id| at.pickle.get(id)),
        _ => None,
    };
    let encoder = match first {
        Some(Value::Tuple(parts)) => parts.get(1).copied(),
        _ => None,
    };
    let encoder = encoder.ok_or_else(|| Error::invalid("`_preprocessor` has no encoder"))?;
    let encoder = Attributes::of(at.pickle, encoder)?;
    let lists = categories::of(encoder, which(true).count())?;
    let mut known = vec![None; is_categorical.len()];
    for (column, list) in which(true).zip(lists) {
        // NaN comes last where it was seen; it is missing all the same.
        let list = match list.split_last() {
            Some((Category::Missing, rest)) => rest,
            _ => &list,
        };
        let value = |category: &Category<'_>| match category {
            Category::Number(x) => Ok(*x),
            Category::Text(text) => {
                let origin = rows.origins[column].ok_or_else(|| in_computed(at, text))?;
                cx.code(at.pickle, origin, text)
            }
            Category::Missing => Err(unfit(at, column)),
        };
        let values = list.iter().map(value).collect::<Result<Vec<_>, _>>()?;
        known[column] = Some(Known::Encoded(match whole(&values) {
            Some(values) => values,
            // Any other numbers are replaced by their places first.
            None if values.len() <= MAX_CATEGORIES && values.is_sorted_by(|a, b| a < b) => {
                let places = (0..values.len() as u32).collect();
                numbered.push((column, values));
                places
            }
            None => return Err(unfit(at, column)),
        }));
    }
    Ok((columns, known, numbered))
}

fn unfit(at: Attributes<'_, '_>, column: usize) -> Error {
    at.unsupported(
        &format!("with the categories of column {column}"),
        "at most 256 categories are taken",
    )
}

fn whole(values: &[f64]) -> Option<Vec<u32>> {
    if values.len() > MAX_CATEGORIES {
        return None;
    }
    let one = |&v: &f64| (v >= 0.0 && v.trunc() == v && v < 4_294_967_296.0).then_some(v as u32);
    values.iter().map(one).collect()
}

fn ints(at: Attributes<'_, '_>, name: &str) -> Result<Vec<i64>, Error> {
    at.elements(name)?
        .ints()
        .ok_or_else(|| Error::invalid(format!("`{name}` is no array of whole numbers")))
}

impl TreePredictor {
    fn of(at: Attributes<'_, '_>) -> Result<Self, Error> {
        let nodes = at.array("nodes")?;
        if nodes.shape.len() != 1 {
            return Err(Error::invalid("`nodes` is no list"));
        }
        let ints = |name| int_field(&nodes, name);
        let n = nodes.shape[0];
        Ok(Self {
            value: float_field(&nodes, "value")?,
            feature_idx: ints("feature_idx")?,
            // 0.21 to 0.23 call it `threshold`.
            num_threshold: float_field(&nodes, "num_threshold")
                .or_else(|_| float_field(&nodes, "threshold"))?,
            missing_go_to_left: ints("missing_go_to_left").unwrap_or_else(|_| vec![0; n]),
            left: ints("left")?,
            right: ints("right")?,
            is_leaf: ints("is_leaf")?,
            is_categorical: ints("is_categorical").unwrap_or_else(|_| vec![0; n]),
            bitset_idx: ints("bitset_idx").unwrap_or_default(),
            raw_left_cat_bitsets: match at.some("raw_left_cat_bitsets") {
                None => Vec::new(),
                Some(_) => self::ints(at, "raw_left_cat_bitsets")?,
            },
        })
    }

    fn lift(
        self,
        target: Target,
        columns: &[usize],
        categories: &[Option<Known>],
    ) -> Result<Tree, Error> {
        let mut tree = Tree {
            weight: 1.0,
            target,
            nodes: Vec::new(),
            leaves: Vec::new(),
            linear: Vec::new(),
            sets: Vec::new(),
        };
        for (at, &is_leaf) in self.is_leaf.iter().enumerate() {
            if is_leaf != 0 {
                tree.nodes.push(Node::Leaf(tree.leaves.len() as u32));
                tree.leaves.push(self.value[at]);
                continue;
            }
            let split = self.split(at, columns, categories, &mut tree.sets);
            tree.nodes
                .push(Node::Split(split.map_err(|e| e.item(at).under("node"))?));
        }
        Ok(tree)
    }

    fn split(
        &self,
        at: usize,
        columns: &[usize],
        categories: &[Option<Known>],
        sets: &mut Vec<CategorySet>,
    ) -> Result<Split, Error> {
        let child = |v: i64| {
            u32::try_from(v).map_err(|_| Error::invalid(format!("its child {v} does not exist")))
        };
        let feature = usize::try_from(self.feature_idx[at])
            .ok()
            .and_then(|f| {
                if columns.is_empty() {
                    Some(f)
                } else {
                    columns.get(f).copied()
                }
            })
            .and_then(|f| u32::try_from(f).ok())
            .ok_or_else(|| {
                Error::invalid(format!(
                    "its feature {} does not exist",
                    self.feature_idx[at]
                ))
            })?;
        let test = if self.is_categorical[at] == 0 {
            Test::LessEq(self.num_threshold[at])
        } else {
            let known = categories
                .get(feature as usize)
                .and_then(Option::as_ref)
                .ok_or_else(|| Error::invalid(format!("feature {feature} has no categories")))?;
            sets.push(self.set(at, known)?);
            Test::In(sets.len() as u32 - 1)
        };
        Ok(Split {
            feature,
            test,
            missing: Missing::Nan {
                yes: self.missing_go_to_left[at] != 0,
            },
            yes: child(self.left[at])?,
            no: child(self.right[at])?,
        })
    }

    /// The categories that go left, among those that are known.
    fn set(&self, at: usize, known: &Known) -> Result<CategorySet, Error> {
        let words = self
            .bitset_idx
            .get(at)
            .and_then(|&i| usize::try_from(i).ok())
            .and_then(|i| i.checked_mul(WORDS))
            .and_then(|from| self.raw_left_cat_bitsets.get(from..)?.get(..WORDS))
            .ok_or_else(|| Error::invalid("its set of categories does not exist"))?;
        let left = |number: u32| {
            let word = words.get(number as usize / 32).copied().unwrap_or(0);
            word >> (number % 32) & 1 != 0
        };
        let numbers = |n: usize| 0..u32::try_from(n).unwrap_or(u32::MAX);
        let (mut members, mut all, index): (Vec<u32>, Vec<u32>, _) = match known {
            Known::Values { values, index } => (
                values.iter().copied().filter(|&v| left(v)).collect(),
                values.clone(),
                *index,
            ),
            Known::Encoded(values) => (
                numbers(values.len())
                    .filter(|&i| left(i))
                    .map(|i| values[i as usize])
                    .collect(),
                values.clone(),
                CategoryIndex::Exact,
            ),
        };
        for list in [&mut members, &mut all] {
            list.sort_unstable();
            list.dedup();
        }
        Ok(CategorySet {
            members,
            known: Some(all),
            index,
        })
    }
}

fn float_field(nodes: &Array<'_>, name: &str) -> Result<Vec<f64>, Error> {
    nodes
        .field(name)
        .and_then(Elements::floats)
        .ok_or_else(|| no_field(name))
}
