"""What a lab gains by letting all its votes train, and by pretrained features, beside one drawn vote an image.

python benchmarks/votes_used.py CIFAR10H [--images 2000] [--votes 10] [--steps 300] [--seeds 2] --work FOLDER

CIFAR10H holds images.zip and votes.csv. A lab is made of it: that many images as PNG files, with that many of the real
votes each. The presets `features` and `own` are trained, with all votes and with the paper's split and labels, and
measured on all other images, with all their real votes. Prints one line a training.
"""

import argparse
import io
import time
import zipfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from data.ingest import Dataset, ingest
from data.sources.folder import Folder
from data.votes.counts import soft_labels
from data.votes.reader import read_votes
from relabel.simulate.first_votes import draw_first_votes
from training import track
from training.config import Config, load_preset
from training.evaluate.metrics import evaluate
from training.options import SplitOptions
from training.predict_others import predict_others
from training.train import load_run, train

SHOWN = ("proposals_right", "accuracy", "macro_f1", "f1", "d_left_out", "ambiguity_auroc", "ambiguity_auroc_clear")


def main() -> None:
    """Makes the lab, trains both sides in turn, and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--votes", type=int, default=10)
    parser.add_argument("--steps", type=int, default=300, help="of the preset own")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--work", type=Path, required=True, help="folder of the lab's files")
    given = parser.parse_args()
    chosen = _make_lab(given.data, given.work, given.images, given.votes)
    source = Folder(given.data / "images.zip", given.data / "votes.csv")
    others = _leave_out(ingest(source, 32, track.store() / "data"), chosen)
    own = load_preset("own")
    own = replace(own, loop=replace(own.loop, steps=given.steps, evaluate_every=given.steps))
    for seed in range(given.seeds):
        for name, preset in (("own", own), ("features", load_preset("features"))):
            places = {"images": str(given.work / "images"), "votes": str(given.work / "votes.csv"), "size": 32}
            for what, split in (("one drawn vote", SplitOptions()), ("all votes", preset.split)):
                runtime = replace(preset.runtime, seed=seed)
                config = replace(preset, data=replace(preset.data, **places), split=split, runtime=runtime)
                print(f"{name}, {what}, {seed}:", _measure(config, others), flush=True)


def _make_lab(data: Path, work: Path, n_images: int, n_votes: int) -> set[str]:
    """Writes images and votes.csv, and returns the names of those images in the whole set."""
    generator = np.random.default_rng(0)
    real = read_votes(data / "votes.csv").rows
    chosen = generator.choice(np.sort(real["image"].unique()), n_images, replace=False)
    (work / "images").mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(data / "images.zip") as archive:
        paths = {PurePosixPath(path).name: path for path in archive.namelist()}
        for name in chosen:
            image = Image.open(io.BytesIO(archive.read(paths[name]))).convert("RGB")
            image.save(work / "images" / f"{Path(name).stem}.png")
    votes = draw_first_votes(real[real["image"].isin(chosen)], n_images, n_votes, generator)
    votes.assign(image=[f"{Path(name).stem}.png" for name in votes["image"]]).to_csv(work / "votes.csv", index=False)
    return set(chosen.tolist())


def _leave_out(everything: Dataset, chosen: set[str]) -> Dataset:
    """The images that the lab does not have, whose files it keeps under other names."""
    rows = np.flatnonzero([name not in chosen for name in everything.names])
    return everything._replace(
        images=everything.images[rows],
        names=tuple(everything.names[row] for row in rows),
        counts=everything.counts[rows],
        digests=tuple(everything.digests[row] for row in rows),
    )


def _measure(config: Config, others: Dataset) -> str:
    """Figures on the images that the lab does not have, and the cross-entropy to their real votes in nats."""
    said: list[str] = []
    start = time.process_time()
    run = load_run(train(config, show_progress=False, with_report=False, on_notice=said.append).run_id)
    seconds = time.process_time() - start
    found = predict_others(run, others)
    figures = dict(evaluate(found, run.predictor.ambiguity_aware))
    entropy = -(soft_labels(found.votes) * np.log(np.maximum(found.classes, 1e-7))).sum(1).mean()
    shown = "  ".join(f"{name} {figures[name]:.3f}" for name in SHOWN if name in figures)
    used = next((line for line in said if line.startswith("uses ")), "")
    return f"{shown}  cross_entropy {entropy:.3f}  cpu_seconds {seconds:.0f}  ({used})"


if __name__ == "__main__":
    main()
