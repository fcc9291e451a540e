"""How the files of a run became pictures, out of its record."""

import json

from serving.deep import UNMEASURED, Reading, parse_reading
from training.track.recording import READING_TAG
from training.track.runs import find_run


def reading_of(run_id: str) -> Reading:
    """The reading that a run recorded; that of old, without measured ranges, where it recorded none."""
    recorded = find_run(run_id).data.tags.get(READING_TAG)
    return parse_reading(json.loads(recorded)) if recorded else UNMEASURED
