"""Proposals of a run: who gets which, in which order, and who gets none."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.errors import InputError
from data.predictions import Predictions
from data.proposals import MIXED, Proposal
from relabel.propose.options import ProposeOptions
from relabel.propose.proposals import Proposed, propose
from tests.relabel.propose.predictions import cifar_run, digits_run

EVERYTHING = ProposeOptions(parts="all")
SOME_MIXED = replace(EVERYTHING, mixed_below=0.25)
"""A regression on pixels is poor: with the default all of its clusters are mixed."""


@pytest.fixture(scope="module")
def digits() -> Predictions:
    return digits_run()


@pytest.fixture(scope="module")
def cifar(cifar10h: Path) -> Predictions:
    return cifar_run(cifar10h)


def cluster_members(proposed: Proposed) -> dict[str, list[Proposal]]:
    found: dict[str, list[Proposal]] = {}
    for proposal in proposed.proposals:
        if proposal.cluster:
            found.setdefault(proposal.cluster, []).append(proposal)
    return found


def test_certain_images_get_their_class_and_ambiguous_ones_a_cluster(cifar: Predictions) -> None:
    proposed = propose(cifar, EVERYTHING, 1)
    assert [proposal.image for proposal in proposed.proposals] == cifar.images.tolist()
    names = np.array(cifar.class_names)[cifar.classes.argmax(1)]
    for proposal, certain, name in zip(proposed.proposals, cifar.certain, names, strict=True):
        assert (proposal.decision == "class") == certain == (proposal.cluster == "")
        if certain:
            assert proposal.proposal == name


def test_clusters_are_small_ranked_and_listed(cifar: Predictions) -> None:
    proposed = propose(cifar, EVERYTHING, 1)
    members = cluster_members(proposed)
    assert {row.cluster: row.size for row in proposed.clusters} == {name: len(rows) for name, rows in members.items()}
    assert max(map(len, members.values())) <= 60
    assert any("." in name for name in members)
    for rows in members.values():
        assert sorted(row.rank for row in rows) == list(range(len(rows)))
    gains = [row.gain_per_minute for row in proposed.clusters]
    assert gains == sorted(gains, reverse=True)


def test_images_of_a_cluster_share_its_class_and_of_a_mixed_one_keep_their_own(cifar: Predictions) -> None:
    proposed = propose(cifar, SOME_MIXED, 1)
    own = dict(zip(cifar.images, np.array(cifar.class_names)[cifar.classes.argmax(1)], strict=True))
    rows = {row.cluster: row for row in proposed.clusters}
    assert {row.proposal == MIXED for row in proposed.clusters} == {True, False}
    for name, members in cluster_members(proposed).items():
        for member in members:
            expected = own[member.image] if rows[name].proposal == MIXED else rows[name].proposal
            assert member.proposal == expected


def test_the_most_typical_image_lies_nearest_to_the_middle(digits: Predictions) -> None:
    proposed = propose(digits, EVERYTHING, 1)
    rows = [row for row, item in enumerate(proposed.proposals) if item.decision == "class" and item.proposal == "0"]
    embedding = digits.embedding[rows]
    nearest = rows[int(np.linalg.norm(embedding - embedding.mean(0), axis=1).argmin())]
    assert proposed.proposals[nearest].rank == 0


def test_a_run_without_ambiguity_proposes_classes_only(digits: Predictions) -> None:
    """The `SSL proposals` arm of Table 3: a vanilla run."""
    proposed = propose(digits._replace(ambiguity=np.zeros_like(digits.ambiguity)), EVERYTHING, 1)
    assert proposed.clusters == []
    assert {proposal.decision for proposal in proposed.proposals} == {"class"}
    assert {proposal.arm for proposal in proposed.proposals} == {"control", "proposal"}


def test_a_run_that_is_sure_of_nothing_proposes_clusters_only(digits: Predictions) -> None:
    proposed = propose(digits._replace(ambiguity=np.ones_like(digits.ambiguity)), EVERYTHING, 1)
    assert {proposal.decision for proposal in proposed.proposals} == {"cluster"}


@pytest.mark.parametrize("share", [0.1, 0.25, 1.0])
def test_control_arm_has_its_share_of_certain_and_of_ambiguous_images(cifar: Predictions, share: float) -> None:
    proposed = propose(cifar, replace(EVERYTHING, control=share), 1)
    kinds = Counter(proposal.decision for proposal in proposed.proposals)
    control = Counter(proposal.decision for proposal in proposed.proposals if proposal.arm == "control")
    for kind, count in kinds.items():
        assert share * count <= control[kind] < share * count + 1


def test_control_arm_hangs_on_seed_and_round_and_not_on_the_order_of_images(digits: Predictions) -> None:
    def control(predictions: Predictions, options: ProposeOptions, round_: int = 1) -> set[str]:
        return {row.image for row in propose(predictions, options, round_).proposals if row.arm == "control"}

    first = control(digits, EVERYTHING)
    shuffled = digits.select(np.random.default_rng(0).permutation(len(digits.images)))
    assert control(shuffled, EVERYTHING) == first
    assert control(digits, replace(EVERYTHING, seed=1)) != first
    assert control(digits, EVERYTHING, 2) != first


def test_gain_tells_nothing_of_the_arm(digits: Predictions) -> None:
    """Else the queue would put the whole control arm last."""
    gains = [
        [row.gain_per_minute for row in propose(digits, replace(EVERYTHING, seed=seed), 1).proposals] for seed in (0, 1)
    ]
    assert gains[0] == gains[1]


def test_images_with_votes_rank_below_those_without(digits: Predictions) -> None:
    proposed = propose(digits, EVERYTHING, 1).proposals
    voted = digits.votes.sum(1) > 0
    gains = np.array([row.gain_per_minute for row in proposed])
    assert np.median(gains[voted]) < 0.1 * np.median(gains[~voted])


def test_only_the_chosen_parts_are_proposed(digits: Predictions) -> None:
    parts = {row.part for row in propose(digits, ProposeOptions(parts="validation, labelled"), 1).proposals}
    assert parts == {"labelled", "validation"}


def test_images_that_no_label_was_learned_of_are_proposed_else_the_labelled_ones(digits: Predictions) -> None:
    waiting = digits._replace(parts=np.where(digits.parts == "validation", "waiting", digits.parts))
    learned = digits._replace(parts=np.where(digits.parts == "unlabelled", "labelled", digits.parts))
    for predictions, expected in (
        (digits, {"unlabelled"}),
        (waiting, {"unlabelled", "waiting"}),
        (learned, {"labelled"}),
    ):
        assert {row.part for row in propose(predictions, ProposeOptions(), 1).proposals} == expected


def test_votes_kept_back_change_nothing(cifar: Predictions) -> None:
    """Proposals that knew the votes they are measured with would look better than they are."""
    options = ProposeOptions(parts="unlabelled", known_votes="labelled")
    hidden = np.where((cifar.parts == "unlabelled")[:, None], cifar.votes[:, ::-1], cifar.votes)
    told, other = propose(cifar, options, 1), propose(cifar._replace(votes=hidden), options, 1)
    assert told.proposals == other.proposals
    assert told.clusters == other.clusters
    assert np.array_equal(told.share, other.share)
    assert not told.votes.any()
    assert propose(cifar, replace(options, known_votes="all"), 1).clusters != told.clusters


def test_votes_correct_a_network_that_is_wrong(digits: Predictions) -> None:
    """All images in one cluster, which the network takes for 3s and annotators for 8s."""
    n = len(digits.images)
    wrong = digits._replace(
        classes=np.tile(np.float32(0.9) * np.eye(10, dtype=np.float32)[3] + np.float32(0.01), (n, 1)),
        clusters=np.tile(np.eye(10, dtype=np.float32)[5], (n, 1)),
        ambiguity=np.ones(n, np.float32),
        votes=np.tile(5 * np.eye(10, dtype=np.int64)[8], (n, 1)),
    )
    assert {row.proposal for row in propose(wrong, replace(EVERYTHING, prior_votes=1), 1).clusters} == {"8"}
    blind = replace(EVERYTHING, prior_votes=1, known_votes="none")
    assert {row.proposal for row in propose(wrong, blind, 1).clusters} == {"3"}


def test_suspects_are_more_often_wrong_than_others(cifar: Predictions) -> None:
    proposed = propose(cifar, SOME_MIXED, 1)
    shown = {row.cluster for row in proposed.clusters if row.proposal != MIXED}
    truth = np.array(cifar.class_names)[cifar.labels]
    wrong: dict[bool, list[bool]] = {True: [], False: []}
    for row, right in zip(proposed.proposals, truth, strict=True):
        if row.cluster in shown:
            wrong[row.suspect].append(bool(row.proposal != right))
    assert len(wrong[True]) >= 10
    assert np.mean(wrong[True]) > 2 * np.mean(wrong[False])


@pytest.mark.parametrize("limit", [1, 37, 150])
def test_limit_takes_what_is_worth_most(cifar: Predictions, limit: int) -> None:
    everything = propose(cifar, EVERYTHING, 1)
    some = propose(cifar, replace(EVERYTHING, limit=limit), 1)
    assert len(some.proposals) == limit
    kept = {row.image for row in some.proposals}
    worth = {row.image: row.gain_per_minute for row in everything.proposals}
    assert np.mean([worth[name] for name in kept]) > np.mean(list(worth.values()))
    for name, members in cluster_members(some).items():
        assert sorted(row.rank for row in members) == list(range(len(members))), name


def test_limit_changes_nothing_about_the_images_that_stay(cifar: Predictions) -> None:
    def facts(proposed: Proposed) -> dict[str, tuple[object, ...]]:
        return {row.image: (row.proposal, row.cluster, row.suspect, row.gain_per_minute) for row in proposed.proposals}

    everything, some = (facts(propose(cifar, replace(SOME_MIXED, limit=limit), 1)) for limit in (0, 1500))
    assert some.items() <= everything.items()
    assert {suspect for _, _, suspect, _ in some.values()} == {True, False}


@pytest.mark.parametrize("kind", ["pca", "tsne"])
def test_map_keeps_look_alikes_together(digits: Predictions, kind: str) -> None:
    proposed = propose(digits, replace(EVERYTHING, map=kind), 1).proposals
    places = np.array([[row.x, row.y] for row in proposed])
    truth = digits_labels(len(places))
    own = np.array([places[truth == digit].std(0).mean() for digit in range(10)]).mean()
    assert np.isfinite(places).all()
    assert own < 0.8 * places.std(0).mean()


def digits_labels(n: int) -> np.ndarray:
    from sklearn.datasets import load_digits

    labels: np.ndarray = load_digits().target[:n]
    return labels


@pytest.mark.parametrize("kind", ["pca", "tsne"])
@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_very_few_images_can_be_proposed(digits: Predictions, kind: str, n: int) -> None:
    proposed = propose(digits.select(np.arange(n)), replace(EVERYTHING, map=kind), 1)
    assert len(proposed.proposals) == n


def test_every_fault_of_the_options_is_named(digits: Predictions) -> None:
    options = ProposeOptions(parts="unlabeled", control=0.05, max_cluster=1)
    with pytest.raises(InputError, match=r"(?s)'unlabeled'.*control must lie in 0.1 to 1.*max-cluster"):
        propose(digits, options, 1)


def test_a_part_without_images_is_refused(digits: Predictions) -> None:
    with pytest.raises(InputError, match="no image in test: it has labelled, unlabelled, validation"):
        propose(digits, ProposeOptions(parts="test"), 1)
