"""What an image was proposed as is recorded by one rule: in both arms, and through each door."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.proposals import MIXED, ProposalFolder, read_proposal_folder
from data.verdicts import Verdict, read_verdicts, to_table, write_verdicts
from relabel.label_studio.answers import read_answers
from relabel.label_studio.project_pages import IMAGE_CLASS
from relabel.label_studio.projects import Kind
from relabel.label_studio.tasks import ID, SHOWN
from relabel.review.events import Answer
from relabel.review.table import proposals_of, to_verdicts
from relabel.simulate.play import PlayOptions, play, read_truth
from tests.relabel.simulate.folder import make_votes, write_folder

AT = "2026-01-05T09:00:00+00:00"


@pytest.fixture
def bundle(tmp_path: Path) -> ProposalFolder:
    """30 certain images, 20 in cluster 0 (one), 10 in a mixed one; each arm has of all."""
    return write_folder(tmp_path / "proposals")


def review(bundle: ProposalFolder) -> list[Verdict]:
    images = tuple(bundle.proposals["image"])
    shown = ("",) * len(images)
    answer = Answer("an answer", "ann", "selection", images, shown, "label", "two", (), 1.0, AT)
    return to_verdicts([answer], proposals_of(bundle), bundle.about)


def label_studio(bundle: ProposalFolder) -> list[Verdict]:
    tasks: dict[Kind, list[dict]] = {"single": [], "control": []}
    for number, row in enumerate(bundle.proposals.itertuples(), 1):
        choice = {"from_name": IMAGE_CLASS, "type": "choices", "value": {"choices": ["two"]}, "origin": "manual"}
        annotation = {
            "id": number,
            "result": [choice],
            "was_cancelled": False,
            "completed_by": 1,
            "lead_time": 1.0,
            "created_at": AT,
            "updated_at": AT,
            "parent_prediction": None,
        }
        data = {ID: row.image, SHOWN: ""}
        kind: Kind = "control" if row.arm == "control" else "single"
        tasks[kind].append({"id": number, "data": data, "annotations": [annotation]})
    return [
        verdict for kind, some in tasks.items() for verdict in read_answers(some, {1: "ann"}, bundle, kind).verdicts
    ]


def simulation(bundle: ProposalFolder) -> pd.DataFrame:
    return play(bundle, read_truth(bundle, make_votes()), PlayOptions(2, 1), np.random.default_rng(0))


def test_nothing_in_the_offer_hangs_on_the_arm(bundle: ProposalFolder) -> None:
    table = bundle.proposals
    certain, mixed = table["decision"] == "class", table["cluster"] == "1"
    ticked = (table["cluster"] == "0") & table["suspect"]
    assert (table["offered"][certain] == table["proposal"][certain]).all()
    assert (table["offered"][mixed | ticked] == "").all()
    assert (table["offered"][~certain & ~mixed & ~ticked] == "one").all()
    for some in (certain, mixed, ticked, ~certain):
        assert set(table["arm"][some]) == {"proposal", "control"} or some is ticked
    assert (table["proposal"][mixed] != "").all(), "what the network says of each stays in `proposal`"


@pytest.mark.parametrize("edit", ["seven", MIXED])
def test_an_edited_cluster_is_offered_as_edited_in_both_arms(bundle: ProposalFolder, edit: str) -> None:
    path = bundle.folder / "clusters.csv"
    pd.read_csv(path).assign(proposal=edit).to_csv(path, index=False)
    table = read_proposal_folder(bundle.folder).proposals.query("decision == 'cluster' and not suspect")
    assert set(table["offered"]) == {"" if edit == MIXED else edit}
    assert set(table["arm"]) == {"proposal", "control"}


def test_a_folder_of_before_the_column_opens_with_it(bundle: ProposalFolder) -> None:
    path = bundle.folder / "proposals.parquet"
    pd.read_parquet(path).drop(columns="offered").to_parquet(path)
    pd.testing.assert_frame_equal(read_proposal_folder(bundle.folder).proposals, bundle.proposals)


@pytest.mark.parametrize("door", [review, label_studio, simulation])
def test_each_door_records_the_offer_with_each_answer(bundle: ProposalFolder, door) -> None:  # type: ignore[no-untyped-def]
    found = door(bundle)
    verdicts = to_table(found) if isinstance(found, list) else found
    assert set(verdicts["image"]) == set(bundle.proposals["image"])
    wanted = bundle.proposals.set_index("image")["offered"].loc[verdicts["image"]]
    assert verdicts["offered"].tolist() == wanted.tolist()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_was_offered_is_read_as_written_and_is_unknown_in_older_tables(
    bundle: ProposalFolder, tmp_path: Path, suffix: str
) -> None:
    new, old = tmp_path / f"new{suffix}", tmp_path / f"old{suffix}"
    table = to_table(review(bundle))
    write_verdicts(table, new)
    write_verdicts(table.assign(offered=None), old)
    assert read_verdicts(new)["offered"].tolist() == table["offered"].tolist()
    assert read_verdicts(old)["offered"].isna().all()
    both = read_verdicts(new, old)["offered"]
    assert both.isna().sum() == len(table)
