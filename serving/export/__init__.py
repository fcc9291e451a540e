"""From a run to an ONNX file; the one room of serving that imports training and torch."""
