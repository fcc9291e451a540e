"""MixMatch: sharpened guesses and mix-up of labelled and unlabelled images (Berthelot et al., NeurIPS 2019)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from data.errors import InputError
from training.batches.batch import Batch
from training.losses.consistency import cross_entropy, sharpen, squared_difference
from training.losses.step import Step
from training.losses.warm_up import ramp
from training.methods.method import Forward, Method, Progress
from training.methods.state import State
from training.networks.backbone import frozen_statistics
from training.networks.outputs import Outputs


@dataclass(frozen=True)
class MixMatch(Method):
    """Guess on two weak views, mix everything, fit the mixtures.

    The DC3 terms look at the unmixed images: the ambiguity of a mixture is no property of an image.
    """

    views = ("weak", "weak")
    couples_images = True
    mixes_images = True
    unlabelled_ratio: int = 1
    weight: float = 100.0
    warm_up_images: int = 1024 * 1024
    """Labelled images until the weight is full, whatever the length of the run. A ramp by share of a short run would
    sharpen the guesses before a class is learned: they then agree on one class for all images."""
    temperature: float = 0.5
    beta: float = 0.5
    """Of the Beta distribution that shares are drawn from, 0.5 at least."""

    def __post_init__(self) -> None:
        if self.beta < 0.5:
            raise InputError(f"mixmatch draws shares by a formula that needs beta >= 0.5, not {self.beta}; raise it.")

    def warm_up(self, progress: Progress) -> Tensor:
        """By the labelled images seen."""
        return ramp(progress.n_labelled / self.warm_up_images)

    def target(self, guesses: Tensor) -> Tensor:
        """Sharpened."""
        return sharpen(guesses, self.temperature)

    def step(
        self,
        network: nn.Module,
        teacher: Forward,
        batch: Batch,
        progress: Progress,
        generator: torch.Generator,
        state: State,
    ) -> Step:
        labelled = network(batch.images)
        with frozen_statistics(network):
            first, second = network(batch.views[0]), network(batch.views[1])
        guesses = self._guess(first, second)
        images = torch.cat([batch.images, *batch.views])
        targets = torch.cat([batch.targets, guesses, guesses])
        share = self._share(len(images), generator)
        order = torch.rand(len(images), generator=generator, device=images.device).argsort()
        each = share.view(-1, *(1 for _ in images.shape[1:]))
        mixed = each * images + (1 - each) * images[order]
        mixed_targets = share[:, None] * targets + (1 - share[:, None]) * targets[order]
        n_labelled, n_unlabelled = len(batch.images), len(batch.views[0])
        with frozen_statistics(network):
            logits = network(mixed).classes
        # both mixtures keep the class weight of the image that prevails in them
        supervised = cross_entropy(logits[:n_labelled], mixed_targets[:n_labelled]) * batch.class_weights
        differences = squared_difference(logits[n_labelled:], mixed_targets[n_labelled:])
        per_image = differences.view(2, n_unlabelled).mean(0)
        unsupervised = self.weight * self.warm_up(progress) * per_image
        return Step(labelled, first, second, supervised, unsupervised)

    def _guess(self, first: Outputs, second: Outputs) -> Tensor:
        """(U, k) average of both views, sharpened, without gradient."""
        return self.target((first.classes.detach().softmax(1) + second.classes.detach().softmax(1)) / 2)

    def _share(self, n_images: int, generator: torch.Generator) -> Tensor:
        """(n,) Beta(beta, beta) draws turned to at least one half, so that the image itself prevails.

        Two uniform numbers a draw (Ulrich 1984; Devroye, Non-Uniform Random Variate Generation, IX.3.3): torch draws
        Beta values from its global state only.
        """
        first, second = torch.rand(2, n_images, generator=generator, device=generator.device)
        width = 1 - first.pow(1 / (self.beta - 0.5)) if self.beta > 0.5 else torch.ones_like(first)
        return (1 + width.sqrt() * (2 * math.pi * second).cos().abs()) / 2
