"""An exported model in an onnxruntime session: batches of images in, probabilities out, no torch."""

import ctypes
import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime

from serving.model.card import OUTPUTS, BadModel, ModelCard, read_card


class Scores(NamedTuple):
    """What the network says of N images."""

    classes: np.ndarray
    """(N, k) float32, p_n."""
    clusters: np.ndarray
    """(N, k') float32, p_o."""
    ambiguity: np.ndarray
    """(N,) float32, p_a."""
    embedding: np.ndarray
    """(N, F) float32."""


class Model:
    """One model file, ready to answer from any thread."""

    def __init__(self, path: Path, threads: int = 0, providers: tuple[str, ...] | None = None) -> None:
        """Loads the file; `threads` 0 takes all cores.

        Raises BadModel when the file cannot be read, is no ONNX file or lacks what `dc3 export` writes.
        """
        # The default level prints every missing device in red, which on a machine without one is no fault.
        onnxruntime.set_default_logger_severity(4)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise BadModel(f"The model file {path} cannot be read: {error.strerror}.") from error
        self._path = path
        self.providers = providers or usable_providers()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Its threads would go on spinning after a run, on the cores that the requests need: with 32 clients on two
        # cores that cost 4 % of the throughput (WRN-28-2 at 32 px).
        options.add_session_config_entry("session.force_spinning_stop", "1")
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=list(self.providers))
        except Exception as error:  # onnxruntime raises its own classes, without a common base to name
            raise BadModel(f"{path} is no ONNX model that onnxruntime can load: {error}") from error
        self.card: ModelCard = read_card(self._session.get_modelmeta().custom_metadata_map, str(path))
        self.version = f"{self.card.run_id[:8]}-{hashlib.sha256(content).hexdigest()[:8]}"
        self._check_shapes()
        self._dtype = np.uint8 if self._session.get_inputs()[0].type == "tensor(uint8)" else np.float32

    @property
    def on_gpu(self) -> bool:
        """Whether a GPU runs it."""
        return self.providers[0] == "CUDAExecutionProvider"

    def warm_up(self) -> None:
        """Runs it once, for in the first run onnxruntime plans its memory; raises BadModel when it cannot answer."""
        size = self.card.input_size
        try:
            self.predict(np.zeros((1, size, size, 3), np.uint8))
        except Exception as error:  # see above; or scores that are not finite
            raise BadModel(f"{self._path} was loaded but cannot answer: {error}; export it anew.") from error

    def predict(self, images: np.ndarray) -> Scores:
        """Scores of (N, size, size, 3) uint8 images; raises FloatingPointError when they are not finite."""
        scores = Scores(*self._run(images.astype(self._dtype, copy=False)))
        if not all(np.isfinite(values).all() for values in scores):
            raise FloatingPointError("the model's scores must be finite")
        return scores

    def _run(self, images: np.ndarray) -> list[np.ndarray]:
        if not self.on_gpu:
            outputs: list[np.ndarray] = self._session.run(OUTPUTS, {"images": images})
            return outputs
        # Without a binding each output is copied off the device by itself, with a wait for each.
        binding = self._session.io_binding()
        binding.bind_cpu_input("images", np.ascontiguousarray(images))
        for name in OUTPUTS:
            binding.bind_output(name, "cuda")
        self._session.run_with_iobinding(binding)
        bound: list[np.ndarray] = binding.copy_outputs_to_cpu()
        return bound

    def _check_shapes(self) -> None:
        size = self.card.input_size
        inputs = {value.name: value.shape for value in self._session.get_inputs()}
        if list(inputs) != ["images"] or inputs["images"][1:] != [size, size, 3]:
            raise BadModel(f"{self._path} must take one input images (N, {size}, {size}, 3), it takes {inputs}.")
        outputs = {value.name: value.shape for value in self._session.get_outputs()}
        widths = {
            "class_probabilities": len(self.card.classes),
            "cluster_probabilities": len(self.card.captions),
        }
        if set(outputs) != set(OUTPUTS) or any(outputs[name][-1] != width for name, width in widths.items()):
            raise BadModel(f"{self._path} must give {OUTPUTS} with {widths}, it gives {outputs}.")


def usable_providers() -> tuple[str, ...]:
    """CUDA where onnxruntime has it and the driver sees a device, always the CPU."""
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers() and _n_cuda_devices() > 0:
        onnxruntime.preload_dlls()  # CUDA's libraries as pip installs them are not on the loader's path
        return ("CUDAExecutionProvider", "CPUExecutionProvider")
    return ("CPUExecutionProvider",)


def _n_cuda_devices() -> int:
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value
