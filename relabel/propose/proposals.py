"""From predictions to proposals: certain images with their class, ambiguous ones by cluster."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from data.errors import InputError
from data.predictions import Predictions
from data.proposals import MIXED, ClusterRow, Proposal
from relabel.propose.arms import draw_control
from relabel.propose.belief import believe, fit_prior_votes, known, shares
from relabel.propose.groups import Group, group_classes, group_clusters
from relabel.propose.limit import keep_best
from relabel.propose.options import ProposeOptions, check_options
from relabel.propose.place import place_images
from relabel.propose.ranking import expected_gain


class Proposed(NamedTuple):
    """What a run proposes."""

    proposals: list[Proposal]
    """N images in the order of the predictions; `file` is left empty for who writes the images."""
    clusters: list[ClusterRow]
    """Most gain per minute first."""
    share: np.ndarray
    """(N, k) expected share of each class among the votes: of network and annotators together."""
    votes: np.ndarray
    """(N, k) the votes that this knows of."""


def propose(predictions: Predictions, options: ProposeOptions, round_: int) -> Proposed:
    """Makes the proposals of a run.

    Gains are those of the proposal arm for all images: a control arm that came last in every queue would be judged by
    tired annotators.

    Args:
        predictions: all images of the run.
        round_: of the relabelling; each draws another control arm from the same seed.

    Raises:
        InputError: options out of range, or no image in the parts.
    """
    parts = check_options(options)
    prior_votes = options.prior_votes or fit_prior_votes(predictions)
    if not options.parts and not np.isin(predictions.parts, parts).any():
        parts = ("labelled",)
    predictions = _take_parts(predictions, parts)
    belief = believe(predictions, options.known_votes, prior_votes)
    share = shares(belief)
    gain = expected_gain(belief)
    groups = [*group_clusters(predictions, share, gain, options), *group_classes(predictions, share, gain, options)]
    groups = keep_best(groups, options.limit) if options.limit else groups
    rows = np.sort(np.concatenate([group.members for group in groups]))
    chosen = predictions.select(rows)
    control = dict(zip(rows.tolist(), _draw_arms(chosen, options, round_).tolist(), strict=True))
    places = dict(zip(rows.tolist(), place_images(chosen.embedding, options.map, options.seed), strict=True))
    found = dict(pair for group in groups for pair in _list_proposals(predictions, group, control, places))
    proposals = [found[row] for row in rows.tolist()]
    return Proposed(proposals, _list_clusters(groups), share[rows], known(chosen, options.known_votes))


def _take_parts(predictions: Predictions, parts: tuple[str, ...]) -> Predictions:
    chosen = np.isin(predictions.parts, parts)
    if not chosen.any():
        there = ", ".join(sorted(set(predictions.parts)))
        raise InputError(f"The run has no image in {', '.join(parts)}: it has {there}; choose --parts among these.")
    return predictions.select(chosen)


def _draw_arms(chosen: Predictions, options: ProposeOptions, round_: int) -> np.ndarray:
    """(N,) True for the control arm; by name, so that it does not hang on the order of the source."""
    by_name = chosen.images.argsort(kind="stable")
    control = np.zeros(len(by_name), bool)
    generator = np.random.default_rng([options.seed, round_])
    control[by_name] = draw_control(chosen.certain[by_name], options.control, generator)
    return control


def _list_proposals(
    predictions: Predictions, group: Group, control: dict[int, bool], places: dict[int, np.ndarray]
) -> Iterator[tuple[int, Proposal]]:
    """Row number and proposal of each member.

    Args:
        control: by row number, whether it is of the control arm.
        places: by row number, (2,).
    """
    names = predictions.class_names
    for rank, row in enumerate(group.members.tolist()):
        # images of a mixed cluster have no proposal in common: what the network says of each alone
        own = names[int(predictions.classes[row].argmax())]
        proposal = own if group.proposal == MIXED else group.proposal
        yield (
            row,
            Proposal(
                image=str(predictions.images[row]),
                file="",
                part=str(predictions.parts[row]),
                arm="control" if control[row] else "proposal",
                decision="cluster" if group.cluster else "class",
                proposal=proposal,
                class_probability=float(predictions.classes[row, names.index(proposal)]),
                cluster=group.cluster,
                rank=rank,
                suspect=bool(group.suspect[rank]),
                ambiguity=float(predictions.ambiguity[row]),
                gain_per_minute=float(group.gain[rank] / group.minutes[rank]),
                x=float(places[row][0]),
                y=float(places[row][1]),
            ),
        )


def _list_clusters(groups: list[Group]) -> list[ClusterRow]:
    """The clusters, most gain per minute first."""
    rows = [
        ClusterRow(group.cluster, group.caption, group.proposal, len(group.members), group.gain_per_minute)
        for group in groups
        if group.cluster
    ]
    return sorted(rows, key=lambda row: -row.gain_per_minute)
