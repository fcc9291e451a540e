"""Plays a proposal folder: what simulated annotators would have answered, as a table of verdicts. A simulation."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.errors import InputError, name_some
from data.proposals import MIXED, Proposal, ProposalFolder
from data.verdicts import Verdict, to_table
from data.votes.counts import soft_labels
from data.votes.reader import count_votes
from relabel.simulate.annotators import (
    AnnotatorModel,
    ClusterAnswer,
    ImageAnswer,
    TimeModel,
    answer_again,
    answer_cluster,
    answer_image,
    check_models,
)

TOOL = "simulation"
START = datetime(2000, 1, 1, 9, tzinfo=UTC)
"""Simulated clock of the first repetition, each later one a day after: a date that no one mistakes for real."""


@dataclass(frozen=True)
class PlayOptions:
    """Who answers, and how often."""

    annotators: int = 3
    """Simulated annotators; each judges every image."""
    repetitions: int = 2
    """Times that each judges all; repetition r counts as round r of the folder's."""
    annotator: AnnotatorModel = field(default_factory=AnnotatorModel)
    times: TimeModel = field(default_factory=TimeModel)


class Stage(NamedTuple):
    """A folder as the simulation reads it."""

    proposals: tuple[Proposal, ...]
    """N rows."""
    truth: np.ndarray
    """(N, k) share of the real votes."""
    classes: tuple[str, ...]
    cluster_proposals: dict[str, str]
    """Class of each cluster that is judged as a whole: not the mixed ones."""
    model_version: str


def read_truth(bundle: ProposalFolder, votes: pd.DataFrame) -> np.ndarray:
    """(N, k) share of the real votes for the N images of the folder; raises InputError when one has none."""
    names = bundle.proposals["image"].tolist()
    voted = sorted(votes["image"].unique())
    rows = pd.Index(voted).get_indexer(names)
    missing = [name for name, row in zip(names, rows, strict=True) if row < 0]
    if missing:
        raise InputError(
            f"A simulation draws from real votes, so every image needs some; {len(missing)} have none: "
            f"{name_some(missing)}. Give a vote table that covers the folder {bundle.folder}."
        )
    return soft_labels(count_votes(votes, voted, bundle.about.classes).counts[rows])


def play(
    bundle: ProposalFolder, truth: np.ndarray, options: PlayOptions, generator: np.random.Generator
) -> pd.DataFrame:
    """All verdicts of all annotators and repetitions, tool `simulation`.

    Images of the control arm are judged singly without a proposal; certain ones with it; ambiguous ones by cluster.
    What is taken out of a cluster, and every member of one that was answered mixed, is then judged singly without a
    proposal: as what the annotator took it for in the cluster. From one repetition to the next nobody remembers.

    Args:
        bundle: as read, N images.
        truth: (N, k) share of the real votes, rows as in `bundle.proposals`.
        options: annotators, repetitions, behaviour and times.
        generator: of all draws.
    """
    _check_options(options)
    stage = _set_stage(bundle, truth)
    verdicts: list[Verdict] = []
    for repetition in range(options.repetitions):
        for number in range(1, options.annotators + 1):
            clock = START + timedelta(days=repetition)
            for verdict in _play_once(stage, options, generator):
                clock += timedelta(seconds=verdict.seconds)
                at = clock.isoformat(timespec="milliseconds")
                round_ = bundle.about.round + repetition
                verdicts.append(verdict._replace(annotator=f"simulated {number}", at=at, round=round_))
    return to_table(verdicts)


def _check_options(options: PlayOptions) -> None:
    check_models(options.annotator, options.times)
    if min(options.annotators, options.repetitions) < 1:
        raise InputError(
            "A simulation needs at least one annotator and one repetition, it has "
            f"{options.annotators} and {options.repetitions}."
        )


def _set_stage(bundle: ProposalFolder, truth: np.ndarray) -> Stage:
    proposals = tuple(Proposal(*row) for row in bundle.proposals[list(Proposal._fields)].itertuples(index=False))
    pairs = zip(bundle.clusters["cluster"], bundle.clusters["proposal"], strict=True)
    judged = {cluster: proposal for cluster, proposal in pairs if proposal != MIXED}
    return Stage(proposals, truth, bundle.about.classes, judged, bundle.about.model_version)


def _play_once(stage: Stage, options: PlayOptions, generator: np.random.Generator) -> Iterator[Verdict]:
    """One annotator's way through the folder; annotator, at and round are left to the caller."""
    alone: list[int] = []
    clusters: dict[str, list[int]] = {}
    for row, proposal in enumerate(stage.proposals):
        in_cluster = proposal.decision == "cluster" and proposal.cluster in stage.cluster_proposals
        rows = clusters.setdefault(proposal.cluster, []) if in_cluster and proposal.arm == "proposal" else alone
        rows.append(row)
    for row in alone:
        proposal = stage.proposals[row]
        shown = proposal.arm == "proposal" and proposal.decision == "class"
        number = stage.classes.index(proposal.proposal) if shown else None
        yield _say(stage, row, answer_image(stage.truth[row], number, generator, options.annotator, options.times))
    again: list[tuple[int, int]] = []
    for rows in clusters.values():
        answer = _look(stage, rows, options, generator)
        again += [(row, int(answer.seen[place])) for place, row in enumerate(rows) if not answer.belongs[place]]
        yield from _say_cluster(stage, rows, answer)
    for row, seen in again:
        yield _say(stage, row, answer_again(seen, generator, options.times))


def _say(stage: Stage, row: int, answer: ImageAnswer) -> Verdict:
    proposal = stage.proposals[row]
    # the control arm records what would have been proposed
    recorded = proposal.proposal if answer.outcome != "manual" or proposal.arm == "control" else ""
    label = stage.classes[answer.label]
    verdict = _verdict(stage, proposal)
    return verdict._replace(label=label, seconds=answer.seconds, proposal=recorded, outcome=answer.outcome)


def _look(stage: Stage, rows: list[int], options: PlayOptions, generator: np.random.Generator) -> ClusterAnswer:
    members = [stage.proposals[row] for row in rows]
    number = stage.classes.index(stage.cluster_proposals[members[0].cluster])
    suspects = np.array([member.suspect for member in members])
    return answer_cluster(stage.truth[rows], number, suspects, generator, options.annotator, options.times)


def _say_cluster(stage: Stage, rows: list[int], answer: ClusterAnswer) -> Iterator[Verdict]:
    members = [stage.proposals[row] for row in rows]
    proposal = stage.cluster_proposals[members[0].cluster]
    for member, belongs in zip(members, answer.belongs, strict=True):
        yield _verdict(stage, member)._replace(
            label=stage.classes[answer.label] if belongs else "",
            seconds=answer.seconds / len(rows),
            unit="cluster",
            proposal=proposal,
            outcome=answer.outcome if belongs or answer.outcome == "skipped" else "excluded",
        )


def _verdict(stage: Stage, proposal: Proposal) -> Verdict:
    """A verdict on this image with what is known before the answer."""
    return Verdict(
        image=proposal.image,
        annotator="",
        label="",
        seconds=0.0,
        at="",
        round=1,
        tool=TOOL,
        unit="image",
        cluster=proposal.cluster,
        arm=proposal.arm,
        proposal="",
        model_version=stage.model_version,
        outcome="manual",
        offered=proposal.offered,
    )
