//! LightGBM's model text, as it comes.
#![no_main]

use fretsaw_import::{Format, detect, import, lightgbm};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if detect(data) == Format::LightgbmText {
        fretsaw_fuzz::check_import(import(data));
    } else {
        let _ = lightgbm::from_text(data);
    }
});
