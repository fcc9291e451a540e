"""Answers by what was proposed for the image, in view or not, so that both arms are compared as they were dealt.

Each image has one offer a round, recorded by the same rule in both arms (`data.proposals.fill_offered`). An image stays
in its arm and with its offer whatever becomes of it: taken out of its cluster, or judged alone because its cluster was
answered mixed. Comparing what was in view instead would leave such images, the hard ones, in the control arm alone.
"""

import numpy as np
import pandas as pd

ROUND = ["model_version", "round"]
ANSWER = ["row", "annotator", "round"]
TASK = ["annotator", "round", "tool", "model_version", "cluster", "proposal"]
"""A cluster before one annotator; the proposal tells grids of certain images apart, which have no cluster."""


def fill_offers(verdicts: pd.DataFrame) -> tuple[pd.Series, int]:
    """What each verdict's image was offered, and the number of verdicts of tables that do not say so.

    For these it is what the answers themselves show: a certain image's recorded proposal, and for all images of a
    cluster the class that the proposal arm had in view with it; none where its images were only ever shown without a
    class, as those of a mixed one. Which were suspects is not known: they count as offered.
    """
    unknown = verdicts["offered"].isna()
    if not unknown.any():
        return verdicts["offered"], 0
    named = verdicts["cluster"] != ""
    led = (verdicts["arm"] == "proposal") & (verdicts["proposal"] != "")
    key = verdicts["cluster"].where(named, verdicts["image"])
    shown = led & (~named | (verdicts["unit"] == "cluster"))
    keys = pd.MultiIndex.from_arrays([*(verdicts[name] for name in ROUND), named, key])
    first = pd.Series(verdicts["proposal"].to_numpy(), keys)[shown.to_numpy()]
    found = first[~first.index.duplicated()].reindex(keys).fillna("").to_numpy()
    recorded = ~named & (verdicts["arm"] == "control")
    inferred = pd.Series(np.where(recorded, verdicts["proposal"], found), verdicts.index, dtype=object)
    of_image = inferred.where(inferred != "").groupby([verdicts[name] for name in (*ROUND, "image")])
    inferred = of_image.transform("first").fillna("")
    return verdicts["offered"].where(~unknown, inferred), int(unknown.sum())


def is_dealt(answers: pd.DataFrame) -> pd.Series:
    """(A,) False for answers to an image that others had sent back, by annotators who never saw it in its cluster.

    Only disputed images get these, and only in the proposal arm: they would pass for worse agreement there.
    """
    in_cluster = answers["unit"] == "cluster"
    sent_back = in_cluster & answers["outcome"].isin(("excluded", "skipped"))
    back = pd.MultiIndex.from_frame(answers.loc[sent_back, ["row", "round"]])
    own = pd.MultiIndex.from_frame(answers.loc[in_cluster, ANSWER])
    disputed = pd.MultiIndex.from_frame(answers[["row", "round"]]).isin(back)
    seen = pd.MultiIndex.from_frame(answers[ANSWER]).isin(own)
    return pd.Series(~disputed | seen | (answers["arm"] == "control").to_numpy(), answers.index)


def offered_answers(answers: pd.DataFrame) -> pd.DataFrame:
    """One row an image with an offer, annotator and round, in the order of the images.

    Columns row, annotator, round, arm, offered (class number), unit (cluster where it was judged in one first), class
    (his first label, -1 where he has given none yet) and accepted: 1 where that is as offered, 0 where it is not or
    where he took the image out of a cluster to which he gave that class, NaN where nothing tells.

    Args:
        answers: as `Evidence.answers`.
    """
    answers = answers[(answers["offer"] >= 0) & answers["is_dealt"]].sort_values(["row", "time"], kind="stable")
    by_unit = answers.assign(in_cluster=answers["unit"] == "cluster").groupby(ANSWER, sort=True)
    table = by_unit.agg(arm=("arm", "first"), offered=("offer", "first"), in_cluster=("in_cluster", "any"))
    table["unit"] = np.where(table.pop("in_cluster"), "cluster", "image")
    labels = answers[answers["is_vote"]].drop_duplicates(ANSWER).set_index(ANSWER)["class"]
    table["class"] = labels.reindex(table.index).fillna(-1).astype(int)
    accepted = (table["class"] == table["offered"]).astype(float).where(table["class"] >= 0)
    accepted[table.index.isin(_turned_down(answers))] = 0.0
    return table.assign(accepted=accepted).reset_index()


def _turned_down(answers: pd.DataFrame) -> pd.MultiIndex:
    """Keys of the images that were taken out of a cluster which itself was accepted."""
    members = answers[answers["unit"] == "cluster"]
    outcomes = {outcome: members[members["outcome"] == outcome] for outcome in ("accepted", "changed", "excluded")}
    tasks = {name: pd.MultiIndex.from_frame(rows[TASK]) for name, rows in outcomes.items()}
    as_offered = tasks["excluded"].isin(tasks["accepted"]) & ~tasks["excluded"].isin(tasks["changed"])
    return pd.MultiIndex.from_frame(outcomes["excluded"].loc[as_offered, ANSWER])
