//! XGBoost's UBJSON, as it comes.
#![no_main]

use fretsaw_import::{Format, detect, import, xgboost};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if detect(data) == Format::XgboostUbjson {
        fretsaw_fuzz::check_import(import(data));
    } else {
        let _ = xgboost::from_ubjson(data);
    }
});
