"""Whole rounds played by annotators of known behaviour, with what their answers must come out as."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.proposals import MIXED, ClusterRow, Origin, Proposal, ProposalFolder, fill_offered
from relabel.simulate.annotators import AnnotatorModel, TimeModel, without
from relabel.simulate.play import PlayOptions, play

CLASSES = ("a", "b", "c", "d")
SIZE = 12
"""Images of a cluster."""
IGNORES = AnnotatorModel(d=0.0, full_acceptance=1.0)
"""Answers as if there were no proposals."""


class Round(NamedTuple):
    """A dealt round."""

    bundle: ProposalFolder
    shares: np.ndarray
    """(N, k) chance of each answer without a proposal."""
    truth: np.ndarray
    """(N,) class numbers: the likeliest answer."""


def deal(mixed: float, seed: int, n_images: int = 480, control: float = 0.3) -> Round:
    """Half the images certain with a class that is right for four in five, half in clusters of doubtful ones.

    Args:
        mixed: share of the clusters that are proposed as mixed.
        seed: of images, proposals and arms.
        n_images: a multiple of twice `SIZE`.
        control: share without a proposal.
    """
    generator = np.random.default_rng(seed)
    k, half = len(CLASSES), n_images // 2
    certain = np.arange(n_images) < half
    favourite = generator.integers(k, size=n_images)
    weight = np.where(certain, 0.85, 0.45)[:, None]
    shares = generator.dirichlet(np.full(k, 0.8), n_images) * (1 - weight) + np.eye(k)[favourite] * weight
    own = np.where(generator.random(n_images) < 0.8, favourite, (favourite + 1) % k)
    # members of a cluster look alike to a network: by the class that it would give them
    order = half + own[half:].argsort(kind="stable")
    clusters, proposals = [], {}
    for number, rows in enumerate(np.array_split(order, half // SIZE)):
        proposal = int(np.bincount(own[rows], minlength=k).argmax())
        name = MIXED if number < mixed * (half // SIZE) else CLASSES[proposal]
        clusters.append(ClusterRow(str(number), "", name, len(rows), 0.0))
        proposals |= {int(row): (str(number), own[row] if name == MIXED else proposal) for row in rows}
    in_control = generator.random(n_images) < control
    suspect = generator.random(n_images) < 0.1
    table = [
        Proposal(
            image=f"{row:04}",
            file=f"{row:04}",
            part="unlabelled",
            arm="control" if in_control[row] else "proposal",
            decision="class" if certain[row] else "cluster",
            proposal=CLASSES[proposals.get(row, ("", own[row]))[1]],
            class_probability=0.5,
            cluster=proposals.get(row, ("", 0))[0],
            rank=row,
            suspect=bool(suspect[row]),
            ambiguity=0.5,
            gain_per_minute=0.0,
            x=0.0,
            y=0.0,
        )
        for row in range(n_images)
    ]
    clusters_table = pd.DataFrame(clusters, columns=list(ClusterRow._fields))
    rows_table = fill_offered(pd.DataFrame(table, columns=list(Proposal._fields)), clusters_table)
    bundle = ProposalFolder(Path("nowhere"), Origin("run", CLASSES, 1, control, seed), rows_table, clusters_table)
    return Round(bundle, shares, shares.argmax(1))


def answer_round(dealt: Round, model: AnnotatorModel, annotators: int, seed: int) -> pd.DataFrame:
    """The verdicts of all annotators."""
    options = PlayOptions(annotators, 1, model, TimeModel())
    return play(dealt.bundle, dealt.shares, options, np.random.default_rng(seed))


def put_in(dealt: Round, model: AnnotatorModel) -> dict[str, float]:
    """What harm, help, d and the arms' difference of the raw agreement are by the model, over all images."""
    table = dealt.bundle.proposals
    offer = pd.Index(CLASSES).get_indexer(table["offered"])
    rows = np.arange(len(table))
    led = dealt.shares.copy()
    of_cluster = dealt.bundle.clusters.set_index("cluster")["proposal"].to_dict()
    for row, image in enumerate(table.itertuples()):
        shown = image.proposal if image.decision == "class" else of_cluster[image.cluster]
        if shown == MIXED:
            continue
        number = CLASSES.index(shown)
        p = dealt.shares[row, number]
        ticked = image.suspect and image.decision == "cluster"
        fits = 1 - model.accepts(1 - p) if ticked else model.accepts(p)
        led[row] = (1 - fits) * without(dealt.shares[row], number)
        led[row, number] = fits
    gain = 100 * (led - dealt.shares)[rows, dealt.truth]
    wrong, right = (offer >= 0) & (offer != dealt.truth), offer == dealt.truth
    agreement = 100 * ((led**2).sum(1).mean() - (dealt.shares**2).sum(1).mean())
    return {
        "harm rate": -gain[wrong].mean(),
        "help rate": gain[right].mean(),
        "d": model.offset,
        "raw agreement": agreement,
    }
