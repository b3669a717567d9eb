//! skops: a schema of the fuzzer's within a sound archive, beside a small array; and archives as
//! they come.
#![no_main]

use fretsaw_import::import;

const ARRAY: &[u8] = b"\x93NUMPY\x01\0\x3a\0{'descr': '<i8', 'fortran_order': False, 'shape': (1,), } \n\x01\0\0\0\0\0\0\0";

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if data.starts_with(b"PK") {
        fretsaw_fuzz::check_import(import(data));
        return;
    }
    let archive = fretsaw_fuzz::zip(&[("schema.json", data), ("1.npy", ARRAY)]);
    fretsaw_fuzz::check_import(import(&archive));
});
