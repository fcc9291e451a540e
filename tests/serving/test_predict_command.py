"""`dc3 predict`: the service's answers as a table, and what cannot be read is named."""

import asyncio
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dc3.__main__ import main
from serving.http.answers import answer
from serving.live.live_model import LiveModel
from serving.live.uploaded import Upload
from serving.model.card import read_card
from serving.model.files import BATCH, File, predict_files
from serving.model.scores import Score
from serving.model.session import Model
from serving.settings import Settings
from serving.telemetry import Telemetry
from tests.serving.running import CARD, make_images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty images, more than a batch, one of them in a folder below, with a deep one, a broken one and a text."""
    place = tmp_path / "images"
    (place / "below").mkdir(parents=True)
    for number, pixels in enumerate(make_images(38)):
        Image.fromarray(pixels).save(place / f"{number:02}.png")
    Image.fromarray(make_images(1, seed=7)[0].repeat(3, 0)).save(place / "below" / "größe.jpg")
    Image.fromarray(np.full((20, 20), 3000, np.uint16)).save(place / "deep.png")
    (place / "broken.png").write_bytes((place / "00.png").read_bytes()[:60])
    (place / "notes.txt").write_text("no image")
    return place


def ask_service(model: Path, files: dict[str, Path]) -> list[dict[str, object]]:
    """What the service answers for these files."""

    async def ask() -> list[dict[str, object]]:
        live = LiveModel(Settings(model), Telemetry())
        found = await live.predict([Upload(name, path.read_bytes()) for name, path in files.items()])
        await live.close()
        assert all(isinstance(score, Score) for score in found)
        return [answer(name, score, live.model.card, "v") for name, score in zip(files, found, strict=True)]

    return asyncio.run(ask())


def read(path: Path) -> pd.DataFrame:
    kinds = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
    return kinds[path.suffix](path) if path.suffix in kinds else pd.read_json(path, lines=True)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_the_table_holds_the_service_s_answers_and_the_unreadable_with_their_error(
    form: str, folder: Path, model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new" / f"table.{form}"
    assert main(["predict", str(model_path), str(folder), "--output", str(output)]) == 1
    told = capsys.readouterr()
    assert "left out 1 file(s) that are no images" in told.out
    assert "How good this model is was not measured." in told.out, "it was exported before figures travelled along"
    assert "dc3 predict: not read, see column error: broken.png" in told.err
    table = read(output).set_index("image")
    assert len(table) == 41
    assert list(table.index) == sorted(table.index)
    broken = table.loc["broken.png"]
    assert broken["error"].startswith("damaged: ")
    assert broken.drop("error").isna().all()
    good = table.drop("broken.png")
    assert good["error"].isna().all()
    expected = ask_service(model_path, {name: folder / name for name in good.index})
    for name in ("decision", "class", "cluster", "cluster_caption"):
        assert good[name].tolist() == [one[name] for one in expected], name
    for name in ("ambiguity", "class_probability"):
        assert good[name].to_numpy(float) == pytest.approx(np.array([one[name] for one in expected]), abs=2e-6), name
    probabilities = [list(one["class_probabilities"].values()) for one in expected]
    assert good[["p_cat", "p_dog", "p_owl"]].to_numpy(float) == pytest.approx(np.array(probabilities), abs=2e-6)
    assert set(good["decision"]) == {"class", "cluster"}
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_files_patterns_and_archives_are_images_too(
    folder: Path, model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.write("01.png", "deep/one.png")
    output = tmp_path / "t.csv"
    assert main(["predict", str(model_path), "00.png", "0[23].png", str(tmp_path / "more.zip"), "-o", str(output)]) == 0
    names = read(output)["image"].tolist()
    assert names == ["00.png", "02.png", "03.png", f"{tmp_path / 'more.zip'}/deep/one.png"]
    assert main(["predict", str(model_path), str(tmp_path / "more.zip"), "-o", str(output)]) == 0
    assert read(output)["image"].tolist() == ["deep/one.png"]


def test_every_image_has_one_row_however_many_are_written_at_once(
    folder: Path, model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dc3.predict.ROWS", 7)
    main(["predict", str(model_path), str(folder), "-o", str(tmp_path / "t.parquet")])
    names = read(tmp_path / "t.parquet")["image"].tolist()
    assert len(names) == len(set(names)) == 41


@pytest.mark.parametrize(
    ("images", "output", "message"),
    [
        (["nowhere"], "t.csv", "No images at nowhere: name a folder"),
        ([], "t.csv", "Name images after the model"),
        (["."], "t.xlsx", r"--output must end in .csv, .jsonl, .parquet; it is "),
    ],
)
def test_what_cannot_be_done_is_said_before_any_work(
    images: list[str],
    output: str,
    message: str,
    model_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["predict", str(model_path), *images, "--output", output]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_none_is_named(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(tmp_path / "gone.onnx"), str(folder)]) == 2
    assert f"No model at {tmp_path / 'gone.onnx'}" in capsys.readouterr().err
    assert main(["predict", str(folder / "00.png"), str(folder)]) == 2
    assert "is no ONNX model" in capsys.readouterr().err


def test_a_table_of_before_stays_when_the_new_one_breaks_off(
    folder: Path, model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out" / "t.csv"
    output.parent.mkdir()
    output.write_text("of before")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("serving.model.files.to_scores", stop)
    assert main(["predict", str(model_path), str(folder), "--output", str(output)]) == 130
    assert output.read_text() == "of before"
    assert [path.name for path in output.parent.iterdir()] == ["t.csv"]


def test_no_more_than_a_batch_is_read_ahead(model_path: Path, folder: Path) -> None:
    data = (folder / "00.png").read_bytes()
    n_read = 0

    def take() -> bytes:
        nonlocal n_read
        n_read += 1
        return data

    found = predict_files(Model(model_path, threads=1), (File(str(number), take) for number in range(10 * BATCH)))
    for number, one in enumerate(found):
        assert one.name == str(number)
        assert n_read <= (number // BATCH + 1) * BATCH
    assert n_read == 10 * BATCH


def test_an_image_that_the_model_fails_on_takes_no_other_along(model_path: Path, folder: Path) -> None:
    model = Model(model_path, threads=1)
    answers = model.predict

    def fail_on_white(images: np.ndarray) -> object:
        if (images == 255).all((1, 2, 3)).any():
            raise FloatingPointError("the model's scores must be finite")
        return answers(images)

    model.predict = fail_on_white  # type: ignore[assignment,method-assign]
    Image.new("RGB", (16, 16), "white").save(folder / "white.png")
    files = [File(name, (folder / name).read_bytes) for name in ("00.png", "white.png", "01.png", "gone.png")[:3]]
    first, white, last = predict_files(model, files)
    assert first.score
    assert last.score
    assert (white.score, white.error) == (None, "model_failed: the model's scores must be finite")
    (gone,) = predict_files(model, [File("gone.png", (folder / "gone.png").read_bytes)])
    assert gone.error == "unreadable: the file cannot be read (No such file or directory)"


def test_the_card_of_an_older_file_still_reads() -> None:
    assert read_card(CARD.to_metadata(), "x").metrics == {"f1": 0.75}
