"""FastAPI with the model in its thread pool: one run a request."""

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from onnx_model import OnnxModel, decode

app = FastAPI()
model = OnnxModel()


@app.post("/predict")
async def predict(request: Request) -> dict[str, object]:
    """The answer for the image in the body."""
    data = await request.body()
    return await run_in_threadpool(_predict, data)


def _predict(data: bytes) -> dict[str, object]:
    return model.predict([decode(data)])[0]
