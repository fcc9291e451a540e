"""LitServe with its batching, as its documentation shows it."""

import argparse

import litserve
import numpy as np
from fastapi import Request
from onnx_model import OnnxModel, decode


class Api(litserve.LitAPI):
    """The model behind LitServe's hooks."""

    def setup(self, device: str) -> None:
        """Loads the model."""
        self._model = OnnxModel()

    def decode_request(self, request: Request) -> np.ndarray:
        """The image in the form's field `image`; LitServe hands the form over, not the request."""
        return decode(request["image"].file.read())

    def batch(self, inputs: list[np.ndarray]) -> list[np.ndarray]:
        """Images as they are; the model stacks them."""
        return inputs

    def predict(self, x: list[np.ndarray]) -> list[dict]:
        """One answer for each image."""
        return self._model.predict(x)

    def unbatch(self, output: list[dict]) -> list[dict]:
        """Answers one by one."""
        return output

    def encode_response(self, output: dict) -> dict:
        """The answer as JSON."""
        return output


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    server = litserve.LitServer(Api(max_batch_size=64, batch_timeout=0.005), accelerator="cpu")
    server.run(host="127.0.0.1", port=parser.parse_args().port, generate_client_file=False, log_level="warning")
