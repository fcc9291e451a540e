"""The model that answers now: decoding, batching and scoring of images."""

import asyncio
from collections.abc import Sequence

import numpy as np

from data.images.decoding import BadImage
from serving.live.batching import Batcher
from serving.live.uploaded import Upload
from serving.model.card import BadModel
from serving.model.files import to_input
from serving.model.scores import Score, to_scores
from serving.model.session import Model
from serving.model.typical_files import name_typical
from serving.settings import Settings
from serving.telemetry import Telemetry

# A file up to this size is decoded by the thread that runs its batch: 0.1 ms at 32 px, less than a hand-over to another
# thread. A larger one is decoded before it joins a batch, so that it holds up no one else's.
_SMALL_BYTES = 32_768


class LiveModel:
    """A loaded model with its queues."""

    def __init__(self, settings: Settings, telemetry: Telemetry) -> None:
        """Loads the model and runs it once; raises card.BadModel."""
        threads = settings.n_threads
        self.model = Model(settings.model, threads)
        # An image alone gets all threads. Many are answered sooner by as many runs at a time, of one thread each, which
        # never wait for each other: 5 % more with 32 clients on two cores (WRN-28-2 at 32 px), where an image alone
        # takes 1.6 times as long on one thread. A GPU runs one batch after the other by itself.
        n_runs = 1 if self.model.on_gpu else threads
        self._shared = Model(settings.model, 1) if n_runs > 1 else self.model
        if self._shared.version != self.model.version:
            raise BadModel(f"{settings.model} was replaced while it was loaded: {self._shared.version} is there now.")
        for model in (self.model, self._shared):
            model.warm_up()
        # The registry's number where it has one, for that is what its owner knows the model by.
        self.version = self.model.card.registered or self.model.version
        self.typical = name_typical(self.model.card)
        self._settings = settings
        self._telemetry = telemetry
        self._decoding = Batcher(self._decode, 1, settings.max_queue, threads)
        self._scoring = Batcher(self._score, settings.max_batch, settings.max_queue, n_runs)
        self._in_use = 0
        self._idle = asyncio.Event()
        self._idle.set()

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
        images: list[Upload | np.ndarray | BaseException] = list(uploads)
        large = [
            place for place, (_, data) in enumerate(uploads) if isinstance(data, bytes) and len(data) > _SMALL_BYTES
        ]
        if large:
            decoded = await self._decoding.submit([uploads[place] for place in large], deadline)
            for place, image in zip(large, decoded, strict=True):
                images[place] = image
        return await self._scoring.submit(images, deadline)

    def _decode(self, uploads: Sequence[Upload], alone: bool) -> list[np.ndarray | Exception]:
        return [self._decode_one(upload) for upload in uploads]

    def _decode_one(self, upload: Upload) -> np.ndarray | Exception:
        if isinstance(upload.data, BadImage):
            return upload.data
        try:
            return to_input(upload.data, upload.name, self.model.card, self._settings.max_pixels)
        except BadImage as error:
            return error

    def _score(self, items: Sequence[Upload | np.ndarray | BaseException], alone: bool) -> list[Score | BaseException]:
        """Decodes what is not decoded yet and runs the good ones through the model; a bad one stays what it is."""
        images = [self._decode_one(item) if isinstance(item, Upload) else item for item in items]
        good = [image for image in images if isinstance(image, np.ndarray)]
        if not good:
            return [image for image in images if isinstance(image, BaseException)]
        self._telemetry.count_batch(len(good))
        model = self.model if alone else self._shared
        scores = iter(to_scores(model.predict(np.stack(good))))
        return [image if isinstance(image, BaseException) else next(scores) for image in images]
