//! The support table, docs/support.md, made by asking the importer: a name stands as read where a
//! model of that name gets past the place where names are refused, and as refused with the reason
//! that a user would see. `FRETSAW_BLESS=1` writes it again.

use std::fmt::Write;
use std::fs;

use fretsaw_import::{ErrorKind, import};

use crate::golden::testdata;

/// XGBoost's objectives, of all versions, and one that is none.
const XGBOOST: &[&str] = &[
    "binary:hinge",
    "binary:logistic",
    "binary:logitraw",
    "count:poisson",
    "multi:softmax",
    "multi:softprob",
    "rank:map",
    "rank:ndcg",
    "rank:pairwise",
    "reg:absoluteerror",
    "reg:expectileerror",
    "reg:gamma",
    "reg:linear",
    "reg:logistic",
    "reg:pseudohubererror",
    "reg:quantileerror",
    "reg:squarederror",
    "reg:squaredlogerror",
    "reg:tweedie",
    "survival:aft",
    "survival:cox",
    "no:such",
];

/// LightGBM's objectives as its model text has them.
const LIGHTGBM: &[&str] = &[
    "binary sigmoid:1",
    "cross_entropy",
    "cross_entropy_lambda",
    "custom",
    "fair",
    "gamma",
    "huber",
    "lambdarank",
    "mape",
    "multiclass num_class:3",
    "multiclassova num_class:3 sigmoid:1",
    "poisson",
    "quantile",
    "rank_xendcg",
    "regression",
    "regression sqrt",
    "regression_l1",
    "tweedie",
    "no_such",
];

/// CatBoost's losses.
const CATBOOST: &[&str] = &[
    "Cox",
    "CrossEntropy",
    "Expectile",
    "Focal",
    "Huber",
    "LambdaMart",
    "LogCosh",
    "LogLinQuantile",
    "Logloss",
    "Lq",
    "MAE",
    "MAPE",
    "MultiClass",
    "MultiClassOneVsAll",
    "MultiCrossEntropy",
    "MultiLogloss",
    "MultiQuantile",
    "MultiRMSE",
    "MultiRMSEWithMissingValues",
    "PairLogit",
    "PairLogitPairwise",
    "Poisson",
    "QueryCrossEntropy",
    "QueryRMSE",
    "QuerySoftMax",
    "Quantile",
    "RMSE",
    "RMSEWithUncertainty",
    "StochasticFilter",
    "StochasticRank",
    "SurvivalAft",
    "Tweedie",
    "YetiRank",
    "YetiRankPairwise",
    "NoSuchLoss",
];

/// Why the importer will not have the bytes for what they are, if it will not. Other errors (no
/// trees for three classes, an estimator without attributes) come behind the question asked here.
fn refusal(bytes: &[u8]) -> Option<String> {
    let error = import(bytes).err()?;
    match error.kind() {
        ErrorKind::Unsupported { .. } => Some(error.to_string()),
        _ => None,
    }
}

/// The model of a golden case with its objective exchanged.
fn with(case: &str, from: &str, to: &str) -> Vec<u8> {
    let path = testdata().join(case);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{} has no {from}", path.display());
    text.replace(from, to).into_bytes()
}

/// A pickle of an object of the class, without attributes.
fn bare(module: &str, class: &str) -> Vec<u8> {
    format!("ccopy_reg\n_reconstructor\n(c{module}\n{class}\nc__builtin__\nobject\nNtR.")
        .into_bytes()
}

/// Names in two lists, those that are read and those that are refused.
fn section(out: &mut String, title: &str, names: Vec<(String, Option<String>)>) {
    let list = |read: bool| {
        let names = names.iter().filter(|n| n.1.is_none() == read);
        names
            .map(|n| format!("`{}`", n.0))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (read, refused) = (list(true), list(false));
    let none = |list: String| if list.is_empty() { "none".into() } else { list };
    writeln!(out, "| {title} | {} | {} |", none(read), none(refused)).unwrap();
}

fn table() -> String {
    let mut out = String::from(
        "# What is read, and what is refused by name\n\n\
         Made by asking the importer (`crates/fretsaw-import/tests/it/support.rs`); a test holds it to the code.\n\
         A class that is read may still have options that are refused, each by its name, when a model uses them.\n\n\
         | framework | read | refused |\n| --- | --- | --- |\n",
    );
    let objective = |case: &'static str, from: &'static str, to: &'static str| {
        move |name: &&str| {
            let bytes = with(case, from, &to.replace("{}", name));
            (name.to_string(), refusal(&bytes))
        }
    };
    section(
        &mut out,
        "XGBoost objectives",
        XGBOOST
            .iter()
            .map(objective(
                "xgboost-3.3.0/binary/model.json",
                "\"name\":\"binary:logistic\"",
                "\"name\":\"{}\"",
            ))
            .collect(),
    );
    section(
        &mut out,
        "LightGBM objectives",
        LIGHTGBM
            .iter()
            .map(objective(
                "lightgbm-4.6.0/binary/model.txt",
                "objective=binary sigmoid:1",
                "objective={}",
            ))
            .collect(),
    );
    section(
        &mut out,
        "CatBoost losses",
        CATBOOST
            .iter()
            .map(objective(
                "catboost-1.2.10/binary/model.json",
                "Logloss",
                "{}",
            ))
            .collect(),
    );
    let listed = fs::read_to_string(testdata().join("estimators.txt")).unwrap();
    let (version, lines) = listed.split_once('\n').unwrap();
    let version = version.trim_start_matches("# ");
    for kind in ["classifier", "regressor", "cluster", "transformer", "other"] {
        let of_kind = |line: &str| {
            let mut words = line.split(' ');
            let (class, module) = (words.next()?, words.next()?);
            (words.next()? == kind).then(|| (class.to_string(), refusal(&bare(module, class))))
        };
        let names = lines.lines().filter_map(of_kind).collect();
        section(&mut out, &format!("{version}: {kind}"), names);
    }
    out
}

#[test]
fn the_support_table_says_what_the_code_does() {
    let path = testdata().join("../docs/support.md");
    let want = table();
    if std::env::var_os("FRETSAW_BLESS").is_some() {
        fs::write(&path, &want).unwrap();
    }
    let got = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        got, want,
        "docs/support.md is out of date: run the test with FRETSAW_BLESS=1"
    );
}
