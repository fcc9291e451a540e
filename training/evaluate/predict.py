"""A trained network as images in, probabilities out: the module that predicts, and that is exported."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from data.ingest import Dataset
from data.predictions import Predictions
from training.batches.augment import to_unit_range
from training.batches.split import Split
from training.networks.heads import Network
from training.sorting.network import NetworkSorting
from training.sorting.sorting import Sorting


class Predictor(nn.Module):
    """Network with the range of its pixels before it, and softmax, sigmoid and the run's sorting behind it."""

    def __init__(
        self,
        network: Network,
        ambiguity_aware: bool,
        rounds_features: bool = False,
        sorting: Sorting | None = None,
    ) -> None:
        """`ambiguity_aware` is the network's variant; without a sorting its own answers stay as they are.

        `rounds_features`: for a head that has learned on a bank, whose features are rounded to float16.
        """
        super().__init__()
        self.network = network
        self.learnt_ambiguity = ambiguity_aware
        self.rounds_features = rounds_features
        self.sorting = sorting or NetworkSorting()

    @property
    def ambiguity_aware(self) -> bool:
        """Whether it tells ambiguous from certain at all."""
        return self.learnt_ambiguity or self.sorting.gives_ambiguity

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Predicts a batch.

        Args:
            images: (N, H, W, 3), values 0 to 255, of any number type.

        Returns:
            class probabilities (N, k), cluster probabilities (N, k'), ambiguity (N,), embedding (N, F).
        """
        pixels = to_unit_range(images)
        if self.network.mirrors:
            pixels = torch.cat([pixels, pixels.flip(3)])
        features = self.network.features(pixels).float()
        # not the embedding: where a last bit of the backbone differs, as it does from one library to the next, rounding
        # makes a jump of it, which hardly moves the sums of the head
        rounded = features.half().float() if self.rounds_features else features
        return *self.judge(self._average(rounded)), self._average(features)

    def _average(self, features: Tensor) -> Tensor:
        """(N, F): where the network mirrors, of (2 N, F), images first, the mean of each image's two."""
        return features.view(2, -1, features.shape[1]).mean(0) if self.network.mirrors else features

    def judge(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Class probabilities (N, k), cluster probabilities (N, k') and ambiguity (N,) of features (N, F).

        The ambiguity is zero where neither the variant trains it nor the sorting gives it.
        """
        outputs = self.network.outputs(features)
        ambiguity = outputs.ambiguity.sigmoid()
        if not self.learnt_ambiguity:
            ambiguity = ambiguity * 0.0
        classes = outputs.classes.softmax(1)
        return classes, *self.sorting(classes, outputs.clusters.softmax(1), ambiguity, features)


@torch.inference_mode()
def predict(
    predictor: Predictor,
    dataset: Dataset,
    split: Split,
    rows: np.ndarray | None = None,
    *,
    seed: int = 0,
    batch_size: int = 256,
    features: Sequence[np.ndarray] = (),
) -> Predictions:
    """Predicts the images of `rows` (all by default) in float32, without augmentation; `seed` is the split's.

    `features`, each (N, F) of all images of the data set, spare the way through the backbone where they are known:
    those of the images, and of the mirror images where the network mirrors.
    """
    predictor.eval()
    device = predictor.network.head.weight.device
    rows = np.arange(len(dataset.names)) if rows is None else rows
    results = []
    for first in range(0, len(rows), batch_size):
        taken = rows[first : first + batch_size]
        if not features:
            outputs = predictor(torch.from_numpy(dataset.images[taken]).to(device))
        else:
            known = torch.stack([torch.from_numpy(table[taken]).to(device).float() for table in features]).mean(0)
            outputs = (*predictor.judge(known), known)
        results.append([output.cpu().numpy() for output in outputs])
    classes, clusters, ambiguity, embedding = (np.concatenate(parts) for parts in zip(*results, strict=True))
    return Predictions(
        np.array(dataset.names)[rows],
        split.part_names(len(dataset.names))[rows],
        classes,
        clusters,
        ambiguity,
        embedding,
        dataset.counts[rows],
        dataset.classes,
        seed,
    )
