"""BentoML's own adaptive batching: a `batchable` API with PIL images, as its documentation shows it."""

import bentoml
import numpy as np
from onnx_model import OnnxModel
from PIL import Image


@bentoml.service(name="plain", workers=1, traffic={"timeout": 60})
class Plain:
    """The model behind a batchable API."""

    def __init__(self) -> None:
        self._model = OnnxModel()

    @bentoml.api(batchable=True, batch_dim=0, max_batch_size=64, max_latency_ms=30_000)
    def predict(self, images: list[Image.Image]) -> list[dict]:
        """One answer for each image."""
        return self._model.predict([np.asarray(image.convert("RGB")) for image in images])
