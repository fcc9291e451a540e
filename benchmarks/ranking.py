"""Does asking about what the ranking puts first lower the KL to the full votes faster than asking at random?

python benchmarks/ranking.py RUN [--seeds 5]

A simulation: an answer is one vote drawn from the real votes, costs are those of `relabel.cost.Cost`, proposals bend no
answer. Images of the unlabelled part start without votes; KL is that of the expected shares (network and votes so far).
"""

import argparse
import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from data.predictions import Predictions, read_predictions
from data.proposals import MIXED
from data.votes.counts import soft_labels
from relabel.propose.belief import believe, fit_prior_votes, shares
from relabel.propose.options import ProposeOptions
from relabel.propose.proposals import propose
from relabel.propose.ranking import expected_gain, member_minutes
from relabel.soft_labels.kl import mean_kl
from training import track

PORTION = 0.02
"""Of the images are asked about before the ranking is made anew."""
VOTES_AN_IMAGE = (0.25, 0.5, 1.0, 2.0, 3.0)
MINUTES_SHARES = (0.1, 0.25, 0.5, 0.75)
"""Of the minutes that all units take."""

Choose = Callable[[np.ndarray, np.random.Generator], np.ndarray]


class Unit(NamedTuple):
    """A cluster, or one image."""

    rows: np.ndarray
    minutes: float
    worth: float
    """Gain per minute by the ranking."""


def main() -> int:
    """Prints two tables: single images, and whole clusters beside images with a proposal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    everything = read_predictions(track.fetch_file(arguments.run, "predictions.parquet"))
    prior_votes = fit_prior_votes(everything)
    predictions = everything.select((everything.parts == "unlabelled") & (everything.votes.sum(1) > 0))
    truth = soft_labels(predictions.votes)
    prior = believe(predictions, "none", prior_votes)
    print(
        f"{len(truth)} images, p_n worth {prior_votes:.2f} votes, KL without votes {mean_kl(truth, shares(prior)):.4f}"
    )
    _compare_images(predictions, prior, truth, arguments.seeds)
    _compare_units(everything, prior, truth, arguments.seeds)
    return 0


def _compare_images(predictions: Predictions, prior: np.ndarray, truth: np.ndarray, seeds: int) -> None:
    ambiguity = predictions.ambiguity.astype(float)
    orders: dict[str, Choose] = {
        "random": lambda belief, random: random.random(len(belief)),
        "fewest votes first": lambda belief, random: -belief.sum(1) + 1e-6 * random.random(len(belief)),
        "most ambiguous first": lambda belief, random: ambiguity - np.round(belief.sum(1) - prior.sum(1)),
        "ranking": lambda belief, random: expected_gain(belief),
    }
    print("\nsingle images, equal cost: mean KL after so many votes an image (mean of seeds, largest deviation)")
    print(f"{'asked first':<24}" + "".join(f"{votes:>16}" for votes in VOTES_AN_IMAGE))
    for name, choose in orders.items():
        found = np.array([_ask_images(prior, truth, choose, np.random.default_rng(seed)) for seed in range(seeds)])
        print(f"{name:<24}" + _tell(found))


def _ask_images(prior: np.ndarray, truth: np.ndarray, choose: Choose, random: np.random.Generator) -> list[float]:
    """KL at each of `VOTES_AN_IMAGE`."""
    belief, asked, found = prior.copy(), 0, []
    portion = round(PORTION * len(prior))
    for votes in VOTES_AN_IMAGE:
        while asked < votes * len(prior):
            rows = np.argsort(-choose(belief, random), kind="stable")[:portion]
            belief[rows] += _draw(truth[rows], random)
            asked += len(rows)
        found.append(mean_kl(truth, shares(belief)))
    return found


def _compare_units(everything: Predictions, prior: np.ndarray, truth: np.ndarray, seeds: int) -> None:
    units = _list_units(everything)
    budgets = np.array(MINUTES_SHARES) * sum(unit.minutes for unit in units)
    print("\nclusters and images with a proposal, each asked once: mean KL after so many minutes")
    print(f"{'asked first':<24}" + "".join(f"{minutes:>16.1f}" for minutes in budgets))
    for name in ("random", "ranking"):
        rows = []
        for seed in range(seeds):
            random = np.random.default_rng(seed)
            worth = [unit.worth for unit in units] if name == "ranking" else random.random(len(units))
            rows.append(
                _ask_units([units[place] for place in np.argsort(-np.array(worth))], prior, truth, budgets, random)
            )
        print(f"{name:<24}" + _tell(np.array(rows)))


def _list_units(everything: Predictions) -> list[Unit]:
    options = ProposeOptions(known_votes="none")
    proposed = propose(everything, options, 1)
    classes = {row.cluster: row.proposal for row in proposed.clusters}
    members: dict[str, list[int]] = {}
    for row, proposal in enumerate(proposed.proposals):
        in_cluster = proposal.cluster and classes[proposal.cluster] != MIXED
        members.setdefault(proposal.cluster if in_cluster else f"image {row}", []).append(row)
    units = []
    for name, rows in members.items():
        gains = np.array([proposed.proposals[row].gain_per_minute for row in rows])
        first = proposed.proposals[rows[0]]
        if name in classes:
            fits = proposed.share[rows, everything.class_names.index(first.proposal)]
            each = member_minutes(fits, options.cost)
        else:
            ratio = options.cost.check_ratio if first.decision == "class" else 1.0
            each = np.full(1, ratio * options.cost.single_seconds / 60)
        units.append(Unit(np.array(rows), float(each.sum()), float((gains * each).sum() / each.sum())))
    return units


def _ask_units(
    units: list[Unit], prior: np.ndarray, truth: np.ndarray, budgets: np.ndarray, random: np.random.Generator
) -> list[float]:
    """KL at each budget in minutes; a member that is taken out of its cluster has been judged alone."""
    belief, minutes, found = prior.copy(), 0.0, []
    for unit in units:
        if len(found) < len(budgets) and minutes >= budgets[len(found)]:
            found.append(mean_kl(truth, shares(belief)))
        belief[unit.rows] += _draw(truth[unit.rows], random)
        minutes += unit.minutes
    return found


def _draw(truth: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(M, k) one-hot: one of the real votes of each image."""
    limits = truth.cumsum(1)
    drawn = (limits <= random.random((len(truth), 1)) * limits[:, -1:]).sum(1)
    return np.eye(truth.shape[1])[drawn]


def _tell(found: np.ndarray) -> str:
    mean = found.mean(0)
    return "".join(f"{value:>8.4f} ±{off:6.4f}" for value, off in zip(mean, np.abs(found - mean).max(0), strict=True))


if __name__ == "__main__":
    sys.exit(main())
