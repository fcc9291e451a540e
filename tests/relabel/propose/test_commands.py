"""The round on real images by the command line: train, propose, merge, train again, propose again."""

import zipfile
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from data.errors import InputError
from data.proposals import read_proposal_folder
from data.verdicts import Verdict, to_table, write_verdicts
from data.votes.reader import read_votes
from dc3.__main__ import main
from tests.part_of_cifar10h import write_part
from tests.stores import name_store, use_store
from training import track

pytestmark = pytest.mark.slow

QUICK = ["--preset", "cifar10h_small", "--batch-size", "16", "--steps", "3", "--device", "cpu", "--register", ""]


@pytest.fixture(scope="module")
def data(cifar10h: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 images of CIFAR-10H; the last 100 have no votes."""
    folder = tmp_path_factory.mktemp("cifar10h")
    write_part(cifar10h, folder, 600, 500)
    return folder


@pytest.fixture(scope="module")
def trained(data: Path, migrated_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one run."""
    folder = tmp_path_factory.mktemp("store")
    with use_store(folder, migrated_database):
        assert train(data / "votes.csv", data) == 0
    return folder


@pytest.fixture
def run_id(trained: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name_store(trained, monkeypatch)
    return newest()


def train(votes: Path, data: Path, *more: str) -> int:
    return main(["train", *QUICK, "--images", str(data / "images.zip"), "--votes", str(votes), *more])


def newest() -> str:
    track.connect()
    runs = mlflow.search_runs(search_all_experiments=True, order_by=["start_time DESC"], output_format="list")
    return str(runs[0].info.run_id)


def answer(folder: Path, path: Path) -> pd.DataFrame:
    """Accepts every proposal of a class, through the table that all doors share."""
    bundle = read_proposal_folder(folder)
    rows = [
        Verdict(
            image=row.image,
            annotator="anna",
            label=row.proposal,
            seconds=1.0,
            at="2026-01-01T10:00:00+00:00",
            round=bundle.about.round,
            tool="review",
            unit="image",
            cluster="",
            arm=row.arm,
            proposal=row.proposal,
            model_version=bundle.about.model_version,
            outcome="manual" if row.arm == "control" else "accepted",
        )
        for row in bundle.proposals.itertuples()
    ]
    table = to_table(rows)
    write_verdicts(table, path)
    return table


def test_rounds_form_a_chain(run_id: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, answers, following = tmp_path / "proposals", tmp_path / "verdicts.parquet", tmp_path / "next"
    assert main(["propose", run_id, "--anyway", "--output", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert f"run {run_id}, round 1" in printed
    assert f"dc3 review {folder}" in printed
    table = answer(folder, answers)
    assert set(read_proposal_folder(folder).proposals["part"]) == {"unlabelled"}

    arguments = ["merge", str(folder), str(answers), "--votes", str(data / "votes.csv"), "--output", str(following)]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert f"{len(table)} new ones on {table['image'].nunique()} images" in printed
    merged = read_votes(following / "votes.parquet").rows
    assert merged["votes"].sum() == read_votes(data / "votes.csv").rows["votes"].sum() + len(table)

    assert train(following / "votes.parquet", data) == 0
    second = newest()
    tags = track.find_run(second).data.tags
    assert (tags["dc3.round"], tags["dc3.parent_run"]) == ("1", run_id)
    assert [(run.run_id, run.round) for run in track.list_rounds(second)] == [(run_id, 0), (second, 1)]
    assert all("f1" in run.metrics for run in track.list_rounds(second))

    assert main(["propose", second, "--anyway", "--output", str(tmp_path / "proposals2")]) == 0
    assert read_proposal_folder(tmp_path / "proposals2").about.round == 2


def test_a_run_no_better_than_the_commonest_class_is_refused_unless_told_otherwise(
    run_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = {"proposals_right": 0.164, "proposals_right_commonest": 0.16, "measured_images": 100.0}
    monkeypatch.setattr("training.track.find_figures", lambda _: figures)
    command = ["propose", run_id, "--output", str(tmp_path / "out"), "--limit", "20"]
    assert main(command) == 2
    told = capsys.readouterr().err
    assert f"The proposals of run {run_id} are of no use; --anyway writes them all the same" in told
    assert "Right proposals: 16.4% of 100 validation images" in told
    assert not (tmp_path / "out").exists()
    assert main([*command, "--anyway"]) == 0
    words = read_proposal_folder(tmp_path / "out").about.quality
    assert "no better than the commonest class: do not show them to annotators" in words[1]
    assert "\n".join(words) in capsys.readouterr().out


def test_a_vanilla_run_proposes_classes_only(
    run_id: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(data / "votes.csv", data, "--variant", "vanilla") == 0
    assert main(["propose", newest(), "--anyway", "--output", str(tmp_path / "out"), "--parts", "all"]) == 0
    bundle = read_proposal_folder(tmp_path / "out")
    assert len(bundle.proposals) == 600
    assert set(bundle.proposals["decision"]) == {"class"}
    assert "0 clusters" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--control", "0.01"], "control must lie in 0.1 to 1"),
        (["--parts", "trian"], "parts must be among"),
        (["--round", "-1"], "--round must be 1 or more"),
    ],
)
def test_faults_end_in_one_message(
    run_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["propose", run_id, "--anyway", "--output", str(tmp_path / "out"), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_images_that_are_gone_are_named(
    run_id: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (data / "images.zip").read_bytes()
    with zipfile.ZipFile(data / "images.zip") as old:
        kept = {name: old.read(name) for name in old.namelist()[:-1]}
        lost = old.namelist()[-1]
    try:
        with zipfile.ZipFile(data / "images.zip", "w") as new:
            for name, content in kept.items():
                new.writestr(name, content)
        assert main(["propose", run_id, "--anyway", "--output", str(tmp_path / "out")]) == 2
    finally:
        (data / "images.zip").write_bytes(whole)
    told = capsys.readouterr().err
    assert f"are gone from {data / 'images.zip'} or have other content now: {lost}" in told


def test_merge_refuses_to_write_over_its_input(
    run_id: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, answers = tmp_path / "proposals", tmp_path / "verdicts.csv"
    assert main(["propose", run_id, "--anyway", "--output", str(folder), "--limit", "20"]) == 0
    answer(folder, answers)
    votes = tmp_path / "next" / "votes.parquet"
    votes.parent.mkdir()
    read_votes(data / "votes.csv").rows.to_parquet(votes)
    before = votes.read_bytes()
    arguments = ["merge", str(folder), str(answers), "--votes", str(votes), "--output", str(votes.parent)]
    assert main(arguments) == 2
    assert "those stay unchanged: give another --output" in capsys.readouterr().err
    assert votes.read_bytes() == before


def test_a_chain_whose_first_run_is_elsewhere_is_named(run_id: str) -> None:
    with track.open_run("orphan", tags={"dc3.round": "3", "dc3.parent_run": "0" * 32}) as orphan:
        pass
    with pytest.raises(InputError, match="No run 000"):
        track.list_rounds(orphan)
