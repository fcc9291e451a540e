"""FastAPI with a small batcher as one writes it: a queue and one task that takes all that waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from onnx_model import OnnxModel, decode

MAX_BATCH = 64
Waiting = tuple[bytes, "asyncio.Future[dict[str, object]]"]
model = OnnxModel()
queue: "asyncio.Queue[Waiting]" = asyncio.Queue()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Runs the batcher as long as the server."""
    task = asyncio.create_task(_work())
    yield
    task.cancel()


app = FastAPI(lifespan=lifespan)


@app.post("/predict")
async def predict(request: Request) -> dict[str, object]:
    """The answer for the image in the body."""
    future: asyncio.Future[dict[str, object]] = asyncio.get_running_loop().create_future()
    await queue.put((await request.body(), future))
    return await future


async def _work() -> None:
    while True:
        batch = [await queue.get()]
        while len(batch) < MAX_BATCH and not queue.empty():
            batch.append(queue.get_nowait())
        answers = await asyncio.to_thread(lambda waiting: model.predict([decode(data) for data, _ in waiting]), batch)
        for (_, future), answer in zip(batch, answers, strict=True):
            future.set_result(answer)
