"""Writes the descriptor set of onnx-ml.proto to stdout, from the `onnx` package of PyPI (no protoc needed)."""
import sys

import onnx.onnx_ml_pb2 as onnx_ml
from google.protobuf import descriptor_pb2

files = descriptor_pb2.FileDescriptorSet()
onnx_ml.DESCRIPTOR.CopyToProto(files.file.add())
sys.stdout.buffer.write(files.SerializeToString())
