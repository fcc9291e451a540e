"""What every peer shares: the exported model in onnxruntime, with as many threads as cores, and Pillow as decoder.

The model's file comes in the environment variable BENCHMARK_MODEL, for no peer's command line takes it.
"""

import io
import os
from collections.abc import Sequence

import numpy as np
import onnxruntime
from PIL import Image

OUTPUTS = ("class_probabilities", "cluster_probabilities", "ambiguity")


class OnnxModel:
    """The model as a competent engineer would load it."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = os.cpu_count() or 1
        self._session = onnxruntime.InferenceSession(
            os.environ["BENCHMARK_MODEL"], options, providers=["CPUExecutionProvider"]
        )

    def predict(self, images: Sequence[np.ndarray]) -> list[dict[str, object]]:
        """One answer for each (H, W, 3) uint8 image."""
        outputs = self._session.run(OUTPUTS, {"images": np.stack(images)})
        return [
            {"classes": classes.tolist(), "cluster": int(clusters.argmax()), "ambiguity": float(ambiguity)}
            for classes, clusters, ambiguity in zip(*outputs, strict=True)
        ]


def decode(data: bytes) -> np.ndarray:
    """Bytes of an image file to (H, W, 3) uint8."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
