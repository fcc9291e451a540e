"""Part 4: features of a backbone, images/s, through torch and through onnxruntime where it has the card."""

import sys
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torchvision import models

from benchmarks.gpu.items import Item, NotHereError, run_items
from benchmarks.gpu.settings import Settings
from benchmarks.gpu.sizes import sizes
from benchmarks.gpu.step_time import spread, start_memory

N_SETS = 4
"""Batches that take turns, so that none stays in the card's cache."""


def list_items(settings: Settings) -> dict[str, Item]:
    """torch in bf16 and float32 for each backbone, images on the card or coming from the host; then onnxruntime."""
    items: dict[str, Item] = {}
    for backbone in sizes(settings.tiny).backbones:
        for precision in ("bf16", "float32"):
            for source in ("card", "host"):
                name = f"torch {backbone} {precision} from {source}"
                items[name] = partial(_measure_torch, settings, backbone, precision, source)
        items[f"onnxruntime {backbone}"] = partial(_measure_onnx, settings, backbone)
    return items


def _measure_torch(settings: Settings, backbone: str, precision: str, source: str) -> dict[str, object]:
    """Pooled features of uint8 images, normalised on the card; weights are random, which changes no time."""
    size = sizes(settings.tiny)
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    network = _backbone(backbone).to(settings.device, kind, memory_format=torch.channels_last)
    place = settings.device if source == "card" else "cpu"
    batches = [batch.to(place) for batch in _batches(settings)]
    if settings.device == "cuda" and source == "host":
        batches = [batch.pin_memory() for batch in batches]
    memory = start_memory(settings.device)

    @torch.inference_mode()
    def run(number: int) -> None:
        images = batches[number % N_SETS].to(settings.device, non_blocking=True)
        network((images.permute(0, 3, 1, 2).float() / 127.5 - 1).to(kind)).cpu()

    times = _time(run, size.warm_intervals, size.timed_intervals)
    return _describe(settings, backbone, times) | {"precision": precision, "source": source, **memory()}


def _measure_onnx(settings: Settings, backbone: str) -> dict[str, object]:
    """The same network as an ONNX file in float32, if this build of onnxruntime can use the card."""
    import onnxruntime

    wanted = "CUDAExecutionProvider" if settings.device == "cuda" else "CPUExecutionProvider"
    offered = onnxruntime.get_available_providers()
    if wanted not in offered:
        raise NotHereError(f"onnxruntime {onnxruntime.__version__} here offers {', '.join(offered)}, not {wanted}")
    size = sizes(settings.tiny)
    path = settings.work / f"{backbone}.onnx"
    batches = [(batch.permute(0, 3, 1, 2).float() / 127.5 - 1) for batch in _batches(settings)]
    torch.onnx.export(_backbone(backbone), (batches[0],), path, input_names=["images"], dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(str(path), providers=[wanted])
    used = session.get_providers()[0]
    if used != wanted:
        raise NotHereError(f"onnxruntime {onnxruntime.__version__} fell back to {used}: its {wanted} did not load")

    def run(number: int) -> None:
        session.run(None, {"images": batches[number % N_SETS].numpy()})

    times = _time(run, size.warm_intervals, size.timed_intervals)
    return _describe(settings, backbone, times) | {"precision": "float32", "source": "host", "provider": used}


def _backbone(name: str) -> nn.Module:
    torch.manual_seed(0)
    network: nn.Module = models.get_model(name, weights=None)
    network.fc = nn.Identity()
    return network.eval()


def _batches(settings: Settings) -> list[Tensor]:
    """(B, side, side, 3) uint8 of random pixels."""
    size = sizes(settings.tiny)
    generator = torch.Generator().manual_seed(0)
    shape = (size.feature_batch, size.side, size.side, 3)
    return [torch.randint(256, shape, dtype=torch.uint8, generator=generator) for _ in range(N_SETS)]


def _time(run: Callable[[int], None], n_warm: int, n_timed: int) -> list[float]:
    """Milliseconds of each timed batch; each ends with its features on the host, so nothing is left to wait for."""
    times = []
    for number in range(n_warm + n_timed):
        start = time.perf_counter()
        run(number)
        times.append((time.perf_counter() - start) * 1000)
    return times[n_warm:]


def _describe(settings: Settings, backbone: str, times: list[float]) -> dict[str, object]:
    size = sizes(settings.tiny)
    found = spread(times)
    rate = size.feature_batch * 1000 / float(str(found["ms"]))
    return {"backbone": backbone, "side": size.side, "batch": size.feature_batch, "images_per_second": rate, **found}


if __name__ == "__main__":
    sys.exit(run_items("features", list_items))
