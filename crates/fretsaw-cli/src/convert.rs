//! `fretsaw convert`.

use fretsaw::data::write_atomically;
use fretsaw::onnx::{self, Lower};

use crate::args;
use crate::failure::{Failure, Result};
use crate::{memory, open};

pub(crate) fn run(args: &args::Convert) -> Result {
    memory::give_back_what_is_freed();
    let loaded = open::model_only(&args.model, &args.store)?;
    if args.output.extension().is_none_or(|e| e != "onnx") {
        let output = args.output.display();
        return Err(Failure::usage(format!(
            "{output}: the output of convert is an .onnx file"
        )));
    }
    let options = Lower {
        opset: args.opset,
        ml_opset: args
            .ml_opset
            .unwrap_or_else(|| onnx::ml_opset_for(&loaded.model, args.double)),
        double: args.double,
        strings: args.strings,
        zipmap: args.zipmap,
    };
    let bytes = onnx::write_last(loaded.model, &options).map_err(|e| e.in_file(&loaded.path))?;
    write_atomically(&args.output, |w| w.write_all(&bytes))?;
    Ok(())
}
