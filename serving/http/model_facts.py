"""What the service tells of its model: the answer to GET /model."""

import math
from urllib.parse import urlencode

from data.quality import describe_quality
from serving.model.card import ModelCard


def describe_model(card: ModelCard, version: str) -> dict[str, object]:
    """The card as a client reads it; a cluster's images are addresses relative to the service's root.

    An address carries the version, so that a picture may be kept for good: another model has other addresses.
    """
    query = urlencode({"version": version})
    typical = card.typical or ((),) * len(card.captions)
    clusters = [
        {
            "cluster": cluster,
            "caption": caption,
            "images": [f"model/clusters/{cluster}/{place}.jpg?{query}" for place in range(len(images))],
        }
        for cluster, (caption, images) in enumerate(zip(card.captions, typical, strict=True))
    ]
    return {
        "model_version": version,
        "run_id": card.run_id,
        "classes": card.classes,
        "clusters": clusters,
        "input_size": card.input_size,
        "reading": card.reading.to_json(),
        "prior": card.prior,
        "variant": card.variant,
        "sorting": card.sorting,
        "network": card.network,
        "weights": card.weights,
        "licence": card.licence,
        # JSON has no number for what cannot be measured, as the AUROC where no image is disputed
        "metrics": {name: value if math.isfinite(value) else None for name, value in card.metrics.items()},
        "quality": _tell_quality(card),
        "fingerprint": card.fingerprint,
        "precision": card.precision,
        "format_version": card.format_version,
    }


def _tell_quality(card: ModelCard) -> dict[str, object]:
    quality = describe_quality(card.metrics)
    return {
        "words": quality.words,
        "proposals_help": quality.proposals_help,
        "ambiguity_helps": quality.ambiguity_helps,
    }
