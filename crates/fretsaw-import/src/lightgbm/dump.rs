//! The JSON of `dump_model`, into the same [`Model`] as the text's.
//!
//! A tree is nested as deep as it is high, far deeper than other documents, so trees are read with a
//! stack of their own and not by recursion. Releases before 3.3 left linear leaves out of the dump:
//! what such a file says is all that can be read of it.

use std::collections::BTreeMap;

use super::{FeatureInfo, Model, Tree, categories};
use crate::Error;
use crate::document::{self, Json, Syntax, Token};
use crate::error::shown;

/// Reads the JSON of `dump_model`.
///
/// # Errors
/// When it is broken, or lacks something.
pub fn from_json(bytes: &[u8]) -> Result<Model, Error> {
    let mut reader = Reader(Json::new(bytes));
    let mut model = Model::default();
    let (mut num_class, mut num_trees, mut last_feature) = (None, None, None);
    let mut infos = BTreeMap::new();
    let token = reader.0.value()?;
    reader.object(token, |r, key, token| {
        match key {
            "version" => model.version = r.text(token)?,
            "num_class" => num_class = Some(r.index(token)?),
            "num_tree_per_iteration" => num_trees = Some(r.index(token)?),
            "max_feature_idx" => last_feature = Some(r.index(token)?),
            "objective" => model.objective = Some(r.text(token)?),
            "average_output" => model.average_output = r.boolean(token)?,
            "feature_names" => r.array(token, |r, token| {
                model.feature_names.push(r.text(token)?);
                Ok(())
            })?,
            "feature_infos" => r.object(token, |r, name, token| {
                infos.insert(name.to_owned(), r.feature_info(token)?);
                Ok(())
            })?,
            "tree_info" => r.array(token, |r, token| {
                model.trees.push(r.tree_info(token)?);
                Ok(())
            })?,
            "pandas_categorical" => {
                model.pandas_categorical = categories::read(&mut r.0, token)?;
            }
            _ => r.skip(token)?,
        }
        Ok(())
    })?;
    reader.0.end()?;

    let missing =
        |what| Error::invalid(format!("missing field `{what}`: this is no LightGBM dump"));
    model.num_class = num_class.ok_or_else(|| missing("num_class"))?;
    model.num_tree_per_iteration = num_trees.unwrap_or(model.num_class);
    model.max_feature_idx = last_feature.ok_or_else(|| missing("max_feature_idx"))?;
    let names = &model.feature_names;
    model.feature_infos = names
        .iter()
        .map(|n| infos.remove(n).unwrap_or_default())
        .collect();
    // Up to 2.1 the dump did not say; since then only a custom objective is not named.
    if model.objective.is_none() && matches!(&*model.version, "" | "v2") {
        return Err(Error::unsupported(
            "a dump that does not name its objective",
            "save the model as text: booster.save_model(\"model.txt\")",
        ));
    }
    Ok(model)
}

struct Reader<'de>(Json<'de>);

impl<'de> Reader<'de> {
    /// Calls `field` for each field of an object whose first token has been read.
    fn object(
        &mut self,
        token: Token<'de>,
        mut field: impl FnMut(&mut Self, &str, Token<'de>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Token::Object = token else {
            return Err(self.unexpected("an object"));
        };
        let mut first = true;
        while let Some(key) = self.0.key(first)? {
            first = false;
            let token = self.0.value().map_err(|e| e.under(&key))?;
            field(self, &key, token).map_err(|e| e.under(&key))?;
        }
        Ok(())
    }

    /// Calls `element` for each element of an array whose first token has been read.
    fn array(
        &mut self,
        token: Token<'de>,
        mut element: impl FnMut(&mut Self, Token<'de>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Token::Array(mut array) = token else {
            return Err(self.unexpected("an array"));
        };
        let mut i = 0;
        while let Some(token) = self.0.element(&mut array).map_err(|e| e.item(i))? {
            element(self, token).map_err(|e| e.item(i))?;
            i += 1;
        }
        Ok(())
    }

    fn unexpected(&self, wanted: &str) -> Error {
        Error::invalid(format!("something else stands where {wanted} should")).at(self.0.offset())
    }

    fn skip(&mut self, token: Token<'de>) -> Result<(), Error> {
        document::skip(&mut self.0, token, 1)
    }

    fn text(&self, token: Token<'de>) -> Result<String, Error> {
        match token {
            Token::Str(s) => Ok(s.into_owned()),
            _ => Err(self.unexpected("text")),
        }
    }

    fn boolean(&self, token: Token<'de>) -> Result<bool, Error> {
        match token {
            Token::Bool(b) => Ok(b),
            _ => Err(self.unexpected("true or false")),
        }
    }

    fn integer(&self, token: Token<'de>) -> Result<i64, Error> {
        match token {
            Token::Int(i) => Ok(i),
            _ => Err(self.unexpected("a whole number")),
        }
    }

    fn index(&self, token: Token<'de>) -> Result<u32, Error> {
        u32::try_from(self.integer(token)?).map_err(|_| self.unexpected("a number from 0 upwards"))
    }

    fn float(&self, token: Token<'de>) -> Result<f64, Error> {
        match token {
            Token::Int(i) => Ok(i as f64),
            // NaN and the infinities.
            Token::Float(x) => Ok(f64::from(x)),
            Token::Number(text) => text.parse().map_err(|_| self.unexpected("a number")),
            _ => Err(self.unexpected("a number")),
        }
    }

    fn feature_info(&mut self, token: Token<'de>) -> Result<FeatureInfo, Error> {
        let mut values = Vec::new();
        self.object(token, |r, key, token| match key {
            "values" => r.array(token, |r, token| {
                values.push(r.integer(token)?);
                Ok(())
            }),
            _ => r.skip(token),
        })?;
        Ok(if values.is_empty() {
            FeatureInfo::Numeric
        } else {
            FeatureInfo::Categorical(values)
        })
    }

    fn tree_info(&mut self, token: Token<'de>) -> Result<Tree, Error> {
        let mut tree = None;
        let mut num_leaves = None;
        self.object(token, |r, key, token| {
            match key {
                "num_leaves" => num_leaves = Some(r.index(token)? as usize),
                "tree_structure" => tree = Some(r.tree(token)?),
                _ => r.skip(token)?,
            }
            Ok(())
        })?;
        let tree: Tree = tree.ok_or_else(|| Error::invalid("missing field `tree_structure`"))?;
        match num_leaves {
            Some(n) if n != tree.num_leaves => Err(Error::invalid(format!(
                "num_leaves is {n}, the tree has {}",
                tree.num_leaves
            ))),
            _ => Ok(tree),
        }
    }

    /// Reads nested nodes. A split gets its number where it begins, so the root's is 0.
    fn tree(&mut self, token: Token<'de>) -> Result<Tree, Error> {
        let Token::Object = token else {
            return Err(self.unexpected("an object"));
        };
        let mut tree = Tree::default();
        let mut stack = vec![Node::default()];
        while let Some(node) = stack.last_mut() {
            let started = std::mem::replace(&mut node.started, true);
            let Some(key) = self.0.key(!started)? else {
                let done = node.finish(&mut tree).map_err(|e| e.at(self.0.offset()))?;
                stack.pop();
                if let Some(parent) = stack.last_mut() {
                    parent.children.push(done);
                }
                continue;
            };
            let token = self.0.value().map_err(|e| e.under(&key))?;
            match &*key {
                "left_child" | "right_child" => {
                    let side = usize::from(key == "right_child");
                    if !matches!(token, Token::Object) || node.children.len() != side {
                        return Err(self
                            .unexpected("a left child and then a right one")
                            .under(&key));
                    }
                    node.begin_split(&mut tree);
                    stack.push(Node::default());
                }
                _ => node.field(self, &key, token).map_err(|e| e.under(&key))?,
            }
        }
        Ok(tree)
    }
}

/// What a dump holds where the text has infinity (`Common::AvoidInf`).
const INFINITE: f64 = 1e300;

/// A threshold, or a set of categories.
enum Threshold {
    Number(f64),
    Set(Vec<u32>),
}

/// What has been read of a node.
#[derive(Default)]
struct Node {
    started: bool,
    /// Its number, once it is known to be a split.
    split: Option<usize>,
    children: Vec<i32>,
    split_feature: Option<u32>,
    threshold: Option<Threshold>,
    categorical: bool,
    default_left: bool,
    missing: u8,
    leaf_value: Option<f64>,
    leaf_const: Option<f64>,
    leaf_features: Vec<u32>,
    leaf_coeff: Vec<f64>,
}

impl Node {
    fn field<'de>(
        &mut self,
        r: &mut Reader<'de>,
        key: &str,
        token: Token<'de>,
    ) -> Result<(), Error> {
        match key {
            "split_feature" => self.split_feature = Some(r.index(token)?),
            "threshold" => {
                self.threshold = Some(match token {
                    Token::Str(text) => Threshold::Set(set(&text)?),
                    other => Threshold::Number(r.float(other)?),
                });
            }
            "decision_type" => {
                self.categorical = match &*r.text(token)? {
                    "<=" | "no_greater" => false,
                    "==" | "is" => true,
                    other => {
                        return Err(Error::unsupported(
                            format!("the decision_type `{}`", shown(other)),
                            "known are `<=` and `==`",
                        ));
                    }
                };
            }
            "default_left" => self.default_left = r.boolean(token)?,
            "missing_type" => {
                self.missing = match &*r.text(token)? {
                    "None" => 0,
                    "Zero" => 1,
                    "NaN" => 2,
                    other => {
                        return Err(Error::unsupported(
                            format!("the missing_type `{}`", shown(other)),
                            "known are `None`, `Zero` and `NaN`",
                        ));
                    }
                };
            }
            "leaf_value" => self.leaf_value = Some(r.float(token)?),
            "leaf_const" => self.leaf_const = Some(r.float(token)?),
            "leaf_features" => r.array(token, |r, token| {
                self.leaf_features.push(r.index(token)?);
                Ok(())
            })?,
            "leaf_coeff" => r.array(token, |r, token| {
                self.leaf_coeff.push(r.float(token)?);
                Ok(())
            })?,
            _ => r.skip(token)?,
        }
        Ok(())
    }

    /// Keeps a place in the arrays of splits.
    fn begin_split(&mut self, tree: &mut Tree) {
        if self.split.is_none() {
            self.split = Some(tree.split_feature.len());
            tree.split_feature.push(0);
            tree.threshold.push(0.0);
            tree.decision_type.push(0);
            tree.left_child.push(0);
            tree.right_child.push(0);
        }
    }

    /// Puts the node into the arrays; gives its number, as a child's.
    fn finish(&mut self, tree: &mut Tree) -> Result<i32, Error> {
        let missing = |what: &str| Error::invalid(format!("a node has no `{what}`"));
        let number = |n: usize| {
            i32::try_from(n).map_err(|_| Error::invalid("more nodes than can be numbered"))
        };
        let Some(at) = self.split else {
            let n = tree.num_leaves;
            tree.leaf_value
                .push(self.leaf_value.ok_or_else(|| missing("leaf_value"))?);
            tree.num_leaves += 1;
            if let Some(constant) = self.leaf_const {
                tree.is_linear = true;
                tree.leaf_const.push(constant);
                tree.leaf_features
                    .push(std::mem::take(&mut self.leaf_features));
                tree.leaf_coeff.push(std::mem::take(&mut self.leaf_coeff));
            }
            return Ok(!number(n)?);
        };
        let [left, right] = self.children[..] else {
            return Err(missing("right_child"));
        };
        tree.split_feature[at] = self.split_feature.ok_or_else(|| missing("split_feature"))?;
        let threshold = self.threshold.take().ok_or_else(|| missing("threshold"))?;
        tree.threshold[at] = match (threshold, self.categorical) {
            // JSON knows no infinity: LightGBM writes the largest number of its own for it.
            (Threshold::Number(t), false) if t.abs() == INFINITE => t * f64::INFINITY,
            (Threshold::Number(t), false) => t,
            (Threshold::Set(set), true) => {
                tree.cat_threshold.push(set);
                tree.cat_threshold.len() as f64 - 1.0
            }
            // A set of one, written as a number.
            (Threshold::Number(t), true) if t >= 0.0 && t.trunc() == t && t < 2_147_483_648.0 => {
                tree.cat_threshold.push(vec![t as u32]);
                tree.cat_threshold.len() as f64 - 1.0
            }
            _ => return Err(Error::invalid("threshold and decision_type do not fit")),
        };
        tree.decision_type[at] =
            u8::from(self.categorical) | u8::from(self.default_left) << 1 | self.missing << 2;
        tree.left_child[at] = left;
        tree.right_child[at] = right;
        number(at)
    }
}

/// `1||5||7`: the categories that go left.
fn set(text: &str) -> Result<Vec<u32>, Error> {
    let mut members = Vec::new();
    for word in text.split("||").filter(|word| !word.is_empty()) {
        let category = word.trim().parse::<i32>().ok();
        let category = category.and_then(|c| u32::try_from(c).ok());
        members.push(
            category.ok_or_else(|| Error::invalid(format!("`{}` is no category", shown(word))))?,
        );
    }
    members.sort_unstable();
    members.dedup();
    Ok(members)
}
