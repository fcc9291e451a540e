"""Smaller numbers in an exported file: INT8 for CPUs, FP16 for CUDA."""

import tempfile
import time
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

Precision = Literal["float32", "float16", "int8"]
_BATCH = 32
_ROUNDS = 7


class _Calibration(CalibrationDataReader):
    """Feeds images to the quantiser one batch at a time."""

    def __init__(self, images: np.ndarray) -> None:
        self._batches = iter(np.array_split(images, max(1, len(images) // _BATCH)))

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next batch, None after the last."""
        batch = next(self._batches, None)
        return None if batch is None else {"images": batch}


def quantise(path: Path, precision: Precision, images: np.ndarray) -> None:
    """Rewrites the float32 file at `path` with numbers of another precision; its metadata stay.

    INT8 is static, with ranges from `images` (N, size, size, 3) of the file's input type; the head, a thousandth of
    the work, stays float. FP16 keeps inputs and outputs as they are.
    """
    metadata = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    if precision == "int8":
        _to_int8(path, images)
    elif precision == "float16":
        _to_float16(path)
    model = onnx.load(path)
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, path)


def measure_speed_up(slow: Path, quick: Path, images: np.ndarray) -> float:
    """How many times faster `quick` answers a batch of 32 than `slow`: ratio of medians of alternating runs."""
    batch = images[np.arange(_BATCH) % len(images)]
    sessions = [onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]) for path in (slow, quick)]
    seconds: list[list[float]] = [[], []]
    for _ in range(_ROUNDS):
        for session, times in zip(sessions, seconds, strict=True):
            start = time.perf_counter()
            session.run(None, {"images": batch})
            times.append(time.perf_counter() - start)
    return float(np.median(seconds[0]) / np.median(seconds[1]))


def _to_int8(path: Path, images: np.ndarray) -> None:
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(path, prepared)
        quantize_static(
            prepared,
            path,
            _Calibration(images),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
        )


def _to_float16(path: Path) -> None:
    from onnxruntime.transformers.float16 import convert_float_to_float16

    onnx.save(convert_float_to_float16(onnx.load(path), keep_io_types=True), path)
