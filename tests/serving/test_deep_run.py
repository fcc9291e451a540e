"""Pictures of 12 bits in stacks: training, exported model, service and proposals see one and the same picture."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from data.images.decoding import BadImage, resize
from data.images.deep import UNMEASURED, Reading
from data.predictions import Predictions, read_predictions
from serving.export.to_onnx import export
from serving.live.live_model import LiveModel
from serving.live.uploaded import Upload
from serving.model.scores import Score
from serving.settings import Settings
from serving.telemetry import Telemetry
from tests.data.images.files import grey_tiff, one, tiff
from tests.stores import use_store
from training import track
from training.batches.data_record import DataRecord, read_record
from training.config import load_preset
from training.run_data import find_images
from training.train import train

pytestmark = pytest.mark.slow
READING = Reading({"16-bit grey": (64.0, 64.0 + 16 * 210)}, 2)


class Lab(NamedTuple):
    """A run on 24 stacks of two pages, the first of them black."""

    images: Path
    run_id: str
    predictions: Predictions
    notices: tuple[str, ...]


@pytest.fixture(scope="module")
def lab(migrated_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    with use_store(folder, migrated_database):
        _write(folder / "images")
        options = {"source": "folder", "images": str(folder / "images"), "votes": str(folder / "votes.csv")}
        config = load_preset("digits")
        config = replace(
            config,
            data=replace(config.data, **options, size=16, page=2),
            batches=replace(config.batches, batch_size=8),
            loop=replace(config.loop, steps=2, evaluate_every=2, log_every=2),
            runtime=replace(config.runtime, device="cpu", precision="float32"),
        )
        result = train(config, show_progress=False, with_report=False)
        yield Lab(folder / "images", result.run_id, read_predictions(result.predictions), result.notices)


def _write(images: Path) -> None:
    """The stacks, a file of another program, and votes beside the folder."""
    images.mkdir()
    black = np.zeros((16, 16), np.uint16)
    rows = []
    for number, level in enumerate(np.linspace(20, 200, 24).astype(int)):
        ramp = np.add.outer(np.arange(-10, 6), np.arange(-10, 6)) + level
        values = (ramp * 16 + 64).astype(np.uint16)
        (images / f"{number:02}.tif").write_bytes(tiff(one(black), one(values)))
        rows.append((f"{number:02}.tif", "dark" if number < 12 else "bright", 3))
    (images / "._00.tif").touch()
    pd.DataFrame(rows, columns=["image", "label", "votes"]).to_csv(images.parent / "votes.csv", index=False)


def ask(path: Path, files: dict[str, bytes]) -> list[Score | BaseException]:
    async def scenario() -> list[Score | BaseException]:
        live = LiveModel(Settings(path, threads=1), Telemetry())
        try:
            return await live.predict([Upload(name, data) for name, data in files.items()])
        finally:
            await live.close()

    return asyncio.run(scenario())


def test_the_service_answers_as_the_run_predicted_and_annotators_see_what_it_saw(lab: Lab, tmp_path: Path) -> None:
    from dc3.propose import main as propose

    assert track.load_data_record(lab.run_id).reading.ranges == READING.ranges
    low, high = (READING.ranges or {})["16-bit grey"]
    assert any(f"{low:g} becomes black and {high:g} white" in notice for notice in lab.notices)
    assert any("._00.tif" in notice for notice in lab.notices)
    assert track.fetch_file(lab.run_id, "notices.txt").read_text() == "\n".join(lab.notices)

    path = tmp_path / "model.onnx"
    assert export(lab.run_id, path).card.reading == READING
    names = [str(name) for name in lab.predictions.images]
    scores = ask(path, {name: (lab.images / name).read_bytes() for name in names})
    found = np.array([score.classes for score in scores if isinstance(score, Score)])
    assert np.abs(found - lab.predictions.classes).max() < 1e-4
    (other,) = ask(path, {"a.tif": grey_tiff(np.ones((9, 9), np.float32))})
    assert isinstance(other, BadImage)
    assert other.reason == "unsupported"

    assert propose([lab.run_id, "--anyway", "--output", str(tmp_path / "proposals")]) == 0
    seen = recall(lab, track.load_data_record(lab.run_id))
    written = {path.name.removesuffix(".png"): path for path in (tmp_path / "proposals" / "images").rglob("*.png")}
    assert len(written) > 5
    for name, file in written.items():
        with Image.open(file) as picture:
            assert np.array_equal(resize(np.asarray(picture.convert("RGB")), 16), seen[name])


def recall(lab: Lab, record: DataRecord) -> dict[str, np.ndarray]:
    """All images of the run as the record says that they are read."""
    return find_images(record, track.load_config(lab.run_id), record.names).pixels


def test_a_run_is_read_by_the_range_of_its_record(lab: Lab) -> None:
    record = track.load_data_record(lab.run_id)
    low, high = (READING.ranges or {})["16-bit grey"]
    wider = record._replace(reading=Reading({"16-bit grey": (low, low + 2 * (high - low))}, 2))
    measured, loaded = recall(lab, record), recall(lab, wider)
    assert len(loaded) == len(record.names)
    for name, pixels in loaded.items():
        assert np.abs(pixels.astype(int) - measured[name] // 2).max() <= 1


def test_a_record_from_before_ranges_were_measured_has_none(lab: Lab, tmp_path: Path) -> None:
    path = track.fetch_file(lab.run_id, "data.parquet")
    assert read_record(path).reading == READING
    table = pq.read_table(path)
    facts = json.loads(table.schema.metadata[b"dc3"])
    del facts["reading"]
    pq.write_table(table.replace_schema_metadata({"dc3": json.dumps(facts)}), tmp_path / "data.parquet")
    assert read_record(tmp_path / "data.parquet").reading == UNMEASURED
