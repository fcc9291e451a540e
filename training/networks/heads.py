"""The head turns a backbone's pooled features into class, cluster and ambiguity logits; alone, or on its backbone."""

import math

import torch
from torch import Tensor, nn

from training.networks.backbone import Backbone
from training.networks.dropout import Dropout
from training.networks.normalisation import Normalise
from training.networks.outputs import Outputs
from training.networks.resizing import Resize


class Head(nn.Linear):
    """Pooled features (N, width) -> k + k' + 1 logits (paper, Figure 2): a linear layer, or one hidden layer before it.

    It is the linear layer itself, so that the weights of runs from before keep their names.
    """

    def __init__(
        self, width: int, n_classes: int, n_clusters: int, prior: float = 0.5, hidden: int = 0, dropout: float = 0.0
    ) -> None:
        """`prior` is the ambiguity that the network starts with, for every image alike."""
        super().__init__(hidden or width, n_classes + n_clusters + 1)
        self.width = width
        self.n_classes, self.n_clusters = n_classes, n_clusters
        before: list[nn.Module] = [nn.Linear(width, hidden), nn.ReLU()] if hidden else []
        self.before = nn.Sequential(*before, *([Dropout(dropout)] if dropout else []))
        nn.init.xavier_normal_(self.weight)
        nn.init.zeros_(self.bias)
        # p_a teaches itself: random weights here would fix in the first steps which images it calls ambiguous, by
        # brightness and contrast, before a class is learned. Starting undecided at the prior, only the images decide.
        with torch.no_grad():
            self.weight[-1].zero_()
            self.bias[-1].fill_(math.log(prior / (1 - prior)) if 0 < prior < 1 else 0.0)

    def forward(self, features: Tensor) -> Outputs:  # type: ignore[override]  # a linear layer gives one tensor
        """Pooled features (N, width) -> logits in float32."""
        # bf16 keeps 8 bits: the softmax over k' clusters and the logs of the losses need float32
        logits = super().forward(self.before(features)).float()
        classes, clusters, ambiguity = logits.split([self.n_classes, self.n_clusters, 1], dim=1)
        return Outputs(classes, clusters, ambiguity[:, 0])


class Network(nn.Module):
    """A backbone and its head; `mirrors` says whether it predicts by an image and its mirror image."""

    def __init__(self, backbone: Backbone, head: Head, mirrors: bool = False) -> None:
        super().__init__()
        self.mirrors = mirrors
        self.resize = Resize(backbone.resizing)
        self.normalise = Normalise(backbone.normalisation)
        self.backbone = backbone
        self.head = head

    def forward(self, images: Tensor) -> Outputs:
        """Images (N, 3, H, W) in [-1, 1], as they are stored -> logits."""
        return self.outputs(self.features(images))

    def features(self, images: Tensor) -> Tensor:
        """Images (N, 3, H, W) in [-1, 1], as they are stored -> pooled features (N, width).

        Training, bank, prediction and export all go through here: the backbone's size and range are made once.
        """
        features: Tensor = self.backbone(self.normalise(self.resize(images)))
        return features

    def outputs(self, features: Tensor) -> Outputs:
        """Pooled features (N, width) -> logits in float32."""
        outputs: Outputs = self.head(features)
        return outputs
