"""A network as an ONNX graph: one exporter for the bank of features and for the file that is served."""

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    import onnx

OPSET = 20


def to_graph(network: torch.nn.Module, images: torch.Tensor, outputs: tuple[str, ...]) -> "onnx.ModelProto":
    """The graph of `network` from its input `images`, of any batch size, to `outputs`.

    `images` (N, H, W, 3) give the type and the size of the input. Raises torch.onnx.OnnxExporterError where torch
    cannot write the network as a graph.
    """
    # Two images at least: a batch of one would be taken for a constant.
    sample = images[:2] if len(images) > 1 else images.repeat(2, 1, 1, 1)
    # recorded, not shown: the exporters warn of their own internals; what counts is what the graph answers
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            model = _trace(network, sample, outputs)
        except torch.onnx.OnnxExporterError:
            model = None
        # what hangs on values would be frozen as these two images have it, which other images alone would show
        if model is None or any(issubclass(one.category, torch.jit.TracerWarning) for one in told):
            model = _capture(network, sample, outputs)
    return model


def _trace(network: torch.nn.Module, sample: torch.Tensor, outputs: tuple[str, ...]) -> "onnx.ModelProto":
    """The graph of one forward pass, by torch's older exporter.

    For each of our networks it takes 0.1 to 0.5 s of a core, the newer one 5 s and more, at every training. It warns
    where Python looks at a value or a shape, as in torch's own group normalisation.
    """
    import onnx  # here: a borrowed GPU machine has torch alone

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            network,
            (sample,),
            path,
            input_names=["images"],
            output_names=list(outputs),
            dynamic_axes={name: {0: "batch"} for name in ("images", *outputs)},
            opset_version=OPSET,
            dynamo=False,
        )
        return onnx.load(path)


def _capture(network: torch.nn.Module, sample: torch.Tensor, outputs: tuple[str, ...]) -> "onnx.ModelProto":
    """The graph by torch's newer exporter, which knows operations that the older one does not."""
    program = torch.onnx.export(
        network,
        (sample,),
        input_names=["images"],
        output_names=list(outputs),
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    return program.model_proto
