//! Pickles and joblib files: the header is given, the instructions are the fuzzer's.
#![no_main]

use fretsaw_import::import;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    fretsaw_fuzz::check_import(import(data));
    let pickle = [b"\x80\x04", data].concat();
    fretsaw_fuzz::check_import(import(&pickle));
});
