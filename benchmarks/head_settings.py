"""What learning rate, weight decay, dropout, hidden layer, average and steps do to a head on the bank of features.

python -m benchmarks.head_settings IMAGES.zip VOTES.csv [--seeds 2] [--only WORD]
python -m benchmarks.head_settings --digits [--seeds 2] [--only WORD]

Table 1's split and labels, features and views as in the preset `cifar10h_features`; all is measured on validation. One
Markdown line a setting, means over the seeds; the tables that were made stand in head_settings.md. The bank, in
DC3_STORE, is computed where it is not there; then heads alone are trained, about ten seconds of a core each.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import torch

from data.predictions import Predictions
from data.votes.counts import soft_labels
from training.config import Config, load_preset
from training.evaluate.metrics import evaluate
from training.learning import prepare_learning
from training.losses.dc3 import VARIANTS
from training.options import SortingOptions
from training.run_data import read_data
from training.sorting.apply import fit_sorting, sort_predictions
from training.train import resolve

SETTINGS: tuple[dict[str, object], ...] = (
    {},
    {"lr": 0.001},
    {"lr": 0.01},
    {"lr": 0.03},
    {"lr": 0.1},
    {"weight_decay": 5e-4},
    {"weight_decay": 0.1},
    {"dropout": 0.0},
    {"dropout": 0.8},
    {"hidden": 256},
    {"hidden": 256, "lr": 0.03},
    {"hidden": 256, "variant": "dc3_guided"},
    {"hidden": 256, "variant": "vanilla"},
    {"ema_decay": 0.999},
    {"steps": 300},
    {"steps": 3000},
    {"mirror": False},
    {"ssl_weight": 10.0},
    {"variant": "vanilla"},
    {"variant": "dc3_guided"},
    {"method": "supervised", "variant": "vanilla"},
)
"""Changes to the preset's Mean Teacher with dc3, one line each."""
SHOWN = ("accuracy", "macro_f1", "nll", "confidence")
BOTH = ("f1", "d", "d_weighted", "purity_left_out", "proposals_right", "ambiguity_auroc_clear", "degenerate")


def main() -> None:
    """Trains and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, nargs="?")
    parser.add_argument("votes", type=Path, nargs="?")
    parser.add_argument("--digits", action="store_true")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", default="", help="settings whose words contain this")
    given = parser.parse_args()
    config = load_preset("cifar10h_features")
    source = "digits" if given.digits else "folder"
    places = {} if given.digits else {"images": str(given.images), "votes": str(given.votes)}
    config = resolve(replace(config, data=replace(config.data, source=source, **places)))
    names = (
        "setting",
        "used",
        *SHOWN,
        *(f"{name}, {by}" for by in ("network", "confidence") for name in BOTH),
        "cpu s",
    )
    print(f"| {' | '.join(names)} |\n|{'---|' * len(names)}", flush=True)
    for setting in SETTINGS:
        words = ", ".join(f"{name} {value}" for name, value in setting.items()) or "as it is"
        if given.only in words:
            rows = [dict(_measure(_change(config, setting, seed))) for seed in range(given.seeds)]
            means = [np.mean([row[name] for row in rows if name in row] or [np.nan]) for name in names[1:]]
            print(f"| {words} | {' | '.join(f'{mean:.3f}' for mean in means)} |", flush=True)


def _change(config: Config, setting: dict[str, object], seed: int) -> Config:
    """Sets options by name, in whichever section they are."""
    for name, value in {**setting, "seed": seed}.items():
        sections = (field.name for field in fields(config) if hasattr(getattr(config, field.name), name))
        if hasattr(config, name):
            config = replace(config, **{name: value})
        else:
            section = next(sections)
            config = replace(config, **{section: replace(getattr(config, section), **{name: value})})
    return config


def _measure(config: Config) -> Iterator[tuple[str, float]]:
    dataset, split = read_data(config)
    seed, aware = config.runtime.seed, VARIANTS[config.variant].ambiguity_aware
    learning = prepare_learning(config, dataset, split, show_progress=True)
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        head = learning.fit(
            checkpoint=Path(folder) / "checkpoint.pt",
            on_losses=lambda losses: None,
            on_eval=lambda step, averaged: None,
            show_progress=False,
        )
    yield "cpu s", time.process_time() - start
    found = learning.predict(head)
    yield from _describe(found.part("validation"))
    if aware:
        validation = found.part("validation")
        yield "used", float(len(np.unique(validation.clusters[~validation.certain].argmax(1))))
        yield from ((f"{name}, network", value) for name, value in evaluate(validation, True) if name in BOTH)
    by_confidence = sort_predictions(found, fit_sorting(found, SortingOptions("confidence"), config.dc3.prior, seed))
    for name, value in evaluate(by_confidence.part("validation"), True):
        if name in BOTH:
            yield f"{name}, confidence", value


def _describe(validation: Predictions) -> Iterator[tuple[str, float]]:
    yield from ((name, value) for name, value in evaluate(validation, False) if name in SHOWN)
    yield "confidence", float(validation.classes.max(1).mean())
    yield "nll", float(-(soft_labels(validation.votes) * np.log(np.maximum(validation.classes, 1e-7))).sum(1).mean())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
