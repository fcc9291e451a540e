"""Estimates beside the raw votes: computed by name, written as one Parquet file."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import InputError, name_some
from data.predictions import Predictions
from data.votes.counts import is_voted, soft_labels
from data.votes.reader import count_votes
from relabel.options import EstimateOptions
from relabel.soft_labels import ESTIMATORS
from relabel.soft_labels.ballots import Ballots
from relabel.soft_labels.class_blending import mean_soft_labels


def estimate(names: Sequence[str], ballots: Ballots, options: EstimateOptions) -> dict[str, np.ndarray]:
    """(N, k) soft labels of each estimator named; raises InputError with the faults of all that cannot run."""
    estimates, faults = {}, []
    for name in names:
        try:
            estimates[name] = ESTIMATORS[name](ballots, options)
        except InputError as error:
            faults.append(f"{name}: {error}")
    if faults:
        raise InputError("Not every estimate can be made, so none was:\n- " + "\n- ".join(faults))
    return estimates


def write_estimates(path: Path, ballots: Ballots, estimates: dict[str, np.ndarray], options: EstimateOptions) -> None:
    """Writes image, the raw votes (`votes`, a list over the classes) and one list a row for each estimate.

    Class names and settings stand in the metadata `dc3`. `path` holds the whole table or what it held before.
    """
    columns: dict[str, pa.Array] = {"image": pa.array(ballots.images), "votes": _lists(ballots.counts, pa.int64())}
    columns |= {name: _lists(soft, pa.float64()) for name, soft in estimates.items()}
    about = {"classes": ballots.classes, "options": asdict(options)}
    table = pa.table(columns).replace_schema_metadata({"dc3": json.dumps(about)})
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    pq.write_table(table, part)
    part.replace(path)


def with_predictions(ballots: Ballots, predictions: Predictions) -> Ballots:
    """Adds p_n of each image; raises InputError when the classes differ or an image was not predicted."""
    if predictions.class_names != ballots.classes:
        raise InputError(
            f"Votes and predictions must have the same classes: votes {name_some(ballots.classes)}; predictions "
            f"{name_some(predictions.class_names)}."
        )
    rows = pd.Index(predictions.images).get_indexer(list(ballots.images))
    missing = [image for image, row in zip(ballots.images, rows, strict=True) if row < 0]
    if missing:
        raise InputError(f"{len(missing)} image(s) with votes have no prediction: {name_some(missing)}.")
    # float32 rows sum to 1 only to 1e-7
    probabilities = predictions.classes[rows].astype(float)
    return ballots._replace(probabilities=probabilities / probabilities.sum(1, keepdims=True))


def with_calibration(ballots: Ballots, table: pd.DataFrame) -> Ballots:
    """Adds the classes' mean soft labels for blending, from a vote table of a few images with many votes each."""
    votes = count_votes(table, sorted(table["image"].unique()), ballots.classes)
    return ballots._replace(blend_with=mean_soft_labels(soft_labels(votes.counts[is_voted(votes.counts)])))


def _lists(matrix: np.ndarray, kind: pa.DataType) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel(), kind), matrix.shape[1])
