//! ONNX files: read, check, write; the IR lowered to them and lifted back.
