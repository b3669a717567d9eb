//! XGBoost's binary format: with its header and without, and as it stands in a pickle.
#![no_main]

use fretsaw_import::{Format, detect, import, xgboost};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if detect(data) == Format::XgboostBinary {
        fretsaw_fuzz::check_import(import(data));
    } else {
        let _ = xgboost::from_binary(data);
    }
});
