"""Rounds of relabelling as a chain of runs: each is trained on the votes that another one's proposals led to."""

from typing import NamedTuple

from data.votes.rounds import Round
from training.track.runs import find_run

_ROUND, _PARENT = "dc3.round", "dc3.parent_run"


class RoundRun(NamedTuple):
    """A run in a chain of rounds of relabelling."""

    run_id: str
    name: str
    round: int
    """Whose votes it was trained on; 0 for raw votes."""
    metrics: dict[str, float]


def tag_round(merged: Round) -> dict[str, str]:
    """Tags of a run that is trained on the votes of a round: they chain it to the run that proposed."""
    return {_ROUND: str(merged.number), _PARENT: merged.parent_run}


def round_of(run_id: str) -> int:
    """The round of relabelling that a run's votes came from, 0 for raw votes."""
    return int(find_run(run_id).data.tags.get(_ROUND, 0))


def list_rounds(run_id: str) -> list[RoundRun]:
    """The chain of runs that leads to this one, the first round's votes first.

    Raises InputError where a run of the chain is not in this store.
    """
    chain: list[RoundRun] = []
    while run_id:
        run = find_run(run_id)
        tags = run.data.tags
        chain.append(RoundRun(run_id, run.info.run_name, int(tags.get(_ROUND, 0)), dict(run.data.metrics)))
        run_id = tags.get(_PARENT, "")
    return chain[::-1]
