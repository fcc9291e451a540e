"""Pixels to features: the frozen part of a network, run as the graph that is exported."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from data.cores import usable_cores
from data.errors import InputError
from training.batches.augment import to_unit_range
from training.features.graph import to_graph
from training.networks.heads import Network

CPU_BATCH, GPU_BATCH = 16, 256
"""Images that are passed through at once."""
OUTPUT = "features"


class Extractor(NamedTuple):
    """Features of pixels, on the machine at hand."""

    run: Callable[[np.ndarray], np.ndarray]
    """(N, H, W, 3) uint8 -> (N, F) float32."""
    batch_size: int
    """N that it is fast with."""
    where: str
    """What computes, in words."""


class PixelFeatures(nn.Module):
    """A network without its head, and with the range of the pixels before it, as in the exported file."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """(N, H, W, 3) with values 0 to 255 -> (N, F) float32."""
        return self.network.features(to_unit_range(images)).float()


def build_extractor(network: Network, size: int, device: torch.device) -> Extractor:
    """The features of `network` for images of size x size pixels, by onnxruntime where it is installed, else by torch.

    onnxruntime is six times as fast as eager torch on a CPU (EfficientNet-Lite0). On a GPU that it cannot use, torch
    computes there. Raises InputError where torch cannot write the network as a graph.
    """
    is_cuda = device.type == "cuda"
    try:
        import onnxruntime

        if is_cuda and "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            return _by_torch(network, device)
        graph = write_graph(network, size)
    except ImportError:  # a borrowed GPU machine has torch alone
        return _by_torch(network, device)
    session = _open_session(onnxruntime, graph, device)
    if is_cuda and session.get_providers()[0] != "CUDAExecutionProvider":
        return _by_torch(network, device)

    def run(images: np.ndarray) -> np.ndarray:
        features: np.ndarray = session.run([OUTPUT], {"images": images})[0]
        return features

    where = "CUDA" if is_cuda else f"the CPU, {n_threads()} thread(s)"
    return Extractor(run, GPU_BATCH if is_cuda else CPU_BATCH, f"onnxruntime on {where}")


def n_threads() -> int:
    """Threads to compute with: torch's number, which OMP_NUM_THREADS sets, within what the process may use."""
    return min(torch.get_num_threads(), usable_cores())


def write_graph(network: Network, size: int) -> bytes:
    """The features' ONNX graph as a file has it, for images of size x size pixels."""
    place = next(network.parameters()).device
    pixels = torch.zeros((2, size, size, 3), dtype=torch.uint8, device=place)
    with _evaluating(network):
        try:
            model = to_graph(PixelFeatures(network), pixels, (OUTPUT,))
        except torch.onnx.OnnxExporterError as error:
            raise InputError(
                "Features need a backbone that torch can write as an ONNX graph, as for the exported file; this one it"
                " cannot: what hangs on the values of images must be tensor operations (torch.where), never `if`."
                " Take another --network, or train it as a whole by --freeze none."
            ) from error
    content: bytes = model.SerializeToString()
    return content


def _open_session(onnxruntime: Any, graph: bytes, device: torch.device) -> Any:
    onnxruntime.set_default_logger_severity(4)  # else a missing device is printed in red
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads()
    options.log_severity_level = 3
    # between two batches its threads would go on spinning, on the cores that make the next views
    options.add_session_config_entry("session.force_spinning_stop", "1")
    providers: list[Any] = ["CPUExecutionProvider"]
    if device.type == "cuda":
        onnxruntime.preload_dlls()  # CUDA's libraries as pip installs them are not on the loader's path
        # TF32 keeps 10 bits of a product: features of the CPU, where the exported file runs, would be others
        cuda = {"device_id": device.index or 0, "use_tf32": 0}
        providers.insert(0, ("CUDAExecutionProvider", cuda))
    return onnxruntime.InferenceSession(graph, options, providers=providers)


def _by_torch(network: Network, device: torch.device) -> Extractor:
    module = PixelFeatures(network)

    @torch.inference_mode()
    def run(images: np.ndarray) -> np.ndarray:
        with _evaluating(network):
            features: np.ndarray = module(torch.from_numpy(images).to(device)).cpu().numpy()
        return features

    network.to(device)
    is_cpu = device.type == "cpu"
    return Extractor(run, CPU_BATCH if is_cpu else GPU_BATCH, f"torch on {device.type}")


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """Statistics and dropout as in prediction; afterwards each layer is again as it was."""
    were = {layer: layer.training for layer in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for layer, training in were.items():
            layer.training = training
