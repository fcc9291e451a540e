"""Dropout that draws 16 bits a number on a CPU: an eighth of the time that torch's takes there.

A head of 1,280 inputs spent three quarters of its pass in torch's own (192 x 1,280 numbers, one thread: 3.5 ms against
0.45 ms, torch 2.14).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_STEPS = 2**16


class Dropout(nn.Module):
    """Sets a share of the numbers to 0 in training and scales the others up; random by torch's own generator."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, values: Tensor) -> Tensor:
        if not self.training or not self.share:
            return values
        if values.device.type != "cpu":  # there it is one kernel
            return F.dropout(values, self.share)
        n_dropped = round(self.share * _STEPS)
        drawn = torch.empty(-(-values.numel() // 4), dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
        # as floating-point numbers: torch compares and selects these by vectors, short integers one by one
        kept = drawn[: values.numel()].view(values.shape).float().ge_(n_dropped - _STEPS // 2)
        return values * kept.mul_(_STEPS / (_STEPS - n_dropped)).to(values.dtype)

    def extra_repr(self) -> str:
        return f"share={self.share}"
