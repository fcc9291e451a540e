"""A backbone and a source of someone else, one line each: configured, trained, recorded, loaded again and exported."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.predictions import read_predictions
from data.sources import SOURCES
from dc3.options import TrainOptions, parse_options
from serving.export.to_onnx import export
from serving.model.session import Model
from tests.contracts.plug_ins import STRIPES, GroupNormed, StripesOptions
from training import track
from training.config import Config
from training.networks import BACKBONES
from training.run_data import recall_data
from training.train import load_run, resolve, train


@pytest.mark.slow
def test_what_is_added_by_a_line_goes_the_whole_way(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: Callable[..., Config]
) -> None:
    monkeypatch.setitem(BACKBONES, "group_normed", GroupNormed)
    monkeypatch.setitem(SOURCES, "stripes", STRIPES)
    preset = tmp_path / "p.toml"
    preset.write_text('[data]\nsource = "stripes"\nn_drawn = 24\nsize = 16\n[network]\nnetwork = "group_normed"\n')
    flags = ["--preset", str(preset), "--contrast", "0.5", "--is-dark"]
    parsed, _ = parse_options(TrainOptions, flags, "train", "")
    config = replace(tiny(), data=parsed.config.data, network=parsed.config.network)
    assert config.data == StripesOptions("stripes", size=16, n_drawn=24, contrast=0.5, is_dark=True)

    result = train(config, with_report=False, show_progress=False)

    assert track.load_config(result.run_id) == resolve(config)
    dataset, _ = recall_data(result.run_id, track.load_config(result.run_id))
    assert dataset.names == tuple(f"stripes_{number:03d}" for number in range(24))
    assert dataset.classes == ("across", "along")
    stored, trained = read_predictions(result.predictions), load_run(result.run_id)
    assert isinstance(trained.predictor.network.backbone, GroupNormed)
    export(result.run_id, tmp_path / "model.onnx")
    model = Model(tmp_path / "model.onnx")
    assert model.card.classes == dataset.classes
    assert (model.card.network, model.card.weights, model.card.licence) == ("group_normed", "", "")
    rows = [dataset.names.index(name) for name in stored.images]
    for found, expected in zip(model.predict(np.array(dataset.images[rows])), stored[2:6], strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-4)
