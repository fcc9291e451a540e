"""FixMatch and Pseudo-Label against their papers, typed as loops."""

import pytest

from tests.contracts.methods.planted import N_CLASSES, planted_batch, spread_logits, unlabelled_losses
from tests.training.methods.slow_loops import Rows, cross_entropy, follow, largest, one_hot, softmax
from training.methods.fixmatch import FixMatch
from training.methods.method import Progress
from training.methods.pseudo_label import PseudoLabel


def equation_4(rows: list[int], weak: Rows, strong: Rows) -> list[float]:
    return [
        (max(answer) >= 0.95) * cross_entropy(one_hot(largest(answer)), other)
        for answer, other in zip(weak, strong, strict=True)
    ]


def test_fixmatch_losses_are_those_of_equation_4() -> None:
    losses = follow(FixMatch(), equation_4, n_steps=3)
    assert 3 < int((losses == 0).sum()) < len(losses) - 3


@pytest.mark.parametrize(("share", "weight"), [(0.0, 0.0), (0.1, 0.25), (0.4, 1.0), (1.0, 1.0)])
def test_pseudo_label_losses_are_cross_entropies_to_the_own_sure_answer(share: float, weight: float) -> None:
    """Warmed up over the first 40 % of the steps."""
    method = PseudoLabel(threshold=0.6)
    losses = unlabelled_losses(method, planted_batch(method), Progress(share, 0)).tolist()
    answers = [softmax(row) for row in spread_logits(0).tolist()]
    expected = [weight * (max(p) >= 0.6) * cross_entropy(one_hot(largest(p)), p) for p in answers]
    assert losses == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert len(answers[0]) == N_CLASSES
