import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from data.errors import InputError
from data.predictions import Predictions, write_predictions
from data.verdicts import Verdict, to_table, write_verdicts
from data.votes.counts import soft_labels
from data.votes.reader import count_votes, read_votes
from dc3.soft_labels import main
from relabel.soft_labels.class_blending import blend
from relabel.soft_labels.kl import mean_kl


def _read(path: Path, column: str) -> np.ndarray:
    return np.array(pq.read_table(path)[column].to_pylist())


def _verdicts() -> pd.DataFrame:
    first = Verdict(
        "a", "Ann", "cat", 1.0, "2026-01-01T10:00:00+00:00", 1, "review", "image", "", "proposal", "cat", "run",
        "accepted",
    )  # fmt: skip
    second = first._replace(annotator="Bob")
    third = first._replace(image="b", label="dog", outcome="changed")
    return to_table([first, second, third, third._replace(annotator="Bob")])


def test_raw_votes_stand_beside_the_estimate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    votes = tmp_path / "votes.csv"
    pd.DataFrame({"image": ["a", "a", "b"], "label": ["cat", "dog", "dog"], "votes": [2, 1, 4]}).to_csv(votes)
    before = votes.read_bytes()
    output = tmp_path / "soft.parquet"
    assert main([str(votes), "-o", str(output)]) == 0
    np.testing.assert_array_equal(_read(output, "votes"), [[2, 1], [0, 4]])
    share = np.array([[2 / 3, 1 / 3], [0, 1]])
    np.testing.assert_allclose(_read(output, "share"), share)
    np.testing.assert_allclose(_read(output, "blending"), blend(share, 0.25))
    about = json.loads(pq.read_schema(output).metadata[b"dc3"])
    assert about["classes"] == ["cat", "dog"]
    assert about["options"]["blend"] == 0.25
    assert votes.read_bytes() == before
    assert "2 images, 7 votes" in capsys.readouterr().out


def test_verdicts_allow_every_estimate(tmp_path: Path) -> None:
    pytest.importorskip("cleanlab", reason="CLEANLAB MISSING: CROWDLAB is not tested; pip install 'dc3[crowdlab]'")
    write_verdicts(_verdicts(), tmp_path / "verdicts.parquet")
    images, parts = np.array(["b", "a"]), np.array(["validation"] * 2)
    classes = np.array([[0.3, 0.7], [0.9, 0.1]], np.float32)
    zeros = np.zeros(2, np.float32)
    predictions = Predictions(
        images, parts, classes, classes, zeros, classes, np.zeros((2, 2), np.int64), ("cat", "dog")
    )
    write_predictions(predictions, tmp_path / "predictions.parquet")
    output, names = tmp_path / "soft.parquet", ["blending", "bias_correction", "dawid_skene", "crowdlab"]
    given = ["--predictions", str(tmp_path / "predictions.parquet"), "--bias", "0.26"]
    assert main([str(tmp_path / "verdicts.parquet"), "-o", str(output), "--estimates", *names, *given]) == 0
    assert pq.read_schema(output).names == ["image", "votes", "share", *names]
    assert _read(output, "crowdlab").argmax(1).tolist() == [0, 1]


def test_what_an_estimate_lacks_is_named_for_all_of_them(tmp_path: Path) -> None:
    votes = tmp_path / "votes.csv"
    pd.DataFrame({"image": ["a", "b"], "label": ["cat", "dog"]}).to_csv(votes)
    output = tmp_path / "soft.parquet"
    with pytest.raises(InputError, match=r"(?s)bias_correction: .*proposal.*dawid_skene: .*2 of 2 votes name none"):
        main([str(votes), "-o", str(output), "--estimates", "bias_correction", "dawid_skene"])
    assert list(tmp_path.iterdir()) == [votes], "nothing half-written"


def test_the_table_read_is_never_written(tmp_path: Path) -> None:
    write_verdicts(_verdicts(), tmp_path / "verdicts.parquet")
    before = (tmp_path / "verdicts.parquet").read_bytes()
    with pytest.raises(InputError, match="raw votes are never overwritten"):
        main([str(tmp_path / "verdicts.parquet"), "-o", str(tmp_path / "verdicts.parquet")])
    assert (tmp_path / "verdicts.parquet").read_bytes() == before


def test_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"No vote table at .*nowhere\.csv"):
        main([str(tmp_path / "nowhere.csv")])


def test_blending_brings_few_real_votes_nearer_to_all(cifar10h: Path, tmp_path: Path) -> None:
    """3 of about 51 votes on 2,000 images of CIFAR-10H; benchmarks/soft_labels.py has all figures."""
    table = read_votes(cifar10h / "votes.csv").rows
    images = sorted(table["image"].unique())[:2000]
    votes = count_votes(table[table["image"].isin(images)], images)
    generator = np.random.default_rng(0)
    drawn = np.stack([generator.multivariate_hypergeometric(row, 3) for row in votes.counts])
    rows, numbers = np.nonzero(drawn)
    few = pd.DataFrame({"image": np.array(images)[rows], "label": np.array(votes.classes)[numbers]})
    few.assign(votes=drawn[rows, numbers]).to_csv(tmp_path / "few.csv", index=False)
    output = tmp_path / "soft.parquet"
    assert main([str(tmp_path / "few.csv"), "-o", str(output)]) == 0
    reference = soft_labels(votes.counts)
    raw, blended = (mean_kl(reference, _read(output, name)) for name in ("share", "blending"))
    assert 0.2 < raw < 0.4
    assert blended < raw / 2


def test_tables_that_name_images_and_classes_otherwise_are_joined(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_verdicts(_verdicts(), tmp_path / "verdicts.parquet")
    pd.DataFrame({"image": ["x/a.jpg", "x/b.jpg"], "label": ["Cat ", "dog"]}).to_csv(tmp_path / "v.csv", index=False)
    output = tmp_path / "soft.parquet"
    assert main([str(tmp_path / "verdicts.parquet"), str(tmp_path / "v.csv"), "-o", str(output)]) == 0
    assert _read(output, "image").tolist() == ["a", "b"]
    assert _read(output, "votes").tolist() == [[3, 0], [0, 3]]
    said = capsys.readouterr().out
    assert "note         v.csv: labels that differ only in case" in said
    assert "v.csv: 2 image name(s) were matched without the suffix: 'x/a.jpg' is 'a'" in said


def test_ties_are_no_change_of_the_leading_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame({"image": ["a", "a", "b"], "label": ["cat", "dog", "dog"]}).to_csv(tmp_path / "v.csv", index=False)
    assert main([str(tmp_path / "v.csv"), "-o", str(tmp_path / "soft.parquet")]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith(("share", "blending"))]
    assert [row[2] for row in rows] == ["0", "0"]


@pytest.mark.parametrize("other", ["./a.jpg", "a.jpg ", "a.jpg\u200b"])
def test_an_image_of_two_spellings_in_one_table_is_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], other: str
) -> None:
    table = pd.DataFrame({"image": ["a.jpg", other, other, "b.jpg"], "label": ["cat", "dog", "dog", "dog"]})
    table.to_csv(tmp_path / "v.csv", index=False)
    assert main([str(tmp_path / "v.csv"), "-o", str(tmp_path / "soft.parquet")]) == 0
    assert _read(tmp_path / "soft.parquet", "image").tolist() == ["a.jpg", "b.jpg"]
    assert "v.csv: 1 image name(s) differ from another in spaces" in capsys.readouterr().out


def test_images_of_almost_the_same_name_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for suffix in ("jpg", "png"):
        rows = pd.DataFrame({"image": [f"a.{suffix}", f"b.{suffix}"], "label": ["cat", "dog"]})
        rows.to_csv(tmp_path / f"{suffix}.csv", index=False)
    tables = [str(tmp_path / f"{suffix}.csv") for suffix in ("jpg", "png")]
    assert main([*tables, "-o", str(tmp_path / "soft.parquet")]) == 0
    said = capsys.readouterr().out
    assert "2 time(s) images have almost the same name, and count as different ones: 'a.jpg' and 'a.png'" in said


def test_no_table_and_a_file_for_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one table of votes or verdicts is needed"):
        main(["-o", str(tmp_path / "soft.parquet")])
    (tmp_path / "v.csv").write_text("image,label\na,cat\nb,dog\n")
    with pytest.raises(InputError, match=r"--output must be, or lie in, a folder; .*v\.csv is a file: give another"):
        main([str(tmp_path / "v.csv"), "-o", str(tmp_path / "v.csv" / "deep" / "soft.parquet")])
