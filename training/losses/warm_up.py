"""How a weight grows at the beginning of a training."""

import torch
from torch import Tensor

WARM_UP_SHARE = 0.4
"""Of all steps: the warm-up of the unlabelled loss ends there (settings of the DC3 authors), and so does our guidance
of the ambiguity."""


def ramp(done: float | Tensor) -> Tensor:
    """A weight that grows with `done` and is full from 1 on."""
    return torch.as_tensor(done, dtype=torch.float32).clamp(max=1.0)
