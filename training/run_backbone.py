"""The frozen backbone of a run: named in its record, its weights kept once for all runs and found by their digest."""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from data.errors import InputError
from training import track
from training.config import Config
from training.networks import build_backbone, build_head
from training.networks.backbone import Backbone
from training.networks.heads import Network
from training.networks.origin import find_origin
from training.networks.weights import digest_weights
from training.options import NetworkOptions

FILE = "backbone.json"
"""Of the run's record."""
FOLDER = "backbones"
"""Of the store, with one file of weights a digest."""
SHOWN = 12
"""Characters of a digest in messages."""


@dataclass(frozen=True)
class BackboneRecord:
    """What a run says of the backbone whose features it learned on: its checkpoint holds the head alone."""

    network: str
    pretrained: str
    """As the option was given."""
    source: str
    """Where the weights came from, in words; empty where they were drawn at random."""
    licence: str
    digest: str
    """Of all weights of the backbone."""


def describe_backbone(network: Network, options: NetworkOptions) -> BackboneRecord:
    """What to record of a frozen backbone."""
    source, licence = find_origin(options.network, options.pretrained)
    return BackboneRecord(options.network, options.pretrained, source, licence, digest_weights(network.backbone))


def record_backbone(record: BackboneRecord, backbone: Backbone) -> None:
    """Names the backbone in the open run, and keeps a copy of its weights in the store, one for all runs."""
    with track.scratch() as folder:
        path = folder / FILE
        path.write_text(json.dumps(asdict(record), indent=2))
        track.log_file(path)
    place = _place(record.digest)
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = place.with_name(f"{place.name}.{os.getpid()}")
        torch.save(backbone.state_dict(), beside)
        beside.replace(place)


def check_backbone(run_id: str, record: BackboneRecord) -> None:
    """Raises InputError where the backbone is not the one that an earlier run learned on."""
    former = _recall(run_id)
    if former.digest != record.digest:
        raise InputError(
            f"Run {run_id} learned on features of {_name(former)}, digest {former.digest[:SHOWN]}; the weights are now"
            f" others, digest {record.digest[:SHOWN]}: a head fits the features that it has learned on alone. Bring the"
            " former weights back, or train anew without --resume and --repeat."
        )


def rebuild_network(run_id: str, config: Config, n_classes: int) -> Network:
    """The run's backbone as it was, with a fresh head.

    Its weights are the store's copy, or else what the run's options give today; raises InputError where neither has the
    digest of the record.
    """
    record = _recall(run_id)
    backbone, fault = _load_copy(record, config), "there is none"
    if backbone is None:
        try:
            with torch.random.fork_rng():
                torch.manual_seed(config.runtime.seed)
                backbone = build_backbone(config.network, config.data.size)
        except InputError as error:
            raise _lacking(run_id, record, str(error)) from error
        fault = f"what --pretrained {config.network.pretrained or '(none)'} gives today has another digest"
    if digest_weights(backbone) != record.digest:
        raise _lacking(run_id, record, fault)
    return Network(backbone, build_head(config.network, backbone.width, n_classes), config.network.mirror)


def _load_copy(record: BackboneRecord, config: Config) -> Backbone | None:
    """From the store's copy; None where there is none, or a damaged one, which is as good."""
    place = _place(record.digest)
    if not place.exists():
        return None
    backbone = build_backbone(replace(config.network, pretrained=""), config.data.size)
    try:
        backbone.load_state_dict(torch.load(place, map_location="cpu", weights_only=True))
    except (RuntimeError, EOFError, ValueError, OSError):
        return None
    return backbone if digest_weights(backbone) == record.digest else None


def _recall(run_id: str) -> BackboneRecord:
    return BackboneRecord(**json.loads(track.fetch_file(run_id, FILE).read_text()))


def _place(digest: str) -> Path:
    return track.store() / FOLDER / f"{digest}.pt"


def _name(record: BackboneRecord) -> str:
    return f"{record.network} ({record.source or 'weights drawn at random'})"


def _lacking(run_id: str, record: BackboneRecord, fault: str) -> InputError:
    return InputError(
        f"Run {run_id} is a head on features of {_name(record)}, digest {record.digest[:SHOWN]}, and these weights are"
        f" not here ({fault}). Copy {FOLDER}/{record.digest}.pt from the store of the machine that trained it to"
        f" {_place(record.digest)}, or bring the file back that --pretrained named."
    )
