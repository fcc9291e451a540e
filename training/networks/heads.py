"""One linear layer turns a backbone's pooled features into class, cluster and ambiguity logits."""

import math

import torch
from torch import Tensor, nn

from training.networks.backbone import Backbone
from training.networks.normalisation import Normalise
from training.networks.outputs import Outputs


class Network(nn.Module):
    """A backbone and a head of k + k' + 1 outputs (paper, Figure 2).

    `prior` is the ambiguity that the network starts with, for every image alike.
    """

    def __init__(self, backbone: Backbone, n_classes: int, n_clusters: int, prior: float = 0.5) -> None:
        super().__init__()
        self.normalise = Normalise(backbone.normalisation)
        self.backbone = backbone
        self.head = nn.Linear(backbone.width, n_classes + n_clusters + 1)
        self.n_classes, self.n_clusters = n_classes, n_clusters
        nn.init.xavier_normal_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        # p_a teaches itself: random weights here would fix in the first steps which images it calls ambiguous, by
        # brightness and contrast, before a class is learned. Starting undecided at the prior, only the images decide.
        with torch.no_grad():
            self.head.weight[-1].zero_()
            self.head.bias[-1].fill_(math.log(prior / (1 - prior)) if 0 < prior < 1 else 0.0)

    def forward(self, images: Tensor) -> Outputs:
        """Images (N, 3, H, W) in [-1, 1] -> logits."""
        return self.outputs(self.features(images))

    def features(self, images: Tensor) -> Tensor:
        """Images (N, 3, H, W) in [-1, 1] -> pooled features (N, width)."""
        features: Tensor = self.backbone(self.normalise(images))
        return features

    def outputs(self, features: Tensor) -> Outputs:
        """Pooled features (N, width) -> logits in float32."""
        # bf16 keeps 8 bits: the softmax over k' clusters and the logs of the losses need float32
        logits = self.head(features).float()
        classes, clusters, ambiguity = logits.split([self.n_classes, self.n_clusters, 1], dim=1)
        return Outputs(classes, clusters, ambiguity[:, 0])
