"""The model that answers now: decoding, batching and scoring of images."""

import asyncio
import os
from collections.abc import Sequence

import numpy as np

from serving.answers import Score
from serving.batching import Batcher
from serving.images import BadImage, decode, resize
from serving.model import Model
from serving.settings import Settings
from serving.telemetry import Telemetry
from serving.upload import Upload

# A thread takes a few small images at once, as its hand-over costs as much as one; few, as a large one holds the rest.
_DECODED_TOGETHER = 4


class LiveModel:
    """A loaded model with its queues."""

    def __init__(self, settings: Settings, telemetry: Telemetry) -> None:
        """Loads the model and runs it once; raises card.BadModel."""
        threads = settings.threads or max(1, (os.cpu_count() or 1) // settings.workers)
        self.model = Model(settings.model, threads)
        self._settings = settings
        self._telemetry = telemetry
        self._decoding = Batcher(self._decode, _DECODED_TOGETHER, settings.max_queue, threads)
        self._scoring = Batcher(self._score, settings.max_batch, settings.max_queue)
        self._in_use = 0
        self._idle = asyncio.Event()
        self._idle.set()
        size = self.model.card.input_size
        # onnxruntime plans its memory in the first run; a client should not wait for that.
        self.model.predict(np.zeros((1, size, size, 3), np.uint8))

    async def predict(self, uploads: Sequence[Upload]) -> list[Score | BaseException]:
        """A score or what was wrong, BadImage for an unreadable image, for each in order.

        Raises batching.Overloaded, and TimeoutError after the settings' answer_timeout_s.
        """
        self._in_use += 1
        self._idle.clear()
        try:
            return await self._predict(uploads)
        finally:
            self._in_use -= 1
            if not self._in_use:
                self._idle.set()

    async def close(self) -> None:
        """Finishes the requests that it has, then frees the threads; it must get no new ones."""
        await self._idle.wait()
        await self._decoding.close()
        await self._scoring.close()

    async def _predict(self, uploads: Sequence[Upload]) -> list[Score | BaseException]:
        deadline = asyncio.get_running_loop().time() + self._settings.answer_timeout_s
        decoded = await self._decoding.submit(uploads, deadline)
        good = [place for place, image in enumerate(decoded) if isinstance(image, np.ndarray)]
        images = [image for image in decoded if isinstance(image, np.ndarray)]
        results: list[Score | BaseException] = [
            image if isinstance(image, BaseException) else RuntimeError("not scored") for image in decoded
        ]
        for place, score in zip(good, await self._scoring.submit(images, deadline), strict=True):
            results[place] = score
        return results

    def _decode(self, uploads: Sequence[Upload]) -> list[np.ndarray | BadImage]:
        return [self._decode_one(upload) for upload in uploads]

    def _decode_one(self, upload: Upload) -> np.ndarray | BadImage:
        if isinstance(upload.data, BadImage):
            return upload.data
        try:
            image = decode(upload.data, upload.name, self._settings.max_pixels)
        except BadImage as error:
            return error
        return resize(image, self.model.card.input_size)

    def _score(self, images: Sequence[np.ndarray]) -> list[Score]:
        self._telemetry.count_batch(len(images))
        scores = self.model.predict(np.stack(images))
        return [Score(*one) for one in zip(scores.classes, scores.clusters, scores.ambiguity.tolist(), strict=True)]
