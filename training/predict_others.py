"""What a finished run says of images that it has not seen."""

import numpy as np
import torch

from data.ingest import Dataset
from data.predictions import Predictions
from training import track
from training.batches.split import Split
from training.evaluate.predict import predict
from training.features.bank import open_bank
from training.features.progress import StderrProgress
from training.features.views import MIRRORED
from training.train import FEATURES, TrainedRun


def predict_others(run: TrainedRun, dataset: Dataset) -> Predictions:
    """Predicts the images of `dataset` whose names the run's record lacks, as of a test part.

    Where the run's backbone is frozen their features come from the store's bank, which runs on the same backbone share.
    """
    others = np.flatnonzero(~np.isin(dataset.names, run.data.names))
    nobody, network = np.array([], int), run.predictor.network
    features: tuple[np.ndarray, ...] = ()
    if run.config.network.freeze == "all":
        features = open_bank(
            network,
            dataset,
            track.store() / FEATURES,
            n_views=run.config.network.bank_views,
            views=frozenset({MIRRORED} if network.mirrors else ()),
            device=torch.device("cpu"),
            on_progress=StderrProgress(),
        ).predicting
    return predict(run.predictor, dataset, Split(nobody, nobody, nobody, others), others, features=features)
