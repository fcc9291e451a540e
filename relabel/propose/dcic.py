"""The proposals as a dataset file of the DCIC benchmark (NeurIPS 2022, github.com/Emprime/dcic), for its tools to read.

Its loader wants: name, v_fold 1 to 5, classes, budget, weighted_budget, images with different file names, each with
path, split, soft_gt (one number a class), gt (index of its largest) and gt_verbose (that class), and info.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.proposals import IMAGES, Proposal

FILE = "dcic.json"
SPLITS = {"labelled": "train", "unlabelled": "unlabeled", "validation": "val", "test": "test", "waiting": "unlabeled"}
FOLD = 1
"""Of DCIC's five; our split is not one of them."""


def to_dcic(
    name: str, classes: Sequence[str], proposals: Sequence[Proposal], share: np.ndarray, votes: np.ndarray
) -> dict[str, object]:
    """The dataset as JSON values; paths are relative to the folder that the proposal folder `name` lies in.

    Args:
        share: (N, k) soft labels: network and annotators together.
        votes: (N, k) votes given; the budget is their number for each image that is no test image.
    """
    counted = np.array([proposal.part != "test" for proposal in proposals])
    budget = float(votes[counted].sum() / max(int(counted.sum()), 1))
    images = []
    for proposal, soft in zip(proposals, share, strict=True):
        number = int(soft.argmax())
        images.append(
            {
                "path": f"{name}/{IMAGES}/{proposal.file}",
                "split": SPLITS[proposal.part],
                "gt_verbose": classes[number],
                "gt": number,
                "soft_gt": soft.tolist(),
                "info": {
                    "original_split": SPLITS[proposal.part],
                    "decision": proposal.decision,
                    "cluster": proposal.cluster,
                    "ambiguity": proposal.ambiguity,
                },
            }
        )
    return {
        "name": name,
        "v_fold": FOLD,
        "classes": list(classes),
        "budget": budget,
        "weighted_budget": budget,
        "images": images,
    }


def write_dcic(values: dict[str, object], folder: Path) -> None:
    """Writes the dataset file into the proposal folder."""
    (folder / FILE).write_text(json.dumps(values) + "\n")
