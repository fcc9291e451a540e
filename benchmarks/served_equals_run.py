"""Sends the original files of a run's validation images to a running service and compares with the run's predictions.

python benchmarks/served_equals_run.py RUN --images IMAGES.zip --address http://127.0.0.1:3000
"""

import argparse
import sys
import zipfile
from pathlib import Path

import httpx
import numpy as np

from data.predictions import read_predictions
from training import track
from training.train import PREDICTIONS

REQUEST = 50
"""Images in one request."""


def main() -> int:
    """Prints how many answers differ and by how much; exit status 1 when a decision, class or cluster does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--address", default="http://127.0.0.1:3000")
    arguments = parser.parse_args()
    predictions = read_predictions(track.fetch_file(arguments.run, PREDICTIONS)).part("validation")
    answers = _ask(predictions.images.tolist(), arguments.images, arguments.address)
    decisions = np.where(predictions.certain, "class", "cluster")
    names = np.array(predictions.class_names)[predictions.classes.argmax(1)]
    clusters = predictions.clusters.argmax(1)
    wrong = sum(
        (answer["decision"], answer["class"], answer["cluster"]) != (decision, name, cluster)
        for answer, decision, name, cluster in zip(answers, decisions, names, clusters, strict=True)
    )
    ambiguity = np.abs(np.array([answer["ambiguity"] for answer in answers]) - predictions.ambiguity).max()
    probabilities = np.array([list(answer["class_probabilities"].values()) for answer in answers])
    print(f"{len(answers)} images, {wrong} with another decision, class or cluster")
    classes = np.abs(probabilities - predictions.classes).max()
    print(f"largest difference: ambiguity {ambiguity:.2e}, class probability {classes:.2e}")
    return int(wrong > 0)


def _ask(names: list[str], images: Path, address: str) -> list[dict]:
    answers: list[dict] = []
    with zipfile.ZipFile(images) as archive, httpx.Client(timeout=60) as client:
        for first in range(0, len(names), REQUEST):
            files = [("images", (name, archive.read(name))) for name in names[first : first + REQUEST]]
            reply = client.post(f"{address}/predict", files=files)
            reply.raise_for_status()
            answers += reply.json()["answers"]
    return answers


if __name__ == "__main__":
    sys.exit(main())
