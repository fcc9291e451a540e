"""One linear layer turns a backbone's pooled features into class, cluster and ambiguity logits."""

from torch import Tensor, nn

from training.networks.backbone import Backbone
from training.networks.outputs import Outputs


class Network(nn.Module):
    """A backbone and a head of k + k' + 1 outputs (paper, Figure 2)."""

    def __init__(self, backbone: Backbone, n_classes: int, n_clusters: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(backbone.width, n_classes + n_clusters + 1)
        self.n_classes, self.n_clusters = n_classes, n_clusters
        nn.init.xavier_normal_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, images: Tensor) -> Outputs:
        """Images (N, 3, H, W) in [-1, 1] -> logits."""
        return self.outputs(self.backbone(images))

    def outputs(self, features: Tensor) -> Outputs:
        """Pooled features (N, width) -> logits in float32."""
        # bf16 keeps 8 bits: the softmax over k' clusters and the logs of the losses need float32
        logits = self.head(features).float()
        classes, clusters, ambiguity = logits.split([self.n_classes, self.n_clusters, 1], dim=1)
        return Outputs(classes, clusters, ambiguity[:, 0])
