//! The model text: `key=value` lines, then a block of them for each tree, then what the Python
//! package adds behind.
//!
//! `tree_sizes` is not used to find the trees, only to know how many there are: each ends with an
//! empty line. Numbers are rounded as C's `strtod` rounds them, to the nearest f64.

use std::str::FromStr;

use super::{FeatureInfo, Model, Tree, categories};
use crate::Error;
use crate::error::shown;

/// Reads a model text.
///
/// # Errors
/// When it is broken or cut short, or lacks something.
pub fn from_text(bytes: &[u8]) -> Result<Model, Error> {
    let mut lines = Lines { bytes, at: 0 };
    let mut model = Model::default();
    let mut header = Header::default();
    let (mut in_trees, mut complete) = (false, false);
    for line in lines.by_ref() {
        if line.bytes.starts_with(b"Tree=") {
            in_trees = true;
            break;
        }
        if line.bytes == b"end of trees" {
            complete = true;
            break;
        }
        header.line(&mut model, &line)?;
    }
    header.check(&mut model)?;

    while in_trees {
        let i = model.trees.len();
        let tree = read_tree(&mut lines).map_err(|e| e.item(i).under("Tree"))?;
        model.trees.push(tree);
        let next = lines.find(|line| !line.bytes.is_empty());
        complete = next.as_ref().is_some_and(|l| l.bytes == b"end of trees");
        in_trees = next.is_some_and(|l| l.bytes.starts_with(b"Tree="));
    }
    let n = model.trees.len();
    match header.n_trees {
        Some(want) if want != n => {
            return Err(Error::syntax(
                lines.at,
                format!("tree_sizes lists {want} trees, {n} are there: the file is cut short"),
            ));
        }
        // 2.1 wrote no such line, but it listed the trees.
        _ if !complete && (model.version != "v2" || header.n_trees.is_none()) => {
            return Err(Error::syntax(
                lines.at,
                "the line `end of trees` is missing: the file is cut short",
            ));
        }
        _ => {}
    }

    for line in lines {
        if let Some(rest) = line.bytes.strip_prefix(b"[categorical_feature: ") {
            let list = rest.strip_suffix(b"]").unwrap_or(rest);
            model.categorical_feature = list
                .split(|&b| b == b',')
                .filter_map(|n| std::str::from_utf8(n).ok()?.trim().parse().ok())
                .collect();
        } else if let Some(json) = line.bytes.strip_prefix(b"pandas_categorical:") {
            model.pandas_categorical =
                categories::from_json(json).map_err(|e| e.under("pandas_categorical"))?;
        }
    }
    Ok(model)
}

/// A line without its end, and where it starts.
struct Line<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Line<'a> {
    /// Key, value, and where the value starts.
    fn pair(&self) -> Option<(&'a [u8], Line<'a>)> {
        let n = self.bytes.iter().position(|&b| b == b'=')?;
        let value = Line {
            bytes: &self.bytes[n + 1..],
            at: self.at + n + 1,
        };
        Some((&self.bytes[..n], value))
    }

    fn text(&self) -> Result<&'a str, Error> {
        std::str::from_utf8(self.bytes)
            .map_err(|e| Error::syntax(self.at + e.valid_up_to(), "the text is not UTF-8"))
    }

    fn number<T: FromStr>(&self) -> Result<T, Error> {
        number(self.text()?.trim(), self.at)
    }

    /// Numbers with spaces between them.
    fn numbers<T: FromStr>(&self) -> Result<Vec<T>, Error> {
        self.text()?
            .split_ascii_whitespace()
            .map(|word| number(word, self.at))
            .collect()
    }
}

fn number<T: FromStr>(word: &str, at: usize) -> Result<T, Error> {
    word.parse().map_err(|_| {
        Error::invalid(format!(
            "`{}` is no number that may stand here",
            shown(word)
        ))
        .at(at)
    })
}

struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let rest = self.bytes.get(self.at..).filter(|r| !r.is_empty())?;
        let n = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
        let line = &rest[..n];
        let at = self.at;
        self.at += n + 1;
        Some(Line {
            bytes: line.strip_suffix(b"\r").unwrap_or(line),
            at,
        })
    }
}

/// What the lines before the trees have said so far.
#[derive(Default)]
struct Header {
    num_class: Option<u32>,
    num_tree_per_iteration: Option<u32>,
    max_feature_idx: Option<u32>,
    n_trees: Option<usize>,
}

impl Header {
    fn line(&mut self, model: &mut Model, line: &Line<'_>) -> Result<(), Error> {
        let Some((key, value)) = line.pair() else {
            model.average_output |= line.bytes == b"average_output";
            return Ok(());
        };
        match key {
            b"version" => model.version = value.text()?.trim().to_owned(),
            b"num_class" => {
                self.num_class = Some(value.number().map_err(|e| e.under("num_class"))?)
            }
            b"num_tree_per_iteration" => {
                let n = value.number();
                self.num_tree_per_iteration =
                    Some(n.map_err(|e| e.under("num_tree_per_iteration"))?);
            }
            b"max_feature_idx" => {
                let n = value.number();
                self.max_feature_idx = Some(n.map_err(|e| e.under("max_feature_idx"))?);
            }
            b"objective" => model.objective = Some(value.text()?.trim().to_owned()),
            b"feature_names" => {
                model.feature_names = words(value.text()?).map(str::to_owned).collect();
            }
            b"feature_infos" => {
                model.feature_infos = words(value.text()?).map(feature_info).collect();
            }
            b"tree_sizes" => self.n_trees = Some(words(value.text()?).count()),
            _ => {}
        }
        Ok(())
    }

    fn check(&self, model: &mut Model) -> Result<(), Error> {
        let missing = |what| {
            Error::invalid(format!(
                "the line `{what}=` is missing: this is no LightGBM model, or it is cut short"
            ))
        };
        model.num_class = self.num_class.ok_or_else(|| missing("num_class"))?;
        model.num_tree_per_iteration = self.num_tree_per_iteration.unwrap_or(model.num_class);
        model.max_feature_idx = self
            .max_feature_idx
            .ok_or_else(|| missing("max_feature_idx"))?;
        if model.feature_names.is_empty() {
            return Err(missing("feature_names"));
        }
        Ok(())
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}

/// `none`, `[least:largest]`, or categories with colons between them.
fn feature_info(word: &str) -> FeatureInfo {
    if word == "none" {
        return FeatureInfo::None;
    }
    match word.split(':').map(str::parse).collect() {
        Ok(categories) => FeatureInfo::Categorical(categories),
        Err(_) => FeatureInfo::Numeric,
    }
}

/// Reads one tree, up to the empty line behind it.
fn read_tree(lines: &mut Lines<'_>) -> Result<Tree, Error> {
    let mut tree = Tree::default();
    let mut num_leaves = None;
    let mut cat_boundaries: Vec<usize> = Vec::new();
    let mut cat_bits: Vec<u32> = Vec::new();
    let mut num_features: Vec<usize> = Vec::new();
    let mut all_features: Vec<u32> = Vec::new();
    let mut all_coeff: Vec<f64> = Vec::new();
    loop {
        let Some(line) = lines.next() else {
            return Err(Error::syntax(lines.at, "the file ends within a tree"));
        };
        if line.bytes.is_empty() {
            break;
        }
        let Some((key, value)) = line.pair() else {
            return Err(Error::syntax(line.at, "a line of a tree has no `=`"));
        };
        let under = |e: Error| e.under(&String::from_utf8_lossy(key));
        match key {
            b"num_leaves" => num_leaves = Some(value.number().map_err(under)?),
            b"split_feature" => tree.split_feature = value.numbers().map_err(under)?,
            b"threshold" => tree.threshold = value.numbers().map_err(under)?,
            b"decision_type" => tree.decision_type = value.numbers().map_err(under)?,
            b"left_child" => tree.left_child = value.numbers().map_err(under)?,
            b"right_child" => tree.right_child = value.numbers().map_err(under)?,
            b"leaf_value" => tree.leaf_value = value.numbers().map_err(under)?,
            b"cat_boundaries" => cat_boundaries = value.numbers().map_err(under)?,
            b"cat_threshold" => cat_bits = value.numbers().map_err(under)?,
            b"is_linear" => tree.is_linear = value.number::<u8>().map_err(under)? != 0,
            b"leaf_const" => tree.leaf_const = value.numbers().map_err(under)?,
            b"num_features" => num_features = value.numbers().map_err(under)?,
            b"leaf_features" => all_features = value.numbers().map_err(under)?,
            b"leaf_coeff" => all_coeff = value.numbers().map_err(under)?,
            _ => {}
        }
    }
    tree.num_leaves =
        num_leaves.ok_or_else(|| Error::invalid("num_leaves is missing").at(lines.at))?;
    // A tree of one leaf has arrays of splits that are empty, or none.
    if tree.decision_type.is_empty() {
        tree.decision_type = vec![0; tree.split_feature.len()];
    }
    tree.cat_threshold = sets(&cat_boundaries, &cat_bits)?;
    if tree.is_linear {
        tree.leaf_features = cut("leaf_features", &num_features, &all_features)?;
        tree.leaf_coeff = cut("leaf_coeff", &num_features, &all_coeff)?;
    }
    Ok(tree)
}

/// Sets as bits in words of 32; set i has the words from `boundaries[i]` to `boundaries[i + 1]`.
fn sets(boundaries: &[usize], words: &[u32]) -> Result<Vec<Vec<u32>>, Error> {
    let set = |range: &[usize]| {
        let words = words.get(range[0]..range[1])?;
        let members = words.iter().enumerate().flat_map(|(i, word)| {
            // What is beyond an i32 no value becomes.
            let first = u32::try_from(i).ok().and_then(|i| i.checked_mul(32));
            let first = first.filter(|&f| f < 1 << 31);
            (0..32)
                .filter(move |bit| word >> bit & 1 == 1)
                .filter_map(move |bit| Some(first? + bit))
        });
        Some(members.collect())
    };
    boundaries
        .windows(2)
        .map(set)
        .collect::<Option<_>>()
        .ok_or_else(|| {
            Error::invalid(format!(
                "cat_boundaries do not cut the {} words of cat_threshold",
                words.len()
            ))
        })
}

/// Cuts a list into pieces of these lengths, which must add up to it.
fn cut<T: Clone>(name: &str, lengths: &[usize], all: &[T]) -> Result<Vec<Vec<T>>, Error> {
    let mut rest = all;
    let mut pieces = Vec::new();
    for &n in lengths {
        let Some((piece, tail)) = rest.split_at_checked(n) else {
            rest = &all[..0];
            pieces.clear();
            break;
        };
        pieces.push(piece.to_vec());
        rest = tail;
    }
    if rest.is_empty() && pieces.len() == lengths.len() {
        Ok(pieces)
    } else {
        Err(Error::invalid(format!(
            "num_features do not cut the {} numbers of {name}",
            all.len()
        )))
    }
}
