//! ONNX files of any writer, as they come: checked, and read as a model.
#![no_main]

use fretsaw_onnx::{check, lift, read};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let model = match read(data.to_vec()) {
        Ok(model) => model,
        Err(error) => return fretsaw_fuzz::check_line(&error),
    };
    if let Err(error) = check(&model) {
        fretsaw_fuzz::check_line(&error);
    }
    fretsaw_fuzz::check_import(lift(&model));
});
