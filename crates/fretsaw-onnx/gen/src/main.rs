//! Generates the Rust types of ONNX's protobuf messages. Not part of any build: the result is
//! committed, so that neither protoc nor prost-build is needed to compile fretsaw.
//!
//! ```text
//! python descriptor.py > onnx.fds          # with the PyPI package `onnx`; 1.23.2 was used
//! cargo run -- onnx.fds ../src/proto
//! ```

use prost::Message;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1);
    let (Some(descriptor), Some(out)) = (args.next(), args.next()) else {
        return Err("give the descriptor set and the output folder".into());
    };
    let mut files = prost_types::FileDescriptorSet::decode(&*std::fs::read(descriptor)?)?;
    for file in &mut files.file {
        // Comments are not in the package's descriptors; stale positions would only mislead.
        file.source_code_info = None;
    }
    let file = std::path::Path::new(&out).join("onnx.rs");
    prost_build::Config::new()
        // Tensor payloads and texts are shared with the file that was read, not copied.
        .bytes([".onnx.TensorProto.raw_data", ".onnx.AttributeProto.strings"])
        .out_dir(&out)
        .compile_fds(files)?;
    // A field that is no field of ONNX's: see `proto/wire.rs`.
    let code = std::fs::read_to_string(&file)?.replace(
        "pub struct AttributeProto {\n",
        "pub struct AttributeProto {\n    \
         #[prost(oneof = \"super::wire::Wire\", tags = \"536870911\")]\n    \
         pub wire: ::core::option::Option<super::wire::Wire>,\n",
    );
    std::fs::write(file, code)?;
    Ok(())
}
