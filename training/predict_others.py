"""What a finished run says of images that it has not seen."""

import numpy as np
import torch

from data.ingest import Dataset
from data.predictions import Predictions
from training.batches.split import Split
from training.evaluate.predict import predict
from training.learning import open_bank_of_store
from training.train import TrainedRun


def predict_others(run: TrainedRun, dataset: Dataset) -> Predictions:
    """Predicts the images of `dataset` whose names the run's record lacks, as of a test part.

    Where the run's backbone is frozen their features come from the store's bank, which runs on the same backbone share.
    """
    others = np.flatnonzero(~np.isin(dataset.names, run.data.names))
    nobody, network = np.array([], int), run.predictor.network
    features: tuple[np.ndarray, ...] = ()
    if run.config.network.freeze == "all":
        bank = open_bank_of_store(
            network, dataset, run.config.network.bank_views, set(), torch.device("cpu"), show_progress=True
        )
        features = bank.predicting
    return predict(run.predictor, dataset, Split(nobody, nobody, nobody, others), others, features=features)
