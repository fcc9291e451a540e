"""What a second training gained over a first one, on images that neither saw."""

from collections.abc import Iterator

from data.predictions import Predictions
from training.evaluate.metrics import evaluate


def model_gain(
    before: Predictions, after: Predictions, ambiguity_aware: bool = True
) -> Iterator[tuple[str, float, float]]:
    """(name, before, after) of two runs' metrics on the same images, which neither run nor annotators saw.

    Their votes are the real ones.
    """
    first, second = dict(evaluate(before, ambiguity_aware)), dict(evaluate(after, ambiguity_aware))
    for name, value in first.items():
        # what is counted is the same for both; what one run leaves undefined has no gain
        if name in second and not name.endswith("_images"):
            yield f"{name}, {len(before.images):,} images never seen", value, second[name]
