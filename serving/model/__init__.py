"""The ONNX file and what is in it; no torch."""
