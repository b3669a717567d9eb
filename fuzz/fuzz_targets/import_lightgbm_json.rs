//! LightGBM's JSON dump, as it comes.
#![no_main]

use fretsaw_import::{Format, detect, import, lightgbm};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if detect(data) == Format::LightgbmJson {
        fretsaw_fuzz::check_import(import(data));
    } else {
        let _ = lightgbm::from_json(data);
    }
});
