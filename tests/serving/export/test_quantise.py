"""Files of another precision answer almost the same and keep their card."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from serving.export.quantise import Precision, measure_speed_up, quantise
from serving.export.to_onnx import export_onnx
from serving.model.session import Model
from tests.serving.export.test_to_onnx import Convolutional
from tests.serving.running import CARD, make_images


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "tolerance"), [("int8", 0.1), ("float16", 0.01)])
@pytest.mark.parametrize("input_type", ["uint8", "float32"])
def test_a_smaller_file_answers_almost_the_same(
    tmp_path: Path, precision: Precision, tolerance: float, input_type: str
) -> None:
    full, small = tmp_path / "full.onnx", tmp_path / "small.onnx"
    images = make_images(64)
    export_onnx(Convolutional(), CARD, images, full, input_type)
    shutil.copy(full, small)
    quantise(small, precision, images.astype(input_type))
    assert Model(small).card == CARD
    for found, expected in zip(Model(small).predict(images[:9]), Model(full).predict(images[:9]), strict=True):
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() < tolerance
    assert full.read_bytes() != small.read_bytes()
    assert measure_speed_up(full, full, images.astype(input_type)) == pytest.approx(1, rel=0.9)
