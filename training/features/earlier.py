"""An earlier bank that shares images with a new one: after 100 images were added, only theirs are computed."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training.features.blocks import Blocks
from training.features.key import IMAGES, digest_images, name_key

INDEX, DIGESTS = "index.json", "images.txt"


class Earlier(NamedTuple):
    """Rows that need not be computed anew."""

    table: Blocks | None
    places: dict[str, int]
    """Row by digest of the image; only rows that were found whole."""

    def take(self, digests: Sequence[str]) -> np.ndarray:
        """(len(digests), ...) rows of images that are in `places`."""
        assert self.table is not None
        return self.table.read([self.places[digest] for digest in digests])


NOTHING = Earlier(None, {})


def find_earlier(
    cache: Path, description: dict[str, object], digests: Sequence[str], file: str, shape: tuple[int, ...]
) -> Earlier:
    """The bank beside this one that has most of its images and differs in nothing else; NOTHING where none has any."""
    own, wanted = name_key(description), set(digests)
    best, most = None, 0
    for folder in sorted(path for path in cache.iterdir() if path.name != own and (path / file).exists()):
        theirs = _read_digests(folder, description)
        shared = len(wanted.intersection(theirs))
        if shared > most:
            best, most = (folder, theirs), shared
    if best is None:
        return NOTHING
    folder, theirs = best
    table = Blocks(folder / file, (len(theirs), *shape[1:]))
    rows = (row for block in table.check().whole for row in table.rows(block))
    return Earlier(table, {theirs[row]: row for row in rows if theirs[row] in wanted})


def _read_digests(folder: Path, description: dict[str, object]) -> tuple[str, ...]:
    """Images of a bank that differs from the described one in nothing else; none of another or of a damaged one."""
    try:
        found: dict[str, Any] = json.loads((folder / INDEX).read_text())
        digests = tuple((folder / DIGESTS).read_text().splitlines())
    except (OSError, ValueError):
        return ()
    # the name of the folder is made of the index, and the index of the digests: what was changed fits no more
    is_whole = name_key(found) == folder.name and digest_images(digests) == found.get(IMAGES)
    return digests if is_whole and found | {IMAGES: ""} == description | {IMAGES: ""} else ()
