"""What annotators did with the proposals, and whether these helped or harmed."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from relabel.agreement.bootstrap import Draws, interval, resample_sums
from relabel.agreement.evidence import UNKNOWN, Evidence
from relabel.agreement.offers import offered_answers
from relabel.agreement.report_row import Measure, missing

SHOWN, EFFECT = "Proposals shown", "Right and wrong answers"
RIGHT_SHARE = "proposals that are right"
MOST_LOST = 0.05
"""Share of answers without a label by which the proposal arm may exceed the control arm."""
NEED_TRUTH = "no truth: give --truth, a table of image and label, or --votes with a majority an image"
NEED_SHOWN = "no proposal was shown to anybody; push a folder of `dc3 propose` and have it answered"


def shown_answers(evidence: Evidence) -> pd.DataFrame:
    """Answers that were given with a proposal in view."""
    answers = evidence.answers
    return answers[(answers["arm"] == "proposal") & (answers["proposed"] >= 0) & (answers["outcome"] != "manual")]


def measure_outcomes(evidence: Evidence, draws: Draws) -> Iterator[Measure]:
    """Yields acceptance, change, exclusion and skip rate: of all, by unit, and acceptance by annotator."""
    shown = shown_answers(evidence)
    if not len(shown):
        for outcome in ("accepted", "changed", "excluded", "skipped"):
            yield missing(SHOWN, outcome, "proposal", NEED_SHOWN, "%")
        return
    for outcome in ("accepted", "changed", "excluded", "skipped"):
        yield rate(SHOWN, outcome, "proposal", shown["row"], shown["outcome"] == outcome, draws)
    for column, values in (("unit", ("image", "cluster")), ("annotator", sorted(shown["annotator"].unique()))):
        for value in values:
            some = shown[shown[column] == value]
            if len(some):
                name = f"{column} {value}" if column == "annotator" else f"{value}s"
                yield rate(SHOWN, "accepted", name, some["row"], some["outcome"] == "accepted", draws)


def rate(section: str, name: str, scope: str, rows: pd.Series, hits: pd.Series, draws: Draws) -> Measure:
    """A share of answers in per cent, its interval over images."""
    sums = _sum_hits(rows, hits, draws.n_images)
    n_images = int((sums[:, 1] > 0).sum())
    low, high, why = interval(_shares(resample_sums(sums, draws)), n_images)
    value = 100 * float(hits.mean())
    return Measure(section, name, scope, value, low, high, "%", n_images, 0, len(hits), why)


def _sum_hits(rows: pd.Series, hits: pd.Series, n_images: int) -> np.ndarray:
    """(N, 2) hits and answers of each image."""
    sums = np.zeros((n_images, 2))
    np.add.at(sums[:, 0], rows.to_numpy(), hits.to_numpy(dtype=float))
    np.add.at(sums[:, 1], rows.to_numpy(), 1.0)
    return sums


def _shares(sums: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        shares: np.ndarray = 100 * sums[:, 0] / sums[:, 1]
    return shares


def why_lost(dealt: pd.DataFrame, unknown: pd.Series) -> str:
    """Why the arms cannot be compared by these answers, or nothing: too many are lost in the proposal arm alone.

    They are those of images that were sent back from clusters and not judged alone yet, which are the disputed ones.

    Args:
        dealt: as `offered_answers` gives it.
        unknown: of each row, whether it does not tell what is asked.
    """
    lost = {arm: unknown[dealt["arm"] == arm] for arm in ("proposal", "control")}
    shares = {arm: float(mask.mean()) if len(mask) else 0.0 for arm, mask in lost.items()}
    if shares["proposal"] - shares["control"] <= MOST_LOST:
        return ""
    return (
        f"{int(lost['proposal'].sum())} of {len(lost['proposal'])} answers to proposals are not in yet, mostly on "
        "images that were sent back from clusters: have these judged alone (`dc3 label-studio push` again, or go on "
        "with `dc3 review`), then measure"
    )


def measure_effect(evidence: Evidence, draws: Draws) -> Iterator[Measure]:
    """Yields the share of right answers in both arms, and its difference where the proposal is wrong: the harm.

    harm rate: per cent of answers that would have been right without the wrong proposal, right answers of the control
    arm less those of the proposal arm, over the images that were offered a wrong class. The arms were dealt at random,
    and each answer counts in the arm and with the offer of its image, in view or not.
    """
    dealt = offered_answers(evidence.answers)
    truth = evidence.truth[dealt["row"].to_numpy()]
    dealt = dealt.assign(truth=truth)[truth != UNKNOWN]
    lost = why_lost(dealt, dealt["class"] < 0)
    labels = dealt[dealt["class"] >= 0]
    if lost or not len(labels):
        no_truth = f"no image with a proposal has {evidence.truth_source}" if evidence.truth_source else NEED_TRUTH
        for name in (RIGHT_SHARE, "wrong proposals accepted", "harm rate", "help rate", "right answers overturned"):
            yield missing(EFFECT, name, "proposal", lost or no_truth, "%")
        return
    right_proposal = labels["offered"] == labels["truth"]
    right = labels["class"] == labels["truth"]
    in_arm = {arm: labels["arm"] == arm for arm in ("proposal", "control")}
    yield rate(EFFECT, RIGHT_SHARE, "all", labels["row"], right_proposal, draws)
    for arm, chosen in in_arm.items():
        if chosen.any():
            yield rate(EFFECT, "right answers", arm, labels["row"][chosen], right[chosen], draws)
    yield _wrong_accepted(evidence, draws)
    for name, kind, sign in (("harm rate", ~right_proposal, -1), ("help rate", right_proposal, 1)):
        parts = [_sum_hits(labels["row"][kind & one], right[kind & one], draws.n_images) for one in in_arm.values()]
        yield _difference(name, parts, sign, draws)
    yield _overturned(labels[~right_proposal], draws)


def _wrong_accepted(evidence: Evidence, draws: Draws) -> Measure:
    shown = shown_answers(evidence)
    truth = evidence.truth[shown["row"].to_numpy()]
    wrong = shown[(truth != UNKNOWN) & (truth != shown["proposed"]) & (shown["outcome"] != "skipped")]
    name = "wrong proposals accepted"
    if not len(wrong):
        return missing(EFFECT, name, "proposal", "no wrong proposal was shown; a few planted ones would tell", "%")
    return rate(EFFECT, name, "proposal", wrong["row"], wrong["outcome"] == "accepted", draws)


def _difference(name: str, parts: list[np.ndarray], sign: int, draws: Draws) -> Measure:
    kind = "wrong" if name == "harm rate" else "right"
    empty = [arm for arm, sums in zip(("proposal", "control"), parts, strict=True) if not sums.any()]
    if empty:
        text = f"no answers on {kind} proposals in the arm(s) {' and '.join(empty)}; more images are needed there"
        return missing(EFFECT, name, "proposal", text, "%")
    with_, without = (_shares(sums.sum(0, keepdims=True))[0] for sums in parts)
    drawn = [_shares(resample_sums(sums, draws)) for sums in parts]
    n_images = [int((sums[:, 1] > 0).sum()) for sums in parts]
    low, high, why = interval(sign * (drawn[0] - drawn[1]), min(n_images))
    note = f"{kind} proposals: {with_:.1f} % right with, {without:.1f} % without ({n_images[1]} control images)"
    note = f"{note}; {why}" if why else note
    answers = int(sum(sums[:, 1].sum() for sums in parts))
    return Measure(EFFECT, name, "proposal", sign * (with_ - without), low, high, "%", sum(n_images), 0, answers, note)


def _overturned(wrong: pd.DataFrame, draws: Draws) -> Measure:
    """Of the answers that one annotator gave rightly without a proposal, those that a wrong one then turned."""
    name = "right answers overturned"
    sides = [wrong[wrong["arm"] == arm].drop_duplicates(["row", "annotator"]) for arm in ("control", "proposal")]
    both = sides[0].merge(sides[1], on=["row", "annotator"], suffixes=("", "_then"))
    before = both[both["class"] == both["truth"]]
    if not len(before):
        reason = (
            "nobody judged an image rightly in the control arm and with a wrong proposal as well; "
            "it takes a second round with another seed of the arms"
        )
        return missing(EFFECT, name, "same annotator, same image", reason, "%")
    turned = before["class_then"] != before["truth"]
    measure = rate(EFFECT, name, "same annotator, same image", before["row"], turned, draws)
    return measure._replace(pairs=len(before), answers=2 * len(before))
