"""The proposal folder: what was written is read, edits count, faults are named."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from data.errors import InputError
from data.proposals import (
    MIXED,
    ClusterRow,
    Origin,
    Proposal,
    read_proposal_folder,
    refuse_class_mixed,
    write_proposal_tables,
)

ABOUT = Origin("run-1", ("NA", "dog"), 2, 0.1, 7)
CERTAIN = Proposal("a", "a.png", "unlabelled", "control", "class", "NA", 0.9, "", 0, False, 0.1, 2.5, 0.5, -0.5, "NA")
DOUBTFUL = Proposal("b", "s/b.png", "test", "proposal", "cluster", "dog", 0.4, "12.1", 0, True, 0.8, 1.5, 1.0, 2.0)
CLUSTER = ClusterRow("12.1", "NA or dog", "dog", 1, 1.5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in ("a.png", "s/b.png"):
        path = tmp_path / "images" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(path)
    write_proposal_tables(tmp_path, ABOUT, [CERTAIN, DOUBTFUL], [CLUSTER])
    return tmp_path


def edit(folder: Path, **values: str) -> None:
    table = pd.read_csv(folder / "clusters.csv", dtype=str, keep_default_na=False)
    table.assign(**values).to_csv(folder / "clusters.csv", index=False)


def test_what_was_written_is_read(folder: Path) -> None:
    bundle = read_proposal_folder(folder)
    assert bundle.about == ABOUT
    assert [Proposal(*row) for row in bundle.proposals.itertuples(index=False)] == [CERTAIN, DOUBTFUL]
    assert [ClusterRow(*row) for row in bundle.clusters.itertuples(index=False)] == [CLUSTER]
    assert bundle.image_path("s/b.png").is_file()


def test_how_good_the_model_is_stands_in_the_folder_and_not_in_one_of_before(tmp_path: Path, folder: Path) -> None:
    about = replace(ABOUT, quality=("Right proposals: 40.6%.", "Ambiguity: größer"))
    write_proposal_tables(folder, about, [CERTAIN, DOUBTFUL], [CLUSTER])
    assert read_proposal_folder(folder).about == about
    values = json.loads((folder / "about.json").read_text())
    del values["quality"]
    (folder / "about.json").write_text(json.dumps(values))
    assert read_proposal_folder(folder).about.quality == ()


def test_edits_of_the_clusters_count(folder: Path) -> None:
    edit(folder, caption="null", proposal=MIXED)
    row = read_proposal_folder(folder).clusters.iloc[0]
    assert (row["caption"], row["proposal"], row["cluster"]) == ("null", MIXED, "12.1")


def test_a_folder_without_clusters_is_read(folder: Path) -> None:
    write_proposal_tables(folder, ABOUT, [CERTAIN], [])
    assert len(read_proposal_folder(folder).clusters) == 0


def test_a_folder_can_be_moved(folder: Path, tmp_path: Path) -> None:
    moved = tmp_path.parent / f"{tmp_path.name}-moved"
    folder.rename(moved)
    assert read_proposal_folder(moved).image_path("a.png").is_file()


def test_no_folder_of_proposals_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"it has no about\.json"):
        read_proposal_folder(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"classes": ["a"]}', '{"classes": 3}'])
def test_a_damaged_description_is_named(folder: Path, text: str) -> None:
    (folder / "about.json").write_text(text)
    with pytest.raises(InputError, match=r"about\.json cannot be read .*; run `dc3 propose` again"):
        read_proposal_folder(folder)


def test_unknown_class_and_missing_image_are_named_at_once(folder: Path) -> None:
    edit(folder, proposal="cow")
    (folder / "images" / "a.png").unlink()
    with pytest.raises(InputError, match=r"(?s)12\.1: 'cow'.*1 image\(s\) missing below .*: a\.png"):
        read_proposal_folder(folder)


def test_lost_and_doubled_clusters_are_named(folder: Path) -> None:
    write_proposal_tables(
        folder, ABOUT, [CERTAIN, DOUBTFUL], [CLUSTER._replace(cluster="3"), CLUSTER._replace(cluster="3")]
    )
    with pytest.raises(InputError, match=r"(?s)lacks the cluster\(s\) 12\.1.*names the cluster\(s\) 3 twice"):
        read_proposal_folder(folder)


def test_a_lost_column_is_named(folder: Path) -> None:
    pd.DataFrame({"cluster": ["12.1"]}).to_csv(folder / "clusters.csv", index=False)
    with pytest.raises(InputError, match="lacks the column"):
        read_proposal_folder(folder)


@pytest.mark.parametrize("file", ["../secret.png", "/etc/passwd"])
def test_images_outside_of_the_folder_are_refused(folder: Path, file: str) -> None:
    write_proposal_tables(folder, ABOUT, [CERTAIN._replace(file=file)], [])
    with pytest.raises(InputError, match="outside of images/"):
        read_proposal_folder(folder)


@pytest.mark.parametrize("name", ["mixed", "Mixed", " MIXED "])
def test_no_class_can_be_taken_for_the_answer_mixed(name: str) -> None:
    with pytest.raises(InputError, match=rf"No class may be called '{name}'.*Rename the class in the votes, train"):
        refuse_class_mixed(("dog", name))
    refuse_class_mixed(("dog", "mixed breed", "remixed"))
