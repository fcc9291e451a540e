"""What a configuration trains: a whole network on images, or a head on the bank of features of a frozen backbone."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch

from data.ingest import Dataset
from data.predictions import Predictions
from training import track
from training.batches.feed import TrainingArrays
from training.batches.loader import place_views, prepare
from training.batches.split import Split
from training.config import Config
from training.evaluate.predict import Predictor, predict
from training.features.bank import Bank, open_bank
from training.features.progress import StderrProgress
from training.features.views import MIRRORED, WEAK
from training.loop.fit import fit
from training.loop.runtime import choose_device, one_thread
from training.losses.dc3 import VARIANTS, weigh
from training.methods import build_method
from training.networks import build_network
from training.networks.heads import Head, Network
from training.run_backbone import check_backbone, describe_backbone, record_backbone

FEATURES = "features"
"""Folder of the store with the banks of features."""


class Learning(NamedTuple):
    """A training as configured; where to keep and report it is left to the caller."""

    fit: Callable[..., torch.nn.Module]
    """`fit` with all that the configuration decides; wants checkpoint, on_losses, on_eval and show_progress."""
    predict: Callable[..., Predictions]
    """Of what was trained, and rows or none for all."""
    record: Callable[[], None]
    """Adds to the open run what its configuration does not say."""


def prepare_learning(
    config: Config, dataset: Dataset, split: Split, *, earlier: str | None = None, show_progress: bool
) -> Learning:
    """Builds the network and, where its backbone is frozen, opens the bank of its features, which may take minutes.

    `earlier` is the run that is gone on with, or repeated; raises InputError where it learned on another backbone.
    """
    device, seed = choose_device(config.runtime.device), config.runtime.seed
    aware = VARIANTS[config.variant].ambiguity_aware
    torch.manual_seed(seed)
    network = build_network(config.network, config.data.size, len(dataset.classes), config.dc3.prior)
    if config.network.freeze != "all":
        start_fit = _configure_fit(config, network, prepare(dataset, split, config.split, seed, device))

        def predict_images(averaged: Network, rows: np.ndarray | None = None) -> Predictions:
            return predict(Predictor(averaged, aware), dataset, split, rows, seed=seed)

        return Learning(start_fit, predict_images, lambda: None)
    backbone = describe_backbone(network, config.network)
    if earlier:
        check_backbone(earlier, backbone)
    views = {WEAK, *build_method(config.method, config.ssl).views}
    bank = open_bank_of_store(network, dataset, config.network.bank_views, views, device, show_progress=show_progress)
    assert bank.weak is not None, "labelled images are shown in weak views"
    arrays = prepare(dataset, split, config.split, seed, device, place_views(bank.weak, bank.strong, device))
    start_fit = _configure_fit(config, network.head, arrays)

    def fit_head(**given: Any) -> torch.nn.Module:
        with one_thread():
            return start_fit(**given)

    def predict_features(averaged: Head, rows: np.ndarray | None = None) -> Predictions:
        predictor = Predictor(Network(network.backbone, averaged, network.mirrors), aware, rounds_features=True)
        return predict(predictor, dataset, split, rows, seed=seed, features=bank.predicting)

    return Learning(fit_head, predict_features, lambda: record_backbone(backbone, network.backbone))


def open_bank_of_store(
    network: Network, dataset: Dataset, n_views: int, views: set[str], device: torch.device, *, show_progress: bool
) -> Bank:
    """The features of `n_views` random views of each kind in `views`, and of what the network predicts by.

    They lie in the store, for all runs on these images and this backbone.
    """
    return open_bank(
        network,
        dataset,
        track.store() / FEATURES,
        n_views=n_views,
        views=frozenset(views | {MIRRORED} if network.mirrors else views),
        device=device,
        on_progress=StderrProgress(show_progress),
    )


def _configure_fit(config: Config, network: torch.nn.Module, arrays: TrainingArrays) -> Callable[..., torch.nn.Module]:
    return partial(
        fit,
        network,
        build_method(config.method, config.ssl),
        weigh(config.dc3, VARIANTS[config.variant]),
        arrays,
        config.loop,
        config.batches,
        config.optimiser,
        seed=config.runtime.seed,
        device=choose_device(config.runtime.device),
        precision=config.runtime.precision,
        execution=config.runtime.execution,
    )
