"""What an exported model says of itself: the metadata that the ONNX file carries from training to the service."""

import base64
import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data.images.deep import UNMEASURED, Reading, parse_reading

FORMAT_VERSION = 1
"""Grows when an older service could no longer read the file; a new field that may be missing leaves it as it is."""
OUTPUTS = ("class_probabilities", "cluster_probabilities", "ambiguity", "embedding")
"""The file's outputs: (N, k), (N, k'), (N,), (N, F) float32. Its one input is `images` (N, size, size, 3), 0 to 255."""


class BadModel(ValueError):  # noqa: N818
    """A model file that cannot be served, or a network that cannot be exported."""


@dataclass(frozen=True)
class ModelCard:
    """Facts on one model; each field is one JSON string in the file's metadata."""

    classes: tuple[str, ...]
    """k names, in the order of the class probabilities."""
    captions: tuple[str, ...]
    """k' texts, one a cluster."""
    input_size: int
    """Side of the square input in pixels."""
    run_id: str
    prior: float
    """p_A, the share of images that training takes as ambiguous."""
    variant: str
    metrics: Mapping[str, float]
    fingerprint: str
    """Of the data that the model was trained on."""
    precision: str = "float32"
    """float32, float16 or int8."""
    typical: tuple[tuple[bytes, ...], ...] = ()
    """JPEG files of each cluster's typical images, most typical first; no entry at all where none travel along."""
    reading: Reading = UNMEASURED
    """How files become pictures, as in training."""
    network: str = ""
    """Name of the backbone."""
    weights: str = ""
    """Where those came from with which the backbone's training began, in words; empty where it began at random."""
    licence: str = ""
    """Of these, as their publisher states it; `unknown` where they came from a file."""
    sorting: Mapping[str, str | float] = dataclasses.field(default_factory=lambda: {"by": "network"})
    """`by`, the sorting that decides what is certain and which cluster; and what it says of itself, as its border."""
    registered: str = ""
    """Where the file came out of a model registry: models:/NAME/VERSION."""
    format_version: int = FORMAT_VERSION

    def to_metadata(self) -> dict[str, str]:
        """The fields as ONNX metadata, images in base64."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        values["typical"] = [[base64.b64encode(image).decode() for image in images] for images in self.typical]
        values["reading"] = self.reading.to_json()
        return {name: json.dumps(value) for name, value in values.items()}


def read_card(metadata: Mapping[str, str], source: str) -> ModelCard:
    """The card out of a file's metadata.

    Raises BadModel, naming `source` and every field that is missing or of the wrong kind.
    """
    values: dict[str, object] = {}
    faults = []
    for field, kind in _KINDS.items():
        try:
            value = json.loads(metadata[field])
        except KeyError:
            if field not in _MAY_BE_MISSING:
                faults.append(f"{field} is missing")
            continue
        except (ValueError, RecursionError):  # the latter from lists in lists without end
            value = None
        if isinstance(value, bool) or not isinstance(value, kind):
            faults.append(f"{field} is {metadata[field]!r:.80}")
        elif field == "typical":
            values[field] = _decode_typical(value)
            if values[field] is None:
                faults.append(f"typical is no list of lists of base64: {metadata[field]!r:.80}")
        elif field == "reading":
            try:
                values[field] = parse_reading(value)
            except ValueError as error:
                faults.append(f"reading is {metadata[field]!r:.80} ({error})")
        elif isinstance(value, list):
            values[field] = tuple(str(item) for item in value)
        else:
            values[field] = value
    if faults:
        raise BadModel(f"{source} is no model of `dc3 export`: in its metadata {'; '.join(faults)}. Export it anew.")
    card = ModelCard(**values)  # type: ignore[arg-type]  # each was checked against its kind above
    if card.format_version != FORMAT_VERSION:
        raise BadModel(
            f"{source} has format version {card.format_version}, this program reads {FORMAT_VERSION}; export it anew."
        )
    if len(card.typical) not in (0, len(card.captions)):
        raise BadModel(f"{source} has typical images of {len(card.typical)} of its {len(card.captions)} clusters.")
    return card


def _decode_typical(value: Any) -> tuple[tuple[bytes, ...], ...] | None:
    try:
        return tuple(tuple(base64.b64decode(image, validate=True) for image in images) for images in value)
    except (TypeError, ValueError):
        return None


_KINDS: dict[str, type | tuple[type, ...]] = {
    "classes": list,
    "captions": list,
    "input_size": int,
    "run_id": str,
    "prior": (int, float),
    "variant": str,
    "metrics": dict,
    "fingerprint": str,
    "precision": str,
    "typical": list,
    "reading": dict,
    "network": str,
    "weights": str,
    "licence": str,
    "sorting": dict,
    "registered": str,
    "format_version": int,
}
_MAY_BE_MISSING = ("typical", "reading", "network", "weights", "licence", "sorting", "registered")
"""Files of older exports lack them."""
