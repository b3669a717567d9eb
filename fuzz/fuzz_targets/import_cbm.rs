//! CatBoost's .cbm, as it comes.
#![no_main]

use fretsaw_import::{Format, catboost, detect, import};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if detect(data) == Format::CatboostBinary {
        fretsaw_fuzz::check_import(import(data));
    } else {
        let _ = catboost::from_cbm(data);
    }
});
