"""Augmentation, losses and each method's step give on CUDA what they give on the CPU.

Where there is no CUDA, the same comparison holds a step against the one whose images lie otherwise in memory.
Tolerances: 1e-5 for augmented pixels in [-1, 1], 1e-4 relative for losses, 1e-4 for weights after one step.
"""

import pytest
import torch

from tests.gpu.synthetic import CPU, N_CLASSES, make_raw, make_trainee, weights_of
from tests.gpu.waiting import numbers_from_the_cpu
from training.batches.feed import augment_batch
from training.loop.step import READINGS, Constants, train_step
from training.losses.dc3 import VARIANTS, ambiguity_pseudo_labels, dc3_terms
from training.losses.step import Step
from training.methods import METHODS
from training.networks.outputs import Outputs


def test_augmented_images_are_the_same(device: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = []
    for place, layout in ((CPU, torch.preserve_format), (device, torch.contiguous_format)):
        with numbers_from_the_cpu(monkeypatch):
            raw = make_raw("fixmatch", place)
            batches.append(augment_batch(raw, ("weak", "strong"), torch.Generator(place), layout))
    first, second = batches
    assert second.images.is_contiguous()
    for one, other in zip((first.images, *first.views), (second.images, *second.views), strict=True):
        torch.testing.assert_close(one, other.cpu(), atol=1e-5, rtol=1e-5)
    assert torch.equal(first.labels, second.labels.cpu())


@pytest.mark.parametrize("variant", VARIANTS)
def test_losses_and_their_gradients_are_the_same(
    device: torch.device, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same logits on both; without CUDA in double precision, so that an error of float32 is seen."""
    found = []
    for place, kind in ((CPU, torch.float32), (device, torch.float64 if device == CPU else torch.float32)):
        generator = torch.Generator().manual_seed(0)

        def outputs(n: int, place: torch.device = place, kind: torch.dtype = kind, generator=generator) -> Outputs:
            shapes = ((n, N_CLASSES), (n, 5 * N_CLASSES), (n,))
            drawn = (torch.randn(shape, generator=generator) * 3 for shape in shapes)
            return Outputs(*(values.to(place, kind).requires_grad_() for values in drawn))

        labelled, unlabelled, second = outputs(12), outputs(12), outputs(12)
        losses = torch.rand(2, 12, generator=generator).to(place, kind)
        with numbers_from_the_cpu(monkeypatch):
            step = Step(labelled, unlabelled, second, losses[0], losses[1])
            terms = dc3_terms(step, torch.arange(12, device=place) % 3, weights_of(variant), torch.Generator(place))
        total = torch.stack(list(terms.values())).sum()
        if total.requires_grad:
            total.backward()
        leaves = [values for part in (labelled, unlabelled, second) for values in part]
        gradients = [torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves]
        found.append([total.detach().cpu().double(), *(gradient.cpu().double() for gradient in gradients)])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_pseudo_labels_of_equal_scores_are_the_same(device: torch.device) -> None:
    scores = torch.tensor([0.5, 0.2, 0.5, 0.5, 0.9, 0.2])
    assert ambiguity_pseudo_labels(scores.to(device), 0.5).tolist() == [1, 0, 1, 0, 1, 0]


@pytest.mark.parametrize("method", METHODS)
def test_one_step_of_each_method_is_the_same(
    device: torch.device, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for place, layout in ((CPU, torch.preserve_format), (device, torch.contiguous_format)):
        trainee = make_trainee(method, place, layout=layout)
        with numbers_from_the_cpu(monkeypatch):
            readings = train_step(trainee, make_raw(method, place), Constants(weights_of("dc3"), 0.9))
        found.append((readings, trainee.network.state_dict(), trainee.average.state_dict(), trainee.state))
    (first, *states), (second, *others) = found
    assert first.shape == (len(READINGS),)
    torch.testing.assert_close(first, second.cpu(), atol=1e-4, rtol=1e-3)
    for state, other in zip(states, others, strict=True):
        for name, values in state.items():
            torch.testing.assert_close(values, other[name].cpu(), atol=1e-4, rtol=1e-3, msg=name)
