"""Logs the exported file as an MLflow model, for `mlflow models serve`: pixels as JSON, as its documentation says."""

import argparse
import os

import mlflow
import numpy as np
import onnx
from mlflow.models import infer_signature

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    model = onnx.load(os.environ["BENCHMARK_MODEL"])
    size = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    images = {"images": np.zeros((1, size, size, 3), np.uint8)}
    mlflow.onnx.save_model(
        model,
        parser.parse_args().folder,
        signature=infer_signature(images),
        onnx_execution_providers=["CPUExecutionProvider"],
        onnx_session_options={"intra_op_num_threads": os.cpu_count()},
        pip_requirements=[],
    )
