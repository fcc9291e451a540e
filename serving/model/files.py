"""Files through a model, a few at a time: as the service answers them, whoever asks."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

import numpy as np

from data.cores import usable_cores
from data.images.decoding import MAX_PIXELS, BadImage, decode, resize
from serving.model.card import ModelCard
from serving.model.scores import Score, to_scores
from serving.model.session import Model

BATCH = 32
"""Images in memory at a time."""


class File(NamedTuple):
    """An image that is read when its turn has come."""

    name: str
    read: Callable[[], bytes]
    """Its bytes; raises BadImage or OSError."""


class Predicted(NamedTuple):
    """What the model says of a file, or why it says nothing."""

    name: str
    score: Score | None
    error: str
    """Empty where there is a score."""


def to_input(data: bytes, name: str, card: ModelCard, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """(size, size, 3) uint8 of an image file, as in training; raises BadImage."""
    return resize(decode(data, name, max_pixels, card.reading), card.input_size)


def predict_files(model: Model, files: Iterable[File]) -> Iterator[Predicted]:
    """Predicts any number of files in order; one that cannot be read gets its error and stops nobody."""
    waiting = iter(files)
    with ThreadPoolExecutor(usable_cores()) as threads:
        while batch := list(islice(waiting, BATCH)):
            images = list(threads.map(lambda file: _read(file, model.card), batch))
            scores = iter(_score(model, [image for image in images if isinstance(image, np.ndarray)]))
            for file, image in zip(batch, images, strict=True):
                found = next(scores) if isinstance(image, np.ndarray) else image
                if isinstance(found, Score):
                    yield Predicted(file.name, found, "")
                else:
                    yield Predicted(file.name, None, found)


def _score(model: Model, images: list[np.ndarray]) -> list[Score | str]:
    """Score or error of each; images that the model fails on are tried alone, so that they take no others along."""
    if not images:
        return []
    try:
        return [*to_scores(model.predict(np.stack(images)))]
    except FloatingPointError as error:
        if len(images) == 1:
            return [f"model_failed: {error}"]
        return [found for image in images for found in _score(model, [image])]


def _read(file: File, card: ModelCard) -> np.ndarray | str:
    """The image, or why there is none."""
    try:
        return to_input(file.read(), file.name, card)
    except BadImage as error:
        return f"{error.reason}: {error.message}"
    except OSError as error:
        return f"unreadable: the file cannot be read ({error.strerror or error})"
