"""The folder is written whole or not at all, never over work, and holds what every reader needs."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from data.proposals import read_proposal_folder
from data.sources.digits import Digits
from relabel.propose.dcic import to_dcic
from relabel.propose.options import ProposeOptions
from relabel.propose.write import RunFacts, count_proposals, write_proposals
from tests.relabel.propose.predictions import digits_run

RUN = RunFacts("run-1", 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "proposals")


def write(folder: Path, overwrite: bool = False, store: object = None, **options: object) -> Path:
    source = store or Digits(n_blends=2)
    made = ProposeOptions(**options)  # type: ignore[arg-type]
    write_proposals(folder, RUN, digits_run(), source, made, overwrite=overwrite, show_progress=False)  # type: ignore[arg-type]
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def edit(folder: Path) -> None:
    path = folder / "clusters.csv"
    table = pd.read_csv(path, dtype={"cluster": str, "proposal": str})
    path.write_text(table.assign(caption="mine").to_csv(index=False))


def test_folder_is_a_bundle(folder: Path) -> None:
    bundle = read_proposal_folder(folder)
    assert bundle.about.model_version == "run-1"
    assert bundle.about.control_share == (bundle.proposals["arm"] == "control").mean()
    assert bundle.about.control_share >= 0.1
    table = pd.read_csv(folder / "proposals.csv", dtype={"cluster": str, "proposal": str}, keep_default_na=False)
    assert table["image"].tolist() == bundle.proposals["image"].tolist()
    assert np.allclose(table["x"], bundle.proposals["x"])


def test_equal_input_gives_equal_bytes(folder: Path, tmp_path: Path) -> None:
    again = write(tmp_path / "elsewhere" / "proposals")
    assert content(folder) == content(again)


def test_an_untouched_folder_is_replaced(folder: Path) -> None:
    before = content(folder)
    write(folder, limit=50)
    assert len(read_proposal_folder(folder).proposals) == 50
    assert content(folder) != before


def test_edits_are_kept_unless_overwrite_is_said(folder: Path) -> None:
    edit(folder)
    before = content(folder)
    with pytest.raises(InputError, match=r"was edited since .* --overwrite"):
        write(folder)
    assert content(folder) == before
    write(folder, overwrite=True)
    assert "mine" not in (folder / "clusters.csv").read_text()


@pytest.mark.parametrize("overwrite", [False, True])
def test_answers_in_the_folder_are_never_lost(folder: Path, overwrite: bool) -> None:
    (folder / "review.jsonl").write_text("{}\n")
    with pytest.raises(InputError, match=r"holds review\.jsonl: nothing was written"):
        write(folder, overwrite=overwrite)
    assert (folder / "review.jsonl").read_text() == "{}\n"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "precious.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match="is no folder of proposals"):
        write(tmp_path, overwrite=overwrite)
    assert (tmp_path / "images" / "precious.jpg").exists()


def test_a_failure_leaves_the_folder_and_no_debris(folder: Path) -> None:
    class Breaks(Digits):
        def read(self, name: str) -> np.ndarray:
            if name.endswith("99"):
                raise OSError("the disk is gone")
            return super().read(name)

    before = content(folder)
    with pytest.raises(OSError, match="disk is gone"):
        write(folder, store=Breaks(n_blends=2))
    assert content(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == ["proposals"]


def test_dcic_dataset_is_what_its_loader_asks_for(folder: Path) -> None:
    """Facts of DCIC's loader: the keys, a fold of five, file names that differ, gt and gt_verbose that agree."""
    dataset = json.loads((folder / "dcic.json").read_text())
    assert {"name", "v_fold", "classes", "images", "budget", "weighted_budget"} <= set(dataset)
    assert dataset["v_fold"] in range(1, 6)
    ids = {entry["path"].split("/")[-1][:-4].split("-[")[0] for entry in dataset["images"]}
    assert len(ids) == len(dataset["images"]) == len(read_proposal_folder(folder).proposals)
    for entry in dataset["images"]:
        assert set(entry) == {"path", "split", "gt_verbose", "gt", "soft_gt", "info"}
        assert (folder.parent / entry["path"]).is_file()
        assert entry["split"] in ("train", "val", "test", "unlabeled")
        assert sum(entry["soft_gt"]) == pytest.approx(1, abs=0.001)
        assert entry["gt"] == entry["soft_gt"].index(max(entry["soft_gt"]))
        assert entry["gt_verbose"] == dataset["classes"][entry["gt"]]


def test_dcic_budget_is_votes_an_image_without_the_test_part(folder: Path) -> None:
    parts = ["labelled", "validation", "test"]
    proposals = [row._replace(part=part) for row, part in zip(_rows(folder), parts, strict=True)]
    votes = np.array([[2, 1], [1, 0], [50, 0]])
    dataset = to_dcic("x", ["a", "b"], proposals, np.full((3, 2), 0.5), votes)
    assert dataset["budget"] == dataset["weighted_budget"] == 2.0


def _rows(folder: Path) -> list:
    from data.proposals import Proposal

    return [Proposal(*row) for row in read_proposal_folder(folder).proposals[:3].itertuples(index=False)]


def test_counts_add_up(folder: Path) -> None:
    rows = list(read_proposal_folder(folder).proposals.itertuples(index=False))
    text = count_proposals(rows)  # type: ignore[arg-type]
    assert text.startswith(f"{len(rows)} images: ")
    assert f"{sum(row.arm == 'control' for row in rows)} without proposal" in text


def test_a_class_called_mixed_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    run = digits_run()
    named = run._replace(class_names=("mixed", *run.class_names[1:]))
    with pytest.raises(InputError, match="No class may be called 'mixed'"):
        write_proposals(tmp_path / "new", RUN, named, Digits(n_blends=2), ProposeOptions(), show_progress=False)
    assert list(tmp_path.iterdir()) == []
