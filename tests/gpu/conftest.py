"""The devices that a training must be the same on."""

import pytest
import torch


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> torch.device:
    """Each device in turn; without CUDA its tests are skipped, and the report says so."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("NO GPU: what runs on CUDA is not exercised here")
    return torch.device(request.param)


@pytest.fixture(autouse=True)
def full_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions in float32: the TF32 that cuDNN takes by default keeps 10 bits."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
