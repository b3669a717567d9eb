//! Files of every format cut short, changed at random, or with numbers that lie: each ends in one clear
//! line or in a model that answers, never in a panic, a hang or an allocation of what a number claims.

use std::fs;

use fretsaw_import::import;
use fretsaw_model::{Rows, margins, predict};

use crate::golden::testdata;

const FILES: &[&str] = &[
    "xgboost-0.90/dart_binary/model.bin",
    "xgboost-0.90/sklearn_early_stopping/model.p4.pkl",
    "xgboost-1.7.6/gblinear_binary/model.bin",
    "xgboost-2.1.3/count_poisson/model.bin",
    "xgboost-3.4.0/dart_binary/model.json",
    "xgboost-3.4.0/vector_leaf_reg/model.ubj",
    "xgboost-3.4.0/categorical_strings/model.ubj",
    "xgboost-1.5.2/sklearn_strings/model.p2.pkl",
    "xgboost-1.5.2/sklearn_strings/model.p5.pkl",
    "xgboost-1.5.2/sklearn_strings/model.joblib",
    "xgboost-1.5.2/sklearn_strings/model.joblib.z",
    "xgboost-3.4.0/sklearn_wrapper/model.joblib.bz2",
    "xgboost-3.4.0/sklearn_wrapper/model.joblib.lz4",
    "xgboost-3.4.0/sklearn_wrapper/model.joblib.lzma",
    "xgboost-3.4.0/sklearn_wrapper/model.joblib.xz",
    "lightgbm-2.2.3/binary/model.txt",
    "lightgbm-4.6.0/regression_linear/model.txt",
    "lightgbm-4.6.0/binary_categorical/model.txt",
    "lightgbm-4.6.0/binary_categorical/model.json",
    "lightgbm-4.6.0/sklearn_strings/model.p4.pkl",
    "catboost-0.15.2/multiclass/model.cbm",
    "catboost-0.26.1/ctr/model.json",
    "catboost-1.2.10/ctr/model.cbm",
    "catboost-1.2.10/ctr_multiclass/model.cbm",
    "catboost-1.2.10/lossguide/model.cbm",
    "catboost-1.2.10/multiclass_lossguide/model.cbm",
    "catboost-1.2.10/multiclass_lossguide/model.json",
    "catboost-1.2.10/one_hot/model.cbm",
    "sklearn-0.24.2/columns_places/model.p4.pkl",
    "sklearn-0.24.2/forest_classifier/model.p2.pkl",
    "sklearn-0.24.2/hist_categories/model.p4.pkl",
    "sklearn-1.9.1/columns_places/model.p4.pkl",
    "sklearn-1.9.1/columns_remainder/model.skops",
    "sklearn-1.9.1/forest_classifier/model.joblib",
    "sklearn-1.9.1/forest_classifier/model.p5.pkl",
    "sklearn-1.9.1/forest_classifier/model.skops",
    "sklearn-1.9.1/hist_categories/model.joblib",
    "sklearn-1.9.1/hist_categories_text/model.skops",
    "sklearn-1.9.1/hist_categories_values/model.joblib.z",
    "sklearn-0.24.2/svc_proba_four/model.p4.pkl",
    "sklearn-1.9.1/gp_several/model.joblib.z",
    "sklearn-1.9.1/mlp_labels/model.p4.pkl",
    "sklearn-1.9.1/prep_bins_onehot/model.p4.pkl",
    "sklearn-1.9.1/prep_iterative_tree/model.joblib.z",
    "sklearn-1.9.1/prep_knn_distance/model.p4.pkl",
    "sklearn-1.9.1/prep_polynomial_range/model.skops",
    "sklearn-1.9.1/prep_quantile_normal/model.p4.pkl",
    "sklearn-1.9.1/prep_select_boosting/model.joblib.z",
    "sklearn-1.9.1/pls/model.joblib.z",
    "sklearn-1.9.1/qda_binary/model.skops",
    "sklearn-1.9.1/svc_proba_four/model.joblib.z",
];

fn read(path: &str) -> Vec<u8> {
    fs::read(testdata().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A model must answer, a refusal be one line; whether it is a model.
fn survives(bytes: &[u8], place: &str) -> bool {
    match import(bytes) {
        Ok(model) => {
            let width = model.features.len();
            let values = [vec![0.5; width], vec![f64::NAN; width]].concat();
            let rows = Rows::f64(&values, width).unwrap();
            match margins(&model, &rows) {
                Ok(margins) => {
                    assert_eq!(margins.len(), 2 * model.body.n_margins(), "{place}");
                    predict(&model, &rows).unwrap();
                }
                // An encoder may refuse a row.
                Err(error) => assert!(!error.to_string().contains('\n'), "{place}: {error}"),
            }
            true
        }
        Err(error) => {
            let line = error.to_string();
            assert!(!line.contains('\n') && line.len() < 1000, "{place}: {line}");
            false
        }
    }
}

#[test]
fn files_cut_short_are_refused() {
    for path in FILES {
        let bytes = read(path);
        // Behind the trees of LightGBM's text come only importances and parameters.
        let mark = b"end of trees";
        let end = bytes.windows(mark.len()).position(|w| w == mark);
        let end = end.filter(|_| path.ends_with("txt")).unwrap_or(bytes.len());
        for n in (0..end).step_by((end / 150).max(1)).chain(end - 20..end) {
            // White space at the end, and the zeros that LZ4 ends with, may go.
            let cut = &bytes[n..end];
            let nothing = cut.iter().all(|&b| b == 0 || b.is_ascii_whitespace());
            assert!(
                !survives(&bytes[..n], path) || nothing,
                "{path}: {n} bytes are enough"
            );
        }
    }
}

/// A few bytes in each copy, most of them such as lengths, offsets and numbers are made of.
#[test]
fn damaged_files_never_panic() {
    for path in FILES {
        let bytes = read(path);
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = move |n: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % n as u64) as usize
        };
        for _ in 0..100 {
            let mut damaged = bytes.clone();
            for _ in 0..1 + random(4) {
                let at = random(damaged.len());
                damaged[at] = match random(6) {
                    0 => 0,
                    1 => 0xff,
                    2 => damaged[at].wrapping_add(4),
                    3 => random(256) as u8,
                    _ => b"0123456789-=. \n\"{}[],"[random(21)],
                };
            }
            survives(&damaged, path);
        }
    }
}

/// Every four bytes in turn as a length that cannot be.
#[test]
fn lying_numbers_are_not_believed() {
    for (path, aligned) in [
        ("catboost-1.2.10/binary/model.cbm", 4),
        ("xgboost-0.90/dart_binary/model.bin", 1),
        ("xgboost-2.1.3/gblinear_binary/model.bin", 1),
    ] {
        let bytes = read(path);
        for at in (0..bytes.len() - 4).step_by(aligned) {
            let mut lying = bytes.clone();
            lying[at..at + 4].copy_from_slice(&(i32::MAX as u32).to_le_bytes());
            survives(&lying, path);
        }
    }
}
