"""Backbones of timm in one file with what lies before them: enlarging or shrinking, and the range of the weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from serving.export.to_onnx import export_onnx
from serving.model.session import Model
from tests.serving.running import CARD, make_images
from training.evaluate.predict import Predictor
from training.networks import build_network
from training.options import NetworkOptions


# by torch's older exporter, which warns of a transformer's looks at its input's shape, and by the newer one
@pytest.mark.parametrize(
    ("network", "size", "input_size"),
    [
        ("test_resnet", 12, 48),
        ("test_efficientnet", 48, 32),
        pytest.param("test_vit", 12, 32, marks=pytest.mark.slow),
    ],
)
def test_the_file_gives_the_features_that_torch_gives(network: str, size: int, input_size: int, tmp_path: Path) -> None:
    torch.manual_seed(0)
    built = build_network(NetworkOptions(network, input_size=input_size), size, 3).eval()
    card = replace(CARD, input_size=size, captions=CARD.captions[:1] * 15, typical=())
    images = make_images(8, size)
    export_onnx(Predictor(built, ambiguity_aware=True), card, images, tmp_path / "m.onnx")
    found = Model(tmp_path / "m.onnx").predict(images)
    # typed anew: `Network` has it from one place, which file and run share
    values = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    # as timm says of each
    mode = "bilinear" if network == "test_resnet" else "bicubic"
    range_ = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)) if network == "test_efficientnet" else ((0.5,), (0.5,))
    mean, std = (torch.tensor(channels).view(1, -1, 1, 1) for channels in range_)
    fitted = F.interpolate(values, (input_size, input_size), mode=mode, antialias=True).clamp(0, 1)
    with torch.no_grad():
        features = built.backbone((fitted - mean) / std)
        classes = built.outputs(features).classes.softmax(1)
    np.testing.assert_allclose(found.embedding, features.numpy(), atol=1e-4 * float(features.abs().max()))
    np.testing.assert_allclose(found.classes, classes.numpy(), atol=1e-4)
