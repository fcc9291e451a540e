"""One step: what it passes through the network, what teaches, and what it reports."""

import pytest
import torch
from torch import Tensor

from tests.gpu.synthetic import BATCH, CPU, make_raw, make_trainee, weights_of
from training.loop.step import READINGS, Constants, train_step
from training.losses.dc3 import VARIANTS
from training.methods import METHODS
from training.networks.outputs import Outputs


def passes_of(method: str, variant: str) -> list[int]:
    """Images of each forward pass of the student in one step, as `fit` sets it up."""
    weights = weights_of(variant)
    learner = METHODS[method]
    views = learner.views if learner.learns_unlabelled or weights.needs_unlabelled else ()
    trainee = make_trainee(method, CPU, views)
    sizes: list[int] = []
    trainee.network.register_forward_pre_hook(lambda module, inputs: sizes.append(len(inputs[0])))
    train_step(trainee, make_raw(method, CPU), Constants(weights, 0.9))
    return sizes


@pytest.mark.parametrize("variant", VARIANTS)
def test_only_supervised_vanilla_needs_no_unlabelled_image(variant: str) -> None:
    assert passes_of("supervised", variant) == ([BATCH] if variant == "vanilla" else [BATCH, BATCH])
    assert passes_of("mean_teacher", variant) == [BATCH, BATCH]


@pytest.mark.parametrize("method", METHODS)
def test_vanilla_draws_no_partners_and_sorts_no_ambiguity(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What weighs nothing is not reckoned."""
    import training.losses.dc3 as dc3

    for name in ("draw_partners", "ambiguity_pseudo_labels", "similarity_loss", "inverse_cross_entropy"):
        monkeypatch.setattr(dc3, name, lambda *_: pytest.fail("a term of weight 0 was reckoned"))
    passes_of(method, "vanilla")


def test_the_average_teaches_and_not_the_student() -> None:
    trainee = make_trainee("mean_teacher", CPU)
    answers: list[tuple[Tensor, Outputs]] = []
    teach = trainee.teacher

    def spy(images: Tensor) -> Outputs:
        answers.append((images, teach(images)))
        return answers[0][1]

    average = {name: values.clone() for name, values in trainee.average.module.state_dict().items()}
    student = {name: values.clone() for name, values in trainee.network.state_dict().items()}
    train_step(trainee._replace(teacher=spy), make_raw("mean_teacher", CPU), Constants(weights_of("dc3"), 0.9))
    ((images, answer),) = answers
    by_average, by_student = (
        torch.func.functional_call(trainee.network, state, images).classes for state in (average, student)
    )
    torch.testing.assert_close(answer.classes, by_average)
    assert not torch.allclose(answer.classes, by_student, atol=1e-2)


def test_readings_are_the_terms_and_the_norm_of_their_gradient() -> None:
    trainee = make_trainee("mean_teacher", CPU)
    readings = train_step(trainee, make_raw("mean_teacher", CPU), Constants(weights_of("dc3"), 0.9))
    values = dict(zip(READINGS, readings.tolist(), strict=True))
    gradients = torch.cat([parameter.grad.flatten() for parameter in trainee.network.parameters()])
    assert values["gradient"] == pytest.approx(float(gradients.norm()), rel=1e-5)
    assert all(values[name] > 0 for name in READINGS)
    assert not readings.requires_grad
