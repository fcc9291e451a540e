"""The DC3 terms against a slow reference typed from the paper, and their gradient stops."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from training.losses.dc3 import (
    VARIANTS,
    DC3Options,
    DC3Weights,
    ambiguity_loss,
    ambiguity_pseudo_labels,
    dc3_terms,
    draw_partners,
    guide,
    inverse_cross_entropy,
    similarity_loss,
    weigh,
)
from training.losses.step import Step
from training.networks.outputs import Outputs

DC3 = weigh(DC3Options(), VARIANTS["dc3"])
OPTIONS = DC3Options(0.2, 3.0, 5.0, 7.0, 11.0)
"""Five numbers that cannot be taken for each other."""


def make_step(
    n_labelled: int = 6, n_unlabelled: int = 8, seed: int = 0, second: bool = True, unsupervised: bool = True
) -> Step:
    generator = torch.Generator().manual_seed(seed)

    def outputs(n: int) -> Outputs:
        shapes = ((n, 3), (n, 15), (n,))
        return Outputs(*((torch.randn(shape, generator=generator) * 3).requires_grad_() for shape in shapes))

    return Step(
        outputs(n_labelled),
        outputs(n_unlabelled),
        outputs(n_unlabelled) if second else None,
        torch.rand(n_labelled, generator=generator),
        torch.rand(n_unlabelled, generator=generator) if unsupervised else None,
    )


def slow_inverse_cross_entropy(p: list[float], q: list[float]) -> float:
    return -sum(p_c * math.log(max(1 - q_c, 2**-23)) for p_c, q_c in zip(p, q, strict=True))


def slow_terms(step: Step, labels: Tensor, weights: object, seed: int) -> dict[str, float]:
    """Equation 1 to 3 and the authors' choices in plain Python; only the drawn partners are taken over."""
    generator = torch.Generator().manual_seed(seed)
    p_a = [1 / (1 + math.exp(-logit)) for logit in step.unlabelled.ambiguity.tolist()]
    labelled_p_a = [1 / (1 + math.exp(-logit)) for logit in step.labelled.ambiguity.tolist()]
    if not weights.ambiguity_aware:
        p_a, labelled_p_a = [0.0] * len(p_a), [0.0] * len(labelled_p_a)
    supervised = step.supervised.tolist()
    if step.unsupervised is None:
        ssl = sum(loss * (1 - a) for loss, a in zip(supervised, labelled_p_a, strict=True)) / len(supervised)
    else:
        unsupervised = step.unsupervised.tolist()
        ssl = sum(supervised) / len(supervised)
        ssl += sum(loss * (1 - a) for loss, a in zip(unsupervised, p_a, strict=True)) / len(p_a)
    p_n = step.unlabelled.classes.detach().softmax(1)
    inverse = []
    for outputs, classes, counts, weight in (
        (step.labelled, labels, [1.0] * len(labels), weights.inverse_ce_labelled),
        (
            step.unlabelled,
            p_n.argmax(1),
            [(float(row.max()) >= 0.95) * (1 - a) for row, a in zip(p_n, p_a, strict=True)],
            weights.inverse_ce_unlabelled,
        ),
    ):
        partners, _ = draw_partners(classes, generator)
        p_o = outputs.clusters.softmax(1).tolist()
        total = 0.0
        for row, partner in enumerate(partners.tolist()):
            if classes[row] != classes[partner]:
                total += slow_inverse_cross_entropy(p_o[row], p_o[partner]) * counts[row]
        inverse.append(weight * total / len(p_o))
    n_ambiguous = math.floor(len(p_a) * weights.prior + 1e-6)
    logits = step.unlabelled.ambiguity.tolist()
    scores = (-p_n.amax(1)).tolist() if weights.guided else logits
    highest = sorted(range(len(p_a)), key=lambda row: -scores[row])[:n_ambiguous]
    cross_entropies = [
        math.log1p(math.exp(-logit)) if row in highest else math.log1p(math.exp(logit))
        for row, logit in enumerate(logits)
    ]
    similarity = 0.0
    if step.second is not None:
        first, second = step.unlabelled.clusters.softmax(1).tolist(), step.second.clusters.log_softmax(1).tolist()
        for p, log_q, a in zip(first, second, p_a, strict=True):
            similarity -= a * sum(p_c * q_c for p_c, q_c in zip(p, log_q, strict=True)) / len(p_a)
    return {
        "ssl": ssl,
        "inverse_ce": sum(inverse),
        "ambiguity": weights.ambiguity * sum(cross_entropies) / len(p_a),
        "similarity": weights.similarity * similarity,
    }


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("second", [True, False])
@pytest.mark.parametrize("unsupervised", [True, False])
@pytest.mark.parametrize("prior", [0.0, 0.29, 0.6, 1.0])
def test_terms_equal_the_paper(variant: str, second: bool, unsupervised: bool, prior: float) -> None:
    weights = weigh(replace(OPTIONS, prior=prior), VARIANTS[variant])
    for seed in range(3):
        step = make_step(seed=seed, second=second, unsupervised=unsupervised)
        labels = torch.tensor([0, 1, 2, 0, 0, 1])
        terms = dc3_terms(step, labels, weights, torch.Generator().manual_seed(seed))
        expected = slow_terms(step, labels, weights, seed)
        assert {name: float(value.detach()) for name, value in terms.items()} == pytest.approx(
            expected, rel=1e-4, abs=1e-6
        )


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("vanilla", DC3Weights(0.2, 0, 0, 0, 0, False, False)),
        ("inverse_ce", DC3Weights(0.2, 3, 5, 0, 0, False, False)),
        ("cc", DC3Weights(0.2, 0, 0, 7, 11, True, False)),
        ("dc3", DC3Weights(0.2, 3, 5, 7, 11, True, False)),
        ("dc3_guided", DC3Weights(0.2, 3, 5, 7, 11, True, True)),
    ],
)
def test_each_option_weighs_its_own_term(variant: str, expected: DC3Weights) -> None:
    weights = weigh(OPTIONS, VARIANTS[variant])
    assert weights == expected
    assert weights.needs_unlabelled == (variant != "vanilla")


@pytest.mark.parametrize("name", ["inverse_ce_unlabelled", "ambiguity_weight", "similarity_weight"])
def test_each_term_of_unlabelled_images_asks_for_them(name: str) -> None:
    nothing = DC3Options(0.6, 1.0, 0.0, 0.0, 0.0)
    assert not weigh(nothing, VARIANTS["dc3"]).needs_unlabelled
    assert weigh(replace(nothing, **{name: 0.1}), VARIANTS["dc3"]).needs_unlabelled


@pytest.mark.parametrize(("name", "where"), [("inverse_ce", "labelled"), ("inverse_ce", "unlabelled"),
                                             ("similarity", "unlabelled"), ("similarity", "second")])  # fmt: skip
def test_gradients_of_the_clusters_are_those_of_the_terms(name: str, where: str) -> None:
    """By finite differences: a partner or a view that is cut from the graph has a gradient of half the size."""
    step = make_step()
    confident = step.unlabelled.classes.detach() * 20
    doubles = {
        "labelled": step.labelled,
        "unlabelled": step.unlabelled._replace(classes=confident),
        "second": step.second,
    }
    doubles = {key: Outputs(*(value.detach().double() / 3 for value in outputs)) for key, outputs in doubles.items()}

    def term(clusters: Tensor) -> Tensor:
        changed = step._replace(**(doubles | {where: doubles[where]._replace(clusters=clusters)}))
        changed = changed._replace(supervised=step.supervised.double(), unsupervised=step.unsupervised.double())
        generator = torch.Generator().manual_seed(3)
        return dc3_terms(changed, torch.tensor([0, 1, 2, 0, 0, 1]), DC3, generator)[name]

    clusters = doubles[where].clusters.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(term(clusters), clusters)
    assert gradient.abs().sum() > 0
    assert torch.autograd.gradcheck(term, clusters)


def test_a_confidence_of_95_percent_counts_and_less_does_not() -> None:
    weights = weigh(DC3Options(inverse_ce_labelled=0.0), VARIANTS["inverse_ce"])
    step = make_step(n_unlabelled=2)
    for share, counts in ((0.96, True), (0.94, False)):
        rest = (1 - share) / 2
        classes = torch.tensor([[share, rest, rest], [rest, share, rest]]).log()
        unlabelled = step.unlabelled._replace(classes=classes)
        terms = dc3_terms(step._replace(unlabelled=unlabelled), torch.arange(6) % 3, weights, torch.Generator())
        assert (float(terms["inverse_ce"].detach()) > 0) is counts


def test_the_generator_decides_the_partners() -> None:
    labels = torch.arange(40) % 4
    first, again, other = (draw_partners(labels, torch.Generator().manual_seed(seed))[0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(("n_labelled", "n_unlabelled"), [(1, 1), (2, 1), (1, 7)])
def test_terms_of_a_batch_of_one_are_finite(n_labelled: int, n_unlabelled: int) -> None:
    step = make_step(n_labelled, n_unlabelled)
    terms = dc3_terms(step, torch.zeros(n_labelled, dtype=torch.long), DC3, torch.Generator().manual_seed(0))
    assert float(terms["inverse_ce"].detach()) >= 0
    assert all(torch.isfinite(term) for term in terms.values())


def test_one_class_in_the_batch_leaves_no_labelled_inverse_cross_entropy() -> None:
    step = make_step()
    only_labelled = weigh(DC3Options(inverse_ce_unlabelled=0.0), VARIANTS["dc3"])
    terms = dc3_terms(step, torch.zeros(6, dtype=torch.long), only_labelled, torch.Generator().manual_seed(0))
    assert float(terms["inverse_ce"].detach()) == 0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1, width=32), min_size=4, max_size=4), st.integers(0, 3))
def test_inverse_cross_entropy_is_finite_and_equals_equation_2(values: list[float], certain: int) -> None:
    total = sum(values) or 1.0
    p = torch.tensor([[value / total for value in values], torch.eye(4)[certain].tolist()])
    for first, second in ((p, p.flip(0)), (p, p)):
        result = inverse_cross_entropy(first, second)
        expected = [slow_inverse_cross_entropy(a, b) for a, b in zip(first.tolist(), second.tolist(), strict=True)]
        assert torch.isfinite(result).all()
        assert result.tolist() == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_inverse_cross_entropy_is_zero_in_different_and_high_in_equal_clusters() -> None:
    one, other = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    assert float(inverse_cross_entropy(one, other)) == 0
    assert float(inverse_cross_entropy(one, one)) > 15


def test_inverse_cross_entropy_teaches_both_images() -> None:
    p, q = (torch.tensor([[0.6, 0.4]], requires_grad=True) for _ in range(2))
    inverse_cross_entropy(p, q).sum().backward()
    assert p.grad is not None
    assert q.grad is not None
    assert p.grad.abs().min() > 0
    assert q.grad.abs().min() > 0


def test_guidance_marks_the_least_confident_images_and_ends_after_40_percent() -> None:
    weights = weigh(DC3Options(prior=0.5), VARIANTS["dc3_guided"])
    assert guide(weights, 0.39).guided
    assert guide(weights, 0.4) == weigh(DC3Options(prior=0.5), VARIANTS["dc3"])
    step = make_step()
    confident = torch.tensor([9.0, 9, 9, 9, 0, 0, 0, 0])
    classes = torch.stack([confident, torch.zeros(8), torch.zeros(8)], 1).requires_grad_()
    unlabelled = step.unlabelled._replace(classes=classes)
    terms = dc3_terms(step._replace(unlabelled=unlabelled), torch.arange(6) % 3, weights, torch.Generator())
    terms["ambiguity"].backward()
    assert unlabelled.ambiguity.grad is not None
    assert (unlabelled.ambiguity.grad > 0).tolist() == [True] * 4 + [False] * 4
    assert classes.grad is None


def test_pseudo_labels_mark_the_highest_p_a() -> None:
    assert ambiguity_pseudo_labels(torch.tensor([0.1, 0.9, 0.4, 0.6, 0.2]), 0.6).tolist() == [0, 1, 1, 1, 0]


@pytest.mark.parametrize(("n", "prior", "expected"), [(100, 0.29, 29), (10, 0.6, 6), (1, 0.6, 0), (5, 0.5, 2)])
def test_pseudo_labels_count_the_floor(n: int, prior: float, expected: int) -> None:
    assert int(ambiguity_pseudo_labels(torch.rand(n), prior).sum()) == expected


@pytest.mark.parametrize(("prior", "expected"), [(0.0, 0), (1.0, 7)])
def test_pseudo_labels_at_the_ends_of_the_prior(prior: float, expected: int) -> None:
    assert int(ambiguity_pseudo_labels(torch.full((7,), 0.5), prior).sum()) == expected


def test_pseudo_labels_do_not_depend_on_the_order_of_the_batch() -> None:
    p_a = torch.rand(9, generator=torch.Generator().manual_seed(0))
    order = torch.randperm(9, generator=torch.Generator().manual_seed(1))
    assert torch.equal(ambiguity_pseudo_labels(p_a[order], 0.5), ambiguity_pseudo_labels(p_a, 0.5)[order])


def test_no_gradient_reaches_p_a_through_the_scales() -> None:
    """Only the ambiguity term may move p_a: without it, p_a's logits get no gradient at all."""
    for unsupervised in (True, False):
        step = make_step(unsupervised=unsupervised)
        terms = dc3_terms(step, torch.tensor([0, 1, 2, 0, 0, 1]), DC3, torch.Generator().manual_seed(0))
        (terms["ssl"] + terms["inverse_ce"] + terms["similarity"]).backward()
        assert step.unlabelled.clusters.grad is not None
        for outputs in (step.labelled, step.unlabelled, step.second):
            assert outputs is not None
            assert outputs.ambiguity.grad is None


def test_ambiguity_gradient_is_that_of_fixed_pseudo_labels() -> None:
    logits = torch.linspace(-2, 2, 10).requires_grad_()
    ambiguity_loss(logits, ambiguity_pseudo_labels(logits, 0.3)).sum().backward()
    expected = logits.detach().sigmoid() - ambiguity_pseudo_labels(logits.detach(), 0.3)
    torch.testing.assert_close(logits.grad, expected)


def test_confident_mask_passes_no_gradient_to_the_classes() -> None:
    step = make_step()
    terms = dc3_terms(step, torch.tensor([0, 1, 2, 0, 0, 1]), DC3, torch.Generator().manual_seed(0))
    terms["inverse_ce"].backward()
    assert step.unlabelled.classes.grad is None


def test_similarity_is_least_for_equal_sharp_clusters() -> None:
    sharp, other = torch.tensor([[9.0, 0.0, 0.0]]), torch.tensor([[0.0, 9.0, 0.0]])
    blurred = torch.zeros(1, 3)
    assert similarity_loss(sharp, sharp) < similarity_loss(blurred, blurred) < similarity_loss(sharp, other)


def test_partners_always_have_another_label() -> None:
    labels = torch.tensor([0, 0, 1, 2, 2, 2])
    generator = torch.Generator().manual_seed(0)
    seen = set()
    for _ in range(50):
        partners, found = draw_partners(labels, generator)
        assert found.all()
        assert (labels[partners] != labels).all()
        seen.add(int(partners[0]))
    assert seen == {2, 3, 4, 5}
